/*
 * From a simplified tree to instructions, in the order in which RE2 makes
 * them, since that decides where lists begin (regex_flatten.c).
 */
#include "config.h"

#include "base/regex_flatten.h"
#include "base/regex_size.h"
#include "base/regex_tree.h"

enum { PATTERN_MAX = 4096 }; /* of regex.h */

/* Holes to be filled: an instruction's number times 2, plus 1 for out1. */
struct holes {
	unsigned first, last;
};

struct piece {
	unsigned begin; /* 0: matches nothing */
	struct holes end;
	bool nullable;
};

static unsigned
add(struct program *p, enum opcode op)
{
	if (p->n == REGEX_SIZE_MAX)
		return 0;
	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		struct inst *grown = ARENA_ARRAY(p->arena, cap, struct inst);

		if (p->n)
			memcpy(grown, p->insts, p->n * sizeof(*grown));
		p->insts = grown;
		p->cap = cap;
	}
	p->insts[p->n] = (struct inst){ .op = op };
	return (unsigned)p->n++;
}

static unsigned *
hole(struct program *p, unsigned at)
{
	struct inst *i = &p->insts[at >> 1];

	return at & 1 ? &i->out1 : &i->out;
}

static void
fill(struct program *p, struct holes holes, unsigned target)
{
	for (unsigned at = holes.first, next; at; at = next) {
		next = *hole(p, at);
		*hole(p, at) = target;
	}
}

static struct holes
joined(struct program *p, struct holes a, struct holes b)
{
	if (!a.first)
		return b;
	if (!b.first)
		return a;
	*hole(p, a.last) = b.first;
	return (struct holes){ a.first, b.last };
}

static struct piece
single(struct program *p, enum opcode op, bool nullable)
{
	unsigned id = add(p, op);

	return (struct piece){ id, { id << 1, id << 1 }, nullable };
}

static struct piece
bytes(struct program *p, unsigned from, unsigned to)
{
	struct piece f = single(p, BYTES, false);

	p->insts[f.begin].from = (unsigned char)from;
	p->insts[f.begin].to = (unsigned char)to;
	return f;
}

static struct piece
cat(struct program *p, struct piece a, struct piece b)
{
	const struct inst *begin = &p->insts[a.begin];

	if (!a.begin || !b.begin)
		return (struct piece){ .begin = 0 };
	fill(p, a.end, b.begin);
	if (begin->op == NOP && a.end.first == a.begin << 1 &&
	    a.end.last == a.end.first)
		return b;
	return (struct piece){ a.begin, b.end, a.nullable && b.nullable };
}

static struct piece
alt(struct program *p, struct piece a, struct piece b)
{
	unsigned id;

	if (!a.begin || !b.begin)
		return a.begin ? a : b;
	id = add(p, ALT);
	p->insts[id].out = a.begin;
	p->insts[id].out1 = b.begin;
	return (struct piece){ id, joined(p, a.end, b.end),
		a.nullable || b.nullable };
}

/* An ALT that goes to begin or leaves; *left is where it leaves. */
static unsigned
fork_to(struct program *p, unsigned begin, bool lazy, struct holes *left)
{
	unsigned id = add(p, ALT);
	unsigned at = id << 1 | (lazy ? 0 : 1);

	*hole(p, at ^ 1) = begin;
	*left = (struct holes){ at, at };
	return id;
}

static struct piece
plus(struct program *p, struct piece a, bool lazy)
{
	struct holes left;
	unsigned id = fork_to(p, a.begin, lazy, &left);

	fill(p, a.end, id);
	return (struct piece){ a.begin, left, a.nullable };
}

static struct piece
quest(struct program *p, struct piece a, bool lazy)
{
	struct holes left;
	unsigned id;

	if (!a.begin)
		return single(p, NOP, true);
	id = fork_to(p, a.begin, lazy, &left);
	return (struct piece){ id, joined(p, left, a.end), true };
}

static struct piece
star(struct program *p, struct piece a, bool lazy)
{
	struct holes left;
	unsigned id;

	if (a.nullable)
		return quest(p, plus(p, a, lazy), lazy);
	id = fork_to(p, a.begin, lazy, &left);
	fill(p, a.end, id);
	return (struct piece){ id, left, true };
}

static struct piece
capture(struct program *p, struct piece a)
{
	unsigned open, close;

	if (!a.begin)
		return a;
	open = add(p, CAPTURE);
	close = add(p, CAPTURE);
	p->insts[open].out = a.begin;
	fill(p, a.end, close);
	return (struct piece){ open, { close << 1, close << 1 }, a.nullable };
}

/* Whether the set has both cases of each letter that it has. */
static bool
folds(const struct set *s)
{
	for (unsigned c = 'A'; c <= 'Z'; c++)
		if (set_has(s, c) != set_has(s, c + 'a' - 'A'))
			return false;
	return true;
}

static struct piece
class_piece(struct program *p, const struct set *s)
{
	struct piece f = { .begin = 0 };
	bool skip_upper = folds(s);

	for (unsigned from = 0, to; from < 256; from = to + 1) {
		to = from;
		if (!set_has(s, from))
			continue;
		while (to < 255 && set_has(s, to + 1))
			to++;
		if (skip_upper && from >= 'A' && to <= 'Z')
			continue;
		f = alt(p, f, bytes(p, from, to));
	}
	return f;
}

