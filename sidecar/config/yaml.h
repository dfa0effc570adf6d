/*
 * Reads YAML and JSON into nodes, with libyaml. Refused, each with its place: duplicate keys, a
 * second document, aliases that expand without bound or contain themselves, nesting deeper than 64,
 * files over 16 MiB, keys that are no scalars, bytes that are no UTF-8, tags
 * that mean nothing here, merge keys, which Envoy does not merge. Anchors work;
 * a key tagged !ignore is dropped with its value.
 */
#ifndef SALLYPORT_CONFIG_YAML_H
#define SALLYPORT_CONFIG_YAML_H

#include "config/diag.h"
#include "config/tree.h"

/*
 * Parses text, which must live as long as the arena; name is for messages,
 * and as in Envoy one that has an extension other than .yaml and .yml tells
 * that the text must be JSON. NULL when it cannot be read on. After lesser errors, such
 * as a duplicate key, there is a tree all the same, so that what else is
 * wrong can be said in the same run: ask the diag.
 */
const struct node *yaml_parse(
    struct arena *, struct str text, const char *name, struct diag *);

/* The same into a tree, which the text must outlive until it is forgotten. */
const struct node *yaml_parse_tree(
    struct tree *, struct str text, const char *name, struct diag *);

/* Reads a file and parses it into a tree. */
const struct node *yaml_read(struct tree *, const char *path, struct diag *);

#endif
