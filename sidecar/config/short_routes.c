/* The short form's routes in Envoy's form. */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "config/short_write.h"

#define HTTP "envoy.extensions.filters.http."

static bool
is_root(struct str path)
{
	return path.len == 1;
}

static struct node *
put_match(struct writer *w, struct node *route, struct str path)
{
	struct node *match = write_map(w, route, "match");

	write_str(
	    w, match, is_root(path) ? "prefix" : "path_separated_prefix", path);
	return match;
}

static void
add_match(struct writer *w, struct node *headers, const char *name,
    const char *kind, struct str text)
{
	struct node *header = write_item(w, headers);

	write_text(w, header, "name", name);
	write_str(w, write_map(w, header, "string_match"), kind, text);
}

static void
put_methods(struct writer *w, struct node *match, const conf_strings *methods)
{
	struct node *header;

	if (!methods->n)
		return;
	if (methods->n == 1) {
		add_match(w, write_list(w, match, "headers"), ":method",
		    "exact", methods->items[0]);
		return;
	}
	header = write_item(w, write_list(w, match, "headers"));
	write_text(w, header, "name", ":method");
	write_str(w,
	    write_map(w, write_map(w, header, "string_match"), "safe_regex"),
	    "regex", write_joined(w, methods, "|"));
}

/* Text for a regular expression that matches just it. */
static struct str
escape_regex(struct writer *w, struct str text)
{
	char *out = arena_alloc(w->arena, 2 * text.len + 1);
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
    struct writer *w, struct node *action, const struct short_route *route)
{
	bool strips = route->strip && !is_root(route->path);
	struct node *rewrite;

	if (!strips && !route->to.base.len)
		return;
	rewrite = write_map(w, action, "regex_rewrite");
	write_str(w, write_map(w, rewrite, "pattern"), "regex",
	    strips ? arena_printf(w->arena, "^" STR_FMT "/?(.*)$",
			 STR_ARG(escape_regex(w, route->path)))
		   : STR("^/(.*)$"));
	write_str(w, rewrite, "substitution",
	    arena_printf(w->arena, STR_FMT "/\\1", STR_ARG(route->to.base)));
}

static void
put_action(struct writer *w, struct node *out, const struct short_route *route)
{
	struct node *action = write_map(w, out, "route");

	write_str(w, action, "cluster", route->to.cluster);
	put_rewrite(w, action, route);
	write_str(w, action, "host_rewrite_literal", route->to.authority);
	write_duration(
	    w, action, "timeout", route->has_timeout ? route->timeout : 0);
	if (!route->has_timeout)
		write_plain(w, action, "idle_timeout", "60s");
}

static bool
is_same_path(const struct short_route *a, const struct short_route *b)
{
	return str_eq(a->path, b->path);
}

