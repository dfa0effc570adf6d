/* Access logs and their filters, and the replies that Envoy makes itself. */
#include "config.h"

#include "config/messages.h"

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

#define UNBUILT_FILTER "this filter is not built in"

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
	REFUSED("traceable_filter", UNBUILT_FILTER),
	REFUSED("runtime_filter", UNBUILT_FILTER),
	REFUSED("grpc_status_filter", UNBUILT_FILTER),
	REFUSED("extension_filter", UNBUILT_FILTER),
	REFUSED("metadata_filter", UNBUILT_FILTER),
	REFUSED("log_type_filter", UNBUILT_FILTER),
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
