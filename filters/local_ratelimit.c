/*
 * Envoy's local rate limit: token buckets for all requests and for
 * descriptors, which the route's rate_limits make of a request. The buckets
 * lie in the state file, so all processes draw from the same ones.
 */
#include "config.h"

#include "base/clock.h"
#include "chain/descriptor.h"
#include "chain/host.h"
#include "config/messages.h"
#include "state/limit.h"

enum { MATCHES_MAX = 16, HEADERS_MAX = 10 };

struct conf_bucket {
	const struct node *node;
	uint32_t max_tokens;
	uint32_t tokens_per_fill;
	int64_t fill_interval;
};

struct conf_entry {
	const struct node *node;
	struct str key, value;
};

struct conf_descriptor {
	const struct node *node;
	CONF_LIST(struct conf_entry) entries;
	struct conf_bucket *token_bucket;
};

struct conf_local {
	const struct node *node;
	struct str stat_prefix;
	struct conf_http_status *status;
	struct conf_bucket *token_bucket;
	struct conf_runtime_fraction *filter_enabled, *filter_enforced;
	conf_header_options request_headers_to_add_when_not_enforced;
	conf_header_options response_headers_to_add;
	CONF_LIST(struct conf_descriptor) descriptors;
	uint32_t stage;
	int enable_x_ratelimit_headers;
	int vh_rate_limits;
	bool always_consume_default_token_bucket;
	conf_rate_limits rate_limits;
};

/* A configuration made ready, of the filter or of a route. */
struct local {
	const struct conf_local *conf;
	bool of_route;
	const struct format *request_values[HEADERS_MAX];
	const struct format *response_values[HEADERS_MAX];
	int enabled, enforced, ok, rate_limited; /* counters */
};

/* What a request has found out, for its response. */
struct seen {
	bool x_ratelimit;
	struct limit_result result;
};

/* ---- configuration ---- */

static const struct schema_field bucket_fields[] = {
	{ .name = "max_tokens",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_bucket, max_tokens),
	    .min = 1,
	    .max = 4294967295,
	    .required = true,
	    .text = "Tokens of a full bucket, with which it starts." },
	{ .name = "tokens_per_fill",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_bucket, tokens_per_fill),
	    .min = 1,
	    .max = 4294967295,
	    .fallback = "1",
	    .text = "Tokens that come back in each fill_interval." },
	{ .name = "fill_interval",
	    .type = SCHEMA_DURATION,
	    SCHEMA_AT(struct conf_bucket, fill_interval),
	    .required = true,
	    .text = "In this time tokens_per_fill tokens come back, spread "
		    "evenly; at least 50ms." },
	{ .name = NULL },
};

static const struct schema_message bucket_message = {
	.name = "envoy.type.v3.TokenBucket",
	.size = sizeof(struct conf_bucket),
	.fields = bucket_fields,
};

static const struct schema_field entry_fields[] = {
	{ .name = "key",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_entry, key),
	    .min_items = 1,
	    .required = true,
	    .text = "Key of the entry." },
	{ .name = "value",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_entry, value),
	    .text = "Value of the entry; empty: any, each with a bucket of "
		    "its own." },
	{ .name = NULL },
};

static const struct schema_message entry_message = {
	.name = "envoy.extensions.common.ratelimit.v3."
		"RateLimitDescriptor.Entry",
	.size = sizeof(struct conf_entry),
	.fields = entry_fields,
};

static const struct schema_field descriptor_fields[] = {
	{ .name = "entries",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_descriptor, entries),
	    .message = &entry_message,
	    .min_items = 1,
	    .required = true,
	    .text = "Matches a request's descriptor with the same entries in "
		    "the same order." },
	{ .name = "token_bucket",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_descriptor, token_bucket),
	    .message = &bucket_message,
	    .required = true,
	    .text = "Bucket of the requests that match." },
	REFUSED_SCALAR("shadow_mode", "use filter_enforced to try a limit out"),
	{ .name = NULL },
};

static const struct schema_message descriptor_message = {
	.name = "envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor",
	.size = sizeof(struct conf_descriptor),
	.fields = descriptor_fields,
};

