/*
 * What a typed_per_filter_config says to the filters of the chain: a
 * configuration for a filter, and whether it runs.
 */
#ifndef SALLYPORT_CHAIN_SCOPE_H
#define SALLYPORT_CHAIN_SCOPE_H

#include "chain/setup.h"

/* Arrays with an entry per filter of the chain; NULL when nothing is said. */
struct scope {
	const void **confs; /* NULL: none */
	signed char *switches; /* 1 on, -1 off, 0 not mentioned */
};

/* Configures the entries of a map; errors go to the setup's diag. */
struct scope scope_build(struct setup *, const struct map *);

/*
 * What holds within inner, which lies within outer: a filter's configuration
 * is the innermost there is, and so is the word on whether it runs.
 */
struct scope scope_within(
    struct setup *, const struct scope *inner, const struct scope *outer);

/*
 * The deprecated "cors" of a route or a virtual host, configured for the cors
 * filters of the chain; NULL for NULL.
 */
const void **scope_old_cors(struct setup *, const struct node *cors);

#endif
