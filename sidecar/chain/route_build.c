/*
 * Compiling virtual hosts and routes. A route with weighted clusters is
 * compiled once for each of them, so that what is chosen for a request is a
 * whole route.
 */
#include "config.h"

#include <stdlib.h>

#include "chain/route_table.h"
#include "config/bootstrap.h"

enum { INDEXED = 8 }; /* fewer routes are looked at one by one */

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
		    header_name_sought(b->arena, conf->cluster_header);
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
	parts->limits = rate_limits_build(b->setup, &action->rate_limits);
	/* max_stream_duration takes the place of it. */
	r->timeout_ns = action->max_stream_duration ? 0 : action->timeout;
	r->idle_timeout_ns = action->has_idle_timeout
				 ? action->idle_timeout
				 : b->gateway->hcm->stream_idle_timeout;
	if (action->cluster_header.len)
		parts->cluster_header =
		    header_name_sought(b->arena, action->cluster_header);
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
	parts->vclusters = b->vhost->vclusters;
	parts->vhost_limits = b->vhost->limits;
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
	if (conf->route)
		r->level_confs[HOST_OLD_ROUTE] =
		    scope_old_cors(b->setup, conf->route->cors);
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
	struct path_key *keys = calloc(v->n, sizeof(*keys));
	const struct pathindex *index = NULL;
	size_t n = 0;

	if (!keys)
		abort();
	for (; n < v->n && v->routes[n].parts->match; n++) {
		keys[n] = route_match_key(v->routes[n].parts->match);
		/* A template sees the parameters that others do not. */
		if (b->table->conf->ignore_path_parameters_in_path_matching &&
		    route_match_template(v->routes[n].parts->match))
			keys[n].text = STR("");
	}
	if (n == v->n)
		index = pathindex_build(b->arena, keys, n);
	free(keys);
	return index;
}

static void
build_vhost(struct building *b, const struct scope *outer)
{
	struct vhost *v = b->vhost;
	const struct conf_virtual_host *conf = v->conf;

	v->changes = CHANGES(b, conf);
	v->limits = rate_limits_build(b->setup, &conf->rate_limits);
	v->vclusters = vclusters_build(b->arena, conf, b->diag);
	v->own = scope_build(b->setup, &conf->typed_per_filter_config);
	v->scope = scope_within(b->setup, &v->own, outer);
	v->old_cors = scope_old_cors(b->setup, conf->cors);
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
		    header_name_sought(arena, t->conf->vhost_header);
	build_vhosts(&b, t);
	return t;
}
