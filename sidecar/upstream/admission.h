/*
 * A request's way to a connection: a host to go to, a place among those that
 * wait or are under way, and, where the cluster has no connection left, a
 * turn in the queue of its host.
 */
#ifndef SALLYPORT_UPSTREAM_ADMISSION_H
#define SALLYPORT_UPSTREAM_ADMISSION_H

#include "upstream/balance.h"
#include "upstream/client.h"
#include "upstream/overload.h"
#include "upstream/stats.h"

struct admissions; /* all of a worker */

struct admissions *admissions_new(struct loop *, struct state *,
    const struct clusters *, struct stats *, struct balancer *);
/* All of them must have ended; the client's connections may still be open. */
void admissions_free(struct admissions *);

/* What the client is to tell of its connections. */
struct client_hooks admissions_hooks(struct admissions *);
void admissions_set_client(struct admissions *, struct client *);

/* Embedded in what goes out; zeroed at first. */
struct admission {
	struct admissions *all; /* NULL: none under way */
	const struct cluster *cluster;
	const struct cluster_host *host;
	const struct client_origin *origin;
	bool is_urgent;
	bool holds_pending, holds_request;
	bool expects; /* it holds a connection that is not opened yet */
	struct admission *next, **prev; /* in the queue of its host */
	void (*go)(void *owner); /* its turn has come, from the loop */
	void *owner;
};

/* A host of the cluster; false if there is none. */
bool admission_choose(struct admission *, struct admissions *,
    const struct cluster *, bool is_urgent, const struct balancer_wish *);

enum admitted {
	ADMITTED, /* start the call, with the admission as its ticket */
	ADMITTED_LATER, /* go will be called */
	ADMITTED_NOT, /* overflow */
};

/* Asks for a connection to the host that was chosen. */
enum admitted admission_ask(
    struct admission *, void (*go)(void *owner), void *owner);

/* There is a connection; false if too many requests are under way. */
bool admission_ready(struct admission *);

/* Gives everything back; safe in any state. */
void admission_end(struct admission *);

/* One of the requests that wait for nothing but a turn. */
bool admission_is_queued(const struct admission *);

/* A place among the retries of the cluster. */
bool admissions_take_retry(
    struct admissions *, const struct cluster *, bool is_urgent);
void admissions_give_retry(
    struct admissions *, const struct cluster *, bool is_urgent);

#endif
