#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "front/fastcgi.h"

enum { ID = 7, INPUT_MAX = 400 * 1024 };

static struct buf input;
static struct fastcgi guard;
static struct buf body;

static void
set_up(void)
{
	buf_init(&input, INPUT_MAX);
	buf_init(&body, INPUT_MAX);
	fastcgi_init(&guard);
}

static void
tear_down(void)
{
	buf_free(&input);
	buf_free(&body);
	fastcgi_free(&guard);
}

/* ---- making records ---- */

static void
put_bytes(struct str s)
{
	ck_assert_int_eq(buf_append(&input, s), ERR_OK);
}

static void
put_header(int version, int type, uint16_t id, size_t len, int padding)
{
	unsigned char h[8];

	fastcgi_header(h, (enum fastcgi_type)type, id, len);
	h[0] = (unsigned char)version;
	h[6] = (unsigned char)padding;
	put_bytes((struct str){ (char *)h, 8 });
}

static void
put(int type, uint16_t id, struct str content)
{
	int padding = (int)(content.len % 3);

	put_header(1, type, id, content.len, padding);
	put_bytes(content);
	put_bytes(str_slice(STR("\0\0\0"), 0, (size_t)padding));
}

static void
put_begin(uint16_t id, char role, char flags)
{
	char content[8] = { 0, role, flags };

	put(FASTCGI_BEGIN_REQUEST, id, (struct str){ content, 8 });
}

#define PAIRS STR("\1\3abcd\0\2xy\2\0zz")

static void
put_request(uint16_t id)
{
	put_begin(id, FASTCGI_RESPONDER, FASTCGI_KEEP_CONN);
	put(FASTCGI_PARAMS, id, str_slice(PAIRS, 0, 4));
	put(FASTCGI_PARAMS, id, str_slice(PAIRS, 4, PAIRS.len));
	put(FASTCGI_PARAMS, id, STR(""));
	put(FASTCGI_STDIN, id, STR("hello"));
	put(FASTCGI_STDIN, id, STR(" world"));
	put(FASTCGI_STDIN, id, STR(""));
}

/* ---- walking them ---- */

/* The next event, feeding at most step bytes at once. */
static enum fastcgi_event
next_event(struct str *rest, size_t step)
{
	enum fastcgi_event event;
	struct str piece;
	size_t given;

	do {
		piece = str_slice(*rest, 0, step);
		given = piece.len;
		event = fastcgi_feed(&guard, &piece, &body, 100000);
		*rest = str_slice(*rest, given - piece.len, rest->len);
	} while (event == FASTCGI_MORE && rest->len);
	return event;
}

static enum fastcgi_event
feed_all(void)
{
	struct str rest = buf_bytes(&input);
	enum fastcgi_event event;

	do
		event = next_event(&rest, SIZE_MAX);
	while (rest.len && event != FASTCGI_BROKEN);
	return event;
}

/* Two requests and everything that may stand around them. */
static void
put_busy_connection(void)
{
	put(FASTCGI_GET_VALUES, 0,
	    STR("\16\0FCGI_MAX_CONNS\17\1FCGI_MPXS_CONNSx\3\0odd"));
	put(99, 0, STR("whatever"));
	put_request(ID);
	put_begin(8, FASTCGI_RESPONDER, 0);
	put(FASTCGI_PARAMS, 8, STR("ignored"));
	put(FASTCGI_STDIN, 8, STR(""));
	put(FASTCGI_ABORT_REQUEST, ID, STR(""));
	put_request(ID);
}

static void
walk_busy_connection(unsigned seed)
{
	static const enum fastcgi_event expected[] = { FASTCGI_REQUEST,
		FASTCGI_BODY_END, FASTCGI_ABORTED, FASTCGI_NEXT,
		FASTCGI_REQUEST, FASTCGI_BODY_END };
	struct str rest = buf_bytes(&input);
	size_t step;

	for (size_t i = 0; i < 6; i++) {
		step = seed ? 1 + (seed * (i + 3)) % 29 : SIZE_MAX;
		ck_assert_int_eq(next_event(&rest, step), expected[i]);
		if (expected[i] == FASTCGI_REQUEST) {
			ck_assert_uint_eq(guard.id, ID);
			ck_assert(guard.keep);
			ck_assert(str_eq(buf_bytes(&guard.params), PAIRS));
		}
		if (expected[i] == FASTCGI_BODY_END) {
			ck_assert(str_eq(buf_bytes(&body), STR("hello world")));
			buf_clear(&body);
		}
		if (expected[i] == FASTCGI_NEXT)
			fastcgi_next(&guard);
	}
	ck_assert_uint_eq(rest.len, 0);
}

