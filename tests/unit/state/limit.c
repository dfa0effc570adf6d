#include "config.h"

#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "state/limit.h"
#include "tests/unit/state/crowd.h"

static const int64_t T0 = 1000 * NS_PER_S;
static const int64_t TICK = 1 << 15; /* ns; resolution of the window */

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

static uint64_t
key_number(unsigned n)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", n);
	return limit_key(state, STR("numbers"), str_of(text));
}

/* A sequence that is the same in every run. */
static uint64_t
draw(uint64_t *seed, uint64_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % below;
}

START_TEST(a_window_admits_its_limit_and_tells_the_numbers)
{
	static const struct {
		int64_t at_ms;
		bool allowed;
		uint64_t remaining;
		int64_t reset_ms, retry_ms;
	} steps[] = {
		{ 0, true, 2, 60000, 0 },
		{ 20000, true, 1, 40000, 0 },
		{ 30000, true, 0, 30000, 0 },
		{ 30000, false, 0, 30000, 30000 },
		{ 59999, false, 0, 1, 1 },
		{ 60001, true, 0, 19999, 0 },
		{ 60002, false, 0, 19998, 19998 },
		{ 80001, true, 0, 9999, 0 },
		{ 200000, true, 2, 60000, 0 },
	};
	uint64_t key = key_number(1);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct limit_result r = limit_window(state, key, 3,
		    60 * NS_PER_S, T0 + steps[i].at_ms * NS_PER_MS);

		ck_assert_msg(r.allowed == steps[i].allowed, "step %zu", i);
		ck_assert_uint_eq(r.limit, 3);
		ck_assert_uint_eq(r.remaining, steps[i].remaining);
		ck_assert_int_le(
		    llabs(r.reset_ns - steps[i].reset_ms * NS_PER_MS), TICK);
		ck_assert_int_le(
		    llabs(r.retry_ns - steps[i].retry_ms * NS_PER_MS), TICK);
	}
}
END_TEST

START_TEST(retry_is_neither_too_early_nor_too_late)
{
	uint64_t key = key_number(2), seed = 7;
	int64_t now = T0, window = 10 * NS_PER_S;

	for (int i = 0; i < 2000; i++) {
		struct limit_result r =
		    limit_window(state, key, 5, window, now);

		if (r.allowed) {
			now += (int64_t)draw(&seed, NS_PER_S);
			continue;
		}
		ck_assert_int_gt(r.retry_ns, 0);
		ck_assert_int_le(r.retry_ns, window + TICK);
		ck_assert(
		    !limit_window(state, key, 5, window, now + r.retry_ns - 1)
			 .allowed);
		now += r.retry_ns;
		ck_assert(limit_window(state, key, 5, window, now).allowed);
	}
}
END_TEST

static const struct rule {
	uint64_t limit;
	int64_t window_ns;
	int64_t gap_ns; /* at most, between arrivals */
} rules[] = {
	{ 1, 100 * NS_PER_MS, 30 * NS_PER_MS },
	{ 7, 100 * NS_PER_MS, 20 * NS_PER_MS },
	{ 100, 60 * NS_PER_S, NS_PER_S },
	{ 100, 60 * NS_PER_S, 5 * NS_PER_S },
	{ 13, 60 * NS_PER_S, 20 * NS_PER_S },
	{ 3, 1234567891, 999999937 },
	{ 250, 31LL * 86400 * NS_PER_S, 100000 * NS_PER_S },
};
enum { N_RULES = sizeof(rules) / sizeof(rules[0]) };

/* How many of the n times lie in (from, to]. */
static uint64_t
in_span(const int64_t *at, size_t n, int64_t from, int64_t to)
{
	uint64_t count = 0;

	while (n > 0 && at[n - 1] > from)
		count += at[--n] <= to;
	return count;
}

START_TEST(no_span_of_the_window_holds_more_than_the_limit)
{
	enum { ARRIVALS = 20000 };
	const struct rule *rule = &rules[_i];
	int64_t *at = calloc(ARRIVALS, sizeof(*at)), now = T0;
	int64_t bucket = rule->window_ns / 13 + 2 * TICK;
	uint64_t key = key_number(3), seed = 99 + (uint64_t)_i;
	size_t n = 0;

	ck_assert_ptr_nonnull(at);
	for (int i = 0; i < ARRIVALS; i++) {
		/* Bursts, then pauses. */
		if (draw(&seed, 4) == 0)
			now += (int64_t)draw(&seed, (uint64_t)rule->gap_ns);
		if (limit_window(state, key, rule->limit, rule->window_ns, now)
			.allowed) {
			at[n++] = now;
			if (n > rule->limit)
				ck_assert_int_ge(now - at[n - 1 - rule->limit],
				    rule->window_ns);
		} else {
			/* A refusal has its reason within a bucket more. */
			ck_assert_uint_ge(
			    in_span(at, n, now - rule->window_ns - bucket, now),
			    rule->limit);
		}
	}
	ck_assert_uint_gt(n, rule->limit);
	free(at);
}
END_TEST

