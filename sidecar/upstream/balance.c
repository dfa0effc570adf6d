/* Choosing hosts. */
#include "config.h"

#include <stdlib.h>

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

/* splitmix64: good enough to spread load, and one word of state. */
static uint64_t
next_random(struct balancer *b)
{
	uint64_t z = b->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
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
		b->next[i] = (size_t)(next_random(b) >> 1);
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

static size_t
by_deadline(struct standing *hosts, const struct cluster *c)
{
	size_t best = earliest(hosts, c);
	double weight = c->hosts[best].weight;

	if (c->conf->lb_policy == CONF_LEAST_REQUEST)
		weight /= hosts[best].active + 1.0;
	hosts[best].due += 1.0 / weight;
	return best;
}

static size_t
idler_of_two(
    struct balancer *b, const struct standing *hosts, const struct cluster *c)
{
	size_t one = (size_t)(next_random(b) % c->n);
	size_t other = (size_t)(next_random(b) % c->n);

	return hosts[other].active < hosts[one].active ? other : one;
}

static size_t
pick(struct balancer *b, const struct cluster *c)
{
	struct standing *hosts = &b->hosts[c->first];

	if (c->n == 1)
		return 0;
	if (c->conf->lb_policy == CONF_RANDOM)
		return (size_t)(next_random(b) % c->n);
	if (c->is_weighted)
		return by_deadline(hosts, c);
	if (c->conf->lb_policy == CONF_LEAST_REQUEST)
		return idler_of_two(b, hosts, c);
	return b->next[c->index]++ % c->n;
}

const struct cluster_host *
balancer_take(struct balancer *b, const struct cluster *c)
{
	size_t i;

	if (c->n == 0)
		return NULL;
	i = pick(b, c);
	b->hosts[c->first + i].active++;
	return &c->hosts[i];
}

void
balancer_release(struct balancer *b, const struct cluster *c,
    const struct cluster_host *host)
{
	b->hosts[c->first + (size_t)(host - c->hosts)].active--;
}
