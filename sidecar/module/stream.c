/*
 * One filter's part in one stream, from Envoy's hooks to the callbacks of
 * chain/filter.h.
 *
 * A reply runs the rest of the stream before it returns, up to its end and
 * beyond: Envoy may complete and destroy us while a callback of the filter
 * is on the stack. What that would take away waits until the stack is clear.
 */
#include "config.h"

#include <stdlib.h>

#include "module/exchange.h"

static struct exchange *
exchange_of(const void *self)
{
	return (struct exchange *)(uintptr_t)self;
}

const void *
on_new(const void *conf, void *stream)
{
	const struct module_conf *c = conf;
	struct exchange *x = calloc(1, sizeof(*x) + c->filter->state_size);

	if (!x)
		return NULL;
	x->stream = stream;
	x->conf = c;
	return x;
}

static void
free_exchange(struct exchange *x)
{
	arena_free(x->arena);
	free(x);
}

static void
run_end(struct exchange *x)
{
	x->depth++;
	x->conf->filter->on_end(x->conf->conf, x->state, x);
	x->depth--;
}

void
exchange_settle(struct exchange *x)
{
	if (x->depth)
		return;
	if (x->end_is_owed) {
		x->end_is_owed = false;
		run_end(x);
	}
	if (!x->stream)
		free_exchange(x);
}

enum verdict
exchange_refuse(
    struct exchange *x, unsigned status, struct str body, struct str details)
{
	x->depth++;
	host_reply(x, &(struct host_reply){
			  .status = status, .body = body, .details = details });
	x->depth--;
	return FILTER_REPLY;
}

enum verdict
exchange_run(struct exchange *x,
    enum verdict (*callback)(const void *, void *, struct exchange *))
{
	enum verdict verdict;

	x->took_part = true;
	x->depth++;
	verdict = callback(x->conf->conf, x->state, x);
	x->depth--;
	if (x->replied || x->complete)
		return FILTER_REPLY;
	if (verdict == FILTER_NEXT)
		return FILTER_NEXT;
	/* Nothing wakes a filter here, and a request must not hang. */
	log_error("%s: %s", x->conf->filter->name,
	    verdict == FILTER_WAIT ? "there is nothing to wait for"
				   : "it has not replied");
	return exchange_refuse(
	    x, 500, STR_NONE, STR("sallyport_broken_filter"));
}

/*
 * Envoy gives whatever stands under the filter's name in a route, without
 * looking whose it is. A policy that would not be applied is no request's
 * luck.
 */
static bool
has_foreign_route_conf(struct exchange *x)
{
	const struct module_conf *route;

	if (!x->conf->filter->route_conf)
		return false;
	route = exchange_route_conf(x);
	if (!route || route->filter == x->conf->filter)
		return false;
	log_error("the route has a configuration of %s for the filter %s",
	    route->filter->name, x->conf->filter->name);
	return true;
}

static enum verdict
run_request(struct exchange *x)
{
	if (has_foreign_route_conf(x))
		return exchange_refuse(
		    x, 500, STR_NONE, STR("sallyport_foreign_route_config"));
	return x->conf->filter->on_request
		   ? exchange_run(x, x->conf->filter->on_request)
		   : FILTER_NEXT;
}

int
on_request_headers(void *stream, const void *self, bool end)
{
	struct exchange *x = exchange_of(self);
	int status = ABI_HEADERS_STOP;

	(void)stream;
	if (run_request(x) == FILTER_NEXT)
		status = body_begin(x, end);
	exchange_settle(x);
	return status;
}

int
on_response_headers(void *stream, const void *self, bool end)
{
	struct exchange *x = exchange_of(self);
	enum verdict verdict = FILTER_NEXT;

	(void)stream;
	(void)end;
	x->knows_route = false; /* later filters may have changed it */
	if (x->conf->filter->on_response)
		verdict = exchange_run(x, x->conf->filter->on_response);
	exchange_settle(x);
	return verdict == FILTER_NEXT ? ABI_HEADERS_CONTINUE : ABI_HEADERS_STOP;
}

/* For an on_end that will not find the stream any more. */
static void
keep_outcome(struct exchange *x)
{
	x->code = host_keep(x, host_attribute(x, HOST_RESPONSE_CODE));
	x->details = host_keep(x, host_attribute(x, HOST_CODE_DETAILS));
}

void
on_stream_complete(void *stream, const void *self)
{
	struct exchange *x = exchange_of(self);

	(void)stream;
	if (x->complete)
		return;
	x->complete = true;
	if (!x->took_part || !x->conf->filter->on_end)
		return;
	if (x->depth) {
		keep_outcome(x);
		x->end_is_owed = true;
		return;
	}
	run_end(x);
}

void
on_destroy(const void *self)
{
	struct exchange *x = exchange_of(self);

	x->stream = NULL;
	exchange_settle(x);
}
