/* Clusters: the hosts of a backend and how they are reached. */
#include "config.h"

#include "config/messages.h"
#include "config/model_forward.h"

#define UNBUILT       "it is not built in"
#define RESOLVER      "the system's resolver answers"
#define ALL_USED      "all hosts are used"
#define NO_STATISTICS "these statistics are not kept"
#define CONNECTIONS   "connections to backends are managed by the gateway"

static const struct schema_choice health_choices[] = {
	{ .name = "UNKNOWN", .value = 0 },
	{ .name = "HEALTHY", .value = 1 },
	{ .name = "UNHEALTHY", .value = 2, .refused = ALL_USED },
	{ .name = "DRAINING", .value = 3, .refused = ALL_USED },
	{ .name = "TIMEOUT", .value = 4, .refused = ALL_USED },
	{ .name = "DEGRADED", .value = 5, .refused = ALL_USED },
	{ .name = NULL },
};

static const struct schema_field endpoint_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_endpoint, address),
	    .message = &conf_address_message, .required = true,
	    .text = "Where the host is." },
	REFUSED("health_check_config", "hosts are not checked"),
	{ FIELD(SCHEMA_STR, conf_endpoint, hostname),
	    .text = "Name for auto_host_rewrite." },
	REFUSED("additional_addresses", "a host has one address"),
	DELEGATED_SCALAR("observability_name", NO_STATISTICS),
	{ .name = NULL },
};

static const struct schema_message endpoint_message = {
	.name = "envoy.config.endpoint.v3.Endpoint",
	.size = sizeof(struct conf_endpoint),
	.fields = endpoint_fields,
};

static const struct schema_field lb_endpoint_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_lb_endpoint, endpoint),
	    .message = &endpoint_message, .required = true,
	    .oneof = "host_identifier", .text = "The host." },
	REFUSED("endpoint_name", "write the endpoint out"),
	{ FIELD(SCHEMA_ENUM, conf_lb_endpoint, health_status),
	    .choices = health_choices, .text = "UNKNOWN or HEALTHY." },
	{ FIELD(SCHEMA_MESSAGE, conf_lb_endpoint, metadata),
	    .message = &conf_metadata_message,
	    .text = "envoy.lb may have canary and hash_key." },
	{ FIELD(SCHEMA_U32, conf_lb_endpoint, load_balancing_weight), .min = 1,
	    .max = UINT_MAX, .fallback = "1",
	    .text = "Its share of the requests." },
	{ .name = NULL },
};

static const struct schema_message lb_endpoint_message = {
	.name = "envoy.config.endpoint.v3.LbEndpoint",
	.size = sizeof(struct conf_lb_endpoint),
	.fields = lb_endpoint_fields,
};

static const struct schema_field locality_fields[] = {
	DELEGATED("locality", "localities are not told apart"),
	DELEGATED("metadata", "nothing reads it"),
	{ FIELD(SCHEMA_MESSAGE, conf_locality_endpoints, lb_endpoints),
	    .label = SCHEMA_LIST, .message = &lb_endpoint_message,
	    .text = "The hosts." },
	REFUSED("load_balancer_endpoints", "use lb_endpoints"),
	REFUSED("leds_cluster_locality_config", "use lb_endpoints"),
	DELEGATED("load_balancing_weight", "localities are not told apart"),
	{ FIELD(SCHEMA_U32, conf_locality_endpoints, priority), .max = 128,
	    .text = "0 is used first." },
	DELEGATED("proximity", "localities are not told apart"),
	{ .name = NULL },
};

static const struct schema_message locality_message = {
	.name = "envoy.config.endpoint.v3.LocalityLbEndpoints",
	.size = sizeof(struct conf_locality_endpoints),
	.fields = locality_fields,
};

static const struct schema_field drop_overload_fields[] = {
	{ FIELD(SCHEMA_STR, conf_drop_overload, category), .min_items = 1,
	    .required = true, .text = "Free text." },
	{ FIELD(SCHEMA_MESSAGE, conf_drop_overload, drop_percentage),
	    .message = &conf_fractional_percent_message,
	    .text = "Requests answered with 503." },
	{ .name = NULL },
};

static const struct schema_message drop_overload_message = {
	.name = "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy."
		"DropOverload",
	.size = sizeof(struct conf_drop_overload),
	.fields = drop_overload_fields,
};

