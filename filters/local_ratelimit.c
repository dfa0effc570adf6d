/*
 * Envoy's local rate limit: token buckets for all requests and for
 * descriptors, which the route's rate_limits make of a request. The buckets
 * lie in the state file, so all processes draw from the same ones.
 */
#include "config.h"

#include "base/clock.h"
#include "chain/descriptor.h"
#include "chain/kit.h"
#include "config/local_limit.h"
#include "state/limit.h"

enum { MATCHES_MAX = 16 };

/* A configuration made ready, of the filter or of a route. */
struct local {
	const struct conf_local *conf;
	struct str scope; /* tells its buckets from those of others */
	const struct rate_limits *own; /* instead of the route's, or NULL */
	const struct kit_fields *request_fields, *response_fields;
	bool says_retry_after; /* among the latter */
	int enabled, enforced, ok, rate_limited, shadowed; /* counters */
};

/* What a request has found out, for its response. */
struct seen {
	bool x_ratelimit;
	struct limit_result result;
};

/* ---- configuration ---- */

static int
counter(struct setup *s, const struct conf_local *c, const char *name)
{
	return host_setup_counter_named(
	    s, arena_printf(host_setup_arena(s),
		   STR_FMT ".http_local_rate_limit.%s", STR_ARG(c->stat_prefix),
		   name));
}

static bool
names(const conf_header_options *options, struct str name)
{
	for (size_t i = 0; i < options->n; i++)
		if (str_eq_nocase(options->items[i].header->key, name))
			return true;
	return false;
}

static const void *
configure(struct setup *s, const void *decoded)
{
	const struct conf_local *c = decoded;
	struct local *l = ARENA_NEW(host_setup_arena(s), struct local);

	l->conf = c;
	l->scope = arena_printf(host_setup_arena(s),
	    "local_ratelimit " STR_FMT " " STR_FMT, STR_ARG(c->stat_prefix),
	    STR_ARG(host_setup_path(s)));
	l->own = rate_limits_build(s, &c->rate_limits);
	l->request_fields =
	    kit_fields(s, &c->request_headers_to_add_when_not_enforced);
	l->response_fields = kit_fields(s, &c->response_headers_to_add);
	l->says_retry_after =
	    names(&c->response_headers_to_add, STR("retry-after"));
	l->enabled = counter(s, c, "enabled");
	l->enforced = counter(s, c, "enforced");
	l->ok = counter(s, c, "ok");
	l->rate_limited = counter(s, c, "rate_limited");
	l->shadowed = counter(s, c, "shadow_mode");
	return l;
}

static const void *
configure_route(struct setup *s, const void *decoded)
{
	const struct conf_local *c = decoded;

	if (!c->token_bucket)
		host_setup_error(s, c->node,
		    "local rate limit token bucket must be set for per filter "
		    "configs");
	return configure(s, decoded);
}

/* ---- descriptors ---- */

enum fit { FIT_NONE, FIT_WILDCARD, FIT_EXACT };

static enum fit
fit(const struct conf_descriptor *c, const struct descriptor *d)
{
	enum fit fit = FIT_EXACT;

	if (c->entries.n != d->n)
		return FIT_NONE;
	for (size_t i = 0; i < d->n; i++) {
		const struct conf_entry *e = &c->entries.items[i];

		if (!str_eq(e->key, d->entries[i].key))
			return FIT_NONE;
		if (e->value.len == 0)
			fit = FIT_WILDCARD;
		else if (!str_eq(e->value, d->entries[i].value))
			return FIT_NONE;
	}
	return fit;
}

/* The configured descriptor for this one: an exact one, else the first that has wildcards. */
static const struct conf_descriptor *
best_fit(const struct conf_local *c, const struct descriptor *d)
{
	const struct conf_descriptor *found = NULL;

	for (size_t i = 0; i < c->descriptors.n; i++) {
		const struct conf_descriptor *candidate =
		    &c->descriptors.items[i];
		enum fit how = fit(candidate, d);

		if (how == FIT_EXACT)
			return candidate;
		if (how == FIT_WILDCARD && !found)
			found = candidate;
	}
	return found;
}

/* ---- buckets ---- */

/* A bucket to draw from, and what tells it from others like it. */
struct draw {
	const struct conf_bucket *bucket;
	struct str key;
	int64_t hits;
	bool shadow;
	enum conf_x_ratelimit x_ratelimit;
};

