/*
 * Envoy's clusters as hosts the client can reach. Immutable, shared by the
 * workers; which host is next is the balancer's.
 */
#ifndef SALLYPORT_UPSTREAM_CLUSTER_H
#define SALLYPORT_UPSTREAM_CLUSTER_H

#include "chain/gateway.h"
#include "chain/hash.h"
#include "upstream/client.h"
#include "upstream/ring.h"

struct cluster_host {
	/* For requests of ordinary priority and for urgent ones. */
	struct client_origin origin;
	const struct client_origin *urgent; /* NULL: no route needs it */
	struct str address; /* "10.0.0.1:80" or a socket's path, for the log */
	struct str hostname; /* or absent */
	const struct conf_metadata *metadata; /* or NULL */
	uint32_t weight;
	bool is_canary;
};

/* How much may be under way at once; UINT32_MAX is no limit. */
struct thresholds {
	uint32_t connections, pending, requests, retries;
	bool has_budget; /* instead of retries */
	double budget_percent;
	uint32_t budget_min;
};

struct cluster {
	const struct conf_cluster *conf;
	size_t index; /* among the clusters */
	struct str stat_name; /* as counters call it */
	struct cluster_host *hosts;
	size_t n;
	size_t first; /* its first host's place among all hosts */

	int policy; /* enum conf_lb_policy, but CONF_LB_CONFIG */
	bool is_weighted; /* not all hosts have the same weight */
	uint32_t choices; /* LEAST_REQUEST; 0: all hosts are compared */
	double bias; /* LEAST_REQUEST: how much load counts against weight */
	const struct ring *ring; /* RING_HASH */
	const struct maglev *maglev; /* MAGLEV */
	const struct hash_policy *hash; /* in place of the route's, or NULL */

	struct thresholds thresholds[2]; /* ordinary, urgent */
	uint32_t drop_ppm; /* requests in a million that are not even tried */
	uint32_t maintenance_percent; /* the same, of a hundred */
	int64_t max_stream_ns; /* 0: none */
};

struct clusters {
	const struct cluster *items; /* in the order of the configuration */
	size_t n;
	size_t n_hosts; /* of all clusters */
	size_t n_origins;
	uint64_t retry_base_ms; /* first wait before a retry, by default */
	uint32_t retry_percent; /* so many retries of a hundred are made */
};

/*
 * Makes the clusters of a configuration. Errors (a priority, an unreadable
 * authority, a name that is none) go to the diag; the result is then not
 * for use.
 *
 * An upstream TLS context without trusted_ca verifies nothing, as in Envoy.
 * With it the chain is verified and, beyond Envoy, that the certificate is
 * for the sni or, without one, for the endpoint's name; a bare IP address
 * is not compared.
 */
struct clusters *clusters_build(
    struct arena *, const struct gateway *, struct diag *);

/* The cluster made from conf, which is one of that configuration. */
const struct cluster *clusters_find(
    const struct clusters *, const struct conf_cluster *conf);

/* The origin of a host for requests of that priority. */
const struct client_origin *cluster_origin(
    const struct cluster_host *, bool is_urgent);

#endif
