/*
 * The counters of clusters, by Envoy's names ("cluster.<name>.upstream_rq_total").
 * They come into being when something is counted, so that a cluster that
 * is not used costs nothing. One per worker; the numbers are in the state.
 */
#ifndef SALLYPORT_UPSTREAM_STATS_H
#define SALLYPORT_UPSTREAM_STATS_H

#include "state/file.h"
#include "upstream/cluster.h"

enum cluster_counter {
	CX_TOTAL,
	CX_HTTP1_TOTAL,
	CX_CONNECT_FAIL,
	CX_CONNECT_TIMEOUT,
	CX_OVERFLOW,
	CX_NONE_HEALTHY,
	CX_IDLE_TIMEOUT,
	CX_MAX_REQUESTS,
	CX_PROTOCOL_ERROR,
	CX_DESTROY,
	RQ_TOTAL, /* requests that got a connection */
	RQ_PENDING_TOTAL, /* that had to wait for one */
	RQ_PENDING_OVERFLOW,
	RQ_ACTIVE_OVERFLOW,
	RQ_PENDING_FAILURE_EJECT,
	RQ_CANCELLED,
	RQ_MAINTENANCE_MODE,
	RQ_TIMEOUT,
	RQ_PER_TRY_TIMEOUT,
	RQ_PER_TRY_IDLE_TIMEOUT,
	RQ_MAX_DURATION_REACHED,
	RQ_RETRY,
	RQ_RETRY_BACKOFF_EXPONENTIAL,
	RQ_RETRY_BACKOFF_RATELIMITED,
	RQ_RETRY_LIMIT_EXCEEDED,
	RQ_RETRY_OVERFLOW,
	RQ_RETRY_SUCCESS,
	RETRY_OR_SHADOW_ABANDONED,
	LB_HEALTHY_PANIC,
	CLUSTER_COUNTERS
};

struct stats;

/* state may be NULL: then nothing is counted. */
struct stats *stats_new(struct state *, const struct clusters *);
void stats_free(struct stats *);

/* One more; nothing where nothing is counted. */
void stats_count(struct stats *, const struct cluster *, enum cluster_counter);

/* Who an answer is counted for. */
enum answer_kind {
	ANSWER_TO_EXTERNAL = 0,
	ANSWER_TO_INTERNAL = 1 << 0,
	ANSWER_OF_CANARY = 1 << 1,
};

/*
 * An answer by its status: upstream_rq_completed, _2xx and _200, and the
 * same under external. or internal., and under canary.
 */
void stats_answer(
    struct stats *, const struct cluster *, unsigned status, unsigned kind);

/* An answer that was not passed on, under retry. */
void stats_retried(struct stats *, const struct cluster *, unsigned status);

/* As stats_answer, once more under a name that the request has brought. */
void stats_answer_as(struct stats *, const struct cluster *, struct str name,
    unsigned status, unsigned kind);

#endif
