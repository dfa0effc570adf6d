#include "config.h"

#include <check.h>
#include <stdio.h>

#include "base/clock.h"
#include "chain/descriptor.h"
#include "config/yaml.h"
#include "tests/unit/fake_host.h"

extern const struct filter filter_local_ratelimit;

#define ON                                                                     \
	"stat_prefix: lim\n"                                                   \
	"filter_enabled: {default_value: {numerator: 100}}\n"                  \
	"filter_enforced: {default_value: {numerator: 100}}\n"
#define BUCKET "token_bucket: {max_tokens: 2, fill_interval: 10s}\n"

static struct exchange *x;

static void
end(void)
{
	if (x)
		fake_free(x);
	x = NULL;
}

static void
begin_route(const char *conf, const char *route)
{
	x = fake_new_with_route(&filter_local_ratelimit, conf, route);
	ck_assert_str_eq(x->setup_error, "");
	x->client_address = STR("192.0.2.1");
	x->route_name = STR("users");
	x->cluster_name = STR("backend");
}

static void
begin(const char *conf)
{
	begin_route(conf, NULL);
}

static const struct rate_limits *
compile_limits(const char *yaml)
{
	const struct node *list =
	    yaml_parse(x->arena, str_of(yaml), "limits.yaml", x->diag);
	const struct rate_limits *limits;
	conf_rate_limits conf;

	ck_assert_ptr_nonnull(list);
	conf.n = list->n;
	conf.items = ARENA_ARRAY(x->arena, list->n + 1, struct conf_rate_limit);
	for (size_t i = 0; i < list->n; i++) {
		const struct conf_rate_limit *one =
		    schema_decode(x->arena, x->diag, "",
			&conf_rate_limit_message, list->items[i].value);

		conf.items[i] = *one;
	}
	ck_assert_uint_eq(diag_errors(x->diag), 0);
	limits = rate_limits_build((struct setup *)(void *)x, &conf);
	ck_assert_str_eq(x->setup_error, "");
	return limits;
}

/* The route's rate_limits, from YAML. */
static void
set_rate_limits(const char *yaml)
{
	x->rate_limits = compile_limits(yaml);
}

static enum verdict
ask(void)
{
	fake_next_request(x);
	return fake_run_request(x);
}

static enum verdict
ask_with(const char *name, const char *value)
{
	fake_next_request(x);
	fake_request(x, name, value);
	return fake_run_request(x);
}

static void
check_counts(uint64_t enabled, uint64_t ok, uint64_t limited, uint64_t enforced)
{
	ck_assert_uint_eq(
	    fake_count(x, "lim.http_local_rate_limit.enabled"), enabled);
	ck_assert_uint_eq(fake_count(x, "lim.http_local_rate_limit.ok"), ok);
	ck_assert_uint_eq(
	    fake_count(x, "lim.http_local_rate_limit.rate_limited"), limited);
	ck_assert_uint_eq(
	    fake_count(x, "lim.http_local_rate_limit.enforced"), enforced);
}

START_TEST(an_empty_bucket_refuses_as_envoy_does)
{
	begin(ON BUCKET);
	ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 429);
	ck_assert(str_eq(x->reply.body, STR("local_rate_limited")));
	ck_assert(str_eq(x->reply.details, STR("local_rate_limited")));
	ck_assert_str_eq(x->reply.flag, "RL");
	ck_assert_uint_eq(x->reply_headers.n, 0);
	check_counts(3, 2, 1, 1);
	x->boot_ns += 10 * NS_PER_S - 1;
	ck_assert_int_eq(ask(), FILTER_REPLY);
	x->boot_ns += 1;
	ck_assert_int_eq(ask(), FILTER_NEXT);
}
END_TEST

