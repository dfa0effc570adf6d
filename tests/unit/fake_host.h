/*
 * A host of filters for their unit tests: the same interface (chain/host.h)
 * over plain data that a test sets and looks at. One filter runs at a time.
 */
#ifndef SALLYPORT_TESTS_UNIT_FAKE_HOST_H
#define SALLYPORT_TESTS_UNIT_FAKE_HOST_H

#include "chain/host.h"

struct fake_metadata {
	struct str ns, key, value;
	struct fake_metadata *next;
};

/* The fake host's exchange and setup in one: a test's whole world. */
struct exchange {
	struct arena *arena;
	struct state *state;
	const struct filter *filter;
	const void *conf;
	const void *route_conf;
	const void *level_confs[HOST_ALL_LEVELS];
	void *filter_state;
	struct headers request, response;
	bool has_response;
	bool
	    replied; /* the filter answered: status, headers, body are in reply */
	struct host_reply reply;
	struct headers reply_headers;
	bool rerouted;
	bool forwards; /* host_route_forwards */
	struct str client_address, route_name, cluster_name, details, scheme,
	    request_id, service_cluster;
	struct fake_metadata *metadata;
	struct str body; /* of the request, whole; absent until fake_body */
	bool has_body; /* on_request_body may see it */
	struct {
		unsigned slot;
		int64_t due_ns;
	} timers[8];
	size_t n_timers;
	char flags[32]; /* response flags, one blank behind each */
	bool health_check;
	struct str foreign_breaker; /* not of this configuration; or absent */
	const struct node *decided; /* by host_decided_by */
	size_t cluster_healthy, cluster_all; /* of cluster_name */
	const struct rate_limits *rate_limits, *vhost_rate_limits;
	bool includes_vhost_limits;
	const char *setup_path; /* of what is being configured */
	int64_t boot_ns, wall_ns;
	uint64_t random; /* what host_random returns, modulo n */
	bool at_body; /* fake_run_request has passed on_request */
	uint64_t counts[64];
	struct diag *diag;
	char setup_error[1024]; /* the last error, or empty */
};

/*
 * A world whose filter is configured with the YAML text (its message's
 * fields). If it is refused, setup_error says why and conf is NULL.
 */
struct exchange *fake_new(const struct filter *, const char *yaml);

/* The same with per-route configuration too (NULL: none). */
struct exchange *fake_new_with_route(
    const struct filter *, const char *yaml, const char *route_yaml);
void fake_free(struct exchange *);

/* Adds the configuration of one more level; the most specific one is also route_conf. */
void fake_level(struct exchange *, enum host_level, const char *route_yaml);

/* Forgets request, response, reply and filter state; keeps configuration, state file and counters. */
void fake_next_request(struct exchange *);

/* Adds a request header; pseudo headers are given the same way. */
void fake_request(struct exchange *, const char *name, const char *value);

/* Gives the exchange a response of this status, with details "via_upstream". */
void fake_response(struct exchange *, unsigned status);
void fake_response_header(
    struct exchange *, const char *name, const char *value);

/* Gives the request a body. */
void fake_body(struct exchange *, const char *text);

/*
 * The request side as the chain runs it: on_request, and on_request_body if
 * the filter takes a body. One longer than it takes is answered with 413.
 * Called again after FILTER_WAIT it goes on where it waits.
 */
enum verdict fake_run_request(struct exchange *);
enum verdict fake_run_response(struct exchange *);
void fake_run_end(struct exchange *);

/* Value of the counter of that name (as given to host_setup_counter). */
uint64_t fake_count(struct exchange *, const char *name);

/* Header of the request, the response or the reply as a C string, NULL if absent. */
const char *fake_request_header(struct exchange *, const char *name);
const char *fake_response_header_value(struct exchange *, const char *name);
const char *fake_reply_header(struct exchange *, const char *name);

#endif
