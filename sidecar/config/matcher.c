/* Messages of the generic matcher. */
#include "config.h"

#include "config/matcher.h"
#include "config/messages.h"

/* Begins like the one it is used as. */
struct conf_xds_regex {
	struct conf_regex same;
	struct conf_empty *google_re2;
};

static const struct schema_field on_match_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_on_match, matcher),
	    .message = &conf_matcher_message, .oneof = "on_match",
	    .text = "Matches further." },
	{ FIELD(SCHEMA_MESSAGE, conf_on_match, action),
	    .message = &conf_extension_message, .oneof = "on_match",
	    .text = "What is to be done." },
	REFUSED_SCALAR("keep_matching",
	    "a match is a match; leave the action out instead"),
	{ .name = NULL },
};

static const struct schema_message on_match_message = {
	.name = "xds.type.matcher.v3.Matcher.OnMatch",
	.size = sizeof(struct conf_on_match),
	.fields = on_match_fields,
	.required_oneof = "on_match",
};

/* Envoy wants the engine named here, which it calls deprecated elsewhere. */
static const struct schema_field regex_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_xds_regex, google_re2),
	    .message = &conf_empty_message, .required = true,
	    .text = "The engine: {}." },
	{ .name = "regex",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_xds_regex, same.regex),
	    .min_items = 1,
	    .required = true,
	    .text = "Regular expression in RE2's syntax." },
	{ .name = NULL },
};

static const struct schema_message regex_message = {
	.name = "xds.type.matcher.v3.RegexMatcher",
	.size = sizeof(struct conf_xds_regex),
	.fields = regex_fields,
};

static const struct schema_field string_fields[] = {
	{ FIELD(SCHEMA_STR, conf_string_matcher, exact),
	    .oneof = "match_pattern", .text = "The whole text." },
	{ FIELD(SCHEMA_STR, conf_string_matcher, prefix), .min_items = 1,
	    .oneof = "match_pattern", .text = "How the text begins." },
	{ FIELD(SCHEMA_STR, conf_string_matcher, suffix), .min_items = 1,
	    .oneof = "match_pattern", .text = "How the text ends." },
	{ FIELD(SCHEMA_MESSAGE, conf_string_matcher, safe_regex),
	    .message = &regex_message, .oneof = "match_pattern",
	    .text = "Expression that the whole text matches." },
	{ FIELD(SCHEMA_STR, conf_string_matcher, contains), .min_items = 1,
	    .oneof = "match_pattern", .text = "What the text contains." },
	REFUSED("custom", "there are no custom string matchers"),
	{ FIELD(SCHEMA_BOOL, conf_string_matcher, ignore_case),
	    .text = "Compare letters without case; not for safe_regex." },
	{ .name = NULL },
};

static const struct schema_message string_message = {
	.name = "xds.type.matcher.v3.StringMatcher",
	.size = sizeof(struct conf_string_matcher),
	.fields = string_fields,
	.required_oneof = "match_pattern",
};

#define NO_CUSTOM "matchers are those of this message"

static const struct schema_field single_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_single_predicate, input),
	    .message = &conf_extension_message, .required = true,
	    .text = "What is looked at." },
	{ FIELD(SCHEMA_MESSAGE, conf_single_predicate, value_match),
	    .message = &string_message, .oneof = "matcher",
	    .text = "What it is compared with." },
	REFUSED("custom_match", NO_CUSTOM),
	{ .name = NULL },
};

static const struct schema_message single_message = {
	.name = "xds.type.matcher.v3.Matcher.MatcherList.Predicate."
		"SinglePredicate",
	.size = sizeof(struct conf_single_predicate),
	.fields = single_fields,
	.required_oneof = "matcher",
};

static const struct schema_message predicate_message;

static const struct schema_field predicate_list_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_predicate_list, predicate),
	    .label = SCHEMA_LIST, .message = &predicate_message, .min_items = 2,
	    .required = true, .text = "Two or more." },
	{ .name = NULL },
};

static const struct schema_message predicate_list_message = {
	.name = "xds.type.matcher.v3.Matcher.MatcherList.Predicate."
		"PredicateList",
	.size = sizeof(struct conf_predicate_list),
	.fields = predicate_list_fields,
};

