#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "state/gauge.h"
#include "tests/unit/fake_host.h"

extern const struct filter filter_fault;

static const char always[] =
    "abort: {http_status: 503, percentage: {numerator: 100}}\n";

static int64_t
active(struct exchange *x)
{
	return gauge_get(
	    x->state, gauge_find(x->state, STR("fault.active_faults")));
}

START_TEST(an_abort_answers_and_is_counted)
{
	struct exchange *x = fake_new(&filter_fault, always);

	ck_assert_str_eq(x->setup_error, "");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 503);
	ck_assert(str_eq(x->reply.body, STR("fault filter abort")));
	ck_assert(str_eq(x->reply.details, STR("fault_filter_abort")));
	ck_assert_str_eq(x->flags, "FI ");
	ck_assert_uint_eq(fake_count(x, "fault.aborts_injected"), 1);
	ck_assert_int_eq(active(x), 1);
	fake_run_end(x);
	ck_assert_int_eq(active(x), 0);
	fake_free(x);
}
END_TEST

START_TEST(a_delay_waits_for_its_time_and_no_longer)
{
	struct exchange *x = fake_new(&filter_fault,
	    "delay: {fixed_delay: 0.25s, percentage: {numerator: 100}}\n");

	ck_assert_int_eq(fake_run_request(x), FILTER_WAIT);
	ck_assert_str_eq(x->flags, "DI ");
	x->boot_ns += 249 * NS_PER_MS;
	ck_assert_int_eq(fake_run_request(x), FILTER_WAIT);
	x->boot_ns += 1 * NS_PER_MS;
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_uint_eq(fake_count(x, "fault.delays_injected"), 1);
	ck_assert_uint_eq(fake_count(x, "fault.aborts_injected"), 0);
	fake_run_end(x);
	ck_assert_int_eq(active(x), 0);
	fake_free(x);
}
END_TEST

START_TEST(an_abort_comes_after_the_delay)
{
	struct exchange *x = fake_new(&filter_fault,
	    "delay: {fixed_delay: 1s, percentage: {numerator: 100}}\n"
	    "abort: {http_status: 418, percentage: {numerator: 100}}\n"
	    "filter_metadata: {why: \"a test\"}\n");

	ck_assert_int_eq(fake_run_request(x), FILTER_WAIT);
	ck_assert(!x->replied);
	ck_assert_uint_eq(x->decided->place.line, 1);
	x->boot_ns += 1 * NS_PER_S;
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->decided->place.line, 2);
	ck_assert_uint_eq(x->reply.status, 418);
	ck_assert_str_eq(x->flags, "DI FI ");
	ck_assert(host_metadata_has(x, STR("envoy.filters.http.fault")));
	fake_run_end(x);
	ck_assert_int_eq(active(x), 0);
	fake_free(x);
}
END_TEST

static const struct {
	const char *conf;
	uint64_t random;
	enum verdict verdict;
} dice[] = {
	{ "abort: {http_status: 503}", 0, FILTER_NEXT },
	{ "abort: {http_status: 503, percentage: {numerator: 0}}", 0,
	    FILTER_NEXT },
	{ "abort: {http_status: 503, percentage: {numerator: 30}}", 29,
	    FILTER_REPLY },
	{ "abort: {http_status: 503, percentage: {numerator: 30}}", 30,
	    FILTER_NEXT },
	{ "abort: {http_status: 503, percentage: {numerator: 5, denominator: "
	  "TEN_THOUSAND}}",
	    4, FILTER_REPLY },
	{ "abort: {http_status: 503, percentage: {numerator: 5, denominator: "
	  "MILLION}}",
	    5, FILTER_NEXT },
	{ "delay: {fixed_delay: 0.0009s, percentage: {numerator: 100}}", 0,
	    FILTER_NEXT },
	{ "delay: {fixed_delay: 1s}", 0, FILTER_NEXT },
	{ "{}", 0, FILTER_NEXT },
};

