#include "config.h"

#include <check.h>
#include <stdio.h>

#include "state/counter.h"
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
add_often(void *arg, int i)
{
	int id = counter_find(state, STR("http.in.downstream_rq_total"));

	(void)arg;
	for (int n = 0; n < 10000; n++)
		counter_add(state, id, (uint64_t)i);
}

START_TEST(all_processes_add_to_one_word)
{
	crowd_run(8, add_often, NULL);
	ck_assert_uint_eq(
	    counter_get(
		state, counter_find(state, STR("http.in.downstream_rq_total"))),
	    10000 * (0 + 1 + 2 + 3 + 4 + 5 + 6 + 7));
}
END_TEST

static void
sum(void *arg, struct str name, uint64_t value)
{
	uint64_t *total = arg;

	ck_assert(str_starts(name, STR("number ")));
	*total += value;
}

START_TEST(each_counter_is_shown_with_its_name)
{
	uint64_t total = 0;
	char name[32];

	for (unsigned i = 0; i < 8192; i++) {
		(void)snprintf(name, sizeof(name), "number %u", i);
		counter_add(state, counter_find(state, str_of(name)), i);
	}
	counter_each(state, sum, &total);
	ck_assert_uint_eq(total, UINT64_C(8191) * 8192 / 2);
}
END_TEST

START_TEST(what_has_no_room_counts_nothing)
{
	char name[120];

	memset(name, 'x', sizeof(name));
	ck_assert_int_eq(
	    counter_find(state, (struct str){ name, sizeof(name) }), -1);
	counter_add(state, -1, 5);
	ck_assert_uint_eq(counter_get(state, -1), 0);
	for (int i = 0; i < 8192; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		ck_assert_int_ge(counter_find(state, str_of(name)), 0);
	}
	ck_assert_int_eq(counter_find(state, STR("another")), -1);
	ck_assert_int_ge(counter_find(state, STR("8191")), 0);
}
END_TEST

Suite *suite_state_counter(void);

Suite *
suite_state_counter(void)
{
	Suite *s = suite_create("state/counter");
	TCase *t = tcase_create("counters");

	tcase_add_checked_fixture(t, open_state, close_state);
	tcase_add_test(t, all_processes_add_to_one_word);
	tcase_add_test(t, each_counter_is_shown_with_its_name);
	tcase_add_test(t, what_has_no_room_counts_nothing);
	suite_add_tcase(s, t);
	return s;
}
