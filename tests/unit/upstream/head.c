#include "config.h"

#include <check.h>

#include "upstream/head.h"

static struct arena *arena;

static void
begin(void)
{
	arena = arena_new(4096);
}

static void
finish(void)
{
	arena_free(arena);
}

static const struct {
	const char *line;
	unsigned status;
} lines[] = {
	{ "HTTP/1.1 200 OK\r\n", 200 },
	{ "HTTP/1.0 404 \r\n", 404 },
	{ "HTTP/1.1 204\r\n", 204 },
	{ "HTTP/1.1 204\n\n", 204 },
	{ "HTTP/1.9 999 x\r\n", 999 },
	{ "HTTP/1.1 100 Continue\r\n", 100 },
	{ "HTTP/1.1 099 x\r\n", 0 },
	{ "HTTP/1.1 99 x\r\n", 0 },
	{ "HTTP/1.1 2000 x\r\n", 0 },
	{ "HTTP/1.1 200x\r\n", 0 },
	{ "HTTP/1.1  200 x\r\n", 0 },
	{ "HTTP/1.1\t200 x\r\n", 0 },
	{ "HTTP/1. 200 x\r\n", 0 },
	{ "HTTP/2.0 200 x\r\n", 0 },
	{ "HTTP/2 200 xyz\r\n", 0 },
	{ "http/1.1 200 x\r\n", 0 },
	{ " HTTP/1.1 200 x\r\n", 0 },
	{ "HTTP/1.1 -20 x\r\n", 0 },
	{ "HTTP/1.1 200", 0 },
	{ "", 0 },
};

START_TEST(a_status_line_is_exact)
{
	ck_assert_uint_eq(
	    head_status(str_of(lines[_i].line)), lines[_i].status);
}
END_TEST

static const struct {
	const char *fields;
	enum err err;
	const char *joined; /* "name=value;" of all fields */
} sections[] = {
	{ "", ERR_OK, ":status=200;" },
	{ "A: 1\r\nb:2\r\na:  3\t \r\n", ERR_OK, ":status=200;a=1;b=2;a=3;" },
	{ "a: 1\nb: 2\n", ERR_OK, ":status=200;a=1;b=2;" },
	{ "a:\r\nb: \t \r\n", ERR_OK, ":status=200;a=;b=;" },
	{ "a: x:y, \"z\"\r\n", ERR_OK, ":status=200;a=x:y, \"z\";" },
	{ "a: \xff\x80\r\n", ERR_OK, ":status=200;a=\xff\x80;" },
	{ "a: 1\r\n 2\r\n\t3\r\nb: 4\r\n", ERR_OK,
	    ":status=200;a=1 2\t3;b=4;" },
	{ "a: 1\r\n \r\nb: 4\r\n", ERR_OK, ":status=200;a=1;b=4;" },
	{ "content-length: 7\r\n", ERR_OK, ":status=200;content-length=7;" },
	{ "transfer-encoding: Chunked\r\n", ERR_OK,
	    ":status=200;transfer-encoding=Chunked;" },
	{ " a: 1\r\n", ERR_BAD, NULL },
	{ "a\r\n", ERR_BAD, NULL },
	{ ": 1\r\n", ERR_BAD, NULL },
	{ ":status: 500\r\n", ERR_BAD, NULL },
	{ "a : 1\r\n", ERR_BAD, NULL },
	{ "a b: 1\r\n", ERR_BAD, NULL },
	{ "a\xff: 1\r\n", ERR_BAD, NULL },
	{ "a: 1\rb: 2\r\n", ERR_BAD, NULL },
	{ "a: 1\r\r\n", ERR_BAD, NULL },
	{ "\rcontent-length: 1\r\n", ERR_BAD, NULL },
	{ "a: 1\r\n\rb: 2\r\n", ERR_BAD, NULL },
	{ "content-length: 1\r\ncontent-length: 1\r\n", ERR_BAD, NULL },
	{ "content-length: 1, 1\r\n", ERR_BAD, NULL },
	{ "content-length: +1\r\n", ERR_BAD, NULL },
	{ "content-length: 0x1\r\n", ERR_BAD, NULL },
	{ "content-length:\r\n", ERR_BAD, NULL },
	{ "content-length: 9223372036854775808\r\n", ERR_BAD, NULL },
	{ "content-length: 1\r\n 2\r\n", ERR_BAD, NULL },
	{ "content-length: 1\r\ntransfer-encoding: chunked\r\n", ERR_BAD,
	    NULL },
	{ "transfer-encoding: identity\r\n", ERR_BAD, NULL },
	{ "transfer-encoding: gzip, chunked\r\n", ERR_BAD, NULL },
	{ "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
	    ERR_BAD, NULL },
};

START_TEST(a_section_is_read_or_refused_as_a_whole)
{
	struct headers h;
	struct str raw = arena_printf(
	    arena, "HTTP/1.1 200 OK\r\n%s\r\n", sections[_i].fields);
	struct str joined = STR("");
	const char *reason = NULL;

	headers_init(&h, arena);
	ck_assert_int_eq(
	    head_parse(raw, HEAD_MAX_FIELDS, &h, &reason), sections[_i].err);
	if (sections[_i].err) {
		ck_assert_ptr_nonnull(reason);
		return;
	}
	for (size_t i = 0; i < h.n; i++)
		joined = arena_printf(arena, STR_FMT STR_FMT "=" STR_FMT ";",
		    STR_ARG(joined), STR_ARG(h.items[i].name),
		    STR_ARG(h.items[i].value));
	ck_assert_str_eq(joined.ptr, sections[_i].joined);
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	static const char raw[] = "HTTP/1.1 200 OK\r\na: 1\0002\r\n\r\n";
	struct headers h;
	const char *reason;

	headers_init(&h, arena);
	ck_assert_int_eq(head_parse((struct str){ raw, sizeof(raw) - 1 },
			     HEAD_MAX_FIELDS, &h, &reason),
	    ERR_BAD);
}
END_TEST

START_TEST(there_are_only_so_many_fields)
{
	struct str raw = STR("HTTP/1.1 200 OK\r\n");
	struct headers h;
	const char *reason;

	for (int i = 0; i <= HEAD_MAX_FIELDS; i++) {
		headers_init(&h, arena);
		ck_assert_int_eq(head_parse(arena_printf(arena, STR_FMT "\r\n",
						STR_ARG(raw)),
				     HEAD_MAX_FIELDS, &h, &reason),
		    ERR_OK);
		raw = arena_printf(arena, STR_FMT "a: 1\r\n", STR_ARG(raw));
	}
	headers_init(&h, arena);
	ck_assert_int_eq(
	    head_parse(raw, HEAD_MAX_FIELDS, &h, &reason), ERR_FULL);
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_upstream_head(void);

Suite *
suite_upstream_head(void)
{
	Suite *s = suite_create("upstream/head");
	TCase *t = tcase_create("sections");

	tcase_add_checked_fixture(t, begin, finish);
	TABLE_TEST(t, lines, a_status_line_is_exact);
	TABLE_TEST(t, sections, a_section_is_read_or_refused_as_a_whole);
	tcase_add_test(t, a_nul_byte_is_refused);
	tcase_add_test(t, there_are_only_so_many_fields);
	suite_add_tcase(s, t);
	return s;
}
