/*
 * Makes requests fail on purpose: delays them, answers them with an error,
 * as the configuration or the client's own headers say. How many may be
 * treated so at once is counted over all processes.
 */
#include "config.h"

#include "base/clock.h"
#include "chain/kit.h"
#include "config/messages.h"
#include "config/runtime.h"

#define METADATA_NAMESPACE STR("envoy.filters.http.fault")

/* ---- configuration ---- */

struct conf_delay {
	const struct node *node;
	int64_t fixed_delay;
	bool has_fixed_delay;
	struct conf_empty *header_delay;
	struct conf_fractional_percent *percentage;
};

struct conf_abort {
	const struct node *node;
	uint32_t http_status;
	uint32_t grpc_status;
	bool has_grpc_status;
	struct conf_empty *header_abort;
	struct conf_fractional_percent *percentage;
	struct str response_body;
};

/* A value of the runtime, which goes before the configuration's. */
struct given {
	bool is_given;
	uint64_t number;
	struct conf_fractional_percent percent;
};

struct conf_fault {
	const struct node *node;
	struct conf_delay *delay;
	struct conf_abort *abort;
	struct str upstream_cluster;
	CONF_LIST(struct conf_header_matcher) headers;
	conf_strings downstream_nodes;
	uint32_t max_active_faults;
	bool has_max_active_faults;
	const struct node *filter_metadata;
	/* keys of the runtime, and what it says */
	struct str delay_percent_runtime, abort_percent_runtime;
	struct str delay_duration_runtime, abort_http_status_runtime;
	struct str max_active_faults_runtime, abort_grpc_status_runtime;
	struct given delay_percent, abort_percent;
	struct given delay_ms, abort_status, max_active, abort_grpc;
};

static const struct schema_field empty_fields[] = { { .name = NULL } };

static const struct schema_message header_delay_message = {
	.name = "envoy.extensions.filters.common.fault.v3.FaultDelay."
		"HeaderDelay",
	.size = sizeof(struct conf_empty),
	.fields = empty_fields,
};

static const struct schema_field delay_fields[] = {
	{ .name = "fixed_delay",
	    .type = SCHEMA_DURATION,
	    SCHEMA_AT_HAS(struct conf_delay, fixed_delay),
	    .min = 1e-9,
	    .oneof = "fault_delay_secifier",
	    .text = "How long; whole milliseconds count." },
	{ .name = "header_delay",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_delay, header_delay),
	    .message = &header_delay_message,
	    .oneof = "fault_delay_secifier",
	    .text = "As long as x-envoy-fault-delay-request says, in "
		    "milliseconds." },
	{ .name = "percentage",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_delay, percentage),
	    .message = &conf_fractional_percent_message,
	    .text = "Fraction of requests that are delayed; none unless "
		    "given." },
	{ .name = NULL },
};

static const struct schema_message delay_message = {
	.name = "envoy.extensions.filters.common.fault.v3.FaultDelay",
	.size = sizeof(struct conf_delay),
	.fields = delay_fields,
	.required_oneof = "fault_delay_secifier",
};

static const struct schema_message header_abort_message = {
	.name = "envoy.extensions.filters.http.fault.v3.FaultAbort.HeaderAbort",
	.size = sizeof(struct conf_empty),
	.fields = empty_fields,
};

static const struct schema_field abort_fields[] = {
	{ .name = "http_status",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_abort, http_status),
	    .min = 200,
	    .max = 599,
	    .oneof = "error_type",
	    .text = "Status of the answer." },
	{ .name = "grpc_status",
	    .type = SCHEMA_U32,
	    SCHEMA_AT_HAS(struct conf_abort, grpc_status),
	    .oneof = "error_type",
	    .text = "Status of the answer to gRPC requests; to others it is "
		    "200." },
	{ .name = "header_abort",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_abort, header_abort),
	    .message = &header_abort_message,
	    .oneof = "error_type",
	    .text = "The status that x-envoy-fault-abort-request says." },
	{ .name = "percentage",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_abort, percentage),
	    .message = &conf_fractional_percent_message,
	    .text = "Fraction of requests that are answered so; none unless "
		    "given." },
	{ .name = "response_body",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_abort, response_body),
	    .text = "Body of the answer, instead of \"fault filter "
		    "abort\"." },
	{ .name = NULL },
};

