/*
 * From a file to Envoy's messages: what one field cannot tell about itself
 * is checked here, over the whole bootstrap.
 */
#include "config.h"

#include <arpa/inet.h>

#include <errno.h>
#include <stdlib.h>

#include "config/bootstrap.h"
#include "config/messages.h"
#include "config/read.h"
#include "config/short.h"
#include "config/yaml.h"

#define ROUTER_TYPE "envoy.extensions.filters.http.router.v3.Router"
#define TLS_TYPE    "envoy.extensions.transport_sockets.tls.v3."

struct check {
	struct arena *arena;
	struct diag *diag;
	const struct conf_bootstrap *bootstrap;
	const char **filters; /* names in http_filters, ended by NULL */
};

static const char *path_of(struct check *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *
path_of(struct check *c, const char *format, ...)
{
	va_list args;
	struct str path;

	va_start(args, format);
	path = arena_vprintf(c->arena, format, args);
	va_end(args);
	return path.ptr;
}

/* "envoy.filters.http.cors" of "envoy.extensions.filters.http.cors.v3.Cors". */
static struct str
factory_name(struct check *c, struct str type)
{
	struct str begin = STR("envoy.extensions.");
	size_t version = str_find(type, STR(".v3."), 0);

	if (!str_starts(type, begin) || version == type.len)
		return type;
	return arena_printf(c->arena, "envoy." STR_FMT,
	    STR_ARG(str_slice(type, begin.len, version)));
}

static bool
is_router(const struct conf_http_filter *f)
{
	return f->typed_config &&
	       str_eq(f->typed_config->type, STR(ROUTER_TYPE));
}

/* The router is there once, and last. */
static void
check_filters(struct check *c, const char *path, const struct conf_hcm *hcm)
{
	const struct conf_http_filter *last;

	if (hcm->http_filters.n == 0) {
		diag_error(c->diag, hcm->node->place, path,
		    "`http_filters`: value is required: the router filter");
		return;
	}
	last = &hcm->http_filters.items[hcm->http_filters.n - 1];
	for (const struct conf_http_filter *f = hcm->http_filters.items;
	     f < last; f++)
		if (is_router(f))
			diag_error(c->diag, f->node->place, path,
			    "Error: terminal filter named " STR_FMT
			    " of type envoy.filters.http.router must be the "
			    "last filter in a http filter chain.",
			    STR_ARG(f->name));
	if (is_router(last) || !last->typed_config)
		return;
	diag_error(c->diag, last->node->place, path,
	    "Error: non-terminal filter named " STR_FMT " of type " STR_FMT
	    " is the last filter in a http filter chain.",
	    STR_ARG(last->name),
	    STR_ARG(factory_name(c, last->typed_config->type)));
	diag_hint(c->diag,
	    "end the list with {name: envoy.filters.http.router, "
	    "typed_config: {\"@type\": type.googleapis.com/%s}}",
	    ROUTER_TYPE);
}

static void
list_filters(struct check *c, const struct conf_hcm *hcm)
{
	c->filters =
	    ARENA_ARRAY(c->arena, hcm->http_filters.n + 1, const char *);
	for (size_t i = 0; i < hcm->http_filters.n; i++)
		c->filters[i] =
		    arena_cstr(c->arena, hcm->http_filters.items[i].name);
}

/* A key that names no filter does nothing, in Envoy without a word. */
static void
check_filter_configs(
    struct check *c, const char *path, const struct map *configs)
{
	for (size_t i = 0; i < configs->n; i++) {
		struct str key = configs->items[i].key;
		const char *near = schema_nearest(key, c->filters);
		size_t at = 0;

		while (c->filters[at] && !str_eq(str_of(c->filters[at]), key))
			at++;
		if (c->filters[at])
			continue;
		diag_warn(c->diag, configs->items[i].place, path,
		    "no filter in http_filters is named '" STR_FMT
		    "': this has no effect",
		    STR_ARG(key));
		if (near)
			diag_hint(c->diag, "did you mean `%s`?", near);
	}
}

static const char *
nearest_cluster(struct check *c, struct str name)
{
	const struct conf_static_resources *r = c->bootstrap->static_resources;
	const char **names =
	    ARENA_ARRAY(c->arena, r->clusters.n + 1, const char *);

	for (size_t i = 0; i < r->clusters.n; i++)
		names[i] = arena_cstr(c->arena, r->clusters.items[i].name);
	return schema_nearest(name, names);
}

static void
check_cluster_name(struct check *c, const char *path, const char *kind,
    struct str name, const struct node *owner)
{
	const struct conf_static_resources *r = c->bootstrap->static_resources;
	const struct node *at = node_get(owner, "cluster");
	const char *near;

	if (!name.ptr)
		return;
	for (size_t i = 0; i < r->clusters.n; i++)
		if (str_eq(r->clusters.items[i].name, name))
			return;
	if (!at)
		at = node_get(owner, "name");
	diag_error(c->diag, at ? at->place : owner->place, path,
	    "route: unknown %scluster '" STR_FMT "'", kind, STR_ARG(name));
	near = nearest_cluster(c, name);
	if (near)
		diag_hint(c->diag, "did you mean `%s`?", near);
}

static void
check_route_clusters(
    struct check *c, const char *path, const struct conf_route *route)
{
	const struct conf_route_action *action = route->route;

	if (!action)
		return;
	check_cluster_name(c, path, "", action->cluster, action->node);
	if (!action->weighted_clusters)
		return;
	for (size_t i = 0; i < action->weighted_clusters->clusters.n; i++) {
		const struct conf_weighted_cluster *w =
		    &action->weighted_clusters->clusters.items[i];

		check_cluster_name(c, path, "weighted ", w->name, w->node);
	}
}

/* Virtual hosts whose domains are seen already. */
struct domain {
	const struct domain *next;
	struct str name;
};

static void
check_domains(struct check *c, const char *path,
    const struct conf_route_config *config,
    const struct conf_virtual_host *host, const struct domain **seen)
{
	const struct node *list = node_get(host->node, "domains");

	for (size_t i = 0; i < host->domains.n; i++) {
		struct str name = host->domains.items[i];
		struct place place = list->items[i].value->place;
		const struct domain *d = *seen;
		struct domain *added;

		if (!name.ptr)
			continue;
		while (d && !str_eq_nocase(d->name, name))
			d = d->next;
		if (d && str_eq(name, STR("*")))
			diag_error(c->diag, place, path,
			    "Only a single wildcard domain is permitted in "
			    "route " STR_FMT,
			    STR_ARG(config->name));
		else if (d)
			diag_error(c->diag, place, path,
			    "Only unique values for domains are permitted. "
			    "Duplicate entry of domain " STR_FMT
			    " in route " STR_FMT,
			    STR_ARG(name), STR_ARG(config->name));
		added = ARENA_NEW(c->arena, struct domain);
		*added = (struct domain){ *seen, name };
		*seen = added;
	}
}

static void
check_routes(struct check *c, const char *path, const struct conf_hcm *hcm)
{
	const struct conf_route_config *config = hcm->route_config;
	const struct domain *domains = NULL;

	if (!config)
		return;
	list_filters(c, hcm);
	check_filter_configs(c, path_of(c, "%s.route_config", path),
	    &config->typed_per_filter_config);
	for (size_t i = 0; i < config->virtual_hosts.n; i++) {
		const struct conf_virtual_host *host =
		    &config->virtual_hosts.items[i];
		const char *at =
		    path_of(c, "%s.route_config.virtual_hosts[%zu]", path, i);

		check_domains(c, at, config, host, &domains);
		check_filter_configs(c, at, &host->typed_per_filter_config);
		for (size_t j = 0; j < host->routes.n; j++) {
			const struct conf_route *route = &host->routes.items[j];
			const char *in = path_of(c, "%s.routes[%zu]", at, j);

			if (config->validate_clusters)
				check_route_clusters(c, in, route);
			check_filter_configs(
			    c, in, &route->typed_per_filter_config);
		}
	}
}

static void
decode_network_filter(
    struct check *c, const char *path, struct conf_network_filter *filter)
{
	const struct any *any = filter->typed_config;
	const char *in;

	if (!any || !any->type.ptr)
		return;
	in = path_of(c, "%s.typed_config", path);
	if (!str_eq(any->type, str_of(conf_hcm_message.name))) {
		diag_error(c->diag, filter->node->place, path,
		    "network filter '" STR_FMT "' of type " STR_FMT
		    " is not supported: only the HttpConnectionManager is",
		    STR_ARG(filter->name), STR_ARG(any->type));
		return;
	}
	filter->hcm =
	    schema_decode_any(c->arena, c->diag, &conf_hcm_message, any);
	check_filters(c, in, filter->hcm);
	check_routes(c, in, filter->hcm);
}

/* TLS towards the client is the web server's; its demands must be, too. */
static void
check_downstream_tls(
    struct check *c, const char *path, const struct conf_transport_socket *t)
{
	const struct node *demand;
	bool is_raw;

	if (!t || !t->typed_config || !t->typed_config->type.ptr)
		return;
	is_raw = str_eq(t->typed_config->type,
	    STR("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"));
	if (!is_raw && !str_eq(t->typed_config->type,
			   STR(TLS_TYPE "DownstreamTlsContext")))
		diag_error(c->diag, t->node->place, path,
		    "transport socket of type " STR_FMT " is not supported",
		    STR_ARG(t->typed_config->type));
	demand = node_get(t->typed_config->node, "require_client_certificate");
	if (!demand)
		demand =
		    node_get(t->typed_config->node, "requireClientCertificate");
	if (demand && demand->kind == NODE_SCALAR &&
	    !str_eq_nocase(demand->scalar, STR("false")))
		diag_error(c->diag, demand->place, path,
		    "`require_client_certificate` is not supported: client "
		    "certificates are not seen here");
	else if (!is_raw)
		diag_warn(c->diag, t->node->place, path,
		    "`transport_socket` has no effect here: the web server "
		    "owns TLS to clients");
}

static void
check_listener_filters(
    struct check *c, const char *path, const struct conf_listener *listener)
{
	for (size_t i = 0; i < listener->listener_filters.n; i++) {
		const struct conf_network_filter *f =
		    &listener->listener_filters.items[i];
		struct str type =
		    f->typed_config ? f->typed_config->type : STR_NONE;

		if (str_ends(type, STR(".TlsInspector")) ||
		    str_ends(type, STR(".HttpInspector")))
			diag_warn(c->diag, f->node->place, path,
			    "listener filter '" STR_FMT
			    "' has no effect here: the web server owns the "
			    "connections to clients",
			    STR_ARG(f->name));
		else
			diag_error(c->diag, f->node->place, path,
			    "listener filter '" STR_FMT
			    "' is not supported: the web server owns the "
			    "connections to clients",
			    STR_ARG(f->name));
	}
}

/* Of the listed things, all of which have a place, there is exactly one. */
static void
check_alone(struct check *c, const char *path, const char *what, size_t n,
    const struct node *at)
{
	if (n == 0)
		diag_error(c->diag, at->place, path,
		    "value is required: one %s", what);
	else if (n > 1)
		diag_error(c->diag, at->place, path,
		    "a second %s: there is one", what);
}

static void
decode_listener(
    struct check *c, const char *path, const struct conf_listener *listener)
{
	check_listener_filters(c, path, listener);
	check_alone(c, path, "filter chain", listener->filter_chains.n,
	    listener->filter_chains.n > 1
		? listener->filter_chains.items[1].node
		: listener->node);
	for (size_t i = 0; i < listener->filter_chains.n; i++) {
		const struct conf_filter_chain *chain =
		    &listener->filter_chains.items[i];
		const char *at = path_of(c, "%s.filter_chains[%zu]", path, i);

		check_downstream_tls(c, at, chain->transport_socket);
		if (chain->filters.n > 1)
			check_alone(c, at, "network filter", chain->filters.n,
			    chain->filters.items[1].node);
		for (size_t j = 0; j < chain->filters.n; j++)
			decode_network_filter(c,
			    path_of(c, "%s.filters[%zu]", at, j),
			    &chain->filters.items[j]);
	}
}

static void
decode_tls(struct check *c, const char *path, struct conf_cluster *cluster)
{
	struct conf_transport_socket *t = cluster->transport_socket;

	if (!t || !t->typed_config || !t->typed_config->type.ptr)
		return;
	if (str_eq(t->typed_config->type,
		STR("envoy.extensions.transport_sockets.raw_buffer.v3."
		    "RawBuffer")))
		return;
	if (!str_eq(t->typed_config->type,
		str_of(conf_upstream_tls_message.name))) {
		diag_error(c->diag, t->node->place, path,
		    "transport socket of type " STR_FMT " is not supported",
		    STR_ARG(t->typed_config->type));
		return;
	}
	t->tls = schema_decode_any(
	    c->arena, c->diag, &conf_upstream_tls_message, t->typed_config);
	if (!t->tls->common_tls_context ||
	    !t->tls->common_tls_context->validation_context ||
	    !t->tls->common_tls_context->validation_context->trusted_ca)
		diag_warn(c->diag, t->node->place, path,
		    "without trusted_ca the backend's certificate is not "
		    "verified");
}

static bool
is_ip(struct check *c, struct str host)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	const char *text = arena_cstr(c->arena, host);

	return inet_pton(AF_INET, text, bytes) == 1 ||
	       inet_pton(AF_INET6, text, bytes) == 1;
}

