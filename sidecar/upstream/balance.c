/* Choosing hosts. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "upstream/balance.h"

struct standing {
	double due; /* the earliest is next; unequal weights only */
	unsigned active;
};

struct balancer {
	struct standing *hosts; /* of all clusters */
	size_t *next; /* per cluster: whose turn it is */
	uint64_t random;
};

static void *
array(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (!p)
		abort();
	return p;
}

struct balancer *
balancer_new(const struct clusters *all, uint64_t seed)
{
	struct balancer *b = array(1, sizeof(*b));

	b->hosts = array(all->n_hosts, sizeof(struct standing));
	b->next = array(all->n, sizeof(size_t));
	b->random = seed;
	for (size_t i = 0; i < all->n; i++) {
		const struct cluster *c = &all->items[i];
		b->next[i] = (size_t)(random_next(&b->random) >> 1);
		for (size_t j = 0; j < c->n; j++)
			b->hosts[c->first + j].due = 1.0 / c->hosts[j].weight;
	}
	return b;
}

void
balancer_free(struct balancer *b)
{
	free(b->hosts);
	free(b->next);
	free(b);
}

static size_t
earliest(const struct standing *hosts, const struct cluster *c)
{
	size_t best = 0;

	for (size_t i = 1; i < c->n; i++)
		if (hosts[i].due < hosts[best].due)
			best = i;
	return best;
}

/* A busy host of LEAST_REQUEST counts as if it were lighter. */
static double
effective_weight(const struct cluster *c, const struct standing *host, double w)
{
	if (c->policy != CONF_LEAST_REQUEST || c->bias <= 0)
		return w;
	if (c->bias >= 1 && c->bias <= 1)
		return w / (host->active + 1.0);
	return w / pow(host->active + 1.0, c->bias);
}

static size_t
by_deadline(struct standing *hosts, const struct cluster *c)
{
	size_t best = earliest(hosts, c);

	hosts[best].due +=
	    1.0 / effective_weight(c, &hosts[best], c->hosts[best].weight);
	return best;
}

/* The idlest of some that are drawn; of equals the first drawn. */
static size_t
idlest_of_some(
    struct balancer *b, const struct standing *hosts, const struct cluster *c)
{
	size_t best = (size_t)(random_next(&b->random) % c->n);

	for (uint32_t i = 1; i < c->choices; i++) {
		size_t other = (size_t)(random_next(&b->random) % c->n);
		if (hosts[other].active < hosts[best].active)
			best = other;
	}
	return best;
}

/* The idlest of all; of equals any with the same chance. */
static size_t
idlest_of_all(
    struct balancer *b, const struct standing *hosts, const struct cluster *c)
{
	size_t best = 0;
	uint64_t equals = 1;

	for (size_t i = 1; i < c->n; i++) {
		if (hosts[i].active > hosts[best].active)
			continue;
		equals = hosts[i].active < hosts[best].active ? 1 : equals + 1;
		if (equals == 1 || random_next(&b->random) % equals == 0)
			best = i;
	}
	return best;
}

static size_t
pick(struct balancer *b, const struct cluster *c, uint64_t hash,
    uint32_t attempt)
{
	struct standing *hosts = &b->hosts[c->first];

	if (c->n == 1)
		return 0;
	if (c->policy == CONF_RING_HASH)
		return ring_pick(c->ring, hash, attempt);
	if (c->policy == CONF_MAGLEV)
		return maglev_pick(c->maglev, hash, attempt);
	if (c->policy == CONF_RANDOM)
		return (size_t)(random_next(&b->random) % c->n);
	if (c->is_weighted)
		return by_deadline(hosts, c);
	if (c->policy == CONF_LEAST_REQUEST)
		return c->choices ? idlest_of_some(b, hosts, c)
				  : idlest_of_all(b, hosts, c);
	return b->next[c->index]++ % c->n;
}

const struct cluster_host *
balancer_take(struct balancer *b, const struct cluster *c,
    const struct balancer_wish *wish)
{
	uint64_t hash = wish->has_hash ? wish->hash : random_next(&b->random);
	size_t i = 0;

	if (c->n == 0)
		return NULL;
	for (uint32_t attempt = 0; attempt <= wish->attempts; attempt++) {
		i = pick(b, c, hash, attempt);
		if (!wish->rejects || !wish->rejects(wish->arg, &c->hosts[i]))
			break;
	}
	b->hosts[c->first + i].active++;
	return &c->hosts[i];
}

void
balancer_release(struct balancer *b, const struct cluster *c,
    const struct cluster_host *host)
{
	b->hosts[c->first + (size_t)(host - c->hosts)].active--;
}
