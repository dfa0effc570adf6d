/* Clusters and their hosts, from the configuration. */
#include "config.h"

#include <arpa/inet.h>

#include <stdlib.h>

#include "base/clock.h"
#include "upstream/cluster_build.h"

static struct place
place_of(const struct node *node)
{
	return node ? node->place : (struct place){ .source = NULL };
}

void
build_error(struct build *b, const struct node *node, const char *field,
    const char *format, ...)
{
	struct str text;
	va_list args;

	va_start(args, format);
	text = arena_vprintf(b->arena, format, args);
	va_end(args);
	diag_error(b->diag, place_of(node),
	    arena_printf(b->arena, "%s.%s", b->path, field).ptr, "%s",
	    text.ptr);
}

bool
build_is_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' &&
		    c != '.' && c != '_')
			return false;
	}
	return name.len > 0 && name.len < 254;
}

/* ---- one host ---- */

/* An IP address as it is written canonically; absent if it is none. */
static struct str
canonical(struct arena *arena, struct str text, int family)
{
	unsigned char address[16];
	char out[INET6_ADDRSTRLEN];

	if (inet_pton(family, arena_cstr(arena, text), address) != 1 ||
	    !inet_ntop(family, address, out, sizeof(out)))
		return STR_NONE;
	return arena_str(arena, str_of(out));
}

/* Where a host is to be connected to, and under which name. */
struct way {
	struct str host; /* for the URL; an IPv6 address in brackets */
	unsigned port;
};

static void
set_url(struct build *b, struct client_origin *o, struct way way)
{
	bool renamed = b->sni.len && !str_eq_nocase(b->sni, way.host);

	if (renamed)
		o->connect_to = arena_printf(
		    b->arena, "::" STR_FMT ":%u", STR_ARG(way.host), way.port)
				    .ptr;
	o->url = arena_printf(b->arena, "%s://" STR_FMT ":%u/", b->scheme,
	    STR_ARG(renamed ? b->sni : way.host), way.port)
		     .ptr;
}

static void
make_inet(struct build *b, struct cluster_host *h,
    const struct conf_socket_address *at)
{
	struct str v6 = canonical(b->arena, at->address, AF_INET6);
	struct str v4 = canonical(b->arena, at->address, AF_INET);
	bool name = !v6.ptr && !v4.ptr;
	struct way way = { v4.ptr ? v4 : at->address, at->port_value };

	if (name && !build_is_name(at->address)) {
		build_error(b, at->node, b->at,
		    "\"" STR_FMT "\" is neither an address nor a name",
		    STR_ARG(at->address));
		return;
	}
	if (at->port_value == 0 || at->port_value > 65535) {
		build_error(b, at->node, b->at,
		    "port_value must be between 1 and 65535");
		return;
	}
	if (v6.ptr)
		way.host = arena_printf(b->arena, "[" STR_FMT "]", STR_ARG(v6));
	set_url(b, &h->origin, way);
	if (!name)
		h->address = arena_printf(
		    b->arena, STR_FMT ":%u", STR_ARG(way.host), at->port_value);
	else if (!h->hostname.len)
		h->hostname = at->address;
	h->origin.verify_name = b->common.verify && (name || b->sni.len);
}

static void
make_pipe(struct build *b, struct cluster_host *h, const struct conf_pipe *pipe)
{
	struct str host = b->sni.len ? b->sni : STR("localhost");

	/* sun_path has 108 bytes, the last a NUL. */
	if (pipe->path.len == 0 || pipe->path.len > 107) {
		build_error(b, pipe->node, b->at,
		    "the path of a socket has 1 to 107 bytes");
		return;
	}
	h->origin.unix_path = arena_cstr(b->arena, pipe->path);
	h->origin.url = arena_printf(
	    b->arena, "%s://" STR_FMT "/", b->scheme, STR_ARG(host))
			    .ptr;
	h->origin.verify_name = b->common.verify && b->sni.len;
	h->address = pipe->path;
}

const struct node *
build_lb_value(const struct conf_lb_endpoint *conf, const char *key)
{
	const struct map *all =
	    conf->metadata ? &conf->metadata->filter_metadata : NULL;

	for (size_t i = 0; all && i < all->n; i++)
		if (str_eq(all->items[i].key, STR("envoy.lb")))
			return node_get(
			    *(const struct node **)all->items[i].value, key);
	return NULL;
}

