/*
 * Listening sockets of a worker. Several workers wait on the same ones, and
 * the kernel wakes one of them. When descriptors run out the others get
 * their turn: accepting pauses, connections wait in the backlog.
 */
#ifndef SALLYPORT_FRONT_LISTENER_H
#define SALLYPORT_FRONT_LISTENER_H

#include "base/loop.h"
#include "front/connection.h"

struct listeners;

/*
 * Accepts from the sockets into connections, at most max at once. The
 * sockets stay the caller's. NULL with the reason logged.
 */
struct listeners *listeners_new(struct loop *, struct connections *,
    const int *sockets, size_t n, size_t max);

/* Accepts those that wait already: nobody will once the sockets are closed. */
void listeners_finish(struct listeners *);

/* Stops accepting. */
void listeners_free(struct listeners *);

#endif