/* The buckets of a request, the slowest first. */
struct draws {
	struct draw items[MATCHES_MAX];
	size_t n;
};

static double
fill_rate(const struct conf_bucket *b)
{
	return (double)b->tokens_per_fill / (double)b->fill_interval;
}

static void
add_draw(struct draws *draws, struct draw draw)
{
	size_t at = draws->n++;

	while (at > 0 && fill_rate(draws->items[at - 1].bucket) >
			     fill_rate(draw.bucket)) {
		draws->items[at] = draws->items[at - 1];
		at--;
	}
	draws->items[at] = draw;
}

/* The draws that a list of rate limits leads to; only the filter's own have hits. */
static void
add_matching(struct exchange *x, const struct local *l,
    const struct rate_limits *limits, struct draws *draws)
{
	bool own = limits == l->own;

	for (size_t i = 0; i < rate_limits_count(limits); i++) {
		const struct conf_descriptor *match;
		struct descriptor d;
		int64_t hits = 1;

		if (draws->n == MATCHES_MAX)
			return;
		if (!rate_limits_make(
			x, limits, i, own ? 0 : l->conf->stage, &d) ||
		    (own && !rate_limits_hits(x, limits, i, &hits)))
			continue;
		match = best_fit(l->conf, &d);
		if (match)
			add_draw(
			    draws, (struct draw){ match->token_bucket,
				       descriptor_key(x, &d), hits,
				       match->shadow_mode, d.x_ratelimit });
	}
}

static bool
takes_vhost_limits(struct exchange *x, const struct local *l)
{
	if (host_route_includes_vhost_limits(x))
		return true;
	switch ((enum conf_vh_limits)l->conf->vh_rate_limits) {
	case CONF_VH_OVERRIDE:
		return !host_rate_limits(x, HOST_LEVEL_ROUTE);
	case CONF_VH_INCLUDE:
		return true;
	case CONF_VH_IGNORE:
		break;
	}
	return false;
}

static void
find_draws(struct exchange *x, const struct local *l, struct draws *draws)
{
	draws->n = 0;
	if (!l->conf->descriptors.n)
		return;
	if (l->own) {
		add_matching(x, l, l->own, draws);
		return;
	}
	add_matching(x, l, host_rate_limits(x, HOST_LEVEL_ROUTE), draws);
	if (takes_vhost_limits(x, l))
		add_matching(
		    x, l, host_rate_limits(x, HOST_LEVEL_VHOST), draws);
}

static struct limit_result
take(struct exchange *x, const struct local *l, const struct draw *draw)
{
	const struct conf_bucket *b = draw->bucket;
	struct arena *arena = host_arena(x);
	struct str scope;

	if (!b->max_tokens)
		return (struct limit_result){ .allowed = false };
	scope = ARENA_JOIN(arena, l->scope, STR(" "),
	    arena_u64(arena, b->max_tokens), STR("/"),
	    arena_u64(arena, b->tokens_per_fill), STR("/"),
	    arena_u64(arena, (uint64_t)b->fill_interval));
	return limit_bucket_hits(host_state(x),
	    limit_key(host_state(x), scope, draw->key), b->max_tokens,
	    b->tokens_per_fill, b->fill_interval, draw->hits, host_boot_ns(x));
}

enum outcome { PASSES, BEYOND, BEYOND_IN_SHADOW };

/* Has the response tell of this bucket. */
static void
tell(struct seen *seen, const struct local *l, const struct draw *draw,
    const struct limit_result *result)
{
	seen->result = *result;
	seen->x_ratelimit = draw->bucket->max_tokens &&
			    (draw->x_ratelimit == CONF_X_UNSPECIFIED
				    ? l->conf->enable_x_ratelimit_headers != 0
				    : draw->x_ratelimit == CONF_X_DRAFT_03);
}

/*
 * Draws from each bucket that applies until one refuses; tokens drawn before
 * stay drawn. A bucket that is only tried out does not refuse. What is told
 * of is the one that refused, else the slowest descriptor's, else the one of
 * all requests.
 */