START_TEST(a_quiet_window_later_the_whole_limit_is_there_again)
{
	const struct rule *rule = &rules[_i];
	uint64_t key = key_number(4), seed = 5;
	int64_t now = T0;

	for (int round = 0; round < 20; round++) {
		for (uint64_t i = 0; i < rule->limit; i++) {
			struct limit_result r = limit_window(
			    state, key, rule->limit, rule->window_ns, now);

			ck_assert(r.allowed);
			ck_assert_uint_eq(r.remaining, rule->limit - 1 - i);
		}
		ck_assert(
		    !limit_window(state, key, rule->limit, rule->window_ns, now)
			 .allowed);
		now += rule->window_ns + TICK +
		       (int64_t)draw(&seed, (uint64_t)rule->gap_ns);
	}
}
END_TEST

START_TEST(a_clock_that_lags_behind_is_taken_for_the_latest_known)
{
	uint64_t key = key_number(5);
	int64_t window = NS_PER_S;

	for (int i = 0; i < 10; i++)
		ck_assert(limit_window(
		    state, key, 11, window, T0 - i * 400 * NS_PER_MS)
			      .allowed);
	ck_assert(limit_window(state, key, 11, window, T0).allowed);
	for (int i = 0; i < 10; i++)
		ck_assert(!limit_window(
		    state, key, 11, window, T0 - i * 400 * NS_PER_MS)
			       .allowed);
	ck_assert(
	    !limit_window(state, key, 11, window, T0 + window - 1).allowed);
	ck_assert(
	    limit_window(state, key, 11, window, T0 + window + TICK).allowed);
}
END_TEST

START_TEST(times_that_cannot_be_are_forgotten)
{
	uint64_t key = key_number(6);
	int64_t far = T0 + 400LL * 86400 * NS_PER_S;

	for (int i = 0; i < 3; i++)
		ck_assert(
		    limit_window(state, key, 2, NS_PER_S, far + i * NS_PER_S)
			.allowed);
	ck_assert(limit_window(state, key, 2, NS_PER_S, T0).allowed);
	ck_assert(limit_window(state, key, 2, NS_PER_S, T0).allowed);
	ck_assert(!limit_window(state, key, 2, NS_PER_S, T0).allowed);
	/* Their slots do not stand in the way of sound ones either. */
	for (int i = 1; i < 40; i++)
		ck_assert(limit_window(
			      state, key, 2, NS_PER_S, T0 + i * 510 * NS_PER_MS)
			      .allowed ||
			  i == 1);
	ck_assert(limit_bucket(state, key, 1, 1, NS_PER_S, far).allowed);
	ck_assert(limit_bucket(state, key, 1, 1, NS_PER_S, T0).allowed);
	ck_assert(!limit_bucket(state, key, 1, 1, NS_PER_S, T0).allowed);
}
END_TEST

START_TEST(times_that_cannot_be_do_not_stand_in_the_way)
{
	uint64_t key = key_number(60);
	int64_t far = T0 + 400LL * 86400 * NS_PER_S;

	/* One in each slot. */
	for (int i = 0; i < 20; i++)
		ck_assert(limit_window(
		    state, key, 100, NS_PER_S, far + i * 80 * NS_PER_MS)
			      .allowed);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(limit_window(state, key, 5, NS_PER_S,
				     T0 + i * 80 * NS_PER_MS)
				     .allowed,
		    i % 13 < 5);
}
END_TEST

