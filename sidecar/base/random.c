/* A block of getrandom(2) bytes per process, forgotten over fork. */
#include "config.h"

#include <sys/random.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"

static struct {
	unsigned char bytes[256];
	size_t left;
	bool watches_fork;
} pool;

static void
forget(void)
{
	pool.left = 0;
}

static void
refill(void)
{
	size_t n = 0;
	ssize_t got;

	if (!pool.watches_fork)
		pool.watches_fork = !pthread_atfork(NULL, NULL, forget);
	while (n < sizeof(pool.bytes)) {
		got = getrandom(pool.bytes + n, sizeof(pool.bytes) - n, 0);
		if (got < 0 && errno != EINTR) {
			log_error("getrandom: error %d", errno);
			abort();
		}
		if (got > 0)
			n += (size_t)got;
	}
	pool.left = sizeof(pool.bytes);
}

void
random_bytes(void *out, size_t n)
{
	if (n > sizeof(pool.bytes))
		abort();
	if (pool.left < n)
		refill();
	pool.left -= n;
	memcpy(out, pool.bytes + pool.left, n);
	memset(pool.bytes + pool.left, 0, n);
}

uint64_t
random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void
random_uuid(char out[RANDOM_UUID_LEN])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char b[16];

	random_bytes(b, sizeof(b));
	b[6] = (unsigned char)(0x40 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex[b[i] >> 4];
		*out++ = hex[b[i] & 15];
	}
}
