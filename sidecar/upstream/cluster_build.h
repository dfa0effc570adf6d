/*
 * Clusters while they are made, for the files that make them: cluster.c the
 * hosts, cluster_tls.c how they are trusted, cluster_limits.c thresholds and
 * the like, cluster_rules.c all the rest.
 */
#ifndef SALLYPORT_UPSTREAM_CLUSTER_BUILD_H
#define SALLYPORT_UPSTREAM_CLUSTER_BUILD_H

#include "config/model_forward.h"
#include "upstream/cluster.h"

/* How hosts are chosen, from fields of the cluster or from an extension. */
struct policy {
	int kind; /* enum conf_lb_policy, but CONF_LB_CONFIG */
	const struct conf_ring_hash *ring;
	const struct conf_maglev *maglev;
	const struct conf_least_request *least;
	const struct conf_consistent_hashing *hashing;
};

/* What the making of one cluster needs throughout. */
struct build {
	struct arena *arena;
	struct diag *diag;
	const struct conf_cluster *conf;
	const char *path; /* "static_resources.clusters[0]" */
	struct client_origin common; /* what all its hosts share */
	const char *scheme;
	struct str sni;
	struct policy policy;
	const char *at; /* path of the endpoint at hand, from the cluster's */
	bool warned_of_name;
};

/* An error at a field of the cluster ("transport_socket.name"). */
void build_error(struct build *, const struct node *, const char *field,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A host name as URLs and certificates know it. */
bool build_is_name(struct str);

/* Trust and server name, in common, scheme and sni. */
void build_tls(struct build *);

/* Versions of HTTP and what holds for connections, in common. */
void build_protocol(struct build *, struct cluster *);

/* Thresholds, drops, names; what the runtime says of retries everywhere. */
void build_limits(struct build *, struct cluster *);
void build_retry_limits(struct build *, struct clusters *);

/* Whether hosts are hashed by name, not by address. */
bool build_hashes_names(const struct build *);

/* How hosts are chosen: reads it into policy, and makes what it needs. */
void build_read_policy(struct build *);
void build_policy(
    struct build *, struct cluster *, const struct ring_host *keys);

/* The key of an endpoint's metadata under envoy.lb, or NULL. */
const struct node *build_lb_value(
    const struct conf_lb_endpoint *, const char *key);

#endif
