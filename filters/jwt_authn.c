/*
 * JSON Web Tokens: finds the tokens that a rule asks for, has them verified
 * (http/jws), checks their claims, and hands on what the providers name.
 * Verified tokens are remembered, so a token in steady use costs a lookup;
 * its time and audience are checked each time all the same.
 */
#include "config.h"

#include "base/memo.h"
#include "chain/filter.h"
#include "chain/host.h"
#include "chain/match.h"
#include "config/messages.h"
#include "http/claims.h"
#include "http/jws.h"
#include "http/params.h"
#include "http/target.h"

#define METADATA_NAMESPACE STR("envoy.filters.http.jwt_authn")

enum {
	KEYS_MAX = 1024 * 1024, /* bytes of a key set */
	SKEW_S = 60,
	REMEMBERED = 256,
	REMEMBERED_LEN_MAX = 4096,
	TOKENS_MAX = 16, /* that one request may carry */
	REALM_PATH_MAX = 256,
};

/* ---- Envoy's messages ---- */

struct conf_jwt_header {
	const struct node *node;
	struct str name, value_prefix;
};

struct conf_jwt_claim {
	const struct node *node;
	struct str header_name, claim_name;
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
	    .min_items = 1,
	    .required = true,
	    .text = "Claim, or a path of names joined by dots." },
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
	REFUSED_SCALAR("failed_status_in_metadata",
	    "the reason of a refusal stands in the response code details"),
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

