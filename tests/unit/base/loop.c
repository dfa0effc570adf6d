#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "base/loop.h"

static struct loop *loop;
static size_t runs;

static void
begin(void)
{
	loop = loop_new();
	runs = 0;
}

static void
finish(void)
{
	loop_free(loop);
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void
run_again(void *arg)
{
	runs++;
	task_defer(loop, arg, run_again, arg);
}

START_TEST(tasks_that_go_on_leave_timers_their_turn)
{
	struct task task = { 0 };
	struct timer timer = { 0 };

	timer_set(loop, &timer, 2 * NS_PER_MS, stop, NULL);
	task_defer(loop, &task, run_again, &task);
	loop_run(loop);
	ck_assert_uint_gt(runs, 1);
	task_clear(loop, &task);
}
END_TEST

static void
count(void *arg)
{
	(void)arg;
	runs++;
}

static void
defer_and_stop(void *arg)
{
	task_defer(loop, arg, count, NULL);
	loop_stop(loop);
}

START_TEST(what_a_task_defers_runs_in_the_same_turn)
{
	struct task first = { 0 }, second = { 0 };

	task_defer(loop, &first, defer_and_stop, &second);
	loop_run(loop);
	ck_assert_uint_eq(runs, 1);
}
END_TEST

static void
clear_other(void *arg)
{
	task_clear(loop, arg);
}

START_TEST(a_task_that_is_cleared_does_not_run)
{
	struct task first = { 0 }, second = { 0 }, last = { 0 };

	task_defer(loop, &first, clear_other, &second);
	task_defer(loop, &second, count, NULL);
	task_defer(loop, &last, stop, NULL);
	loop_run(loop);
	ck_assert_uint_eq(runs, 0);
}
END_TEST

Suite *suite_base_loop(void);

Suite *
suite_base_loop(void)
{
	Suite *s = suite_create("base/loop");
	TCase *t = tcase_create("tasks");

	tcase_add_checked_fixture(t, begin, finish);
	tcase_add_test(t, tasks_that_go_on_leave_timers_their_turn);
	tcase_add_test(t, what_a_task_defers_runs_in_the_same_turn);
	tcase_add_test(t, a_task_that_is_cleared_does_not_run);
	suite_add_tcase(s, t);
	return s;
}
