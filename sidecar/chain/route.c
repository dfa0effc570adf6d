/* Virtual hosts, routes, and what a route does to the headers. */
#include "config.h"

#include "base/regex.h"
#include "chain/downstream.h"
#include "chain/match.h"
#include "chain/mutation.h"
#include "chain/route.h"
#include "chain/setup.h"
#include "config/bootstrap.h"

struct weighted {
	const struct conf_cluster *cluster;
	uint32_t weight;
};

struct route_parts {
	const struct route_match *match;
	const struct regex *rewrite;
	/* of the route, its virtual host and the route configuration */
	const struct mutation *request[3], *response[3];
	struct weighted *weighted;
	size_t n_weighted;
	uint64_t weight_sum;
	struct str direct_body;
	const struct gateway *gateway;
};

struct vhost {
	const struct conf_virtual_host *conf;
	struct route *routes;
	size_t n;
};

struct domain {
	struct str text; /* without the "*" */
	const struct vhost *vhost;
};

enum domain_kind { DOMAIN_EXACT, DOMAIN_SUFFIX, DOMAIN_PREFIX, DOMAIN_KINDS };

struct route_table {
	const struct conf_route_config *conf;
	struct vhost *vhosts;
	struct domain *domains[DOMAIN_KINDS];
	size_t n_domains[DOMAIN_KINDS];
	const struct vhost *any;
};

/* envoy.config.route.v3.FilterConfig */
struct conf_filter_config {
	const struct node *node;
	struct any *config;
	bool is_optional;
	bool disabled;
};

static const struct schema_field filter_config_fields[] = {
	{ .name = "config",
	    .type = SCHEMA_ANY,
	    SCHEMA_AT(struct conf_filter_config, config),
	    .text = "The filter's configuration for this scope." },
	{ .name = "is_optional",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_filter_config, is_optional),
	    .text = "Whether an unknown filter is passed over." },
	{ .name = "disabled",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_filter_config, disabled),
	    .text = "Turns the filter off for this scope." },
	{ .name = NULL },
};

static const struct schema_message filter_config_message = {
	.name = "envoy.config.route.v3.FilterConfig",
	.size = sizeof(struct conf_filter_config),
	.fields = filter_config_fields,
};

/* ---- building ---- */

struct building {
	struct arena *arena;
	struct gateway *gateway;
	struct setup *setup;
	struct diag *diag;
	const struct conf_route_config *conf;
	/* per-filter entries of the outer scopes, configured once */
	struct scope {
		const void **confs;
		signed char *switches;
	} outer[2];
};

static void
configure_entry(struct building *b, const struct map_entry *entry, size_t at,
    struct scope *scope)
{
	const struct filter_instance *instance = &b->gateway->filters[at];
	const struct any *any = entry->value;
	const struct conf_filter_config *wrapped;

	scope->switches[at] = 1;
	if (str_eq(any->type, str_of(filter_config_message.name))) {
		wrapped = schema_decode_any(
		    b->arena, b->diag, &filter_config_message, any);
		if (wrapped->disabled)
			scope->switches[at] = -1;
		any = wrapped->config;
	}
	if (any)
		scope->confs[at] =
		    setup_filter_route(b->setup, instance->filter, any);
}

static void
build_scope(struct building *b, const struct map *map, struct scope *scope)
{
	const struct gateway *g = b->gateway;

	scope->confs = ARENA_ARRAY(b->arena, g->n_filters + 1, const void *);
	scope->switches = ARENA_ARRAY(b->arena, g->n_filters + 1, signed char);
	for (size_t i = 0; i < map->n; i++) {
		bool known = false;
		for (size_t at = 0; at < g->n_filters; at++) {
			if (!str_eq(g->filters[at].name, map->items[i].key))
				continue;
			configure_entry(b, &map->items[i], at, scope);
			known = true;
		}
		if (!known)
			diag_warn(b->diag, map->items[i].place, NULL,
			    "no filter in http_filters has the name \"" STR_FMT
			    "\": this entry does nothing",
			    STR_ARG(map->items[i].key));
	}
}

/* The most specific scope that says something wins whole. */
static void
inherit(struct building *b, struct scope *scope)
{
	const size_t bytes = b->gateway->n_filters * sizeof(scope->confs[0]);
	const void **own = scope->confs;

	scope->confs =
	    ARENA_ARRAY(b->arena, b->gateway->n_filters + 1, const void *);
	if (bytes)
		memcpy(scope->confs, own, bytes);
	for (size_t at = 0; at < b->gateway->n_filters; at++)
		for (int i = 0; i < 2 && !scope->switches[at]; i++) {
			scope->switches[at] = b->outer[i].switches[at];
			scope->confs[at] = b->outer[i].confs[at];
		}
}

