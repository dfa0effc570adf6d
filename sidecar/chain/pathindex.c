/*
 * Entries with the same key are chained in their order, and a table leads
 * from the key to the first. A path hits one chain for each of its beginnings
 * that is a key; the walk merges these chains with a heap.
 */
#include "config.h"

#include "chain/pathindex.h"

enum { KINDS = 4, NOCASE = 1, WHOLE = 2 };

struct pathindex {
	struct table *tables[KINDS]; /* NULL: no such entries */
	uint32_t *next; /* in the chain of the same key, or TABLE_NONE */
};

static int
kind_of(const struct path_key *key)
{
	return (key->whole ? WHOLE : 0) | (key->nocase ? NOCASE : 0);
}

const struct pathindex *
pathindex_build(struct arena *arena, const struct path_key *keys, size_t n)
{
	struct pathindex *index = ARENA_NEW(arena, struct pathindex);
	size_t count[KINDS] = { 0 };
	uint32_t *first;

	for (size_t i = 0; i < n; i++)
		count[kind_of(&keys[i])]++;
	for (int kind = 0; kind < KINDS; kind++)
		if (count[kind])
			index->tables[kind] = table_new(arena, count[kind]);
	index->next = ARENA_ARRAY(arena, n + 1, uint32_t);
	/* From the end, so that a new entry goes before its chain. */
	for (size_t i = n; i-- > 0;) {
		first =
		    table_put(index->tables[kind_of(&keys[i])], keys[i].text);
		index->next[i] = *first;
		*first = (uint32_t)i;
	}
	return index;
}

static void
push(struct pathindex_walk *w, uint32_t entry)
{
	uint32_t *bigger;
	size_t at = w->n, parent;

	if (w->n == w->cap) {
		w->cap *= 2;
		bigger = ARENA_ARRAY(w->arena, w->cap, uint32_t);
		memcpy(bigger, w->heap, w->n * sizeof(*bigger));
		w->heap = bigger;
	}
	w->n++;
	for (; at > 0 && w->heap[parent = (at - 1) / 2] > entry; at = parent)
		w->heap[at] = w->heap[parent];
	w->heap[at] = entry;
}

/* Puts entry in the place of the lowest. */
static void
replace_top(struct pathindex_walk *w, uint32_t entry)
{
	size_t at = 0, child;

	while ((child = 2 * at + 1) < w->n) {
		if (child + 1 < w->n && w->heap[child + 1] < w->heap[child])
			child++;
		if (w->heap[child] >= entry)
			break;
		w->heap[at] = w->heap[child];
		at = child;
	}
	w->heap[at] = entry;
}

static void
hit(struct pathindex_walk *w, const struct table *begins,
    const struct table *whole, struct str path)
{
	struct table_walk walk = table_walk(begins, path);
	uint32_t first;

	while ((first = table_next(&walk)) != TABLE_NONE)
		push(w, first);
	first = table_get(whole, path);
	if (first != TABLE_NONE)
		push(w, first);
}

void
pathindex_walk(struct pathindex_walk *w, const struct pathindex *index,
    struct arena *arena, struct str path)
{
	*w = (struct pathindex_walk){ .index = index, .arena = arena };
	w->heap = w->few;
	w->cap = sizeof(w->few) / sizeof(w->few[0]);
	hit(w, index->tables[0], index->tables[WHOLE], path);
	if (index->tables[NOCASE] || index->tables[WHOLE | NOCASE])
		hit(w, index->tables[NOCASE], index->tables[WHOLE | NOCASE],
		    arena_lower(arena, path));
}

uint32_t
pathindex_next(struct pathindex_walk *w)
{
	uint32_t entry, next;

	if (!w->n)
		return TABLE_NONE;
	entry = w->heap[0];
	next = w->index->next[entry];
	if (next == TABLE_NONE)
		next = w->heap[--w->n];
	if (w->n)
		replace_top(w, next);
	return entry;
}
