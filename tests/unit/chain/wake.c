#include "config.h"

#include <check.h>

#include "chain/wake.h"

/* Somebody who counts how often he is woken, and then does one thing. */
struct sleeper {
	struct loop *loop;
	struct wakes *wakes;
	struct wake name;
	unsigned woken;
	bool leaves, stops;
};

static void
on_wake(void *arg)
{
	struct sleeper *s = arg;

	s->woken++;
	if (s->leaves)
		wakes_leave(s->wakes, s->name);
	if (s->stops)
		loop_stop(s->loop);
}

static struct sleeper
sleeper(struct loop *loop, struct wakes *wakes)
{
	return (struct sleeper){ .loop = loop, .wakes = wakes };
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

/* One turn and what it puts off. */
static void
turn(struct loop *loop)
{
	struct timer timer = { 0 };

	timer_set(loop, &timer, 0, stop, loop);
	loop_run(loop);
}

START_TEST(a_wake_runs_from_the_loop_and_once)
{
	struct loop *loop = loop_new();
	struct wakes *wakes = wakes_new(loop);
	struct sleeper a = sleeper(loop, wakes);

	a.name = wakes_join(wakes, on_wake, &a);
	wakes_post(wakes, a.name);
	wakes_post(wakes, a.name);
	ck_assert_uint_eq(a.woken, 0);
	turn(loop);
	ck_assert_uint_eq(a.woken, 1);
	wakes_free(wakes);
	loop_free(loop);
}
END_TEST

START_TEST(a_wake_for_one_who_left_does_nothing_to_his_successor)
{
	struct loop *loop = loop_new();
	struct wakes *wakes = wakes_new(loop);
	struct sleeper a = sleeper(loop, wakes), b = sleeper(loop, wakes);

	a.name = wakes_join(wakes, on_wake, &a);
	wakes_post(wakes, a.name);
	wakes_leave(wakes, a.name);
	b.name = wakes_join(wakes, on_wake, &b);
	ck_assert_uint_eq(b.name.slot, a.name.slot);
	wakes_post(wakes, a.name);
	wakes_at(wakes, a.name, 0);
	wakes_leave(wakes, a.name);
	turn(loop);
	ck_assert_uint_eq(a.woken + b.woken, 0);
	wakes_post(wakes, b.name);
	turn(loop);
	ck_assert_uint_eq(b.woken, 1);
	wakes_free(wakes);
	loop_free(loop);
}
END_TEST

START_TEST(nobody_is_not_woken)
{
	struct loop *loop = loop_new();
	struct wakes *wakes = wakes_new(loop);
	struct sleeper a = sleeper(loop, wakes);

	a.name = wakes_join(wakes, on_wake, &a);
	wakes_post(wakes, (struct wake){ 0, 0 });
	wakes_post(wakes, (struct wake){ 1000, 1 });
	turn(loop);
	ck_assert_uint_eq(a.woken, 0);
	wakes_free(wakes);
	loop_free(loop);
}
END_TEST

START_TEST(a_time_in_the_past_is_now)
{
	struct loop *loop = loop_new();
	struct wakes *wakes = wakes_new(loop);
	struct sleeper a = sleeper(loop, wakes);

	a.stops = a.leaves = true;
	a.name = wakes_join(wakes, on_wake, &a);
	wakes_at(wakes, a.name, 1);
	loop_run(loop);
	ck_assert_uint_eq(a.woken, 1);
	wakes_free(wakes);
	loop_free(loop);
}
END_TEST

START_TEST(many_have_names_of_their_own)
{
	enum { N = 200 };
	struct loop *loop = loop_new();
	struct wakes *wakes = wakes_new(loop);
	struct sleeper all[N];

	for (int i = 0; i < N; i++) {
		all[i] = sleeper(loop, wakes);
		all[i].leaves = i % 2;
		all[i].name = wakes_join(wakes, on_wake, &all[i]);
	}
	for (int i = 0; i < N; i++)
		wakes_post(wakes, all[i].name);
	turn(loop);
	for (int i = 0; i < N; i++)
		ck_assert_uint_eq(all[i].woken, 1);
	for (int i = 0; i < N; i++)
		wakes_post(wakes, all[i].name);
	turn(loop);
	for (int i = 0; i < N; i++)
		ck_assert_uint_eq(all[i].woken, i % 2 ? 1 : 2);
	wakes_free(wakes);
	loop_free(loop);
}
END_TEST

Suite *suite_chain_wake(void);

Suite *
suite_chain_wake(void)
{
	Suite *s = suite_create("chain/wake");
	TCase *t = tcase_create("wakes");

	tcase_add_test(t, a_wake_runs_from_the_loop_and_once);
	tcase_add_test(
	    t, a_wake_for_one_who_left_does_nothing_to_his_successor);
	tcase_add_test(t, nobody_is_not_woken);
	tcase_add_test(t, a_time_in_the_past_is_now);
	tcase_add_test(t, many_have_names_of_their_own);
	suite_add_tcase(s, t);
	return s;
}
