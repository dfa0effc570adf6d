#include "config.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/upstream/authority.h"
#include "tests/unit/upstream/backend.h"
#include "upstream/client.h"

enum { PATIENCE_S = 20 };

static struct backend backend;
static struct loop *loop;
static struct client *client;
static struct arena *arena;
static struct timer deadline;

/* A call with what belongs to it. */
struct
try {
	struct client_origin origin;
	struct call_spec spec;
	struct call *call;
	struct headers request, response;
	struct buf upload, download;
	bool upload_end;
	struct task task;
	void *mine; /* the test's */
	void (*on_change)(struct try *);
};

static void
too_late(void *arg)
{
	(void)arg;
	ck_abort_msg("nothing happened for too long");
}

static void
begin(void)
{
	backend_start(&backend);
	loop = loop_new();
	client = client_new(loop, 1, NULL);
	arena = arena_new(4096);
	timer_set(loop, &deadline, PATIENCE_S * NS_PER_S, too_late, NULL);
}

static void
finish(void)
{
	timer_clear(loop, &deadline);
	client_free(client);
	loop_free(loop);
	arena_free(arena);
	backend_stop(&backend);
}

static bool
is_over(const struct try *t)
{
	return call_state(t->call) == CALL_DONE ||
	       call_state(t->call) == CALL_FAILED;
}

static void
changed(void *arg)
{
	struct try *t = arg;

	if (t->on_change)
		t->on_change(t);
	if (is_over(t))
		loop_stop(loop);
}

static struct try *
try_new(const char *method, const char *path)
{
	struct try *t = ARENA_NEW(arena, struct try);

	t->origin = (struct client_origin){ .url = backend.url,
		.unix_path = backend.path[0] ? backend.path : NULL,
		.connect_timeout_ms = 5000 };
	headers_init(&t->request, arena);
	headers_init(&t->response, arena);
	buf_init(&t->upload, 64 * 1024);
	buf_init(&t->download, 64 * 1024);
	t->upload_end = true;
	t->spec = (struct call_spec){
		.origin = &t->origin,
		.method = str_of(method),
		.target = str_of(path),
		.headers = &t->request,
		.authority = STR("backend.test"),
		.body_len = CALL_BODY_NONE,
		.upload = &t->upload,
		.upload_end = &t->upload_end,
		.download = &t->download,
		.response = &t->response,
		.changed = changed,
		.owner = t,
	};
	return t;
}

static void
try_body(struct try *t, const char *body)
{
	ck_assert_int_eq(buf_append(&t->upload, str_of(body)), ERR_OK);
	t->spec.body_len = (int64_t)strlen(body);
}

static void
try_start(struct try *t)
{
	t->call = call_start(client, &t->spec);
}

static void
try_end(struct try *t)
{
	call_end(t->call);
	task_clear(loop, &t->task);
	buf_free(&t->upload);
	buf_free(&t->download);
}

static void
try_finish(struct try *t)
{
	while (!is_over(t))
		loop_run(loop);
}

static struct try *
run(struct try *t)
{
	try_start(t);
	try_finish(t);
	return t;
}

static struct try *
get(const char *path)
{
	return run(try_new("GET", path));
}

static void
assert_text(struct str got, const char *expected)
{
	if (!str_eq(got, str_of(expected)))
		ck_abort_msg("got \"" STR_FMT "\", expected \"%s\"",
		    STR_ARG(got), expected);
}

static void
assert_done(struct try *t, const char *status, const char *body)
{
	if (call_state(t->call) != CALL_DONE)
		ck_abort_msg(STR_FMT ": %s", STR_ARG(t->spec.target),
		    call_failure_text(t->call));
	assert_text(headers_get(&t->response, STR(":status")), status);
	assert_text(buf_bytes(&t->download), body);
}

/* A GET of path on a connection kept from before or new, checked and ended. */
static void
assert_get(const char *path, const char *status, const char *body)
{
	struct try *t = get(path);

	assert_done(t, status, body);
	try_end(t);
}

static const struct {
	const char *method, *path, *status, *body;
} answers[] = {
	{ "GET", "/plain", "200", "hello" },
	{ "GET", "/empty", "200", "" },
	{ "GET", "/no-content", "204", "" },
	{ "GET", "/not-modified", "304", "" },
	{ "HEAD", "/head", "200", "" },
	{ "GET", "/chunked", "200", "hello world" },
	{ "GET", "/until-close", "200", "until close" },
	{ "GET", "/old", "200", "old" },
	{ "GET", "/early-hints", "200", "ok" },
	{ "GET", "/folded", "200", "ok" },
	{ "GET", "/status-999", "999", "" },
	{ "GET", "/no-reason", "200", "" },
	{ "GET", "/gzip", "200", "what" },
	{ "GET", "/redirect", "302", "" },
	{ "GET", "/unauthorized", "401", "" },
	{ "GET", "/excess", "200", "ok" },
	{ "GET", "/fields/99/10", "200", "" },
	{ "GET", "/fields/9/9000", "200", "" },
	{ "GET", "/fields/1/80000", "200", "" },
};