#define BUSY_REPLIES                                                           \
	"\1\12\0\0\0\46\0\0\16\4FCGI_MAX_CONNS1024\17\1FCGI_MPXS_CONNS0"       \
	"\1\13\0\0\0\10\0\0\143\0\0\0\0\0\0\0"                                 \
	"\1\3\0\10\0\10\0\0\0\0\0\0\1\0\0\0"

START_TEST(cuts_between_reads_make_no_difference)
{
	put_busy_connection();
	walk_busy_connection((unsigned)_i);
	ck_assert(str_eq(buf_bytes(&guard.reply), STR(BUSY_REPLIES)));
}
END_TEST

START_TEST(a_body_is_taken_only_as_far_as_asked_for)
{
	struct str rest;

	put_request(ID);
	rest = buf_bytes(&input);
	ck_assert_int_eq(
	    fastcgi_feed(&guard, &rest, &body, 0), FASTCGI_REQUEST);
	ck_assert_int_eq(
	    fastcgi_feed(&guard, &rest, &body, 3), FASTCGI_BODY_FULL);
	ck_assert(str_eq(buf_bytes(&body), STR("hel")));
	ck_assert_int_eq(
	    fastcgi_feed(&guard, &rest, &body, 5), FASTCGI_BODY_FULL);
	ck_assert(str_eq(buf_bytes(&body), STR("hello wo")));
	ck_assert_int_eq(
	    fastcgi_feed(&guard, &rest, NULL, 0), FASTCGI_BODY_END);
	ck_assert(str_eq(buf_bytes(&body), STR("hello wo")));
}
END_TEST

/* ---- hostile records ---- */

static void
begin_request(void)
{
	put_begin(ID, FASTCGI_RESPONDER, 0);
}

static void
params_of(struct str pairs)
{
	begin_request();
	put(FASTCGI_PARAMS, ID, pairs);
	put(FASTCGI_PARAMS, ID, STR(""));
}

static void
lengths_beyond_the_end(void)
{
	params_of(STR("\1\4abcd"));
}
static void
name_without_value_length(void)
{
	params_of(STR("\1"));
}
static void
half_a_long_length(void)
{
	params_of(STR("\200\0\0"));
}
static void
lengths_that_wrap(void)
{
	params_of(STR("\377\377\377\376\377\377\377\376ab"));
}
static void
lengths_near_two_billion(void)
{
	params_of(STR("\377\377\377\376\0ab"));
}
static void
wrong_version(void)
{
	put_header(0, FASTCGI_BEGIN_REQUEST, ID, 8, 0);
}
static void
http_instead(void)
{
	put_bytes(STR("GET / HTTP/1.1\r\n\r\n"));
}
static void
short_begin(void)
{
	put(FASTCGI_BEGIN_REQUEST, ID, STR("\0\1\0"));
}
static void
long_begin(void)
{
	put(FASTCGI_BEGIN_REQUEST, ID, STR("\0\1\0\0\0\0\0\0\0"));
}
static void
begin_of_request_0(void)
{
	put_begin(0, FASTCGI_RESPONDER, 0);
}
static void
begin_twice(void)
{
	begin_request();
	begin_request();
}
static void
params_first(void)
{
	put(FASTCGI_PARAMS, ID, STR("x"));
}
static void
params_of_request_0(void)
{
	begin_request();
	put(FASTCGI_PARAMS, 0, STR("x"));
}
static void
params_after_their_end(void)
{
	params_of(PAIRS);
	put(FASTCGI_PARAMS, ID, PAIRS);
}
static void
stdin_before_the_end_of_params(void)
{
	begin_request();
	put(FASTCGI_PARAMS, ID, PAIRS);
	put(FASTCGI_STDIN, ID, STR("x"));
}
static void
stdin_after_its_end(void)
{
	params_of(PAIRS);
	put(FASTCGI_STDIN, ID, STR(""));
	put(FASTCGI_STDIN, ID, STR("x"));
}
static void
an_answer(void)
{
	begin_request();
	put(FASTCGI_STDOUT, ID, STR("x"));
}
static void
long_management_record(void)
{
	char text[2000] = { 0 };

	put(FASTCGI_GET_VALUES, 0, (struct str){ text, sizeof(text) });
}
static void
malformed_get_values(void)
{
	put(FASTCGI_GET_VALUES, 0, STR("\16\0FCGI_MAX"));
}
static void
many_management_records(void)
{
	for (int i = 0; i < 1000; i++)
		put(200, 0, STR(""));
}

static void (*const hostile[])(void) = { lengths_beyond_the_end,
	name_without_value_length, half_a_long_length, lengths_that_wrap,
	lengths_near_two_billion, wrong_version, http_instead, short_begin,
	long_begin, begin_of_request_0, begin_twice, params_first,
	params_of_request_0, params_after_their_end,
	stdin_before_the_end_of_params, stdin_after_its_end, an_answer,
	long_management_record, malformed_get_values, many_management_records };

