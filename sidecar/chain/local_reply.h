/* What local_reply_config makes of the answers the gateway gives itself. */
#ifndef SALLYPORT_CHAIN_LOCAL_REPLY_H
#define SALLYPORT_CHAIN_LOCAL_REPLY_H

#include "chain/exchange.h"

struct local_reply;

/* Compiles; NULL for a NULL conf and after errors. */
const struct local_reply *local_reply_build(
    struct arena *, const struct conf_local_reply *, struct diag *);

/*
 * Rewrites the answer that stands in x->response and x->local_body: status
 * and headers in place, and returns the body to send. NULL changes nothing.
 */
struct str local_reply_apply(const struct local_reply *, struct exchange *);

#endif
