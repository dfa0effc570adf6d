#include "config.h"

#include <check.h>

#include "upstream/answer.h"
#include "upstream/head.h"

static struct arena *arena;
static struct headers fields;
static struct answer answer;
static struct buf body;
static size_t heads, interims;

static void
set_up(void)
{
	arena = arena_new(4096);
	buf_init(&body, 64 * 1024);
}

static void
tear_down(void)
{
	answer_free(&answer);
	buf_free(&body);
	arena_free(arena);
}

static void
begin(bool request_is_head)
{
	answer_free(&answer);
	headers_init(&fields, arena);
	answer_begin(
	    &answer, &fields, HEAD_MAX_FIELDS, HEAD_MAX_BYTES, request_is_head);
	buf_clear(&body);
	heads = interims = 0;
}

/* Feeds all of it and returns what came last; *rest is what was not taken. */
static enum answer_event
feed(struct str bytes, struct str *rest)
{
	enum answer_event event;

	*rest = bytes;
	for (;;) {
		event = answer_feed(&answer, rest, &body);
		if (event == ANSWER_HEAD)
			heads++;
		else if (event == ANSWER_INTERIM)
			interims++;
		else
			return event;
	}
}

#define OK(fields) "HTTP/1.1 200 OK\r\n" fields "\r\n"
#define CHUNKED    OK("transfer-encoding: chunked\r\n")

static const struct {
	const char *text;
	enum answer_event event; /* MORE: the end is the connection's */
	const char *body;
	bool keeps;
} answers[] = {
	{ OK("content-length: 5\r\n") "hello", ANSWER_END, "hello", true },
	{ OK("content-length: 0\r\n"), ANSWER_END, "", true },
	{ OK("connection: close\r\ncontent-length: 2\r\n") "ok", ANSWER_END,
	    "ok", false },
	{ OK("connection: x\r\nconnection: y , Close\r\ncontent-length: 0\r\n"),
	    ANSWER_END, "", false },
	{ "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", ANSWER_END, "ok",
	    false },
	{ "HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 2\r\n"
	  "\r\nok",
	    ANSWER_END, "ok", true },
	{ "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n"
	  "transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	    ANSWER_END, "ok", false },
	{ "HTTP/1.1 204 No Content\r\n\r\n", ANSWER_END, "", true },
	{ "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n", ANSWER_END,
	    "", true },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n" OK(
	      "content-length: 1\r\n") "x",
	    ANSWER_END, "x", true },
	{ "HTTP/1.1 200 OK\ncontent-length: 1\n\nx", ANSWER_END, "x", true },
	{ OK("") "until close", ANSWER_MORE, "until close", false },
	{ CHUNKED "0\r\n\r\n", ANSWER_END, "", true },
	{ CHUNKED "5\r\nhello\r\n0;x=\"y\"\r\n\r\n", ANSWER_END, "hello",
	    true },
	{ CHUNKED "00005;a\r\nhello\r\n1\r\n!\r\n000\r\nt: u\r\n v\r\n\r\n",
	    ANSWER_END, "hello!", true },
	{ CHUNKED "A\n0123456789\n0\n\n", ANSWER_END, "0123456789", true },
	{ CHUNKED "aBc", ANSWER_MORE, "", true },
	{ CHUNKED "\r\n", ANSWER_BROKEN, "", true },
	{ CHUNKED ";x\r\n", ANSWER_BROKEN, "", true },
	{ CHUNKED "-1\r\n", ANSWER_BROKEN, "", true },
	{ CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", ANSWER_BROKEN, "", true },
	{ CHUNKED "5\r;x\r\nhello\r\n", ANSWER_BROKEN, "", true },
	{ CHUNKED "1000000000000000\r\n", ANSWER_BROKEN, "", true },
	{ CHUNKED "5\r\nhello!\r\n", ANSWER_BROKEN, "hello", true },
	{ CHUNKED "5\r\nhello\r\r\n", ANSWER_BROKEN, "hello", true },
	{ "HTTP/2 200 OK\r\n\r\n", ANSWER_BROKEN, "", false },
	{ "\r\nHTTP/1.1 200 OK\r\n\r\n", ANSWER_BROKEN, "", false },
	{ "HTTP/1.1 101 Switching Protocols\r\n\r\n", ANSWER_BROKEN, "",
	    false },
	{ OK("content-length: 1\r\ntransfer-encoding: chunked\r\n"),
	    ANSWER_BROKEN, "", false },
	{ OK("content-length: 1\r\ncontent-length: 1\r\n"), ANSWER_BROKEN, "",
	    false },
	{ OK("no colon\r\n"), ANSWER_BROKEN, "", false },
	{ OK("content-length: 0\r\n\rconnection: close\r\n"), ANSWER_BROKEN, "",
	    false },
};

