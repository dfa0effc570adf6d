/*
 * The event loop of one process: descriptors on epoll, timers, and work put
 * off to the end of the turn. Callbacks run from loop_run only, never inside
 * another call to this header, so nobody is called back while it calls. The
 * structs are embedded in their owners; the loop never frees them.
 */
#ifndef SALLYPORT_BASE_LOOP_H
#define SALLYPORT_BASE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct loop;

/* NULL if the system gives no epoll descriptor. */
struct loop *loop_new(void);
void loop_free(struct loop *);

/* Turns until loop_stop; the clocks are read once a turn. */
void loop_run(struct loop *);
void loop_stop(struct loop *);

/*
 * A descriptor. events are EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLEXCLUSIVE,
 * level-triggered. After watch_stop the callback does not run any more, not even for events of the
 * turn under way. The descriptor stays the owner's.
 */
struct watch {
	int fd;
	uint32_t events;
	bool active;
	void (*fn)(void *arg, uint32_t events);
	void *arg;
};
enum err watch_start(struct loop *, struct watch *, int fd, uint32_t events,
    void (*fn)(void *arg, uint32_t events), void *arg) CHECKED;
enum err watch_change(struct loop *, struct watch *, uint32_t events) CHECKED;
void watch_stop(struct loop *, struct watch *);

/* A timer, set once or set anew; delay from the turn's clock reading. */
struct timer {
	int64_t at_ns;
	size_t slot; /* place in the loop's heap, from 1; 0: not set */
	void (*fn)(void *arg);
	void *arg;
};
void timer_set(struct loop *, struct timer *, int64_t delay_ns,
    void (*fn)(void *arg), void *arg);
void timer_clear(struct loop *, struct timer *);

/*
 * Work at the end of this turn; deferring it twice runs it once. Work that
 * defers work goes on for a while, and then in the next turn.
 */
struct task {
	struct task *next, **prev; /* prev: NULL when not deferred */
	void (*fn)(void *arg);
	void *arg;
};
void task_defer(struct loop *, struct task *, void (*fn)(void *arg), void *arg);
void task_clear(struct loop *, struct task *);

#endif
