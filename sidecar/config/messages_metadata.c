/* Matchers of metadata and of the JSON values in it. */
#include "config.h"

#include "config/messages.h"

static const struct schema_field double_range_fields[] = {
	{ FIELD(SCHEMA_DOUBLE, conf_double_range, start),
	    .text = "First number of the range." },
	{ FIELD(SCHEMA_DOUBLE, conf_double_range, end),
	    .text = "End of the range, which lies outside." },
	{ .name = NULL },
};

static const struct schema_message double_range_message = {
	.name = "envoy.type.v3.DoubleRange",
	.size = sizeof(struct conf_double_range),
	.fields = double_range_fields,
};

static const struct schema_field double_matcher_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_double_matcher, range),
	    .message = &double_range_message, .oneof = "match_pattern",
	    .text = "Range in which the number lies." },
	{ FIELD_HAS(SCHEMA_DOUBLE, conf_double_matcher, exact),
	    .oneof = "match_pattern", .text = "The number." },
	{ .name = NULL },
};

static const struct schema_message double_matcher_message = {
	.name = "envoy.type.matcher.v3.DoubleMatcher",
	.size = sizeof(struct conf_double_matcher),
	.fields = double_matcher_fields,
	.required_oneof = "match_pattern",
};

static const struct schema_message value_matcher_message;

static const struct schema_field list_matcher_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_list_matcher, one_of),
	    .message = &value_matcher_message, .oneof = "match_pattern",
	    .text = "What one element of the list must match." },
	{ .name = NULL },
};

static const struct schema_message list_matcher_message = {
	.name = "envoy.type.matcher.v3.ListMatcher",
	.size = sizeof(struct conf_list_matcher),
	.fields = list_matcher_fields,
	.required_oneof = "match_pattern",
};

static const struct schema_field or_matcher_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_or_matcher, value_matchers),
	    .label = SCHEMA_LIST, .message = &value_matcher_message,
	    .min_items = 2, .required = true,
	    .text = "Matchers, one of which must hold." },
	{ .name = NULL },
};

static const struct schema_message or_matcher_message = {
	.name = "envoy.type.matcher.v3.OrMatcher",
	.size = sizeof(struct conf_or_matcher),
	.fields = or_matcher_fields,
};

static const struct schema_field value_matcher_fields[] = {
	{ FIELD(SCHEMA_NODE, conf_value_matcher, null_match),
	    .oneof = "match_pattern", .text = "The value is null." },
	{ FIELD(SCHEMA_MESSAGE, conf_value_matcher, double_match),
	    .message = &double_matcher_message, .oneof = "match_pattern",
	    .text = "The value is such a number." },
	{ FIELD(SCHEMA_MESSAGE, conf_value_matcher, string_match),
	    .message = &conf_string_matcher_message, .oneof = "match_pattern",
	    .text = "The value is such a text." },
	{ FIELD_HAS(SCHEMA_BOOL, conf_value_matcher, bool_match),
	    .oneof = "match_pattern", .text = "The value is true or false." },
	{ FIELD_HAS(SCHEMA_BOOL, conf_value_matcher, present_match),
	    .oneof = "match_pattern",
	    .text = "There is a value; false matches nothing." },
	{ FIELD(SCHEMA_MESSAGE, conf_value_matcher, list_match),
	    .message = &list_matcher_message, .oneof = "match_pattern",
	    .text = "The value is a list with such an element." },
	{ FIELD(SCHEMA_MESSAGE, conf_value_matcher, or_match),
	    .message = &or_matcher_message, .oneof = "match_pattern",
	    .text = "One of several matchers holds." },
	{ .name = NULL },
};

static const struct schema_message value_matcher_message = {
	.name = "envoy.type.matcher.v3.ValueMatcher",
	.size = sizeof(struct conf_value_matcher),
	.fields = value_matcher_fields,
	.required_oneof = "match_pattern",
};

static const struct schema_field path_segment_fields[] = {
	{ FIELD(SCHEMA_STR, conf_path_segment, key), .min_items = 1,
	    .oneof = "segment", .text = "Key of a map." },
	{ .name = NULL },
};

static const struct schema_message path_segment_message = {
	.name = "envoy.type.matcher.v3.MetadataMatcher.PathSegment",
	.size = sizeof(struct conf_path_segment),
	.fields = path_segment_fields,
	.required_oneof = "segment",
};

static const struct schema_field metadata_matcher_fields[] = {
	{ FIELD(SCHEMA_STR, conf_metadata_matcher, filter), .min_items = 1,
	    .required = true, .text = "Namespace, the name of a filter." },
	{ FIELD(SCHEMA_MESSAGE, conf_metadata_matcher, path),
	    .label = SCHEMA_LIST, .message = &path_segment_message,
	    .min_items = 1, .required = true,
	    .text = "Keys that lead to the value." },
	{ FIELD(SCHEMA_MESSAGE, conf_metadata_matcher, value),
	    .message = &value_matcher_message, .required = true,
	    .text = "What the value must match." },
	{ FIELD(SCHEMA_BOOL, conf_metadata_matcher, invert),
	    .text = "Turn the answer round." },
	{ .name = NULL },
};

const struct schema_message conf_metadata_matcher_message = {
	.name = "envoy.type.matcher.v3.MetadataMatcher",
	.size = sizeof(struct conf_metadata_matcher),
	.fields = metadata_matcher_fields,
};
