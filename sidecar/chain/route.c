/*
 * Virtual hosts and routes. A route with weighted clusters is compiled once
 * for each of them, so that what is chosen for a request is a whole route.
 */
#include "config.h"

#include "chain/descriptor.h"
#include "chain/domain.h"
#include "chain/downstream.h"
#include "chain/format.h"
#include "chain/mutation.h"
#include "chain/rewrite.h"
#include "chain/route.h"
#include "chain/scope.h"
#include "config/bootstrap.h"
#include "http/target.h"

enum { INDEXED = 8, FORMAT_MAX = 64 * 1024 };

/* Header changes of one level of the configuration. */
struct changes {
	const struct mutation *request, *response;
};

struct route_parts {
	const struct route_match *match;
	const struct rewrite *rewrite;
	const struct changes *levels[HOST_LEVELS]; /* NULL: none */
	struct str cluster_header;
	struct route *weighted; /* one for each cluster */
	uint64_t weight_sum;
	struct str direct_body;
	const struct format *direct_format;
};

struct vhost {
	const struct conf_virtual_host *conf;
	struct changes changes;
	struct scope own, scope; /* its own words, and what holds in it */
	const void **old_cors;
	const struct rate_limits *rate_limits;
	struct route *routes;
	size_t n;
	const struct pathindex *index; /* NULL: few routes */
	const struct route *to_https; /* of require_tls */
};

struct route_table {
	const struct conf_route_config *conf;
	struct changes changes;
	struct scope scope;
	struct vhost *vhosts;
	struct domains *domains;
	bool only_any; /* no domain but "*" */
	struct str vhost_header;
};

/* ---- building ---- */

struct building {
	struct arena *arena;
	struct gateway *gateway;
	struct setup *setup;
	struct diag *diag;
	struct route_table *table;
	struct vhost *vhost;
};

static const struct conf_cluster *
known_cluster(const struct building *b, struct str name)
{
	return name.len ? gateway_cluster(b->gateway, name) : NULL;
}

#define CHANGES(b, from)                                                       \
	(struct changes)                                                       \
	{                                                                      \
		mutation_build((b)->arena, &(from)->request_headers_to_add,    \
		    &(from)->request_headers_to_remove, (b)->diag),            \
		    mutation_build((b)->arena,                                 \
			&(from)->response_headers_to_add,                      \
			&(from)->response_headers_to_remove, (b)->diag)        \
	}

/* A copy that lasts, or NULL if nothing is changed. */
static const struct changes *
kept(struct building *b, struct changes c)
{
	struct changes *copy;

	if (!c.request && !c.response)
		return NULL;
	copy = ARENA_NEW(b->arena, struct changes);
	*copy = c;
	return copy;
}

static void
set_scope(struct route *r, const struct scope *scope)
{
	r->filter_confs = scope->confs;
	r->filter_switch = scope->switches;
}

/* The route as it is when this cluster is picked. */
static void
build_variant(struct building *b, const struct route *whole,
    const struct scope *scope, const struct conf_weighted_cluster *conf,
    struct route *r)
{
	struct route_parts *parts = ARENA_NEW(b->arena, struct route_parts);
	struct scope own =
	    scope_build(b->setup, &conf->typed_per_filter_config);
	struct scope all = scope_within(b->setup, &own, scope);

	*r = *whole;
	*parts = *whole->parts;
	r->parts = parts;
	r->weighted = conf;
	r->cluster = known_cluster(b, conf->name);
	r->level_confs[HOST_LEVEL_CLUSTER] = own.confs;
	set_scope(r, &all);
	parts->levels[HOST_LEVEL_CLUSTER] = kept(b, CHANGES(b, conf));
	if (conf->cluster_header.len)
		parts->cluster_header =
		    header_name_lower(b->arena, conf->cluster_header);
}

static void
build_weighted(struct building *b, const struct route *r,
    const struct scope *scope, struct route_parts *parts)
{
	const struct conf_weighted_clusters *conf =
	    r->conf->route->weighted_clusters;
	struct route *variants =
	    ARENA_ARRAY(b->arena, conf->clusters.n, struct route);

	for (size_t i = 0; i < conf->clusters.n; i++) {
		build_variant(
		    b, r, scope, &conf->clusters.items[i], &variants[i]);
		parts->weight_sum += conf->clusters.items[i].weight;
	}
	parts->weighted = variants;
}

static void
build_direct(struct building *b, struct route_parts *parts,
    const struct conf_direct_response *direct)
{
	if (direct->body)
		parts->direct_body =
		    bootstrap_text(b->arena, b->diag, NULL, direct->body,
			b->table->conf->max_direct_response_body_size_bytes);
	if (direct->body_format)
		parts->direct_format =
		    format_build(b->arena, direct->body_format, b->diag);
}

