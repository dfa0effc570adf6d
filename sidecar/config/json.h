/*
 * Whether a text is JSON (RFC 8259). YAML's parser reads it afterwards, but
 * it would also read much that JSON is not.
 */
#ifndef SALLYPORT_CONFIG_JSON_H
#define SALLYPORT_CONFIG_JSON_H

#include "base/str.h"

/*
 * What is wrong with a text that is to be one JSON value nested at most
 * depth_max deep, and the offset where; NULL if nothing is. Bytes from 0x80 on
 * are taken as they come.
 */
const char *json_error(struct str text, unsigned depth_max, size_t *at);

#endif
