#include "config.h"

#include <check.h>

#include "tests/unit/config/told.h"

static struct place
at(const struct source *source, unsigned line, unsigned column)
{
	return (struct place){ source, line, column };
}

START_TEST(entries_are_printed_in_file_order)
{
	struct told t = told_new("a: 1\nb: 2\n");
	const struct source *s = t.top->place.source;

	diag_error(t.diag, at(s, 2, 4), "b", "third");
	diag_error(t.diag, at(s, 1, 4), "a", "second");
	diag_hint(t.diag, "a hint for %s", "a");
	diag_warn(t.diag, at(s, 1, 1), NULL, "first");
	ck_assert_str_eq(told_text(&t),
	    "t:1:1: warning: first\n    a: 1\n    ^\n"
	    "t:1:4: error: a: second\n    a: 1\n       ^\n"
	    "  hint: a hint for a\n"
	    "t:2:4: error: b: third\n    b: 2\n       ^\n");
	ck_assert_uint_eq(diag_errors(t.diag), 2);
	ck_assert_str_eq(diag_message(t.diag, 0), "third");
	ck_assert_str_eq(diag_message(t.diag, 2), "first");
	ck_assert_ptr_null(diag_message(t.diag, 3));
	told_free(&t);
}
END_TEST

START_TEST(what_has_no_place_is_printed_without)
{
	struct told t = told_new("a: 1\n");

	diag_error(t.diag, (struct place){ 0 }, "a.b", "no %s", "place");
	ck_assert_str_eq(told_text(&t), "error: a.b: no place\n");
	told_free(&t);
}
END_TEST

START_TEST(the_same_at_the_same_place_is_said_once)
{
	struct told t = told_new("a: 1\n");
	const struct source *s = t.top->place.source;

	diag_error(t.diag, at(s, 1, 1), "x[0]", "bad");
	diag_error(t.diag, at(s, 1, 1), "x[1]", "bad");
	diag_hint(t.diag, "lost");
	diag_error(t.diag, at(s, 1, 1), "x[1]", "worse");
	ck_assert_str_eq(told_text(&t),
	    "t:1:1: error: x[0]: bad\n    a: 1\n    ^\n"
	    "t:1:1: error: x[1]: worse\n    a: 1\n    ^\n");
	told_free(&t);
}
END_TEST

START_TEST(the_caret_stands_under_the_character)
{
	struct told t = told_new("a: [\"\xc3\xa4\xc3\xb6\",\t5]\n");

	diag_error(
	    t.diag, t.top->items[0].value->items[1].value->place, NULL, "x");
	ck_assert_str_eq(told_text(&t),
	    "t:1:11: error: x\n    a: [\"\xc3\xa4\xc3\xb6\",\t5]\n"
	    "             \t^\n");
	told_free(&t);
}
END_TEST

START_TEST(a_long_line_is_shown_around_the_place)
{
	struct arena *arena = arena_new(4096);
	struct str text = STR("a: [0");
	struct told t;

	for (int i = 1; i < 200; i++)
		text = arena_printf(arena, STR_FMT ",%d", STR_ARG(text), i);
	t = told_new_bytes(arena_printf(arena, STR_FMT "]", STR_ARG(text)));
	diag_error(
	    t.diag, t.top->items[0].value->items[150].value->place, NULL, "x");
	told_must_say(&t, "    ...");
	told_must_say(&t, "149,150,151");
	told_must_say(&t, "...\n       "
			  "                                                  "
			  "^\n");
	told_free(&t);
	arena_free(arena);
}
END_TEST

START_TEST(bytes_that_move_a_terminal_are_shown_as_question_marks)
{
	struct told t = told_new("a: 1\n");

	diag_error(t.diag, (struct place){ 0 }, "p\x1b[2J",
	    "x\x1b[31m\r\x7f\xc2\x9b.");
	ck_assert_str_eq(told_text(&t), "error: p?[2J: x?[31m???.\n");
	told_free(&t);
}
END_TEST

START_TEST(entries_beyond_a_thousand_are_counted)
{
	struct told t = told_new("a: 1\n");

	for (int i = 0; i < 1500; i++)
		diag_error(t.diag, (struct place){ 0 }, NULL, "no. %d", i);
	ck_assert_uint_eq(diag_errors(t.diag), 1500);
	told_must_say(&t, "no. 999\nand 500 more\n");
	told_free(&t);
}
END_TEST

Suite *suite_config_diag(void);

Suite *
suite_config_diag(void)
{
	Suite *s = suite_create("config/diag");
	TCase *t = tcase_create("printing");

	tcase_add_test(t, entries_are_printed_in_file_order);
	tcase_add_test(t, what_has_no_place_is_printed_without);
	tcase_add_test(t, the_same_at_the_same_place_is_said_once);
	tcase_add_test(t, the_caret_stands_under_the_character);
	tcase_add_test(t, a_long_line_is_shown_around_the_place);
	tcase_add_test(
	    t, bytes_that_move_a_terminal_are_shown_as_question_marks);
	tcase_add_test(t, entries_beyond_a_thousand_are_counted);
	suite_add_tcase(s, t);
	return s;
}
