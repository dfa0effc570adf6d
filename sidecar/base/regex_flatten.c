/*
 * RE2 lays the program out as lists: from each root, all that is reached
 * without taking a byte. What two lists would share becomes a root of its own, reached
 * by an instruction that does nothing.
 */
#include "config.h"

#include <stdlib.h>

#include "base/regex_flatten.h"

/* Numbers in the order in which they were put in. */
struct set_of {
	unsigned *items;
	unsigned *place; /* place of an item plus 1; 0: not in it */
	size_t n;
};

struct flat {
	const struct program *p;
	struct set_of roots, reached;
	unsigned *stack;
	size_t depth;
	/* ALTs that lead to an instruction. */
	unsigned *first_pred; /* place in preds plus 1 */
	struct pred {
		unsigned from, next;
	} * preds;
	size_t n_preds;
};

static struct set_of
set_new(const struct program *p)
{
	return (struct set_of){
		.items = ARENA_ARRAY(p->arena, p->n, unsigned),
		.place = ARENA_ARRAY(p->arena, p->n, unsigned),
	};
}

static bool
is_in(const struct set_of *s, unsigned item)
{
	return s->place[item] != 0;
}

static bool
put(struct set_of *s, unsigned item)
{
	if (is_in(s, item))
		return false;
	s->items[s->n++] = item;
	s->place[item] = (unsigned)s->n;
	return true;
}

static void
clear(struct set_of *s)
{
	while (s->n)
		s->place[s->items[--s->n]] = 0;
}

/* ---- what does nothing ---- */

static unsigned
behind_nops(const struct program *p, unsigned at)
{
	while (at && p->insts[at].op == NOP)
		at = p->insts[at].out;
	return at;
}

static bool
has_out(const struct inst *i)
{
	return i->op != FAIL && i->op != MATCH;
}

static void
skip_nops(struct program *p)
{
	struct set_of queue = set_new(p);

	if (p->start)
		put(&queue, p->start);
	for (size_t i = 0; i < queue.n; i++) {
		struct inst *inst = &p->insts[queue.items[i]];

		if (!has_out(inst))
			continue;
		inst->out = behind_nops(p, inst->out);
		if (inst->out)
			put(&queue, inst->out);
		if (inst->op != ALT)
			continue;
		inst->out1 = behind_nops(p, inst->out1);
		if (inst->out1)
			put(&queue, inst->out1);
	}
}

static bool
is_match(const struct program *p, unsigned at)
{
	while (p->insts[at].op == CAPTURE || p->insts[at].op == NOP)
		at = p->insts[at].out;
	return p->insts[at].op == MATCH;
}

static bool
takes_any(const struct program *p, unsigned at, unsigned then)
{
	const struct inst *i = &p->insts[at];

	return i->op == BYTES && i->out == then && i->from == 0 && i->to == 255;
}

/* ".*" before the end has an instruction of its own. */
static void
mark_alt_matches(struct program *p)
{
	struct set_of queue = set_new(p);

	if (p->start)
		put(&queue, p->start);
	for (size_t i = 0; i < queue.n; i++) {
		unsigned id = queue.items[i];
		struct inst *inst = &p->insts[id];

		if (has_out(inst) && inst->out)
			put(&queue, inst->out);
		if (inst->op != ALT)
			continue;
		if (inst->out1)
			put(&queue, inst->out1);
		if ((takes_any(p, inst->out, id) && is_match(p, inst->out1)) ||
		    (is_match(p, inst->out) && takes_any(p, inst->out1, id)))
			inst->op = ALT_MATCH;
	}
}

/* ---- lists ---- */

static void
add_pred(struct flat *f, unsigned to, unsigned from)
{
	f->preds[f->n_preds] = (struct pred){ from, f->first_pred[to] };
	f->first_pred[to] = (unsigned)++f->n_preds;
}

static bool
is_fork(const struct inst *i)
{
	return i->op == ALT || i->op == ALT_MATCH;
}

static bool
is_step(const struct inst *i)
{
	return i->op == BYTES || i->op == CAPTURE || i->op == POSITION;
}

/* What follows a step is a root. */
static void
find_roots(struct flat *f)
{
	f->depth = 0;
	put(&f->roots, 0);
	put(&f->roots, f->p->unanchored);
	put(&f->roots, f->p->start);
	f->stack[f->depth++] = f->p->unanchored;
	while (f->depth) {
		unsigned id = f->stack[--f->depth];

		while (put(&f->reached, id)) {
			const struct inst *i = &f->p->insts[id];

			if (!has_out(i))
				break;
			if (is_fork(i)) {
				add_pred(f, i->out, id);
				add_pred(f, i->out1, id);
				f->stack[f->depth++] = i->out1;
			} else if (is_step(i)) {
				put(&f->roots, i->out);
			}
			id = i->out;
		}
	}
}

static void
reach(struct flat *f, unsigned root)
{
	clear(&f->reached);
	f->depth = 0;
	f->stack[f->depth++] = root;
	while (f->depth) {
		unsigned id = f->stack[--f->depth];

		while (put(&f->reached, id)) {
			const struct inst *i = &f->p->insts[id];

			if ((id != root && is_in(&f->roots, id)) ||
			    !has_out(i) || is_step(i))
				break;
			if (is_fork(i))
				f->stack[f->depth++] = i->out1;
			id = i->out;
		}
	}
}

/* What can also be reached from elsewhere is a root of its own. */
static void
split_at_shared(struct flat *f, unsigned root)
{
	reach(f, root);
	for (size_t i = 0; i < f->reached.n; i++) {
		unsigned id = f->reached.items[i];

		for (unsigned at = f->first_pred[id]; at;
		     at = f->preds[at - 1].next)
			if (!is_in(&f->reached, f->preds[at - 1].from))
				put(&f->roots, id);
	}
}

static int
by_number(const void *left, const void *right)
{
	const unsigned *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static void
split_all(struct flat *f)
{
	size_t n = f->roots.n;
	unsigned *sorted = ARENA_ARRAY(f->p->arena, n, unsigned);

	memcpy(sorted, f->roots.items, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_number);
	while (--n > 0)
		if (sorted[n] != f->p->unanchored && sorted[n] != f->p->start)
			split_at_shared(f, sorted[n]);
}

static size_t
list_size(struct flat *f, unsigned root)
{
	size_t size = 0;

	reach(f, root);
	for (size_t i = 0; i < f->reached.n; i++) {
		unsigned id = f->reached.items[i];
		const struct inst *inst = &f->p->insts[id];

		if (id != root && is_in(&f->roots, id))
			size++;
		else if (inst->op != ALT && inst->op != NOP)
			size++;
	}
	return size;
}

size_t
program_flat_size(struct program *p)
{
	struct flat f = {
		.p = p,
		.roots = set_new(p),
		.reached = set_new(p),
		.stack = ARENA_ARRAY(p->arena, 2 * p->n, unsigned),
		.first_pred = ARENA_ARRAY(p->arena, p->n, unsigned),
		.preds = ARENA_ARRAY(p->arena, 2 * p->n, struct pred),
	};
	size_t size = 0;

	if (!p->start && !p->unanchored)
		return 1;
	skip_nops(p);
	mark_alt_matches(p);
	find_roots(&f);
	split_all(&f);
	for (size_t i = 0; i < f.roots.n; i++)
		size += list_size(&f, f.roots.items[i]);
	return size;
}
