/*
 * Operators of the client's TLS connection. It ends at the web server; of it
 * we know what the server says in parameters.
 */
#include "config.h"

#include "chain/command.h"
#include "chain/exchange.h"

#define BARE(name, get, option)                                                \
	{                                                                      \
		name, SYNTAX_BARE, get, NULL, option                           \
	}

const struct command value_tls_commands[] = {
	BARE("DOWNSTREAM_TLS_VERSION", NULL, 0),
	{ NULL, SYNTAX_BARE, NULL, NULL, 0 },
};
