/*
 * The descriptors of the HTTP client on the loop. Between two requests a
 * connection stays registered for reading, so that a request on a kept
 * connection costs no epoll_ctl; whatever happens to it meanwhile spoils it.
 */
#ifndef SALLYPORT_UPSTREAM_SOCKETS_H
#define SALLYPORT_UPSTREAM_SOCKETS_H

#include "base/loop.h"

struct sockets;

enum socket_event {
	SOCKET_OPENED,
	SOCKET_CLOSED, /* or of no use any more */
	SOCKET_RESTS, /* a request has ended, another may come */
	SOCKET_SERVED_ENOUGH, /* uses is reached */
	SOCKET_IDLED, /* idle_ns is reached */
};

/* The sockets to one host, and what holds for them. */
struct socket_group {
	int64_t idle_ns; /* a socket rests no longer than this; 0: ever */
	int64_t age_ns; /* none is used again after this; 0: ever */
	uint32_t uses; /* requests on one of them; 0: any number */
	unsigned open, resting;
	/* Told from within the functions below; it must not call them. */
	void (*event)(void *arg, enum socket_event);
	void *arg;
};

/* fn is told that fd is ready for some of EPOLLIN, EPOLLOUT. */
struct sockets *sockets_new(
    struct loop *, void (*fn)(void *arg, int fd, uint32_t ready), void *arg);
void sockets_free(struct sockets *);

/*
 * Opens a connection's socket; -1 with errno when there is none to be had.
 * group may be NULL, else it is needed until the socket is closed.
 */
int sockets_open(struct sockets *, struct socket_group *, int family, int type,
    int protocol);
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

/*
 * The same for a request during which fd was not watched. If it is watched
 * now it is for another request, which goes on.
 */
void sockets_served(struct sockets *, int fd);

#endif
