#include "config.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/upstream/backend.h"
#include "upstream/links.h"

enum { MOST = 3 };

static struct loop *loop;
static struct links *links;
static struct socket_group group, other_group;
static unsigned seen[SOCKET_IDLED + 1];
static struct timer deadline;
static int listener, port;
static char url[64];

static void
on_event(struct link *link, uint32_t events)
{
	(void)link;
	(void)events;
	loop_stop(loop);
}

static void
on_group(void *arg, enum socket_event event)
{
	(void)arg;
	seen[event]++;
}

static void
too_late(void *arg)
{
	(void)arg;
	ck_abort_msg("nothing happened for too long");
}

static void
begin(void)
{
	loop = loop_new();
	links = links_new(loop, MOST, on_event);
	group = (struct socket_group){ .event = on_group };
	memset(seen, 0, sizeof(seen));
	timer_set(loop, &deadline, 10 * NS_PER_S, too_late, NULL);
	listener = backend_socket(&port);
	ck_assert_int_eq(listen(listener, 16), 0);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
}

static void
finish(void)
{
	timer_clear(loop, &deadline);
	links_free(links);
	loop_free(loop);
	ck_assert_int_eq(close(listener), 0);
}

static const struct {
	struct client_origin origin;
	const char *name; /* NULL: libcurl has to do it */
} origins[] = {
	{ { .url = "http://127.0.0.1:3001/" }, "127.0.0.1:3001" },
	{ { .url = "http://127.0.0.1/" }, "127.0.0.1:80" },
	{ { .url = "http://[::1]:3001/" }, "[::1]:3001" },
	{ { .url = "http://[2001:db8::1]/" }, "[2001:db8::1]:80" },
	{ { .url = "http://localhost/", .unix_path = "/run/x" }, "/run/x" },
	{ { .url = "http://localhost:3001/" }, NULL },
	{ { .url = "https://127.0.0.1:3001/" }, NULL },
	{ { .url = "https://localhost/", .unix_path = "/run/x" }, NULL },
	{ { .url = "http://127.0.0.1:3001/", .connect_to = "::127.0.0.2:1" },
	    NULL },
	{ { .url = "http://127.1:3001/" }, NULL },
	{ { .url = "http://127.0.0.1:x/" }, NULL },
	{ { .url = "http://127.0.0.1:65536/" }, NULL },
	{ { .url = "http://[::1]x:80/" }, NULL },
	{ { .url = "http://[::1/" }, NULL },
	{ { .url = "http://[::1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18]/" },
	    NULL },
	{ { .url = "http:///" }, NULL },
};

START_TEST(plain_addresses_are_reached_directly)
{
	const struct endpoint *e =
	    links_endpoint(links, &origins[_i].origin, &group);

	ck_assert_ptr_eq(e, links_endpoint(links, &origins[_i].origin, &group));
	if (origins[_i].name)
		ck_assert(str_eq(endpoint_name(e), str_of(origins[_i].name)));
	else
		ck_assert_ptr_null(e);
}
END_TEST

START_TEST(origins_of_a_group_share_the_connections_to_an_address)
{
	static const struct client_origin a = { .url = "http://127.0.0.1:1/" },
					  b = { .url = "http://127.0.0.1:2/" },
					  c = { .url = "http://127.0.0.1:1/" };
	const struct endpoint *e = links_endpoint(links, &a, &group);

	ck_assert_ptr_eq(links_endpoint(links, &c, &group), e);
	ck_assert_ptr_ne(links_endpoint(links, &b, &group), e);
	ck_assert_ptr_ne(links_endpoint(links, &c, &other_group), e);
}
END_TEST

/* A connection with both its ends. */
static struct link *
open_one(int *theirs)
{
	struct client_origin origin = { .url = url };
	bool no_socket;
	struct link *link =
	    links_open(links_endpoint(links, &origin, &group), &no_socket);

	ck_assert_ptr_nonnull(link);
	ck_assert(!no_socket);
	*theirs = accept(listener, NULL, NULL);
	ck_assert_int_ge(*theirs, 0);
	ck_assert_int_eq(link_watch(link, EPOLLOUT), ERR_OK);
	loop_run(loop);
	ck_assert_int_eq(link_watch(link, EPOLLIN), ERR_OK);
	return link;
}

