/*
 * Tables in the state file whose entries are found by name. An entry belongs
 * to a name from the moment its hash is in; the text follows, and whoever
 * finds it missing (its writer was killed) writes it. Entries are not freed.
 */
#ifndef SALLYPORT_STATE_TAG_H
#define SALLYPORT_STATE_TAG_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/str.h"

enum { TAG_NAME_MAX = 119 };

struct tag {
	_Atomic uint64_t hash; /* 0: free */
	_Atomic char first; /* of the name; 0 until the rest is there */
	char rest[TAG_NAME_MAX]; /* ended by NUL */
};

/* Index of the entry of that name, claimed if new; -1 if there is no room. */
int tag_find(struct tag *table, size_t n, uint64_t seed, struct str name);

/* The same for names that are there already; -1 for others. */
int tag_lookup(
    const struct tag *table, size_t n, uint64_t seed, struct str name);

/*
 * Copies the name of an entry to at (TAG_NAME_MAX + 1 bytes) and returns it;
 * absent for a free entry and for one whose name is not there yet.
 */
struct str tag_name(const struct tag *, char *at);

#endif
