/* A pattern as RE2 sees it, shared by the files behind regex_size.h. */
#ifndef SALLYPORT_BASE_REGEX_TREE_H
#define SALLYPORT_BASE_REGEX_TREE_H

#include "base/arena.h"

enum tree_op {
	TREE_NO_MATCH,
	TREE_EMPTY,
	TREE_LITERAL, /* one byte */
	TREE_STRING, /* several */
	TREE_CONCAT,
	TREE_ALTERNATE,
	TREE_STAR,
	TREE_PLUS,
	TREE_QUEST,
	TREE_REPEAT,
	TREE_CAPTURE,
	TREE_ANY, /* also a newline */
	TREE_CLASS,
	TREE_BEGIN_LINE,
	TREE_END_LINE,
	TREE_BEGIN_TEXT,
	TREE_END_TEXT,
	TREE_WORD,
	TREE_NOT_WORD,
	/* On the parser's stack only. */
	TREE_PAREN,
	TREE_BAR,
};

enum {
	TREE_FOLD = 1, /* letters without case */
	TREE_LAZY = 2,
	TREE_DOT_ALL = 4,
	TREE_ONE_LINE = 8, /* ^ and $ are ends of the text */
	TREE_WAS_DOLLAR = 16,
};

/* A set of bytes. */
struct set {
	uint64_t bits[4];
};

struct tree {
	enum tree_op op;
	unsigned flags;
	int min, max; /* TREE_REPEAT, max -1: none; min: capture's number */
	struct str bytes; /* TREE_LITERAL, TREE_STRING */
	struct set set; /* TREE_CLASS */
	struct tree **subs;
	size_t n;
};

bool set_has(const struct set *, unsigned byte);
void set_add(struct set *, unsigned from, unsigned to);

struct tree *tree_new_of(struct arena *, enum tree_op, unsigned flags);

/* A concatenation or alternation, or the one there is, or what none means. */
struct tree *tree_join(
    struct arena *, enum tree_op, struct tree **subs, size_t n, unsigned flags);

/* A star, plus or question mark, squashed with one that it is around. */
struct tree *tree_quantify(
    struct arena *, enum tree_op, struct tree *sub, unsigned flags);

bool tree_equal(const struct tree *, const struct tree *);

/* The pattern's tree, or NULL when it cannot be told. */
struct tree *tree_parse(struct arena *, struct str pattern);

/* Pulls common beginnings out of alternatives, in place; how many are left. */
size_t tree_factor(
    struct arena *, struct tree **subs, size_t n, unsigned flags);

/* Joins repetitions and writes counted ones out. */
struct tree *tree_simplify(struct arena *, struct tree *);

/* Instructions of the program of a simplified tree. */
size_t tree_program_size(struct arena *, struct tree *);

#endif