START_TEST(it_is_off_and_not_enforced_unless_said)
{
	static const struct {
		const char *conf;
		uint64_t random;
		uint64_t enabled, limited, enforced;
	} cases[] = {
		{ "stat_prefix: lim\n" BUCKET, 0, 0, 0, 0 },
		{ "stat_prefix: lim\n" BUCKET
		  "filter_enabled: {default_value: {numerator: 100}}\n",
		    0, 4, 2, 0 },
		{ "stat_prefix: lim\n" BUCKET
		  "filter_enabled: {default_value: {numerator: 30}}\n",
		    29, 4, 2, 0 },
		{ "stat_prefix: lim\n" BUCKET
		  "filter_enabled: {default_value: {numerator: 30}}\n",
		    30, 0, 0, 0 },
		{ "stat_prefix: lim\n" BUCKET
		  "filter_enabled: {default_value: {numerator: 500000, "
		  "denominator: MILLION}}\n"
		  "filter_enforced: {default_value: {numerator: 50, "
		  "denominator: TEN_THOUSAND}}\n",
		    49, 4, 2, 2 },
		{ "stat_prefix: lim\n" BUCKET
		  "filter_enabled: {default_value: {numerator: 500000, "
		  "denominator: MILLION}}\n"
		  "filter_enforced: {default_value: {numerator: 50, "
		  "denominator: TEN_THOUSAND}}\n",
		    50, 4, 2, 0 },
	};

	begin(cases[_i].conf);
	x->random = cases[_i].random;
	for (int i = 0; i < 4; i++)
		(void)ask();
	check_counts(cases[_i].enabled, cases[_i].enabled - cases[_i].limited,
	    cases[_i].limited, cases[_i].enforced);
	ck_assert_int_eq(x->replied, cases[_i].enforced > 0);
}
END_TEST

START_TEST(headers_go_where_they_are_configured_for)
{
	begin("stat_prefix: lim\n"
	      "token_bucket: {max_tokens: 1, fill_interval: 1s}\n"
	      "filter_enabled: {default_value: {numerator: 100}}\n"
	      "filter_enforced: {default_value: {numerator: 50}}\n"
	      "request_headers_to_add_when_not_enforced:\n"
	      "- {header: {key: X-Limited, value: 'yes'}}\n"
	      "- {header: {key: x-kept, value: new}, "
	      "append_action: ADD_IF_ABSENT}\n"
	      "response_headers_to_add:\n"
	      "- {header: {key: X-Why, value: limit}}\n"
	      "- {header: {key: x-why, value: again}, "
	      "append_action: ADD_IF_ABSENT}\n"
	      "- {header: {key: x-nowhere, value: gone}, "
	      "append_action: OVERWRITE_IF_EXISTS}\n");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_ptr_null(fake_request_header(x, "x-limited"));
	x->random = 50;
	ck_assert_int_eq(ask_with("x-kept", "old"), FILTER_NEXT);
	ck_assert_str_eq(fake_request_header(x, "x-limited"), "yes");
	ck_assert_str_eq(fake_request_header(x, "x-kept"), "old");
	x->random = 49;
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_ptr_null(fake_request_header(x, "x-limited"));
	/* Both, since neither was there when they were looked for. */
	ck_assert_str_eq(fake_reply_header(x, "x-why"), "limit");
	ck_assert_uint_eq(x->reply_headers.n, 2);
}
END_TEST

START_TEST(the_status_can_be_chosen)
{
	static const struct {
		const char *conf;
		unsigned status;
	} cases[] = {
		{ ON BUCKET "status: {code: ServiceUnavailable}\n", 503 },
		{ ON BUCKET "status: {code: 503}\n", 503 },
		{ ON BUCKET "status: {code: OK}\n", 429 },
	};

	begin(cases[_i].conf);
	(void)ask();
	(void)ask();
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, cases[_i].status);
}
END_TEST