START_TEST(an_answer_comes_through_as_it_was_sent)
{
	struct try *t = run(try_new(answers[_i].method, answers[_i].path));

	assert_done(t, answers[_i].status, answers[_i].body);
	ck_assert_int_eq(call_failure(t->call), CALL_NO_FAILURE);
	assert_text(t->response.items[0].name, ":status");
	try_end(t);
	assert_get("/plain", "200", "hello");
}
END_TEST

static const struct {
	const char *path;
	enum call_failure failure;
	const char *text;
	bool after_headers;
} failures[] = {
	{ "/nothing", CALL_TERMINATED, "Empty reply", false },
	{ "/reset", CALL_TERMINATED, "reset by peer", false },
	{ "/half-head", CALL_PROTOCOL, "", false },
	{ "/garbage", CALL_PROTOCOL, "HTTP/0.9", false },
	{ "/nine", CALL_PROTOCOL, "HTTP/0.9", false },
	{ "/status-99", CALL_PROTOCOL, "", false },
	{ "/status-1000", CALL_PROTOCOL, "", false },
	{ "/status-word", CALL_PROTOCOL, "", false },
	{ "/status-glued", CALL_PROTOCOL, "status line", false },
	{ "/version-2", CALL_PROTOCOL, "", false },
	{ "/upgrade", CALL_PROTOCOL, "upgrade", false },
	{ "/no-colon", CALL_PROTOCOL, "", false },
	{ "/bare-cr", CALL_PROTOCOL, "header field", false },
	{ "/blank-name", CALL_PROTOCOL, "header field", false },
	{ "/fold-first", CALL_PROTOCOL, "", false },
	{ "/two-framings", CALL_PROTOCOL, "both content-length", false },
	{ "/two-lengths", CALL_PROTOCOL, "more than one", false },
	{ "/list-length", CALL_PROTOCOL, "not a number", false },
	{ "/negative-length", CALL_PROTOCOL, "", false },
	{ "/endless-length", CALL_PROTOCOL, "not a number", false },
	{ "/odd-coding", CALL_PROTOCOL, "not chunked", false },
	{ "/fields/100/10", CALL_RESPONSE_TOO_LARGE, "too many", false },
	{ "/fields/1000/10", CALL_RESPONSE_TOO_LARGE, "too many", false },
	{ "/fields/10/10000", CALL_RESPONSE_TOO_LARGE, "too large", false },
	{ "/fields/1/200000", CALL_RESPONSE_TOO_LARGE, "", false },
	{ "/cut-length", CALL_PROTOCOL, "remaining", true },
	{ "/reset-length", CALL_PROTOCOL, "", true },
	{ "/cut-chunked", CALL_PROTOCOL, "", true },
	{ "/bad-chunk", CALL_PROTOCOL, "chunked-encoding", true },
};

START_TEST(a_broken_answer_is_named_and_spoils_nothing_else)
{
	struct try *t = get(failures[_i].path);

	ck_assert_int_eq(call_state(t->call), CALL_FAILED);
	ck_assert_int_eq(call_failure(t->call), failures[_i].failure);
	ck_assert_ptr_nonnull(
	    strstr(call_failure_text(t->call), failures[_i].text));
	ck_assert(call_was_sent(t->call));
	if (failures[_i].after_headers)
		assert_text(headers_get(&t->response, STR(":status")), "200");
	try_end(t);
	assert_get("/plain", "200", "hello");
}
END_TEST

START_TEST(fields_keep_order_repetition_and_bytes)
{
	struct try *t = get("/plain");

	ck_assert_uint_eq(t->response.n, 4);
	assert_text(t->response.items[1].name, "content-length");
	assert_text(t->response.items[2].name, "x-a");
	assert_text(t->response.items[2].value, "1");
	assert_text(t->response.items[3].name, "x-a");
	assert_text(t->response.items[3].value, "2");
	try_end(t);
	t = get("/binary");
	assert_text(headers_get(&t->response, STR("x-b")), "\xff\x80 \xe9");
	try_end(t);
	t = get("/folded");
	assert_text(headers_get(&t->response, STR("x-f")), "a\tb  c");
	try_end(t);
	t = get("/early-hints");
	ck_assert_ptr_null(headers_get(&t->response, STR("link")).ptr);
	try_end(t);
	t = get("/chunked");
	ck_assert_ptr_null(headers_get(&t->response, STR("x-trailer")).ptr);
	try_end(t);
	t = run(try_new("HEAD", "/head"));
	assert_text(headers_get(&t->response, STR("content-length")), "1234");
	try_end(t);
}
END_TEST

