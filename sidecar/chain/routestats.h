/*
 * What is counted by virtual cluster ("vhost.<host>.vcluster.<name>.") and by
 * route ("vhost.<host>.route.<stat_prefix>."). Requests of a virtual host with
 * virtual clusters count for the first whose headers match, else for "other".
 */
#ifndef SALLYPORT_CHAIN_ROUTESTATS_H
#define SALLYPORT_CHAIN_ROUTESTATS_H

#include "chain/exchange.h"

struct vclusters;

/* NULL when there are none, or after errors. */
const struct vclusters *vclusters_build(
    struct arena *, const struct conf_virtual_host *, struct diag *);

/* The virtual cluster of a request; absent for NULL. */
struct str vclusters_find(const struct vclusters *, const struct headers *);

enum route_counter {
	ROUTE_RQ_TOTAL, /* a request was given to a host */
	ROUTE_RQ_TIMEOUT,
	ROUTE_RQ_RETRY,
	ROUTE_RQ_RETRY_LIMIT_EXCEEDED,
	ROUTE_RQ_RETRY_OVERFLOW,
	ROUTE_RQ_RETRY_SUCCESS,
	ROUTE_COUNTERS
};

/* Counts for the route and the virtual cluster of a request being forwarded. */
void route_count(const struct exchange *, enum route_counter);

/* The same for an answer: upstream_rq_completed, _2xx and _200. */
void route_count_answer(const struct exchange *, unsigned status);

#endif
