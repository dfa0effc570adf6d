/*
 * Envoy's configuration messages as C structs, one per message, named after
 * it. What a field means is written in its row (config/messages_*.c) and in
 * Envoy's documentation of the message. See config/schema.h for how
 * absence, lists and maps are represented.
 */
#ifndef SALLYPORT_CONFIG_MODEL_H
#define SALLYPORT_CONFIG_MODEL_H

#include "config/schema.h"

/* A repeated field: same layout as struct list. */
#define CONF_LIST(type)                                                        \
	struct {                                                               \
		type *items;                                                   \
		size_t n;                                                      \
	}

/* envoy.config.core.v3.DataSource: exactly one is present. */
struct conf_data_source {
	const struct node *node;
	struct str filename;
	struct str inline_bytes;
	struct str inline_string;
	struct str environment_variable;
};

/* envoy.config.core.v3.Address, flattened: host and port, or path. */
struct conf_socket_address {
	const struct node *node;
	struct str address;
	uint32_t port_value;
};
struct conf_pipe {
	const struct node *node;
	struct str path;
	uint32_t mode;
};
struct conf_address {
	const struct node *node;
	struct conf_socket_address *socket_address;
	struct conf_pipe *pipe;
};

/* envoy.type.v3.FractionalPercent; denominator 0 HUNDRED, 1 TEN_THOUSAND, 2 MILLION. */
struct conf_fractional_percent {
	const struct node *node;
	uint32_t numerator;
	int denominator;
};
struct conf_runtime_fraction {
	const struct node *node;
	struct conf_fractional_percent *default_value;
	struct str runtime_key;
};

/* envoy.config.core.v3.Metadata */
struct conf_metadata {
	const struct node *node;
	struct map filter_metadata; /* values: const struct node ** */
};
/* envoy.config.core.v3.CidrRange */
struct conf_cidr_range {
	const struct node *node;
	struct str address_prefix;
	uint32_t prefix_len;
};
typedef CONF_LIST(struct conf_cidr_range) conf_cidr_ranges;
struct conf_runtime_double {
	const struct node *node;
	double default_value;
	struct str runtime_key;
};

/* envoy.type.v3.HttpStatus */
struct conf_http_status {
	const struct node *node;
	int code;
};

/* envoy.type.matcher.v3 */
struct conf_google_re2 {
	const struct node *node;
	uint32_t max_program_size;
	bool has_max_program_size;
};
struct conf_regex {
	const struct node *node;
	struct conf_google_re2 *google_re2;
	struct str regex;
};
struct conf_regex_rewrite {
	const struct node *node;
	struct conf_regex *pattern;
	struct str substitution;
};
struct conf_string_matcher {
	const struct node *node;
	struct str exact, prefix, suffix, contains;
	struct conf_regex *safe_regex;
	bool ignore_case;
};
struct conf_int64_range {
	const struct node *node;
	int64_t start, end;
};
struct conf_header_matcher {
	const struct node *node;
	struct str name;
	struct conf_string_matcher *string_match;
	struct conf_int64_range *range_match;
	bool present_match, has_present_match;
	bool invert_match;
	bool treat_missing_header_as_empty;
	/* deprecated spellings, turned into string_match by the decoder's check */
	struct str exact_match, prefix_match, suffix_match, contains_match;
	struct conf_regex *safe_regex_match;
	struct conf_string_matcher from_deprecated;
};
struct conf_query_matcher {
	const struct node *node;
	struct str name;
	struct conf_string_matcher *string_match;
	bool present_match, has_present_match;
};
struct conf_cookie_matcher {
	const struct node *node;
	struct str name;
	struct conf_string_matcher *string_match;
	bool invert_match;
};
struct conf_double_range {
	const struct node *node;
	double start, end;
};
struct conf_double_matcher {
	const struct node *node;
	struct conf_double_range *range;
	double exact;
	bool has_exact;
};
struct conf_value_matcher;
struct conf_list_matcher {
	const struct node *node;
	struct conf_value_matcher *one_of;
};
struct conf_or_matcher {
	const struct node *node;
	CONF_LIST(struct conf_value_matcher) value_matchers;
};
struct conf_value_matcher {
	const struct node *node;
	const struct node *null_match;
	struct conf_double_matcher *double_match;
	struct conf_string_matcher *string_match;
	bool bool_match, has_bool_match;
	bool present_match, has_present_match;
	struct conf_list_matcher *list_match;
	struct conf_or_matcher *or_match;
};
struct conf_path_segment {
	const struct node *node;
	struct str key;
};
struct conf_metadata_matcher {
	const struct node *node;
	struct str filter;
	CONF_LIST(struct conf_path_segment) path;
	struct conf_value_matcher *value;
	bool invert;
};

