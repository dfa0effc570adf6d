/* Bootstrap and listener, and the filters that are dynamic modules. */
#include "config.h"

#include "config/messages.h"
#include "config/runtime.h"

#define CLIENTS_SIDE  "the web server owns the connections to clients"
#define FILES_ONLY    "configuration comes from files only"
#define NO_STATISTICS "these statistics are not kept"
#define RESOLVER      "the system's resolver answers"
#define UNBUILT       "it is not built in"
#define UNREAD        "nothing reads it"

static const struct schema_field network_filter_fields[] = {
	{ FIELD(SCHEMA_STR, conf_network_filter, name), .min_items = 1,
	    .required = true, .text = "Free text." },
	{ FIELD(SCHEMA_ANY, conf_network_filter, typed_config),
	    .required = true, .oneof = "config_type",
	    .text = "Its configuration." },
	REFUSED("config_discovery", FILES_ONLY),
	{ .name = NULL },
};

static const struct schema_message network_filter_message = {
	.name = "envoy.config.listener.v3.Filter",
	.size = sizeof(struct conf_network_filter),
	.fields = network_filter_fields,
};

static const struct schema_field listener_filter_fields[] = {
	{ FIELD(SCHEMA_STR, conf_network_filter, name), .min_items = 1,
	    .required = true, .text = "Free text." },
	{ FIELD(SCHEMA_ANY, conf_network_filter, typed_config),
	    .oneof = "config_type", .text = "Its configuration." },
	REFUSED("config_discovery", FILES_ONLY),
	DELEGATED("filter_disabled", CLIENTS_SIDE),
	{ .name = NULL },
};

static const struct schema_message listener_filter_message = {
	.name = "envoy.config.listener.v3.ListenerFilter",
	.size = sizeof(struct conf_network_filter),
	.fields = listener_filter_fields,
};

static const struct schema_field chain_match_fields[] = {
	DELEGATED("destination_port", CLIENTS_SIDE),
	REFUSED("prefix_ranges", "all requests take the one filter chain"),
	REFUSED("address_suffix", "all requests take the one filter chain"),
	REFUSED("suffix_len", "all requests take the one filter chain"),
	REFUSED("direct_source_prefix_ranges",
	    "all requests take the one filter chain"),
	REFUSED("source_type", "all requests take the one filter chain"),
	REFUSED(
	    "source_prefix_ranges", "all requests take the one filter chain"),
	REFUSED("source_ports", "all requests take the one filter chain"),
	DELEGATED("server_names", CLIENTS_SIDE),
	DELEGATED("transport_protocol", CLIENTS_SIDE),
	REFUSED(
	    "application_protocols", "all requests take the one filter chain"),
	{ .name = NULL },
};

static const struct schema_message chain_match_message = {
	.name = "envoy.config.listener.v3.FilterChainMatch",
	.size = sizeof(struct conf_empty),
	.fields = chain_match_fields,
};

static const struct schema_field filter_chain_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_filter_chain, filter_chain_match),
	    .message = &chain_match_message,
	    .text = "Connections that take the chain; the web server's." },
	{ FIELD(SCHEMA_MESSAGE, conf_filter_chain, filters),
	    .label = SCHEMA_LIST, .message = &network_filter_message,
	    .min_items = 1, .required = true,
	    .text = "One HttpConnectionManager." },
	REFUSED_SCALAR("use_proxy_proto", CLIENTS_SIDE),
	{ FIELD(SCHEMA_MESSAGE, conf_filter_chain, metadata),
	    .message = &conf_metadata_message,
	    .text = "For log formats and filters." },
	{ FIELD(SCHEMA_MESSAGE, conf_filter_chain, transport_socket),
	    .message = &conf_transport_socket_message,
	    .text = "TLS to clients; the web server's." },
	DELEGATED("transport_socket_connect_timeout", CLIENTS_SIDE),
	{ FIELD(SCHEMA_STR, conf_filter_chain, name),
	    .text = "For log formats." },
	{ .name = NULL },
};

static const struct schema_message filter_chain_message = {
	.name = "envoy.config.listener.v3.FilterChain",
	.size = sizeof(struct conf_filter_chain),
	.fields = filter_chain_fields,
};

