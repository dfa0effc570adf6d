/*
 * Open addressing over a hash that is carried on byte by byte (FNV-1a), so a
 * walk computes the hash of every beginning once. Who chooses the keys is
 * the operator; a client can make look-ups compare, not keys collide.
 */
#include "config.h"

#include <assert.h>

#include "base/table.h"

enum { LENS = 256 }; /* lengths that are remembered one by one */

struct entry {
	uint64_t hash;
	struct str key;
	uint32_t value;
	bool used;
};

struct table {
	struct entry *entries;
	size_t mask;
	size_t room;
	size_t max_len;
	uint64_t lens[LENS / 64]; /* a bit for each length that keys have */
};

static const uint64_t hash_start = 0xcbf29ce484222325;

static uint64_t
hash_on(uint64_t hash, char c)
{
	return (hash ^ (unsigned char)c) * 0x100000001b3;
}

static uint64_t
hash_of(struct str s)
{
	uint64_t hash = hash_start;

	for (size_t i = 0; i < s.len; i++)
		hash = hash_on(hash, s.ptr[i]);
	return hash;
}

struct table *
table_new(struct arena *arena, size_t n)
{
	struct table *t = ARENA_NEW(arena, struct table);
	size_t size = 4;

	while (size < 2 * n)
		size *= 2;
	t->entries = ARENA_ARRAY(arena, size, struct entry);
	t->mask = size - 1;
	t->room = n;
	return t;
}

/* The entry of the key, or the free one where it belongs. */
static struct entry *
locate(const struct table *t, struct str key, uint64_t hash)
{
	size_t at = (size_t)(hash ^ hash >> 32) & t->mask;

	while (t->entries[at].used && (t->entries[at].hash != hash ||
					  !str_eq(t->entries[at].key, key)))
		at = (at + 1) & t->mask;
	return &t->entries[at];
}

uint32_t *
table_put(struct table *t, struct str key)
{
	uint64_t hash = hash_of(key);
	struct entry *e = locate(t, key, hash);

	if (e->used)
		return &e->value;
	assert(t->room > 0);
	t->room--;
	*e = (struct entry){ hash, key, TABLE_NONE, true };
	if (key.len > t->max_len)
		t->max_len = key.len;
	if (key.len < LENS)
		t->lens[key.len / 64] |= (uint64_t)1 << key.len % 64;
	return &e->value;
}

static uint32_t
look_up(const struct table *t, struct str key, uint64_t hash)
{
	const struct entry *e = locate(t, key, hash);

	return e->used ? e->value : TABLE_NONE;
}

uint32_t
table_get(const struct table *t, struct str key)
{
	return t ? look_up(t, key, hash_of(key)) : TABLE_NONE;
}

struct table_walk
table_walk(const struct table *t, struct str text)
{
	return (
	    struct table_walk){ .table = t, .text = text, .hash = hash_start };
}

static bool
has_len(const struct table *t, size_t len)
{
	return len >= LENS || t->lens[len / 64] >> len % 64 & 1;
}

uint32_t
table_next(struct table_walk *w)
{
	const struct table *t = w->table;
	uint32_t found = TABLE_NONE;
	size_t end = w->text.len;

	if (!t)
		return TABLE_NONE;
	if (end > t->max_len)
		end = t->max_len;
	while (found == TABLE_NONE && w->next <= end) {
		w->len = w->next;
		if (has_len(t, w->len))
			found = look_up(
			    t, (struct str){ w->text.ptr, w->len }, w->hash);
		if (w->next < end)
			w->hash = hash_on(w->hash, w->text.ptr[w->next]);
		w->next++;
	}
	return found;
}
