/* Access logs and their filters, and the replies that Envoy makes itself. */
#include "config.h"

#include "config/diag.h"
#include "config/messages.h"
#include "config/runtime.h"

static const struct schema_choice comparison_choices[] = {
	{ .name = "EQ", .value = CONF_EQ },
	{ .name = "GE", .value = CONF_GE },
	{ .name = "LE", .value = CONF_LE },
	{ .name = "NE", .value = CONF_NE },
	{ .name = NULL },
};

static const struct schema_field comparison_fields[] = {
	{ FIELD(SCHEMA_ENUM, conf_comparison, op),
	    .choices = comparison_choices, .text = "EQ, GE, LE or NE." },
	{ FIELD(SCHEMA_MESSAGE, conf_comparison, value),
	    .message = &conf_runtime_u32_message, .required = true,
	    .text = "What to compare with." },
	{ .name = NULL },
};

static const struct schema_message comparison_message = {
	.name = "envoy.config.accesslog.v3.ComparisonFilter",
	.size = sizeof(struct conf_comparison),
	.fields = comparison_fields,
};

static const struct schema_field comparison_filter_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_comparison_filter, comparison),
	    .message = &comparison_message, .required = true,
	    .text = "The comparison." },
	{ .name = NULL },
};

static const struct schema_message status_code_filter_message = {
	.name = "envoy.config.accesslog.v3.StatusCodeFilter",
	.size = sizeof(struct conf_comparison_filter),
	.fields = comparison_filter_fields,
};

static const struct schema_message duration_filter_message = {
	.name = "envoy.config.accesslog.v3.DurationFilter",
	.size = sizeof(struct conf_comparison_filter),
	.fields = comparison_filter_fields,
};

static const struct schema_field header_filter_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_header_filter, header),
	    .message = &conf_header_matcher_message, .required = true,
	    .text = "What the request header must match." },
	{ .name = NULL },
};

static const struct schema_message header_filter_message = {
	.name = "envoy.config.accesslog.v3.HeaderFilter",
	.size = sizeof(struct conf_header_filter),
	.fields = header_filter_fields,
};

static const struct schema_field response_flag_fields[] = {
	{ FIELD(SCHEMA_STR, conf_response_flag_filter, flags),
	    .label = SCHEMA_LIST,
	    .text = "Response flags of which one must be set; any if empty." },
	{ .name = NULL },
};

static const struct schema_message response_flag_message = {
	.name = "envoy.config.accesslog.v3.ResponseFlagFilter",
	.size = sizeof(struct conf_response_flag_filter),
	.fields = response_flag_fields,
};

static const struct schema_field log_filters_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_log_filters, filters),
	    .label = SCHEMA_LIST, .message = &conf_log_filter_message,
	    .min_items = 2, .required = true, .text = "The filters." },
	{ .name = NULL },
};

static const struct schema_message and_filter_message = {
	.name = "envoy.config.accesslog.v3.AndFilter",
	.size = sizeof(struct conf_log_filters),
	.fields = log_filters_fields,
};

static const struct schema_message or_filter_message = {
	.name = "envoy.config.accesslog.v3.OrFilter",
	.size = sizeof(struct conf_log_filters),
	.fields = log_filters_fields,
};

static const struct schema_field runtime_filter_fields[] = {
	{ FIELD(SCHEMA_STR, conf_log_runtime_filter, runtime_key),
	    .required = true,
	    .text = "Runtime key that overrides the numerator." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_runtime_filter, percent_sampled),
	    .message = &conf_fractional_percent_message,
	    .text =
		"How much is logged; nothing without it and a runtime value." },
	{ FIELD(
	      SCHEMA_BOOL, conf_log_runtime_filter, use_independent_randomness),
	    .text = "Draw for each line; else the request id decides." },
	{ .name = NULL },
};

static void
check_runtime_filter(struct diag *diag, const char *path, void *decoded)
{
	struct conf_log_runtime_filter *f = decoded;

	(void)path;
	if (f->percent_sampled)
		f->numerator = f->percent_sampled->numerator;
	runtime_u64(diag_runtime(diag), f->runtime_key, &f->numerator);
}