static void
check_numbers(const char *limit, const char *remaining, const char *reset)
{
	const char *(*value)(struct exchange *, const char *) =
	    x->replied ? fake_reply_header : fake_response_header_value;

	if (!x->replied) {
		fake_response(x, 200);
		ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	}
	ck_assert_str_eq(value(x, "x-ratelimit-limit"), limit);
	ck_assert_str_eq(value(x, "x-ratelimit-remaining"), remaining);
	ck_assert_str_eq(value(x, "x-ratelimit-reset"), reset);
}

START_TEST(numbers_are_told_when_asked_for)
{
	begin(ON BUCKET "enable_x_ratelimit_headers: DRAFT_VERSION_03\n");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	check_numbers("2", "1", "0");
	x->boot_ns += 100 * NS_PER_MS;
	ck_assert_int_eq(ask(), FILTER_NEXT);
	check_numbers("2", "0", "10");
	x->boot_ns += 5 * NS_PER_S;
	ck_assert_int_eq(ask(), FILTER_REPLY);
	check_numbers("2", "0", "5");
}
END_TEST

START_TEST(numbers_are_not_told_unasked)
{
	begin(ON BUCKET);
	ck_assert_int_eq(ask(), FILTER_NEXT);
	fake_response(x, 200);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_ptr_null(fake_response_header_value(x, "x-ratelimit-limit"));
}
END_TEST

START_TEST(without_a_bucket_everything_passes)
{
	begin(ON "enable_x_ratelimit_headers: DRAFT_VERSION_03\n");
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(ask(), FILTER_NEXT);
	check_counts(5, 5, 0, 0);
	fake_response(x, 200);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_ptr_null(fake_response_header_value(x, "x-ratelimit-limit"));
}
END_TEST

/* Wherever a configuration stands, it has its own. */
START_TEST(a_route_has_a_bucket_of_its_own)
{
	begin(ON BUCKET);
	fake_level(x, HOST_LEVEL_VHOST, ON BUCKET);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_REPLY);
	fake_level(x, HOST_LEVEL_ROUTE, ON BUCKET);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_REPLY);
	x->route_conf = NULL;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_REPLY);
}
END_TEST

START_TEST(a_bucket_without_tokens_lets_nothing_pass)
{
	begin(ON "token_bucket: {max_tokens: 0, fill_interval: 1s}\n"
		 "enable_x_ratelimit_headers: DRAFT_VERSION_03\n"
		 "enable_retry_after_header: true\n");
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_uint_eq(x->reply_headers.n, 0);
}
END_TEST

START_TEST(a_refusal_says_when_to_come_back)
{
	begin(ON BUCKET "enable_retry_after_header: true\n"
			"rate_limited_as_resource_exhausted: true\n");
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_str_eq(fake_reply_header(x, "retry-after"), "10");
	ck_assert_uint_eq(x->reply.grpc_status, 8);
	end();
	begin(ON BUCKET
	    "enable_retry_after_header: true\n"
	    "response_headers_to_add: [{header: {key: Retry-After, value: "
	    "\"7\"}}]\n");
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_uint_eq(x->reply_headers.n, 1);
	ck_assert_str_eq(fake_reply_header(x, "retry-after"), "7");
}
END_TEST

/* ---- descriptors ---- */

#define BIG "token_bucket: {max_tokens: 1000, fill_interval: 60s}\n"
#define ONE "token_bucket: {max_tokens: 1, fill_interval: 60s}"

static enum verdict
ask_for_descriptors(void)
{
	x->service_cluster = STR("edge");
	fake_next_request(x);
	fake_request(x, "x-plan", "free");
	fake_request(x, ":path", "/p?q=1%202&empty");
	host_metadata_set(x, STR("ns"), STR("a.b"), STR("deep"));
	host_metadata_set(x, STR("route ns"), STR("r"), STR("routed"));
	return fake_run_request(x);
}