/* envoy.config.core.v3.HeaderValueOption */
enum conf_append_action {
	CONF_APPEND_IF_EXISTS_OR_ADD,
	CONF_ADD_IF_ABSENT,
	CONF_OVERWRITE_IF_EXISTS_OR_ADD,
	CONF_OVERWRITE_IF_EXISTS,
};
struct conf_header_value {
	const struct node *node;
	struct str key, value, raw_value;
};
struct conf_header_option {
	const struct node *node;
	struct conf_header_value *header;
	int append_action;
	bool append, has_append; /* deprecated, turned into append_action */
	bool has_append_action;
	bool keep_empty_value;
};
typedef CONF_LIST(struct conf_header_option) conf_header_options;
typedef CONF_LIST(struct str) conf_strings;

/* envoy.config.core.v3.TypedExtensionConfig and its likes. */
struct conf_extension {
	const struct node *node;
	struct str name;
	struct any *typed_config;
};

/* envoy.config.core.v3.SubstitutionFormatString */
struct conf_format {
	const struct node *node;
	struct str text_format;
	struct conf_data_source *text_format_source;
	const struct node *json_format;
	bool omit_empty_values;
	struct str content_type;
	CONF_LIST(struct conf_extension) formatters;
};

/* envoy.config.accesslog.v3 */
enum conf_comparison_op { CONF_EQ, CONF_GE, CONF_LE, CONF_NE };
struct conf_runtime_u32 {
	const struct node *node;
	uint32_t default_value;
	struct str runtime_key;
};
struct conf_comparison {
	const struct node *node;
	int op;
	struct conf_runtime_u32 *value;
};
struct conf_comparison_filter {
	const struct node *node;
	struct conf_comparison *comparison;
};
struct conf_log_filter;
struct conf_log_filters {
	const struct node *node;
	CONF_LIST(struct conf_log_filter) filters;
};
struct conf_header_filter {
	const struct node *node;
	struct conf_header_matcher *header;
};
struct conf_response_flag_filter {
	const struct node *node;
	conf_strings flags;
};
struct conf_empty {
	const struct node *node;
};
struct conf_log_runtime_filter {
	const struct node *node;
	struct str runtime_key;
	struct conf_fractional_percent *percent_sampled;
	bool use_independent_randomness;
	uint64_t numerator; /* the key's, or that of percent_sampled */
};
struct conf_grpc_status_filter {
	const struct node *node;
	CONF_LIST(int) statuses;
	bool exclude;
};
struct conf_metadata_filter {
	const struct node *node;
	struct conf_metadata_matcher *matcher;
	bool match_if_key_not_found; /* true */
};
/* envoy.data.accesslog.v3.AccessLogType, as far as it comes up here */
enum conf_log_type {
	CONF_LOG_NOT_SET,
	CONF_LOG_DOWNSTREAM_START = 4,
	CONF_LOG_DOWNSTREAM_PERIODIC = 5,
	CONF_LOG_DOWNSTREAM_END = 6,
};
struct conf_log_type_filter {
	const struct node *node;
	CONF_LIST(int) types;
	bool exclude;
};
struct conf_log_filter {
	const struct node *node;
	struct conf_comparison_filter *status_code_filter;
	struct conf_comparison_filter *duration_filter;
	struct conf_empty *not_health_check_filter, *traceable_filter;
	struct conf_log_filters *and_filter, *or_filter;
	struct conf_header_filter *header_filter;
	struct conf_response_flag_filter *response_flag_filter;
	struct conf_log_runtime_filter *runtime_filter;
	struct conf_grpc_status_filter *grpc_status_filter;
	struct conf_metadata_filter *metadata_filter;
	struct conf_log_type_filter *log_type_filter;
};
struct conf_access_log {
	const struct node *node;
	struct str name;
	struct conf_log_filter *filter;
	struct any
	    *typed_config; /* FileAccessLog, StdoutAccessLog, StderrAccessLog */
};
/* HttpConnectionManager.HcmAccessLogOptions */
struct conf_access_log_options {
	const struct node *node;
	int64_t access_log_flush_interval; /* 0: none */
	bool flush_access_log_on_new_request;
};
/* extensions.access_loggers.file.v3.FileAccessLog; stream loggers lack path */
struct conf_file_access_log {
	const struct node *node;
	struct str path;
	struct conf_format *log_format;
	struct str format; /* deprecated */
	const struct node *json_format; /* deprecated */
};

