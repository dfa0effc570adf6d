/* Named entries: open addressing with linear probing, claimed by one CAS. */
#include "config.h"

#include <xxhash.h>

#include "state/tag.h"

static void
write_name(struct tag *tag, struct str name)
{
	if (!name.len || atomic_load(&tag->first))
		return;
	/* Two writers write the same bytes. */
	memcpy(tag->rest, name.ptr + 1, name.len - 1);
	tag->rest[name.len - 1] = '\0';
	atomic_store(&tag->first, name.ptr[0]);
}

static uint64_t
hash_of(uint64_t seed, struct str name)
{
	uint64_t hash = XXH3_64bits_withSeed(name.ptr, name.len, seed);

	return hash ? hash : 1;
}

int
tag_find(struct tag *table, size_t n, uint64_t seed, struct str name)
{
	uint64_t hash = hash_of(seed, name);

	if (name.len > TAG_NAME_MAX)
		return -1;
	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)((hash + i) % n);
		uint64_t seen = atomic_load(&table[at].hash);

		if (!seen && atomic_compare_exchange_strong(
				 &table[at].hash, &seen, hash))
			seen = hash;
		if (seen != hash)
			continue;
		write_name(&table[at], name);
		return (int)at;
	}
	return -1;
}

int
tag_lookup(const struct tag *table, size_t n, uint64_t seed, struct str name)
{
	uint64_t hash = hash_of(seed, name);

	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)((hash + i) % n);
		uint64_t seen = atomic_load(&table[at].hash);

		if (seen == hash)
			return (int)at;
		if (!seen)
			return -1;
	}
	return -1;
}

struct str
tag_name(const struct tag *tag, char *at)
{
	at[0] = atomic_load(&tag->first);
	if (!at[0])
		return STR_NONE;
	memcpy(at + 1, tag->rest, TAG_NAME_MAX);
	return (struct str){ at, strnlen(at, TAG_NAME_MAX) };
}
