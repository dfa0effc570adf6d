#include "config.h"

#include <check.h>

#include "base/regex.h"

static const struct {
	const char *pattern, *begin;
} begins[] = {
	{ "/users/[0-9]+", "/users/" },
	{ "^/users/.*", "/users/" },
	{ "/a\\.b\\/c\\-d(x|y)z", "/a.b/c-d" },
	{ "/ab*", "/a" },
	{ "/ab?c", "/a" },
	{ "/ab{0,3}c", "/a" },
	{ "/ab+c", "/ab" },
	{ "/a|/b", "" },
	{ "/x(a|b)", "/x" },
	{ "/x(a)|y", "" },
	{ "/x[(]|y", "" },
	{ "/x[|]y", "/x" },
	{ "/x[]|]y", "/x" },
	{ "/x[^]|]y", "/x" },
	{ "/x[[:alpha:]|]y", "" },
	{ "/x[a[:_b:]c|", "" },
	{ "/x[\\]|]y", "/x" },
	{ "(?i)/a", "" },
	{ "/a(?i)b", "" },
	{ "/a(?:b|c)", "/a" },
	{ "/a(?P<n>b|c)", "/a" },
	{ "/a\\Q|\\E", "" },
	{ "/a\\db", "/a" },
	{ "/a\xc3\xa9?", "/a" },
	{ "/a$", "/a" },
	{ ".*", "" },
	{ "x*", "" },
	{ "", "" },
	{ "^", "" },
};

START_TEST(only_what_every_match_begins_with_is_taken)
{
	struct arena *arena = arena_new(1024);
	struct str begin = regex_begin(arena, str_of(begins[_i].pattern));

	ck_assert_msg(str_eq(begin, str_of(begins[_i].begin)), "%s: " STR_FMT,
	    begins[_i].pattern, STR_ARG(begin));
	arena_free(arena);
}
END_TEST

Suite *suite_base_regex_begin(void);

Suite *
suite_base_regex_begin(void)
{
	Suite *s = suite_create("base/regex_begin");
	TCase *c = tcase_create("begin");

	tcase_add_loop_test(c, only_what_every_match_begins_with_is_taken, 0,
	    sizeof(begins) / sizeof(begins[0]));
	suite_add_tcase(s, c);
	return s;
}
