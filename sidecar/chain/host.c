/* The gateway's side of chain/host.h. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "chain/chain.h"
#include "chain/format.h"
#include "chain/host.h"
#include "chain/local_reply.h"
#include "chain/metadata.h"
#include "chain/route.h"
#include "chain/setup.h"
#include "config/bootstrap.h"
#include "state/counter.h"
#include "state/gauge.h"

struct arena *
host_setup_arena(struct setup *s)
{
	return s->gateway->arena;
}

static struct place
place_of(const struct node *node)
{
	return node ? node->place : (struct place){ 0 };
}

void
host_setup_error(
    struct setup *s, const struct node *node, const char *format, ...)
{
	struct str text;
	va_list args;

	va_start(args, format);
	text = arena_vprintf(s->gateway->arena, format, args);
	va_end(args);
	diag_error(s->diag, place_of(node), s->path, "%s", text.ptr);
}

void
host_setup_warn(
    struct setup *s, const struct node *node, const char *format, ...)
{
	struct str text;
	va_list args;

	va_start(args, format);
	text = arena_vprintf(s->gateway->arena, format, args);
	va_end(args);
	diag_warn(s->diag, place_of(node), s->path, "%s", text.ptr);
}

static struct str
full_name(struct setup *s, const char *name)
{
	return arena_printf(s->gateway->arena, "http." STR_FMT ".%s",
	    STR_ARG(s->gateway->hcm->stat_prefix), name);
}

int
host_setup_counter(struct setup *s, const char *name)
{
	return host_setup_counter_named(s, full_name(s, name));
}

int
host_setup_counter_named(struct setup *s, struct str name)
{
	return s->state ? counter_find(s->state, name) : -1;
}

int
host_setup_gauge(struct setup *s, const char *name)
{
	return s->state ? gauge_find(s->state, full_name(s, name)) : -1;
}

struct str
host_setup_data(
    struct setup *s, const struct conf_data_source *source, size_t max)
{
	return bootstrap_data(s->gateway->arena, s->diag, s->path, source, max);
}

const struct format *
host_setup_format(struct setup *s, const struct node *node, struct str text)
{
	return format_text(s->gateway->arena, text, node, s->diag);
}

const struct format *
host_setup_body_format(struct setup *s, const struct conf_format *conf)
{
	return format_build(s->gateway->arena, conf, s->diag);
}

const void *
host_setup_decode(struct setup *s, const struct schema_message *message,
    const struct any *any)
{
	return schema_decode_any(s->gateway->arena, s->diag, message, any);
}

struct str
host_setup_path(struct setup *s)
{
	return str_of(s->path);
}

struct str
host_setup_cluster(struct setup *s, size_t i)
{
	const struct conf_static_resources *all =
	    s->gateway->bootstrap->static_resources;

	return i < all->clusters.n ? all->clusters.items[i].name : STR_NONE;
}

void
host_setup_breaker(struct setup *s, struct str name)
{
	struct gateway *g = s->gateway;
	struct breaker_name *own;

	if (!name.ptr) {
		g->clusters_have_breakers = true;
		return;
	}
	own = ARENA_NEW(g->arena, struct breaker_name);
	*own = (struct breaker_name){ name, g->breakers };
	g->breakers = own;
}

bool
host_setup_metadata(
    struct setup *s, const struct node *node, struct str ns, struct str name)
{
	(void)s;
	(void)node;
	(void)ns;
	(void)name;
	return true;
}

struct state *
host_setup_state(struct setup *s)
{
	return s->state;
}

static struct headers *
map_of(struct exchange *x, enum host_map map)
{
	if (map == HOST_REQUEST)
		return &x->request;
	return x->response.n ? &x->response : NULL;
}

struct str
host_header(
    struct exchange *x, enum host_map map, struct str name, size_t index)
{
	struct headers *h = map_of(x, map);

	return h ? headers_nth(h, name, index) : STR_NONE;
}

const struct header *
host_headers(struct exchange *x, enum host_map map, size_t *n)
{
	struct headers *h = map_of(x, map);
	struct header *copy;

	*n = h ? h->n : 0;
	copy = ARENA_ARRAY(x->arena, *n + 1, struct header);
	if (*n)
		memcpy(copy, h->items, *n * sizeof(*copy));
	return copy;
}

bool
host_header_set(
    struct exchange *x, enum host_map map, struct str name, struct str value)
{
	struct headers *h = map_of(x, map);

	if (!h || !header_is_writable(name, value))
		return false;
	headers_set(h, arena_str(x->arena, name), arena_str(x->arena, value));
	return true;
}

bool
host_header_add(
    struct exchange *x, enum host_map map, struct str name, struct str value)
{
	struct headers *h = map_of(x, map);

	if (!h || !header_is_writable(name, value))
		return false;
	headers_append(h,
	    map == HOST_REQUEST ? HEADERS_OF_REQUEST : HEADERS_OF_RESPONSE,
	    arena_str(x->arena, name), arena_str(x->arena, value));
	return true;
}

bool
host_header_add_empty(struct exchange *x, enum host_map map, struct str name)
{
	struct headers *h = map_of(x, map);

	if (!h || !header_name_is_valid(name))
		return false;
	headers_add(h, arena_str(x->arena, name), STR(""));
	return true;
}

bool
host_header_remove(struct exchange *x, enum host_map map, struct str name)
{
	struct headers *h = map_of(x, map);

	return h && headers_remove(h, name) > 0;
}

void
host_reply(struct exchange *x, const struct host_reply *reply)
{
	exchange_reply(x, reply);
}

struct str
host_body(struct exchange *x)
{
	return chain_has_body(x) ? buf_bytes(&x->upload) : STR_NONE;
}

bool
host_body_replace(struct exchange *x, struct str bytes)
{
	struct buf body;

	if (!host_body(x).ptr)
		return false;
	buf_init(&body, bytes.len > x->upload.max ? bytes.len : x->upload.max);
	if (buf_append(&body, bytes)) {
		buf_free(&body);
		return false;
	}
	buf_free(&x->upload);
	x->upload = body;
	x->upload_len = (int64_t)bytes.len;
	headers_set(&x->request, STR("content-length"),
	    arena_printf(x->arena, "%zu", bytes.len));
	return true;
}

/* ---- questions ---- */

