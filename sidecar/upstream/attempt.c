/*
 * One try: a host, a connection, the request, the answer. Several may follow
 * each other, never side by side.
 */
#include "config.h"

#include "base/clock.h"
#include "chain/routestats.h"
#include "upstream/facts.h"

enum { MAX_KEPT = 64 << 20 };

/* ---- the host ---- */

static void
note_tried(struct forward *f)
{
	const struct retry_policy *p = f->retry.policy;

	if (!p || !p->avoids_previous_hosts)
		return;
	if (!f->tried)
		f->tried = ARENA_ARRAY(f->x->arena, f->retry.left + 2UL,
		    const struct cluster_host *);
	f->tried[f->n_tried++] = f->admission.host;
}

bool
attempt_choose(struct forward *f)
{
	const struct hash_policy *hash =
	    f->cluster->hash ? f->cluster->hash : f->rules->hash;
	const struct retry_policy *retry = f->retry.policy;
	struct balancer_wish wish = { .attempts = 0 };
	bool by_hash = f->cluster->policy == CONF_RING_HASH ||
		       f->cluster->policy == CONF_MAGLEV;

	if (by_hash && hash)
		wish.has_hash =
		    hash_policy_value(hash, f->x, &wish.hash, &f->made);
	if (f->x->attempts > 1 && retry &&
	    (retry->avoids_previous_hosts || retry->avoids_canaries)) {
		wish.attempts = retry->host_attempts;
		wish.rejects = retry_rejects;
		wish.arg = f;
	}
	return admission_choose(&f->admission, f->router->admissions,
	    f->cluster, f->rules->is_urgent, &wish);
}

/* ---- the body ---- */

/* What is kept for another try is in upload, so it gets room for it. */
static void
set_room(struct forward *f)
{
	struct buf *upload = &f->x->upload;
	size_t room = EXCHANGE_BODY_WINDOW;

	if (f->holds)
		room += f->rules->keep_max < MAX_KEPT
			    ? (size_t)f->rules->keep_max
			    : MAX_KEPT;
	if (room < buf_len(upload))
		room = buf_len(upload);
	if (!f->holds || upload->max < room)
		upload->max = room;
}

void
attempt_trim(struct forward *f)
{
	size_t n;

	if (!f->keeps)
		return;
	mirrors_feed(f);
	if (f->holds || !f->call)
		return;
	n = call_sent(f->call);
	call_release(f->call, &f->x->upload, n);
	f->mirrored -= n < f->mirrored ? n : f->mirrored;
	set_room(f);
}

/* There will be no further try. */
static void
let_go(struct forward *f)
{
	retry_end(f);
	f->holds = false;
	attempt_trim(f);
}

/* ---- the end ---- */

void
attempt_end(struct forward *f)
{
	if (f->call) {
		facts_of_end(f);
		call_end(f->call);
	}
	f->call = NULL;
	admission_end(&f->admission);
	f->ready_ns = f->answered_ns = 0;
}

static void
cut_later(void *arg)
{
	struct forward *f = arg;

	attempt_end(f);
	timer_clear(f->router->loop, &f->timer);
	exchange_cut(f->x);
}

/* ---- the answer ---- */

static void
add_service_time(struct forward *f)
{
	struct exchange *x = f->x;
	int64_t ns = x->upstream_headers_ns - f->upload_end_ns;

	if (x->gateway->suppress_envoy_headers || !f->upload_ended)
		return;
	headers_set(&x->response, STR("x-envoy-upstream-service-time"),
	    arena_u64(x->arena, ns > 0 ? (uint64_t)(ns / NS_PER_MS) : 0));
}

static void
count_answer(struct forward *f)
{
	struct str canary =
	    headers_get(&f->response, STR("x-envoy-upstream-canary"));
	uint64_t status = 0;

	(void)!str_to_u64(headers_get(&f->response, STR(":status")), &status);
	forward_count(f, (unsigned)status, str_eq(canary, STR("true")));
}

void
attempt_respond(struct forward *f)
{
	struct exchange *x = f->x;

	f->responded = true;
	let_go(f);
	count_answer(f);
	x->response = f->response;
	x->upstream_headers_ns = clock_boot_ns();
	x->details = STR("via_upstream");
	headers_remove_hop_by_hop(&x->response);
	if (f->rules->counts_in_response)
		headers_set(&x->response, STR("x-envoy-attempt-count"),
		    arena_u64(x->arena, x->attempts));
	add_service_time(f);
	for (size_t i = 0; i < f->made.n; i++)
		headers_add(&x->response, f->made.items[i].name,
		    f->made.items[i].value);
}

