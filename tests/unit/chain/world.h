/*
 * A gateway compiled from a text, and exchanges whose backend is the test:
 * forwarding only notes that it happened.
 */
#ifndef SALLYPORT_TESTS_UNIT_CHAIN_WORLD_H
#define SALLYPORT_TESTS_UNIT_CHAIN_WORLD_H

#include "chain/exchange.h"

struct world {
	struct arena *arena;
	struct diag *diag;
	struct gateway *gateway; /* NULL: refused; the diag says why */
	struct state *state;
	unsigned forwarded; /* how often hooks->forward ran */
	unsigned abandoned;
};

/*
 * The text is the inside of an HttpConnectionManager in YAML; stat_prefix, the
 * router filter and the clusters "backend" and "second" are added.
 */
struct world *world_new(const char *hcm);
void world_free(struct world *);

/*
 * An exchange with these pseudo headers and "name: value" lines, before it
 * is started, and started. A line for a pseudo header (":authority: a.test")
 * takes the place of its own.
 */
struct exchange *world_exchange(struct world *, const char *method,
    const char *target, const char *header_lines);
struct exchange *world_request(struct world *, const char *method,
    const char *target, const char *header_lines);

/*
 * The same for a request whose body is still to come; len is its declared
 * length, -1 for none. Bytes come with world_upload; end says that they are
 * the last.
 */
struct exchange *world_request_with_body(struct world *, const char *method,
    const char *target, const char *header_lines, int64_t len);
void world_upload(struct exchange *, const char *bytes, bool end);

/* What route_prepare_request would send; call it on a forwarded exchange. */
void world_prepare(struct exchange *);

/* Lets the backend answer with this status and these header lines. */
void world_respond(
    struct exchange *, const char *status, const char *header_lines);

/* A header as a C string, NULL if absent. */
const char *world_request_header(struct exchange *, const char *name);
const char *world_response_header(struct exchange *, const char *name);
/* The body of the answer so far. */
const char *world_body(struct exchange *);

#endif