static void
check_endpoint(struct check *c, const char *path,
    const struct conf_cluster *cluster, const struct conf_endpoint *endpoint)
{
	const struct conf_address *address =
	    endpoint ? endpoint->address : NULL;

	if (!address)
		return;
	if (cluster->type != CONF_STATIC && address->pipe)
		diag_error(c->diag, address->node->place, path,
		    "a unix socket needs a cluster of type STATIC");
	if (!address->socket_address || !address->socket_address->address.ptr)
		return;
	if (address->socket_address->port_value == 0)
		diag_error(c->diag, address->socket_address->node->place, path,
		    "port 0 is no port of a backend");
	if (cluster->type == CONF_STATIC &&
	    !is_ip(c, address->socket_address->address))
		diag_error(c->diag, address->socket_address->node->place, path,
		    "malformed IP address: " STR_FMT
		    ". Consider setting cluster type to 'STRICT_DNS' or "
		    "'LOGICAL_DNS'",
		    STR_ARG(address->socket_address->address));
}

static void
check_hosts(
    struct check *c, const char *path, const struct conf_cluster *cluster)
{
	const struct conf_load_assignment *load = cluster->load_assignment;
	size_t hosts = 0;

	for (size_t i = 0; load && i < load->endpoints.n; i++) {
		const struct conf_locality_endpoints *group =
		    &load->endpoints.items[i];

		hosts += group->lb_endpoints.n;
		for (size_t j = 0; j < group->lb_endpoints.n; j++)
			check_endpoint(c, path, cluster,
			    group->lb_endpoints.items[j].endpoint);
	}
	if (cluster->type == CONF_LOGICAL_DNS && hosts != 1)
		diag_error(c->diag, cluster->node->place, path,
		    "LOGICAL_DNS clusters must have a single "
		    "locality_lb_endpoint and a single lb_endpoint");
	else if (hosts == 0)
		diag_warn(c->diag, cluster->node->place, path,
		    "the cluster has no hosts: its requests are answered "
		    "with 503");
}

