/* Compiling what a route says of forwarding. */
#include "config.h"

#include "base/clock.h"
#include "chain/forwarding.h"

static const struct word {
	struct str text;
	enum retry_on bit;
	enum retry_words kind;
} words[] = {
	{ STR_INIT("5xx"), RETRY_ON_5XX, RETRY_WORDS_HTTP },
	{ STR_INIT("gateway-error"), RETRY_ON_GATEWAY_ERROR, RETRY_WORDS_HTTP },
	{ STR_INIT("connect-failure"), RETRY_ON_CONNECT_FAILURE,
	    RETRY_WORDS_HTTP },
	{ STR_INIT("envoy-ratelimited"), RETRY_ON_ENVOY_RATELIMITED,
	    RETRY_WORDS_HTTP },
	{ STR_INIT("retriable-4xx"), RETRY_ON_RETRIABLE_4XX, RETRY_WORDS_HTTP },
	{ STR_INIT("refused-stream"), RETRY_ON_REFUSED_STREAM,
	    RETRY_WORDS_HTTP },
	{ STR_INIT("retriable-status-codes"), RETRY_ON_RETRIABLE_STATUS_CODES,
	    RETRY_WORDS_HTTP },
	{ STR_INIT("retriable-headers"), RETRY_ON_RETRIABLE_HEADERS,
	    RETRY_WORDS_HTTP },
	{ STR_INIT("reset"), RETRY_ON_RESET, RETRY_WORDS_HTTP },
	{ STR_INIT("reset-before-request"), RETRY_ON_RESET_BEFORE_REQUEST,
	    RETRY_WORDS_HTTP },
	{ STR_INIT("http3-post-connect-failure"), RETRY_ON_HTTP3_FAILURE,
	    RETRY_WORDS_HTTP },
	{ STR_INIT("cancelled"), RETRY_ON_CANCELLED, RETRY_WORDS_GRPC },
	{ STR_INIT("deadline-exceeded"), RETRY_ON_DEADLINE_EXCEEDED,
	    RETRY_WORDS_GRPC },
	{ STR_INIT("internal"), RETRY_ON_INTERNAL, RETRY_WORDS_GRPC },
	{ STR_INIT("resource-exhausted"), RETRY_ON_RESOURCE_EXHAUSTED,
	    RETRY_WORDS_GRPC },
	{ STR_INIT("unavailable"), RETRY_ON_UNAVAILABLE, RETRY_WORDS_GRPC },
};
enum { N_WORDS = sizeof(words) / sizeof(words[0]) };

static unsigned
read_word(struct str word, enum retry_words kinds)
{
	for (size_t i = 0; i < N_WORDS; i++)
		if ((words[i].kind & kinds) && str_eq(words[i].text, word))
			return words[i].bit;
	return 0;
}

unsigned
retry_on_read(struct str list, enum retry_words kinds, struct str *unknown)
{
	unsigned on = 0, bit;
	struct str word;

	if (unknown)
		*unknown = STR_NONE;
	while (list.ptr) {
		word = str_trim(str_split(&list, ','));
		bit = read_word(word, kinds);
		if (!bit && word.len && unknown && !unknown->ptr)
			*unknown = word;
		on |= bit;
	}
	return on;
}

static void
build_words(struct retry_policy *p, const struct conf_retry_policy *conf,
    struct diag *diag)
{
	const char *names[N_WORDS + 1] = { NULL };
	const char *nearest;
	struct str unknown;

	p->on = retry_on_read(
	    conf->retry_on, RETRY_WORDS_HTTP | RETRY_WORDS_GRPC, &unknown);
	if (!unknown.ptr)
		return;
	diag_warn(diag, conf->node->place, NULL,
	    "retry_on: \"" STR_FMT "\" is no reason for a retry and counts "
	    "for nothing",
	    STR_ARG(unknown));
	for (size_t i = 0; i < N_WORDS; i++)
		names[i] = words[i].text.ptr;
	nearest = schema_nearest(unknown, names);
	if (nearest)
		diag_hint(diag, "did you mean \"%s\"?", nearest);
}

#define RETRY_HOST "envoy.extensions.retry.host."

static void
build_predicates(struct retry_policy *p, const struct conf_retry_policy *conf,
    struct diag *diag)
{
	for (size_t i = 0; i < conf->retry_host_predicate.n; i++) {
		const struct conf_extension *e =
		    &conf->retry_host_predicate.items[i];
		struct str type =
		    e->typed_config ? e->typed_config->type : STR("none");
		if (str_eq(type, STR(RETRY_HOST "previous_hosts.v3."
						"PreviousHostsPredicate")))
			p->avoids_previous_hosts = true;
		else if (str_eq(type, STR(RETRY_HOST "omit_canary_hosts.v3."
						     "OmitCanaryHostsPredicat"
						     "e")))
			p->avoids_canaries = true;
		else
			diag_error(diag, e->node->place, NULL,
			    "Didn't find a registered implementation for "
			    "'" STR_FMT "' with type URL: '" STR_FMT "'",
			    STR_ARG(e->name), STR_ARG(type));
	}
}

