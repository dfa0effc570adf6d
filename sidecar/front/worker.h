/*
 * A worker: one process, one loop, everything that requests need. It runs
 * under our master, or alone under a web server that has spawned it.
 */
#ifndef SALLYPORT_FRONT_WORKER_H
#define SALLYPORT_FRONT_WORKER_H

#include "front/stream.h"

/* What a worker runs with; made before it starts, and shared by all. */
struct worker {
	const struct gateway *gateway;
	const struct clusters *clusters;
	struct access_log *log;
	struct state *state;
	const int *sockets; /* listening; none for CGI */
	size_t n_sockets;
	int ready_fd; /* gets the pid once it serves; -1: none */
};

/* Makes the loop and what hangs on it. ERR_SYSTEM, logged. */
enum err worker_open(const struct worker *, struct front *) CHECKED;
void worker_close(const struct worker *, struct front *);

/* A descriptor that tells of the signals of worker_run; -1 with errno. */
int worker_signals(void);

/*
 * Serves until SIGTERM or SIGINT, then closes the sockets and lets requests
 * under way finish, for 30 seconds. SIGUSR2 is the same for a worker whose
 * place others have taken: there is no limit, and web servers may send one
 * more request on each connection they keep.
 * SIGUSR1 opens the logs anew. Returns the exit status of the process.
 */
int worker_run(const struct worker *);

#endif
