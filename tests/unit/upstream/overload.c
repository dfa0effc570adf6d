#include "config.h"

#include <check.h>
#include <stdio.h>

#include "tests/unit/upstream/scene.h"
#include "upstream/overload.h"

/* ---- counting ---- */

static struct thresholds few = { 1, 2, 3, 4, false, 0, 0 };

START_TEST(each_resource_has_its_threshold)
{
	struct clusters all = { .items = scene.one, .n = 2 };
	struct overload *o = overload_new(_i ? scene.state : NULL, &all);

	scene.one->thresholds[0] = few;
	for (enum resource r = 0; r < RESOURCES; r++) {
		for (unsigned n = 0; n <= r; n++)
			ck_assert(overload_take(o, scene.one, false, r));
		ck_assert(!overload_take(o, scene.one, false, r));
		ck_assert(overload_take(o, scene.one, true, r));
		ck_assert(overload_take(o, scene.two, false, r));
		overload_force(o, scene.one, false, r);
		overload_give(o, scene.one, false, r);
		ck_assert(!overload_take(o, scene.one, false, r));
		overload_give(o, scene.one, false, r);
		ck_assert(overload_take(o, scene.one, false, r));
	}
	overload_free(o);
}
END_TEST

START_TEST(a_threshold_of_none_refuses_all)
{
	struct clusters all = { .items = scene.one, .n = 2 };
	struct overload *o = overload_new(_i ? scene.state : NULL, &all);

	scene.one->thresholds[0] = (struct thresholds){ .connections = 0 };
	for (enum resource r = 0; r < RESOURCES; r++)
		ck_assert(!overload_take(o, scene.one, false, r));
	overload_free(o);
}
END_TEST

START_TEST(a_budget_is_a_part_of_what_is_under_way)
{
	struct clusters all = { .items = scene.one, .n = 2 };
	struct overload *o = overload_new(scene.state, &all);
	struct thresholds *t = &scene.one->thresholds[0];

	t->has_budget = true;
	t->retries = 0;
	t->budget_percent = 25;
	t->budget_min = 1;
	ck_assert(overload_take(o, scene.one, false, RESOURCE_RETRIES));
	ck_assert(!overload_take(o, scene.one, false, RESOURCE_RETRIES));
	for (int i = 0; i < 8; i++)
		ck_assert(overload_take(o, scene.one, false,
		    i % 2 ? RESOURCE_REQUESTS : RESOURCE_PENDING));
	ck_assert(overload_take(o, scene.one, false, RESOURCE_RETRIES));
	ck_assert(!overload_take(o, scene.one, false, RESOURCE_RETRIES));
	overload_free(o);
}
END_TEST

static char listed[512];

static void
list(void *arg, struct str name, uint64_t value)
{
	size_t len = strlen(listed);

	(void)arg;
	(void)snprintf(listed + len, sizeof(listed) - len, STR_FMT "=%u\n",
	    STR_ARG(name), (unsigned)value);
}

START_TEST(what_is_under_way_has_envoys_names)
{
	struct clusters all = { .items = scene.one, .n = 2 };
	struct overload *o = overload_new(scene.state, &all);
	static const char *const lines[] = {
		"cluster.one.upstream_rq_active=2\n",
		"cluster.one.upstream_rq_active=1\n",
		"cluster.one.upstream_rq_pending_active=1\n",
		"cluster.two.upstream_cx_active=1\n",
	};
	size_t len = 0;

	ck_assert(overload_take(o, scene.one, false, RESOURCE_REQUESTS));
	ck_assert(overload_take(o, scene.one, false, RESOURCE_REQUESTS));
	ck_assert(overload_take(o, scene.one, true, RESOURCE_REQUESTS));
	ck_assert(overload_take(o, scene.one, false, RESOURCE_PENDING));
	ck_assert(overload_take(o, scene.two, false, RESOURCE_CONNECTIONS));
	ck_assert(overload_take(o, scene.two, false, RESOURCE_RETRIES));
	listed[0] = '\0';
	overload_each(scene.state, list, NULL);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert_ptr_nonnull(strstr(listed, lines[i]));
		len += strlen(lines[i]);
	}
	ck_assert_uint_eq(strlen(listed), len);
	overload_free(o);
}
END_TEST

/* ---- requests that are too many ---- */

static struct exchange *
under_way(const char *path)
{
	struct exchange *x = scene_request("GET", path);

	router_forward(scene.router, x);
	return x;
}

static bool
one_is_at_the_backend(void)
{
	return scene.backend.seen->requests == 1;
}

static void
assert_overflow(struct exchange *x)
{
	scene_assert_reply(x, 503,
	    "upstream connect error or disconnect/reset before headers. "
	    "reset reason: overflow",
	    "upstream_reset_before_response_started{overflow}", "UO");
	scene_assert_text(
	    headers_get(&scene.front.headers, STR("x-envoy-overloaded")),
	    "true");
}

START_TEST(more_requests_than_allowed_overflow)
{
	struct exchange *first, *x;

	scene.one->thresholds[0].requests = 1;
	first = under_way("/silent");
	scene_until(one_is_at_the_backend);
	x = scene_request("GET", "/plain");
	scene_run(x);
	assert_overflow(x);
	ck_assert_uint_eq(scene_count("upstream_rq_active_overflow"), 1);
	scene_end(x);
	scene_end(first);
	x = scene_request("GET", "/plain");
	scene_run(x);
	scene_assert_answer(x, "200", "hello");
	scene_end(x);
}
END_TEST