START_TEST(the_request_goes_out_as_it_was_given)
{
	struct try *t = try_new("GET", "/request");

	headers_add(&t->request, STR(":method"), STR("GET"));
	headers_add(&t->request, STR("x-dup"), STR("1"));
	headers_add(&t->request, STR("x-dup"), STR("2"));
	headers_add(&t->request, STR("x-none"), STR(""));
	headers_add(&t->request, STR("x-bin"), STR("\x80\xff;, \"q\""));
	headers_add(&t->request, STR("cookie"), STR("a=b; c=d"));
	headers_add(&t->request, STR("authorization"), STR("Bearer x"));
	headers_add(&t->request, STR("host"), STR("forged"));
	headers_add(&t->request, STR("content-length"), STR("7"));
	headers_add(&t->request, STR("transfer-encoding"), STR("chunked"));
	headers_add(&t->request, STR("expect"), STR("100-continue"));
	run(t);
	assert_done(t, "200",
	    "GET /request HTTP/1.1\r\nHost: backend.test\r\n"
	    "x-dup: 1\r\nx-dup: 2\r\nx-none:\r\nx-bin: \x80\xff;, \"q\"\r\n"
	    "cookie: a=b; c=d\r\nauthorization: Bearer x\r\n\r\n");
	try_end(t);
}
END_TEST

static const struct {
	const char *method;
	int64_t body_len;
	const char *body;
	const char *wire; /* behind the Host line */
} framings[] = {
	{ "GET", CALL_BODY_NONE, "", "\r\n" },
	{ "DELETE", CALL_BODY_NONE, "", "\r\n" },
	{ "GET", 0, "", "Content-Length: 0\r\n\r\n" },
	{ "POST", CALL_BODY_NONE, "", "Content-Length: 0\r\n\r\n" },
	{ "POST", 0, "", "Content-Length: 0\r\n\r\n" },
	{ "PURGE", CALL_BODY_NONE, "", "Content-Length: 0\r\n\r\n" },
	{ "POST", 3, "abc", "Content-Length: 3\r\n\r\nabc" },
	{ "PUT", 3, "abc", "Content-Length: 3\r\n\r\nabc" },
	{ "GET", 3, "abc", "Content-Length: 3\r\n\r\nabc" },
	{ "DELETE", 3, "abc", "Content-Length: 3\r\n\r\nabc" },
	{ "PATCH", CALL_BODY_UNKNOWN, "abc",
	    "Transfer-Encoding: chunked\r\naccept: */*\r\n\r\n3\r\nabc\r\n0\r\n\r\n" },
	{ "POST", CALL_BODY_UNKNOWN, "",
	    "Transfer-Encoding: chunked\r\naccept: */*\r\n\r\n0\r\n\r\n" },
};

static void
assert_framed(int i, bool streamed)
{
	struct try *t = try_new(framings[i].method, "/request");
	struct str expected;

	t->upload_end = !streamed;
	if (!streamed)
		try_body(t, framings[i].body);
	t->spec.body_len = framings[i].body_len;
	headers_add(&t->request, STR("accept"), STR("*/*"));
	expected = arena_printf(arena,
	    "%s /request HTTP/1.1\r\nHost: backend.test\r\n",
	    framings[i].method);
	try_start(t);
	if (streamed) {
		try_body(t, framings[i].body);
		t->upload_end = true;
		call_resume(t->call);
	}
	try_finish(t);
	ck_assert_int_eq(call_state(t->call), CALL_DONE);
	assert_text(
	    str_slice(buf_bytes(&t->download), 0, expected.len), expected.ptr);
	ck_assert(str_ends(buf_bytes(&t->download), str_of(framings[i].wire)));
	try_end(t);
}

START_TEST(a_body_is_framed_by_what_is_known_of_it)
{
	struct try *t;

	assert_framed(_i, false);
	assert_framed(_i, true);
	/* The handle does not remember the shape of the request before. */
	t = run(try_new("HEAD", "/head"));
	assert_done(t, "200", "");
	try_end(t);
	assert_framed(_i, false);
	t = try_new("GET", "/request");
	headers_add(&t->request, STR("accept"), STR("*/*"));
	run(t);
	assert_done(t, "200",
	    "GET /request HTTP/1.1\r\nHost: backend.test\r\naccept: */*\r\n"
	    "\r\n");
	try_end(t);
}
END_TEST

