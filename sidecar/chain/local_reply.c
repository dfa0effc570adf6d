/* Envoy's LocalReplyConfig. */
#include "config.h"

#include "chain/format.h"
#include "chain/local_reply.h"
#include "chain/logfilter.h"
#include "chain/mutation.h"
#include "config/bootstrap.h"

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
		    bootstrap_data(arena, diag, NULL, conf->body, BODY_MAX);
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
			headers_set(&x->response, STR(":status"),
			    arena_printf(x->arena, "%u", m->conf->status_code));
		return m->format ? m->format : l->format;
	}
	return l->format;
}

struct str
local_reply_apply(const struct local_reply *l, struct exchange *x)
{
	const struct format *format = l ? apply_mapper(l, x) : NULL;
	struct buf text;
	struct str body;

	if (!format)
		return x->local_body;
	if (!x->local_body.ptr)
		x->local_body = STR("");
	buf_init(&text, BODY_MAX);
	x->renders_reply = true;
	if (format_render(format, x, &text))
		buf_clear(&text);
	x->renders_reply = false;
	body = arena_str(x->arena, buf_bytes(&text));
	buf_free(&text);
	headers_set(
	    &x->response, STR("content-type"), format_content_type(format));
	return body;
}
