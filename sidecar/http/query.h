/*
 * A query as a list of parameters that can be changed and written again.
 * They are ordered by name, those of one name as they came. What is not
 * changed keeps its spelling, so that no escape gets another meaning.
 */
#ifndef SALLYPORT_HTTP_QUERY_H
#define SALLYPORT_HTTP_QUERY_H

#include "base/arena.h"

struct query_item {
	struct str name; /* decoded */
	struct str text; /* "name=value", as it is written */
};

struct query {
	struct arena *arena;
	struct query_item *items;
	size_t n, cap;
};

/* Reads the query of target, if it has one. */
void query_read(struct query *, struct arena *, struct str target);

/* Names are given decoded, and match whatever a client's are when decoded. */
bool query_has(const struct query *, struct str name);
void query_remove(struct query *, struct str name);
/* Adds one; what has a meaning in a query is escaped. */
void query_add(struct query *, struct str name, struct str value);

/* target with this query in the place of its own, none if it is empty. */
struct str query_write(const struct query *, struct str target);

#endif
