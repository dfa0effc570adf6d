/*
 * The master: owns the sockets and the signals, keeps N workers running.
 */
#ifndef SALLYPORT_FRONT_MASTER_H
#define SALLYPORT_FRONT_MASTER_H

#include "front/worker.h"

enum { WORKERS_MAX = 256 };

/*
 * Runs until SIGTERM or SIGINT, which workers are given 35 seconds to obey.
 * A worker that dies is replaced. addresses is for the line that says it is ready.
 * Returns the exit status.
 */
int master_run(const struct worker *, unsigned workers, const char *addresses);

#endif
