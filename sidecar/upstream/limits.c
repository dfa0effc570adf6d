/* How long things may take. */
#include "config.h"

#include "base/clock.h"
#include "http/grpc.h"
#include "upstream/forward.h"

/* ---- reading ---- */

bool
limits_read_number(struct str s, uint64_t *out)
{
	s = str_trim(s);
	if (str_starts(s, STR("+")))
		s = str_slice(s, 1, s.len);
	return str_to_u64(s, out);
}

/* The number in a header of the request; false if there is none. */
static bool
take_header(struct exchange *x, struct str name, uint64_t *out)
{
	struct str value = headers_get(&x->request, name);

	headers_remove(&x->request, name);
	return value.ptr && limits_read_number(value, out);
}

static uint64_t
milliseconds(int64_t ns)
{
	return ns > 0 ? (uint64_t)(ns / NS_PER_MS) : 0;
}

/* grpc-timeout: up to eight digits and a unit; 0 if it is not there. */
static uint64_t
grpc_timeout(const struct exchange *x)
{
	static const struct {
		char unit;
		uint64_t up, down;
	} units[] = { { 'H', 3600000, 1 }, { 'M', 60000, 1 }, { 'S', 1000, 1 },
		{ 'm', 1, 1 }, { 'u', 1, 1000 }, { 'n', 1, 1000000 } };
	struct str s = headers_get(&x->request, STR("grpc-timeout"));
	uint64_t n;

	if (s.len < 2 || s.len > 9 ||
	    !str_to_u64(str_slice(s, 0, s.len - 1), &n))
		return 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].unit == s.ptr[s.len - 1])
			return (n * units[i].up + units[i].down - 1) /
			       units[i].down;
	return 0;
}

/* What grpc-timeout asks for, within what max_grpc_timeout allows. */
static uint64_t
grpc_total(const struct forward *f)
{
	const struct conf_route_action *action = f->rules->action;
	uint64_t asked = grpc_timeout(f->x);
	uint64_t max = milliseconds(action->max_grpc_timeout);
	uint64_t offset = milliseconds(action->grpc_timeout_offset);

	if (offset < asked)
		asked -= offset;
	return max && (!asked || asked > max) ? max : asked;
}

static void
read_total(struct forward *f)
{
	const struct conf_route_action *action = f->rules->action;
	struct exchange *x = f->x;
	uint64_t ms;

	if (action->max_stream_duration)
		f->limits.total = 0;
	else if (action->has_max_grpc_timeout && grpc_is_request(&x->request))
		f->limits.total = grpc_total(f);
	else
		f->limits.total = milliseconds(x->route->timeout_ns);
	if (x->gateway->router.respects_expected_timeout &&
	    headers_get(&x->request, STR("x-envoy-expected-rq-timeout-ms"))
		.ptr) {
		if (limits_read_number(
			headers_get(
			    &x->request, STR("x-envoy-expected-rq-timeout-ms")),
			&ms))
			f->limits.total = ms;
		return;
	}
	if (take_header(x, STR("x-envoy-upstream-rq-timeout-ms"), &ms))
		f->limits.total = ms;
}

static void
read_attempt(struct forward *f)
{
	const struct retry_policy *retry = f->rules->retry;
	struct limits *l = &f->limits;
	uint64_t ms;

	if (retry) {
		l->attempt = milliseconds(retry->per_try_ns);
		l->attempt_idle = milliseconds(retry->per_try_idle_ns);
	}
	if (take_header(
		f->x, STR("x-envoy-upstream-rq-per-try-timeout-ms"), &ms))
		l->attempt = ms;
	if (l->total && l->attempt >= l->total)
		l->attempt = 0;
}

void
limits_read(struct forward *f)
{
	struct exchange *x = f->x;
	struct limits *l = &f->limits;
	uint64_t ms;

	read_total(f);
	read_attempt(f);
	limits_tell(f);
	l->idle = milliseconds(x->route->idle_timeout_ns);
	l->stream = milliseconds(f->cluster->max_stream_ns);
	if (take_header(x, STR("x-envoy-upstream-stream-duration-ms"), &ms))
		l->stream = ms;
	l->status = 504;
	if (headers_remove(
		&x->request, STR("x-envoy-upstream-rq-timeout-alt-response")))
		l->status = 204;
}

/* What has passed of the whole time. */
static uint64_t
elapsed(const struct forward *f)
{
	return f->upload_ended
		   ? milliseconds(clock_boot_ns() - f->upload_end_ns)
		   : 0;
}

void
limits_tell(struct forward *f)
{
	const struct limits *l = &f->limits;
	struct exchange *x = f->x;
	uint64_t ms = l->attempt ? l->attempt : l->total, passed = elapsed(f);

	if (!ms || x->gateway->suppress_envoy_headers)
		return;
	if (l->total && passed >= l->total)
		ms = 1;
	else if (l->total && l->total - passed < ms)
		ms = l->total - passed;
	headers_set(&x->request, STR("x-envoy-expected-rq-timeout-ms"),
	    arena_u64(x->arena, ms));
}

/* ---- the timer ---- */

/* So many milliseconds later; INT64_MAX for a limit of none. */
static int64_t
after(int64_t ns, uint64_t ms)
{
	if (!ms || ms > (uint64_t)(INT64_MAX / NS_PER_MS) / 2)
		return INT64_MAX;
	return ns + (int64_t)ms * NS_PER_MS;
}

