/*
 * A compiled format: literal bytes and operators, one after the other. How an
 * operator is written depends on where it stands. chain/format.c makes them of
 * texts and JSON, chain/render.c writes them.
 */
#ifndef SALLYPORT_CHAIN_PIECES_H
#define SALLYPORT_CHAIN_PIECES_H

#include "base/buf.h"
#include "chain/command.h"

enum piece_kind {
	PIECE_LITERAL,
	PIECE_TEXT, /* an operator in a text */
	PIECE_JSON_TEXT, /* an operator within a JSON string */
	PIECE_JSON_VALUE, /* an operator alone: a JSON value with its type */
};

struct piece {
	enum piece_kind kind;
	struct str literal;
	struct op op;
};

struct pieces {
	struct piece *items;
	size_t n, cap;
	struct buf literal; /* what is to come before the next operator */
};

/* Builds: literals that follow each other are joined; ended by pieces_end. */
void pieces_begin(struct pieces *);
void pieces_add_literal(struct pieces *, struct str);
void pieces_add_op(
    struct arena *, struct pieces *, enum piece_kind, const struct op *);
void pieces_end(struct arena *, struct pieces *);

/*
 * A JSON format whose absent values are left out keeps its tree: whether a
 * map is there, and where commas go, is known when it is written.
 */
enum branch_kind { BRANCH_MAP, BRANCH_LIST, BRANCH_PIECES };

struct branch {
	enum branch_kind kind;
	struct str key; /* "\"name\":", empty in a list */
	struct branch *items;
	size_t n;
	struct pieces pieces;
};

/* Writes pieces; absent is what a missing value is in a text. */
enum err pieces_render(const struct pieces *, const struct exchange *,
    struct str absent, struct buf *) CHECKED;

/* Writes a tree without what is absent, and without the maps that this empties. */
enum err branch_render(
    const struct branch *, const struct exchange *, struct buf *) CHECKED;

/* The pieces as one text in the exchange's arena; missing values are empty. */
struct str pieces_text(const struct pieces *, const struct exchange *);

#endif
