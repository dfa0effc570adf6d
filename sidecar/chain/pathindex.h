/*
 * An ordered list of path patterns, searched without looking at each: of a
 * path it yields, in the list's order, the few entries that can match it. An
 * entry is a whole path, or a text that the path begins with (for a regular
 * expression its literal beginning, which may be empty).
 */
#ifndef SALLYPORT_CHAIN_PATHINDEX_H
#define SALLYPORT_CHAIN_PATHINDEX_H

#include "base/table.h"

struct pathindex;

struct path_key {
	struct str text; /* in lower case when nocase */
	bool whole;
	bool nocase;
};

/* keys[i] is of entry number i. */
const struct pathindex *pathindex_build(
    struct arena *, const struct path_key *keys, size_t n);

/* Candidates of one path. */
struct pathindex_walk {
	const struct pathindex *index;
	struct arena *arena;
	uint32_t few[16];
	uint32_t *heap; /* heads of the lists that were hit, lowest first */
	size_t n, cap;
};

/* The arena is for the time of the walk. */
void pathindex_walk(struct pathindex_walk *, const struct pathindex *,
    struct arena *, struct str path);

/* Number of the next candidate, rising; TABLE_NONE after the last one. */
uint32_t pathindex_next(struct pathindex_walk *);

#endif