static const struct schema_field predicate_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_predicate, single_predicate),
	    .message = &single_message, .oneof = "match_type",
	    .text = "One comparison." },
	{ FIELD(SCHEMA_MESSAGE, conf_predicate, or_matcher),
	    .message = &predicate_list_message, .oneof = "match_type",
	    .text = "One of them has to hold." },
	{ FIELD(SCHEMA_MESSAGE, conf_predicate, and_matcher),
	    .message = &predicate_list_message, .oneof = "match_type",
	    .text = "All of them have to hold." },
	{ FIELD(SCHEMA_MESSAGE, conf_predicate, not_matcher),
	    .message = &predicate_message, .oneof = "match_type",
	    .text = "It must not hold." },
	{ .name = NULL },
};

static const struct schema_message predicate_message = {
	.name = "xds.type.matcher.v3.Matcher.MatcherList.Predicate",
	.size = sizeof(struct conf_predicate),
	.fields = predicate_fields,
	.required_oneof = "match_type",
};

static const struct schema_field field_matcher_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_field_matcher, predicate),
	    .message = &predicate_message, .required = true,
	    .text = "What has to hold." },
	{ FIELD(SCHEMA_MESSAGE, conf_field_matcher, on_match),
	    .message = &on_match_message, .required = true,
	    .text = "What then is done." },
	{ .name = NULL },
};

static const struct schema_message field_matcher_message = {
	.name = "xds.type.matcher.v3.Matcher.MatcherList.FieldMatcher",
	.size = sizeof(struct conf_field_matcher),
	.fields = field_matcher_fields,
};

static const struct schema_field matcher_list_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_matcher_list, matchers),
	    .label = SCHEMA_LIST, .message = &field_matcher_message,
	    .min_items = 1, .required = true,
	    .text = "Tried one after the other." },
	{ .name = NULL },
};

static const struct schema_message matcher_list_message = {
	.name = "xds.type.matcher.v3.Matcher.MatcherList",
	.size = sizeof(struct conf_matcher_list),
	.fields = matcher_list_fields,
};

static const struct schema_field match_map_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_match_map, map), .label = SCHEMA_MAP,
	    .message = &on_match_message, .min_items = 1, .required = true,
	    .text = "Values and what is done for them." },
	{ .name = NULL },
};

static const struct schema_message match_map_message = {
	.name = "xds.type.matcher.v3.Matcher.MatcherTree.MatchMap",
	.size = sizeof(struct conf_match_map),
	.fields = match_map_fields,
};

static const struct schema_field matcher_tree_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_matcher_tree, input),
	    .message = &conf_extension_message, .required = true,
	    .text = "What is looked at." },
	{ FIELD(SCHEMA_MESSAGE, conf_matcher_tree, exact_match_map),
	    .message = &match_map_message, .oneof = "tree_type",
	    .text = "By the whole value." },
	{ FIELD(SCHEMA_MESSAGE, conf_matcher_tree, prefix_match_map),
	    .message = &match_map_message, .oneof = "tree_type",
	    .text = "By the longest beginning of the value." },
	REFUSED("custom_match", NO_CUSTOM),
	{ .name = NULL },
};

static const struct schema_message matcher_tree_message = {
	.name = "xds.type.matcher.v3.Matcher.MatcherTree",
	.size = sizeof(struct conf_matcher_tree),
	.fields = matcher_tree_fields,
	.required_oneof = "tree_type",
};

static const struct schema_field matcher_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_matcher, matcher_list),
	    .message = &matcher_list_message, .oneof = "matcher_type",
	    .text = "A list of predicates." },
	{ FIELD(SCHEMA_MESSAGE, conf_matcher, matcher_tree),
	    .message = &matcher_tree_message, .oneof = "matcher_type",
	    .text = "A map of values." },
	{ FIELD(SCHEMA_MESSAGE, conf_matcher, on_no_match),
	    .message = &on_match_message,
	    .text = "What is done when nothing matches." },
	{ .name = NULL },
};

const struct schema_message conf_matcher_message = {
	.name = "xds.type.matcher.v3.Matcher",
	.size = sizeof(struct conf_matcher),
	.fields = matcher_fields,
};
