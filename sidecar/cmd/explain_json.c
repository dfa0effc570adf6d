/* An explanation for tools. */
#include "config.h"

#include "base/clock.h"
#include "base/json.h"
#include "chain/chain.h"
#include "chain/route.h"
#include "cmd/explanation.h"

struct page {
	const struct explanation *e;
	struct buf *out;
	enum err err; /* the first one */
	bool begun; /* a member or an item stands before */
};

static void
put(struct page *p, const char *text)
{
	if (!p->err)
		p->err = buf_append(p->out, str_of(text));
}

static void
put_string(struct page *p, struct str s)
{
	if (!p->err && s.ptr)
		p->err = json_append_string(p->out, s);
	else
		put(p, "null");
}

static void
put_number(struct page *p, uint64_t n)
{
	if (!p->err)
		p->err = json_append_number(p->out, (double)n);
}

/* What stands before a member, or with NULL an item. */
static void
next(struct page *p, const char *name)
{
	if (p->begun)
		put(p, ", ");
	p->begun = true;
	if (!name)
		return;
	put_string(p, str_of(name));
	put(p, ": ");
}

static void
open(struct page *p, const char *bracket)
{
	put(p, bracket);
	p->begun = false;
}

static void
close(struct page *p, const char *bracket)
{
	put(p, bracket);
	p->begun = true;
}

static void
put_member(struct page *p, const char *name, struct str value)
{
	next(p, name);
	put_string(p, value);
}

static void
put_place(struct page *p, struct place place)
{
	if (!place.source)
		return;
	put_member(p, "file", str_of(place.source->name));
	next(p, "line");
	put_number(p, place.line);
}

/* [["name", "value"], ...] without pseudo headers */
static void
put_fields(struct page *p, const char *name, const struct headers *h)
{
	next(p, name);
	open(p, "[");
	for (size_t i = 0; i < h->n; i++) {
		if (str_starts(h->items[i].name, STR(":")))
			continue;
		next(p, NULL);
		open(p, "[");
		next(p, NULL);
		put_string(p, h->items[i].name);
		next(p, NULL);
		put_string(p, h->items[i].value);
		close(p, "]");
	}
	close(p, "]");
}

static void
put_changes(struct page *p, const char *name, const struct changes *list)
{
	next(p, name);
	open(p, "[");
	for (size_t i = 0; i < list->n; i++) {
		const struct change *c = &list->items[i];

		next(p, NULL);
		open(p, "{");
		put_member(p, "name", c->name);
		if (c->before.ptr)
			put_member(p, "before", c->before);
		if (c->after.ptr)
			put_member(p, "after", c->after);
		close(p, "}");
	}
	close(p, "]");
}

/* ---- the parts ---- */

static void
put_request(struct page *p)
{
	const struct explanation *e = p->e;
	const struct headers *h = &e->asked;

	next(p, "request");
	open(p, "{");
	put_member(p, "method", headers_get(h, STR(":method")));
	put_member(p, "scheme", e->x->peer.scheme);
	put_member(p, "host", headers_get(h, STR(":authority")));
	put_member(p, "path", headers_get(h, STR(":path")));
	put_member(p, "client", e->x->peer.address);
	for (size_t i = 0; i < e->n_steps; i++)
		if (e->steps[i].part == EXCHANGE_PART_ENTRY)
			put_changes(p, "changes", &e->steps[i].request);
	close(p, "}");
}

static void
put_route(struct page *p)
{
	const struct exchange *x = p->e->x;

	if (x->vhost) {
		next(p, "virtual_host");
		open(p, "{");
		put_member(p, "name", x->vhost->name);
		put_place(p, x->vhost->node->place);
		close(p, "}");
	}
	if (!x->route)
		return;
	next(p, "route");
	open(p, "{");
	put_member(p, "name", x->route->conf->name);
	put_place(p, x->route->conf->node->place);
	close(p, "}");
}

static const char *
verdict_word(const struct step *s)
{
	switch (s->verdict) {
	case FILTER_NEXT:
		return "passes";
	case FILTER_REPLY:
		return "answers";
	case FILTER_WAIT:
		break;
	}
	return "waits";
}

static void
put_step(struct page *p, const char *name, const struct step *s)
{
	next(p, name);
	open(p, "{");
	put_member(p, "verdict", str_of(verdict_word(s)));
	put_place(p, s->place);
	if (s->status) {
		next(p, "status");
		put_number(p, s->status);
	}
	if (s->waited_ns) {
		next(p, "waited_ms");
		put_number(p, (uint64_t)(s->waited_ns / NS_PER_MS));
	}
	if (s->is_rerouted) {
		next(p, "rerouted");
		put(p, "true");
	}
	put_changes(p, "changes", s->is_response ? &s->response : &s->request);
	close(p, "}");
}

static void
put_filters(struct page *p)
{
	const struct explanation *e = p->e;
	const struct step *request, *response;

	next(p, "filters");
	open(p, "[");
	for (size_t i = 0; i < e->x->gateway->n_filters; i++) {
		request = explanation_find(e, i, false);
		response = explanation_find(e, i, true);
		next(p, NULL);
		open(p, "{");
		put_member(p, "name", e->x->gateway->filters[i].name);
		next(p, "on");
		put(p, chain_is_on(e->x, i) ? "true" : "false");
		if (!request && !response)
			put_place(p, explanation_filter_place(e, i));
		if (request)
			put_step(p, "request", request);
		if (response)
			put_step(p, "response", response);
		close(p, "}");
	}
	close(p, "]");
}

static void
put_cluster(struct page *p)
{
	const struct exchange *x = p->e->x;

	if (!x->cluster_name.ptr)
		return;
	next(p, "cluster");
	open(p, "{");
	put_member(p, "name", x->cluster_name);
	if (x->cluster)
		put_place(p, x->cluster->node->place);
	if (x->route && x->route->weighted) {
		next(p, "weight");
		put_number(p, x->route->weighted->weight);
	}
	close(p, "}");
}

static void
put_sent(struct page *p)
{
	const struct explanation *e = p->e;
	const struct headers *h = &e->sent;

	if (!e->host)
		return;
	next(p, "sent");
	open(p, "{");
	put_member(p, "to", explanation_host(e));
	put_member(p, "method", headers_get(h, STR(":method")));
	put_member(p, "path", headers_get(h, STR(":path")));
	put_member(p, "host", headers_get(h, STR(":authority")));
	put_fields(p, "headers", h);
	put_changes(p, "changes", &e->prepared);
	close(p, "}");
}

static void
put_answer(struct page *p)
{
	const struct explanation *e = p->e;
	const struct exchange *x = e->x;

	next(p, "answer");
	open(p, "{");
	next(p, "status");
	put_number(p, exchange_status(x));
	put_member(p, "details", x->details);
	put_member(p, "flags", flags_text(e->arena, &x->flags));
	put_fields(p, "headers", &x->response);
	put_member(p, "body", buf_bytes(&x->download));
	close(p, "}");
}

enum err
explanation_write_json(const struct explanation *e, struct buf *out)
{
	struct page p = { .e = e, .out = out };

	open(&p, "{");
	put_request(&p);
	put_route(&p);
	put_filters(&p);
	put_cluster(&p);
	put_sent(&p);
	put_answer(&p);
	close(&p, "}");
	put(&p, "\n");
	return p.err;
}
