/*
 * Time. The loop reads the clocks once a turn (clock_update); everybody else
 * gets that reading. Tests set their own.
 */
#ifndef SALLYPORT_BASE_CLOCK_H
#define SALLYPORT_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

/* Reads the clocks anew; does nothing after clock_set. */
void clock_update(void);

/* CLOCK_BOOTTIME in nanoseconds: for durations, timers and shared state. */
int64_t clock_boot_ns(void);

/* Time since 1970 in nanoseconds: for logs, tokens and dates. */
int64_t clock_wall_ns(void);

/* CLOCK_BOOTTIME at this very moment, not the turn's reading. */
int64_t clock_boot_now_ns(void);

/* The same of the time since 1970. */
int64_t clock_wall_now_ns(void);

/* Stops the clocks at these readings, for tests. */
void clock_set(int64_t boot_ns, int64_t wall_ns);

#endif
