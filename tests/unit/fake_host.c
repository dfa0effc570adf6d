/* The fake host. */
#include "config.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain/kit.h"
#include "config/bootstrap.h"
#include "config/yaml.h"
#include "state/gauge.h"
#include "tests/unit/fake_host.h"

static const char *counter_names[64];

struct setup {
	struct exchange world;
};

static struct exchange *
world(struct setup *s)
{
	return &s->world;
}

static const void *
configure(struct exchange *x, const struct schema_message *message,
    const void *(*fn)(struct setup *, const void *), const char *yaml)
{
	size_t before = diag_errors(x->diag);
	const struct node *node =
	    yaml_parse(x->arena, str_of(yaml), "test.yaml", x->diag);
	const void *conf;

	if (!node) {
		(void)snprintf(x->setup_error, sizeof(x->setup_error), "%s",
		    diag_message(x->diag, 0));
		return NULL;
	}
	conf = schema_decode(x->arena, x->diag, "", message, node);
	if (diag_errors(x->diag) > before) {
		(void)snprintf(x->setup_error, sizeof(x->setup_error), "%s",
		    diag_message(x->diag, before));
		return NULL;
	}
	if (fn)
		conf = fn((struct setup *)(void *)x, conf);
	return x->setup_error[0] ? NULL : conf;
}

struct exchange *
fake_new_with_route(
    const struct filter *filter, const char *yaml, const char *route_yaml)
{
	struct arena *arena = arena_new(16384);
	struct exchange *x = &ARENA_NEW(arena, struct setup)->world;

	x->arena = arena;
	x->filter = filter;
	x->state = state_private();
	state_join(x->state);
	x->diag = diag_new(arena);
	x->boot_ns = 1000000000000;
	x->wall_ns = 1700000000000000000;
	x->forwards = true;
	memset(counter_names, 0, sizeof(counter_names));
	x->setup_path = "filter";
	x->conf = configure(x, filter->conf, filter->configure, yaml);
	if (route_yaml)
		fake_level(x, HOST_LEVEL_ROUTE, route_yaml);
	fake_next_request(x);
	return x;
}

void
fake_level(struct exchange *x, enum host_level level, const char *yaml)
{
	static const char *const paths[] = { "global", "vhost", "route",
		"cluster", "old vhost", "old route" };

	x->setup_path = paths[level];
	x->level_confs[level] = configure(
	    x, x->filter->route_conf, x->filter->configure_route, yaml);
	for (int i = HOST_LEVELS - 1; i >= 0; i--)
		if (x->level_confs[i]) {
			x->route_conf = x->level_confs[i];
			return;
		}
}

struct exchange *
fake_new(const struct filter *filter, const char *yaml)
{
	return fake_new_with_route(filter, yaml, NULL);
}

void
fake_free(struct exchange *x)
{
	state_close(x->state);
	arena_free(x->arena);
}

void
fake_next_request(struct exchange *x)
{
	headers_init(&x->request, x->arena);
	headers_init(&x->response, x->arena);
	headers_init(&x->reply_headers, x->arena);
	x->has_response = x->replied = x->rerouted = false;
	x->at_body = x->has_body = x->health_check = false;
	x->body = STR_NONE;
	x->decided = NULL;
	x->n_timers = 0;
	x->flags[0] = '\0';
	x->metadata = NULL;
	x->details = STR_NONE;
	x->filter_state = arena_alloc(x->arena, x->filter->state_size + 1);
	fake_request(x, ":method", "GET");
	fake_request(x, ":path", "/");
	fake_request(x, ":authority", "test.example");
	fake_request(x, ":scheme", "http");
}

static void
put(struct exchange *x, struct headers *h, const char *name, const char *value)
{
	struct str n = arena_str(x->arena, str_of(name));
	struct str v = arena_str(x->arena, str_of(value));

	if (name[0] == ':')
		headers_set(h, n, v);
	else
		headers_add(h, n, v);
}

void
fake_request(struct exchange *x, const char *name, const char *value)
{
	put(x, &x->request, name, value);
}

void
fake_response(struct exchange *x, unsigned status)
{
	char text[8];

	(void)snprintf(text, sizeof(text), "%u", status);
	x->has_response = true;
	x->details = STR("via_upstream");
	put(x, &x->response, ":status", text);
}

