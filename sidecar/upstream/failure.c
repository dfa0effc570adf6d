/* What went wrong, in Envoy's words: replies, flags, details, counters. */
#include "config.h"

#include "base/clock.h"
#include "base/log.h"
#include "chain/routestats.h"
#include "http/grpc.h"
#include "upstream/forward.h"

/* What Envoy makes of a failed call. */
static const struct outcome {
	unsigned status;
	const char *reason;
	const char *flag_name;
	unsigned flag;
	bool of_transport; /* the text is Envoy's transport failure reason */
} outcomes[] = {
	[CALL_NO_FAILURE] = { 503, "local reset", "LR", FLAG_LR, false },
	[CALL_CONNECT_FAILED] = { 503, "remote connection failure", "UF",
	    FLAG_UF, true },
	[CALL_CONNECT_TIMEOUT] = { 503, "connection timeout", "UF", FLAG_UF,
	    false },
	[CALL_UNRESOLVABLE] = { 503, "no healthy upstream", "UH", FLAG_UH,
	    false },
	[CALL_TLS_FAILED] = { 503, "remote connection failure", "UF", FLAG_UF,
	    true },
	[CALL_TERMINATED] = { 503, "connection termination", "UC", FLAG_UC,
	    false },
	[CALL_RESET] = { 503, "remote reset", "UR", FLAG_UR, false },
	[CALL_PROTOCOL] = { 502, "protocol error", "UPE", FLAG_UPE, false },
	[CALL_RESPONSE_TOO_LARGE] = { 502, "protocol error", "UPE", FLAG_UPE,
	    false },
	[CALL_LOCAL] = { 503, "local connection failure", "UF", FLAG_UF,
	    false },
	[CALL_OVERFLOW] = { 503, "overflow", "UO", FLAG_UO, false },
	[CALL_REFUSED_STREAM] = { 503, "remote refused stream reset", "UR",
	    FLAG_UR, false },
};

/* ---- counting ---- */

void
forward_count(struct forward *f, unsigned status, bool is_canary)
{
	const struct router_rules *rules = &f->x->gateway->router;
	struct stats *stats = f->router->stats;
	struct str internal =
	    headers_get(&f->x->request, STR("x-envoy-internal"));
	unsigned kind = ANSWER_TO_EXTERNAL;

	if (rules->no_dynamic_stats || f->x->health_check ||
	    (rules->no_grpc_stats && grpc_is_request(&f->x->request)))
		return;
	if (str_eq(internal, STR("true")))
		kind |= ANSWER_TO_INTERNAL;
	if (is_canary || (f->admission.all && f->admission.host->is_canary))
		kind |= ANSWER_OF_CANARY;
	stats_answer(stats, f->cluster, status, kind);
	route_count_answer(f->x, status);
	if (f->stat_name.len)
		stats_answer_as(stats, f->cluster, f->stat_name, status, kind);
}

void
forward_count_event(const struct forward *f, enum cluster_counter event)
{
	/* 0, ROUTE_RQ_TOTAL: none. */
	static const enum route_counter of_route[CLUSTER_COUNTERS] = {
		[RQ_TIMEOUT] = ROUTE_RQ_TIMEOUT,
		[RQ_RETRY] = ROUTE_RQ_RETRY,
		[RQ_RETRY_LIMIT_EXCEEDED] = ROUTE_RQ_RETRY_LIMIT_EXCEEDED,
		[RQ_RETRY_OVERFLOW] = ROUTE_RQ_RETRY_OVERFLOW,
		[RQ_RETRY_SUCCESS] = ROUTE_RQ_RETRY_SUCCESS,
	};

	stats_count(f->router->stats, f->cluster, event);
	if (of_route[event])
		route_count(f->x, of_route[event]);
}

static void
count_failure(const struct forward *f, enum call_failure failure)
{
	struct stats *stats = f->router->stats;

	switch (failure) {
	case CALL_CONNECT_TIMEOUT:
		stats_count(stats, f->cluster, CX_CONNECT_TIMEOUT);
		stats_count(stats, f->cluster, CX_CONNECT_FAIL);
		stats_count(stats, f->cluster, RQ_PENDING_FAILURE_EJECT);
		return;
	case CALL_CONNECT_FAILED:
	case CALL_TLS_FAILED:
	case CALL_LOCAL:
		stats_count(stats, f->cluster, CX_CONNECT_FAIL);
		stats_count(stats, f->cluster, RQ_PENDING_FAILURE_EJECT);
		return;
	case CALL_PROTOCOL:
	case CALL_RESPONSE_TOO_LARGE:
		stats_count(stats, f->cluster, CX_PROTOCOL_ERROR);
		return;
	case CALL_NO_FAILURE:
	case CALL_UNRESOLVABLE:
	case CALL_TERMINATED:
	case CALL_RESET:
	case CALL_OVERFLOW:
	case CALL_REFUSED_STREAM:
		return;
	}
}

/* ---- replying ---- */

enum { MAX_HEADERS = 4 };

static void
add(struct host_reply *reply, struct header *headers, struct str name,
    struct str value)
{
	headers[reply->n_headers++] = (struct header){ name, value };
}

/* With what the router adds to its replies: made is a further field, or absent. */
static void
send(struct forward *f, struct host_reply reply, struct str made)
{
	struct exchange *x = f->x;
	struct header headers[MAX_HEADERS];

	reply.headers = headers;
	reply.n_headers = 0;
	if (made.ptr && !x->gateway->suppress_envoy_headers)
		add(&reply, headers, made, STR("true"));
	if (f->begun && f->rules->counts_in_response)
		add(&reply, headers, STR("x-envoy-attempt-count"),
		    arena_printf(x->arena, "%u", x->attempts));
	exchange_reply(x, &reply);
}