/* HttpConnectionManager.local_reply_config */
struct conf_response_mapper {
	const struct node *node;
	struct conf_log_filter *filter;
	uint32_t status_code;
	bool has_status_code;
	struct conf_data_source *body;
	struct conf_format *body_format_override;
	conf_header_options headers_to_add;
};
struct conf_local_reply {
	const struct node *node;
	CONF_LIST(struct conf_response_mapper) mappers;
	struct conf_format *body_format;
};

/* envoy.config.route.v3 */
struct conf_route_match {
	const struct node *node;
	struct str prefix, path, path_separated_prefix;
	struct conf_regex *safe_regex;
	bool case_sensitive;
	struct conf_runtime_fraction *runtime_fraction;
	CONF_LIST(struct conf_header_matcher) headers;
	CONF_LIST(struct conf_query_matcher) query_parameters;
	CONF_LIST(struct conf_cookie_matcher) cookies;
	CONF_LIST(struct conf_metadata_matcher) dynamic_metadata;
	struct conf_empty *grpc;
	struct conf_tls_match *tls_context;
	struct conf_typed_extension *path_match_policy;
};
/* RouteMatch.TlsContextMatchOptions */
struct conf_tls_match {
	const struct node *node;
	bool presented, has_presented;
	bool validated, has_validated;
};
/* envoy.config.core.v3.TypedExtensionConfig */
struct conf_typed_extension {
	const struct node *node;
	struct str name;
	struct any *typed_config;
};
/* See config/model_limit.h. */
struct conf_rate_limit;
typedef CONF_LIST(struct conf_rate_limit) conf_rate_limits;

struct conf_weighted_cluster {
	const struct node *node;
	struct str name, cluster_header;
	uint32_t weight;
	conf_header_options request_headers_to_add, response_headers_to_add;
	conf_strings request_headers_to_remove, response_headers_to_remove;
	struct map typed_per_filter_config;
	struct str host_rewrite_literal;
};
struct conf_weighted_clusters {
	const struct node *node;
	CONF_LIST(struct conf_weighted_cluster) clusters;
	struct str runtime_key_prefix;
	struct str header_name;
	bool use_hash_policy;
};
typedef CONF_LIST(struct conf_mirror_policy) conf_mirror_policies;

