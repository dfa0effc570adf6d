/*
 * Counters come into being when something is counted. Few configurations
 * have them, so their names are put together each time.
 */
#include "config.h"

#include "chain/match.h"
#include "chain/route.h"
#include "chain/routestats.h"
#include "state/counter.h"

struct vcluster {
	struct str name;
	const struct header_match **headers;
	size_t n_headers;
};

struct vclusters {
	struct vcluster *items;
	size_t n;
};

static void
build_one(struct arena *arena, struct vcluster *v,
    const struct conf_virtual_cluster *conf, struct diag *diag)
{
	v->name = conf->name;
	v->n_headers = conf->headers.n;
	v->headers =
	    ARENA_ARRAY(arena, v->n_headers, const struct header_match *);
	for (size_t i = 0; i < v->n_headers; i++)
		v->headers[i] =
		    header_match_build(arena, &conf->headers.items[i], diag);
}

const struct vclusters *
vclusters_build(struct arena *arena, const struct conf_virtual_host *conf,
    struct diag *diag)
{
	struct vclusters *v;
	size_t before = diag_errors(diag);

	if (!conf->virtual_clusters.n)
		return NULL;
	v = ARENA_NEW(arena, struct vclusters);
	v->n = conf->virtual_clusters.n;
	v->items = ARENA_ARRAY(arena, v->n, struct vcluster);
	for (size_t i = 0; i < v->n; i++)
		build_one(arena, &v->items[i], &conf->virtual_clusters.items[i],
		    diag);
	return diag_errors(diag) == before ? v : NULL;
}

static bool
holds(const struct vcluster *v, const struct headers *headers)
{
	for (size_t i = 0; i < v->n_headers; i++)
		if (!header_match_holds(v->headers[i], headers))
			return false;
	return true;
}

struct str
vclusters_find(const struct vclusters *v, const struct headers *headers)
{
	if (!v)
		return STR_NONE;
	for (size_t i = 0; i < v->n; i++)
		if (holds(&v->items[i], headers))
			return v->items[i].name;
	return STR("other");
}

static void
count(const struct exchange *x, const char *kind, struct str name,
    struct str counter)
{
	struct str full;

	if (!name.len || !x->state)
		return;
	full =
	    arena_printf(x->arena, "vhost." STR_FMT ".%s." STR_FMT "." STR_FMT,
		STR_ARG(x->route->vhost->name), kind, STR_ARG(name),
		STR_ARG(counter));
	counter_add(x->state, counter_find(x->state, full), 1);
}

static void
count_both(const struct exchange *x, struct str counter)
{
	count(x, "vcluster", x->vcluster, counter);
	count(x, "route", x->route->conf->stat_prefix, counter);
}

void
route_count(const struct exchange *x, enum route_counter which)
{
	static const struct str names[ROUTE_COUNTERS] = {
		[ROUTE_RQ_TOTAL] = STR_INIT("upstream_rq_total"),
		[ROUTE_RQ_TIMEOUT] = STR_INIT("upstream_rq_timeout"),
		[ROUTE_RQ_RETRY] = STR_INIT("upstream_rq_retry"),
		[ROUTE_RQ_RETRY_LIMIT_EXCEEDED] =
		    STR_INIT("upstream_rq_retry_limit_exceeded"),
		[ROUTE_RQ_RETRY_OVERFLOW] =
		    STR_INIT("upstream_rq_retry_overflow"),
		[ROUTE_RQ_RETRY_SUCCESS] =
		    STR_INIT("upstream_rq_retry_success"),
	};

	count_both(x, names[which]);
}

void
route_count_answer(const struct exchange *x, unsigned status)
{
	if (!x->vcluster.len && !x->route->conf->stat_prefix.len)
		return;
	count_both(x, STR("upstream_rq_completed"));
	count_both(x, arena_printf(x->arena, "upstream_rq_%uxx", status / 100));
	count_both(x, arena_printf(x->arena, "upstream_rq_%u", status));
}