static void
check_clusters(struct check *c, struct conf_static_resources *r)
{
	for (size_t i = 0; i < r->clusters.n; i++) {
		struct conf_cluster *cluster = &r->clusters.items[i];
		const char *path =
		    path_of(c, "static_resources.clusters[%zu]", i);

		for (size_t j = 0; j < i; j++)
			if (cluster->name.ptr &&
			    str_eq(r->clusters.items[j].name, cluster->name)) {
				diag_error(c->diag, cluster->node->place, path,
				    "cluster manager: duplicate cluster "
				    "'" STR_FMT "'",
				    STR_ARG(cluster->name));
				break;
			}
		decode_tls(c, path, cluster);
		check_hosts(c, path, cluster);
	}
}

struct conf_bootstrap *
bootstrap_decode(struct arena *arena, const struct node *top, struct diag *diag)
{
	struct conf_bootstrap *b =
	    schema_decode(arena, diag, "", &conf_bootstrap_message, top);
	struct check c = { .arena = arena, .diag = diag, .bootstrap = b };

	if (top->kind != NODE_MAP)
		return b;
	if (!b->static_resources) {
		diag_error(diag, top->place, NULL,
		    "`static_resources`: value is required");
		return b;
	}
	check_clusters(&c, b->static_resources);
	check_alone(&c, "static_resources", "listener",
	    b->static_resources->listeners.n,
	    b->static_resources->listeners.n > 1
		? b->static_resources->listeners.items[1].node
		: b->static_resources->node);
	for (size_t i = 0; i < b->static_resources->listeners.n; i++)
		decode_listener(&c,
		    path_of(&c, "static_resources.listeners[%zu]", i),
		    &b->static_resources->listeners.items[i]);
	return b;
}