static void
build_action(struct building *b, struct route *r, struct route_parts *parts)
{
	const struct conf_route_action *action = r->conf->route;

	r->cluster = known_cluster(b, action->cluster);
	/* max_stream_duration takes the place of it. */
	r->timeout_ns = action->max_stream_duration ? 0 : action->timeout;
	r->idle_timeout_ns = action->has_idle_timeout
				 ? action->idle_timeout
				 : b->gateway->hcm->stream_idle_timeout;
	if (action->cluster_header.len)
		parts->cluster_header =
		    header_name_lower(b->arena, action->cluster_header);
}

static void
build_route(struct building *b, struct route *r, const struct conf_route *conf)
{
	struct route_parts *parts = ARENA_NEW(b->arena, struct route_parts);
	struct scope own, all;

	r->conf = conf;
	r->vhost = b->vhost->conf;
	r->name = conf->name;
	r->parts = parts;
	if (conf->match)
		parts->match =
		    route_match_build(b->arena, conf->match, b->diag);
	parts->rewrite = rewrite_build(b->arena, conf, parts->match, b->diag);
	parts->levels[HOST_LEVEL_GLOBAL] = &b->table->changes;
	parts->levels[HOST_LEVEL_VHOST] = &b->vhost->changes;
	parts->levels[HOST_LEVEL_ROUTE] = kept(b, CHANGES(b, conf));
	if (conf->direct_response)
		build_direct(b, parts, conf->direct_response);
	if (conf->route)
		build_action(b, r, parts);
	r->forwarding = forwarding_build(b->arena, conf, b->vhost->conf,
	    b->table->conf,
	    b->gateway->listener->per_connection_buffer_limit_bytes, b->diag);
	own = scope_build(b->setup, &conf->typed_per_filter_config);
	all = scope_within(b->setup, &own, &b->vhost->scope);
	r->level_confs[HOST_LEVEL_GLOBAL] = b->table->scope.confs;
	r->level_confs[HOST_LEVEL_VHOST] = b->vhost->own.confs;
	r->level_confs[HOST_LEVEL_ROUTE] = own.confs;
	r->level_confs[HOST_OLD_VHOST] = b->vhost->old_cors;
	r->vhost_rate_limits = b->vhost->rate_limits;
	if (conf->route) {
		r->level_confs[HOST_OLD_ROUTE] =
		    scope_old_cors(b->setup, conf->route->cors);
		r->rate_limits =
		    rate_limits_build(b->setup, &conf->route->rate_limits);
	}
	set_scope(r, &all);
	if (conf->route && conf->route->weighted_clusters)
		build_weighted(b, r, &all, parts);
}

/* What require_tls answers with: a redirect that is no route of anyone's. */
static const struct route *
build_to_https(struct building *b, const struct scope *nothing)
{
	struct conf_route *conf = ARENA_NEW(b->arena, struct conf_route);
	struct route *r = ARENA_NEW(b->arena, struct route);
	struct route_parts *parts = ARENA_NEW(b->arena, struct route_parts);

	conf->node = b->vhost->conf->node;
	conf->redirect = ARENA_NEW(b->arena, struct conf_redirect);
	conf->redirect->https_redirect = true;
	r->conf = conf;
	r->vhost = b->vhost->conf;
	r->parts = parts;
	set_scope(r, nothing);
	return r;
}

static const struct pathindex *
build_index(struct building *b, const struct vhost *v)
{
	struct path_key *keys = ARENA_ARRAY(b->arena, v->n, struct path_key);

	for (size_t i = 0; i < v->n; i++) {
		if (!v->routes[i].parts->match)
			return NULL;
		keys[i] = route_match_key(v->routes[i].parts->match);
		/* A template sees the parameters that others do not. */
		if (b->table->conf->ignore_path_parameters_in_path_matching &&
		    route_match_template(v->routes[i].parts->match))
			keys[i].text = STR("");
	}
	return pathindex_build(b->arena, keys, v->n);
}

static void
build_vhost(struct building *b, const struct scope *outer)
{
	struct vhost *v = b->vhost;
	const struct conf_virtual_host *conf = v->conf;

	v->changes = CHANGES(b, conf);
	v->own = scope_build(b->setup, &conf->typed_per_filter_config);
	v->scope = scope_within(b->setup, &v->own, outer);
	v->old_cors = scope_old_cors(b->setup, conf->cors);
	v->rate_limits = rate_limits_build(b->setup, &conf->rate_limits);
	v->n = conf->routes.n;
	v->routes = ARENA_ARRAY(b->arena, v->n, struct route);
	for (size_t i = 0; i < v->n; i++)
		build_route(b, &v->routes[i], &conf->routes.items[i]);
	if (v->n > INDEXED)
		v->index = build_index(b, v);
}