static const struct schema_message filter_message = {
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

static const struct schema_message route_message = {
	.name = MESSAGE("PerRouteConfig"),
	.size = sizeof(struct conf_jwt_route),
	.fields = route_fields,
	.required_oneof = "requirement_specifier",
};

/* ---- the configured filter ---- */

struct strings {
	const struct str *items;
	size_t n;
};

struct claim_header {
	struct str header, claim;
};

struct provider {
	struct str name;
	const struct conf_jwt_provider *conf;
	struct strings audiences; /* in the form of plain_audience */
	const struct string_match *subjects;
	struct jwks keys;
	int64_t skew_s;
	struct str payload_header; /* or absent */
	struct claim_header *claims;
	size_t n_claims;
	struct memo *memo; /* of struct verified, under the token */
};

enum place_kind { PLACE_HEADER, PLACE_PARAM, PLACE_COOKIE };

/* Where tokens are looked for, and whose may be there. */
struct token_place {
	enum place_kind kind;
	struct str name, prefix;
	const struct provider **providers;
	size_t n_providers;
};

enum requirement_kind {
	REQUIRE_NOTHING,
	REQUIRE_TOKEN,
	REQUIRE_ANY,
	REQUIRE_ALL,
	REQUIRE_GOOD_IF_ANY, /* allow_missing */
	REQUIRE_LOOK_ONLY, /* allow_missing_or_failed */
};

struct requirement {
	enum requirement_kind kind;
	struct token_place *places; /* of the three that look at tokens */
	size_t n_places;
	const struct strings *audiences; /* in place of the provider's */
	struct requirement *children;
	size_t n_children;
};

struct rule {
	const struct route_match *match;
	bool by_path; /* the match looks at nothing but the path */
	const struct requirement *requires;
};

struct jwt_authn {
	const struct conf_jwt *conf;
	struct provider *providers;
	size_t n_providers;
	struct requirement *named; /* beside conf->requirement_map */
	struct rule *rules;
	struct str names; /* of requirement_map, for messages */
	int allowed, denied, bypassed, hits, misses;
};

/* What stays of a verified token. */
struct verified {
	const struct provider *provider;
	struct jws_date exp, nbf;
	struct strings audiences;
	struct header *headers; /* for the backend */
	size_t n_headers;
	struct str bad_header; /* whose value no header can have, or absent */
	struct str payload_json, header_json; /* for the metadata, or absent */
};

/* ---- configuring: providers ---- */

/* Audiences are compared without scheme and without a slash at the end. */
static struct str
plain_audience(struct str audience)
{
	if (str_starts(audience, STR("https://")))
		audience = str_slice(audience, 8, audience.len);
	else if (str_starts(audience, STR("http://")))
		audience = str_slice(audience, 7, audience.len);
	if (str_ends(audience, STR("/")))
		audience = str_slice(audience, 0, audience.len - 1);
	return audience;
}

static struct strings
plain_audiences(struct arena *arena, const conf_strings *conf)
{
	struct str *items = ARENA_ARRAY(arena, conf->n + 1, struct str);

	for (size_t i = 0; i < conf->n; i++)
		items[i] = plain_audience(conf->items[i]);
	return (struct strings){ items, conf->n };
}

static struct str
header_name(struct setup *s, const struct node *node, struct str name)
{
	name = header_name_lower(host_setup_arena(s), name);
	if (!header_name_is_valid(name) || str_eq(name, STR("host")))
		host_setup_error(s, node,
		    "\"" STR_FMT "\" cannot be set as a header", STR_ARG(name));
	return name;
}

static void
read_keys(struct setup *s, struct provider *p)
{
	const struct conf_data_source *source = p->conf->local_jwks;
	struct str text = host_setup_data(s, source, KEYS_MAX);
	const char *why;

	if (!text.ptr)
		return;
	if (jwks_parse(host_setup_arena(s), text, &p->keys, &why)) {
		host_setup_error(s, source->node,
		    "Provider '" STR_FMT
		    "' in jwt_authn config has invalid local jwks: %s",
		    STR_ARG(p->name), why);
		return;
	}
	for (size_t i = 0; i < p->keys.n_warnings; i++)
		host_setup_warn(s, source->node,
		    "provider '" STR_FMT "', local_jwks: " STR_FMT,
		    STR_ARG(p->name), STR_ARG(p->keys.warnings[i]));
}

static void
build_memo(struct setup *s, struct provider *p)
{
	const struct conf_jwt_cache *conf = p->conf->jwt_cache_config;
	uint32_t n = conf ? conf->jwt_cache_size : 0;
	uint32_t len = conf ? conf->jwt_max_token_size : 0;

	p->memo = memo_new(host_setup_arena(s), n ? n : REMEMBERED,
	    len ? len : REMEMBERED_LEN_MAX);
}

static void
build_provider(struct setup *s, struct provider *p)
{
	struct arena *arena = host_setup_arena(s);
	const struct conf_jwt_provider *conf = p->conf;
	struct diag *diag = diag_new(arena);

	p->audiences = plain_audiences(arena, &conf->audiences);
	p->skew_s =
	    conf->clock_skew_seconds ? conf->clock_skew_seconds : SKEW_S;
	if (conf->subjects) {
		p->subjects = string_match_build(arena, conf->subjects, diag);
		if (!p->subjects)
			host_setup_error(s, conf->subjects->node, "%s",
			    diag_message(diag, 0));
	}
	if (conf->forward_payload_header.len)
		p->payload_header =
		    header_name(s, conf->node, conf->forward_payload_header);
	p->n_claims = conf->claim_to_headers.n;
	p->claims = ARENA_ARRAY(arena, p->n_claims + 1, struct claim_header);
	for (size_t i = 0; i < p->n_claims; i++) {
		const struct conf_jwt_claim *claim =
		    &conf->claim_to_headers.items[i];
		p->claims[i].header =
		    header_name(s, claim->node, claim->header_name);
		p->claims[i].claim = claim->claim_name;
	}
	read_keys(s, p);
	build_memo(s, p);
}

static void
build_providers(struct setup *s, struct jwt_authn *jwt)
{
	const struct map *map = &jwt->conf->providers;

	jwt->n_providers = map->n;
	jwt->providers =
	    ARENA_ARRAY(host_setup_arena(s), map->n + 1, struct provider);
	for (size_t i = 0; i < map->n; i++) {
		jwt->providers[i].name = map->items[i].key;
		jwt->providers[i].conf = map->items[i].value;
		build_provider(s, &jwt->providers[i]);
	}
}

static const struct provider *
find_provider(struct setup *s, const struct jwt_authn *jwt,
    const struct node *node, struct str name)
{
	for (size_t i = 0; i < jwt->n_providers; i++)
		if (str_eq(jwt->providers[i].name, name))
			return &jwt->providers[i];
	host_setup_error(s, node,
	    "Required provider ['" STR_FMT "'] is not configured.",
	    STR_ARG(name));
	return NULL;
}

/* ---- configuring: where tokens are ---- */

static int
compare_places(const struct token_place *a, const struct token_place *b)
{
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	order = str_cmp(a->name, b->name);
	return order ? order : str_cmp(a->prefix, b->prefix);
}

/* Adds a provider to a place; places stay sorted, as Envoy has them. */
static void
add_place(struct arena *arena, struct requirement *r,
    const struct provider *provider, struct token_place place)
{
	struct token_place *grown, *p;
	const struct provider **providers;
	size_t at = 0;

	while (at < r->n_places && compare_places(&r->places[at], &place) < 0)
		at++;
	if (at == r->n_places || compare_places(&r->places[at], &place)) {
		grown = ARENA_ARRAY(arena, r->n_places + 1, struct token_place);
		for (size_t i = 0; i < r->n_places; i++)
			grown[i + (i >= at)] = r->places[i];
		grown[at] = place;
		r->places = grown;
		r->n_places++;
	}
	p = &r->places[at];
	providers =
	    ARENA_ARRAY(arena, p->n_providers + 1, const struct provider *);
	for (size_t i = 0; i < p->n_providers; i++)
		providers[i] = p->providers[i];
	providers[p->n_providers++] = provider;
	p->providers = providers;
}

static void
add_places(struct arena *arena, struct requirement *r, const struct provider *p)
{
	const struct conf_jwt_provider *conf = p->conf;

	for (size_t i = 0; i < conf->from_headers.n; i++)
		add_place(arena, r, p,
		    (struct token_place){ .kind = PLACE_HEADER,
			.name = header_name_lower(
			    arena, conf->from_headers.items[i].name),
			.prefix = conf->from_headers.items[i].value_prefix });
	for (size_t i = 0; i < conf->from_params.n; i++)
		add_place(arena, r, p,
		    (struct token_place){ .kind = PLACE_PARAM,
			.name = conf->from_params.items[i] });
	for (size_t i = 0; i < conf->from_cookies.n; i++)
		add_place(arena, r, p,
		    (struct token_place){ .kind = PLACE_COOKIE,
			.name = conf->from_cookies.items[i] });
	if (conf->from_headers.n || conf->from_params.n || conf->from_cookies.n)
		return;
	add_place(arena, r, p,
	    (struct token_place){ .kind = PLACE_HEADER,
		.name = STR("authorization"),
		.prefix = STR("Bearer ") });
	add_place(arena, r, p,
	    (struct token_place){
		.kind = PLACE_PARAM, .name = STR("access_token") });
}

/* ---- configuring: requirements ---- */

static void build_requirement(struct setup *, const struct jwt_authn *,
    const struct conf_jwt_requirement *, struct requirement *out);

static bool
lets_pass(const struct conf_jwt_requirement *conf)
{
	return conf->allow_missing || conf->allow_missing_or_failed;
}

static void
build_all(struct setup *s, const struct jwt_authn *jwt,
    const struct conf_jwt_requirements *conf, struct requirement *out)
{
	out->kind = REQUIRE_ALL;
	out->children = ARENA_ARRAY(
	    host_setup_arena(s), conf->requirements.n, struct requirement);
	for (size_t i = 0; i < conf->requirements.n; i++)
		build_requirement(s, jwt, &conf->requirements.items[i],
		    &out->children[out->n_children++]);
}

/*
 * What lets requests pass comes last, once, and looks only at tokens of the
 * providers that stand beside it.
 */
static void
build_any(struct setup *s, const struct jwt_authn *jwt,
    const struct conf_jwt_requirements *conf, struct requirement *out)
{
	struct arena *arena = host_setup_arena(s);
	struct requirement last = { .kind = REQUIRE_NOTHING };
	size_t n = conf->requirements.n;

	out->kind = REQUIRE_ANY;
	out->children = ARENA_ARRAY(arena, n, struct requirement);
	for (size_t i = 0; i < n; i++) {
		const struct conf_jwt_requirement *c =
		    &conf->requirements.items[i];
		struct str name = c->provider_and_audiences
				      ? c->provider_and_audiences->provider_name
				      : c->provider_name;
		const struct provider *p;

		if (c->allow_missing_or_failed)
			last.kind = REQUIRE_LOOK_ONLY;
		else if (c->allow_missing && last.kind == REQUIRE_NOTHING)
			last.kind = REQUIRE_GOOD_IF_ANY;
		if (lets_pass(c))
			continue;
		build_requirement(s, jwt, c, &out->children[out->n_children++]);
		p = name.ptr ? find_provider(s, jwt, c->node, name) : NULL;
		if (p)
			add_places(arena, &last, p);
	}
	if (last.kind != REQUIRE_NOTHING)
		out->children[out->n_children++] = last;
}

static void
build_token(struct setup *s, const struct jwt_authn *jwt,
    const struct conf_jwt_requirement *conf, struct requirement *out)
{
	struct arena *arena = host_setup_arena(s);
	const struct conf_jwt_audiences *more = conf->provider_and_audiences;
	const struct provider *p = find_provider(s, jwt, conf->node,
	    more ? more->provider_name : conf->provider_name);
	struct strings *audiences;

	out->kind = REQUIRE_TOKEN;
	if (p)
		add_places(arena, out, p);
	if (!more || !more->audiences.n)
		return;
	audiences = ARENA_NEW(arena, struct strings);
	*audiences = plain_audiences(arena, &more->audiences);
	out->audiences = audiences;
}

static void
build_requirement(struct setup *s, const struct jwt_authn *jwt,
    const struct conf_jwt_requirement *conf, struct requirement *out)
{
	if (conf->requires_any) {
		build_any(s, jwt, conf->requires_any, out);
	} else if (conf->requires_all) {
		build_all(s, jwt, conf->requires_all, out);
	} else if (lets_pass(conf)) {
		out->kind = conf->allow_missing ? REQUIRE_GOOD_IF_ANY
						: REQUIRE_LOOK_ONLY;
		for (size_t i = 0; i < jwt->n_providers; i++)
			add_places(
			    host_setup_arena(s), out, &jwt->providers[i]);
	} else if (conf->provider_and_audiences || conf->provider_name.ptr) {
		build_token(s, jwt, conf, out);
	}
}

static const struct requirement *
find_named(const struct jwt_authn *jwt, struct str name)
{
	const struct map *map = &jwt->conf->requirement_map;

	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->items[i].key, name))
			return &jwt->named[i];
	return NULL;
}

