/*
 * What Envoy's HttpConnectionManager does to the headers before routing and
 * after the filters: trust and X-Forwarded-*, request ids, sanitising, hop-by-hop fields.
 */
#ifndef SALLYPORT_CHAIN_DOWNSTREAM_H
#define SALLYPORT_CHAIN_DOWNSTREAM_H

#include "chain/exchange.h"

/* Request fields, before the route is chosen. Sets client_address. */
void downstream_prepare(struct exchange *);

/* Response fields, after the filters. */
void downstream_finish(struct exchange *);

/* Host without its port; an IPv6 literal keeps its brackets. */
struct str downstream_host_without_port(struct str host);

#endif