static int64_t
total_due(const struct forward *f)
{
	return f->upload_ended ? after(f->upload_end_ns, f->limits.total)
			       : INT64_MAX;
}

static int64_t
idle_due(const struct forward *f)
{
	return after(f->moved_ns, f->limits.idle);
}

/* When the try began to count: it has a connection and the whole request. */
static int64_t
attempt_began(const struct forward *f)
{
	if (!f->call || !f->ready_ns || !f->upload_ended)
		return 0;
	return f->ready_ns > f->upload_end_ns ? f->ready_ns : f->upload_end_ns;
}

static int64_t
attempt_due(const struct forward *f)
{
	int64_t began = attempt_began(f);

	return began && !f->responded ? after(began, f->limits.attempt)
				      : INT64_MAX;
}

static int64_t
attempt_idle_due(const struct forward *f)
{
	int64_t since = attempt_began(f);

	if (!since)
		return INT64_MAX;
	if (f->answered_ns > since)
		since = f->answered_ns;
	return after(since, f->limits.attempt_idle);
}

static int64_t
stream_due(const struct forward *f)
{
	return f->call && f->ready_ns ? after(f->ready_ns, f->limits.stream)
				      : INT64_MAX;
}

static int64_t
retry_due(const struct forward *f)
{
	return f->retry_ns ? f->retry_ns : INT64_MAX;
}

/* ---- time is up ---- */

static struct host_reply
timeout_reply(const struct forward *f, struct str details)
{
	return (struct host_reply){ .status = f->limits.status,
		.body = f->limits.status == 504
			    ? STR("upstream request timeout")
			    : STR(""),
		.details = details,
		.flag = "UT" };
}

static void
give_up_total(struct forward *f)
{
	struct host_reply reply = timeout_reply(f, STR("response_timeout"));

	if (f->admission.all) {
		forward_count_event(f, RQ_TIMEOUT);
		if (!f->responded)
			forward_count(f, reply.status, false);
	}
	failure_of_time(f, &reply, FLAG_UT);
}

static void
give_up_idle(struct forward *f)
{
	struct host_reply reply = { .status = f->upload_ended ? 504 : 408,
		.body = STR("stream timeout"),
		.details = STR("stream_idle_timeout"),
		.flag = "SI" };

	exchange_count(f->x, HCM_RQ_IDLE_TIMEOUT);
	failure_of_time(f, &reply, FLAG_SI);
}

/* Whether the try that took too long is followed by another. */
static bool
is_retried(struct forward *f, bool is_timeout)
{
	enum retry_verdict verdict;
	uint64_t wait_ms;

	if (f->responded)
		return false;
	verdict = retry_after_failure(f, CALL_NO_FAILURE, &wait_ms);
	if (verdict != RETRY_YES)
		return false;
	failure_note_host(f);
	attempt_end(f);
	f->retries_timeout = is_timeout;
	f->retry_ns = after(clock_boot_ns(), wait_ms ? wait_ms : 1);
	limits_arm(f);
	return true;
}

static void
give_up_attempt(
    struct forward *f, enum cluster_counter counter, struct str details)
{
	struct host_reply reply = timeout_reply(f, details);

	forward_count_event(f, counter);
	if (is_retried(f, true))
		return;
	if (!f->responded)
		forward_count(f, reply.status, false);
	failure_of_time(f, &reply, FLAG_UT);
}

static void
give_up_stream(struct forward *f)
{
	struct host_reply reply = { .status = f->upload_ended ? 504 : 408,
		.body = STR("upstream max stream duration reached"),
		.details = STR("upstream_max_stream_duration_reached"),
		.flag = "UMSDR" };

	forward_count_event(f, RQ_MAX_DURATION_REACHED);
	if (is_retried(f, false))
		return;
	failure_of_time(f, &reply, FLAG_UMSDR);
}

static void
on_timer(void *arg)
{
	struct forward *f = arg;
	int64_t now = clock_boot_ns();

	if (now >= total_due(f))
		give_up_total(f);
	else if (now >= stream_due(f))
		give_up_stream(f);
	else if (now >= attempt_due(f))
		give_up_attempt(
		    f, RQ_PER_TRY_TIMEOUT, STR("upstream_per_try_timeout"));
	else if (now >= attempt_idle_due(f))
		give_up_attempt(f, RQ_PER_TRY_IDLE_TIMEOUT,
		    STR("upstream_per_try_idle_timeout"));
	else if (now >= idle_due(f))
		give_up_idle(f);
	else if (now >= retry_due(f))
		attempt_again(f);
	else
		limits_arm(f);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The timer is not set anew when bytes move: it looks when it fires. */
void
limits_arm(struct forward *f)
{
	int64_t due = earlier(total_due(f), idle_due(f));

	due = earlier(due, earlier(attempt_due(f), attempt_idle_due(f)));
	due = earlier(due, earlier(stream_due(f), retry_due(f)));
	if (due != INT64_MAX)
		timer_set(f->router->loop, &f->timer, due - clock_boot_ns(),
		    on_timer, f);
	else
		timer_clear(f->router->loop, &f->timer);
}