START_TEST(hostile_records_break_the_connection)
{
	hostile[_i]();
	ck_assert_int_eq(feed_all(), FASTCGI_BROKEN);
	ck_assert_ptr_nonnull(guard.reason);
}
END_TEST

START_TEST(a_value_asked_for_many_times_is_answered_once)
{
	struct buf names;

	buf_init(&names, 1000);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(
		    buf_append(&names, STR("\16\0FCGI_MAX_CONNS")), ERR_OK);
	put(FASTCGI_GET_VALUES, 0, buf_bytes(&names));
	ck_assert_int_eq(feed_all(), FASTCGI_MORE);
	ck_assert(str_eq(buf_bytes(&guard.reply),
	    STR("\1\12\0\0\0\24\0\0\16\4FCGI_MAX_CONNS1024")));
	buf_free(&names);
}
END_TEST

START_TEST(other_roles_are_refused)
{
	put_begin(ID, 2, 0);
	put(FASTCGI_PARAMS, ID, PAIRS);
	put(FASTCGI_PARAMS, ID, STR(""));
	put(FASTCGI_STDIN, ID, STR(""));
	ck_assert_int_eq(feed_all(), FASTCGI_MORE);
	ck_assert(str_eq(
	    buf_bytes(&guard.reply), STR("\1\3\0\7\0\10\0\0\0\0\0\0\3\0\0\0")));
	ck_assert(!fastcgi_is_busy(&guard));
}
END_TEST

/* Adds n bytes of parameters, in pairs of 1000 bytes and one that is rest. */
static void
put_params(size_t n)
{
	static char filler[1000];
	char head[5] = { 0, (char)0x80 };
	size_t len;

	memset(filler, 'v', sizeof(filler));
	begin_request();
	for (; n > 5; n -= len) {
		len = n > 1000 ? 1000 : n;
		head[3] = (char)((len - 5) >> 8);
		head[4] = (char)(len - 5);
		put_header(1, FASTCGI_PARAMS, ID, len, 0);
		put_bytes((struct str){ head, 5 });
		put_bytes((struct str){ filler, len - 5 });
	}
	put(FASTCGI_PARAMS, ID, STR(""));
}

START_TEST(parameters_up_to_the_limit_are_kept)
{
	put_params(FASTCGI_PARAMS_MAX);
	ck_assert_int_eq(feed_all(), FASTCGI_REQUEST);
	ck_assert(!guard.oversized);
	ck_assert_uint_eq(buf_len(&guard.params), FASTCGI_PARAMS_MAX);
}
END_TEST

START_TEST(more_parameters_are_walked_and_not_kept)
{
	put_params(2 * FASTCGI_PARAMS_MAX);
	put(FASTCGI_STDIN, ID, STR(""));
	ck_assert_int_eq(feed_all(), FASTCGI_BODY_END);
	ck_assert(guard.oversized);
	ck_assert_uint_le(buf_len(&guard.params), FASTCGI_PARAMS_MAX);
}
END_TEST

START_TEST(too_many_parameters_are_oversized)
{
	static const char many[2 * FASTCGI_PARAMS_N_MAX + 2];

	params_of((struct str){ many, sizeof(many) });
	ck_assert_int_eq(feed_all(), FASTCGI_REQUEST);
	ck_assert(guard.oversized);
}
END_TEST

static const struct str unsound[] = { STR_INIT("\1\3Aa\0b"),
	STR_INIT("\3\1A\0Bb"), STR_INIT("\3\1A=Bb") };

START_TEST(what_c_strings_cannot_hold_is_unsound)
{
	params_of(unsound[_i]);
	ck_assert_int_eq(feed_all(), FASTCGI_REQUEST);
	ck_assert(guard.unsound);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *suite_front_fastcgi(void);

Suite *
suite_front_fastcgi(void)
{
	Suite *s = suite_create("front/fastcgi");
	TCase *t = tcase_create("records");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, cuts_between_reads_make_no_difference, 0, 60);
	tcase_add_test(t, a_body_is_taken_only_as_far_as_asked_for);
	tcase_add_loop_test(
	    t, hostile_records_break_the_connection, 0, N(hostile));
	tcase_add_test(t, a_value_asked_for_many_times_is_answered_once);
	tcase_add_test(t, other_roles_are_refused);
	tcase_add_test(t, parameters_up_to_the_limit_are_kept);
	tcase_add_test(t, more_parameters_are_walked_and_not_kept);
	tcase_add_test(t, too_many_parameters_are_oversized);
	tcase_add_loop_test(
	    t, what_c_strings_cannot_hold_is_unsound, 0, N(unsound));
	suite_add_tcase(s, t);
	return s;
}
