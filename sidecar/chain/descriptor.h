/*
 * Rate limit descriptors: what the actions of Envoy's rate_limits make of a
 * request, a list of keys with values.
 */
#ifndef SALLYPORT_CHAIN_DESCRIPTOR_H
#define SALLYPORT_CHAIN_DESCRIPTOR_H

#include "chain/host.h"
#include "config/model_limit.h"

enum { DESCRIPTOR_ENTRIES_MAX = 16 };

struct descriptor_entry {
	struct str key, value;
};

struct descriptor {
	struct descriptor_entry entries[DESCRIPTOR_ENTRIES_MAX];
	size_t n;
	enum conf_x_ratelimit x_ratelimit;
};

/* rate_limits, compiled. */
struct rate_limits;

/* NULL for an empty list and after errors. */
const struct rate_limits *rate_limits_build(
    struct setup *, const conf_rate_limits *);
size_t rate_limits_count(const struct rate_limits *);

/*
 * Runs the actions of number i. False if they make no descriptor: it is of
 * another stage or has a disable_key, one action found no value (and may not
 * be skipped), there are too many, or none left an entry.
 */
bool rate_limits_make(struct exchange *, const struct rate_limits *, size_t i,
    uint32_t stage, struct descriptor *);

/*
 * How many tokens number i draws, negative to give some back; 1 unless
 * hits_addend says something. False if that is no number.
 */
bool rate_limits_hits(
    struct exchange *, const struct rate_limits *, size_t i, int64_t *hits);

/* The entries as one text, so written that no two lists read the same. */
struct str descriptor_key(struct exchange *, const struct descriptor *);

#endif
