/*
 * JSON Web Tokens: finds the tokens that a rule asks for, has them verified
 * (http/jws), checks their claims, and hands on what the providers name.
 * Verified tokens are remembered, so a token in steady use costs a lookup;
 * its time and audience are checked each time all the same.
 */
#include "config.h"

#include "chain/filter.h"
#include "chain/jwt.h"
#include "chain/jwt_verified.h"
#include "http/params.h"
#include "http/target.h"

#define METADATA_NAMESPACE STR("envoy.filters.http.jwt_authn")

enum {
	TOKENS_MAX = 16, /* that one request may carry */
	REALM_PATH_MAX = 256,
};

struct jwt_authn {
	const struct jwt_rules *rules;
	int allowed, denied, bypassed, hits, misses;
};

/* ---- configuration ---- */

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

	jwt->rules = jwt_rules_build(s, conf);
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
	const struct jwt_place *place;
	struct str token;
};

/* A token that passed. Its effects wait until the request has passed. */
struct grant {
	const struct jwt_place *place;
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
add_found(struct found *list, size_t *n, const struct jwt_place *place,
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
look(struct run *run, const struct jwt_place *place, struct found *list,
    size_t *n)
{
	struct str name =
	    place->kind == JWT_PLACE_COOKIE ? STR("cookie") : place->name;
	struct str value, token = STR_NONE;

	if (place->kind == JWT_PLACE_PARAM) {
		value = host_header(run->x, HOST_REQUEST, STR(":path"), 0);
		return add_found(list, n, place,
		    params_query_get(run->arena, value, place->name));
	}
	for (size_t i = 0;; i++) {
		value = host_header(run->x, HOST_REQUEST, name, i);
		if (!value.ptr)
			return place->kind == JWT_PLACE_HEADER ||
			       add_found(list, n, place, token);
		if (place->kind == JWT_PLACE_COOKIE && !token.ptr)
			token = params_cookie_get(value, place->name);
		else if (place->kind == JWT_PLACE_HEADER &&
			 !add_found(
			     list, n, place, token_in(value, place->prefix)))
			return false;
	}
}

/* ---- one request: judging a token ---- */

/* Whose token it is: of those that look here, by issuer, else by none. */
static const struct jwt_provider *
choose_provider(const struct jwt_place *place, struct str iss)
{
	const struct jwt_provider *any = NULL;

	for (size_t i = 0; i < place->n_providers; i++) {
		const struct jwt_provider *p = place->providers[i];

		if (p->conf->issuer.len && str_eq(p->conf->issuer, iss))
			return p;
		if (!p->conf->issuer.len && !any)
			any = p;
	}
	return any;
}

/* whose becomes the provider whose token it says to be. */
static enum jws_status
verify(struct run *run, const struct jwt_requirement *r,
    const struct found *found, const struct jwt_provider **whose,
    struct memo_item **out)
{
	const struct jwt_provider *p;
	enum jws_status status;
	struct jws jws;

	status = jws_parse(run->arena, found->token, &jws);
	if (status)
		return status;
	p = choose_provider(found->place, jws.iss);
	if (!p)
		return JWS_UNKNOWN_ISSUER;
	*whose = p;
	status = jwt_check_claims(p, r->audiences,
	    &(struct jwt_claims){
		jws.exp, jws.nbf, { jws.audiences, jws.n_audiences } },
	    run->now_s);
	if (!status && p->subjects && !string_match_holds(p->subjects, jws.sub))
		status = JWS_VERIFICATION_FAILS;
	if (!status)
		status = jws_verify(&jws, &p->keys);
	if (status)
		return status;
	*out = jwt_verified_item(run->arena, p, &jws, found->token);
	memo_keep(p->memo, *out);
	return JWS_OK;
}

/*
 * A remembered token; only where no other provider could claim it. Counted
 * is what Envoy would find, which remembers only when told to.
 */
static struct memo_item *
recall(
    struct run *run, const struct jwt_requirement *r, const struct found *found)
{
	const struct jwt_provider *p = found->place->providers[0];
	struct memo_item *item;
	bool hit;

	if (found->place->n_providers > 1)
		return NULL;
	item = memo_find(p->memo, p, found->token);
	hit = item && p->conf->jwt_cache_config;
	if (r->kind == JWT_REQUIRE_TOKEN)
		host_count(run->x, hit ? run->jwt->hits : run->jwt->misses, 1);
	return item;
}

static void
tell_passed(struct run *run, const struct jwt_verified *v)
{
	const struct conf_jwt_provider *conf = v->provider->conf;

	if (v->header_json.ptr)
		host_metadata_set_json(run->x, METADATA_NAMESPACE,
		    conf->header_in_metadata,
		    host_keep(run->x, v->header_json));
	if (v->payload_json.ptr)
		host_metadata_set_json(run->x, METADATA_NAMESPACE,
		    conf->payload_in_metadata,
		    host_keep(run->x, v->payload_json));
}

static void
tell_failed(
    struct run *run, const struct jwt_provider *p, enum jws_status status)
{
	if (!p || !p->conf->failed_status_in_metadata.len)
		return;
	host_metadata_set_json(run->x, METADATA_NAMESPACE,
	    p->conf->failed_status_in_metadata,
	    arena_printf(run->arena, "{\"code\":%u,\"message\":\"%s\"}",
		(unsigned)status, jws_status_text(status)));
}

/* The metadata tells of every token, whatever becomes of the request. */
static enum jws_status
judge(
    struct run *run, const struct jwt_requirement *r, const struct found *found)
{
	const struct jwt_provider *whose =
	    r->kind == JWT_REQUIRE_TOKEN ? found->place->providers[0] : NULL;
	const struct jwt_verified *v;
	struct memo_item *item = recall(run, r, found);
	enum jws_status status;

	if (item) {
		v = memo_value(item);
		whose = v->provider;
		status = jwt_check_claims(
		    whose, r->audiences, &v->claims, run->now_s);
	} else {
		status = verify(run, r, found, &whose, &item);
	}
	if (!status && run->n_grants == TOKENS_MAX)
		status = JWS_MULTIPLE;
	if (status) {
		tell_failed(run, whose, status);
		if (item)
			memo_drop(item);
		return status;
	}
	tell_passed(run, memo_value(item));
	run->grants[run->n_grants++] = (struct grant){ found->place, item };
	return JWS_OK;
}

/* ---- one request: requirements ---- */

/*
 * All tokens that are there must be good: a backend might look at another
 * one than we did. As in Envoy the last one found is judged first.
 */
static enum jws_status
check_tokens(struct run *run, const struct jwt_requirement *r)
{
	struct found found[TOKENS_MAX];
	enum jws_status status;
	size_t n = 0;

	for (size_t i = 0; i < r->n_places; i++)
		if (!look(run, &r->places[i], found, &n))
			return JWS_MULTIPLE;
	if (n == 0)
		return r->kind == JWT_REQUIRE_TOKEN ? JWS_MISSING : JWS_OK;
	while (n > 0) {
		status = judge(run, r, &found[--n]);
		if (status && r->kind != JWT_REQUIRE_LOOK_ONLY)
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

static enum jws_status check(struct run *, const struct jwt_requirement *);

static enum jws_status
check_any(struct run *run, const struct jwt_requirement *r)
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
check_all(struct run *run, const struct jwt_requirement *r)
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
check(struct run *run, const struct jwt_requirement *r)
{
	size_t before = run->n_grants;
	enum jws_status status = JWS_OK;

	switch (r->kind) {
	case JWT_REQUIRE_NOTHING:
		break;
	case JWT_REQUIRE_ANY:
		status = check_any(run, r);
		break;
	case JWT_REQUIRE_ALL:
		status = check_all(run, r);
		break;
	case JWT_REQUIRE_TOKEN:
	case JWT_REQUIRE_GOOD_IF_ANY:
	case JWT_REQUIRE_LOOK_ONLY:
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
	for (size_t i = 0; i < jwt->rules->n_providers; i++) {
		const struct jwt_provider *p = &jwt->rules->providers[i];

		if (p->payload_header.ptr)
			host_header_remove(x, HOST_REQUEST, p->payload_header);
		for (size_t k = 0; k < p->n_claims; k++)
			host_header_remove(
			    x, HOST_REQUEST, p->claims[k].header);
	}
}

static void
remove_token(struct run *run, const struct jwt_place *place)
{
	struct str target;

	switch (place->kind) {
	case JWT_PLACE_HEADER:
		host_header_remove(run->x, HOST_REQUEST, place->name);
		break;
	case JWT_PLACE_PARAM:
		target = host_header(run->x, HOST_REQUEST, STR(":path"), 0);
		host_header_set(run->x, HOST_REQUEST, STR(":path"),
		    params_query_without(run->arena, target, place->name));
		break;
	case JWT_PLACE_COOKIE:
		break;
	}
}

static void
apply(struct run *run, const struct grant *grant)
{
	const struct jwt_verified *v = memo_value(grant->item);
	const struct conf_jwt_provider *conf = v->provider->conf;

	for (size_t i = 0; i < v->n_headers; i++)
		host_header_add(run->x, HOST_REQUEST, v->headers[i].name,
		    v->headers[i].value);
	if (!conf->forward)
		remove_token(run, grant->place);
	if (conf->clear_route_cache && (v->n_headers || v->payload_json.ptr))
		host_reroute(run->x);
}

/* why stands in the details of the log. */
static enum verdict
reply(const struct jwt_authn *jwt, struct exchange *x, unsigned status,
    struct str text, struct str why, struct str challenge)
{
	struct header field = { STR("www-authenticate"), challenge };
	char *reason = arena_cstr(host_arena(x), why);
	struct host_reply answer = { .status = status, .body = text };

	for (char *c = reason; *c; c++)
		if (*c == ' ')
			*c = '_';
	answer.details =
	    arena_printf(host_arena(x), "jwt_authn_access_denied{%s}", reason);
	if (jwt->rules->conf->strip_failure_response)
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
		const struct jwt_verified *v = memo_value(run->grants[i].item);
		struct str text;

		if (!v->bad_header.ptr)
			continue;
		text = arena_printf(run->arena,
		    "invalid header value for: " STR_FMT,
		    STR_ARG(v->bad_header));
		drop_grants(run, 0);
		return reply(run->jwt, x, 503, text, text, STR_NONE);
	}
	for (size_t i = 0; i < run->n_grants; i++)
		apply(run, &run->grants[i]);
	drop_grants(run, 0);
	host_count(x, run->jwt->allowed, 1);
	return FILTER_NEXT;
}

static enum verdict
require(const struct jwt_authn *jwt, struct exchange *x,
    const struct jwt_requirement *r)
{
	struct run run = { .jwt = jwt,
		.x = x,
		.arena = host_arena(x),
		.now_s = host_wall_ns(x) / 1000000000 };
	enum jws_status status = r ? check(&run, r) : JWS_OK;
	unsigned code = status == JWS_AUDIENCE_NOT_ALLOWED ? 403 : 401;
	struct str text;

	if (!status)
		return pass(&run);
	text = str_of(jws_status_text(status));
	return reply(jwt, x, code, text, text, challenge(x, status));
}

/* The request's headers for a matcher; the path alone where that is enough. */
static struct headers
headers_for(struct exchange *x, const struct jwt_rule *rule)
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

static const struct jwt_requirement *
required_by_rules(const struct jwt_authn *jwt, struct exchange *x)
{
	uint64_t random = host_random(x, UINT64_MAX);

	for (size_t i = 0; i < jwt->rules->conf->rules.n; i++) {
		const struct jwt_rule *rule = &jwt->rules->rules[i];
		struct headers headers = headers_for(x, rule);

		if (!route_match_request(rule->match, &headers, random))
			continue;
		host_decided_by(x, jwt->rules->conf->rules.items[i].node);
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
	const struct jwt_requirement *r;
	struct str why;

	(void)state;
	remove_claim_headers(jwt, x);
	if (jwt->rules->conf->bypass_cors_preflight && is_preflight(x)) {
		host_count(x, jwt->bypassed, 1);
		return require(jwt, x, NULL);
	}
	if (!route)
		return require(jwt, x, required_by_rules(jwt, x));
	if (route->disabled)
		return require(jwt, x, NULL);
	r = jwt_rules_named(jwt->rules, route->requirement_name);
	if (r)
		return require(jwt, x, r);
	why = arena_printf(host_arena(x),
	    "Wrong requirement_name: " STR_FMT ". It should be one of [" STR_FMT
	    "]",
	    STR_ARG(route->requirement_name), STR_ARG(jwt->rules->names));
	return reply(jwt, x, 403,
	    arena_printf(host_arena(x), "Failed JWT authentication: " STR_FMT,
		STR_ARG(why)),
	    why, STR_NONE);
}

const struct filter filter_jwt_authn = {
	.name = "envoy.filters.http.jwt_authn",
	.text = "Asks for a JSON Web Token, verifies it and hands its "
		"claims on. The algorithm is pinned to the key before "
		"anything is verified.",
	.short_form = "jwt: { jwks: { file: keys.json } }, and auth: jwt in a "
		      "route",
	.conf = &conf_jwt_message,
	.route_conf = &conf_jwt_route_message,
	.configure = configure,
	.configure_route = configure_route,
	.on_request = on_request,
};
