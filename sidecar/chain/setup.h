/* A configuration being built, as the host functions of filters see it. */
#ifndef SALLYPORT_CHAIN_SETUP_H
#define SALLYPORT_CHAIN_SETUP_H

#include "chain/gateway.h"

struct setup {
	struct gateway *gateway;
	struct state *state; /* NULL: only a check */
	struct diag *diag;
	const char *path; /* of the filter at hand, for messages */
};

/*
 * Decodes and configures one filter's Any: an Envoy message, or for our own
 * filters a DynamicModuleFilter (per route: DynamicModuleFilterPerRoute) around it. NULL after errors.
 */
const void *setup_filter(
    struct setup *, const struct filter *, const struct any *);
const void *setup_filter_route(
    struct setup *, const struct filter *, const struct any *);

/* The filter that an Any in http_filters names; NULL with the error added. */
const struct filter *setup_find_filter(
    struct setup *, const struct any *, struct str name);

/* Whether the Any configures one of our filters, as a module or per route. */
bool setup_is_module(const struct any *);

/* Whether the Any is the router's configuration. */
bool setup_is_router(const struct any *);

#endif
