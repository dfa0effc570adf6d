#include "config.h"

#include <check.h>
#include <stdio.h>

#include "base/clock.h"
#include "config/messages.h"
#include "config/runtime.h"
#include "tests/unit/config/told.h"
#include "upstream/cluster.h"

static struct told t, runtime;
static const char *drop_policy;

static void
begin(void)
{
	drop_policy = "{}";
	runtime.arena = NULL;
}

static void
finish(void)
{
	told_free(&t);
	if (runtime.arena)
		told_free(&runtime);
}

static void
set_runtime(const char *layer)
{
	const struct conf_layered_runtime *conf;

	runtime = told_new(layer);
	conf = schema_decode(
	    t.arena, t.diag, "", &conf_layered_runtime_message, runtime.top);
	diag_set_runtime(t.diag, runtime_read(t.arena, t.diag, conf, STR("")));
}

/*
 * Clusters of one that is named "c:1", has two hosts and these fields, in
 * YAML; layer is the runtime, or NULL.
 */
static struct clusters *
clusters_with(const char *fields, const char *layer)
{
	static char text[4096];
	struct conf_static_resources *all;
	struct conf_bootstrap *bootstrap;
	struct gateway *gateway;

	(void)snprintf(text, sizeof(text),
	    "name: \"c:1\"\n"
	    "load_assignment:\n"
	    "  cluster_name: c\n"
	    "  policy: %s\n"
	    "  endpoints:\n"
	    "  - lb_endpoints:\n"
	    "    - endpoint: {address: {socket_address: {address: 10.0.0.1, "
	    "port_value: 80}}}\n"
	    "    - endpoint: {address: {socket_address: {address: 10.0.0.2, "
	    "port_value: 80}}}\n"
	    "      metadata: {filter_metadata: {envoy.lb: {canary: true}}}\n"
	    "%s\n",
	    drop_policy, fields);
	t = told_new(text);
	ck_assert_msg(t.top, "%s", told_text(&t));
	if (layer)
		set_runtime(layer);
	all = ARENA_NEW(t.arena, struct conf_static_resources);
	all->clusters.items = schema_decode(
	    t.arena, t.diag, "clusters[0]", &conf_cluster_message, t.top);
	all->clusters.n = 1;
	if (diag_errors(t.diag))
		return NULL;
	bootstrap = ARENA_NEW(t.arena, struct conf_bootstrap);
	bootstrap->static_resources = all;
	gateway = ARENA_NEW(t.arena, struct gateway);
	gateway->bootstrap = bootstrap;
	return clusters_build(t.arena, gateway, t.diag);
}

static const struct cluster *
cluster_with(const char *fields)
{
	const struct clusters *all = clusters_with(fields, NULL);

	ck_assert_uint_eq(diag_errors(t.diag), 0);
	return &all->items[0];
}

/* ---- limits ---- */

static void
assert_thresholds(const struct thresholds *got, uint32_t connections,
    uint32_t pending, uint32_t requests, uint32_t retries)
{
	ck_assert_uint_eq(got->connections, connections);
	ck_assert_uint_eq(got->pending, pending);
	ck_assert_uint_eq(got->requests, requests);
	ck_assert_uint_eq(got->retries, retries);
}

START_TEST(thresholds_are_envoys_where_none_are_given)
{
	const struct cluster *c = cluster_with("");

	assert_thresholds(&c->thresholds[0], 1024, 1024, 1024, 3);
	assert_thresholds(&c->thresholds[1], 1024, 1024, 1024, 3);
	ck_assert(!c->thresholds[0].has_budget);
	ck_assert_uint_eq(c->drop_ppm, 0);
	ck_assert_uint_eq(c->maintenance_percent, 0);
	ck_assert(str_eq(c->stat_name, STR("c_1")));
	ck_assert(c->hosts[1].is_canary);
	ck_assert(!c->hosts[0].is_canary);
}
END_TEST

