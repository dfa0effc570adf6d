/* An explanation for tools. */
#include "config.h"

#include "base/clock.h"
#include "chain/chain.h"
#include "chain/route.h"
#include "cmd/explanation.h"
#include "cmd/place.h"

struct page {
	const struct explanation *e;
	struct jsonpage json;
};

/* [["name", "value"], ...] without pseudo headers */
static void
put_fields(struct page *p, const char *name, const struct headers *h)
{
	json_open_list(&p->json, name);
	for (size_t i = 0; i < h->n; i++) {
		if (str_starts(h->items[i].name, STR(":")))
			continue;
		json_open_list(&p->json, NULL);
		json_put_string(&p->json, NULL, h->items[i].name);
		json_put_string(&p->json, NULL, h->items[i].value);
		json_close_list(&p->json);
	}
	json_close_list(&p->json);
}

static void
put_changes(struct page *p, const char *name, const struct changes *list)
{
	json_open_list(&p->json, name);
	for (size_t i = 0; i < list->n; i++) {
		const struct change *c = &list->items[i];

		json_open_map(&p->json, NULL);
		json_put_string(&p->json, "name", c->name);
		if (c->before.ptr)
			json_put_string(&p->json, "before", c->before);
		if (c->after.ptr)
			json_put_string(&p->json, "after", c->after);
		json_close_map(&p->json);
	}
	json_close_list(&p->json);
}

/* ---- the parts ---- */

static void
put_request(struct page *p)
{
	const struct explanation *e = p->e;
	const struct headers *h = &e->asked;

	json_open_map(&p->json, "request");
	json_put_string(&p->json, "method", headers_get(h, STR(":method")));
	json_put_string(&p->json, "scheme", e->x->peer.scheme);
	json_put_string(&p->json, "host", headers_get(h, STR(":authority")));
	json_put_string(&p->json, "path", headers_get(h, STR(":path")));
	json_put_string(&p->json, "client", e->x->peer.address);
	for (size_t i = 0; i < e->n_steps; i++)
		if (e->steps[i].part == EXCHANGE_PART_ENTRY)
			put_changes(p, "changes", &e->steps[i].request);
	json_close_map(&p->json);
}

static void
put_route(struct page *p)
{
	const struct exchange *x = p->e->x;

	if (x->vhost) {
		json_open_map(&p->json, "virtual_host");
		json_put_string(&p->json, "name", x->vhost->name);
		json_put_place(&p->json, x->vhost->node->place);
		json_close_map(&p->json);
	}
	if (!x->route)
		return;
	json_open_map(&p->json, "route");
	json_put_string(&p->json, "name", x->route->conf->name);
	json_put_place(&p->json, x->route->conf->node->place);
	json_close_map(&p->json);
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
	json_open_map(&p->json, name);
	json_put_string(&p->json, "verdict", str_of(verdict_word(s)));
	json_put_place(&p->json, s->place);
	if (s->status) {
		json_put_number(&p->json, "status", (double)(s->status));
	}
	if (s->waited_ns) {
		json_put_number(&p->json, "waited_ms",
		    (double)((uint64_t)(s->waited_ns / NS_PER_MS)));
	}
	if (s->is_rerouted) {
		json_put_bool(&p->json, "rerouted", true);
	}
	put_changes(p, "changes", s->is_response ? &s->response : &s->request);
	json_close_map(&p->json);
}

static void
put_filters(struct page *p)
{
	const struct explanation *e = p->e;
	const struct step *request, *response;

	json_open_list(&p->json, "filters");
	for (size_t i = 0; i < e->x->gateway->n_filters; i++) {
		request = explanation_find(e, i, false);
		response = explanation_find(e, i, true);
		json_open_map(&p->json, NULL);
		json_put_string(
		    &p->json, "name", e->x->gateway->filters[i].name);
		json_put_bool(&p->json, "on", chain_is_on(e->x, i));
		if (!request && !response)
			json_put_place(
			    &p->json, explanation_filter_place(e, i));
		if (request)
			put_step(p, "request", request);
		if (response)
			put_step(p, "response", response);
		json_close_map(&p->json);
	}
	json_close_list(&p->json);
}

static void
put_cluster(struct page *p)
{
	const struct exchange *x = p->e->x;

	if (!x->cluster_name.ptr)
		return;
	json_open_map(&p->json, "cluster");
	json_put_string(&p->json, "name", x->cluster_name);
	if (x->cluster)
		json_put_place(&p->json, x->cluster->node->place);
	if (x->route && x->route->weighted) {
		json_put_number(
		    &p->json, "weight", (double)(x->route->weighted->weight));
	}
	json_close_map(&p->json);
}

static void
put_sent(struct page *p)
{
	const struct explanation *e = p->e;
	const struct headers *h = &e->sent;

	if (!e->host)
		return;
	json_open_map(&p->json, "sent");
	json_put_string(&p->json, "to", explanation_host(e));
	json_put_string(&p->json, "method", headers_get(h, STR(":method")));
	json_put_string(&p->json, "path", headers_get(h, STR(":path")));
	json_put_string(&p->json, "host", headers_get(h, STR(":authority")));
	put_fields(p, "headers", h);
	put_changes(p, "changes", &e->prepared);
	json_close_map(&p->json);
}

static void
put_answer(struct page *p)
{
	const struct explanation *e = p->e;
	const struct exchange *x = e->x;

	json_open_map(&p->json, "answer");
	json_put_number(&p->json, "status", (double)(exchange_status(x)));
	json_put_string(&p->json, "details", x->details);
	json_put_string(&p->json, "flags", flags_text(e->arena, &x->flags));
	put_fields(p, "headers", &x->response);
	json_put_string(&p->json, "body", buf_bytes(&x->download));
	json_close_map(&p->json);
}

enum err
explanation_write_json(const struct explanation *e, struct buf *out)
{
	struct page p = { .e = e, .json = { .out = out } };

	json_open_map(&p.json, NULL);
	put_request(&p);
	put_route(&p);
	put_filters(&p);
	put_cluster(&p);
	put_sent(&p);
	put_answer(&p);
	json_close_map(&p.json);
	json_end(&p.json);
	return p.json.err;
}