START_TEST(scopes_keys_and_windows_have_counts_of_their_own)
{
	uint64_t a = limit_key(state, STR("a"), STR("bc"));

	ck_assert_uint_eq(a, limit_key(state, STR("a"), STR("bc")));
	ck_assert_uint_ne(a, limit_key(state, STR("ab"), STR("c")));
	ck_assert_uint_ne(a, limit_key(state, STR("a"), STR("bd")));
	ck_assert(limit_window(state, a, 1, NS_PER_S, T0).allowed);
	ck_assert(!limit_window(state, a, 1, NS_PER_S, T0).allowed);
	ck_assert(limit_window(state, a, 1, 2 * NS_PER_S, T0).allowed);
	ck_assert(limit_bucket(state, a, 1, 1, NS_PER_S, T0).allowed);
	ck_assert(!limit_window(state, a, 1, NS_PER_S, T0).allowed);
}
END_TEST

START_TEST(a_lower_limit_counts_what_came_under_the_higher)
{
	uint64_t key = key_number(7);

	for (int i = 0; i < 10; i++)
		ck_assert(limit_window(
		    state, key, 10, NS_PER_S, T0 + i * 10 * NS_PER_MS)
			      .allowed);
	ck_assert(
	    !limit_window(state, key, 5, NS_PER_S, T0 + NS_PER_S / 2).allowed);
	ck_assert(
	    limit_window(state, key, 20, NS_PER_S, T0 + NS_PER_S / 2).allowed);
}
END_TEST

START_TEST(a_bucket_starts_full_and_refills_evenly)
{
	static const struct {
		int64_t at_ms;
		bool allowed;
		uint64_t remaining;
		int64_t reset_ms, retry_ms;
	} steps[] = {
		{ 0, true, 2, 500, 0 },
		{ 0, true, 1, 500, 0 },
		{ 100, true, 0, 400, 0 },
		{ 100, false, 0, 400, 400 },
		{ 499, false, 0, 1, 1 },
		{ 500, true, 0, 500, 0 },
		{ 1750, true, 1, 250, 0 },
		{ 9000, true, 2, 500, 0 },
	};
	uint64_t key = key_number(8);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct limit_result r = limit_bucket(state, key, 3, 2, NS_PER_S,
		    T0 + steps[i].at_ms * NS_PER_MS);

		ck_assert_msg(r.allowed == steps[i].allowed, "step %zu", i);
		ck_assert_uint_eq(r.limit, 3);
		ck_assert_uint_eq(r.remaining, steps[i].remaining);
		ck_assert_int_eq(r.reset_ns, steps[i].reset_ms * NS_PER_MS);
		ck_assert_int_eq(r.retry_ns, steps[i].retry_ms * NS_PER_MS);
	}
}
END_TEST

START_TEST(a_bucket_of_any_size_empties_and_refills)
{
	static const struct {
		uint64_t max, per_fill;
		int64_t fill_ns;
	} buckets[] = {
		{ 1, 1, 50 * NS_PER_MS },
		{ 3, 3, NS_PER_S },
		{ 10, 1, 86400 * NS_PER_S },
		{ 1000, 1000, NS_PER_S },
		{ 100, 4294967295, 50 * NS_PER_MS },
		{ 4294967295, 1, 315360000LL * NS_PER_S },
		{ 4294967295, 4294967295, NS_PER_S },
	};

	for (size_t i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++) {
		uint64_t max = buckets[i].max, per_fill = buckets[i].per_fill;
		int64_t fill_ns = buckets[i].fill_ns;
		uint64_t key = key_number(100 + (unsigned)i);
		struct limit_result r;

		for (uint64_t left = max; left > 0 && left + 1000 >= max;
		     left--) {
			r = limit_bucket(
			    state, key, max, per_fill, fill_ns, T0);
			ck_assert(r.allowed);
			ck_assert_uint_eq(r.remaining, left - 1);
		}
		if (max > 1000)
			continue;
		r = limit_bucket(state, key, max, per_fill, fill_ns, T0);
		ck_assert(!r.allowed);
		ck_assert_int_gt(r.retry_ns, 0);
		ck_assert_int_le(r.retry_ns, fill_ns / (int64_t)per_fill + 1);
		r = limit_bucket(
		    state, key, max, per_fill, fill_ns, T0 + fill_ns);
		ck_assert(r.allowed);
		ck_assert_uint_eq(
		    r.remaining, (per_fill < max ? per_fill : max) - 1);
	}
}
END_TEST

/* ---- many clients ---- */

