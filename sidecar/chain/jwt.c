/* From Envoy's messages to providers, places and requirements. */
#include "config.h"

#include "chain/jwt.h"

enum {
	KEYS_MAX = 1024 * 1024, /* bytes of a key set */
	SKEW_S = 60,
	REMEMBERED = 256,
	REMEMBERED_LEN_MAX = 4096,
};

/* ---- configuring: providers ---- */

struct str
jwt_plain_audience(struct str audience)
{
	if (str_starts(audience, STR("https://")))
		audience = str_slice(audience, 8, audience.len);
	else if (str_starts(audience, STR("http://")))
		audience = str_slice(audience, 7, audience.len);
	if (str_ends(audience, STR("/")))
		audience = str_slice(audience, 0, audience.len - 1);
	return audience;
}

static struct jwt_strings
plain_audiences(struct arena *arena, const conf_strings *conf)
{
	struct str *items = ARENA_ARRAY(arena, conf->n + 1, struct str);

	for (size_t i = 0; i < conf->n; i++)
		items[i] = jwt_plain_audience(conf->items[i]);
	return (struct jwt_strings){ items, conf->n };
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
read_keys(struct setup *s, struct jwt_provider *p)
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
build_memo(struct setup *s, struct jwt_provider *p)
{
	const struct conf_jwt_cache *conf = p->conf->jwt_cache_config;
	uint32_t n = conf ? conf->jwt_cache_size : 0;
	uint32_t len = conf ? conf->jwt_max_token_size : 0;

	p->memo = memo_new(host_setup_arena(s), n ? n : REMEMBERED,
	    len ? len : REMEMBERED_LEN_MAX);
}

/* claim_name is a path whose names are joined by dots. */
static struct jwt_strings
claim_path(struct setup *s, const struct jwt_provider *p,
    const struct conf_jwt_claim *conf)
{
	struct arena *arena = host_setup_arena(s);
	struct str rest = conf->claim_name;
	struct str *path =
	    ARENA_ARRAY(arena, rest.len + conf->claim_path.n + 1, struct str);
	size_t n = 0;

	if (!rest.len == !conf->claim_path.n)
		host_setup_error(s, conf->node,
		    "Provider '" STR_FMT
		    "' has a claim_to_headers entry for header '" STR_FMT
		    "' which does not set exactly one of claim_name and "
		    "claim_path",
		    STR_ARG(p->name), STR_ARG(conf->header_name));
	for (size_t i = 0; i < conf->claim_path.n; i++)
		path[n++] = conf->claim_path.items[i].key;
	while (!conf->claim_path.n && rest.ptr)
		path[n++] = str_split(&rest, '.');
	return (struct jwt_strings){ path, n };
}

static void
build_claims(struct setup *s, struct jwt_provider *p)
{
	const struct conf_jwt_claim *conf = p->conf->claim_to_headers.items;

	p->n_claims = p->conf->claim_to_headers.n;
	p->claims = ARENA_ARRAY(
	    host_setup_arena(s), p->n_claims + 1, struct jwt_claim_header);
	for (size_t i = 0; i < p->n_claims; i++) {
		p->claims[i].header =
		    header_name(s, conf[i].node, conf[i].header_name);
		p->claims[i].path = claim_path(s, p, &conf[i]);
	}
}

static void
build_provider(struct setup *s, struct jwt_provider *p)
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
	build_claims(s, p);
	read_keys(s, p);
	build_memo(s, p);
}

static void
build_providers(struct setup *s, struct jwt_rules *jwt)
{
	const struct map *map = &jwt->conf->providers;

	jwt->n_providers = map->n;
	jwt->providers =
	    ARENA_ARRAY(host_setup_arena(s), map->n + 1, struct jwt_provider);
	for (size_t i = 0; i < map->n; i++) {
		jwt->providers[i].name = map->items[i].key;
		jwt->providers[i].conf = map->items[i].value;
		build_provider(s, &jwt->providers[i]);
	}
}