START_TEST(a_fraction_of_requests_is_treated_so)
{
	struct exchange *x = fake_new(&filter_fault, dice[_i].conf);

	ck_assert_str_eq(x->setup_error, "");
	x->random = dice[_i].random;
	ck_assert_int_eq(fake_run_request(x), dice[_i].verdict);
	fake_free(x);
}
END_TEST

static const struct {
	const char *name, *value;
	unsigned status; /* 0: not answered */
} asked[] = {
	{ "x-envoy-fault-abort-request", "418", 418 },
	{ "x-envoy-fault-abort-request", "200", 200 },
	{ "x-envoy-fault-abort-request", "199", 0 },
	{ "x-envoy-fault-abort-request", "600", 0 },
	{ "x-envoy-fault-abort-request", "", 0 },
	{ "x-envoy-fault-abort-request", "99999999999999999999999", 0 },
	{ "x-other", "418", 0 },
};

START_TEST(the_client_says_which_status)
{
	struct exchange *x = fake_new(&filter_fault,
	    "abort: {header_abort: {}, percentage: {numerator: 100}}\n");

	fake_request(x, asked[_i].name, asked[_i].value);
	ck_assert_int_eq(
	    fake_run_request(x), asked[_i].status ? FILTER_REPLY : FILTER_NEXT);
	if (asked[_i].status)
		ck_assert_uint_eq(x->reply.status, asked[_i].status);
	fake_free(x);
}
END_TEST

START_TEST(the_client_may_lower_the_fraction_but_not_raise_it)
{
	struct exchange *x = fake_new(&filter_fault,
	    "abort: {header_abort: {}, percentage: {numerator: 50}}\n");

	x->random = 60;
	fake_request(x, "x-envoy-fault-abort-request", "500");
	fake_request(x, "x-envoy-fault-abort-request-percentage", "100");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	fake_next_request(x);
	x->random = 40;
	fake_request(x, "x-envoy-fault-abort-request", "500");
	fake_request(x, "x-envoy-fault-abort-request-percentage", "30");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	fake_next_request(x);
	fake_request(x, "x-envoy-fault-abort-request", "500");
	fake_request(x, "x-envoy-fault-abort-request-percentage", "no");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	fake_free(x);
}
END_TEST

START_TEST(a_delay_without_end_stays_within_the_clock)
{
	struct exchange *x = fake_new(&filter_fault,
	    "delay: {header_delay: {}, percentage: {numerator: 100}}\n");

	fake_request(x, "x-envoy-fault-delay-request", "18446744073709551615");
	ck_assert_int_eq(fake_run_request(x), FILTER_WAIT);
	ck_assert_int_gt(x->timers[0].due_ns, x->boot_ns);
	fake_free(x);
}
END_TEST

START_TEST(no_more_than_so_many_at_once)
{
	struct exchange *x = fake_new(&filter_fault,
	    "abort: {http_status: 503, percentage: {numerator: 100}}\n"
	    "max_active_faults: 2\n");
	int gauge = gauge_find(x->state, STR("fault.active_faults"));

	gauge_add(x->state, gauge, 2);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_uint_eq(fake_count(x, "fault.faults_overflow"), 1);
	fake_run_end(x);
	ck_assert_int_eq(active(x), 2);
	gauge_add(x->state, gauge, -1);
	fake_next_request(x);
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	fake_free(x);
}
END_TEST

START_TEST(grpc_has_statuses_of_its_own)
{
	struct exchange *x = fake_new(&filter_fault,
	    "abort: {grpc_status: 5, percentage: {numerator: 100}}\n");

	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 200);
	ck_assert_uint_eq(x->reply.grpc_status, 5);
	fake_free(x);
	x = fake_new(&filter_fault,
	    "abort: {header_abort: {}, percentage: {numerator: 100}}\n");
	fake_request(x, "x-envoy-fault-abort-grpc-request", "7");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.grpc_status, 7);
	fake_next_request(x);
	fake_request(x, "x-envoy-fault-abort-grpc-request", "7");
	fake_request(x, "x-envoy-fault-abort-request", "404");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 404);
	ck_assert_uint_eq(x->reply.grpc_status, 0);
	fake_free(x);
}
END_TEST

