/* The messages of the JWT filter. */
#include "config.h"

#include "config/jwt.h"
#include "config/messages.h"

#define MESSAGE(name) "envoy.extensions.filters.http.jwt_authn.v3." name

static const struct schema_field header_fields[] = {
	{ .name = "name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_header, name),
	    .min_items = 1,
	    .required = true,
	    .text = "Header that holds a token." },
	{ .name = "value_prefix",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_header, value_prefix),
	    .text = "Text in the value behind which the token stands." },
	{ .name = NULL },
};

static const struct schema_message header_message = {
	.name = MESSAGE("JwtHeader"),
	.size = sizeof(struct conf_jwt_header),
	.fields = header_fields,
};

static const struct schema_field segment_fields[] = {
	{ .name = "key",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_segment, key),
	    .min_items = 1,
	    .required = true,
	    .text = "A claim's name; dots in it are nothing special." },
	{ .name = NULL },
};

static const struct schema_message segment_message = {
	.name = MESSAGE("JwtClaimToHeader.PathSegment"),
	.size = sizeof(struct conf_jwt_segment),
	.fields = segment_fields,
};

static const struct schema_field claim_fields[] = {
	{ .name = "header_name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_claim, header_name),
	    .min_items = 1,
	    .required = true,
	    .text = "Header for the backend; the client's own is removed." },
	{ .name = "claim_name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_claim, claim_name),
	    .text = "Claim, or a path of names joined by dots." },
	{ .name = "claim_path",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_jwt_claim, claim_path),
	    .message = &segment_message,
	    .text = "The same as a list of names, which may have dots." },
	{ .name = NULL },
};

static const struct schema_message claim_message = {
	.name = MESSAGE("JwtClaimToHeader"),
	.size = sizeof(struct conf_jwt_claim),
	.fields = claim_fields,
};

static const struct schema_field cache_fields[] = {
	{ .name = "jwt_cache_size",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_jwt_cache, jwt_cache_size),
	    .max = 65536,
	    .text = "Verified tokens to remember; 256 unless given." },
	{ .name = "jwt_max_token_size",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_jwt_cache, jwt_max_token_size),
	    .text = "Longest token to remember, in bytes; 4096 unless "
		    "given." },
	{ .name = NULL },
};

static const struct schema_message cache_message = {
	.name = MESSAGE("JwtCacheConfig"),
	.size = sizeof(struct conf_jwt_cache),
	.fields = cache_fields,
};

static const struct schema_field normalize_fields[] = {
	{ .name = "space_delimited_claims",
	    .type = SCHEMA_STR,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_jwt_normalize, space_delimited_claims),
	    .text = "Claims whose text becomes a list of words." },
	{ .name = NULL },
};

static const struct schema_message normalize_message = {
	.name = MESSAGE("JwtProvider.NormalizePayload"),
	.size = sizeof(struct conf_jwt_normalize),
	.fields = normalize_fields,
};

