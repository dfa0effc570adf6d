/* Messages of rate limits, as routes and virtual hosts have them. */
#ifndef SALLYPORT_CONFIG_MODEL_LIMIT_H
#define SALLYPORT_CONFIG_MODEL_LIMIT_H

#include "config/model.h"

/* envoy.type.metadata.v3.MetadataKey */
struct conf_metadata_segment {
	const struct node *node;
	struct str key;
};
struct conf_metadata_key {
	const struct node *node;
	struct str key;
	CONF_LIST(struct conf_metadata_segment) path;
};

/* RequestHeaders and QueryParameters */
struct conf_named_action {
	const struct node *node;
	struct str name, descriptor_key;
	bool skip_if_absent;
};
struct conf_generic_key_action {
	const struct node *node;
	struct str descriptor_value, descriptor_key;
};
struct conf_masked_remote_address {
	const struct node *node;
	uint32_t v4_prefix_mask_len, v6_prefix_mask_len;
};
/* HeaderValueMatch and QueryParameterValueMatch */
struct conf_value_match_action {
	const struct node *node;
	struct str descriptor_value, descriptor_key;
	bool expect_match;
	CONF_LIST(struct conf_header_matcher) headers;
	CONF_LIST(struct conf_query_matcher) query_parameters;
};
struct conf_metadata_action {
	const struct node *node;
	struct str descriptor_key, default_value;
	struct conf_metadata_key *metadata_key;
	int source; /* 0 DYNAMIC, 1 ROUTE_ENTRY */
	bool skip_if_absent;
};
struct conf_address_matcher {
	const struct node *node;
	conf_cidr_ranges ranges;
	bool invert_match;
};
struct conf_address_match_action {
	const struct node *node;
	struct str descriptor_value, descriptor_key, default_value;
	struct conf_address_matcher *address_matcher;
};

/* RateLimit.Action: one of them is given. */
struct conf_rate_limit_action {
	const struct node *node;
	struct conf_empty *source_cluster, *destination_cluster;
	struct conf_empty *remote_address;
	struct conf_named_action *request_headers, *query_parameters;
	struct conf_masked_remote_address *masked_remote_address;
	struct conf_generic_key_action *generic_key;
	struct conf_value_match_action *header_value_match;
	struct conf_value_match_action *query_parameter_value_match;
	struct conf_metadata_action *metadata;
	struct conf_address_match_action *remote_address_match;
};
struct conf_hits_addend {
	const struct node *node;
	uint64_t number;
	bool has_number;
	struct str format;
	bool is_negative_hits;
};
enum conf_x_ratelimit { CONF_X_UNSPECIFIED, CONF_X_OFF, CONF_X_DRAFT_03 };
struct conf_rate_limit {
	const struct node *node;
	uint32_t stage;
	bool has_stage;
	struct str disable_key;
	CONF_LIST(struct conf_rate_limit_action) actions;
	struct conf_hits_addend *hits_addend;
	const struct node *limit; /* only the global rate limit reads it */
	int x_ratelimit_option;
};

extern const struct schema_message conf_rate_limit_message;

#endif
