#include "config.h"

#include <sys/socket.h>

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "front/connection.h"
#include "front/fastcgi.h"
#include "tests/unit/front/fake_chain.h"

enum { ID = 1, GOT_MAX = 4 * 1024 * 1024 };

static struct loop *loop;
static struct front front;
static struct connections *connections;
static struct task stop_task;
static struct buf input, got;
static int peer; /* the web server's end; -1: closed */
static bool is_closed; /* the gateway has closed its end */
static int64_t now_ns;

static void
set_up(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	ck_assert_int_eq(sigaction(SIGPIPE, &ignore, NULL), 0);
	now_ns = 1000 * NS_PER_S;
	clock_set(now_ns, now_ns);
	fake_chain_reset();
	loop = loop_new();
	front = (struct front){ .loop = loop, .gateway = fake_chain_gateway() };
	connections = connections_new(&front);
	ck_assert_ptr_nonnull(connections);
	buf_init(&input, GOT_MAX);
	buf_init(&got, GOT_MAX);
	is_closed = false;
}

static void
hang_up(void)
{
	if (peer >= 0)
		ck_assert_int_eq(close(peer), 0);
	peer = -1;
}

static void
tear_down(void)
{
	hang_up();
	connections_free(connections);
	loop_free(loop);
	buf_free(&input);
	buf_free(&got);
}

static void
stop_loop(void *arg)
{
	loop_stop(arg);
}

/* ---- the web server's side ---- */

static void
read_answer(void)
{
	char *at;
	ssize_t n;

	do {
		ck_assert_int_eq(buf_reserve(&got, 65536, &at), ERR_OK);
		n = recv(peer, at, 65536, MSG_DONTWAIT);
		if (n > 0)
			buf_commit(&got, (size_t)n);
	} while (n > 0);
	is_closed |= n == 0 || (n < 0 && errno != EAGAIN);
}

/* Sends what is left of the input. */
static void
send_input(void)
{
	struct str bytes = buf_bytes(&input);
	ssize_t n =
	    bytes.len ? send(peer, bytes.ptr, bytes.len, MSG_DONTWAIT) : 0;

	if (n > 0)
		buf_consume(&input, (size_t)n);
}

static void
turn(void)
{
	task_defer(loop, &stop_task, stop_loop, loop);
	loop_run(loop);
}

/* Until nothing moves any more. */
static void
settle(void)
{
	for (size_t still = 0, before = SIZE_MAX; still < 8;) {
		if (peer >= 0)
			send_input();
		turn();
		if (peer >= 0)
			read_answer();
		still =
		    before == buf_len(&got) + buf_len(&input) ? still + 1 : 0;
		before = buf_len(&got) + buf_len(&input);
	}
}

static void
pass_seconds(int n)
{
	for (int i = 0; i < n; i++) {
		now_ns += NS_PER_S;
		clock_set(now_ns, now_ns);
		turn();
	}
	settle();
}

static void
put(enum fastcgi_type type, struct str content)
{
	unsigned char h[8];

	fastcgi_header(h, type, ID, content.len);
	ck_assert_int_eq(
	    buf_append(&input, (struct str){ (char *)h, 8 }), ERR_OK);
	ck_assert_int_eq(buf_append(&input, content), ERR_OK);
}

static void
put_param(struct buf *b, const char *name, const char *value)
{
	ck_assert_int_eq(buf_printf(b, "%c%c%s%s", (int)strlen(name),
			     (int)strlen(value), name, value),
	    ERR_OK);
}

/* Parameters; length NULL leaves CONTENT_LENGTH out. */
static struct buf
make_params(const char *method, const char *uri, const char *length)
{
	struct buf b;

	buf_init(&b, 4096);
	put_param(&b, "REQUEST_METHOD", method);
	put_param(&b, "REQUEST_URI", uri);
	put_param(&b, "HTTP_HOST", "h");
	if (length)
		put_param(&b, "CONTENT_LENGTH", length);
	return b;
}

enum keep { CLOSE, KEEP };

static void
put_head(
    enum keep keep, const char *method, const char *uri, const char *length)
{
	struct buf params = make_params(method, uri, length);

