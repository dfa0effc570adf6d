/*
 * What alternatives have in common is pulled out, in three rounds as in RE2:
 * common literals, common first pieces, and single bytes that make a class.
 */
#include "config.h"

#include "base/regex_tree.h"

/* A run of alternatives with a common beginning. */
struct splice {
	size_t from, n;
	struct tree *prefix;
	size_t left; /* alternatives behind the prefix, after factoring */
};

struct splices {
	struct splice *items;
	size_t n;
};

static struct tree *
copy_of(struct arena *arena, const struct tree *t)
{
	struct tree *copy = ARENA_NEW(arena, struct tree);

	*copy = *t;
	return copy;
}

/* The literal that a tree begins with, or NULL. */
static const struct tree *
leading_text(const struct tree *t)
{
	while (t->op == TREE_CONCAT && t->n)
		t = t->subs[0];
	return t->op == TREE_LITERAL || t->op == TREE_STRING ? t : NULL;
}

static struct tree *
without_text(struct arena *arena, const struct tree *t, size_t n)
{
	struct tree *copy = copy_of(arena, t);
	struct tree *first;

	if (t->op != TREE_CONCAT) {
		copy->bytes = str_slice(t->bytes, n, t->bytes.len);
		copy->op = copy->bytes.len > 1    ? TREE_STRING
			   : copy->bytes.len == 1 ? TREE_LITERAL
						  : TREE_EMPTY;
		return copy;
	}
	first = without_text(arena, t->subs[0], n);
	if (first->op != TREE_EMPTY) {
		copy->subs = ARENA_ARRAY(arena, t->n, struct tree *);
		memcpy(copy->subs, t->subs, t->n * sizeof(*t->subs));
		copy->subs[0] = first;
		return copy;
	}
	copy->subs = t->subs + 1;
	copy->n = t->n - 1;
	return copy->n == 1 ? copy->subs[0] : copy;
}

static size_t
common(struct str a, struct str b)
{
	size_t n = 0;

	while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n])
		n++;
	return n;
}

static void
splice_texts(struct arena *arena, struct tree **subs, size_t from, size_t to,
    struct str text, unsigned flags, struct splices *out)
{
	struct tree *prefix;

	if (to - from < 2)
		return;
	prefix = tree_new_of(
	    arena, text.len == 1 ? TREE_LITERAL : TREE_STRING, flags);
	prefix->bytes = text;
	for (size_t i = from; i < to; i++)
		subs[i] = without_text(arena, subs[i], text.len);
	out->items[out->n++] =
	    (struct splice){ from, to - from, prefix, to - from };
}

static void
find_texts(
    struct arena *arena, struct tree **subs, size_t n, struct splices *out)
{
	struct str text = STR_NONE;
	unsigned flags = 0;
	size_t from = 0;

	for (size_t i = 0; i <= n; i++) {
		const struct tree *t = i < n ? leading_text(subs[i]) : NULL;
		unsigned own = t ? t->flags & TREE_FOLD : 0;
		size_t same = t && own == flags ? common(text, t->bytes) : 0;

		if (same) {
			text.len = same;
			continue;
		}
		splice_texts(arena, subs, from, i, text, flags, out);
		from = i;
		text = t ? t->bytes : STR_NONE;
		flags = own;
	}
}

static const struct tree *
leading_piece(const struct tree *t)
{
	if (t->op == TREE_EMPTY)
		return NULL;
	if (t->op != TREE_CONCAT || t->n < 2)
		return t;
	return t->subs[0]->op == TREE_EMPTY ? NULL : t->subs[0];
}

static struct tree *
without_piece(struct arena *arena, struct tree *t)
{
	if (t->op == TREE_EMPTY)
		return t;
	if (t->op != TREE_CONCAT || t->n < 2)
		return tree_new_of(arena, TREE_EMPTY, t->flags);
	if (t->subs[0]->op == TREE_EMPTY)
		return t;
	return tree_join(arena, TREE_CONCAT, t->subs + 1, t->n - 1, t->flags);
}

static bool
is_single(const struct tree *t)
{
	return t->op == TREE_LITERAL || t->op == TREE_CLASS ||
	       t->op == TREE_ANY;
}