START_TEST(a_million_clients_stay_in_the_table_and_a_live_one_is_kept)
{
	uint64_t live = limit_key(state, STR("live"), STR("client"));
	struct limit_result r = { .allowed = false };
	size_t used, total;
	int64_t now = T0;

	limit_usage(state, now, &used, &total);
	ck_assert_uint_eq(used, 0);
	for (unsigned i = 0; i < 1000000; i++) {
		if (i % 1000 == 0) {
			now += NS_PER_MS;
			r = limit_window(
			    state, live, 1000000, 60 * NS_PER_S, now);
		}
		/* Check keeps a message of each assertion: not of a million. */
		if (!limit_window(state, key_number(i), 1, 60 * NS_PER_S, now)
			 .allowed)
			ck_abort_msg("client %u was refused", i);
	}
	ck_assert_uint_eq(r.remaining, 1000000 - 1000);
	limit_usage(state, now, &used, &total);
	ck_assert_uint_eq(total, 32768);
	ck_assert_uint_eq(used, total);
	limit_usage(state, now + 61 * NS_PER_S, &used, &total);
	ck_assert_uint_eq(used, 0);
}
END_TEST

START_TEST(clients_that_fit_are_all_remembered)
{
	for (unsigned i = 0; i < 1000; i++)
		ck_assert(limit_window(state, key_number(i), 1, NS_PER_S, T0)
			      .allowed);
	for (unsigned i = 0; i < 1000; i++)
		ck_assert(!limit_window(state, key_number(i), 1, NS_PER_S, T0)
			       .allowed);
}
END_TEST

/* ---- many processes ---- */

struct shared {
	_Atomic uint64_t admitted;
	_Atomic uint64_t asked;
	_Atomic int64_t clock;
	_Atomic uint64_t by_key[512];
};

enum { LIMIT = 1000, ASKERS = 8, KEYS = 512 };

static void
hammer_window(void *arg, int i)
{
	struct shared *shared = arg;

	(void)i;
	for (int n = 0; n < LIMIT; n++)
		if (limit_window(
			state, 42, LIMIT, 60 * NS_PER_S, T0 + n % 7 * NS_PER_S)
			.allowed)
			(void)atomic_fetch_add(&shared->admitted, 1);
}

static void
hammer_bucket(void *arg, int i)
{
	struct shared *shared = arg;

	(void)i;
	for (int n = 0; n < LIMIT; n++)
		if (limit_bucket(state, 42, LIMIT, 1, NS_PER_S, T0).allowed)
			(void)atomic_fetch_add(&shared->admitted, 1);
}

START_TEST(processes_together_get_exactly_the_limit)
{
	static void (*const hammer[])(
	    void *, int) = { hammer_window, hammer_bucket };
	struct shared *shared = crowd_memory(sizeof(*shared));

	crowd_run(ASKERS, hammer[_i], shared);
	ck_assert_uint_eq(atomic_load(&shared->admitted), LIMIT);
}
END_TEST

/* Every process walks through the same new clients, half in step. */
static void
hammer_new_clients(void *arg, int i)
{
	struct shared *shared = arg;

	(void)i;
	for (unsigned n = 0; n < KEYS * 4; n++) {
		unsigned which = n / 4;

		if (limit_window(state,
			limit_key(state, STR("new"),
			    (struct str){
				(const char *)&which, sizeof(which) }),
			10, 60 * NS_PER_S, T0 + NS_PER_S)
			.allowed)
			(void)atomic_fetch_add(&shared->by_key[which], 1);
	}
}

static void
fill_table(void)
{
	for (unsigned i = 0; i < 300000; i++)
		(void)limit_window(state, key_number(i), 1, 60 * NS_PER_S, T0);
}

START_TEST(a_new_client_of_a_full_table_has_one_count_only)
{
	struct shared *shared = crowd_memory(sizeof(*shared));

	for (unsigned i = 0; i < 300000; i++)
		(void)limit_window(state, key_number(i), 1, 60 * NS_PER_S, T0);
	crowd_run(ASKERS, hammer_new_clients, shared);
	for (int i = 0; i < KEYS; i++)
		ck_assert_uint_eq(atomic_load(&shared->by_key[i]), 10);
}
END_TEST

enum { PAIR = 2, STEPS = 10000, PAIR_LIMIT = 3 };

struct steps {
	_Atomic unsigned arrived;
	_Atomic unsigned char admitted[STEPS];
};

