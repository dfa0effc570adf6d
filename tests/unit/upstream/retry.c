#include "config.h"

#include <check.h>

#include "tests/unit/upstream/scene.h"
#include "upstream/forward.h"

static struct retry_policy policy;

static void
begin(void)
{
	scene_begin();
	policy = (struct retry_policy){ .num_retries = 1 };
}

static struct exchange *
retried(const char *path, unsigned on)
{
	struct exchange *x = scene_request("GET", path);

	policy.on = on;
	fake_forwarding(x)->retry = &policy;
	return x;
}

static const struct {
	unsigned on;
	const char *path;
	const char *status; /* NULL: a reply of 503 */
	unsigned attempts;
} cases[] = {
	{ 0, "/turns/500/200", "500", 1 },
	{ RETRY_ON_5XX, "/turns/500/200", "200", 2 },
	{ RETRY_ON_5XX, "/turns/599/200", "200", 2 },
	{ RETRY_ON_5XX, "/turns/drop/200", "200", 2 },
	{ RETRY_ON_5XX, "/turns/404/200", "404", 1 },
	{ RETRY_ON_GATEWAY_ERROR, "/turns/500/200", "500", 1 },
	{ RETRY_ON_GATEWAY_ERROR, "/turns/502/200", "200", 2 },
	{ RETRY_ON_GATEWAY_ERROR, "/turns/504/200", "200", 2 },
	{ RETRY_ON_GATEWAY_ERROR, "/turns/505/200", "505", 1 },
	{ RETRY_ON_GATEWAY_ERROR, "/turns/drop/200", "200", 2 },
	{ RETRY_ON_RETRIABLE_4XX, "/turns/409/200", "200", 2 },
	{ RETRY_ON_RETRIABLE_4XX, "/turns/408/200", "408", 1 },
	{ RETRY_ON_RESET, "/turns/drop/200", "200", 2 },
	{ RETRY_ON_RESET, "/turns/500/200", "500", 1 },
	{ RETRY_ON_CONNECT_FAILURE, "/turns/drop/200", NULL, 1 },
	{ RETRY_ON_RESET_BEFORE_REQUEST, "/turns/drop/200", NULL, 1 },
	{ RETRY_ON_REFUSED_STREAM, "/turns/drop/200", NULL, 1 },
	{ RETRY_ON_ENVOY_RATELIMITED, "/turns/429;x-envoy-ratelimited=true/200",
	    "200", 2 },
	{ RETRY_ON_ENVOY_RATELIMITED, "/turns/429/200", "429", 1 },
	{ RETRY_ON_5XX, "/turns/500;x-envoy-ratelimited=true/200", "500", 1 },
	{ RETRY_ON_UNAVAILABLE, "/turns/200;grpc-status=14/201", "201", 2 },
	{ RETRY_ON_UNAVAILABLE, "/turns/200;grpc-status=13/201", "200", 1 },
	{ RETRY_ON_CANCELLED, "/turns/200;grpc-status=1/201", "201", 2 },
	{ RETRY_ON_RETRIABLE_STATUS_CODES, "/turns/418/200", "418", 1 },
	{ RETRY_ON_RETRIABLE_HEADERS, "/turns/418/200", "418", 1 },
};

START_TEST(what_is_tried_again)
{
	struct exchange *x = retried(cases[_i].path, cases[_i].on);

	scene_run(x);
	ck_assert_uint_eq(x->attempts, cases[_i].attempts);
	ck_assert_uint_eq(scene.front.replied, cases[_i].status ? 0 : 503);
	if (cases[_i].status)
		scene_assert_answer(x, cases[_i].status, cases[_i].status);
	ck_assert_uint_eq(
	    scene_count("upstream_rq_retry"), cases[_i].attempts - 1);
	ck_assert_uint_eq(
	    scene_count("upstream_rq_retry_success"), cases[_i].attempts - 1);
	scene_end(x);
}
END_TEST

START_TEST(codes_and_headers_of_the_policy_count)
{
	static const uint32_t codes[] = { 418, 200 };
	struct exchange *x;

	policy.codes = codes;
	policy.n_codes = 2;
	x = retried("/turns/418/201", RETRY_ON_RETRIABLE_STATUS_CODES);
	scene_run(x);
	scene_assert_answer(x, "201", "201");
	scene_end(x);
}
END_TEST

