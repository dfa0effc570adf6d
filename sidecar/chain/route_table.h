/* What a compiled route table is made of; for route.c, route_build.c and whoever shows it. */
#ifndef SALLYPORT_CHAIN_ROUTE_TABLE_H
#define SALLYPORT_CHAIN_ROUTE_TABLE_H

#include "chain/descriptor.h"
#include "chain/domain.h"
#include "chain/format.h"
#include "chain/mutation.h"
#include "chain/rewrite.h"
#include "chain/route.h"
#include "chain/routestats.h"
#include "chain/scope.h"

/* Header changes of one level of the configuration. */
struct changes {
	const struct mutation *request, *response;
};

struct route_parts {
	const struct route_match *match;
	const struct rewrite *rewrite;
	const struct changes *levels[HOST_LEVELS]; /* NULL: none */
	struct str cluster_header;
	const struct rate_limits *limits, *vhost_limits;
	const struct vclusters *vclusters;
	struct route *weighted; /* one for each cluster */
	uint64_t weight_sum;
	struct str direct_body;
	const struct format *direct_format;
};

struct vhost {
	const struct conf_virtual_host *conf;
	struct changes changes;
	struct scope own, scope; /* its own words, and what holds in it */
	const void **old_cors;
	struct route *routes;
	size_t n;
	const struct pathindex *index; /* NULL: few routes */
	const struct vclusters *vclusters;
	const struct rate_limits *limits;
	const struct route *to_https; /* of require_tls */
};

struct route_table {
	const struct conf_route_config *conf;
	struct changes changes;
	struct scope scope;
	struct vhost *vhosts;
	struct domains *domains;
	bool only_any; /* no domain but "*" */
	struct str vhost_header;
};

#endif