START_TEST(each_action_makes_its_entry)
{
	static const struct {
		const char *rate_limits, *entries;
		bool matches;
	} cases[] = {
		{ "[{actions: [{generic_key: {descriptor_value: a}}]}]",
		    "[{key: generic_key, value: a}]", true },
		{ "[{actions: [{generic_key: {descriptor_value: a, "
		  "descriptor_key: k}}]}]",
		    "[{key: k, value: a}]", true },
		{ "[{actions: [{generic_key: {descriptor_value: b}}]}]",
		    "[{key: generic_key, value: a}]", false },
		{ "[{actions: [{remote_address: {}}]}]",
		    "[{key: remote_address, value: 192.0.2.1}]", true },
		{ "[{actions: [{masked_remote_address: {}}]}]",
		    "[{key: masked_remote_address, value: 192.0.2.1/32}]",
		    true },
		{ "[{actions: [{masked_remote_address: "
		  "{v4_prefix_mask_len: 20}}]}]",
		    "[{key: masked_remote_address, value: 192.0.0.0/20}]",
		    true },
		{ "[{actions: [{destination_cluster: {}}]}]",
		    "[{key: destination_cluster, value: backend}]", true },
		{ "[{actions: [{request_headers: {header_name: X-Plan, "
		  "descriptor_key: plan}}]}]",
		    "[{key: plan, value: free}]", true },
		{ "[{actions: [{request_headers: {header_name: x-none, "
		  "descriptor_key: plan}}]}]",
		    "[{key: plan, value: free}]", false },
		/* An action without a value takes the descriptor with it... */
		{ "[{actions: [{generic_key: {descriptor_value: a}}, "
		  "{request_headers: {header_name: x-none, "
		  "descriptor_key: plan}}]}]",
		    "[{key: generic_key, value: a}]", false },
		/* ...unless it may be skipped. */
		{ "[{actions: [{generic_key: {descriptor_value: a}}, "
		  "{request_headers: {header_name: x-none, "
		  "descriptor_key: plan, skip_if_absent: true}}]}]",
		    "[{key: generic_key, value: a}]", true },
		/* All entries, in order. */
		{ "[{actions: [{generic_key: {descriptor_value: a}}, "
		  "{destination_cluster: {}}]}]",
		    "[{key: generic_key, value: a}]", false },
		{ "[{actions: [{generic_key: {descriptor_value: a}}, "
		  "{destination_cluster: {}}]}]",
		    "[{key: destination_cluster, value: backend}, "
		    "{key: generic_key, value: a}]",
		    false },
		{ "[{actions: [{generic_key: {descriptor_value: a}}, "
		  "{destination_cluster: {}}]}]",
		    "[{key: generic_key, value: a}, "
		    "{key: destination_cluster, value: backend}]",
		    true },
		/* Another stage, a runtime key. */
		{ "[{stage: 1, actions: [{generic_key: "
		  "{descriptor_value: a}}]}]",
		    "[{key: generic_key, value: a}]", false },
		{ "[{disable_key: key, actions: [{generic_key: "
		  "{descriptor_value: a}}]}]",
		    "[{key: generic_key, value: a}]", false },
		{ "[]", "[{key: generic_key, value: a}]", false },
		{ "[{actions: [{source_cluster: {}}]}]",
		    "[{key: source_cluster, value: edge}]", true },
		{ "[{actions: [{query_parameters: {query_parameter_name: "
		  "q, descriptor_key: k}}]}]",
		    "[{key: k, value: \"1 2\"}]", true },
		{ "[{actions: [{query_parameters: {query_parameter_name: "
		  "none, descriptor_key: k}}]}]",
		    "[{key: k, value: \"\"}]", false },
		{ "[{actions: [{header_value_match: {descriptor_value: a, "
		  "headers: [{name: x-plan, string_match: {exact: free}}]}}]}]",
		    "[{key: header_match, value: a}]", true },
		{ "[{actions: [{header_value_match: {descriptor_value: a, "
		  "expect_match: false, headers: [{name: x-plan}]}}]}]",
		    "[{key: header_match, value: a}]", false },
		{ "[{actions: [{header_value_match: {descriptor_value: a, "
		  "descriptor_key: k, expect_match: false, headers: [{name: "
		  "x-none}]}}]}]",
		    "[{key: k, value: a}]", true },
		{ "[{actions: [{query_parameter_value_match: "
		  "{descriptor_value: a, query_parameters: [{name: q, "
		  "string_match: {exact: \"1 2\"}}, {name: empty}]}}]}]",
		    "[{key: query_match, value: a}]", true },
		{ "[{actions: [{query_parameter_value_match: "
		  "{descriptor_value: a, query_parameters: [{name: q, "
		  "present_match: false}]}}]}]",
		    "[{key: query_match, value: a}]", false },
		{ "[{actions: [{remote_address_match: {descriptor_value: a, "
		  "address_matcher: {ranges: [{address_prefix: 192.0.2.0, "
		  "prefix_len: 24}]}}}]}]",
		    "[{key: remote_address_match, value: a}]", true },
		{ "[{actions: [{remote_address_match: {descriptor_value: a, "
		  "address_matcher: {invert_match: true, ranges: "
		  "[{address_prefix: 192.0.2.0, prefix_len: 24}]}}}]}]",
		    "[{key: remote_address_match, value: a}]", false },
		{ "[{actions: [{metadata: {descriptor_key: k, metadata_key: "
		  "{key: ns, path: [{key: a}, {key: b}]}}}]}]",
		    "[{key: k, value: deep}]", true },
		{ "[{actions: [{metadata: {descriptor_key: k, source: "
		  "ROUTE_ENTRY, metadata_key: {key: ns, path: [{key: r}]}}}]}]",
		    "[{key: k, value: routed}]", true },
		{ "[{actions: [{metadata: {descriptor_key: k, default_value: "
		  "d, metadata_key: {key: ns, path: [{key: none}]}}}]}]",
		    "[{key: k, value: d}]", true },
		{ "[{actions: [{metadata: {descriptor_key: k, metadata_key: "
		  "{key: ns, path: [{key: none}]}}}]}]",
		    "[{key: k, value: \"\"}]", false },
	};
	char conf[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(conf, sizeof(conf),
		    ON BIG "descriptors:\n- {entries: %s, " ONE "}\n",
		    cases[i].entries);
		begin(conf);
		set_rate_limits(cases[i].rate_limits);
		ck_assert_int_eq(ask_for_descriptors(), FILTER_NEXT);
		ck_assert_msg(
		    ask_for_descriptors() ==
			(cases[i].matches ? FILTER_REPLY : FILTER_NEXT),
		    "case %zu", i);
		end();
	}
}
END_TEST

