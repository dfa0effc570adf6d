#include "config.h"

#include <check.h>

#include "http/headers.h"

static struct arena *arena;
static struct headers h;

static void
set_up(void)
{
	arena = arena_new(1024);
	headers_init(&h, arena);
	headers_add(&h, STR("a"), STR("1"));
	headers_add(&h, STR("b"), STR("2"));
	headers_add(&h, STR("a"), STR("3"));
	headers_add(&h, STR("c"), STR("4"));
	headers_add(&h, STR("a"), STR("5"));
}

static void
tear_down(void)
{
	arena_free(arena);
}

static void
check(const char *expected)
{
	char text[64] = "";

	for (size_t i = 0; i < h.n; i++) {
		strncat(text, h.items[i].name.ptr, h.items[i].name.len);
		strncat(text, h.items[i].value.ptr, h.items[i].value.len);
	}
	ck_assert_str_eq(text, expected);
}

START_TEST(repeated_fields_are_counted_in_order)
{
	ck_assert(str_eq(headers_get(&h, STR("a")), STR("1")));
	ck_assert(str_eq(headers_nth(&h, STR("a"), 1), STR("3")));
	ck_assert(str_eq(headers_nth(&h, STR("a"), 2), STR("5")));
	ck_assert_ptr_null(headers_nth(&h, STR("a"), 3).ptr);
	ck_assert_ptr_null(headers_get(&h, STR("A")).ptr);
	ck_assert(str_eq(headers_joined(&h, STR("a")), STR("1,3,5")));
}
END_TEST

START_TEST(removing_takes_all_of_a_name_and_keeps_the_order)
{
	ck_assert_uint_eq(headers_remove(&h, STR("a")), 3);
	check("b2c4");
	ck_assert_uint_eq(headers_remove(&h, STR("a")), 0);
	ck_assert_uint_eq(headers_remove(&h, STR("c")), 1);
	check("b2");
}
END_TEST

START_TEST(many_names_are_removed_at_once)
{
	static const struct str names[] = { STR_INIT("c"), STR_INIT("aa"),
		STR_INIT("x"), STR_INIT("a") };
	char longest[70];
	struct str name = { longest, sizeof(longest) };

	memset(longest, 'l', sizeof(longest));
	headers_add(&h, name, STR("6"));
	headers_add(&h, str_slice(name, 1, name.len), STR("7"));
	headers_remove_all(&h, names, sizeof(names) / sizeof(names[0]));
	ck_assert_uint_eq(h.n, 3);
	ck_assert(str_eq(h.items[0].value, STR("2")));
	headers_remove_all(&h, &name, 1);
	ck_assert_uint_eq(h.n, 2);
	ck_assert(str_eq(h.items[1].value, STR("7")));
	headers_remove_all(&h, names, 0);
	ck_assert_uint_eq(h.n, 2);
}
END_TEST

START_TEST(setting_leaves_one_field_in_the_first_place)
{
	headers_set(&h, STR("a"), STR("9"));
	check("a9b2c4");
	headers_set(&h, STR("d"), STR("0"));
	check("a9b2c4d0");
}
END_TEST

START_TEST(a_name_is_made_of_token_characters)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (unsigned c = 0; c < 256; c++) {
		char name[2] = { 'x', (char)c };
		bool valid = (c && c < 128 && strchr(others, (int)c)) ||
			     ascii_is_digit((char)c) || ascii_is_alpha((char)c);
		if (header_name_is_valid((struct str){ name, 2 }) != valid)
			ck_abort_msg("character %02x", c);
	}
	ck_assert(!header_name_is_valid(STR("")));
}
END_TEST

START_TEST(a_value_has_no_line_end_and_no_nul)
{
	for (unsigned c = 0; c < 256; c++) {
		char value[] = "a value with x in its middle, and\ta tab";
		struct str s = { value, sizeof(value) - 1 };
		value[13] = (char)c;
		if (header_value_is_valid(s) !=
		    (c != '\r' && c != '\n' && c != '\0'))
			ck_abort_msg("character %02x", c);
	}
	ck_assert(header_value_is_valid(STR("")));
}
END_TEST

START_TEST(a_name_is_sought_in_lower_case_and_host_as_the_authority)
{
	struct str lower = STR("x-a");

	ck_assert_ptr_eq(header_name_sought(arena, lower).ptr, lower.ptr);
	ck_assert(str_eq(header_name_sought(arena, STR("X-A")), lower));
	ck_assert(
	    str_eq(header_name_sought(arena, STR("Host")), STR(":authority")));
	ck_assert(
	    str_eq(header_name_sought(arena, STR("hosts")), STR("hosts")));
}
END_TEST

Suite *suite_http_headers(void);

Suite *
suite_http_headers(void)
{
	Suite *s = suite_create("http/headers");
	TCase *t = tcase_create("fields");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, repeated_fields_are_counted_in_order);
	tcase_add_test(t, removing_takes_all_of_a_name_and_keeps_the_order);
	tcase_add_test(t, many_names_are_removed_at_once);
	tcase_add_test(t, setting_leaves_one_field_in_the_first_place);
	tcase_add_test(t, a_name_is_made_of_token_characters);
	tcase_add_test(t, a_value_has_no_line_end_and_no_nul);
	tcase_add_test(
	    t, a_name_is_sought_in_lower_case_and_host_as_the_authority);
	suite_add_tcase(s, t);
	return s;
}
