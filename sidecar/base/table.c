/* A list of entries in order, and an open-addressed index of it. */
#include "config.h"

#include <assert.h>
#include <xxhash.h>

#include "base/table.h"

struct entry {
	struct str key;
	const void *value;
	uint32_t hash;
};

struct table {
	struct arena *arena;
	struct entry *entries;
	size_t n, cap;
	uint32_t *slots; /* index in entries plus 1; 0: free */
	size_t n_slots; /* a power of two, at least twice n */
};

static uint32_t
hash_of(struct str key)
{
	return (uint32_t)XXH3_64bits(key.ptr, key.len);
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t
find_slot(const struct table *t, struct str key, uint32_t hash)
{
	size_t at = hash & (t->n_slots - 1);

	for (; t->slots[at]; at = (at + 1) & (t->n_slots - 1)) {
		const struct entry *e = &t->entries[t->slots[at] - 1];

		if (e->hash == hash && str_eq(e->key, key))
			break;
	}
	return at;
}

static void
grow(struct table *t)
{
	size_t cap = t->cap ? 2 * t->cap : 8;
	struct entry *entries = ARENA_ARRAY(t->arena, cap, struct entry);

	assert(cap < UINT32_MAX / 2);
	if (t->n)
		memcpy(entries, t->entries, t->n * sizeof(*entries));
	t->entries = entries;
	t->cap = cap;
	t->n_slots = 2 * cap;
	t->slots = ARENA_ARRAY(t->arena, t->n_slots, uint32_t);
	for (size_t i = 0; i < t->n; i++) {
		size_t at = find_slot(t, entries[i].key, entries[i].hash);

		t->slots[at] = (uint32_t)i + 1;
	}
}

struct table *
table_new(struct arena *arena)
{
	struct table *t = ARENA_NEW(arena, struct table);

	t->arena = arena;
	grow(t);
	return t;
}

bool
table_add(struct table *t, struct str key, const void *value)
{
	uint32_t hash = hash_of(key);
	size_t at = find_slot(t, key, hash);

	if (t->slots[at])
		return false;
	if (t->n == t->cap) {
		grow(t);
		at = find_slot(t, key, hash);
	}
	t->entries[t->n++] = (struct entry){ key, value, hash };
	t->slots[at] = (uint32_t)t->n;
	return true;
}

const void *
table_get(const struct table *t, struct str key)
{
	size_t at = find_slot(t, key, hash_of(key));

	return t->slots[at] ? t->entries[t->slots[at] - 1].value : NULL;
}

void
table_each(const struct table *t,
    void (*each)(void *arg, struct str key, const void *value), void *arg)
{
	for (size_t i = 0; i < t->n; i++)
		each(arg, t->entries[i].key, t->entries[i].value);
}
