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
 * A worker that dies is replaced. The sockets are closed when stopping
 * begins; addresses names them in the line that says all is ready. Returns
 * the exit status.
 */
int master_run(const struct worker *, unsigned workers, struct listen_sockets *,
    const char *addresses);

#endif
