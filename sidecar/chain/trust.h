/*
 * Who the client is, and whether to believe what it says: X-Forwarded-For
 * and the like, internal addresses, the edge. See "x-forwarded-for" in
 * Envoy's HTTP header documentation for the rules and their examples.
 */
#ifndef SALLYPORT_CHAIN_TRUST_H
#define SALLYPORT_CHAIN_TRUST_H

#include "chain/exchange.h"

struct trust;

/* Compiles internal_address_config and original_ip_detection_extensions. */
const struct trust *trust_build(
    struct arena *, const struct conf_hcm *, struct diag *);

/*
 * Sets client_address, client_port, is_internal and is_edge from the peer and
 * the request's fields, and appends the peer to X-Forwarded-For where that is
 * due. Returns 0, or the status to refuse the request with.
 */
unsigned trust_find_client(struct exchange *);

#endif
