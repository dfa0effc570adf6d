#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "observe/access_log.h"
#include "tests/unit/front/fake_chain.h"
#include "upstream/router.h"

struct fake_chain fake_chain;

static const struct conf_hcm hcm = { .stream_idle_timeout = 300 * NS_PER_S };
static const struct gateway gateway = { .hcm = &hcm };

void
fake_chain_reset(void)
{
	fake_chain = (struct fake_chain){ .started = 0 };
}

const struct gateway *
fake_chain_gateway(void)
{
	return &gateway;
}

static void
must(enum err err)
{
	if (err)
		abort();
}

/* ---- the chain ---- */

struct exchange *
exchange_new(struct arena *arena, const struct gateway *g, struct state *state,
    const struct exchange_hooks *hooks, void *owner)
{
	struct exchange *x = ARENA_NEW(arena, struct exchange);

	x->arena = arena;
	x->gateway = g;
	x->state = state;
	x->hooks = hooks;
	x->owner = owner;
	headers_init(&x->request, arena);
	headers_init(&x->response, arena);
	buf_init(&x->upload, EXCHANGE_BODY_WINDOW);
	buf_init(&x->download, EXCHANGE_BODY_WINDOW);
	return x;
}

void
exchange_start(struct exchange *x)
{
	fake_chain.x = x;
	fake_chain.started++;
	x->phase = EXCHANGE_FORWARDING;
	x->hooks->forward(x);
}

void
exchange_upload_moved(struct exchange *x)
{
	(void)x;
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
	(void)x;
	return false;
}

bool
exchange_response_is_bodyless(const struct exchange *x)
{
	return str_eq(headers_get(&x->request, STR(":method")), STR("HEAD"));
}

void
exchange_reply(struct exchange *x, const struct host_reply *reply)
{
	headers_init(&x->response, x->arena);
	headers_add(&x->response, STR(":status"),
	    arena_printf(x->arena, "%u", reply->status));
	x->details = arena_str(x->arena, reply->details);
	must(buf_append(&x->download, reply->body));
	x->download_end = true;
	x->phase = EXCHANGE_ANSWERING;
	x->hooks->changed(x);
}

void
exchange_cut(struct exchange *x)
{
	x->phase = EXCHANGE_CUT;
	x->hooks->changed(x);
}

void
exchange_end(struct exchange *x)
{
	fake_chain.ended++;
	fake_chain.x = NULL;
	buf_free(&x->upload);
	buf_free(&x->download);
}

/* ---- the router ---- */

static void
take_upload(struct exchange *x)
{
	struct str bytes = buf_bytes(&x->upload);

	if (fake_chain.echoes && x->phase == EXCHANGE_ANSWERING)
		bytes = str_slice(bytes, 0, buf_room(&x->download));
	else if (!fake_chain.swallows)
		return;
	if (fake_chain.echoes)
		must(buf_append(&x->download, bytes));
	buf_consume(&x->upload, bytes.len);
	if (fake_chain.echoes && x->upload_end && buf_is_empty(&x->upload))
		x->download_end = true;
	if (bytes.len || x->download_end)
		x->hooks->changed(x);
}

void
router_forward(struct router *router, struct exchange *x)
{
	(void)router;
	if (fake_chain.echoes)
		fake_chain_respond(200, -1);
	take_upload(x);
}

void
router_resume(struct exchange *x)
{
	fake_chain.resumed++;
	take_upload(x);
}

void
router_end(struct exchange *x)
{
	(void)x;
}

/* ---- the access log ---- */

static void
copy(char *out, size_t size, struct str s)
{
	(void)snprintf(out, size, STR_FMT, STR_ARG(s));
}

int64_t
access_log_interval_ns(const struct access_log *log)
{
	(void)log;
	return 0;
}

void
access_log_write(
    struct access_log *log, struct exchange *x, enum log_type type)
{
	(void)log;
	if (type != LOG_END)
		return;
	fake_chain.logged++;
	fake_chain.status = exchange_status(x);
	fake_chain.flags = x->flags.bits;
	fake_chain.bytes_received = x->bytes_received;
	fake_chain.bytes_sent = x->bytes_sent;
	fake_chain.upload_len = x->upload_len;
	copy(fake_chain.details, sizeof(fake_chain.details), x->details);
	copy(fake_chain.path, sizeof(fake_chain.path),
	    headers_get(&x->request, STR(":path")));
}

/* ---- the backend ---- */

void
fake_chain_respond(unsigned status, int64_t length)
{
	struct exchange *x = fake_chain.x;

	headers_add(
	    &x->response, STR(":status"), arena_printf(x->arena, "%u", status));
	if (length >= 0)
		headers_add(&x->response, STR("content-length"),
		    arena_printf(x->arena, "%lld", (long long)length));
	x->phase = EXCHANGE_ANSWERING;
	x->hooks->changed(x);
}

void
fake_chain_body(struct str bytes)
{
	must(buf_append(&fake_chain.x->download, bytes));
	fake_chain.x->hooks->changed(fake_chain.x);
}

void
fake_chain_body_end(void)
{
	fake_chain.x->download_end = true;
	fake_chain.x->hooks->changed(fake_chain.x);
}