static void
build_named(struct setup *s, struct jwt_authn *jwt)
{
	struct arena *arena = host_setup_arena(s);
	const struct map *map = &jwt->conf->requirement_map;

	jwt->named = ARENA_ARRAY(arena, map->n + 1, struct requirement);
	jwt->names = STR("");
	for (size_t i = 0; i < map->n; i++) {
		build_requirement(s, jwt, map->items[i].value, &jwt->named[i]);
		jwt->names = arena_printf(arena, STR_FMT "%s" STR_FMT,
		    STR_ARG(jwt->names), i ? ", " : "",
		    STR_ARG(map->items[i].key));
	}
}

static void
build_rule(struct setup *s, const struct jwt_authn *jwt,
    const struct conf_jwt_rule *conf, struct rule *out)
{
	struct arena *arena = host_setup_arena(s);
	struct diag *diag = diag_new(arena);
	struct requirement *own;

	out->match = route_match_build(arena, conf->match, diag);
	if (!out->match)
		host_setup_error(s, conf->node, "%s", diag_message(diag, 0));
	out->by_path = !conf->match->headers.n;
	if (conf->requires) {
		own = ARENA_NEW(arena, struct requirement);
		build_requirement(s, jwt, conf->requires, own);
		out->requires = own;
	} else if (conf->requirement_name.ptr) {
		out->requires = find_named(jwt, conf->requirement_name);
		if (!out->requires)
			host_setup_error(s, conf->node,
			    "Wrong requirement_name: " STR_FMT
			    ". It should be one of [" STR_FMT "]",
			    STR_ARG(conf->requirement_name),
			    STR_ARG(jwt->names));
	}
}