/* All methods of a path; none if some route of it takes any. */
static conf_strings
path_methods(struct writer *w, const struct short_route *route)
{
	conf_strings all = { .items = NULL };
	size_t n = 0;

	for (size_t i = 0; i < w->form->routes.n; i++)
		n += w->form->routes.items[i].methods.n;
	all.items = ARENA_ARRAY(w->arena, n, struct str);
	for (size_t i = 0; i < w->form->routes.n; i++) {
		const struct short_route *other = &w->form->routes.items[i];

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
put_cors_text(struct writer *w, struct node *policy, const char *key,
    const conf_strings *list)
{
	if (list->n)
		write_str(w, policy, key, write_joined(w, list, ", "));
}

static void
put_cors_policy(
    struct writer *w, struct node *configs, const conf_strings *methods)
{
	const struct short_cors *cors = w->form->cors;
	struct str any = STR("*");
	conf_strings all = { .items = &any, .n = 1 };
	struct node *policy = write_any(
	    w, configs, "envoy.filters.http.cors", HTTP "cors.v3.CorsPolicy");
	struct node *origins =
	    write_list(w, policy, "allow_origin_string_match");

	for (size_t i = 0; i < cors->origins.n; i++)
		write_str(
		    w, write_item(w, origins), "exact", cors->origins.items[i]);
	if (cors->methods.n)
		methods = &cors->methods;
	put_cors_text(w, policy, "allow_methods", methods->n ? methods : &all);
	put_cors_text(w, policy, "allow_headers",
	    cors->headers.n ? &cors->headers : &all);
	put_cors_text(w, policy, "expose_headers", &cors->expose);
	if (cors->has_max_age)
		write_str(w, policy, "max_age",
		    arena_printf(w->arena, "%lld", cors->max_age / NS_PER_S));
	if (cors->credentials)
		write_plain(w, policy, "allow_credentials", "true");
	write_plain(w, policy, "forward_not_matching_preflights", "false");
}

/* OPTIONS of a browser, answered by the cors filter without a token. */
static void
add_preflight(
    struct writer *w, struct node *routes, const struct short_route *route)
{
	conf_strings methods = path_methods(w, route);
	struct node *out = write_item(w, routes), *headers;
	struct node *match = put_match(w, out, route->path);

	headers = write_list(w, match, "headers");
	add_match(w, headers, ":method", "exact", STR("OPTIONS"));
	match = write_item(w, headers);
	write_text(w, match, "name", "origin");
	write_plain(w, match, "present_match", "true");
	match = write_item(w, headers);
	write_text(w, match, "name", "access-control-request-method");
	write_plain(w, match, "present_match", "true");
	write_str(w, out, "name",
	    arena_printf(
		w->arena, STR_FMT " (preflight)", STR_ARG(route->path)));
	put_action(w, out, route);
	put_cors_policy(
	    w, write_map(w, out, "typed_per_filter_config"), &methods);
}

static bool
counts_claim(const struct short_route *route)
{
	return route->limit.node && route->limit.kind == SHORT_KEY_CLAIM;
}

bool
short_is_first_claim(const struct short_form *form, size_t i)
{
	const struct short_route *routes = form->routes.items;

	if (!counts_claim(&routes[i]))
		return false;
	for (size_t j = 0; j < i; j++)
		if (counts_claim(&routes[j]) &&
		    str_eq(routes[j].limit.key, routes[i].limit.key))
			return false;
	return true;
}

/* Other claims have other names: what may not stand in one is _ and its hex. */
struct str
short_claim_header(struct writer *w, struct str claim)
{
	struct str out = STR("x-sallyport-claim-");

	for (size_t i = 0; i < claim.len; i++) {
		char c = claim.ptr[i];
		bool is_plain = (c >= 'a' && c <= 'z') || ascii_is_digit(c) ||
				c == '-' || c == '.';

		out = arena_printf(w->arena,
		    is_plain ? STR_FMT "%c" : STR_FMT "_%02x", STR_ARG(out),
		    (unsigned char)c);
	}
	return out;
}

static void
put_limit_key(
    struct writer *w, struct node *conf, const struct short_limit *limit)
{
	switch (limit->kind) {
	case SHORT_KEY_CLIENT:
		write_str(w, conf, "key", STR("client"));
		break;
	case SHORT_KEY_HEADER:
		write_str(w, conf, "key_header", limit->key);
		break;
	case SHORT_KEY_CLAIM:
		write_str(
		    w, conf, "key_header", short_claim_header(w, limit->key));
		break;
	}
}

static void
put_limit(
    struct writer *w, struct node *configs, const struct short_route *route)
{
	const struct short_limit *limit = &route->limit;
	struct node *conf;
	struct str scope = route->path;

	if (!limit->node)
		return;
	if (route->shares_path)
		scope = arena_printf(w->arena, STR_FMT " " STR_FMT,
		    STR_ARG(write_joined(w, &route->methods, ",")),
		    STR_ARG(scope));
	conf = write_module(w, configs, "sallyport.rate_limit",
	    "DynamicModuleFilterPerRoute", "sallyport.rate_limit");
	write_number(w, conf, "limit", limit->limit);
	write_duration(w, conf, "window", limit->window_ns);
	write_str(w, conf, "scope", scope);
	put_limit_key(w, conf, limit);
}

static void
put_filter_configs(
    struct writer *w, struct node *out, const struct short_route *route)
{
	struct node *configs = write_map(w, out, "typed_per_filter_config");
	struct node *conf;
	bool is_public_path = route->strip && !is_root(route->path);

	if (w->form->cors) {
		conf_strings methods = path_methods(w, route);

		put_cors_policy(w, configs, &methods);
	}
	if (route->auth == SHORT_AUTH_JWT)
		write_text(w,
		    write_any(w, configs, "envoy.filters.http.jwt_authn",
			HTTP "jwt_authn.v3.PerRouteConfig"),
		    "requirement_name", "jwt");
	put_limit(w, configs, route);
	conf = write_module(w, configs, "sallyport.location",
	    "DynamicModuleFilterPerRoute", "sallyport.location");
	write_str(w, conf, "backend", route->to.url);
	write_str(
	    w, conf, "base", route->to.base.len ? route->to.base : STR("/"));
	write_str(w, conf, "prefix", is_public_path ? route->path : STR("/"));
}

static void
add_route(
    struct writer *w, struct node *routes, const struct short_route *route)
{
	struct node *out = write_item(w, routes);

	put_methods(w, put_match(w, out, route->path), &route->methods);
	write_str(w, out, "name", route->path);
	put_action(w, out, route);
	write_header(w, write_list(w, out, "request_headers_to_add"),
	    STR("x-forwarded-host"), STR("%REQ(:AUTHORITY)%"),
	    "OVERWRITE_IF_EXISTS_OR_ADD");
	put_filter_configs(w, out, route);
}

static void
add_method_not_allowed(
    struct writer *w, struct node *routes, const struct short_route *route)
{
	conf_strings methods = path_methods(w, route);
	struct node *out;

	if (!methods.n)
		return;
	out = write_item(w, routes);
	(void)put_match(w, out, route->path);
	write_str(w, out, "name",
	    arena_printf(
		w->arena, STR_FMT " (other methods)", STR_ARG(route->path)));
	write_number(w, write_map(w, out, "direct_response"), "status", 405);
	write_header(w, write_list(w, out, "response_headers_to_add"),
	    STR("allow"), write_joined(w, &methods, ", "),
	    "OVERWRITE_IF_EXISTS_OR_ADD");
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
add_routes(struct writer *w, struct node *routes)
{
	size_t n = w->form->routes.n;
	const struct short_route **sorted =
	    ARENA_ARRAY(w->arena, n, const struct short_route *);

	for (size_t i = 0; i < n; i++)
		sorted[i] = &w->form->routes.items[i];
	qsort(sorted, n, sizeof(struct short_route *), by_path);
	for (size_t i = 0; i < n; i++) {
		bool is_first =
		    i == 0 || !is_same_path(sorted[i - 1], sorted[i]);
		bool is_last =
		    i + 1 == n || !is_same_path(sorted[i + 1], sorted[i]);

		w->place = sorted[i]->node->place;
		if (is_first && w->form->cors)
			add_preflight(w, routes, sorted[i]);
		add_route(w, routes, sorted[i]);
		if (is_last)
			add_method_not_allowed(w, routes, sorted[i]);
	}
}

/* They are for us, and no client can send them. */
static void
remove_claims(struct writer *w, struct node *config)
{
	const struct short_form *form = w->form;
	struct node *list = NULL;

	for (size_t i = 0; i < form->routes.n; i++) {
		if (!short_is_first_claim(form, i))
			continue;
		if (!list)
			list =
			    write_list(w, config, "request_headers_to_remove");
		node_add(w->arena, list,
		    node_text(w->arena, w->place,
			short_claim_header(
			    w, form->routes.items[i].limit.key)));
	}
}

void
short_write_routes(struct writer *w, struct node *hcm)
{
	struct node *config = write_map(w, hcm, "route_config");
	struct node *host, *domains;

	write_text(w, config, "name", "sallyport");
	/* The log needs x-envoy-original-path; clients need none of them. */
	node_add(w->arena, write_list(w, config, "response_headers_to_remove"),
	    node_text(
		w->arena, w->place, STR("x-envoy-upstream-service-time")));
	remove_claims(w, config);
	host = write_item(w, write_list(w, config, "virtual_hosts"));
	write_text(w, host, "name", "all");
	domains = write_list(w, host, "domains");
	node_add(w->arena, domains, node_text(w->arena, w->place, STR("*")));
	if (w->form->cors)
		write_header(w, write_list(w, host, "response_headers_to_add"),
		    STR("vary"), STR("origin"), "APPEND_IF_EXISTS_OR_ADD");
	add_routes(w, write_list(w, host, "routes"));
	w->place = w->form->node->place;
}
