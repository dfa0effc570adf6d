/* Messages of Envoy's local rate limit filter. */
#ifndef SALLYPORT_CONFIG_LOCAL_LIMIT_H
#define SALLYPORT_CONFIG_LOCAL_LIMIT_H

#include "config/model_limit.h"

enum { CONF_LOCAL_HEADERS_MAX = 10, CONF_LOCAL_ENTRIES_MAX = 16 };

/* envoy.type.v3.TokenBucket */
struct conf_bucket {
	const struct node *node;
	uint32_t max_tokens;
	uint32_t tokens_per_fill;
	int64_t fill_interval;
};

struct conf_entry {
	const struct node *node;
	struct str key, value;
};

struct conf_descriptor {
	const struct node *node;
	CONF_LIST(struct conf_entry) entries;
	struct conf_bucket *token_bucket;
	bool shadow_mode;
};

enum conf_vh_limits { CONF_VH_OVERRIDE, CONF_VH_INCLUDE, CONF_VH_IGNORE };

/* LocalRateLimit, of the filter and of routes alike. */
struct conf_local {
	const struct node *node;
	struct str stat_prefix;
	struct conf_http_status *status;
	struct conf_bucket *token_bucket;
	struct conf_runtime_fraction *filter_enabled, *filter_enforced;
	conf_header_options request_headers_to_add_when_not_enforced;
	conf_header_options response_headers_to_add;
	CONF_LIST(struct conf_descriptor) descriptors;
	uint32_t stage;
	int enable_x_ratelimit_headers;
	int vh_rate_limits;
	bool always_consume_default_token_bucket;
	bool rate_limited_as_resource_exhausted;
	bool enable_retry_after_header;
	conf_rate_limits rate_limits; /* see config/model_limit.h */
};

extern const struct schema_message conf_local_message;

#endif
