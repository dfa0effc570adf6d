/* Ids of the HttpConnectionManager's counters. */
#include "config.h"

#include "chain/counters.h"
#include "chain/exchange.h"
#include "state/counter.h"

struct hcm_counters {
	int ids[HCM_COUNTERS];
};

static const char *const names[HCM_COUNTERS] = {
	[HCM_RQ_TOTAL] = "downstream_rq_total",
	[HCM_RQ_HTTP1_TOTAL] = "downstream_rq_http1_total",
	[HCM_RQ_HTTP2_TOTAL] = "downstream_rq_http2_total",
	[HCM_RQ_HTTP3_TOTAL] = "downstream_rq_http3_total",
	[HCM_RQ_COMPLETED] = "downstream_rq_completed",
	[HCM_RQ_1XX] = "downstream_rq_1xx",
	[HCM_RQ_2XX] = "downstream_rq_2xx",
	[HCM_RQ_3XX] = "downstream_rq_3xx",
	[HCM_RQ_4XX] = "downstream_rq_4xx",
	[HCM_RQ_5XX] = "downstream_rq_5xx",
	[HCM_RQ_RX_RESET] = "downstream_rq_rx_reset",
	[HCM_RQ_TX_RESET] = "downstream_rq_tx_reset",
	[HCM_RQ_TIMEOUT] = "downstream_rq_timeout",
	[HCM_RQ_IDLE_TIMEOUT] = "downstream_rq_idle_timeout",
	[HCM_RQ_MAX_DURATION_REACHED] = "downstream_rq_max_duration_reached",
	[HCM_RQ_TOO_LARGE] = "downstream_rq_too_large",
	[HCM_RS_TOO_LARGE] = "rs_too_large",
	[HCM_RQ_NON_RELATIVE_PATH] = "downstream_rq_non_relative_path",
	[HCM_RQ_FAILED_PATH_NORMALIZATION] =
	    "downstream_rq_failed_path_normalization",
	[HCM_RQ_REDIRECTED_WITH_NORMALIZED_PATH] =
	    "downstream_rq_redirected_with_normalized_path",
	[HCM_RQ_REJECTED_VIA_IP_DETECTION] =
	    "downstream_rq_rejected_via_ip_detection",
	[HCM_RQ_RESPONSE_BEFORE_RQ_COMPLETE] =
	    "downstream_rq_response_before_rq_complete",
	[HCM_RQ_WS_ON_NON_WS_ROUTE] = "downstream_rq_ws_on_non_ws_route",
	[HCM_ROUTER_RQ_TOTAL] = "rq_total",
	[HCM_NO_ROUTE] = "no_route",
	[HCM_NO_CLUSTER] = "no_cluster",
	[HCM_RQ_REDIRECT] = "rq_redirect",
	[HCM_RQ_DIRECT_RESPONSE] = "rq_direct_response",
	[HCM_RQ_RESET_AFTER_RESPONSE_STARTED] =
	    "rq_reset_after_downstream_response_started",
	[HCM_RQ_RETRY_SKIPPED_REQUEST_NOT_COMPLETE] =
	    "rq_retry_skipped_request_not_complete",
};

const struct hcm_counters *
hcm_counters_build(struct arena *arena, struct str stat_prefix, struct state *s)
{
	struct hcm_counters *c;

	if (!s)
		return NULL;
	c = ARENA_NEW(arena, struct hcm_counters);
	for (size_t i = 0; i < HCM_COUNTERS; i++)
		c->ids[i] =
		    counter_find(s, arena_printf(arena, "http." STR_FMT ".%s",
					STR_ARG(stat_prefix), names[i]));
	return c;
}

void
exchange_count(const struct exchange *x, enum hcm_counter counter)
{
	const struct hcm_counters *c = x->gateway->counters;

	if (c && x->state)
		counter_add(x->state, c->ids[counter], 1);
}
