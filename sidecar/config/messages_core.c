/* Envoy's common messages: envoy.config.core.v3, envoy.type. */
#include "config.h"

#include <inttypes.h>

#include "base/regex_size.h"
#include "config/messages.h"
#include "config/runtime.h"

static const struct schema_field empty_fields[] = { { .name = NULL } };

const struct schema_message conf_empty_message = {
	.name = "envoy.Empty",
	.size = sizeof(struct conf_empty),
	.fields = empty_fields,
};

static const struct schema_field data_source_fields[] = {
	{ FIELD(SCHEMA_STR, conf_data_source, filename), .min_items = 1,
	    .oneof = "specifier",
	    .text = "File to read when the configuration is loaded." },
	{ FIELD(SCHEMA_BYTES, conf_data_source, inline_bytes),
	    .oneof = "specifier", .text = "The bytes themselves, in base64." },
	{ FIELD(SCHEMA_STR, conf_data_source, inline_string),
	    .oneof = "specifier", .text = "The text itself." },
	{ FIELD(SCHEMA_STR, conf_data_source, environment_variable),
	    .min_items = 1, .oneof = "specifier",
	    .text = "Environment variable that holds the text." },
	DELEGATED("watched_directory",
	    "files are read when the configuration is loaded; reload to "
	    "read them anew"),
	{ .name = NULL },
};

const struct schema_message conf_data_source_message = {
	.name = "envoy.config.core.v3.DataSource",
	.size = sizeof(struct conf_data_source),
	.fields = data_source_fields,
	.required_oneof = "specifier",
};

static const struct schema_choice protocol_choices[] = {
	{ .name = "TCP", .value = 0 },
	{ .name = "UDP", .value = 1, .refused = "only TCP is spoken" },
	{ .name = NULL },
};

static const struct schema_field socket_address_fields[] = {
	{ .name = "protocol",
	    .type = SCHEMA_ENUM,
	    .stance = SCHEMA_DELEGATED,
	    .choices = protocol_choices,
	    .text = "only TCP is spoken" },
	{ FIELD(SCHEMA_STR, conf_socket_address, address), .min_items = 1,
	    .required = true,
	    .text = "IP address, or the host name of an endpoint." },
	{ FIELD(SCHEMA_U32, conf_socket_address, port_value), .max = 65535,
	    .oneof = "port_specifier", .text = "Port." },
	REFUSED("named_port", "give the number in port_value"),
	REFUSED("resolver_name", "names are resolved by the system's resolver"),
	REFUSED("network_namespace_filepath",
	    "sockets are opened in the process's own network namespace"),
	DELEGATED_SCALAR("ipv4_compat",
	    "the kernel's default for IPv4-mapped addresses applies"),
	{ .name = NULL },
};

static const struct schema_message socket_address_message = {
	.name = "envoy.config.core.v3.SocketAddress",
	.size = sizeof(struct conf_socket_address),
	.fields = socket_address_fields,
	.required_oneof = "port_specifier",
};

static const struct schema_field pipe_fields[] = {
	{ FIELD(SCHEMA_STR, conf_pipe, path), .min_items = 1, .required = true,
	    .text = "Path of the unix socket; \"@\" begins an abstract one." },
	{ FIELD(SCHEMA_U32, conf_pipe, mode), .max = 511,
	    .text = "Permissions of the socket, as a decimal number." },
	{ .name = NULL },
};

static const struct schema_message pipe_message = {
	.name = "envoy.config.core.v3.Pipe",
	.size = sizeof(struct conf_pipe),
	.fields = pipe_fields,
};

static const struct schema_field address_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_address, socket_address),
	    .message = &socket_address_message, .oneof = "address",
	    .text = "Host and port." },
	{ FIELD(SCHEMA_MESSAGE, conf_address, pipe), .message = &pipe_message,
	    .oneof = "address", .text = "Unix socket." },
	REFUSED("envoy_internal_address", "there are no internal listeners"),
	{ .name = NULL },
};

const struct schema_message conf_address_message = {
	.name = "envoy.config.core.v3.Address",
	.size = sizeof(struct conf_address),
	.fields = address_fields,
	.required_oneof = "address",
};

static const struct schema_field google_re2_fields[] = {
	{ FIELD_HAS(SCHEMA_U32, conf_google_re2, max_program_size),
	    .text = "Instructions that the expression may come to." },
	{ .name = NULL },
};

static const struct schema_message google_re2_message = {
	.name = "envoy.type.matcher.v3.RegexMatcher.GoogleRE2",
	.size = sizeof(struct conf_google_re2),
	.fields = google_re2_fields,
};

static const struct schema_field regex_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_regex, google_re2),
	    .message = &google_re2_message,
	    .text = "Deprecated; expressions are RE2's anyhow." },
	{ FIELD(SCHEMA_STR, conf_regex, regex), .min_items = 1,
	    .required = true, .text = "Regular expression in RE2's syntax." },
	{ .name = NULL },
};

