/* What local_reply_config makes of the answers the gateway gives itself. */
#ifndef SALLYPORT_CHAIN_LOCAL_REPLY_H
#define SALLYPORT_CHAIN_LOCAL_REPLY_H

#include "chain/exchange.h"

struct local_reply;

/* Compiles; NULL for a NULL conf and after errors. */
const struct local_reply *local_reply_build(
    struct arena *, const struct conf_local_reply *, struct diag *);

/*
 * An answer is made in steps, between which a route's fields have their place
 * (see exchange.c): status, details, flag and body of the reply; its fields;
 * then mappers, formats and gRPC, so that x->response and x->download hold
 * what is to be sent.
 */
void local_reply_begin(struct exchange *, const struct host_reply *);
void local_reply_add_fields(struct exchange *, const struct host_reply *);
void local_reply_finish(struct exchange *, const struct host_reply *);

/* A body's format filled in; body is what %LOCAL_REPLY_BODY% stands for. */
struct format;
struct str local_reply_render(
    struct exchange *, const struct format *, struct str body);

#endif