	put(FASTCGI_BEGIN_REQUEST,
	    keep == KEEP ? STR("\0\1\1\0\0\0\0\0") : STR("\0\1\0\0\0\0\0\0"));
	put(FASTCGI_PARAMS, buf_bytes(&params));
	put(FASTCGI_PARAMS, STR(""));
	buf_free(&params);
}

static void
put_body(size_t len)
{
	static char bytes[32768];

	memset(bytes, 'b', sizeof(bytes));
	for (size_t n; len; len -= n) {
		n = len < sizeof(bytes) ? len : sizeof(bytes);
		put(FASTCGI_STDIN, (struct str){ bytes, n });
	}
}

static void
put_body_end(void)
{
	put(FASTCGI_STDIN, STR(""));
}

static void
put_get(enum keep keep, const char *uri)
{
	put_head(keep, "GET", uri, "");
	put_body_end();
}

/* Connects; what is in input is there when the gateway accepts. */
static void
open_connection(void)
{
	int fds[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	peer = fds[0];
	send_input();
	connections_add(connections, fds[1]);
	settle();
}

static struct str
fill(size_t len)
{
	static char bytes[EXCHANGE_BODY_WINDOW];

	memset(bytes, 'd', sizeof(bytes));
	return (struct str){ bytes, len };
}

/* ---- what came ---- */

enum ending { NOT_ENDED, ENDED, CUT };

/* Content of STDOUT of the first answer in got, which is consumed. */
static struct buf
take_answer(enum ending *ending)
{
	const unsigned char *h;
	struct buf all;
	size_t len;

	buf_init(&all, GOT_MAX);
	for (*ending = NOT_ENDED; *ending == NOT_ENDED && buf_len(&got) >= 8;) {
		h = (const unsigned char *)buf_bytes(&got).ptr;
		len = (size_t)(h[4] << 8 | h[5]);
		if (h[0] == 1 && buf_len(&got) < 8 + len)
			break;
		if (h[0] != 1)
			*ending = CUT;
		else if (h[1] == FASTCGI_END_REQUEST)
			*ending = ENDED;
		else
			ck_assert_int_eq(
			    buf_append(
				&all, str_slice(buf_bytes(&got), 8, 8 + len)),
			    ERR_OK);
		buf_consume(&got, 8 + len);
	}
	return all;
}

static void
expect_answer(const char *text)
{
	enum ending ending;
	struct buf answer = take_answer(&ending);

	ck_assert_msg(str_eq(buf_bytes(&answer), str_of(text)),
	    "\"" STR_FMT "\", not \"%s\"", STR_ARG(buf_bytes(&answer)), text);
	ck_assert_int_eq(ending, ENDED);
	buf_free(&answer);
}

static void
answer_hello(void)
{
	fake_chain_respond(200, 5);
	fake_chain_body(STR("hello"));
	fake_chain_body_end();
	settle();
}

#define HELLO "Status: 200 OK\r\ncontent-length: 5\r\n\r\nhello"

/* ---- requests ---- */

START_TEST(a_request_is_answered_and_the_connection_closed)
{
	put_get(CLOSE, "/a");
	open_connection();
	ck_assert_uint_eq(fake_chain.started, 1);
	ck_assert_int_eq(fake_chain.x->upload_len, 0);
	ck_assert(fake_chain.x->upload_end);
	answer_hello();
	expect_answer(HELLO);
	ck_assert(is_closed);
	ck_assert_uint_eq(fake_chain.logged, 1);
	ck_assert_uint_eq(fake_chain.flags, 0);
	ck_assert_uint_eq(fake_chain.bytes_sent, 5);
	ck_assert_uint_eq(connections_count(connections), 0);
}
END_TEST

START_TEST(a_kept_connection_serves_one_request_after_the_other)
{
	put_get(KEEP, "/1");
	open_connection();
	for (int i = 0; i < 5; i++) {
		answer_hello();
		expect_answer(HELLO);
		ck_assert(!is_closed);
		pass_seconds(100);
		put_get(KEEP, "/2");
		settle();
		ck_assert_uint_eq(fake_chain.started, (unsigned)i + 2);
	}
}
END_TEST

START_TEST(requests_sent_ahead_wait_for_their_turn)
{
	for (int i = 0; i < 3; i++)
		put_get(KEEP, "/x");
	open_connection();
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_uint_eq(fake_chain.started, i);
		answer_hello();
		expect_answer(HELLO);
	}
	ck_assert_uint_eq(buf_len(&got), 0);
}
END_TEST

