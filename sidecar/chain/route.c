/* Finding routes, and what they do to requests and responses. */
#include "config.h"

#include "chain/downstream.h"
#include "chain/hash.h"
#include "chain/local_reply.h"
#include "chain/route_table.h"
#include "config/scalar.h"
#include "http/target.h"

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

static bool
number_in_header(const struct exchange *x, struct str header, uint64_t *number)
{
	struct str name = header_name_sought(x->arena, header);

	return !headers_nth(&x->request, name, 1).ptr &&
	       match_number(headers_get(&x->request, name), number);
}

/* The number that picks among a route's weighted clusters. */
static uint64_t
selection(const struct route *r, const struct exchange *x)
{
	const struct conf_weighted_clusters *conf =
	    r->conf->route->weighted_clusters;
	const struct hash_policy *hash =
	    conf->use_hash_policy ? r->forwarding->hash : NULL;
	uint64_t number;

	if (conf->header_name.len &&
	    number_in_header(x, conf->header_name, &number))
		return number;
	return hash && hash_policy_value(hash, x, &number, NULL) ? number
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
	at = selection(r, x) % r->parts->weight_sum;
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

	x->reroutes++;
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

static const struct node *
member(const struct node *map, struct str key)
{
	for (size_t i = 0; map->kind == NODE_MAP && i < map->n; i++)
		if (str_eq(map->items[i].key, key))
			return map->items[i].value;
	return NULL;
}

void
route_enter(const struct route *r, struct exchange *x)
{
	x->vcluster = vclusters_find(r->parts->vclusters, &x->request);
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
route_direct_body(const struct route *r, struct exchange *x, struct str *type)
{
	const struct format *format = r->parts->direct_format;

	if (!format)
		return r->parts->direct_body;
	*type = format_content_type(format);
	return local_reply_render(x, format, r->parts->direct_body);
}

const struct rate_limits *
route_limits(const struct route *r)
{
	return r->parts->limits;
}

const struct rate_limits *
route_vhost_limits(const struct route *r)
{
	return r->parts->vhost_limits;
}

struct str
route_metadata(
    const struct route *r, struct str ns, const struct str *keys, size_t n)
{
	const struct conf_metadata *all = r->conf->metadata;
	const struct node *at = NULL;

	for (size_t i = 0; all && i < all->filter_metadata.n; i++)
		if (str_eq(all->filter_metadata.items[i].key, ns))
			at =
			    *(const struct node **)all->filter_metadata.items[i]
				 .value;
	for (size_t i = 0; at && i < n; i++)
		at = member(at, keys[i]);
	return at && at->kind == NODE_SCALAR &&
		       (at->quoted || scalar_kind(at->scalar) == SCALAR_TEXT)
		   ? at->scalar
		   : STR_NONE;
}

unsigned
route_redirect_status(const struct conf_redirect *redirect)
{
	static const unsigned codes[] = { [CONF_301] = 301,
		[CONF_302] = 302,
		[CONF_303] = 303,
		[CONF_307] = 307,
		[CONF_308] = 308 };

	return codes[redirect->response_code];
}

struct str
route_location(const struct route *r, struct exchange *x)
{
	return r->parts->rewrite ? rewrite_location(r->parts->rewrite, x)
				 : rewrite_to_https(x);
}
