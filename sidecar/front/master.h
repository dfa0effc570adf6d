/*
 * The master: owns the sockets and the signals, keeps N workers running, and
 * replaces them by workers of a new configuration.
 */
#ifndef SALLYPORT_FRONT_MASTER_H
#define SALLYPORT_FRONT_MASTER_H

#include "front/listen.h"
#include "front/worker.h"

enum { WORKERS_MAX = 256 };

struct master_options {
	unsigned workers;
	const char *addresses; /* for the line that says it is ready */
	/*
	 * At SIGHUP. load makes what the next workers run with; false: it is
	 * refused, and *text, valid until settle, says why. What load made
	 * stays until settle tells whether it was taken: the one before is
	 * not used any more then.
	 */
	bool (*load)(void *arg, struct worker *next, struct str *text);
	void (*settle)(void *arg, bool is_taken, struct str text);
	void *arg;
};

/*
 * Runs until SIGTERM or SIGINT, which workers are given 35 seconds to obey.
 * The sockets are closed at once then, so that a web server is refused
 * instead of waiting for nobody.
 * A worker that dies is replaced. At SIGHUP new workers are started, and once
 * all of them serve, the old ones are told to finish what they have.
 * Returns the exit status, in the master and in each worker when it has ended.
 */
int master_run(const struct worker *, struct listen_sockets *,
    const struct master_options *);

#endif