START_TEST(a_head_request_may_carry_a_body)
{
	struct try *t = try_new("HEAD", "/head");

	try_body(t, "abc");
	run(t);
	assert_done(t, "200", "");
	try_end(t);
	assert_get("/plain", "200", "hello");
}
END_TEST

static const char *const unsound[][3] = {
	{ "GET\r\nx: y", "/", "v" },
	{ "GET /", "/", "v" },
	{ "", "/", "v" },
	{ "GET", "", "v" },
	{ "GET", "/a b", "v" },
	{ "GET", "/a\r\nx: y", "v" },
	{ "GET", "/", "v\r\nx: y" },
	{ "GET", "/", "v\ny" },
};

START_TEST(what_would_break_the_request_is_not_sent)
{
	struct try *t = try_new(unsound[_i][0], unsound[_i][1]);

	headers_add(&t->request, STR("x"), str_of(unsound[_i][2]));
	run(t);
	ck_assert_int_eq(call_failure(t->call), CALL_LOCAL);
	ck_assert(!call_was_sent(t->call));
	ck_assert_uint_eq(backend.seen->connections, 0);
	try_end(t);
}
END_TEST

static const char *const targets[] = {
	"/request?/../a//b/./%2e%2E/c?x=/../y",
	"/request?%zz{}|\\^\"<>#frag",
	"/request?\xc3\xa4",
	"/../request//./%2e%2e/",
	"*",
	"http://other.test/request",
};

START_TEST(a_target_is_not_touched)
{
	struct try *t = run(try_new("OPTIONS", targets[_i]));
	struct str line =
	    arena_printf(arena, "OPTIONS %s HTTP/1.1\r\n", targets[_i]);

	ck_assert_int_eq(call_state(t->call), CALL_DONE);
	assert_text(str_slice(buf_bytes(&t->download), 0, line.len), line.ptr);
	try_end(t);
}
END_TEST

START_TEST(one_connection_serves_one_request_after_the_other)
{
	for (int i = 0; i < 50; i++) {
		assert_get("/plain", "200", "hello");
		assert_get("/chunked", "200", "hello world");
		assert_get("/redirect", "302", "");
	}
	ck_assert_uint_eq(backend.seen->connections, 1);
	ck_assert_uint_eq(backend.seen->requests, 150);
}
END_TEST

START_TEST(a_connection_closed_between_requests_is_replaced)
{
	struct try *t;

	for (int i = 0; i < 10; i++) {
		assert_get("/quiet-close", "200", "ok");
		while (backend.seen->closed <= (unsigned)i)
			(void)sched_yield();
		t = try_new("POST", "/echo");
		try_body(t, "once");
		run(t);
		assert_done(t, "200", "once");
		try_end(t);
	}
	ck_assert_uint_eq(backend.seen->requests, 20);
}
END_TEST

START_TEST(bytes_nobody_asked_for_answer_nothing)
{
	for (int i = 0; i < 20; i++) {
		assert_get("/excess", "200", "ok");
		assert_get("/plain", "200", "hello");
	}
}
END_TEST

START_TEST(a_body_where_none_belongs_spoils_the_connection_only)
{
	struct try *t;

	for (int i = 0; i < 20; i++) {
		t = run(try_new("HEAD", "/big"));
		assert_done(t, "200", "");
		try_end(t);
		t = try_new("POST", "/echo");
		try_body(t, "mine");
		run(t);
		assert_done(t, "200", "mine");
		try_end(t);
	}
}
END_TEST

START_TEST(what_may_have_been_done_is_not_sent_twice)
{
	static const int64_t lengths[] = { CALL_BODY_NONE, 4, CALL_BODY_UNKNOWN,
		CALL_BODY_NONE };
	static const char *const methods[] = { "POST", "POST", "PUT", "GET" };
	struct try *t;

	assert_get("/drop-unless-first", "200", "first");
	t = try_new(methods[_i], "/drop-unless-first");
	if (lengths[_i] != CALL_BODY_NONE)
		try_body(t, "body");
	t->spec.body_len = lengths[_i];
	run(t);
	ck_assert_int_eq(call_state(t->call), CALL_FAILED);
	ck_assert_int_eq(call_failure(t->call), CALL_TERMINATED);
	ck_assert(call_was_sent(t->call));
	try_end(t);
	ck_assert_uint_eq(backend.seen->requests, 2);
}
END_TEST

static void
assert_pattern(struct str bytes, size_t from)
{
	for (size_t i = 0; i < bytes.len; i++)
		ck_assert_int_eq(
		    bytes.ptr[i], (char)('a' + (from + i) % 4096 % 26));
}

static size_t drained;