static int
counter(struct setup *s, const struct conf_jwt *conf, const char *name)
{
	struct str full = arena_printf(host_setup_arena(s),
	    "jwt_authn." STR_FMT "%s%s", STR_ARG(conf->stat_prefix),
	    conf->stat_prefix.len ? "." : "", name);

	return host_setup_counter(s, full.ptr);
}

static const void *
configure(struct setup *s, const void *decoded)
{
	const struct conf_jwt *conf = decoded;
	struct jwt_authn *jwt =
	    ARENA_NEW(host_setup_arena(s), struct jwt_authn);

	jwt->conf = conf;
	build_providers(s, jwt);
	build_named(s, jwt);
	jwt->rules =
	    ARENA_ARRAY(host_setup_arena(s), conf->rules.n + 1, struct rule);
	for (size_t i = 0; i < conf->rules.n; i++)
		build_rule(s, jwt, &conf->rules.items[i], &jwt->rules[i]);
	jwt->allowed = counter(s, conf, "allowed");
	jwt->denied = counter(s, conf, "denied");
	jwt->bypassed = counter(s, conf, "cors_preflight_bypassed");
	jwt->hits = counter(s, conf, "jwt_cache_hit");
	jwt->misses = counter(s, conf, "jwt_cache_miss");
	return jwt;
}

static const void *
configure_route(struct setup *s, const void *decoded)
{
	const struct conf_jwt_route *conf = decoded;

	if (!conf->disabled && !conf->requirement_name.ptr)
		host_setup_error(
		    s, conf->node, "`disabled`: value must be true");
	return conf;
}

/* ---- one request ---- */

struct found {
	const struct token_place *place;
	struct str token;
};

/* A token that passed. Its effects wait until the request has passed. */
struct grant {
	const struct token_place *place;
	struct memo_item *item;
};

struct run {
	const struct jwt_authn *jwt;
	struct exchange *x;
	struct arena *arena;
	int64_t now_s;
	struct grant grants[TOKENS_MAX];
	size_t n_grants;
};

static void
drop_grants(struct run *run, size_t left)
{
	while (run->n_grants > left)
		memo_drop(run->grants[--run->n_grants].item);
}

/* ---- one request: finding tokens ---- */

static bool
is_token_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' ||
	       c == '.';
}