static enum outcome
take_all(struct exchange *x, const struct local *l, struct seen *seen)
{
	struct draw all = {
		.bucket = l->conf->token_bucket, .key = STR(""), .hits = 1
	};
	enum outcome outcome = PASSES;
	struct limit_result result;
	struct draws draws;

	find_draws(x, l, &draws);
	for (size_t i = 0; i < draws.n; i++) {
		const struct draw *draw = &draws.items[i];

		result = take(x, l, draw);
		if (i == 0 || !result.allowed)
			tell(seen, l, draw, &result);
		if (!result.allowed)
			host_decided_by(x, draw->bucket->node);
		if (!result.allowed && !draw->shadow)
			return BEYOND;
		if (!result.allowed)
			outcome = BEYOND_IN_SHADOW;
	}
	if (!all.bucket ||
	    (draws.n > 0 && !l->conf->always_consume_default_token_bucket))
		return outcome;
	result = take(x, l, &all);
	if (!result.allowed)
		host_decided_by(x, all.bucket->node);
	if (draws.n == 0 || !result.allowed)
		tell(seen, l, &all, &result);
	return result.allowed ? outcome : BEYOND;
}

/* ---- requests ---- */

static long long
reset_s(const struct limit_result *r)
{
	return r->remaining ? 0 : (r->reset_ns + NS_PER_S - 1) / NS_PER_S;
}

static void
add_numbers(
    struct arena *arena, const struct limit_result *r, struct headers *headers)
{
	headers_add(headers, STR("x-ratelimit-limit"),
	    arena_printf(arena, "%llu", (unsigned long long)r->limit));
	headers_add(headers, STR("x-ratelimit-remaining"),
	    arena_printf(arena, "%llu", (unsigned long long)r->remaining));
	headers_add(headers, STR("x-ratelimit-reset"),
	    arena_printf(arena, "%lld", reset_s(r)));
}

static void
refuse(struct exchange *x, const struct local *l, const struct seen *seen)
{
	const struct conf_local *c = l->conf;
	struct headers headers;

	headers_init(&headers, host_arena(x));
	if (seen->x_ratelimit)
		add_numbers(host_arena(x), &seen->result, &headers);
	if (c->enable_retry_after_header && !l->says_retry_after &&
	    reset_s(&seen->result))
		headers_add(&headers, STR("retry-after"),
		    arena_printf(
			host_arena(x), "%lld", reset_s(&seen->result)));
	host_reply(x,
	    &(struct host_reply){ .status = c->status && c->status->code >= 400
						? (unsigned)c->status->code
						: 429,
		.headers = headers.items,
		.n_headers = headers.n,
		.fields = l->response_fields,
		.body = STR("local_rate_limited"),
		.details = STR("local_rate_limited"),
		.grpc_status = c->rate_limited_as_resource_exhausted ? 8 : 0,
		.flag = "RL" });
}

static enum verdict
on_request(const void *data, void *state, struct exchange *x)
{
	const struct local *l = host_route_conf(x);
	struct seen *seen = state;
	enum outcome outcome;

	if (!l)
		l = data;
	if (!host_state(x) || !kit_happens(x, l->conf->filter_enabled, false))
		return FILTER_NEXT;
	host_count(x, l->enabled, 1);
	outcome = take_all(x, l, seen);
	host_count(x, outcome == PASSES ? l->ok : l->rate_limited, 1);
	if (outcome == BEYOND_IN_SHADOW)
		host_count(x, l->shadowed, 1);
	if (outcome != BEYOND)
		return FILTER_NEXT;
	if (!kit_happens(x, l->conf->filter_enforced, false)) {
		kit_fields_apply(x, HOST_REQUEST, l->request_fields);
		return FILTER_NEXT;
	}
	host_count(x, l->enforced, 1);
	refuse(x, l, seen);
	return FILTER_REPLY;
}

static enum verdict
on_response(const void *data, void *state, struct exchange *x)
{
	const struct seen *seen = state;
	struct headers headers;

	(void)data;
	if (!seen->x_ratelimit)
		return FILTER_NEXT;
	headers_init(&headers, host_arena(x));
	add_numbers(host_arena(x), &seen->result, &headers);
	for (size_t i = 0; i < headers.n; i++)
		(void)host_header_add(x, HOST_RESPONSE, headers.items[i].name,
		    headers.items[i].value);
	return FILTER_NEXT;
}

const struct filter filter_local_ratelimit = {
	.name = "envoy.filters.http.local_ratelimit",
	.text = "Token buckets, for all requests and for descriptors that "
		"the route's rate_limits make of a request. All processes "
		"draw from the same buckets.",
	.conf = &conf_local_message,
	.route_conf = &conf_local_message,
	.configure = configure,
	.configure_route = configure_route,
	.needs = FILTER_NEEDS_STATE,
	.state_size = sizeof(struct seen),
	.on_request = on_request,
	.on_response = on_response,
};