static const struct schema_field listener_fields[] = {
	{ FIELD(SCHEMA_STR, conf_listener, name),
	    .text = "For log and statistics." },
	{ FIELD(SCHEMA_MESSAGE, conf_listener, address),
	    .message = &conf_address_message, .required = true,
	    .text = "Where the web server's requests arrive." },
	REFUSED("additional_addresses", "a listener has one address"),
	{ FIELD(SCHEMA_STR, conf_listener, stat_prefix),
	    .text = "Begins the names of its statistics." },
	DELEGATED("stats_matcher", NO_STATISTICS),
	{ FIELD(SCHEMA_MESSAGE, conf_listener, filter_chains),
	    .label = SCHEMA_LIST, .message = &filter_chain_message,
	    .text = "One filter chain." },
	REFUSED("fcds_config", FILES_ONLY),
	REFUSED(
	    "filter_chain_matcher", "all requests take the one filter chain"),
	REFUSED_SCALAR("use_original_dst",
	    "there is no original destination behind a web server"),
	REFUSED("default_filter_chain", "put it into filter_chains"),
	{ FIELD(SCHEMA_U32, conf_listener, per_connection_buffer_limit_bytes),
	    .fallback = "1048576",
	    .text = "Bytes of a body kept for another try." },
	DELEGATED("per_connection_buffer_high_watermark_timeout", CLIENTS_SIDE),
	{ FIELD(SCHEMA_MESSAGE, conf_listener, metadata),
	    .message = &conf_metadata_message,
	    .text = "For log formats and filters." },
	REFUSED("deprecated_v1", UNBUILT),
	DELEGATED("drain_type", CLIENTS_SIDE),
	{ FIELD(SCHEMA_MESSAGE, conf_listener, listener_filters),
	    .label = SCHEMA_LIST, .message = &listener_filter_message,
	    .text = "The web server's." },
	DELEGATED("listener_filters_timeout", CLIENTS_SIDE),
	DELEGATED_SCALAR("continue_on_listener_filters_timeout", CLIENTS_SIDE),
	DELEGATED_SCALAR("transparent", CLIENTS_SIDE),
	DELEGATED_SCALAR("freebind", CLIENTS_SIDE),
	DELEGATED("socket_options", CLIENTS_SIDE),
	DELEGATED("tcp_fast_open_queue_length", CLIENTS_SIDE),
	DELEGATED("traffic_direction", NO_STATISTICS),
	REFUSED("udp_listener_config", "only TCP is spoken"),
	REFUSED("api_listener", UNBUILT),
	DELEGATED("connection_balance_config", CLIENTS_SIDE),
	DELEGATED_SCALAR("reuse_port", CLIENTS_SIDE),
	DELEGATED("enable_reuse_port", CLIENTS_SIDE),
	DELEGATED("access_log", "the web server logs connections"),
	DELEGATED("tcp_backlog_size", CLIENTS_SIDE),
	DELEGATED("max_connections_to_accept_per_socket_event", CLIENTS_SIDE),
	DELEGATED("bind_to_port", "the socket is always opened"),
	REFUSED("internal_listener", "there are no internal listeners"),
	DELEGATED_SCALAR("enable_mptcp", CLIENTS_SIDE),
	DELEGATED_SCALAR("ignore_global_conn_limit", CLIENTS_SIDE),
	DELEGATED_SCALAR(
	    "bypass_overload_manager", "there is no overload manager"),
	DELEGATED("tcp_keepalive", CLIENTS_SIDE),
	{ .name = NULL },
};

static const struct schema_message listener_message = {
	.name = "envoy.config.listener.v3.Listener",
	.size = sizeof(struct conf_listener),
	.fields = listener_fields,
};

static const struct schema_field static_resources_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_static_resources, listeners),
	    .label = SCHEMA_LIST, .message = &listener_message,
	    .text = "One listener." },
	{ FIELD(SCHEMA_MESSAGE, conf_static_resources, clusters),
	    .label = SCHEMA_LIST, .message = &conf_cluster_message,
	    .text = "The clusters of all routes." },
	{ FIELD(SCHEMA_MESSAGE, conf_static_resources, secrets),
	    .label = SCHEMA_LIST, .message = &conf_secret_message,
	    .text = "Secrets that others refer to by name." },
	{ .name = NULL },
};

