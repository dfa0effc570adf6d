/* What is tried again, how often, and after which wait. */
#include "config.h"

#include "base/clock.h"
#include "base/random.h"
#include "upstream/forward.h"

enum { MAX_FACTOR = 10 };

/* ---- the request ---- */

/* A value before its header is removed. */
static struct str
take_header(struct exchange *x, struct str name)
{
	struct str value = headers_joined(&x->request, name);

	headers_remove(&x->request, name);
	return value;
}

/* Whether a policy that asks for certain requests holds for this one. */
static bool
is_asked(const struct retry_policy *p, const struct exchange *x)
{
	for (size_t i = 0; p && i < p->n_requests; i++)
		if (header_match_holds(p->requests[i], &x->request))
			return true;
	return !p || !p->n_requests;
}

void
retry_read(struct forward *f)
{
	const struct retry_policy *p = f->rules->retry;
	struct retry *r = &f->retry;
	struct exchange *x = f->x;
	struct str on = take_header(x, STR("x-envoy-retry-on"));
	struct str grpc_on = take_header(x, STR("x-envoy-retry-grpc-on"));
	struct str max = take_header(x, STR("x-envoy-max-retries"));
	uint64_t n;

	r->policy = p;
	r->codes = take_header(x, STR("x-envoy-retriable-status-codes"));
	r->names = take_header(x, STR("x-envoy-retriable-header-names"));
	headers_remove(&x->request, STR("x-envoy-hedge-on-per-try-timeout"));
	headers_remove(
	    &x->request, STR("x-envoy-upstream-rq-per-try-timeout-ms"));
	r->on = (p ? p->on : 0) | retry_on_read(on, RETRY_WORDS_HTTP, NULL) |
		retry_on_read(grpc_on, RETRY_WORDS_GRPC, NULL);
	if (!is_asked(p, x))
		r->on = 0;
	r->left = p ? p->num_retries : 1;
	if (r->on && max.ptr && limits_read_number(max, &n))
		r->left = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	r->next_ms =
	    p && p->base_ms ? p->base_ms : f->router->clusters->retry_base_ms;
	r->max_ms = p && p->max_ms ? p->max_ms : r->next_ms * MAX_FACTOR;
}

/* ---- answers ---- */

static bool
is_listed(const struct retry *r, unsigned status)
{
	struct str list = r->codes;
	uint64_t code;

	for (size_t i = 0; r->policy && i < r->policy->n_codes; i++)
		if (r->policy->codes[i] == status)
			return true;
	while (list.ptr)
		if (limits_read_number(str_split(&list, ','), &code) &&
		    code == status)
			return true;
	return false;
}

static bool
has_retriable_header(struct forward *f)
{
	const struct retry_policy *p = f->retry.policy;
	struct str list = f->retry.names, name;

	for (size_t i = 0; p && i < p->n_headers; i++)
		if (header_match_holds(p->headers[i], &f->response))
			return true;
	while (list.ptr) {
		name = str_trim(str_split(&list, ','));
		name = header_name_lower(f->x->arena, name);
		if (name.len && headers_get(&f->response, name).ptr)
			return true;
	}
	return false;
}

static bool
has_retriable_grpc_status(const struct forward *f)
{
	static const struct {
		enum retry_on bit;
		uint64_t status;
	} statuses[] = { { RETRY_ON_CANCELLED, 1 },
		{ RETRY_ON_DEADLINE_EXCEEDED, 4 },
		{ RETRY_ON_RESOURCE_EXHAUSTED, 8 }, { RETRY_ON_INTERNAL, 13 },
		{ RETRY_ON_UNAVAILABLE, 14 } };
	struct str value = headers_get(&f->response, STR("grpc-status"));
	uint64_t status;

	if (!value.ptr || !limits_read_number(value, &status))
		return false;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if ((f->retry.on & statuses[i].bit) &&
		    statuses[i].status == status)
			return true;
	return false;
}

static bool
would_retry_answer(struct forward *f)
{
	unsigned on = f->retry.on;
	uint64_t status = 0;

	if (headers_get(&f->response, STR("x-envoy-ratelimited")).ptr)
		return on & RETRY_ON_ENVOY_RATELIMITED;
	(void)!str_to_u64(headers_get(&f->response, STR(":status")), &status);
	if ((on & RETRY_ON_5XX) && status >= 500 && status < 600)
		return true;
	if ((on & RETRY_ON_GATEWAY_ERROR) && status >= 502 && status <= 504)
		return true;
	if ((on & RETRY_ON_RETRIABLE_4XX) && status == 409)
		return true;
	if ((on & RETRY_ON_RETRIABLE_STATUS_CODES) &&
	    is_listed(&f->retry, (unsigned)status))
		return true;
	if ((on & RETRY_ON_RETRIABLE_HEADERS) && has_retriable_header(f))
		return true;
	return has_retriable_grpc_status(f);
}

/* ---- failures ---- */

static bool
is_of_connecting(enum call_failure failure)
{
	return failure == CALL_CONNECT_FAILED ||
	       failure == CALL_CONNECT_TIMEOUT || failure == CALL_TLS_FAILED ||
	       failure == CALL_LOCAL;
}

