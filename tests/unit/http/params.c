#include "config.h"

#include <check.h>

#include "http/params.h"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new(4096);
}

static void
teardown(void)
{
	arena_free(arena);
}

static const struct {
	const char *target, *value, *without; /* of the parameter "t" */
} queries[] = {
	{ "/", NULL, "/" },
	{ "/?", NULL, "/?" },
	{ "/t=1", NULL, "/t=1" },
	{ "/?t=1", "1", "/" },
	{ "/?t", "", "/" },
	{ "/?t=", "", "/" },
	{ "/?a=b&t=1&c", "1", "/?a=b&c" },
	{ "/?t=1&t=2", "1", "/" },
	{ "/?t=1=2", "1=2", "/" },
	{ "/?tt=1&a=t=1", NULL, "/?tt=1&a=t=1" },
	{ "/?%74=%31%2", "1%2", "/" },
	{ "/?a=%20&&t=1&", "1", "/?a=%20&&" },
	{ "/?T=1", NULL, "/?T=1" },
	{ "/p?x?t=1", NULL, "/p?x?t=1" },
};

START_TEST(query_parameters_are_read_and_cut_out)
{
	struct str target = str_of(queries[_i].target), value, rest;

	value = params_query_get(arena, target, STR("t"));
	ck_assert_int_eq(value.ptr != NULL, queries[_i].value != NULL);
	ck_assert(str_eq(value, str_of(queries[_i].value)));
	rest = params_query_without(arena, target, STR("t"));
	ck_assert_msg(str_eq(rest, str_of(queries[_i].without)),
	    "%s gave " STR_FMT, queries[_i].target, STR_ARG(rest));
}
END_TEST

static const struct {
	const char *field, *value;
} cookies[] = {
	{ "", NULL },
	{ "t=1", "1" },
	{ "a=b; t=1; c=d", "1" },
	{ "a=b;t=1", "1" },
	{ "t=1; t=2", "1" },
	{ "t=\"1\"", "1" },
	{ "t=\"", "\"" },
	{ "t=", "" },
	{ "t", NULL },
	{ "tt=1; T=1", NULL },
	{ "t=a=b", "a=b" },
};

START_TEST(cookies_are_read)
{
	struct str value =
	    params_cookie_get(str_of(cookies[_i].field), STR("t"));

	ck_assert_int_eq(value.ptr != NULL, cookies[_i].value != NULL);
	ck_assert(str_eq(value, str_of(cookies[_i].value)));
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_http_params(void);

Suite *
suite_http_params(void)
{
	Suite *s = suite_create("http/params");
	TCase *t = tcase_create("params");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
	    t, query_parameters_are_read_and_cut_out, 0, N(queries));
	tcase_add_loop_test(t, cookies_are_read, 0, N(cookies));
	suite_add_tcase(s, t);
	return s;
}