void
fake_response_header(struct exchange *x, const char *name, const char *value)
{
	put(x, &x->response, name, value);
}

void
fake_body(struct exchange *x, const char *text)
{
	x->body = arena_str(x->arena, str_of(text));
}

static enum verdict
run_body(struct exchange *x)
{
	const struct filter *f = x->filter;
	size_t max = f->body_max ? f->body_max(x->conf, x->filter_state, x) : 0;

	ck_assert(!f->body_max || f->needs & FILTER_NEEDS_BODY);
	if (!max)
		return FILTER_NEXT;
	if (x->body.len > max) {
		host_reply(x, &(struct host_reply){ .status = 413 });
		return FILTER_REPLY;
	}
	x->has_body = true;
	return f->on_request_body(x->conf, x->filter_state, x);
}

enum verdict
fake_run_request(struct exchange *x)
{
	const struct filter *f = x->filter;
	enum verdict verdict = FILTER_NEXT;

	if (!x->at_body && f->on_request)
		verdict = f->on_request(x->conf, x->filter_state, x);
	if (verdict != FILTER_NEXT)
		return verdict;
	x->at_body = true;
	return run_body(x);
}

enum verdict
fake_run_response(struct exchange *x)
{
	return x->filter->on_response
		   ? x->filter->on_response(x->conf, x->filter_state, x)
		   : FILTER_NEXT;
}

void
fake_run_end(struct exchange *x)
{
	if (x->filter->on_end)
		x->filter->on_end(x->conf, x->filter_state, x);
}

uint64_t
fake_count(struct exchange *x, const char *name)
{
	for (size_t i = 0; i < 64 && counter_names[i]; i++)
		if (!strcmp(counter_names[i], name))
			return x->counts[i];
	ck_abort_msg("no counter %s", name);
	return 0;
}

static const char *
value_of(struct headers *h, const char *name)
{
	struct str v = headers_get(h, str_of(name));

	return v.ptr ? arena_cstr(h->arena, v) : NULL;
}

const char *
fake_request_header(struct exchange *x, const char *name)
{
	return value_of(&x->request, name);
}

const char *
fake_response_header_value(struct exchange *x, const char *name)
{
	return value_of(&x->response, name);
}

const char *
fake_reply_header(struct exchange *x, const char *name)
{
	return value_of(&x->reply_headers, name);
}

/* ---- chain/host.h ---- */

struct arena *
host_setup_arena(struct setup *s)
{
	return world(s)->arena;
}

void
host_setup_error(
    struct setup *s, const struct node *node, const char *format, ...)
{
	struct exchange *x = world(s);
	va_list args;

	(void)node;
	va_start(args, format);
	(void)vsnprintf(x->setup_error, sizeof(x->setup_error), format, args);
	va_end(args);
}

void
host_setup_warn(
    struct setup *s, const struct node *node, const char *format, ...)
{
	(void)s;
	(void)node;
	(void)format;
}

int
host_setup_counter(struct setup *s, const char *name)
{
	(void)s;
	for (int i = 0; i < 64; i++) {
		if (!counter_names[i])
			counter_names[i] =
			    arena_cstr(world(s)->arena, str_of(name));
		if (!strcmp(counter_names[i], name))
			return i;
	}
	return -1;
}

int
host_setup_gauge(struct setup *s, const char *name)
{
	return gauge_find(world(s)->state, str_of(name));
}

int
host_setup_counter_named(struct setup *s, struct str name)
{
	return host_setup_counter(s, arena_cstr(world(s)->arena, name));
}

struct str
host_setup_data(
    struct setup *s, const struct conf_data_source *source, size_t max)
{
	struct exchange *x = world(s);
	size_t before = diag_errors(x->diag);
	struct str data = bootstrap_data(x->arena, x->diag, "", source, max);

	if (diag_errors(x->diag) > before)
		host_setup_error(s, NULL, "%s", diag_message(x->diag, before));
	return data;
}

/* Formats stay plain text here; the operators have their own tests. */
const struct format *
host_setup_format(struct setup *s, const struct node *node, struct str text)
{
	struct str *copy = ARENA_NEW(world(s)->arena, struct str);

	(void)node;
	*copy = arena_str(world(s)->arena, text);
	return (const struct format *)(const void *)copy;
}

