/*
 * The short form written out as Envoy's bootstrap. Every node has the place
 * of what caused it, so that later messages point into the short text.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "config/short.h"
#include "config/short_form.h"

#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#define HTTP    "envoy.extensions.filters.http."
#define HCM     "envoy.extensions.filters.network.http_connection_manager.v3."
#define MODULE  "envoy.extensions.filters.http.dynamic_modules.v3."

struct build {
	struct arena *arena;
	struct place place; /* of what is being written out */
	const struct short_form *form;
};

static struct node *
new_map(struct build *b)
{
	return node_map(b->arena, b->place);
}

static struct node *
put_map(struct build *b, struct node *map, const char *key)
{
	struct node *child = new_map(b);

	node_put(b->arena, map, key, child);
	return child;
}

static struct node *
put_list(struct build *b, struct node *map, const char *key)
{
	struct node *child = node_list(b->arena, b->place);

	node_put(b->arena, map, key, child);
	return child;
}

static struct node *
add_map(struct build *b, struct node *list)
{
	struct node *child = new_map(b);

	node_add(b->arena, list, child);
	return child;
}

static void
put_str(struct build *b, struct node *map, const char *key, struct str text)
{
	node_put(b->arena, map, key, node_text(b->arena, b->place, text));
}

static void
put_text(struct build *b, struct node *map, const char *key, const char *text)
{
	put_str(b, map, key, str_of(text));
}

static void
put_plain(struct build *b, struct node *map, const char *key, const char *text)
{
	node_put(
	    b->arena, map, key, node_plain(b->arena, b->place, str_of(text)));
}

static void
put_number(struct build *b, struct node *map, const char *key, uint64_t value)
{
	put_plain(b, map, key, arena_printf(b->arena, "%" PRIu64, value).ptr);
}

/* In seconds, with as many decimals as it takes. */
static void
put_duration(struct build *b, struct node *map, const char *key, int64_t ns)
{
	struct str text =
	    arena_printf(b->arena, "%lld.%09lld", ns / NS_PER_S, ns % NS_PER_S);

	while (str_ends(text, STR("0")))
		text.len--;
	if (str_ends(text, STR(".")))
		text.len--;
	put_plain(b, map, key,
	    arena_printf(b->arena, STR_FMT "s", STR_ARG(text)).ptr);
}

/* A child map that is an Any of that type. */
static struct node *
put_any(struct build *b, struct node *map, const char *key, const char *type)
{
	struct node *any = put_map(b, map, key);

	put_str(b, any, "@type",
	    arena_printf(b->arena, "type.googleapis.com/%s", type));
	return any;
}

/* Our own filters' configuration: a Struct within the module's message. */
static struct node *
put_module(struct build *b, struct node *map, const char *key,
    const char *message, const char *filter)
{
	struct node *any = put_any(
	    b, map, key, arena_printf(b->arena, MODULE "%s", message).ptr);

	put_text(
	    b, put_map(b, any, "dynamic_module_config"), "name", "sallyport");
	put_text(b, any, "filter_name", filter);
	return put_map(b,
	    put_any(b, any, "filter_config", "google.protobuf.Struct"),
	    "value");
}

static struct node *
add_module_filter(struct build *b, struct node *filters, const char *name)
{
	struct node *filter = add_map(b, filters);

	put_text(b, filter, "name", name);
	return put_module(
	    b, filter, "typed_config", "DynamicModuleFilter", name);
}

static struct node *
add_envoy_filter(
    struct build *b, struct node *filters, const char *name, const char *type)
{
	struct node *filter = add_map(b, filters);

	put_text(b, filter, "name", name);
	return put_any(b, filter, "typed_config", type);
}

static struct str
join_strings(struct build *b, const conf_strings *list, const char *between)
{
	struct str out = STR("");

	for (size_t i = 0; i < list->n; i++)
		out = arena_printf(b->arena, STR_FMT "%s" STR_FMT, STR_ARG(out),
		    i ? between : "", STR_ARG(list->items[i]));
	return out;
}

static void
add_header(struct build *b, struct node *list, struct str key, struct str value,
    const char *action)
{
	struct node *option = add_map(b, list);
	struct node *header = put_map(b, option, "header");

	put_str(b, header, "key", key);
	put_str(b, header, "value", value);
	put_text(b, option, "append_action", action);
}

/* ---- filters ---- */

