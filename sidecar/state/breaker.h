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

/* Finds or claims the breaker of that name (at most 119 bytes); -1 if there is no room. */
int breaker_find(struct state *, struct str name);

/* The same without claiming: -1 for a name that has no breaker. */
int breaker_lookup(struct state *, struct str name);

/* Whether a request may go on; whoever passes reports, below, what came of it. */
enum breaker_verdict breaker_ask(
    struct state *, int id, const struct breaker_rules *, int64_t now_boot_ns);

/*
 * Reports an outcome. was_probe says what breaker_ask had answered. Cancel
 * is for requests that say nothing about the backend (the client left): a
 * probe is then free for the next request. Outcomes that come late, when the
 * breaker has moved on, change nothing. breaker_failure says whether it was
 * this failure that opened it. With id -1 everything passes.
 */
void breaker_success(struct state *, int id, bool was_probe);
bool breaker_failure(struct state *, int id, bool was_probe,
    const struct breaker_rules *, int64_t now_boot_ns);
void breaker_cancel(struct state *, int id, bool was_probe);

/* As shown to people; *retry_ns, if not NULL, is the time until a probe. */
enum breaker_state breaker_state(
    struct state *, int id, int64_t now_boot_ns, int64_t *retry_ns);
const char *breaker_state_name(enum breaker_state);

/* How often it has opened since the system was started. */
uint64_t breaker_opened(struct state *, int id);

/* Calls each(arg, name, id) for every breaker; name lives during the call. */
void breaker_each(struct state *,
    void (*each)(void *arg, struct str name, int id), void *arg);

#endif
