/*
 * What requests need which tokens: the configuration of the JWT filter,
 * compiled. Providers have their keys, requirements know where tokens are
 * looked for. All of it is constant and lives as long as the configuration.
 */
#ifndef SALLYPORT_CHAIN_JWT_H
#define SALLYPORT_CHAIN_JWT_H

#include "base/memo.h"
#include "chain/host.h"
#include "chain/routematch.h"
#include "config/jwt.h"
#include "http/jwk.h"
#include "http/jws.h"

struct jwt_strings {
	const struct str *items;
	size_t n;
};

struct jwt_claim_header {
	struct str header;
	struct jwt_strings path; /* of the claim */
};

struct jwt_provider {
	struct str name;
	const struct conf_jwt_provider *conf;
	struct jwt_strings audiences; /* in the form of jwt_plain_audience */
	const struct string_match *subjects;
	struct jwks keys;
	int64_t skew_s;
	struct str payload_header; /* or absent */
	struct jwt_claim_header *claims;
	size_t n_claims;
	struct memo *memo; /* of struct verified, under the token */
};

enum jwt_place_kind { JWT_PLACE_HEADER, JWT_PLACE_PARAM, JWT_PLACE_COOKIE };

/* Where tokens are looked for, and whose may be there. */
struct jwt_place {
	enum jwt_place_kind kind;
	struct str name, prefix;
	const struct jwt_provider **providers;
	size_t n_providers;
};

enum jwt_requirement_kind {
	JWT_REQUIRE_NOTHING,
	JWT_REQUIRE_TOKEN,
	JWT_REQUIRE_ANY,
	JWT_REQUIRE_ALL,
	JWT_REQUIRE_GOOD_IF_ANY, /* allow_missing */
	JWT_REQUIRE_LOOK_ONLY, /* allow_missing_or_failed */
};

struct jwt_requirement {
	enum jwt_requirement_kind kind;
	struct jwt_place *places; /* of the three that look at tokens */
	size_t n_places;
	const struct jwt_strings *audiences; /* in place of the provider's */
	struct jwt_requirement *children;
	size_t n_children;
};

struct jwt_rule {
	const struct route_match *match;
	bool by_path; /* the match looks at nothing but the path */
	const struct jwt_requirement *requires;
};

struct jwt_rules {
	const struct conf_jwt *conf;
	struct jwt_provider *providers;
	size_t n_providers;
	struct jwt_requirement *named; /* beside conf->requirement_map */
	struct jwt_rule *rules;
	struct str names; /* of requirement_map, for messages */
};

/* Compiles; what is wrong is said to the setup. */
const struct jwt_rules *jwt_rules_build(
    struct setup *, const struct conf_jwt *);

/* The requirement of that name in requirement_map, or NULL. */
const struct jwt_requirement *jwt_rules_named(
    const struct jwt_rules *, struct str name);

/* What a provider looks at beside issuer, subject and signature. */
struct jwt_claims {
	struct jws_date exp, nbf;
	struct jwt_strings audiences;
};

/*
 * Whether claims satisfy the provider at now_s (seconds since 1970);
 * audiences, unless NULL, stand in place of the provider's.
 */
enum jws_status jwt_check_claims(const struct jwt_provider *,
    const struct jwt_strings *audiences, const struct jwt_claims *,
    int64_t now_s);

/* Audiences are compared without scheme and without a slash at the end. */
struct str jwt_plain_audience(struct str audience);

#endif
