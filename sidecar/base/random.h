/*
 * Random numbers from the system, read ahead in small blocks, and a cheap
 * sequence for dice.
 */
#ifndef SALLYPORT_BASE_RANDOM_H
#define SALLYPORT_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills out with n (at most 256) bytes fit for identifiers and seeds. */
void random_bytes(void *out, size_t n);
uint64_t random_u64(void);

/*
 * The next number of a sequence that *state, of any value, begins
 * (splitmix64): it spreads well, and whoever sees some can tell the others.
 */
uint64_t random_next(uint64_t *state);

/* A UUID of version 4 (RFC 9562 section 5.4), not NUL-terminated. */
enum { RANDOM_UUID_LEN = 36 };
void random_uuid(char out[RANDOM_UUID_LEN]);

#endif