static const struct conf_cluster *
known_cluster(const struct building *b, struct str name)
{
	return name.len ? gateway_cluster(b->gateway, name) : NULL;
}

static void
build_weighted(struct building *b, struct route_parts *parts,
    const struct conf_weighted_clusters *conf)
{
	parts->n_weighted = conf->clusters.n;
	parts->weighted =
	    ARENA_ARRAY(b->arena, parts->n_weighted + 1, struct weighted);
	for (size_t i = 0; i < parts->n_weighted; i++) {
		parts->weighted[i].cluster =
		    known_cluster(b, conf->clusters.items[i].name);
		parts->weighted[i].weight = conf->clusters.items[i].weight;
		parts->weight_sum += parts->weighted[i].weight;
	}
	if (!parts->weight_sum)
		diag_error(b->diag, conf->node->place, NULL,
		    "Sum of weights in the weighted_cluster must be greater "
		    "than 0.");
}

static void
build_rewrite(struct building *b, struct route_parts *parts,
    const struct conf_route_action *action)
{
	const struct conf_regex_rewrite *rewrite = action->regex_rewrite;

	if (!rewrite || !rewrite->pattern)
		return;
	if (action->prefix_rewrite.len)
		diag_error(b->diag, action->node->place, NULL,
		    "Specify only one of prefix_rewrite, regex_rewrite or "
		    "path_rewrite_policy");
	parts->rewrite = match_regex(b->arena, rewrite->pattern, b->diag);
	if (parts->rewrite &&
	    !regex_substitution_is_valid(parts->rewrite,
		rewrite->substitution.ptr ? rewrite->substitution : STR("")))
		diag_error(b->diag, rewrite->node->place, NULL,
		    "the substitution names a group that the pattern does "
		    "not have");
}

static void
build_action(struct building *b, struct route *r, struct route_parts *parts)
{
	const struct conf_route_action *action = r->conf->route;
	const struct conf_direct_response *direct = r->conf->direct_response;

	if (direct && direct->body)
		parts->direct_body = bootstrap_data(b->arena, b->diag, NULL,
		    direct->body, b->conf->max_direct_response_body_size_bytes);
	if (!action)
		return;
	r->cluster = known_cluster(b, action->cluster);
	r->timeout_ns = action->timeout;
	r->idle_timeout_ns = action->has_idle_timeout
				 ? action->idle_timeout
				 : b->gateway->hcm->stream_idle_timeout;
	if (action->weighted_clusters)
		build_weighted(b, parts, action->weighted_clusters);
	build_rewrite(b, parts, action);
}

static void
build_mutations(struct building *b, struct route_parts *parts,
    const struct conf_route *route, const struct conf_virtual_host *vhost)
{
	const struct conf_route_config *top = b->conf;

#define BUILD(level, from)                                                     \
	parts->request[level] =                                                \
	    mutation_build(b->arena, &(from)->request_headers_to_add,          \
		&(from)->request_headers_to_remove, b->diag);                  \
	parts->response[level] =                                               \
	    mutation_build(b->arena, &(from)->response_headers_to_add,         \
		&(from)->response_headers_to_remove, b->diag)
	BUILD(0, route);
	BUILD(1, vhost);
	BUILD(2, top);
#undef BUILD
}

static void
build_route(struct building *b, struct route *r, const struct conf_route *conf,
    const struct conf_virtual_host *vhost)
{
	struct route_parts *parts = ARENA_NEW(b->arena, struct route_parts);
	struct scope scope;

	r->conf = conf;
	r->vhost = vhost;
	r->name = conf->name;
	r->parts = parts;
	parts->gateway = b->gateway;
	if (conf->match)
		parts->match =
		    route_match_build(b->arena, conf->match, b->diag);
	build_action(b, r, parts);
	build_mutations(b, parts, conf, vhost);
	build_scope(b, &conf->typed_per_filter_config, &scope);
	r->level_confs[HOST_LEVEL_GLOBAL] = b->outer[1].confs;
	r->level_confs[HOST_LEVEL_VHOST] = b->outer[0].confs;
	r->level_confs[HOST_LEVEL_ROUTE] = scope.confs;
	inherit(b, &scope);
	r->filter_confs = scope.confs;
	r->filter_switch = scope.switches;
}

static struct str
lower(struct arena *arena, struct str s)
{
	char *copy = arena_cstr(arena, s);

	for (size_t i = 0; i < s.len; i++)
		copy[i] = ascii_lower(copy[i]);
	return (struct str){ copy, s.len };
}

static void
add_domain(struct building *b, struct route_table *t, struct vhost *vhost,
    struct str text)
{
	enum domain_kind kind = DOMAIN_EXACT;