static const struct schema_message abort_message = {
	.name = "envoy.extensions.filters.http.fault.v3.FaultAbort",
	.size = sizeof(struct conf_abort),
	.fields = abort_fields,
	.required_oneof = "error_type",
};

#define RUNTIME_KEY(member, key)                                               \
	{                                                                      \
		.name = #member, .type = SCHEMA_STR,                           \
		SCHEMA_AT(struct conf_fault, member), .fallback = (key),       \
		.text = "Key of the runtime that goes before the value here."  \
	}

static const struct schema_field fault_fields[] = {
	{ .name = "delay",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_fault, delay),
	    .message = &delay_message,
	    .text = "Requests that are held back for a while." },
	{ .name = "abort",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_fault, abort),
	    .message = &abort_message,
	    .text = "Requests that are answered with an error, after a delay "
		    "that applies to them." },
	{ .name = "upstream_cluster",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_fault, upstream_cluster),
	    .text = "Only requests to this cluster." },
	{ .name = "headers",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_fault, headers),
	    .message = &conf_header_matcher_message,
	    .text = "Only requests whose headers match all of these." },
	{ .name = "downstream_nodes",
	    .type = SCHEMA_STR,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_fault, downstream_nodes),
	    .text = "Only requests whose x-envoy-downstream-service-node is "
		    "one of these." },
	{ .name = "max_active_faults",
	    .type = SCHEMA_U32,
	    SCHEMA_AT_HAS(struct conf_fault, max_active_faults),
	    .text = "So many requests are treated so at once, in all "
		    "processes; no limit unless given." },
	REFUSED(
	    "response_rate_limit", "answers are not slowed down; use delay"),
	RUNTIME_KEY(
	    delay_percent_runtime, "fault.http.delay.fixed_delay_percent"),
	RUNTIME_KEY(abort_percent_runtime, "fault.http.abort.abort_percent"),
	RUNTIME_KEY(
	    delay_duration_runtime, "fault.http.delay.fixed_duration_ms"),
	RUNTIME_KEY(abort_http_status_runtime, "fault.http.abort.http_status"),
	RUNTIME_KEY(max_active_faults_runtime, "fault.http.max_active_faults"),
	DELEGATED_SCALAR("response_rate_limit_percent_runtime",
	    "answers are not slowed down"),
	RUNTIME_KEY(abort_grpc_status_runtime, "fault.http.abort.grpc_status"),
	DELEGATED_SCALAR("disable_downstream_cluster_stats",
	    "faults are not counted by downstream cluster"),
	{ .name = "filter_metadata",
	    .type = SCHEMA_NODE,
	    SCHEMA_AT(struct conf_fault, filter_metadata),
	    .text = "Dynamic metadata of the requests that are treated so." },
	{ .name = NULL },
};

static void
ask_number(struct diag *diag, struct str key, struct given *out)
{
	out->is_given = runtime_u64(diag_runtime(diag), key, &out->number);
}

static void
ask_percent(struct diag *diag, struct str key, struct given *out)
{
	out->is_given =
	    runtime_fraction(diag_runtime(diag), key, &out->percent);
}

static void
ask_runtime(struct diag *diag, const char *path, void *decoded)
{
	struct conf_fault *c = decoded;

	(void)path;
	ask_percent(diag, c->delay_percent_runtime, &c->delay_percent);
	ask_percent(diag, c->abort_percent_runtime, &c->abort_percent);
	ask_number(diag, c->delay_duration_runtime, &c->delay_ms);
	ask_number(diag, c->abort_http_status_runtime, &c->abort_status);
	ask_number(diag, c->abort_grpc_status_runtime, &c->abort_grpc);
	ask_number(diag, c->max_active_faults_runtime, &c->max_active);
}

static const struct schema_message fault_message = {
	.name = "envoy.extensions.filters.http.fault.v3.HTTPFault",
	.size = sizeof(struct conf_fault),
	.fields = fault_fields,
	.check = ask_runtime,
};

