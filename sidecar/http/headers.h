/*
 * The header fields of one message (RFC 9110 section 5), in order, repeated
 * fields kept apart. Names are stored in lower case. Envoy's pseudo headers
 * (:method, :path, :authority, :scheme, :status) are ordinary entries.
 * Names and values are borrowed: they must live as long as the headers,
 * which keep everything they copy themselves in their arena.
 */
#ifndef SALLYPORT_HTTP_HEADERS_H
#define SALLYPORT_HTTP_HEADERS_H

#include "base/arena.h"

struct header {
	struct str name;
	struct str value;
};

struct headers {
	struct arena *arena;
	struct header *items;
	size_t n;
	size_t cap;
};

/* No fields; the arena holds the list and must outlive it. */
void headers_init(struct headers *, struct arena *);

/* Appends a field; name must be in lower case already. Nothing is copied. */
void headers_add(struct headers *, struct str name, struct str value);

/*
 * Adds a value as Envoy does: to the one line of a field that it keeps in one
 * line, behind a comma, else as a line of its own.
 */
enum headers_of { HEADERS_OF_REQUEST, HEADERS_OF_RESPONSE };
void headers_append(
    struct headers *, enum headers_of, struct str name, struct str value);

/* Value of the first field of that name, or absent. */
struct str headers_get(const struct headers *, struct str name);

/* All values of that name joined by ",", as Envoy's matchers see them. */
struct str headers_joined(const struct headers *, struct str name);

/* Value number index (from 0) of that name, or absent. */
struct str headers_nth(const struct headers *, struct str name, size_t index);

/* Replaces all fields of that name by one, in the place of the first. */
void headers_set(struct headers *, struct str name, struct str value);

/* Removes all fields of that name; returns how many there were. */
size_t headers_remove(struct headers *, struct str name);

/* The same for n names. */
void headers_remove_all(struct headers *, const struct str *names, size_t n);

/* Bytes of all names and values, with 4 for ": " and CR LF each. */
size_t headers_size(const struct headers *);

/* Whether name is an RFC 9110 token, and value has no CR, LF or NUL. */
bool header_name_is_valid(struct str name);
bool header_value_is_valid(struct str value);

/*
 * Whether a filter may write the field: a valid name (a pseudo header's
 * too), and a value that is valid and not empty.
 */
bool header_is_writable(struct str name, struct str value);

/* Lower-case copy in the arena (the same str if it is lower case already). */
struct str header_name_lower(struct arena *, struct str name);

/* The same of a name to look up in a request, where "host" is ":authority". */
struct str header_name_sought(struct arena *, struct str name);

/*
 * Removes the hop-by-hop fields of RFC 9110 section 7.6.1: those that
 * Connection names, but for TE, and the known ones.
 */
void headers_remove_hop_by_hop(struct headers *);

#endif
