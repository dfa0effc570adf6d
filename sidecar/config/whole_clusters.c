/* Clusters over the whole bootstrap: their names, and the hosts of each. */
#include "config.h"

#include <arpa/inet.h>

#include "config/whole.h"

bool
whole_is_ip(struct whole *w, struct str host)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	const char *text = arena_cstr(w->temp, host);

	return inet_pton(AF_INET, text, bytes) == 1 ||
	       inet_pton(AF_INET6, text, bytes) == 1;
}

static void
check_endpoint(struct whole *w, const char *path,
    const struct conf_cluster *cluster, const struct conf_endpoint *endpoint)
{
	const struct conf_address *address =
	    endpoint ? endpoint->address : NULL;

	if (!address)
		return;
	if (cluster->type != CONF_STATIC && address->pipe)
		diag_error(w->diag, address->node->place, path,
		    "a unix socket needs a cluster of type STATIC");
	if (!address->socket_address || !address->socket_address->address.ptr)
		return;
	if (address->socket_address->port_value == 0)
		diag_error(w->diag, address->socket_address->node->place, path,
		    "port 0 is no port of a backend");
	if (cluster->type == CONF_STATIC &&
	    !whole_is_ip(w, address->socket_address->address))
		diag_error(w->diag, address->socket_address->node->place, path,
		    "malformed IP address: " STR_FMT
		    ". Consider setting resolver_name or setting cluster type "
		    "to 'STRICT_DNS' or 'LOGICAL_DNS'",
		    STR_ARG(address->socket_address->address));
}

static void
check_hosts(
    struct whole *w, const char *path, const struct conf_cluster *cluster)
{
	const struct conf_load_assignment *load = cluster->load_assignment;
	size_t hosts = 0;

	for (size_t i = 0; load && i < load->endpoints.n; i++) {
		const struct conf_locality_endpoints *group =
		    &load->endpoints.items[i];

		hosts += group->lb_endpoints.n;
		for (size_t j = 0; j < group->lb_endpoints.n; j++)
			check_endpoint(w, path, cluster,
			    group->lb_endpoints.items[j].endpoint);
	}
	if (cluster->type == CONF_LOGICAL_DNS && hosts != 1)
		diag_error(w->diag, cluster->node->place, path,
		    "LOGICAL_DNS clusters must have a single "
		    "locality_lb_endpoint and a single lb_endpoint");
	else if (hosts == 0)
		diag_warn(w->diag, cluster->node->place, path,
		    "the cluster has no hosts: its requests are answered "
		    "with 503");
}

static void
check_name(struct whole *w, const char *path, const struct conf_cluster *c,
    size_t place)
{
	uint32_t *at;

	if (!c->name.ptr)
		return;
	at = table_put(w->clusters, c->name);
	if (*at != TABLE_NONE)
		diag_error(w->diag, c->node->place, path,
		    "cluster manager: duplicate cluster '" STR_FMT "'",
		    STR_ARG(c->name));
	else
		*at = (uint32_t)place;
}

/* Envoy finds these options by their key. */
static void
check_options(struct whole *w, const char *path, const struct conf_cluster *c)
{
	const struct map *all = &c->typed_extension_protocol_options;

	for (size_t i = 0; i < all->n; i++)
		if (!str_eq(all->items[i].key,
			STR("envoy.extensions.upstreams.http.v3."
			    "HttpProtocolOptions")))
			diag_error(w->diag, all->items[i].place, path,
			    "Didn't find a registered network or http filter "
			    "or protocol options implementation for name: "
			    "'" STR_FMT "'",
			    STR_ARG(all->items[i].key));
}

void
whole_clusters(struct whole *w, struct conf_static_resources *r)
{
	w->clusters = table_new(w->temp, r->clusters.n);
	for (size_t i = 0; i < r->clusters.n; i++) {
		struct conf_cluster *c = &r->clusters.items[i];
		const char *path =
		    whole_path(w, "static_resources.clusters[%zu]", i);

		check_name(w, path, c, i);
		whole_upstream_tls(w, path, c->transport_socket);
		check_hosts(w, path, c);
		check_options(w, path, c);
	}
}