static struct str
escape_base64url(struct build *b, struct str bytes)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
				       "mnopqrstuvwxyz0123456789-_";
	char *out = arena_alloc(b->arena, bytes.len / 3 * 4 + 5);
	size_t n = 0;

	for (size_t i = 0; i < bytes.len; i += 3) {
		unsigned group = 0;
		size_t left = bytes.len - i < 3 ? bytes.len - i : 3;

		for (size_t j = 0; j < 3; j++)
			group =
			    group << 8 |
			    (j < left ? (unsigned char)bytes.ptr[i + j] : 0U);
		for (size_t j = 0; j <= left; j++)
			out[n++] = alphabet[group >> (18 - 6 * j) & 63];
	}
	return (struct str){ out, n };
}

/* One key for each algorithm, so that a token cannot choose another. */
static struct str
secret_jwks(struct build *b, const struct short_jwt *jwt)
{
	struct str hs256 = STR("HS256");
	conf_strings usual = { .items = &hs256, .n = 1 };
	const conf_strings *names =
	    jwt->algorithms.n ? &jwt->algorithms : &usual;
	struct str key = escape_base64url(b, jwt->secret_bytes);
	struct str keys = STR("");

	for (size_t i = 0; i < names->n; i++)
		keys = arena_printf(b->arena,
		    STR_FMT "%s{\"kty\":\"oct\",\"alg\":\"" STR_FMT
			    "\",\"k\":\"" STR_FMT "\"}",
		    STR_ARG(keys), i ? "," : "", STR_ARG(names->items[i]),
		    STR_ARG(key));
	return arena_printf(
	    b->arena, "{\"keys\":[" STR_FMT "]}", STR_ARG(keys));
}

static void
put_jwks(struct build *b, struct node *provider, const struct short_jwt *jwt)
{
	struct node *jwks = put_map(b, provider, "local_jwks");

	if (jwt->secret)
		put_str(b, jwks, "inline_string", secret_jwks(b, jwt));
	else if (jwt->jwks->file.ptr)
		put_str(b, jwks, "filename", jwt->jwks->file);
	else
		put_str(b, jwks, "inline_string", jwt->jwks->json);
}

static void
add_jwt_filter(struct build *b, struct node *filters)
{
	const struct short_jwt *jwt = b->form->jwt;
	struct node *conf, *provider, *list;

	b->place = jwt->node->place;
	conf = add_envoy_filter(b, filters, "envoy.filters.http.jwt_authn",
	    HTTP "jwt_authn.v3.JwtAuthentication");
	provider = put_map(b, put_map(b, conf, "providers"), "jwt");
	if (jwt->issuer.ptr)
		put_str(b, provider, "issuer", jwt->issuer);
	if (jwt->audiences.n) {
		list = put_list(b, provider, "audiences");
		for (size_t i = 0; i < jwt->audiences.n; i++)
			node_add(b->arena, list,
			    node_text(
				b->arena, b->place, jwt->audiences.items[i]));
	}
	put_jwks(b, provider, jwt);
	put_plain(b, provider, "forward", "true");
	put_text(b, provider, "payload_in_metadata", "payload");
	put_number(b, provider, "clock_skew_seconds",
	    (uint64_t)(jwt->leeway / NS_PER_S));
	list = jwt->claims.n ? put_list(b, provider, "claim_to_headers") : NULL;
	for (size_t i = 0; i < jwt->claims.n; i++) {
		struct node *claim = add_map(b, list);

		put_str(b, claim, "header_name",
		    *(const struct str *)jwt->claims.items[i].value);
		put_str(b, claim, "claim_name", jwt->claims.items[i].key);
	}
	put_text(b, put_map(b, put_map(b, conf, "requirement_map"), "jwt"),
	    "provider_name", "jwt");
}

static void
add_rewrites(struct build *b, struct node *filters)
{
	const struct short_transforms_both *both = b->form->transforms;

	for (size_t i = 0; both && i < both->request.n; i++) {
		const struct short_transform *t = &both->request.items[i];
		struct node *conf;

		if (!t->rewrite.ptr)
			continue;
		b->place = t->node->place;
		conf = add_module_filter(b, filters, "sallyport.rewrite");
		put_str(b, conf, "pattern", t->rewrite);
		put_str(b, conf, "substitution", t->to);
	}
}

static size_t
count_headers(const short_transforms *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += !list->items[i].rewrite.ptr;
	return n;
}

