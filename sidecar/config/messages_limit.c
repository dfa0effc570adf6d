/* Rate limits of routes and virtual hosts: what descriptors are made of. */
#include "config.h"

#include "config/messages.h"
#include "config/model_limit.h"

#define NO_OPERATORS "there are no operators in descriptor_value, as in Envoy"

static const struct schema_field request_headers_fields[] = {
	{ .name = "header_name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_named_action, name),
	    .min_items = 1,
	    .required = true,
	    .text = "Header whose value is the entry's value." },
	{ FIELD(SCHEMA_STR, conf_named_action, descriptor_key), .min_items = 1,
	    .required = true, .text = "Key of the entry." },
	{ FIELD(SCHEMA_BOOL, conf_named_action, skip_if_absent),
	    .text = "Leave the entry out, not the descriptor." },
	{ .name = NULL },
};

static const struct schema_message request_headers_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.RequestHeaders",
	.size = sizeof(struct conf_named_action),
	.fields = request_headers_fields,
};

static const struct schema_field query_parameters_fields[] = {
	{ .name = "query_parameter_name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_named_action, name),
	    .min_items = 1,
	    .required = true,
	    .text = "Query parameter whose value is the entry's value." },
	{ FIELD(SCHEMA_STR, conf_named_action, descriptor_key), .min_items = 1,
	    .required = true, .text = "Key of the entry." },
	{ FIELD(SCHEMA_BOOL, conf_named_action, skip_if_absent),
	    .text = "Leave the entry out, not the descriptor." },
	{ .name = NULL },
};

static const struct schema_message query_parameters_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.QueryParameters",
	.size = sizeof(struct conf_named_action),
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
	{ FIELD(SCHEMA_STR, conf_generic_key_action, descriptor_key),
	    .fallback = "generic_key", .text = "Key of the entry." },
	DELEGATED_SCALAR("default_value", NO_OPERATORS),
	{ .name = NULL },
};

static const struct schema_message generic_key_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.GenericKey",
	.size = sizeof(struct conf_generic_key_action),
	.fields = generic_key_fields,
};

#define VALUE_MATCH(fallback_key)                                              \
	{ FIELD(SCHEMA_STR, conf_value_match_action, descriptor_value),        \
		.min_items = 1, .required = true,                              \
		.text = "Value of the entry." },                               \
	    { FIELD(SCHEMA_STR, conf_value_match_action, descriptor_key),      \
		    .fallback = (fallback_key), .text = "Key of the entry." }, \
	    { FIELD(SCHEMA_BOOL, conf_value_match_action, expect_match),       \
		    .fallback = "true",                                        \
		    .text = "Whether they have to match, or must not." },      \
	    DELEGATED_SCALAR("default_value", NO_OPERATORS)

static const struct schema_field header_match_fields[] = {
	VALUE_MATCH("header_match"),
	{ FIELD(SCHEMA_MESSAGE, conf_value_match_action, headers),
	    .label = SCHEMA_LIST, .message = &conf_header_matcher_message,
	    .min_items = 1, .required = true,
	    .text = "Headers that all have to match." },
	{ .name = NULL },
};

static const struct schema_message header_match_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.HeaderValueMatch",
	.size = sizeof(struct conf_value_match_action),
	.fields = header_match_fields,
};

static const struct schema_field query_match_fields[] = {
	VALUE_MATCH("query_match"),
	{ FIELD(SCHEMA_MESSAGE, conf_value_match_action, query_parameters),
	    .label = SCHEMA_LIST, .message = &conf_query_matcher_message,
	    .min_items = 1, .required = true,
	    .text = "Query parameters that all have to match." },
	{ .name = NULL },
};

static const struct schema_message query_match_message = {
	.name = "envoy.config.route.v3.RateLimit.Action."
		"QueryParameterValueMatch",
	.size = sizeof(struct conf_value_match_action),
	.fields = query_match_fields,
};

static const struct schema_field segment_fields[] = {
	{ FIELD(SCHEMA_STR, conf_metadata_segment, key), .min_items = 1,
	    .oneof = "segment", .text = "Key in the object." },
	{ .name = NULL },
};

