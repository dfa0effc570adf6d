/* RateLimit of routes and virtual hosts: the actions that make descriptors. */
#include "config.h"

#include "config/messages.h"

static const struct schema_field request_headers_fields[] = {
	{ FIELD(SCHEMA_STR, conf_request_headers_action, header_name),
	    .min_items = 1, .required = true,
	    .text = "Header whose value is the entry's value." },
	{ FIELD(SCHEMA_STR, conf_request_headers_action, descriptor_key),
	    .min_items = 1, .required = true, .text = "Key of the entry." },
	{ FIELD(SCHEMA_BOOL, conf_request_headers_action, skip_if_absent),
	    .text = "Leave the entry out, not the descriptor." },
	{ .name = NULL },
};

static const struct schema_message request_headers_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.RequestHeaders",
	.size = sizeof(struct conf_request_headers_action),
	.fields = request_headers_fields,
};

static const struct schema_field query_parameters_fields[] = {
	{ FIELD(SCHEMA_STR, conf_query_parameters_action, query_parameter_name),
	    .min_items = 1, .required = true,
	    .text = "Query parameter whose first value is the entry's value." },
	{ FIELD(SCHEMA_STR, conf_query_parameters_action, descriptor_key),
	    .min_items = 1, .required = true, .text = "Key of the entry." },
	{ FIELD(SCHEMA_BOOL, conf_query_parameters_action, skip_if_absent),
	    .text = "Leave the entry out, not the descriptor." },
	{ .name = NULL },
};

static const struct schema_message query_parameters_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.QueryParameters",
	.size = sizeof(struct conf_query_parameters_action),
	.fields = query_parameters_fields,
};

static const struct schema_field masked_address_fields[] = {
	{ FIELD(SCHEMA_U32, conf_masked_remote_address, v4_prefix_mask_len),
	    .max = 32, .fallback = "32",
	    .text = "Bits of an IPv4 address that count." },
	{ FIELD(SCHEMA_U32, conf_masked_remote_address, v6_prefix_mask_len),
	    .max = 128, .fallback = "128",
	    .text = "Bits of an IPv6 address that count." },
	{ .name = NULL },
};

static const struct schema_message masked_address_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.MaskedRemoteAddress",
	.size = sizeof(struct conf_masked_remote_address),
	.fields = masked_address_fields,
};

static const struct schema_field generic_key_fields[] = {
	{ FIELD(SCHEMA_STR, conf_generic_key_action, descriptor_value),
	    .min_items = 1, .required = true, .text = "Value of the entry." },
	{ FIELD(SCHEMA_STR, conf_generic_key_action, default_value),
	    .text = "Of no use, since the value has no operators here." },
	{ FIELD(SCHEMA_STR, conf_generic_key_action, descriptor_key),
	    .fallback = "generic_key", .text = "Key of the entry." },
	{ .name = NULL },
};

static const struct schema_message generic_key_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.GenericKey",
	.size = sizeof(struct conf_generic_key_action),
	.fields = generic_key_fields,
};

static const struct schema_field header_value_fields[] = {
	{ FIELD(SCHEMA_STR, conf_value_match_action, descriptor_value),
	    .min_items = 1, .required = true, .text = "Value of the entry." },
	{ FIELD(SCHEMA_STR, conf_value_match_action, descriptor_key),
	    .fallback = "header_match", .text = "Key of the entry." },
	{ FIELD(SCHEMA_BOOL, conf_value_match_action, expect_match),
	    .fallback = "true",
	    .text = "Whether the headers are to match or are not to." },
	{ FIELD(SCHEMA_MESSAGE, conf_value_match_action, headers),
	    .label = SCHEMA_LIST, .message = &conf_header_matcher_message,
	    .min_items = 1, .required = true, .text = "The headers." },
	REFUSED_SCALAR("default_value", "the value has no operators here"),
	{ .name = NULL },
};

static const struct schema_message header_value_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.HeaderValueMatch",
	.size = sizeof(struct conf_value_match_action),
	.fields = header_value_fields,
};

