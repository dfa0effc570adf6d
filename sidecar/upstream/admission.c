/*
 * Places and queues. The client tells of connections at moments when nothing
 * may be started, so a task looks at the queues afterwards.
 */
#include "config.h"

#include <stdlib.h>

#include "upstream/admission.h"

struct queue {
	struct admission *first, **last;
};

/* An origin: whose it is, and who waits for it. */
struct gate {
	const struct cluster *cluster;
	const struct client_origin *origin;
	bool is_urgent;
	bool is_due; /* something has happened to its connections */
	unsigned expected; /* connections that are about to be opened */
	struct queue queue;
	struct gate *next_due;
};

struct admissions {
	struct loop *loop;
	struct client *client;
	struct overload *overload;
	struct stats *stats;
	struct balancer *balancer;
	struct gate *gates; /* by the origins' index */
	size_t n;
	struct gate *due;
	struct task look;
};

static void
set_gate(struct admissions *all, const struct cluster *c,
    const struct client_origin *o, bool is_urgent)
{
	struct gate *g = &all->gates[o->index];

	*g = (struct gate){ .cluster = c, .origin = o, .is_urgent = is_urgent };
	g->queue.last = &g->queue.first;
}

struct admissions *
admissions_new(struct loop *loop, struct state *state,
    const struct clusters *clusters, struct stats *stats,
    struct balancer *balancer)
{
	struct admissions *all = calloc(1, sizeof(*all));

	if (!all)
		abort();
	*all = (struct admissions){ .loop = loop,
		.overload = overload_new(state, clusters),
		.stats = stats,
		.balancer = balancer,
		.n = clusters->n_origins };
	all->gates = calloc(all->n + 1, sizeof(*all->gates));
	if (!all->gates)
		abort();
	for (size_t i = 0; i < clusters->n; i++)
		for (size_t j = 0; j < clusters->items[i].n; j++) {
			const struct cluster_host *h =
			    &clusters->items[i].hosts[j];
			set_gate(all, &clusters->items[i], &h->origin, false);
			if (h->urgent)
				set_gate(
				    all, &clusters->items[i], h->urgent, true);
		}
	return all;
}

void
admissions_free(struct admissions *all)
{
	task_clear(all->loop, &all->look);
	overload_free(all->overload);
	free(all->gates);
	free(all);
}

void
admissions_set_client(struct admissions *all, struct client *client)
{
	all->client = client;
}

/* ---- the queue ---- */

static void
enqueue(struct gate *g, struct admission *a)
{
	a->next = NULL;
	a->prev = g->queue.last;
	*g->queue.last = a;
	g->queue.last = &a->next;
}

static void
dequeue(struct gate *g, struct admission *a)
{
	*a->prev = a->next;
	if (a->next)
		a->next->prev = a->prev;
	else
		g->queue.last = a->prev;
	a->next = NULL;
	a->prev = NULL;
}

bool
admission_is_queued(const struct admission *a)
{
	return a->prev;
}

/*
 * Takes a connection to be opened. A host has one in any case, so that
 * whoever waits for it has something to wait for.
 */
static bool
take_connection(struct gate *g, struct admission *a)
{
	struct overload *o = a->all->overload;

	if (!overload_take(o, g->cluster, g->is_urgent, RESOURCE_CONNECTIONS)) {
		if (g->expected || client_open(a->all->client, g->origin))
			return false;
		overload_force(
		    o, g->cluster, g->is_urgent, RESOURCE_CONNECTIONS);
	}
	a->expects = true;
	g->expected++;
	return true;
}

static void
let_in(struct admissions *all, struct gate *g)
{
	struct admission *a;

	while ((a = g->queue.first)) {
		if (!client_has_idle(all->client, g->origin) &&
		    !take_connection(g, a))
			return;
		dequeue(g, a);
		a->go(a->owner);
	}
}

static void
look(void *arg)
{
	struct admissions *all = arg;
	struct gate *g;

	while ((g = all->due)) {
		all->due = g->next_due;
		g->is_due = false;
		let_in(all, g);
	}
}

static void
look_later(struct admissions *all, struct gate *g)
{
	if (!g->queue.first || g->is_due)
		return;
	g->is_due = true;
	g->next_due = all->due;
	all->due = g;
	task_defer(all->loop, &all->look, look, all);
}

/* It has found another connection, or needs none any more. */
static void
give_connection(struct gate *g, struct admission *a)
{
	if (!a->expects)
		return;
	a->expects = false;
	g->expected--;
	overload_give(
	    a->all->overload, g->cluster, g->is_urgent, RESOURCE_CONNECTIONS);
	look_later(a->all, g);
}

