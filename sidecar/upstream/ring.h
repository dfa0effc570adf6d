/*
 * Consistent hashing: which host of a cluster belongs to a number. Envoy's
 * RING_HASH (a ketama ring) and MAGLEV, entry for entry, so that gateways
 * of both kinds agree.
 */
#ifndef SALLYPORT_UPSTREAM_RING_H
#define SALLYPORT_UPSTREAM_RING_H

#include "base/arena.h"

/* A host as these tables know it. */
struct ring_host {
	struct str key; /* "10.0.0.1:80", or what is configured instead */
	uint32_t weight; /* at least 1 */
};

enum ring_function { RING_XX_HASH, RING_MURMUR_HASH_2 };

/* How a ring is to be made: points on it, at least and at most. */
struct ring_size {
	uint64_t min, max;
	enum ring_function function;
};

struct ring;
struct maglev;

/* NULL for no hosts. */
const struct ring *ring_build(struct arena *, const struct ring_host *,
    size_t n, const struct ring_size *);

/* Index of the host of that hash; attempt, from 0, asks for another one. */
size_t ring_pick(const struct ring *, uint64_t hash, uint32_t attempt);

/* size is a prime; at most MAGLEV_HOSTS hosts, and no more than size. */
enum { MAGLEV_HOSTS = 65535 };
const struct maglev *maglev_build(
    struct arena *, const struct ring_host *, size_t n, uint64_t size);
size_t maglev_pick(const struct maglev *, uint64_t hash, uint32_t attempt);

/* MurmurHash2 of 64 bits, as the C++ library of GNU computes it. */
uint64_t ring_murmur(struct str);

#endif