static const struct schema_field query_value_fields[] = {
	{ FIELD(SCHEMA_STR, conf_value_match_action, descriptor_value),
	    .min_items = 1, .required = true, .text = "Value of the entry." },
	{ FIELD(SCHEMA_STR, conf_value_match_action, descriptor_key),
	    .fallback = "query_match", .text = "Key of the entry." },
	{ FIELD(SCHEMA_BOOL, conf_value_match_action, expect_match),
	    .fallback = "true",
	    .text = "Whether the parameters are to match or are not to." },
	{ FIELD(SCHEMA_MESSAGE, conf_value_match_action, query_parameters),
	    .label = SCHEMA_LIST, .message = &conf_query_matcher_message,
	    .min_items = 1, .required = true, .text = "The parameters." },
	REFUSED_SCALAR("default_value", "the value has no operators here"),
	{ .name = NULL },
};

static const struct schema_message query_value_message = {
	.name = "envoy.config.route.v3.RateLimit.Action."
		"QueryParameterValueMatch",
	.size = sizeof(struct conf_value_match_action),
	.fields = query_value_fields,
};

static const struct schema_field path_segment_fields[] = {
	{ FIELD(SCHEMA_STR, conf_path_segment, key), .min_items = 1,
	    .oneof = "segment", .text = "Key of a map." },
	{ .name = NULL },
};

static const struct schema_message path_segment_message = {
	.name = "envoy.type.metadata.v3.MetadataKey.PathSegment",
	.size = sizeof(struct conf_path_segment),
	.fields = path_segment_fields,
	.required_oneof = "segment",
};

static const struct schema_field metadata_key_fields[] = {
	{ FIELD(SCHEMA_STR, conf_metadata_key, key), .min_items = 1,
	    .required = true, .text = "Namespace, the name of a filter." },
	{ FIELD(SCHEMA_MESSAGE, conf_metadata_key, path), .label = SCHEMA_LIST,
	    .message = &path_segment_message, .min_items = 1, .required = true,
	    .text = "Keys that lead to the value." },
	{ .name = NULL },
};

static const struct schema_message metadata_key_message = {
	.name = "envoy.type.metadata.v3.MetadataKey",
	.size = sizeof(struct conf_metadata_key),
	.fields = metadata_key_fields,
};

static const struct schema_choice metadata_sources[] = {
	{ .name = "DYNAMIC", .value = CONF_METADATA_DYNAMIC },
	{ .name = "ROUTE_ENTRY", .value = CONF_METADATA_ROUTE },
	{ .name = NULL },
};

static const struct schema_field metadata_fields[] = {
	{ FIELD(SCHEMA_STR, conf_metadata_action, descriptor_key),
	    .min_items = 1, .required = true, .text = "Key of the entry." },
	{ FIELD(SCHEMA_MESSAGE, conf_metadata_action, metadata_key),
	    .message = &metadata_key_message, .required = true,
	    .text = "Where the value stands." },
	{ FIELD(SCHEMA_STR, conf_metadata_action, default_value),
	    .text = "Value where there is no text there." },
	{ FIELD(SCHEMA_ENUM, conf_metadata_action, source),
	    .choices = metadata_sources,
	    .text = "Metadata of the request, or of its route." },
	{ FIELD(SCHEMA_BOOL, conf_metadata_action, skip_if_absent),
	    .text = "Leave the entry out, not the descriptor." },
	{ .name = NULL },
};

static const struct schema_message metadata_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.MetaData",
	.size = sizeof(struct conf_metadata_action),
	.fields = metadata_fields,
};

static const struct schema_field range_fields[] = {
	{ FIELD(SCHEMA_STR, conf_cidr_range, address_prefix), .min_items = 1,
	    .required = true,
	    .text = "Address, of which the first bits count." },
	{ FIELD(SCHEMA_U32, conf_cidr_range, prefix_len), .max = 128,
	    .text = "How many bits." },
	{ .name = NULL },
};

static const struct schema_message range_message = {
	.name = "xds.core.v3.CidrRange",
	.size = sizeof(struct conf_cidr_range),
	.fields = range_fields,
};

static const struct schema_field address_matcher_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_address_matcher, ranges),
	    .label = SCHEMA_LIST, .message = &range_message,
	    .text = "Networks of which one holds the address." },
	{ FIELD(SCHEMA_BOOL, conf_address_matcher, invert_match),
	    .text = "Turn the answer round." },
	{ .name = NULL },
};