enum conf_cluster_not_found {
	CONF_NOT_FOUND_503,
	CONF_NOT_FOUND_404,
	CONF_NOT_FOUND_500,
};
struct conf_route_action {
	const struct node *node;
	struct str cluster;
	struct str cluster_header;
	struct conf_weighted_clusters *weighted_clusters;
	int cluster_not_found_response_code;
	struct str prefix_rewrite;
	struct conf_regex_rewrite *regex_rewrite;
	struct str path_rewrite;
	struct conf_typed_extension *path_rewrite_policy;
	struct str host_rewrite_literal;
	bool auto_host_rewrite;
	struct str host_rewrite_header;
	struct conf_regex_rewrite *host_rewrite_path_regex;
	struct str host_rewrite;
	bool append_x_forwarded_host;
	int64_t timeout; /* 15 s unless given; 0 is none */
	int64_t idle_timeout;
	bool has_idle_timeout;
	conf_rate_limits rate_limits;
	bool include_vh_rate_limits;
	/* model_forward.h has these. */
	struct conf_retry_policy *retry_policy;
	conf_mirror_policies request_mirror_policies;
	CONF_LIST(struct conf_hash_policy) hash_policy;
	struct conf_max_stream_duration *max_stream_duration;
	int priority; /* 0 DEFAULT, 1 HIGH */
	int64_t max_grpc_timeout, grpc_timeout_offset; /* deprecated */
	bool has_max_grpc_timeout;
	const struct node *cors; /* deprecated: CorsPolicy of the cors filter */
};
enum conf_redirect_code { CONF_301, CONF_302, CONF_303, CONF_307, CONF_308 };
struct conf_redirect {
	const struct node *node;
	struct str host_redirect, path_redirect, prefix_rewrite,
	    scheme_redirect;
	struct conf_regex_rewrite *regex_rewrite;
	bool https_redirect;
	uint32_t port_redirect;
	int response_code;
	bool strip_query;
};
struct conf_direct_response {
	const struct node *node;
	uint32_t status;
	struct conf_data_source *body;
	struct conf_format *body_format;
};
struct conf_route {
	const struct node *node;
	struct str name;
	struct conf_route_match *match;
	struct conf_route_action *route;
	struct conf_redirect *redirect;
	struct conf_direct_response *direct_response;
	struct map typed_per_filter_config; /* values: struct any * */
	conf_header_options request_headers_to_add, response_headers_to_add;
	conf_strings request_headers_to_remove, response_headers_to_remove;
	uint32_t per_request_buffer_limit_bytes;
	uint64_t request_body_buffer_limit;
	bool has_per_request_buffer_limit_bytes, has_request_body_buffer_limit;
	struct str stat_prefix;
	struct conf_metadata *metadata;
};
struct conf_virtual_cluster {
	const struct node *node;
	struct str name;
	CONF_LIST(struct conf_header_matcher) headers;
};
struct conf_virtual_host {
	const struct node *node;
	struct str name;
	conf_strings domains;
	CONF_LIST(struct conf_route) routes;
	int require_tls; /* 0 NONE, 1 EXTERNAL_ONLY, 2 ALL */
	struct map typed_per_filter_config;
	conf_header_options request_headers_to_add, response_headers_to_add;
	conf_strings request_headers_to_remove, response_headers_to_remove;
	conf_rate_limits rate_limits;
	CONF_LIST(struct conf_virtual_cluster) virtual_clusters;
	struct conf_metadata *metadata;
	bool include_request_attempt_count;
	bool include_attempt_count_in_response;
	bool include_is_timeout_retry_header;
	struct conf_retry_policy *retry_policy;
	conf_mirror_policies request_mirror_policies;
	uint32_t per_request_buffer_limit_bytes;
	uint64_t request_body_buffer_limit;
	bool has_per_request_buffer_limit_bytes, has_request_body_buffer_limit;
	const struct node *cors; /* deprecated: CorsPolicy of the cors filter */
};
struct conf_route_config {
	const struct node *node;
	struct str name;
	CONF_LIST(struct conf_virtual_host) virtual_hosts;
	conf_header_options request_headers_to_add, response_headers_to_add;
	conf_strings request_headers_to_remove, response_headers_to_remove;
	bool most_specific_header_mutations_wins;
	bool validate_clusters;
	uint32_t max_direct_response_body_size_bytes; /* 4096 */
	bool ignore_port_in_host_matching;
	conf_strings internal_only_headers;
	bool ignore_path_parameters_in_path_matching;
	struct str vhost_header;
	struct map typed_per_filter_config;
	conf_mirror_policies request_mirror_policies;
};

/* envoy.extensions.filters.network.http_connection_manager.v3 */
struct conf_http_filter {
	const struct node *node;
	struct str name;
	struct any *typed_config;
	bool is_optional;
	bool disabled;
};
enum conf_server_header {
	CONF_OVERWRITE,
	CONF_APPEND_IF_ABSENT,
	CONF_PASS_THROUGH
};
enum conf_escaped_slashes {
	CONF_SLASH_DEFAULT,
	CONF_SLASH_KEEP,
	CONF_SLASH_REJECT,
	CONF_SLASH_REDIRECT,
	CONF_SLASH_FORWARD,
};
struct conf_common_http {
	const struct node *node;
	uint32_t max_headers_count; /* 100 */
	int64_t max_stream_duration;
};
struct conf_internal_address {
	const struct node *node;
	conf_cidr_ranges cidr_ranges;
};
struct conf_client_http1 {
	const struct node *node;
	bool accept_http_10;
	bool allow_custom_methods;
	struct str default_host_for_http_10;
};
struct conf_upgrade {
	const struct node *node;
	struct str upgrade_type;
	bool enabled; /* true */
};
enum conf_client_cert {
	CONF_CERT_SANITIZE,
	CONF_CERT_FORWARD_ONLY,
	CONF_CERT_APPEND_FORWARD,
	CONF_CERT_SANITIZE_SET,
	CONF_CERT_ALWAYS_FORWARD_ONLY,
};
struct conf_client_cert_details {
	const struct node *node;
	bool subject, cert, dns, uri;
};
struct conf_scheme_transformation {
	const struct node *node;
	struct str scheme_to_overwrite;
};
struct conf_request_id_extension {
	const struct node *node;
	struct any *typed_config;
};
struct conf_extension; /* model_forward.h */
struct conf_hcm {
	const struct node *node;
	struct str stat_prefix;
	struct conf_route_config *route_config;
	CONF_LIST(struct conf_http_filter) http_filters;
	struct str server_name; /* "envoy" */
	int server_header_transformation;
	bool use_remote_address;
	uint32_t xff_num_trusted_hops;
	bool skip_xff_append;
	bool generate_request_id; /* true */
	bool preserve_external_request_id;
	bool always_set_request_id_in_response;
	bool normalize_path;
	bool merge_slashes;
	int path_with_escaped_slashes_action;
	bool strip_any_host_port, strip_matching_host_port;
	int64_t stream_idle_timeout; /* 5 min */
	int64_t request_timeout;
	struct conf_common_http *common_http_protocol_options;
	uint32_t max_request_headers_kb; /* 60 */
	struct conf_local_reply *local_reply_config;
	CONF_LIST(struct conf_access_log) access_log;
	struct conf_access_log_options *access_log_options;
	int64_t access_log_flush_interval; /* deprecated, as the next one */
	bool has_access_log_flush_interval;
	bool flush_access_log_on_new_request;
	struct str via;
	bool strip_trailing_host_dot;
	bool add_user_agent;
	bool append_x_forwarded_port;
	struct conf_scheme_transformation *scheme_header_transformation;
	struct conf_internal_address *internal_address_config;
	CONF_LIST(struct conf_extension) original_ip_detection_extensions;
	CONF_LIST(struct conf_extension) early_header_mutation_extensions;
	struct conf_client_http1 *http_protocol_options;
	CONF_LIST(struct conf_upgrade) upgrade_configs;
	int forward_client_cert_details;
	struct conf_client_cert_details *set_current_client_cert_details;
	struct conf_request_id_extension *request_id_extension;
};