static const struct schema_field assignment_policy_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_assignment_policy, drop_overloads),
	    .label = SCHEMA_LIST, .message = &drop_overload_message,
	    .text = "Requests that are not even tried." },
	DELEGATED("overprovisioning_factor", ALL_USED),
	DELEGATED("endpoint_stale_after", "it is for discovery"),
	DELEGATED_SCALAR("weighted_priority_health", ALL_USED),
	{ .name = NULL },
};

static void
check_drop(
    struct diag *diag, const char *path, const struct conf_drop_overload *d)
{
	static const unsigned denominators[] = { 100, 10000, 1000000 };
	const struct conf_fractional_percent *part = d->drop_percentage;
	unsigned all = part ? denominators[part->denominator] : 1;

	if (part && part->numerator > all)
		diag_error(diag, part->node->place, path,
		    "Cluster drop_overloads config is invalid. drop_ratio=%g"
		    "(Numerator %u / Denominator %u). The valid range is 0~1.",
		    (double)part->numerator / all, part->numerator, all);
}

static void
check_assignment_policy(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_assignment_policy *p = decoded;

	if (p->drop_overloads.n > 1)
		diag_error(diag, p->node->place, path,
		    "Cluster drop_overloads config has %zu categories. Envoy "
		    "only support one.",
		    p->drop_overloads.n);
	for (size_t i = 0; i < p->drop_overloads.n; i++)
		check_drop(diag, path, &p->drop_overloads.items[i]);
}

static const struct schema_message assignment_policy_message = {
	.name = "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy",
	.size = sizeof(struct conf_assignment_policy),
	.fields = assignment_policy_fields,
	.check = check_assignment_policy,
};

static const struct schema_field load_assignment_fields[] = {
	{ FIELD(SCHEMA_STR, conf_load_assignment, cluster_name), .min_items = 1,
	    .required = true, .text = "Name of the cluster, once more." },
	{ FIELD(SCHEMA_MESSAGE, conf_load_assignment, endpoints),
	    .label = SCHEMA_LIST, .message = &locality_message,
	    .text = "Groups of hosts." },
	REFUSED("named_endpoints", "write the endpoints out"),
	{ FIELD(SCHEMA_MESSAGE, conf_load_assignment, policy),
	    .message = &assignment_policy_message, .text = "Overload." },
	{ .name = NULL },
};

static const struct schema_message load_assignment_message = {
	.name = "envoy.config.endpoint.v3.ClusterLoadAssignment",
	.size = sizeof(struct conf_load_assignment),
	.fields = load_assignment_fields,
};

static const struct schema_choice type_choices[] = {
	{ .name = "STATIC", .value = CONF_STATIC },
	{ .name = "STRICT_DNS", .value = CONF_STRICT_DNS },
	{ .name = "LOGICAL_DNS", .value = CONF_LOGICAL_DNS },
	{ .name = "EDS",
	    .value = 3,
	    .refused = "configuration comes from files only" },
	{ .name = "ORIGINAL_DST",
	    .value = 4,
	    .refused = "there is no original destination behind a web server" },
	{ .name = NULL },
};

static const struct schema_choice lb_choices[] = {
	{ .name = "ROUND_ROBIN", .value = CONF_ROUND_ROBIN },
	{ .name = "LEAST_REQUEST", .value = CONF_LEAST_REQUEST },
	{ .name = "RING_HASH", .value = CONF_RING_HASH },
	{ .name = "RANDOM", .value = CONF_RANDOM },
	{ .name = "MAGLEV", .value = CONF_MAGLEV },
	{ .name = "CLUSTER_PROVIDED", .value = 6, .refused = UNBUILT },
	{ .name = "LOAD_BALANCING_POLICY_CONFIG", .value = CONF_LB_CONFIG },
	{ .name = NULL },
};

static const struct schema_choice priority_choices[] = {
	{ .name = "DEFAULT", .value = 0 },
	{ .name = "HIGH", .value = 1 },
	{ .name = NULL },
};

static const struct schema_field percent_fields[] = {
	{ FIELD(SCHEMA_DOUBLE, conf_percent, value), .max = 100,
	    .text = "0 to 100." },
	{ .name = NULL },
};

