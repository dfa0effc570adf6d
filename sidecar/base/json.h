/*
 * Writing JSON (RFC 8259) as Envoy does. Whatever bytes come in, valid JSON
 * goes out: control bytes, quotes and backslashes are escaped, and in a text
 * that is not UTF-8 every byte that is not ASCII is written as \u00xx.
 */
#ifndef SALLYPORT_BASE_JSON_H
#define SALLYPORT_BASE_JSON_H

#include "base/buf.h"

/* Appends s as a JSON string, quotes included. Fails only with ERR_FULL. */
enum err json_append_string(struct buf *, struct str s) CHECKED;

/* The same without the quotes, as a part of a string. */
enum err json_append_text(struct buf *, struct str s) CHECKED;

/*
 * A number in the fewest characters that read back to it ("1e+05", "7",
 * "0.1"); null for what is none.
 */
enum err json_append_number(struct buf *, double) CHECKED;

/* A parsed text (cJSON) written anew: members sorted by name, no blanks. */
struct cJSON;
enum err json_append_value(struct buf *, const struct cJSON *) CHECKED;

#endif
