/* Following a request on its way. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "chain/chain.h"
#include "chain/route.h"
#include "cmd/explanation.h"

enum { STEPS_PER_FILTER = 3 };

/* ---- what changed ---- */

/* A copy that later changes do not reach. */
static struct headers
snapshot(struct arena *arena, const struct headers *from)
{
	struct headers copy;

	headers_init(&copy, arena);
	for (size_t i = 0; i < from->n; i++)
		headers_add(&copy, from->items[i].name, from->items[i].value);
	return copy;
}

static size_t
count_equal(const struct headers *h, const struct header *like)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += str_eq(h->items[i].name, like->name) &&
		     str_eq(h->items[i].value, like->value);
	return n;
}

static bool
is_single(const struct headers *h, struct str name)
{
	return headers_nth(h, name, 0).ptr && !headers_nth(h, name, 1).ptr;
}

static void
add_change(struct changes *list, enum change_kind kind, struct str name,
    struct str before, struct str after)
{
	list->items[list->n++] = (struct change){ kind, name, before, after };
}

/* Of fields that are more in one than in the other. */
static void
add_surplus(struct changes *list, const struct headers *before,
    const struct headers *after, enum change_kind kind)
{
	const struct headers *of = kind == CHANGE_ADDED ? after : before;
	const struct headers *other = kind == CHANGE_ADDED ? before : after;
	struct headers seen;

	headers_init(&seen, of->arena);
	for (size_t i = 0; i < of->n; i++) {
		const struct header *h = &of->items[i];

		headers_add(&seen, h->name, h->value);
		if (count_equal(&seen, h) <= count_equal(other, h))
			continue;
		if (!is_single(before, h->name) || !is_single(after, h->name))
			add_change(list, kind, h->name,
			    kind == CHANGE_ADDED ? STR_NONE : h->value,
			    kind == CHANGE_ADDED ? h->value : STR_NONE);
		else if (kind == CHANGE_ADDED)
			add_change(list, CHANGE_REPLACED, h->name,
			    headers_get(before, h->name), h->value);
	}
}

/* What has happened since the last look, added to the list. */
static void
note_changes(struct explanation *e, struct headers *last,
    const struct headers *now, struct changes *list)
{
	struct changes all = { ARENA_ARRAY(e->arena,
				   list->n + last->n + now->n + 1,
				   struct change),
		0 };

	for (size_t i = 0; i < list->n; i++)
		all.items[all.n++] = list->items[i];
	add_surplus(&all, last, now, CHANGE_REMOVED);
	add_surplus(&all, last, now, CHANGE_ADDED);
	*list = all;
	*last = snapshot(e->arena, now);
}

/* ---- where it stands ---- */

static const struct place *
place_in(const struct map *map, struct str name)
{
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->items[i].key, name))
			return &map->items[i].place;
	return NULL;
}

struct place
explanation_filter_place(const struct explanation *e, size_t filter)
{
	const struct gateway *g = e->x->gateway;
	const struct filter_instance *f = &g->filters[filter];
	const struct route *r = e->x->route;
	const struct place *found = NULL;

	if (r && r->weighted)
		found =
		    place_in(&r->weighted->typed_per_filter_config, f->name);
	if (r && !found)
		found = place_in(&r->conf->typed_per_filter_config, f->name);
	if (r && !found)
		found = place_in(&r->vhost->typed_per_filter_config, f->name);
	if (r && !found)
		found = place_in(
		    &g->hcm->route_config->typed_per_filter_config, f->name);
	return found ? *found : f->node->place;
}

const struct step *
explanation_find(const struct explanation *e, size_t filter, bool is_response)
{
	for (size_t i = e->n_steps; i-- > 0;)
		if (e->steps[i].part == EXCHANGE_PART_FILTER &&
		    e->steps[i].filter == filter &&
		    e->steps[i].is_response == is_response)
			return &e->steps[i];
	return NULL;
}

struct str
explanation_host(const struct explanation *e)
{
	const struct cluster_host *h = e->host;
	struct str url = str_of(h->origin.url);
	size_t from = str_find(url, STR("://"), 0) + strlen("://");

	if (h->address.ptr)
		return h->address;
	if (h->origin.connect_to)
		return str_of(h->origin.connect_to + strlen("::"));
	return str_slice(url, from, str_find_char(url, '/', from));
}

/* ---- steps ---- */

/* The last one, if it was of the same filter: it has waited, or takes the body. */
static struct step *
step_for(struct explanation *e, enum exchange_part part, size_t filter)
{
	bool is_response = e->x->phase == EXCHANGE_RESPONSE;
	struct step *s = e->n_steps ? &e->steps[e->n_steps - 1] : NULL;

	if (s && s->part == part && s->filter == filter &&
	    s->is_response == is_response)
		return s;
	if (e->n_steps == e->max_steps)
		return NULL;
	s = &e->steps[e->n_steps++];
	*s = (struct step){
		.part = part, .filter = filter, .is_response = is_response
	};
	return s;
}

