#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "state/breaker.h"
#include "tests/unit/state/crowd.h"

static const int64_t T0 = 1000 * NS_PER_S;
static const struct breaker_rules rules = { 3, 30 * NS_PER_S, 10 * NS_PER_S };

static struct state *state;
static int id;

static void
open_state(void)
{
	state = state_private();
	id = breaker_find(state, STR("users"));
	ck_assert_int_ge(id, 0);
}

static void
close_state(void)
{
	state_close(state);
}

static enum breaker_verdict
ask(int64_t at_s)
{
	return breaker_ask(state, id, &rules, T0 + at_s * NS_PER_S);
}

static bool
failure(int64_t at_s, bool was_probe)
{
	return breaker_failure(
	    state, id, was_probe, &rules, T0 + at_s * NS_PER_S);
}

static enum breaker_state
shown(int64_t at_s)
{
	return breaker_state(state, id, T0 + at_s * NS_PER_S, NULL);
}

static void
open_at_second_0(void)
{
	ck_assert(!failure(0, false));
	ck_assert(!failure(0, false));
	ck_assert(failure(0, false));
}

START_TEST(failures_in_a_row_open_it)
{
	int64_t retry_ns;

	ck_assert_int_eq(ask(0), BREAKER_PASS);
	ck_assert(!failure(0, false));
	ck_assert(!failure(0, false));
	ck_assert_int_eq(ask(0), BREAKER_PASS);
	ck_assert_int_eq(shown(0), BREAKER_CLOSED);
	ck_assert(failure(0, false));
	ck_assert_int_eq(ask(0), BREAKER_REFUSE);
	ck_assert_int_eq(
	    breaker_state(state, id, T0 + 10 * NS_PER_S, &retry_ns),
	    BREAKER_OPEN);
	ck_assert_int_eq(retry_ns, 20 * NS_PER_S);
	ck_assert_uint_eq(breaker_opened(state, id), 1);
}
END_TEST

START_TEST(a_success_between_failures_starts_the_count_anew)
{
	for (int i = 0; i < 10; i++) {
		ck_assert(!failure(i, false));
		ck_assert(!failure(i, false));
		breaker_success(state, id, false);
	}
	ck_assert_int_eq(shown(10), BREAKER_CLOSED);
}
END_TEST

START_TEST(one_probe_decides_when_the_time_is_over)
{
	static const struct {
		bool succeeds;
		enum breaker_state then;
	} cases[] = { { true, BREAKER_CLOSED }, { false, BREAKER_OPEN } };

	open_at_second_0();
	ck_assert_int_eq(ask(29), BREAKER_REFUSE);
	ck_assert_int_eq(shown(30), BREAKER_HALF_OPEN);
	ck_assert_int_eq(ask(30), BREAKER_PROBE);
	ck_assert_int_eq(ask(30), BREAKER_REFUSE);
	ck_assert_int_eq(shown(31), BREAKER_HALF_OPEN);
	if (cases[_i].succeeds)
		breaker_success(state, id, true);
	else
		ck_assert(failure(31, true));
	ck_assert_int_eq(shown(31), cases[_i].then);
	ck_assert_int_eq(
	    ask(60), cases[_i].succeeds ? BREAKER_PASS : BREAKER_REFUSE);
	ck_assert_int_eq(
	    ask(61), cases[_i].succeeds ? BREAKER_PASS : BREAKER_PROBE);
	ck_assert_uint_eq(
	    breaker_opened(state, id), cases[_i].succeeds ? 1 : 2);
}
END_TEST

START_TEST(after_a_probe_that_succeeded_the_count_begins_at_zero)
{
	open_at_second_0();
	ck_assert_int_eq(ask(30), BREAKER_PROBE);
	breaker_success(state, id, true);
	ck_assert(!failure(31, false));
	ck_assert(!failure(31, false));
	ck_assert_int_eq(ask(31), BREAKER_PASS);
}
END_TEST

START_TEST(a_probe_without_an_outcome_is_given_up)
{
	open_at_second_0();
	ck_assert_int_eq(ask(30), BREAKER_PROBE);
	ck_assert_int_eq(ask(39), BREAKER_REFUSE);
	ck_assert_int_eq(ask(40), BREAKER_PROBE);
	ck_assert_int_eq(ask(41), BREAKER_REFUSE);
}
END_TEST

START_TEST(a_cancelled_probe_is_free_for_the_next)
{
	open_at_second_0();
	ck_assert_int_eq(ask(30), BREAKER_PROBE);
	breaker_cancel(state, id, false);
	ck_assert_int_eq(ask(30), BREAKER_REFUSE);
	breaker_cancel(state, id, true);
	ck_assert_int_eq(ask(30), BREAKER_PROBE);
	ck_assert_int_eq(ask(30), BREAKER_REFUSE);
}
END_TEST

START_TEST(outcomes_of_earlier_requests_do_not_move_an_open_breaker)
{
	open_at_second_0();
	ck_assert(!failure(29, false));
	breaker_success(state, id, false);
	ck_assert_int_eq(ask(29), BREAKER_REFUSE);
	ck_assert_int_eq(ask(30), BREAKER_PROBE);
	ck_assert(!failure(31, false));
	breaker_success(state, id, false);
	ck_assert_int_eq(shown(31), BREAKER_HALF_OPEN);
	ck_assert_int_eq(ask(31), BREAKER_REFUSE);
	/* The probe was given up, the next one failed, then the first succeeds. */
	ck_assert_int_eq(ask(41), BREAKER_PROBE);
	ck_assert(failure(42, true));
	breaker_success(state, id, true);
	breaker_cancel(state, id, true);
	ck_assert_int_eq(ask(43), BREAKER_REFUSE);
}
END_TEST

