#include "config.h"

#include <check.h>

#include "base/str.h"

START_TEST(a_control_character_is_found_wherever_it_stands)
{
	char text[40];
	struct str s = { text, sizeof(text) };

	for (unsigned c = 0; c < 256; c++)
		for (size_t at = 0; at < s.len; at++) {
			memset(text, at % 2 ? ' ' : '\xff', sizeof(text));
			text[at] = (char)c;
			if (str_find_control(s, 0) != (c < ' ' ? at : s.len) ||
			    str_find_control(s, at + 1) != s.len)
				ck_abort_msg("%02x at %zu", c, at);
		}
	ck_assert_uint_eq(str_find_control(STR_NONE, 0), 0);
	ck_assert_uint_eq(str_find_control(STR("abc"), 7), 3);
}
END_TEST

START_TEST(the_first_of_several_is_found_then_the_next)
{
	struct str s = STR("0123456789\tabcdefgh\n\tz");

	ck_assert_uint_eq(str_find_control(s, 0), 10);
	ck_assert_uint_eq(str_find_control(s, 11), 19);
	ck_assert_uint_eq(str_find_control(s, 20), 20);
	ck_assert_uint_eq(str_find_control(s, 21), s.len);
}
END_TEST

START_TEST(a_number_is_written_as_it_is_read)
{
	static const uint64_t numbers[] = { 0, 9, 10, 12345, UINT64_MAX };
	char room[STR_U64_MAX];
	uint64_t again;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		ck_assert(str_to_u64(str_from_u64(room, numbers[i]), &again));
		ck_assert(again == numbers[i]);
	}
	ck_assert(str_eq(str_from_u64(room, 0), STR("0")));
	ck_assert(str_eq(
	    str_from_u64(room, UINT64_MAX), STR("18446744073709551615")));
}
END_TEST

Suite *suite_base_str(void);

Suite *
suite_base_str(void)
{
	Suite *s = suite_create("base/str");
	TCase *t = tcase_create("searching");

	tcase_add_test(t, a_control_character_is_found_wherever_it_stands);
	tcase_add_test(t, the_first_of_several_is_found_then_the_next);
	tcase_add_test(t, a_number_is_written_as_it_is_read);
	suite_add_tcase(s, t);
	return s;
}
