/* What snippet and init take in the same way. */
#ifndef SALLYPORT_CMD_SNIPPET_H
#define SALLYPORT_CMD_SNIPPET_H

#include "cmd/args.h"
#include "cmd/fronts.h"

/*
 * The paths given as options, in place of what is there. CMD_USAGE for one
 * that cannot be used, which is said.
 */
int snippet_paths(const struct args *, const char *paths[FRONT_PATHS]);

/* The front that is the operand; NULL without one. CMD_USAGE if unknown. */
int snippet_front(const struct args *, const struct web_front **out);

#endif
