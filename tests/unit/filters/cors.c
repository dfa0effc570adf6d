#include "config.h"

#include <check.h>

#include "tests/unit/fake_host.h"

extern const struct filter filter_cors;

#define POLICY                                                                 \
	"{allow_origin_string_match: [{exact: 'http://a'}, {suffix: .b}], "    \
	"allow_methods: 'GET, PUT', allow_headers: x-a, expose_headers: x-e, " \
	"max_age: '600', allow_credentials: true}"

static struct exchange *x;

static void
setup(void)
{
	x = NULL;
}

static void
teardown(void)
{
	if (x)
		fake_free(x);
}

static void
configure(const char *policy)
{
	if (x)
		fake_free(x);
	x = fake_new_with_route(&filter_cors, "{}", policy);
	ck_assert_msg(!x->setup_error[0], "%s", x->setup_error);
}

static void
ask(const char *method, const char *origin, const char *wanted)
{
	fake_next_request(x);
	fake_request(x, ":method", method);
	if (origin)
		fake_request(x, "origin", origin);
	if (wanted)
		fake_request(x, "access-control-request-method", wanted);
}

static void
has(const char *is, const char *name, const char *value)
{
	ck_assert_msg(value ? is && !strcmp(is, value) : !is, "%s is %s", name,
	    is ? is : "absent");
}

static void
reply_has(const char *name, const char *value)
{
	has(fake_reply_header(x, name), name, value);
}

static void
response_has(const char *name, const char *value)
{
	has(fake_response_header_value(x, name), name, value);
}

START_TEST(a_preflight_of_an_allowed_origin_is_answered)
{
	configure(POLICY);
	ask("OPTIONS", "http://a", "PUT");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 200);
	ck_assert_uint_eq(x->reply.body.len, 0);
	ck_assert(str_eq(x->reply.details, STR("cors_response")));
	reply_has("access-control-allow-origin", "http://a");
	reply_has("access-control-allow-credentials", "true");
	reply_has("access-control-allow-methods", "GET, PUT");
	reply_has("access-control-allow-headers", "x-a");
	reply_has("access-control-max-age", "600");
	reply_has("access-control-expose-headers", "x-e");
	reply_has("access-control-allow-private-network", NULL);
	ck_assert(x->reply.bare);
	ck_assert_uint_eq(fake_count(x, "cors.origin_valid"), 1);
}
END_TEST

START_TEST(what_is_not_configured_is_left_out)
{
	configure("{allow_origin_string_match: [{exact: 'http://a'}]}");
	ask("OPTIONS", "http://a", "PUT");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply_headers.n, 1);
	reply_has("access-control-allow-origin", "http://a");
}
END_TEST

START_TEST(an_asterisk_echoes_what_was_asked_for)
{
	configure("{allow_origin_string_match: [{exact: '*'}], "
		  "allow_methods: '*', allow_headers: '*'}");
	ask("OPTIONS", "http://anybody", "PATCH");
	fake_request(x, "access-control-request-headers", "x-b,x-c");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	reply_has("access-control-allow-origin", "http://anybody");
	reply_has("access-control-allow-methods", "PATCH");
	reply_has("access-control-allow-headers", "x-b,x-c");
}
END_TEST

START_TEST(a_private_network_is_allowed_when_asked_and_configured)
{
	static const struct {
		const char *allowed, *asked, *answer;
	} cases[] = { { "true", "true", "true" }, { "true", NULL, NULL },
		{ "true", "yes", NULL }, { "false", "true", NULL } };

	for (size_t i = 0; i < 4; i++) {
		char policy[160];

		(void)snprintf(policy, sizeof(policy),
		    "{allow_origin_string_match: [{exact: 'http://a'}], "
		    "allow_private_network_access: %s}",
		    cases[i].allowed);
		configure(policy);
		ask("OPTIONS", "http://a", "PUT");
		if (cases[i].asked)
			fake_request(x,
			    "access-control-request-private-network",
			    cases[i].asked);
		ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
		reply_has(
		    "access-control-allow-private-network", cases[i].answer);
	}
}
END_TEST