START_TEST(an_ipv6_client_is_masked_too)
{
	begin(ON BIG "descriptors:\n- {entries: [{key: masked_remote_address, "
		     "value: '2001:db8:1::/48'}], " ONE "}\n");
	set_rate_limits("[{actions: [{masked_remote_address: "
			"{v6_prefix_mask_len: 48}}]}]");
	x->client_address = STR("2001:db8:1:2::3");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	x->client_address = STR("2001:db8:1:ffff::4");
	ck_assert_int_eq(ask(), FILTER_REPLY);
	x->client_address = STR("2001:db8:2::3");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_NEXT);
}
END_TEST

START_TEST(a_wildcard_has_a_bucket_for_each_value)
{
	begin(ON BIG "descriptors:\n"
		     "- {entries: [{key: user, value: ''}], " ONE "}\n"
		     "- {entries: [{key: user, value: root}], "
		     "token_bucket: {max_tokens: 3, fill_interval: 60s}}\n");
	set_rate_limits("[{actions: [{request_headers: {header_name: x-user, "
			"descriptor_key: user}}]}]");
	ck_assert_int_eq(ask_with("x-user", "ann"), FILTER_NEXT);
	ck_assert_int_eq(ask_with("x-user", "ann"), FILTER_REPLY);
	ck_assert_int_eq(ask_with("x-user", "ben"), FILTER_NEXT);
	ck_assert_int_eq(ask_with("x-user", "ben"), FILTER_REPLY);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ask_with("x-user", "root"), FILTER_NEXT);
	ck_assert_int_eq(ask_with("x-user", "root"), FILTER_REPLY);
}
END_TEST