/* The token in a header's value; absent if the prefix is not in it. */
static struct str
token_in(struct str value, struct str prefix)
{
	size_t at, from;

	if (!prefix.len)
		return value;
	at = str_find(value, prefix, 0);
	if (at == value.len)
		return STR_NONE;
	for (from = at + prefix.len; from < value.len; from++)
		if (is_token_char(value.ptr[from]))
			return str_slice(value, from, value.len);
	return value;
}

static bool
add_found(struct found *list, size_t *n, const struct token_place *place,
    struct str token)
{
	if (!token.ptr)
		return true;
	if (*n == TOKENS_MAX)
		return false;
	list[(*n)++] = (struct found){ place, token };
	return true;
}

/* All tokens of a place; false when they are too many. */
static bool
look(struct run *run, const struct token_place *place, struct found *list,
    size_t *n)
{
	struct str name =
	    place->kind == PLACE_COOKIE ? STR("cookie") : place->name;
	struct str value, token = STR_NONE;

	if (place->kind == PLACE_PARAM) {
		value = host_header(run->x, HOST_REQUEST, STR(":path"), 0);
		return add_found(list, n, place,
		    params_query_get(run->arena, value, place->name));
	}
	for (size_t i = 0;; i++) {
		value = host_header(run->x, HOST_REQUEST, name, i);
		if (!value.ptr)
			return place->kind == PLACE_HEADER ||
			       add_found(list, n, place, token);
		if (place->kind == PLACE_COOKIE && !token.ptr)
			token = params_cookie_get(value, place->name);
		else if (place->kind == PLACE_HEADER &&
			 !add_found(
			     list, n, place, token_in(value, place->prefix)))
			return false;
	}
}

/* ---- one request: judging a token ---- */

static bool
has_audience(const struct strings *wanted, const struct strings *audiences)
{
	for (size_t i = 0; i < audiences->n; i++)
		for (size_t k = 0; k < wanted->n; k++)
			if (str_eq(plain_audience(audiences->items[i]),
				wanted->items[k]))
				return true;
	return wanted->n == 0;
}

/* What may change while a token is remembered, or with the requirement. */
static enum jws_status
check_claims(const struct run *run, const struct requirement *r,
    const struct provider *p, const struct verified *v)
{
	const struct conf_jwt_provider *conf = p->conf;
	enum jws_status status =
	    jws_check_time(v->exp, v->nbf, run->now_s, p->skew_s);

	if (status)
		return status;
	if (!has_audience(
		r->audiences ? r->audiences : &p->audiences, &v->audiences))
		return JWS_AUDIENCE_NOT_ALLOWED;
	if ((conf->require_expiration || conf->has_max_lifetime) &&
	    !v->exp.given)
		return JWS_VERIFICATION_FAILS;
	if (conf->has_max_lifetime && v->exp.seconds - (double)run->now_s >
					  (double)conf->max_lifetime / 1e9)
		return JWS_VERIFICATION_FAILS;
	return JWS_OK;
}

/* Whose token it is: of those that look here, by issuer, else by none. */
static const struct provider *
choose_provider(const struct token_place *place, struct str iss)
{
	const struct provider *any = NULL;

	for (size_t i = 0; i < place->n_providers; i++) {
		const struct provider *p = place->providers[i];

		if (p->conf->issuer.len && str_eq(p->conf->issuer, iss))
			return p;
		if (!p->conf->issuer.len && !any)
			any = p;
	}
	return any;
}

static void
grant_header(
    struct arena *own, struct verified *v, struct str name, struct str value)
{
	if (!value.len)
		return;
	if (!header_value_is_valid(value))
		v->bad_header = name;
	v->headers[v->n_headers++] =
	    (struct header){ name, arena_str(own, value) };
}

static struct str
payload_header_value(
    struct arena *arena, const struct provider *p, const struct jws *jws)
{
	static const char padding[] = "==";
	size_t missing = (4 - jws->payload_text.len % 4) % 4;

	return arena_printf(arena, STR_FMT "%.*s", STR_ARG(jws->payload_text),
	    p->conf->pad_forward_payload_header ? (int)missing : 0, padding);
}

static struct str
payload_for_metadata(
    struct arena *arena, const struct provider *p, const struct jws *jws)
{
	const struct conf_jwt_normalize *normalize =
	    p->conf->normalize_payload_in_metadata;

	if (!p->conf->payload_in_metadata.len)
		return STR_NONE;
	if (!normalize || !normalize->space_delimited_claims.n)
		return jws->payload_json;
	return claims_json_with_lists(arena, jws->claims,
	    normalize->space_delimited_claims.items,
	    normalize->space_delimited_claims.n);
}

