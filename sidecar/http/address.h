/* IP addresses and ranges of them, as texts of configurations and headers. */
#ifndef SALLYPORT_HTTP_ADDRESS_H
#define SALLYPORT_HTTP_ADDRESS_H

#include "base/arena.h"

struct address {
	int family; /* AF_INET or AF_INET6 */
	unsigned char bytes[16]; /* in network order; 4 are used of AF_INET */
};

/* A network: the addresses that agree with base in their first len bits. */
struct address_range {
	struct address base;
	unsigned len;
};

/* Reads a bare address, without port, brackets or zone; false for anything else. */
bool address_read(struct str, struct address *out);

/* The canonical text (RFC 5952). */
struct str address_text(struct arena *, const struct address *);

/* Makes a range, of at most all bits; false if base is no address. */
bool address_range_read(
    struct str base, unsigned len, struct address_range *out);

/* An address is in no range of the other family, however it is written. */
bool address_is_in(const struct address *, const struct address_range *);

/* Whether it is 127.0.0.1 or ::1, no other. */
bool address_is_localhost(const struct address *);

/*
 * This machine's own address: the first of IPv4 that is not a loopback one,
 * else 127.0.0.1.
 */
struct address address_of_machine(void);

#endif
