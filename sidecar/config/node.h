/*
 * A configuration text as a tree in which every value knows its place.
 * YAML and JSON (a subset of it here) are read into it, the short form is
 * rewritten in it, and the schema decodes it. Nodes live as long as the arena they came from
 * and never change once they are in the tree of a caller.
 */
#ifndef SALLYPORT_CONFIG_NODE_H
#define SALLYPORT_CONFIG_NODE_H

#include "base/arena.h"
#include "base/buf.h"

enum node_kind { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

/* Where a value stands. Lines and columns count from 1. */
struct place {
	const struct source *source; /* NULL for values made by the program */
	unsigned line;
	unsigned column;
};

/* A text that was read, kept so that messages can show the line. */
struct source {
	const char *name; /* as the user wrote it */
	struct str text;
};

struct node {
	enum node_kind kind;
	bool
	    quoted : 1; /* written in quotes: a string whatever it looks like */
	unsigned n : 31; /* items */
	struct place place;
	struct str scalar; /* NODE_SCALAR: the text, without quotes */
	struct node_item *items; /* NODE_LIST and NODE_MAP, in file order */
};

/* A list's item has no key. */
struct node_item {
	struct str key;
	struct place key_place;
	const struct node *value;
};

/* The value under key of a map, or NULL; NULL for what is no map too. */
const struct node *node_get(const struct node *, const char *key);

/* Builders for the short form; place is where the short text caused it. */
struct node *node_map(struct arena *, struct place);
struct node *node_list(struct arena *, struct place);
struct node *node_text(struct arena *, struct place, struct str);
/* An unquoted scalar: number, bool, duration. */
struct node *node_plain(struct arena *, struct place, struct str);
void node_put(struct arena *, struct node *map, const char *key,
    const struct node *value);
void node_add(struct arena *, struct node *list, const struct node *value);

/* A copy that shares nothing but its places' sources. */
const struct node *node_copy(struct arena *, const struct node *);

/* The tree as YAML text that reads back to the same tree. */
enum err node_print(const struct node *, struct buf *) CHECKED;

/* The tree as JSON text, plain scalars typed as YAML 1.2 core would. */
enum err node_print_json(const struct node *, struct buf *) CHECKED;

#endif
