/*
 * A configuration compiled for running: immutable, shared by all requests of
 * a worker's life.
 */
#ifndef SALLYPORT_CHAIN_GATEWAY_H
#define SALLYPORT_CHAIN_GATEWAY_H

#include "base/table.h"
#include "chain/counters.h"
#include "chain/filter.h"
#include "chain/router_rules.h"
#include "config/model.h"
#include "http/target.h"
#include "state/file.h"

/* A filter of the chain with its configuration. */
struct filter_instance {
	const struct filter *filter;
	struct str
	    name; /* its name in http_filters, the key of per-route entries */
	const struct node *node; /* where it stands in http_filters */
	const void *conf;
	bool disabled;
	size_t state_at; /* offset of its state in a request's block */
};

/* A breaker that is not a cluster's. */
struct breaker_name {
	struct str name;
	const struct breaker_name *next;
};

struct gateway {
	struct arena *arena;
	const struct conf_bootstrap *bootstrap;
	const struct conf_hcm *hcm;
	const struct conf_listener *listener;
	struct target_rules target_rules;
	struct router_rules router;
	bool suppress_envoy_headers; /* of the router filter */
	struct filter_instance *filters; /* without the router */
	size_t n_filters;
	size_t state_size;
	struct route_table *routes;
	struct table *clusters; /* names to places in static_resources */
	const struct local_reply *local_reply; /* or NULL */
	const struct hcm_counters *counters; /* or NULL */
	const struct trust *trust;
	const struct request_id *request_id;
	const struct early_mutation *early; /* or NULL */
	bool clusters_have_breakers;
	const struct breaker_name *breakers; /* and these */
};

/*
 * Compiles. Filters are configured with their counters and breakers in
 * state, which may be NULL for a check only. NULL when errors were added.
 */
struct gateway *gateway_build(struct arena *, const struct conf_bootstrap *,
    struct state *, struct diag *);

/* The cluster of that name, or NULL. */
const struct conf_cluster *gateway_cluster(
    const struct gateway *, struct str name);

#endif
