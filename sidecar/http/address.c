/* Addresses by way of inet_pton, which takes no shortened forms. */
#include "config.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <ifaddrs.h>

#include "http/address.h"

bool
address_read(struct str s, struct address *out)
{
	char text[INET6_ADDRSTRLEN];

	if (s.len == 0 || s.len >= sizeof(text) ||
	    str_find_char(s, '\0', 0) < s.len)
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	*out = (struct address){ .family = AF_INET };
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		return true;
	out->family = AF_INET6;
	return inet_pton(AF_INET6, text, out->bytes) == 1;
}

struct str
address_text(struct arena *arena, const struct address *a)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(a->family, a->bytes, text, sizeof(text)))
		return STR_NONE;
	return arena_str(arena, str_of(text));
}

bool
address_range_read(struct str base, unsigned len, struct address_range *out)
{
	unsigned max;

	if (!address_read(base, &out->base))
		return false;
	max = out->base.family == AF_INET ? 32 : 128;
	out->len = len < max ? len : max;
	return true;
}

bool
address_is_in(const struct address *a, const struct address_range *range)
{
	unsigned whole = range->len / 8, rest = range->len % 8;
	unsigned mask = 0xff00U >> rest & 0xff;

	if (a->family != range->base.family ||
	    memcmp(a->bytes, range->base.bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       ((a->bytes[whole] ^ range->base.bytes[whole]) & mask) == 0;
}

bool
address_is_localhost(const struct address *a)
{
	static const unsigned char v4[4] = { 127, 0, 0, 1 };

	if (a->family == AF_INET)
		return memcmp(a->bytes, v4, sizeof(v4)) == 0;
	return memcmp(a->bytes, &in6addr_loopback, 16) == 0;
}

static bool
is_own(const struct sockaddr *sa, struct address *out)
{
	struct sockaddr_in in;

	if (!sa || sa->sa_family != AF_INET)
		return false;
	memcpy(&in, sa, sizeof(in));
	*out = (struct address){ .family = AF_INET };
	memcpy(out->bytes, &in.sin_addr, 4);
	return out->bytes[0] != 127;
}

struct address
address_of_machine(void)
{
	struct address found = { AF_INET, { 127, 0, 0, 1 } }, one;
	struct ifaddrs *all;

	if (getifaddrs(&all))
		return found;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!is_own(i->ifa_addr, &one))
			continue;
		found = one;
		break;
	}
	freeifaddrs(all);
	return found;
}
