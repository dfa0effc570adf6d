#include "config.h"

#include <check.h>

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
	{ STR_INIT("\x7f"), "\"\\u007f\"" },
	{ STR_INIT("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\"" },
	{ STR_INIT("\xff"), "\"\xef\xbf\xbd\"" },
	{ STR_INIT("cut \xe2\x82"), "\"cut \xef\xbf\xbd\xef\xbf\xbd\"" },
	{ STR_INIT("\xed\xa0\x80"),
	    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ STR_INIT("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
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

Suite *suite_base_json(void);

Suite *
suite_base_json(void)
{
	Suite *s = suite_create("base/json");
	TCase *t = tcase_create("strings");

	tcase_add_loop_test(t, any_bytes_become_a_valid_json_string, 0,
	    sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(s, t);
	return s;
}