START_TEST(bytes_that_come_one_by_one_make_a_request)
{
	put_head(CLOSE, "POST", "/x", "3");
	put_body(3);
	put_body_end();
	peer = -1;
	{
		struct buf all = input;
		int fds[2];

		buf_init(&input, 1000);
		ck_assert_int_eq(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
		    0);
		peer = fds[0];
		connections_add(connections, fds[1]);
		for (; buf_len(&all); buf_consume(&all, 1)) {
			ck_assert_int_eq(
			    send(peer, buf_bytes(&all).ptr, 1, 0), 1);
			turn();
		}
		buf_free(&all);
	}
	settle();
	ck_assert_uint_eq(fake_chain.started, 1);
	ck_assert(str_eq(buf_bytes(&fake_chain.x->upload), STR("bbb")));
	answer_hello();
	expect_answer(HELLO);
	ck_assert(is_closed);
}
END_TEST

static const struct {
	const char *length;
	size_t body;
	int64_t upload_len;
} bodies[] = {
	{ NULL, 0, 0 },
	{ "", 0, 0 },
	{ "-1", 10, 10 },
	{ NULL, 10, 10 },
	{ "10", 10, 10 },
	{ "7", 10, 7 }, /* the rest is nobody's */
	{ "0", 10, 0 },
};

START_TEST(a_body_that_is_there_gives_its_length)
{
	put_head(CLOSE, "POST", "/x", bodies[_i].length);
	put_body(bodies[_i].body);
	put_body_end();
	open_connection();
	ck_assert_uint_eq(fake_chain.started, 1);
	ck_assert_int_eq(fake_chain.x->upload_len, bodies[_i].upload_len);
	ck_assert(fake_chain.x->upload_end);
	ck_assert_uint_eq(
	    buf_len(&fake_chain.x->upload), (size_t)bodies[_i].upload_len);
	answer_hello();
	expect_answer(HELLO);
}
END_TEST

START_TEST(a_body_of_unknown_length_is_waited_for_a_moment)
{
	put_head(CLOSE, "POST", "/x", NULL);
	open_connection();
	ck_assert_uint_eq(fake_chain.started, 0);
	pass_seconds(2);
	ck_assert_uint_eq(fake_chain.started, 1);
	ck_assert_int_eq(fake_chain.x->upload_len, -1);
	put_body(9);
	put_body_end();
	settle();
	ck_assert(fake_chain.x->upload_end);
	ck_assert_uint_gt(fake_chain.resumed, 0);
}
END_TEST

START_TEST(the_body_stays_in_the_socket_while_the_backend_takes_none)
{
	put_head(CLOSE, "POST", "/x", "3000000");
	put_body(3000000);
	open_connection();
	ck_assert_uint_gt(
	    buf_len(&fake_chain.x->upload), EXCHANGE_BODY_WINDOW / 2);
	ck_assert_uint_gt(buf_len(&input), 2000000);
	fake_chain.swallows = true;
	router_resume(fake_chain.x);
	settle();
	ck_assert_uint_eq(buf_len(&input), 0);
	ck_assert(fake_chain.x->upload_end);
	answer_hello();
	ck_assert_uint_eq(fake_chain.bytes_received, 3000000);
}
END_TEST

START_TEST(a_large_answer_arrives_whole)
{
	size_t total = 0;
	enum ending ending;
	struct buf answer;

	put_get(CLOSE, "/big");
	open_connection();
	fake_chain_respond(200, 2000000);
	for (; total < 2000000; total += 50000) {
		fake_chain_body(fill(50000));
		settle();
	}
	fake_chain_body_end();
	settle();
	answer = take_answer(&ending);
	ck_assert_int_eq(ending, ENDED);
	ck_assert_uint_gt(buf_len(&answer), 2000000);
	ck_assert_uint_eq(fake_chain.bytes_sent, 2000000);
	buf_free(&answer);
}
END_TEST