static const struct header_match **
build_matchers(struct arena *arena, const struct conf_header_matcher *items,
    size_t n, struct diag *diag)
{
	const struct header_match **out =
	    ARENA_ARRAY(arena, n + 1, const struct header_match *);

	for (size_t i = 0; i < n; i++)
		out[i] = header_match_build(arena, &items[i], diag);
	return out;
}

/* Envoy counts in whole milliseconds, at least one. */
static uint64_t
milliseconds(int64_t ns)
{
	return ns < NS_PER_MS ? 1 : (uint64_t)(ns / NS_PER_MS);
}

static const struct retry_policy *
build_retry(struct arena *arena, const struct conf_retry_policy *conf,
    struct diag *diag)
{
	struct retry_policy *p = ARENA_NEW(arena, struct retry_policy);
	int64_t attempts = conf->host_selection_retry_max_attempts;

	build_words(p, conf, diag);
	build_predicates(p, conf, diag);
	p->num_retries = conf->num_retries;
	p->per_try_ns = conf->per_try_timeout;
	p->per_try_idle_ns = conf->per_try_idle_timeout;
	p->host_attempts = attempts < 0       ? 0
			   : attempts > 10000 ? 10000
					      : (uint32_t)attempts;
	p->codes = conf->retriable_status_codes.items;
	p->n_codes = conf->retriable_status_codes.n;
	p->n_headers = conf->retriable_headers.n;
	p->headers = build_matchers(
	    arena, conf->retriable_headers.items, p->n_headers, diag);
	p->n_requests = conf->retriable_request_headers.n;
	p->requests = build_matchers(
	    arena, conf->retriable_request_headers.items, p->n_requests, diag);
	if (conf->retry_back_off) {
		p->base_ms = milliseconds(conf->retry_back_off->base_interval);
		if (conf->retry_back_off->has_max_interval)
			p->max_ms =
			    milliseconds(conf->retry_back_off->max_interval);
	}
	p->resets = conf->rate_limited_retry_back_off;
	return p;
}

static void
build_mirrors(
    struct arena *arena, struct forwarding *f, const conf_mirror_policies *conf)
{
	struct mirror_policy *mirrors =
	    ARENA_ARRAY(arena, conf->n + 1, struct mirror_policy);

	for (size_t i = 0; i < conf->n; i++) {
		mirrors[i].conf = &conf->items[i];
		if (conf->items[i].cluster_header.len)
			mirrors[i].header = header_name_sought(
			    arena, conf->items[i].cluster_header);
	}
	f->mirrors = mirrors;
	f->n_mirrors = conf->n;
}

/* The newer field comes first, else the nearer. */
static uint64_t
keep_max_of(const struct conf_route *route,
    const struct conf_virtual_host *vhost, uint64_t of_listener)
{
	if (route->has_request_body_buffer_limit)
		return route->request_body_buffer_limit;
	if (vhost->has_request_body_buffer_limit)
		return vhost->request_body_buffer_limit;
	if (route->has_per_request_buffer_limit_bytes)
		return route->per_request_buffer_limit_bytes;
	if (vhost->has_per_request_buffer_limit_bytes)
		return vhost->per_request_buffer_limit_bytes;
	return of_listener;
}

const struct forwarding *
forwarding_build(struct arena *arena, const struct conf_route *route,
    const struct conf_virtual_host *vhost,
    const struct conf_route_config *config, uint64_t keep_max,
    struct diag *diag)
{
	const struct conf_route_action *action = route->route;
	const struct conf_retry_policy *retry;
	struct forwarding *f;

	if (!action)
		return NULL;
	f = ARENA_NEW(arena, struct forwarding);
	f->action = action;
	retry =
	    action->retry_policy ? action->retry_policy : vhost->retry_policy;
	if (retry)
		f->retry = build_retry(arena, retry, diag);
	f->hash = hash_policy_build(
	    arena, action->hash_policy.items, action->hash_policy.n, diag);
	build_mirrors(arena, f,
	    action->request_mirror_policies.n ? &action->request_mirror_policies
	    : vhost->request_mirror_policies.n
		? &vhost->request_mirror_policies
		: &config->request_mirror_policies);
	f->keep_max = keep_max_of(route, vhost, keep_max);
	f->is_urgent = action->priority == 1;
	f->counts_in_request = vhost->include_request_attempt_count;
	f->counts_in_response = vhost->include_attempt_count_in_response;
	f->tells_timeout_retry = vhost->include_is_timeout_retry_header;
	return f;
}
