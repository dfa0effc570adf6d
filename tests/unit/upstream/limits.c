#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "tests/unit/upstream/scene.h"
#include "upstream/forward.h"

#define BRIEFLY (50 * NS_PER_MS)

static struct retry_policy policy;

static void
begin(void)
{
	scene_begin();
	policy = (struct retry_policy){ .num_retries = 1 };
}

/* ---- reading ---- */

static const struct {
	const char *name, *value;
	const char *expected; /* milliseconds the backend is told */
	uint64_t total, attempt, idle;
} headers[] = {
	{ NULL, NULL, "15000", 15000, 0, 300000 },
	{ "x-envoy-upstream-rq-timeout-ms", "3000", "3000", 3000, 0, 300000 },
	{ "x-envoy-upstream-rq-timeout-ms", "+7", "7", 7, 0, 300000 },
	{ "x-envoy-upstream-rq-timeout-ms", "0", NULL, 0, 0, 300000 },
	{ "x-envoy-upstream-rq-timeout-ms", "3s", "15000", 15000, 0, 300000 },
	{ "x-envoy-upstream-rq-timeout-ms", "", "15000", 15000, 0, 300000 },
	{ "x-envoy-upstream-rq-timeout-ms", "-3", "15000", 15000, 0, 300000 },
	{ "x-envoy-upstream-rq-per-try-timeout-ms", "500", "500", 15000, 500,
	    300000 },
	{ "x-envoy-upstream-rq-per-try-timeout-ms", "15000", "15000", 15000, 0,
	    300000 },
	{ "x-envoy-upstream-rq-per-try-timeout-ms", "x", "15000", 15000, 0,
	    300000 },
	{ "x-envoy-expected-rq-timeout-ms", "77", "15000", 15000, 0, 300000 },
	{ "grpc-timeout", "9S", "15000", 15000, 0, 300000 },
};

START_TEST(limits_come_from_the_route_and_from_headers)
{
	struct exchange *x = scene_request("GET", "/plain");
	const struct forward *f;

	fake_route(x)->timeout_ns = 15 * NS_PER_S;
	fake_route(x)->idle_timeout_ns = 300 * NS_PER_S;
	if (headers[_i].name)
		headers_add(&x->request, str_of(headers[_i].name),
		    str_of(headers[_i].value));
	scene_run(x);
	f = x->router;
	ck_assert_uint_eq(f->limits.total, headers[_i].total);
	ck_assert_uint_eq(f->limits.attempt, headers[_i].attempt);
	ck_assert_uint_eq(f->limits.idle, headers[_i].idle);
	if (headers[_i].expected)
		scene_assert_text(headers_get(&x->request,
				      STR("x-envoy-expected-rq-timeout-ms")),
		    headers[_i].expected);
	else
		ck_assert_ptr_null(headers_get(
		    &x->request, STR("x-envoy-expected-rq-timeout-ms"))
				       .ptr);
	ck_assert_ptr_null(
	    headers_get(&x->request, STR("x-envoy-upstream-rq-timeout-ms"))
		.ptr);
	scene_end(x);
}
END_TEST

static const struct {
	const char *timeout; /* grpc-timeout */
	int64_t max_s, offset_s;
	uint64_t total;
} grpc[] = {
	{ "5S", 0, 0, 5000 },
	{ "5S", 3, 0, 3000 },
	{ "2S", 3, 1, 1000 },
	{ "2S", 3, 9, 2000 },
	{ NULL, 3, 0, 3000 },
	{ NULL, 0, 0, 0 },
	{ "1H", 0, 0, 3600000 },
	{ "1M", 0, 0, 60000 },
	{ "7m", 0, 0, 7 },
	{ "1500u", 0, 0, 2 },
	{ "1n", 0, 0, 1 },
	{ "123456789S", 3, 0, 3000 },
	{ "S", 3, 0, 3000 },
	{ "5x", 3, 0, 3000 },
};

START_TEST(grpc_timeouts_hold_where_they_may)
{
	struct exchange *x = scene_request("POST", "/plain");
	struct conf_route_action *action = fake_action(x);

	fake_route(x)->timeout_ns = 15 * NS_PER_S;
	action->has_max_grpc_timeout = true;
	action->max_grpc_timeout = grpc[_i].max_s * NS_PER_S;
	action->grpc_timeout_offset = grpc[_i].offset_s * NS_PER_S;
	headers_add(
	    &x->request, STR("content-type"), STR("application/grpc+proto"));
	if (grpc[_i].timeout)
		headers_add(
		    &x->request, STR("grpc-timeout"), str_of(grpc[_i].timeout));
	scene_run(x);
	ck_assert_uint_eq(
	    ((struct forward *)x->router)->limits.total, grpc[_i].total);
	scene_end(x);
}
END_TEST

START_TEST(an_expected_timeout_counts_where_it_is_respected)
{
	struct exchange *x = scene_request("GET", "/plain");

	fake_route(x)->timeout_ns = 15 * NS_PER_S;
	fake_gateway(x)->router.respects_expected_timeout = true;
	headers_add(
	    &x->request, STR("x-envoy-expected-rq-timeout-ms"), STR("77"));
	scene_run(x);
	ck_assert_uint_eq(((struct forward *)x->router)->limits.total, 77);
	scene_end(x);
}
END_TEST

