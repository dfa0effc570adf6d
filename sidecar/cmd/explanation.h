/*
 * What the gateway does with one request, step by step. It is the gateway's
 * own way through chain, filters and router, but for the sending: a backend
 * is taken to answer 200 with nothing else.
 */
#ifndef SALLYPORT_CMD_EXPLANATION_H
#define SALLYPORT_CMD_EXPLANATION_H

#include "chain/exchange.h"
#include "cmd/load.h"
#include "http/cgi.h"

enum change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_REPLACED };

/* A field that is not as it was. */
struct change {
	enum change_kind kind;
	struct str name;
	struct str before, after; /* absent where there is none */
};

struct changes {
	struct change *items;
	size_t n;
};

/* A filter in one direction, or another part of the way. */
struct step {
	enum exchange_part part;
	size_t filter; /* its place, of a filter */
	bool is_response;
	enum verdict verdict; /* FILTER_WAIT: for what never comes */
	int64_t waited_ns;
	unsigned status; /* of a filter's answer */
	struct place
	    place; /* what has decided; no source: nothing of the file */
	bool is_rerouted; /* another route was found afterwards */
	struct changes request, response;
};

struct explanation {
	struct arena *arena;
	struct headers asked; /* the request as it came */
	struct exchange *x; /* with its outcome */
	struct step *steps; /* in the order they were taken */
	size_t n_steps, max_steps;
	struct changes prepared; /* the request's, by route and router */
	const struct cluster_host *host; /* where it goes; NULL: nowhere */
	struct headers sent; /* to the host, as the exchange's request */

	/* While it is made. */
	struct router *router;
	struct headers request, response; /* as they were a step before */
	const struct route *route;
	int64_t wait_began_ns;
};

/*
 * Runs the request of these CGI parameters; state is a private one. Nothing
 * in the explanation is valid after explanation_end.
 */
void explanation_run(struct explanation *, const struct loaded *,
    struct state *, const struct cgi_param *, size_t n);
void explanation_end(struct explanation *);

/* Why a filter is off for the request, or on where it would be off. */
struct place explanation_filter_place(
    const struct explanation *, size_t filter);

/* The step of a filter in a direction, or NULL. */
const struct step *explanation_find(
    const struct explanation *, size_t filter, bool is_response);

/* "10.0.0.1:80", or "name:80" of one that has no address yet. */
struct str explanation_host(const struct explanation *);

/* The two ways to write it; ERR_FULL if there is too much of it. */
enum err explanation_write_text(
    const struct explanation *, struct buf *) CHECKED;
enum err explanation_write_json(
    const struct explanation *, struct buf *) CHECKED;

#endif