/* envoy.config.listener.v3, envoy.config.cluster.v3, bootstrap */
struct conf_network_filter {
	const struct node *node;
	struct str name;
	struct any *typed_config;
	struct conf_hcm *hcm; /* set by the loader from typed_config */
};
struct conf_filter_chain {
	const struct node *node;
	struct str name;
	struct conf_metadata *metadata;
	struct conf_empty *filter_chain_match;
	CONF_LIST(struct conf_network_filter) filters;
	struct conf_transport_socket *transport_socket;
};
struct conf_listener {
	const struct node *node;
	struct conf_metadata *metadata;
	struct str name;
	struct conf_address *address;
	CONF_LIST(struct conf_filter_chain) filter_chains;
	CONF_LIST(struct conf_network_filter) listener_filters;
	struct str stat_prefix;
	uint32_t per_connection_buffer_limit_bytes; /* 1 MiB */
};
struct conf_endpoint {
	const struct node *node;
	struct conf_address *address;
	struct str hostname;
};
struct conf_lb_endpoint {
	const struct node *node;
	struct conf_endpoint *endpoint;
	int health_status; /* 0 UNKNOWN, 1 HEALTHY */
	struct conf_metadata *metadata;
	uint32_t load_balancing_weight; /* 1 */
};
struct conf_locality_endpoints {
	const struct node *node;
	CONF_LIST(struct conf_lb_endpoint) lb_endpoints;
	uint32_t priority;
};
struct conf_load_assignment {
	const struct node *node;
	struct str cluster_name;
	CONF_LIST(struct conf_locality_endpoints) endpoints;
	struct conf_assignment_policy *policy; /* model_forward.h */
};
/* extensions.transport_sockets.tls.v3 */
struct conf_validation_context {
	const struct node *node;
	struct conf_data_source *trusted_ca;
};
struct conf_sds_secret {
	const struct node *node;
	struct str name;
};
struct conf_combined_validation {
	const struct node *node;
	struct conf_validation_context *default_validation_context;
	struct conf_sds_secret *validation_context_sds_secret_config;
};
struct conf_common_tls {
	const struct node *node;
	/* Of the three spellings the loader makes this one. */
	struct conf_validation_context *validation_context;
	struct conf_sds_secret *validation_context_sds_secret_config;
	struct conf_combined_validation *combined_validation_context;
};
struct conf_tls_certificate {
	const struct node *node;
	struct conf_data_source *certificate_chain, *private_key;
	const struct node *pkcs12, *private_key_provider, *unread;
	CONF_LIST(const struct node *) unread_list;
};
struct conf_generic_secret {
	const struct node *node;
	struct conf_data_source *secret;
	struct map secrets; /* values: struct conf_data_source * */
};
struct conf_secret {
	const struct node *node;
	struct str name;
	struct conf_tls_certificate *tls_certificate;
	const struct node *session_ticket_keys;
	struct conf_validation_context *validation_context;
	struct conf_generic_secret *generic_secret;
};
/* What is checked of TLS to clients, which is the web server's. */
struct conf_server_common_tls {
	const struct node *node;
	CONF_LIST(struct conf_tls_certificate) tls_certificates;
	CONF_LIST(struct conf_sds_secret) tls_certificate_sds_secret_configs;
	struct conf_sds_secret *validation_context_sds_secret_config;
	const struct node *unread;
	CONF_LIST(const struct node *) unread_list;
};
struct conf_downstream_tls {
	const struct node *node;
	struct conf_server_common_tls *common_tls_context;
	const struct node *unread;
};
struct conf_upstream_tls {
	const struct node *node;
	struct str sni;
	bool auto_sni_san_validation; /* the certificate must name sni */
	struct conf_common_tls *common_tls_context;
};
struct conf_transport_socket {
	const struct node *node;
	struct str name;
	struct any *typed_config;
	struct conf_upstream_tls *tls; /* set by the loader */
};
enum conf_cluster_type { CONF_STATIC, CONF_STRICT_DNS, CONF_LOGICAL_DNS };
enum conf_lb_policy {
	CONF_ROUND_ROBIN,
	CONF_LEAST_REQUEST,
	CONF_RING_HASH,
	CONF_RANDOM,
	CONF_MAGLEV = 5,
	CONF_LB_CONFIG = 7 /* load_balancing_policy says it */
};
struct conf_cluster {
	const struct node *node;
	struct conf_metadata *metadata;
	struct str name;
	int type;
	int64_t connect_timeout; /* 5 s */
	int lb_policy;
	struct conf_load_assignment *load_assignment;
	struct conf_transport_socket *transport_socket;
	struct str alt_stat_name;
	uint32_t max_requests_per_connection;
	/* model_forward.h has these. */
	struct conf_circuit_breakers *circuit_breakers;
	struct conf_common_protocol *common_http_protocol_options;
	struct conf_empty *http_protocol_options;
	struct map typed_extension_protocol_options; /* struct any * */
	struct conf_ring_hash *ring_hash_lb_config;
	struct conf_maglev *maglev_lb_config;
	struct conf_least_request *least_request_lb_config;
	struct conf_empty *round_robin_lb_config;
	struct conf_common_lb *common_lb_config;
	struct conf_load_balancing *load_balancing_policy;
};
struct conf_static_resources {
	const struct node *node;
	CONF_LIST(struct conf_listener) listeners;
	CONF_LIST(struct conf_cluster) clusters;
	CONF_LIST(struct conf_secret) secrets;
};
struct conf_admin {
	const struct node *node;
	struct conf_address *address;
};
struct conf_node_id {
	const struct node *node;
	struct str id, cluster;
};
struct conf_bootstrap {
	const struct node *node;
	struct conf_static_resources *static_resources;
	struct conf_admin *admin;
	struct conf_node_id *node_id; /* field "node" */
	struct conf_layered_runtime *layered_runtime; /* runtime.h */
};