/* A body's format stays text, too: {text_format: X} is X with the body behind it. */
const struct format *
host_setup_body_format(struct setup *s, const struct conf_format *conf)
{
	return host_setup_format(s, conf->node, conf->text_format);
}

const void *
host_setup_decode(struct setup *s, const struct schema_message *message,
    const struct any *any)
{
	struct exchange *x = world(s);
	size_t before = diag_errors(x->diag);
	const void *decoded =
	    schema_decode_any(x->arena, x->diag, message, any);

	if (diag_errors(x->diag) > before)
		host_setup_error(s, NULL, "%s", diag_message(x->diag, before));
	return decoded;
}

struct str
host_setup_path(struct setup *s)
{
	return str_of(world(s)->setup_path);
}

struct str
host_setup_cluster(struct setup *s, size_t i)
{
	(void)s;
	(void)i;
	return STR_NONE;
}

void
host_setup_breaker(struct setup *s, struct str name)
{
	(void)s;
	(void)name;
}

bool
host_has_breaker(struct exchange *x, struct str name)
{
	return !x->foreign_breaker.ptr || !str_eq(name, x->foreign_breaker);
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
	return world(s)->state;
}

static struct headers *
map_of(struct exchange *x, enum host_map map)
{
	if (map == HOST_REQUEST)
		return &x->request;
	return x->has_response ? &x->response : NULL;
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
	headers_add(h, arena_str(x->arena, name), arena_str(x->arena, value));
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
	ck_assert_msg(!x->replied, "a filter must not reply twice");
	x->replied = true;
	x->reply = *reply;
	x->reply.body = arena_str(x->arena, reply->body);
	x->reply.details = arena_str(x->arena, reply->details);
	x->reply.headers = NULL;
	kit_fields_write(x, reply->fields, &x->reply_headers);
	for (size_t i = 0; i < reply->n_headers; i++) {
		ck_assert(header_name_is_valid(reply->headers[i].name));
		ck_assert(header_value_is_valid(reply->headers[i].value));
		headers_add(&x->reply_headers,
		    arena_str(x->arena, reply->headers[i].name),
		    arena_str(x->arena, reply->headers[i].value));
	}
}

const void *
host_route_conf(struct exchange *x)
{
	return x->route_conf;
}

const void *
host_route_conf_at(struct exchange *x, enum host_level level)
{
	return x->level_confs[level];
}

struct str
host_body(struct exchange *x)
{
	return !x->has_body ? STR_NONE : x->body.ptr ? x->body : STR("");
}

bool
host_body_replace(struct exchange *x, struct str bytes)
{
	if (!x->has_body)
		return false;
	x->body = arena_str(x->arena, bytes);
	headers_set(&x->request, STR("content-length"),
	    arena_printf(x->arena, "%zu", bytes.len));
	return true;
}

enum host_answer
host_timer(struct exchange *x, unsigned slot, int64_t delay_ns)
{
	size_t i = 0;

	ck_assert(x->filter->needs & FILTER_NEEDS_TIMER);
	while (i < x->n_timers && x->timers[i].slot != slot)
		i++;
	ck_assert_uint_lt(i, sizeof(x->timers) / sizeof(x->timers[0]));
	if (i == x->n_timers) {
		x->timers[i].slot = slot;
		x->timers[i].due_ns = x->boot_ns + delay_ns;
		x->n_timers++;
	}
	return x->boot_ns >= x->timers[i].due_ns ? HOST_READY : HOST_PENDING;
}

void
host_flag(struct exchange *x, const char *flag)
{
	size_t len = strlen(x->flags);

	(void)snprintf(x->flags + len, sizeof(x->flags) - len, "%s ", flag);
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
	*healthy = x->cluster_healthy;
	*all = x->cluster_all;
	return str_eq(name, x->cluster_name);
}

void
host_reroute(struct exchange *x)
{
	x->rerouted = true;
}

