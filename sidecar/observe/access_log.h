/*
 * Access logs: lines rendered when an exchange ends, collected, and written with one write() per
 * turn of the loop, in append mode so that processes do not tear each
 * other's lines.
 */
#ifndef SALLYPORT_OBSERVE_ACCESS_LOG_H
#define SALLYPORT_OBSERVE_ACCESS_LOG_H

#include "base/loop.h"
#include "chain/exchange.h"

struct access_log;

/*
 * Compiles the logs of the HttpConnectionManager. override, if not NULL,
 * replaces the path of file logs ("-" is stdout). Opens nothing yet.
 */
struct access_log *access_log_build(struct arena *, const struct gateway *,
    const char *override, struct diag *);

/* Opens the files; ERR_SYSTEM with the reason logged. */
enum err access_log_open(struct access_log *, struct loop *) CHECKED;

/* Opens the files anew (SIGUSR1), after writing what is collected. */
void access_log_reopen(struct access_log *);

/* Adds the line of an ended exchange. */
void access_log_write(struct access_log *, struct exchange *);

/* Writes what is collected; at the end of the process. */
void access_log_flush(struct access_log *);

#endif