/* An item that holds what the provider hands on, apart from the request. */
static struct memo_item *
remember(struct run *run, const struct provider *p, const struct jws *jws,
    struct str token)
{
	struct arena *own = arena_new(1024);
	struct verified *v = ARENA_NEW(own, struct verified);
	struct str *audiences =
	    ARENA_ARRAY(own, jws->n_audiences + 1, struct str);

	v->provider = p;
	v->exp = jws->exp;
	v->nbf = jws->nbf;
	for (size_t i = 0; i < jws->n_audiences; i++)
		audiences[i] = arena_str(own, jws->audiences[i]);
	v->audiences = (struct strings){ audiences, jws->n_audiences };
	v->headers = ARENA_ARRAY(own, p->n_claims + 1, struct header);
	if (p->payload_header.ptr)
		grant_header(own, v, p->payload_header,
		    payload_header_value(run->arena, p, jws));
	for (size_t i = 0; i < p->n_claims; i++)
		grant_header(own, v, p->claims[i].header,
		    claims_header(run->arena, jws->claims, p->claims[i].claim));
	v->payload_json =
	    arena_str(own, payload_for_metadata(run->arena, p, jws));
	if (p->conf->header_in_metadata.len)
		v->header_json = arena_str(own, jws->header_json);
	return memo_item_new(own, p, token, v);
}

static enum jws_status
verify(struct run *run, const struct requirement *r, const struct found *found,
    struct memo_item **out)
{
	const struct provider *p;
	struct verified claims;
	enum jws_status status;
	struct jws jws;

	status = jws_parse(run->arena, found->token, &jws);
	if (status)
		return status;
	p = choose_provider(found->place, jws.iss);
	if (!p)
		return JWS_UNKNOWN_ISSUER;
	claims = (struct verified){ .exp = jws.exp,
		.nbf = jws.nbf,
		.audiences = { jws.audiences, jws.n_audiences } };
	status = check_claims(run, r, p, &claims);
	if (!status && p->subjects && !string_match_holds(p->subjects, jws.sub))
		status = JWS_VERIFICATION_FAILS;
	if (!status)
		status = jws_verify(&jws, &p->keys);
	if (status)
		return status;
	*out = remember(run, p, &jws, found->token);
	memo_keep(p->memo, *out);
	return JWS_OK;
}

/* A remembered token; only where no other provider could claim it. */
static struct memo_item *
recall(struct run *run, const struct found *found)
{
	const struct provider *p = found->place->providers[0];
	struct memo_item *item;

	if (found->place->n_providers > 1)
		return NULL;
	item = memo_find(p->memo, p, found->token);
	host_count(run->x, item ? run->jwt->hits : run->jwt->misses, 1);
	return item;
}

static enum jws_status
judge(struct run *run, const struct requirement *r, const struct found *found)
{
	const struct verified *v;
	struct memo_item *item = recall(run, found);
	enum jws_status status;

	if (item) {
		v = memo_value(item);
		status = check_claims(run, r, v->provider, v);
	} else {
		status = verify(run, r, found, &item);
	}
	if (!status && run->n_grants == TOKENS_MAX)
		status = JWS_MULTIPLE;
	if (!status)
		run->grants[run->n_grants++] =
		    (struct grant){ found->place, item };
	else if (item)
		memo_drop(item);
	return status;
}

/* ---- one request: requirements ---- */

/*
 * All tokens that are there must be good: a backend might look at another
 * one than we did. As in Envoy the last one found is judged first.
 */
static enum jws_status
check_tokens(struct run *run, const struct requirement *r)
{
	struct found found[TOKENS_MAX];
	enum jws_status status;
	size_t n = 0;

	for (size_t i = 0; i < r->n_places; i++)
		if (!look(run, &r->places[i], found, &n))
			return JWS_MULTIPLE;
	if (n == 0)
		return r->kind == REQUIRE_TOKEN ? JWS_MISSING : JWS_OK;
	while (n > 0) {
		status = judge(run, r, &found[--n]);
		if (status && r->kind != REQUIRE_LOOK_ONLY)
			return status;
	}
	return JWS_OK;
}

/* Of two refusals the one that says more. */
static enum jws_status
more_telling(enum jws_status a, enum jws_status b)
{
	if (a == JWS_OK || a == JWS_MISSING)
		return b;
	if (a == JWS_UNKNOWN_ISSUER && b != JWS_MISSING)
		return b;
	return b == JWS_MISSING || b == JWS_UNKNOWN_ISSUER ? a : b;
}

static enum jws_status check(struct run *, const struct requirement *);

