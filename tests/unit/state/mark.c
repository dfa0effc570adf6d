#include "config.h"

#include <check.h>
#include <stdio.h>

#include "base/clock.h"
#include "state/mark.h"

#define NOW (1000 * NS_PER_S)

static struct state *state;

static void
setup(void)
{
	state = state_private();
}

static void
teardown(void)
{
	state_close(state);
}

START_TEST(without_one_nothing_is_a_mark)
{
	ck_assert(!mark_is_good(state, NOW, STR("")));
	ck_assert(
	    !mark_is_good(state, NOW, STR("00000000000000000000000000000000")));
	ck_assert(
	    !mark_is_good(state, NOW, STR("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")));
}
END_TEST

START_TEST(a_mark_is_good_for_its_time)
{
	char text[MARK_LEN + 1];

	ck_assert_int_eq(mark_renew(state, NOW, text), ERR_OK);
	ck_assert_uint_eq(strlen(text), MARK_LEN);
	ck_assert(mark_is_good(state, NOW, str_of(text)));
	ck_assert(mark_is_good(
	    state, NOW + (MARK_LIFE_S - 1) * NS_PER_S, str_of(text)));
	ck_assert(
	    !mark_is_good(state, NOW + MARK_LIFE_S * NS_PER_S, str_of(text)));
	/* A time that cannot be is none. */
	ck_assert(!mark_is_good(state, NOW - 2 * NS_PER_S, str_of(text)));
}
END_TEST

START_TEST(renewed_it_is_the_same_and_holds_longer)
{
	char first[MARK_LEN + 1], second[MARK_LEN + 1];
	int64_t later = NOW + 50 * NS_PER_S;

	ck_assert_int_eq(mark_renew(state, NOW, first), ERR_OK);
	ck_assert_int_eq(mark_renew(state, later, second), ERR_OK);
	ck_assert_str_eq(first, second);
	ck_assert(mark_is_good(state, later + 50 * NS_PER_S, str_of(first)));
}
END_TEST

START_TEST(after_its_end_there_is_another)
{
	char first[MARK_LEN + 1], second[MARK_LEN + 1];

	ck_assert_int_eq(mark_renew(state, NOW, first), ERR_OK);
	mark_drop(state);
	ck_assert(!mark_is_good(state, NOW, str_of(first)));
	ck_assert_int_eq(mark_renew(state, NOW, second), ERR_OK);
	ck_assert_str_ne(first, second);
	ck_assert(!mark_is_good(state, NOW, str_of(first)));
	ck_assert_int_eq(mark_renew(state, NOW + 61 * NS_PER_S, first), ERR_OK);
	ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(any_other_text_is_no_mark)
{
	char text[MARK_LEN + 1];

	ck_assert_int_eq(mark_renew(state, NOW, text), ERR_OK);
	ck_assert(!mark_is_good(state, NOW, str_slice(str_of(text), 0, 31)));
	for (size_t i = 0; i < MARK_LEN; i++) {
		char saved = text[i];

		text[i] = saved == 'a' ? 'b' : 'a';
		ck_assert(!mark_is_good(state, NOW, str_of(text)));
		text[i] = saved;
	}
	ck_assert(mark_is_good(state, NOW, str_of(text)));
}
END_TEST

Suite *suite_state_mark(void);

Suite *
suite_state_mark(void)
{
	Suite *s = suite_create("state/mark");
	TCase *t = tcase_create("mark");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, without_one_nothing_is_a_mark);
	tcase_add_test(t, a_mark_is_good_for_its_time);
	tcase_add_test(t, renewed_it_is_the_same_and_holds_longer);
	tcase_add_test(t, after_its_end_there_is_another);
	tcase_add_test(t, any_other_text_is_no_mark);
	suite_add_tcase(s, t);
	return s;
}
