/*
 * FastCGI connections from web servers: reading records, one request at a
 * time, keeping the connection where the web server wants to, and giving up
 * on those that stall.
 */
#ifndef SALLYPORT_FRONT_CONNECTION_H
#define SALLYPORT_FRONT_CONNECTION_H

#include "front/stream.h"

struct connections;

/* None yet; the front must outlive them. */
struct connections *connections_new(const struct front *);

/* Closes them all; requests under way end as if the client had gone. */
void connections_free(struct connections *);

/* Takes over a non-blocking descriptor and reads what has come already. */
void connections_add(struct connections *, int fd);

/* How many are open. */
size_t connections_count(const struct connections *);

/*
 * Lets requests under way come to their end and closes idle connections.
 * empty(arg) is called from the loop when none is left.
 */
void connections_drain(
    struct connections *, void (*empty)(void *arg), void *arg);

/*
 * The same, but idle connections stay until they have brought one more
 * request or a while has passed: to close one under a web server that is
 * just about to use it would lose the request.
 */
void connections_retire(
    struct connections *, void (*empty)(void *arg), void *arg);

#endif
