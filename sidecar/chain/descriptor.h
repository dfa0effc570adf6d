/*
 * Rate limit descriptors: what the actions of Envoy's rate_limits make of a
 * request, a list of keys with values.
 */
#ifndef SALLYPORT_CHAIN_DESCRIPTOR_H
#define SALLYPORT_CHAIN_DESCRIPTOR_H

#include "chain/host.h"
#include "config/model.h"

enum { DESCRIPTOR_ENTRIES_MAX = 16 };

struct descriptor_entry {
	struct str key, value;
};

struct descriptor {
	struct descriptor_entry entries[DESCRIPTOR_ENTRIES_MAX];
	size_t n;
};

/* A RateLimit message, compiled. */
struct rate_limit {
	const struct conf_rate_limit *conf;
	const struct rate_limit_action *actions; /* as many as in conf */
};

struct rate_limits {
	const struct rate_limit *items;
	size_t n;
};

/* Compiles a list; errors are said to the setup. */
struct rate_limits rate_limits_build(struct setup *, const conf_rate_limits *);

/*
 * Runs the actions of one rate limit. False if they make no descriptor: one
 * found no value (and may not be skipped), there are too many, or none left
 * an entry.
 */
bool descriptor_make(
    struct exchange *, const struct rate_limit *, struct descriptor *);

/* The entries as one text, so written that no two lists read the same. */
struct str descriptor_key(struct exchange *, const struct descriptor *);

#endif
