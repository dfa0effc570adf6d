/* Listening sockets: from addresses, from systemd, from whoever spawned us. */
#ifndef SALLYPORT_FRONT_LISTEN_H
#define SALLYPORT_FRONT_LISTEN_H

#include "base/err.h"
#include "base/str.h"

enum { LISTEN_MAX = 16 };

struct listen_sockets {
	int fds[LISTEN_MAX];
	char *paths[LISTEN_MAX]; /* of unix sockets made here, else NULL */
	size_t n;
};

/*
 * Opens "unix:PATH", "HOST:PORT" or "[V6]:PORT". A unix socket that nobody
 * listens on any more is replaced; mode is its mode. Failures are logged:
 * ERR_BAD for an address that is none, ERR_SYSTEM, ERR_FULL.
 */
enum err listen_open(
    struct listen_sockets *, const char *address, unsigned mode) CHECKED;

/* Adds those of socket activation (LISTEN_FDS, LISTEN_PID), if any. */
enum err listen_inherit(struct listen_sockets *) CHECKED;

/* Whether fd is a listening socket. */
bool socket_listens(int fd);

/* Closes them and removes the unix sockets made here. */
void listen_close(struct listen_sockets *);

/* Frees what is known of them, when a worker has closed its own. */
void listen_forget(struct listen_sockets *);

#endif