static bool
would_retry_failure(const struct forward *f, enum call_failure failure)
{
	unsigned on = f->retry.on;

	if (failure == CALL_OVERFLOW)
		return false;
	if ((on & RETRY_ON_CONNECT_FAILURE) && is_of_connecting(failure))
		return true;
	if ((on & RETRY_ON_RESET_BEFORE_REQUEST) && !f->ready_ns)
		return true;
	if (on & (RETRY_ON_RESET | RETRY_ON_5XX | RETRY_ON_GATEWAY_ERROR))
		return true;
	return (on & RETRY_ON_REFUSED_STREAM) && failure == CALL_REFUSED_STREAM;
}

/* ---- waiting ---- */

/* How long a header of the answer asks to wait; 0: it does not say. */
static uint64_t
asked_by(const struct conf_reset_header *conf, const struct headers *response)
{
	struct str value = headers_get(response, conf->name);
	int64_t now_s = clock_wall_ns() / NS_PER_S;
	uint64_t n;

	if (!value.ptr || !limits_read_number(value, &n) ||
	    n > INT64_MAX / 1000)
		return 0;
	if (conf->format == CONF_RESET_UNIX_TIMESTAMP)
		n = (int64_t)n > now_s ? n - (uint64_t)now_s : 0;
	return n * 1000;
}

/* The same of the first header that says something believable. */
static uint64_t
asked_wait(const struct forward *f)
{
	const struct conf_limited_back_off *conf =
	    f->retry.policy ? f->retry.policy->resets : NULL;
	uint64_t ms;

	for (size_t i = 0; conf && i < conf->reset_headers.n; i++) {
		ms = asked_by(&conf->reset_headers.items[i], &f->response);
		if (ms && ms <= (uint64_t)(conf->max_interval / NS_PER_MS))
			return ms;
	}
	return 0;
}

static uint64_t
exponential_wait(struct retry *r)
{
	uint64_t ms = random_u64() % r->next_ms;

	r->next_ms = r->next_ms * 2 < r->max_ms ? r->next_ms * 2 : r->max_ms;
	return ms;
}

/* ---- verdicts ---- */

static void
give_place(struct forward *f)
{
	if (f->retry.is_counted)
		admissions_give_retry(
		    f->router->admissions, f->cluster, f->rules->is_urgent);
	f->retry.is_counted = false;
}

static enum retry_verdict
judge(struct forward *f, bool would_retry, uint64_t asked_ms, uint64_t *wait_ms)
{
	struct retry *r = &f->retry;

	if (r->is_counted && !would_retry)
		forward_count_event(f, RQ_RETRY_SUCCESS);
	give_place(f);
	if (!would_retry)
		return RETRY_NO;
	if (!r->left) {
		forward_count_event(f, RQ_RETRY_LIMIT_EXCEEDED);
		return RETRY_LIMIT;
	}
	r->left--;
	if (!admissions_take_retry(
		f->router->admissions, f->cluster, f->rules->is_urgent)) {
		forward_count_event(f, RQ_RETRY_OVERFLOW);
		return RETRY_OVERFLOW;
	}
	r->is_counted = true;
	r->is_asked = asked_ms > 1;
	if (host_random(f->x, 100) >= f->router->clusters->retry_percent) {
		give_place(f);
		return RETRY_NO;
	}
	*wait_ms = r->is_asked ? asked_ms + random_u64() % (asked_ms / 2)
			       : exponential_wait(r);
	return RETRY_YES;
}

void
retry_begin(struct forward *f)
{
	forward_count_event(f, RQ_RETRY);
	forward_count_event(f, f->retry.is_asked
				   ? RQ_RETRY_BACKOFF_RATELIMITED
				   : RQ_RETRY_BACKOFF_EXPONENTIAL);
}

static enum retry_verdict
note(struct forward *f, enum retry_verdict verdict)
{
	if (verdict == RETRY_LIMIT)
		flags_set(&f->x->flags, FLAG_URX);
	if (verdict == RETRY_OVERFLOW)
		flags_set(&f->x->flags, FLAG_UO);
	return verdict;
}

enum retry_verdict
retry_after_answer(struct forward *f, uint64_t *wait_ms)
{
	bool would = would_retry_answer(f);

	if (!f->retry.on)
		return RETRY_NO;
	return note(f, judge(f, would, would ? asked_wait(f) : 0, wait_ms));
}

enum retry_verdict
retry_after_failure(
    struct forward *f, enum call_failure failure, uint64_t *wait_ms)
{
	if (!f->retry.on)
		return RETRY_NO;
	return note(f, judge(f, would_retry_failure(f, failure), 0, wait_ms));
}

void
retry_end(struct forward *f)
{
	give_place(f);
	f->retry.on = 0;
}

bool
retry_rejects(void *arg, const struct cluster_host *host)
{
	const struct forward *f = arg;
	const struct retry_policy *p = f->retry.policy;

	if (p->avoids_canaries && host->is_canary)
		return true;
	for (size_t i = 0; p->avoids_previous_hosts && i < f->n_tried; i++)
		if (f->tried[i] == host)
			return true;
	return false;
}
