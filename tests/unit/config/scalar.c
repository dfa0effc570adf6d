#include "config.h"

#include <check.h>

#include "config/scalar.h"

#define N(list) (sizeof(list) / sizeof(*(list)))

static const struct {
	const char *text;
	enum scalar_kind kind;
} kinds[] = {
	{ "", SCALAR_NULL },
	{ "~", SCALAR_NULL },
	{ "Null", SCALAR_NULL },
	{ "nULL", SCALAR_TEXT },
	{ "true", SCALAR_BOOL },
	{ "Yes", SCALAR_BOOL },
	{ "OFF", SCALAR_BOOL },
	{ "n", SCALAR_BOOL },
	{ "yES", SCALAR_TEXT },
	{ "tRue", SCALAR_TEXT },
	{ "0", SCALAR_INTEGER },
	{ "-12", SCALAR_INTEGER },
	{ "0x1f", SCALAR_INTEGER },
	{ "0o17", SCALAR_NUMBER },
	{ "99999999999999999999", SCALAR_NUMBER },
	{ "1.5", SCALAR_NUMBER },
	{ ".5", SCALAR_NUMBER },
	{ "1e5", SCALAR_NUMBER },
	{ "-.inf", SCALAR_NUMBER },
	{ ".NaN", SCALAR_NUMBER },
	{ ".", SCALAR_TEXT },
	{ "-", SCALAR_TEXT },
	{ "1e", SCALAR_TEXT },
	{ "1.2.3", SCALAR_TEXT },
	{ "12:30", SCALAR_TEXT },
	{ "0x", SCALAR_TEXT },
	{ "30s", SCALAR_TEXT },
};

START_TEST(a_plain_scalar_has_this_type)
{
	ck_assert_msg(scalar_kind(str_of(kinds[_i].text)) == kinds[_i].kind,
	    "%s", kinds[_i].text);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	uint64_t value;
} integers[] = {
	{ "0", true, 0 },
	{ "18446744073709551615", true, UINT64_MAX },
	{ "18446744073709551616", false, 0 },
	{ "1e3", true, 1000 },
	{ "5.0", true, 5 },
	{ "5.5", false, 0 },
	{ "010", false, 0 },
	{ "0x10", false, 0 },
	{ "-1", false, 0 },
	{ "", false, 0 },
	{ " 1", false, 0 },
	{ "1e30", false, 0 },
};

START_TEST(a_whole_number_is_read_or_refused)
{
	uint64_t value = 0;

	ck_assert_int_eq(
	    scalar_to_u64(str_of(integers[_i].text), &value), integers[_i].ok);
	ck_assert_uint_eq(value, integers[_i].value);
}
END_TEST

START_TEST(negative_numbers_reach_down_to_the_least)
{
	int64_t value;

	ck_assert(scalar_to_i64(STR("-9223372036854775808"), &value));
	ck_assert(value == INT64_MIN);
	ck_assert(!scalar_to_i64(STR("-9223372036854775809"), &value));
	ck_assert(!scalar_to_i64(STR("9223372036854775808"), &value));
	ck_assert(scalar_to_i64(STR("-7"), &value));
	ck_assert_int_eq(value, -7);
}
END_TEST

static const struct {
	const char *text;
	int64_t ns; /* -1: refused */
	bool in_protobuf;
} durations[] = {
	{ "0s", 0, true },
	{ "30s", 30000000000, true },
	{ "1.5s", 1500000000, true },
	{ "0.000000001s", 1, true },
	{ "1.0000000001s", -1, false },
	{ "250ms", 250000000, false },
	{ "1.5ms", 1500000, false },
	{ "5m", 300000000000, false },
	{ "1.5h", 5400000000000, false },
	{ "10000000000s", -1, false },
	{ "-1s", -1, false },
	{ "1", -1, false },
	{ "s", -1, false },
	{ "1.s", -1, false },
	{ ".5s", -1, false },
	{ "1 s", -1, false },
	{ "1d", -1, false },
};

START_TEST(a_duration_is_read_or_refused)
{
	int64_t ns = -1, seconds = -1;

	ck_assert_int_eq(scalar_to_duration(str_of(durations[_i].text), &ns),
	    durations[_i].ns >= 0);
	ck_assert_int_eq(ns, durations[_i].ns);
	ck_assert_int_eq(
	    scalar_to_seconds(str_of(durations[_i].text), &seconds),
	    durations[_i].in_protobuf);
}
END_TEST

static const struct {
	const char *text, *bytes; /* NULL: refused */
} encoded[] = {
	{ "", "" },
	{ "Zg==", "f" },
	{ "Zg", "f" },
	{ "Zm8=", "fo" },
	{ "Zm9v", "foo" },
	{ "Pz8_", "???" },
	{ "Pz8/", "???" },
	{ "Zm9vYmE=", "fooba" },
	{ "Z", NULL },
	{ "Zg=", NULL },
	{ "Zm9v====", NULL },
	{ "Z===", NULL },
	{ "Zm 9v", NULL },
	{ "Zm9v\n", NULL },
};

START_TEST(base64_is_read_or_refused)
{
	struct arena *arena = arena_new(256);
	struct str out = STR_NONE;

	ck_assert_int_eq(scalar_to_bytes(arena, str_of(encoded[_i].text), &out),
	    encoded[_i].bytes != NULL);
	if (encoded[_i].bytes)
		ck_assert(str_eq(out, str_of(encoded[_i].bytes)));
	arena_free(arena);
}
END_TEST

Suite *suite_config_scalar(void);

Suite *
suite_config_scalar(void)
{
	Suite *s = suite_create("config/scalar");
	TCase *t = tcase_create("reading");

	tcase_add_loop_test(t, a_plain_scalar_has_this_type, 0, N(kinds));
	tcase_add_loop_test(
	    t, a_whole_number_is_read_or_refused, 0, N(integers));
	tcase_add_test(t, negative_numbers_reach_down_to_the_least);
	tcase_add_loop_test(t, a_duration_is_read_or_refused, 0, N(durations));
	tcase_add_loop_test(t, base64_is_read_or_refused, 0, N(encoded));
	suite_add_tcase(s, t);
	return s;
}
