/*
 * Quotas: how much of something is under way in all processes together, and
 * never more of it than is allowed. Each process has a share; what a dead
 * one holds is taken back by state_join and state_reap.
 */
#ifndef SALLYPORT_STATE_QUOTA_H
#define SALLYPORT_STATE_QUOTA_H

#include "state/file.h"

/* Counted up to here; a higher limit is none. */
enum { QUOTA_MAX = (1 << 20) - 1 };

/*
 * Finds or claims the quota of that name (at most 119 bytes); -1 if there is
 * no room, or this process is not on the list (state_join).
 */
int quota_find(struct state *, struct str name);

/* Takes one unless max of them are taken; false for id -1. */
bool quota_take(struct state *, int id, uint32_t max);

/* Takes one in any case. */
void quota_force(struct state *, int id);

/* Gives one back; nothing if this process holds none. */
void quota_give(struct state *, int id);

/* How many are taken; 0 for id -1. */
uint32_t quota_taken(struct state *, int id);

/* Calls each(arg, name, taken) for every quota; name lives during the call. */
void quota_each(struct state *,
    void (*each)(void *arg, struct str name, uint64_t taken), void *arg);

#endif
