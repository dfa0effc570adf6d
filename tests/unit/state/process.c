#include "config.h"

#include <check.h>
#include <signal.h>

#include "base/clock.h"
#include "state/file.h"
#include "tests/unit/state/crowd.h"

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

static void
count(void *arg, pid_t pid, int64_t joined_ns)
{
	int *n = arg;

	ck_assert_int_gt(pid, 0);
	ck_assert_int_gt(joined_ns, 0);
	++*n;
}

static int
living(void)
{
	int n = 0;

	state_processes(state, count, &n);
	return n;
}

START_TEST(a_process_is_listed_once_until_it_leaves)
{
	ck_assert_int_eq(living(), 0);
	state_join(state);
	state_join(state);
	ck_assert_int_eq(living(), 1);
	state_leave(state);
	ck_assert_int_eq(living(), 0);
}
END_TEST

struct shared {
	_Atomic int joined;
};

static void
join_at(void *arg, int i)
{
	struct shared *shared = arg;

	clock_set((1000 + i) * NS_PER_S, 0);
	state_join(state);
	(void)atomic_fetch_add(&shared->joined, 1);
	for (;;)
		(void)pause();
}

START_TEST(killed_processes_are_gone_and_the_longest_living_counts)
{
	struct shared *shared = crowd_memory(sizeof(*shared));
	struct crowd crowd;

	clock_set(5000 * NS_PER_S, 0);
	ck_assert_int_eq(state_started_ns(state), 5000 * NS_PER_S);
	state_join(state);
	crowd_start(&crowd, 4, join_at, shared);
	while (atomic_load(&shared->joined) < 4)
		(void)sched_yield();
	ck_assert_int_eq(living(), 5);
	ck_assert_int_eq(state_started_ns(state), 1000 * NS_PER_S);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(kill(crowd.pids[i], SIGKILL), 0);
	ck_assert_int_eq(crowd_wait(&crowd), 0);
	ck_assert_int_eq(living(), 1);
	ck_assert_int_eq(state_started_ns(state), 5000 * NS_PER_S);
}
END_TEST

static void
join_and_die(void *arg, int i)
{
	(void)arg;
	(void)i;
	state_join(state);
}

START_TEST(entries_of_the_dead_are_used_again)
{
	for (int i = 0; i < 20; i++)
		crowd_run(32, join_and_die, NULL);
	state_join(state);
	ck_assert_int_eq(living(), 1);
}
END_TEST

Suite *suite_state_process(void);

Suite *
suite_state_process(void)
{
	Suite *s = suite_create("state/process");
	TCase *t = tcase_create("list");

	tcase_add_checked_fixture(t, open_state, close_state);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_process_is_listed_once_until_it_leaves);
	tcase_add_test(
	    t, killed_processes_are_gone_and_the_longest_living_counts);
	tcase_add_test(t, entries_of_the_dead_are_used_again);
	suite_add_tcase(s, t);
	return s;
}
