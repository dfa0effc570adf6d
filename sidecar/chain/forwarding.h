/*
 * What a route and its virtual host say of forwarding, compiled for the
 * router (upstream/): time limits, retries, mirrors, hashing, how much of a
 * body is kept.
 */
#ifndef SALLYPORT_CHAIN_FORWARDING_H
#define SALLYPORT_CHAIN_FORWARDING_H

#include "chain/hash.h"
#include "chain/match.h"
#include "config/model_forward.h"

/* The words of retry_on, as bits. */
enum retry_on {
	RETRY_ON_5XX = 1 << 0,
	RETRY_ON_GATEWAY_ERROR = 1 << 1,
	RETRY_ON_CONNECT_FAILURE = 1 << 2,
	RETRY_ON_ENVOY_RATELIMITED = 1 << 3,
	RETRY_ON_RETRIABLE_4XX = 1 << 4,
	RETRY_ON_REFUSED_STREAM = 1 << 5,
	RETRY_ON_RETRIABLE_STATUS_CODES = 1 << 6,
	RETRY_ON_RETRIABLE_HEADERS = 1 << 7,
	RETRY_ON_RESET = 1 << 8,
	RETRY_ON_RESET_BEFORE_REQUEST = 1 << 9,
	RETRY_ON_HTTP3_FAILURE = 1 << 10, /* never happens here */
	RETRY_ON_CANCELLED = 1 << 11,
	RETRY_ON_DEADLINE_EXCEEDED = 1 << 12,
	RETRY_ON_INTERNAL = 1 << 13,
	RETRY_ON_RESOURCE_EXHAUSTED = 1 << 14,
	RETRY_ON_UNAVAILABLE = 1 << 15,
};

/* Which words a list may have. */
enum retry_words {
	RETRY_WORDS_HTTP = 1 << 0,
	RETRY_WORDS_GRPC = 1 << 1,
};

/*
 * Reads a list such as "5xx, reset". Unknown words count for nothing;
 * *unknown, if not NULL, is the first of them, or absent.
 */
unsigned retry_on_read(struct str list, enum retry_words, struct str *unknown);

struct retry_policy {
	unsigned on; /* of enum retry_on */
	uint32_t num_retries;
	int64_t per_try_ns, per_try_idle_ns; /* 0: none */
	uint32_t host_attempts; /* how often another host is looked for */
	bool avoids_previous_hosts;
	bool avoids_canaries;
	const uint32_t *codes; /* retriable_status_codes */
	size_t n_codes;
	const struct header_match **headers; /* retriable_headers */
	size_t n_headers;
	const struct header_match *
	    *requests; /* one must hold, if there are any */
	size_t n_requests;
	uint64_t base_ms; /* 0: Envoy's 25 */
	uint64_t max_ms; /* 0: ten times the base */
	const struct conf_limited_back_off *resets; /* or NULL */
};

struct mirror_policy {
	const struct conf_mirror_policy *conf;
	struct str header; /* cluster_header in lower case, or absent */
};

struct forwarding {
	const struct retry_policy *retry; /* NULL: nothing is tried again */
	const struct hash_policy *hash; /* NULL: nothing is hashed */
	const struct mirror_policy *mirrors;
	size_t n_mirrors;
	uint64_t keep_max; /* bytes of a body kept for retries */
	bool is_urgent; /* priority HIGH */
	bool counts_in_request, counts_in_response; /* x-envoy-attempt-count */
	bool tells_timeout_retry; /* x-envoy-is-timeout-retry */
	const struct conf_route_action *action;
};

/*
 * Compiles for one route; errors go to the diag. keep_max is what the
 * listener allows. NULL for a route that does not forward.
 */
const struct forwarding *forwarding_build(struct arena *,
    const struct conf_route *, const struct conf_virtual_host *,
    const struct conf_route_config *, uint64_t keep_max, struct diag *);

#endif
