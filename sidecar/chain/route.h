/*
 * Choosing a route as Envoy does: virtual host by domain, first matching
 * route, per-route configuration of each filter, and what the route does to
 * the request and response headers.
 */
#ifndef SALLYPORT_CHAIN_ROUTE_H
#define SALLYPORT_CHAIN_ROUTE_H

#include "chain/exchange.h"

struct route_table;

/* A compiled route. */
struct route {
	const struct conf_route *conf;
	const struct conf_virtual_host *vhost;
	struct str name;
	const struct conf_cluster
	    *cluster; /* NULL: none, unknown, or chosen per request */
	int64_t timeout_ns; /* 0: none */
	int64_t idle_timeout_ns; /* 0: none */
	const void **filter_confs; /* per filter of the chain; NULL: none */
	const void **level_confs
	    [HOST_LEVELS]; /* the same of each level; a level may be NULL */
	signed char *
	    filter_switch; /* 1 on, -1 off by a FilterConfig, 0 as the chain says */
	const struct route_parts *parts; /* route.c's */
};

/* Compiles the route configuration of an HttpConnectionManager; NULL after errors. */
struct route_table *route_table_build(
    struct arena *, struct gateway *, struct setup *, struct diag *);

/* The route of a request, or NULL. */
const struct route *route_find(const struct route_table *, struct exchange *);

/* The cluster for this request, or NULL when none of that name exists. */
const struct conf_cluster *route_cluster(
    const struct route *, struct exchange *);

/*
 * What the router does before forwarding: request_headers_to_add and
 * _remove, host and path rewrite, x-envoy-original-path.
 */
void route_prepare_request(const struct route *, struct exchange *);

/* response_headers_to_add and _remove. */
void route_finish_response(const struct route *, struct exchange *);

/* Body of a direct_response, or absent; Location of a redirect. */
struct str route_direct_body(const struct route *);
struct str route_redirect_location(
    const struct route *, const struct exchange *);

#endif