static void
make_host(struct build *b, struct cluster_host *h,
    const struct conf_lb_endpoint *conf)
{
	const struct conf_endpoint *endpoint = conf->endpoint;
	const struct conf_address *address =
	    endpoint ? endpoint->address : NULL;
	const struct node *canary = build_lb_value(conf, "canary");

	h->origin = b->common;
	h->weight =
	    conf->load_balancing_weight ? conf->load_balancing_weight : 1;
	h->is_canary = canary && canary->kind == NODE_SCALAR &&
		       str_eq(canary->scalar, STR("true"));
	h->metadata = conf->metadata;
	if (endpoint)
		h->hostname = endpoint->hostname;
	if (address && address->socket_address)
		make_inet(b, h, address->socket_address);
	else if (address && address->pipe)
		make_pipe(b, h, address->pipe);
	else
		build_error(b, conf->node, b->at,
		    "an endpoint needs a socket_address or a pipe");
}

/* Envoy knows the addresses of names before it chooses. */
static void
warn_of_name(struct build *b, const struct node *where)
{
	bool by_hash =
	    b->policy.kind == CONF_RING_HASH || b->policy.kind == CONF_MAGLEV;

	if (by_hash && !b->warned_of_name)
		diag_warn(b->diag, where->place, b->path,
		    "of a host with a name, name and port are hashed; Envoy "
		    "hashes the address it finds for it, so that the two "
		    "choose differently unless metadata gives a hash_key");
	b->warned_of_name = true;
}

/* What is hashed of a host. */
static struct str
key_of(struct build *b, const struct cluster_host *h,
    const struct conf_lb_endpoint *conf)
{
	const struct node *own = build_lb_value(conf, "hash_key");

	if (own && own->kind == NODE_SCALAR && own->scalar.len)
		return own->scalar;
	if (build_hashes_names(b))
		return h->hostname.ptr ? h->hostname : STR("");
	if (h->address.ptr)
		return h->address;
	warn_of_name(b, conf->node);
	return arena_printf(b->arena, STR_FMT ":%u", STR_ARG(h->hostname),
	    conf->endpoint->address->socket_address->port_value);
}

/* ---- one cluster ---- */

static size_t
count_hosts(const struct conf_load_assignment *all)
{
	size_t n = 0;

	for (size_t i = 0; all && i < all->endpoints.n; i++)
		n += all->endpoints.items[i].lb_endpoints.n;
	return n;
}

static void
make_hosts(struct build *b, struct cluster_host *hosts, struct ring_host *keys,
    const struct conf_load_assignment *all)
{
	size_t errors = diag_errors(b->diag);

	for (size_t i = 0; all && i < all->endpoints.n; i++) {
		const struct conf_locality_endpoints *group =
		    &all->endpoints.items[i];
		b->at =
		    arena_printf(b->arena, "load_assignment.endpoints[%zu]", i)
			.ptr;
		if (group->priority)
			build_error(b, group->node, b->at,
			    "only priority 0 is used: all hosts of a cluster "
			    "are equal");
		for (size_t j = 0; j < group->lb_endpoints.n; j++) {
			b->at = arena_printf(b->arena,
			    "load_assignment.endpoints[%zu].lb_endpoints[%zu]."
			    "endpoint.address",
			    i, j)
				    .ptr;
			make_host(b, hosts, &group->lb_endpoints.items[j]);
			if (diag_errors(b->diag) == errors)
				*keys = (struct ring_host){
					key_of(b, hosts,
					    &group->lb_endpoints.items[j]),
					hosts->weight
				};
			hosts++;
			keys++;
		}
	}
}

static void
make_cluster(struct build *b, struct cluster *c)
{
	const struct conf_cluster *conf = b->conf;
	int64_t connect_ms = conf->connect_timeout / NS_PER_MS;
	size_t errors = diag_errors(b->diag);
	struct cluster_host *hosts;
	struct ring_host *keys;

	b->common.connect_timeout_ms = connect_ms ? (long)connect_ms : 1;
	build_tls(b);
	build_protocol(b, c);
	build_limits(b, c);
	build_read_policy(b);
	c->conf = conf;
	c->n = count_hosts(conf->load_assignment);
	c->hosts = hosts = ARENA_ARRAY(b->arena, c->n, struct cluster_host);
	keys = ARENA_ARRAY(b->arena, c->n, struct ring_host);
	make_hosts(b, hosts, keys, conf->load_assignment);
	for (size_t i = 1; i < c->n; i++)
		c->is_weighted |= hosts[i].weight != hosts[0].weight;
	if (diag_errors(b->diag) == errors)
		build_policy(b, c, keys);
}

