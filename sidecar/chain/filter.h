/*
 * What a filter is. Each file in filters/ defines one const struct filter
 * and keeps no other data at file scope: a configuration is const and serves
 * many requests at once, a request's own data lives in its state. A filter
 * reaches the gateway only through chain/host.h, so the same source runs in
 * Sallyport, in the unit tests' fake host, and as an Envoy dynamic module.
 */
#ifndef SALLYPORT_CHAIN_FILTER_H
#define SALLYPORT_CHAIN_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/schema.h"

struct exchange; /* one request and its response; opaque to filters */
struct setup; /* a configuration being built; opaque to filters */

enum verdict {
	FILTER_NEXT, /* go on with the next filter */
	FILTER_REPLY, /* host_reply was called; nothing further runs */
	FILTER_WAIT, /* run this callback again after a wake */
};

/* What a host must offer beyond the ordinary; one that lacks it refuses the filter when loading. */
enum filter_needs {
	FILTER_NEEDS_BODY = 1 << 0, /* request bodies, whole, up to body_max */
	FILTER_NEEDS_TIMER = 1 << 1, /* host_timer */
	FILTER_NEEDS_STATE = 1 << 2, /* the state file */
};

struct filter {
	/*
	 * Envoy's name ("envoy.filters.http.cors"), or "sallyport.x" for a
	 * filter that Envoy reaches as a dynamic module of ours.
	 */
	const char *name;

	/*
	 * What it does, in sentences for the operator, and how the short form
	 * says it (NULL: not at all); both are for the manual.
	 */
	const char *text;
	const char *short_form;

	/*
	 * The message of its configuration, whose name is the type URL by which
	 * it is found (for ours: the filter_name in DynamicModuleFilter), and
	 * of its per-route configuration or NULL.
	 */
	const struct schema_message *conf;
	const struct schema_message *route_conf;
	/* One more, which these hold by its type URL; or NULL. */
	const struct schema_message *held;

	/*
	 * Turns a decoded configuration into what the callbacks get; called
	 * once per configuration. NULL: the decoded struct is used as it is.
	 * Errors go through host_setup_error; the return value then is ignored.
	 */
	const void *(*configure)(struct setup *, const void *decoded);
	const void *(*configure_route)(struct setup *, const void *decoded);

	unsigned needs;
	size_t state_size; /* bytes per request, supplied zeroed */

	/*
	 * conf is configure's result, state the request's own. on_response
	 * may run although on_request never did (a local reply by an earlier
	 * filter); a filter never sees its own reply there. on_end runs
	 * exactly once for each request whose on_request or on_response ran,
	 * after the outcome is known; it cannot reply.
	 */
	enum verdict (*on_request)(
	    const void *conf, void *state, struct exchange *);

	/*
	 * Whole bodies, for filters with FILTER_NEEDS_BODY. Once on_request has
	 * returned FILTER_NEXT, body_max says how many bytes of body the
	 * filter takes for this request, 0 for none. Unless it is 0 the host
	 * collects the body before any later filter runs, answers 413 if it is
	 * longer, and runs on_request_body with all of it in host_body (again
	 * after a wake, if that returns FILTER_WAIT). A request without a body
	 * has an empty one.
	 */
	size_t (*body_max)(const void *conf, void *state, struct exchange *);
	enum verdict (*on_request_body)(
	    const void *conf, void *state, struct exchange *);

	enum verdict (*on_response)(
	    const void *conf, void *state, struct exchange *);
	void (*on_end)(const void *conf, void *state, struct exchange *);
};

/* All filters of this build, ended by NULL; made from filters/sources.am. */
extern const struct filter *const filter_registry[];

#endif