/* Duplicates have been refused when the configuration was read. */
static void
add_domains(
    struct route_table *t, const struct conf_virtual_host *conf, uint32_t vhost)
{
	for (size_t i = 0; i < conf->domains.n; i++) {
		struct str domain = conf->domains.items[i];

		(void)!domains_add(t->domains, domain, vhost);
		if (!str_eq(domain, STR("*")))
			t->only_any = false;
	}
}

static void
build_vhosts(struct building *b, struct route_table *t)
{
	const struct conf_route_config *conf = t->conf;
	size_t n_filters = b->gateway->n_filters, n_domains = 0;
	const struct scope nothing = { ARENA_ARRAY(
					   b->arena, n_filters, const void *),
		ARENA_ARRAY(b->arena, n_filters, signed char) };
	struct scope outer = scope_within(b->setup, &t->scope, &nothing);

	for (size_t i = 0; i < conf->virtual_hosts.n; i++)
		n_domains += conf->virtual_hosts.items[i].domains.n;
	t->domains = domains_new(b->arena, n_domains);
	t->vhosts = ARENA_ARRAY(b->arena, conf->virtual_hosts.n, struct vhost);
	for (size_t i = 0; i < conf->virtual_hosts.n; i++) {
		b->vhost = &t->vhosts[i];
		b->vhost->conf = &conf->virtual_hosts.items[i];
		build_vhost(b, &outer);
		if (b->vhost->conf->require_tls)
			b->vhost->to_https = build_to_https(b, &nothing);
		add_domains(t, b->vhost->conf, (uint32_t)i);
	}
}

struct route_table *
route_table_build(struct arena *arena, struct gateway *gateway,
    struct setup *setup, struct diag *diag)
{
	struct route_table *t = ARENA_NEW(arena, struct route_table);
	struct building b = { arena, gateway, setup, diag, t, NULL };

	t->conf = gateway->hcm->route_config;
	t->only_any = true;
	t->changes = CHANGES(&b, t->conf);
	t->scope = scope_build(setup, &t->conf->typed_per_filter_config);
	if (t->conf->vhost_header.len)
		t->vhost_header =
		    header_name_lower(arena, t->conf->vhost_header);
	build_vhosts(&b, t);
	return t;
}

/* ---- finding ---- */

static const struct vhost *
find_vhost(const struct route_table *t, const struct exchange *x)
{
	struct str host = headers_get(&x->request,
	    t->vhost_header.ptr ? t->vhost_header : STR(":authority"));
	uint32_t found;

	if (t->only_any)
		host = STR("");
	else if (!host.ptr)
		return NULL;
	if (t->conf->ignore_port_in_host_matching)
		host = downstream_host_without_port(host);
	found = domains_find(t->domains, x->arena, host);
	return found == TABLE_NONE ? NULL : &t->vhosts[found];
}

static bool
wants_https(const struct vhost *v, const struct exchange *x)
{
	enum { NONE, EXTERNAL_ONLY, ALL };

	if (v->conf->require_tls == NONE ||
	    str_eq(headers_get(&x->request, STR("x-forwarded-proto")),
		STR("https")))
		return false;
	return v->conf->require_tls == ALL ||
	       !str_eq(headers_get(&x->request, STR("x-envoy-internal")),
		   STR("true"));
}

/* Drops ";x=1" from every segment. */
static struct str
without_parameters(struct arena *arena, struct str path)
{
	char *out = arena_alloc(arena, path.len + 1);
	bool inside = false;
	size_t n = 0;

	for (size_t i = 0; i < path.len; i++) {
		if (path.ptr[i] == '/' || path.ptr[i] == ';')
			inside = path.ptr[i] == ';';
		if (!inside)
			out[n++] = path.ptr[i];
	}
	return (struct str){ out, n };
}

static struct str
matched_path(const struct route_table *t, const struct exchange *x)
{
	struct str path = target_path(headers_get(&x->request, STR(":path")));

	return t->conf->ignore_path_parameters_in_path_matching &&
		       str_find_char(path, ';', 0) < path.len
		   ? without_parameters(x->arena, path)
		   : path;
}

static const struct route *
find_route(const struct route_table *t, const struct vhost *v,
    const struct exchange *x)
{
	struct str target = headers_get(&x->request, STR(":path"));
	const struct route_subject subject = { .headers = &x->request,
		.target = target,
		.path = matched_path(t, x),
		.random = x->random,
		.exchange = x };
	struct pathindex_walk walk;
	uint32_t i;

	if (v->index) {
		pathindex_walk(&walk, v->index, x->arena, subject.path);
		while ((i = pathindex_next(&walk)) != TABLE_NONE)
			if (route_match_holds(
				v->routes[i].parts->match, &subject))
				return &v->routes[i];
		return NULL;
	}
	for (i = 0; i < v->n; i++)
		if (route_match_holds(v->routes[i].parts->match, &subject))
			return &v->routes[i];
	return NULL;
}

