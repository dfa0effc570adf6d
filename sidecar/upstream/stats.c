/* Counting, with the ids of counters that were used remembered. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "state/counter.h"
#include "upstream/stats.h"

static const char *const names[CLUSTER_COUNTERS] = {
	[CX_TOTAL] = "upstream_cx_total",
	[CX_HTTP1_TOTAL] = "upstream_cx_http1_total",
	[CX_CONNECT_FAIL] = "upstream_cx_connect_fail",
	[CX_CONNECT_TIMEOUT] = "upstream_cx_connect_timeout",
	[CX_OVERFLOW] = "upstream_cx_overflow",
	[CX_NONE_HEALTHY] = "upstream_cx_none_healthy",
	[CX_IDLE_TIMEOUT] = "upstream_cx_idle_timeout",
	[CX_MAX_REQUESTS] = "upstream_cx_max_requests",
	[CX_PROTOCOL_ERROR] = "upstream_cx_protocol_error",
	[CX_DESTROY] = "upstream_cx_destroy",
	[RQ_TOTAL] = "upstream_rq_total",
	[RQ_PENDING_TOTAL] = "upstream_rq_pending_total",
	[RQ_PENDING_OVERFLOW] = "upstream_rq_pending_overflow",
	[RQ_ACTIVE_OVERFLOW] = "upstream_rq_active_overflow",
	[RQ_PENDING_FAILURE_EJECT] = "upstream_rq_pending_failure_eject",
	[RQ_CANCELLED] = "upstream_rq_cancelled",
	[RQ_MAINTENANCE_MODE] = "upstream_rq_maintenance_mode",
	[RQ_TIMEOUT] = "upstream_rq_timeout",
	[RQ_PER_TRY_TIMEOUT] = "upstream_rq_per_try_timeout",
	[RQ_PER_TRY_IDLE_TIMEOUT] = "upstream_rq_per_try_idle_timeout",
	[RQ_MAX_DURATION_REACHED] = "upstream_rq_max_duration_reached",
	[RQ_RETRY] = "upstream_rq_retry",
	[RQ_RETRY_BACKOFF_EXPONENTIAL] =
	    "upstream_rq_retry_backoff_exponential",
	[RQ_RETRY_BACKOFF_RATELIMITED] =
	    "upstream_rq_retry_backoff_ratelimited",
	[RQ_RETRY_LIMIT_EXCEEDED] = "upstream_rq_retry_limit_exceeded",
	[RQ_RETRY_OVERFLOW] = "upstream_rq_retry_overflow",
	[RQ_RETRY_SUCCESS] = "upstream_rq_retry_success",
	[RETRY_OR_SHADOW_ABANDONED] = "retry_or_shadow_abandoned",
	[LB_HEALTHY_PANIC] = "lb_healthy_panic",
};

/* Under which prefixes answers are counted. */
enum family { PLAIN, EXTERNAL, INTERNAL, CANARY, RETRY, FAMILIES };

static const char *const families[FAMILIES] = { [PLAIN] = "",
	[EXTERNAL] = "external.",
	[INTERNAL] = "internal.",
	[CANARY] = "canary.",
	[RETRY] = "retry." };

/* Ids are kept one higher: 0 is one not looked up yet, NONE one not to be had. */
enum { NONE = -1 };

/* The answers with one status. */
struct code {
	struct code *next;
	unsigned status;
	int ids[FAMILIES];
};

struct account {
	int ids[CLUSTER_COUNTERS];
	int completed[FAMILIES];
	int groups[FAMILIES][6];
	struct code *codes;
};

struct stats {
	struct state *state;
	const struct clusters *clusters;
	struct account **accounts; /* by the clusters' index */
};

struct stats *
stats_new(struct state *state, const struct clusters *clusters)
{
	struct stats *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->state = state;
	s->clusters = clusters;
	s->accounts = calloc(clusters->n + 1, sizeof(*s->accounts));
	if (!s->accounts)
		abort();
	return s;
}

static void
free_account(struct account *a)
{
	struct code *code;

	while ((code = a->codes)) {
		a->codes = code->next;
		free(code);
	}
	free(a);
}

void
stats_free(struct stats *s)
{
	for (size_t i = 0; i < s->clusters->n; i++)
		if (s->accounts[i])
			free_account(s->accounts[i]);
	free(s->accounts);
	free(s);
}