START_TEST(the_slowest_bucket_comes_first_and_the_default_last)
{
	begin(ON "enable_x_ratelimit_headers: DRAFT_VERSION_03\n"
		 "token_bucket: {max_tokens: 4, fill_interval: 1s}\n"
		 "descriptors:\n"
		 "- {entries: [{key: generic_key, value: fast}], "
		 "token_bucket: {max_tokens: 20, tokens_per_fill: 20, "
		 "fill_interval: 1s}}\n"
		 "- {entries: [{key: generic_key, value: slow}], "
		 "token_bucket: {max_tokens: 2, fill_interval: 60s}}\n");
	set_rate_limits(
	    "[{actions: [{generic_key: {descriptor_value: fast}}]},"
	    "{actions: [{generic_key: {descriptor_value: slow}}]}]");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	check_numbers("2", "1", "0");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	check_numbers("2", "0", "60");
	ck_assert_int_eq(ask(), FILTER_REPLY);
	check_numbers("2", "0", "60");
	ck_assert_uint_eq(x->decided->place.line, 8);
	/* The refusal took nothing from the others: 2 of 4, 2 of 20 are gone. */
	set_rate_limits(
	    "[{actions: [{generic_key: {descriptor_value: fast}}]}]");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	check_numbers("20", "17", "0");
	x->rate_limits = NULL;
	ck_assert_int_eq(ask(), FILTER_NEXT);
	check_numbers("4", "0", "1");
	ck_assert_ptr_null(x->decided);
	ck_assert_int_eq(ask(), FILTER_REPLY);
	check_numbers("4", "0", "1");
	ck_assert_uint_eq(x->decided->place.line, 5);
}
END_TEST

START_TEST(the_default_bucket_can_be_left_to_the_rest)
{
	begin(ON "token_bucket: {max_tokens: 1, fill_interval: 60s}\n"
		 "always_consume_default_token_bucket: false\n"
		 "descriptors:\n"
		 "- {entries: [{key: generic_key, value: a}], "
		 "token_bucket: {max_tokens: 3, fill_interval: 60s}}\n");
	set_rate_limits("[{actions: [{generic_key: {descriptor_value: a}}]}]");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_REPLY);
	x->rate_limits = NULL;
	ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_REPLY);
}
END_TEST

START_TEST(its_own_rate_limits_replace_the_routes)
{
	begin(ON BIG "rate_limits:\n"
		     "- {actions: [{generic_key: {descriptor_value: own}}]}\n"
		     "descriptors:\n"
		     "- {entries: [{key: generic_key, value: own}], " ONE "}\n"
		     "- {entries: [{key: generic_key, value: route}], " ONE
		     "}\n");
	set_rate_limits(
	    "[{actions: [{generic_key: {descriptor_value: route}}]}]");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_REPLY);
}
END_TEST

START_TEST(the_virtual_hosts_limits_apply_as_configured)
{
	static const struct {
		const char *option;
		bool route, flag, applies;
	} cases[] = {
		{ "OVERRIDE", false, false, true },
		{ "OVERRIDE", true, false, false },
		{ "OVERRIDE", true, true, true },
		{ "INCLUDE", true, false, true },
		{ "IGNORE", false, false, false },
		{ "IGNORE", false, true, true },
	};
	char conf[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(conf, sizeof(conf),
		    ON BIG "vh_rate_limits: %s\ndescriptors:\n"
			   "- {entries: [{key: generic_key, value: v}], " ONE
			   "}\n",
		    cases[i].option);
		begin(conf);
		x->vhost_rate_limits = compile_limits(
		    "[{actions: [{generic_key: {descriptor_value: v}}]}]");
		if (cases[i].route)
			set_rate_limits("[{actions: [{generic_key: "
					"{descriptor_value: r}}]}]");
		x->includes_vhost_limits = cases[i].flag;
		ck_assert_int_eq(ask(), FILTER_NEXT);
		ck_assert_msg(
		    ask() == (cases[i].applies ? FILTER_REPLY : FILTER_NEXT),
		    "case %zu", i);
		end();
	}
}
END_TEST