/* Both come to each new client at the same moment. */
static void
hammer_in_step(void *arg, int i)
{
	struct steps *steps = arg;

	(void)i;
	for (unsigned n = 0; n < STEPS; n++) {
		uint64_t key = limit_key(state, STR("step"),
		    (struct str){ (const char *)&n, sizeof(n) });

		(void)atomic_fetch_add(&steps->arrived, 1);
		for (int spins = 1;
		     atomic_load(&steps->arrived) < (n + 1) * PAIR; spins++)
			if (spins % 1000 == 0)
				(void)sched_yield();
		for (int ask = 0; ask < PAIR_LIMIT; ask++)
			if (limit_window(state, key, PAIR_LIMIT, 60 * NS_PER_S,
				T0 + NS_PER_S)
				.allowed)
				(void)atomic_fetch_add(&steps->admitted[n], 1);
	}
}

static void
check_steps(struct steps *steps)
{
	for (int i = 0; i < STEPS; i++)
		ck_assert_msg(atomic_load(&steps->admitted[i]) == PAIR_LIMIT,
		    "client %d: %u", i, atomic_load(&steps->admitted[i]));
}

START_TEST(processes_that_bring_in_a_client_together_lose_no_count)
{
	struct steps *steps = crowd_memory(sizeof(*steps));

	fill_table();
	crowd_run(PAIR, hammer_in_step, steps);
	check_steps(steps);
}
END_TEST

/* One of the two is stopped in the middle of it, again and again. */
START_TEST(a_process_that_comes_late_spoils_nothing)
{
	struct steps *steps = crowd_memory(sizeof(*steps));
	struct crowd crowd;
	uint64_t seed = 11;

	fill_table();
	crowd_start(&crowd, PAIR, hammer_in_step, steps);
	while (atomic_load(&steps->arrived) < STEPS * PAIR) {
		unsigned arrived = atomic_load(&steps->arrived);

		ck_assert_int_eq(kill(crowd.pids[0], SIGSTOP), 0);
		for (uint64_t i = draw(&seed, 200); i > 0; i--)
			(void)atomic_load(&steps->arrived);
		ck_assert_int_eq(kill(crowd.pids[0], SIGCONT), 0);
		while (arrived == atomic_load(&steps->arrived) &&
		       arrived < STEPS * PAIR)
			(void)sched_yield();
	}
	ck_assert_int_eq(crowd_wait(&crowd), PAIR);
	check_steps(steps);
}
END_TEST

struct admission {
	int64_t before, after; /* readings around the decision */
};

struct moving {
	_Atomic int64_t clock;
	_Atomic size_t n;
	struct admission admissions[100000];
};

static const int64_t MOVING_WINDOW = 100 * NS_PER_MS;
enum { MOVING_LIMIT = 50 };

static void
hammer_while_time_moves(void *arg, int i)
{
	struct moving *m = arg;
	uint64_t seed = 1000 + (uint64_t)i;

	for (int n = 0; n < 20000; n++) {
		int64_t before = atomic_load(&m->clock);
		bool allowed =
		    limit_window(state, 42, MOVING_LIMIT, MOVING_WINDOW, before)
			.allowed;
		int64_t after = atomic_load(&m->clock);

		if (allowed)
			m->admissions[atomic_fetch_add(&m->n, 1)] =
			    (struct admission){ before, after };
		(void)atomic_fetch_add(&m->clock, (int64_t)draw(&seed, 60000));
	}
}

/* Admissions of which even the outermost readings are within one window. */
START_TEST(the_limit_is_exact_while_time_moves_under_many_processes)
{
	struct moving *m = crowd_memory(sizeof(*m));
	size_t n;

	atomic_store(&m->clock, T0);
	crowd_run(ASKERS, hammer_while_time_moves, m);
	n = atomic_load(&m->n);
	ck_assert_uint_gt(n, (size_t)MOVING_LIMIT * 20);
	for (size_t i = 0; i < n; i++) {
		int64_t from = m->admissions[i].before;
		size_t inside = 0;

		for (size_t j = 0; j < n; j++)
			inside += m->admissions[j].before >= from &&
				  m->admissions[j].after + TICK <
				      from + MOVING_WINDOW;
		ck_assert_uint_le(inside, MOVING_LIMIT);
	}
}
END_TEST

/* All of them together stay below the limit. */
enum { ROUNDS = 20, VICTIMS = 4, VICTIM_ASKS = 10000 };