START_TEST(a_head_request_gets_no_body_and_keeps_its_length)
{
	put_head(CLOSE, "HEAD", "/x", "");
	put_body_end();
	open_connection();
	fake_chain_respond(200, 77);
	fake_chain_body_end();
	settle();
	expect_answer("Status: 200 OK\r\ncontent-length: 77\r\n\r\n");
}
END_TEST

/* ---- answers while the body is on its way ---- */

START_TEST(a_small_answer_goes_at_once_and_the_body_is_drained)
{
	put_head(KEEP, "POST", "/x", "1000000");
	put_body(100000);
	open_connection();
	answer_hello();
	expect_answer(HELLO);
	ck_assert_uint_eq(fake_chain.logged, 1);
	put_body(900000);
	put_body_end();
	settle();
	ck_assert_uint_eq(buf_len(&input), 0);
	put_get(KEEP, "/next");
	settle();
	ck_assert_uint_eq(fake_chain.started, 2);
}
END_TEST

START_TEST(a_body_that_never_ends_is_drained_for_a_limited_time)
{
	put_head(CLOSE, "POST", "/x", "1000000");
	open_connection();
	answer_hello();
	pass_seconds(29);
	ck_assert(!is_closed);
	pass_seconds(3);
	ck_assert(is_closed);
}
END_TEST

START_TEST(an_answer_of_unknown_length_waits_while_the_body_moves)
{
	fake_chain.swallows = true;
	put_head(CLOSE, "POST", "/x", "100000");
	open_connection();
	fake_chain_respond(200, -1);
	fake_chain_body(STR("first"));
	for (int i = 0; i < 5; i++) {
		put_body(1000);
		settle();
		pass_seconds(1);
		ck_assert_uint_eq(buf_len(&got), 0);
	}
	pass_seconds(2);
	ck_assert_uint_gt(buf_len(&got), 0);
}
END_TEST

START_TEST(a_large_answer_waits_for_the_end_of_the_body)
{
	fake_chain.swallows = true;
	put_head(CLOSE, "POST", "/x", "100000");
	put_body(50000);
	open_connection();
	fake_chain_respond(200, 500000);
	fake_chain_body(fill(60000));
	pass_seconds(5);
	ck_assert_uint_eq(buf_len(&got), 0);
	put_body(50000);
	put_body_end();
	settle();
	ck_assert_uint_gt(buf_len(&got), 60000);
}
END_TEST

START_TEST(a_large_answer_that_is_complete_goes_after_the_drained_body)
{
	put_head(CLOSE, "POST", "/x", "1000000");
	put_body(500000);
	open_connection();
	fake_chain_respond(413, 60000);
	fake_chain_body(fill(60000));
	fake_chain_body_end();
	settle();
	ck_assert_uint_eq(buf_len(&got), 0);
	ck_assert_uint_eq(buf_len(&input), 0);
	put_body(500000);
	put_body_end();
	settle();
	ck_assert_uint_gt(buf_len(&got), 60000);
	ck_assert(is_closed);
}
END_TEST

