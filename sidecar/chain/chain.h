/*
 * Running the filters: requests in configured order, responses in reverse. A local reply passes the response
 * side of all filters but its sender, whether or not they saw the request.
 */
#ifndef SALLYPORT_CHAIN_CHAIN_H
#define SALLYPORT_CHAIN_CHAIN_H

#include "chain/exchange.h"

/* How far a run came. */
enum chain_result {
	CHAIN_PASSED, /* through all filters */
	CHAIN_WAITS, /* run again after a wake */
	CHAIN_REPLIED, /* a filter has called host_reply */
	CHAIN_TOO_LARGE, /* the body is longer than a filter takes */
};

/* Prepares an exchange's run. */
void chain_init(struct exchange *);

/* Goes on with the request side, or the response side, where it stands. */
enum chain_result chain_run_request(struct exchange *);
enum chain_result chain_run_response(struct exchange *);

/* Begins the response side; the filter now running, if any, is the sender of a local reply and left out. */
void chain_begin_response(struct exchange *);

/* Calls on_end of the filters that took part. */
void chain_end(struct exchange *);

/* The filter that is running now: its position, or -1. */
int chain_current(const struct exchange *);

/* Whether a filter runs for this request, by the chain and the route. */
bool chain_is_on(const struct exchange *, size_t filter);

/* Whether the body is being collected for a filter, and whether it has been. */
bool chain_collects(const struct exchange *);
bool chain_has_body(const struct exchange *);

#endif
