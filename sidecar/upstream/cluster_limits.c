/* How much may be under way to a cluster, what is not even tried, its name. */
#include "config.h"

#include "config/runtime.h"
#include "upstream/cluster_build.h"

static const char *const priorities[] = { "default", "high" };

/* The first of that priority holds. */
static const struct conf_thresholds *
find_thresholds(const struct conf_circuit_breakers *all, int priority)
{
	for (size_t i = 0; all && i < all->thresholds.n; i++)
		if (all->thresholds.items[i].priority == priority)
			return &all->thresholds.items[i];
	return NULL;
}

static struct thresholds
read_thresholds(const struct conf_thresholds *conf)
{
	struct thresholds t = { 1024, 1024, 1024, 3, false, 20, 3 };

	if (!conf)
		return t;
	t.connections = conf->max_connections;
	t.pending = conf->max_pending_requests;
	t.requests = conf->max_requests;
	t.retries = conf->max_retries;
	if (!conf->retry_budget)
		return t;
	t.has_budget = true;
	if (conf->retry_budget->budget_percent)
		t.budget_percent = conf->retry_budget->budget_percent->value;
	t.budget_min = conf->retry_budget->min_retry_concurrency;
	return t;
}

/* ---- what the runtime has to say ---- */

static struct str
threshold_key(const struct build *b, int priority, const char *name)
{
	return arena_printf(b->arena, "circuit_breakers." STR_FMT ".%s.%s",
	    STR_ARG(b->conf->name), priorities[priority], name);
}

static bool
override(const struct build *b, int priority, const char *name, uint32_t *value)
{
	uint64_t n;

	if (!runtime_u64(
		diag_runtime(b->diag), threshold_key(b, priority, name), &n))
		return false;
	*value = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	return true;
}

static void
override_thresholds(const struct build *b, int priority, struct thresholds *t)
{
	override(b, priority, "max_connections", &t->connections);
	override(b, priority, "max_pending_requests", &t->pending);
	override(b, priority, "max_requests", &t->requests);
	override(b, priority, "max_retries", &t->retries);
	if (runtime_double(diag_runtime(b->diag),
		threshold_key(b, priority, "retry_budget.budget_percent"),
		&t->budget_percent))
		t->has_budget = true;
	if (override(b, priority, "retry_budget.min_retry_concurrency",
		&t->budget_min))
		t->has_budget = true;
}

static uint32_t
read_percent(const struct build *b, struct str key, uint64_t percent)
{
	runtime_u64(diag_runtime(b->diag), key, &percent);
	return percent < 100 ? (uint32_t)percent : 100;
}

/* ---- requests that are not tried ---- */

static uint32_t
read_drops(const struct conf_load_assignment *load)
{
	static const uint32_t denominators[] = { 100, 10000, 1000000 };
	const struct conf_fractional_percent *part;
	uint64_t ppm;

	if (!load || !load->policy || !load->policy->drop_overloads.n)
		return 0;
	part = load->policy->drop_overloads.items[0].drop_percentage;
	if (!part)
		return 0;
	ppm = (uint64_t)part->numerator * 1000000 /
	      denominators[part->denominator];
	return ppm < 1000000 ? (uint32_t)ppm : 1000000;
}

/* Where a name would begin another part of a counter's name. */
static struct str
stat_name(struct arena *arena, struct str name)
{
	char *copy = arena_cstr(arena, name);

	for (size_t i = 0; i < name.len; i++)
		if (copy[i] == ':' || copy[i] == '\0')
			copy[i] = '_';
	return (struct str){ copy, name.len };
}

void
build_limits(struct build *b, struct cluster *c)
{
	const struct conf_cluster *conf = b->conf;

	c->stat_name = stat_name(b->arena,
	    conf->alt_stat_name.len ? conf->alt_stat_name : conf->name);
	for (int i = 0; i < 2; i++) {
		c->thresholds[i] =
		    read_thresholds(find_thresholds(conf->circuit_breakers, i));
		override_thresholds(b, i, &c->thresholds[i]);
	}
	c->drop_ppm = read_drops(conf->load_assignment);
	c->maintenance_percent = read_percent(b,
	    arena_printf(b->arena, "upstream.maintenance_mode." STR_FMT,
		STR_ARG(conf->name)),
	    0);
}

void
build_retry_limits(struct build *b, struct clusters *all)
{
	uint64_t base_ms = 25;

	runtime_u64(diag_runtime(b->diag),
	    STR("upstream.base_retry_backoff_ms"), &base_ms);
	all->retry_base_ms = base_ms ? base_ms : 1;
	all->retry_percent = read_percent(b, STR("upstream.use_retry"), 100);
}
