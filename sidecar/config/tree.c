/* Nodes in chunks, so that they can all be found again. */
#include "config.h"

#include <xxhash.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "config/tree.h"

enum {
	CHUNK = 256, /* nodes */
	REST_MEMORY = 256 * 1024,
	SLOTS = 1024, /* texts of late */
	SHARED_MAX = 64, /* bytes of a text that is worth sharing */
};

struct chunk {
	struct chunk *next;
	size_t n;
	struct node nodes[CHUNK];
};

struct tree {
	struct arena *arena, *rest;
	struct chunk *chunks;
	struct str *recent;
	struct source *source;
};

static void
free_rest(void *ptr)
{
	struct tree *t = ptr;

	arena_free(t->rest);
	t->rest = NULL;
}

struct tree *
tree_new(struct arena *arena)
{
	struct tree *t = ARENA_NEW(arena, struct tree);

	t->arena = arena;
	t->rest = arena_new(REST_MEMORY);
	t->recent = ARENA_ARRAY(t->rest, SLOTS, struct str);
	arena_cleanup(arena, free_rest, t);
	return t;
}

struct arena *
tree_arena(const struct tree *t)
{
	return t->arena;
}

struct arena *
tree_rest(const struct tree *t)
{
	return t->rest;
}

struct node *
tree_node(struct tree *t)
{
	if (!t->chunks || t->chunks->n == CHUNK) {
		struct chunk *fresh = ARENA_NEW(t->arena, struct chunk);

		fresh->next = t->chunks;
		t->chunks = fresh;
	}
	return &t->chunks->nodes[t->chunks->n++];
}

struct str
tree_text(struct tree *t, struct str text)
{
	struct str *slot;

	if (text.len > SHARED_MAX)
		return arena_str(t->rest, text);
	slot = &t->recent[XXH3_64bits(text.ptr, text.len) % SLOTS];
	if (!slot->ptr || !str_eq(*slot, text))
		*slot = arena_str(t->rest, text);
	return *slot;
}

void
tree_keep_source(struct tree *t, struct source *source)
{
	t->source = source;
}

void
tree_forget(struct tree *t)
{
	for (struct chunk *c = t->chunks; c; c = c->next)
		for (size_t i = 0; i < c->n; i++) {
			c->nodes[i].scalar = STR_NONE;
			c->nodes[i].items = NULL;
			c->nodes[i].n = 0;
		}
	if (t->source)
		t->source->text = STR("");
	free_rest(t);
#ifdef __GLIBC__
	/* Freed memory lies between what is kept. */
	(void)malloc_trim(0);
#endif
}
