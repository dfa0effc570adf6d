/*
 * The counters of Envoy's HttpConnectionManager and of its router, named
 * "http.<stat_prefix>.downstream_rq_total" and so on. Each is counted where
 * the thing happens, by exchange_count.
 */
#ifndef SALLYPORT_CHAIN_COUNTERS_H
#define SALLYPORT_CHAIN_COUNTERS_H

#include "base/arena.h"
#include "state/file.h"

struct exchange;

enum hcm_counter {
	HCM_RQ_TOTAL, /* requests, as the HCM sees them */
	HCM_RQ_HTTP1_TOTAL,
	HCM_RQ_HTTP2_TOTAL,
	HCM_RQ_HTTP3_TOTAL,
	HCM_RQ_COMPLETED, /* answers, as they leave */
	HCM_RQ_1XX, /* the classes stand in a row */
	HCM_RQ_2XX,
	HCM_RQ_3XX,
	HCM_RQ_4XX,
	HCM_RQ_5XX,
	HCM_RQ_RX_RESET, /* the client has gone */
	HCM_RQ_TX_RESET, /* the answer was broken off */
	HCM_RQ_TIMEOUT,
	HCM_RQ_IDLE_TIMEOUT,
	HCM_RQ_MAX_DURATION_REACHED,
	HCM_RQ_TOO_LARGE, /* a body too large for a buffer: 413 */
	HCM_RS_TOO_LARGE, /* the same of a response: 500 */
	HCM_RQ_NON_RELATIVE_PATH,
	HCM_RQ_FAILED_PATH_NORMALIZATION,
	HCM_RQ_REDIRECTED_WITH_NORMALIZED_PATH,
	HCM_RQ_REJECTED_VIA_IP_DETECTION,
	HCM_RQ_RESPONSE_BEFORE_RQ_COMPLETE,
	HCM_RQ_WS_ON_NON_WS_ROUTE,
	/* the router's */
	HCM_ROUTER_RQ_TOTAL, /* requests that reached the router filter */
	HCM_NO_ROUTE,
	HCM_NO_CLUSTER,
	HCM_RQ_REDIRECT,
	HCM_RQ_DIRECT_RESPONSE,
	HCM_RQ_RESET_AFTER_RESPONSE_STARTED, /* rq_reset_after_downstream_response_started */
	HCM_RQ_RETRY_SKIPPED_REQUEST_NOT_COMPLETE,
	HCM_COUNTERS
};

struct hcm_counters;

/* Finds them in the state; NULL, which counts nothing, for a NULL state. */
const struct hcm_counters *hcm_counters_build(
    struct arena *, struct str stat_prefix, struct state *);

/* Adds one. */
void exchange_count(const struct exchange *, enum hcm_counter);

#endif
