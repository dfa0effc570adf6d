/* The configuration of Envoy's router filter, which ends every chain. */
#ifndef SALLYPORT_CHAIN_ROUTER_RULES_H
#define SALLYPORT_CHAIN_ROUTER_RULES_H

#include "config/schema.h"

struct router_rules {
	bool suppress_envoy_headers; /* adds no x-envoy- fields */
	bool no_dynamic_stats; /* answers are not counted per cluster */
	bool no_grpc_stats; /* nor those to gRPC requests */
	bool respects_expected_timeout; /* of x-envoy-expected-rq-timeout-ms */
	const struct str *strict; /* headers whose values must be sound */
	size_t n_strict;
};

extern const struct schema_message router_message;

/* What it says for requests, allocated in the arena; errors go to the diag. */
void router_rules_build(
    struct arena *, const struct any *, struct router_rules *, struct diag *);

#endif
