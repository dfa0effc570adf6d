/*
 * Envoy's circuit breakers: how much may be under way to a cluster at once,
 * per priority, over all processes. What is taken is given back by whoever
 * took it. One per worker.
 */
#ifndef SALLYPORT_UPSTREAM_OVERLOAD_H
#define SALLYPORT_UPSTREAM_OVERLOAD_H

#include "state/file.h"
#include "upstream/cluster.h"

enum resource {
	RESOURCE_CONNECTIONS,
	RESOURCE_PENDING, /* requests that wait for a connection */
	RESOURCE_REQUESTS, /* that have one */
	RESOURCE_RETRIES,
	RESOURCES
};

struct overload;

/* state may be NULL: then each worker counts for itself. */
struct overload *overload_new(struct state *, const struct clusters *);
void overload_free(struct overload *);

/* Takes one; false, taking nothing, if the threshold is reached. */
bool overload_take(
    struct overload *, const struct cluster *, bool is_urgent, enum resource);

/* Takes one, the threshold or not. */
void overload_force(
    struct overload *, const struct cluster *, bool is_urgent, enum resource);

/* Gives back one that was taken or forced. */
void overload_give(
    struct overload *, const struct cluster *, bool is_urgent, enum resource);

/*
 * Calls each(arg, name, value) for what is under way to the clusters, by
 * Envoy's names ("cluster.<name>.upstream_rq_active"), for every priority on
 * its own; name lives during the call.
 */
void overload_each(struct state *,
    void (*each)(void *arg, struct str name, uint64_t value), void *arg);

#endif
