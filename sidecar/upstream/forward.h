/*
 * A request on its way to a backend, from the inside, for the files that make
 * up the router: router.c begins and ends it, attempt.c tries, limits.c
 * keeps the time, retry.c decides what is tried again, failure.c says what
 * went wrong, mirror.c sends copies.
 *
 * Everything that tells the chain (exchange_respond, exchange_reply,
 * exchange_cut, changed) is the last thing a function does, and of its
 * callers too: the chain may answer by ending the forwarding.
 */
#ifndef SALLYPORT_UPSTREAM_FORWARD_H
#define SALLYPORT_UPSTREAM_FORWARD_H

#include "chain/forwarding.h"
#include "chain/route.h"
#include "upstream/admission.h"
#include "upstream/router.h"

struct mirror;

struct router {
	struct loop *loop;
	const struct clusters *clusters;
	struct client *client;
	struct balancer *balancer;
	struct stats *stats;
	struct admissions *admissions;
	struct mirror *mirrors; /* under way, of exchanges that may be over */
	struct str own_address; /* of this machine, for mirrors */
	char own_text[16];
	int64_t warned_ns;
};

/* In milliseconds as Envoy counts them; 0 is none. */
struct limits {
	uint64_t total; /* from the request's end, over all tries */
	uint64_t attempt; /* of one try, until its answer begins */
	uint64_t attempt_idle; /* without a byte of an answer */
	uint64_t idle; /* without a byte either way */
	uint64_t stream; /* of one try, until its answer ends */
	unsigned status; /* of the reply when time is up */
};

struct retry {
	const struct retry_policy *policy; /* NULL: only headers ask for it */
	unsigned on; /* enum retry_on; 0: nothing is tried again */
	uint32_t left;
	uint64_t next_ms, max_ms; /* of the wait */
	struct str codes, names; /* x-envoy-retriable-* of the request */
	bool is_counted; /* among the cluster's retries */
	bool is_asked; /* the wait is what a header of the answer asked for */
};

/* In the exchange's arena. */
struct forward {
	struct router *router;
	struct exchange *x;
	const struct forwarding *rules;
	const struct cluster *cluster;

	/* The try under way. */
	struct admission admission;
	struct call *call; /* NULL: none, or it waits for its turn */
	struct headers response;
	int64_t ready_ns; /* when it had a connection; 0: not yet */
	int64_t answered_ns; /* when bytes of its answer last came; 0: never */

	/* The whole. */
	struct limits limits;
	struct retry retry;
	struct str stat_name; /* x-envoy-upstream-alt-stat-name, or absent */
	struct headers made; /* set-cookie fields of hash policies */
	const struct cluster_host **tried; /* hosts, in this order */
	size_t n_tried;
	struct mirror *mirrors; /* that still get bytes of the body */
	size_t mirrored; /* bytes in upload that they have */
	bool begun; /* replies tell the number of tries from here on */
	bool responded;
	bool keeps; /* sent bytes of the body stay in upload... */
	bool holds; /* ...because there may be another try */
	bool upload_ended;
	int64_t upload_end_ns;
	int64_t moved_ns; /* when bytes last moved, either way */
	int64_t retry_ns; /* when to try again; 0: no retry waits */
	bool retries_timeout; /* the try that is to come follows a timeout */
	struct timer timer;
	struct task cut;
};

/* ---- attempt.c ---- */

/* Chooses a host; false if there is none. */
bool attempt_choose(struct forward *);

/* Goes to the host that was chosen. It may end the exchange. */
void attempt_start(struct forward *);

/* The next try, after its wait. It may end the exchange. */
void attempt_again(struct forward *);

/* Breaks off the try under way, if there is one, and gives back its places. */
void attempt_end(struct forward *);

/* Makes the exchange's response of the try's. */
void attempt_respond(struct forward *);

/* Drops what of the body nobody needs any more. */
void attempt_trim(struct forward *);

/* ---- limits.c ---- */

/*
 * Takes the limits from the route and from the request's own headers, which
 * are removed, and sets x-envoy-expected-rq-timeout-ms.
 */
void limits_read(struct forward *);

/* Tells the next try how much time there is. */
void limits_tell(struct forward *);

/* Sets the timer to what is due first. */
void limits_arm(struct forward *);

/* A number as Envoy reads it in a header. */
bool limits_read_number(struct str, uint64_t *out);

/* ---- retry.c ---- */

enum retry_verdict {
	RETRY_NO,
	RETRY_YES, /* after *wait_ms */
	RETRY_LIMIT, /* it was tried often enough */
	RETRY_OVERFLOW, /* too many requests are tried again already */
};

/* Takes the policy and the request's own headers, which are removed. */
void retry_read(struct forward *);

/* Judges the answer, of which the header section is there. */
enum retry_verdict retry_after_answer(struct forward *, uint64_t *wait_ms);

/* Judges a failure; a timeout is CALL_NO_FAILURE. */
enum retry_verdict retry_after_failure(
    struct forward *, enum call_failure, uint64_t *wait_ms);

/* The wait is over. */
void retry_begin(struct forward *);

/* No further retry: gives back its place. */
void retry_end(struct forward *);

/* Whether a retry passes over the host. */
bool retry_rejects(void *forward, const struct cluster_host *);

/* ---- failure.c ---- */

/* Replies without a backend; flag may be NULL. Overloaded ones say so. */
void failure_reply(struct forward *, unsigned status, struct str body,
    struct str details, const char *flag);
void failure_reply_overloaded(struct forward *, struct str body,
    struct str details, const char *flag, struct str header);
void failure_no_host(struct forward *);

/* The call has failed, and nothing was answered yet. */
void failure_of_call(struct forward *, enum call_failure, struct str text);

/* The call has failed amid the answer: notes it for the log. */
void failure_late(struct forward *, enum call_failure, struct str text);

/* Time is up: an ordinary reply, or a cut when there is an answer already. */
void failure_of_time(
    struct forward *, const struct host_reply *, unsigned flag);

/* Counts an answer, whoever gave it. */
void forward_count(struct forward *, unsigned status, bool is_canary);

/* Counts for the cluster and, what Envoy counts there, for the route. */
void forward_count_event(const struct forward *, enum cluster_counter);

/* Where the try went, for the log. */
void failure_note_host(struct forward *);

/* ---- mirror.c ---- */

/* Starts the copies that the route asks for. */
void mirrors_start(struct forward *);

/* Hands them what has come of the body, and its end. */
void mirrors_feed(struct forward *);

/* The exchange is over: copies that lack a part of the body are given up. */
void mirrors_leave(struct forward *);

/* The router goes: ends all copies. */
void mirrors_end(struct router *);

#endif
