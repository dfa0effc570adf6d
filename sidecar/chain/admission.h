/*
 * Which requests are taken at all, and what their target and host are: the
 * limits of Envoy's HTTP/1 codec, then what its HttpConnectionManager does
 * before it looks at the fields.
 */
#ifndef SALLYPORT_CHAIN_ADMISSION_H
#define SALLYPORT_CHAIN_ADMISSION_H

#include "chain/exchange.h"

/*
 * Makes :path and :authority what they are to be for routing, and takes away
 * what Connection names. False if it has answered the request instead.
 */
bool admission_check(struct exchange *);

#endif