static const struct {
	const char *more; /* beside the abort */
	bool meant;
} requests[] = {
	{ "upstream_cluster: backend", true },
	{ "upstream_cluster: other", false },
	{ "headers: [{name: x-a, string_match: {exact: \"1\"}}]", true },
	{ "headers: [{name: x-a, string_match: {exact: \"2\"}}]", false },
	{ "headers: [{name: x-a}, {name: x-b}]", false },
	{ "downstream_nodes: [n1, n2]", true },
	{ "downstream_nodes: [n1]", false },
};

START_TEST(only_those_who_are_meant)
{
	char conf[256];
	struct exchange *x;

	(void)snprintf(conf, sizeof(conf), "%s%s", always, requests[_i].more);
	x = fake_new(&filter_fault, conf);
	ck_assert_str_eq(x->setup_error, "");
	x->cluster_name = STR("backend");
	fake_request(x, "x-a", "1");
	fake_request(x, "x-envoy-downstream-service-node", "n2");
	ck_assert_int_eq(fake_run_request(x),
	    requests[_i].meant ? FILTER_REPLY : FILTER_NEXT);
	fake_free(x);
}
END_TEST

START_TEST(a_route_has_its_own_faults)
{
	struct exchange *x = fake_new_with_route(&filter_fault, always,
	    "abort: {http_status: 404, percentage: {numerator: 100}, "
	    "response_body: gone}");

	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 404);
	ck_assert(str_eq(x->reply.body, STR("gone")));
	fake_free(x);
}
END_TEST

static const char *const mistakes[] = {
	"abort: {percentage: {numerator: 1}}",
	"abort: {http_status: 199}",
	"abort: {http_status: 600}",
	"abort: {http_status: 500, header_abort: {}}",
	"abort: {grpc_status: 5, http_status: 500}",
	"delay: {}",
	"delay: {fixed_delay: 0s}",
	"response_rate_limit: {fixed_limit: {limit_kbps: 1}}",
	"headers: [{name: x-a, string_match: {safe_regex: {regex: \"(\"}}}]",
	"filter_metadata: [1]",
};

START_TEST(mistakes_are_refused)
{
	struct exchange *x = fake_new(&filter_fault, mistakes[_i]);

	ck_assert_msg(x->setup_error[0], "accepted: %s", mistakes[_i]);
	fake_free(x);
}
END_TEST

Suite *suite_filters_fault(void);

Suite *
suite_filters_fault(void)
{
	Suite *s = suite_create("filters/fault");
	TCase *t = tcase_create("fault");

#define LOOP(test, table)                                                      \
	tcase_add_loop_test(t, test, 0, sizeof(table) / sizeof((table)[0]))
	tcase_add_test(t, an_abort_answers_and_is_counted);
	tcase_add_test(t, a_delay_waits_for_its_time_and_no_longer);
	tcase_add_test(t, an_abort_comes_after_the_delay);
	LOOP(a_fraction_of_requests_is_treated_so, dice);
	LOOP(the_client_says_which_status, asked);
	tcase_add_test(t, the_client_may_lower_the_fraction_but_not_raise_it);
	tcase_add_test(t, a_delay_without_end_stays_within_the_clock);
	tcase_add_test(t, no_more_than_so_many_at_once);
	tcase_add_test(t, grpc_has_statuses_of_its_own);
	LOOP(only_those_who_are_meant, requests);
	tcase_add_test(t, a_route_has_its_own_faults);
	LOOP(mistakes_are_refused, mistakes);
#undef LOOP
	suite_add_tcase(s, t);
	return s;
}