const struct schema_message conf_percent_message = {
	.name = "envoy.type.v3.Percent",
	.size = sizeof(struct conf_percent),
	.fields = percent_fields,
};

static const struct schema_field retry_budget_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_retry_budget, budget_percent),
	    .message = &conf_percent_message,
	    .text = "Retries among all requests under way; 20." },
	REFUSED("budget_interval", UNBUILT),
	{ FIELD(SCHEMA_U32, conf_retry_budget, min_retry_concurrency),
	    .fallback = "3", .text = "Retries that are allowed anyhow." },
	{ .name = NULL },
};

static const struct schema_message retry_budget_message = {
	.name = "envoy.config.cluster.v3.CircuitBreakers.Thresholds."
		"RetryBudget",
	.size = sizeof(struct conf_retry_budget),
	.fields = retry_budget_fields,
};

static const struct schema_field thresholds_fields[] = {
	{ FIELD(SCHEMA_ENUM, conf_thresholds, priority),
	    .choices = priority_choices,
	    .text = "Requests of which priority it is for." },
	{ FIELD(SCHEMA_U32, conf_thresholds, max_connections),
	    .fallback = "1024", .text = "Connections at once." },
	{ FIELD(SCHEMA_U32, conf_thresholds, max_pending_requests),
	    .fallback = "1024", .text = "Requests that wait for one." },
	{ FIELD(SCHEMA_U32, conf_thresholds, max_requests), .fallback = "1024",
	    .text = "Requests at once." },
	{ FIELD(SCHEMA_U32, conf_thresholds, max_retries), .fallback = "3",
	    .text = "Retries at once." },
	{ FIELD(SCHEMA_MESSAGE, conf_thresholds, retry_budget),
	    .message = &retry_budget_message,
	    .text = "Retries as a part of all requests, not max_retries." },
	DELEGATED_SCALAR("track_remaining", "there are no gauges"),
	DELEGATED("max_connection_pools",
	    "the connections of a process make one pool"),
	{ .name = NULL },
};

static const struct schema_message thresholds_message = {
	.name = "envoy.config.cluster.v3.CircuitBreakers.Thresholds",
	.size = sizeof(struct conf_thresholds),
	.fields = thresholds_fields,
};

static const struct schema_field circuit_breakers_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_circuit_breakers, thresholds),
	    .label = SCHEMA_LIST, .message = &thresholds_message,
	    .text = "Limits over all processes, per priority." },
	REFUSED("per_host_thresholds", UNBUILT),
	{ .name = NULL },
};

static const struct schema_message circuit_breakers_message = {
	.name = "envoy.config.cluster.v3.CircuitBreakers",
	.size = sizeof(struct conf_circuit_breakers),
	.fields = circuit_breakers_fields,
};

