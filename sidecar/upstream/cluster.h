/*
 * Envoy's clusters as hosts the client can reach. Immutable, shared by the
 * workers; which host is next is the balancer's.
 */
#ifndef SALLYPORT_UPSTREAM_CLUSTER_H
#define SALLYPORT_UPSTREAM_CLUSTER_H

#include "chain/gateway.h"
#include "upstream/client.h"

struct cluster_host {
	struct client_origin origin;
	struct str address; /* "10.0.0.1:80" or a socket's path, for the log */
	uint32_t weight;
};

struct cluster {
	const struct conf_cluster *conf;
	size_t index; /* among the clusters */
	const struct cluster_host *hosts;
	size_t n;
	size_t first; /* its first host's place among all hosts */
	bool is_weighted; /* not all hosts have the same weight */
};

struct clusters {
	const struct cluster *items; /* in the order of the configuration */
	size_t n;
	size_t n_hosts; /* of all clusters */
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

#endif
