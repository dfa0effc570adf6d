/*
 * Operators of the client's TLS connection. It ends at the web server; of it
 * we know what the server says in parameters.
 */
#include "config.h"

#include "chain/command.h"
#include "chain/exchange.h"
#include "chain/timeformat.h"

/* The times of certificates take START_TIME's forms. */
static const char *
build_time(struct arena *arena, struct op *op)
{
	op->compiled = timeformat_build(arena, op->argument, TIMEZONE_UTC);
	return op->compiled ? NULL
			    : "Invalid header configuration. Format string "
			      "contains newline.";
}

/* ---- the name that was asked for ---- */

enum name_order { SNI_ONLY, SNI_FIRST, HOST_FIRST };
enum host_source { ORIGINAL_OR_HOST, HOST, ORIGINAL };
enum { HOST_SOURCE = 4 }; /* times the source, besides the order */

static const char *
build_server_name(struct arena *arena, struct op *op)
{
	static const struct str orders[] = { [SNI_ONLY] = STR_INIT("SNI_ONLY"),
		[SNI_FIRST] = STR_INIT("SNI_FIRST"),
		[HOST_FIRST] = STR_INIT("HOST_FIRST") };
	static const struct str sources[] = { [ORIGINAL_OR_HOST] =
						  STR_INIT("ORIG_OR_HOST"),
		[HOST] = STR_INIT("HOST"),
		[ORIGINAL] = STR_INIT("ORIG") };
	struct str rest = op->argument, order = STR(""), source = STR("");
	int at = 0, from = 0;

	if (rest.ptr)
		order = str_split(&rest, ':');
	if (rest.ptr)
		source = str_split(&rest, ':');
	while (order.len && at < 3 && !str_eq(orders[at], order))
		at++;
	while (source.len && from < 3 && !str_eq(sources[from], source))
		from++;
	if (at == 3)
		return arena_printf(arena,
		    "Invalid REQUESTED_SERVER_NAME option: '" STR_FMT
		    "', only 'SNI_ONLY'/'SNI_FIRST'/'HOST_FIRST' are allowed",
		    STR_ARG(order))
		    .ptr;
	if (from == 3)
		return arena_printf(arena,
		    "Invalid REQUESTED_SERVER_NAME option: '" STR_FMT
		    "', only 'ORIG_OR_HOST'/'HOST'/'ORIG' are allowed",
		    STR_ARG(source))
		    .ptr;
	op->option = at + HOST_SOURCE * from;
	return NULL;
}

static struct str
host_name(const struct exchange *x, enum host_source source)
{
	struct str name = STR_NONE;

	if (source != HOST)
		name = headers_get(&x->request, STR("x-envoy-original-host"));
	if (!name.len && source != ORIGINAL)
		name = headers_get(&x->request, STR(":authority"));
	return name;
}

/* The name in the TLS handshake is the web server's; the host is ours. */
static struct value
get_server_name(const struct op *op, const struct exchange *x)
{
	enum name_order order = (enum name_order)(op->option % HOST_SOURCE);
	enum host_source source = (enum host_source)(op->option / HOST_SOURCE);
	struct str name = STR_NONE;

	if (order != SNI_ONLY)
		name = host_name(x, source);
	return name.len ? value_text(name) : value_absent();
}

#define BARE(name, get, option)                                                \
	{                                                                      \
		name, SYNTAX_BARE, get, NULL, option                           \
	}

const struct command value_tls_commands[] = {
	BARE("DOWNSTREAM_TLS_VERSION", NULL, 0),
	BARE("DOWNSTREAM_TLS_CIPHER", NULL, 0),
	BARE("DOWNSTREAM_TLS_SESSION_ID", NULL, 0),
	BARE("DOWNSTREAM_TLS_GROUP", NULL, 0),
	BARE("DOWNSTREAM_PEER_SUBJECT", NULL, 0),
	BARE("DOWNSTREAM_PEER_ISSUER", NULL, 0),
	BARE("DOWNSTREAM_PEER_SERIAL", NULL, 0),
	BARE("DOWNSTREAM_PEER_FINGERPRINT_256", NULL, 0),
	BARE("DOWNSTREAM_PEER_FINGERPRINT_1", NULL, 0),
	BARE("DOWNSTREAM_PEER_CERT", NULL, 0),
	BARE("DOWNSTREAM_PEER_URI_SAN", NULL, 0),
	BARE("DOWNSTREAM_PEER_DNS_SAN", NULL, 0),
	BARE("DOWNSTREAM_PEER_IP_SAN", NULL, 0),
	BARE("DOWNSTREAM_PEER_EMAIL_SAN", NULL, 0),
	BARE("DOWNSTREAM_PEER_OTHERNAME_SAN", NULL, 0),
	BARE("DOWNSTREAM_PEER_ISSUER_SERIAL", NULL, 0),
	BARE("DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256", NULL, 0),
	BARE("DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256", NULL, 0),
	BARE("DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1", NULL, 0),
	BARE("DOWNSTREAM_PEER_CHAIN_SERIALS", NULL, 0),
	BARE("DOWNSTREAM_LOCAL_SUBJECT", NULL, 0),
	BARE("DOWNSTREAM_LOCAL_URI_SAN", NULL, 0),
	BARE("DOWNSTREAM_LOCAL_DNS_SAN", NULL, 0),
	BARE("DOWNSTREAM_LOCAL_IP_SAN", NULL, 0),
	BARE("DOWNSTREAM_LOCAL_EMAIL_SAN", NULL, 0),
	BARE("DOWNSTREAM_LOCAL_OTHERNAME_SAN", NULL, 0),
	BARE("TLS_JA3_FINGERPRINT", NULL, 0),
	BARE("TLS_JA4_FINGERPRINT", NULL, 0),
	{ "DOWNSTREAM_PEER_CERT_V_START", SYNTAX_OPTIONAL, NULL, build_time,
	    0 },
	{ "DOWNSTREAM_PEER_CERT_V_END", SYNTAX_OPTIONAL, NULL, build_time, 0 },
	{ "UPSTREAM_PEER_CERT_V_START", SYNTAX_OPTIONAL, NULL, build_time, 0 },
	{ "UPSTREAM_PEER_CERT_V_END", SYNTAX_OPTIONAL, NULL, build_time, 0 },
	{ "REQUESTED_SERVER_NAME", SYNTAX_OPTIONAL, get_server_name,
	    build_server_name, 0 },
	{ NULL, SYNTAX_BARE, NULL, NULL, 0 },
};
