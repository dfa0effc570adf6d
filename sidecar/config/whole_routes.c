/* Routes over the whole bootstrap: what they name, and what they hide. */
#include "config.h"

#include "config/model_forward.h"
#include "config/whole.h"

struct routes {
	struct whole *w;
	const struct conf_route_config *config;
	const struct conf_hcm *hcm;
	const char **filters; /* names in http_filters, ended by NULL */
	struct table *domains; /* of all virtual hosts, in lower case */
};

static void
list_filters(struct routes *r, const struct conf_hcm *hcm)
{
	r->filters =
	    ARENA_ARRAY(r->w->temp, hcm->http_filters.n + 1, const char *);
	for (size_t i = 0; i < hcm->http_filters.n; i++)
		r->filters[i] =
		    arena_cstr(r->w->temp, hcm->http_filters.items[i].name);
}

/* A key that names no filter does nothing, in Envoy without a word. */
static void
check_filter_configs(
    struct routes *r, const char *path, const struct map *configs)
{
	for (size_t i = 0; i < configs->n; i++) {
		struct str key = configs->items[i].key;
		size_t at = 0;

		while (r->filters[at] && !str_eq(str_of(r->filters[at]), key))
			at++;
		if (r->filters[at] &&
		    whole_is_router(&r->hcm->http_filters.items[at]))
			diag_error(r->w->diag, configs->items[i].place, path,
			    "The filter " STR_FMT " doesn't support virtual "
			    "host or route specific configurations",
			    STR_ARG(key));
		if (r->filters[at])
			continue;
		diag_warn(r->w->diag, configs->items[i].place, path,
		    "no filter in http_filters is named '" STR_FMT
		    "': this has no effect",
		    STR_ARG(key));
		whole_hint(r->w, key, r->filters);
	}
}

static void
hint_cluster(struct routes *r, struct str name)
{
	const struct conf_static_resources *all =
	    r->w->bootstrap->static_resources;
	const char **names =
	    ARENA_ARRAY(r->w->temp, all->clusters.n + 1, const char *);
	size_t n = 0;

	for (size_t i = 0; i < all->clusters.n; i++)
		if (all->clusters.items[i].name.len)
			names[n++] =
			    arena_cstr(r->w->temp, all->clusters.items[i].name);
	whole_hint(r->w, name, names);
}

static void
check_cluster(struct routes *r, const char *path, const char *kind,
    struct str name, const struct node *owner)
{
	const struct node *at = node_get(owner, "cluster");

	if (!name.len || !r->config->validate_clusters ||
	    table_get(r->w->clusters, name) != TABLE_NONE)
		return;
	if (!at)
		at = node_get(owner, "name");
	diag_error(r->w->diag, at ? at->place : owner->place, path,
	    "route: unknown %scluster '" STR_FMT "'", kind, STR_ARG(name));
	diag_go_on(r->w->diag);
	hint_cluster(r, name);
}

static void
check_mirrors(
    struct routes *r, const char *path, const conf_mirror_policies *mirrors)
{
	for (size_t i = 0; i < mirrors->n; i++)
		check_cluster(r, path, "shadow ", mirrors->items[i].cluster,
		    mirrors->items[i].node);
}

static void
check_clusters(
    struct routes *r, const char *path, const struct conf_route_action *action)
{
	const struct conf_weighted_clusters *weighted =
	    action->weighted_clusters;

	check_cluster(r, path, "", action->cluster, action->node);
	check_mirrors(r, path, &action->request_mirror_policies);
	for (size_t i = 0; weighted && i < weighted->clusters.n; i++) {
		const struct conf_weighted_cluster *c =
		    &weighted->clusters.items[i];

		check_cluster(r, path, "weighted ", c->name, c->node);
		check_filter_configs(r, path, &c->typed_per_filter_config);
	}
}

static struct str
lowered(struct arena *arena, struct str s)
{
	char *copy = arena_cstr(arena, s);

	for (size_t i = 0; i < s.len; i++)
		copy[i] = ascii_lower(copy[i]);
	return (struct str){ copy, s.len };
}

static void
check_domains(
    struct routes *r, const char *path, const struct conf_virtual_host *host)
{
	const struct node *list = node_get(host->node, "domains");

	for (size_t i = 0; i < host->domains.n; i++) {
		struct str name = host->domains.items[i];
		uint32_t *at;

		if (!name.ptr)
			continue;
		at = table_put(r->domains, lowered(r->w->temp, name));
		if (*at == TABLE_NONE)
			*at = 0;
		else if (str_eq(name, STR("*")))
			diag_error(r->w->diag, list->items[i].value->place,
			    path,
			    "Only a single wildcard domain is permitted in "
			    "route " STR_FMT,
			    STR_ARG(r->config->name));
		else
			diag_error(r->w->diag, list->items[i].value->place,
			    path,
			    "Only unique values for domains are permitted. "
			    "Duplicate entry of domain " STR_FMT
			    " in route " STR_FMT,
			    STR_ARG(name), STR_ARG(r->config->name));
	}
}