struct fault {
	const struct conf_fault *conf;
	struct kit_matches headers;
	struct str metadata; /* absent: none */
	int delays, aborts, overflow; /* counters */
	int active; /* gauge */
};

static const void *
configure(struct setup *s, const void *decoded)
{
	const struct conf_fault *conf = decoded;
	struct fault *f = ARENA_NEW(host_setup_arena(s), struct fault);

	f->conf = conf;
	f->headers =
	    kit_header_matches(s, conf->headers.items, conf->headers.n);
	if (conf->filter_metadata)
		f->metadata = kit_json(s, conf->filter_metadata);
	f->delays = host_setup_counter(s, "fault.delays_injected");
	f->aborts = host_setup_counter(s, "fault.aborts_injected");
	f->overflow = host_setup_counter(s, "fault.faults_overflow");
	f->active = host_setup_gauge(s, "fault.active_faults");
	return f;
}

/* ---- requests ---- */

struct state {
	bool decided; /* about the delay */
	bool active; /* counted as under way */
	int64_t delay_ns; /* 0: none */
};

static struct str
request_header(struct exchange *x, const char *name)
{
	return host_header(x, HOST_REQUEST, str_of(name), 0);
}

static bool
is_listed(const conf_strings *list, struct str word)
{
	for (size_t i = 0; i < list->n; i++)
		if (word.ptr && str_eq(list->items[i], word))
			return true;
	return false;
}

static bool
is_meant(const struct fault *f, struct exchange *x)
{
	const struct conf_fault *conf = f->conf;
	struct str node = request_header(x, "x-envoy-downstream-service-node");

	if (conf->upstream_cluster.len &&
	    !str_eq(
		conf->upstream_cluster, host_attribute(x, HOST_CLUSTER_NAME)))
		return false;
	if (conf->downstream_nodes.n &&
	    !is_listed(&conf->downstream_nodes, node))
		return false;
	return kit_headers_hold(x, HOST_REQUEST, &f->headers);
}

/*
 * Throws the dice: by the runtime, else by the configuration, less often if
 * header says so.
 */
static bool
happens(struct exchange *x, const struct given *runtime,
    const struct conf_fractional_percent *percentage, const char *header)
{
	struct conf_fractional_percent p = { .numerator = 0 };
	uint64_t asked;

	if (runtime->is_given)
		return kit_percent(x, &runtime->percent);
	if (percentage)
		p = *percentage;
	if (header && str_to_u64(request_header(x, header), &asked) &&
	    asked < p.numerator)
		p.numerator = (uint32_t)asked;
	return kit_percent(x, &p);
}

/* The number that a header says; false if it says none. */
static bool
header_number(struct exchange *x, const char *name, uint64_t *out)
{
	return str_to_u64(request_header(x, name), out);
}

static int64_t
delay_of(const struct conf_fault *c, struct exchange *x)
{
	const struct conf_delay *conf = c->delay;
	uint64_t ms;

	if (!conf ||
	    !happens(x, &c->delay_percent, conf->percentage,
		conf->header_delay ? "x-envoy-fault-delay-request-percentage"
				   : NULL))
		return 0;
	if (!conf->header_delay)
		ms = (uint64_t)(conf->fixed_delay / NS_PER_MS);
	else if (!header_number(x, "x-envoy-fault-delay-request", &ms))
		return 0;
	if (c->delay_ms.is_given)
		ms = c->delay_ms.number;
	return ms > INT64_MAX / (2 * NS_PER_MS) ? INT64_MAX / 2
						: (int64_t)ms * NS_PER_MS;
}

/* How a request is answered: 0 for not at all. */
struct error {
	unsigned http, grpc;
};

static struct error
error_of_headers(struct exchange *x)
{
	struct error e = { 0, 0 };
	uint64_t number;

	if (header_number(x, "x-envoy-fault-abort-request", &number) &&
	    number >= 200 && number < 600) {
		e.http = (unsigned)number;
	} else if (header_number(
		       x, "x-envoy-fault-abort-grpc-request", &number)) {
		e.http = 200;
		e.grpc = (unsigned)number;
	}
	return e;
}