START_TEST(what_is_only_tried_out_is_counted_and_passes)
{
	begin(ON "token_bucket: {max_tokens: 2, fill_interval: 60s}\n"
		 "descriptors:\n"
		 "- {entries: [{key: generic_key, value: a}], shadow_mode: "
		 "true, " ONE "}\n");
	set_rate_limits("[{actions: [{generic_key: {descriptor_value: a}}]}]");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	ck_assert_int_eq(ask(), FILTER_NEXT);
	check_counts(2, 1, 1, 0);
	ck_assert_uint_eq(
	    fake_count(x, "lim.http_local_rate_limit.shadow_mode"), 1);
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_uint_eq(
	    fake_count(x, "lim.http_local_rate_limit.shadow_mode"), 1);
}
END_TEST

static const struct {
	const char *addend;
	int passes; /* of 10 tokens */
} hits[] = {
	{ "{number: 3}", 3 },
	{ "{number: 10}", 1 },
	{ "{number: 11}", 0 },
	{ "{number: 0}", 0 },
	{ "{number: 3, is_negative_hits: true}", 20 },
	{ "{format: \"%4%\"}", 20 },
};

/* The fake's formats are plain text: "%4%" is no number. */
START_TEST(a_request_may_draw_several_tokens)
{
	char conf[512];
	int passed = 0;

	(void)snprintf(conf, sizeof(conf),
	    ON BIG "rate_limits: [{actions: [{generic_key: "
		   "{descriptor_value: a}}], hits_addend: %s}]\n"
		   "descriptors:\n"
		   "- {entries: [{key: generic_key, value: a}], "
		   "token_bucket: {max_tokens: 10, fill_interval: 600s}}\n",
	    hits[_i].addend);
	begin(conf);
	while (passed < 20 && ask() == FILTER_NEXT)
		passed++;
	ck_assert_int_eq(passed, hits[_i].passes);
}
END_TEST

START_TEST(the_rate_limit_may_say_whether_numbers_are_told)
{
	begin(ON BIG
	    "enable_x_ratelimit_headers: DRAFT_VERSION_03\n"
	    "descriptors:\n- {entries: [{key: generic_key, value: a}], " ONE
	    "}\n");
	set_rate_limits("[{x_ratelimit_option: OFF, actions: [{generic_key: "
			"{descriptor_value: a}}]}]");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	fake_response(x, 200);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_ptr_null(fake_response_header_value(x, "x-ratelimit-limit"));
}
END_TEST