/* ---- connections ---- */

/* The one that was expected, or one more. */
static void
note_opened(struct admissions *all, struct gate *g, struct admission *a)
{
	if (a && a->expects) {
		a->expects = false;
		g->expected--;
	} else {
		overload_force(all->overload, g->cluster, g->is_urgent,
		    RESOURCE_CONNECTIONS);
	}
	stats_count(all->stats, g->cluster, CX_TOTAL);
	stats_count(all->stats, g->cluster, CX_HTTP1_TOTAL);
}

static void
on_event(void *arg, const struct client_origin *origin, enum client_event event,
    void *ticket)
{
	struct admissions *all = arg;
	struct gate *g = &all->gates[origin->index];

	switch (event) {
	case CLIENT_OPENED:
		note_opened(all, g, ticket);
		return;
	case CLIENT_CLOSED:
		overload_give(all->overload, g->cluster, g->is_urgent,
		    RESOURCE_CONNECTIONS);
		stats_count(all->stats, g->cluster, CX_DESTROY);
		break;
	case CLIENT_SERVED_ENOUGH:
		stats_count(all->stats, g->cluster, CX_MAX_REQUESTS);
		return;
	case CLIENT_IDLED:
		stats_count(all->stats, g->cluster, CX_IDLE_TIMEOUT);
		return;
	case CLIENT_RESTS:
		break;
	}
	look_later(all, g);
}

struct client_hooks
admissions_hooks(struct admissions *all)
{
	return (struct client_hooks){ .event = on_event, .arg = all };
}

/* ---- one request ---- */

bool
admission_choose(struct admission *a, struct admissions *all,
    const struct cluster *c, bool is_urgent, const struct balancer_wish *wish)
{
	const struct cluster_host *host = balancer_take(all->balancer, c, wish);

	if (!host) {
		stats_count(all->stats, c, CX_NONE_HEALTHY);
		return false;
	}
	*a = (struct admission){ .all = all,
		.cluster = c,
		.host = host,
		.origin = cluster_origin(host, is_urgent),
		.is_urgent = is_urgent };
	return true;
}

enum admitted
admission_ask(struct admission *a, void (*go)(void *owner), void *owner)
{
	struct admissions *all = a->all;
	struct gate *g = &all->gates[a->origin->index];

	a->go = go;
	a->owner = owner;
	if (!g->queue.first && client_has_idle(all->client, a->origin))
		return ADMITTED;
	if (!overload_take(
		all->overload, a->cluster, a->is_urgent, RESOURCE_PENDING)) {
		stats_count(all->stats, a->cluster, RQ_PENDING_OVERFLOW);
		return ADMITTED_NOT;
	}
	a->holds_pending = true;
	stats_count(all->stats, a->cluster, RQ_PENDING_TOTAL);
	if (!g->queue.first && take_connection(g, a))
		return ADMITTED;
	stats_count(all->stats, a->cluster, CX_OVERFLOW);
	enqueue(g, a);
	return ADMITTED_LATER;
}

static void
give(struct admission *a, bool *holds, enum resource r)
{
	if (*holds)
		overload_give(a->all->overload, a->cluster, a->is_urgent, r);
	*holds = false;
}

bool
admission_ready(struct admission *a)
{
	struct admissions *all = a->all;

	give(a, &a->holds_pending, RESOURCE_PENDING);
	give_connection(&all->gates[a->origin->index], a);
	if (!overload_take(
		all->overload, a->cluster, a->is_urgent, RESOURCE_REQUESTS)) {
		stats_count(all->stats, a->cluster, RQ_ACTIVE_OVERFLOW);
		return false;
	}
	a->holds_request = true;
	stats_count(all->stats, a->cluster, RQ_TOTAL);
	return true;
}

void
admission_end(struct admission *a)
{
	struct admissions *all = a->all;
	struct gate *g = all ? &all->gates[a->origin->index] : NULL;

	if (!all)
		return;
	if (a->prev)
		dequeue(g, a);
	give_connection(g, a);
	give(a, &a->holds_pending, RESOURCE_PENDING);
	give(a, &a->holds_request, RESOURCE_REQUESTS);
	balancer_release(all->balancer, a->cluster, a->host);
	a->all = NULL;
}

bool
admissions_take_retry(
    struct admissions *all, const struct cluster *c, bool is_urgent)
{
	return overload_take(all->overload, c, is_urgent, RESOURCE_RETRIES);
}

void
admissions_give_retry(
    struct admissions *all, const struct cluster *c, bool is_urgent)
{
	overload_give(all->overload, c, is_urgent, RESOURCE_RETRIES);
}
