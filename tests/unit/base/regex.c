#include "config.h"

#include <check.h>

#include "base/regex.h"

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

static const struct regex *
compiled(const char *pattern)
{
	const struct regex *re = NULL;
	const char *why;
	enum err err = regex_compile(arena, str_of(pattern), &re, &why);

	ck_assert_msg(!err, "%s: %s", pattern, why ? why : "");
	return re;
}

static const struct {
	const char *pattern, *text;
	bool whole, part;
} matches[] = {
	{ "/api/.*", "/api/users", true, true },
	{ "/api", "/api/users", false, true },
	{ "api", "/api", false, true },
	{ "", "", true, true },
	{ "", "x", false, true },
	{ "a|ab", "ab", true, true },
	{ "^/v[0-9]+$", "/v12", true, true },
	{ "^/v[0-9]+$", "/v12\n", false, false },
	{ "a.b", "a\nb", false, false },
	{ "(?s)a.b", "a\nb", true, true },
	{ "(?i)ABC", "abc", true, true },
	{ "(?i:A)bc", "aBc", false, false },
	{ "(?U)a+", "aaa", true, true },
	{ "\\s", "\v", false, false },
	{ "\\s", "\t", true, true },
	{ "[\\s]", "\v", false, false },
	{ "[\\s]", " ", true, true },
	{ "\\S", "\v", true, true },
	{ "\\v", "\v", true, true },
	{ "\\v", "\n", false, false },
	{ "\\101", "A", true, true },
	{ "\\0", "0", false, false },
	{ "\\x41\\x{42}", "AB", true, true },
	{ "\\Qa.b*\\E+", "a.b**", true, true },
	{ "a{,2}", "a{,2}", true, true },
	{ "a{2}", "aa", true, true },
	{ "a{2,}", "aaaa", true, true },
	{ "a{1,2}", "aaa", false, true },
	{ "{", "{", true, true },
	{ "[]a]+", "]a", true, true },
	{ "[^]a]", "b", true, true },
	{ "[[]", "[", true, true },
	{ "[[:alpha:]]+", "abc", true, true },
	{ "[[:^alpha:]]", "1", true, true },
	{ "[a-c\\]]+", "b]", true, true },
	{ "\\/\\-\\_\\.", "/-_.", true, true },
	{ "(?P<id>[0-9]+)", "7", true, true },
	{ "(?<id>[0-9]+)", "7", true, true },
	{ "\\bfoo\\b", "a foo b", false, true },
	{ "\\Afoo\\z", "foo", true, true },
	{ "a??b", "b", true, true },
	{ ".", "\xc3\xa9", false, true },
	{ "\\pL", "\xc3\xa9", true, true },
	{ "\xc3\xa9.", "\xc3\xa9\xc3\xa9", true, true },
	{ "\xc3\xa9?", "\xff", false, true },
	{ "\xc3\xa9?|/a", "\xff", false, true },
	{ "\xc3\xa9?|/a", "\xff/a", false, true },
	{ "x#y z", "x#y z", true, true },
};

START_TEST(matches_as_re2_does)
{
	const struct regex *re = compiled(matches[_i].pattern);
	struct str text = str_of(matches[_i].text);

	ck_assert_msg(regex_matches(re, text) == matches[_i].whole, "whole %s",
	    matches[_i].pattern);
	ck_assert_msg(regex_finds(re, text) == matches[_i].part, "part of %s",
	    matches[_i].pattern);
}
END_TEST

static const struct {
	const char *pattern, *why;
} refused[] = {
	{ "(?=a)", "lookaround" },
	{ "(?!a)", "lookaround" },
	{ "(?<=a)", "lookaround" },
	{ "(?<!a)", "lookaround" },
	{ "(?>a)", "group that RE2" },
	{ "(?|a|b)", "group that RE2" },
	{ "(?#x)", "group that RE2" },
	{ "(?R)", "group that RE2" },
	{ "(?1)", "group that RE2" },
	{ "(?&x)", "group that RE2" },
	{ "(?C1)", "group that RE2" },
	{ "(?(1)a|b)", "group that RE2" },
	{ "(?x)a", "group that RE2" },
	{ "(?P=x)", "backreference" },
	{ "(?P>x)", "recursion" },
	{ "(?'x'a)", "group that RE2" },
	{ "(*UTF)a", "verb" },
	{ "(a)\\1", "backreference" },
	{ "(a)\\8", "backreference" },
	{ "(a)\\k<x>", "backreference" },
	{ "(a)\\g1", "backreference" },
	{ "a\\Kb", "\\K" },
	{ "a++", "possessive" },
	{ "a*+", "possessive" },
	{ "a?+", "possessive" },
	{ "a{2}+", "possessive" },
	{ "a**", "quantifier" },
	{ "a{2}{3}", "quantifier" },
	{ "a{1001}", "1000" },
	{ "a{1,1001}", "1000" },
	{ "a{99999999999999999999}", "1000" },
	{ "\\R", "RE2" },
	{ "\\X", "RE2" },
	{ "\\h", "RE2" },
	{ "\\N", "RE2" },
	{ "\\Z", "RE2" },
	{ "\\G", "RE2" },
	{ "\\C", "RE2" },
	{ "\\e", "RE2" },
	{ "\\c", "RE2" },
	{ "[\\b]", "within a class" },
	{ "\\x4", "\\x" },
	{ "\\x{110000}", "10FFFF" },
	{ "\\x{4", "\\x" },
	{ "\\p{L", "\\p{" },
	{ "a\\", "backslash" },
	{ "(a", "malformed" },
	{ "a)", "malformed" },
	{ "[a", "unclosed" },
	{ "[]", "unclosed" },
	{ "*a", "malformed" },
	{ "[z-a]", "malformed" },
	{ "[[:nope:]]", "malformed" },
};

