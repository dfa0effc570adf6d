/*
 * Envoy's hash policies: one number for what a request has, so that requests
 * that belong together go to the same host.
 */
#ifndef SALLYPORT_CHAIN_HASH_H
#define SALLYPORT_CHAIN_HASH_H

#include "chain/exchange.h"

struct conf_hash_policy;
struct hash_policy;

/* Compiles a list; NULL for an empty one. Errors go to the diag. */
const struct hash_policy *hash_policy_build(
    struct arena *, const struct conf_hash_policy *, size_t n, struct diag *);

/*
 * The request's number; false if none of the policies found anything to
 * hash. Policies that make a cookie add a set-cookie field to made; none is
 * made if that is NULL.
 */
bool hash_policy_value(const struct hash_policy *, const struct exchange *,
    uint64_t *hash, struct headers *made);

#endif
