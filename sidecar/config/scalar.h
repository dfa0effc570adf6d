/*
 * What an unquoted YAML scalar would be taken for, and the values that
 * scalars are turned into.
 */
#ifndef SALLYPORT_CONFIG_SCALAR_H
#define SALLYPORT_CONFIG_SCALAR_H

#include <stdint.h>

#include "base/arena.h"

enum scalar_kind {
	SCALAR_TEXT,
	SCALAR_NULL,
	SCALAR_BOOL,
	SCALAR_INTEGER,
	SCALAR_NUMBER, /* any other */
};

/*
 * The type of a plain scalar by YAML 1.2 core, with the spellings of 1.1
 * ("yes", "off") that Envoy's reader knows. In Envoy a SCALAR_NUMBER does for
 * a text, the others do not.
 */
enum scalar_kind scalar_kind(struct str text);

/* Reads true, yes, on, y and their opposites, in the usual three cases. */
bool scalar_to_bool(struct str text, bool *out);

/* Reads a finite decimal number such as "-1.5e3", all of text. */
bool scalar_to_double(struct str text, double *out);

/* An integer, also one written as "1e3" or "5.0"; no leading zeros. */
bool scalar_to_u64(struct str text, uint64_t *out);
bool scalar_to_i64(struct str text, int64_t *out);

/* Seconds in protobuf's spelling, "1.5s", not negative, in nanoseconds. */
bool scalar_to_seconds(struct str text, int64_t *ns);

/* The same, and also with the units ms, m and h. */
bool scalar_to_duration(struct str text, int64_t *ns);

/* Base64 of either alphabet, padding optional, as protobuf takes it. */
bool scalar_to_bytes(struct arena *, struct str text, struct str *out);

#endif