static void
drain_more(void *arg)
{
	struct try *t = arg;
	struct str bytes = buf_bytes(&t->download);
	size_t n = bytes.len < 7001 ? bytes.len : 7001;

	assert_pattern(str_slice(bytes, 0, n), drained);
	buf_consume(&t->download, n);
	drained += n;
	call_resume(t->call);
	if (n && !is_over(t))
		task_defer(loop, &t->task, drain_more, t);
}

/* Bit by bit, in odd sizes. */
static void
drain_slowly(struct try *t)
{
	task_defer(loop, &t->task, drain_more, t);
}

static void
drain_when_full(struct try *t)
{
	if (buf_room(&t->download) && !is_over(t))
		return;
	assert_pattern(buf_bytes(&t->download), drained);
	drained += buf_len(&t->download);
	buf_clear(&t->download);
	call_resume(t->call);
}

static const struct {
	const char *path;
	size_t window;
	void (*drain)(struct try *);
} drains[] = {
	{ "/big", 64 * 1024, drain_slowly },
	{ "/big", 64 * 1024, drain_when_full },
	{ "/big", 5000, drain_when_full },
	{ "/big-chunked", 64 * 1024, drain_slowly },
	{ "/big-chunked", 64 * 1024, drain_when_full },
	{ "/big-chunked", 5000, drain_when_full },
};

START_TEST(a_large_answer_waits_for_room)
{
	struct try *t = try_new("GET", drains[_i].path);

	drained = 0;
	t->download.max = drains[_i].window;
	t->on_change = drains[_i].drain;
	run(t);
	ck_assert_int_eq(call_state(t->call), CALL_DONE);
	drained += buf_len(&t->download);
	ck_assert_uint_eq(drained, BACKEND_BIG);
	try_end(t);
	assert_get("/plain", "200", "hello");
	ck_assert_uint_eq(backend.seen->connections, 1);
}
END_TEST

START_TEST(without_room_the_answer_stays_where_it_is)
{
	struct try *t = try_new("GET", "/big"), *other;

	t->download.max = 20000;
	try_start(t);
	/* Other requests go on; the first 20 may outrun its connection. */
	for (int i = 0; i < 20 || (i < 2000 && buf_len(&t->download) < 20000);
	     i++) {
		other = try_new("GET", "/plain");
		run(other);
		assert_done(other, "200", "hello");
		try_end(other);
	}
	ck_assert_int_eq(call_state(t->call), CALL_HEADERS);
	ck_assert_uint_eq(buf_len(&t->download), 20000);
	try_end(t);
}
END_TEST

static size_t sent;

static void
feed(struct try *t)
{
	char piece[10000];
	size_t n = buf_room(&t->upload);

	if (n > sizeof(piece))
		n = sizeof(piece);
	if (n > 1000000 - sent)
		n = 1000000 - sent;
	for (size_t i = 0; i < n; i++)
		piece[i] = (char)('a' + (sent + i) % 4096 % 26);
	ck_assert_int_eq(
	    buf_append(&t->upload, (struct str){ piece, n }), ERR_OK);
	sent += n;
	t->upload_end = sent == 1000000;
	call_resume(t->call);
}

static void
feed_and_drain(struct try *t)
{
	if (sent < 1000000)
		feed(t);
	drain_slowly(t);
}

START_TEST(a_large_request_is_taken_as_it_comes)
{
	struct try *t = try_new("PUT", "/echo");

	sent = drained = 0;
	t->upload_end = false;
	t->spec.body_len = 1000000;
	t->on_change = feed_and_drain;
	try_start(t);
	feed(t);
	try_finish(t);
	ck_assert_int_eq(call_state(t->call), CALL_DONE);
	ck_assert_uint_eq(drained + buf_len(&t->download), 1000000);
	try_end(t);
}
END_TEST

START_TEST(a_body_shorter_than_declared_breaks_the_request)
{
	struct try *t = try_new("POST", "/echo");

	try_body(t, "abc");
	t->spec.body_len = 10;
	run(t);
	ck_assert_int_eq(call_failure(t->call), CALL_LOCAL);
	ck_assert_ptr_nonnull(strstr(call_failure_text(t->call), "incomplete"));
	try_end(t);
}
END_TEST

START_TEST(no_more_than_declared_is_sent)
{
	struct try *t = try_new("POST", "/echo");

	try_body(t, "abcdef");
	t->spec.body_len = 3;
	run(t);
	assert_done(t, "200", "abc");
	try_end(t);
	assert_get("/plain", "200", "hello");
}
END_TEST

static const struct {
	const char *path, *status, *body;
} early[] = {
	{ "/early-413", "413", "big" },
	{ "/early-200", "200", "early" },
	{ "/early-chunked", "200", "early" },
	{ "/early-close", "403", "no" },
};