	text = lower(b->arena, text);
	if (str_eq(text, STR("*"))) {
		t->any = vhost;
		return;
	}
	if (str_starts(text, STR("*"))) {
		kind = DOMAIN_SUFFIX;
		text = str_slice(text, 1, text.len);
	} else if (str_ends(text, STR("*"))) {
		kind = DOMAIN_PREFIX;
		text = str_slice(text, 0, text.len - 1);
	}
	t->domains[kind][t->n_domains[kind]++] = (struct domain){ text, vhost };
}

struct route_table *
route_table_build(struct arena *arena, struct gateway *gateway,
    struct setup *setup, struct diag *diag)
{
	const struct conf_route_config *conf = gateway->hcm->route_config;
	struct route_table *t = ARENA_NEW(arena, struct route_table);
	struct building b = { arena, gateway, setup, diag, conf,
		{ { NULL, NULL }, { NULL, NULL } } };
	size_t n_domains = 0;

	t->conf = conf;
	build_scope(&b, &conf->typed_per_filter_config, &b.outer[1]);
	t->vhosts = ARENA_ARRAY(arena, conf->virtual_hosts.n + 1, struct vhost);
	for (size_t i = 0; i < conf->virtual_hosts.n; i++)
		n_domains += conf->virtual_hosts.items[i].domains.n;
	for (int kind = 0; kind < DOMAIN_KINDS; kind++)
		t->domains[kind] =
		    ARENA_ARRAY(arena, n_domains + 1, struct domain);
	for (size_t i = 0; i < conf->virtual_hosts.n; i++) {
		const struct conf_virtual_host *v =
		    &conf->virtual_hosts.items[i];
		t->vhosts[i].conf = v;
		build_scope(&b, &v->typed_per_filter_config, &b.outer[0]);
		t->vhosts[i].n = v->routes.n;
		t->vhosts[i].routes =
		    ARENA_ARRAY(arena, v->routes.n + 1, struct route);
		for (size_t j = 0; j < v->routes.n; j++)
			build_route(&b, &t->vhosts[i].routes[j],
			    &v->routes.items[j], v);
		for (size_t j = 0; j < v->domains.n; j++)
			add_domain(&b, t, &t->vhosts[i], v->domains.items[j]);
	}
	return t;
}

/* ---- finding ---- */

static const struct vhost *
find_vhost(const struct route_table *t, struct str host)
{
	const struct domain *best = NULL;

	for (size_t i = 0; i < t->n_domains[DOMAIN_EXACT]; i++)
		if (str_eq(host, t->domains[DOMAIN_EXACT][i].text))
			return t->domains[DOMAIN_EXACT][i].vhost;
	for (int kind = DOMAIN_SUFFIX; kind < DOMAIN_KINDS && !best; kind++)
		for (size_t i = 0; i < t->n_domains[kind]; i++) {
			const struct domain *d = &t->domains[kind][i];
			if (host.len > d->text.len &&
			    (kind == DOMAIN_SUFFIX
				    ? str_ends(host, d->text)
				    : str_starts(host, d->text)) &&
			    (!best || d->text.len > best->text.len))
				best = d;
		}
	return best ? best->vhost : t->any;
}

const struct route *
route_find(const struct route_table *t, struct exchange *x)
{
	struct str host = headers_get(&x->request, STR(":authority"));
	const struct vhost *vhost;

	if (t->conf->ignore_port_in_host_matching)
		host = downstream_host_without_port(host);
	vhost = find_vhost(t, lower(x->arena, host));
	if (!vhost)
		return NULL;
	for (size_t i = 0; i < vhost->n; i++)
		if (route_match_holds(
			vhost->routes[i].parts->match, &x->request, x->random))
			return &vhost->routes[i];
	return NULL;
}

const struct conf_cluster *
route_cluster(const struct route *r, struct exchange *x)
{
	const struct conf_route_action *action = r->conf->route;
	uint64_t pick;
	struct str name;

	if (!action || r->cluster)
		return r->cluster;
	if (action->cluster_header.len) {
		name = headers_get(&x->request,
		    header_name_lower(x->arena, action->cluster_header));
		return name.len ? gateway_cluster(x->gateway, name) : NULL;
	}
	if (!r->parts->weight_sum)
		return NULL;
	pick = x->random % r->parts->weight_sum;
	for (size_t i = 0; i < r->parts->n_weighted; i++) {
		if (pick < r->parts->weighted[i].weight)
			return r->parts->weighted[i].cluster;
		pick -= r->parts->weighted[i].weight;
	}
	return NULL;
}

/* ---- applying ---- */

