#include "config.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <check.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/upstream/backend.h"
#include "upstream/sockets.h"

static struct loop *loop;
static struct sockets *sockets;
static struct timer deadline;
static int ours, theirs;
static uint32_t seen;
static struct socket_group group;
static char told[64]; /* a letter for each event of the group */

static void
on_ready(void *arg, int fd, uint32_t ready)
{
	(void)arg;
	ck_assert_int_eq(fd, ours);
	seen |= ready;
	loop_stop(loop);
}

static void
too_late(void *arg)
{
	(void)arg;
	ck_abort_msg("nothing happened for too long");
}

static void
note(void *arg, enum socket_event event)
{
	size_t len = strlen(told);

	ck_assert_ptr_eq(arg, &group);
	ck_assert_uint_lt(len, sizeof(told) - 1);
	told[len] = "ocrsi"[event];
}

static void
begin(void)
{
	int port, listener = backend_socket(&port);
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };

	loop = loop_new();
	sockets = sockets_new(loop, on_ready, NULL);
	timer_set(loop, &deadline, 10 * NS_PER_S, too_late, NULL);
	ck_assert_int_eq(listen(listener, 1), 0);
	group = (struct socket_group){ .event = note, .arg = &group };
	memset(told, 0, sizeof(told));
	ours = sockets_open(sockets, &group, AF_INET, SOCK_STREAM, 0);
	ck_assert_int_ge(ours, 0);
	ck_assert(connect(ours, (void *)&at, sizeof(at)) == 0 ||
		  errno == EINPROGRESS);
	theirs = accept(listener, NULL, NULL);
	ck_assert_int_ge(theirs, 0);
	ck_assert_int_eq(close(listener), 0);
	seen = 0;
}

static void
finish(void)
{
	sockets_close(sockets, ours);
	(void)close(theirs);
	timer_clear(loop, &deadline);
	sockets_free(sockets);
	loop_free(loop);
}

static void
watch_for(uint32_t events)
{
	ck_assert_int_eq(sockets_watch(sockets, ours, events), ERR_OK);
}

static bool
is_spoiled(void)
{
	return send(ours, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE;
}

START_TEST(events_are_handed_on)
{
	watch_for(EPOLLIN | EPOLLOUT);
	loop_run(loop);
	ck_assert_uint_eq(seen, EPOLLOUT);
	watch_for(EPOLLIN);
	ck_assert_int_eq(send(theirs, "x", 1, 0), 1);
	loop_run(loop);
	ck_assert_uint_eq(seen, EPOLLIN | EPOLLOUT);
}
END_TEST

START_TEST(a_rested_connection_is_used_again)
{
	watch_for(EPOLLIN);
	for (int i = 0; i < 3; i++) {
		char byte;
		sockets_rest(sockets, ours);
		watch_for(EPOLLIN);
		ck_assert_int_eq(send(theirs, "x", 1, 0), 1);
		seen = 0;
		loop_run(loop);
		ck_assert_uint_eq(seen, EPOLLIN);
		ck_assert_int_eq(recv(ours, &byte, 1, 0), 1);
	}
	ck_assert(!is_spoiled());
}
END_TEST

START_TEST(input_left_over_spoils_the_connection)
{
	char byte;

	watch_for(EPOLLIN);
	ck_assert_int_eq(send(theirs, "x", 1, 0), 1);
	loop_run(loop);
	sockets_rest(sockets, ours);
	ck_assert(is_spoiled());
	ck_assert_int_eq(recv(theirs, &byte, 1, 0), 0);
}
END_TEST

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

START_TEST(what_arrives_at_rest_spoils_the_connection)
{
	struct timer soon = { 0 };

	watch_for(EPOLLIN);
	sockets_rest(sockets, ours);
	ck_assert(!is_spoiled());
	if (_i)
		ck_assert_int_eq(shutdown(theirs, SHUT_WR), 0);
	else
		ck_assert_int_eq(send(theirs, "x", 1, 0), 1);
	while (!is_spoiled()) {
		timer_set(loop, &soon, NS_PER_MS, stop, NULL);
		loop_run(loop);
	}
	ck_assert_uint_eq(seen, 0);
}
END_TEST

START_TEST(a_foreign_descriptor_is_let_go_at_rest)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(sockets_watch(sockets, pair[0], EPOLLIN), ERR_OK);
	sockets_rest(sockets, pair[0]);
	ck_assert_int_eq(send(pair[1], "x", 1, 0), 1);
	ck_assert_int_eq(sockets_watch(sockets, pair[0], EPOLLIN), ERR_OK);
	sockets_unwatch(sockets, pair[0]);
	ck_assert_int_eq(close(pair[0]), 0);
	ck_assert_int_eq(close(pair[1]), 0);
}
END_TEST

/* ---- groups ---- */

