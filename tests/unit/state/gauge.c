#include "config.h"

#include <sys/wait.h>

#include <check.h>
#include <unistd.h>

#include "state/gauge.h"

static struct state *state;

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

START_TEST(a_gauge_goes_up_and_down)
{
	int id = gauge_find(state, STR("active"));

	state_join(state);
	ck_assert_int_ge(id, 0);
	ck_assert_int_eq(gauge_find(state, STR("active")), id);
	gauge_add(state, id, 3);
	gauge_add(state, id, -1);
	ck_assert_int_eq(gauge_get(state, id), 2);
	gauge_add(state, -1, 1);
	ck_assert_int_eq(gauge_get(state, -1), 0);
}
END_TEST

/* Runs fn in a process of its own; its end is part of the test. */
static void
in_a_child(void (*fn)(int id), int id)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		fn(id);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static void
die_with_two(int id)
{
	state_join(state);
	gauge_add(state, id, 2);
	if (gauge_get(state, id) != 3)
		_exit(1);
}

static void
join_and_leave(int id)
{
	state_join(state);
	gauge_add(state, id, 7);
	state_leave(state);
	gauge_add(state, id, 7);
}

START_TEST(what_a_dead_process_has_left_counts_until_the_next_one_joins)
{
	int id = gauge_find(state, STR("active"));

	state_join(state);
	gauge_add(state, id, 1);
	in_a_child(die_with_two, id);
	ck_assert_int_eq(gauge_get(state, id), 3);
	in_a_child(join_and_leave, id);
	ck_assert_int_eq(gauge_get(state, id), 1);
}
END_TEST

static void
add_up(void *arg, struct str name, uint64_t value)
{
	uint64_t *sum = arg;

	ck_assert(str_eq(name, STR("a")) || str_eq(name, STR("b")));
	*sum += value;
}

START_TEST(all_gauges_are_listed_and_none_is_below_zero)
{
	uint64_t sum = 0;

	state_join(state);
	gauge_add(state, gauge_find(state, STR("a")), 5);
	gauge_add(state, gauge_find(state, STR("b")), -5);
	gauge_each(state, add_up, &sum);
	ck_assert_uint_eq(sum, 5);
}
END_TEST

Suite *suite_state_gauge(void);

Suite *
suite_state_gauge(void)
{
	Suite *s = suite_create("state/gauge");
	TCase *t = tcase_create("gauges");

	tcase_add_checked_fixture(t, open_state, close_state);
	tcase_add_test(t, a_gauge_goes_up_and_down);
	tcase_add_test(
	    t, what_a_dead_process_has_left_counts_until_the_next_one_joins);
	tcase_add_test(t, all_gauges_are_listed_and_none_is_below_zero);
	suite_add_tcase(s, t);
	return s;
}
