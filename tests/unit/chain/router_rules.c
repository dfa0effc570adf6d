#include "config.h"

#include <check.h>
#include <stdio.h>

#include "chain/router_rules.h"
#include "tests/unit/config/told.h"

static struct told t;

static void
finish(void)
{
	told_free(&t);
}

static struct router_rules
rules(const char *fields)
{
	static char text[512];
	struct router_rules out;
	struct any any = { .type = STR_INIT(
			       "envoy.extensions.filters.http.router.v3."
			       "Router"),
		.path = "router" };

	(void)snprintf(text, sizeof(text),
	    "\"@type\": type.googleapis.com/envoy.extensions.filters.http."
	    "router.v3.Router\n%s",
	    fields);
	t = told_new(text);
	any.node = t.top;
	router_rules_build(t.arena, &any, &out, t.diag);
	return out;
}

START_TEST(without_a_word_all_is_usual)
{
	struct router_rules r = rules("");

	ck_assert_uint_eq(diag_errors(t.diag), 0);
	ck_assert(!r.suppress_envoy_headers && !r.no_dynamic_stats &&
		  !r.no_grpc_stats && !r.respects_expected_timeout);
	ck_assert_uint_eq(r.n_strict, 0);
}
END_TEST

START_TEST(every_field_has_its_rule)
{
	struct router_rules r =
	    rules("dynamic_stats: false\n"
		  "suppress_envoy_headers: true\n"
		  "suppress_grpc_request_failure_code_stats: true\n"
		  "respect_expected_rq_timeout: true\n"
		  "strict_check_headers: [x-envoy-retry-on, "
		  "x-envoy-upstream-rq-timeout-ms]\n");

	ck_assert_uint_eq(diag_errors(t.diag), 0);
	ck_assert(r.suppress_envoy_headers && r.no_dynamic_stats &&
		  r.no_grpc_stats && r.respects_expected_timeout);
	ck_assert_uint_eq(r.n_strict, 2);
	ck_assert(str_eq(r.strict[0], STR("x-envoy-retry-on")));
}
END_TEST

static const struct {
	const char *fields, *error;
} mistakes[] = {
	{ "strict_check_headers: [x-other]",
	    "\"x-other\" is none of the headers that can be checked" },
	{ "strict_check_headers: [X-Envoy-Retry-On]", "X-Envoy-Retry-On" },
	{ "start_child_span: true", "start_child_span" },
	{ "upstream_log: [{name: x}]", "upstream_log" },
	{ "upstream_http_filters: [{name: x}]", "upstream_http_filters" },
	{ "dynamic_stat: true", "dynamic_stat" },
};

START_TEST(what_cannot_be_is_refused)
{
	(void)rules(mistakes[_i].fields);
	told_must_say(&t, mistakes[_i].error);
	ck_assert_uint_gt(diag_errors(t.diag), 0);
}
END_TEST

Suite *suite_chain_router_rules(void);

Suite *
suite_chain_router_rules(void)
{
	Suite *s = suite_create("chain/router_rules");
	TCase *tc = tcase_create("the router filter");

	tcase_add_checked_fixture(tc, NULL, finish);
	tcase_add_test(tc, without_a_word_all_is_usual);
	tcase_add_test(tc, every_field_has_its_rule);
	tcase_add_loop_test(tc, what_cannot_be_is_refused, 0,
	    (int)(sizeof(mistakes) / sizeof(mistakes[0])));
	suite_add_tcase(s, tc);
	return s;
}