static enum jws_status
check_any(struct run *run, const struct requirement *r)
{
	enum jws_status status, worst = JWS_OK;

	for (size_t i = 0; i < r->n_children; i++) {
		status = check(run, &r->children[i]);
		if (!status)
			return JWS_OK;
		worst = more_telling(worst, status);
	}
	return worst;
}

static enum jws_status
check_all(struct run *run, const struct requirement *r)
{
	enum jws_status status;

	for (size_t i = 0; i < r->n_children; i++) {
		status = check(run, &r->children[i]);
		if (status)
			return status;
	}
	return JWS_OK;
}

/* The depth is bounded by that of the configuration. */
static enum jws_status
check(struct run *run, const struct requirement *r)
{
	size_t before = run->n_grants;
	enum jws_status status = JWS_OK;

	switch (r->kind) {
	case REQUIRE_NOTHING:
		break;
	case REQUIRE_ANY:
		status = check_any(run, r);
		break;
	case REQUIRE_ALL:
		status = check_all(run, r);
		break;
	case REQUIRE_TOKEN:
	case REQUIRE_GOOD_IF_ANY:
	case REQUIRE_LOOK_ONLY:
		status = check_tokens(run, r);
		break;
	}
	if (status)
		drop_grants(run, before);
	return status;
}

/* ---- one request: what follows ---- */

/* Clients must not speak in the name of a provider, with or without a token. */
static void
remove_claim_headers(const struct jwt_authn *jwt, struct exchange *x)
{
	for (size_t i = 0; i < jwt->n_providers; i++) {
		const struct provider *p = &jwt->providers[i];

		if (p->payload_header.ptr)
			host_header_remove(x, HOST_REQUEST, p->payload_header);
		for (size_t k = 0; k < p->n_claims; k++)
			host_header_remove(
			    x, HOST_REQUEST, p->claims[k].header);
	}
}

static void
remove_token(struct run *run, const struct token_place *place)
{
	struct str target;

	switch (place->kind) {
	case PLACE_HEADER:
		host_header_remove(run->x, HOST_REQUEST, place->name);
		break;
	case PLACE_PARAM:
		target = host_header(run->x, HOST_REQUEST, STR(":path"), 0);
		host_header_set(run->x, HOST_REQUEST, STR(":path"),
		    params_query_without(run->arena, target, place->name));
		break;
	case PLACE_COOKIE:
		break;
	}
}

static void
apply(struct run *run, const struct grant *grant)
{
	const struct verified *v = memo_value(grant->item);
	const struct conf_jwt_provider *conf = v->provider->conf;

	for (size_t i = 0; i < v->n_headers; i++)
		host_header_add(run->x, HOST_REQUEST, v->headers[i].name,
		    v->headers[i].value);
	if (!conf->forward)
		remove_token(run, grant->place);
	if (v->header_json.ptr)
		host_metadata_set_json(run->x, METADATA_NAMESPACE,
		    conf->header_in_metadata,
		    host_keep(run->x, v->header_json));
	if (v->payload_json.ptr)
		host_metadata_set_json(run->x, METADATA_NAMESPACE,
		    conf->payload_in_metadata,
		    host_keep(run->x, v->payload_json));
	if (conf->clear_route_cache && (v->n_headers || v->payload_json.ptr))
		host_reroute(run->x);
}

static enum verdict
reply(const struct jwt_authn *jwt, struct exchange *x, unsigned status,
    struct str text, struct str challenge)
{
	struct header field = { STR("www-authenticate"), challenge };
	char *reason = arena_cstr(host_arena(x), text);
	struct host_reply answer = { .status = status, .body = text };

	for (char *c = reason; *c; c++)
		if (*c == ' ')
			*c = '_';
	answer.details =
	    arena_printf(host_arena(x), "jwt_authn_access_denied{%s}", reason);
	if (jwt->conf->strip_failure_response)
		answer.body = STR_NONE;
	else if (challenge.len)
		answer.headers = &field, answer.n_headers = 1;
	host_count(x, jwt->denied, 1);
	host_reply(x, &answer);
	return FILTER_REPLY;
}

/* s as the inside of a quoted string (RFC 9110 section 5.6.4). */
static struct str
quoted(struct arena *arena, struct str s)
{
	char *out = arena_alloc(arena, 2 * s.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"' || s.ptr[i] == '\\')
			out[len++] = '\\';
		out[len++] = s.ptr[i];
	}
	return (struct str){ out, len };
}