static const struct schema_field cluster_fields[] = {
	{ FIELD(SCHEMA_STR, conf_cluster, name), .min_items = 1,
	    .required = true, .text = "Name by which routes refer to it." },
	{ FIELD(SCHEMA_ENUM, conf_cluster, type), .choices = type_choices,
	    .oneof = "cluster_discovery_type",
	    .text = "Whether hosts are addresses or names." },
	REFUSED("cluster_type", "use type"),
	REFUSED("eds_cluster_config", "configuration comes from files only"),
	{ FIELD(SCHEMA_DURATION, conf_cluster, connect_timeout), .min = 1e-9,
	    .fallback = "5s", .text = "Longest time to connect." },
	{ FIELD(SCHEMA_ENUM, conf_cluster, lb_policy), .choices = lb_choices,
	    .text = "How a host is chosen." },
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, load_assignment),
	    .message = &load_assignment_message, .text = "The hosts." },
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, transport_socket),
	    .message = &conf_transport_socket_message,
	    .text = "TLS; plain without it." },
	REFUSED("transport_socket_matches", UNBUILT),
	REFUSED("transport_socket_matcher", UNBUILT),
	{ FIELD(SCHEMA_STR, conf_cluster, alt_stat_name),
	    .text = "Name in the statistics, in place of name." },
	DELEGATED("stats_matcher", NO_STATISTICS),
	DELEGATED("per_connection_buffer_limit_bytes", CONNECTIONS),
	DELEGATED("per_connection_buffer_high_watermark_timeout", CONNECTIONS),
	REFUSED("health_checks", "hosts are not checked"),
	{ FIELD(SCHEMA_U32, conf_cluster, max_requests_per_connection),
	    .text = "Deprecated: typed_extension_protocol_options." },
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, circuit_breakers),
	    .message = &circuit_breakers_message,
	    .text = "Limits; requests over them get 503." },
	REFUSED("upstream_http_protocol_options",
	    "use typed_extension_protocol_options"),
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, common_http_protocol_options),
	    .message = &conf_common_protocol_message,
	    .text = "Deprecated: typed_extension_protocol_options." },
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, http_protocol_options),
	    .message = &conf_http1_message,
	    .text = "Deprecated: typed_extension_protocol_options." },
	REFUSED("http2_protocol_options", CONF_NO_HTTP2),
	{ FIELD(SCHEMA_ANY, conf_cluster, typed_extension_protocol_options),
	    .label = SCHEMA_MAP, .text = "How HTTP is spoken." },
	DELEGATED("dns_refresh_rate", RESOLVER),
	DELEGATED("dns_jitter", RESOLVER),
	DELEGATED("dns_failure_refresh_rate", RESOLVER),
	DELEGATED_SCALAR("respect_dns_ttl", RESOLVER),
	DELEGATED("dns_lookup_family", RESOLVER),
	DELEGATED("dns_resolvers", RESOLVER),
	DELEGATED_SCALAR("use_tcp_for_dns_lookups", RESOLVER),
	DELEGATED("dns_resolution_config", RESOLVER),
	DELEGATED("typed_dns_resolver_config", RESOLVER),
	DELEGATED_SCALAR("wait_for_warm_on_init", "it is for discovery"),
	REFUSED("outlier_detection", UNBUILT),
	DELEGATED("cleanup_interval", "it is for discovery"),
	DELEGATED("upstream_bind_config", "the kernel chooses the address"),
	REFUSED("lb_subset_config", "there are no subsets of hosts"),
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, ring_hash_lb_config),
	    .message = &conf_ring_hash_message, .oneof = "lb_config",
	    .text = "For lb_policy RING_HASH." },
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, maglev_lb_config),
	    .message = &conf_maglev_message, .oneof = "lb_config",
	    .text = "For lb_policy MAGLEV." },
	REFUSED("original_dst_lb_config", UNBUILT),
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, least_request_lb_config),
	    .message = &conf_least_request_message, .oneof = "lb_config",
	    .text = "For lb_policy LEAST_REQUEST." },
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, round_robin_lb_config),
	    .message = &conf_round_robin_message, .oneof = "lb_config",
	    .text = "For lb_policy ROUND_ROBIN." },
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, common_lb_config),
	    .message = &conf_common_lb_message,
	    .text = "For all ways of choosing hosts." },
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, metadata),
	    .message = &conf_metadata_message,
	    .text = "For log formats and filters." },
	REFUSED_SCALAR("protocol_selection", UNBUILT),
	DELEGATED("upstream_connection_options", CONNECTIONS),
	DELEGATED_SCALAR("close_connections_on_host_health_failure", ALL_USED),
	DELEGATED_SCALAR("ignore_health_on_host_removal", ALL_USED),
	REFUSED("filters", UNBUILT),
	{ FIELD(SCHEMA_MESSAGE, conf_cluster, load_balancing_policy),
	    .message = &conf_load_balancing_message,
	    .text = "How a host is chosen, in place of lb_policy." },
	REFUSED("lrs_server", "configuration comes from files only"),
	DELEGATED("lrs_report_endpoint_metrics", NO_STATISTICS),
	DELEGATED_SCALAR("track_timeout_budgets", NO_STATISTICS),
	REFUSED("upstream_config", UNBUILT),
	DELEGATED("track_cluster_stats", NO_STATISTICS),
	DELEGATED("preconnect_policy", CONNECTIONS),
	DELEGATED_SCALAR(
	    "connection_pool_per_downstream_connection", CONNECTIONS),
	REFUSED("queuing_policies", UNBUILT),
	{ .name = NULL },
};

const struct schema_message conf_cluster_message = {
	.name = "envoy.config.cluster.v3.Cluster",
	.size = sizeof(struct conf_cluster),
	.fields = cluster_fields,
};