static void
put_mutations(struct build *b, struct node *map, const char *key,
    const short_transforms *list)
{
	struct node *mutations;

	if (!count_headers(list))
		return;
	mutations = put_list(b, map, key);
	for (size_t i = 0; i < list->n; i++) {
		const struct short_transform *t = &list->items[i];
		struct node *one;

		if (t->rewrite.ptr)
			continue;
		b->place = t->node->place;
		if (t->remove.ptr) {
			put_str(b, add_map(b, mutations), "remove", t->remove);
			continue;
		}
		one = node_list(b->arena, b->place);
		add_header(b, one, t->add.ptr ? t->add : t->set, t->text,
		    t->add.ptr ? "APPEND_IF_EXISTS_OR_ADD"
			       : "OVERWRITE_IF_EXISTS_OR_ADD");
		node_put(b->arena, add_map(b, mutations), "append",
		    one->items[0].value);
	}
}

static void
add_mutation_filter(struct build *b, struct node *filters)
{
	const struct short_transforms_both *both = b->form->transforms;
	struct node *mutations;

	if (!both ||
	    !(count_headers(&both->request) + count_headers(&both->response)))
		return;
	b->place = both->node->place;
	mutations = put_map(b,
	    add_envoy_filter(b, filters, "envoy.filters.http.header_mutation",
		HTTP "header_mutation.v3.HeaderMutation"),
	    "mutations");
	put_mutations(b, mutations, "request_mutations", &both->request);
	put_mutations(b, mutations, "response_mutations", &both->response);
}

static void
put_filters(struct build *b, struct node *hcm)
{
	const struct short_form *form = b->form;
	struct node *filters = put_list(b, hcm, "http_filters");
	struct node *conf;

	conf = add_module_filter(b, filters, "sallyport.health");
	put_text(b, conf, "path", "/health");
	put_text(b, conf, "livez", "/livez");
	put_text(b, conf, "readyz", "/readyz");
	add_rewrites(b, filters);
	b->place = form->node->place;
	if (form->cors)
		(void)add_envoy_filter(
		    b, filters, "envoy.filters.http.cors", HTTP "cors.v3.Cors");
	if (form->needs_jwt)
		add_jwt_filter(b, filters);
	b->place = form->node->place;
	if (form->needs_limits)
		(void)add_module_filter(b, filters, "sallyport.rate_limit");
	if (form->breaker) {
		b->place = form->breaker->node->place;
		conf = add_module_filter(b, filters, "sallyport.breaker");
		put_number(b, conf, "failures", form->breaker->failures);
		put_duration(b, conf, "open_for", form->breaker->open_for);
	}
	add_mutation_filter(b, filters);
	b->place = form->node->place;
	(void)add_module_filter(b, filters, "sallyport.location");
	put_plain(b,
	    add_envoy_filter(b, filters, "envoy.filters.http.router",
		HTTP "router.v3.Router"),
	    "suppress_envoy_headers", "true");
}

/* ---- routes ---- */

static bool
is_root(struct str path)
{
	return path.len == 1;
}

static struct node *
put_match(struct build *b, struct node *route, struct str path)
{
	struct node *match = put_map(b, route, "match");

	put_str(
	    b, match, is_root(path) ? "prefix" : "path_separated_prefix", path);
	return match;
}

static void
add_match(struct build *b, struct node *headers, const char *name,
    const char *kind, struct str text)
{
	struct node *header = add_map(b, headers);

	put_text(b, header, "name", name);
	put_str(b, put_map(b, header, "string_match"), kind, text);
}

static void
put_methods(struct build *b, struct node *match, const conf_strings *methods)
{
	struct node *header;

	if (!methods->n)
		return;
	if (methods->n == 1) {
		add_match(b, put_list(b, match, "headers"), ":method", "exact",
		    methods->items[0]);
		return;
	}
	header = add_map(b, put_list(b, match, "headers"));
	put_text(b, header, "name", ":method");
	put_str(b, put_map(b, put_map(b, header, "string_match"), "safe_regex"),
	    "regex", join_strings(b, methods, "|"));
}

/* Text for a regular expression that matches just it. */
static struct str
escape_regex(struct build *b, struct str text)
{
	char *out = arena_alloc(b->arena, 2 * text.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (strchr("\\.+*?()|[]{}^$", text.ptr[i]))
			out[n++] = '\\';
		out[n++] = text.ptr[i];
	}
	return (struct str){ out, n };
}