static const struct schema_message runtime_filter_message = {
	.name = "envoy.config.accesslog.v3.RuntimeFilter",
	.size = sizeof(struct conf_log_runtime_filter),
	.fields = runtime_filter_fields,
	.check = check_runtime_filter,
};

static const struct schema_choice grpc_status_choices[] = {
	{ .name = "OK", .value = 0 },
	{ .name = "CANCELED", .value = 1 },
	{ .name = "UNKNOWN", .value = 2 },
	{ .name = "INVALID_ARGUMENT", .value = 3 },
	{ .name = "DEADLINE_EXCEEDED", .value = 4 },
	{ .name = "NOT_FOUND", .value = 5 },
	{ .name = "ALREADY_EXISTS", .value = 6 },
	{ .name = "PERMISSION_DENIED", .value = 7 },
	{ .name = "RESOURCE_EXHAUSTED", .value = 8 },
	{ .name = "FAILED_PRECONDITION", .value = 9 },
	{ .name = "ABORTED", .value = 10 },
	{ .name = "OUT_OF_RANGE", .value = 11 },
	{ .name = "UNIMPLEMENTED", .value = 12 },
	{ .name = "INTERNAL", .value = 13 },
	{ .name = "UNAVAILABLE", .value = 14 },
	{ .name = "DATA_LOSS", .value = 15 },
	{ .name = "UNAUTHENTICATED", .value = 16 },
	{ .name = NULL },
};

static const struct schema_field grpc_status_filter_fields[] = {
	{ FIELD(SCHEMA_ENUM, conf_grpc_status_filter, statuses),
	    .label = SCHEMA_LIST, .choices = grpc_status_choices,
	    .text = "Statuses that are logged." },
	{ FIELD(SCHEMA_BOOL, conf_grpc_status_filter, exclude),
	    .text = "Log all others instead." },
	{ .name = NULL },
};

static const struct schema_message grpc_status_filter_message = {
	.name = "envoy.config.accesslog.v3.GrpcStatusFilter",
	.size = sizeof(struct conf_grpc_status_filter),
	.fields = grpc_status_filter_fields,
};

static const struct schema_field metadata_filter_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_metadata_filter, matcher),
	    .message = &conf_metadata_matcher_message,
	    .text = "What the dynamic metadata must match." },
	{ FIELD(SCHEMA_BOOL, conf_metadata_filter, match_if_key_not_found),
	    .fallback = "true",
	    .text = "Whether it is logged without the key." },
	{ .name = NULL },
};

static const struct schema_message metadata_filter_message = {
	.name = "envoy.config.accesslog.v3.MetadataFilter",
	.size = sizeof(struct conf_metadata_filter),
	.fields = metadata_filter_fields,
};

static const struct schema_choice log_type_choices[] = {
	{ .name = "NotSet", .value = CONF_LOG_NOT_SET },
	{ .name = "TcpUpstreamConnected", .value = 1 },
	{ .name = "TcpPeriodic", .value = 2 },
	{ .name = "TcpConnectionEnd", .value = 3 },
	{ .name = "DownstreamStart", .value = CONF_LOG_DOWNSTREAM_START },
	{ .name = "DownstreamPeriodic", .value = CONF_LOG_DOWNSTREAM_PERIODIC },
	{ .name = "DownstreamEnd", .value = CONF_LOG_DOWNSTREAM_END },
	{ .name = "UpstreamPoolReady", .value = 7 },
	{ .name = "UpstreamPeriodic", .value = 8 },
	{ .name = "UpstreamEnd", .value = 9 },
	{ .name = "DownstreamTunnelSuccessfullyEstablished", .value = 10 },
	{ .name = "UdpTunnelUpstreamConnected", .value = 11 },
	{ .name = "UdpPeriodic", .value = 12 },
	{ .name = "UdpSessionEnd", .value = 13 },
	{ .name = "TcpConnectionStart", .value = 14 },
	{ .name = NULL },
};