START_TEST(the_request_may_name_its_own)
{
	static const char *const headers[][3] = {
		{ "x-envoy-retry-on", "5xx", "/turns/500/200" },
		{ "x-envoy-retry-on", "gibberish, reset", "/turns/drop/200" },
		{ "x-envoy-retry-on", "retriable-status-codes",
		    "/turns/418/200" },
		{ "x-envoy-retry-on", "retriable-headers",
		    "/turns/404;x-again=1/200" },
		{ "x-envoy-retry-grpc-on", "internal",
		    "/turns/201;grpc-status=13/200" },
	};
	struct exchange *x = scene_request("GET", headers[_i][2]);
	static const char *const names[] = { "x-envoy-retry-on",
		"x-envoy-retry-grpc-on", "x-envoy-max-retries",
		"x-envoy-retriable-status-codes",
		"x-envoy-retriable-header-names" };

	headers_add(
	    &x->request, str_of(headers[_i][0]), str_of(headers[_i][1]));
	headers_add(
	    &x->request, STR("x-envoy-retriable-status-codes"), STR("x, 418"));
	headers_add(&x->request, STR("x-envoy-retriable-header-names"),
	    STR("x-b , X-Again"));
	headers_add(&x->request, STR("x-envoy-max-retries"), STR("3"));
	scene_run(x);
	scene_assert_answer(x, "200", "200");
	ck_assert_uint_eq(x->attempts, 2);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_ptr_null(
		    headers_get(&x->request, str_of(names[i])).ptr);
	scene_end(x);
}
END_TEST

START_TEST(after_the_last_retry_the_answer_comes_through)
{
	struct exchange *x;

	policy.num_retries = 2;
	x = retried("/turns/500/501/502/200", RETRY_ON_5XX);
	scene_run(x);
	scene_assert_answer(x, "502", "502");
	ck_assert_uint_eq(x->attempts, 3);
	ck_assert_uint_eq(x->flags.bits, FLAG_URX);
	ck_assert_uint_eq(scene_count("upstream_rq_retry"), 2);
	ck_assert_uint_eq(scene_count("upstream_rq_retry_limit_exceeded"), 1);
	ck_assert_uint_eq(scene_count("upstream_rq_retry_success"), 0);
	ck_assert_uint_eq(scene_count("upstream_rq_completed"), 1);
	ck_assert_uint_eq(scene_count("retry.upstream_rq_completed"), 2);
	scene_end(x);
}
END_TEST

START_TEST(a_failure_after_a_retry_says_so)
{
	struct exchange *x = retried("/turns/500/drop", RETRY_ON_5XX);

	scene_run(x);
	scene_assert_reply(x, 503,
	    "upstream connect error or disconnect/reset before headers. "
	    "retried and the latest reset reason: connection termination",
	    "upstream_reset_before_response_started{connection_termination}",
	    "UC");
	ck_assert_uint_eq(x->flags.bits, FLAG_URX);
	scene_end(x);
}
END_TEST

START_TEST(no_more_retries_at_once_than_allowed)
{
	struct exchange *x = retried("/turns/500/200", RETRY_ON_5XX);

	scene.one->thresholds[0].retries = 0;
	scene_run(x);
	scene_assert_answer(x, "500", "500");
	ck_assert_uint_eq(x->flags.bits, FLAG_UO);
	ck_assert_uint_eq(scene_count("upstream_rq_retry_overflow"), 1);
	scene_end(x);
}
END_TEST

START_TEST(a_place_among_the_retries_is_given_back)
{
	scene.one->thresholds[0].retries = 1;
	for (int i = 0; i < 3; i++) {
		struct exchange *x = retried("/turns/500/200", RETRY_ON_5XX);

		scene.backend.seen->turns = 0;
		scene_run(x);
		scene_assert_answer(x, "200", "200");
		scene_end(x);
	}
}
END_TEST

START_TEST(the_tries_are_counted_for_both_sides)
{
	struct exchange *x = retried("/turns/500/200", RETRY_ON_5XX);

	fake_forwarding(x)->counts_in_request = true;
	fake_forwarding(x)->counts_in_response = true;
	fake_forwarding(x)->tells_timeout_retry = true;
	scene_run(x);
	scene_assert_text(
	    headers_get(&x->request, STR("x-envoy-attempt-count")), "2");
	scene_assert_text(
	    headers_get(&x->response, STR("x-envoy-attempt-count")), "2");
	scene_assert_text(
	    headers_get(&x->request, STR("x-envoy-is-timeout-retry")), "false");
	scene_end(x);
}
END_TEST

