/* Random numbers from the system, read ahead in small blocks. */
#ifndef SALLYPORT_BASE_RANDOM_H
#define SALLYPORT_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills out with n (at most 256) bytes fit for identifiers and seeds. */
void random_bytes(void *out, size_t n);
uint64_t random_u64(void);

/* A UUID of version 4 (RFC 9562 section 5.4), not NUL-terminated. */
enum { RANDOM_UUID_LEN = 36 };
void random_uuid(char out[RANDOM_UUID_LEN]);

#endif