START_TEST(the_first_thresholds_of_a_priority_hold)
{
	const struct cluster *c = cluster_with(
	    "alt_stat_name: other\n"
	    "circuit_breakers: {thresholds: [{priority: HIGH, "
	    "max_connections: 1, max_pending_requests: 2, max_requests: 3, "
	    "max_retries: 4}, {max_requests: 0, retry_budget: "
	    "{budget_percent: {value: 12.5}}}, {max_requests: 9}]}");

	assert_thresholds(&c->thresholds[0], 1024, 1024, 0, 3);
	assert_thresholds(&c->thresholds[1], 1, 2, 3, 4);
	ck_assert(c->thresholds[0].has_budget);
	ck_assert(c->thresholds[0].budget_percent > 12.4 &&
		  c->thresholds[0].budget_percent < 12.6);
	ck_assert_uint_eq(c->thresholds[0].budget_min, 3);
	ck_assert(!c->thresholds[1].has_budget);
	ck_assert(str_eq(c->stat_name, STR("other")));
}
END_TEST

START_TEST(the_runtime_has_the_last_word)
{
	const struct clusters *all = clusters_with(
	    "circuit_breakers: {thresholds: [{max_requests: 1}]}",
	    "layers: [{name: a, static_layer: {"
	    "\"circuit_breakers.c:1.default\": {max_requests: 7, "
	    "max_connections: 5000000000, retry_budget: "
	    "{min_retry_concurrency: 1}}, "
	    "\"circuit_breakers.c:1.high.max_retries\": 6, "
	    "\"upstream.maintenance_mode.c:1\": 30, "
	    "upstream.use_retry: 500, upstream.base_retry_backoff_ms: 0}}]");
	const struct cluster *c = &all->items[0];

	ck_assert_uint_eq(diag_errors(t.diag), 0);
	assert_thresholds(&c->thresholds[0], UINT32_MAX, 1024, 7, 3);
	assert_thresholds(&c->thresholds[1], 1024, 1024, 1024, 6);
	ck_assert(c->thresholds[0].has_budget);
	ck_assert_uint_eq(c->thresholds[0].budget_min, 1);
	ck_assert_uint_eq(c->maintenance_percent, 30);
	ck_assert_uint_eq(all->retry_percent, 100);
	ck_assert_uint_eq(all->retry_base_ms, 1);
}
END_TEST

/* ---- choosing ---- */

#define POLICY(type, fields)                                                   \
	"load_balancing_policy: {policies: [{typed_extension_config: {name: "  \
	"x, typed_config: {\"@type\": type.googleapis.com/envoy.extensions."   \
	"load_balancing_policies." type fields "}}}]}"

static const struct {
	const char *fields;
	int policy;
	uint32_t choices;
	bool ring, maglev, hash;
} policies[] = {
	{ "", CONF_ROUND_ROBIN, 0, false, false, false },
	{ "lb_policy: LEAST_REQUEST", CONF_LEAST_REQUEST, 2, false, false,
	    false },
	{ "lb_policy: RING_HASH", CONF_RING_HASH, 0, true, false, false },
	{ "lb_policy: MAGLEV\nmaglev_lb_config: {table_size: 11}", CONF_MAGLEV,
	    0, false, true, false },
	{ POLICY("random.v3.Random", ""), CONF_RANDOM, 0, false, false, false },
	{ POLICY("round_robin.v3.RoundRobin", ""), CONF_ROUND_ROBIN, 0, false,
	    false, false },
	{ POLICY("least_request.v3.LeastRequest", ", choice_count: 5"),
	    CONF_LEAST_REQUEST, 5, false, false, false },
	{ POLICY(
	      "least_request.v3.LeastRequest", ", selection_method: FULL_SCAN"),
	    CONF_LEAST_REQUEST, 0, false, false, false },
	{ POLICY("maglev.v3.Maglev",
	      ", consistent_hashing_lb_config: {hash_policy: [{header: "
	      "{header_name: x}}]}"),
	    CONF_MAGLEV, 0, false, true, true },
	{ POLICY("ring_hash.v3.RingHash", ", maximum_ring_size: 1024"),
	    CONF_RING_HASH, 0, true, false, false },
	{ "lb_policy: MAGLEV\n" POLICY("random.v3.Random", ""), CONF_RANDOM, 0,
	    false, false, false },
};

