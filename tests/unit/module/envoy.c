/* The Envoy of the shim's tests. */
#include "config.h"

#include <check.h>
#include <string.h>

#include "tests/unit/module/envoy.h"

const struct envoy_hooks envoy_linked = { on_new, on_request_headers,
	on_request_body, on_request_trailers, on_response_headers,
	on_stream_complete, on_destroy };

static struct {
	char log[16384];
	struct {
		char name[64];
		_Atomic uint64_t value; /* all threads count */
	} counters[ENVOY_COUNTERS];
	size_t n_counters;
	bool is_validation;
} process;

void
envoy_begin(void)
{
	memset(&process, 0, sizeof(process));
}

void
envoy_set_validation(bool is_validation)
{
	process.is_validation = is_validation;
}

const char *
envoy_log(void)
{
	return process.log;
}

uint64_t
envoy_count(const char *name)
{
	for (size_t i = 0; i < process.n_counters; i++)
		if (!strcmp(process.counters[i].name, name))
			return process.counters[i].value;
	ck_abort_msg("no counter %s", name);
	return 0;
}

struct envoy_stream *
envoy_stream_new(const struct envoy_hooks *hooks, const void *conf)
{
	struct arena *arena = arena_new(4096);
	struct envoy_stream *s = ARENA_NEW(arena, struct envoy_stream);

	s->arena = arena;
	s->hooks = hooks;
	for (size_t i = 0; i < 4; i++)
		headers_init(&s->maps[i], arena);
	headers_init(&s->reply.headers, arena);
	buf_init(&s->received, 1 << 20);
	buf_init(&s->buffered, 1 << 20);
	s->limit = 1024;
	s->has_map[ABI_REQUEST_HEADERS] = true;
	envoy_header(s, ABI_REQUEST_HEADERS, ":method", "GET");
	envoy_header(s, ABI_REQUEST_HEADERS, ":path", "/");
	envoy_header(s, ABI_REQUEST_HEADERS, ":authority", "gateway.test");
	envoy_header(s, ABI_REQUEST_HEADERS, ":scheme", "http");
	envoy_text(s, ABI_SOURCE_ADDRESS, "192.0.2.7:4711");
	s->self = hooks->new (conf, s);
	ck_assert_ptr_nonnull(s->self);
	return s;
}

void
envoy_complete(struct envoy_stream *s)
{
	if (s->ended || s->destroyed)
		return;
	s->ended = true;
	s->hooks->stream_complete(s, s->self);
}

void
envoy_destroy(struct envoy_stream *s)
{
	if (s->destroyed)
		return;
	s->destroyed = true;
	s->hooks->destroy(s->self);
}

void
envoy_stream_free(struct envoy_stream *s)
{
	envoy_complete(s);
	envoy_destroy(s);
	buf_free(&s->received);
	buf_free(&s->buffered);
	arena_free(s->arena);
}

void
envoy_header(struct envoy_stream *s, enum abi_map map, const char *name,
    const char *value)
{
	struct str v = arena_str(s->arena, str_of(value));

	if (name[0] == ':')
		headers_set(&s->maps[map], str_of(name), v);
	else
		headers_add(&s->maps[map], str_of(name), v);
}

const char *
envoy_header_value(struct envoy_stream *s, enum abi_map map, const char *name)
{
	struct str v = headers_get(&s->maps[map], str_of(name));

	return v.ptr ? arena_cstr(s->arena, v) : NULL;
}

void
envoy_text(struct envoy_stream *s, enum abi_attribute at, const char *text)
{
	s->texts[at] = str_of(text);
}

int
envoy_request(struct envoy_stream *s, bool end)
{
	return s->hooks->request_headers(s, s->self, end);
}

/* What the hook lets Envoy keep is kept. */
int
envoy_body(struct envoy_stream *s, const char *bytes, bool end)
{
	int status;

	ck_assert_int_eq(buf_append(&s->received, str_of(bytes)), ERR_OK);
	s->is_in_body_hook = true;
	status = s->hooks->request_body(s, s->self, end);
	s->is_in_body_hook = false;
	if (status == ABI_BODY_STOP_AND_BUFFER)
		ck_assert_int_eq(
		    buf_append(&s->buffered, buf_bytes(&s->received)), ERR_OK);
	if (status != ABI_BODY_CONTINUE)
		buf_clear(&s->received);
	return status;
}

