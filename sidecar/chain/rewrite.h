/*
 * What a route makes of a request's host and path before it is forwarded,
 * and where a redirect leads.
 */
#ifndef SALLYPORT_CHAIN_REWRITE_H
#define SALLYPORT_CHAIN_REWRITE_H

#include "chain/exchange.h"
#include "chain/routematch.h"

struct rewrite;

/*
 * Compiles what a route says; NULL if that is nothing. Errors are added to
 * the diag.
 */
const struct rewrite *rewrite_build(struct arena *, const struct conf_route *,
    const struct route_match *, struct diag *);

/* Host and path of a request that is forwarded; NULL changes nothing. */
void rewrite_host(const struct rewrite *, struct exchange *);
void rewrite_path(const struct rewrite *, struct exchange *);

/*
 * Puts another host into the request, keeping the old one as the route's
 * action asks (append_x_forwarded_host) and in x-envoy-original-host.
 */
void rewrite_authority(
    const struct conf_route_action *, struct exchange *, struct str host);

/*
 * Location of a redirect. A rewritten path becomes the request's, with the
 * old one in x-envoy-original-path, as the log of Envoy shows it.
 */
struct str rewrite_location(const struct rewrite *, struct exchange *);

/* Location of the redirect that require_tls makes. */
struct str rewrite_to_https(const struct exchange *);

#endif