static const struct schema_message static_resources_message = {
	.name = "envoy.config.bootstrap.v3.Bootstrap.StaticResources",
	.size = sizeof(struct conf_static_resources),
	.fields = static_resources_fields,
};

static const struct schema_field admin_fields[] = {
	DELEGATED("access_log", "admin requests are not logged"),
	DELEGATED_SCALAR("access_log_path", "admin requests are not logged"),
	DELEGATED_SCALAR("profile_path", UNBUILT),
	{ FIELD(SCHEMA_MESSAGE, conf_admin, address),
	    .message = &conf_address_message,
	    .text = "Where the admin listener is." },
	DELEGATED("socket_options", UNBUILT),
	DELEGATED_SCALAR("ignore_global_conn_limit", UNBUILT),
	REFUSED("allow_paths", UNBUILT),
	{ .name = NULL },
};

static const struct schema_message admin_message = {
	.name = "envoy.config.bootstrap.v3.Admin",
	.size = sizeof(struct conf_admin),
	.fields = admin_fields,
};

static const struct schema_field node_fields[] = {
	{ FIELD(SCHEMA_STR, conf_node_id, id), .text = "Name of this node." },
	{ FIELD(SCHEMA_STR, conf_node_id, cluster),
	    .text = "Name of the service that this gateway is." },
	DELEGATED("metadata", UNREAD),
	DELEGATED("dynamic_parameters", UNREAD),
	DELEGATED("locality", UNREAD),
	DELEGATED_SCALAR("user_agent_name", UNREAD),
	DELEGATED_SCALAR("user_agent_version", UNREAD),
	DELEGATED("user_agent_build_version", UNREAD),
	DELEGATED("extensions", UNREAD),
	DELEGATED("client_features", UNREAD),
	DELEGATED("listening_addresses", UNREAD),
	{ .name = NULL },
};

static const struct schema_message node_message = {
	.name = "envoy.config.core.v3.Node",
	.size = sizeof(struct conf_node_id),
	.fields = node_fields,
};

static const struct schema_field bootstrap_fields[] = {
	{ .name = "node",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_bootstrap, node_id),
	    .message = &node_message,
	    .text = "Who this gateway is." },
	DELEGATED("node_context_params", FILES_ONLY),
	{ FIELD(SCHEMA_MESSAGE, conf_bootstrap, static_resources),
	    .message = &static_resources_message,
	    .text = "Listener and clusters." },
	REFUSED("dynamic_resources", FILES_ONLY),
	DELEGATED("cluster_manager", UNBUILT),
	REFUSED("hds_config", FILES_ONLY),
	DELEGATED_SCALAR("flags_path", UNREAD),
	REFUSED("stats_sinks", "statistics are read from the admin listener"),
	DELEGATED("deferred_stat_options", NO_STATISTICS),
	DELEGATED("stats_config", "the names of statistics are fixed"),
	DELEGATED("stats_flush_interval", "there are no sinks of statistics"),
	DELEGATED_SCALAR(
	    "stats_flush_on_admin", "there are no sinks of statistics"),
	DELEGATED("stats_eviction_interval", NO_STATISTICS),
	DELEGATED("watchdog", "the service manager watches the process"),
	DELEGATED("watchdogs", "the service manager watches the process"),
	REFUSED("tracing", "there is no tracing"),
	{ FIELD(SCHEMA_MESSAGE, conf_bootstrap, layered_runtime),
	    .message = &conf_layered_runtime_message,
	    .text = "Keys that override values of the configuration." },
	{ FIELD(SCHEMA_MESSAGE, conf_bootstrap, admin),
	    .message = &admin_message, .text = "The admin listener." },
	DELEGATED("overload_manager", "there is no overload manager"),
	DELEGATED_SCALAR("enable_dispatcher_stats", NO_STATISTICS),
	REFUSED_SCALAR("header_prefix", "headers begin with x-envoy"),
	DELEGATED("stats_server_version_override", NO_STATISTICS),
	DELEGATED_SCALAR("use_tcp_for_dns_lookups", RESOLVER),
	DELEGATED("dns_resolution_config", RESOLVER),
	DELEGATED("typed_dns_resolver_config", RESOLVER),
	REFUSED("bootstrap_extensions", UNBUILT),
	REFUSED("fatal_actions", UNBUILT),
	REFUSED("config_sources", FILES_ONLY),
	REFUSED("default_config_source", FILES_ONLY),
	REFUSED_SCALAR("default_socket_interface", UNBUILT),
	REFUSED("certificate_provider_instances", UNBUILT),
	DELEGATED("inline_headers", "all headers are found equally fast"),
	DELEGATED_SCALAR("perf_tracing_file_path", UNBUILT),
	DELEGATED("default_regex_engine", "expressions are RE2's anyhow"),
	REFUSED("xds_delegate_extension", FILES_ONLY),
	REFUSED("xds_config_tracker_extension", FILES_ONLY),
	REFUSED("listener_manager", UNBUILT),
	DELEGATED("application_log_config", "the log's format is fixed"),
	DELEGATED("grpc_async_client_manager_config", "there is no gRPC"),
	DELEGATED("memory_allocator_manager", UNBUILT),
	DELEGATED_SCALAR("enable_worker_cpu_affinity", UNBUILT),
	{ .name = NULL },
};