static const struct schema_message segment_message = {
	.name = "envoy.type.metadata.v3.MetadataKey.PathSegment",
	.size = sizeof(struct conf_metadata_segment),
	.fields = segment_fields,
	.required_oneof = "segment",
};

static const struct schema_field metadata_key_fields[] = {
	{ FIELD(SCHEMA_STR, conf_metadata_key, key), .min_items = 1,
	    .required = true, .text = "Namespace." },
	{ FIELD(SCHEMA_MESSAGE, conf_metadata_key, path), .label = SCHEMA_LIST,
	    .message = &segment_message, .min_items = 1, .required = true,
	    .text = "Way to the value." },
	{ .name = NULL },
};

static const struct schema_message metadata_key_message = {
	.name = "envoy.type.metadata.v3.MetadataKey",
	.size = sizeof(struct conf_metadata_key),
	.fields = metadata_key_fields,
};

static const struct schema_choice source_choices[] = {
	{ .name = "DYNAMIC", .value = 0 },
	{ .name = "ROUTE_ENTRY", .value = 1 },
	{ .name = "CLUSTER_ENTRY",
	    .value = 2,
	    .refused = "metadata of clusters is not read" },
	{ .name = "CLUSTER_LOCALITY_ENTRY",
	    .value = 3,
	    .refused = "metadata of clusters is not read" },
	{ .name = NULL },
};

static const struct schema_field metadata_fields[] = {
	{ FIELD(SCHEMA_STR, conf_metadata_action, descriptor_key),
	    .min_items = 1, .required = true, .text = "Key of the entry." },
	{ FIELD(SCHEMA_MESSAGE, conf_metadata_action, metadata_key),
	    .message = &metadata_key_message, .required = true,
	    .text = "Metadata whose value, a text, is the entry's value." },
	{ FIELD(SCHEMA_STR, conf_metadata_action, default_value),
	    .text = "Value where there is none." },
	{ FIELD(SCHEMA_ENUM, conf_metadata_action, source),
	    .choices = source_choices,
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

static const struct schema_field address_matcher_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_address_matcher, ranges),
	    .label = SCHEMA_LIST, .message = &conf_cidr_range_message,
	    .text = "Networks." },
	{ FIELD(SCHEMA_BOOL, conf_address_matcher, invert_match),
	    .text = "Match addresses that are in none of them." },
	{ .name = NULL },
};

static const struct schema_message address_matcher_message = {
	.name = "envoy.type.matcher.v3.AddressMatcher",
	.size = sizeof(struct conf_address_matcher),
	.fields = address_matcher_fields,
};

static const struct schema_field address_match_fields[] = {
	{ FIELD(SCHEMA_STR, conf_address_match_action, descriptor_value),
	    .min_items = 1, .required = true,
	    .text = "Value of the entry, with operators." },
	{ FIELD(SCHEMA_STR, conf_address_match_action, descriptor_key),
	    .fallback = "remote_address_match", .text = "Key of the entry." },
	{ FIELD(SCHEMA_STR, conf_address_match_action, default_value),
	    .text = "Its value where the operators give none." },
	{ FIELD(SCHEMA_MESSAGE, conf_address_match_action, address_matcher),
	    .message = &address_matcher_message, .required = true,
	    .text = "Where the client has to be." },
	{ .name = NULL },
};

static const struct schema_message address_match_message = {
	.name = "envoy.config.route.v3.RateLimit.Action.RemoteAddressMatch",
	.size = sizeof(struct conf_address_match_action),
	.fields = address_match_fields,
};

#define ACTION(member, of, about)                                              \
	{                                                                      \
		FIELD(SCHEMA_MESSAGE, conf_rate_limit_action, member),         \
		    .message = &(of), .oneof = "action_specifier",             \
		    .text = about                                              \
	}

