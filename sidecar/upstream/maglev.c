/*
 * Maglev (Eisenbud et al., NSDI 2016, section 3.4): the hosts take turns in
 * claiming entries of a table, each in an order of its own, more often the
 * heavier they are.
 */
#include "config.h"

#include <stdlib.h>
#include <xxhash.h>

#include "upstream/ring.h"

struct maglev {
	uint16_t *entries; /* which host */
	uint64_t size;
};

/* A host while the table is filled. */
struct claimant {
	struct str key;
	size_t host;
	uint64_t offset, skip, next;
	double weight, target;
};

static int
compare(const void *a, const void *b)
{
	const struct claimant *x = a, *y = b;
	int by_key = str_cmp(x->key, y->key);

	return by_key ? by_key : x->host < y->host ? -1 : x->host > y->host;
}

static struct claimant *
make_claimants(
    struct arena *arena, const struct ring_host *hosts, size_t n, uint64_t size)
{
	struct claimant *all = ARENA_ARRAY(arena, n, struct claimant);
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += hosts[i].weight;
	for (size_t i = 0; i < n; i++) {
		struct str key = hosts[i].key;
		all[i] = (struct claimant){ .key = key,
			.host = i,
			.offset = XXH64(key.ptr, key.len, 0) % size,
			.skip = XXH64(key.ptr, key.len, 1) % (size - 1) + 1,
			.weight = hosts[i].weight / sum };
	}
	qsort(all, n, sizeof(*all), compare);
	return all;
}

static double
heaviest_of(const struct claimant *all, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++)
		if (all[i].weight > most)
			most = all[i].weight;
	return most;
}

/* The next entry in the host's order that nobody has. */
static void
claim(struct maglev *m, bool *taken, struct claimant *c)
{
	uint64_t at = (c->offset + c->skip * c->next) % m->size;

	while (taken[at]) {
		c->next++;
		at = (c->offset + c->skip * c->next) % m->size;
	}
	taken[at] = true;
	m->entries[at] = (uint16_t)c->host;
	c->next++;
}

static void
fill(struct maglev *m, bool *taken, struct claimant *all, size_t n)
{
	double most = heaviest_of(all, n);
	uint64_t filled = 0;

	for (uint32_t turn = 1; filled < m->size; turn++)
		for (size_t i = 0; i < n && filled < m->size; i++) {
			if (turn * all[i].weight < all[i].target)
				continue;
			all[i].target += most;
			claim(m, taken, &all[i]);
			filled++;
		}
}

const struct maglev *
maglev_build(
    struct arena *arena, const struct ring_host *hosts, size_t n, uint64_t size)
{
	struct arena *scratch;
	struct maglev *m;

	if (!n)
		return NULL;
	scratch = arena_new(4096);
	m = ARENA_NEW(arena, struct maglev);
	m->size = size;
	m->entries = ARENA_ARRAY(arena, size, uint16_t);
	fill(m, ARENA_ARRAY(scratch, size, bool),
	    make_claimants(scratch, hosts, n, size), n);
	arena_free(scratch);
	return m;
}

size_t
maglev_pick(const struct maglev *m, uint64_t hash, uint32_t attempt)
{
	if (attempt)
		hash ^= ~(uint64_t)0 - attempt + 1;
	return m->entries[hash % m->size];
}