static const struct {
	const char *method, *origin, *wanted;
} others[] = {
	{ "OPTIONS", NULL, "PUT" },
	{ "OPTIONS", "", "PUT" },
	{ "OPTIONS", "http://a", NULL },
	{ "OPTIONS", "http://a", "" },
	{ "GET", "http://a", "PUT" },
	{ "options", "http://a", "PUT" },
};

START_TEST(what_is_no_preflight_goes_on)
{
	configure(POLICY);
	ask(others[_i].method, others[_i].origin, others[_i].wanted);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
}
END_TEST

/* Without access-control-allow-origin the rest allows nothing. */
START_TEST(a_preflight_of_another_origin_goes_on_or_is_answered_without_leave)
{
	configure(POLICY);
	ask("OPTIONS", "http://evil", "PUT");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_uint_eq(fake_count(x, "cors.origin_invalid"), 1);
	configure("{allow_origin_string_match: [{exact: 'http://a'}], "
		  "allow_methods: GET, forward_not_matching_preflights: "
		  "false}");
	ask("OPTIONS", "http://evil", "PUT");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 200);
	reply_has("access-control-allow-origin", NULL);
	reply_has("access-control-allow-methods", "GET");
}
END_TEST

static const struct {
	const char *origin;
	bool allowed;
} origins[] = {
	{ "http://a", true },
	{ "http://x.b", true },
	{ "http://a.evil", false },
	{ "http://A", false },
	{ "null", false },
	{ "*", false },
};

START_TEST(responses_allow_the_origins_that_match)
{
	configure(POLICY);
	ask("GET", origins[_i].origin, NULL);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	fake_response(x, 200);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	response_has("access-control-allow-origin",
	    origins[_i].allowed ? origins[_i].origin : NULL);
	response_has("access-control-allow-credentials",
	    origins[_i].allowed ? "true" : NULL);
	response_has("access-control-expose-headers",
	    origins[_i].allowed ? "x-e" : NULL);
	response_has("access-control-allow-methods", NULL);
	response_has("vary", NULL);
}
END_TEST

START_TEST(a_response_whose_request_was_not_seen_is_left_alone)
{
	configure(POLICY);
	ask("GET", "http://a", NULL);
	fake_response(x, 401);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	response_has("access-control-allow-origin", NULL);
}
END_TEST

START_TEST(the_backends_own_values_are_overwritten)
{
	configure(POLICY);
	ask("GET", "http://a", NULL);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	fake_response(x, 200);
	fake_response_header(x, "access-control-allow-origin", "*");
	fake_response_header(x, "access-control-allow-origin", "http://c");
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	response_has("access-control-allow-origin", "http://a");
	ck_assert(!host_header(
	    x, HOST_RESPONSE, STR("access-control-allow-origin"), 1)
		       .ptr);
}
END_TEST

static void
configure_levels(const char *global, const char *vhost, const char *route)
{
	configure(NULL);
	fake_level(x, HOST_LEVEL_GLOBAL, global);
	fake_level(x, HOST_LEVEL_VHOST, vhost);
	fake_level(x, HOST_LEVEL_ROUTE, route);
	ck_assert_msg(!x->setup_error[0], "%s", x->setup_error);
}

START_TEST(each_field_comes_from_the_nearest_level_that_has_it)
{
	configure_levels("{allow_origin_string_match: [{exact: 'http://g'}], "
			 "allow_methods: G, max_age: '1', allow_credentials: "
			 "true}",
	    "{allow_origin_string_match: [{exact: 'http://v'}], allow_methods: "
	    "V, allow_credentials: false}",
	    "{allow_methods: R, expose_headers: r}");
	ask("OPTIONS", "http://g", "PUT");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ask("OPTIONS", "http://v", "PUT");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	reply_has("access-control-allow-methods", "R");
	reply_has("access-control-max-age", "1");
	reply_has("access-control-expose-headers", "r");
	reply_has("access-control-allow-credentials", NULL);
}
END_TEST

