/* Operators of the client's connection: addresses, ports, the listener. */
#include "config.h"

#include <arpa/inet.h>

#include <stdlib.h>

#include "chain/command.h"
#include "chain/exchange.h"

enum side { REMOTE, DIRECT_REMOTE, LOCAL };

/* An address and its port, as texts. */
struct endpoint {
	struct str address, port;
};

static struct endpoint
endpoint_of(enum side side, const struct exchange *x)
{
	const struct exchange_peer *p = &x->peer;

	switch (side) {
	case REMOTE:
		return (struct endpoint){ x->client_address, x->client_port };
	case DIRECT_REMOTE:
		return (struct endpoint){ p->address, p->port };
	case LOCAL:
		return (struct endpoint){ p->local_address, p->local_port };
	}
	return (struct endpoint){ STR_NONE, STR_NONE };
}

/* "127.0.0.1:80", "[::1]:80" */
static struct str
joined(struct arena *arena, struct endpoint e)
{
	bool v6 = str_find_char(e.address, ':', 0) < e.address.len;
	struct str port = e.port.len ? e.port : STR("0");
	char *text = arena_alloc(arena, e.address.len + port.len + 4);
	char *at = text;

	if (v6)
		*at++ = '[';
	at = mempcpy(at, e.address.ptr, e.address.len);
	if (v6)
		*at++ = ']';
	*at++ = ':';
	at = mempcpy(at, port.ptr, port.len);
	return (struct str){ text, (size_t)(at - text) };
}

static struct value
get_endpoint(const struct op *op, const struct exchange *x)
{
	struct endpoint e = endpoint_of((enum side)op->option, x);

	return e.address.len ? value_text(joined(x->arena, e)) : value_absent();
}

static struct value
get_port(const struct op *op, const struct exchange *x)
{
	struct endpoint e = endpoint_of((enum side)op->option, x);
	uint64_t port = 0;

	if (!e.address.len)
		return value_absent();
	(void)!str_to_u64(e.port, &port);
	return value_number((int64_t)port);
}

/* "(24)" makes a network of the address; what is no number does nothing. */
const char *
value_build_mask(struct arena *arena, struct op *op)
{
	uint64_t bits;
	unsigned *mask;

	if (!str_to_u64(op->argument, &bits))
		return NULL;
	mask = ARENA_NEW(arena, unsigned);
	*mask = bits < 128 ? (unsigned)bits : 128;
	op->compiled = mask;
	return NULL;
}

struct str
value_mask(struct arena *arena, const struct op *op, struct str address)
{
	const unsigned *mask = op->compiled;
	bool v6 = str_find_char(address, ':', 0) < address.len;
	unsigned bits, size = v6 ? 128 : 32;
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (!mask || inet_pton(v6 ? AF_INET6 : AF_INET,
			 arena_cstr(arena, address), bytes) != 1)
		return address;
	bits = *mask < size ? *mask : size;
	for (unsigned i = bits; i < size; i++)
		bytes[i / 8] &= (unsigned char)~(0x80 >> i % 8);
	if (!inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text)))
		return address;
	return arena_printf(arena, "%s/%u", text, bits);
}

static struct value
get_address(const struct op *op, const struct exchange *x)
{
	struct endpoint e = endpoint_of((enum side)op->option, x);

	return e.address.len ? value_text(value_mask(x->arena, op, e.address))
			     : value_absent();
}

static struct value
get_listener(const struct op *op, const struct exchange *x)
{
	(void)op;
	return x->gateway->listener->name.len
		   ? value_text(x->gateway->listener->name)
		   : value_absent();
}

static struct value
get_filter_chain(const struct op *op, const struct exchange *x)
{
	const struct conf_filter_chain *chain =
	    &x->gateway->listener->filter_chains.items[0];

	(void)op;
	return chain->name.len ? value_text(chain->name) : value_absent();
}

/* Connections are the web server's, which does not number them for us. */
static struct value
get_connection_id(const struct op *op, const struct exchange *x)
{
	(void)op;
	(void)x;
	return value_number(0);
}

static struct value
get_endpoint_id(const struct op *op, const struct exchange *x)
{
	(void)op;
	(void)x;
	return value_text(STR(""));
}

#define ADDRESS(name, side)                                                    \
	{ name "_ADDRESS", SYNTAX_BARE, get_endpoint, NULL, side },            \
	    { name "_ADDRESS_WITHOUT_PORT", SYNTAX_OPTIONAL, get_address,      \
		    value_build_mask, side },                                  \
	{                                                                      \
		name "_PORT", SYNTAX_BARE, get_port, NULL, side                \
	}

const struct command value_address_commands[] = {
	ADDRESS("DOWNSTREAM_REMOTE", REMOTE),
	ADDRESS("DOWNSTREAM_DIRECT_REMOTE", DIRECT_REMOTE),
	ADDRESS("DOWNSTREAM_LOCAL", LOCAL),
	ADDRESS("DOWNSTREAM_DIRECT_LOCAL", LOCAL),
	{ "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID", SYNTAX_BARE, get_endpoint_id,
	    NULL, 0 },
	{ "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID", SYNTAX_BARE,
	    get_endpoint_id, NULL, 0 },
	{ "CONNECTION_ID", SYNTAX_BARE, get_connection_id, NULL, 0 },
	{ "LISTENER_NAME", SYNTAX_BARE, get_listener, NULL, 0 },
	{ "FILTER_CHAIN_NAME", SYNTAX_BARE, get_filter_chain, NULL, 0 },
	{ NULL, SYNTAX_BARE, NULL, NULL, 0 },
};
