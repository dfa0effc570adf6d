/*
 * Counters in the state file, found by Envoy's stat name and summed over all
 * processes because they all add to the same word.
 */
#ifndef SALLYPORT_STATE_COUNTER_H
#define SALLYPORT_STATE_COUNTER_H

#include "state/file.h"

/* Finds or claims the counter of that name (at most 119 bytes); -1 if there is no room. */
int counter_find(struct state *, struct str name);

/* Adds to it; id -1 does nothing. */
void counter_add(struct state *, int id, uint64_t by);
uint64_t counter_get(struct state *, int id);

/* Calls each(arg, name, value) for every counter; name lives during the call. */
void counter_each(struct state *,
    void (*each)(void *arg, struct str name, uint64_t value), void *arg);

#endif
