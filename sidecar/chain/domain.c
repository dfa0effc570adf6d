/*
 * Each kind of domain has its table. Suffixes stand in theirs backwards: the
 * longest suffix of a host is the longest beginning of the reversed host.
 */
#include "config.h"

#include "chain/domain.h"

struct domains {
	struct arena *arena;
	struct table *whole, *suffixes, *prefixes;
	size_t n_suffixes;
	uint32_t any;
};

struct domains *
domains_new(struct arena *arena, size_t n)
{
	struct domains *d = ARENA_NEW(arena, struct domains);

	*d = (struct domains){ .arena = arena,
		.whole = table_new(arena, n),
		.suffixes = table_new(arena, n),
		.prefixes = table_new(arena, n),
		.any = TABLE_NONE };
	return d;
}

static struct str
reversed(struct arena *arena, struct str s)
{
	char *copy = arena_cstr(arena, s);

	for (size_t i = 0; i < s.len; i++)
		copy[i] = s.ptr[s.len - 1 - i];
	return (struct str){ copy, s.len };
}

static enum err
put(uint32_t *place, uint32_t vhost)
{
	if (*place != TABLE_NONE)
		return ERR_BAD;
	*place = vhost;
	return ERR_OK;
}

enum err
domains_add(struct domains *d, struct str domain, uint32_t vhost)
{
	struct str text = arena_lower(d->arena, domain);

	if (str_eq(text, STR("*")))
		return put(&d->any, vhost);
	if (str_starts(text, STR("*"))) {
		text = str_slice(text, 1, text.len);
		d->n_suffixes++;
		return put(
		    table_put(d->suffixes, reversed(d->arena, text)), vhost);
	}
	if (str_ends(text, STR("*")))
		return put(
		    table_put(d->prefixes, str_slice(text, 0, text.len - 1)),
		    vhost);
	return put(table_put(d->whole, text), vhost);
}

/* The number under the longest key that begins host and is shorter. */
static uint32_t
longest(const struct table *t, struct str host)
{
	struct table_walk walk =
	    table_walk(t, str_slice(host, 0, host.len - 1));
	uint32_t best = TABLE_NONE, next;

	while ((next = table_next(&walk)) != TABLE_NONE)
		best = next;
	return best;
}

uint32_t
domains_find(const struct domains *d, struct arena *arena, struct str host)
{
	uint32_t found;

	if (!host.len)
		return d->any;
	host = arena_lower(arena, host);
	found = table_get(d->whole, host);
	if (found == TABLE_NONE && d->n_suffixes)
		found = longest(d->suffixes, reversed(arena, host));
	if (found == TABLE_NONE)
		found = longest(d->prefixes, host);
	return found == TABLE_NONE ? d->any : found;
}