/* The number that picks among weighted clusters. */
static uint64_t
selection(const struct conf_weighted_clusters *conf, const struct exchange *x)
{
	struct str name = conf->header_name;
	struct str value;
	uint64_t number;

	if (!name.len)
		return x->random;
	name = header_name_lower(x->arena, name);
	value = headers_get(&x->request, name);
	return !headers_nth(&x->request, name, 1).ptr &&
		       str_to_u64(str_trim(value), &number)
		   ? number
		   : x->random;
}

static const struct route *
pick(const struct route *r, const struct exchange *x)
{
	const struct conf_weighted_clusters *conf;
	uint64_t at;

	if (!r || !r->parts->weight_sum)
		return r;
	conf = r->conf->route->weighted_clusters;
	at = selection(conf, x) % r->parts->weight_sum;
	for (size_t i = 0; i < conf->clusters.n; i++) {
		if (at < conf->clusters.items[i].weight)
			return &r->parts->weighted[i];
		at -= conf->clusters.items[i].weight;
	}
	return r;
}

static void
choose_cluster(struct exchange *x)
{
	const struct route *r = x->route;

	x->cluster = r ? r->cluster : NULL;
	x->cluster_name = STR_NONE;
	if (!r || !r->conf->route)
		return;
	x->cluster_name =
	    r->weighted ? r->weighted->name : r->conf->route->cluster;
	if (!r->parts->cluster_header.ptr)
		return;
	x->cluster_name = headers_get(&x->request, r->parts->cluster_header);
	if (x->cluster_name.len)
		x->cluster = gateway_cluster(x->gateway, x->cluster_name);
}

void
route_choose(const struct route_table *t, struct exchange *x)
{
	const struct vhost *v = find_vhost(t, x);

	x->vhost = v ? v->conf : NULL;
	x->route = !v                  ? NULL
		   : wants_https(v, x) ? v->to_https
				       : pick(find_route(t, v, x), x);
	choose_cluster(x);
}

const struct conf_cluster *
route_cluster(const struct route *r, struct exchange *x)
{
	(void)r;
	return x->cluster;
}

/* ---- applying ---- */

/* The weighted cluster's always come first. */
static const enum host_level specific_first[] = { HOST_LEVEL_CLUSTER,
	HOST_LEVEL_ROUTE, HOST_LEVEL_VHOST, HOST_LEVEL_GLOBAL };
static const enum host_level specific_last[] = { HOST_LEVEL_CLUSTER,
	HOST_LEVEL_GLOBAL, HOST_LEVEL_VHOST, HOST_LEVEL_ROUTE };

static const enum host_level *
order(const struct exchange *x)
{
	return x->gateway->routes->conf->most_specific_header_mutations_wins
		   ? specific_last
		   : specific_first;
}

void
route_prepare_request(const struct route *r, struct exchange *x)
{
	const struct changes *level;

	for (int i = 0; i < HOST_LEVELS; i++) {
		level = r->parts->levels[order(x)[i]];
		if (level)
			mutation_apply(level->request, x, &x->request);
		if (i == 0 && r->weighted &&
		    r->weighted->host_rewrite_literal.len)
			headers_set(&x->request, STR(":authority"),
			    r->weighted->host_rewrite_literal);
	}
	rewrite_host(r->parts->rewrite, x);
	rewrite_path(r->parts->rewrite, x);
}

void
route_use_hostname(
    const struct route *r, struct exchange *x, struct str hostname)
{
	if (r->conf->route->auto_host_rewrite && hostname.len)
		rewrite_authority(r->conf->route, x, hostname);
}

void
route_finish_response(const struct route *r, struct exchange *x)
{
	const struct changes *level;

	for (int i = 0; i < HOST_LEVELS; i++) {
		level = r->parts->levels[order(x)[i]];
		if (level)
			mutation_apply(level->response, x, &x->response);
	}
}

struct str
route_direct_body(const struct route *r, const struct exchange *x)
{
	struct str body = r->parts->direct_body;
	struct buf text;

	if (!r->parts->direct_format)
		return body;
	buf_init(&text, FORMAT_MAX);
	body = format_render(r->parts->direct_format, x, &text)
		   ? STR("")
		   : arena_str(x->arena, buf_bytes(&text));
	buf_free(&text);
	return body;
}

struct str
route_location(const struct route *r, struct exchange *x)
{
	return r->parts->rewrite ? rewrite_location(r->parts->rewrite, x)
				 : rewrite_to_https(x);
}
