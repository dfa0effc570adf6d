/*
 * One circuit breaker per cluster, shared by all processes: failures in a
 * row open it, and after a time one request alone tries whether the backend
 * is back.
 */
#include "config.h"

#include "base/clock.h"
#include "chain/host.h"
#include "config/model.h"
#include "state/breaker.h"

/* A probe is given at least this long. */
static const int64_t PROBE_MIN_NS = 15 * NS_PER_S;

struct conf_breaker {
	const struct node *node;
	uint32_t failures;
	int64_t open_for;
	struct str name;
	conf_strings clusters;
};

struct filter_conf {
	struct breaker_rules rules;
	struct str name; /* absent: the cluster's */
	int opened, refused; /* counters */
};

enum outcome {
	OUTCOME_OWED, /* not known yet */
	OUTCOME_NONE, /* the backend has no part in it */
	OUTCOME_SUCCESS,
	OUTCOME_FAILURE,
};

struct passage {
	bool asked; /* and let through */
	bool probe;
	struct str name;
	int breaker; /* -1: none of that name yet */
	bool answered; /* a success, if the response ends well */
	enum outcome told;
};

static const struct schema_field conf_fields[] = {
	{ .name = "failures",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_breaker, failures),
	    .min = 1,
	    .max = 10000,
	    .fallback = "5",
	    .text = "Failures in a row that open the breaker of a cluster." },
	{ .name = "open_for",
	    .type = SCHEMA_DURATION,
	    SCHEMA_AT(struct conf_breaker, open_for),
	    .min = 0.1,
	    .max = 3600,
	    .fallback = "30s",
	    .text = "How long an open breaker refuses before one request may "
		    "try." },
	{ .name = "name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_breaker, name),
	    .min_items = 1,
	    .text = "One breaker of this name for all clusters; by default "
		    "each cluster has its own." },
	{ .name = "clusters",
	    .type = SCHEMA_STR,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_breaker, clusters),
	    .text = "Clusters that have their breaker from the start, for a "
		    "host that does not tell which there are." },
	{ .name = NULL },
};

static const struct schema_message conf_message = {
	.name = "sallyport.breaker",
	.size = sizeof(struct conf_breaker),
	.fields = conf_fields,
};

/* Known clusters have theirs from the start, so that /health names them. */
static void
claim_breakers(struct setup *s, const struct conf_breaker *c)
{
	struct state *state = host_setup_state(s);
	struct str cluster;

	host_setup_breaker(s, c->name);
	if (!state)
		return;
	if (c->name.ptr) {
		(void)!breaker_find(state, c->name);
		return;
	}
	for (size_t i = 0; (cluster = host_setup_cluster(s, i)).ptr; i++)
		(void)!breaker_find(state, cluster);
	for (size_t i = 0; i < c->clusters.n; i++)
		(void)!breaker_find(state, c->clusters.items[i]);
}

static const void *
configure(struct setup *s, const void *decoded)
{
	const struct conf_breaker *c = decoded;
	struct filter_conf *conf =
	    ARENA_NEW(host_setup_arena(s), struct filter_conf);

	conf->rules.failures = c->failures;
	conf->rules.open_ns = c->open_for;
	conf->rules.probe_ns =
	    c->open_for > PROBE_MIN_NS ? c->open_for : PROBE_MIN_NS;
	conf->name = c->name;
	conf->opened = host_setup_counter(s, "breaker.opened");
	conf->refused = host_setup_counter(s, "breaker.refused");
	claim_breakers(s, c);
	return conf;
}

/* The state file rounds times up, by less than a millisecond. */
static void
refuse(struct exchange *x, const struct breaker_rules *rules, int breaker)
{
	int64_t retry_ns;
	long long seconds;

	(void)breaker_state(host_state(x), breaker, host_boot_ns(x), &retry_ns);
	if (retry_ns > rules->open_ns && retry_ns < rules->open_ns + NS_PER_MS)
		retry_ns = rules->open_ns;
	seconds =
	    retry_ns > NS_PER_S ? (retry_ns + NS_PER_S - 1) / NS_PER_S : 1;
	host_reply(x,
	    &(struct host_reply){ .status = 503,
		.headers = (const struct header[]){ { STR("x-envoy-overloaded"),
							STR("true") },
		    { STR("retry-after"),
			arena_printf(host_arena(x), "%lld", seconds) } },
		.n_headers = 2,
		.body = STR("circuit breaker open"),
		.details = STR("circuit_breaker_open"),
		.flag = "UO" });
}