/* Whether a match looks at nothing but the path, with case. */
static bool
is_plain(const struct conf_route_match *m)
{
	return m->case_sensitive && !m->runtime_fraction && !m->headers.n &&
	       !m->query_parameters.n && !m->cookies.n &&
	       !m->dynamic_metadata.n && !m->grpc && !m->tls_context &&
	       !m->path_match_policy;
}

/* What every path that the match takes begins with; "" if that is unknown. */
static struct str
beginning(const struct conf_route_match *m)
{
	if (!m->case_sensitive)
		return STR("");
	if (m->prefix.ptr)
		return m->prefix;
	if (m->path.ptr)
		return m->path;
	return m->path_separated_prefix.ptr ? m->path_separated_prefix
					    : STR("");
}

/* The route that takes all that this one would, or TABLE_NONE. */
static uint32_t
hidden_by(const struct table *prefixes, const struct conf_route_match *m)
{
	struct str begin = beginning(m);
	struct table_walk walk;
	uint32_t slash = table_get(prefixes, STR("/"));
	uint32_t all = table_get(prefixes, STR(""));

	if (all != TABLE_NONE || slash != TABLE_NONE)
		return all != TABLE_NONE ? all : slash;
	if (!begin.len)
		return TABLE_NONE;
	walk = table_walk(prefixes, begin);
	return table_next(&walk);
}

static void
check_order(
    struct routes *r, const char *path, const struct conf_virtual_host *host)
{
	struct table *prefixes = table_new(r->w->temp, host->routes.n);

	for (size_t i = 0; i < host->routes.n; i++) {
		const struct conf_route *route = &host->routes.items[i];
		const struct conf_route_match *m = route->match;
		uint32_t by = m ? hidden_by(prefixes, m) : TABLE_NONE;
		uint32_t *at;

		if (by != TABLE_NONE)
			diag_warn(r->w->diag, route->node->place,
			    whole_path(r->w, "%s.routes[%zu]", path, i),
			    "this route is never taken: the one in line %u "
			    "takes all its requests",
			    host->routes.items[by].node->place.line);
		if (!m || !m->prefix.ptr || !is_plain(m))
			continue;
		at = table_put(prefixes, m->prefix);
		if (*at == TABLE_NONE)
			*at = (uint32_t)i;
	}
}

/* Where prefix_rewrite and the rest of the path do not meet at one slash. */
static void
check_rewrite(struct routes *r, const char *path, const struct conf_route *c)
{
	const struct conf_route_match *m = c->match;
	struct str to =
	    c->route ? c->route->prefix_rewrite : c->redirect->prefix_rewrite;
	struct str from = m->prefix.ptr ? m->prefix : m->path_separated_prefix;
	bool ends = str_ends(from, STR("/"));

	if (!to.len || !from.len || str_eq(from, STR("/")) ||
	    ends == str_ends(to, STR("/")))
		return;
	if (!ends)
		diag_warn(r->w->diag, c->node->place, path,
		    "`prefix_rewrite` makes \"" STR_FMT "/x\" of \"" STR_FMT
		    "/x\"",
		    STR_ARG(to), STR_ARG(from));
	else
		diag_warn(r->w->diag, c->node->place, path,
		    "`prefix_rewrite` makes \"" STR_FMT "x\" of \"" STR_FMT
		    "x\"",
		    STR_ARG(to), STR_ARG(from));
	diag_hint(
	    r->w->diag, "end both with \"/\" or neither, or use regex_rewrite");
}

static void
check_host(
    struct routes *r, const char *path, const struct conf_virtual_host *host)
{
	check_domains(r, path, host);
	whole_virtual_clusters(r->w, path, host);
	check_filter_configs(r, path, &host->typed_per_filter_config);
	check_mirrors(r, path, &host->request_mirror_policies);
	for (size_t i = 0; i < host->routes.n; i++) {
		const struct conf_route *route = &host->routes.items[i];
		const char *in = whole_path(r->w, "%s.routes[%zu]", path, i);

		if (route->route)
			check_clusters(r, in, route->route);
		if (route->match && (route->route || route->redirect))
			check_rewrite(r, in, route);
		check_filter_configs(r, in, &route->typed_per_filter_config);
	}
	check_order(r, path, host);
}

void
whole_routes(struct whole *w, const char *path, const struct conf_hcm *hcm)
{
	const struct conf_route_config *config = hcm->route_config;
	struct routes r = { .w = w, .config = config, .hcm = hcm };
	size_t n = 0;

	if (!config)
		return;
	for (size_t i = 0; i < config->virtual_hosts.n; i++)
		n += config->virtual_hosts.items[i].domains.n;
	r.domains = table_new(w->temp, n);
	list_filters(&r, hcm);
	path = whole_path(w, "%s.route_config", path);
	check_filter_configs(&r, path, &config->typed_per_filter_config);
	check_mirrors(&r, path, &config->request_mirror_policies);
	for (size_t i = 0; i < config->virtual_hosts.n; i++)
		check_host(&r, whole_path(w, "%s.virtual_hosts[%zu]", path, i),
		    &config->virtual_hosts.items[i]);
}
