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

/* Adds the lines of an exchange that begins, goes on or has ended. */
void access_log_write(struct access_log *, struct exchange *, enum log_type);

/* After how long a request gets another line, in nanoseconds; 0: never. */
int64_t access_log_interval_ns(const struct access_log *);

/* Writes what is collected. */
void access_log_flush(struct access_log *);

/* The same for the last time; the loop is left. */
void access_log_close(struct access_log *);

#endif