static const struct schema_field log_type_filter_fields[] = {
	{ FIELD(SCHEMA_ENUM, conf_log_type_filter, types), .label = SCHEMA_LIST,
	    .choices = log_type_choices,
	    .text = "What the lines are written for." },
	{ FIELD(SCHEMA_BOOL, conf_log_type_filter, exclude),
	    .text = "Log all others instead." },
	{ .name = NULL },
};

static const struct schema_message log_type_filter_message = {
	.name = "envoy.config.accesslog.v3.LogTypeFilter",
	.size = sizeof(struct conf_log_type_filter),
	.fields = log_type_filter_fields,
};

static const struct schema_field log_filter_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, status_code_filter),
	    .message = &status_code_filter_message, .oneof = "filter_specifier",
	    .text = "By the status of the response." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, duration_filter),
	    .message = &duration_filter_message, .oneof = "filter_specifier",
	    .text = "By the duration in milliseconds." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, not_health_check_filter),
	    .message = &conf_empty_message, .oneof = "filter_specifier",
	    .text = "What is no health check." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, and_filter),
	    .message = &and_filter_message, .oneof = "filter_specifier",
	    .text = "What all filters let pass." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, or_filter),
	    .message = &or_filter_message, .oneof = "filter_specifier",
	    .text = "What some filter lets pass." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, header_filter),
	    .message = &header_filter_message, .oneof = "filter_specifier",
	    .text = "By a request header." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, response_flag_filter),
	    .message = &response_flag_message, .oneof = "filter_specifier",
	    .text = "By the response flags." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, traceable_filter),
	    .message = &conf_empty_message, .oneof = "filter_specifier",
	    .text = "What is traced: nothing, as long as tracing is off." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, runtime_filter),
	    .message = &runtime_filter_message, .oneof = "filter_specifier",
	    .text = "A part of all." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, grpc_status_filter),
	    .message = &grpc_status_filter_message, .oneof = "filter_specifier",
	    .text = "By the status of gRPC." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, metadata_filter),
	    .message = &metadata_filter_message, .oneof = "filter_specifier",
	    .text = "By dynamic metadata." },
	{ FIELD(SCHEMA_MESSAGE, conf_log_filter, log_type_filter),
	    .message = &log_type_filter_message, .oneof = "filter_specifier",
	    .text = "By what the line is written for." },
	REFUSED("extension_filter", "there are no log filter extensions"),
	{ .name = NULL },
};

const struct schema_message conf_log_filter_message = {
	.name = "envoy.config.accesslog.v3.AccessLogFilter",
	.size = sizeof(struct conf_log_filter),
	.fields = log_filter_fields,
	.required_oneof = "filter_specifier",
};

static const struct schema_field access_log_fields[] = {
	{ FIELD(SCHEMA_STR, conf_access_log, name), .text = "Free text." },
	{ FIELD(SCHEMA_MESSAGE, conf_access_log, filter),
	    .message = &conf_log_filter_message,
	    .text = "What is logged; everything without it." },
	{ FIELD(SCHEMA_ANY, conf_access_log, typed_config), .required = true,
	    .text = "FileAccessLog, StdoutAccessLog or StderrAccessLog." },
	{ .name = NULL },
};

const struct schema_message conf_access_log_message = {
	.name = "envoy.config.accesslog.v3.AccessLog",
	.size = sizeof(struct conf_access_log),
	.fields = access_log_fields,
};

static const struct schema_field access_log_options_fields[] = {
	{ FIELD(SCHEMA_DURATION, conf_access_log_options,
	      access_log_flush_interval),
	    .text = "Write a line each time a request has lasted so long." },
	{ FIELD(SCHEMA_BOOL, conf_access_log_options,
	      flush_access_log_on_new_request),
	    .text = "Write a line when a request begins." },
	DELEGATED_SCALAR("flush_log_on_tunnel_successfully_established",
	    "there are no tunnels behind a web server"),
	{ .name = NULL },
};

