/*
 * A backend for tests: a real server in processes of its own, one per
 * connection. What it answers is chosen by the path (see backend.c).
 *
 * "/turns/503/drop/200;x-a=b" is played turn by turn, the last again and
 * again: a status, with a field if need be, and with "!" before it said
 * before the body is read; "echo" of the body; "drop"; "silent".
 */
#ifndef SALLYPORT_TESTS_UNIT_UPSTREAM_BACKEND_H
#define SALLYPORT_TESTS_UNIT_UPSTREAM_BACKEND_H

#include <sys/types.h>

#include <openssl/ssl.h>

enum { BACKEND_BIG = 1 << 20 };

/* What all its processes have seen. */
struct backend_seen {
	unsigned connections;
	unsigned requests;
	unsigned closed; /* connections, by scripts that end so */
	unsigned turns; /* requests with a path of turns */
};

struct backend {
	pid_t pid;
	int port; /* 0 for a unix socket */
	char url[64];
	char path[64]; /* of the unix socket */
	volatile struct backend_seen *seen;
};

void backend_start(struct backend *);
void backend_start_unix(struct backend *);
/* With TLS; it answers anything with the server name it was asked for. */
void backend_start_tls(struct backend *, SSL_CTX *);
void backend_stop(struct backend *);

/* A socket bound to a free port of 127.0.0.1. */
int backend_socket(int *port);

/* A port of 127.0.0.1 on which nobody listens. */
int backend_dead_port(void);

#endif
