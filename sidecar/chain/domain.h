/*
 * From a request's host to a virtual host, as Envoy searches: the whole name,
 * then the longest "*.suffix", then the longest "prefix.*", then "*". Letters
 * are compared without case.
 */
#ifndef SALLYPORT_CHAIN_DOMAIN_H
#define SALLYPORT_CHAIN_DOMAIN_H

#include "base/err.h"
#include "base/table.h"

struct domains;

/* An empty set with room for n domains. */
struct domains *domains_new(struct arena *, size_t n);

/* Has the domain lead to that virtual host. ERR_BAD if it is there already. */
enum err domains_add(
    struct domains *, struct str domain, uint32_t vhost) CHECKED;

/* The virtual host of a host, or TABLE_NONE. The arena is for the time of the call. */
uint32_t domains_find(const struct domains *, struct arena *, struct str host);

#endif