/* Whether another try takes the place of this answer. */
static bool
is_retried(struct forward *f)
{
	uint64_t status = 0, wait_ms;

	if (retry_after_answer(f, &wait_ms) != RETRY_YES)
		return false;
	(void)!str_to_u64(headers_get(&f->response, STR(":status")), &status);
	stats_retried(f->router->stats, f->cluster, (unsigned)status);
	failure_note_host(f);
	attempt_end(f);
	buf_clear(&f->x->download);
	f->retries_timeout = false;
	f->retry_ns = clock_boot_ns() + (int64_t)wait_ms * NS_PER_MS;
	limits_arm(f);
	return true;
}

static struct str
text_of(const struct forward *f)
{
	return arena_str(f->x->arena, str_of(call_failure_text(f->call)));
}

static void
on_changed(void *arg)
{
	struct forward *f = arg;
	struct exchange *x = f->x;
	enum call_state state = call_state(f->call);
	bool first = state != CALL_WAITING && !f->responded;

	f->moved_ns = clock_boot_ns();
	if (state != CALL_WAITING)
		f->answered_ns = f->moved_ns;
	if (first && !headers_get(&f->response, STR(":status")).ptr) {
		failure_of_call(f, call_failure(f->call), text_of(f));
		return;
	}
	if (first && is_retried(f))
		return;
	if (first) {
		failure_note_host(f);
		facts_of_answer(f);
		attempt_respond(f);
	}
	attempt_trim(f);
	if (state == CALL_FAILED) {
		failure_late(f, call_failure(f->call), text_of(f));
		task_defer(f->router->loop, &f->cut, cut_later, f);
	}
	if (state == CALL_DONE) {
		x->download_end = true;
		attempt_end(f);
		timer_clear(f->router->loop, &f->timer);
	}
	if (first)
		exchange_respond(x);
	else
		x->hooks->changed(x);
}

/* ---- the request ---- */

static int64_t
body_len(const struct exchange *x)
{
	if (x->upload_len != 0)
		return x->upload_len < 0 ? CALL_BODY_UNKNOWN : x->upload_len;
	return headers_get(&x->request, STR("content-length")).ptr
		   ? 0
		   : CALL_BODY_NONE;
}

/* From within the client. */
static bool
on_ready(void *arg)
{
	struct forward *f = arg;

	if (!admission_ready(&f->admission))
		return false;
	route_count(f->x, ROUTE_RQ_TOTAL);
	f->ready_ns = clock_boot_ns();
	facts_of_connection(f);
	limits_arm(f);
	return true;
}

static void
on_interim(void *arg, unsigned status)
{
	struct forward *f = arg;

	forward_count(f, status, false);
}

static void
go(void *arg)
{
	struct forward *f = arg;
	struct exchange *x = f->x;
	struct call_spec spec = {
		.origin = f->admission.origin,
		.method = headers_get(&x->request, STR(":method")),
		.target = headers_get(&x->request, STR(":path")),
		.headers = &x->request,
		.body_len = body_len(x),
		.upload = &x->upload,
		.upload_end = &x->upload_end,
		.keeps_upload = f->keeps,
		.download = &x->download,
		.response = &f->response,
		.changed = on_changed,
		.ready = on_ready,
		.interim = on_interim,
		.owner = f,
		.ticket = &f->admission,
	};

	route_use_hostname(x->route, x, f->admission.host->hostname);
	spec.authority = headers_get(&x->request, STR(":authority"));
	f->call = call_start(f->router->client, &spec);
}

void
attempt_start(struct forward *f)
{
	headers_init(&f->response, f->x->arena);
	set_room(f);
	note_tried(f);
	facts_of_host(f);
	switch (admission_ask(&f->admission, go, f)) {
	case ADMITTED:
		go(f);
		return;
	case ADMITTED_LATER:
		return;
	case ADMITTED_NOT:
		/* It has not come as far as to a host. */
		admission_end(&f->admission);
		failure_of_call(f, CALL_OVERFLOW, STR(""));
		return;
	}
}

void
attempt_again(struct forward *f)
{
	struct exchange *x = f->x;

	f->retry_ns = 0;
	retry_begin(f);
	x->attempts++;
	if (!attempt_choose(f)) {
		retry_end(f);
		failure_no_host(f);
		return;
	}
	if (f->rules->counts_in_request)
		headers_set(&x->request, STR("x-envoy-attempt-count"),
		    arena_u64(x->arena, x->attempts));
	if (f->rules->tells_timeout_retry)
		headers_set(&x->request, STR("x-envoy-is-timeout-retry"),
		    f->retries_timeout ? STR("true") : STR("false"));
	limits_tell(f);
	limits_arm(f);
	attempt_start(f);
}