static const struct schema_field action_fields[] = {
	ACTION(source_cluster, conf_empty_message,
	    "Entry with this gateway's own cluster, node.cluster."),
	ACTION(destination_cluster, conf_empty_message,
	    "Entry with the name of the route's cluster."),
	ACTION(request_headers, request_headers_message,
	    "Entry with the value of a header."),
	ACTION(query_parameters, query_parameters_message,
	    "Entry with the value of a query parameter."),
	ACTION(remote_address, conf_empty_message,
	    "Entry with the client's address."),
	ACTION(generic_key, generic_key_message, "Entry with a fixed value."),
	ACTION(header_value_match, header_match_message,
	    "Entry for requests whose headers match."),
	REFUSED("dynamic_metadata",
	    "Envoy does not take it any more either: use metadata"),
	ACTION(metadata, metadata_message, "Entry with a value of metadata."),
	REFUSED("extension", "descriptors are not made by expressions"),
	ACTION(masked_remote_address, masked_address_message,
	    "Entry with the client's network."),
	ACTION(query_parameter_value_match, query_match_message,
	    "Entry for requests whose query matches."),
	ACTION(remote_address_match, address_match_message,
	    "Entry for clients of some networks."),
	{ .name = NULL },
};

static const struct schema_message action_message = {
	.name = "envoy.config.route.v3.RateLimit.Action",
	.size = sizeof(struct conf_rate_limit_action),
	.fields = action_fields,
	.required_oneof = "action_specifier",
};

static const struct schema_field hits_addend_fields[] = {
	{ FIELD_HAS(SCHEMA_U64, conf_hits_addend, number), .max = 1000000000,
	    .text = "So many tokens." },
	{ FIELD(SCHEMA_STR, conf_hits_addend, format),
	    .text = "Operator that yields the number of tokens." },
	{ FIELD(SCHEMA_BOOL, conf_hits_addend, is_negative_hits),
	    .text = "Give the tokens back." },
	{ .name = NULL },
};

static void
check_hits_addend(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_hits_addend *h = decoded;

	if (h->has_number == (h->format.len > 0))
		diag_error(diag, h->node->place, path,
		    "hits_addend must contain either a format or a number");
	if (h->format.len && (!str_starts(h->format, STR("%")) ||
				 !str_ends(h->format, STR("%"))))
		diag_error(diag, h->node->place, path,
		    "`format`: value does not have prefix and suffix \"%%\"");
}

static const struct schema_message hits_addend_message = {
	.name = "envoy.config.route.v3.RateLimit.HitsAddend",
	.size = sizeof(struct conf_hits_addend),
	.fields = hits_addend_fields,
	.check = check_hits_addend,
};

static const struct schema_choice x_ratelimit_choices[] = {
	{ .name = "UNSPECIFIED", .value = CONF_X_UNSPECIFIED },
	{ .name = "OFF", .value = CONF_X_OFF },
	{ .name = "DRAFT_VERSION_03", .value = CONF_X_DRAFT_03 },
	{ .name = NULL },
};

static const struct schema_field rate_limit_fields[] = {
	{ FIELD_HAS(SCHEMA_U32, conf_rate_limit, stage), .max = 10,
	    .text = "Serves the filter of the same stage." },
	{ FIELD(SCHEMA_STR, conf_rate_limit, disable_key),
	    .text = "Key of the runtime; local rate limits pass over what has "
		    "one." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit, actions), .label = SCHEMA_LIST,
	    .message = &action_message, .min_items = 1, .required = true,
	    .text = "Each makes an entry of the descriptor." },
	{ FIELD(SCHEMA_NODE, conf_rate_limit, limit),
	    .text = "Only the global rate limit reads it." },
	{ FIELD(SCHEMA_MESSAGE, conf_rate_limit, hits_addend),
	    .message = &hits_addend_message,
	    .text = "Tokens that a request draws, in rate_limits of the "
		    "filter itself; one unless given." },
	REFUSED_SCALAR("apply_on_stream_done", "limits apply to requests only"),
	{ FIELD(SCHEMA_ENUM, conf_rate_limit, x_ratelimit_option),
	    .choices = x_ratelimit_choices,
	    .text = "Whether the response has x-ratelimit headers, instead "
		    "of what the filter says." },
	{ .name = NULL },
};

const struct schema_message conf_rate_limit_message = {
	.name = "envoy.config.route.v3.RateLimit",
	.size = sizeof(struct conf_rate_limit),
	.fields = rate_limit_fields,
};