static const struct schema_choice x_ratelimit_choices[] = {
	{ .name = "OFF", .value = 0 },
	{ .name = "DRAFT_VERSION_03", .value = 1 },
	{ .name = NULL },
};

static const struct schema_choice vh_choices[] = {
	{ .name = "OVERRIDE", .value = 0 },
	{ .name = "INCLUDE",
	    .value = 1,
	    .refused = "a route's rate_limits replace the virtual host's" },
	{ .name = "IGNORE",
	    .value = 2,
	    .refused = "give the routes rate_limits of their own" },
	{ .name = NULL },
};

static const struct schema_field local_fields[] = {
	{ .name = "stat_prefix",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_local, stat_prefix),
	    .min_items = 1,
	    .required = true,
	    .text = "Begins the names of the counters." },
	{ .name = "status",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_local, status),
	    .message = &conf_http_status_message,
	    .text = "Status of a refusal; 429 also for what is below 400." },
	{ .name = "token_bucket",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_local, token_bucket),
	    .message = &bucket_message,
	    .text = "Bucket of all requests; without it only descriptors "
		    "limit." },
	{ .name = "filter_enabled",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_local, filter_enabled),
	    .message = &conf_runtime_fraction_message,
	    .text = "Fraction of requests that are counted; none unless "
		    "given." },
	{ .name = "filter_enforced",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_local, filter_enforced),
	    .message = &conf_runtime_fraction_message,
	    .text = "Fraction of those beyond the limit that are refused; "
		    "none unless given." },
	{ .name = "request_headers_to_add_when_not_enforced",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(
		struct conf_local, request_headers_to_add_when_not_enforced),
	    .message = &conf_header_option_message,
	    .text = "Headers of requests beyond the limit that are forwarded "
		    "all the same; at most 10." },
	{ .name = "response_headers_to_add",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_local, response_headers_to_add),
	    .message = &conf_header_option_message,
	    .text = "Headers of refusals; at most 10." },
	{ .name = "descriptors",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_local, descriptors),
	    .message = &descriptor_message,
	    .text = "Buckets of requests with certain descriptors." },
	{ .name = "stage",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_local, stage),
	    .max = 10,
	    .text = "Only the route's rate_limits of this stage apply." },
	{ .name = "enable_x_ratelimit_headers",
	    .type = SCHEMA_ENUM,
	    SCHEMA_AT(struct conf_local, enable_x_ratelimit_headers),
	    .choices = x_ratelimit_choices,
	    .text = "Whether responses carry x-ratelimit-limit, -remaining "
		    "and -reset." },
	{ .name = "vh_rate_limits",
	    .type = SCHEMA_ENUM,
	    SCHEMA_AT(struct conf_local, vh_rate_limits),
	    .choices = vh_choices,
	    .text = "The virtual host's rate_limits apply where the route has "
		    "none." },
	{ .name = "always_consume_default_token_bucket",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_local, always_consume_default_token_bucket),
	    .fallback = "true",
	    .text = "Whether requests that match a descriptor draw from "
		    "token_bucket too." },
	{ .name = "rate_limits",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_local, rate_limits),
	    .message = &conf_rate_limit_message,
	    .text = "Makes the descriptors instead of the route's "
		    "rate_limits." },
	DELEGATED_SCALAR("max_dynamic_descriptors",
	    "the state file bounds how many values are remembered"),
	REFUSED_SCALAR("local_rate_limit_per_downstream_connection",
	    "connections end at the web server"),
	REFUSED("local_cluster_rate_limit",
	    "all processes of one machine share the bucket; there is no "
	    "cluster of gateways"),
	REFUSED_SCALAR("rate_limited_as_resource_exhausted",
	    "there is no gRPC behind FastCGI"),
	REFUSED_SCALAR("enable_retry_after_header",
	    "it is younger than the version this follows; "
	    "enable_x_ratelimit_headers tells the time too"),
	{ .name = NULL },
};