struct question {
	struct question *next;
	int filter;
	unsigned slot;
	int64_t due_ns;
};

static struct question *
find_question(struct exchange *x, unsigned slot)
{
	struct question *q = x->questions;

	while (q && (q->filter != chain_current(x) || q->slot != slot))
		q = q->next;
	return q;
}

int64_t
exchange_due_ns(const struct exchange *x)
{
	int64_t now_ns = clock_boot_ns(), due_ns = INT64_MAX;

	for (const struct question *q = x->questions; q; q = q->next)
		if (q->due_ns > now_ns && q->due_ns < due_ns)
			due_ns = q->due_ns;
	return due_ns;
}

enum host_answer
host_timer(struct exchange *x, unsigned slot, int64_t delay_ns)
{
	struct question *q = find_question(x, slot);
	int64_t now_ns = clock_boot_ns();

	if (!q) {
		q = ARENA_NEW(x->arena, struct question);
		*q = (struct question){ x->questions, chain_current(x), slot,
			now_ns + delay_ns };
		x->questions = q;
	}
	if (now_ns >= q->due_ns)
		return HOST_READY;
	exchange_join(x);
	if (x->wakes)
		wakes_at(x->wakes, x->wake, exchange_due_ns(x));
	return HOST_PENDING;
}

/* ---- the route ---- */

const void *
host_route_conf(struct exchange *x)
{
	int at = chain_current(x);

	return x->route && at >= 0 ? x->route->filter_confs[at] : NULL;
}

const void *
host_route_conf_at(struct exchange *x, enum host_level level)
{
	int at = chain_current(x);

	return x->route && at >= 0 && x->route->level_confs[level]
		   ? x->route->level_confs[level][at]
		   : NULL;
}

void
host_reroute(struct exchange *x)
{
	route_choose(x->gateway->routes, x);
}

void
host_flag(struct exchange *x, const char *flag)
{
	flags_set(&x->flags, flag_find(str_of(flag)));
}

void
host_decided_by(struct exchange *x, const struct node *node)
{
	x->decided = node;
}

void
host_note_health_check(struct exchange *x)
{
	x->health_check = true;
}

bool
host_cluster_members(
    struct exchange *x, struct str name, size_t *healthy, size_t *all)
{
	const struct conf_cluster *c = gateway_cluster(x->gateway, name);

	if (!c)
		return false;
	*all = 0;
	for (size_t i = 0;
	     c->load_assignment && i < c->load_assignment->endpoints.n; i++)
		*all += c->load_assignment->endpoints.items[i].lb_endpoints.n;
	*healthy = *all;
	return true;
}

