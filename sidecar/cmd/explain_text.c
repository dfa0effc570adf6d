/* An explanation for people. */
#include "config.h"

#include "base/clock.h"
#include "chain/chain.h"
#include "chain/route.h"
#include "cmd/explanation.h"

enum { LABEL_WIDTH = 14, TEXT_WIDTH = 46, BODY_MAX = 1024 };

struct page {
	const struct explanation *e;
	struct buf *out;
	enum err err; /* the first one */
};

#define PUT(p, ...)                                                            \
	do {                                                                   \
		if (!(p)->err)                                                 \
			(p)->err = buf_printf((p)->out, __VA_ARGS__);          \
	} while (0)

/* "label         text                 file:line" */
static void
put_line(struct page *p, const char *label, struct str text, struct place place)
{
	PUT(p, "%-*s", LABEL_WIDTH, label);
	if (place.source)
		PUT(p, "%-*.*s  %s:%u", TEXT_WIDTH, (int)text.len, text.ptr,
		    place.source->name, place.line);
	else
		PUT(p, STR_FMT, STR_ARG(text));
	PUT(p, "\n");
}

static void
put_field(struct page *p, const char *sign, struct str name, struct str value)
{
	PUT(p, "%*s%s" STR_FMT ": " STR_FMT "\n", LABEL_WIDTH, "", sign,
	    STR_ARG(name), STR_ARG(value));
}

static void
put_changes(struct page *p, const struct changes *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct change *c = &list->items[i];

		switch (c->kind) {
		case CHANGE_ADDED:
			put_field(p, "+ ", c->name, c->after);
			break;
		case CHANGE_REMOVED:
			put_field(p, "- ", c->name, c->before);
			break;
		case CHANGE_REPLACED:
			put_field(p, "- ", c->name, c->before);
			put_field(p, "+ ", c->name, c->after);
			break;
		}
	}
}

/* ---- the request ---- */

static void
put_request(struct page *p, const struct headers *h)
{
	const struct exchange *x = p->e->x;
	struct str text = arena_printf(p->e->arena,
	    STR_FMT " " STR_FMT "://" STR_FMT STR_FMT " from " STR_FMT,
	    STR_ARG(headers_get(h, STR(":method"))), STR_ARG(x->peer.scheme),
	    STR_ARG(headers_get(h, STR(":authority"))),
	    STR_ARG(x->original_path), STR_ARG(x->peer.address));

	put_line(p, "request", text, (struct place){ NULL, 0, 0 });
}

static const struct step *
find_part(const struct explanation *e, enum exchange_part part)
{
	for (size_t i = 0; i < e->n_steps; i++)
		if (e->steps[i].part == part)
			return &e->steps[i];
	return NULL;
}

static struct str
route_text(const struct explanation *e)
{
	const struct route *r = e->x->route;
	struct str name = r->conf->name;

	if (!r->conf->match)
		return STR("a redirect to https (require_tls)");
	return name.len ? name : STR("(without a name)");
}

static void
put_route(struct page *p)
{
	const struct explanation *e = p->e;
	const struct exchange *x = e->x;
	const struct place nowhere = { NULL, 0, 0 };

	if (!find_part(e, EXCHANGE_PART_ENTRY))
		return;
	if (!x->vhost) {
		put_line(p, "virtual host", STR("none has this host"), nowhere);
		return;
	}
	put_line(p, "virtual host", x->vhost->name, x->vhost->node->place);
	if (!x->route)
		put_line(p, "route", STR("none matches"), nowhere);
	else
		put_line(
		    p, "route", route_text(e), x->route->conf->node->place);
}

static struct str
verdict_text(const struct explanation *e, const struct step *s)
{
	struct str after = s->waited_ns
			       ? arena_printf(e->arena, " after %.3g s",
				     (double)s->waited_ns / (double)NS_PER_S)
			       : STR("");

	switch (s->verdict) {
	case FILTER_NEXT:
		return arena_printf(e->arena, "passes" STR_FMT "%s",
		    STR_ARG(after),
		    s->is_rerouted ? ", and another route is found" : "");
	case FILTER_REPLY:
		return arena_printf(
		    e->arena, "answers %u" STR_FMT, s->status, STR_ARG(after));
	case FILTER_WAIT:
		break;
	}
	return STR("waits for what does not come here");
}

static void
put_filter(struct page *p, size_t at, const struct step *s)
{
	const struct explanation *e = p->e;
	struct str what = s ? verdict_text(e, s) : STR("is off");
	struct str text = arena_printf(e->arena, STR_FMT " " STR_FMT,
	    STR_ARG(e->x->gateway->filters[at].name), STR_ARG(what));

	put_line(
	    p, "filter", text, s ? s->place : explanation_filter_place(e, at));
	if (s)
		put_changes(p, s->is_response ? &s->response : &s->request);
}

