/*
 * Copies of requests (request_mirror_policies). A copy gets the body as it
 * comes, in memory of its own, and goes on when the exchange is over; its
 * answer is counted and thrown away. Nobody waits for it: one that falls
 * behind by more than its memory is given up.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "chain/downstream.h"
#include "upstream/forward.h"

enum { BEHIND_MAX = 1024 * 1024, ANSWER_WINDOW = 64 * 1024 };

struct mirror {
	struct router *router;
	struct mirror *next, **prev; /* of the router */
	struct mirror *sibling; /* of the same forward, while it is fed */
	bool is_fed; /* the forward has it in its list */
	bool over; /* and is to take it out of there */

	struct arena *arena;
	const struct cluster *cluster;
	struct headers request, response;
	int64_t body_len; /* as in call_spec */
	struct buf upload, download;
	bool upload_end;
	bool counted; /* its answer */
	struct admission admission;
	struct call *call;
	struct timer timer;
	uint64_t timeout_ms;
};

/* ---- the end ---- */

static void
drop(struct mirror *m)
{
	if (m->call)
		call_end(m->call);
	admission_end(&m->admission);
	timer_clear(m->router->loop, &m->timer);
	*m->prev = m->next;
	if (m->next)
		m->next->prev = m->prev;
	buf_free(&m->upload);
	buf_free(&m->download);
	arena_free(m->arena);
}

/* While it is fed it may only be dropped by whoever walks that list. */
static void
end(struct mirror *m)
{
	if (!m->is_fed) {
		drop(m);
		return;
	}
	m->over = true;
	if (m->call)
		call_end(m->call);
	m->call = NULL;
	admission_end(&m->admission);
	timer_clear(m->router->loop, &m->timer);
}

static void
count(struct mirror *m, unsigned status)
{
	if (!m->counted)
		stats_answer(
		    m->router->stats, m->cluster, status, ANSWER_TO_INTERNAL);
	m->counted = true;
}

/* ---- the answer ---- */

static void
count_failure(struct mirror *m)
{
	static const struct {
		enum cluster_counter counter;
		unsigned status;
	} kinds[] = { { CX_CONNECT_FAIL, 503 }, { CX_PROTOCOL_ERROR, 502 } };
	enum call_failure failure = call_failure(m->call);
	struct stats *stats = m->router->stats;
	bool is_protocol =
	    failure == CALL_PROTOCOL || failure == CALL_RESPONSE_TOO_LARGE;

	if (m->admission.holds_pending || is_protocol)
		stats_count(stats, m->cluster, kinds[is_protocol].counter);
	if (m->admission.holds_pending)
		stats_count(stats, m->cluster, RQ_PENDING_FAILURE_EJECT);
	count(m, kinds[is_protocol].status);
}

static void
on_changed(void *arg)
{
	struct mirror *m = arg;
	enum call_state state = call_state(m->call);
	uint64_t status;

	if (state != CALL_WAITING &&
	    str_to_u64(headers_get(&m->response, STR(":status")), &status))
		count(m, (unsigned)status);
	if (state == CALL_FAILED)
		count_failure(m);
	if (state == CALL_DONE || state == CALL_FAILED) {
		end(m);
		return;
	}
	buf_clear(&m->download);
	call_resume(m->call);
}

static void
on_timeout(void *arg)
{
	struct mirror *m = arg;

	stats_count(m->router->stats, m->cluster, RQ_TIMEOUT);
	count(m, 504);
	end(m);
}

/* ---- the request ---- */

static bool
on_ready(void *arg)
{
	struct mirror *m = arg;

	return admission_ready(&m->admission);
}

static void
go(void *arg)
{
	struct mirror *m = arg;
	struct call_spec spec = {
		.origin = m->admission.origin,
		.method = headers_get(&m->request, STR(":method")),
		.target = headers_get(&m->request, STR(":path")),
		.authority = headers_get(&m->request, STR(":authority")),
		.headers = &m->request,
		.body_len = m->body_len,
		.upload = &m->upload,
		.upload_end = &m->upload_end,
		.download = &m->download,
		.response = &m->response,
		.changed = on_changed,
		.ready = on_ready,
		.owner = m,
		.ticket = &m->admission,
	};

	m->call = call_start(m->router->client, &spec);
}

static void
start(struct mirror *m)
{
	struct balancer_wish any = { .attempts = 0 };

	if (!admission_choose(&m->admission, m->router->admissions, m->cluster,
		false, &any)) {
		count(m, 503);
		end(m);
		return;
	}
	switch (admission_ask(&m->admission, go, m)) {
	case ADMITTED:
		go(m);
		return;
	case ADMITTED_LATER:
		return;
	case ADMITTED_NOT:
		count(m, 503);
		end(m);
		return;
	}
}

/* ---- making one ---- */

