#include "config.h"

#include <check.h>
#include <stdio.h>

#include "state/word.h"

START_TEST(a_word_keeps_what_was_written_last)
{
	struct state *s = state_private();
	int a = word_find(s, STR("a")), b = word_find(s, STR("b"));

	ck_assert_int_ne(a, b);
	ck_assert_uint_eq(word_get(s, a), 0);
	word_set(s, a, UINT64_MAX);
	word_set(s, a, 7);
	ck_assert_uint_eq(word_get(s, word_find(s, STR("a"))), 7);
	ck_assert_uint_eq(word_get(s, b), 0);
	state_close(s);
}
END_TEST

START_TEST(what_has_no_room_keeps_nothing)
{
	struct state *s = state_private();
	char name[16];

	for (int i = 0; i < 64; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		ck_assert_int_ge(word_find(s, str_of(name)), 0);
	}
	ck_assert_int_eq(word_find(s, STR("another")), -1);
	word_set(s, -1, 5);
	ck_assert_uint_eq(word_get(s, -1), 0);
	state_close(s);
}
END_TEST

Suite *suite_state_word(void);

Suite *
suite_state_word(void)
{
	Suite *s = suite_create("state/word");
	TCase *t = tcase_create("words");

	tcase_add_test(t, a_word_keeps_what_was_written_last);
	tcase_add_test(t, what_has_no_room_keeps_nothing);
	suite_add_tcase(s, t);
	return s;
}
