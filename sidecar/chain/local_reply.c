/* Envoy's LocalReplyConfig. */
#include "config.h"

#include "chain/format.h"
#include "chain/kit.h"
#include "chain/local_reply.h"
#include "chain/logfilter.h"
#include "chain/mutation.h"
#include "config/bootstrap.h"
#include "http/grpc.h"

enum { BODY_MAX = 64 * 1024 };

struct mapper {
	const struct logfilter *filter;
	const struct conf_response_mapper *conf;
	struct str body;
	const struct format *format;
	const struct mutation *headers;
};

struct local_reply {
	struct mapper *mappers;
	size_t n;
	const struct format *format;
};

static void
build_mapper(struct arena *arena, struct mapper *m,
    const struct conf_response_mapper *conf, struct diag *diag)
{
	m->conf = conf;
	if (conf->filter)
		m->filter = logfilter_build(arena, conf->filter, diag);
	if (conf->body)
		m->body =
		    bootstrap_text(arena, diag, NULL, conf->body, BODY_MAX);
	if (conf->body_format_override)
		m->format =
		    format_build(arena, conf->body_format_override, diag);
	m->headers = mutation_build(arena, &conf->headers_to_add, NULL, diag);
}

const struct local_reply *
local_reply_build(
    struct arena *arena, const struct conf_local_reply *conf, struct diag *diag)
{
	struct local_reply *l;
	size_t before = diag_errors(diag);

	if (!conf)
		return NULL;
	l = ARENA_NEW(arena, struct local_reply);
	l->n = conf->mappers.n;
	l->mappers = ARENA_ARRAY(arena, l->n + 1, struct mapper);
	for (size_t i = 0; i < l->n; i++)
		build_mapper(
		    arena, &l->mappers[i], &conf->mappers.items[i], diag);
	if (conf->body_format)
		l->format = format_build(arena, conf->body_format, diag);
	return diag_errors(diag) == before ? l : NULL;
}

/* ---- answering ---- */

void
local_reply_begin(struct exchange *x, const struct host_reply *reply)
{
	headers_init(&x->response, x->arena);
	headers_add(&x->response, STR(":status"),
	    arena_printf(x->arena, "%u", reply->status));
	x->details = arena_str(x->arena, reply->details);
	flags_set(&x->flags, flag_find(str_of(reply->flag)));
	x->local_body =
	    reply->body.ptr ? arena_str(x->arena, reply->body) : STR("");
}

void
local_reply_add_fields(struct exchange *x, const struct host_reply *reply)
{
	kit_fields_write(x, reply->fields, &x->response);
	for (size_t i = 0; i < reply->n_headers; i++) {
		struct str name = arena_str(x->arena, reply->headers[i].name);
		struct str value = arena_str(x->arena, reply->headers[i].value);
		if (header_name_is_valid(name) && header_value_is_valid(value))
			headers_add(&x->response, name, value);
	}
}

static void
set_status(struct exchange *x, unsigned status)
{
	x->code = status;
	headers_set(
	    &x->response, STR(":status"), arena_printf(x->arena, "%u", status));
}

/* The first mapper that holds; returns the format of the body. */
static const struct format *
apply_mapper(const struct local_reply *l, struct exchange *x)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct mapper *m = &l->mappers[i];
		if (m->filter && !logfilter_holds(m->filter, x))
			continue;
		if (m->body.ptr)
			x->local_body = m->body;
		mutation_apply(m->headers, x, &x->response);
		if (m->conf->has_status_code)
			set_status(x, m->conf->status_code);
		return m->format ? m->format : l->format;
	}
	return l->format;
}

struct str
local_reply_render(
    struct exchange *x, const struct format *format, struct str body)
{
	struct str before = x->local_body;
	struct buf text;

	x->local_body = body.ptr ? body : STR("");
	x->renders_reply = true;
	buf_init(&text, BODY_MAX);
	if (format_render(format, x, &text))
		buf_clear(&text);
	body = arena_str(x->arena, buf_bytes(&text));
	buf_free(&text);
	x->renders_reply = false;
	x->local_body = before;
	return body;
}

static struct str
render(const struct format *format, struct exchange *x)
{
	return format ? local_reply_render(x, format, x->local_body)
		      : x->local_body;
}

/* An answer as it is for plain HTTP, before it is one of gRPC. */
struct answer {
	struct str body;
	struct str type; /* of the body, unless a field says otherwise */
	bool is_rewritten; /* the body is not the reply's own any more */
};

static struct answer
rewrite(const struct local_reply *l, struct exchange *x)
{
	struct answer a = { .type = STR("text/plain") };
	struct str body = x->local_body;
	struct str type = headers_get(&x->response, STR("content-type"));
	const struct format *format = l ? apply_mapper(l, x) : NULL;
	bool has_own_type =
	    !str_eq(type, headers_get(&x->response, STR("content-type")));

	if (format)
		a.type = format_content_type(format);
	a.body = render(format, x);
	a.is_rewritten = !has_own_type && !str_eq(a.body, body);
	return a;
}

static void
set_body(struct exchange *x, const struct answer *a)
{
	struct headers *h = &x->response;

	if (!a->body.len) {
		headers_remove(h, STR("content-type"));
		headers_remove(h, STR("content-length"));
		return;
	}
	headers_set(h, STR("content-length"),
	    arena_printf(x->arena, "%zu", a->body.len));
	if (a->is_rewritten || !headers_get(h, STR("content-type")).ptr)
		headers_set(h, STR("content-type"), a->type);
}

static struct str
grpc_message(struct arena *arena, struct str body)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = arena_alloc(arena, 3 * body.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < body.len; i++) {
		unsigned char c = (unsigned char)body.ptr[i];
		if (c >= ' ' && c < '~' && c != '%') {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[c >> 4];
		out[n++] = digits[c & 15];
	}
	return (struct str){ out, n };
}

/* Without a body, all of it in fields, and always with status 200. */
static void
answer_grpc(struct exchange *x, struct answer *a, unsigned grpc_status)
{
	struct headers *h = &x->response;
	bool is_head =
	    str_eq(headers_get(&x->request, STR(":method")), STR("HEAD"));

	if (!grpc_status)
		grpc_status = grpc_status_of_http(x->code);
	set_status(x, 200);
	headers_set(h, STR("content-type"), STR("application/grpc"));
	if (!headers_get(h, STR("grpc-status")).len)
		headers_set(h, STR("grpc-status"),
		    arena_printf(x->arena, "%u", grpc_status));
	if (str_eq(a->type, STR("application/json")) &&
	    str_ends(a->body, STR("\n")))
		a->body.len--;
	if (a->body.len && !is_head)
		headers_set(
		    h, STR("grpc-message"), grpc_message(x->arena, a->body));
	headers_remove(h, STR("content-length"));
	a->body = STR("");
}

void
local_reply_finish(struct exchange *x, const struct host_reply *reply)
{
	struct answer a;

	x->code = reply->status;
	a = rewrite(reply->bare ? NULL : x->gateway->local_reply, x);
	if (exchange_is_grpc(x) && !reply->bare)
		answer_grpc(x, &a, reply->grpc_status);
	else
		set_body(x, &a);
	buf_clear(&x->download);
	x->download_end = true;
	if (exchange_response_is_bodyless(x))
		return;
	if (x->download.max < a.body.len)
		x->download.max = a.body.len;
	if (buf_append(&x->download, a.body))
		x->phase = EXCHANGE_CUT;
}