START_TEST(a_policy_has_what_it_needs)
{
	const struct cluster *c = cluster_with(policies[_i].fields);

	ck_assert_int_eq(c->policy, policies[_i].policy);
	ck_assert_uint_eq(c->choices, policies[_i].choices);
	ck_assert_int_eq(c->ring != NULL, policies[_i].ring);
	ck_assert_int_eq(c->maglev != NULL, policies[_i].maglev);
	ck_assert_int_eq(c->hash != NULL, policies[_i].hash);
}
END_TEST

/* ---- HTTP ---- */

#define OPTIONS(fields)                                                        \
	"typed_extension_protocol_options:\n"                                  \
	"  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:\n"          \
	"    \"@type\": type.googleapis.com/envoy.extensions.upstreams.http."  \
	"v3.HttpProtocolOptions\n" fields
#define HTTP1 "    explicit_http_config: {http_protocol_options: {}}\n"

static const struct {
	const char *fields;
	int64_t idle_s, age_s, stream_s;
	uint32_t uses;
	size_t max_fields, max_head;
} options[] = {
	{ "", 3600, 0, 0, 0, 0, 0 },
	{ "max_requests_per_connection: 3", 3600, 0, 0, 3, 0, 0 },
	{ "common_http_protocol_options: {idle_timeout: 0s, "
	  "max_connection_duration: 9s}",
	    0, 9, 0, 0, 100, 80 * 1024 },
	{ OPTIONS(
	      HTTP1 "    common_http_protocol_options: {idle_timeout: 7s, "
		    "max_requests_per_connection: 5, max_stream_duration: 4s, "
		    "max_headers_count: 20, max_response_headers_kb: 9}\n"),
	    7, 0, 4, 5, 20, 9 * 1024 },
	{ OPTIONS(HTTP1) "common_http_protocol_options: {idle_timeout: 7s}",
	    3600, 0, 0, 0, 0, 0 },
	{ OPTIONS("    use_downstream_protocol_config: {}\n"), 3600, 0, 0, 0, 0,
	    0 },
};

START_TEST(protocol_options_hold_for_all_hosts)
{
	const struct cluster *c = cluster_with(options[_i].fields);

	ck_assert_int_eq(c->max_stream_ns, options[_i].stream_s * NS_PER_S);
	for (size_t i = 0; i < c->n; i++) {
		const struct client_origin *o = &c->hosts[i].origin;

		ck_assert_int_eq(o->idle_ns, options[_i].idle_s * NS_PER_S);
		ck_assert_int_eq(o->age_ns, options[_i].age_s * NS_PER_S);
		ck_assert_uint_eq(o->uses, options[_i].uses);
		ck_assert_uint_eq(o->max_fields, options[_i].max_fields);
		ck_assert_uint_eq(o->max_head, options[_i].max_head);
	}
}
END_TEST

