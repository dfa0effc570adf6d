#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include "state/quota.h"
#include "tests/unit/state/crowd.h"

enum { LIMIT = 5, PROCESSES_AT_ONCE = 8, ROUNDS = 4000 };

static struct state *state;
static int id;

static void
open_state(void)
{
	state = state_private();
	state_join(state);
	id = quota_find(state, STR("cluster.a.requests"));
	ck_assert_int_ge(id, 0);
}

static void
close_state(void)
{
	state_leave(state);
	state_close(state);
}

START_TEST(no_more_are_taken_than_allowed)
{
	for (unsigned i = 0; i < LIMIT; i++)
		ck_assert(quota_take(state, id, LIMIT));
	ck_assert(!quota_take(state, id, LIMIT));
	ck_assert_uint_eq(quota_taken(state, id), LIMIT);
	quota_give(state, id);
	ck_assert_uint_eq(quota_taken(state, id), LIMIT - 1);
	ck_assert(quota_take(state, id, LIMIT));
	ck_assert(!quota_take(state, id, LIMIT - 1));
	quota_force(state, id);
	ck_assert_uint_eq(quota_taken(state, id), LIMIT + 1);
}
END_TEST

START_TEST(a_limit_of_none_refuses_all)
{
	ck_assert(!quota_take(state, id, 0));
	ck_assert_uint_eq(quota_taken(state, id), 0);
}
END_TEST

START_TEST(what_is_not_held_is_not_given_back)
{
	quota_give(state, id);
	ck_assert_uint_eq(quota_taken(state, id), 0);
	ck_assert(quota_take(state, id, 1));
	ck_assert(!quota_take(state, id, 1));
}
END_TEST

START_TEST(names_are_apart)
{
	int other = quota_find(state, STR("cluster.b.requests"));

	ck_assert_int_ne(other, id);
	ck_assert_int_eq(quota_find(state, STR("cluster.b.requests")), other);
	ck_assert(quota_take(state, id, 1));
	ck_assert(quota_take(state, other, 1));
	ck_assert(!quota_take(state, -1, 1));
	quota_give(state, -1);
	ck_assert_uint_eq(quota_taken(state, -1), 0);
}
END_TEST

START_TEST(a_process_that_is_not_listed_has_no_quota)
{
	state_leave(state);
	ck_assert_int_eq(quota_find(state, STR("cluster.a.requests")), -1);
	ck_assert(!quota_take(state, id, 1));
}
END_TEST

START_TEST(leaving_gives_everything_back)
{
	ck_assert(quota_take(state, id, LIMIT));
	ck_assert(quota_take(state, id, LIMIT));
	state_join(state);
	ck_assert_uint_eq(quota_taken(state, id), 0);
}
END_TEST

struct shared {
	_Atomic int held, most;
};

static void
note_held(struct shared *shared)
{
	int held = atomic_fetch_add(&shared->held, 1) + 1;
	int most = atomic_load(&shared->most);

	while (held > most &&
	       !atomic_compare_exchange_weak(&shared->most, &most, held))
		;
}

static void
take_and_give(void *arg, int i)
{
	struct shared *shared = arg;

	(void)i;
	state_join(state);
	for (int round = 0; round < ROUNDS; round++) {
		if (!quota_take(state, id, LIMIT))
			continue;
		note_held(shared);
		(void)atomic_fetch_sub(&shared->held, 1);
		quota_give(state, id);
	}
	state_leave(state);
}

START_TEST(many_processes_share_one_limit)
{
	struct shared *shared = crowd_memory(sizeof(*shared));

	crowd_run(PROCESSES_AT_ONCE, take_and_give, shared);
	ck_assert_int_le(atomic_load(&shared->most), LIMIT);
	ck_assert_int_gt(atomic_load(&shared->most), 0);
	ck_assert_uint_eq(quota_taken(state, id), 0);
	for (unsigned i = 0; i < LIMIT; i++)
		ck_assert(quota_take(state, id, LIMIT));
	ck_assert(!quota_take(state, id, LIMIT));
}
END_TEST

static void
hammer(void *arg, int i)
{
	_Atomic int *going = arg;

	(void)i;
	state_join(state);
	(void)atomic_fetch_add(going, 1);
	for (;;)
		for (int n = 0; n < 7; n++)
			if (n < 4)
				(void)quota_take(state, id, 1000);
			else
				quota_give(state, id);
}

/* Wherever they are at that moment. */
static void
kill_all(struct crowd *crowd)
{
	for (int i = 0; i < crowd->n; i++)
		ck_assert_int_eq(kill(crowd->pids[i], SIGKILL), 0);
	(void)crowd_wait(crowd);
}

START_TEST(what_killed_processes_held_is_taken_back)
{
	_Atomic int *going = crowd_memory(sizeof(*going));
	struct crowd crowd;

	ck_assert(quota_take(state, id, 1000));
	for (int round = 0; round < 20; round++) {
		atomic_store(going, 0);
		crowd_start(&crowd, 4, hammer, going);
		while (atomic_load(going) < 4 || quota_taken(state, id) < 50)
			(void)sched_yield();
		kill_all(&crowd);
		ck_assert(state_reap(state));
		ck_assert(!state_reap(state));
		ck_assert_uint_eq(quota_taken(state, id), 1);
	}
	quota_give(state, id);
	ck_assert_uint_eq(quota_taken(state, id), 0);
}
END_TEST

Suite *suite_state_quota(void);

Suite *
suite_state_quota(void)
{
	Suite *s = suite_create("state/quota");
	TCase *t = tcase_create("quotas");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, open_state, close_state);
	tcase_add_test(t, no_more_are_taken_than_allowed);
	tcase_add_test(t, a_limit_of_none_refuses_all);
	tcase_add_test(t, what_is_not_held_is_not_given_back);
	tcase_add_test(t, names_are_apart);
	tcase_add_test(t, a_process_that_is_not_listed_has_no_quota);
	tcase_add_test(t, leaving_gives_everything_back);
	tcase_add_test(t, many_processes_share_one_limit);
	tcase_add_test(t, what_killed_processes_held_is_taken_back);
	suite_add_tcase(s, t);
	return s;
}