START_TEST(requests_of_high_priority_have_thresholds_of_their_own)
{
	struct exchange *first, *x;

	scene.one->thresholds[0].requests = 1;
	first = under_way("/silent");
	scene_until(one_is_at_the_backend);
	x = scene_request("GET", "/plain");
	fake_forwarding(x)->is_urgent = true;
	scene_run(x);
	scene_assert_answer(x, "200", "hello");
	scene_end(x);
	scene_end(first);
}
END_TEST

START_TEST(without_a_place_to_wait_a_new_connection_is_refused)
{
	struct exchange *x = scene_request("GET", "/plain");

	scene.one->thresholds[0].pending = 0;
	scene_run(x);
	assert_overflow(x);
	ck_assert_uint_eq(scene_count("upstream_rq_pending_overflow"), 1);
	ck_assert_uint_eq(scene_count("upstream_rq_total"), 0);
	scene_end(x);
}
END_TEST

START_TEST(without_a_connection_it_is_a_turn_that_is_waited_for)
{
	struct exchange *first, *second;

	scene.one->n = 1;
	scene.one->thresholds[0].connections = 1;
	first = under_way("/silent");
	scene_until(one_is_at_the_backend);
	second = under_way("/plain");
	ck_assert_uint_eq(scene_count("upstream_cx_overflow"), 1);
	ck_assert_uint_eq(scene_count("upstream_rq_total"), 1);
	scene_end(first);
	scene_wait(second);
	scene_assert_answer(second, "200", "hello");
	ck_assert_uint_eq(scene_count("upstream_rq_total"), 2);
	scene_end(second);
}
END_TEST

START_TEST(who_leaves_the_queue_holds_up_nobody)
{
	struct exchange *first, *second, *third;

	scene.one->n = 1;
	scene.one->thresholds[0].connections = 1;
	first = under_way("/silent");
	scene_until(one_is_at_the_backend);
	second = under_way("/plain");
	third = under_way("/plain");
	scene_end(second);
	ck_assert_uint_eq(scene_count("upstream_rq_cancelled"), 1);
	scene_end(first);
	scene_wait(third);
	scene_assert_answer(third, "200", "hello");
	scene_end(third);
}
END_TEST

static bool
both_are_answered(void)
{
	return scene.front.responds == 2;
}

START_TEST(a_free_connection_is_for_who_waits)
{
	struct exchange *first, *second;

	scene.one->n = 1;
	scene.one->thresholds[0].connections = 1;
	first = under_way("/plain");
	second = scene_request("GET", "/plain");
	router_forward(scene.router, second);
	scene_until(both_are_answered);
	ck_assert_uint_eq(scene.backend.seen->connections, 1);
	ck_assert_uint_eq(scene_count("upstream_cx_total"), 1);
	scene_end(first);
	scene_end(second);
}
END_TEST

/* ---- clusters that take none ---- */

static const struct {
	uint32_t drop_ppm, maintenance;
	const char *body, *details, *flag, *header;
} refusals[] = {
	{ 0, 100, "maintenance mode", "maintenance_mode", "UO",
	    "x-envoy-overloaded" },
	{ 1000000, 100, "maintenance mode", "maintenance_mode", "UO",
	    "x-envoy-overloaded" },
	{ 1000000, 0, "unconditional drop overload",
	    "unconditional_drop_overload", "UDO",
	    "x-envoy-unconditional-drop-overload" },
	{ 1, 0, "drop overload", "drop_overload", "DO",
	    "x-envoy-drop-overload" },
};

START_TEST(requests_may_be_refused_by_chance)
{
	struct exchange *x = scene_request("GET", "/plain");

	x->random = 0;
	scene.one->drop_ppm = refusals[_i].drop_ppm;
	scene.one->maintenance_percent = refusals[_i].maintenance;
	scene_run(x);
	scene_assert_reply(
	    x, 503, refusals[_i].body, refusals[_i].details, refusals[_i].flag);
	scene_assert_text(
	    headers_get(&scene.front.headers, str_of(refusals[_i].header)),
	    "true");
	ck_assert_uint_eq(scene_count("upstream_rq_503"), 1);
	ck_assert_uint_eq(scene_count("upstream_rq_maintenance_mode"), _i < 2);
	scene_end(x);
	x = scene_request("GET", "/plain");
	x->random = 999999;
	scene.one->maintenance_percent = 99;
	scene.one->drop_ppm = 999999;
	scene_run(x);
	scene_assert_answer(x, "200", "hello");
	scene_end(x);
}
END_TEST

Suite *suite_upstream_overload(void);

Suite *
suite_upstream_overload(void)
{
	Suite *s = suite_create("upstream/overload");
	TCase *t = tcase_create("thresholds");

	tcase_set_timeout(t, 2 * SCENE_PATIENCE_S);
	tcase_add_checked_fixture(t, scene_begin, scene_finish);
	tcase_add_loop_test(t, each_resource_has_its_threshold, 0, 2);
	tcase_add_loop_test(t, a_threshold_of_none_refuses_all, 0, 2);
	tcase_add_test(t, a_budget_is_a_part_of_what_is_under_way);
	tcase_add_test(t, what_is_under_way_has_envoys_names);
	tcase_add_test(t, more_requests_than_allowed_overflow);
	tcase_add_test(
	    t, requests_of_high_priority_have_thresholds_of_their_own);
	tcase_add_test(t, without_a_place_to_wait_a_new_connection_is_refused);
	tcase_add_test(t, without_a_connection_it_is_a_turn_that_is_waited_for);
	tcase_add_test(t, who_leaves_the_queue_holds_up_nobody);
	tcase_add_test(t, a_free_connection_is_for_who_waits);
	tcase_add_loop_test(t, requests_may_be_refused_by_chance, 0, 4);
	suite_add_tcase(s, t);
	return s;
}
