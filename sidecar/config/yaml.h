/*
 * Reads YAML and JSON into nodes, with libyaml. Refused, each with its place: duplicate keys, a
 * second document, aliases that expand without bound or contain themselves, nesting deeper than 64,
 * files over 16 MiB, keys that are no scalars, bytes that are no UTF-8.
 * Anchors and merge keys (<<) work; a map value tagged !ignore is dropped.
 */
#ifndef SALLYPORT_CONFIG_YAML_H
#define SALLYPORT_CONFIG_YAML_H

#include "config/diag.h"

/* Parses text; name is for messages. NULL when errors were added. */
const struct node *yaml_parse(
    struct arena *, struct str text, const char *name, struct diag *);

/* Reads and parses a file; "-" is no name for standard input. */
const struct node *yaml_read(struct arena *, const char *path, struct diag *);

#endif
