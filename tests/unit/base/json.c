#include "config.h"

#include <check.h>
#include <cjson/cJSON.h>

#include "base/json.h"

static const struct {
	struct str in;
	const char *out;
} cases[] = {
	{ STR_INIT(""), "\"\"" },
	{ STR_INIT("plain"), "\"plain\"" },
	{ STR_INIT("a\"b\\c"), "\"a\\\"b\\\\c\"" },
	{ STR_INIT("tab\there"), "\"tab\\there\"" },
	{ STR_INIT("nul\0x"), "\"nul\\u0000x\"" },
	{ STR_INIT("\x7f"), "\"\x7f\"" },
	{ STR_INIT("\x01\x1f\b\f\n\r"), "\"\\u0001\\u001f\\b\\f\\n\\r\"" },
	{ STR_INIT("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"" },
	{ STR_INIT("\xe2\x82\xac\"\xf0\x9f\x98\x80"),
	    "\"\xe2\x82\xac\\\"\xf0\x9f\x98\x80\"" },
	{ STR_INIT("\xff"), "\"\\u00ff\"" },
	{ STR_INIT("cut \xe2\x82"), "\"cut \\u00e2\\u0082\"" },
	{ STR_INIT("\xed\xa0\x80"), "\"\\u00ed\\u00a0\\u0080\"" },
	{ STR_INIT("\xc0\xaf"), "\"\\u00c0\\u00af\"" },
	{ STR_INIT("a\"b\\c\td \xc3\xa9 \xff"),
	    "\"a\\u0022b\\u005cc\\u0009d \\u00c3\\u00a9 \\u00ff\"" },
};

START_TEST(any_bytes_become_a_valid_json_string)
{
	struct buf b;

	buf_init(&b, 1024);
	ck_assert_int_eq(json_append_string(&b, cases[_i].in), ERR_OK);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), ERR_OK);
	ck_assert_str_eq(buf_bytes(&b).ptr, cases[_i].out);
	buf_free(&b);
}
END_TEST

static const struct {
	double in;
	const char *out;
} numbers[] = {
	{ 0, "0" },
	{ -0.0, "-0" },
	{ 7, "7" },
	{ -3, "-3" },
	{ 1000, "1000" },
	{ 10000, "10000" },
	{ 100000, "1e+05" },
	{ 123456, "123456" },
	{ 1700000000, "1.7e+09" },
	{ 1700000001, "1700000001" },
	{ 2147483647, "2147483647" },
	{ 0.1, "0.1" },
	{ 1.5, "1.5" },
	{ -12.25, "-12.25" },
	{ 0.001, "0.001" },
	{ 0.0001, "1e-04" },
	{ 0.00123, "0.00123" },
	{ 1e21, "1e+21" },
	{ 1e-300, "1e-300" },
	{ 9007199254740993.0, "9007199254740992" },
	{ 3.141592653589793, "3.141592653589793" },
	{ 1e300 * 1e300, "null" },
};

START_TEST(a_number_takes_the_fewest_characters)
{
	struct buf b;

	buf_init(&b, 1024);
	ck_assert_int_eq(json_append_number(&b, numbers[_i].in), ERR_OK);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), ERR_OK);
	ck_assert_str_eq(buf_bytes(&b).ptr, numbers[_i].out);
	buf_free(&b);
}
END_TEST

START_TEST(members_are_sorted_and_blanks_dropped)
{
	cJSON *json = cJSON_Parse("{ \"b\": [1, {}, null, \"x\"], \"a\": "
				  "{\"z\": true, \"y\": 100000},\"B\":\"\"}");
	struct buf b;

	ck_assert_ptr_nonnull(json);
	buf_init(&b, 1024);
	ck_assert_int_eq(json_append_value(&b, json), ERR_OK);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), ERR_OK);
	ck_assert_str_eq(buf_bytes(&b).ptr,
	    "{\"B\":\"\",\"a\":{\"y\":1e+05,\"z\":true},"
	    "\"b\":[1,{},null,\"x\"]}");
	buf_free(&b);
	cJSON_Delete(json);
}
END_TEST

START_TEST(what_does_not_fit_changes_nothing_but_fails)
{
	struct buf b;

	buf_init(&b, 8);
	ck_assert_int_eq(json_append_text(&b, STR("123456789")), ERR_FULL);
	ck_assert_int_eq(json_append_text(&b, STR("\n\n\n\n\n")), ERR_FULL);
	ck_assert_uint_eq(buf_len(&b), 0);
	ck_assert_int_eq(json_append_text(&b, STR("\n\n\n\n")), ERR_OK);
	ck_assert_uint_eq(buf_len(&b), 8);
	buf_free(&b);
}
END_TEST

Suite *suite_base_json(void);

Suite *
suite_base_json(void)
{
	Suite *s = suite_create("base/json");
	TCase *t = tcase_create("strings");

	tcase_add_loop_test(t, any_bytes_become_a_valid_json_string, 0,
	    sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(t, a_number_takes_the_fewest_characters, 0,
	    sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_test(t, members_are_sorted_and_blanks_dropped);
	tcase_add_test(t, what_does_not_fit_changes_nothing_but_fails);
	suite_add_tcase(s, t);
	return s;
}