static uint64_t
level(const struct diag *diag, const char *key, uint64_t otherwise)
{
	runtime_u64(diag_runtime(diag), str_of(key), &otherwise);
	return otherwise;
}

/* Envoy refuses an expression whose program is too large. */
static void
check_regex(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_regex *regex = decoded;
	const struct conf_google_re2 *own = regex->google_re2;
	const struct node *at = node_get(regex->node, "regex");
	bool has_own = own && own->has_max_program_size;
	size_t size = regex->regex.len ? regex_size(regex->regex) : 0;
	uint64_t max = level(diag, "re2.max_program_size.error_level", 100);
	uint64_t some =
	    level(diag, "re2.max_program_size.warn_level", UINT64_MAX);

	if (has_own)
		max = own->max_program_size;
	if (size > max)
		diag_error(diag, at->place, path,
		    "regex '" STR_FMT "' RE2 program size of %zu > max program "
		    "size of %" PRIu64 "%s. Increase configured max program "
		    "size if necessary.",
		    STR_ARG(regex->regex), size, max,
		    has_own ? "" : " set for the error level threshold");
	else if (size > some && !has_own)
		diag_warn(diag, at->place, path,
		    "regex '" STR_FMT "' RE2 program size of %zu > max program "
		    "size of %" PRIu64 " set for the warn level threshold. "
		    "Increase configured max program size if necessary.",
		    STR_ARG(regex->regex), size, some);
	if (size > max && !has_own)
		diag_hint(diag,
		    "the runtime key re2.max_program_size.error_level is the "
		    "limit");
}

const struct schema_message conf_regex_message = {
	.name = "envoy.type.matcher.v3.RegexMatcher",
	.size = sizeof(struct conf_regex),
	.fields = regex_fields,
	.check = check_regex,
};

static const struct schema_field regex_rewrite_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_regex_rewrite, pattern),
	    .message = &conf_regex_message, .required = true,
	    .text = "What is replaced, everywhere it occurs." },
	{ FIELD(SCHEMA_STR, conf_regex_rewrite, substitution), .fallback = "",
	    .text = "What it is replaced with; \\1 is the first group." },
	{ .name = NULL },
};

const struct schema_message conf_regex_rewrite_message = {
	.name = "envoy.type.matcher.v3.RegexMatchAndSubstitute",
	.size = sizeof(struct conf_regex_rewrite),
	.fields = regex_rewrite_fields,
};

static const struct schema_field string_matcher_fields[] = {
	{ FIELD(SCHEMA_STR, conf_string_matcher, exact),
	    .oneof = "match_pattern", .text = "The whole text." },
	{ FIELD(SCHEMA_STR, conf_string_matcher, prefix), .min_items = 1,
	    .oneof = "match_pattern", .text = "How the text begins." },
	{ FIELD(SCHEMA_STR, conf_string_matcher, suffix), .min_items = 1,
	    .oneof = "match_pattern", .text = "How the text ends." },
	{ FIELD(SCHEMA_MESSAGE, conf_string_matcher, safe_regex),
	    .message = &conf_regex_message, .oneof = "match_pattern",
	    .text = "Expression that the whole text matches." },
	{ FIELD(SCHEMA_STR, conf_string_matcher, contains), .min_items = 1,
	    .oneof = "match_pattern", .text = "What the text contains." },
	REFUSED("custom", "there are no custom string matchers"),
	{ FIELD(SCHEMA_BOOL, conf_string_matcher, ignore_case),
	    .text = "Compare letters without case; not for safe_regex." },
	{ .name = NULL },
};

const struct schema_message conf_string_matcher_message = {
	.name = "envoy.type.matcher.v3.StringMatcher",
	.size = sizeof(struct conf_string_matcher),
	.fields = string_matcher_fields,
	.required_oneof = "match_pattern",
};

static const struct schema_choice append_choices[] = {
	{ .name = "APPEND_IF_EXISTS_OR_ADD",
	    .value = CONF_APPEND_IF_EXISTS_OR_ADD },
	{ .name = "ADD_IF_ABSENT", .value = CONF_ADD_IF_ABSENT },
	{ .name = "OVERWRITE_IF_EXISTS_OR_ADD",
	    .value = CONF_OVERWRITE_IF_EXISTS_OR_ADD },
	{ .name = "OVERWRITE_IF_EXISTS", .value = CONF_OVERWRITE_IF_EXISTS },
	{ .name = NULL },
};

static const struct schema_field header_value_fields[] = {
	{ FIELD(SCHEMA_STR, conf_header_value, key), .min_items = 1,
	    .required = true, .text = "Header name." },
	{ FIELD(SCHEMA_STR, conf_header_value, value),
	    .text = "Header value; %OPERATORS% are replaced." },
	{ FIELD(SCHEMA_BYTES, conf_header_value, raw_value),
	    .text = "Header value in base64." },
	{ .name = NULL },
};