START_TEST(an_early_answer_ends_the_upload)
{
	for (int known = 0; known < 2; known++) {
		struct try *t = try_new("POST", early[_i].path);
		ck_assert_int_eq(
		    buf_append(&t->upload, STR("something")), ERR_OK);
		t->upload_end = false;
		t->spec.body_len = known ? 100000 : CALL_BODY_UNKNOWN;
		run(t);
		assert_done(t, early[_i].status, early[_i].body);
		try_end(t);
	}
	assert_get("/plain", "200", "hello");
	ck_assert_uint_eq(backend.seen->connections, 3);
}
END_TEST

static void
feed_endlessly(struct try *t)
{
	static const char piece[1000];

	while (buf_room(&t->upload) >= sizeof(piece))
		ck_assert_int_eq(buf_append(&t->upload,
				     (struct str){ piece, sizeof(piece) }),
		    ERR_OK);
	call_resume(t->call);
}

START_TEST(an_early_answer_comes_through_while_the_upload_is_stuck)
{
	struct try *t = try_new("POST", early[_i].path);

	t->upload_end = false;
	t->spec.body_len = 1 << 30;
	t->on_change = feed_endlessly;
	try_start(t);
	feed_endlessly(t);
	try_finish(t);
	assert_done(t, early[_i].status, early[_i].body);
	try_end(t);
}
END_TEST

enum { MANY = 1000 };

/* Accepts on the test's own loop, answering once everybody is there. */
struct crowd {
	struct watch watch;
	int fds[MANY];
	int n, over;
};

static void
on_arrival(void *arg, uint32_t events)
{
	static const char answer[] =
	    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
	struct crowd *c = arg;

	(void)events;
	c->fds[c->n++] = accept(c->watch.fd, NULL, NULL);
	for (int i = 0; c->n == MANY && i < MANY; i++)
		ck_assert_int_eq(
		    send(c->fds[i], answer, sizeof(answer) - 1, MSG_NOSIGNAL),
		    sizeof(answer) - 1);
}

static void
leave_crowd(struct try *t)
{
	struct crowd *c = t->mine;

	if (is_over(t))
		c->over++;
}

START_TEST(many_calls_wait_side_by_side)
{
	struct crowd *c = ARENA_NEW(arena, struct crowd);
	struct try **all = ARENA_ARRAY(arena, MANY, struct try *);
	struct rlimit files = { 4096, 4096 };
	int port, fd = backend_socket(&port);

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	ck_assert_int_eq(listen(fd, MANY), 0);
	ck_assert_int_eq(
	    watch_start(loop, &c->watch, fd, EPOLLIN, on_arrival, c), ERR_OK);
	for (int i = 0; i < MANY; i++) {
		all[i] = try_new("GET", "/");
		all[i]->origin.url =
		    arena_printf(arena, "http://127.0.0.1:%d/", port).ptr;
		all[i]->mine = c;
		all[i]->on_change = leave_crowd;
		try_start(all[i]);
	}
	while (c->over < MANY)
		loop_run(loop);
	for (int i = 0; i < MANY; i++) {
		assert_done(all[i], "200", "ok");
		try_end(all[i]);
	}
	watch_stop(loop, &c->watch);
}
END_TEST

START_TEST(a_call_may_be_ended_in_any_state)
{
	static const char *const paths[] = { "/plain", "/stalled", "/silent",
		"/big", "/chunked" };

	for (int round = 0; round < 30; round++) {
		struct try *some[5];
		for (size_t i = 0; i < 5; i++) {
			some[i] = try_new("GET", paths[i]);
			some[i]->download.max = 1000;
			try_start(some[i]);
			if ((size_t)round % 5 == i)
				try_end(some[i]);
		}
		for (int i = 0; i < round / 5; i++)
			assert_get("/plain", "200", "hello");
		for (size_t i = 0; i < 5; i++)
			if ((size_t)round % 5 != i)
				try_end(some[i]);
	}
	assert_get("/plain", "200", "hello");
}
END_TEST

static void
end_within(struct try *t)
{
	if (!is_over(t))
		return;
	try_end(t);
	t->call = NULL;
	loop_stop(loop);
}

static void
changed_and_ends(void *arg)
{
	end_within(arg);
}

START_TEST(a_call_may_be_ended_from_its_own_news)
{
	struct try *t = try_new("GET", "/plain");

	t->spec.changed = changed_and_ends;
	try_start(t);
	loop_run(loop);
	ck_assert_ptr_null(t->call);
	assert_get("/plain", "200", "hello");
}
END_TEST