static const struct schema_message address_matcher_message = {
	.name = "envoy.type.matcher.v3.AddressMatcher",
	.size = sizeof(struct conf_address_matcher),
	.fields = address_matcher_fields,
};

static const struct schema_field address_match_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_address_match_action, address_matcher),
	    .message = &address_matcher_message, .required = true,
	    .text = "Which addresses make an entry." },
	{ FIELD(SCHEMA_STR, conf_address_match_action, descriptor_value),
	    .min_items = 1, .required = true,
	    .text = "Value of the entry, with operators." },
	{ FIELD(SCHEMA_STR, conf_address_match_action, descriptor_key),
	    .fallback = "remote_address_match", .text = "Key of the entry." },
	{ FIELD(SCHEMA_STR, conf_address_match_action, default_value),
	    .text = "Value where the operators have none." },
	{ .name = NULL },
};

static const struct schema_message address_match_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.RemoteAddressMatch",
	.size = sizeof(struct conf_address_match_action),
	.fields = address_match_fields,
};

static const struct schema_field action_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, source_cluster),
	    .message = &conf_empty_message, .oneof = "action_specifier",
	    .text = "Entry with this gateway's own cluster, of `node`." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, destination_cluster),
	    .message = &conf_empty_message, .oneof = "action_specifier",
	    .text = "Entry with the name of the route's cluster." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, request_headers),
	    .message = &request_headers_message, .oneof = "action_specifier",
	    .text = "Entry with the value of a header." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, query_parameters),
	    .message = &query_parameters_message, .oneof = "action_specifier",
	    .text = "Entry with the value of a query parameter." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, remote_address),
	    .message = &conf_empty_message, .oneof = "action_specifier",
	    .text = "Entry with the client's address." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, generic_key),
	    .message = &generic_key_message, .oneof = "action_specifier",
	    .text = "Entry with a fixed value." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, header_value_match),
	    .message = &header_value_message, .oneof = "action_specifier",
	    .text = "Entry with a fixed value, if headers match." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action,
	      query_parameter_value_match),
	    .message = &query_value_message, .oneof = "action_specifier",
	    .text = "Entry with a fixed value, if query parameters match." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, metadata),
	    .message = &metadata_message, .oneof = "action_specifier",
	    .text = "Entry with a text of the metadata." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, masked_remote_address),
	    .message = &masked_address_message, .oneof = "action_specifier",
	    .text = "Entry with the client's network." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, remote_address_match),
	    .message = &address_match_message, .oneof = "action_specifier",
	    .text = "Entry with a value, if the client's address matches." },
	REFUSED("dynamic_metadata", "Envoy refuses it too; use metadata"),
	REFUSED("extension", "this rate limit action is not built in"),
	{ .name = NULL },
};

static const struct schema_message action_message = {
	.name = "envoy.config.route.v3.RateLimit.Action",
	.size = sizeof(struct conf_rate_limit_action),
	.fields = action_fields,
	.required_oneof = "action_specifier",
};

static const struct schema_field rate_limit_fields[] = {
	{ FIELD(SCHEMA_U32, conf_rate_limit, stage), .max = 10,
	    .text = "Serves the filter of the same stage." },
	{ FIELD(SCHEMA_STR, conf_rate_limit, disable_key),
	    .text = "Runtime key that turns it off." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit, actions), .label = SCHEMA_LIST,
	    .message = &action_message, .min_items = 1, .required = true,
	    .text = "Each makes an entry of the descriptor." },
	REFUSED("limit", "limits stand in the filter, not in the route"),
	REFUSED("hits_addend", "each request counts once"),
	REFUSED_SCALAR("apply_on_stream_done", "limits apply to requests only"),
	REFUSED_SCALAR("x_ratelimit_option", "the filter's own setting holds"),
	{ .name = NULL },
};

const struct schema_message conf_rate_limit_message = {
	.name = "envoy.config.route.v3.RateLimit",
	.size = sizeof(struct conf_rate_limit),
	.fields = rate_limit_fields,
};
