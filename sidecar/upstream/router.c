/*
 * Forwards exchanges. Everything the router tells the chain is the last thing
 * a function does: the chain may answer by ending the forwarding.
 */
#include "config.h"

#include <sys/random.h>

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "chain/route.h"
#include "upstream/balance.h"
#include "upstream/router.h"

struct router {
	struct loop *loop;
	const struct clusters *clusters;
	struct client *client;
	struct balancer *balancer;
	int64_t warned_ns;
};

/* An exchange on its way. In the exchange's arena. */
struct forward {
	struct router *router;
	struct exchange *x;
	const struct cluster *cluster;
	const struct cluster_host *host;
	struct call *call; /* NULL once it is over */
	struct headers response;
	bool responded;
	bool upload_ended;
	int64_t upload_end_ns;
	int64_t moved_ns; /* when bytes last moved, either way */
	struct timer timer;
	struct task cut;
};

struct router *
router_new(struct loop *loop, const struct clusters *clusters)
{
	struct router *r = calloc(1, sizeof(*r));
	uint64_t seed = 0;

	if (!r)
		abort();
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = (uint64_t)clock_wall_ns();
	r->loop = loop;
	r->clusters = clusters;
	r->client = client_new(loop);
	r->balancer = balancer_new(clusters, seed);
	return r;
}

void
router_free(struct router *r)
{
	client_free(r->client);
	balancer_free(r->balancer);
	free(r);
}

/* ---- the end ---- */

static void
end_call(struct forward *f)
{
	if (!f->call)
		return;
	call_end(f->call);
	f->call = NULL;
	balancer_release(f->router->balancer, f->cluster, f->host);
	timer_clear(f->router->loop, &f->timer);
}

static void
note_host(struct forward *f)
{
	struct str peer = call_peer(f->call);

	f->x->upstream_host = f->host->address.ptr
				  ? f->host->address
				  : arena_str(f->x->arena, peer);
}

void
router_end(struct exchange *x)
{
	struct forward *f = x->router;

	if (!f)
		return;
	x->router = NULL;
	if (f->call)
		note_host(f);
	task_clear(f->router->loop, &f->cut);
	end_call(f);
}

/* ---- failures ---- */

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
};

static void
reply(struct exchange *x, unsigned status, struct str body, struct str details,
    const char *flag)
{
	exchange_reply(x, &(struct host_reply){ .status = status,
			      .body = body,
			      .details = details,
			      .flag = flag });
}

static void
reply_no_host(struct exchange *x)
{
	reply(x, 503, STR("no healthy upstream"), STR("no_healthy_upstream"),
	    "UH");
}

static void
reply_no_cluster(struct exchange *x)
{
	static const unsigned codes[] = { [CONF_NOT_FOUND_503] = 503,
		[CONF_NOT_FOUND_404] = 404,
		[CONF_NOT_FOUND_500] = 500 };
	const struct conf_route_action *action = x->route->conf->route;

	reply(x, codes[action ? action->cluster_not_found_response_code : 0],
	    STR_NONE, STR("cluster_not_found"), "NC");
}

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

static void
cut(struct forward *f)
{
	end_call(f);
	exchange_cut(f->x);
}

static void
cut_later(void *arg)
{
	cut(arg);
}

static void
note_failure(struct forward *f, const struct outcome *o)
{
	const char *text = call_failure_text(f->call);
	const char *host = f->host->origin.unix_path ? f->host->origin.unix_path
						     : f->host->origin.url;
	bool local = call_failure(f->call) == CALL_LOCAL;

	if (o->of_transport)
		f->x->failure_text = arena_str(f->x->arena, str_of(text));
	log_debug("%s: %s: %s", host, o->reason, text);
	if (!local || clock_boot_ns() - f->router->warned_ns < NS_PER_S)
		return;
	f->router->warned_ns = clock_boot_ns();
	log_warn("%s: %s", host, text);
}

static void
fail_before_response(struct forward *f)
{
	const struct outcome *o = &outcomes[call_failure(f->call)];
	struct exchange *x = f->x;

	if (call_failure(f->call) == CALL_UNRESOLVABLE) {
		log_debug(
		    "%s: %s", f->host->origin.url, call_failure_text(f->call));
		x->attempts = 0;
		end_call(f);
		reply_no_host(x);
		return;
	}
	note_failure(f, o);
	note_host(f);
	end_call(f);
	reply(x, o->status,
	    arena_printf(x->arena,
		"upstream connect error or disconnect/reset before headers. "
		"reset reason: %s",
		o->reason),
	    reset_details(x, "upstream_reset_before_response_started", o),
	    o->flag_name);
}

static void
note_late_failure(struct forward *f)
{
	const struct outcome *o = &outcomes[call_failure(f->call)];
	struct exchange *x = f->x;

	note_failure(f, o);
	flags_set(&x->flags, o->flag);
	x->details =
	    reset_details(x, "upstream_reset_after_response_started", o);
}

/* ---- time ---- */

static void
give_up(struct forward *f, const struct host_reply *answer, unsigned flag)
{
	struct exchange *x = f->x;

	note_host(f);
	if (x->phase < EXCHANGE_ANSWERING) {
		end_call(f);
		exchange_reply(x, answer);
		return;
	}
	flags_set(&x->flags, flag);
	x->details = answer->details;
	cut(f);
}

static void
give_up_response(struct forward *f)
{
	give_up(f,
	    &(struct host_reply){ .status = 504,
		.body = STR("upstream request timeout"),
		.details = STR("response_timeout"),
		.flag = "UT" },
	    FLAG_UT);
}

