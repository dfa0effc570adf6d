/*
 * Before instructions are made of a tree: repetitions side by side become
 * one, and counted ones are written out.
 */
#include "config.h"

#include "base/regex_tree.h"

static bool
is_single(const struct tree *t)
{
	return t->op == TREE_LITERAL || t->op == TREE_CLASS ||
	       t->op == TREE_ANY;
}

static bool
is_repetition(const struct tree *t)
{
	return t->op == TREE_STAR || t->op == TREE_PLUS ||
	       t->op == TREE_QUEST || t->op == TREE_REPEAT;
}

static bool
same_flag(const struct tree *a, const struct tree *b, unsigned flag)
{
	return ((a->flags ^ b->flags) & flag) == 0;
}

/* Whether b only repeats on what a repeats. */
static bool
can_coalesce(const struct tree *a, const struct tree *b)
{
	const struct tree *of;

	if (!is_repetition(a) || !is_single(a->subs[0]))
		return false;
	of = a->subs[0];
	if (is_repetition(b) && tree_equal(of, b->subs[0]) &&
	    same_flag(a, b, TREE_LAZY))
		return true;
	if (tree_equal(of, b))
		return true;
	return of->op == TREE_LITERAL && b->op == TREE_STRING &&
	       b->bytes.ptr[0] == of->bytes.ptr[0] &&
	       same_flag(of, b, TREE_FOLD);
}

static void
bounds(const struct tree *t, int *min, int *max)
{
	*min = t->op == TREE_PLUS ? 1 : 0;
	*max = t->op == TREE_QUEST ? 1 : -1;
	if (t->op == TREE_REPEAT) {
		*min = t->min;
		*max = t->max;
	}
}

static void
add_bounds(struct tree *t, int min, int max)
{
	t->min += min;
	t->max = t->max == -1 || max == -1 ? -1 : t->max + max;
}

static void
coalesce_string(
    struct arena *arena, struct tree *sum, struct tree **a, struct tree **b)
{
	const struct tree *text = *b;
	struct tree *rest;
	size_t n = 1;

	while (n < text->bytes.len && text->bytes.ptr[n] == text->bytes.ptr[0])
		n++;
	add_bounds(sum, (int)n, (int)n);
	if (n == text->bytes.len) {
		*a = tree_new_of(arena, TREE_EMPTY, 0);
		*b = sum;
		return;
	}
	rest = tree_new_of(arena, TREE_STRING, text->flags);
	rest->bytes = str_slice(text->bytes, n, text->bytes.len);
	*a = sum;
	*b = rest;
}

/* Leaves the sum in *b and nothing in *a, or the sum and what is left. */
static void
coalesce(struct arena *arena, struct tree **a, struct tree **b)
{
	struct tree *sum = tree_new_of(arena, TREE_REPEAT, (*a)->flags);
	int min, max;

	sum->subs = (*a)->subs;
	sum->n = 1;
	bounds(*a, &sum->min, &sum->max);
	if ((*b)->op == TREE_STRING) {
		coalesce_string(arena, sum, a, b);
		return;
	}
	min = max = 1;
	if (is_repetition(*b))
		bounds(*b, &min, &max);
	add_bounds(sum, min, max);
	*a = tree_new_of(arena, TREE_EMPTY, 0);
	*b = sum;
}

static struct tree *
copy_with(struct arena *arena, const struct tree *t, struct tree **subs)
{
	struct tree *copy = ARENA_NEW(arena, struct tree);

	*copy = *t;
	copy->subs = subs;
	return copy;
}

static struct tree *
coalesce_all(struct arena *arena, struct tree *t)
{
	struct tree **subs = ARENA_ARRAY(arena, t->n + 1, struct tree *);
	bool changed = false, found = false;
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		subs[i] = coalesce_all(arena, t->subs[i]);
		changed = changed || subs[i] != t->subs[i];
	}
	for (size_t i = 0; t->op == TREE_CONCAT && i + 1 < t->n; i++)
		if (can_coalesce(subs[i], subs[i + 1])) {
			coalesce(arena, &subs[i], &subs[i + 1]);
			found = true;
		}
	if (!found)
		return changed ? copy_with(arena, t, subs) : t;
	for (size_t i = 0; i < t->n; i++)
		if (subs[i]->op != TREE_EMPTY)
			subs[kept++] = subs[i];
	t = copy_with(arena, t, subs);
	t->n = kept;
	return t;
}

static bool
is_position(const struct tree *t)
{
	return t->op >= TREE_BEGIN_LINE && t->op <= TREE_NOT_WORD;
}

/* Whether it takes no bytes, however often it is repeated. */
static bool
is_positions(const struct tree *t)
{
	if (is_position(t))
		return true;
	if (t->op != TREE_CONCAT && t->op != TREE_ALTERNATE)
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (!is_position(t->subs[i]))
			return false;
	return true;
}

/* n copies, the last of them perhaps another tree. */
static struct tree *
copies(struct arena *arena, struct tree *t, struct tree *last, int n,
    unsigned flags)
{
	struct tree **subs = ARENA_ARRAY(arena, (size_t)n, struct tree *);

	for (int i = 0; i < n; i++)
		subs[i] = i == n - 1 ? last : t;
	return tree_join(arena, TREE_CONCAT, subs, (size_t)n, flags);
}

/* x{2,5} is xx(x(x(x)?)?)?, and x{2,} is xx+. */
static struct tree *
write_out(struct arena *arena, struct tree *t, int min, int max, unsigned flags)
{
	struct tree *parts[2] = { NULL, NULL }, *tail;

	if (is_positions(t)) {
		min = min > 1 ? 1 : min;
		max = max > 1 ? 1 : max;
	}
	if (max == -1 && min == 0)
		return tree_quantify(arena, TREE_STAR, t, flags);
	if (max == -1)
		return copies(arena, t,
		    tree_quantify(arena, TREE_PLUS, t, flags), min, flags);
	if (max == 0)
		return tree_new_of(arena, TREE_EMPTY, flags);
	if (min == 1 && max == 1)
		return t;
	if (min > 0)
		parts[0] = copies(arena, t, t, min, flags);
	if (max <= min)
		return parts[0];
	tail = tree_quantify(arena, TREE_QUEST, t, flags);
	for (int i = min + 1; i < max; i++) {
		struct tree *pair[2] = { t, tail };

		tail = tree_quantify(arena, TREE_QUEST,
		    tree_join(arena, TREE_CONCAT, pair, 2, flags), flags);
	}
	parts[1] = tail;
	return parts[0] ? tree_join(arena, TREE_CONCAT, parts, 2, flags) : tail;
}

static struct tree *
simplify(struct arena *arena, struct tree *t)
{
	struct tree **subs = ARENA_ARRAY(arena, t->n + 1, struct tree *);
	bool changed = false;

	for (size_t i = 0; i < t->n; i++) {
		subs[i] = simplify(arena, t->subs[i]);
		changed = changed || subs[i] != t->subs[i];
	}
	if (is_repetition(t) && subs[0]->op == TREE_EMPTY)
		return subs[0];
	if (t->op == TREE_REPEAT)
		return write_out(arena, subs[0], t->min, t->max, t->flags);
	if (!changed)
		return t;
	if (is_repetition(t) && t->op == subs[0]->op &&
	    t->flags == subs[0]->flags)
		return subs[0];
	return copy_with(arena, t, subs);
}

struct tree *
tree_simplify(struct arena *arena, struct tree *t)
{
	return simplify(arena, coalesce_all(arena, t));
}
