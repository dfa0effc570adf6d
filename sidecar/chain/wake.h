/*
 * Waking those who wait. A wake names a slot and a generation, never a
 * pointer, and is carried out by the loop: one that comes twice, or for
 * somebody who is gone, does nothing, and nobody is called back from within
 * his own call.
 */
#ifndef SALLYPORT_CHAIN_WAKE_H
#define SALLYPORT_CHAIN_WAKE_H

#include <stdint.h>

#include "base/loop.h"

struct wakes; /* one per worker */

/* All zero: nobody. */
struct wake {
	uint32_t slot;
	uint32_t generation;
};

/* Those of one worker; the loop must outlive them. */
struct wakes *wakes_new(struct loop *);
void wakes_free(struct wakes *);

/* From now on fn(arg) is called for wakes of this name, until wakes_leave. */
struct wake wakes_join(struct wakes *, void (*fn)(void *arg), void *arg);
void wakes_leave(struct wakes *, struct wake);

/* Wakes at the end of this turn, or at a time of the boot clock (the last one set). */
void wakes_post(struct wakes *, struct wake);
void wakes_at(struct wakes *, struct wake, int64_t boot_ns);

#endif
