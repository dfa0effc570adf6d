/* Operators of the request and the response: fields, target, sizes of bodies. */
#include "config.h"

#include "chain/command.h"
#include "chain/exchange.h"
#include "http/params.h"
#include "http/target.h"

/* ---- fields ---- */

static bool
is_field_name(struct str name)
{
	if (str_starts(name, STR(":")))
		name = str_slice(name, 1, name.len);
	return !name.len || header_name_is_valid(name);
}

/* "X?Y" in lower case; "host" is what HTTP/2 calls ":authority". */
static const char *
build_fields(struct arena *arena, struct op *op)
{
	struct str rest = header_name_lower(arena, op->argument);
	struct str *const names[] = { &op->first, &op->second };

	for (size_t i = 0; i < 2; i++) {
		*names[i] = rest.ptr ? str_split(&rest, '?') : STR_NONE;
		if (str_eq(*names[i], STR("host")))
			*names[i] = STR(":authority");
	}
	if (rest.ptr)
		return arena_printf(arena,
		    "More than 1 alternative header specified in token: " STR_FMT,
		    STR_ARG(op->argument))
		    .ptr;
	if (!is_field_name(op->first) || !is_field_name(op->second))
		return "Invalid header configuration. Format string contains "
		       "invalid characters.";
	return NULL;
}

/* The first line only of a field that is there twice. */
static struct str
field(const struct op *op, const struct headers *h)
{
	struct str value = headers_get(h, op->first);

	if (value.ptr || !op->second.len)
		return value;
	return headers_get(h, op->second);
}

static struct value
get_request_field(const struct op *op, const struct exchange *x)
{
	return value_text(field(op, &x->request));
}

static struct value
get_request_field_without_query(const struct op *op, const struct exchange *x)
{
	struct str value = field(op, &x->request);

	return value_text(str_slice(value, 0, str_find_char(value, '?', 0)));
}

static struct value
get_response_field(const struct op *op, const struct exchange *x)
{
	return value_text(field(op, &x->response));
}

static int64_t
size_of(const struct headers *h)
{
	size_t size = 0;

	for (size_t i = 0; i < h->n; i++)
		size += h->items[i].name.len + h->items[i].value.len;
	return (int64_t)size;
}

static struct value
get_request_size(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_number(size_of(&x->request));
}

static struct value
get_response_size(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_number(size_of(&x->response));
}

/* ---- the target ---- */

enum path_source { ORIGINAL_OR_PATH, PATH, ORIGINAL };
enum { WITHOUT_QUERY = 4 };

static const char *
build_path(struct arena *arena, struct op *op)
{
	struct str rest = op->argument, query = STR_NONE, source = STR_NONE;

	if (rest.ptr)
		query = str_split(&rest, ':');
	if (rest.ptr)
		source = str_split(&rest, ':');
	if (str_eq(source, STR("ORIG")))
		op->option = ORIGINAL;
	else if (str_eq(source, STR("PATH")))
		op->option = PATH;
	else if (source.len && !str_eq(source, STR("ORIG_OR_PATH")))
		return arena_printf(arena,
		    "Invalid PATH option: '" STR_FMT
		    "', only 'ORIG'/'PATH'/'ORIG_OR_PATH' are allowed",
		    STR_ARG(source))
		    .ptr;
	if (str_eq(query, STR("NQ")))
		op->option |= WITHOUT_QUERY;
	else if (query.len && !str_eq(query, STR("WQ")))
		return arena_printf(arena,
		    "Invalid PATH option: '" STR_FMT
		    "', only 'WQ'/'NQ' are allowed",
		    STR_ARG(query))
		    .ptr;
	return NULL;
}

static struct value
get_path(const struct op *op, const struct exchange *x)
{
	enum path_source source =
	    (enum path_source)(op->option & ~WITHOUT_QUERY);
	struct str path = STR_NONE;

	if (source != PATH)
		path = headers_get(&x->request, STR("x-envoy-original-path"));
	if (!path.len && source != ORIGINAL)
		path = headers_get(&x->request, STR(":path"));
	if (op->option & WITHOUT_QUERY)
		path = str_slice(path, 0, str_find_char(path, '?', 0));
	return path.len ? value_text(path) : value_absent();
}

/* The query without its "?"; a fragment belongs to it. */
static struct str
query_of(const struct exchange *x)
{
	struct str target = headers_get(&x->request, STR(":path"));
	size_t at = str_find_char(target, '?', 0);

	return at < target.len ? str_slice(target, at + 1, target.len)
			       : STR_NONE;
}