/* The path for the backend: the route's cut off, the base put before. */
static void
put_rewrite(
    struct build *b, struct node *action, const struct short_route *route)
{
	bool strips = route->strip && !is_root(route->path);
	struct node *rewrite;

	if (!strips && !route->to.base.len)
		return;
	rewrite = put_map(b, action, "regex_rewrite");
	put_str(b, put_map(b, rewrite, "pattern"), "regex",
	    strips ? arena_printf(b->arena, "^" STR_FMT "/?(.*)$",
			 STR_ARG(escape_regex(b, route->path)))
		   : STR("^/(.*)$"));
	put_str(b, rewrite, "substitution",
	    arena_printf(b->arena, STR_FMT "/\\1", STR_ARG(route->to.base)));
}

static void
put_action(struct build *b, struct node *out, const struct short_route *route)
{
	struct node *action = put_map(b, out, "route");

	put_str(b, action, "cluster", route->to.cluster);
	put_rewrite(b, action, route);
	put_str(b, action, "host_rewrite_literal", route->to.authority);
	put_duration(
	    b, action, "timeout", route->has_timeout ? route->timeout : 0);
	if (!route->has_timeout)
		put_plain(b, action, "idle_timeout", "60s");
}

static bool
is_same_path(const struct short_route *a, const struct short_route *b)
{
	return str_eq(a->path, b->path);
}

/* All methods of a path; none if some route of it takes any. */
static conf_strings
path_methods(struct build *b, const struct short_route *route)
{
	conf_strings all = { .items = NULL };
	size_t n = 0;

	for (size_t i = 0; i < b->form->routes.n; i++)
		n += b->form->routes.items[i].methods.n;
	all.items = ARENA_ARRAY(b->arena, n, struct str);
	for (size_t i = 0; i < b->form->routes.n; i++) {
		const struct short_route *other = &b->form->routes.items[i];

		if (!is_same_path(other, route))
			continue;
		if (!other->methods.n)
			return (conf_strings){ .items = NULL };
		for (size_t m = 0; m < other->methods.n; m++)
			all.items[all.n++] = other->methods.items[m];
	}
	return all;
}

static void
put_cors_text(struct build *b, struct node *policy, const char *key,
    const conf_strings *list)
{
	if (list->n)
		put_str(b, policy, key, join_strings(b, list, ", "));
}

static void
put_cors_policy(
    struct build *b, struct node *configs, const conf_strings *methods)
{
	const struct short_cors *cors = b->form->cors;
	struct str any = STR("*");
	conf_strings all = { .items = &any, .n = 1 };
	struct node *policy = put_any(
	    b, configs, "envoy.filters.http.cors", HTTP "cors.v3.CorsPolicy");
	struct node *origins = put_list(b, policy, "allow_origin_string_match");

	for (size_t i = 0; i < cors->origins.n; i++)
		put_str(
		    b, add_map(b, origins), "exact", cors->origins.items[i]);
	if (cors->methods.n)
		methods = &cors->methods;
	put_cors_text(b, policy, "allow_methods", methods->n ? methods : &all);
	put_cors_text(b, policy, "allow_headers",
	    cors->headers.n ? &cors->headers : &all);
	put_cors_text(b, policy, "expose_headers", &cors->expose);
	if (cors->has_max_age)
		put_str(b, policy, "max_age",
		    arena_printf(b->arena, "%lld", cors->max_age / NS_PER_S));
	if (cors->credentials)
		put_plain(b, policy, "allow_credentials", "true");
	put_plain(b, policy, "forward_not_matching_preflights", "false");
}

/* OPTIONS of a browser, answered by the cors filter without a token. */
static void
add_preflight(
    struct build *b, struct node *routes, const struct short_route *route)
{
	conf_strings methods = path_methods(b, route);
	struct node *out = add_map(b, routes), *headers;
	struct node *match = put_match(b, out, route->path);

	headers = put_list(b, match, "headers");
	add_match(b, headers, ":method", "exact", STR("OPTIONS"));
	match = add_map(b, headers);
	put_text(b, match, "name", "origin");
	put_plain(b, match, "present_match", "true");
	match = add_map(b, headers);
	put_text(b, match, "name", "access-control-request-method");
	put_plain(b, match, "present_match", "true");
	put_str(b, out, "name",
	    arena_printf(
		b->arena, STR_FMT " (preflight)", STR_ARG(route->path)));
	put_action(b, out, route);
	put_cors_policy(
	    b, put_map(b, out, "typed_per_filter_config"), &methods);
}

