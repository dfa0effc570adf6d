/* The rate limit actions, one entry each. */
#include "config.h"

#include <arpa/inet.h>

#include "chain/descriptor.h"

/* The network of an address, as "10.0.0.0/24"; absent for what is no address. */
static struct str
masked_address(struct exchange *x, const struct conf_masked_remote_address *m)
{
	struct str address = host_attribute(x, HOST_CLIENT_ADDRESS);
	char text[INET6_ADDRSTRLEN];
	unsigned char ip[16];
	uint32_t bits = m->v4_prefix_mask_len;
	int family = AF_INET;

	if (!address.ptr || address.len >= sizeof(text))
		return STR_NONE;
	memcpy(text, address.ptr, address.len);
	text[address.len] = '\0';
	if (inet_pton(AF_INET, text, ip) != 1) {
		family = AF_INET6;
		bits = m->v6_prefix_mask_len;
		if (inet_pton(AF_INET6, text, ip) != 1)
			return STR_NONE;
	}
	for (uint32_t bit = bits; bit < (family == AF_INET ? 32 : 128); bit++)
		ip[bit / 8] &= (unsigned char)~(0x80U >> bit % 8);
	if (!inet_ntop(family, ip, text, sizeof(text)))
		return STR_NONE;
	return arena_printf(host_arena(x), "%s/%u", text, (unsigned)bits);
}

/* Whether the action leaves a descriptor; it may do so without an entry. */
static bool
run_action(struct exchange *x, const struct conf_rate_limit_action *a,
    struct descriptor *d)
{
	struct descriptor_entry e = { STR_NONE, STR_NONE };

	if (a->generic_key) {
		e.key = a->generic_key->descriptor_key;
		e.value = a->generic_key->descriptor_value;
	} else if (a->remote_address) {
		e.key = STR("remote_address");
		e.value = host_attribute(x, HOST_CLIENT_ADDRESS);
	} else if (a->masked_remote_address) {
		e.key = STR("masked_remote_address");
		e.value = masked_address(x, a->masked_remote_address);
	} else if (a->request_headers) {
		e.key = a->request_headers->descriptor_key;
		e.value = host_header(x, HOST_REQUEST,
		    header_name_lower(
			host_arena(x), a->request_headers->header_name),
		    0);
		if (!e.value.ptr && a->request_headers->skip_if_absent)
			return true;
	} else if (a->destination_cluster) {
		e.key = STR("destination_cluster");
		e.value = host_attribute(x, HOST_CLUSTER_NAME);
	}
	if (!e.value.ptr || d->n == DESCRIPTOR_ENTRIES_MAX)
		return false;
	e.value = host_keep(x, e.value);
	d->entries[d->n++] = e;
	return true;
}

bool
descriptor_make(struct exchange *x, const struct conf_rate_limit *limit,
    struct descriptor *d)
{
	d->n = 0;
	for (size_t i = 0; i < limit->actions.n; i++)
		if (!run_action(x, &limit->actions.items[i], d))
			return false;
	return d->n > 0;
}

struct str
descriptor_key(struct exchange *x, const struct descriptor *d)
{
	struct str key = STR("");

	for (size_t i = 0; i < d->n; i++)
		key = arena_printf(host_arena(x),
		    STR_FMT "%zu:" STR_FMT "%zu:" STR_FMT, STR_ARG(key),
		    d->entries[i].key.len, STR_ARG(d->entries[i].key),
		    d->entries[i].value.len, STR_ARG(d->entries[i].value));
	return key;
}
