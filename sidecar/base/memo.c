/* Slots chosen by the key's hash, each guarded by a flag that is only tried. */
#include "config.h"

#include <stdatomic.h>
#include <xxhash.h>

#include "base/memo.h"

struct memo_item {
	struct arena *arena; /* holds the item, its key and its value */
	atomic_uint holds;
	const void *owner;
	uint64_t hash;
	struct str key;
	const void *value;
};

struct slot {
	atomic_flag busy;
	struct memo_item *item;
};

struct memo {
	struct slot *slots;
	size_t n;
	size_t key_max;
};

static void
drop_all(void *ptr)
{
	struct memo *memo = ptr;

	for (size_t i = 0; i < memo->n; i++)
		if (memo->slots[i].item)
			memo_drop(memo->slots[i].item);
}

struct memo *
memo_new(struct arena *arena, size_t slots, size_t key_max)
{
	struct memo *memo = ARENA_NEW(arena, struct memo);

	memo->n = slots ? slots : 1;
	memo->slots = ARENA_ARRAY(arena, memo->n, struct slot);
	memo->key_max = key_max;
	for (size_t i = 0; i < memo->n; i++)
		atomic_flag_clear(&memo->slots[i].busy);
	arena_cleanup(arena, drop_all, memo);
	return memo;
}

static uint64_t
hash_of(const void *owner, struct str key)
{
	return XXH3_64bits_withSeed(key.ptr, key.len, (uintptr_t)owner);
}

struct memo_item *
memo_item_new(
    struct arena *own, const void *owner, struct str key, const void *value)
{
	struct memo_item *item = ARENA_NEW(own, struct memo_item);

	item->arena = own;
	item->owner = owner;
	item->key = arena_str(own, key);
	item->hash = hash_of(owner, item->key);
	item->value = value;
	atomic_init(&item->holds, 1);
	return item;
}

const void *
memo_value(const struct memo_item *item)
{
	return item->value;
}

void
memo_drop(struct memo_item *item)
{
	if (atomic_fetch_sub_explicit(&item->holds, 1, memory_order_acq_rel) ==
	    1)
		arena_free(item->arena);
}

static bool
take(struct slot *slot)
{
	return !atomic_flag_test_and_set_explicit(
	    &slot->busy, memory_order_acquire);
}

static void
leave(struct slot *slot)
{
	atomic_flag_clear_explicit(&slot->busy, memory_order_release);
}

void
memo_keep(struct memo *memo, struct memo_item *item)
{
	struct slot *slot = &memo->slots[item->hash % memo->n];
	struct memo_item *old;

	if (item->key.len > memo->key_max || !take(slot))
		return;
	old = slot->item;
	atomic_fetch_add_explicit(&item->holds, 1, memory_order_relaxed);
	slot->item = item;
	leave(slot);
	if (old)
		memo_drop(old);
}

struct memo_item *
memo_find(struct memo *memo, const void *owner, struct str key)
{
	uint64_t hash = hash_of(owner, key);
	struct slot *slot = &memo->slots[hash % memo->n];
	struct memo_item *item;

	if (key.len > memo->key_max || !take(slot))
		return NULL;
	item = slot->item;
	if (item && item->hash == hash && item->owner == owner &&
	    str_eq(item->key, key))
		atomic_fetch_add_explicit(
		    &item->holds, 1, memory_order_relaxed);
	else
		item = NULL;
	leave(slot);
	return item;
}