START_TEST(nothing_listening_is_a_failed_connect)
{
	struct try *t = try_new("GET", "/plain");
	struct str peer;

	t->origin.url =
	    arena_printf(arena, "http://127.0.0.1:%d/", backend_dead_port())
		.ptr;
	run(t);
	ck_assert_int_eq(call_failure(t->call), CALL_CONNECT_FAILED);
	ck_assert_str_eq(call_failure_text(t->call),
	    "delayed connect error: Connection refused");
	ck_assert(!call_was_sent(t->call));
	peer = call_peer(t->call);
	ck_assert(!peer.ptr || str_starts(peer, STR("127.0.0.1:")));
	try_end(t);
}
END_TEST

/* A listener whose queue is full: connecting to it gets no answer. */
static void
listen_without_room(int *port)
{
	int fd = backend_socket(port);
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)*port) };

	ck_assert_int_eq(listen(fd, 0), 0);
	for (int i = 0; i < 4; i++)
		(void)!connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
		    (void *)&at, sizeof(at));
}

START_TEST(a_silent_connect_times_out)
{
	struct try *t = try_new("GET", "/plain");
	int port;

	listen_without_room(&port);
	t->origin.url = arena_printf(arena, "http://127.0.0.1:%d/", port).ptr;
	t->origin.connect_timeout_ms = 50;
	run(t);
	ck_assert_int_eq(call_failure(t->call), CALL_CONNECT_TIMEOUT);
	ck_assert(!call_was_sent(t->call));
	try_end(t);
}
END_TEST

START_TEST(a_name_without_address_is_unresolvable)
{
	struct try *t = try_new("GET", "/plain");

	t->origin.url = "http://no-such-name.invalid:80/";
	run(t);
	ck_assert_int_eq(call_failure(t->call), CALL_UNRESOLVABLE);
	try_end(t);
}
END_TEST

START_TEST(a_name_is_resolved)
{
	struct try *t = try_new("GET", "/plain");

	t->origin.url =
	    arena_printf(arena, "http://localhost:%d/", backend.port).ptr;
	run(t);
	assert_done(t, "200", "hello");
	assert_text(call_peer(t->call),
	    arena_printf(arena, "127.0.0.1:%d", backend.port).ptr);
	try_end(t);
}
END_TEST

START_TEST(a_unix_socket_is_a_backend_too)
{
	struct try *t;

	backend_stop(&backend);
	backend_start_unix(&backend);
	t = get("/request");
	assert_done(
	    t, "200", "GET /request HTTP/1.1\r\nHost: backend.test\r\n\r\n");
	assert_text(call_peer(t->call), backend.path);
	try_end(t);
	t = try_new("GET", "/plain");
	t->origin.unix_path = "/nonexistent/socket";
	run(t);
	ck_assert_int_eq(call_failure(t->call), CALL_CONNECT_FAILED);
	ck_assert_str_eq(call_failure_text(t->call),
	    "immediate connect error: No such file or directory");
	try_end(t);
}
END_TEST

static const struct {
	const char *url_host; /* and so the SNI */
	bool verify, verify_name, by_file, known;
	const char *body; /* the server name received; NULL: refused */
} handshakes[] = {
	{ "127.0.0.1", false, false, false, false, "-" },
	{ "other.test", false, false, false, false, "other.test" },
	{ "backend.test", true, true, false, true, "backend.test" },
	{ "backend.test", true, true, true, true, "backend.test" },
	{ "other.test", true, false, false, true, "other.test" },
	{ "127.0.0.1", true, false, false, true, "-" },
	{ "other.test", true, true, false, true, NULL },
	{ "backend.test", true, true, false, false, NULL },
	{ "backend.test", true, false, true, false, NULL },
};

