/*
 * Whole request bodies for filters that ask for them. Envoy keeps headers and
 * body back while the hooks say so; the filter sees the body once, when
 * it is complete, and only then do the headers leave.
 */
#include "config.h"

#include "module/exchange.h"

static bool
is_too_large(const struct exchange *x, size_t size)
{
	return size > x->body_max;
}

static enum verdict
refuse_size(struct exchange *x)
{
	return exchange_refuse(
	    x, 413, STR("Payload Too Large"), STR("request_payload_too_large"));
}

/* Also when a header field says so, before any of it has come. */
static bool
is_declared_too_large(struct exchange *x)
{
	struct str text =
	    host_header(x, HOST_REQUEST, STR("content-length"), 0);
	uint64_t size;

	return str_to_u64(text, &size) && is_too_large(x, size);
}

/* Envoy's own limit may be lower, and would answer first. */
static void
make_room(struct exchange *x)
{
	uint64_t limit;

	if (!abi_buffer_limit || !abi_set_buffer_limit)
		return;
	limit = abi_buffer_limit(x->stream);
	if (limit && limit < x->body_max)
		abi_set_buffer_limit(x->stream, x->body_max);
}

static enum verdict
run_body(struct exchange *x)
{
	enum verdict verdict = FILTER_NEXT;

	x->collects = false;
	if (x->conf->filter->on_request_body)
		verdict = exchange_run(x, x->conf->filter->on_request_body);
	x->body = STR_NONE;
	return verdict;
}

int
body_begin(struct exchange *x, bool end)
{
	const struct filter *filter = x->conf->filter;

	if (!filter->body_max)
		return ABI_HEADERS_CONTINUE;
	x->took_part = true;
	x->body_max = filter->body_max(x->conf->conf, x->state, x);
	if (!x->body_max)
		return ABI_HEADERS_CONTINUE;
	if (end) {
		x->body = STR("");
		x->body_at = ABI_BUFFERED_BODY;
		return run_body(x) == FILTER_NEXT ? ABI_HEADERS_CONTINUE
						  : ABI_HEADERS_STOP;
	}
	if (is_declared_too_large(x)) {
		(void)refuse_size(x);
		return ABI_HEADERS_STOP;
	}
	make_room(x);
	x->collects = true;
	return ABI_HEADERS_STOP;
}

/* ---- the parts of a body ---- */

static size_t
append_chunks(struct exchange *x, enum abi_body part, char *at)
{
	size_t n = abi_count_chunks(x->stream, part), len = 0;
	struct abi_bytes *chunks =
	    ARENA_ARRAY(host_arena(x), n + 1, struct abi_bytes);

	if (!n || !abi_get_chunks(x->stream, part, chunks))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (chunks[i].len)
			memcpy(at + len, chunks[i].ptr, chunks[i].len);
		len += chunks[i].len;
	}
	return len;
}

/* The running hook's bytes, unless they are the ones kept back. */
static bool
has_received(const struct exchange *x)
{
	return !abi_received_is_buffered(x->stream);
}

static size_t
size_so_far(const struct exchange *x, bool in_body_hook)
{
	size_t size = abi_body_size(x->stream, ABI_BUFFERED_BODY);

	if (in_body_hook && has_received(x))
		size += abi_body_size(x->stream, ABI_RECEIVED_BODY);
	return size;
}

static void
join(struct exchange *x, bool in_body_hook)
{
	char *bytes =
	    arena_alloc(host_arena(x), size_so_far(x, in_body_hook) + 1);
	size_t len = append_chunks(x, ABI_BUFFERED_BODY, bytes);

	if (in_body_hook && has_received(x))
		len += append_chunks(x, ABI_RECEIVED_BODY, bytes + len);
	x->body = (struct str){ bytes, len };
	x->body_at = in_body_hook ? ABI_RECEIVED_BODY : ABI_BUFFERED_BODY;
}

static int
take(struct exchange *x, bool end)
{
	if (x->replied)
		return ABI_BODY_STOP_NO_BUFFER;
	if (!x->collects)
		return ABI_BODY_CONTINUE;
	if (is_too_large(x, size_so_far(x, true))) {
		x->collects = false;
		(void)refuse_size(x);
		return ABI_BODY_STOP_NO_BUFFER;
	}
	if (!end)
		return ABI_BODY_STOP_AND_BUFFER;
	join(x, true);
	return run_body(x) == FILTER_NEXT ? ABI_BODY_CONTINUE
					  : ABI_BODY_STOP_NO_BUFFER;
}

int
on_request_body(void *stream, const void *self, bool end)
{
	struct exchange *x = (struct exchange *)(uintptr_t)self;
	int status;

	(void)stream;
	status = take(x, end);
	exchange_settle(x);
	return status;
}

/* A body before trailers ends with them: no body hook has said so. */
int
on_request_trailers(void *stream, const void *self)
{
	struct exchange *x = (struct exchange *)(uintptr_t)self;
	int status = ABI_TRAILERS_CONTINUE;

	(void)stream;
	if (x->collects) {
		join(x, false);
		if (run_body(x) != FILTER_NEXT)
			status = ABI_TRAILERS_STOP;
	} else if (x->replied) {
		status = ABI_TRAILERS_STOP;
	}
	exchange_settle(x);
	return status;
}

/* ---- the part of chain/host.h for bodies ---- */

struct str
host_body(struct exchange *x)
{
	return x->body;
}

static void
drain(struct exchange *x, enum abi_body part)
{
	(void)abi_drain_body(x->stream, part, abi_body_size(x->stream, part));
}

bool
host_body_replace(struct exchange *x, struct str bytes)
{
	struct abi_bytes whole = { bytes.ptr, bytes.len };

	if (!x->body.ptr || !x->stream || x->complete)
		return false;
	drain(x, ABI_BUFFERED_BODY);
	if (x->body_at == ABI_RECEIVED_BODY)
		drain(x, ABI_RECEIVED_BODY);
	if (bytes.len && !abi_append_body(x->stream, x->body_at, whole))
		return false;
	x->body = host_keep(x, bytes);
	return host_header_set(x, HOST_REQUEST, STR("content-length"),
	    arena_printf(host_arena(x), "%zu", bytes.len));
}