/* "a.test-shadow:80" of "a.test:80". */
static struct str
shadow_host(struct arena *arena, struct str host)
{
	struct str bare = downstream_host_without_port(host);

	return arena_printf(arena, STR_FMT "-shadow" STR_FMT, STR_ARG(bare),
	    STR_ARG(str_slice(host, bare.len, host.len)));
}

static void
copy_headers(struct mirror *m, const struct headers *from,
    const struct conf_mirror_policy *conf)
{
	struct headers *to = &m->request;
	struct str host, client;

	headers_init(to, m->arena);
	for (size_t i = 0; i < from->n; i++)
		headers_add(to, arena_str(m->arena, from->items[i].name),
		    arena_str(m->arena, from->items[i].value));
	host = headers_get(to, STR(":authority"));
	if (conf->host_rewrite_literal.len)
		headers_set(to, STR(":authority"), conf->host_rewrite_literal);
	else if (!conf->disable_shadow_host_suffix_append)
		headers_set(to, STR(":authority"), shadow_host(m->arena, host));
	headers_set(to, STR("x-envoy-internal"), STR("true"));
	client = headers_joined(to, STR("x-forwarded-for"));
	headers_set(to, STR("x-forwarded-for"),
	    client.len ? arena_printf(m->arena, STR_FMT "," STR_FMT,
			     STR_ARG(client), STR_ARG(m->router->own_address))
		       : m->router->own_address);
}

static const struct cluster *
find_cluster(const struct forward *f, const struct mirror_policy *policy)
{
	const struct exchange *x = f->x;
	struct str name = policy->header.ptr
			      ? headers_get(&x->request, policy->header)
			      : policy->conf->cluster;
	const struct conf_cluster *conf =
	    name.len ? gateway_cluster(x->gateway, name) : NULL;

	return conf ? clusters_find(f->router->clusters, conf) : NULL;
}

static int64_t
body_len(const struct exchange *x)
{
	if (x->upload_len != 0)
		return x->upload_len < 0 ? CALL_BODY_UNKNOWN : x->upload_len;
	return headers_get(&x->request, STR("content-length")).ptr
		   ? 0
		   : CALL_BODY_NONE;
}

/* ---- the body ---- */

/* False if the copy is to be given up. */
static bool
feed(struct mirror *m, struct str bytes, bool is_end)
{
	if (m->over || buf_append(&m->upload, bytes))
		return false;
	m->upload_end = is_end;
	if (is_end && m->timeout_ms)
		timer_set(m->router->loop, &m->timer,
		    (int64_t)m->timeout_ms * NS_PER_MS, on_timeout, m);
	if (m->call)
		call_resume(m->call);
	return true;
}

static void
make(struct forward *f, const struct cluster *c,
    const struct conf_mirror_policy *conf)
{
	struct router *r = f->router;
	struct arena *arena = arena_new(2048);
	struct mirror *m = ARENA_NEW(arena, struct mirror);

	*m = (struct mirror){ .router = r,
		.next = r->mirrors,
		.prev = &r->mirrors,
		.arena = arena,
		.cluster = c,
		.body_len = body_len(f->x),
		.timeout_ms = f->limits.total };
	if (r->mirrors)
		r->mirrors->prev = &m->next;
	r->mirrors = m;
	headers_init(&m->response, arena);
	buf_init(&m->upload, BEHIND_MAX);
	buf_init(&m->download, ANSWER_WINDOW);
	copy_headers(m, &f->x->request, conf);
	if (!feed(m, buf_bytes(&f->x->upload), f->x->upload_end)) {
		drop(m);
		return;
	}
	if (!m->upload_end) {
		m->is_fed = true;
		m->sibling = f->mirrors;
		f->mirrors = m;
	}
	start(m);
}

void
mirrors_start(struct forward *f)
{
	const struct forwarding *rules = f->rules;

	for (size_t i = 0; i < rules->n_mirrors; i++) {
		const struct mirror_policy *policy = &rules->mirrors[i];
		const struct cluster *c = find_cluster(f, policy);
		if (c && match_fraction(policy->conf->runtime_fraction,
			     f->x->random, true))
			make(f, c, policy->conf);
	}
	f->mirrored = buf_len(&f->x->upload);
}

void
mirrors_feed(struct forward *f)
{
	struct exchange *x = f->x;
	struct str all = buf_bytes(&x->upload);
	struct str bytes = str_slice(all, f->mirrored, all.len);
	struct mirror **at = &f->mirrors, *m;

	while ((m = *at)) {
		bool goes_on = feed(m, bytes, x->upload_end);
		if (goes_on && !m->upload_end) {
			at = &m->sibling;
			continue;
		}
		*at = m->sibling;
		m->is_fed = false;
		if (!goes_on)
			drop(m);
	}
	f->mirrored = all.len;
}

void
mirrors_leave(struct forward *f)
{
	struct mirror *m, *next;

	for (m = f->mirrors; m; m = next) {
		next = m->sibling;
		drop(m);
	}
	f->mirrors = NULL;
}

void
mirrors_end(struct router *r)
{
	while (r->mirrors)
		drop(r->mirrors);
}
