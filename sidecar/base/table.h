/*
 * Numbers under texts, in a table that is built once and then only read. Keys
 * are borrowed. All keys that a text begins with are found in one walk over
 * it, shortest first.
 */
#ifndef SALLYPORT_BASE_TABLE_H
#define SALLYPORT_BASE_TABLE_H

#include "base/arena.h"

#define TABLE_NONE UINT32_MAX

struct table;

/* An empty table with room for n keys. */
struct table *table_new(struct arena *, size_t n);

/*
 * The place of a key's number, which is TABLE_NONE for a new key. The room
 * must not be exceeded.
 */
uint32_t *table_put(struct table *, struct str key);

/* The number under the key, or TABLE_NONE. A NULL table is empty. */
uint32_t table_get(const struct table *, struct str key);

/* A walk over the keys that text begins with. */
struct table_walk {
	const struct table *table;
	struct str text;
	size_t len; /* of the key that was found last */
	size_t next; /* length that is looked up next */
	uint64_t hash; /* of the first next bytes */
};

/* A walk over the keys that text begins with, from the shortest on. */
struct table_walk table_walk(const struct table *, struct str text);

/* The number of the next longer key, or TABLE_NONE after the last one. */
uint32_t table_next(struct table_walk *);

#endif
