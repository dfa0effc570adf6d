/* Thresholds, kept as quotas in the state. */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "state/quota.h"
#include "upstream/overload.h"

/* One resource of one priority of one cluster. */
struct meter {
	int id; /* of the quota, one higher; 0: not looked up yet */
	uint32_t own; /* taken by this worker, where there is no quota */
};

struct overload {
	struct state *state;
	struct meter *meters; /* of all clusters */
	size_t n;
	int64_t reaped_ns;
};

enum { PRIORITIES = 2 };
#define REAP_EVERY_NS NS_PER_S

struct overload *
overload_new(struct state *state, const struct clusters *clusters)
{
	struct overload *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->state = state;
	o->n = clusters->n * PRIORITIES * RESOURCES;
	o->meters = calloc(o->n + 1, sizeof(*o->meters));
	if (!o->meters)
		abort();
	return o;
}

void
overload_free(struct overload *o)
{
	free(o->meters);
	free(o);
}

/* Named after the gauges by which Envoy tells that a threshold is reached. */
static const char *const names[RESOURCES] = { "cx", "rq_pending", "rq",
	"rq_retry" };
#define BREAKERS ".circuit_breakers."

static int
find_quota(struct state *state, const struct cluster *c, bool is_urgent,
    enum resource r)
{
	struct arena *scratch = arena_new(256);
	int id = quota_find(
	    state, arena_printf(scratch, "cluster." STR_FMT BREAKERS "%s.%s",
		       STR_ARG(c->conf->name), is_urgent ? "high" : "default",
		       names[r]));

	arena_free(scratch);
	return id;
}

static struct meter *
meter_of(struct overload *o, const struct cluster *c, bool is_urgent,
    enum resource r)
{
	struct meter *m =
	    &o->meters[(c->index * PRIORITIES + is_urgent) * RESOURCES + r];

	if (!m->id)
		m->id =
		    (o->state ? find_quota(o->state, c, is_urgent, r) : -1) + 1;
	if (m->id <= 0)
		m->id = -1;
	return m;
}

static uint32_t
taken(struct overload *o, const struct meter *m)
{
	return m->id > 0 ? quota_taken(o->state, m->id - 1) : m->own;
}

static uint32_t
budget(struct overload *o, const struct cluster *c, bool is_urgent)
{
	const struct thresholds *t = &c->thresholds[is_urgent];
	uint32_t active =
	    taken(o, meter_of(o, c, is_urgent, RESOURCE_REQUESTS)) +
	    taken(o, meter_of(o, c, is_urgent, RESOURCE_PENDING));
	double allowed = t->budget_percent / 100 * active;

	return allowed > t->budget_min ? (uint32_t)allowed : t->budget_min;
}

static uint32_t
threshold(struct overload *o, const struct cluster *c, bool is_urgent,
    enum resource r)
{
	const struct thresholds *t = &c->thresholds[is_urgent];

	switch (r) {
	case RESOURCE_CONNECTIONS:
		return t->connections;
	case RESOURCE_PENDING:
		return t->pending;
	case RESOURCE_REQUESTS:
		return t->requests;
	case RESOURCE_RETRIES:
		return t->has_budget ? budget(o, c, is_urgent) : t->retries;
	case RESOURCES:
		break;
	}
	return 0;
}

/* Looks for dead processes, now and then: they may hold what is missing. */
static bool
reap(struct overload *o)
{
	int64_t now = clock_boot_ns();

	if (o->reaped_ns && now - o->reaped_ns < REAP_EVERY_NS)
		return false;
	o->reaped_ns = now;
	return state_reap(o->state);
}

static bool
take(struct overload *o, struct meter *m, uint32_t max)
{
	if (m->id > 0)
		return quota_take(o->state, m->id - 1, max) ||
		       (max && reap(o) && quota_take(o->state, m->id - 1, max));
	if (m->own >= max)
		return false;
	m->own++;
	return true;
}

bool
overload_take(struct overload *o, const struct cluster *c, bool is_urgent,
    enum resource r)
{
	return take(
	    o, meter_of(o, c, is_urgent, r), threshold(o, c, is_urgent, r));
}

void
overload_force(struct overload *o, const struct cluster *c, bool is_urgent,
    enum resource r)
{
	struct meter *m = meter_of(o, c, is_urgent, r);

	if (m->id > 0)
		quota_force(o->state, m->id - 1);
	else
		m->own++;
}

void
overload_give(struct overload *o, const struct cluster *c, bool is_urgent,
    enum resource r)
{
	struct meter *m = meter_of(o, c, is_urgent, r);

	if (m->id > 0)
		quota_give(o->state, m->id - 1);
	else if (m->own)
		m->own--;
}

/* ---- what is under way, by name ---- */

struct walk {
	struct arena *arena;
	void (*each)(void *arg, struct str name, uint64_t value);
	void *arg;
};

/* Envoy has no gauge of retries. */
static void
name_one(void *arg, struct str quota, uint64_t taken)
{
	const struct walk *walk = arg;
	struct str breakers = STR(BREAKERS);
	size_t at = str_find(quota, breakers, 0);
	struct str rest = str_slice(quota, at + breakers.len, quota.len);

	(void)str_split(&rest, '.');
	if (at < quota.len && !str_eq(rest, str_of(names[RESOURCE_RETRIES])))
		walk->each(walk->arg,
		    arena_printf(walk->arena,
			STR_FMT ".upstream_" STR_FMT "_active",
			STR_ARG(str_slice(quota, 0, at)), STR_ARG(rest)),
		    taken);
}

void
overload_each(struct state *state,
    void (*each)(void *arg, struct str name, uint64_t value), void *arg)
{
	struct walk walk = { arena_new(4096), each, arg };

	quota_each(state, name_one, &walk);
	arena_free(walk.arena);
}
