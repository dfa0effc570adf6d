/* Listening sockets: from addresses, from systemd, from whoever spawned us. */
#ifndef SALLYPORT_FRONT_SOCKET_H
#define SALLYPORT_FRONT_SOCKET_H

#include "base/err.h"
#include "base/str.h"

enum { SOCKETS_MAX = 16 };

struct sockets {
	int fds[SOCKETS_MAX];
	char *paths[SOCKETS_MAX]; /* of unix sockets made here, else NULL */
	size_t n;
};

/*
 * Opens "unix:PATH", "HOST:PORT" or "[V6]:PORT". A unix socket that nobody
 * listens on any more is replaced; mode is its mode. Failures are logged:
 * ERR_BAD for an address that is none, ERR_SYSTEM, ERR_FULL.
 */
enum err sockets_open(
    struct sockets *, const char *address, unsigned mode) CHECKED;

/* Adds those of socket activation (LISTEN_FDS, LISTEN_PID), if any. */
enum err sockets_inherit(struct sockets *) CHECKED;

/* Whether fd is a listening socket. */
bool socket_listens(int fd);

/* Closes them and removes the unix sockets made here. */
void sockets_close(struct sockets *);

#endif