START_TEST(hosts_that_were_tried_are_passed_over)
{
	struct exchange *x;
	struct forward *f;

	policy.num_retries = SCENE_HOSTS - 1;
	policy.avoids_previous_hosts = true;
	policy.host_attempts = 10;
	x = retried("/turns/500/500/200", RETRY_ON_5XX);
	scene_run(x);
	f = x->router;
	ck_assert_uint_eq(f->n_tried, SCENE_HOSTS);
	for (size_t i = 0; i < SCENE_HOSTS; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_ptr_ne(f->tried[i], f->tried[j]);
	scene_end(x);
}
END_TEST

START_TEST(canaries_may_be_passed_over)
{
	struct exchange *x;

	policy.avoids_canaries = true;
	policy.host_attempts = 10;
	for (int i = 0; i < SCENE_HOSTS; i++) {
		scene.one->hosts[i].is_canary = i != 1;
		scene.one->hosts[i].address =
		    i == 1 ? STR("plain") : STR("canary");
	}
	for (int i = 0; i < 5; i++) {
		scene.backend.seen->turns = 0;
		x = retried("/turns/500/200", RETRY_ON_5XX);
		scene_run(x);
		scene_assert_text(x->upstream_host, "plain");
		scene_end(x);
	}
}
END_TEST

/* ---- the body ---- */

static void
put_body(struct exchange *x, const char *body)
{
	ck_assert_int_eq(buf_append(&x->upload, str_of(body)), ERR_OK);
}

START_TEST(the_body_is_sent_again)
{
	struct exchange *x = retried("/turns/503/drop/echo", RETRY_ON_5XX);

	policy.num_retries = 2;
	put_body(x, "payload");
	x->upload_len = _i ? -1 : 7;
	scene_run(x);
	ck_assert_uint_eq(x->attempts, 3);
	if (_i)
		scene_assert_answer(x, "200", "7\r\npayload\r\n0\r\n\r\n");
	else
		scene_assert_answer(x, "200", "payload");
	scene_end(x);
}
END_TEST

START_TEST(a_body_beyond_the_limit_is_sent_once)
{
	struct exchange *x = retried("/turns/503/200", RETRY_ON_5XX);

	put_body(x, "payload");
	x->upload_len = 7;
	fake_forwarding(x)->keep_max = 6;
	router_forward(scene.router, x);
	router_resume(x);
	ck_assert_uint_eq(scene_count("retry_or_shadow_abandoned"), 1);
	scene_wait(x);
	scene_assert_answer(x, "503", "503");
	ck_assert_uint_eq(x->flags.bits, 0);
	scene_end(x);
}
END_TEST

static struct conf_reset_header reset_header = { .name = STR_INIT("x-wait") };
static struct conf_limited_back_off resets = {
	.reset_headers = { .items = &reset_header, .n = 1 },
	.max_interval = 300 * 1000000000LL,
};

static bool
a_retry_waits(void)
{
	return scene_count("retry.upstream_rq_503") == 1;
}

START_TEST(a_body_that_outgrows_the_limit_while_a_retry_waits)
{
	struct exchange *x =
	    retried("/turns/!503;x-wait=100/200", RETRY_ON_5XX);

	policy.resets = &resets;
	put_body(x, "0123456789");
	x->upload_end = false;
	x->upload_len = 30;
	fake_forwarding(x)->keep_max = 20;
	router_forward(scene.router, x);
	scene_until(a_retry_waits);
	ck_assert_uint_eq(scene_count("upstream_rq_retry"), 0);
	put_body(x, "0123456789");
	router_resume(x);
	ck_assert_uint_eq(scene.front.replied, 0);
	put_body(x, "0");
	router_resume(x);
	scene_assert_reply(x, 507,
	    "exceeded request buffer limit while retrying upstream",
	    "request_payload_exceeded_retry_buffer_limit", NULL);
	scene_end(x);
}
END_TEST

START_TEST(it_can_be_ended_while_a_retry_waits)
{
	struct exchange *x = retried("/turns/503;x-wait=100/200", RETRY_ON_5XX);

	policy.resets = &resets;
	scene.one->thresholds[0].retries = 1;
	router_forward(scene.router, x);
	scene_until(a_retry_waits);
	scene_end(x);
	scene.backend.seen->turns = 0;
	x = retried("/turns/500/200", RETRY_ON_5XX);
	scene_run(x);
	scene_assert_answer(x, "200", "200");
	scene_end(x);
}
END_TEST

Suite *suite_upstream_retry(void);

Suite *
suite_upstream_retry(void)
{
	Suite *s = suite_create("upstream/retry");
	TCase *t = tcase_create("retries");

	tcase_set_timeout(t, 2 * SCENE_PATIENCE_S);
	tcase_add_checked_fixture(t, begin, scene_finish);
	tcase_add_loop_test(
	    t, what_is_tried_again, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, codes_and_headers_of_the_policy_count);
	tcase_add_loop_test(t, the_request_may_name_its_own, 0, 5);
	tcase_add_test(t, after_the_last_retry_the_answer_comes_through);
	tcase_add_test(t, a_failure_after_a_retry_says_so);
	tcase_add_test(t, no_more_retries_at_once_than_allowed);
	tcase_add_test(t, a_place_among_the_retries_is_given_back);
	tcase_add_test(t, the_tries_are_counted_for_both_sides);
	tcase_add_test(t, hosts_that_were_tried_are_passed_over);
	tcase_add_test(t, canaries_may_be_passed_over);
	tcase_add_loop_test(t, the_body_is_sent_again, 0, 2);
	tcase_add_test(t, a_body_beyond_the_limit_is_sent_once);
	tcase_add_test(t, a_body_that_outgrows_the_limit_while_a_retry_waits);
	tcase_add_test(t, it_can_be_ended_while_a_retry_waits);
	suite_add_tcase(s, t);
	return s;
}