static const struct {
	const char *fields, *error;
} mistakes[] = {
	{ "lb_policy: LOAD_BALANCING_POLICY_CONFIG",
	    "cluster: field load_balancing_policy need to be set" },
	{ POLICY("wrr_locality.v3.WrrLocality", ""),
	    "didn't find a registered load balancer factory implementation "
	    "for cluster: 'c:1' with names from [x]" },
	{ "lb_policy: MAGLEV\nmaglev_lb_config: {table_size: 10}",
	    "The table size of maglev must be prime number" },
	{ "lb_policy: MAGLEV\nmaglev_lb_config: {table_size: 5000012}",
	    "table_size" },
	{ POLICY("maglev.v3.Maglev", ", table_size: 5000012"), "table_size" },
	{ POLICY("maglev.v3.Maglev", ", table_size: 10"), "prime number" },
	{ POLICY("ring_hash.v3.RingHash", ", minimum_ring_size: 9000000"),
	    "minimum_ring_size" },
	{ "lb_policy: RING_HASH\nring_hash_lb_config: {minimum_ring_size: 9, "
	  "maximum_ring_size: 8}",
	    "ring" },
	{ "type: STATIC\nlb_policy: MAGLEV\ncommon_lb_config: "
	  "{consistent_hashing_lb_config: {use_hostname_for_hashing: true}}",
	    "Cannot use hostname for consistent hashing loadbalancing" },
	{ "http2_protocol_options: {}", "only HTTP/1.1 is spoken to backends" },
	{ OPTIONS("    explicit_http_config: {http2_protocol_options: {}}\n"),
	    "only HTTP/1.1 is spoken to backends" },
	{ OPTIONS("    auto_config: {}\n"),
	    "ALPN configured for cluster c:1 which has a non-ALPN transport "
	    "socket" },
	{ OPTIONS(""), "upstream_protocol_options" },
	{ "max_requests_per_connection: 1\n"
	  "common_http_protocol_options: {max_requests_per_connection: 1}",
	    "Only one of max_requests_per_connection from Cluster or "
	    "HttpProtocolOptions can be specified" },
	{ "common_http_protocol_options: {max_response_headers_kb: 97}",
	    "more than 96 KiB of response headers" },
	{ "typed_extension_protocol_options: {x: {\"@type\": "
	  "type.googleapis.com/envoy.extensions.filters.http.router.v3."
	  "Router}}",
	    "Didn't find a registered network or http filter or protocol "
	    "options implementation for name: 'x'" },
	{ "circuit_breakers: {per_host_thresholds: [{max_connections: 1}]}",
	    "per_host_thresholds" },
};

START_TEST(what_cannot_be_is_refused)
{
	(void)clusters_with(mistakes[_i].fields, NULL);
	told_must_say(&t, mistakes[_i].error);
	ck_assert_uint_gt(diag_errors(t.diag), 0);
}
END_TEST

static const struct {
	const char *policy, *error;
} drops[] = {
	{ "{drop_overloads: [{category: a, drop_percentage: {numerator: "
	  "101}}]}",
	    "drop_ratio=1.01(Numerator 101 / Denominator 100). The valid range "
	    "is 0~1." },
	{ "{drop_overloads: [{category: a}, {category: b}]}",
	    "has 2 categories. Envoy only support one." },
	{ "{drop_overloads: [{}]}", "category" },
	{ "{drop_overloads: [{category: a, drop_percentage: {numerator: 15, "
	  "denominator: TEN_THOUSAND}}]}",
	    NULL },
};

START_TEST(so_many_are_dropped)
{
	const struct clusters *all;

	drop_policy = drops[_i].policy;
	all = clusters_with("", NULL);
	ck_assert_int_eq(diag_errors(t.diag) > 0, drops[_i].error != NULL);
	if (drops[_i].error)
		told_must_say(&t, drops[_i].error);
	else
		ck_assert_uint_eq(all->items[0].drop_ppm, 1500);
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_upstream_cluster_rules(void);

Suite *
suite_upstream_cluster_rules(void)
{
	Suite *s = suite_create("upstream/cluster_rules");
	TCase *tc = tcase_create("rules");

	tcase_add_checked_fixture(tc, begin, finish);
	tcase_add_test(tc, thresholds_are_envoys_where_none_are_given);
	tcase_add_test(tc, the_first_thresholds_of_a_priority_hold);
	tcase_add_test(tc, the_runtime_has_the_last_word);
	TABLE_TEST(tc, policies, a_policy_has_what_it_needs);
	TABLE_TEST(tc, options, protocol_options_hold_for_all_hosts);
	TABLE_TEST(tc, mistakes, what_cannot_be_is_refused);
	TABLE_TEST(tc, drops, so_many_are_dropped);
	suite_add_tcase(s, tc);
	return s;
}
