/*
 * The shim's side of chain/host.h while a request runs. What is missing
 * here cannot be had from Envoy: a filter of ours that asked for it would
 * not link into the module.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/random.h"
#include "module/exchange.h"

enum { REQUEST_MEMORY = 1024 };

static struct abi_bytes
bytes_of(struct str s)
{
	return (struct abi_bytes){ s.ptr, s.len };
}

/* Envoy may hand out an empty value without a pointer. */
static struct str
str_from(struct abi_bytes bytes)
{
	return (struct str){ bytes.ptr ? bytes.ptr : "", bytes.len };
}

static enum abi_map
map_of(enum host_map map)
{
	return map == HOST_REQUEST ? ABI_REQUEST_HEADERS : ABI_RESPONSE_HEADERS;
}

/* ---- memory ---- */

struct arena *
host_arena(struct exchange *x)
{
	if (!x->arena)
		x->arena = arena_new(REQUEST_MEMORY);
	return x->arena;
}

struct str
host_keep(struct exchange *x, struct str s)
{
	return arena_str(host_arena(x), s);
}

/* ---- header fields ---- */

struct str
host_header(
    struct exchange *x, enum host_map map, struct str name, size_t index)
{
	struct abi_bytes value;

	if (!x->stream || !abi_get_header(x->stream, map_of(map),
			      bytes_of(name), &value, index, NULL))
		return STR_NONE;
	return str_from(value);
}

/* Copied whole: Envoy's own bytes move when a field is changed. */
const struct header *
host_headers(struct exchange *x, enum host_map map, size_t *n)
{
	size_t size = x->stream ? abi_count_headers(x->stream, map_of(map)) : 0;
	struct abi_header *seen =
	    ARENA_ARRAY(host_arena(x), size + 1, struct abi_header);
	struct header *out =
	    ARENA_ARRAY(host_arena(x), size + 1, struct header);

	*n = 0;
	if (!size || !abi_get_headers(x->stream, map_of(map), seen))
		return out;
	for (; *n < size; ++*n) {
		const struct abi_header *h = &seen[*n];

		out[*n].name =
		    host_keep(x, (struct str){ h->name, h->name_len });
		out[*n].value = host_keep(
		    x, str_from((struct abi_bytes){ h->value, h->value_len }));
	}
	return out;
}

/*
 * Envoy takes anything, and fails the request when it sends a value with a
 * control byte in it.
 */
static bool
is_writable(struct exchange *x, struct str name, struct str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (((unsigned char)value.ptr[i] < ' ' &&
			value.ptr[i] != '\t') ||
		    value.ptr[i] == 0x7f)
			return false;
	return x->stream && header_is_writable(name, value);
}

bool
host_header_set(
    struct exchange *x, enum host_map map, struct str name, struct str value)
{
	return is_writable(x, name, value) &&
	       abi_set_header(
		   x->stream, map_of(map), bytes_of(name), bytes_of(value));
}

bool
host_header_add(
    struct exchange *x, enum host_map map, struct str name, struct str value)
{
	return is_writable(x, name, value) &&
	       abi_add_header(
		   x->stream, map_of(map), bytes_of(name), bytes_of(value));
}

bool
host_header_remove(struct exchange *x, enum host_map map, struct str name)
{
	const struct abi_bytes nothing = { NULL, 0 };

	return host_header(x, map, name, 0).ptr &&
	       abi_set_header(x->stream, map_of(map), bytes_of(name), nothing);
}

/* ---- answering ---- */

static void
add_flag(struct exchange *x, const char *flag)
{
	if (x->stream && flag)
		abi_flag(x->stream, (struct abi_bytes){ flag, strlen(flag) });
}

static size_t
copy_headers(struct abi_header *out, const struct host_reply *reply)
{
	size_t n = 0;

	for (size_t i = 0; i < reply->n_headers; i++) {
		const struct header *h = &reply->headers[i];

		if (header_name_is_valid(h->name) &&
		    header_value_is_valid(h->value))
			out[n++] = (struct abi_header){ h->name.ptr,
				h->name.len, h->value.ptr, h->value.len };
	}
	return n;
}

/*
 * Envoy runs the response side and may end the stream before this returns.
 * A reply at the end of a stream would call us again and again.
 */
void
host_reply(struct exchange *x, const struct host_reply *reply)
{
	struct abi_header *headers;
	size_t n;

	if (!x->stream || x->replied || x->complete)
		return;
	x->replied = true;
	add_flag(x, reply->flag);
	headers =
	    ARENA_ARRAY(host_arena(x), reply->n_headers + 1, struct abi_header);
	n = copy_headers(headers, reply);
	abi_reply(x->stream, reply->status, headers, n, bytes_of(reply->body),
	    bytes_of(reply->details));
}

/* ---- the route ---- */

/* Envoy chooses the route when somebody asks for it, after a change anew. */
const struct module_conf *
exchange_route_conf(struct exchange *x)
{
	if (!x->knows_route && x->stream) {
		x->route_conf = abi_route_conf(x->stream);
		x->knows_route = true;
	}
	return x->route_conf;
}