static void
give_up_movement(struct forward *f)
{
	exchange_count(f->x, HCM_RQ_IDLE_TIMEOUT);
	give_up(f,
	    &(struct host_reply){ .status = f->upload_ended ? 504 : 408,
		.body = STR("stream timeout"),
		.details = STR("stream_idle_timeout"),
		.flag = "SI" },
	    FLAG_SI);
}

static int64_t
response_due(const struct forward *f)
{
	int64_t limit = f->x->route->timeout_ns;

	return limit > 0 && f->upload_ended ? f->upload_end_ns + limit
					    : INT64_MAX;
}

static int64_t
movement_due(const struct forward *f)
{
	int64_t limit = f->x->route->idle_timeout_ns;

	return limit > 0 ? f->moved_ns + limit : INT64_MAX;
}

static void arm(struct forward *);

static void
on_timer(void *arg)
{
	struct forward *f = arg;
	int64_t now = clock_boot_ns();

	if (now >= response_due(f))
		give_up_response(f);
	else if (now >= movement_due(f))
		give_up_movement(f);
	else
		arm(f);
}

/* The timer is not set anew when bytes move: it looks when it fires. */
static void
arm(struct forward *f)
{
	int64_t due = response_due(f), idle = movement_due(f);

	if (idle < due)
		due = idle;
	if (due != INT64_MAX)
		timer_set(f->router->loop, &f->timer, due - clock_boot_ns(),
		    on_timer, f);
}

static void
note_upload_end(struct forward *f)
{
	struct exchange *x = f->x;

	if (!x->upload_end || f->upload_ended)
		return;
	f->upload_ended = true;
	f->upload_end_ns =
	    x->upload_end_ns ? x->upload_end_ns : clock_boot_ns();
	arm(f);
}

/* ---- the response ---- */

static void
add_service_time(struct forward *f)
{
	struct exchange *x = f->x;
	int64_t ns =
	    f->upload_ended ? x->upstream_headers_ns - f->upload_end_ns : 0;

	if (x->gateway->suppress_envoy_headers)
		return;
	headers_set(&x->response, STR("x-envoy-upstream-service-time"),
	    arena_printf(x->arena, "%lld", (long long)(ns / NS_PER_MS)));
}

static void
respond(struct forward *f)
{
	struct exchange *x = f->x;

	f->responded = true;
	x->response = f->response;
	x->upstream_headers_ns = clock_boot_ns();
	x->details = STR("via_upstream");
	headers_remove_hop_by_hop(&x->response);
	add_service_time(f);
}

static void
on_changed(void *arg)
{
	struct forward *f = arg;
	struct exchange *x = f->x;
	enum call_state state = call_state(f->call);
	bool first = state != CALL_WAITING && !f->responded;

	f->moved_ns = clock_boot_ns();
	if (first && !headers_get(&f->response, STR(":status")).ptr) {
		fail_before_response(f);
		return;
	}
	if (first) {
		note_host(f);
		respond(f);
	}
	if (state == CALL_FAILED) {
		note_late_failure(f);
		task_defer(f->router->loop, &f->cut, cut_later, f);
	}
	if (state == CALL_DONE) {
		x->download_end = true;
		end_call(f);
	}
	if (first)
		exchange_respond(x);
	else
		x->hooks->changed(x);
}

/* ---- the request ---- */

static int64_t
body_len(const struct exchange *x)
{
	if (x->upload_len != 0)
		return x->upload_len < 0 ? CALL_BODY_UNKNOWN : x->upload_len;
	return headers_get(&x->request, STR("content-length")).ptr
		   ? 0
		   : CALL_BODY_NONE;
}

static void
prepare(struct exchange *x)
{
	int64_t limit = x->route->timeout_ns;

	if (limit > 0 && !x->gateway->suppress_envoy_headers)
		headers_set(&x->request, STR("x-envoy-expected-rq-timeout-ms"),
		    arena_printf(
			x->arena, "%lld", (long long)(limit / NS_PER_MS)));
	route_prepare_request(x->route, x);
	headers_remove_hop_by_hop(&x->request);
}

static void
start(struct forward *f)
{
	struct exchange *x = f->x;
	struct call_spec spec = {
		.origin = &f->host->origin,
		.method = headers_get(&x->request, STR(":method")),
		.target = headers_get(&x->request, STR(":path")),
		.headers = &x->request,
		.authority = headers_get(&x->request, STR(":authority")),
		.body_len = body_len(x),
		.upload = &x->upload,
		.upload_end = &x->upload_end,
		.download = &x->download,
		.response = &f->response,
		.changed = on_changed,
		.owner = f,
	};

	f->call = call_start(f->router->client, &spec);
}

void
router_forward(struct router *r, struct exchange *x)
{
	const struct conf_cluster *conf = route_cluster(x->route, x);
	const struct cluster *cluster =
	    conf ? clusters_find(r->clusters, conf) : NULL;
	const struct cluster_host *host;
	struct forward *f;

	x->cluster = conf;
	if (!cluster) {
		reply_no_cluster(x);
		return;
	}
	host = balancer_take(r->balancer, cluster);
	if (!host) {
		reply_no_host(x);
		return;
	}
	f = ARENA_NEW(x->arena, struct forward);
	*f = (struct forward){ .router = r,
		.x = x,
		.cluster = cluster,
		.host = host,
		.moved_ns = clock_boot_ns() };
	headers_init(&f->response, x->arena);
	x->router = f;
	x->attempts = 1;
	prepare(x);
	start(f);
	note_upload_end(f);
	if (!f->upload_ended)
		arm(f);
}

void
router_resume(struct exchange *x)
{
	struct forward *f = x->router;

	if (!f || !f->call)
		return;
	f->moved_ns = clock_boot_ns();
	note_upload_end(f);
	call_resume(f->call);
}
