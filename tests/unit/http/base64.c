#include "config.h"

#include <check.h>

#include "http/base64.h"

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
	const char *bytes, *standard, *url;
} pairs[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "+//+", "-__-" },
	{ "\x80", "gA==", "gA" },
};

START_TEST(encodes_and_decodes_both_alphabets)
{
	struct str bytes = str_of(pairs[_i].bytes), out;

	ck_assert_str_eq(base64_encode(arena, bytes).ptr, pairs[_i].standard);
	ck_assert_str_eq(base64url_encode(arena, bytes).ptr, pairs[_i].url);
	ck_assert_int_eq(
	    base64_decode(arena, str_of(pairs[_i].standard), &out), ERR_OK);
	ck_assert(str_eq(out, bytes));
	ck_assert_int_eq(
	    base64url_decode(arena, str_of(pairs[_i].url), &out), ERR_OK);
	ck_assert(str_eq(out, bytes));
}
END_TEST

static const char *const bad_url[] = { "Zg==", "Zg=", "Z", "Zm9vY", "Zh", "Zm9",
	"Zm 8", "Zm8\n", "+//+", "Zm.8", "Zm8\x80" };
static const char *const bad_standard[] = { "Zg", "Zg=", "Zg===", "====", "=",
	"Zh==", "Zm9=", "-__-", "Zg==Zg==", "Zg ==", "Z===" };

START_TEST(one_value_has_one_base64url_spelling)
{
	struct str out;

	ck_assert_int_eq(
	    base64url_decode(arena, str_of(bad_url[_i]), &out), ERR_BAD);
}
END_TEST

START_TEST(one_value_has_one_base64_spelling)
{
	struct str out;

	ck_assert_int_eq(
	    base64_decode(arena, str_of(bad_standard[_i]), &out), ERR_BAD);
}
END_TEST

START_TEST(all_bytes_survive_the_way_there_and_back)
{
	char bytes[256];
	struct str out;

	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct str in = { bytes + 256 - n, n };
		ck_assert_int_eq(
		    base64url_decode(arena, base64url_encode(arena, in), &out),
		    ERR_OK);
		ck_assert(str_eq(out, in));
	}
}
END_TEST

Suite *suite_http_base64(void);

Suite *
suite_http_base64(void)
{
	Suite *s = suite_create("http/base64");
	TCase *t = tcase_create("base64");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, encodes_and_decodes_both_alphabets, 0,
	    sizeof(pairs) / sizeof(pairs[0]));
	tcase_add_loop_test(t, one_value_has_one_base64url_spelling, 0,
	    sizeof(bad_url) / sizeof(bad_url[0]));
	tcase_add_loop_test(t, one_value_has_one_base64_spelling, 0,
	    sizeof(bad_standard) / sizeof(bad_standard[0]));
	tcase_add_test(t, all_bytes_survive_the_way_there_and_back);
	suite_add_tcase(s, t);
	return s;
}
