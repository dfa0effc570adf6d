/*
 * The messages about forwarding, as C structs (see config/model.h): what a
 * route says of retries, mirrors and hashing, and a cluster of its limits
 * and of how it chooses hosts.
 */
#ifndef SALLYPORT_CONFIG_MODEL_FORWARD_H
#define SALLYPORT_CONFIG_MODEL_FORWARD_H

#include "config/model.h"

/* envoy.type.v3.Percent */
struct conf_percent {
	const struct node *node;
	double value;
};

/* ---- routes: envoy.config.route.v3 ---- */

struct conf_retry_back_off {
	const struct node *node;
	int64_t base_interval;
	int64_t max_interval;
	bool has_max_interval;
};
enum conf_reset_format { CONF_RESET_SECONDS, CONF_RESET_UNIX_TIMESTAMP };
struct conf_reset_header {
	const struct node *node;
	struct str name;
	int format;
};
struct conf_limited_back_off {
	const struct node *node;
	CONF_LIST(struct conf_reset_header) reset_headers;
	int64_t max_interval; /* 300 s */
};
struct conf_retry_policy {
	const struct node *node;
	struct str retry_on;
	uint32_t num_retries; /* 1 */
	int64_t per_try_timeout; /* 0: none */
	int64_t per_try_idle_timeout; /* 0: none */
	CONF_LIST(struct conf_extension) retry_host_predicate;
	int64_t host_selection_retry_max_attempts;
	CONF_LIST(uint32_t) retriable_status_codes;
	struct conf_retry_back_off *retry_back_off;
	struct conf_limited_back_off *rate_limited_retry_back_off;
	CONF_LIST(struct conf_header_matcher) retriable_headers;
	CONF_LIST(struct conf_header_matcher) retriable_request_headers;
};

struct conf_hash_header {
	const struct node *node;
	struct str header_name;
	struct conf_regex_rewrite *regex_rewrite;
};
struct conf_cookie_attribute {
	const struct node *node;
	struct str name, value;
};
struct conf_hash_cookie {
	const struct node *node;
	struct str name;
	int64_t ttl;
	bool has_ttl; /* without one no cookie is made */
	struct str path;
	CONF_LIST(struct conf_cookie_attribute) attributes;
};
struct conf_hash_connection {
	const struct node *node;
	bool source_ip;
};
struct conf_hash_query {
	const struct node *node;
	struct str name;
};
struct conf_hash_policy {
	const struct node *node;
	struct conf_hash_header *header;
	struct conf_hash_cookie *cookie;
	struct conf_hash_connection *connection_properties;
	struct conf_hash_query *query_parameter;
	bool terminal;
};

struct conf_mirror_policy {
	const struct node *node;
	struct str cluster;
	struct str cluster_header;
	struct conf_runtime_fraction *runtime_fraction;
	bool disable_shadow_host_suffix_append;
	struct str host_rewrite_literal;
};

struct conf_max_stream_duration {
	const struct node *node;
	int64_t max_stream_duration;
	bool has_max_stream_duration;
	int64_t grpc_timeout_header_max;
	bool has_grpc_timeout_header_max;
	int64_t grpc_timeout_header_offset;
};

/* ---- clusters: envoy.config.cluster.v3 ---- */

struct conf_retry_budget {
	const struct node *node;
	struct conf_percent *budget_percent; /* 20 */
	uint32_t min_retry_concurrency; /* 3 */
};
struct conf_thresholds {
	const struct node *node;
	int priority; /* 0 DEFAULT, 1 HIGH */
	uint32_t max_connections, max_pending_requests, max_requests; /* 1024 */
	uint32_t max_retries; /* 3 */
	struct conf_retry_budget *retry_budget;
};
struct conf_circuit_breakers {
	const struct node *node;
	CONF_LIST(struct conf_thresholds) thresholds;
};

/* ConsistentHashingLbConfig, of common_lb_config and of the extensions. */
struct conf_consistent_hashing {
	const struct node *node;
	bool use_hostname_for_hashing;
	CONF_LIST(struct conf_hash_policy) hash_policy;
};
struct conf_common_lb {
	const struct node *node;
	struct conf_consistent_hashing *consistent_hashing_lb_config;
};
enum conf_hash_function { CONF_XX_HASH, CONF_MURMUR_HASH_2 };
/* RingHashLbConfig of clusters; RingHash, the extension, has one more. */
struct conf_ring_hash {
	const struct node *node;
	uint64_t minimum_ring_size; /* 1024 */
	uint64_t maximum_ring_size; /* 8388608 */
	int hash_function;
	bool use_hostname_for_hashing; /* deprecated; of the extension only */
	struct conf_consistent_hashing *consistent_hashing_lb_config;
};
struct conf_maglev {
	const struct node *node;
	uint64_t table_size; /* 65537 */
	struct conf_consistent_hashing *consistent_hashing_lb_config;
};
struct conf_least_request {
	const struct node *node;
	uint32_t choice_count; /* 2 */
	struct conf_runtime_double *active_request_bias;
	int selection_method; /* 0 N_CHOICES, 1 FULL_SCAN; of the extension */
};
struct conf_lb_policy_item {
	const struct node *node;
	struct conf_extension *typed_extension_config;
};
struct conf_load_balancing {
	const struct node *node;
	CONF_LIST(struct conf_lb_policy_item) policies;
};

/* ClusterLoadAssignment.Policy */
struct conf_drop_overload {
	const struct node *node;
	struct str category;
	struct conf_fractional_percent *drop_percentage;
};
struct conf_assignment_policy {
	const struct node *node;
	CONF_LIST(struct conf_drop_overload) drop_overloads;
};

/* HttpProtocolOptions, of core.v3 and of extensions.upstreams.http.v3 */
struct conf_common_protocol {
	const struct node *node;
	int64_t idle_timeout; /* 1 h; 0: none */
	int64_t max_connection_duration; /* 0: none */
	uint32_t max_requests_per_connection; /* 0: any number */
	uint32_t max_headers_count; /* 100 */
	uint32_t max_response_headers_kb; /* 80 */
	int64_t max_stream_duration; /* 0: none */
};
struct conf_http_versions {
	const struct node *node;
	struct conf_empty *http_protocol_options;
};
struct conf_upstream_http {
	const struct node *node;
	bool auto_sni, auto_san_validation;
	struct str override_auto_sni_header;
};
struct conf_protocol_options {
	const struct node *node;
	struct conf_common_protocol *common_http_protocol_options;
	struct conf_upstream_http *upstream_http_protocol_options;
	struct conf_http_versions *explicit_http_config;
	struct conf_http_versions *use_downstream_protocol_config;
	struct conf_http_versions *auto_config;
};

/* Tables for messages.h's files and for those who decode an Any. */
extern const struct schema_message conf_protocol_options_message;
extern const struct schema_message conf_typed_ring_hash_message;
extern const struct schema_message conf_typed_maglev_message;
extern const struct schema_message conf_typed_least_request_message;
extern const struct schema_message conf_typed_random_message;
extern const struct schema_message conf_typed_round_robin_message;

#endif
