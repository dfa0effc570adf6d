/*
 * Reads YAML and JSON into nodes, with libyaml. Refused, each with its place: duplicate keys, a
 * second document, aliases that expand without bound or contain themselves, nesting deeper than 64,
 * files over 16 MiB, keys that are no scalars, bytes that are no UTF-8, tags
 * that mean nothing here. Anchors and merge keys (<<) work; a map value
 * tagged !ignore is dropped.
 */
#ifndef SALLYPORT_CONFIG_YAML_H
#define SALLYPORT_CONFIG_YAML_H

#include "config/diag.h"

/*
 * Parses text, which must live as long as the arena; name is for messages.
 * NULL when it cannot be read on. After lesser errors, such as a duplicate key,
 * there is a tree all the same, so that what else is wrong can be said
 * in the same run: ask the diag.
 */
const struct node *yaml_parse(
    struct arena *, struct str text, const char *name, struct diag *);

/* Reads and parses a file; "-" is no name for standard input. */
const struct node *yaml_read(struct arena *, const char *path, struct diag *);

#endif
