/* Request fields of the one connection they came by (RFC 9110 section 7.6.1). */
#ifndef SALLYPORT_HTTP_HOP_BY_HOP_H
#define SALLYPORT_HTTP_HOP_BY_HOP_H

#include "http/headers.h"

/*
 * Whether the request asks for another protocol: Upgrade with an "upgrade"
 * in Connection. One for h2c does not count, since nobody has to accept it.
 */
bool hop_by_hop_is_upgrade(const struct headers *);

/*
 * Takes away what Connection names. False if Envoy refuses the request (400):
 * ten names or more, a name that would hide the client (x-forwarded-for,
 * -proto, -host), a pseudo header.
 */
bool hop_by_hop_remove_named(struct headers *);

/*
 * Takes away Connection, Upgrade, Keep-Alive, Proxy-Connection and
 * Transfer-Encoding, and of TE all but "trailers".
 */
void hop_by_hop_remove_known(struct headers *);

#endif