static bool
is_name(struct str s)
{
	static const char others[] = "!#$%&'*+-.^_`|~:";

	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alpha(s.ptr[i]) && !ascii_is_digit(s.ptr[i]) &&
		    !strchr(others, s.ptr[i]))
			return false;
	return true;
}

static bool
is_one_line(struct str s)
{
	return str_find_char(s, '\r', 0) == s.len &&
	       str_find_char(s, '\n', 0) == s.len &&
	       str_find_char(s, '\0', 0) == s.len;
}

static void
check_header_value(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_header_value *header = decoded;

	if (!is_name(header->key))
		diag_error(diag, header->node->place, path,
		    "'" STR_FMT "' is no header name", STR_ARG(header->key));
	if (!is_one_line(header->raw_value))
		diag_error(diag, header->node->place, path,
		    "a header value is one line");
	if (header->value.len && header->raw_value.ptr)
		diag_error(diag, header->node->place, path,
		    "`value` and `raw_value` exclude each other");
}

static const struct schema_message header_value_message = {
	.name = "envoy.config.core.v3.HeaderValue",
	.size = sizeof(struct conf_header_value),
	.fields = header_value_fields,
	.check = check_header_value,
};

static const struct schema_field header_option_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_header_option, header),
	    .message = &header_value_message, .required = true,
	    .text = "Name and value." },
	{ FIELD_HAS(SCHEMA_BOOL, conf_header_option, append),
	    .text = "Deprecated: append_action." },
	{ FIELD_HAS(SCHEMA_ENUM, conf_header_option, append_action),
	    .choices = append_choices,
	    .text = "What happens when the header exists." },
	{ FIELD(SCHEMA_BOOL, conf_header_option, keep_empty_value),
	    .text = "Set the header even when its value comes out empty." },
	{ .name = NULL },
};

static void
check_header_option(struct diag *diag, const char *path, void *decoded)
{
	struct conf_header_option *option = decoded;

	if (!option->has_append)
		return;
	if (option->has_append_action &&
	    option->append_action != CONF_APPEND_IF_EXISTS_OR_ADD) {
		diag_error(diag, option->node->place, path,
		    "Both append and append_action are set and it's not "
		    "allowed");
		return;
	}
	option->append_action = option->append
				    ? CONF_APPEND_IF_EXISTS_OR_ADD
				    : CONF_OVERWRITE_IF_EXISTS_OR_ADD;
}

const struct schema_message conf_header_option_message = {
	.name = "envoy.config.core.v3.HeaderValueOption",
	.size = sizeof(struct conf_header_option),
	.fields = header_option_fields,
	.check = check_header_option,
};

static const struct schema_field format_fields[] = {
	{ FIELD(SCHEMA_STR, conf_format, text_format), .oneof = "format",
	    .text = "Text with %OPERATORS%." },
	{ FIELD(SCHEMA_NODE, conf_format, json_format), .oneof = "format",
	    .text = "Map whose texts hold %OPERATORS%." },
	{ FIELD(SCHEMA_MESSAGE, conf_format, text_format_source),
	    .message = &conf_data_source_message, .oneof = "format",
	    .text = "Where the text with %OPERATORS% stands." },
	{ FIELD(SCHEMA_BOOL, conf_format, omit_empty_values),
	    .text = "Leave absent values out." },
	{ FIELD(SCHEMA_STR, conf_format, content_type),
	    .text = "Content type of a local reply in this format." },
	{ FIELD(SCHEMA_MESSAGE, conf_format, formatters), .label = SCHEMA_LIST,
	    .message = &conf_extension_message,
	    .text = "Extensions that add operators: req_without_query." },
	DELEGATED("json_format_options", "properties are always sorted"),
	{ .name = NULL },
};

static void
check_format(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_format *format = decoded;

	if (format->json_format && format->json_format->kind != NODE_MAP)
		diag_error(diag, format->json_format->place, path,
		    "`json_format` is a map");
}

const struct schema_message conf_format_message = {
	.name = "envoy.config.core.v3.SubstitutionFormatString",
	.size = sizeof(struct conf_format),
	.fields = format_fields,
	.required_oneof = "format",
	.check = check_format,
};

static const struct schema_field metadata_fields[] = {
	{ FIELD(SCHEMA_NODE, conf_metadata, filter_metadata),
	    .label = SCHEMA_MAP,
	    .text = "Values by the name of their reader." },
	DELEGATED("typed_filter_metadata", "nothing reads it"),
	{ .name = NULL },
};

const struct schema_message conf_metadata_message = {
	.name = "envoy.config.core.v3.Metadata",
	.size = sizeof(struct conf_metadata),
	.fields = metadata_fields,
};