/* A callback that ends after it had begun to wait has waited till now. */
static void
note_verdict(struct explanation *e, struct step *s, enum verdict verdict)
{
	int64_t now_ns = clock_boot_ns();

	if (verdict == FILTER_WAIT && s->verdict != FILTER_WAIT)
		e->wait_began_ns = now_ns;
	if (verdict != FILTER_WAIT && s->verdict == FILTER_WAIT)
		s->waited_ns += now_ns - e->wait_began_ns;
	s->verdict = verdict;
	s->status = verdict == FILTER_REPLY ? exchange_status(e->x) : 0;
}

/* What the filter says, else what it went by before, else what configures it. */
static struct place
place_of(const struct explanation *e, const struct step *s)
{
	const struct step *before = explanation_find(e, s->filter, false);

	if (e->x->decided)
		return e->x->decided->place;
	if (s->place.source)
		return s->place;
	return before && before->place.source
		   ? before->place
		   : explanation_filter_place(e, s->filter);
}

static void
on_passed(struct exchange *x, enum exchange_part part, size_t filter,
    enum verdict verdict)
{
	struct explanation *e = x->owner;
	struct step *s = step_for(e, part, filter);

	if (!s)
		return;
	note_verdict(e, s, verdict);
	if (part == EXCHANGE_PART_FILTER) {
		s->place = place_of(e, s);
		s->is_rerouted |= x->route != e->route;
	}
	e->route = x->route;
	note_changes(e, &e->request, &x->request, &s->request);
	note_changes(e, &e->response, &x->response, &s->response);
}

static void
on_forward(struct exchange *x)
{
	struct explanation *e = x->owner;

	e->host = router_prepare(e->router, x);
	note_changes(e, &e->request, &x->request, &e->prepared);
	e->sent = snapshot(e->arena, &x->request);
}

static void
on_changed(struct exchange *x)
{
	(void)x;
}

static void
on_abandon(struct exchange *x)
{
	router_end(x);
}

static const struct exchange_hooks hooks = {
	.forward = on_forward,
	.changed = on_changed,
	.abandon = on_abandon,
	.passed = on_passed,
};

/* ---- the whole ---- */

static void
begin(struct explanation *e, const struct loaded *l, struct state *state)
{
	const struct gateway *g = l->gateway;
	struct exchange *x = exchange_new(e->arena, g, state, &hooks, e);

	e->x = x;
	e->max_steps = STEPS_PER_FILTER * g->n_filters + 2;
	e->steps = ARENA_ARRAY(e->arena, e->max_steps, struct step);
	headers_init(&e->response, e->arena);
	headers_init(&e->sent, e->arena);
	x->upload_end = true;
	x->upload_end_ns = clock_boot_ns();
}

/* Time flies for filters that wait for it. */
static void
let_time_pass(struct exchange *x)
{
	int64_t due_ns, by_ns;

	while (
	    (x->phase == EXCHANGE_REQUEST || x->phase == EXCHANGE_RESPONSE) &&
	    (due_ns = exchange_due_ns(x)) != INT64_MAX) {
		by_ns = due_ns - clock_boot_ns();
		clock_set(due_ns, clock_wall_ns() + by_ns);
		exchange_wake(x);
	}
}

static void
take_request(struct explanation *e, const struct cgi_param *params, size_t n)
{
	struct exchange *x = e->x;
	struct cgi_request r;
	struct cgi_refusal why = { .status = 0 };
	enum err err = cgi_request_read(e->arena, params, n, &r, &why);

	x->request = r.headers;
	x->peer = (struct exchange_peer){ .address = r.address,
		.port = r.port,
		.local_address = r.local_address,
		.local_port = r.local_port,
		.scheme = r.scheme,
		.protocol = r.protocol };
	x->original_path = headers_get(&r.headers, STR(":path"));
	x->client_address = r.address;
	e->asked = e->request = snapshot(e->arena, &x->request);
	if (err)
		exchange_reply(x, &(struct host_reply){ .status = why.status,
				      .body = str_of(cgi_reason(why.status)),
				      .details = why.details,
				      .flag = "DPE" });
	else
		exchange_start(x);
}

/* The backend's own field is no change. */
static void
pretend(struct explanation *e)
{
	headers_add(&e->response, STR(":status"), STR("200"));
	router_pretend(e->x, 200);
	let_time_pass(e->x);
}

void
explanation_run(struct explanation *e, const struct loaded *l,
    struct state *state, const struct cgi_param *params, size_t n)
{
	struct loop *loop = loop_new();

	if (!loop)
		abort();
	*e = (struct explanation){ .arena = l->arena };
	e->router = router_new(loop, l->clusters, state);
	begin(e, l, state);
	take_request(e, params, n);
	let_time_pass(e->x);
	if (e->host && e->x->phase == EXCHANGE_FORWARDING)
		pretend(e);
	router_end(e->x);
	router_free(e->router);
	loop_free(loop);
}

void
explanation_end(struct explanation *e)
{
	exchange_end(e->x);
}
