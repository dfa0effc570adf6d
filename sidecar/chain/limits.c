/* Limits, and what Envoy answers when one is reached. */
#include "config.h"

#include "base/clock.h"
#include "chain/limits.h"
#include "chain/route.h"
#include "config/model_forward.h"

enum {
	GRPC_DEADLINE_EXCEEDED = 4,
	GRPC_DIGITS_MAX = 8,
	GRPC_VALUE_MAX = 99999999
};

#define FOREVER (INT64_MAX / 2)

static const struct outcome {
	struct str body, details;
	enum hcm_counter counter;
	unsigned grpc_status;
	const char *flag_name;
	unsigned flag;
} outcomes[LIMITS] = {
	[LIMIT_IDLE] = { STR_INIT("stream timeout"),
	    STR_INIT("stream_idle_timeout"), HCM_RQ_IDLE_TIMEOUT, 0, "SI",
	    FLAG_SI },
	[LIMIT_REQUEST] = { STR_INIT("request timeout"),
	    STR_INIT("request_overall_timeout"), HCM_RQ_TIMEOUT, 0, NULL, 0 },
	[LIMIT_DURATION] = { STR_INIT("downstream duration timeout"),
	    STR_INIT("max_duration_timeout"), HCM_RQ_MAX_DURATION_REACHED,
	    GRPC_DEADLINE_EXCEEDED, NULL, 0 },
};

static const struct conf_route_action *
action_of(const struct exchange *x)
{
	return x->route ? x->route->conf->route : NULL;
}

static int64_t
unit_ns(char unit)
{
	switch (unit) {
	case 'H':
		return 3600 * NS_PER_S;
	case 'M':
		return 60 * NS_PER_S;
	case 'S':
		return NS_PER_S;
	case 'm':
		return NS_PER_MS;
	case 'u':
		return NS_PER_MS / 1000;
	case 'n':
		return 1;
	default:
		return 0;
	}
}

/* The time that a client of gRPC gives the call; false if it gives none. */
static bool
grpc_timeout(const struct exchange *x, int64_t *ns)
{
	struct str text = headers_get(&x->request, STR("grpc-timeout"));
	int64_t unit = text.len ? unit_ns(text.ptr[text.len - 1]) : 0;
	uint64_t value;

	if (!unit || text.len > GRPC_DIGITS_MAX + 1 ||
	    !str_to_u64(str_slice(text, 0, text.len - 1), &value))
		return false;
	*ns = value < (uint64_t)(FOREVER / unit) ? (int64_t)value * unit
						 : FOREVER;
	return true;
}

/* The client's own limit, as far as the route allows it. */
static int64_t
capped(const struct conf_max_stream_duration *conf, int64_t ns)
{
	int64_t max = conf->grpc_timeout_header_max;
	int64_t offset = conf->grpc_timeout_header_offset;

	if (max && ns > max)
		ns = max;
	return offset < ns ? ns - offset : 1;
}

/* How long an exchange may take without a route; 0: any time. */
static int64_t
usual_duration(const struct exchange *x)
{
	const struct conf_common_http *common =
	    x->gateway->hcm->common_http_protocol_options;

	return common ? common->max_stream_duration : 0;
}

/* The same on a route that has something to say about it. */
static int64_t
route_duration(
    const struct exchange *x, const struct conf_max_stream_duration *own)
{
	int64_t ns;

	if (own->has_grpc_timeout_header_max && grpc_timeout(x, &ns))
		return capped(own, ns);
	return own->has_max_stream_duration ? own->max_stream_duration
					    : usual_duration(x);
}

/* As gRPC writes it, in milliseconds as long as they have eight digits. */
static struct str
grpc_text(struct arena *arena, int64_t ns)
{
	static const struct {
		int64_t unit;
		char letter;
	} units[] = { { NS_PER_MS, 'm' }, { NS_PER_S, 'S' },
		{ 60 * NS_PER_S, 'M' } };
	size_t i = 0;

	while (i < 2 && ns / units[i].unit > GRPC_VALUE_MAX)
		i++;
	return arena_printf(
	    arena, "%lld%c", (long long)(ns / units[i].unit), units[i].letter);
}

void
limit_choose(struct exchange *x)
{
	const struct conf_route_action *action = action_of(x);
	const struct conf_max_stream_duration *own =
	    action ? action->max_stream_duration : NULL;
	const struct str name = STR("grpc-timeout");

	x->max_duration_ns = own ? route_duration(x, own) : usual_duration(x);
	if (!own || !exchange_is_grpc(x))
		return;
	if (x->max_duration_ns)
		headers_set(
		    &x->request, name, grpc_text(x->arena, x->max_duration_ns));
	else
		headers_remove(&x->request, name);
}

static int64_t
max_silence(const struct exchange *x)
{
	return action_of(x) ? x->route->idle_timeout_ns
			    : x->gateway->hcm->stream_idle_timeout;
}

/* 0 is no limit. */
static int64_t
later(int64_t from, int64_t ns)
{
	return ns && ns < INT64_MAX - from ? from + ns : INT64_MAX;
}

int64_t
limit_due(const struct exchange *x, enum limit limit, int64_t moved_ns)
{
	int64_t request = x->gateway->hcm->request_timeout;
	bool is_answered = x->phase >= EXCHANGE_ANSWERING && x->download_end;

	if (is_answered && limit != LIMIT_IDLE)
		return INT64_MAX;
	switch (limit) {
	case LIMIT_IDLE:
		return later(moved_ns, max_silence(x));
	case LIMIT_REQUEST:
		return x->upload_end ? INT64_MAX : later(x->start_ns, request);
	case LIMIT_DURATION:
		return later(x->start_ns, x->max_duration_ns);
	case LIMITS:
		break;
	}
	return INT64_MAX;
}

void
limit_reached(struct exchange *x, enum limit limit)
{
	const struct outcome *o = &outcomes[limit];

	exchange_count(x, o->counter);
	if (x->phase < EXCHANGE_ANSWERING) {
		exchange_reply(x,
		    &(struct host_reply){ .status = x->upload_end ? 504 : 408,
			.body = o->body,
			.details = o->details,
			.flag = o->flag_name,
			.grpc_status = o->grpc_status });
		return;
	}
	flags_set(&x->flags, o->flag);
	x->details = o->details;
	exchange_cut(x);
}