START_TEST(mistakes_are_refused_in_envoys_words)
{
	static const struct {
		const char *conf, *error;
	} cases[] = {
		{ BUCKET,
		    "Proto constraint validation failed ("
		    "LocalRateLimitValidationError.StatPrefix: value length "
		    "must be at least 1 characters)" },
		{ "stat_prefix: a\ntoken_bucket: {max_tokens: 1, "
		  "fill_interval: 0.049s}\n",
		    "local rate limit token bucket fill timer must be >= 50ms" },
		{ ON "descriptors:\n- {entries: [{key: a, value: b}], "
		     "token_bucket: {max_tokens: 1, fill_interval: 0.01s}}\n",
		    "local rate limit descriptor token bucket fill timer must "
		    "be >= 50ms" },
		{ ON "descriptors:\n"
		     "- {entries: [{key: a, value: b}], " ONE "}\n"
		     "- {entries: [{key: a, value: b}], " ONE "}\n",
		    "duplicate descriptor in the local rate descriptor: "
		    "a=b" },
		{ ON "token_bucket: {max_tokens: 1}\n",
		    "Proto constraint validation failed (TokenBucketValidationError."
		    "FillInterval: value is required)" },
		{ ON BUCKET "local_rate_limit_per_downstream_connection: "
			    "true\n",
		    "" },
		{ ON BUCKET "local_cluster_rate_limit: {}\n", "" },
		{ ON BUCKET "vh_rate_limits: SOMETIMES\n", "" },
		{ ON BUCKET "status: {code: 299}\n", "" },
		{ ON BUCKET "stage: 11\n", "" },
		{ ON BUCKET "rate_limits: [{stage: 1, actions: "
			    "[{remote_address: {}}]}]\n",
		    "" },
		{ ON BUCKET "bucket: {}\n", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		x = fake_new(&filter_local_ratelimit, cases[i].conf);
		ck_assert_msg(x->setup_error[0], "case %zu", i);
		if (cases[i].error[0])
			ck_assert_str_eq(x->setup_error, cases[i].error);
		end();
	}
	x = fake_new_with_route(&filter_local_ratelimit, ON, ON);
	ck_assert_str_eq(x->setup_error,
	    "local rate limit token bucket must be set for per filter "
	    "configs");
}
END_TEST

START_TEST(defaults_of_refused_fields_are_accepted)
{
	begin(ON BUCKET "local_rate_limit_per_downstream_connection: false\n"
			"rate_limited_as_resource_exhausted: false\n"
			"max_dynamic_descriptors: 20\n"
			"vh_rate_limits: OVERRIDE\n"
			"enable_x_ratelimit_headers: OFF\n");
	ck_assert_int_eq(ask(), FILTER_NEXT);
}
END_TEST

Suite *suite_filters_local_ratelimit(void);

Suite *
suite_filters_local_ratelimit(void)
{
	Suite *s = suite_create("filters/local_ratelimit");
	TCase *t = tcase_create("requests");

	tcase_add_checked_fixture(t, NULL, end);
	tcase_add_test(t, an_empty_bucket_refuses_as_envoy_does);
	tcase_add_loop_test(t, it_is_off_and_not_enforced_unless_said, 0, 6);
	tcase_add_test(t, headers_go_where_they_are_configured_for);
	tcase_add_loop_test(t, the_status_can_be_chosen, 0, 3);
	tcase_add_test(t, numbers_are_told_when_asked_for);
	tcase_add_test(t, numbers_are_not_told_unasked);
	tcase_add_test(t, without_a_bucket_everything_passes);
	tcase_add_test(t, a_route_has_a_bucket_of_its_own);
	tcase_add_test(t, a_bucket_without_tokens_lets_nothing_pass);
	tcase_add_test(t, a_refusal_says_when_to_come_back);
	tcase_add_test(t, each_action_makes_its_entry);
	tcase_add_test(t, an_ipv6_client_is_masked_too);
	tcase_add_test(t, a_wildcard_has_a_bucket_for_each_value);
	tcase_add_test(t, the_slowest_bucket_comes_first_and_the_default_last);
	tcase_add_test(t, the_default_bucket_can_be_left_to_the_rest);
	tcase_add_test(t, its_own_rate_limits_replace_the_routes);
	tcase_add_test(t, the_virtual_hosts_limits_apply_as_configured);
	tcase_add_test(t, what_is_only_tried_out_is_counted_and_passes);
	tcase_add_loop_test(t, a_request_may_draw_several_tokens, 0,
	    sizeof(hits) / sizeof(hits[0]));
	tcase_add_test(t, the_rate_limit_may_say_whether_numbers_are_told);
	tcase_add_test(t, mistakes_are_refused_in_envoys_words);
	tcase_add_test(t, defaults_of_refused_fields_are_accepted);
	suite_add_tcase(s, t);
	return s;
}
