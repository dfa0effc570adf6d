/*
 * Gauges: how much of something is going on now, in all processes together.
 * Each process has a word of its own, so what a dead one has left is not counted
 * once it is off the list of processes.
 */
#ifndef SALLYPORT_STATE_GAUGE_H
#define SALLYPORT_STATE_GAUGE_H

#include "state/file.h"

/* Finds or claims the gauge of that name (at most 119 bytes); -1 if there is no room. */
int gauge_find(struct state *, struct str name);

/* Adds to this process's part; nothing for id -1 or before state_join. */
void gauge_add(struct state *, int id, int64_t by);

/* The sum over all processes, 0 for id -1. */
int64_t gauge_get(struct state *, int id);

/* Calls each(arg, name, value) for every gauge; name lives during the call. */
void gauge_each(struct state *,
    void (*each)(void *arg, struct str name, uint64_t value), void *arg);

#endif
