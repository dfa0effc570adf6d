/*
 * What one field cannot tell about itself, checked over the whole bootstrap:
 * shared by bootstrap.c, which begins, and the whole_*.c files.
 */
#ifndef SALLYPORT_CONFIG_WHOLE_H
#define SALLYPORT_CONFIG_WHOLE_H

#include "base/table.h"
#include "config/api.h"
#include "config/messages.h"

struct whole {
	struct arena *arena; /* for what is kept */
	struct arena *temp; /* for the time of bootstrap_decode */
	struct diag *diag;
	const struct conf_bootstrap *bootstrap;
	struct table *clusters; /* name to place in static_resources */
};

/* A path made from a format, for messages. */
const char *whole_path(struct whole *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A hint to the entry added last, if a candidate is near; ended by NULL. */
void whole_hint(struct whole *, struct str word, const char *const *candidates);

/* Whether a text is an IPv4 or IPv6 address. */
bool whole_is_ip(struct whole *, struct str host);

/* Secrets, clusters and their hosts; fills clusters. */
void whole_clusters(struct whole *, struct conf_static_resources *);

/* The listener, its filter chain and the HttpConnectionManager in it. */
void whole_listener(
    struct whole *, const char *path, const struct conf_listener *);

/* Filters of an HttpConnectionManager: the router is there once, and last. */
void whole_filters(struct whole *, const char *path, struct conf_hcm *);

bool whole_is_router(const struct conf_http_filter *);

/* Domains, clusters, filter configurations and the order of the routes. */
void whole_routes(struct whole *, const char *path, const struct conf_hcm *);

/* Static secrets have names of their own. */
void whole_secrets(struct whole *, const struct conf_static_resources *);

/* Decodes TLS to a backend; secrets are put where they are named. */
void whole_upstream_tls(
    struct whole *, const char *path, struct conf_transport_socket *);

/* TLS to clients is the web server's: it is sound, and asks for nothing. */
void whole_downstream_tls(
    struct whole *, const char *path, const struct conf_transport_socket *);

/* What Envoy's code asks of what is delegated; after whole_clusters. */
void whole_delegated(struct whole *, const struct node *top);
void whole_virtual_clusters(
    struct whole *, const char *path, const struct conf_virtual_host *);
void whole_codec(struct whole *, const char *path, const struct conf_hcm *);

#endif