struct str
host_attribute(struct exchange *x, enum host_attribute attribute)
{
	switch (attribute) {
	case HOST_CLIENT_ADDRESS:
		return x->client_address;
	case HOST_CLIENT_PORT:
		return x->client_port;
	case HOST_SCHEME:
		return headers_get(&x->request, STR(":scheme"));
	case HOST_PROTOCOL:
		return x->peer.protocol;
	case HOST_REQUEST_ID:
		return headers_get(&x->request, STR("x-request-id"));
	case HOST_ROUTE_NAME:
		return x->route ? x->route->name : STR_NONE;
	case HOST_CLUSTER_NAME:
		return x->cluster_name.len ? x->cluster_name : STR_NONE;
	case HOST_SERVICE_CLUSTER:
		return x->gateway->bootstrap->node_id
			   ? x->gateway->bootstrap->node_id->cluster
			   : STR_NONE;
	case HOST_CODE_DETAILS:
		return x->details;
	case HOST_RESPONSE_CODE:
		return headers_get(&x->response, STR(":status"));
	}
	return STR_NONE;
}

bool
host_route_forwards(struct exchange *x)
{
	return x->route && x->route->conf->route;
}

struct str
host_metadata(struct exchange *x, struct str ns, struct str name)
{
	return metadata_get(x, ns, name);
}

void
host_metadata_set(
    struct exchange *x, struct str ns, struct str key, struct str value)
{
	metadata_set(x, ns, key, value, false);
}

void
host_metadata_set_json(
    struct exchange *x, struct str ns, struct str key, struct str json)
{
	metadata_set(x, ns, key, json, true);
}

void
host_metadata_set_number(
    struct exchange *x, struct str ns, struct str key, double number)
{
	metadata_set_number(x, ns, key, number);
}

bool
host_metadata_has(struct exchange *x, struct str ns)
{
	return metadata_has(x, ns);
}

void
host_metadata_replace(struct exchange *x, struct str ns, struct str object)
{
	metadata_replace(x, ns, object);
}

void
host_metadata_merge(struct exchange *x, struct str ns, struct str object)
{
	metadata_merge(x, ns, object);
}

struct str
host_metadata_at(
    struct exchange *x, struct str ns, const struct str *keys, size_t n)
{
	return metadata_text(x, ns, keys, n);
}

struct str
host_metadata_string(
    struct exchange *x, struct str ns, const struct str *keys, size_t n)
{
	return metadata_string(x, ns, keys, n);
}

struct str
host_route_metadata_string(
    struct exchange *x, struct str ns, const struct str *keys, size_t n)
{
	return x->route ? route_metadata(x->route, ns, keys, n) : STR_NONE;
}

struct str
host_format(struct exchange *x, const struct format *format)
{
	return format_value(format, x);
}

struct str
host_body_format(
    struct exchange *x, const struct format *format, struct str body)
{
	return local_reply_render(x, format, body);
}

const struct rate_limits *
host_rate_limits(struct exchange *x, enum host_level level)
{
	if (!host_route_forwards(x))
		return NULL;
	return level == HOST_LEVEL_ROUTE ? route_limits(x->route)
					 : route_vhost_limits(x->route);
}

bool
host_route_includes_vhost_limits(struct exchange *x)
{
	return host_route_forwards(x) &&
	       x->route->conf->route->include_vh_rate_limits;
}

bool
host_has_breaker(struct exchange *x, struct str name)
{
	const struct gateway *g = x->gateway;
	const struct breaker_name *own = g->breakers;

	while (own && !str_eq(own->name, name))
		own = own->next;
	return own || (g->clusters_have_breakers && gateway_cluster(g, name));
}

void
host_count(struct exchange *x, int counter, uint64_t by)
{
	if (x->state && counter >= 0)
		counter_add(x->state, counter, by);
}

void
host_gauge_add(struct exchange *x, int gauge, int64_t by)
{
	if (x->state)
		gauge_add(x->state, gauge, by);
}

int64_t
host_gauge(struct exchange *x, int gauge)
{
	return x->state ? gauge_get(x->state, gauge) : 0;
}

struct state *
host_state(struct exchange *x)
{
	return x->state;
}

int64_t
host_boot_ns(struct exchange *x)
{
	(void)x;
	return clock_boot_ns();
}

int64_t
host_wall_ns(struct exchange *x)
{
	(void)x;
	return clock_wall_ns();
}

struct arena *
host_arena(struct exchange *x)
{
	return x->arena;
}

struct str
host_keep(struct exchange *x, struct str s)
{
	return arena_str(x->arena, s);
}

/* A sequence that the request's random number begins. */
uint64_t
host_random(struct exchange *x, uint64_t n)
{
	uint64_t value = random_next(&x->random_next);

	return n ? value % n : 0;
}

void
host_log(struct exchange *x, enum host_log level, const char *format, ...)
{
	static const enum log_level levels[] = { LOG_LEVEL_ERROR,
		LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
	struct str text;
	va_list args;

	va_start(args, format);
	text = arena_vprintf(x->arena, format, args);
	va_end(args);
	log_at(levels[level], "%s", text.ptr);
}