START_TEST(without_an_entry_everything_passes)
{
	ck_assert_int_eq(breaker_ask(state, -1, &rules, T0), BREAKER_PASS);
	breaker_success(state, -1, true);
	ck_assert(!breaker_failure(state, -1, true, &rules, T0));
	breaker_cancel(state, -1, true);
	ck_assert_int_eq(breaker_state(state, -1, T0, NULL), BREAKER_CLOSED);
}
END_TEST

static void
count_names(void *arg, struct str name, int at)
{
	int *n = arg;

	ck_assert_int_eq(breaker_find(state, name), at);
	++*n;
}

START_TEST(names_lead_to_entries_until_the_table_is_full)
{
	char name[200], longest[200];
	int n = 0, found;

	memset(longest, 'x', sizeof(longest));
	ck_assert_int_eq(breaker_find(state, STR("users")), id);
	ck_assert_int_ge(breaker_find(state, (struct str){ longest, 119 }), 0);
	ck_assert_int_eq(breaker_find(state, (struct str){ longest, 120 }), -1);
	for (int i = 2; i < 256; i++) {
		(void)snprintf(name, sizeof(name), "cluster-%d", i);
		found = breaker_find(state, str_of(name));
		ck_assert_int_ge(found, 0);
		ck_assert_int_eq(breaker_find(state, str_of(name)), found);
	}
	ck_assert_int_eq(breaker_find(state, STR("one too many")), -1);
	ck_assert_int_eq(breaker_find(state, STR("users")), id);
	breaker_each(state, count_names, &n);
	ck_assert_int_eq(n, 256);
}
END_TEST

/* ---- many processes ---- */

struct shared {
	_Atomic int probes;
	_Atomic int opened;
	_Atomic int ids[64];
};

static void
ask_once(void *arg, int i)
{
	struct shared *shared = arg;

	(void)i;
	if (ask(30) == BREAKER_PROBE)
		(void)atomic_fetch_add(&shared->probes, 1);
}

START_TEST(one_of_64_processes_gets_the_probe)
{
	struct shared *shared = crowd_memory(sizeof(*shared));

	open_at_second_0();
	crowd_run(64, ask_once, shared);
	ck_assert_int_eq(atomic_load(&shared->probes), 1);
}
END_TEST

static void
fail_often(void *arg, int i)
{
	struct shared *shared = arg;

	(void)i;
	for (int n = 0; n < 1000; n++)
		if (failure(0, false))
			(void)atomic_fetch_add(&shared->opened, 1);
}

START_TEST(failures_of_many_processes_open_it_once)
{
	struct shared *shared = crowd_memory(sizeof(*shared));

	crowd_run(8, fail_often, shared);
	ck_assert_int_eq(atomic_load(&shared->opened), 1);
	ck_assert_uint_eq(breaker_opened(state, id), 1);
}
END_TEST

static void
find_all(void *arg, int i)
{
	struct shared *shared = arg;
	char name[16];

	for (int n = 0; n < 64; n++) {
		int which = (n + i) % 64, none = 0, found;

		(void)snprintf(name, sizeof(name), "n%d", which);
		found = breaker_find(state, str_of(name)) + 1;
		if (!atomic_compare_exchange_strong(
			&shared->ids[which], &none, found) &&
		    none != found)
			_exit(1);
	}
}

START_TEST(processes_that_claim_a_name_at_once_get_the_same_entry)
{
	struct shared *shared = crowd_memory(sizeof(*shared));
	int n = 0;

	crowd_run(16, find_all, shared);
	breaker_each(state, count_names, &n);
	ck_assert_int_eq(n, 64 + 1);
}
END_TEST

Suite *suite_state_breaker(void);

Suite *
suite_state_breaker(void)
{
	Suite *s = suite_create("state/breaker");
	TCase *t = tcase_create("word");

	tcase_add_checked_fixture(t, open_state, close_state);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, failures_in_a_row_open_it);
	tcase_add_test(t, a_success_between_failures_starts_the_count_anew);
	tcase_add_loop_test(t, one_probe_decides_when_the_time_is_over, 0, 2);
	tcase_add_test(
	    t, after_a_probe_that_succeeded_the_count_begins_at_zero);
	tcase_add_test(t, a_probe_without_an_outcome_is_given_up);
	tcase_add_test(t, a_cancelled_probe_is_free_for_the_next);
	tcase_add_test(
	    t, outcomes_of_earlier_requests_do_not_move_an_open_breaker);
	tcase_add_test(t, without_an_entry_everything_passes);
	tcase_add_test(t, names_lead_to_entries_until_the_table_is_full);
	tcase_add_test(t, one_of_64_processes_gets_the_probe);
	tcase_add_test(t, failures_of_many_processes_open_it_once);
	tcase_add_test(
	    t, processes_that_claim_a_name_at_once_get_the_same_entry);
	suite_add_tcase(s, t);
	return s;
}