void
failure_reply(struct forward *f, unsigned status, struct str body,
    struct str details, const char *flag)
{
	send(f,
	    (struct host_reply){ .status = status,
		.body = body,
		.details = details,
		.flag = flag },
	    STR_NONE);
}

void
failure_reply_overloaded(struct forward *f, struct str body, struct str details,
    const char *flag, struct str header)
{
	send(f,
	    (struct host_reply){
		.status = 503, .body = body, .details = details, .flag = flag },
	    header);
}

void
failure_no_host(struct forward *f)
{
	forward_count(f, 503, false);
	failure_reply(f, 503, STR("no healthy upstream"),
	    STR("no_healthy_upstream"), "UH");
}

/* ---- failed calls ---- */

/* "when{reason|text}" without blanks, as in Envoy's response code details. */
static struct str
reset_details(struct exchange *x, const char *when, const struct outcome *o)
{
	struct str details =
	    x->failure_text.len
		? arena_printf(x->arena, "%s{%s|" STR_FMT "}", when, o->reason,
		      STR_ARG(x->failure_text))
		: arena_printf(x->arena, "%s{%s}", when, o->reason);
	char *text = arena_cstr(x->arena, details);

	for (size_t i = 0; i < details.len; i++)
		if (text[i] == ' ')
			text[i] = '_';
	return (struct str){ text, details.len };
}

void
failure_note_host(struct forward *f)
{
	const struct cluster_host *host = f->admission.host;

	if (!f->admission.all)
		return;
	f->x->upstream_host = host->address.ptr ? host->address
			      : f->call
				  ? arena_str(f->x->arena, call_peer(f->call))
				  : f->x->upstream_host;
}

static void
note(struct forward *f, enum call_failure failure, struct str text)
{
	const struct outcome *o = &outcomes[failure];
	const struct cluster_host *host = f->admission.host;
	struct str name = host->address.ptr ? host->address : host->hostname;
	int64_t now = clock_boot_ns();

	failure_note_host(f);
	count_failure(f, failure);
	f->x->failure_text =
	    o->of_transport ? arena_str(f->x->arena, text) : STR_NONE;
	log_debug(
	    STR_FMT ": %s: " STR_FMT, STR_ARG(name), o->reason, STR_ARG(text));
	if (failure != CALL_LOCAL || now - f->router->warned_ns < NS_PER_S)
		return;
	f->router->warned_ns = now;
	log_warn(STR_FMT ": " STR_FMT, STR_ARG(name), STR_ARG(text));
}

static void
reply_reset(struct forward *f, const struct outcome *o)
{
	struct exchange *x = f->x;
	struct host_reply reply = { .status = o->status,
		.body = arena_printf(x->arena,
		    "upstream connect error or disconnect/reset before "
		    "headers. %sreset reason: %s",
		    x->attempts > 1 ? "retried and the latest " : "",
		    o->reason),
		.details = reset_details(
		    x, "upstream_reset_before_response_started", o),
		.flag = o->flag_name };

	send(f, reply,
	    o->flag == FLAG_UO ? STR("x-envoy-overloaded") : STR_NONE);
}

static bool
is_retried(struct forward *f, enum call_failure failure)
{
	uint64_t wait_ms;

	if (retry_after_failure(f, failure, &wait_ms) != RETRY_YES)
		return false;
	attempt_end(f);
	f->retries_timeout = false;
	f->retry_ns = clock_boot_ns() + (int64_t)wait_ms * NS_PER_MS;
	limits_arm(f);
	return true;
}

void
failure_of_call(struct forward *f, enum call_failure failure, struct str text)
{
	const struct outcome *o = &outcomes[failure];

	if (failure == CALL_UNRESOLVABLE) {
		log_debug(STR_FMT ": " STR_FMT,
		    STR_ARG(f->admission.host->hostname), STR_ARG(text));
		stats_count(f->router->stats, f->cluster, CX_NONE_HEALTHY);
		attempt_end(f);
		retry_end(f);
		failure_no_host(f);
		return;
	}
	note(f, failure, text);
	if (is_retried(f, failure))
		return;
	forward_count(f, o->status, false);
	attempt_end(f);
	reply_reset(f, o);
}

void
failure_late(struct forward *f, enum call_failure failure, struct str text)
{
	const struct outcome *o = &outcomes[failure];
	struct exchange *x = f->x;

	note(f, failure, text);
	flags_set(&x->flags, o->flag);
	x->details =
	    reset_details(x, "upstream_reset_after_response_started", o);
}

/* ---- time ---- */

void
failure_of_time(
    struct forward *f, const struct host_reply *reply, unsigned flag)
{
	struct exchange *x = f->x;

	failure_note_host(f);
	if (f->admission.holds_pending)
		stats_count(f->router->stats, f->cluster, RQ_CANCELLED);
	attempt_end(f);
	retry_end(f);
	f->retry_ns = 0;
	timer_clear(f->router->loop, &f->timer);
	if (x->phase < EXCHANGE_ANSWERING) {
		send(f, *reply, STR_NONE);
		return;
	}
	flags_set(&x->flags, flag);
	x->details = reply->details;
	exchange_cut(x);
}
