/*
 * A google.protobuf.Struct of the configuration with its scalars typed as
 * Envoy's readers do. In YAML a plain scalar is null, a bool (also "yes",
 * "off"), an integer (also "0x1f", "017") or else a text: 1.5 is "1.5", and so
 * is an integer beyond 32 bits. In a file whose name ends in .json a number is
 * a number.
 */
#ifndef SALLYPORT_CONFIG_TYPED_H
#define SALLYPORT_CONFIG_TYPED_H

#include "config/node.h"

enum typed_kind {
	TYPED_NULL,
	TYPED_BOOL,
	TYPED_NUMBER,
	TYPED_TEXT,
	TYPED_LIST,
	TYPED_MAP,
};

struct typed {
	enum typed_kind kind;
	bool truth;
	double number;
	struct str text; /* in the arena or the node */
};

/* What the node is; of lists and maps only the kind. */
struct typed typed_of(struct arena *, const struct node *);

/* The tree as JSON without blanks, members sorted by name. */
enum err typed_append_json(
    struct buf *, struct arena *, const struct node *) CHECKED;

/*
 * The node under the path of n keys in maps, or NULL. */
const struct node *typed_find(
    const struct node *, const struct str *keys, size_t n);

/* The items of a map in the order of their names, in the arena. */
const struct node_item *typed_sorted(struct arena *, const struct node *);

#endif
