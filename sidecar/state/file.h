/*
 * The state file: a small memory-mapped file that all processes of a gateway
 * share, whoever started them. It holds what must outlive one process:
 * limits, breakers, counters and the list of live processes. Everything in
 * it is fixed-width words moved by atomic operations; there are no pointers
 * and no locks, so a process killed at any instruction leaves nothing to
 * repair.
 */
#ifndef SALLYPORT_STATE_FILE_H
#define SALLYPORT_STATE_FILE_H

#include <sys/types.h>

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct state;

/*
 * Opens or creates the file at path and maps it. A new file is filled under
 * another name, its blocks allocated, and then linked into place, so that a
 * full disk is an error here. A truncated, foreign or corrupt file is moved
 * aside (path.bad) with a log line. Times of another boot are forgotten. Returns
 * ERR_SYSTEM with errno, already logged.
 */
enum err state_open(const char *path, struct state **out) CHECKED;

/* The same layout in private memory shared with children of fork() only. */
struct state *state_private(void);

/* Takes the mapping away; what is in the file stays. NULL is allowed. */
void state_close(struct state *);

/*
 * Puts this process on the list of live ones (pid, start time, boot clock
 * now); dead ones are reaped. The entry ends with state_leave or the process.
 */
void state_join(struct state *);
void state_leave(struct state *);

/*
 * Takes dead processes off the list, and back what they held; true if there
 * were any. It reads /proc: for when something is used up.
 */
bool state_reap(struct state *);

/* Boot clock in ns when the longest living process of the list joined; now without one. */
int64_t state_started_ns(struct state *);

/* Calls each(arg, pid, joined_ns) for every live process. */
void state_processes(struct state *,
    void (*each)(void *arg, pid_t pid, int64_t joined_ns), void *arg);

#endif
