/* The fake chain. */
#include "config.h"

#include "chain/route.h"
#include "tests/unit/upstream/fake_chain.h"

struct world {
	struct exchange x;
	struct route route;
	struct gateway gateway;
	struct conf_route conf;
	struct conf_route_action action;
	struct forwarding forwarding;
};

static void
front_changed(struct exchange *x)
{
	struct fake_front *front = x->owner;

	front->changes++;
	if (front->on_changed)
		front->on_changed(x);
}

static const struct exchange_hooks hooks = { .changed = front_changed };

struct exchange *
fake_exchange(struct arena *arena, struct fake_front *front)
{
	struct world *w = ARENA_NEW(arena, struct world);
	struct exchange *x = &w->x;

	x->arena = arena;
	x->gateway = &w->gateway;
	x->route = &w->route;
	w->route.conf = &w->conf;
	w->conf.route = &w->action;
	w->route.forwarding = &w->forwarding;
	w->forwarding.action = &w->action;
	w->forwarding.keep_max = 1 << 20;
	x->phase = EXCHANGE_FORWARDING;
	x->hooks = &hooks;
	x->owner = front;
	x->upload_end = true;
	headers_init(&x->request, arena);
	headers_init(&x->response, arena);
	buf_init(&x->upload, EXCHANGE_BODY_WINDOW);
	buf_init(&x->download, EXCHANGE_BODY_WINDOW);
	return x;
}

struct route *
fake_route(struct exchange *x)
{
	return &((struct world *)(void *)x)->route;
}

struct gateway *
fake_gateway(struct exchange *x)
{
	return &((struct world *)(void *)x)->gateway;
}

struct conf_route_action *
fake_action(struct exchange *x)
{
	return &((struct world *)(void *)x)->action;
}

struct forwarding *
fake_forwarding(struct exchange *x)
{
	return &((struct world *)(void *)x)->forwarding;
}

/* ---- chain ---- */

void
exchange_count(const struct exchange *x, enum hcm_counter counter)
{
	(void)x;
	(void)counter;
}

void
route_use_hostname(
    const struct route *route, struct exchange *x, struct str hostname)
{
	if (route->conf->route->auto_host_rewrite)
		headers_set(&x->request, STR(":authority"), hostname);
}

uint64_t
host_random(struct exchange *x, uint64_t n)
{
	return x->random % n;
}

const struct conf_cluster *
gateway_cluster(const struct gateway *gateway, struct str name)
{
	const struct conf_static_resources *all =
	    gateway->bootstrap->static_resources;

	for (size_t i = 0; i < all->clusters.n; i++)
		if (str_eq(all->clusters.items[i].name, name))
			return &all->clusters.items[i];
	return NULL;
}

void
exchange_reply(struct exchange *x, const struct host_reply *reply)
{
	struct fake_front *front = x->owner;

	front->replied = reply->status;
	headers_init(&front->headers, x->arena);
	for (size_t i = 0; i < reply->n_headers; i++)
		headers_add(&front->headers, reply->headers[i].name,
		    reply->headers[i].value);
	front->flag = reply->flag;
	x->details = arena_str(x->arena, reply->details);
	x->local_body = arena_str(x->arena, reply->body);
	x->phase = EXCHANGE_ANSWERING;
	x->hooks->changed(x);
}

void
exchange_respond(struct exchange *x)
{
	struct fake_front *front = x->owner;

	front->responds++;
	x->phase = EXCHANGE_ANSWERING;
	if (front->on_respond)
		front->on_respond(x);
	x->hooks->changed(x);
}

void
exchange_cut(struct exchange *x)
{
	struct fake_front *front = x->owner;

	front->cuts++;
	x->phase = EXCHANGE_CUT;
	x->hooks->changed(x);
}

const struct conf_cluster *
route_cluster(const struct route *route, struct exchange *x)
{
	(void)x;
	return route->cluster;
}

void
route_prepare_request(const struct route *route, struct exchange *x)
{
	(void)route;
	headers_set(&x->request, STR("x-prepared"), STR("yes"));
}