static void
put_limit(
    struct build *b, struct node *configs, const struct short_route *route)
{
	const struct short_limit *limit = &route->limit;
	struct node *conf;
	struct str scope = route->path;

	if (!limit->node)
		return;
	if (route->shares_path)
		scope = arena_printf(b->arena, STR_FMT " " STR_FMT,
		    STR_ARG(join_strings(b, &route->methods, ",")),
		    STR_ARG(scope));
	conf = put_module(b, configs, "sallyport.rate_limit",
	    "DynamicModuleFilterPerRoute", "sallyport.rate_limit");
	put_number(b, conf, "limit", limit->limit);
	put_duration(b, conf, "window", limit->window_ns);
	put_str(b, conf, "scope", scope);
	put_str(b, conf, limit->key_field, limit->key);
}

static void
put_filter_configs(
    struct build *b, struct node *out, const struct short_route *route)
{
	struct node *configs = put_map(b, out, "typed_per_filter_config");
	struct node *conf;
	bool is_public_path = route->strip && !is_root(route->path);

	if (b->form->cors) {
		conf_strings methods = path_methods(b, route);

		put_cors_policy(b, configs, &methods);
	}
	if (route->auth == SHORT_AUTH_JWT)
		put_text(b,
		    put_any(b, configs, "envoy.filters.http.jwt_authn",
			HTTP "jwt_authn.v3.PerRouteConfig"),
		    "requirement_name", "jwt");
	put_limit(b, configs, route);
	conf = put_module(b, configs, "sallyport.location",
	    "DynamicModuleFilterPerRoute", "sallyport.location");
	put_str(b, conf, "backend", route->to.url);
	put_str(
	    b, conf, "base", route->to.base.len ? route->to.base : STR("/"));
	put_str(b, conf, "prefix", is_public_path ? route->path : STR("/"));
}

static void
add_route(struct build *b, struct node *routes, const struct short_route *route)
{
	struct node *out = add_map(b, routes);

	put_methods(b, put_match(b, out, route->path), &route->methods);
	put_str(b, out, "name", route->path);
	put_action(b, out, route);
	add_header(b, put_list(b, out, "request_headers_to_add"),
	    STR("x-forwarded-host"), STR("%REQ(:AUTHORITY)%"),
	    "OVERWRITE_IF_EXISTS_OR_ADD");
	put_filter_configs(b, out, route);
}

static void
add_method_not_allowed(
    struct build *b, struct node *routes, const struct short_route *route)
{
	conf_strings methods = path_methods(b, route);
	struct node *out;

	if (!methods.n)
		return;
	out = add_map(b, routes);
	(void)put_match(b, out, route->path);
	put_str(b, out, "name",
	    arena_printf(
		b->arena, STR_FMT " (other methods)", STR_ARG(route->path)));
	put_number(b, put_map(b, out, "direct_response"), "status", 405);
	add_header(b, put_list(b, out, "response_headers_to_add"), STR("allow"),
	    join_strings(b, &methods, ", "), "OVERWRITE_IF_EXISTS_OR_ADD");
}

/* Longest path first, so that the more precise one wins; then file order. */
static int
by_path(const void *left, const void *right)
{
	const struct short_route *a = *(const struct short_route *const *)left;
	const struct short_route *b = *(const struct short_route *const *)right;
	int order;

	if (a->path.len != b->path.len)
		return a->path.len > b->path.len ? -1 : 1;
	order = str_cmp(a->path, b->path);
	if (order)
		return order;
	return a < b ? -1 : a > b;
}

static void
add_routes(struct build *b, struct node *routes)
{
	size_t n = b->form->routes.n;
	const struct short_route **sorted =
	    ARENA_ARRAY(b->arena, n, const struct short_route *);

	for (size_t i = 0; i < n; i++)
		sorted[i] = &b->form->routes.items[i];
	qsort(sorted, n, sizeof(struct short_route *), by_path);
	for (size_t i = 0; i < n; i++) {
		bool is_first =
		    i == 0 || !is_same_path(sorted[i - 1], sorted[i]);
		bool is_last =
		    i + 1 == n || !is_same_path(sorted[i + 1], sorted[i]);

		b->place = sorted[i]->node->place;
		if (is_first && b->form->cors)
			add_preflight(b, routes, sorted[i]);
		add_route(b, routes, sorted[i]);
		if (is_last)
			add_method_not_allowed(b, routes, sorted[i]);
	}
}