/* on_request_headers has seen to it that it is of this filter. */
const void *
host_route_conf(struct exchange *x)
{
	const struct module_conf *route = exchange_route_conf(x);

	return route && route->filter == x->conf->filter ? route->conf : NULL;
}

void
host_reroute(struct exchange *x)
{
	if (!x->stream)
		return;
	abi_clear_route(x->stream);
	x->knows_route = false;
}

bool
host_route_forwards(struct exchange *x)
{
	return host_attribute(x, HOST_CLUSTER_NAME).ptr;
}

/* ---- attributes ---- */

static struct str
text_of(struct exchange *x, enum abi_attribute attribute)
{
	struct abi_bytes value;

	if (!x->stream || !abi_get_text(x->stream, attribute, &value) ||
	    !value.len)
		return STR_NONE;
	return str_from(value);
}

static struct str
number_of(struct exchange *x, enum abi_attribute attribute)
{
	uint64_t value;

	if (!x->stream || !abi_get_number(x->stream, attribute, &value) ||
	    !value)
		return STR_NONE;
	return arena_printf(host_arena(x), "%llu", (unsigned long long)value);
}

/* "192.0.2.7:4711" and "[2001:db8::7]:4711" without port and brackets. */
static struct str
client_address(struct exchange *x)
{
	struct str s = text_of(x, ABI_SOURCE_ADDRESS);
	size_t colon = s.len;

	while (colon > 0 && ascii_is_digit(s.ptr[colon - 1]))
		colon--;
	if (colon > 0 && s.ptr[colon - 1] == ':')
		s.len = colon - 1;
	return str_starts(s, STR("[")) && str_ends(s, STR("]"))
		   ? str_slice(s, 1, s.len - 1)
		   : s;
}

static struct str
response_code(struct exchange *x)
{
	struct str status = host_header(x, HOST_RESPONSE, STR(":status"), 0);

	if (x->code.ptr)
		return x->code;
	return status.ptr ? status : number_of(x, ABI_RESPONSE_CODE);
}

struct str
host_attribute(struct exchange *x, enum host_attribute attribute)
{
	switch (attribute) {
	case HOST_CLIENT_ADDRESS:
		return client_address(x);
	case HOST_CLIENT_PORT:
		return number_of(x, ABI_SOURCE_PORT);
	case HOST_SCHEME:
		return host_header(x, HOST_REQUEST, STR(":scheme"), 0);
	case HOST_PROTOCOL:
		return text_of(x, ABI_PROTOCOL);
	case HOST_REQUEST_ID:
		return host_header(x, HOST_REQUEST, STR("x-request-id"), 0);
	case HOST_ROUTE_NAME:
		(void)exchange_route_conf(x);
		return text_of(x, ABI_ROUTE_NAME);
	case HOST_CLUSTER_NAME:
		(void)exchange_route_conf(x);
		return text_of(x, ABI_CLUSTER_NAME);
	case HOST_SERVICE_CLUSTER:
		return STR_NONE;
	case HOST_CODE_DETAILS:
		return x->details.ptr ? x->details
				      : text_of(x, ABI_CODE_DETAILS);
	case HOST_RESPONSE_CODE:
		return response_code(x);
	}
	return STR_NONE;
}

/* ---- metadata ---- */

/*
 * Values that are texts and numbers. What lies within a structure cannot be
 * had here: host_setup_metadata has refused it.
 */
struct str
host_metadata(struct exchange *x, struct str ns, struct str name)
{
	struct abi_bytes value;
	double number;

	if (!x->stream)
		return STR_NONE;
	if (abi_get_metadata(x->stream, ABI_METADATA_DYNAMIC, bytes_of(ns),
		bytes_of(name), &value))
		return str_from(value);
	if (abi_get_metadata_number(x->stream, ABI_METADATA_DYNAMIC,
		bytes_of(ns), bytes_of(name), &number))
		return arena_printf(host_arena(x), "%.15g", number);
	return STR_NONE;
}

void
host_metadata_set(
    struct exchange *x, struct str ns, struct str key, struct str value)
{
	if (x->stream)
		abi_set_metadata(
		    x->stream, bytes_of(ns), bytes_of(key), bytes_of(value));
}

/* ---- counters, state, time ---- */

bool
host_has_breaker(struct exchange *x, struct str name)
{
	(void)x;
	(void)name;
	return true;
}

void
host_count(struct exchange *x, int counter, uint64_t by)
{
	if (x->stream && counter >= 0)
		(void)abi_count(x->stream, (size_t)counter, NULL, 0, by);
}

struct state *
host_state(struct exchange *x)
{
	return x->conf->state;
}

int64_t
host_boot_ns(struct exchange *x)
{
	(void)x;
	return clock_boot_now_ns();
}

int64_t
host_wall_ns(struct exchange *x)
{
	(void)x;
	return clock_wall_now_ns();
}

/* A sequence, begun anew for each stream. */
uint64_t
host_random(struct exchange *x, uint64_t n)
{
	uint64_t value;

	if (!x->random_next)
		x->random_next = (uint64_t)clock_boot_now_ns() ^
				 (uint64_t)(uintptr_t)x << 20;
	value = random_next(&x->random_next);
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
	text = arena_vprintf(host_arena(x), format, args);
	va_end(args);
	log_at(levels[level], "%s", text.ptr);
}