/* All filters up to the one that answers, those that are off too. */
static void
put_filters(struct page *p)
{
	const struct explanation *e = p->e;
	const struct step *s;

	for (size_t at = 0; at < e->x->gateway->n_filters; at++) {
		s = explanation_find(e, at, false);
		if (s || !chain_is_on(e->x, at))
			put_filter(p, at, s);
		if (s && s->verdict != FILTER_NEXT)
			return;
	}
}

static void
put_entry(struct page *p)
{
	const struct step *s = find_part(p->e, EXCHANGE_PART_ENTRY);

	if (!s || !s->request.n)
		return;
	put_line(p, "on arrival", STR("the connection manager changes"),
	    p->e->x->gateway->hcm->node->place);
	put_changes(p, &s->request);
}

static void
put_cluster(struct page *p)
{
	const struct explanation *e = p->e;
	const struct exchange *x = e->x;
	const struct conf_weighted_cluster *w =
	    x->route ? x->route->weighted : NULL;
	struct str name = x->cluster_name;

	if (w)
		put_line(p, "cluster by",
		    arena_printf(e->arena, "weight %u", (unsigned)w->weight),
		    w->node->place);
	if (x->cluster)
		put_line(p, "cluster", name, x->cluster->node->place);
	else if (name.ptr)
		put_line(p, "cluster",
		    arena_printf(
			e->arena, "there is no " STR_FMT, STR_ARG(name)),
		    (struct place){ NULL, 0, 0 });
}

static bool
is_pseudo(struct str name)
{
	return name.len && name.ptr[0] == ':';
}

static void
put_fields(struct page *p, const struct headers *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (!is_pseudo(h->items[i].name))
			put_field(p, "", h->items[i].name, h->items[i].value);
}

static void
put_sent(struct page *p)
{
	const struct explanation *e = p->e;
	const struct headers *h = &e->sent;

	if (e->prepared.n) {
		put_line(
		    p, "router", STR("changes"), (struct place){ NULL, 0, 0 });
		put_changes(p, &e->prepared);
	}
	put_cluster(p);
	if (!e->host)
		return;
	put_line(
	    p, "sent to", explanation_host(e), (struct place){ NULL, 0, 0 });
	PUT(p, "%*s" STR_FMT " " STR_FMT "\n", LABEL_WIDTH, "",
	    STR_ARG(headers_get(h, STR(":method"))),
	    STR_ARG(headers_get(h, STR(":path"))));
	put_field(p, "", STR("host"), headers_get(h, STR(":authority")));
	put_fields(p, h);
}

/* ---- the answer ---- */

static void
put_way_back(struct page *p)
{
	const struct explanation *e = p->e;

	for (size_t i = 0; i < e->n_steps; i++) {
		const struct step *s = &e->steps[i];

		if (!s->is_response || !s->response.n)
			continue;
		if (s->part == EXCHANGE_PART_FILTER) {
			put_filter(p, s->filter, s);
		} else if (e->host) {
			put_line(p, "way back", STR("route and router change"),
			    e->x->route->conf->node->place);
			put_changes(p, &s->response);
		}
	}
}

static void
put_body(struct page *p, struct str body)
{
	bool cut = body.len > BODY_MAX;

	if (!body.len)
		return;
	body = str_slice(body, 0, BODY_MAX);
	for (size_t i = 0; i < body.len; i++) {
		unsigned char c = (unsigned char)body.ptr[i];
		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			body = str_slice(body, 0, i), cut = true;
	}
	PUT(p, "\n" STR_FMT "%s\n", STR_ARG(body), cut ? "..." : "");
}

static void
put_answer(struct page *p)
{
	const struct explanation *e = p->e;
	struct exchange *x = e->x;
	struct str text = arena_printf(e->arena, "%u (" STR_FMT ")",
	    exchange_status(x), STR_ARG(x->details));

	if (x->flags.bits)
		text = arena_printf(e->arena, STR_FMT ", flags " STR_FMT,
		    STR_ARG(text), STR_ARG(flags_text(e->arena, &x->flags)));
	put_line(p, "answer", text, (struct place){ NULL, 0, 0 });
	put_fields(p, &x->response);
	put_body(p, buf_bytes(&x->download));
}

enum err
explanation_write_text(const struct explanation *e, struct buf *out)
{
	struct page p = { .e = e, .out = out };

	put_request(&p, &e->asked);
	put_entry(&p);
	put_route(&p);
	put_filters(&p);
	put_sent(&p);
	put_way_back(&p);
	put_answer(&p);
	return p.err;
}