START_TEST(an_echo_goes_both_ways_at_once)
{
	enum ending ending;
	struct buf answer;

	fake_chain.echoes = true;
	put_head(CLOSE, "POST", "/x", "2000000");
	put_body(2000000);
	put_body_end();
	open_connection();
	pass_seconds(3);
	answer = take_answer(&ending);
	ck_assert_int_eq(ending, ENDED);
	ck_assert_uint_eq(fake_chain.bytes_sent, 2000000);
	buf_free(&answer);
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(a_broken_answer_ends_visibly)
{
	enum ending ending;
	struct buf answer;

	put_get(KEEP, "/x");
	open_connection();
	fake_chain_respond(200, -1);
	fake_chain_body(fill(100));
	settle();
	exchange_cut(fake_chain.x);
	settle();
	/* The web server may not have begun to send the answer on. */
	ck_assert(!is_closed);
	now_ns += 100 * NS_PER_MS;
	clock_set(now_ns, now_ns);
	settle();
	answer = take_answer(&ending);
	ck_assert_int_eq(ending, CUT);
	ck_assert(is_closed);
	ck_assert_uint_eq(fake_chain.logged, 1);
	buf_free(&answer);
}
END_TEST

static const int watched_after_ms[] = { 0, 100 };

START_TEST(a_web_server_that_hangs_up_is_noticed)
{
	put_get(_i ? KEEP : CLOSE, "/x");
	open_connection();
	now_ns += watched_after_ms[1] * NS_PER_MS;
	clock_set(now_ns, now_ns);
	settle();
	hang_up();
	settle();
	ck_assert_uint_eq(fake_chain.logged, 1);
	ck_assert_uint_eq(fake_chain.flags, FLAG_DC);
	ck_assert_str_eq(fake_chain.details, "downstream_remote_disconnect");
	ck_assert_uint_eq(connections_count(connections), 0);
}
END_TEST

START_TEST(a_body_that_breaks_off_is_no_whole_body)
{
	put_head(CLOSE, "POST", "/x", "100");
	put_body(60);
	open_connection();
	if (_i == 0)
		hang_up();
	else
		put_body_end();
	settle();
	ck_assert_uint_eq(fake_chain.logged, 1);
	ck_assert_uint_eq(fake_chain.flags, FLAG_DC);
	ck_assert_uint_eq(connections_count(connections), 0);
}
END_TEST

START_TEST(parameters_that_break_off_are_not_served)
{
	put(FASTCGI_BEGIN_REQUEST, STR("\0\1\0\0\0\0\0\0"));
	put(FASTCGI_PARAMS, STR("\16\3REQUEST_METHODGET\13\2REQUEST_URI/x"));
	open_connection();
	hang_up();
	settle();
	ck_assert_uint_eq(fake_chain.started, 0);
	ck_assert_uint_eq(fake_chain.logged, 0);
	ck_assert_uint_eq(connections_count(connections), 0);
}
END_TEST

START_TEST(parameters_that_stall_are_dropped)
{
	put(FASTCGI_BEGIN_REQUEST, STR("\0\1\1\0\0\0\0\0"));
	put(FASTCGI_PARAMS, STR("\1"));
	open_connection();
	pass_seconds(28);
	ck_assert(!is_closed);
	pass_seconds(3);
	ck_assert(is_closed);
	ck_assert_uint_eq(fake_chain.started, 0);
}
END_TEST

START_TEST(a_silent_connection_is_closed)
{
	open_connection();
	pass_seconds(28);
	ck_assert(!is_closed);
	pass_seconds(3);
	ck_assert(is_closed);
}
END_TEST

START_TEST(an_abort_ends_the_request)
{
	put_get(KEEP, "/x");
	open_connection();
	put(FASTCGI_ABORT_REQUEST, STR(""));
	settle();
	ck_assert_uint_eq(fake_chain.logged, 1);
	ck_assert_uint_eq(fake_chain.flags, FLAG_DC);
	ck_assert(is_closed);
}
END_TEST

START_TEST(a_malformed_request_is_answered_after_its_body)
{
	put_head(KEEP, "TRACE", "/x", "60000");
	put_body(60000);
	put_body_end();
	open_connection();
	expect_answer("Status: 405 Method Not Allowed\r\n"
		      "content-length: 18\r\n\r\nMethod Not Allowed");
	ck_assert_uint_eq(fake_chain.started, 0);
	ck_assert_uint_eq(fake_chain.logged, 1);
	ck_assert_str_eq(fake_chain.path, "/x");
	put_get(KEEP, "/y");
	settle();
	ck_assert_uint_eq(fake_chain.started, 1);
}
END_TEST

START_TEST(too_many_parameters_are_answered_with_431)
{
	put(FASTCGI_BEGIN_REQUEST, STR("\0\1\0\0\0\0\0\0"));
	for (int i = 0; i < 5; i++)
		put(FASTCGI_PARAMS, fill(40000));
	put(FASTCGI_PARAMS, STR(""));
	put_body_end();
	open_connection();
	ck_assert_uint_eq(fake_chain.status, 431);
	ck_assert(is_closed);
}
END_TEST

START_TEST(silence_ends_a_request)
{
	put_get(CLOSE, "/x");
	open_connection();
	pass_seconds(298);
	ck_assert_uint_eq(fake_chain.logged, 0);
	pass_seconds(4);
	ck_assert_uint_eq(fake_chain.status, 504);
	ck_assert_str_eq(fake_chain.details, "stream_idle_timeout");
	ck_assert(is_closed);
}
END_TEST

/* ---- the end ---- */

static bool is_empty;

static void
note_empty(void *arg)
{
	(void)arg;
	is_empty = true;
}

START_TEST(draining_lets_requests_finish_and_closes_idle_connections)
{
	is_empty = false;
	put_get(KEEP, "/x");
	open_connection();
	connections_drain(connections, note_empty, NULL);
	settle();
	ck_assert(!is_empty);
	answer_hello();
	expect_answer(HELLO);
	ck_assert(is_closed);
	ck_assert(is_empty);
}
END_TEST

START_TEST(draining_closes_a_connection_between_requests)
{
	is_empty = false;
	put_get(KEEP, "/x");
	open_connection();
	answer_hello();
	connections_drain(connections, note_empty, NULL);
	settle();
	ck_assert(is_closed);
	ck_assert(is_empty);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *suite_front_connection(void);

Suite *
suite_front_connection(void)
{
	Suite *s = suite_create("front/connection");
	TCase *t = tcase_create("requests");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_request_is_answered_and_the_connection_closed);
	tcase_add_test(t, a_kept_connection_serves_one_request_after_the_other);
	tcase_add_test(t, requests_sent_ahead_wait_for_their_turn);
	tcase_add_test(t, bytes_that_come_one_by_one_make_a_request);
	tcase_add_loop_test(
	    t, a_body_that_is_there_gives_its_length, 0, N(bodies));
	tcase_add_test(t, a_body_of_unknown_length_is_waited_for_a_moment);
	tcase_add_test(
	    t, the_body_stays_in_the_socket_while_the_backend_takes_none);
	tcase_add_test(t, a_large_answer_arrives_whole);
	tcase_add_test(t, a_head_request_gets_no_body_and_keeps_its_length);
	suite_add_tcase(s, t);
	t = tcase_create("both ways");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_small_answer_goes_at_once_and_the_body_is_drained);
	tcase_add_test(t, a_body_that_never_ends_is_drained_for_a_limited_time);
	tcase_add_test(
	    t, an_answer_of_unknown_length_waits_while_the_body_moves);
	tcase_add_test(t, a_large_answer_waits_for_the_end_of_the_body);
	tcase_add_test(
	    t, a_large_answer_that_is_complete_goes_after_the_drained_body);
	tcase_add_test(t, an_echo_goes_both_ways_at_once);
	suite_add_tcase(s, t);
	t = tcase_create("faults");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_broken_answer_ends_visibly);
	tcase_add_loop_test(t, a_web_server_that_hangs_up_is_noticed, 0, 2);
	tcase_add_loop_test(t, a_body_that_breaks_off_is_no_whole_body, 0, 2);
	tcase_add_test(t, parameters_that_break_off_are_not_served);
	tcase_add_test(t, parameters_that_stall_are_dropped);
	tcase_add_test(t, a_silent_connection_is_closed);
	tcase_add_test(t, an_abort_ends_the_request);
	tcase_add_test(t, a_malformed_request_is_answered_after_its_body);
	tcase_add_test(t, too_many_parameters_are_answered_with_431);
	tcase_add_test(t, silence_ends_a_request);
	suite_add_tcase(s, t);
	t = tcase_create("the end");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(
	    t, draining_lets_requests_finish_and_closes_idle_connections);
	tcase_add_test(t, draining_closes_a_connection_between_requests);
	suite_add_tcase(s, t);
	return s;
}
