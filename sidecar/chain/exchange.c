/* The way of an exchange: checks, route, filters, answer. */
#include "config.h"

#include <assert.h>

#include "base/clock.h"
#include "base/random.h"
#include "chain/admission.h"
#include "chain/chain.h"
#include "chain/downstream.h"
#include "chain/early_mutation.h"
#include "chain/limits.h"
#include "chain/local_reply.h"
#include "chain/route.h"
#include "http/grpc.h"

struct exchange *
exchange_new(struct arena *arena, const struct gateway *gateway,
    struct state *state, const struct exchange_hooks *hooks, void *owner)
{
	struct exchange *x = ARENA_NEW(arena, struct exchange);

	x->arena = arena;
	x->gateway = gateway;
	x->state = state;
	x->hooks = hooks;
	x->owner = owner;
	x->start_ns = clock_boot_ns();
	x->start_wall_ns = clock_wall_ns();
	x->random = random_u64();
	x->random_next = x->random;
	headers_init(&x->request, arena);
	headers_init(&x->response, arena);
	buf_init(&x->upload, EXCHANGE_BODY_WINDOW);
	buf_init(&x->download, EXCHANGE_BODY_WINDOW);
	return x;
}

unsigned
exchange_status(const struct exchange *x)
{
	uint64_t status = 0;

	(void)!str_to_u64(headers_get(&x->response, STR(":status")), &status);
	return (unsigned)status;
}

bool
exchange_is_grpc(const struct exchange *x)
{
	return grpc_is_request(&x->request);
}

bool
exchange_response_is_bodyless(const struct exchange *x)
{
	unsigned status = exchange_status(x);

	return status == 204 || status == 304 ||
	       str_eq(headers_get(&x->request, STR(":method")), STR("HEAD"));
}

static void
tell(struct exchange *x, enum exchange_part part)
{
	if (x->hooks->passed)
		x->hooks->passed(x, part, 0, FILTER_NEXT);
}

/* ---- counting ---- */

static void
count_request(struct exchange *x)
{
	struct str protocol = x->peer.protocol;

	if (x->is_counted)
		return;
	x->is_counted = true;
	exchange_count(x, HCM_RQ_TOTAL);
	exchange_count(x, str_eq(protocol, STR("HTTP/2")) ? HCM_RQ_HTTP2_TOTAL
			  : str_eq(protocol, STR("HTTP/3"))
			      ? HCM_RQ_HTTP3_TOTAL
			      : HCM_RQ_HTTP1_TOTAL);
}

/* Envoy leaves the answers to health checks out. */
static void
count_response(const struct exchange *x)
{
	unsigned class = x->code / 100;

	if (x->health_check || str_starts(x->details, STR("health_check")))
		return;
	exchange_count(x, HCM_RQ_COMPLETED);
	if (class >= 1 && class <= 5)
		exchange_count(
		    x, (enum hcm_counter)(HCM_RQ_1XX + (int)class - 1));
	if (!x->upload_end)
		exchange_count(x, HCM_RQ_RESPONSE_BEFORE_RQ_COMPLETE);
}

/* ---- answering ---- */

static void
finish(struct exchange *x)
{
	x->answer_begin_ns = clock_boot_ns();
	downstream_finish(x);
	x->code = exchange_status(x);
	count_response(x);
	if (x->phase != EXCHANGE_CUT)
		x->phase = EXCHANGE_ANSWERING;
	x->hooks->changed(x);
}

/*
 * The response side, until it waits or the answer stands. The reply of a
 * filter of the response side passes no further filters, as in Envoy.
 */
static void
advance_response(struct exchange *x)
{
	switch (chain_run_response(x)) {
	case CHAIN_WAITS:
		return;
	case CHAIN_REPLIED:
	case CHAIN_TOO_LARGE:
		x->hooks->abandon(x);
		break;
	case CHAIN_PASSED:
		break;
	}
	finish(x);
}

static void
begin_response(struct exchange *x)
{
	x->phase = EXCHANGE_RESPONSE;
	if (!x->chain)
		chain_init(x);
	chain_begin_response(x);
	tell(x, EXCHANGE_PART_ANSWER);
	advance_response(x);
}

/*
 * A forwarding route changes the headers of local replies before those who
 * made them add theirs; a route that answers itself does so afterwards. A
 * filter's own reply goes on where the chain is run.
 */
static void
send_reply(struct exchange *x, const struct host_reply *reply)
{
	local_reply_finish(x, reply);
	if (chain_current(x) < 0)
		begin_response(x);
}

void
exchange_reply(struct exchange *x, const struct host_reply *reply)
{
	if (x->phase >= EXCHANGE_ANSWERING)
		return;
	count_request(x);
	local_reply_begin(x, reply);
	if (host_route_forwards(x) && !reply->bare)
		route_finish_response(x->route, x);
	local_reply_add_fields(x, reply);
	send_reply(x, reply);
}

void
exchange_respond(struct exchange *x)
{
	assert(x->phase == EXCHANGE_FORWARDING);
	x->code = exchange_status(x);
	route_finish_response(x->route, x);
	begin_response(x);
}

void
exchange_cut(struct exchange *x)
{
	exchange_count(x, HCM_RQ_TX_RESET);
	x->phase = EXCHANGE_CUT;
	x->hooks->changed(x);
}

