/*
 * Writing JSON (RFC 8259). Whatever bytes come in, valid JSON goes out:
 * control bytes are escaped, and bytes that are not UTF-8 become U+FFFD.
 */
#ifndef SALLYPORT_BASE_JSON_H
#define SALLYPORT_BASE_JSON_H

#include "base/buf.h"

/* Appends s as a JSON string, quotes included. Fails only with ERR_FULL. */
enum err json_append_string(struct buf *, struct str s) CHECKED;

#endif