const struct node *
bootstrap_expand(struct arena *arena, const char *path, struct diag *diag)
{
	const struct node *top = yaml_read(arena, path, diag);

	if (top && short_is(top))
		top = short_expand(arena, top, diag);
	return diag_errors(diag) ? NULL : top;
}

struct conf_bootstrap *
bootstrap_read(struct arena *arena, const char *path, struct diag *diag)
{
	const struct node *top = yaml_read(arena, path, diag);
	struct conf_bootstrap *b;

	if (top && short_is(top))
		top = short_expand(arena, top, diag);
	if (!top)
		return NULL;
	b = bootstrap_decode(arena, top, diag);
	if (!diag_errors(diag))
		return b;
	schema_check(arena, diag, &conf_bootstrap_message, top);
	return NULL;
}

static struct str
file_data(struct arena *arena, struct diag *diag, const char *path,
    const struct conf_data_source *source, size_t max)
{
	struct str out;
	enum err err =
	    read_file(arena, arena_cstr(arena, source->filename), max, &out);

	if (!err)
		return out;
	if (err == ERR_FULL)
		diag_error(diag, source->node->place, path,
		    STR_FMT ": larger than %zu bytes",
		    STR_ARG(source->filename), max);
	else
		diag_error(diag, source->node->place, path, STR_FMT ": %s",
		    STR_ARG(source->filename), strerror(errno));
	return STR_NONE;
}

