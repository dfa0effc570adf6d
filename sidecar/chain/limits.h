/*
 * The time limits of Envoy's HttpConnectionManager: stream_idle_timeout (or
 * the route's idle_timeout), request_timeout, and max_stream_duration (or the
 * route's). Whoever has the clock and the timer asks and tells.
 */
#ifndef SALLYPORT_CHAIN_LIMITS_H
#define SALLYPORT_CHAIN_LIMITS_H

#include "chain/exchange.h"

enum limit {
	LIMIT_IDLE, /* nothing moves */
	LIMIT_REQUEST, /* the request has not come whole */
	LIMIT_DURATION, /* neither request nor answer are at their end */
	LIMITS
};

/*
 * When, by the boot clock, the exchange will have reached the limit if
 * nothing has moved since moved_ns; INT64_MAX: never.
 */
int64_t limit_due(const struct exchange *, enum limit, int64_t moved_ns);

/*
 * Sets max_duration_ns, once the route is found, and tells the backend of a
 * gRPC request about it where the route has something to say.
 */
void limit_choose(struct exchange *);

/*
 * It has: answers with 408 or 504, or breaks off the answer under way. The
 * forwarding must have been ended.
 */
void limit_reached(struct exchange *, enum limit);

#endif