/* ---- the request ---- */

/*
 * What a route answers itself; its own fields come last but for the type of
 * a body with a format.
 */
static void
reply_directly(
    struct exchange *x, const struct host_reply *reply, struct str type)
{
	exchange_count(x, HCM_RQ_DIRECT_RESPONSE);
	local_reply_begin(x, reply);
	local_reply_add_fields(x, reply);
	route_finish_response(x->route, x);
	if (type.ptr && reply->body.len)
		headers_set(&x->response, STR("content-type"), type);
	send_reply(x, reply);
}

static unsigned
status_of(const struct conf_route *conf)
{
	return conf->redirect ? route_redirect_status(conf->redirect)
			      : conf->direct_response->status;
}

static struct str
own_url(const struct exchange *x)
{
	const struct headers *h = &x->request;

	return arena_printf(x->arena, STR_FMT "://" STR_FMT STR_FMT,
	    STR_ARG(headers_get(h, STR(":scheme"))),
	    STR_ARG(headers_get(h, STR(":authority"))),
	    STR_ARG(headers_get(h, STR(":path"))));
}

/*
 * A redirect or a direct response, whose location is the request's own URL
 * where the status goes with one.
 */
static void
answer_by_route(struct exchange *x)
{
	unsigned status = status_of(x->route->conf);
	bool is_located = status == 201 || status / 100 == 3;
	struct header location = { STR("location"),
		x->route->conf->redirect ? route_location(x->route, x)
					 : own_url(x) };
	struct str type = STR_NONE;
	struct str body = route_direct_body(x->route, x, &type);

	reply_directly(x,
	    &(struct host_reply){ .status = status,
		.headers = &location,
		.n_headers = is_located ? 1 : 0,
		.body = body,
		.details = STR("direct_response") },
	    type);
}

static void
finish_request(struct exchange *x)
{
	exchange_count(x, HCM_ROUTER_RQ_TOTAL);
	if (!x->route) {
		exchange_count(x, HCM_NO_ROUTE);
		exchange_reply(x, &(struct host_reply){ .status = 404,
				      .details = STR("route_not_found"),
				      .flag = "NR" });
		return;
	}
	if (!x->route->conf->route) {
		answer_by_route(x);
		return;
	}
	route_enter(x->route, x);
	x->phase = EXCHANGE_FORWARDING;
	x->hooks->forward(x);
}

static void
advance_request(struct exchange *x)
{
	switch (chain_run_request(x)) {
	case CHAIN_PASSED:
		finish_request(x);
		return;
	case CHAIN_WAITS:
		return;
	case CHAIN_REPLIED:
		begin_response(x);
		return;
	case CHAIN_TOO_LARGE:
		exchange_count(x, HCM_RQ_TOO_LARGE);
		exchange_reply(
		    x, &(struct host_reply){ .status = 413,
			   .body = STR("Payload Too Large"),
			   .details = STR("request_payload_too_large") });
		return;
	}
}

/* False if the request was refused. */
static bool
prepare(struct exchange *x)
{
	unsigned refusal;

	if (!admission_check(x))
		return false;
	early_mutation_apply(x->gateway->early, x);
	refusal = downstream_prepare(x);
	if (!refusal)
		return true;
	exchange_count(x, HCM_RQ_REJECTED_VIA_IP_DETECTION);
	exchange_reply(
	    x, &(struct host_reply){ .status = refusal,
		   .details = STR("rejecting_because_detection_failed") });
	return false;
}

void
exchange_start(struct exchange *x)
{
	count_request(x);
	x->phase = EXCHANGE_REQUEST;
	x->client_address = x->peer.address;
	x->client_port = x->peer.port;
	x->original_path = headers_get(&x->request, STR(":path"));
	if (!prepare(x))
		return;
	host_reroute(x);
	limit_choose(x);
	chain_init(x);
	tell(x, EXCHANGE_PART_ENTRY);
	if (x->hooks->begun)
		x->hooks->begun(x);
	if (x->is_upgrade && x->route) {
		exchange_count(x, HCM_RQ_WS_ON_NON_WS_ROUTE);
		exchange_reply(x, &(struct host_reply){ .status = 403,
				      .details = STR("upgrade_failed") });
		return;
	}
	advance_request(x);
}

void
exchange_wake(struct exchange *x)
{
	if (x->phase == EXCHANGE_REQUEST)
		advance_request(x);
	else if (x->phase == EXCHANGE_RESPONSE)
		advance_response(x);
}

void
exchange_upload_moved(struct exchange *x)
{
	if (x->phase == EXCHANGE_REQUEST && chain_collects(x))
		advance_request(x);
}

static void
wake(void *arg)
{
	exchange_wake(arg);
}

void
exchange_join(struct exchange *x)
{
	if (x->wakes && !x->wake.generation)
		x->wake = wakes_join(x->wakes, wake, x);
}

void
exchange_end(struct exchange *x)
{
	x->end_ns = clock_boot_ns();
	count_request(x);
	if (x->flags.bits & FLAG_DC)
		exchange_count(x, HCM_RQ_RX_RESET);
	if (x->wakes)
		wakes_leave(x->wakes, x->wake);
	chain_end(x);
	buf_free(&x->upload);
	buf_free(&x->download);
}
