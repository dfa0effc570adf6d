/*
 * The memory of a tree that was read from a text: its nodes live as long as
 * an arena, the texts and lists of items can be forgotten before. What is
 * decoded keeps pointers to nodes, to tell where it came from.
 */
#ifndef SALLYPORT_CONFIG_TREE_H
#define SALLYPORT_CONFIG_TREE_H

#include "config/node.h"

struct tree;

/* An empty tree, whose nodes live in the arena. */
struct tree *tree_new(struct arena *);

/* Where the nodes live, and where what can be forgotten does. */
struct arena *tree_arena(const struct tree *);
struct arena *tree_rest(const struct tree *);

/* A new node, zeroed; and a copy of a text, shared with equal ones of late. */
struct node *tree_node(struct tree *);
struct str tree_text(struct tree *, struct str text);

/* The source of the tree's places, whose text is forgotten with the rest. */
void tree_keep_source(struct tree *, struct source *);

/* Empties all nodes but for kind and place, and frees the rest. */
void tree_forget(struct tree *);

#endif
