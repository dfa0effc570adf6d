/*
 * How a cluster speaks HTTP: HttpProtocolOptions, in the extension of today
 * and in the fields of Cluster that came before it.
 */
#include "config.h"

#include "config/messages.h"
#include "config/model_forward.h"

#define UNBUILT     "it is not built in"
#define CONNECTIONS "connections to backends are managed by the gateway"

static const struct schema_choice underscores_choices[] = {
	{ .name = "ALLOW", .value = 0 },
	{ .name = "REJECT_REQUEST", .value = 1 },
	{ .name = "DROP_HEADER", .value = 2 },
	{ .name = NULL },
};

static const struct schema_field common_fields[] = {
	{ FIELD(SCHEMA_DURATION, conf_common_protocol, idle_timeout),
	    .fallback = "3600s",
	    .text = "How long a connection waits for a request; 0: ever." },
	{ FIELD(SCHEMA_DURATION, conf_common_protocol, max_connection_duration),
	    .text = "How old a connection may become; 0: any age." },
	REFUSED("max_connection_duration_jitter", UNBUILT),
	{ FIELD(SCHEMA_U32, conf_common_protocol, max_headers_count), .min = 1,
	    .max = UINT_MAX, .fallback = "100",
	    .text = "Headers a response may have." },
	{ FIELD(SCHEMA_U32, conf_common_protocol, max_response_headers_kb),
	    .min = 1, .max = 8192, .fallback = "80",
	    .text = "KiB of headers a response may have." },
	{ FIELD(SCHEMA_DURATION, conf_common_protocol, max_stream_duration),
	    .text = "Longest time of a request and its answer; 0: none." },
	{ .name = "headers_with_underscores_action",
	    .type = SCHEMA_ENUM,
	    .stance = SCHEMA_DELEGATED,
	    .choices = underscores_choices,
	    .text = "it is for requests of clients" },
	{ FIELD(SCHEMA_U32, conf_common_protocol, max_requests_per_connection),
	    .text = "Requests a connection serves; 0: any number." },
	{ .name = NULL },
};

const struct schema_message conf_common_protocol_message = {
	.name = "envoy.config.core.v3.HttpProtocolOptions",
	.size = sizeof(struct conf_common_protocol),
	.fields = common_fields,
};

static const struct schema_field http1_fields[] = {
	DELEGATED("allow_absolute_url", "it is for requests of clients"),
	DELEGATED_SCALAR("accept_http_10", "it is for requests of clients"),
	DELEGATED_SCALAR(
	    "default_host_for_http_10", "it is for requests of clients"),
	REFUSED("header_key_format", "names of headers are in lower case"),
	REFUSED_SCALAR("enable_trailers", "trailers do not come through"),
	REFUSED_SCALAR(
	    "allow_chunked_length", "both are never taken from a backend"),
	DELEGATED("override_stream_error_on_invalid_http_message",
	    "it is for requests of clients"),
	REFUSED_SCALAR(
	    "send_fully_qualified_url", "the target is a path always"),
	DELEGATED("use_balsa_parser", CONNECTIONS),
	DELEGATED_SCALAR(
	    "allow_custom_methods", "it is for requests of clients"),
	DELEGATED("ignore_http_11_upgrade", "there are no upgrades"),
	{ .name = NULL },
};

const struct schema_message conf_http1_message = {
	.name = "envoy.config.core.v3.Http1ProtocolOptions",
	.size = sizeof(struct conf_empty),
	.fields = http1_fields,
};

#define HTTP1(group)                                                           \
	{                                                                      \
		FIELD(SCHEMA_MESSAGE, conf_http_versions,                      \
		    http_protocol_options),                                    \
		    .message = &conf_http1_message, .oneof = group,            \
		    .text = "HTTP/1.1."                                        \
	}
#define SPEAKS_HTTP1 "HTTP/1.1 is spoken to backends"
#define HTTP3        REFUSED("http3_protocol_options", "HTTP/3 is not spoken")

static const struct schema_field explicit_fields[] = {
	HTTP1("protocol_config"),
	REFUSED("http2_protocol_options", CONF_NO_HTTP2),
	HTTP3,
	{ .name = NULL },
};

static const struct schema_message explicit_message = {
	.name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions."
		"ExplicitHttpConfig",
	.size = sizeof(struct conf_http_versions),
	.fields = explicit_fields,
	.required_oneof = "protocol_config",
};

static const struct schema_field downstream_fields[] = {
	HTTP1(NULL),
	DELEGATED("http2_protocol_options", SPEAKS_HTTP1),
	HTTP3,
	{ .name = NULL },
};

static const struct schema_message downstream_message = {
	.name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions."
		"UseDownstreamHttpConfig",
	.size = sizeof(struct conf_http_versions),
	.fields = downstream_fields,
};

static const struct schema_field auto_fields[] = {
	HTTP1(NULL),
	DELEGATED("http2_protocol_options", SPEAKS_HTTP1),
	HTTP3,
	REFUSED("alternate_protocols_cache_options", "HTTP/3 is not spoken"),
	{ .name = NULL },
};

static const struct schema_message auto_message = {
	.name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions."
		"AutoHttpConfig",
	.size = sizeof(struct conf_http_versions),
	.fields = auto_fields,
};

static const struct schema_field upstream_http_fields[] = {
	REFUSED_SCALAR("auto_sni", "write the name in sni"),
	REFUSED_SCALAR("auto_san_validation", "write the name in sni"),
	REFUSED_SCALAR("override_auto_sni_header", "write the name in sni"),
	{ .name = NULL },
};

static const struct schema_message upstream_http_message = {
	.name = "envoy.config.core.v3.UpstreamHttpProtocolOptions",
	.size = sizeof(struct conf_upstream_http),
	.fields = upstream_http_fields,
};

static const struct schema_field protocol_options_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_protocol_options,
	      common_http_protocol_options),
	    .message = &conf_common_protocol_message,
	    .text = "What holds for all versions of HTTP." },
	{ FIELD(SCHEMA_MESSAGE, conf_protocol_options,
	      upstream_http_protocol_options),
	    .message = &upstream_http_message, .text = "TLS by the host." },
	{ FIELD(SCHEMA_MESSAGE, conf_protocol_options, explicit_http_config),
	    .message = &explicit_message, .oneof = "upstream_protocol_options",
	    .text = "One version of HTTP." },
	{ FIELD(SCHEMA_MESSAGE, conf_protocol_options,
	      use_downstream_protocol_config),
	    .message = &downstream_message,
	    .oneof = "upstream_protocol_options",
	    .text = "The client's version of HTTP; here HTTP/1.1." },
	{ FIELD(SCHEMA_MESSAGE, conf_protocol_options, auto_config),
	    .message = &auto_message, .oneof = "upstream_protocol_options",
	    .text = "What the TLS handshake says; here HTTP/1.1." },
	REFUSED("http_filters",
	    "filters stand in http_filters of the connection manager"),
	REFUSED("header_validation_config", UNBUILT),
	REFUSED("outlier_detection", UNBUILT),
	REFUSED("request_mirror_policies", "mirror on the route"),
	REFUSED("hash_policy", "hash on the route"),
	REFUSED("retry_policy", "retry on the route"),
	{ .name = NULL },
};

const struct schema_message conf_protocol_options_message = {
	.name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
	.size = sizeof(struct conf_protocol_options),
	.fields = protocol_options_fields,
	.required_oneof = "upstream_protocol_options",
};