static const struct schema_field provider_fields[] = {
	{ .name = "issuer",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_provider, issuer),
	    .text = "What the iss claim must be; any unless given." },
	{ .name = "audiences",
	    .type = SCHEMA_STR,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_jwt_provider, audiences),
	    .text = "Of which the aud claim must name one; any unless "
		    "given." },
	{ .name = "subjects",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_provider, subjects),
	    .message = &conf_string_matcher_message,
	    .text = "What the sub claim must match." },
	{ .name = "require_expiration",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_jwt_provider, require_expiration),
	    .text = "Whether tokens without an exp claim are refused." },
	{ .name = "max_lifetime",
	    .type = SCHEMA_DURATION,
	    SCHEMA_AT_HAS(struct conf_jwt_provider, max_lifetime),
	    .text = "How far from now the exp claim may lie." },
	REFUSED("remote_jwks", "keys must be local: local_jwks"),
	{ .name = "local_jwks",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_provider, local_jwks),
	    .message = &conf_data_source_message,
	    .required = true,
	    .text = "The keys, as a JSON Web Key Set." },
	{ .name = "forward",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_jwt_provider, forward),
	    .text = "Whether the token goes on to the backend." },
	{ .name = "from_headers",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_jwt_provider, from_headers),
	    .message = &header_message,
	    .text = "Headers to look into; unless any place is given, "
		    "authorization behind \"Bearer \"." },
	{ .name = "from_params",
	    .type = SCHEMA_STR,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_jwt_provider, from_params),
	    .text = "Query parameters to look into; unless any place is "
		    "given, access_token." },
	{ .name = "from_cookies",
	    .type = SCHEMA_STR,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_jwt_provider, from_cookies),
	    .text = "Cookies to look into; they go on to the backend." },
	{ .name = "forward_payload_header",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_provider, forward_payload_header),
	    .text = "Header for the backend with the payload in base64url." },
	{ .name = "pad_forward_payload_header",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_jwt_provider, pad_forward_payload_header),
	    .text = "Whether that is padded with \"=\"." },
	{ .name = "payload_in_metadata",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_provider, payload_in_metadata),
	    .text = "Key of the payload in the dynamic metadata." },
	{ .name = "normalize_payload_in_metadata",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_provider, normalize_payload_in_metadata),
	    .message = &normalize_message,
	    .text = "Changes to the payload for the metadata." },
	{ .name = "header_in_metadata",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_provider, header_in_metadata),
	    .text = "Key of the token's header in the dynamic metadata." },
	{ .name = "failed_status_in_metadata",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_provider, failed_status_in_metadata),
	    .text = "Key of why a token was refused, likewise." },
	{ .name = "clock_skew_seconds",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_jwt_provider, clock_skew_seconds),
	    .text = "How much the issuer's clock may differ; 60 unless "
		    "given." },
	{ .name = "jwt_cache_config",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_provider, jwt_cache_config),
	    .message = &cache_message,
	    .text = "How many verified tokens to remember." },
	{ .name = "claim_to_headers",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_jwt_provider, claim_to_headers),
	    .message = &claim_message,
	    .text = "Claims that the backend gets as headers." },
	{ .name = "clear_route_cache",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_jwt_provider, clear_route_cache),
	    .text = "Whether the route is chosen anew with these headers." },
	{ .name = NULL },
};

static const struct schema_message provider_message = {
	.name = MESSAGE("JwtProvider"),
	.size = sizeof(struct conf_jwt_provider),
	.fields = provider_fields,
};

static const struct schema_field audiences_fields[] = {
	{ .name = "provider_name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_audiences, provider_name),
	    .text = "The provider." },
	{ .name = "audiences",
	    .type = SCHEMA_STR,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_jwt_audiences, audiences),
	    .text = "Audiences in place of the provider's." },
	{ .name = NULL },
};

static const struct schema_message audiences_message = {
	.name = MESSAGE("ProviderWithAudiences"),
	.size = sizeof(struct conf_jwt_audiences),
	.fields = audiences_fields,
};

static const struct schema_message requirement_message;

static const struct schema_field any_fields[] = {
	{ .name = "requirements",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_jwt_requirements, requirements),
	    .message = &requirement_message,
	    .min_items = 2,
	    .required = true,
	    .text = "The requirements, two or more." },
	{ .name = NULL },
};

static const struct schema_message any_message = {
	.name = MESSAGE("JwtRequirementOrList"),
	.size = sizeof(struct conf_jwt_requirements),
	.fields = any_fields,
};

static const struct schema_message all_message = {
	.name = MESSAGE("JwtRequirementAndList"),
	.size = sizeof(struct conf_jwt_requirements),
	.fields = any_fields,
};