static const struct jwt_provider *
find_provider(struct setup *s, const struct jwt_rules *jwt,
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
compare_places(const struct jwt_place *a, const struct jwt_place *b)
{
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	order = str_cmp(a->name, b->name);
	return order ? order : str_cmp(a->prefix, b->prefix);
}

/* Adds a provider to a place; places stay sorted, as Envoy has them. */
static void
add_place(struct arena *arena, struct jwt_requirement *r,
    const struct jwt_provider *provider, struct jwt_place place)
{
	struct jwt_place *grown, *p;
	const struct jwt_provider **providers;
	size_t at = 0;

	while (at < r->n_places && compare_places(&r->places[at], &place) < 0)
		at++;
	if (at == r->n_places || compare_places(&r->places[at], &place)) {
		grown = ARENA_ARRAY(arena, r->n_places + 1, struct jwt_place);
		for (size_t i = 0; i < r->n_places; i++)
			grown[i + (i >= at)] = r->places[i];
		grown[at] = place;
		r->places = grown;
		r->n_places++;
	}
	p = &r->places[at];
	providers =
	    ARENA_ARRAY(arena, p->n_providers + 1, const struct jwt_provider *);
	for (size_t i = 0; i < p->n_providers; i++)
		providers[i] = p->providers[i];
	providers[p->n_providers++] = provider;
	p->providers = providers;
}

static void
add_places(struct arena *arena, struct jwt_requirement *r,
    const struct jwt_provider *p)
{
	const struct conf_jwt_provider *conf = p->conf;

	for (size_t i = 0; i < conf->from_headers.n; i++)
		add_place(arena, r, p,
		    (struct jwt_place){ .kind = JWT_PLACE_HEADER,
			.name = header_name_lower(
			    arena, conf->from_headers.items[i].name),
			.prefix = conf->from_headers.items[i].value_prefix });
	for (size_t i = 0; i < conf->from_params.n; i++)
		add_place(arena, r, p,
		    (struct jwt_place){ .kind = JWT_PLACE_PARAM,
			.name = conf->from_params.items[i] });
	for (size_t i = 0; i < conf->from_cookies.n; i++)
		add_place(arena, r, p,
		    (struct jwt_place){ .kind = JWT_PLACE_COOKIE,
			.name = conf->from_cookies.items[i] });
	if (conf->from_headers.n || conf->from_params.n || conf->from_cookies.n)
		return;
	add_place(arena, r, p,
	    (struct jwt_place){ .kind = JWT_PLACE_HEADER,
		.name = STR("authorization"),
		.prefix = STR("Bearer ") });
	add_place(arena, r, p,
	    (struct jwt_place){
		.kind = JWT_PLACE_PARAM, .name = STR("access_token") });
}

/* ---- configuring: requirements ---- */

static void build_requirement(struct setup *, const struct jwt_rules *,
    const struct conf_jwt_requirement *, struct jwt_requirement *out);

static bool
lets_pass(const struct conf_jwt_requirement *conf)
{
	return conf->allow_missing || conf->allow_missing_or_failed;
}

static void
build_all(struct setup *s, const struct jwt_rules *jwt,
    const struct conf_jwt_requirements *conf, struct jwt_requirement *out)
{
	out->kind = JWT_REQUIRE_ALL;
	out->children = ARENA_ARRAY(
	    host_setup_arena(s), conf->requirements.n, struct jwt_requirement);
	for (size_t i = 0; i < conf->requirements.n; i++)
		build_requirement(s, jwt, &conf->requirements.items[i],
		    &out->children[out->n_children++]);
}

/*
 * What lets requests pass comes last, once. Where only missing tokens may,
 * it looks at those of the providers that stand beside it.
 */
static void
build_any(struct setup *s, const struct jwt_rules *jwt,
    const struct conf_jwt_requirements *conf, struct jwt_requirement *out)
{
	struct arena *arena = host_setup_arena(s);
	struct jwt_requirement last = { .kind = JWT_REQUIRE_GOOD_IF_ANY };
	bool missing = false, failed = false;
	size_t n = conf->requirements.n;

	out->kind = JWT_REQUIRE_ANY;
	out->children = ARENA_ARRAY(arena, n, struct jwt_requirement);
	for (size_t i = 0; i < n; i++) {
		const struct conf_jwt_requirement *c =
		    &conf->requirements.items[i];
		struct str name = c->provider_and_audiences
				      ? c->provider_and_audiences->provider_name
				      : c->provider_name;
		const struct jwt_provider *p;

		missing = missing || c->allow_missing;
		failed = failed || c->allow_missing_or_failed;
		if (lets_pass(c))
			continue;
		build_requirement(s, jwt, c, &out->children[out->n_children++]);
		p = name.ptr ? find_provider(s, jwt, c->node, name) : NULL;
		if (p)
			add_places(arena, &last, p);
	}
	if (failed)
		last = (struct jwt_requirement){ .kind = JWT_REQUIRE_NOTHING };
	if (missing || failed)
		out->children[out->n_children++] = last;
}

static void
build_token(struct setup *s, const struct jwt_rules *jwt,
    const struct conf_jwt_requirement *conf, struct jwt_requirement *out)
{
	struct arena *arena = host_setup_arena(s);
	const struct conf_jwt_audiences *more = conf->provider_and_audiences;
	const struct jwt_provider *p = find_provider(s, jwt, conf->node,
	    more ? more->provider_name : conf->provider_name);
	struct jwt_strings *audiences;

	out->kind = JWT_REQUIRE_TOKEN;
	if (p)
		add_places(arena, out, p);
	if (!more || !more->audiences.n)
		return;
	audiences = ARENA_NEW(arena, struct jwt_strings);
	*audiences = plain_audiences(arena, &more->audiences);
	out->audiences = audiences;
}

static void
build_requirement(struct setup *s, const struct jwt_rules *jwt,
    const struct conf_jwt_requirement *conf, struct jwt_requirement *out)
{
	if (conf->requires_any) {
		build_any(s, jwt, conf->requires_any, out);
	} else if (conf->requires_all) {
		build_all(s, jwt, conf->requires_all, out);
	} else if (lets_pass(conf)) {
		out->kind = conf->allow_missing ? JWT_REQUIRE_GOOD_IF_ANY
						: JWT_REQUIRE_LOOK_ONLY;
		for (size_t i = 0; i < jwt->n_providers; i++)
			add_places(
			    host_setup_arena(s), out, &jwt->providers[i]);
	} else if (conf->provider_and_audiences || conf->provider_name.ptr) {
		build_token(s, jwt, conf, out);
	}
}

const struct jwt_requirement *
jwt_rules_named(const struct jwt_rules *jwt, struct str name)
{
	const struct map *map = &jwt->conf->requirement_map;

	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->items[i].key, name))
			return &jwt->named[i];
	return NULL;
}