START_TEST(an_answer_reads_the_same_in_pieces_of_any_size)
{
	struct str text = str_of(answers[_i].text), rest;
	enum answer_event event;

	for (size_t size = 1; size <= text.len; size++) {
		begin(false);
		event = ANSWER_MORE;
		for (size_t at = 0; at < text.len && event == ANSWER_MORE;
		     at += size)
			event = feed(str_slice(text, at, at + size), &rest);
		ck_assert_int_eq(event, answers[_i].event);
		ck_assert(str_eq(buf_bytes(&body), str_of(answers[_i].body)));
		if (event == ANSWER_END)
			ck_assert_uint_eq(rest.len, 0);
		if (event != ANSWER_BROKEN)
			ck_assert_uint_eq(heads, 1);
		if (event != ANSWER_BROKEN || heads)
			ck_assert(answer.keeps == answers[_i].keeps);
		else
			ck_assert_uint_eq(fields.n, 0);
	}
}
END_TEST

START_TEST(what_follows_an_answer_is_left)
{
	struct str rest;

	begin(false);
	ck_assert_int_eq(
	    feed(STR(OK("content-length: 2\r\n") "okHTTP/1.1"), &rest),
	    ANSWER_END);
	ck_assert(str_eq(rest, STR("HTTP/1.1")));
	begin(false);
	ck_assert_int_eq(feed(STR(CHUNKED "0\r\n\r\nmore"), &rest), ANSWER_END);
	ck_assert(str_eq(rest, STR("more")));
	begin(true);
	ck_assert_int_eq(
	    feed(STR(OK("content-length: 2\r\n") "ok"), &rest), ANSWER_END);
	ck_assert(str_eq(rest, STR("ok")));
	ck_assert_uint_eq(buf_len(&body), 0);
}
END_TEST

START_TEST(bytes_without_room_wait)
{
	struct str rest = STR(CHUNKED "8\r\n12345678\r\n0\r\n\r\n");
	enum answer_event event;
	size_t got = 0;

	begin(false);
	body.max = 3;
	ck_assert_int_eq(answer_feed(&answer, &rest, &body), ANSWER_HEAD);
	while ((event = answer_feed(&answer, &rest, &body)) == ANSWER_FULL) {
		ck_assert_uint_eq(buf_len(&body), 3);
		got += 3;
		buf_clear(&body);
	}
	ck_assert_int_eq(event, ANSWER_END);
	ck_assert_uint_eq(got + buf_len(&body), 8);
}
END_TEST

static const struct {
	const char *text;
	enum answer_event event;
	const char *reason;
} cuts[] = {
	{ "", ANSWER_BROKEN, "Empty reply" },
	{ "HTTP/1.1 200", ANSWER_BROKEN, "header section" },
	{ OK("content-length: 2\r\n") "o", ANSWER_BROKEN, "remaining" },
	{ OK("") "so far", ANSWER_END, NULL },
	{ OK(""), ANSWER_END, NULL },
	{ CHUNKED, ANSWER_BROKEN, "outstanding" },
	{ CHUNKED "5\r\nhel", ANSWER_BROKEN, "outstanding" },
	{ CHUNKED "5\r\nhello", ANSWER_BROKEN, "outstanding" },
	{ CHUNKED "0\r\nx: y\r\n", ANSWER_BROKEN, "outstanding" },
};

START_TEST(the_end_of_the_connection_ends_few_answers)
{
	struct str rest;

	begin(false);
	ck_assert_int_eq(feed(str_of(cuts[_i].text), &rest), ANSWER_MORE);
	ck_assert_int_eq(answer_close(&answer), cuts[_i].event);
	ck_assert(!answer.keeps);
	if (cuts[_i].reason)
		ck_assert_ptr_nonnull(strstr(answer.reason, cuts[_i].reason));
}
END_TEST