static bool
is_closed(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

START_TEST(the_latest_is_taken_first_and_the_oldest_is_closed)
{
	struct link *all[MOST + 1];
	int theirs[MOST + 1];

	for (int i = 0; i <= MOST; i++)
		all[i] = open_one(&theirs[i]);
	for (int i = 0; i <= MOST; i++)
		link_keep(all[i]);
	ck_assert(is_closed(theirs[0]));
	for (int i = MOST; i > 0; i--) {
		ck_assert(!is_closed(theirs[i]));
		ck_assert_ptr_eq(links_take(all[i]->to), all[i]);
		ck_assert(all[i]->was_kept);
	}
	ck_assert_ptr_null(links_take(all[1]->to));
	for (int i = 1; i <= MOST; i++)
		link_close(all[i]);
	for (int i = 0; i <= MOST; i++)
		ck_assert_int_eq(close(theirs[i]), 0);
}
END_TEST

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

START_TEST(what_happens_to_a_kept_connection_ends_it)
{
	for (int i = 0; i < 4; i++) {
		int theirs;
		struct link *link = open_one(&theirs);
		struct endpoint *to = link->to;

		link_keep(link);
		if (i % 2)
			ck_assert_int_eq(send(theirs, "x", 1, 0), 1);
		else
			ck_assert_int_eq(shutdown(theirs, SHUT_WR), 0);
		if (i < 2) { /* the loop sees it first */
			struct timer timer = { 0 };
			timer_set(loop, &timer, 1, stop, NULL);
			loop_run(loop);
			ck_assert(is_closed(theirs));
		}
		ck_assert_ptr_null(links_take(to));
		ck_assert(is_closed(theirs));
		ck_assert_int_eq(close(theirs), 0);
	}
}
END_TEST

static void
stop_at_idle(void *arg, enum socket_event event)
{
	on_group(arg, event);
	if (event == SOCKET_CLOSED)
		loop_stop(loop);
}

START_TEST(a_connection_is_kept_no_longer_than_told)
{
	int theirs, later;
	struct link *link = open_one(&theirs), *second = open_one(&later);

	group.idle_ns = NS_PER_MS;
	group.event = stop_at_idle;
	link_keep(link);
	ck_assert_uint_eq(group.resting, 1);
	loop_run(loop);
	ck_assert(is_closed(theirs));
	ck_assert_uint_eq(seen[SOCKET_IDLED], 1);
	ck_assert_uint_eq(group.resting, 0);
	ck_assert_uint_eq(group.open, 1);
	group.idle_ns = 0;
	link_keep(second);
	ck_assert_ptr_eq(links_take(second->to), second);
	link_close(second);
	ck_assert_int_eq(close(theirs), 0);
	ck_assert_int_eq(close(later), 0);
}
END_TEST

START_TEST(a_connection_serves_no_more_than_told)
{
	int theirs;
	struct link *link = open_one(&theirs);
	struct endpoint *to = link->to;

	group.uses = 2;
	link_keep(link);
	ck_assert_ptr_eq(links_take(to), link);
	link_return(link);
	ck_assert_ptr_eq(links_take(to), link);
	link_keep(link);
	ck_assert_ptr_null(links_take(to));
	ck_assert(is_closed(theirs));
	ck_assert_uint_eq(seen[SOCKET_OPENED], 1);
	ck_assert_uint_eq(seen[SOCKET_RESTS], 2);
	ck_assert_uint_eq(seen[SOCKET_SERVED_ENOUGH], 1);
	ck_assert_uint_eq(seen[SOCKET_CLOSED], 1);
	ck_assert_uint_eq(group.open, 0);
	ck_assert_uint_eq(group.resting, 0);
	ck_assert_int_eq(close(theirs), 0);
}
END_TEST

START_TEST(an_old_connection_is_not_used_again)
{
	int theirs;
	struct link *link = open_one(&theirs);
	struct endpoint *to = link->to;

	group.age_ns = NS_PER_S;
	clock_set(clock_boot_ns() + NS_PER_S, clock_wall_ns());
	link_keep(link);
	ck_assert_ptr_null(links_take(to));
	ck_assert(is_closed(theirs));
	ck_assert_int_eq(close(theirs), 0);
}
END_TEST

START_TEST(a_connection_grows_old_while_it_is_kept)
{
	int theirs;
	struct link *link = open_one(&theirs);

	group.age_ns = NS_PER_MS;
	group.idle_ns = 3600 * NS_PER_S;
	group.event = stop_at_idle;
	link_keep(link);
	loop_run(loop);
	ck_assert(is_closed(theirs));
	ck_assert_uint_eq(seen[SOCKET_IDLED], 0);
	ck_assert_uint_eq(group.open, 0);
	ck_assert_int_eq(close(theirs), 0);
}
END_TEST

START_TEST(a_connection_knows_its_own_address)
{
	int theirs;
	struct link *link = open_one(&theirs);
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	link_note_connected(link);
	ck_assert_int_eq(getpeername(theirs, (void *)&at, &len), 0);
	ck_assert_str_eq(link->local_ip, "127.0.0.1");
	ck_assert_int_eq(link->local_port, ntohs(at.sin_port));
	link_close(link);
	ck_assert_int_eq(close(theirs), 0);
}
END_TEST

START_TEST(what_fails_at_once_is_told_apart)
{
	struct client_origin origin = { .url = "http://localhost/",
		.unix_path = "/nonexistent/socket" };
	bool no_socket;

	ck_assert_ptr_null(
	    links_open(links_endpoint(links, &origin, &group), &no_socket));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert(!no_socket);
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_upstream_links(void);

Suite *
suite_upstream_links(void)
{
	Suite *s = suite_create("upstream/links");
	TCase *t = tcase_create("connections");

	tcase_add_checked_fixture(t, begin, finish);
	TABLE_TEST(t, origins, plain_addresses_are_reached_directly);
	tcase_add_test(
	    t, origins_of_a_group_share_the_connections_to_an_address);
	tcase_add_test(t, the_latest_is_taken_first_and_the_oldest_is_closed);
	tcase_add_test(t, what_happens_to_a_kept_connection_ends_it);
	tcase_add_test(t, a_connection_is_kept_no_longer_than_told);
	tcase_add_test(t, a_connection_serves_no_more_than_told);
	tcase_add_test(t, an_old_connection_is_not_used_again);
	tcase_add_test(t, a_connection_grows_old_while_it_is_kept);
	tcase_add_test(t, a_connection_knows_its_own_address);
	tcase_add_test(t, what_fails_at_once_is_told_apart);
	suite_add_tcase(s, t);
	return s;
}
