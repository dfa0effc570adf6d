/* What the files of the YAML reader share. */
#ifndef SALLYPORT_CONFIG_YAML_LOADER_H
#define SALLYPORT_CONFIG_YAML_LOADER_H

#include <yaml.h>

#include "config/yaml.h"

enum { YAML_DEPTH_MAX = 64 };

struct anchor;

/* "\ud83d\ude00" of JSON, written for libyaml in two characters less. */
struct shift {
	size_t at; /* characters before it in libyaml's line */
	size_t line;
};

struct loader {
	struct tree *tree;
	struct diag *diag;
	struct source *source;
	yaml_parser_t parser;
	struct anchor *anchors;
	size_t n_anchors;
	size_t nodes; /* so far, aliases written out */
	size_t aliased;
	struct shift *shifts; /* in the order of the text */
	size_t n_shifts;
	/* Items of the lists and maps that are being read, innermost last. */
	struct node_item *stack;
	size_t n, cap;
	bool stopped; /* the text cannot be read on */
};

/* Where libyaml is, and the place of a byte of the source. */
struct place yaml_place(const struct loader *, yaml_mark_t);
struct place yaml_place_at(const struct loader *, size_t offset);

/*
 * Whether a text is what its name promises, and free of what libyaml takes
 * otherwise than Envoy does. It comes back as libyaml is to read it.
 */
bool yaml_prepare(struct loader *, const char *name, struct str *text);

/* The one document of the parser's events, or NULL. */
const struct node *yaml_document(struct loader *);

#endif
