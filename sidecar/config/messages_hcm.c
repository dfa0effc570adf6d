/* HttpConnectionManager: what holds for every request of the listener. */
#include "config.h"

#include "config/messages.h"

#define CLIENTS_SIDE "the web server owns the connections to clients"
#define UNBUILT      "it is not built in"

static const struct schema_choice underscores_choices[] = {
	{ .name = "ALLOW", .value = 0 },
	{ .name = "REJECT_REQUEST", .value = 1 },
	{ .name = "DROP_HEADER", .value = 2 },
	{ .name = NULL },
};

static const struct schema_field common_http_fields[] = {
	{ FIELD(SCHEMA_U32, conf_common_http, max_headers_count), .min = 1,
	    .max = UINT_MAX, .fallback = "100",
	    .text = "Headers a request may have." },
	{ FIELD(SCHEMA_DURATION, conf_common_http, max_stream_duration),
	    .text = "Longest time from request to end of response; 0: none." },
	DELEGATED("idle_timeout", CLIENTS_SIDE),
	DELEGATED("max_connection_duration", CLIENTS_SIDE),
	DELEGATED("max_connection_duration_jitter", CLIENTS_SIDE),
	DELEGATED("max_response_headers_kb",
	    "response headers have a limit of their own"),
	{ .name = "headers_with_underscores_action",
	    .type = SCHEMA_ENUM,
	    .stance = SCHEMA_REFUSED,
	    .choices = underscores_choices,
	    .text = "behind FastCGI - and _ look the same" },
	DELEGATED("max_requests_per_connection", CLIENTS_SIDE),
	{ .name = NULL },
};

static const struct schema_message common_http_message = {
	.name = "envoy.config.core.v3.HttpProtocolOptions",
	.size = sizeof(struct conf_common_http),
	.fields = common_http_fields,
};

static const struct schema_field http_filter_fields[] = {
	{ FIELD(SCHEMA_STR, conf_http_filter, name), .min_items = 1,
	    .required = true,
	    .text = "Name by which typed_per_filter_config refers to it." },
	{ FIELD(SCHEMA_ANY, conf_http_filter, typed_config),
	    .oneof = "config_type", .text = "Its configuration." },
	REFUSED("config_discovery", "configuration comes from files only"),
	{ FIELD(SCHEMA_BOOL, conf_http_filter, is_optional),
	    .text = "Leave the filter out if it is not known." },
	{ FIELD(SCHEMA_BOOL, conf_http_filter, disabled),
	    .text = "Off unless a route has configuration for it." },
	{ .name = NULL },
};

static void
check_http_filter(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_http_filter *filter = decoded;

	if (!filter->typed_config && filter->name.ptr && !filter->is_optional)
		diag_error(diag, filter->node->place, path,
		    "Didn't find a registered implementation for '" STR_FMT
		    "' with type URL: ''",
		    STR_ARG(filter->name));
}

static const struct schema_message http_filter_message = {
	.name = "envoy.extensions.filters.network.http_connection_manager.v3."
		"HttpFilter",
	.size = sizeof(struct conf_http_filter),
	.fields = http_filter_fields,
	.check = check_http_filter,
};

static const struct schema_choice server_header_choices[] = {
	{ .name = "OVERWRITE", .value = CONF_OVERWRITE },
	{ .name = "APPEND_IF_ABSENT", .value = CONF_APPEND_IF_ABSENT },
	{ .name = "PASS_THROUGH", .value = CONF_PASS_THROUGH },
	{ .name = NULL },
};

static const struct schema_choice slashes_choices[] = {
	{ .name = "IMPLEMENTATION_SPECIFIC_DEFAULT",
	    .value = CONF_SLASH_DEFAULT },
	{ .name = "KEEP_UNCHANGED", .value = CONF_SLASH_KEEP },
	{ .name = "REJECT_REQUEST", .value = CONF_SLASH_REJECT },
	{ .name = "UNESCAPE_AND_REDIRECT", .value = CONF_SLASH_REDIRECT },
	{ .name = "UNESCAPE_AND_FORWARD", .value = CONF_SLASH_FORWARD },
	{ .name = NULL },
};

static const struct schema_choice client_cert_choices[] = {
	{ .name = "SANITIZE", .value = CONF_CERT_SANITIZE },
	{ .name = "FORWARD_ONLY", .value = CONF_CERT_FORWARD_ONLY },
	{ .name = "APPEND_FORWARD", .value = CONF_CERT_APPEND_FORWARD },
	{ .name = "SANITIZE_SET", .value = CONF_CERT_SANITIZE_SET },
	{ .name = "ALWAYS_FORWARD_ONLY",
	    .value = CONF_CERT_ALWAYS_FORWARD_ONLY },
	{ .name = NULL },
};

