/* The head of a request as HTTP/1.1 text (RFC 9112 section 3). */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "upstream/call.h"

enum { SLACK = 128 }; /* for the words that are not the spec's */

static char *
put(char *at, struct str s)
{
	return s.len ? mempcpy(at, s.ptr, s.len) : at;
}

/* Adds to *size what Envoy counts: there is a blank before any value. */
static char *
put_field(char *at, size_t *size, struct str name, struct str value)
{
	value = str_trim(value);
	*size += name.len + value.len + strlen(": \r\n");
	at = put(at, name);
	at = put(at, value.len ? STR(": ") : STR(":"));
	at = put(at, value);
	return put(at, STR("\r\n"));
}

static char *
put_length(
    char *at, size_t *size, const struct call_spec *spec, enum shape shape)
{
	bool has_body = shape == SHAPE_WHOLE || shape == SHAPE_UPLOAD;
	int64_t len = has_body ? spec->body_len : 0;
	char room[STR_U64_MAX];

	if (has_body ? len < 0 : !request_states_no_body(spec))
		return at;
	return put_field(
	    at, size, STR("Content-Length"), str_from_u64(room, (uint64_t)len));
}

static void
make_room(struct call *call, const struct call_spec *spec)
{
	size_t need = spec->method.len + spec->target.len +
		      spec->authority.len + headers_size(spec->headers) + SLACK;

	if (need <= call->block_cap)
		return;
	free(call->block);
	call->block_cap = need + need / 2;
	call->block = malloc(call->block_cap);
	call_must(call->block);
}

size_t
compose(struct call *call, const struct call_spec *spec, enum shape shape)
{
	const struct headers *h = spec->headers;
	size_t *size = &call->fields_size;
	char *at;

	*size = 0;
	make_room(call, spec);
	at = put(call->block, spec->method);
	at = put(at, STR(" "));
	at = put(at, spec->target);
	at = put(at, STR(" HTTP/1.1\r\n"));
	at = put_field(at, size, STR("Host"), spec->authority);
	if (spec->body_len == CALL_BODY_UNKNOWN)
		at = put_field(
		    at, size, STR("Transfer-Encoding"), STR("chunked"));
	for (size_t i = 0; i < h->n; i++)
		if (!request_leaves_out(h->items[i].name))
			at = put_field(
			    at, size, h->items[i].name, h->items[i].value);
	at = put_length(at, size, spec, shape);
	at = put(at, STR("\r\n"));
	return (size_t)(at - call->block);
}