static void
check_bucket(struct diag *diag, const char *path, const struct conf_bucket *b,
    const char *what)
{
	if (b && b->fill_interval < 50 * NS_PER_MS)
		diag_error(diag, b->node->place, path,
		    "local rate limit %stoken bucket fill timer must be >= "
		    "50ms",
		    what);
}

static bool
descriptors_equal(
    const struct conf_descriptor *a, const struct conf_descriptor *b)
{
	if (a->entries.n != b->entries.n)
		return false;
	for (size_t i = 0; i < a->entries.n; i++)
		if (!str_eq(a->entries.items[i].key, b->entries.items[i].key) ||
		    !str_eq(
			a->entries.items[i].value, b->entries.items[i].value))
			return false;
	return true;
}

static void
check_descriptors(
    struct diag *diag, const char *path, const struct conf_local *c)
{
	for (size_t i = 0; i < c->descriptors.n; i++) {
		const struct conf_descriptor *d = &c->descriptors.items[i];

		check_bucket(diag, path, d->token_bucket, "descriptor ");
		if (d->entries.n > DESCRIPTOR_ENTRIES_MAX)
			diag_error(diag, d->node->place, path,
			    "a descriptor has at most %d entries",
			    DESCRIPTOR_ENTRIES_MAX);
		for (size_t j = 0; j < i; j++)
			if (descriptors_equal(d, &c->descriptors.items[j]))
				diag_error(diag, d->node->place, path,
				    "duplicate descriptor in the local rate "
				    "descriptor");
	}
}

static void
check_local(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_local *c = decoded;

	check_bucket(diag, path, c->token_bucket, "");
	check_descriptors(diag, path, c);
	if (c->response_headers_to_add.n > HEADERS_MAX ||
	    c->request_headers_to_add_when_not_enforced.n > HEADERS_MAX)
		diag_error(diag, c->node->place, path,
		    "value must contain no more than %d item(s)", HEADERS_MAX);
	for (size_t i = 0; i < c->rate_limits.n; i++) {
		const struct node *rate_limit = c->rate_limits.items[i].node;
		const struct node *stage = node_get(rate_limit, "stage");

		if (stage)
			diag_error(diag, stage->place, path,
			    "unknown field `stage`: these rate_limits always "
			    "apply");
	}
}

static const struct schema_message local_message = {
	.name = "envoy.extensions.filters.http.local_ratelimit.v3."
		"LocalRateLimit",
	.size = sizeof(struct conf_local),
	.fields = local_fields,
	.check = check_local,
};

static int
counter(struct setup *s, const struct conf_local *c, const char *name)
{
	struct str full = arena_printf(host_setup_arena(s),
	    STR_FMT ".http_local_rate_limit.%s", STR_ARG(c->stat_prefix), name);

	return host_setup_counter(s, full.ptr);
}

static void
compile_values(struct setup *s, const conf_header_options *options,
    const struct format **out)
{
	for (size_t i = 0; i < options->n && i < HEADERS_MAX; i++) {
		const struct conf_header_value *h = options->items[i].header;

		if (h)
			out[i] = host_setup_format(
			    s, h->node, h->value.ptr ? h->value : STR(""));
	}
}

static struct local *
make_local(struct setup *s, const struct conf_local *c)
{
	struct local *l = ARENA_NEW(host_setup_arena(s), struct local);

	l->conf = c;
	compile_values(
	    s, &c->request_headers_to_add_when_not_enforced, l->request_values);
	compile_values(s, &c->response_headers_to_add, l->response_values);
	l->enabled = counter(s, c, "enabled");
	l->enforced = counter(s, c, "enforced");
	l->ok = counter(s, c, "ok");
	l->rate_limited = counter(s, c, "rate_limited");
	return l;
}

static const void *
configure(struct setup *s, const void *decoded)
{
	return make_local(s, decoded);
}