/* ---- all of them ---- */

static bool
has_urgent_routes(const struct conf_route_config *conf)
{
	for (size_t i = 0; conf && i < conf->virtual_hosts.n; i++) {
		const struct conf_virtual_host *v =
		    &conf->virtual_hosts.items[i];
		for (size_t j = 0; j < v->routes.n; j++)
			if (v->routes.items[j].route &&
			    v->routes.items[j].route->priority == 1)
				return true;
	}
	return false;
}

static int
by_url(const void *a, const void *b)
{
	const struct client_origin *x = *(struct client_origin *const *)a;
	const struct client_origin *y = *(struct client_origin *const *)b;

	return strcmp(x->url, y->url);
}

/*
 * libcurl knows connections by the name they were made for: one of its own
 * keeps an origin from using those of another cluster or priority, which
 * Envoy's pools do not share either. TLS must go by the real name.
 */
static void
set_apart(struct arena *arena, struct client_origin *o)
{
	const char *host = strstr(o->url, "://");
	size_t len;

	if (!str_starts(str_of(o->url), STR("http://")) || o->connect_to)
		return;
	host += 3;
	len = strcspn(host, "/");
	o->connect_to = o->unix_path
			    ? NULL
			    : arena_printf(arena, "::%.*s", (int)len, host).ptr;
	o->url = arena_printf(arena, "http://h%zu.sallyport/", o->index).ptr;
}

static void
set_all_apart(struct arena *arena, struct client_origin **all, size_t n)
{
	qsort(all, n, sizeof(*all), by_url);
	for (size_t i = 1, first = 0; i <= n; i++) {
		if (i < n && !strcmp(all[i]->url, all[first]->url))
			continue;
		for (size_t j = first + 1; j < i; j++)
			set_apart(arena, all[j]);
		first = i;
	}
}

/* Origins for requests of high priority, and a place for every origin. */
static void
make_origins(struct arena *arena, struct clusters *all, bool urgent)
{
	struct client_origin **origins =
	    ARENA_ARRAY(arena, 2 * all->n_hosts + 1, struct client_origin *);
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		for (size_t j = 0; j < all->items[i].n; j++) {
			struct cluster_host *h = &all->items[i].hosts[j];
			struct client_origin *o;

			h->origin.index = n;
			origins[n++] = &h->origin;
			if (!urgent)
				continue;
			o = ARENA_NEW(arena, struct client_origin);
			*o = h->origin;
			h->urgent = o;
			o->index = n;
			origins[n++] = o;
		}
	all->n_origins = n;
	set_all_apart(arena, origins, n);
}

struct clusters *
clusters_build(
    struct arena *arena, const struct gateway *gateway, struct diag *diag)
{
	const struct conf_static_resources *all =
	    gateway->bootstrap->static_resources;
	struct clusters *clusters = ARENA_NEW(arena, struct clusters);
	size_t errors = diag_errors(diag);
	struct cluster *items;

	build_retry_limits(
	    &(struct build){ .arena = arena, .diag = diag }, clusters);
	clusters->n = all ? all->clusters.n : 0;
	clusters->items = items =
	    ARENA_ARRAY(arena, clusters->n, struct cluster);
	for (size_t i = 0; i < clusters->n; i++) {
		struct build b = { .arena = arena,
			.diag = diag,
			.conf = &all->clusters.items[i],
			.scheme = "http" };
		b.path =
		    arena_printf(arena, "static_resources.clusters[%zu]", i)
			.ptr;
		items[i].index = i;
		items[i].first = clusters->n_hosts;
		make_cluster(&b, &items[i]);
		clusters->n_hosts += items[i].n;
	}
	if (diag_errors(diag) == errors)
		make_origins(arena, clusters,
		    gateway->hcm &&
			has_urgent_routes(gateway->hcm->route_config));
	return clusters;
}

const struct cluster *
clusters_find(const struct clusters *clusters, const struct conf_cluster *conf)
{
	return &clusters->items[conf - clusters->items[0].conf];
}

const struct client_origin *
cluster_origin(const struct cluster_host *h, bool is_urgent)
{
	return is_urgent && h->urgent ? h->urgent : &h->origin;
}
