/*
 * Envoy's health check filter: answers health checks of this gateway itself,
 * by how many hosts of its clusters are healthy, or lets them through to the
 * backend and remembers the answer for a while. They are no requests to the
 * counters, nor to logs that leave health checks out.
 */
#include "config.h"

#include "base/clock.h"
#include "chain/kit.h"
#include "config/messages.h"
#include "config/model_forward.h"
#include "state/word.h"

/* ---- configuration ---- */

struct conf_check {
	const struct node *node;
	bool pass_through_mode, has_pass_through_mode;
	int64_t cache_time;
	struct map cluster_min_healthy_percentages; /* struct conf_percent ** */
	CONF_LIST(struct conf_header_matcher) headers;
};

static const struct schema_field check_fields[] = {
	{ .name = "pass_through_mode",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT_HAS(struct conf_check, pass_through_mode),
	    .required = true,
	    .text = "Whether the backend answers health checks." },
	{ .name = "cache_time",
	    .type = SCHEMA_DURATION,
	    SCHEMA_AT(struct conf_check, cache_time),
	    .text = "So long an answer of the backend stands for others; "
		    "only with pass_through_mode." },
	{ .name = "cluster_min_healthy_percentages",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_MAP,
	    SCHEMA_AT(struct conf_check, cluster_min_healthy_percentages),
	    .message = &conf_percent_message,
	    .text = "Clusters and how many of their hosts, in percent, have "
		    "to be healthy; only without pass_through_mode." },
	{ .name = "headers",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_check, headers),
	    .message = &conf_header_matcher_message,
	    .text = "Requests whose headers match all of these are health "
		    "checks; usually one for :path." },
	{ .name = NULL },
};

static void
check_check(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_check *c = decoded;

	if (c->has_pass_through_mode && !c->pass_through_mode && c->cache_time)
		diag_error(diag, c->node->place, path,
		    "cache_time_ms must not be set when path_through_mode is "
		    "disabled");
}

static const struct schema_message check_message = {
	.name = "envoy.extensions.filters.http.health_check.v3.HealthCheck",
	.size = sizeof(struct conf_check),
	.fields = check_fields,
	.check = check_check,
};

struct minimum {
	struct str cluster;
	double percent;
};

struct check {
	const struct conf_check *conf;
	struct kit_matches headers;
	struct minimum *minima;
	size_t n_minima;
	int cached; /* word of the state file */
};

static const void *
configure(struct setup *s, const void *decoded)
{
	const struct conf_check *conf = decoded;
	const struct map *map = &conf->cluster_min_healthy_percentages;
	struct arena *arena = host_setup_arena(s);
	struct check *c = ARENA_NEW(arena, struct check);

	c->conf = conf;
	c->headers =
	    kit_header_matches(s, conf->headers.items, conf->headers.n);
	c->n_minima = map->n;
	c->minima = ARENA_ARRAY(arena, map->n + 1, struct minimum);
	for (size_t i = 0; i < map->n; i++) {
		const struct conf_percent *percent = map->items[i].value;

		c->minima[i].cluster = map->items[i].key;
		c->minima[i].percent = percent->value;
	}
	c->cached = -1;
	if (conf->cache_time && host_setup_state(s))
		c->cached = word_find(host_setup_state(s),
		    arena_printf(arena, "health_check %u:%u",
			conf->node->place.line, conf->node->place.column));
	return c;
}

/* ---- the remembered answer ---- */

/*
 * One word: until when in ms of the boot clock, whether the backend called
 * itself degraded, the status.
 */
enum { STATUS_BITS = 10, DEGRADED = 1 << STATUS_BITS, UNTIL_SHIFT = 11 };

/* 0: nothing is remembered. */
static uint64_t
recall(const struct check *c, struct exchange *x)
{
	uint64_t word = host_state(x) ? word_get(host_state(x), c->cached) : 0;
	uint64_t now_ms = (uint64_t)(host_boot_ns(x) / NS_PER_MS);

	return word >> UNTIL_SHIFT > now_ms ? word : 0;
}