static struct str
environment_data(struct arena *arena, struct diag *diag, const char *path,
    const struct conf_data_source *source)
{
	char *name = arena_cstr(arena, source->environment_variable);
	const char *value = getenv(name);

	if (!value)
		diag_error(diag, source->node->place, path,
		    "environment variable %s is not set", name);
	return arena_str(arena, str_of(value));
}

static struct str
source_name(const struct conf_data_source *source)
{
	if (source->filename.ptr)
		return source->filename;
	if (source->environment_variable.ptr)
		return source->environment_variable;
	return STR("it");
}

struct str
bootstrap_data(struct arena *arena, struct diag *diag, const char *path,
    const struct conf_data_source *source, size_t max)
{
	struct str out = source->inline_string;

	if (source->filename.ptr)
		out = file_data(arena, diag, path, source, max);
	else if (source->environment_variable.ptr)
		out = environment_data(arena, diag, path, source);
	else if (source->inline_bytes.ptr)
		out = source->inline_bytes;
	if (!out.ptr)
		return STR_NONE;
	if (out.len == 0) {
		diag_error(diag, source->node->place, path,
		    "%s" STR_FMT " is empty",
		    source->environment_variable.ptr ? "environment variable "
						     : "",
		    STR_ARG(source_name(source)));
		return STR_NONE;
	}
	if (out.len > max) {
		diag_error(diag, source->node->place, path,
		    "larger than %zu bytes", max);
		return STR_NONE;
	}
	return out;
}
