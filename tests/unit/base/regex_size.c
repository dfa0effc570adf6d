#include "config.h"

#include <check.h>

#include "base/regex_size.h"

/* What a real Envoy says of the pattern's program. */
static const struct {
	const char *pattern;
	size_t size;
} patterns[] = {
	{ "/", 5 },
	{ "/a", 6 },
	{ "/.*", 7 },
	{ "a|b", 5 },
	{ "abc|abd|xyz", 10 },
	{ "/[a-z]+/x", 9 },
	{ "/(a|b)*", 8 },
	{ "[^/]+", 7 },
	{ "(?i)abc", 7 },
	{ "[Aa]bc", 7 },
	{ "(?i)[a-f]+", 6 },
	{ "\\d{3}-\\d{4}", 12 },
	{ "[[:^alpha:]]", 7 },
	{ "(a*)*", 11 },
	{ "(?:a+)?", 5 },
	{ "a*aab", 8 },
	{ "a{2,5}", 12 },
	{ "(ab){2,4}", 22 },
	{ "(a|ab|abc|abcd)", 13 },
	{ "(foo|fox|for)bar", 14 },
	{ "[ab]{2}c|[ab]{2}d", 7 },
	{ "a|(?s:.)|b", 5 },
	{ "(?s).*", 6 },
	{ "^abc$", 4 },
	{ "^/service/([^/]+)(/.*)$", 14 },
	{ "^(abc)$", 7 },
	{ "\\Qa.b\\E\\x41", 8 },
	{ "\xc3\xa9", 6 },
	{ "(\\b)*", 11 },
	{ "[a-z0-9]{50}", 104 },
	{ "[a-z0-9]{200}", 404 },
	{ "x{1000}", 1004 },
};

START_TEST(a_program_is_as_large_as_envoys)
{
	ck_assert_msg(
	    regex_size(str_of(patterns[_i].pattern)) == patterns[_i].size,
	    "%s: %zu", patterns[_i].pattern,
	    regex_size(str_of(patterns[_i].pattern)));
}
END_TEST

START_TEST(what_cannot_be_told_has_no_size)
{
	static const char *const unknown[] = { "\\pL", "(", ")", "[a", "*",
		"(?=a)", "a{1001}", "\\x{100}" };

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		ck_assert_msg(
		    regex_size(str_of(unknown[i])) == 0, "%s", unknown[i]);
}
END_TEST

START_TEST(a_program_without_bound_ends_at_the_maximum)
{
	ck_assert_uint_eq(
	    regex_size(STR("(?:(?:(?:a{0,1000}){0,1000}){0,1000}){1000}")),
	    REGEX_SIZE_MAX);
}
END_TEST

Suite *suite_base_regex_size(void);

Suite *
suite_base_regex_size(void)
{
	Suite *s = suite_create("base/regex_size");
	TCase *t = tcase_create("size");

	tcase_add_loop_test(t, a_program_is_as_large_as_envoys, 0,
	    sizeof(patterns) / sizeof(patterns[0]));
	tcase_add_test(t, what_cannot_be_told_has_no_size);
	tcase_add_test(t, a_program_without_bound_ends_at_the_maximum);
	suite_add_tcase(s, t);
	return s;
}