static const struct schema_field requirement_fields[] = {
	{ .name = "provider_name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_requirement, provider_name),
	    .oneof = "requires_type",
	    .text = "A token of this provider." },
	{ .name = "provider_and_audiences",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_requirement, provider_and_audiences),
	    .message = &audiences_message,
	    .oneof = "requires_type",
	    .text = "A token of a provider for these audiences." },
	{ .name = "requires_any",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_requirement, requires_any),
	    .message = &any_message,
	    .oneof = "requires_type",
	    .text = "One of these." },
	{ .name = "requires_all",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_requirement, requires_all),
	    .message = &all_message,
	    .oneof = "requires_type",
	    .text = "All of these." },
	{ .name = "allow_missing_or_failed",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_requirement, allow_missing_or_failed),
	    .message = &conf_empty_message,
	    .oneof = "requires_type",
	    .text = "Pass without a token and with a bad one." },
	{ .name = "allow_missing",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_requirement, allow_missing),
	    .message = &conf_empty_message,
	    .oneof = "requires_type",
	    .text = "Pass without a token; a bad one is refused." },
	REFUSED("extract_only_without_validation",
	    "claims are only taken from tokens that were verified"),
	{ .name = NULL },
};

static const struct schema_message requirement_message = {
	.name = MESSAGE("JwtRequirement"),
	.size = sizeof(struct conf_jwt_requirement),
	.fields = requirement_fields,
};

static const struct schema_field rule_fields[] = {
	{ .name = "match",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_rule, match),
	    .message = &conf_route_match_message,
	    .required = true,
	    .text = "Requests that the rule is for; the first one holds." },
	{ .name = "requires",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_jwt_rule, requires),
	    .message = &requirement_message,
	    .oneof = "requirement_type",
	    .text = "What they need; nothing unless given." },
	{ .name = "requirement_name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_rule, requirement_name),
	    .min_items = 1,
	    .oneof = "requirement_type",
	    .text = "The same, by its name in requirement_map." },
	{ .name = NULL },
};

static const struct schema_message rule_message = {
	.name = MESSAGE("RequirementRule"),
	.size = sizeof(struct conf_jwt_rule),
	.fields = rule_fields,
};

static const struct schema_field filter_fields[] = {
	{ .name = "providers",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_MAP,
	    SCHEMA_AT(struct conf_jwt, providers),
	    .message = &provider_message,
	    .text = "Who issues tokens, by name." },
	{ .name = "rules",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_jwt, rules),
	    .message = &rule_message,
	    .text = "Which requests need what; others pass." },
	REFUSED("filter_state_rules", "there is no filter state"),
	{ .name = "bypass_cors_preflight",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_jwt, bypass_cors_preflight),
	    .text = "Whether CORS preflights pass without a token." },
	{ .name = "requirement_map",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_MAP,
	    SCHEMA_AT(struct conf_jwt, requirement_map),
	    .message = &requirement_message,
	    .text = "Requirements by name, for rules and routes." },
	{ .name = "strip_failure_response",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_jwt, strip_failure_response),
	    .text = "Whether refusals say nothing but their status." },
	{ .name = "stat_prefix",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt, stat_prefix),
	    .text = "Put before the names of the counters." },
	{ .name = NULL },
};

const struct schema_message conf_jwt_message = {
	.name = MESSAGE("JwtAuthentication"),
	.size = sizeof(struct conf_jwt),
	.fields = filter_fields,
};

static const struct schema_field route_fields[] = {
	{ .name = "disabled",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_jwt_route, disabled),
	    .oneof = "requirement_specifier",
	    .text = "true: nothing is required on this route." },
	{ .name = "requirement_name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_jwt_route, requirement_name),
	    .min_items = 1,
	    .oneof = "requirement_specifier",
	    .text = "Requirement of this route, in place of the rules." },
	{ .name = NULL },
};

const struct schema_message conf_jwt_route_message = {
	.name = MESSAGE("PerRouteConfig"),
	.size = sizeof(struct conf_jwt_route),
	.fields = route_fields,
	.required_oneof = "requirement_specifier",
};