/* envoy.extensions.dynamic_modules.v3 / filters.http.dynamic_modules.v3 */
struct conf_dynamic_module {
	const struct node *node;
	struct str name;
	bool do_not_close, load_globally;
	struct str metrics_namespace;
};
struct conf_module_filter {
	const struct node *node;
	struct conf_dynamic_module *dynamic_module_config;
	struct str filter_name;
	struct any
	    *filter_config; /* Struct: its node is the map under "value" */
};

struct conf_module_filter_per_route {
	const struct node *node;
	struct conf_dynamic_module *dynamic_module_config;
	struct str
	    filter_name; /* or by its older name, per_route_config_name */
	struct any *filter_config;
};

/* Tables other folders decode with. */
extern const struct schema_message conf_bootstrap_message;
extern const struct schema_message conf_hcm_message;
extern const struct schema_message conf_file_access_log_message;
extern const struct schema_message conf_stream_access_log_message;
extern const struct schema_message conf_module_filter_message;
extern const struct schema_message conf_module_filter_per_route_message;
extern const struct schema_message conf_route_match_message;
extern const struct schema_message conf_header_option_message;
extern const struct schema_message conf_data_source_message;
extern const struct schema_message conf_string_matcher_message;
extern const struct schema_message conf_regex_rewrite_message;
extern const struct schema_message conf_runtime_fraction_message;
extern const struct schema_message conf_runtime_double_message;
extern const struct schema_message conf_http_status_message;
extern const struct schema_message conf_cidr_range_message;

#endif
