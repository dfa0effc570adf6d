/* What can be told about gRPC from header fields: whether it is one, and its status. */
#ifndef SALLYPORT_HTTP_GRPC_H
#define SALLYPORT_HTTP_GRPC_H

#include "http/headers.h"

/* The codes of google.rpc.Code. */
enum { GRPC_CODES = 17, GRPC_UNKNOWN = 2, GRPC_INVALID = -1 };

/* Whether content-type is application/grpc, alone or with a suffix ("+proto"). */
bool grpc_is_request(const struct headers *);

/* The mapping that gRPC prescribes for answers of proxies. */
unsigned grpc_status_of_http(unsigned status);

/*
 * The status in the fields of a response: grpc-status (GRPC_INVALID for what
 * is no number), or without it what the HTTP status stands for.
 */
int64_t grpc_status(const struct headers *response, unsigned http_status);

/* "NotFound" and "NOT_FOUND"; absent for what is no code. */
struct str grpc_camel_name(int64_t status);
struct str grpc_snake_name(int64_t status);

#endif