static struct piece
text_piece(struct program *p, struct str text)
{
	struct piece f = { .begin = 0 };

	if (!text.len)
		return single(p, NOP, true);
	for (size_t i = 0; i < text.len; i++) {
		unsigned c = (unsigned char)text.ptr[i];

		f = i ? cat(p, f, bytes(p, c, c)) : bytes(p, c, c);
	}
	return f;
}

static struct piece compile(struct program *p, const struct tree *t);

static struct piece
list_piece(struct program *p, const struct tree *t)
{
	struct piece f = compile(p, t->subs[0]);

	for (size_t i = 1; i < t->n && p->n < REGEX_SIZE_MAX; i++)
		f = t->op == TREE_CONCAT ? cat(p, f, compile(p, t->subs[i]))
					 : alt(p, f, compile(p, t->subs[i]));
	return f;
}

static struct piece
compile(struct program *p, const struct tree *t)
{
	bool lazy = t->flags & TREE_LAZY;

	if (p->n >= REGEX_SIZE_MAX)
		return (struct piece){ .begin = 0 };
	switch (t->op) {
	case TREE_NO_MATCH:
	case TREE_PAREN:
	case TREE_BAR:
	case TREE_REPEAT:
		return (struct piece){ .begin = 0 };
	case TREE_EMPTY:
		return single(p, NOP, true);
	case TREE_LITERAL:
	case TREE_STRING:
		return text_piece(p, t->bytes);
	case TREE_CONCAT:
	case TREE_ALTERNATE:
		return list_piece(p, t);
	case TREE_STAR:
		return star(p, compile(p, t->subs[0]), lazy);
	case TREE_PLUS:
		return plus(p, compile(p, t->subs[0]), lazy);
	case TREE_QUEST:
		return quest(p, compile(p, t->subs[0]), lazy);
	case TREE_CAPTURE:
		return capture(p, compile(p, t->subs[0]));
	case TREE_ANY:
		return bytes(p, 0, 255);
	case TREE_CLASS:
		return class_piece(p, &t->set);
	case TREE_BEGIN_LINE:
	case TREE_END_LINE:
	case TREE_BEGIN_TEXT:
	case TREE_END_TEXT:
	case TREE_WORD:
	case TREE_NOT_WORD:
		break;
	}
	return single(p, POSITION, true);
}

/*
 * An anchor at an end of the pattern is no instruction. Whether there is one;
 * *t is then the tree without it.
 */
static bool
take_anchor(
    struct arena *arena, enum tree_op anchor, struct tree **t, unsigned depth)
{
	struct tree *copy, *sub;
	size_t at;

	if (depth >= 4)
		return false;
	if ((*t)->op == anchor) {
		*t = tree_new_of(arena, TREE_EMPTY, (*t)->flags);
		return true;
	}
	if (((*t)->op != TREE_CONCAT && (*t)->op != TREE_CAPTURE) || !(*t)->n)
		return false;
	at = anchor == TREE_END_TEXT ? (*t)->n - 1 : 0;
	sub = (*t)->subs[at];
	if (!take_anchor(arena, anchor, &sub, depth + 1))
		return false;
	copy = ARENA_NEW(arena, struct tree);
	*copy = **t;
	copy->subs = ARENA_ARRAY(arena, copy->n, struct tree *);
	memcpy(copy->subs, (*t)->subs, copy->n * sizeof(*copy->subs));
	copy->subs[at] = sub;
	*t = copy;
	return true;
}

size_t
tree_program_size(struct arena *arena, struct tree *t)
{
	struct program p = { .arena = arena };
	bool is_anchored = take_anchor(arena, TREE_BEGIN_TEXT, &t, 0);
	struct piece all;

	take_anchor(arena, TREE_END_TEXT, &t, 0);
	add(&p, FAIL);
	all = compile(&p, t);
	all = cat(
	    &p, all, (struct piece){ .begin = all.begin ? add(&p, MATCH) : 0 });
	p.start = all.begin;
	if (!is_anchored)
		all = cat(&p, star(&p, bytes(&p, 0, 255), true), all);
	p.unanchored = all.begin;
	return p.n < REGEX_SIZE_MAX ? program_flat_size(&p) : REGEX_SIZE_MAX;
}

/* A text that the pattern must begin with is compared, not run. */
static struct tree *
without_prefix(struct arena *arena, struct tree *t)
{
	size_t at = 0;

	if (t->op != TREE_CONCAT)
		return t;
	while (at < t->n && t->subs[at]->op == TREE_BEGIN_TEXT)
		at++;
	if (at == 0 || at == t->n ||
	    (t->subs[at]->op != TREE_LITERAL && t->subs[at]->op != TREE_STRING))
		return t;
	at++;
	return tree_join(arena, TREE_CONCAT, t->subs + at, t->n - at, t->flags);
}

size_t
regex_size(struct str pattern)
{
	struct arena *arena;
	struct tree *t;
	size_t size = 0;

	if (pattern.len > PATTERN_MAX)
		return 0;
	arena = arena_new(16 * 1024);
	t = tree_parse(arena, pattern);
	if (t)
		t = tree_simplify(arena, without_prefix(arena, t));
	if (t)
		size = tree_program_size(arena, t);
	arena_free(arena);
	return size;
}