const struct schema_message conf_access_log_options_message = {
	.name = "envoy.extensions.filters.network.http_connection_manager.v3."
		"HttpConnectionManager.HcmAccessLogOptions",
	.size = sizeof(struct conf_access_log_options),
	.fields = access_log_options_fields,
};

static const struct schema_field file_access_log_fields[] = {
	{ FIELD(SCHEMA_STR, conf_file_access_log, path), .min_items = 1,
	    .required = true, .text = "File to append to." },
	{ FIELD(SCHEMA_MESSAGE, conf_file_access_log, log_format),
	    .message = &conf_format_message, .oneof = "access_log_format",
	    .text = "Format of a line; Envoy's default without it." },
	{ FIELD(SCHEMA_STR, conf_file_access_log, format),
	    .oneof = "access_log_format", .text = "Deprecated: log_format." },
	{ FIELD(SCHEMA_NODE, conf_file_access_log, json_format),
	    .oneof = "access_log_format", .text = "Deprecated: log_format." },
	{ .name = "typed_json_format",
	    .type = SCHEMA_NODE,
	    SCHEMA_AT(struct conf_file_access_log, json_format),
	    .oneof = "access_log_format",
	    .text = "Deprecated: log_format." },
	{ .name = NULL },
};

static void
check_file_access_log(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_file_access_log *log = decoded;

	if (log->json_format && log->json_format->kind != NODE_MAP)
		diag_error(diag, log->json_format->place, path,
		    "a JSON format is a map");
}

const struct schema_message conf_file_access_log_message = {
	.name = "envoy.extensions.access_loggers.file.v3.FileAccessLog",
	.size = sizeof(struct conf_file_access_log),
	.fields = file_access_log_fields,
	.check = check_file_access_log,
};

static const struct schema_field stream_access_log_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_file_access_log, log_format),
	    .message = &conf_format_message,
	    .text = "Format of a line; Envoy's default without it." },
	{ .name = NULL },
};

const struct schema_message conf_stream_access_log_message = {
	.name = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
	.size = sizeof(struct conf_file_access_log),
	.fields = stream_access_log_fields,
};

static const struct schema_field response_mapper_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_response_mapper, filter),
	    .message = &conf_log_filter_message, .required = true,
	    .text = "Replies that are changed." },
	{ FIELD_HAS(SCHEMA_U32, conf_response_mapper, status_code), .min = 200,
	    .max = 599, .text = "New status." },
	{ FIELD(SCHEMA_MESSAGE, conf_response_mapper, body),
	    .message = &conf_data_source_message, .text = "New body." },
	{ FIELD(SCHEMA_MESSAGE, conf_response_mapper, body_format_override),
	    .message = &conf_format_message,
	    .text = "Format of the body, in place of body_format." },
	{ FIELD(SCHEMA_MESSAGE, conf_response_mapper, headers_to_add),
	    .label = SCHEMA_LIST, .message = &conf_header_option_message,
	    .text = "Headers set on the reply." },
	{ .name = NULL },
};

static const struct schema_message response_mapper_message = {
	.name = "envoy.extensions.filters.network.http_connection_manager.v3."
		"ResponseMapper",
	.size = sizeof(struct conf_response_mapper),
	.fields = response_mapper_fields,
};

static const struct schema_field local_reply_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_local_reply, mappers),
	    .label = SCHEMA_LIST, .message = &response_mapper_message,
	    .text = "The first whose filter matches changes the reply." },
	{ FIELD(SCHEMA_MESSAGE, conf_local_reply, body_format),
	    .message = &conf_format_message,
	    .text = "Format of every reply's body." },
	{ .name = NULL },
};

const struct schema_message conf_local_reply_message = {
	.name = "envoy.extensions.filters.network.http_connection_manager.v3."
		"LocalReplyConfig",
	.size = sizeof(struct conf_local_reply),
	.fields = local_reply_fields,
};
