/* Where an exchange stands in the filter chain. */
#include "config.h"

#include "chain/chain.h"
#include "chain/route.h"

struct chain_run {
	size_t request_at; /* next filter of the request side */
	size_t response_at; /* filters before this one are still to come */
	int current;
	int sender;
	bool *took_part;
	char *states;
};

void
chain_init(struct exchange *x)
{
	const struct gateway *g = x->gateway;
	struct chain_run *run = ARENA_NEW(x->arena, struct chain_run);

	run->current = run->sender = -1;
	run->took_part = ARENA_ARRAY(x->arena, g->n_filters + 1, bool);
	run->states = arena_alloc(x->arena, g->state_size + 1);
	x->chain = run;
}

int
chain_current(const struct exchange *x)
{
	return x->chain ? x->chain->current : -1;
}

static bool
is_on(const struct exchange *x, size_t at)
{
	signed char said = x->route ? x->route->filter_switch[at] : 0;

	return said ? said > 0 : !x->gateway->filters[at].disabled;
}

enum chain_result
chain_run_request(struct exchange *x)
{
	struct chain_run *run = x->chain;
	const struct filter_instance *f;
	enum verdict verdict;

	for (; run->request_at < x->gateway->n_filters; run->request_at++) {
		f = &x->gateway->filters[run->request_at];
		if (!f->filter->on_request || !is_on(x, run->request_at))
			continue;
		run->took_part[run->request_at] = true;
		run->current = (int)run->request_at;
		verdict = f->filter->on_request(
		    f->conf, run->states + f->state_at, x);
		if (verdict == FILTER_REPLY)
			return CHAIN_REPLIED;
		run->current = -1;
		if (verdict == FILTER_WAIT)
			return CHAIN_WAITS;
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
		    !is_on(x, at))
			continue;
		run->took_part[at] = true;
		run->current = (int)at;
		verdict = f->filter->on_response(
		    f->conf, run->states + f->state_at, x);
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