const struct schema_message conf_bootstrap_message = {
	.name = "envoy.config.bootstrap.v3.Bootstrap",
	.size = sizeof(struct conf_bootstrap),
	.fields = bootstrap_fields,
};

static const struct schema_field dynamic_module_fields[] = {
	{ FIELD(SCHEMA_STR, conf_dynamic_module, name), .min_items = 1,
	    .required = true, .text = "Module: sallyport." },
	{ FIELD(SCHEMA_BOOL, conf_dynamic_module, do_not_close),
	    .text = "Keep the module loaded; no effect here." },
	{ FIELD(SCHEMA_BOOL, conf_dynamic_module, load_globally),
	    .text = "Share the module's symbols; no effect here." },
	{ FIELD(SCHEMA_STR, conf_dynamic_module, metrics_namespace),
	    .text = "Begins the names of the module's statistics." },
	REFUSED("module", "modules are named, not fetched"),
	REFUSED_SCALAR("nack_on_cache_miss", "modules are named, not fetched"),
	{ .name = NULL },
};

static const struct schema_message dynamic_module_message = {
	.name = "envoy.extensions.dynamic_modules.v3.DynamicModuleConfig",
	.size = sizeof(struct conf_dynamic_module),
	.fields = dynamic_module_fields,
};

static const struct schema_field module_filter_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_module_filter, dynamic_module_config),
	    .message = &dynamic_module_message, .required = true,
	    .text = "The module." },
	{ FIELD(SCHEMA_STR, conf_module_filter, filter_name), .min_items = 1,
	    .required = true, .text = "Filter of the module." },
	{ FIELD(SCHEMA_ANY, conf_module_filter, filter_config),
	    .text = "Its configuration, a google.protobuf.Struct." },
	REFUSED_SCALAR("terminal_filter", "the router is the last filter"),
	{ .name = NULL },
};

const struct schema_message conf_module_filter_message = {
	.name = "envoy.extensions.filters.http.dynamic_modules.v3."
		"DynamicModuleFilter",
	.size = sizeof(struct conf_module_filter),
	.fields = module_filter_fields,
};

static const struct schema_field module_filter_per_route_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_module_filter_per_route,
	      dynamic_module_config),
	    .message = &dynamic_module_message, .required = true,
	    .text = "The module." },
	{ FIELD(SCHEMA_STR, conf_module_filter_per_route, filter_name),
	    .min_items = 1, .oneof = "name", .text = "Filter of the module." },
	{ .name = "per_route_config_name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_module_filter_per_route, filter_name),
	    .min_items = 1,
	    .oneof = "name",
	    .text = "The same; deprecated since Envoy 1.40." },
	{ FIELD(SCHEMA_ANY, conf_module_filter_per_route, filter_config),
	    .text = "Its configuration, a google.protobuf.Struct." },
	{ .name = NULL },
};

const struct schema_message conf_module_filter_per_route_message = {
	.name = "envoy.extensions.filters.http.dynamic_modules.v3."
		"DynamicModuleFilterPerRoute",
	.size = sizeof(struct conf_module_filter_per_route),
	.fields = module_filter_per_route_fields,
	.required_oneof = "name",
};
