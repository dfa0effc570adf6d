/* The x-request-id of requests and answers: UUIDs, as Envoy makes them. */
#ifndef SALLYPORT_CHAIN_REQUEST_ID_H
#define SALLYPORT_CHAIN_REQUEST_ID_H

#include "chain/exchange.h"

struct request_id;

/* Reads generate_request_id, preserve_external_request_id and request_id_extension. */
const struct request_id *request_id_build(
    struct arena *, const struct conf_hcm *, struct diag *);

/* Makes, replaces or keeps the request's. */
void request_id_set(struct exchange *);

/* Copies it to the answer if that is wanted. */
void request_id_echo(struct exchange *);

#endif
