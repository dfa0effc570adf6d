/*
 * The master: owns the sockets and the signals, keeps N workers running.
 */
#ifndef SALLYPORT_FRONT_MASTER_H
#define SALLYPORT_FRONT_MASTER_H

#include "front/listen.h"
#include "front/worker.h"

enum { WORKERS_MAX = 256 };

/*
 * Runs until SIGTERM or SIGINT, which workers are given 35 seconds to obey.
 * The sockets are closed at once then, so that a web server is refused
 * instead of waiting for nobody.
 * A worker that dies is replaced. addresses is for the line that says it is ready.
 * Returns the exit status, in the master and in each worker when it has ended.
 */
int master_run(const struct worker *, struct listen_sockets *, unsigned workers,
    const char *addresses);

#endif