/* Feeds the same piece until something happens. */
static enum answer_event
feed_endlessly(const char *start, struct str piece, size_t *n)
{
	struct str rest;
	enum answer_event event;

	begin(false);
	event = feed(str_of(start), &rest);
	for (*n = 0; event == ANSWER_MORE && *n < 1 << 20; *n += piece.len)
		event = feed(piece, &rest);
	return event;
}

START_TEST(nothing_grows_without_a_limit)
{
	size_t n;

	ck_assert_int_eq(
	    feed_endlessly("HTTP/1.1 200 OK\r\nx: ", STR("0123456789"), &n),
	    ANSWER_TOO_LARGE);
	ck_assert_uint_le(n, HEAD_MAX_BYTES + 10);
	ck_assert_int_eq(
	    feed_endlessly("HTTP/1.1 200 OK\r\n", STR("x: y\r\n"), &n),
	    ANSWER_TOO_LARGE);
	ck_assert_uint_le(n, HEAD_MAX_BYTES + 10);
	ck_assert_int_eq(
	    feed_endlessly(CHUNKED "5;", STR("x=y;"), &n), ANSWER_BROKEN);
	ck_assert_uint_le(n, 16 * 1024);
	ck_assert_int_eq(feed_endlessly(CHUNKED "0\r\n", STR("x: y\r\n"), &n),
	    ANSWER_BROKEN);
	ck_assert_uint_le(n, HEAD_MAX_BYTES + 10);
}
END_TEST

START_TEST(body_bytes_do_not_count_as_header_section)
{
	struct buf all;
	struct str rest, text;

	buf_init(&all, 256 * 1024);
	ck_assert_int_eq(
	    buf_append(&all, STR("HTTP/1.1 200 OK\r\nx: ")), ERR_OK);
	for (int i = 0; i < 80000; i++)
		ck_assert_int_eq(buf_append_byte(&all, 'v'), ERR_OK);
	ck_assert_int_eq(
	    buf_append(&all, STR("\r\ncontent-length: 20000\r\n\r\n")), ERR_OK);
	for (int i = 0; i < 20000; i++)
		ck_assert_int_eq(buf_append_byte(&all, 'b'), ERR_OK);
	text = buf_bytes(&all);
	begin(false);
	ck_assert_int_eq(feed(str_slice(text, 0, 50000), &rest), ANSWER_MORE);
	ck_assert_int_eq(
	    feed(str_slice(text, 50000, text.len), &rest), ANSWER_END);
	ck_assert_uint_eq(buf_len(&body), 20000);
	buf_free(&all);
}
END_TEST

START_TEST(interim_answers_are_told_of_and_all_bytes_are_counted)
{
	struct str rest,
	    head = STR("HTTP/1.1 103 Early\r\nlink: x\r\n\r\n"),
	    all = STR("HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" CHUNKED
		      "3\r\nabc\r\n0\r\n\r\nmore");

	begin(false);
	rest = all;
	ck_assert_int_eq(answer_feed(&answer, &rest, &body), ANSWER_INTERIM);
	ck_assert_uint_eq(answer.status, 103);
	ck_assert_uint_eq(answer.head_size, head.len);
	ck_assert_int_eq(feed(rest, &rest), ANSWER_END);
	ck_assert_uint_eq(answer.head_size, head.len + strlen(CHUNKED));
	ck_assert_uint_eq(answer.body_size, strlen("3\r\nabc\r\n0\r\n\r\n"));
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_upstream_answer(void);

Suite *
suite_upstream_answer(void)
{
	Suite *s = suite_create("upstream/answer");
	TCase *t = tcase_create("reading");

	tcase_add_checked_fixture(t, set_up, tear_down);
	TABLE_TEST(t, answers, an_answer_reads_the_same_in_pieces_of_any_size);
	TABLE_TEST(t, cuts, the_end_of_the_connection_ends_few_answers);
	tcase_add_test(t, what_follows_an_answer_is_left);
	tcase_add_test(t, bytes_without_room_wait);
	tcase_add_test(
	    t, interim_answers_are_told_of_and_all_bytes_are_counted);
	tcase_add_test(t, nothing_grows_without_a_limit);
	tcase_add_test(t, body_bytes_do_not_count_as_header_section);
	suite_add_tcase(s, t);
	return s;
}
