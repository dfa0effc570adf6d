/*
 * What Envoy's HttpConnectionManager does to the headers before routing and
 * after the filters: who the client is, X-Forwarded-*, request ids,
 * sanitising, hop-by-hop fields.
 */
#ifndef SALLYPORT_CHAIN_DOWNSTREAM_H
#define SALLYPORT_CHAIN_DOWNSTREAM_H

#include "chain/exchange.h"

/* Cuts off a dot and a port at the end of the host, as configured. */
void downstream_normalize_host(struct exchange *);

/*
 * Request fields, before the route is chosen. Returns 0, or the status to
 * refuse the request with, because nothing says who the client is.
 */
unsigned downstream_prepare(struct exchange *);

/* Response fields, after the filters. */
void downstream_finish(struct exchange *);

/* Host without its port; an IPv6 literal keeps its brackets. */
struct str downstream_host_without_port(struct str host);

#endif