struct str
host_attribute(struct exchange *x, enum host_attribute attribute)
{
	switch (attribute) {
	case HOST_CLIENT_ADDRESS:
		return x->client_address;
	case HOST_CLIENT_PORT:
		return STR("40000");
	case HOST_SCHEME:
		return x->scheme.ptr ? x->scheme
				     : headers_get(&x->request, STR(":scheme"));
	case HOST_PROTOCOL:
		return STR("HTTP/1.1");
	case HOST_REQUEST_ID:
		return x->request_id;
	case HOST_ROUTE_NAME:
		return x->route_name;
	case HOST_CLUSTER_NAME:
		return x->cluster_name;
	case HOST_SERVICE_CLUSTER:
		return x->service_cluster;
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
	return x->forwards;
}

struct str
host_metadata(struct exchange *x, struct str ns, struct str name)
{
	for (struct fake_metadata *m = x->metadata; m; m = m->next)
		if (str_eq(m->ns, ns) && str_eq(m->key, name))
			return m->value;
	return STR_NONE;
}

void
host_metadata_set(
    struct exchange *x, struct str ns, struct str key, struct str value)
{
	struct fake_metadata *m = ARENA_NEW(x->arena, struct fake_metadata);

	*m = (struct fake_metadata){ arena_str(x->arena, ns),
		arena_str(x->arena, key), arena_str(x->arena, value),
		x->metadata };
	x->metadata = m;
}

void
host_metadata_set_json(
    struct exchange *x, struct str ns, struct str key, struct str json)
{
	host_metadata_set(x, ns, key, json);
}

void
host_metadata_set_number(
    struct exchange *x, struct str ns, struct str key, double number)
{
	host_metadata_set(x, ns, key, arena_printf(x->arena, "%.15g", number));
}

bool
host_metadata_has(struct exchange *x, struct str ns)
{
	for (struct fake_metadata *m = x->metadata; m; m = m->next)
		if (str_eq(m->ns, ns))
			return true;
	return false;
}

/* A whole namespace stands under the empty key here. */
void
host_metadata_replace(struct exchange *x, struct str ns, struct str object)
{
	host_metadata_set(x, ns, STR(""), object);
}

void
host_metadata_merge(struct exchange *x, struct str ns, struct str object)
{
	host_metadata_set(x, ns, STR("+"), object);
}

struct str
host_metadata_at(
    struct exchange *x, struct str ns, const struct str *keys, size_t n)
{
	struct str path = STR("");

	for (size_t i = 0; i < n; i++)
		path = arena_printf(x->arena, STR_FMT "%s" STR_FMT,
		    STR_ARG(path), i ? "." : "", STR_ARG(keys[i]));
	return host_metadata(x, ns, path);
}

struct str
host_format(struct exchange *x, const struct format *format)
{
	(void)x;
	return *(const struct str *)(const void *)format;
}

struct str
host_body_format(
    struct exchange *x, const struct format *format, struct str body)
{
	return arena_printf(x->arena, STR_FMT STR_FMT,
	    STR_ARG(*(const struct str *)(const void *)format), STR_ARG(body));
}

const struct rate_limits *
host_rate_limits(struct exchange *x, enum host_level level)
{
	return level == HOST_LEVEL_ROUTE ? x->rate_limits
					 : x->vhost_rate_limits;
}

bool
host_route_includes_vhost_limits(struct exchange *x)
{
	return x->includes_vhost_limits;
}

struct str
host_metadata_string(
    struct exchange *x, struct str ns, const struct str *keys, size_t n)
{
	return host_metadata_at(x, ns, keys, n);
}

struct str
host_route_metadata_string(
    struct exchange *x, struct str ns, const struct str *keys, size_t n)
{
	return host_metadata_at(
	    x, arena_printf(x->arena, "route " STR_FMT, STR_ARG(ns)), keys, n);
}

void
host_count(struct exchange *x, int counter, uint64_t by)
{
	if (counter >= 0 && counter < 64)
		x->counts[counter] += by;
}

void
host_gauge_add(struct exchange *x, int gauge, int64_t by)
{
	gauge_add(x->state, gauge, by);
}

int64_t
host_gauge(struct exchange *x, int gauge)
{
	return gauge_get(x->state, gauge);
}

struct state *
host_state(struct exchange *x)
{
	return x->state;
}

int64_t
host_boot_ns(struct exchange *x)
{
	return x->boot_ns;
}

int64_t
host_wall_ns(struct exchange *x)
{
	return x->wall_ns;
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

uint64_t
host_random(struct exchange *x, uint64_t n)
{
	return n ? x->random % n : 0;
}

void
host_log(struct exchange *x, enum host_log level, const char *format, ...)
{
	(void)x;
	(void)level;
	(void)format;
}