static struct value
get_query_parameter(const struct op *op, const struct exchange *x)
{
	struct str rest = query_of(x), pair, name;
	size_t eq;

	while (rest.ptr) {
		pair = str_split(&rest, '&');
		eq = str_find_char(pair, '=', 0);
		name = str_slice(pair, 0, eq);
		if (!pair.len ||
		    !str_eq(params_decoded(x->arena, name), op->argument))
			continue;
		return value_text(eq < pair.len
				      ? params_decoded(x->arena,
					    str_slice(pair, eq + 1, pair.len))
				      : STR(""));
	}
	return value_absent();
}

enum { QUERY_AS_IT_IS, QUERY_DECODED };

static const char *
build_query(struct arena *arena, struct op *op)
{
	op->option = str_eq(op->argument, STR("DECODED")) ? QUERY_DECODED
							  : QUERY_AS_IT_IS;
	if (op->option == QUERY_DECODED || !op->argument.len ||
	    str_eq(op->argument, STR("ORIG")))
		return NULL;
	return arena_printf(arena,
	    "Invalid QUERY_PARAMS option: '" STR_FMT
	    "', only 'ORIG'/'DECODED' are allowed",
	    STR_ARG(op->argument))
	    .ptr;
}

/* What would not stand as it is in a query (RFC 3986) stays encoded. */
static bool
is_decoded_in_query(unsigned char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"<>\\^{|}", c);
}

/* The "%" of what is no "%xx" is dropped, as Envoy does. */
static struct str
decoded_query(struct arena *arena, struct str s)
{
	char *out = arena_cstr(arena, s);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		int byte = str_percent(s, i);

		if (s.ptr[i] != '%' || i + 2 >= s.len) {
			out[n++] = s.ptr[i];
		} else if (byte >= 0) {
			if (is_decoded_in_query((unsigned char)byte)) {
				out[n++] = (char)byte;
			} else {
				memcpy(out + n, s.ptr + i, 3);
				n += 3;
			}
			i += 2;
		}
	}
	return (struct str){ out, n };
}

static struct value
get_query(const struct op *op, const struct exchange *x)
{
	struct str query = query_of(x);

	if (!query.ptr)
		return value_absent();
	return value_text(op->option == QUERY_DECODED
			      ? decoded_query(x->arena, query)
			      : query);
}

/* ---- the rest ---- */

static struct value
get_protocol(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_text(x->peer.protocol);
}

static struct value
get_received(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_number((int64_t)x->bytes_received);
}

static struct value
get_sent(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_number((int64_t)x->bytes_sent);
}

/* Known only while a reply's body is rendered. */
static struct value
get_local_body(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_text(
	    x->renders_reply && x->local_body.ptr ? x->local_body : STR(""));
}

/* The id of a request is its x-request-id. */
static struct value
get_stream_id(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_text(headers_get(&x->request, STR("x-request-id")));
}

#define FIELD SYNTAX_REQUIRED | SYNTAX_LENGTH

const struct command value_message_commands[] = {
	{ "REQ", FIELD, get_request_field, build_fields, 0 },
	{ "REQUEST_HEADER", FIELD, get_request_field, build_fields, 0 },
	{ "STREAM_INFO_REQ", FIELD, get_request_field, build_fields, 0 },
	{ "REQ_WITHOUT_QUERY", SYNTAX_OPTIONAL | SYNTAX_LENGTH,
	    get_request_field_without_query, build_fields, 0 },
	{ "RESP", FIELD, get_response_field, build_fields, 0 },
	{ "RESPONSE_HEADER", FIELD, get_response_field, build_fields, 0 },
	/* FastCGI carries no trailers. */
	{ "TRAILER", FIELD, NULL, build_fields, 0 },
	{ "RESPONSE_TRAILER", FIELD, NULL, build_fields, 0 },
	{ "REQUEST_HEADERS_BYTES", SYNTAX_BARE, get_request_size, NULL, 0 },
	{ "RESPONSE_HEADERS_BYTES", SYNTAX_BARE, get_response_size, NULL, 0 },
	{ "PATH", SYNTAX_OPTIONAL | SYNTAX_LENGTH, get_path, build_path, 0 },
	{ "QUERY_PARAM", FIELD, get_query_parameter, NULL, 0 },
	{ "QUERY_PARAMS", SYNTAX_OPTIONAL | SYNTAX_LENGTH, get_query,
	    build_query, 0 },
	{ "PROTOCOL", SYNTAX_BARE, get_protocol, NULL, 0 },
	{ "BYTES_RECEIVED", SYNTAX_BARE, get_received, NULL, 0 },
	{ "BYTES_SENT", SYNTAX_BARE, get_sent, NULL, 0 },
	{ "LOCAL_REPLY_BODY", SYNTAX_BARE, get_local_body, NULL, 0 },
	{ "STREAM_ID", SYNTAX_BARE, get_stream_id, NULL, 0 },
	{ NULL, SYNTAX_BARE, NULL, NULL, 0 },
};
