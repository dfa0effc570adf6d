/*
 * Envoy's generic matcher, compiled: a tree whose inputs are the message at
 * hand and whose leaves are actions of the filter that uses it.
 */
#ifndef SALLYPORT_CHAIN_XMATCH_H
#define SALLYPORT_CHAIN_XMATCH_H

#include "chain/host.h"
#include "config/matcher.h"

struct xmatch;

/*
 * Compiles; action turns the Any of a leaf into what xmatch_find returns,
 * NULL with the error said. A NULL conf never matches.
 */
const struct xmatch *xmatch_build(struct setup *, const struct conf_matcher *,
    const void *(*action)(struct setup *, const struct conf_extension *));

/* The action for the exchange, or NULL. */
const void *xmatch_find(const struct xmatch *, struct exchange *);

#endif