START_TEST(tls_is_verified_as_far_as_told)
{
	struct authority own, foreign, *trusted;
	SSL_CTX *server;
	struct try *t = try_new("GET", "/");
	char path[] = "/tmp/sallyport-test-XXXXXX";
	int fd = mkstemp(path);

	authority_make(&own);
	authority_make(&foreign);
	trusted = handshakes[_i].known ? &own : &foreign;
	server = authority_server(&own, "backend.test");
	backend_stop(&backend);
	backend_start_tls(&backend, server);
	ck_assert_int_gt(write(fd, trusted->pem, strlen(trusted->pem)), 0);
	t->origin.url = arena_printf(
	    arena, "https://%s:%d/", handshakes[_i].url_host, backend.port)
			    .ptr;
	t->origin.connect_to =
	    arena_printf(arena, "::127.0.0.1:%d", backend.port).ptr;
	t->origin.verify = handshakes[_i].verify;
	t->origin.verify_name = handshakes[_i].verify_name;
	if (handshakes[_i].by_file)
		t->origin.ca_file = path;
	else
		t->origin.ca_pem = str_of(trusted->pem);
	for (int i = 0; i < 2; i++) {
		run(t);
		if (handshakes[_i].body) {
			assert_done(t, "200", handshakes[_i].body);
		} else {
			ck_assert_int_eq(
			    call_failure(t->call), CALL_TLS_FAILED);
			ck_assert_ptr_nonnull(
			    strstr(call_failure_text(t->call), "TLS_error:|"));
			ck_assert(!call_was_sent(t->call));
		}
		call_end(t->call);
		t->response.n = 0;
		buf_clear(&t->download);
	}
	ck_assert_uint_eq(
	    backend.seen->connections, handshakes[_i].body ? 1 : 2);
	buf_free(&t->download);
	SSL_CTX_free(server);
	authority_free(&own);
	authority_free(&foreign);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(what_does_not_speak_tls_fails_the_handshake)
{
	struct try *t = try_new("GET", "/plain");

	t->origin.url =
	    arena_printf(arena, "https://127.0.0.1:%d/", backend.port).ptr;
	run(t);
	ck_assert_int_eq(call_failure(t->call), CALL_TLS_FAILED);
	try_end(t);
}
END_TEST

START_TEST(the_environment_has_no_say)
{
	ck_assert_int_eq(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
	ck_assert_int_eq(setenv("all_proxy", "http://127.0.0.1:1/", 1), 0);
	assert_get("/plain", "200", "hello");
}
END_TEST

START_TEST(without_descriptors_the_call_fails_and_the_client_lives_on)
{
	struct rlimit files, few = { 3, 0 };
	struct try *t;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	few.rlim_max = files.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	t = get("/plain");
	ck_assert_int_eq(call_failure(t->call), CALL_LOCAL);
	ck_assert_str_eq(
	    call_failure_text(t->call), "no socket: Too many open files");
	try_end(t);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_get("/plain", "200", "hello");
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_upstream_client(void);

Suite *
suite_upstream_client(void)
{
	Suite *s = suite_create("upstream/client");
	TCase *t = tcase_create("calls");

	tcase_set_timeout(t, 2 * PATIENCE_S);
	tcase_add_checked_fixture(t, begin, finish);
	TABLE_TEST(t, answers, an_answer_comes_through_as_it_was_sent);
	TABLE_TEST(
	    t, failures, a_broken_answer_is_named_and_spoils_nothing_else);
	TABLE_TEST(t, framings, a_body_is_framed_by_what_is_known_of_it);
	TABLE_TEST(t, unsound, what_would_break_the_request_is_not_sent);
	TABLE_TEST(t, targets, a_target_is_not_touched);
	TABLE_TEST(t, drains, a_large_answer_waits_for_room);
	TABLE_TEST(t, early, an_early_answer_ends_the_upload);
	TABLE_TEST(
	    t, early, an_early_answer_comes_through_while_the_upload_is_stuck);
	tcase_add_loop_test(t, what_may_have_been_done_is_not_sent_twice, 0, 4);
	tcase_add_test(t, fields_keep_order_repetition_and_bytes);
	tcase_add_test(t, the_request_goes_out_as_it_was_given);
	tcase_add_test(t, a_head_request_may_carry_a_body);
	tcase_add_test(t, one_connection_serves_one_request_after_the_other);
	tcase_add_test(t, a_connection_closed_between_requests_is_replaced);
	tcase_add_test(t, bytes_nobody_asked_for_answer_nothing);
	tcase_add_test(t, a_body_where_none_belongs_spoils_the_connection_only);
	tcase_add_test(t, without_room_the_answer_stays_where_it_is);
	tcase_add_test(t, a_large_request_is_taken_as_it_comes);
	tcase_add_test(t, a_body_shorter_than_declared_breaks_the_request);
	tcase_add_test(t, no_more_than_declared_is_sent);
	tcase_add_test(t, many_calls_wait_side_by_side);
	tcase_add_test(t, a_call_may_be_ended_in_any_state);
	tcase_add_test(t, a_call_may_be_ended_from_its_own_news);
	tcase_add_test(t, nothing_listening_is_a_failed_connect);
	tcase_add_test(t, a_silent_connect_times_out);
	tcase_add_test(t, a_name_without_address_is_unresolvable);
	tcase_add_test(t, a_name_is_resolved);
	tcase_add_test(t, a_unix_socket_is_a_backend_too);
	TABLE_TEST(t, handshakes, tls_is_verified_as_far_as_told);
	tcase_add_test(t, what_does_not_speak_tls_fails_the_handshake);
	tcase_add_test(t, the_environment_has_no_say);
	tcase_add_test(
	    t, without_descriptors_the_call_fails_and_the_client_lives_on);
	suite_add_tcase(s, t);
	return s;
}
