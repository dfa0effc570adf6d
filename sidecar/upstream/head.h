/*
 * The header section of an HTTP/1 response, from bytes to fields
 * (RFC 9112 sections 4 to 6). Stricter than libcurl: what two readers could
 * understand differently is refused.
 */
#ifndef SALLYPORT_UPSTREAM_HEAD_H
#define SALLYPORT_UPSTREAM_HEAD_H

#include "base/err.h"
#include "http/headers.h"

/* Envoy's defaults. */
enum {
	HEAD_MAX_BYTES = 80 * 1024,
	HEAD_MAX_FIELDS = 100,
};

/*
 * Status code of the line a section begins with, or 0 if it is not
 * "HTTP/1.x " and three digits from 100 on.
 */
unsigned head_status(struct str raw);

/*
 * Reads a whole section, status line and empty line included, into *out:
 * ":status" first, then the fields with names in lower case, copied to the
 * arena of *out. Folded lines are joined, their blanks kept. ERR_FULL: more
 * than max fields. ERR_BAD: *reason says what is wrong.
 */
enum err head_parse(struct str raw, size_t max, struct headers *out,
    const char **reason) CHECKED;

#endif