static const struct schema_field hcm_fields[] = {
	{ FIELD(SCHEMA_STR, conf_hcm, stat_prefix), .min_items = 1,
	    .required = true, .text = "Begins the names of its statistics." },
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, route_config),
	    .message = &conf_route_config_message, .oneof = "route_specifier",
	    .text = "The routes." },
	REFUSED("rds", "routes stand in route_config"),
	REFUSED("scoped_routes", "routes stand in route_config"),
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, http_filters), .label = SCHEMA_LIST,
	    .message = &http_filter_message,
	    .text = "Filters in the order of requests; the router is last." },
	{ FIELD(SCHEMA_STR, conf_hcm, server_name), .fallback = "envoy",
	    .text = "Value of the server header." },
	{ FIELD(SCHEMA_ENUM, conf_hcm, server_header_transformation),
	    .choices = server_header_choices,
	    .text = "What happens to a backend's server header." },
	{ FIELD(SCHEMA_BOOL, conf_hcm, use_remote_address),
	    .text = "The peer is the client, x-forwarded-for is not trusted." },
	{ FIELD(SCHEMA_U32, conf_hcm, xff_num_trusted_hops),
	    .text = "Proxies in front whose x-forwarded-for is trusted." },
	{ FIELD(SCHEMA_BOOL, conf_hcm, skip_xff_append),
	    .text = "Leave x-forwarded-for alone." },
	{ FIELD(SCHEMA_BOOL, conf_hcm, generate_request_id), .fallback = "true",
	    .text = "Give requests an x-request-id." },
	{ FIELD(SCHEMA_BOOL, conf_hcm, preserve_external_request_id),
	    .text = "Keep the x-request-id that a client sends." },
	{ FIELD(SCHEMA_BOOL, conf_hcm, always_set_request_id_in_response),
	    .text = "Send x-request-id with every response." },
	{ FIELD(SCHEMA_BOOL, conf_hcm, normalize_path),
	    .text = "Resolve . and .. and needless escapes first of all." },
	{ FIELD(SCHEMA_BOOL, conf_hcm, merge_slashes),
	    .text = "Make one slash of several." },
	{ FIELD(SCHEMA_ENUM, conf_hcm, path_with_escaped_slashes_action),
	    .choices = slashes_choices,
	    .text = "What happens to %2F and %5C in a path." },
	{ FIELD(SCHEMA_BOOL, conf_hcm, strip_any_host_port),
	    .oneof = "strip_port_mode", .text = "Cut the port off the host." },
	{ FIELD(SCHEMA_BOOL, conf_hcm, strip_matching_host_port),
	    .text = "Cut the listener's own port off the host." },
	{ FIELD(SCHEMA_DURATION, conf_hcm, stream_idle_timeout),
	    .fallback = "300s",
	    .text = "Longest time without a byte either way; 0: none." },
	{ FIELD(SCHEMA_DURATION, conf_hcm, request_timeout),
	    .text = "Longest time for a request to arrive; 0: none." },
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, common_http_protocol_options),
	    .message = &common_http_message, .text = "Limits." },
	{ FIELD(SCHEMA_U32, conf_hcm, max_request_headers_kb), .min = 1,
	    .max = 8192, .fallback = "60",
	    .text = "KiB of headers a request may have." },
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, local_reply_config),
	    .message = &conf_local_reply_message,
	    .text = "Shape of the gateway's own replies." },
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, access_log), .label = SCHEMA_LIST,
	    .message = &conf_access_log_message, .text = "Access logs." },
	{ FIELD(SCHEMA_STR, conf_hcm, via),
	    .text = "Appended to the via header both ways." },
	DELEGATED("codec_type", CLIENTS_SIDE),
	{ FIELD(SCHEMA_BOOL, conf_hcm, add_user_agent),
	    .text = "Say which service and node the request comes from." },
	REFUSED("tracing", "there is no tracing"),
	DELEGATED_SCALAR("http1_safe_max_connection_duration", CLIENTS_SIDE),
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, http_protocol_options),
	    .message = &conf_client_http1_message,
	    .text = "What of HTTP/1 is spoken with clients." },
	DELEGATED("http2_protocol_options", CLIENTS_SIDE),
	DELEGATED("http3_protocol_options", CLIENTS_SIDE),
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, scheme_header_transformation),
	    .message = &conf_scheme_transformation_message,
	    .text = "The scheme, whatever the client's is." },
	DELEGATED("stream_flush_timeout", CLIENTS_SIDE),
	DELEGATED("request_headers_timeout", CLIENTS_SIDE),
	DELEGATED("drain_timeout", CLIENTS_SIDE),
	DELEGATED("drain_timeout_jitter", CLIENTS_SIDE),
	DELEGATED("delayed_close_timeout", CLIENTS_SIDE),
	{ FIELD_HAS(SCHEMA_DURATION, conf_hcm, access_log_flush_interval),
	    .min = 0.001, .max = 1e9,
	    .text = "Deprecated: access_log_options." },
	{ FIELD(SCHEMA_BOOL, conf_hcm, flush_access_log_on_new_request),
	    .text = "Deprecated: access_log_options." },
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, access_log_options),
	    .message = &conf_access_log_options_message,
	    .text = "When lines are written besides the request's end." },
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, original_ip_detection_extensions),
	    .label = SCHEMA_LIST, .message = &conf_extension_message,
	    .text = "Where the client's address is found, in this order." },
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, early_header_mutation_extensions),
	    .label = SCHEMA_LIST, .message = &conf_extension_message,
	    .text = "Changes to requests before a route is chosen." },
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, internal_address_config),
	    .message = &conf_internal_address_message,
	    .text = "Which clients are internal." },
	{ FIELD(SCHEMA_ENUM, conf_hcm, forward_client_cert_details),
	    .choices = client_cert_choices,
	    .text = "What becomes of x-forwarded-client-cert; the web server "
		    "tells of certificates by SSL_CLIENT_VERIFY and "
		    "SSL_CLIENT_CERT." },
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, set_current_client_cert_details),
	    .message = &conf_client_cert_details_message,
	    .text = "What x-forwarded-client-cert says of a certificate." },
	REFUSED("forward_client_cert_matcher",
	    "client certificates are not forwarded"),
	DELEGATED_SCALAR("proxy_100_continue", CLIENTS_SIDE),
	DELEGATED_SCALAR(
	    "represent_ipv4_remote_address_as_ipv4_mapped_ipv6", CLIENTS_SIDE),
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, upgrade_configs),
	    .label = SCHEMA_LIST, .message = &conf_upgrade_message,
	    .text = "Upgrades that are not to be: all of them." },
	{ FIELD(SCHEMA_MESSAGE, conf_hcm, request_id_extension),
	    .message = &conf_request_id_extension_message,
	    .text = "How request ids are made: as UUIDs." },
	DELEGATED_SCALAR("stream_error_on_invalid_http_message", CLIENTS_SIDE),
	REFUSED("path_normalization_options", "use normalize_path"),
	{ FIELD(SCHEMA_BOOL, conf_hcm, strip_trailing_host_dot),
	    .text = "Cut a dot at the end off the host." },
	REFUSED("proxy_status_config", UNBUILT),
	REFUSED("typed_header_validation_config", UNBUILT),
	{ FIELD(SCHEMA_BOOL, conf_hcm, append_x_forwarded_port),
	    .text = "Tell backends the port in x-forwarded-port." },
	DELEGATED_SCALAR(
	    "append_local_overload", "there is no overload manager"),
	DELEGATED_SCALAR("add_proxy_protocol_connection_state", CLIENTS_SIDE),
	REFUSED("forward_proto_config", UNBUILT),
	DELEGATED_SCALAR(
	    "record_route_resolution_stats", "these statistics are not kept"),
	{ .name = NULL },
};

static void
check_hcm(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_hcm *hcm = decoded;

	if (hcm->strip_any_host_port && hcm->strip_matching_host_port)
		diag_error(diag, hcm->node->place, path,
		    "Error: Only one of `strip_matching_host_port` or "
		    "`strip_any_host_port` can be set.");
	if (!hcm->original_ip_detection_extensions.n)
		return;
	if (hcm->use_remote_address)
		diag_error(diag, hcm->node->place, path,
		    "Original IP detection extensions and use_remote_address "
		    "may not be mixed");
	if (hcm->xff_num_trusted_hops)
		diag_error(diag, hcm->node->place, path,
		    "Original IP detection extensions and "
		    "xff_num_trusted_hops may not be mixed");
}

const struct schema_message conf_hcm_message = {
	.name = "envoy.extensions.filters.network.http_connection_manager.v3."
		"HttpConnectionManager",
	.size = sizeof(struct conf_hcm),
	.fields = hcm_fields,
	.required_oneof = "route_specifier",
	.check = check_hcm,
};
