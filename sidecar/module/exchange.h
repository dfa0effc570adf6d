/*
 * What stands behind the opaque types of chain/host.h inside Envoy: one
 * filter's configuration, and one filter's part in one stream. A stream
 * stays on one thread; a configuration is made on the main thread and then
 * serves all threads unchanged.
 */
#ifndef SALLYPORT_MODULE_EXCHANGE_H
#define SALLYPORT_MODULE_EXCHANGE_H

#include <stdalign.h>

#include "base/log.h"
#include "chain/host.h"
#include "config/diag.h"
#include "module/abi.h"

/* Of a filter or, for a route, of a filter there. */
struct module_conf {
	struct arena *arena;
	const struct filter *filter;
	const void *conf; /* what the filter has made of it */
	struct state *state; /* NULL: the filter uses none */
};

struct setup {
	struct module_conf *made;
	struct diag *diag;
	void *host_conf; /* NULL for routes: they have no counters */
};

struct exchange {
	void *stream; /* Envoy's; NULL when it is gone */
	const struct module_conf *conf;
	struct arena *arena; /* NULL until it is asked for */
	uint64_t random_next;
	unsigned depth; /* callbacks of the filter on the stack */
	bool took_part; /* on_request or on_response has run */
	bool replied; /* the filter has answered */
	bool complete; /* the stream's outcome is known */
	bool end_is_owed; /* on_end is to run when the stack is clear */
	/* Of the outcome, for an on_end that comes after Envoy's stream. */
	struct str details, code;
	alignas(max_align_t) char state[];
};

#endif
