/*
 * The descriptors of the HTTP client on the loop. Between two requests a
 * connection stays registered for reading, so that a request on a kept
 * connection costs no epoll_ctl; whatever happens to it meanwhile spoils it.
 */
#ifndef SALLYPORT_UPSTREAM_SOCKETS_H
#define SALLYPORT_UPSTREAM_SOCKETS_H

#include "base/loop.h"

struct sockets;

/* fn is told that fd is ready for some of EPOLLIN, EPOLLOUT. */
struct sockets *sockets_new(
    struct loop *, void (*fn)(void *arg, int fd, uint32_t ready), void *arg);
void sockets_free(struct sockets *);

/* Opens a connection's socket; -1 with errno when there is none to be had. */
int sockets_open(struct sockets *, int family, int type, int protocol);
/* Closes a socket of sockets_open. */
void sockets_close(struct sockets *, int fd);

/* Waits for the events on fd, which need not come from sockets_open. */
enum err sockets_watch(struct sockets *, int fd, uint32_t events) CHECKED;
void sockets_unwatch(struct sockets *, int fd);

/*
 * A request on fd has ended. If fd came from sockets_open it stays
 * registered; bytes or a hang-up before the next sockets_watch shut the
 * connection down: they answer nothing that was asked.
 */
void sockets_rest(struct sockets *, int fd);

#endif