/* Pieces that may be shared without changing which alternative wins. */
static bool
is_simple(const struct tree *t)
{
	if (t->op == TREE_REPEAT)
		return t->min == t->max && is_single(t->subs[0]);
	return t->op == TREE_CLASS || t->op == TREE_ANY ||
	       (t->op >= TREE_BEGIN_LINE && t->op <= TREE_NOT_WORD);
}

static void
find_pieces(
    struct arena *arena, struct tree **subs, size_t n, struct splices *out)
{
	const struct tree *first = NULL;
	size_t from = 0;

	for (size_t i = 0; i <= n; i++) {
		const struct tree *t = i < n ? leading_piece(subs[i]) : NULL;

		if (first && t && is_simple(first) && tree_equal(first, t))
			continue;
		if (i - from > 1) {
			for (size_t j = from; j < i; j++)
				subs[j] = without_piece(arena, subs[j]);
			out->items[out->n++] = (struct splice){ from, i - from,
				copy_of(arena, first), i - from };
		}
		from = i;
		first = t;
	}
}

static void
add_single(struct set *set, const struct tree *t)
{
	unsigned byte;

	if (t->op == TREE_CLASS) {
		for (size_t i = 0; i < 4; i++)
			set->bits[i] |= t->set.bits[i];
		return;
	}
	byte = (unsigned char)t->bytes.ptr[0];
	set_add(set, byte, byte);
	if ((t->flags & TREE_FOLD) && byte < 128 && ascii_is_alpha((char)byte))
		set_add(set, byte ^ 0x20, byte ^ 0x20);
}

static void
find_singles(struct arena *arena, struct tree **subs, size_t n, unsigned flags,
    struct splices *out)
{
	size_t from = 0;

	for (size_t i = 0; i <= n; i++) {
		bool is_part = i < n && (subs[i]->op == TREE_LITERAL ||
					    subs[i]->op == TREE_CLASS);
		bool begins = from < i && (subs[from]->op == TREE_LITERAL ||
					      subs[from]->op == TREE_CLASS);
		struct tree *t;

		if (is_part && begins)
			continue;
		if (i - from > 1) {
			t = tree_new_of(
			    arena, TREE_CLASS, flags & ~(unsigned)TREE_FOLD);
			t->min = 1; /* it stays a class, however small */
			for (size_t j = from; j < i; j++)
				add_single(&t->set, subs[j]);
			out->items[out->n++] =
			    (struct splice){ from, i - from, t, 0 };
		}
		from = i;
	}
}

/* Puts each prefix in the place of its run. */
static size_t
apply(struct arena *arena, struct tree **subs, size_t n, unsigned flags,
    const struct splices *splices)
{
	size_t out = 0, at = 0;

	for (size_t i = 0; i < splices->n; i++) {
		const struct splice *s = &splices->items[i];
		struct tree *parts[2] = { s->prefix, NULL };

		while (at < s->from)
			subs[out++] = subs[at++];
		if (s->left)
			parts[1] = tree_join(arena, TREE_ALTERNATE,
			    subs + s->from, s->left, flags);
		subs[out++] =
		    parts[1] ? tree_join(arena, TREE_CONCAT, parts, 2, flags)
			     : s->prefix;
		at += s->n;
	}
	while (at < n)
		subs[out++] = subs[at++];
	return out;
}

size_t
tree_factor(struct arena *arena, struct tree **subs, size_t n, unsigned flags)
{
	struct splices splices;

	for (int round = 1; round <= 3; round++) {
		splices.items = ARENA_ARRAY(arena, n / 2 + 1, struct splice);
		splices.n = 0;
		if (round == 1)
			find_texts(arena, subs, n, &splices);
		else if (round == 2)
			find_pieces(arena, subs, n, &splices);
		else
			find_singles(arena, subs, n, flags, &splices);
		for (size_t i = 0; round < 3 && i < splices.n; i++) {
			struct splice *s = &splices.items[i];

			s->left =
			    tree_factor(arena, subs + s->from, s->n, flags);
		}
		n = apply(arena, subs, n, flags, &splices);
	}
	return n;
}
