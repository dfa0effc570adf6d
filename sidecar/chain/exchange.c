/* The way of an exchange: checks, route, filters, answer. */
#include "config.h"

#include <assert.h>

#include "base/clock.h"
#include "base/random.h"
#include "chain/chain.h"
#include "chain/downstream.h"
#include "chain/local_reply.h"
#include "chain/route.h"

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
exchange_response_is_bodyless(const struct exchange *x)
{
	unsigned status = exchange_status(x);

	return status == 204 || status == 304 ||
	       str_eq(headers_get(&x->request, STR(":method")), STR("HEAD"));
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
	unsigned class = exchange_status(x) / 100;

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

/*
 * A forwarding route changes the headers of local replies before those who
 * made them add theirs; a route that answers itself does so afterwards.
 */
static void
build_reply(struct exchange *x, const struct host_reply *reply)
{
	bool forwards = x->route && x->route->conf->route;
	struct headers *h = &x->response;

	x->code_is_open = true;
	headers_init(h, x->arena);
	headers_add(
	    h, STR(":status"), arena_printf(x->arena, "%u", reply->status));
	x->details = arena_str(x->arena, reply->details);
	flags_set(&x->flags, flag_find(str_of(reply->flag)));
	x->local_body = arena_str(x->arena, reply->body);
	if (forwards)
		route_finish_response(x->route, x);
	for (size_t i = 0; i < reply->n_headers; i++) {
		struct str name = arena_str(x->arena, reply->headers[i].name);
		struct str value = arena_str(x->arena, reply->headers[i].value);
		if (header_name_is_valid(name) && header_value_is_valid(value))
			headers_add(h, name, value);
	}
	if (x->route && !forwards && x->answered_by_route)
		route_finish_response(x->route, x);
	x->code_is_open = false;
}

static void
set_reply_body(struct exchange *x, struct str body)
{
	struct headers *h = &x->response;
	enum err err;

	if (body.len && !headers_get(h, STR("content-type")).ptr)
		headers_add(h, STR("content-type"), STR("text/plain"));
	if (!exchange_response_is_bodyless(x) || body.len)
		headers_set(h, STR("content-length"),
		    arena_printf(x->arena, "%zu", body.len));
	buf_clear(&x->download);
	x->download_end = true;
	if (exchange_response_is_bodyless(x))
		return;
	if (x->download.max < body.len)
		x->download.max = body.len;
	err = buf_append(&x->download, body);
	if (err)
		x->phase = EXCHANGE_CUT;
}

static void
finish(struct exchange *x)
{
	downstream_finish(x);
	count_response(x);
	if (x->phase != EXCHANGE_CUT)
		x->phase = EXCHANGE_ANSWERING;
	x->hooks->changed(x);
}

/* The response side, until it waits or the answer stands. */
static void
advance_response(struct exchange *x)
{
	for (;;) {
		switch (chain_run_response(x)) {
		case CHAIN_PASSED:
			finish(x);
			return;
		case CHAIN_WAITS:
			return;
		case CHAIN_REPLIED:
		case CHAIN_TOO_LARGE:
			x->hooks->abandon(x);
			break;
		}
	}
}

static void
begin_response(struct exchange *x)
{
	x->phase = EXCHANGE_RESPONSE;
	if (!x->chain) {
		finish(x);
		return;
	}
	chain_begin_response(x);
	advance_response(x);
}

/* type, unless absent, is the body's, whatever the headers say. */
static void
answer(struct exchange *x, const struct host_reply *reply, struct str type)
{
	if (x->phase >= EXCHANGE_ANSWERING)
		return;
	count_request(x);
	build_reply(x, reply);
	if (type.ptr && reply->body.len)
		headers_set(&x->response, STR("content-type"), type);
	set_reply_body(x, local_reply_apply(x->gateway->local_reply, x));
	/* A filter's own reply goes on where the chain is run. */
	if (chain_current(x) < 0)
		begin_response(x);
}

void
exchange_reply(struct exchange *x, const struct host_reply *reply)
{
	answer(x, reply, STR_NONE);
}

void
exchange_respond(struct exchange *x)
{
	assert(x->phase == EXCHANGE_FORWARDING);
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

static void
refuse(struct exchange *x, unsigned status, struct str body, struct str details,
    const char *flag)
{
	exchange_reply(x, &(struct host_reply){ .status = status,
			      .body = body,
			      .details = details,
			      .flag = flag });
}

static void
redirect(struct exchange *x, unsigned status, struct str location,
    struct str details)
{
	struct header header = { STR("location"), location };

	exchange_reply(x, &(struct host_reply){ .status = status,
			      .headers = &header,
			      .n_headers = 1,
			      .details = details });
}

static void
answer_by_route(struct exchange *x)
{
	static const unsigned codes[] = { [CONF_301] = 301,
		[CONF_302] = 302,
		[CONF_303] = 303,
		[CONF_307] = 307,
		[CONF_308] = 308 };
	const struct conf_route *conf = x->route->conf;
	struct header location = { STR("location"), STR_NONE };
	struct host_reply reply = { .headers = &location,
		.details = STR("direct_response") };
	struct str type = STR_NONE;

	exchange_count(x, HCM_RQ_DIRECT_RESPONSE);
	x->answered_by_route = true;
	if (conf->redirect)
		reply.status = codes[conf->redirect->response_code];
	else
		reply.status = conf->direct_response->status;
	if (reply.status == 201 || reply.status / 100 == 3) {
		location.value = route_location(x->route, x);
		reply.n_headers = 1;
	}
	if (!conf->redirect)
		reply.body = route_direct_body(x->route, x, &type);
	answer(x, &reply, type);
}

static void
finish_request(struct exchange *x)
{
	const struct conf_route *conf = x->route ? x->route->conf : NULL;

	exchange_count(x, HCM_ROUTER_RQ_TOTAL);
	if (!conf) {
		exchange_count(x, HCM_NO_ROUTE);
		refuse(x, 404, STR_NONE, STR("route_not_found"), "NR");
		return;
	}
	if (!conf->route) {
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
		refuse(x, 413, STR("Payload Too Large"),
		    STR("request_payload_too_large"), NULL);
		return;
	}
}

/* Refuses what breaks a limit or has no host; false if it did. */
static bool
check_request(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	const struct conf_common_http *common =
	    hcm->common_http_protocol_options;
	size_t count = common && common->max_headers_count
			   ? common->max_headers_count
			   : 100;

	if (headers_size(&x->request) > hcm->max_request_headers_kb * 1024UL) {
		refuse(x, 431, STR("Request Header Fields Too Large"),
		    STR("http1.headers_too_large"), "DPE");
		return false;
	}
	if (x->request.n > count + 4) {
		refuse(x, 431, STR("Request Header Fields Too Large"),
		    STR("http1.too_many_headers"), "DPE");
		return false;
	}
	if (!headers_get(&x->request, STR(":authority")).len) {
		refuse(x, 400, STR_NONE, STR("missing_host_header"), NULL);
		return false;
	}
	return true;
}

static bool
normalize(struct exchange *x)
{
	struct str target = headers_get(&x->request, STR(":path"));
	enum err err;

	x->original_path = target;
	if (str_find_char(target, '#', 0) < target.len) {
		refuse(
		    x, 400, STR_NONE, STR("path_normalization_failed"), NULL);
		return false;
	}
	err = target_normalize(
	    x->arena, target, &x->gateway->target_rules, &target);
	if (err == ERR_DENIED) {
		redirect(x, 307, target, STR("path_normalization_failed"));
		return false;
	}
	if (err) {
		refuse(
		    x, 400, STR_NONE, STR("path_normalization_failed"), NULL);
		return false;
	}
	headers_set(&x->request, STR(":path"), target);
	return true;
}

void
exchange_start(struct exchange *x)
{
	count_request(x);
	x->phase = EXCHANGE_REQUEST;
	x->client_address = x->peer.address;
	if (!check_request(x) || !normalize(x))
		return;
	downstream_prepare(x);
	host_reroute(x);
	chain_init(x);
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
	count_request(x);
	if (x->flags.bits & FLAG_DC)
		exchange_count(x, HCM_RQ_RX_RESET);
	if (x->wakes)
		wakes_leave(x->wakes, x->wake);
	chain_end(x);
	buf_free(&x->upload);
	buf_free(&x->download);
}
