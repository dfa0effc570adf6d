/*
 * The ring: each host has points on it, in number as its weight; a hash
 * belongs to the next point clockwise.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "upstream/ring.h"

struct point {
	uint64_t hash;
	size_t host;
};

struct ring {
	struct point *points; /* by hash */
	size_t n;
};

static uint64_t
mix(uint64_t v)
{
	return v ^ (v >> 47);
}

uint64_t
ring_murmur(struct str s)
{
	static const uint64_t mul = 0xc6a4a7935bd1e995u, seed = 0xc70f6907u;
	uint64_t hash = seed ^ (s.len * mul), word;
	size_t i = 0;

	for (; i + 8 <= s.len; i += 8) {
		memcpy(&word, s.ptr + i, 8);
		hash = (hash ^ (mix(word * mul) * mul)) * mul;
	}
	if (i < s.len) {
		word = 0;
		for (size_t at = s.len; at > i; at--)
			word = word << 8 | (unsigned char)s.ptr[at - 1];
		hash = (hash ^ word) * mul;
	}
	return mix(mix(hash) * mul);
}

static uint64_t
hash_point(struct str key, uint64_t i, const struct ring_size *size)
{
	char text[512];
	int len = snprintf(text, sizeof(text), STR_FMT "_%llu", STR_ARG(key),
	    (unsigned long long)i);
	struct str s = { text, (size_t)len };

	if (s.len >= sizeof(text))
		s.len = sizeof(text) - 1;
	return size->function == RING_MURMUR_HASH_2 ? ring_murmur(s)
						    : XXH64(s.ptr, s.len, 0);
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = ((const struct point *)a)->hash;
	uint64_t y = ((const struct point *)b)->hash;

	return x < y ? -1 : x > y;
}

/* So many that the lightest host has a whole number of them, if max allows. */
static double
points_of(double lightest, const struct ring_size *size)
{
	double n = ceil(lightest * (double)size->min) / lightest;

	return n < (double)size->max ? n : (double)size->max;
}

static double
lightest_of(const struct ring_host *hosts, size_t n, double sum)
{
	double least = 1;

	for (size_t i = 0; i < n; i++)
		if (hosts[i].weight / sum < least)
			least = hosts[i].weight / sum;
	return least;
}

const struct ring *
ring_build(struct arena *arena, const struct ring_host *hosts, size_t n,
    const struct ring_size *size)
{
	struct ring *ring;
	double sum = 0, scale, due = 0;

	if (!n)
		return NULL;
	for (size_t i = 0; i < n; i++)
		sum += hosts[i].weight;
	scale = points_of(lightest_of(hosts, n, sum), size);
	ring = ARENA_NEW(arena, struct ring);
	ring->points =
	    ARENA_ARRAY(arena, (size_t)ceil(scale) + n + 1, struct point);
	for (size_t host = 0; host < n; host++) {
		due += scale * (hosts[host].weight / sum);
		for (uint64_t i = 0; (double)ring->n < due; i++)
			ring->points[ring->n++] = (struct point){
				hash_point(hosts[host].key, i, size), host
			};
	}
	qsort(ring->points, ring->n, sizeof(*ring->points), compare);
	return ring;
}

/* The first point that is not before the hash; past the last one, the first. */
static size_t
find(const struct ring *ring, uint64_t hash)
{
	size_t low = 0, high = ring->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ring->points[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low == ring->n ? 0 : low;
}

size_t
ring_pick(const struct ring *ring, uint64_t hash, uint32_t attempt)
{
	return ring->points[(find(ring, hash) + attempt) % ring->n].host;
}
