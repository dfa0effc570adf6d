/*
 * Times as text, by strftime's conversions and those that Envoy adds: %f for
 * nanoseconds, %1f to %9f for so many digits of the fraction, %s, and of
 * Abseil's %E*S, %E3S, %E*f, %E3f, %Ez, %E4Y and %ET.
 */
#ifndef SALLYPORT_CHAIN_TIMEFORMAT_H
#define SALLYPORT_CHAIN_TIMEFORMAT_H

#include "base/arena.h"

struct timeformat;

enum timezone_kind { TIMEZONE_UTC, TIMEZONE_LOCAL };

/* Compiles; an empty text is ISO 8601 with milliseconds. NULL if it has a newline. */
const struct timeformat *timeformat_build(
    struct arena *, struct str text, enum timezone_kind);

/* The text of a time since 1970 in nanoseconds. */
struct str timeformat_text(
    const struct timeformat *, struct arena *, int64_t wall_ns);

#endif