int
envoy_trailers(struct envoy_stream *s)
{
	s->has_map[ABI_REQUEST_TRAILERS] = true;
	return s->hooks->request_trailers(s, s->self);
}

int
envoy_response(struct envoy_stream *s, const char *status)
{
	s->has_map[ABI_RESPONSE_HEADERS] = true;
	envoy_header(s, ABI_RESPONSE_HEADERS, ":status", status);
	return s->hooks->response_headers(s, s->self, true);
}

/* ---- callbacks ---- */

static struct str
str_from(struct abi_bytes b)
{
	return (struct str){ b.ptr, b.len };
}

static struct abi_bytes
bytes_from(struct str s)
{
	return (struct abi_bytes){ s.ptr, s.len };
}

static struct envoy_stream *
alive(void *stream)
{
	struct envoy_stream *s = stream;

	ck_assert_msg(!s->destroyed, "a callback after destroy");
	return s;
}

void
abi_log(enum abi_log level, struct abi_bytes text)
{
	size_t used = strlen(process.log);

	ck_assert_int_ge(level, ABI_LOG_DEBUG);
	if (used + text.len + 2 > sizeof(process.log))
		return;
	memcpy(process.log + used, text.ptr, text.len);
	process.log[used + text.len] = '\n';
}

bool
abi_log_enabled(enum abi_log level)
{
	return level >= ABI_LOG_INFO;
}

bool
abi_is_validation(void)
{
	return process.is_validation;
}

int
abi_define_counter(void *host_conf, struct abi_bytes name,
    struct abi_bytes *labels, size_t n_labels, size_t *id)
{
	ck_assert_ptr_nonnull(host_conf);
	ck_assert(!labels && !n_labels);
	if (process.n_counters == ENVOY_COUNTERS ||
	    name.len >= sizeof(process.counters[0].name))
		return 3;
	*id = process.n_counters++;
	memcpy(process.counters[*id].name, name.ptr, name.len);
	return 0;
}

int
abi_count(void *stream, size_t id, struct abi_bytes *labels, size_t n_labels,
    uint64_t by)
{
	(void)alive(stream);
	ck_assert(!labels && !n_labels && id < process.n_counters);
	process.counters[id].value += by;
	return 0;
}

bool
abi_get_header(void *stream, enum abi_map map, struct abi_bytes name,
    struct abi_bytes *value, size_t index, size_t *n)
{
	struct envoy_stream *s = alive(stream);
	struct str found = STR_NONE;

	ck_assert_ptr_null(n);
	if (s->has_map[map])
		found = headers_nth(&s->maps[map], str_from(name), index);
	*value = bytes_from(found);
	/* An empty value has no pointer here, to see that it is minded. */
	if (found.ptr && !found.len)
		value->ptr = NULL;
	return found.ptr;
}

size_t
abi_count_headers(void *stream, enum abi_map map)
{
	struct envoy_stream *s = alive(stream);

	return s->has_map[map] ? s->maps[map].n : 0;
}

bool
abi_get_headers(void *stream, enum abi_map map, struct abi_header *out)
{
	struct envoy_stream *s = alive(stream);

	for (size_t i = 0; s->has_map[map] && i < s->maps[map].n; i++) {
		const struct header *h = &s->maps[map].items[i];

		out[i] = (struct abi_header){ h->name.ptr, h->name.len,
			h->value.ptr, h->value.len };
	}
	return s->has_map[map];
}

bool
abi_add_header(void *stream, enum abi_map map, struct abi_bytes name,
    struct abi_bytes value)
{
	struct envoy_stream *s = alive(stream);

	if (s->has_map[map] && value.len)
		headers_add(&s->maps[map], arena_str(s->arena, str_from(name)),
		    arena_str(s->arena, str_from(value)));
	return s->has_map[map];
}

bool
abi_set_header(void *stream, enum abi_map map, struct abi_bytes name,
    struct abi_bytes value)
{
	struct envoy_stream *s = alive(stream);

	if (!s->has_map[map])
		return false;
	if (!value.len)
		(void)headers_remove(&s->maps[map], str_from(name));
	else
		headers_set(&s->maps[map], arena_str(s->arena, str_from(name)),
		    arena_str(s->arena, str_from(value)));
	return true;
}

