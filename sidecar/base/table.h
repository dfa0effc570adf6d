/*
 * A hash table from byte strings to pointers that only grows, on an arena:
 * for names that are looked up while a configuration is loaded and after.
 */
#ifndef SALLYPORT_BASE_TABLE_H
#define SALLYPORT_BASE_TABLE_H

#include "base/arena.h"

struct table;

/* An empty table; it makes room as it fills. */
struct table *table_new(struct arena *);

/*
 * Adds a key, whose bytes must live as long as the table. If it is there
 * already nothing is changed and false is returned.
 */
bool table_add(struct table *, struct str key, const void *value);

/* The value of a key, or NULL. */
const void *table_get(const struct table *, struct str key);

/* Calls each(arg, key, value) for every key, in the order they were added. */
void table_each(const struct table *,
    void (*each)(void *arg, struct str key, const void *value), void *arg);

#endif
