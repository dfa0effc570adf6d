/*
 * Which host of a cluster takes the next request: Envoy's ROUND_ROBIN,
 * LEAST_REQUEST (two choices) and RANDOM. Hosts of unequal weight are served
 * by earliest deadline, as Envoy does, except with RANDOM, which knows no
 * weights. One per worker; it counts what this worker has in flight.
 */
#ifndef SALLYPORT_UPSTREAM_BALANCE_H
#define SALLYPORT_UPSTREAM_BALANCE_H

#include "upstream/cluster.h"

struct balancer;

struct balancer *balancer_new(const struct clusters *, uint64_t seed);
void balancer_free(struct balancer *);

/*
 * Picks a host, which is busy with one request more until balancer_release.
 * NULL when the cluster has none.
 */
const struct cluster_host *balancer_take(
    struct balancer *, const struct cluster *);
void balancer_release(
    struct balancer *, const struct cluster *, const struct cluster_host *);

#endif
