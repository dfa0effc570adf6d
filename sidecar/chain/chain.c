/* Where an exchange stands in the filter chain. */
#include "config.h"

#include "chain/chain.h"
#include "chain/route.h"

struct chain_run {
	size_t request_at; /* next filter of the request side */
	bool at_body; /* it has passed the headers and takes the body */
	size_t body_max; /* that it takes, 0: none */
	bool has_body; /* it is whole, in upload */
	size_t response_at; /* filters before this one are still to come */
	int current;
	int sender;
	bool *is_on; /* by the route that was found first, as in Envoy */
	bool *took_part;
	char *states;
};

static bool
is_on(const struct exchange *x, size_t at)
{
	signed char said = x->route ? x->route->filter_switch[at] : 0;

	return said ? said > 0 : !x->gateway->filters[at].disabled;
}

void
chain_init(struct exchange *x)
{
	const struct gateway *g = x->gateway;
	struct chain_run *run = ARENA_NEW(x->arena, struct chain_run);

	run->current = run->sender = -1;
	run->is_on = ARENA_ARRAY(x->arena, 2 * g->n_filters + 1, bool);
	run->took_part = run->is_on + g->n_filters;
	for (size_t at = 0; at < g->n_filters; at++)
		run->is_on[at] = is_on(x, at);
	run->states = arena_alloc(x->arena, g->state_size + 1);
	x->chain = run;
}

int
chain_current(const struct exchange *x)
{
	return x->chain ? x->chain->current : -1;
}

/* ---- whole bodies ---- */

bool
chain_collects(const struct exchange *x)
{
	return x->chain && x->chain->body_max;
}

bool
chain_is_on(const struct exchange *x, size_t filter)
{
	return x->chain && x->chain->is_on[filter];
}

bool
chain_has_body(const struct exchange *x)
{
	return x->chain && x->chain->has_body && x->phase == EXCHANGE_REQUEST;
}

/* Makes room for it, and has the front look for more if there was none. */
static void
widen(struct exchange *x, size_t max)
{
	size_t room = max < SIZE_MAX - EXCHANGE_BODY_WINDOW
			  ? max + EXCHANGE_BODY_WINDOW
			  : SIZE_MAX;

	if (x->upload.max >= room)
		return;
	x->upload.max = room;
	x->hooks->changed(x);
}

/* CHAIN_PASSED: the body is whole. */
static enum chain_result
collect(struct exchange *x, size_t max)
{
	if (buf_len(&x->upload) > max)
		return CHAIN_TOO_LARGE;
	if (!x->upload_end) {
		widen(x, max);
		return CHAIN_WAITS;
	}
	x->upload_len = (int64_t)buf_len(&x->upload);
	x->chain->has_body = true;
	return CHAIN_PASSED;
}

/* ---- running ---- */

static void
tell(struct exchange *x, enum verdict verdict)
{
	if (x->hooks->passed)
		x->hooks->passed(x, EXCHANGE_PART_FILTER,
		    (size_t)x->chain->current, verdict);
	x->decided = NULL;
}

static enum chain_result
result_of(struct exchange *x, enum verdict verdict)
{
	struct chain_run *run = x->chain;

	tell(x, verdict);
	/* The sender of a reply is still needed. */
	if (verdict == FILTER_REPLY)
		return CHAIN_REPLIED;
	run->current = -1;
	return verdict == FILTER_WAIT ? CHAIN_WAITS : CHAIN_PASSED;
}

static enum chain_result
run_headers(struct exchange *x, const struct filter_instance *f)
{
	struct chain_run *run = x->chain;
	void *state = run->states + f->state_at;
	enum chain_result result = CHAIN_PASSED;

	run->current = (int)run->request_at;
	if (f->filter->on_request)
		result = result_of(x, f->filter->on_request(f->conf, state, x));
	if (result)
		return result;
	run->at_body = true;
	run->current = (int)run->request_at;
	run->body_max =
	    f->filter->body_max ? f->filter->body_max(f->conf, state, x) : 0;
	run->current = -1;
	return CHAIN_PASSED;
}

static enum chain_result
run_body(struct exchange *x, const struct filter_instance *f)
{
	struct chain_run *run = x->chain;
	enum chain_result result;

	if (!run->body_max)
		return CHAIN_PASSED;
	result = collect(x, run->body_max);
	if (result || !f->filter->on_request_body)
		return result;
	run->current = (int)run->request_at;
	return result_of(x,
	    f->filter->on_request_body(f->conf, run->states + f->state_at, x));
}

enum chain_result
chain_run_request(struct exchange *x)
{
	struct chain_run *run = x->chain;
	const struct filter_instance *f;
	enum chain_result result;

	for (; run->request_at < x->gateway->n_filters; run->request_at++) {
		f = &x->gateway->filters[run->request_at];
		if ((!f->filter->on_request && !f->filter->body_max) ||
		    !run->is_on[run->request_at])
			continue;
		run->took_part[run->request_at] = true;
		result = run->at_body ? CHAIN_PASSED : run_headers(x, f);
		if (!result)
			result = run_body(x, f);
		if (result)
			return result;
		run->at_body = false;
		run->body_max = 0;
	}
	return CHAIN_PASSED;
}

void
chain_begin_response(struct exchange *x)
{
	x->chain->sender = x->chain->current;
	x->chain->current = -1;
	x->chain->response_at = x->gateway->n_filters;
}

enum chain_result
chain_run_response(struct exchange *x)
{
	struct chain_run *run = x->chain;
	const struct filter_instance *f;
	enum verdict verdict;

	for (; run->response_at > 0; run->response_at--) {
		size_t at = run->response_at - 1;
		f = &x->gateway->filters[at];
		if (!f->filter->on_response || (int)at == run->sender ||
		    !run->is_on[at])
			continue;
		run->took_part[at] = true;
		run->current = (int)at;
		verdict = f->filter->on_response(
		    f->conf, run->states + f->state_at, x);
		tell(x, verdict);
		run->current = -1;
		if (verdict == FILTER_WAIT)
			return CHAIN_WAITS;
		if (verdict == FILTER_REPLY) {
			run->response_at--;
			return CHAIN_REPLIED;
		}
	}
	return CHAIN_PASSED;
}

void
chain_end(struct exchange *x)
{
	struct chain_run *run = x->chain;
	const struct filter_instance *f;

	if (!run)
		return;
	for (size_t at = 0; at < x->gateway->n_filters; at++) {
		f = &x->gateway->filters[at];
		if (!run->took_part[at] || !f->filter->on_end)
			continue;
		run->current = (int)at;
		f->filter->on_end(f->conf, run->states + f->state_at, x);
	}
	run->current = -1;
	x->chain = NULL;
}
