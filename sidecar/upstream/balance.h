/*
 * Which host of a cluster takes the next request, by Envoy's policies:
 * ROUND_ROBIN, LEAST_REQUEST and RANDOM, and by hash RING_HASH and MAGLEV.
 * Hosts of unequal weight are served by earliest deadline, as Envoy does,
 * except with RANDOM, which knows no weights. One per worker; it counts what
 * this worker has in flight.
 */
#ifndef SALLYPORT_UPSTREAM_BALANCE_H
#define SALLYPORT_UPSTREAM_BALANCE_H

#include "upstream/cluster.h"

struct balancer;

/* For one worker; the clusters must outlive it. seed, random, begins its dice. */
struct balancer *balancer_new(const struct clusters *, uint64_t seed);
void balancer_free(struct balancer *);

/* What a request wants of its host. */
struct balancer_wish {
	bool has_hash; /* without one a hash is drawn at random */
	uint64_t hash;
	uint32_t attempts; /* how often another host is looked for */
	/* Whether a host is passed over; NULL: none is. */
	bool (*rejects)(void *arg, const struct cluster_host *);
	void *arg;
};

/*
 * Picks a host, which is busy with one request more until balancer_release.
 * When all that were looked at are rejected it is the last of them. NULL when
 * the cluster has none.
 */
const struct cluster_host *balancer_take(
    struct balancer *, const struct cluster *, const struct balancer_wish *);
void balancer_release(
    struct balancer *, const struct cluster *, const struct cluster_host *);

#endif
