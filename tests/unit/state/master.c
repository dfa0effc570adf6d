#include "config.h"

#include <sys/wait.h>

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "state/master.h"

static struct state *state;
static struct master_report report;

static void
open_state(void)
{
	state = state_private();
}

static void
close_state(void)
{
	state_close(state);
}

START_TEST(a_master_is_found_with_what_it_said_last)
{
	int id = master_join(state, "/etc/x.yaml", 3);

	ck_assert_int_ge(id, 0);
	ck_assert_uint_eq(masters(state, 0, &report), 1);
	ck_assert_int_eq(report.pid, getpid());
	ck_assert_uint_eq(report.workers, 3);
	ck_assert_uint_eq(report.reloads, 0);
	ck_assert_int_eq(report.outcome, MASTER_STARTED);
	ck_assert_str_eq(report.config, "/etc/x.yaml");

	master_note(state, id, MASTER_REFUSED, STR("line 3 is wrong\n"));
	master_note(state, id, MASTER_RELOADED, STR("a warning\n"));
	ck_assert_uint_eq(masters(state, getpid(), &report), 1);
	ck_assert_uint_eq(report.reloads, 2);
	ck_assert_int_eq(report.outcome, MASTER_RELOADED);
	ck_assert_str_eq(report.text, "a warning\n");

	master_leave(state, id);
	ck_assert_uint_eq(masters(state, 0, &report), 0);
	ck_assert_int_eq(report.pid, 0);
}
END_TEST

START_TEST(long_texts_are_cut)
{
	static char text[2 * MASTER_TEXT_MAX];
	int id;

	memset(text, 'x', sizeof(text) - 1);
	id = master_join(state, text, 1);
	master_note(state, id, MASTER_REFUSED, str_of(text));
	ck_assert_uint_eq(masters(state, 0, &report), 1);
	ck_assert_uint_eq(strlen(report.config), MASTER_CONFIG_MAX - 1);
	ck_assert_uint_eq(strlen(report.text), MASTER_TEXT_MAX - 1);
}
END_TEST

START_TEST(the_dead_make_room)
{
	for (int i = 0; i < 100; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(master_join(state, "/c", 1) < 0);
		int status;
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(masters(state, 0, &report), 0);
	ck_assert_int_ge(master_join(state, "/c", 1), 0);
	ck_assert_uint_eq(masters(state, getpid() + 1, &report), 1);
	ck_assert_int_eq(report.pid, 0);
}
END_TEST

Suite *suite_state_master(void);

Suite *
suite_state_master(void)
{
	Suite *s = suite_create("state/master");
	TCase *t = tcase_create("masters");

	tcase_add_checked_fixture(t, open_state, close_state);
	tcase_add_test(t, a_master_is_found_with_what_it_said_last);
	tcase_add_test(t, long_texts_are_cut);
	tcase_add_test(t, the_dead_make_room);
	suite_add_tcase(s, t);
	return s;
}