static void
build_named(struct setup *s, struct jwt_rules *jwt)
{
	struct arena *arena = host_setup_arena(s);
	const struct map *map = &jwt->conf->requirement_map;

	jwt->named = ARENA_ARRAY(arena, map->n + 1, struct jwt_requirement);
	jwt->names = STR("");
	for (size_t i = 0; i < map->n; i++) {
		build_requirement(s, jwt, map->items[i].value, &jwt->named[i]);
		jwt->names = arena_printf(arena, STR_FMT "%s" STR_FMT,
		    STR_ARG(jwt->names), i ? "," : "",
		    STR_ARG(map->items[i].key));
	}
}

static void
build_rule(struct setup *s, const struct jwt_rules *jwt,
    const struct conf_jwt_rule *conf, struct jwt_rule *out)
{
	struct arena *arena = host_setup_arena(s);
	struct diag *diag = diag_new(arena);
	struct jwt_requirement *own;

	out->match = route_match_build(arena, conf->match, diag);
	if (!out->match)
		host_setup_error(s, conf->node, "%s", diag_message(diag, 0));
	out->by_path = !conf->match->headers.n && !conf->match->cookies.n &&
		       !conf->match->grpc;
	if (conf->requires) {
		own = ARENA_NEW(arena, struct jwt_requirement);
		build_requirement(s, jwt, conf->requires, own);
		out->requires = own;
	} else if (conf->requirement_name.ptr) {
		out->requires = jwt_rules_named(jwt, conf->requirement_name);
		if (!out->requires)
			host_setup_error(s, conf->node,
			    "Wrong requirement_name: " STR_FMT
			    ". It should be one of [" STR_FMT "]",
			    STR_ARG(conf->requirement_name),
			    STR_ARG(jwt->names));
	}
}

const struct jwt_rules *
jwt_rules_build(struct setup *s, const struct conf_jwt *conf)
{
	struct jwt_rules *jwt =
	    ARENA_NEW(host_setup_arena(s), struct jwt_rules);

	jwt->conf = conf;
	build_providers(s, jwt);
	build_named(s, jwt);
	jwt->rules = ARENA_ARRAY(
	    host_setup_arena(s), conf->rules.n + 1, struct jwt_rule);
	for (size_t i = 0; i < conf->rules.n; i++)
		build_rule(s, jwt, &conf->rules.items[i], &jwt->rules[i]);
	return jwt;
}

static bool
has_audience(
    const struct jwt_strings *wanted, const struct jwt_strings *audiences)
{
	for (size_t i = 0; i < audiences->n; i++)
		for (size_t k = 0; k < wanted->n; k++)
			if (str_eq(jwt_plain_audience(audiences->items[i]),
				wanted->items[k]))
				return true;
	return wanted->n == 0;
}

enum jws_status
jwt_check_claims(const struct jwt_provider *p,
    const struct jwt_strings *audiences, const struct jwt_claims *c,
    int64_t now_s)
{
	const struct conf_jwt_provider *conf = p->conf;
	enum jws_status status =
	    jws_check_time(c->exp, c->nbf, now_s, p->skew_s);

	if (status)
		return status;
	if (!has_audience(audiences ? audiences : &p->audiences, &c->audiences))
		return JWS_AUDIENCE_NOT_ALLOWED;
	if ((conf->require_expiration || conf->has_max_lifetime) &&
	    !c->exp.given)
		return JWS_VERIFICATION_FAILS;
	if (conf->has_max_lifetime &&
	    c->exp.seconds - (double)now_s > (double)conf->max_lifetime / 1e9)
		return JWS_VERIFICATION_FAILS;
	return JWS_OK;
}
