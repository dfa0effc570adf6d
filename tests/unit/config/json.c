#include "config.h"

#include <check.h>

#include "config/json.h"

static const char *const sound[] = {
	"{}",
	" [ ] \r\n",
	"\"a\\u00e4\\n\\/\\\\\\\"\"",
	"-0",
	"0.50e-07",
	"1E+5",
	"true",
	"[null, false, {\"a\": [1, 2], \"\": \"\"}]",
	"\"\xc3\xa4\"",
	"[[[]]]",
};

START_TEST(json_is_json)
{
	size_t at;

	ck_assert_ptr_null(json_error(str_of(sound[_i]), 3, &at));
	ck_assert_uint_eq(at, strlen(sound[_i]));
}
END_TEST

static const struct {
	const char *text;
	size_t at;
	const char *why;
} broken[] = {
	{ "", 0, "a value is expected" },
	{ "a: b", 0, "a value is expected" },
	{ "nul", 0, "a value is expected" },
	{ "trues", 4, "something follows the value" },
	{ "{} {}", 3, "something follows the value" },
	{ "{a: 1}", 1, "a text in double quotes is expected" },
	{ "{'a': 1}", 1, "a text in double quotes is expected" },
	{ "{\"a\" 1}", 5, "\":\" is expected" },
	{ "{\"a\": 1,}", 8, "a text in double quotes is expected" },
	{ "{\"a\": 1", 7, "\",\" or \"}\" is expected" },
	{ "[1 2]", 3, "\",\" or \"]\" is expected" },
	{ "[1,]", 3, "a value is expected" },
	{ "[1}", 2, "\",\" or \"]\" is expected" },
	{ "01", 1, "a number begins with a needless 0" },
	{ "-", 1, "a digit is expected" },
	{ ".5", 0, "a value is expected" },
	{ "5.", 2, "a digit is expected" },
	{ "5e", 2, "a digit is expected" },
	{ "+5", 0, "a value is expected" },
	{ "\"a", 2, "a text without its closing quote" },
	{ "\"a\\", 3, "no such escape" },
	{ "\"\\x\"", 2, "no such escape" },
	{ "\"\\u12g4\"", 5, "\\u takes four hexadecimal digits" },
	{ "\"a\nb\"", 2, "a control character in a text" },
	{ "[[[[]]]]", 4, "nested too deep" },
	{ "# a\n{}", 0, "a value is expected" },
};

START_TEST(what_is_not_json_is_told_with_its_place)
{
	size_t at;
	const char *why = json_error(str_of(broken[_i].text), 3, &at);

	ck_assert_ptr_nonnull(why);
	ck_assert_str_eq(why, broken[_i].why);
	ck_assert_uint_eq(at, broken[_i].at);
}
END_TEST

START_TEST(a_nul_ends_nothing)
{
	size_t at;

	ck_assert_ptr_nonnull(json_error(STR("{}\0"), 3, &at));
	ck_assert_uint_eq(at, 2);
	ck_assert_ptr_nonnull(json_error(STR("\"\0\""), 3, &at));
	ck_assert_uint_eq(at, 1);
}
END_TEST

Suite *suite_config_json(void);

Suite *
suite_config_json(void)
{
	Suite *s = suite_create("config/json");
	TCase *t = tcase_create("json");

	tcase_add_loop_test(
	    t, json_is_json, 0, sizeof(sound) / sizeof(sound[0]));
	tcase_add_loop_test(t, what_is_not_json_is_told_with_its_place, 0,
	    sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(t, a_nul_ends_nothing);
	suite_add_tcase(s, t);
	return s;
}