/* NULL where nothing is counted. */
static struct account *
account_of(struct stats *s, const struct cluster *c)
{
	struct account **at = &s->accounts[c->index];

	if (!s->state)
		return NULL;
	if (!*at)
		*at = calloc(1, sizeof(**at));
	if (!*at)
		abort();
	return *at;
}

/*
 * Adds one to the counter whose id is remembered at *id; the name is looked
 * at only if it is not.
 */
static void
add(struct stats *s, const struct cluster *c, int *id, const char *prefix,
    const char *name)
{
	char text[256];
	int len;

	if (!*id) {
		len = snprintf(text, sizeof(text), "cluster." STR_FMT ".%s%s",
		    STR_ARG(c->stat_name), prefix, name);
		*id = NONE;
		if (len > 0 && (size_t)len < sizeof(text))
			*id = counter_find(
				  s->state, (struct str){ text, (size_t)len }) +
			      1;
		if (*id <= 0)
			*id = NONE;
	}
	if (*id != NONE)
		counter_add(s->state, *id - 1, 1);
}

void
stats_count(
    struct stats *s, const struct cluster *c, enum cluster_counter counter)
{
	struct account *a = account_of(s, c);

	if (a)
		add(s, c, &a->ids[counter], "", names[counter]);
}

/* ---- answers ---- */

static struct code *
code_of(struct account *a, unsigned status)
{
	struct code *code = a->codes;

	while (code && code->status != status)
		code = code->next;
	if (code)
		return code;
	code = calloc(1, sizeof(*code));
	if (!code)
		abort();
	code->status = status;
	code->next = a->codes;
	a->codes = code;
	return code;
}

/* The longest is "upstream_rq_unknown". */
enum { CODE_NAME_MAX = 32 };

static void
write_code(char *at, unsigned status)
{
	(void)snprintf(at, CODE_NAME_MAX, "upstream_rq_%u", status);
}

static void
write_group(char *at, unsigned status)
{
	if (status >= 100 && status < 600)
		(void)snprintf(
		    at, CODE_NAME_MAX, "upstream_rq_%uxx", status / 100);
	else
		(void)snprintf(at, CODE_NAME_MAX, "upstream_rq_unknown");
}

static void
add_answer(struct stats *s, const struct cluster *c, enum family family,
    unsigned status)
{
	struct account *a = account_of(s, c);
	unsigned group = status < 600 ? status / 100 : 0;
	char name[CODE_NAME_MAX] = "";
	int *id;

	if (!a)
		return;
	add(s, c, &a->completed[family], families[family],
	    "upstream_rq_completed");
	id = &a->groups[family][group];
	if (!*id)
		write_group(name, status);
	add(s, c, id, families[family], name);
	if (!group)
		return;
	id = &code_of(a, status)->ids[family];
	if (!*id)
		write_code(name, status);
	add(s, c, id, families[family], name);
}

static enum family
side_of(unsigned kind)
{
	return kind & ANSWER_TO_INTERNAL ? INTERNAL : EXTERNAL;
}

void
stats_answer(
    struct stats *s, const struct cluster *c, unsigned status, unsigned kind)
{
	add_answer(s, c, PLAIN, status);
	add_answer(s, c, side_of(kind), status);
	if (kind & ANSWER_OF_CANARY)
		add_answer(s, c, CANARY, status);
}

void
stats_retried(struct stats *s, const struct cluster *c, unsigned status)
{
	add_answer(s, c, RETRY, status);
}

/* These names are not remembered: they are as many as callers like. */
static void
add_as(struct stats *s, const struct cluster *c, struct str name,
    enum family family, unsigned status)
{
	char prefix[192], text[CODE_NAME_MAX];
	int len = snprintf(prefix, sizeof(prefix), STR_FMT ".%s", STR_ARG(name),
	    families[family]);
	int id = 0;

	if (!s->state || len < 0 || (size_t)len >= sizeof(prefix))
		return;
	add(s, c, &id, prefix, "upstream_rq_completed");
	id = 0;
	write_group(text, status);
	add(s, c, &id, prefix, text);
	id = 0;
	write_code(text, status);
	if (status >= 100 && status < 600)
		add(s, c, &id, prefix, text);
}

void
stats_answer_as(struct stats *s, const struct cluster *c, struct str name,
    unsigned status, unsigned kind)
{
	add_as(s, c, name, PLAIN, status);
	add_as(s, c, name, side_of(kind), status);
	if (kind & ANSWER_OF_CANARY)
		add_as(s, c, name, CANARY, status);
}