START_TEST(the_nearest_policy_says_whether_any_is_enabled)
{
	configure_levels(POLICY,
	    "{filter_enabled: {default_value: {numerator: 0}}}",
	    "{max_age: '1'}");
	ask("OPTIONS", "http://a", "PUT");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	configure_levels(POLICY, "{max_age: '1'}",
	    "{filter_enabled: {default_value: {numerator: 0}}}");
	ask("OPTIONS", "http://a", "PUT");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
}
END_TEST

START_TEST(the_old_fields_count_only_without_the_new_ones)
{
	configure(NULL);
	fake_level(x, HOST_OLD_ROUTE, POLICY);
	ask("OPTIONS", "http://a", "PUT");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	fake_level(x, HOST_LEVEL_GLOBAL, "{max_age: '1'}");
	ask("OPTIONS", "http://a", "PUT");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
}
END_TEST

START_TEST(a_route_without_policy_origins_or_backend_is_left_alone)
{
	for (int i = 0; i < 3; i++) {
		configure(i == 0   ? NULL
			  : i == 1 ? "{allow_methods: GET}"
				   : POLICY);
		x->forwards = i != 2;
		ask("GET", "http://a", NULL);
		ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
		fake_response(x, 200);
		ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
		response_has("access-control-allow-origin", NULL);
		response_has("vary", NULL);
	}
}
END_TEST

START_TEST(a_policy_can_be_switched_off_or_only_count)
{
	static const char *const fractions[] = {
		"filter_enabled: {default_value: {numerator: 0}}",
		"filter_enabled: {default_value: {numerator: 0}}, "
		"shadow_enabled: {default_value: {numerator: 100}}",
	};

	for (size_t i = 0; i < 2; i++) {
		char policy[256];

		(void)snprintf(policy, sizeof(policy),
		    "{allow_origin_string_match: [{exact: 'http://a'}], %s}",
		    fractions[i]);
		configure(policy);
		ask("OPTIONS", "http://a", "PUT");
		ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
		fake_response(x, 200);
		ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
		response_has("access-control-allow-origin", NULL);
		ck_assert_uint_eq(fake_count(x, "cors.origin_valid"), i);
	}
}
END_TEST

START_TEST(a_bad_matcher_is_refused)
{
	x = fake_new_with_route(&filter_cors, "{}",
	    "{allow_origin_string_match: [{safe_regex: {regex: '(?=a)'}}]}");
	ck_assert_ptr_nonnull(strstr(x->setup_error, "lookaround"));
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_filters_cors(void);

Suite *
suite_filters_cors(void)
{
	Suite *s = suite_create("filters/cors");
	TCase *t = tcase_create("cors");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_preflight_of_an_allowed_origin_is_answered);
	tcase_add_test(t, what_is_not_configured_is_left_out);
	tcase_add_test(t, an_asterisk_echoes_what_was_asked_for);
	tcase_add_test(
	    t, a_private_network_is_allowed_when_asked_and_configured);
	tcase_add_loop_test(t, what_is_no_preflight_goes_on, 0, N(others));
	tcase_add_test(t,
	    a_preflight_of_another_origin_goes_on_or_is_answered_without_leave);
	tcase_add_loop_test(
	    t, responses_allow_the_origins_that_match, 0, N(origins));
	tcase_add_test(t, a_response_whose_request_was_not_seen_is_left_alone);
	tcase_add_test(t, the_backends_own_values_are_overwritten);
	tcase_add_test(t, each_field_comes_from_the_nearest_level_that_has_it);
	tcase_add_test(t, the_nearest_policy_says_whether_any_is_enabled);
	tcase_add_test(t, the_old_fields_count_only_without_the_new_ones);
	tcase_add_test(
	    t, a_route_without_policy_origins_or_backend_is_left_alone);
	tcase_add_test(t, a_policy_can_be_switched_off_or_only_count);
	tcase_add_test(t, a_bad_matcher_is_refused);
	suite_add_tcase(s, t);
	return s;
}