static void
put_routes(struct build *b, struct node *hcm)
{
	struct node *config = put_map(b, hcm, "route_config");
	struct node *host, *domains;

	put_text(b, config, "name", "sallyport");
	host = add_map(b, put_list(b, config, "virtual_hosts"));
	put_text(b, host, "name", "all");
	domains = put_list(b, host, "domains");
	node_add(b->arena, domains, node_text(b->arena, b->place, STR("*")));
	if (b->form->cors)
		add_header(b, put_list(b, host, "response_headers_to_add"),
		    STR("vary"), STR("origin"), "APPEND_IF_EXISTS_OR_ADD");
	add_routes(b, put_list(b, host, "routes"));
	b->place = b->form->node->place;
}

/* ---- listener, replies, logs, clusters ---- */

static void
put_comparison(
    struct build *b, struct node *filter, const char *op, uint64_t status)
{
	struct node *comparison =
	    put_map(b, put_map(b, filter, "status_code_filter"), "comparison");
	struct node *value;

	put_text(b, comparison, "op", op);
	value = put_map(b, comparison, "value");
	put_number(b, value, "default_value", status);
	put_text(b, value, "runtime_key", "sallyport.status");
}

static void
add_mapper(
    struct build *b, struct node *mappers, uint64_t status, const char *text)
{
	struct node *mapper = add_map(b, mappers);

	put_comparison(b, put_map(b, mapper, "filter"), "EQ", status);
	put_text(b, put_map(b, mapper, "body"), "inline_string", text);
}

static void
put_local_replies(struct build *b, struct node *hcm)
{
	struct node *conf = put_map(b, hcm, "local_reply_config");
	struct node *mappers = put_list(b, conf, "mappers");
	struct node *json;

	add_mapper(b, mappers, 404, "no such route");
	add_mapper(b, mappers, 405, "method not allowed");
	json = put_map(b, put_map(b, conf, "body_format"), "json_format");
	put_text(b, json, "error", "%LOCAL_REPLY_BODY%");
	put_text(b, json, "request_id", "%REQ(X-REQUEST-ID)%");
}

static void
put_log_filter(struct build *b, struct node *log, uint64_t from, uint64_t to)
{
	struct node *filter = put_map(b, log, "filter");
	struct node *both;

	if (!from) {
		put_comparison(b, filter, "LE", to);
		return;
	}
	if (!to) {
		put_comparison(b, filter, "GE", from);
		return;
	}
	both = put_list(b, put_map(b, filter, "and_filter"), "filters");
	put_comparison(b, add_map(b, both), "GE", from);
	put_comparison(b, add_map(b, both), "LE", to);
}