START_TEST(a_group_knows_its_sockets)
{
	ck_assert_uint_eq(group.open, 1);
	ck_assert_uint_eq(group.resting, 0);
	watch_for(EPOLLIN);
	sockets_rest(sockets, ours);
	ck_assert_uint_eq(group.resting, 1);
	watch_for(EPOLLIN);
	ck_assert_uint_eq(group.resting, 0);
	sockets_rest(sockets, ours);
	sockets_unwatch(sockets, ours);
	ck_assert_uint_eq(group.resting, 0);
	ck_assert_uint_eq(group.open, 1);
	ck_assert_str_eq(told, "orr");
}
END_TEST

START_TEST(a_spoiled_one_is_counted_out_at_once)
{
	watch_for(EPOLLIN);
	ck_assert_int_eq(send(theirs, "x", 1, 0), 1);
	loop_run(loop);
	sockets_rest(sockets, ours);
	ck_assert_uint_eq(group.open, 0);
	ck_assert_uint_eq(group.resting, 0);
	ck_assert_str_eq(told, "oc");
}
END_TEST

START_TEST(it_serves_so_many_requests)
{
	group.uses = 2;
	watch_for(EPOLLIN);
	sockets_rest(sockets, ours);
	ck_assert(!is_spoiled());
	watch_for(EPOLLIN);
	sockets_rest(sockets, ours);
	ck_assert(is_spoiled());
	ck_assert_str_eq(told, "orsc");
}
END_TEST

START_TEST(a_request_that_was_not_watched_counts_too)
{
	group.uses = 3;
	sockets_served(sockets, ours);
	ck_assert_uint_eq(group.resting, 1);
	sockets_served(sockets, ours);
	watch_for(EPOLLIN);
	sockets_served(sockets, ours);
	ck_assert(!is_spoiled());
	ck_assert_uint_eq(group.resting, 0);
	sockets_rest(sockets, ours);
	ck_assert(is_spoiled());
	ck_assert_str_eq(told, "orrsc");
}
END_TEST

START_TEST(it_grows_only_so_old)
{
	group.age_ns = 60 * NS_PER_S;
	watch_for(EPOLLIN);
	sockets_rest(sockets, ours);
	ck_assert(!is_spoiled());
	timer_clear(loop, &deadline);
	clock_set(clock_boot_ns() + 60 * NS_PER_S, clock_wall_ns());
	watch_for(EPOLLIN);
	sockets_rest(sockets, ours);
	ck_assert(is_spoiled());
	ck_assert_str_eq(told, "orc");
}
END_TEST

START_TEST(it_rests_only_so_long)
{
	struct timer soon = { 0 };

	group.idle_ns = 20 * NS_PER_MS;
	watch_for(EPOLLIN);
	sockets_rest(sockets, ours);
	while (!is_spoiled()) {
		timer_set(loop, &soon, NS_PER_MS, stop, NULL);
		loop_run(loop);
	}
	ck_assert_str_eq(told, "oric");
}
END_TEST

START_TEST(it_grows_old_at_rest_too)
{
	struct timer soon = { 0 };

	group.age_ns = 20 * NS_PER_MS;
	group.idle_ns = 3600 * NS_PER_S;
	watch_for(EPOLLIN);
	sockets_rest(sockets, ours);
	while (!is_spoiled()) {
		timer_set(loop, &soon, NS_PER_MS, stop, NULL);
		loop_run(loop);
	}
	ck_assert_str_eq(told, "orc");
}
END_TEST

START_TEST(one_in_use_does_not_rest_too_long)
{
	struct timer soon = { 0 };

	group.idle_ns = NS_PER_MS;
	watch_for(EPOLLIN);
	sockets_rest(sockets, ours);
	watch_for(EPOLLIN);
	timer_set(loop, &soon, 20 * NS_PER_MS, stop, NULL);
	loop_run(loop);
	ck_assert(!is_spoiled());
	ck_assert_str_eq(told, "or");
}
END_TEST

Suite *suite_upstream_sockets(void);

Suite *
suite_upstream_sockets(void)
{
	Suite *s = suite_create("upstream/sockets");
	TCase *t = tcase_create("descriptors");

	tcase_set_timeout(t, 20);
	tcase_add_checked_fixture(t, begin, finish);
	tcase_add_test(t, events_are_handed_on);
	tcase_add_test(t, a_rested_connection_is_used_again);
	tcase_add_test(t, input_left_over_spoils_the_connection);
	tcase_add_loop_test(
	    t, what_arrives_at_rest_spoils_the_connection, 0, 2);
	tcase_add_test(t, a_foreign_descriptor_is_let_go_at_rest);
	tcase_add_test(t, a_group_knows_its_sockets);
	tcase_add_test(t, a_spoiled_one_is_counted_out_at_once);
	tcase_add_test(t, it_serves_so_many_requests);
	tcase_add_test(t, a_request_that_was_not_watched_counts_too);
	tcase_add_test(t, it_grows_only_so_old);
	tcase_add_test(t, it_rests_only_so_long);
	tcase_add_test(t, it_grows_old_at_rest_too);
	tcase_add_test(t, one_in_use_does_not_rest_too_long);
	suite_add_tcase(s, t);
	return s;
}