static struct error
error_of(const struct conf_fault *c, struct exchange *x)
{
	const struct conf_abort *conf = c->abort;
	struct error e = { 0, 0 };

	if (!conf ||
	    !happens(x, &c->abort_percent, conf->percentage,
		conf->header_abort ? "x-envoy-fault-abort-request-percentage"
				   : NULL))
		return e;
	if (conf->header_abort)
		e = error_of_headers(x);
	else if (conf->has_grpc_status)
		e = (struct error){ 200, conf->grpc_status };
	else
		e.http = conf->http_status;
	if (e.http && !e.grpc && c->abort_status.is_given)
		e.http = (unsigned)c->abort_status.number;
	if (e.grpc && c->abort_grpc.is_given)
		e.grpc = (unsigned)c->abort_grpc.number;
	return e;
}

/* Counts the request among those under way; false if they are too many. */
static bool
enter(const struct fault *f, struct state *s, struct exchange *x)
{
	const struct conf_fault *c = f->conf;
	uint64_t max =
	    c->has_max_active_faults ? c->max_active_faults : UINT64_MAX;

	if (s->active)
		return true;
	if (c->max_active.is_given)
		max = c->max_active.number;
	if (max < INT64_MAX && host_gauge(x, f->active) >= (int64_t)max) {
		host_count(x, f->overflow, 1);
		return false;
	}
	host_gauge_add(x, f->active, 1);
	s->active = true;
	return true;
}

static void
note(const struct fault *f, struct exchange *x, const char *flag, int counter)
{
	host_count(x, counter, 1);
	host_flag(x, flag);
	if (f->metadata.ptr)
		host_metadata_replace(x, METADATA_NAMESPACE, f->metadata);
}

static void
decide_delay(const struct fault *f, struct state *s, struct exchange *x)
{
	s->decided = true;
	s->delay_ns = delay_of(f->conf, x);
	if (!s->delay_ns)
		return;
	host_decided_by(x, f->conf->delay->node);
	if (enter(f, s, x))
		note(f, x, "DI", f->delays);
	else
		s->delay_ns = 0;
}

static enum verdict
maybe_abort(const struct fault *f, struct state *s, struct exchange *x)
{
	const struct conf_abort *conf = f->conf->abort;
	struct error e = error_of(f->conf, x);

	if (!e.http || !enter(f, s, x))
		return FILTER_NEXT;
	host_decided_by(x, conf->node);
	note(f, x, "FI", f->aborts);
	host_reply(
	    x, &(struct host_reply){ .status = e.http,
		   .grpc_status = e.grpc,
		   .body = conf->response_body.len ? conf->response_body
						   : STR("fault filter abort"),
		   .details = STR("fault_filter_abort") });
	return FILTER_REPLY;
}

static const struct fault *
fault_of(const void *conf, struct exchange *x)
{
	const struct fault *route = host_route_conf(x);

	return route ? route : conf;
}

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	const struct fault *f = fault_of(conf, x);
	struct state *s = state;

	if (!s->decided && !is_meant(f, x))
		return FILTER_NEXT;
	if (!s->decided)
		decide_delay(f, s, x);
	if (s->delay_ns && host_timer(x, 0, s->delay_ns) == HOST_PENDING)
		return FILTER_WAIT;
	return maybe_abort(f, s, x);
}

static void
on_end(const void *conf, void *state, struct exchange *x)
{
	const struct fault *f = conf;
	const struct state *s = state;

	if (s->active)
		host_gauge_add(x, f->active, -1);
}

const struct filter filter_fault = {
	.name = "envoy.filters.http.fault",
	.text = "Makes requests fail on purpose: delays them, or answers "
		"them with an error, as the configuration or the client's "
		"own headers say.",
	.conf = &fault_message,
	.route_conf = &fault_message,
	.configure = configure,
	.configure_route = configure,
	.needs = FILTER_NEEDS_TIMER | FILTER_NEEDS_STATE,
	.state_size = sizeof(struct state),
	.on_request = on_request,
	.on_end = on_end,
};