static void
add_log(struct build *b, struct node *logs, const char *level, uint64_t from,
    uint64_t to)
{
	static const char *const properties[][2] = {
		{ "timestamp", "%START_TIME%" },
		{ "request_id", "%REQ(X-REQUEST-ID)%" },
		{ "method", "%REQ(:METHOD)%" },
		{ "path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%" },
		{ "status", "%RESPONSE_CODE%" },
		{ "duration_ms", "%DURATION%" },
		{ "route", "%ROUTE_NAME%" },
		{ "client", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" },
		{ "upstream", "%UPSTREAM_HOST%" },
		{ "bytes_received", "%BYTES_RECEIVED%" },
		{ "bytes_sent", "%BYTES_SENT%" },
		{ "reason", "%RESPONSE_CODE_DETAILS%" },
		{ "flags", "%RESPONSE_FLAGS%" },
	};
	struct node *log = add_map(b, logs), *conf, *json;

	put_text(b, log, "name", level);
	put_log_filter(b, log, from, to);
	conf = put_any(b, log, "typed_config",
	    "envoy.extensions.access_loggers.file.v3.FileAccessLog");
	put_str(b, conf, "path", b->form->access_log);
	json = put_map(b, put_map(b, conf, "log_format"), "json_format");
	put_text(b, json, "level", level);
	for (size_t i = 0; i < sizeof(properties) / sizeof(*properties); i++)
		put_text(b, json, properties[i][0], properties[i][1]);
}

static void
put_logs(struct build *b, struct node *hcm)
{
	struct node *logs = put_list(b, hcm, "access_log");

	add_log(b, logs, "info", 0, 399);
	add_log(b, logs, "warn", 400, 499);
	add_log(b, logs, "error", 500, 0);
}

static void
put_hcm(struct build *b, struct node *hcm)
{
	put_text(b, hcm, "stat_prefix", "sallyport");
	put_plain(b, hcm, "use_remote_address", "true");
	put_plain(b, hcm, "normalize_path", "true");
	put_plain(b, hcm, "merge_slashes", "true");
	put_text(b, hcm, "path_with_escaped_slashes_action", "KEEP_UNCHANGED");
	put_plain(b, hcm, "preserve_external_request_id", "true");
	put_plain(b, hcm, "always_set_request_id_in_response", "true");
	put_text(b, hcm, "server_header_transformation", "PASS_THROUGH");
	put_plain(b, hcm, "stream_idle_timeout", "300s");
	put_local_replies(b, hcm);
	put_logs(b, hcm);
	put_filters(b, hcm);
	put_routes(b, hcm);
}

static void
put_listen_address(struct build *b, struct node *listener)
{
	const struct short_form *form = b->form;
	struct node *address = put_map(b, listener, "address");

	if (form->listen_path.ptr) {
		put_str(
		    b, put_map(b, address, "pipe"), "path", form->listen_path);
		return;
	}
	address = put_map(b, address, "socket_address");
	put_str(b, address, "address", form->listen_host);
	put_number(b, address, "port_value", form->listen_port);
}

static void
put_tls(struct build *b, struct node *cluster, struct str host)
{
	struct node *socket = put_map(b, cluster, "transport_socket");
	struct node *tls;

	put_text(b, socket, "name", "envoy.transport_sockets.tls");
	tls = put_any(b, socket, "typed_config",
	    "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext");
	put_str(b, tls, "sni", host);
	put_text(b,
	    put_map(b,
		put_map(b, put_map(b, tls, "common_tls_context"),
		    "validation_context"),
		"trusted_ca"),
	    "filename", CA_FILE);
}

static void
add_cluster(
    struct build *b, struct node *clusters, const struct short_backend *to)
{
	struct node *cluster = add_map(b, clusters), *load, *address;

	put_str(b, cluster, "name", to->cluster);
	put_text(b, cluster, "type", to->is_ip ? "STATIC" : "STRICT_DNS");
	load = put_map(b, cluster, "load_assignment");
	put_str(b, load, "cluster_name", to->cluster);
	load = add_map(b, put_list(b, load, "endpoints"));
	load = add_map(b, put_list(b, load, "lb_endpoints"));
	address =
	    put_map(b, put_map(b, put_map(b, load, "endpoint"), "address"),
		"socket_address");
	put_str(b, address, "address", to->host);
	put_number(b, address, "port_value", to->port);
	if (to->is_https)
		put_tls(b, cluster, to->host);
}

static void
put_clusters(struct build *b, struct node *resources)
{
	const struct short_route *routes = b->form->routes.items;
	struct node *clusters = put_list(b, resources, "clusters");

	for (size_t i = 0; i < b->form->routes.n; i++) {
		size_t first = 0;

		while (!str_eq(routes[first].to.cluster, routes[i].to.cluster))
			first++;
		if (first < i)
			continue;
		b->place = routes[i].node->place;
		add_cluster(b, clusters, &routes[i].to);
	}
}

const struct node *
short_build(struct arena *arena, const struct short_form *form)
{
	struct build b = {
		.arena = arena, .place = form->node->place, .form = form
	};
	struct node *top = new_map(&b);
	struct node *resources = put_map(&b, top, "static_resources");
	struct node *listener =
	    add_map(&b, put_list(&b, resources, "listeners"));
	struct node *chain, *filter;

	put_text(&b, listener, "name", "sallyport");
	put_listen_address(&b, listener);
	chain = add_map(&b, put_list(&b, listener, "filter_chains"));
	filter = add_map(&b, put_list(&b, chain, "filters"));
	put_text(&b, filter, "name",
	    "envoy.filters.network.http_connection_manager");
	put_hcm(&b,
	    put_any(&b, filter, "typed_config", HCM "HttpConnectionManager"));
	put_clusters(&b, resources);
	return top;
}
