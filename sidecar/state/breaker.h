/*
 * Circuit breakers in the state file, one word each: state, consecutive
 * failures, and the time until which it holds. They are found by name.
 */
#ifndef SALLYPORT_STATE_BREAKER_H
#define SALLYPORT_STATE_BREAKER_H

#include "state/file.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

enum breaker_verdict {
	BREAKER_PASS, /* closed: go on, report the outcome */
	BREAKER_PROBE, /* half-open: this request alone may try */
	BREAKER_REFUSE,
};

struct breaker_rules {
	uint32_t failures; /* consecutive ones that open it, 1 to 10000 */
	int64_t open_ns; /* how long it refuses before a probe */
	int64_t
	    probe_ns; /* a probe without an outcome is given up after this */
};

/* Finds or claims the breaker of that name (at most 63 bytes); -1 if the table is full. */
int breaker_find(struct state *, struct str name);

enum breaker_verdict breaker_ask(
    struct state *, int id, const struct breaker_rules *, int64_t now_boot_ns);

/*
 * Reports an outcome. was_probe says what breaker_ask had answered. Cancel
 * is for requests that say nothing about the backend (the client left): a
 * probe is then free for the next request.
 */
void breaker_success(struct state *, int id, bool was_probe);
void breaker_failure(struct state *, int id, bool was_probe,
    const struct breaker_rules *, int64_t now_boot_ns);
void breaker_cancel(struct state *, int id, bool was_probe);

/* As shown to people; *retry_ns, if not NULL, is the time until a probe. */
enum breaker_state breaker_state(
    struct state *, int id, int64_t now_boot_ns, int64_t *retry_ns);
const char *breaker_state_name(enum breaker_state);

#endif