static enum verdict
on_request(const void *data, void *state, struct exchange *x)
{
	const struct filter_conf *conf = data;
	struct passage *p = state;
	struct str cluster = host_attribute(x, HOST_CLUSTER_NAME);
	enum breaker_verdict verdict;

	if (!host_state(x) || !cluster.ptr || !host_route_forwards(x))
		return FILTER_NEXT;
	p->name = conf->name.ptr ? conf->name : host_keep(x, cluster);
	p->breaker = breaker_lookup(host_state(x), p->name);
	verdict = breaker_ask(
	    host_state(x), p->breaker, &conf->rules, host_boot_ns(x));
	if (verdict == BREAKER_REFUSE) {
		host_count(x, conf->refused, 1);
		refuse(x, &conf->rules, p->breaker);
		return FILTER_REPLY;
	}
	p->asked = true;
	p->probe = verdict == BREAKER_PROBE;
	return FILTER_NEXT;
}

/* What the response says about the backend, if anything. */
static enum outcome
judge(struct exchange *x)
{
	static const struct str failures[] = { STR_INIT("response_timeout"),
		STR_INIT("upstream_per_try_timeout"),
		STR_INIT("stream_idle_timeout"),
		STR_INIT("no_healthy_upstream") };
	struct str details = host_attribute(x, HOST_CODE_DETAILS);
	struct str status = host_attribute(x, HOST_RESPONSE_CODE);
	uint64_t code = 0;

	if (str_eq(details, STR("via_upstream")))
		return str_to_u64(status, &code) && code < 500
			   ? OUTCOME_SUCCESS
			   : OUTCOME_FAILURE;
	if (str_starts(details, STR("upstream_reset_after_response_started")))
		return OUTCOME_FAILURE;
	if (str_starts(details, STR("upstream_reset_before_response_started")))
		return str_find(details, STR("{overflow}"), 0) < details.len
			   ? OUTCOME_NONE
			   : OUTCOME_FAILURE;
	/* A client that stalls in its upload says nothing about the backend. */
	if (str_eq(status, STR("408")))
		return OUTCOME_NONE;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (str_starts(details, failures[i]))
			return OUTCOME_FAILURE;
	return OUTCOME_NONE;
}

/*
 * A cluster gets its breaker with its first outcome: the name alone may be
 * the client's invention, where a header chooses the cluster.
 */
static void
tell(const struct filter_conf *conf, struct passage *p, struct exchange *x,
    enum outcome outcome)
{
	struct state *state = host_state(x);

	p->told = outcome;
	if (outcome != OUTCOME_NONE && p->breaker < 0)
		p->breaker = breaker_find(state, p->name);
	switch (outcome) {
	case OUTCOME_OWED:
	case OUTCOME_NONE:
		breaker_cancel(state, p->breaker, p->probe);
		break;
	case OUTCOME_SUCCESS:
		breaker_success(state, p->breaker, p->probe);
		break;
	case OUTCOME_FAILURE:
		if (breaker_failure(state, p->breaker, p->probe, &conf->rules,
			host_boot_ns(x)))
			host_count(x, conf->opened, 1);
		break;
	}
}

/*
 * A probe closes the breaker as soon as its response begins, which may take
 * long to end. Other successes wait for the end: a backend that breaks off
 * every response has none.
 */
static enum verdict
on_response(const void *data, void *state, struct exchange *x)
{
	struct passage *p = state;
	enum outcome outcome;

	if (!p->asked || p->told != OUTCOME_OWED)
		return FILTER_NEXT;
	outcome = judge(x);
	if (outcome == OUTCOME_SUCCESS && !p->probe)
		p->answered = true;
	else
		tell(data, p, x, outcome);
	return FILTER_NEXT;
}

static void
on_end(const void *data, void *state, struct exchange *x)
{
	struct passage *p = state;
	enum outcome outcome;

	if (!p->asked)
		return;
	outcome = judge(x);
	/* The client left in the middle of the response. */
	if (outcome == OUTCOME_NONE && p->answered)
		outcome = OUTCOME_SUCCESS;
	if (p->told == OUTCOME_OWED ||
	    (p->told == OUTCOME_SUCCESS && outcome == OUTCOME_FAILURE))
		tell(data, p, x, outcome);
}

const struct filter filter_breaker = {
	.name = "sallyport.breaker",
	.text = "Leaves a cluster alone that fails. Failures in a row (an "
		"answer of 500 or more, none at all, or a timeout) open its "
		"breaker: requests get 503 at once. After open_for one "
		"request tries whether the backend is back. All processes "
		"share the breaker.",
	.short_form = "breaker: { failures: 5, open_for: 30s }",
	.conf = &conf_message,
	.configure = configure,
	.needs = FILTER_NEEDS_STATE,
	.state_size = sizeof(struct passage),
	.on_request = on_request,
	.on_response = on_response,
	.on_end = on_end,
};
