/*
 * Choosing a route as Envoy does: virtual host by domain, first matching
 * route, per-route configuration of each filter, and what the route does to
 * the request and response headers.
 */
#ifndef SALLYPORT_CHAIN_ROUTE_H
#define SALLYPORT_CHAIN_ROUTE_H

#include "chain/exchange.h"
#include "chain/forwarding.h"

struct route_table;

/* A compiled route, or what one is for one of its weighted clusters. */
struct route {
	const struct conf_route *conf;
	const struct conf_virtual_host *vhost;
	struct str name;
	const struct conf_cluster
	    *cluster; /* NULL: none, unknown, or chosen per request */
	const struct conf_weighted_cluster *weighted; /* or NULL */
	int64_t timeout_ns; /* 0: none */
	int64_t idle_timeout_ns; /* 0: none */
	const struct forwarding *forwarding; /* NULL: it does not forward */
	const void **filter_confs; /* per filter of the chain; NULL: none */
	const void **level_confs
	    [HOST_ALL_LEVELS]; /* the same of each level; a level may be NULL */
	signed char *
	    filter_switch; /* 1 on, -1 off by a FilterConfig, 0 as the chain says */
	const struct route_parts *parts; /* route.c's */
};

/* Compiles the route configuration of an HttpConnectionManager; NULL after errors. */
struct route_table *route_table_build(
    struct arena *, struct gateway *, struct setup *, struct diag *);

/*
 * Finds the request's virtual host, route and cluster and sets them in the
 * exchange, NULL where there is none.
 */
void route_choose(const struct route_table *, struct exchange *);

/* The cluster that was chosen, or NULL when none of that name exists. */
const struct conf_cluster *route_cluster(
    const struct route *, struct exchange *);

/* Before a request is forwarded: which virtual cluster it counts for. */
void route_enter(const struct route *, struct exchange *);

/*
 * What the router does before forwarding: request_headers_to_add and
 * _remove, host and path rewrite, x-envoy-original-path.
 */
void route_prepare_request(const struct route *, struct exchange *);

/* auto_host_rewrite, once the host of the cluster is known. */
void route_use_hostname(
    const struct route *, struct exchange *, struct str hostname);

/* response_headers_to_add and _remove. */
void route_finish_response(const struct route *, struct exchange *);

/* rate_limits of the route, and of its virtual host; NULL if there are none. */
struct rate_limits;
const struct rate_limits *route_limits(const struct route *);
const struct rate_limits *route_vhost_limits(const struct route *);

/* A text in the route's metadata, absent if there is none. */
struct str route_metadata(
    const struct route *, struct str ns, const struct str *keys, size_t n);

/* Body of a direct_response, or absent; *type is set if its format has one. */
struct str route_direct_body(
    const struct route *, struct exchange *, struct str *type);

/* Status and Location of a redirect. */
unsigned route_redirect_status(const struct conf_redirect *);
struct str route_location(const struct route *, struct exchange *);

#endif
