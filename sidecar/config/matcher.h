/*
 * The generic matcher, xds.type.matcher.v3.Matcher: a list of predicates or a
 * map of values, at whose leaves stand actions.
 */
#ifndef SALLYPORT_CONFIG_MATCHER_H
#define SALLYPORT_CONFIG_MATCHER_H

#include "config/model.h"
#include "config/model_forward.h"

struct conf_matcher;
struct conf_on_match {
	const struct node *node;
	struct conf_matcher *matcher;
	struct conf_extension *action;
};

struct conf_predicate;
struct conf_single_predicate {
	const struct node *node;
	struct conf_extension *input;
	struct conf_string_matcher *value_match;
};
struct conf_predicate_list {
	const struct node *node;
	CONF_LIST(struct conf_predicate) predicate;
};
struct conf_predicate {
	const struct node *node;
	struct conf_single_predicate *single_predicate;
	struct conf_predicate_list *or_matcher, *and_matcher;
	struct conf_predicate *not_matcher;
};
struct conf_field_matcher {
	const struct node *node;
	struct conf_predicate *predicate;
	struct conf_on_match *on_match;
};
struct conf_matcher_list {
	const struct node *node;
	CONF_LIST(struct conf_field_matcher) matchers;
};

struct conf_match_map {
	const struct node *node;
	struct map map; /* struct conf_on_match * */
};
struct conf_matcher_tree {
	const struct node *node;
	struct conf_extension *input;
	struct conf_match_map *exact_match_map, *prefix_match_map;
};

struct conf_matcher {
	const struct node *node;
	struct conf_matcher_list *matcher_list;
	struct conf_matcher_tree *matcher_tree;
	struct conf_on_match *on_no_match;
};

extern const struct schema_message conf_matcher_message;

#endif
