/*
 * envoy.type.matcher.v3.MetadataMatcher on the dynamic metadata of a request.
 * What is not there matches nothing, so an inverted matcher holds for it.
 */
#ifndef SALLYPORT_CHAIN_METAMATCH_H
#define SALLYPORT_CHAIN_METAMATCH_H

#include "config/model.h"

struct exchange;
struct metadata_match;

/* Compiles; NULL when an error was added. */
const struct metadata_match *metadata_match_build(
    struct arena *, const struct conf_metadata_matcher *, struct diag *);

bool metadata_match_holds(
    const struct metadata_match *, const struct exchange *);

#endif