static void
apply_levels(const struct mutation *const levels[3], const struct exchange *x,
    const struct route_table *t, struct headers *headers)
{
	bool reversed = t->conf->most_specific_header_mutations_wins;

	for (int i = 0; i < 3; i++)
		mutation_apply(levels[reversed ? 2 - i : i], x, headers);
}

static void
rewrite_path(const struct route *r, struct exchange *x)
{
	const struct conf_route_action *action = r->conf->route;
	struct str target = headers_get(&x->request, STR(":path"));
	struct str path = target_path(target), query = target_query(target);
	struct str changed = STR_NONE;

	if (r->parts->rewrite)
		changed = regex_replace(x->arena, r->parts->rewrite, path,
		    action->regex_rewrite->substitution.ptr
			? action->regex_rewrite->substitution
			: STR(""));
	else if (action->prefix_rewrite.len)
		changed = arena_printf(x->arena, STR_FMT STR_FMT,
		    STR_ARG(action->prefix_rewrite),
		    STR_ARG(str_slice(path,
			route_match_len(r->parts->match, path), path.len)));
	if (!changed.ptr || str_eq(changed, path))
		return;
	if (!headers_get(&x->request, STR("x-envoy-original-path")).ptr &&
	    !x->gateway->suppress_envoy_headers)
		headers_set(&x->request, STR("x-envoy-original-path"), target);
	if (!str_starts(changed, STR("/")))
		changed = arena_printf(x->arena, "/" STR_FMT, STR_ARG(changed));
	headers_set(&x->request, STR(":path"),
	    arena_printf(
		x->arena, STR_FMT STR_FMT, STR_ARG(changed), STR_ARG(query)));
}

static void
rewrite_host(const struct route *r, struct exchange *x)
{
	const struct conf_route_action *action = r->conf->route;
	struct str host = headers_get(&x->request, STR(":authority"));
	struct str before;

	if (!action->host_rewrite_literal.len)
		return;
	if (action->append_x_forwarded_host) {
		before = headers_joined(&x->request, STR("x-forwarded-host"));
		headers_set(&x->request, STR("x-forwarded-host"),
		    before.len ? arena_printf(x->arena, STR_FMT "," STR_FMT,
				     STR_ARG(before), STR_ARG(host))
			       : host);
	}
	headers_set(
	    &x->request, STR(":authority"), action->host_rewrite_literal);
}

void
route_prepare_request(const struct route *r, struct exchange *x)
{
	apply_levels(r->parts->request, x, x->gateway->routes, &x->request);
	rewrite_host(r, x);
	rewrite_path(r, x);
}

void
route_finish_response(const struct route *r, struct exchange *x)
{
	apply_levels(r->parts->response, x, x->gateway->routes, &x->response);
}

struct str
route_direct_body(const struct route *r)
{
	return r->parts->direct_body;
}

struct str
route_redirect_location(const struct route *r, const struct exchange *x)
{
	const struct conf_redirect *redirect = r->conf->redirect;
	struct str target = headers_get(&x->request, STR(":path"));
	struct str path = target_path(target), query = target_query(target);
	struct str host = headers_get(&x->request, STR(":authority"));
	struct str scheme = redirect->https_redirect ? STR("https")
			    : redirect->scheme_redirect.len
				? redirect->scheme_redirect
				: headers_get(&x->request, STR(":scheme"));
	struct str old_scheme = headers_get(&x->request, STR(":scheme"));

	if (redirect->host_redirect.len)
		host = redirect->host_redirect;
	else if ((str_eq(old_scheme, STR("http")) &&
		     str_ends(host, STR(":80"))) ||
		 (str_eq(old_scheme, STR("https")) &&
		     str_ends(host, STR(":443"))))
		host = str_eq(scheme, old_scheme)
			   ? host
			   : downstream_host_without_port(host);
	if (redirect->port_redirect)
		host = arena_printf(x->arena, STR_FMT ":%u",
		    STR_ARG(downstream_host_without_port(host)),
		    redirect->port_redirect);
	if (redirect->path_redirect.len) {
		path = redirect->path_redirect;
		if (target_query(path).len)
			query = STR("");
	} else if (redirect->prefix_rewrite.len) {
		path = arena_printf(x->arena, STR_FMT STR_FMT,
		    STR_ARG(redirect->prefix_rewrite),
		    STR_ARG(str_slice(path,
			route_match_len(r->parts->match, path), path.len)));
	}
	return arena_printf(x->arena, STR_FMT "://" STR_FMT STR_FMT STR_FMT,
	    STR_ARG(scheme), STR_ARG(host), STR_ARG(path),
	    STR_ARG(redirect->strip_query ? STR("") : query));
}