static void
hammer_until_killed(void *arg, int i)
{
	struct shared *shared = arg;
	uint64_t seed = 77 + (uint64_t)i;

	for (int n = 0; n < VICTIM_ASKS; n++) {
		int64_t now = T0 + (int64_t)draw(&seed, NS_PER_S);
		uint64_t other = limit_key(state, STR("others"),
		    (struct str){ (const char *)&seed, sizeof(seed) });

		(void)limit_window(state, other, 5, NS_PER_S, now);
		if (limit_window(state, 42, 1000000, 60 * NS_PER_S, now)
			.allowed)
			(void)atomic_fetch_add(&shared->admitted, 1);
		(void)atomic_fetch_add(&shared->asked, 1);
	}
	for (;;)
		(void)pause();
}

START_TEST(killed_processes_leave_an_exact_table)
{
	struct shared *shared = crowd_memory(sizeof(*shared));
	struct limit_result r;
	uint64_t admitted, seed = 3;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t target =
		    atomic_load(&shared->asked) + 2000 + draw(&seed, 3000);
		struct crowd crowd;

		crowd_start(&crowd, VICTIMS, hammer_until_killed, shared);
		while (atomic_load(&shared->asked) < target)
			(void)sched_yield();
		for (int i = 0; i < VICTIMS; i++)
			ck_assert_int_eq(kill(crowd.pids[i], SIGKILL), 0);
		ck_assert_int_eq(crowd_wait(&crowd), 0);
	}
	/* Each victim may have died between the decision and our count of it. */
	r = limit_window(state, 42, 1000000, 60 * NS_PER_S, T0 + NS_PER_S);
	ck_assert(r.allowed);
	admitted = atomic_load(&shared->admitted) + 1;
	ck_assert_uint_ge(1000000 - r.remaining, admitted);
	ck_assert_uint_le(1000000 - r.remaining, admitted + ROUNDS * VICTIMS);
	crowd_run(ASKERS, hammer_new_clients, shared);
	for (int i = 0; i < KEYS; i++)
		ck_assert_uint_eq(atomic_load(&shared->by_key[i]), 10);
}
END_TEST

Suite *suite_state_limit(void);

Suite *
suite_state_limit(void)
{
	Suite *s = suite_create("state/limit");
	TCase *rules_case = tcase_create("rules");
	TCase *table_case = tcase_create("table");
	TCase *crowd_case = tcase_create("processes");

	tcase_add_checked_fixture(rules_case, open_state, close_state);
	tcase_add_test(
	    rules_case, a_window_admits_its_limit_and_tells_the_numbers);
	tcase_add_test(rules_case, retry_is_neither_too_early_nor_too_late);
	tcase_add_loop_test(rules_case,
	    no_span_of_the_window_holds_more_than_the_limit, 0, N_RULES);
	tcase_add_loop_test(rules_case,
	    a_quiet_window_later_the_whole_limit_is_there_again, 0, N_RULES);
	tcase_add_test(
	    rules_case, a_clock_that_lags_behind_is_taken_for_the_latest_known);
	tcase_add_test(rules_case, times_that_cannot_be_are_forgotten);
	tcase_add_test(
	    rules_case, times_that_cannot_be_do_not_stand_in_the_way);
	tcase_add_test(
	    rules_case, scopes_keys_and_windows_have_counts_of_their_own);
	tcase_add_test(
	    rules_case, a_lower_limit_counts_what_came_under_the_higher);
	tcase_add_test(rules_case, a_bucket_starts_full_and_refills_evenly);
	tcase_add_test(rules_case, a_bucket_of_any_size_empties_and_refills);
	suite_add_tcase(s, rules_case);

	tcase_add_checked_fixture(table_case, open_state, close_state);
	tcase_set_timeout(table_case, 60);
	tcase_add_test(table_case,
	    a_million_clients_stay_in_the_table_and_a_live_one_is_kept);
	tcase_add_test(table_case, clients_that_fit_are_all_remembered);
	suite_add_tcase(s, table_case);

	tcase_add_checked_fixture(crowd_case, open_state, close_state);
	tcase_set_timeout(crowd_case, 120);
	tcase_add_loop_test(
	    crowd_case, processes_together_get_exactly_the_limit, 0, 2);
	tcase_add_test(
	    crowd_case, a_new_client_of_a_full_table_has_one_count_only);
	tcase_add_test(crowd_case,
	    processes_that_bring_in_a_client_together_lose_no_count);
	tcase_add_test(crowd_case, a_process_that_comes_late_spoils_nothing);
	tcase_add_test(crowd_case,
	    the_limit_is_exact_while_time_moves_under_many_processes);
	tcase_add_test(crowd_case, killed_processes_leave_an_exact_table);
	suite_add_tcase(s, crowd_case);
	return s;
}