static const struct str strict_names[] = {
	STR_INIT("x-envoy-upstream-rq-timeout-ms"),
	STR_INIT("x-envoy-retry-on"),
	STR_INIT("x-envoy-retry-grpc-on"),
};

static const struct {
	const char *name, *value;
	bool is_sound;
} strict[] = {
	{ "x-envoy-upstream-rq-timeout-ms", "10000", true },
	{ "x-envoy-upstream-rq-timeout-ms", "10s", false },
	{ "x-envoy-retry-on", "5xx, reset", true },
	{ "x-envoy-retry-on", "5xx,cancelled", false },
	{ "x-envoy-retry-grpc-on", "cancelled", true },
	{ "x-envoy-retry-grpc-on", "5xx", false },
	{ "x-envoy-max-retries", "many", true },
};

START_TEST(headers_may_be_checked_strictly)
{
	struct exchange *x = scene_request("GET", "/plain");
	struct router_rules *rules = &fake_gateway(x)->router;

	rules->strict = strict_names;
	rules->n_strict = 3;
	headers_add(
	    &x->request, str_of(strict[_i].name), str_of(strict[_i].value));
	scene_run(x);
	if (strict[_i].is_sound)
		scene_assert_answer(x, "200", "hello");
	else
		scene_assert_reply(x, 400,
		    arena_printf(scene.arena,
			"invalid header '%s' with value '%s'", strict[_i].name,
			strict[_i].value)
			.ptr,
		    arena_printf(scene.arena,
			"request_headers_failed_strict_check{%s}",
			strict[_i].name)
			.ptr,
		    "IH");
	scene_end(x);
}
END_TEST

/* ---- time is up ---- */

START_TEST(one_try_may_take_too_long)
{
	struct exchange *x = scene_request("GET", "/turns/silent");

	if (_i)
		policy.per_try_idle_ns = BRIEFLY;
	else
		policy.per_try_ns = BRIEFLY;
	fake_forwarding(x)->retry = &policy;
	scene_run(x);
	scene_assert_reply(x, 504, "upstream request timeout",
	    _i ? "upstream_per_try_idle_timeout" : "upstream_per_try_timeout",
	    "UT");
	ck_assert_uint_eq(scene_count(_i ? "upstream_rq_per_try_idle_timeout"
					 : "upstream_rq_per_try_timeout"),
	    1);
	ck_assert_uint_eq(scene_count("upstream_rq_504"), 1);
	scene_end(x);
}
END_TEST

static bool
one_try_is_over(void)
{
	return scene_count("upstream_rq_per_try_timeout") == 1;
}

START_TEST(a_try_that_took_too_long_is_followed_by_another)
{
	struct exchange *x = scene_request("GET", "/turns/silent/200");

	policy.per_try_ns = BRIEFLY;
	policy.on = RETRY_ON_5XX;
	fake_forwarding(x)->retry = &policy;
	fake_forwarding(x)->tells_timeout_retry = true;
	router_forward(scene.router, x);
	scene_until(one_try_is_over);
	/* The second may take its time. */
	((struct forward *)x->router)->limits.attempt = 0;
	scene_wait(x);
	scene_assert_answer(x, "200", "200");
	ck_assert_uint_eq(x->attempts, 2);
	scene_assert_text(
	    headers_get(&x->request, STR("x-envoy-is-timeout-retry")), "true");
	scene_end(x);
}
END_TEST

START_TEST(a_timeout_may_be_answered_with_204)
{
	struct exchange *x = scene_request("GET", "/silent");

	fake_route(x)->timeout_ns = BRIEFLY;
	headers_add(&x->request,
	    STR("x-envoy-upstream-rq-timeout-alt-response"), STR("1"));
	scene_run(x);
	scene_assert_reply(x, 204, "", "response_timeout", "UT");
	scene_end(x);
}
END_TEST

START_TEST(a_stream_has_its_time)
{
	struct exchange *x = scene_request("GET", "/silent");

	scene.one->max_stream_ns = BRIEFLY;
	scene_run(x);
	scene_assert_reply(x, 504, "upstream max stream duration reached",
	    "upstream_max_stream_duration_reached", "UMSDR");
	ck_assert_uint_eq(scene_count("upstream_rq_max_duration_reached"), 1);
	scene_end(x);
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_upstream_limits(void);

Suite *
suite_upstream_limits(void)
{
	Suite *s = suite_create("upstream/limits");
	TCase *t = tcase_create("time");

	tcase_set_timeout(t, 2 * SCENE_PATIENCE_S);
	tcase_add_checked_fixture(t, begin, scene_finish);
	TABLE_TEST(t, headers, limits_come_from_the_route_and_from_headers);
	TABLE_TEST(t, grpc, grpc_timeouts_hold_where_they_may);
	tcase_add_test(t, an_expected_timeout_counts_where_it_is_respected);
	TABLE_TEST(t, strict, headers_may_be_checked_strictly);
	tcase_add_loop_test(t, one_try_may_take_too_long, 0, 2);
	tcase_add_test(t, a_try_that_took_too_long_is_followed_by_another);
	tcase_add_test(t, a_timeout_may_be_answered_with_204);
	tcase_add_test(t, a_stream_has_its_time);
	suite_add_tcase(s, t);
	return s;
}