static const void *
configure_route(struct setup *s, const void *decoded)
{
	struct local *l = make_local(s, decoded);

	if (!l->conf->token_bucket)
		host_setup_error(s, l->conf->node,
		    "local rate limit token bucket must be set for per filter "
		    "configs");
	l->of_route = true;
	return l;
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

/* ---- buckets ---- */

/* A bucket to draw from, and what tells it from others like it. */
struct draw {
	const struct conf_bucket *bucket;
	struct str key;
};

static double
fill_rate(const struct conf_bucket *b)
{
	return (double)b->tokens_per_fill / (double)b->fill_interval;
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

/* Adds a draw so that the slowest bucket comes first. */
static size_t
add_draw(struct draw *draws, size_t n, struct draw draw)
{
	size_t at = n;

	while (at > 0 &&
	       fill_rate(draws[at - 1].bucket) > fill_rate(draw.bucket)) {
		draws[at] = draws[at - 1];
		at--;
	}
	draws[at] = draw;
	return n + 1;
}

static size_t
matching_draws(
    struct exchange *x, const struct conf_local *c, struct draw *draws)
{
	const struct conf_rate_limit *limits = c->rate_limits.items;
	size_t n_limits = c->rate_limits.n, n = 0;
	bool own = n_limits > 0;

	if (!c->descriptors.n)
		return 0;
	if (!own)
		limits = host_rate_limits(x, &n_limits);
	for (size_t i = 0; i < n_limits && n < MATCHES_MAX; i++) {
		const struct conf_descriptor *match;
		struct descriptor d;

		if ((!own && limits[i].stage != c->stage) ||
		    limits[i].disable_key.len ||
		    !descriptor_make(x, &limits[i], &d))
			continue;
		match = best_fit(c, &d);
		if (match)
			n = add_draw(draws, n,
			    (struct draw){
				match->token_bucket, descriptor_key(x, &d) });
	}
	return n;
}

/*
 * Stable over restarts and apart for each configuration: its prefix, its
 * route, the bucket's numbers. A route without a name is known by where its
 * configuration stands.
 */
static struct limit_result
take(struct exchange *x, const struct local *l, struct draw draw)
{
	const struct conf_bucket *b = draw.bucket;
	struct arena *arena = host_arena(x);
	struct str route = STR("");
	struct str scope;

	if (l->of_route)
		route = host_attribute(x, HOST_ROUTE_NAME);
	if (l->of_route && !route.len)
		route = arena_printf(arena, "%u:%u", l->conf->node->place.line,
		    l->conf->node->place.column);
	scope = ARENA_JOIN(arena, STR("local_ratelimit "), l->conf->stat_prefix,
	    STR(" "), route, STR(" "), arena_u64(arena, b->max_tokens),
	    STR("/"), arena_u64(arena, b->tokens_per_fill), STR("/"),
	    arena_u64(arena, (uint64_t)b->fill_interval));
	return limit_bucket(host_state(x),
	    limit_key(host_state(x), scope, draw.key), b->max_tokens,
	    b->tokens_per_fill, b->fill_interval, host_boot_ns(x));
}

/*
 * Draws a token from each bucket that applies, the slowest first, until one
 * is empty; tokens drawn before stay drawn. What is told of is the one that
 * refused, else the slowest descriptor's, else the one of all requests.
 * Returns whether there was any.
 */
static bool
take_all(struct exchange *x, const struct local *l, struct limit_result *told)
{
	struct draw draws[MATCHES_MAX];
	size_t n = matching_draws(x, l->conf, draws);
	struct limit_result last;

	for (size_t i = 0; i < n; i++) {
		last = take(x, l, draws[i]);
		if (i == 0 || !last.allowed)
			*told = last;
		if (!last.allowed)
			return true;
	}
	if (!l->conf->token_bucket ||
	    (n > 0 && !l->conf->always_consume_default_token_bucket))
		return n > 0;
	last = take(x, l, (struct draw){ l->conf->token_bucket, STR("") });
	if (n == 0 || !last.allowed)
		*told = last;
	return true;
}

/* ---- requests ---- */

static bool
happens(struct exchange *x, const struct conf_runtime_fraction *fraction)
{
	static const uint64_t denominators[] = { 100, 10000, 1000000 };
	const struct conf_fractional_percent *p =
	    fraction ? fraction->default_value : NULL;

	return p && host_random(x, denominators[p->denominator]) < p->numerator;
}

static void
mark_request(struct exchange *x, const struct local *l)
{
	const conf_header_options *options =
	    &l->conf->request_headers_to_add_when_not_enforced;

	for (size_t i = 0; i < options->n; i++) {
		struct str name = header_name_lower(
		    host_arena(x), options->items[i].header->key);
		struct str value = host_format(x, l->request_values[i]);
		bool exists = host_header(x, HOST_REQUEST, name, 0).ptr;
		int action = options->items[i].append_action;

		if ((action == CONF_ADD_IF_ABSENT && exists) ||
		    (action == CONF_OVERWRITE_IF_EXISTS && !exists))
			continue;
		if (action == CONF_APPEND_IF_EXISTS_OR_ADD)
			(void)host_header_add(x, HOST_REQUEST, name, value);
		else
			(void)host_header_set(x, HOST_REQUEST, name, value);
	}
}

/* The configured headers, put together as they would be on the response. */
static void
add_configured(
    struct exchange *x, const struct local *l, struct headers *headers)
{
	const conf_header_options *options = &l->conf->response_headers_to_add;

	for (size_t i = 0; i < options->n; i++) {
		struct str name = header_name_lower(
		    host_arena(x), options->items[i].header->key);
		struct str value = host_format(x, l->response_values[i]);
		bool exists = headers_get(headers, name).ptr;
		int action = options->items[i].append_action;

		if (!value.len || (action == CONF_ADD_IF_ABSENT && exists) ||
		    (action == CONF_OVERWRITE_IF_EXISTS && !exists))
			continue;
		if (action == CONF_APPEND_IF_EXISTS_OR_ADD)
			headers_add(headers, name, value);
		else
			headers_set(headers, name, value);
	}
}

static void
add_numbers(
    struct arena *arena, const struct limit_result *r, struct headers *headers)
{
	long long reset_s =
	    r->remaining ? 0 : (r->reset_ns + NS_PER_S - 1) / NS_PER_S;

	headers_add(headers, STR("x-ratelimit-limit"),
	    arena_printf(arena, "%llu", (unsigned long long)r->limit));
	headers_add(headers, STR("x-ratelimit-remaining"),
	    arena_printf(arena, "%llu", (unsigned long long)r->remaining));
	headers_add(headers, STR("x-ratelimit-reset"),
	    arena_printf(arena, "%lld", reset_s));
}

static void
refuse(struct exchange *x, const struct local *l, const struct seen *seen)
{
	const struct conf_http_status *status = l->conf->status;
	struct headers headers;

	headers_init(&headers, host_arena(x));
	add_configured(x, l, &headers);
	if (seen->x_ratelimit)
		add_numbers(host_arena(x), &seen->result, &headers);
	host_reply(
	    x, &(struct host_reply){ .status = status && status->code >= 400
						   ? (unsigned)status->code
						   : 429,
		   .headers = headers.items,
		   .n_headers = headers.n,
		   .body = STR("local_rate_limited"),
		   .details = STR("local_rate_limited"),
		   .flag = "RL" });
}

static enum verdict
on_request(const void *data, void *state, struct exchange *x)
{
	const struct local *l = host_route_conf(x);
	struct seen *seen = state;

	if (!l)
		l = data;
	if (!host_state(x) || !happens(x, l->conf->filter_enabled))
		return FILTER_NEXT;
	host_count(x, l->enabled, 1);
	seen->result.allowed = true;
	seen->x_ratelimit = take_all(x, l, &seen->result) &&
			    l->conf->enable_x_ratelimit_headers;
	if (seen->result.allowed) {
		host_count(x, l->ok, 1);
		return FILTER_NEXT;
	}
	host_count(x, l->rate_limited, 1);
	if (!happens(x, l->conf->filter_enforced)) {
		mark_request(x, l);
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
	.conf = &local_message,
	.route_conf = &local_message,
	.configure = configure,
	.configure_route = configure_route,
	.needs = FILTER_NEEDS_STATE,
	.state_size = sizeof(struct seen),
	.on_request = on_request,
	.on_response = on_response,
};