START_TEST(what_re2_cannot_do_is_refused_with_the_reason)
{
	const struct regex *re;
	const char *why;

	ck_assert_msg(regex_compile(arena, str_of(refused[_i].pattern), &re,
			  &why) == ERR_BAD,
	    "%s was accepted", refused[_i].pattern);
	ck_assert_msg(
	    strstr(why, refused[_i].why), "%s: %s", refused[_i].pattern, why);
}
END_TEST

START_TEST(a_pattern_that_backtracks_without_end_is_still_answered)
{
	char text[4001];

	/* It holds all that the patterns require, in the wrong order. */
	memset(text, 'a', sizeof(text));
	memcpy(text + 3997, "cb", 3);
	ck_assert(!regex_matches(compiled("(a*)*b"), str_of(text)));
	ck_assert(!regex_matches(compiled("(a|aa)+b"), str_of(text)));
	ck_assert(!regex_finds(compiled("(a|aa)+bb"), str_of(text)));
	ck_assert(regex_matches(compiled("(a*)*b|(a|aa)+cb"), str_of(text)));
	ck_assert(regex_finds(compiled("(?:a|aa)+b|c"), str_of(text)));
	ck_assert(
	    !regex_replace(arena, compiled("(a|aa)+b"), str_of(text), STR("x"))
		 .ptr);
}
END_TEST

static const struct {
	const char *pattern, *text, *substitution, *result;
} replacements[] = {
	{ "^/api/users/?(.*)$", "/api/users/7", "/\\1", "/7" },
	{ "^/api/users/?(.*)$", "/api/users", "/\\1", "/" },
	{ "^/api/users/?(.*)$", "/other", "/\\1", "/other" },
	{ "a", "banana", "o", "bonono" },
	{ "b*", "abc", "-", "-a-c-" },
	{ "", "abc", "-", "-a-b-c-" },
	{ "", "", "x", "x" },
	{ "(a)(b)?", "a", "[\\0\\1\\2]", "[aa]" },
	{ "a", "a", "\\\\", "\\" },
	{ "x*", "\xc3\xa9\xc3\xa9", "-", "-\xc3-\xa9-\xc3-\xa9-" },
	{ "\xc3\xa8*", "\xc3\xa9\xc3\xa9", "-", "-\xc3\xa9-\xc3\xa9-" },
	{ "^a", "aaa", "b", "baa" },
	{ "(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", "abcdefghijk", "\\9\\0",
	    "iabcdefghijk" },
};

START_TEST(replaces_as_re2_does)
{
	struct str result = regex_replace(arena,
	    compiled(replacements[_i].pattern), str_of(replacements[_i].text),
	    str_of(replacements[_i].substitution));

	ck_assert_msg(str_eq(result, str_of(replacements[_i].result)),
	    "%s gave " STR_FMT, replacements[_i].pattern, STR_ARG(result));
}
END_TEST

START_TEST(a_result_beyond_64_kib_is_absent)
{
	char text[2049];

	memset(text, 'a', sizeof(text));
	text[2048] = '\0';
	ck_assert(!regex_replace(arena, compiled("a"), str_of(text),
	    STR("0123456789012345678901234567890123"))
		       .ptr);
	ck_assert_uint_eq(regex_replace(arena, compiled("a"), str_of(text),
			      STR("01234567890123456789012345678901"))
			      .len,
	    65536);
}
END_TEST

START_TEST(a_substitution_names_only_groups_that_exist)
{
	const struct regex *re = compiled("(a)(b)");

	ck_assert(regex_substitution_is_valid(re, STR("x\\0\\1\\2\\\\")));
	ck_assert(!regex_substitution_is_valid(re, STR("\\3")));
	ck_assert(!regex_substitution_is_valid(re, STR("\\x")));
	ck_assert(!regex_substitution_is_valid(re, STR("x\\")));
}
END_TEST

START_TEST(a_pattern_beyond_4096_bytes_is_refused)
{
	char text[4098];
	const struct regex *re;
	const char *why;

	memset(text, 'a', sizeof(text));
	text[4096] = '\0';
	ck_assert_int_eq(regex_compile(arena, str_of(text), &re, &why), ERR_OK);
	text[4096] = 'a';
	text[4097] = '\0';
	ck_assert_int_eq(
	    regex_compile(arena, str_of(text), &re, &why), ERR_BAD);
}
END_TEST

Suite *suite_base_regex(void);

Suite *
suite_base_regex(void)
{
	Suite *s = suite_create("base/regex");
	TCase *t = tcase_create("regex");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
	    t, matches_as_re2_does, 0, sizeof(matches) / sizeof(matches[0]));
	tcase_add_loop_test(t, what_re2_cannot_do_is_refused_with_the_reason, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(
	    t, a_pattern_that_backtracks_without_end_is_still_answered);
	tcase_add_loop_test(t, replaces_as_re2_does, 0,
	    sizeof(replacements) / sizeof(replacements[0]));
	tcase_add_test(t, a_result_beyond_64_kib_is_absent);
	tcase_add_test(t, a_substitution_names_only_groups_that_exist);
	tcase_add_test(t, a_pattern_beyond_4096_bytes_is_refused);
	suite_add_tcase(s, t);
	return s;
}