void
abi_reply(void *stream, uint32_t status, struct abi_header *headers,
    size_t n_headers, struct abi_bytes body, struct abi_bytes details)
{
	struct envoy_stream *s = alive(stream);

	ck_assert_msg(!s->ended, "Envoy would call us again and again");
	s->reply.n++;
	s->reply.status = status;
	for (size_t i = 0; i < n_headers; i++)
		headers_add(&s->reply.headers,
		    arena_str(s->arena,
			(struct str){ headers[i].name, headers[i].name_len }),
		    arena_str(s->arena, (struct str){ headers[i].value,
					    headers[i].value_len }));
	s->reply.body = arena_str(s->arena, str_from(body));
	s->reply.details = arena_str(s->arena, str_from(details));
	if (!s->ends_with_reply)
		return;
	s->texts[ABI_CODE_DETAILS] = s->reply.details;
	s->numbers[ABI_RESPONSE_CODE] = status;
	envoy_complete(s);
	envoy_destroy(s);
}

void
abi_flag(void *stream, struct abi_bytes flag)
{
	struct envoy_stream *s = alive(stream);

	s->flags = arena_str(s->arena, str_from(flag));
}

bool
abi_get_metadata(void *stream, enum abi_metadata source, struct abi_bytes ns,
    struct abi_bytes key, struct abi_bytes *value)
{
	struct envoy_stream *s = alive(stream);

	ck_assert_int_eq(source, ABI_METADATA_DYNAMIC);
	*value = bytes_from(s->metadata_value);
	return s->metadata_value.ptr && str_eq(s->metadata_ns, str_from(ns)) &&
	       str_eq(s->metadata_key, str_from(key));
}

bool
abi_get_metadata_number(void *stream, enum abi_metadata source,
    struct abi_bytes ns, struct abi_bytes key, double *value)
{
	struct envoy_stream *s = alive(stream);

	ck_assert_int_eq(source, ABI_METADATA_DYNAMIC);
	*value = s->metadata_number;
	return s->has_metadata_number && str_eq(s->metadata_ns, str_from(ns)) &&
	       str_eq(s->metadata_key, str_from(key));
}

void
abi_set_metadata(void *stream, struct abi_bytes ns, struct abi_bytes key,
    struct abi_bytes value)
{
	struct envoy_stream *s = alive(stream);

	s->metadata_ns = arena_str(s->arena, str_from(ns));
	s->metadata_key = arena_str(s->arena, str_from(key));
	s->metadata_value = arena_str(s->arena, str_from(value));
}

bool
abi_get_text(void *stream, enum abi_attribute at, struct abi_bytes *value)
{
	struct envoy_stream *s = alive(stream);

	*value = bytes_from(s->texts[at]);
	return value->ptr;
}

bool
abi_get_number(void *stream, enum abi_attribute at, uint64_t *value)
{
	struct envoy_stream *s = alive(stream);

	*value = s->numbers[at];
	return s->numbers[at];
}

const void *
abi_route_conf(void *stream)
{
	return alive(stream)->route_conf;
}

void
abi_clear_route(void *stream)
{
	alive(stream)->routes_cleared++;
}

static struct buf *
part_of(struct envoy_stream *s, enum abi_body part)
{
	if (part == ABI_BUFFERED_BODY)
		return &s->buffered;
	ck_assert_msg(s->is_in_body_hook, "nothing is received here");
	return s->received_is_buffered ? &s->buffered : &s->received;
}

size_t
abi_body_size(void *stream, enum abi_body part)
{
	return buf_len(part_of(alive(stream), part));
}

/* In pieces of three, to see that they are joined. */
size_t
abi_count_chunks(void *stream, enum abi_body part)
{
	return (buf_len(part_of(alive(stream), part)) + 2) / 3;
}

bool
abi_get_chunks(void *stream, enum abi_body part, struct abi_bytes *out)
{
	struct str all = buf_bytes(part_of(alive(stream), part));

	for (size_t at = 0; at < all.len; at += 3)
		out[at / 3] = bytes_from(str_slice(all, at, at + 3));
	return true;
}

bool
abi_append_body(void *stream, enum abi_body part, struct abi_bytes bytes)
{
	return !buf_append(part_of(alive(stream), part), str_from(bytes));
}

bool
abi_drain_body(void *stream, enum abi_body part, size_t n)
{
	buf_consume(part_of(alive(stream), part), n);
	return true;
}

bool
abi_received_is_buffered(void *stream)
{
	return alive(stream)->received_is_buffered;
}

uint64_t
abi_buffer_limit(void *stream)
{
	return alive(stream)->limit;
}

void
abi_set_buffer_limit(void *stream, uint64_t limit)
{
	alive(stream)->limit = limit;
}
