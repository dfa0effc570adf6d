/* The fake chain. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "chain/route.h"
#include "config/bootstrap.h"
#include "tests/unit/upstream/fake_chain.h"

struct world {
	struct exchange x;
	struct route route;
	struct gateway gateway;
	struct conf_route conf;
	struct conf_route_action action;
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

/* ---- chain ---- */

void
exchange_reply(struct exchange *x, const struct host_reply *reply)
{
	struct fake_front *front = x->owner;

	front->replied = reply->status;
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

/* ---- config ---- */

struct diag {
	char text[4096];
};

static struct diag only_diag;

struct diag *
fake_diag(void)
{
	only_diag.text[0] = '\0';
	return &only_diag;
}

const char *
fake_diag_text(void)
{
	return only_diag.text;
}

void
diag_error(struct diag *d, struct place place, const char *path,
    const char *format, ...)
{
	size_t len = strlen(d->text), room = sizeof(d->text) - len;
	va_list args;
	int n = snprintf(
	    d->text + len, room, "%u: %s: ", place.line, path ? path : "");

	if (n < 0 || (size_t)n >= room)
		return;
	va_start(args, format);
	(void)vsnprintf(d->text + len + n, room - (size_t)n, format, args);
	va_end(args);
	(void)strncat(d->text, "\n", sizeof(d->text) - strlen(d->text) - 1);
}

struct str
bootstrap_data(struct arena *arena, struct diag *diag, const char *path,
    const struct conf_data_source *source, size_t max)
{
	char *bytes;
	size_t n;
	FILE *file;

	(void)max;
	if (!source->filename.ptr)
		return source->inline_string;
	file = fopen(arena_cstr(arena, source->filename), "r");
	if (!file) {
		diag_error(diag, (struct place){ .line = 0 }, path, "no file");
		return STR_NONE;
	}
	bytes = arena_alloc(arena, 65536);
	n = fread(bytes, 1, 65536, file);
	(void)fclose(file);
	return (struct str){ bytes, n };
}