static void
remember(const struct check *c, struct exchange *x)
{
	uint64_t until_ms =
	    (uint64_t)((host_boot_ns(x) + c->conf->cache_time) / NS_PER_MS);
	uint64_t status = 0, word;

	if (!host_state(x) ||
	    !str_to_u64(host_attribute(x, HOST_RESPONSE_CODE), &status) ||
	    status >= DEGRADED)
		return;
	word = until_ms << UNTIL_SHIFT | status;
	if (host_header(x, HOST_RESPONSE, STR("x-envoy-degraded"), 0).ptr)
		word |= DEGRADED;
	word_set(host_state(x), c->cached, word);
}

/* ---- requests ---- */

struct state {
	bool is_check;
};

struct answer {
	unsigned status;
	bool degraded;
	struct str details;
};

/* How the first cluster that is not well fails; absent when all are well. */
static struct str
failure(const struct check *c, struct exchange *x)
{
	for (size_t i = 0; i < c->n_minima; i++) {
		const struct minimum *m = &c->minima[i];
		size_t healthy, all;

		if (!host_cluster_members(x, m->cluster, &healthy, &all))
			return STR("health_check_failed_no_cluster_found");
		if (!all && m->percent > 0)
			return STR("health_check_failed_cluster_empty");
		if ((double)healthy < (double)all * m->percent / 100)
			return STR("health_check_failed_cluster_unhealthy");
	}
	return STR_NONE;
}

static struct answer
judge(const struct check *c, struct exchange *x)
{
	struct answer a = { .status = 200, .details = STR("health_check_ok") };
	struct str why = failure(c, x);

	if (c->n_minima)
		a.details = STR("health_check_ok_cluster_healthy");
	if (why.ptr)
		a = (struct answer){ .status = 503, .details = why };
	return a;
}

static enum verdict
answer(struct exchange *x, const struct answer *a)
{
	struct header fields[2] = { { STR("x-envoy-upstream-healthchecked-"
					  "cluster"),
	    host_attribute(x, HOST_SERVICE_CLUSTER) } };
	size_t n = 1;

	if (a->degraded)
		fields[n++] =
		    (struct header){ STR("x-envoy-degraded"), STR("") };
	host_reply(x, &(struct host_reply){ .status = a->status,
			  .headers = fields,
			  .n_headers = n,
			  .details = a->details,
			  .flag = a->status / 100 == 2 ? NULL : "LH" });
	return FILTER_REPLY;
}

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	const struct check *c = conf;
	struct state *s = state;
	struct answer a;
	uint64_t word;

	if (!kit_headers_hold(x, HOST_REQUEST, &c->headers))
		return FILTER_NEXT;
	s->is_check = true;
	host_note_health_check(x);
	if (!c->conf->pass_through_mode) {
		a = judge(c, x);
		return answer(x, &a);
	}
	word = recall(c, x);
	if (!word)
		return FILTER_NEXT;
	a = (struct answer){ .status = word % DEGRADED,
		.degraded = word & DEGRADED,
		.details = STR("health_check_cached") };
	return answer(x, &a);
}

static enum verdict
on_response(const void *conf, void *state, struct exchange *x)
{
	const struct check *c = conf;
	const struct state *s = state;
	struct str own = host_attribute(x, HOST_SERVICE_CLUSTER);
	struct str name = STR("x-envoy-upstream-healthchecked-cluster");

	if (!s->is_check)
		return FILTER_NEXT;
	if (c->conf->cache_time)
		remember(c, x);
	(void)host_header_remove(x, HOST_RESPONSE, name);
	if (own.len)
		(void)host_header_add(x, HOST_RESPONSE, name, own);
	else
		(void)host_header_add_empty(x, HOST_RESPONSE, name);
	return FILTER_NEXT;
}

const struct filter filter_health_check = {
	.name = "envoy.filters.http.health_check",
	.text = "Answers health checks of this gateway by how many hosts of "
		"its clusters are healthy, or lets them through and "
		"remembers the answer for a while.",
	.conf = &check_message,
	.configure = configure,
	.needs = FILTER_NEEDS_STATE,
	.state_size = sizeof(struct state),
	.on_request = on_request,
	.on_response = on_response,
};
