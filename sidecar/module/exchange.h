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
	bool knows_route; /* route_conf is that of the chosen route */
	const struct module_conf *route_conf;
	uint64_t random_next;
	unsigned depth; /* callbacks of the filter on the stack */
	bool took_part; /* on_request or on_response has run */
	bool replied; /* the filter has answered */
	bool complete; /* the stream's outcome is known */
	bool end_is_owed; /* on_end is to run when the stack is clear */
	bool collects; /* body hooks are to keep back the body */
	size_t body_max;
	struct str body; /* all of it, while the filter looks at it */
	enum abi_body body_at; /* where Envoy has it, while body is present */
	/* Of the outcome, for an on_end that comes after Envoy's stream. */
	struct str details, code;
	alignas(max_align_t) char state[];
};

/*
 * Runs a callback of the filter. FILTER_NEXT, or FILTER_REPLY when the stream
 * has been answered. Before a hook returns it calls exchange_settle, which
 * does what had to wait for the stack; x may be gone afterwards.
 */
enum verdict exchange_run(struct exchange *,
    enum verdict (*callback)(const void *, void *, struct exchange *));
void exchange_settle(struct exchange *);

/*
 * Answers for the shim, in the filter's name; the filter does not see it.
 * With details, and a body or STR_NONE.
 */
enum verdict exchange_refuse(
    struct exchange *, unsigned status, struct str body, struct str details);

/* The configuration for the chosen route, whose it is unknown, or NULL. */
const struct module_conf *exchange_route_conf(struct exchange *);

/* Takes the body for the filter if it wants it; what the headers hook answers. */
int body_begin(struct exchange *, bool end);

#endif
