/*
 * Rate limits in the state file. A client's cell is found by a 64-bit hash of its
 * key in a table of fixed size; when the table is full the cell that has been
 * quiet longest is taken over. Decisions move one word by compare-and-swap
 * and are exact over all processes.
 */
#ifndef SALLYPORT_STATE_LIMIT_H
#define SALLYPORT_STATE_LIMIT_H

#include "state/file.h"

/* The verdict, with the numbers for RateLimit and Retry-After. */
struct limit_result {
	bool allowed;
	uint64_t limit; /* requests per window, or tokens in a full bucket */
	uint64_t remaining; /* after this request */
	int64_t
	    reset_ns; /* until more is available again; 0 if nothing is used */
	int64_t retry_ns; /* until a request would pass; 0 if allowed */
};

/* Hash of a key for the calls below; scope keeps rules apart. */
uint64_t limit_key(const struct state *, struct str scope, struct str key);

/*
 * Sliding window: in no span of window_ns are more than limit requests
 * allowed. limit is 1 to 1,000,000; window_ns 100 ms to 31 days.
 */
struct limit_result limit_window(struct state *, uint64_t key, uint64_t limit,
    int64_t window_ns, int64_t now_boot_ns);

/*
 * Token bucket as in Envoy's local_ratelimit: starts full with max_tokens
 * and refills continuously at tokens_per_fill each fill_ns. Takes one token.
 * max_tokens is 1 to 2^32 - 1, the others are at least 1.
 */
struct limit_result limit_bucket(struct state *, uint64_t key,
    uint64_t max_tokens, uint64_t tokens_per_fill, int64_t fill_ns,
    int64_t now_boot_ns);

/*
 * The same for any number of tokens: all or none. 0 tokens are never had,
 * and a negative number gives tokens back; both as in Envoy.
 */
struct limit_result limit_bucket_hits(struct state *, uint64_t key,
    uint64_t max_tokens, uint64_t tokens_per_fill, int64_t fill_ns,
    int64_t hits, int64_t now_boot_ns);

/* Cells in use and in all, for status. */
void limit_usage(
    struct state *, int64_t now_boot_ns, size_t *used, size_t *total);

#endif
