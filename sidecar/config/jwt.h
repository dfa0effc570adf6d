/*
 * envoy.extensions.filters.http.jwt_authn.v3 as C structs, in the manner of
 * config/model.h.
 */
#ifndef SALLYPORT_CONFIG_JWT_H
#define SALLYPORT_CONFIG_JWT_H

#include "config/model.h"

struct conf_jwt_header {
	const struct node *node;
	struct str name, value_prefix;
};

struct conf_jwt_segment {
	const struct node *node;
	struct str key;
};

struct conf_jwt_claim {
	const struct node *node;
	struct str header_name, claim_name;
	CONF_LIST(struct conf_jwt_segment) claim_path;
};

struct conf_jwt_cache {
	const struct node *node;
	uint32_t jwt_cache_size, jwt_max_token_size;
};

struct conf_jwt_normalize {
	const struct node *node;
	conf_strings space_delimited_claims;
};

struct conf_jwt_provider {
	const struct node *node;
	struct str issuer;
	conf_strings audiences;
	struct conf_string_matcher *subjects;
	bool require_expiration;
	int64_t max_lifetime;
	bool has_max_lifetime;
	struct conf_data_source *local_jwks;
	bool forward;
	CONF_LIST(struct conf_jwt_header) from_headers;
	conf_strings from_params, from_cookies;
	struct str forward_payload_header;
	bool pad_forward_payload_header;
	struct str payload_in_metadata, header_in_metadata;
	struct str failed_status_in_metadata;
	struct conf_jwt_normalize *normalize_payload_in_metadata;
	uint32_t clock_skew_seconds;
	struct conf_jwt_cache *jwt_cache_config;
	CONF_LIST(struct conf_jwt_claim) claim_to_headers;
	bool clear_route_cache;
};

struct conf_jwt_audiences {
	const struct node *node;
	struct str provider_name;
	conf_strings audiences;
};

struct conf_jwt_requirement;
struct conf_jwt_requirements {
	const struct node *node;
	CONF_LIST(struct conf_jwt_requirement) requirements;
};

struct conf_jwt_requirement {
	const struct node *node;
	struct str provider_name;
	struct conf_jwt_audiences *provider_and_audiences;
	struct conf_jwt_requirements *requires_any, *requires_all;
	struct conf_empty *allow_missing_or_failed, *allow_missing;
};

struct conf_jwt_rule {
	const struct node *node;
	struct conf_route_match *match;
	struct conf_jwt_requirement *requires;
	struct str requirement_name;
};

struct conf_jwt {
	const struct node *node;
	struct map providers;
	CONF_LIST(struct conf_jwt_rule) rules;
	bool bypass_cors_preflight;
	struct map requirement_map;
	bool strip_failure_response;
	struct str stat_prefix;
};

struct conf_jwt_route {
	const struct node *node;
	bool disabled;
	struct str requirement_name;
};

/* JwtAuthentication and PerRouteConfig. */
extern const struct schema_message conf_jwt_message;
extern const struct schema_message conf_jwt_route_message;

#endif