/* RFC 6750 section 3. The query stays out: a token may stand in it. */
static struct str
challenge(struct exchange *x, enum jws_status status)
{
	struct arena *arena = host_arena(x);
	struct str scheme =
	    host_header(x, HOST_REQUEST, STR("x-forwarded-proto"), 0);
	struct str host = host_header(x, HOST_REQUEST, STR(":authority"), 0);
	struct str target =
	    host_header(x, HOST_REQUEST, STR("x-envoy-original-path"), 0);
	struct str url;

	if (!scheme.len)
		scheme = host_attribute(x, HOST_SCHEME);
	if (!target.len)
		target = host_header(x, HOST_REQUEST, STR(":path"), 0);
	target = str_slice(target_path(target), 0, REALM_PATH_MAX);
	url = arena_printf(arena, STR_FMT "://" STR_FMT STR_FMT,
	    STR_ARG(scheme), STR_ARG(host), STR_ARG(target));
	url = quoted(arena, url);
	return arena_printf(arena, "Bearer realm=\"" STR_FMT "\"%s",
	    STR_ARG(url),
	    status == JWS_MISSING ? "" : ", error=\"invalid_token\"");
}

static enum verdict
pass(struct run *run)
{
	struct exchange *x = run->x;

	for (size_t i = 0; i < run->n_grants; i++) {
		const struct verified *v = memo_value(run->grants[i].item);
		struct str text;

		if (!v->bad_header.ptr)
			continue;
		text = arena_printf(run->arena,
		    "invalid header value for: " STR_FMT,
		    STR_ARG(v->bad_header));
		drop_grants(run, 0);
		return reply(run->jwt, x, 503, text, STR_NONE);
	}
	for (size_t i = 0; i < run->n_grants; i++)
		apply(run, &run->grants[i]);
	drop_grants(run, 0);
	host_count(x, run->jwt->allowed, 1);
	return FILTER_NEXT;
}

static enum verdict
require(const struct jwt_authn *jwt, struct exchange *x,
    const struct requirement *r)
{
	struct run run = { .jwt = jwt,
		.x = x,
		.arena = host_arena(x),
		.now_s = host_wall_ns(x) / 1000000000 };
	enum jws_status status = r ? check(&run, r) : JWS_OK;
	unsigned code = status == JWS_AUDIENCE_NOT_ALLOWED ? 403 : 401;

	if (!status)
		return pass(&run);
	return reply(jwt, x, code, str_of(jws_status_text(status)),
	    challenge(x, status));
}

/* The request's headers for a matcher; the path alone where that is enough. */
static struct headers
headers_for(struct exchange *x, const struct rule *rule)
{
	const struct header *all;
	struct headers headers;
	size_t n;

	headers_init(&headers, host_arena(x));
	if (rule->by_path) {
		headers_add(&headers, STR(":path"),
		    host_header(x, HOST_REQUEST, STR(":path"), 0));
		return headers;
	}
	all = host_headers(x, HOST_REQUEST, &n);
	for (size_t i = 0; i < n; i++)
		headers_add(&headers, all[i].name, all[i].value);
	return headers;
}

static const struct requirement *
required_by_rules(const struct jwt_authn *jwt, struct exchange *x)
{
	uint64_t random = host_random(x, UINT64_MAX);

	for (size_t i = 0; i < jwt->conf->rules.n; i++) {
		const struct rule *rule = &jwt->rules[i];
		struct headers headers = headers_for(x, rule);

		if (route_match_holds(rule->match, &headers, random))
		return rule->requires;
	}
	return NULL;
}

static bool
is_preflight(struct exchange *x)
{
	return str_eq(host_header(x, HOST_REQUEST, STR(":method"), 0),
		   STR("OPTIONS")) &&
	       host_header(x, HOST_REQUEST, STR("origin"), 0).len &&
	       host_header(
		   x, HOST_REQUEST, STR("access-control-request-method"), 0)
		   .len;
}

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	const struct jwt_authn *jwt = conf;
	const struct conf_jwt_route *route = host_route_conf(x);
	const struct requirement *r;

	(void)state;
	remove_claim_headers(jwt, x);
	if (jwt->conf->bypass_cors_preflight && is_preflight(x)) {
		host_count(x, jwt->bypassed, 1);
		return require(jwt, x, NULL);
	}
	if (!route)
		return require(jwt, x, required_by_rules(jwt, x));
	if (route->disabled)
		return require(jwt, x, NULL);
	r = find_named(jwt, route->requirement_name);
	if (r)
		return require(jwt, x, r);
	return reply(jwt, x, 403,
	    arena_printf(host_arena(x),
		"Failed JWT authentication: Wrong requirement_name: " STR_FMT
		". It should be one of [" STR_FMT "]",
		STR_ARG(route->requirement_name), STR_ARG(jwt->names)),
	    STR_NONE);
}

const struct filter filter_jwt_authn = {
	.name = "envoy.filters.http.jwt_authn",
	.conf = &filter_message,
	.route_conf = &route_message,
	.configure = configure,
	.configure_route = configure_route,
	.on_request = on_request,
};
