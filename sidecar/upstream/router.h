/*
 * The end of the filter chain: picks a host of the route's cluster, forwards
 * with the client, keeps the route's time limits, and turns failures into
 * Envoy's replies.
 */
#ifndef SALLYPORT_UPSTREAM_ROUTER_H
#define SALLYPORT_UPSTREAM_ROUTER_H

#include "base/loop.h"
#include "chain/exchange.h"
#include "upstream/cluster.h"

struct router; /* one per worker */

/* state holds counters and thresholds; it may be NULL. */
struct router *router_new(
    struct loop *, const struct clusters *, struct state *);
void router_free(struct router *);

/*
 * Forwards an exchange whose filters have passed. From here on the router
 * reports through exchange_respond, exchange_reply, exchange_cut and hooks->changed.
 */
void router_forward(struct router *, struct exchange *);

/*
 * The same without sending anything, for explanations: the host it would go
 * to, or NULL when the router has replied. router_pretend then goes on as if
 * the host had answered with that status alone.
 */
const struct cluster_host *router_prepare(struct router *, struct exchange *);
void router_pretend(struct exchange *, unsigned status);

/*
 * upload has more or its end, or download has room. Nothing happens for an
 * exchange that is not being forwarded (any more).
 */
void router_resume(struct exchange *);

/*
 * Ends what is under way; safe in any phase, more than once, and from
 * within the functions the router reports through.
 */
void router_end(struct exchange *);

#endif
