/*
 * Operators of the client's TLS connection. It ends at the web server; of it
 * we know what that says in the parameters SSL_PROTOCOL, SSL_CIPHER,
 * SSL_SESSION_ID, SSL_TLS_SNI, SSL_CLIENT_CERT and SSL_SERVER_CERT.
 */
#include "config.h"

#include "base/clock.h"
#include "chain/command.h"
#include "chain/exchange.h"
#include "chain/timeformat.h"

static struct value
text_or_absent(struct str text)
{
	return text.len ? value_text(text) : value_absent();
}

/* ---- the connection ---- */

enum fact { TLS_VERSION, TLS_CIPHER, TLS_SESSION };

static struct value
get_fact(const struct op *op, const struct exchange *x)
{
	switch ((enum fact)op->option) {
	case TLS_VERSION:
		return text_or_absent(x->peer.tls_version);
	case TLS_CIPHER:
		return text_or_absent(x->peer.tls_cipher);
	case TLS_SESSION:
		return text_or_absent(
		    header_name_lower(x->arena, x->peer.tls_session));
	}
	return value_absent();
}

/* ---- certificates ---- */

/* Whose, and what of it. */
enum owner { CLIENT, SERVER };
enum part {
	SUBJECT,
	ISSUER,
	SERIAL,
	SHA256,
	SHA1,
	PEM,
	URIS,
	DNS,
	ADDRESSES,
	EMAILS,
	OTHERS,
	BEGINS,
	ENDS,
	PARTS,
};

static const struct certificate *
read_cert(const struct exchange *x, struct exchange_cert *c, struct str pem)
{
	if (!c->was_read)
		c->is_there = certificate_read(x->arena, pem, &c->cert);
	c->was_read = true;
	return c->is_there ? &c->cert : NULL;
}

static const struct certificate *
cert_of(const struct exchange *x, enum owner owner)
{
	struct exchange_certs *certs = x->peer.certs;

	if (!certs)
		return NULL;
	return owner == CLIENT
		   ? read_cert(x, &certs->client, x->peer.client_cert)
		   : read_cert(x, &certs->server, x->peer.server_cert);
}

static struct str
joined(struct arena *arena, const struct str *names, size_t n)
{
	struct str all = n ? names[0] : STR_NONE;

	for (size_t i = 1; i < n; i++)
		all = arena_printf(arena, STR_FMT "," STR_FMT, STR_ARG(all),
		    STR_ARG(names[i]));
	return all;
}

/* As Envoy encodes a PEM text. */
static struct str
url_encoded(struct arena *arena, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = arena_alloc(arena, 3 * s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!c || !strchr("\n +/=", c)) {
			out[n++] = c;
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[c >> 4];
		out[n++] = digits[c & 15];
	}
	return (struct str){ out, n };
}

static struct str
part_of(struct arena *arena, const struct certificate *c, enum part part)
{
	switch (part) {
	case SUBJECT:
		return c->subject;
	case ISSUER:
		return c->issuer;
	case SERIAL:
		return c->serial;
	case SHA256:
		return c->hash;
	case SHA1:
		return c->sha1;
	case PEM:
		return url_encoded(arena, c->pem);
	case URIS:
		return joined(arena, c->uris, c->n_uris);
	case DNS:
		return joined(arena, c->dns, c->n_dns);
	case ADDRESSES:
		return c->addresses;
	case EMAILS:
		return c->emails;
	case OTHERS:
		return c->others;
	case BEGINS:
	case ENDS:
	case PARTS:
		break;
	}
	return STR_NONE;
}

static struct value
get_part(const struct op *op, const struct exchange *x)
{
	const struct certificate *c =
	    cert_of(x, (enum owner)(op->option / PARTS));

	if (!c)
		return value_absent();
	return text_or_absent(
	    part_of(x->arena, c, (enum part)(op->option % PARTS)));
}

static struct value
get_time(const struct op *op, const struct exchange *x)
{
	const struct certificate *c =
	    cert_of(x, (enum owner)(op->option / PARTS));
	int64_t seconds;

	if (!c)
		return value_absent();
	seconds = op->option % PARTS == BEGINS ? c->begins : c->ends;
	if (seconds < 0 || seconds > INT64_MAX / NS_PER_S)
		return value_absent();
	return value_text(
	    timeformat_text(op->compiled, x->arena, seconds * NS_PER_S));
}

/* These take START_TIME's forms. */
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

static struct value
get_server_name(const struct op *op, const struct exchange *x)
{
	enum name_order order = (enum name_order)(op->option % HOST_SOURCE);
	enum host_source source = (enum host_source)(op->option / HOST_SOURCE);
	struct str name = STR_NONE;

	if (order == HOST_FIRST)
		name = host_name(x, source);
	if (!name.len)
		name = x->peer.tls_name;
	if (!name.len && order == SNI_FIRST)
		name = host_name(x, source);
	return name.len ? value_text(name) : value_absent();
}

#define BARE(name, get, option)                                                \
	{                                                                      \
		name, SYNTAX_BARE, get, NULL, option                           \
	}
#define PEER(name, part)                                                       \
	BARE("DOWNSTREAM_PEER_" name, get_part, CLIENT *PARTS + (part))
#define OWN(name, part)                                                        \
	BARE("DOWNSTREAM_LOCAL_" name, get_part, SERVER *PARTS + (part))

const struct command value_tls_commands[] = {
	BARE("DOWNSTREAM_TLS_VERSION", get_fact, TLS_VERSION),
	BARE("DOWNSTREAM_TLS_CIPHER", get_fact, TLS_CIPHER),
	BARE("DOWNSTREAM_TLS_SESSION_ID", get_fact, TLS_SESSION),
	PEER("SUBJECT", SUBJECT),
	PEER("ISSUER", ISSUER),
	PEER("SERIAL", SERIAL),
	PEER("FINGERPRINT_256", SHA256),
	PEER("FINGERPRINT_1", SHA1),
	PEER("CERT", PEM),
	PEER("URI_SAN", URIS),
	PEER("DNS_SAN", DNS),
	PEER("IP_SAN", ADDRESSES),
	PEER("EMAIL_SAN", EMAILS),
	PEER("OTHERNAME_SAN", OTHERS),
	OWN("SUBJECT", SUBJECT),
	OWN("URI_SAN", URIS),
	OWN("DNS_SAN", DNS),
	OWN("IP_SAN", ADDRESSES),
	OWN("EMAIL_SAN", EMAILS),
	OWN("OTHERNAME_SAN", OTHERS),
	{ "DOWNSTREAM_PEER_CERT_V_START", SYNTAX_OPTIONAL, get_time, build_time,
	    BEGINS },
	{ "DOWNSTREAM_PEER_CERT_V_END", SYNTAX_OPTIONAL, get_time, build_time,
	    ENDS },
	{ "UPSTREAM_PEER_CERT_V_START", SYNTAX_OPTIONAL, NULL, build_time, 0 },
	{ "UPSTREAM_PEER_CERT_V_END", SYNTAX_OPTIONAL, NULL, build_time, 0 },
	{ "REQUESTED_SERVER_NAME", SYNTAX_OPTIONAL, get_server_name,
	    build_server_name, 0 },
	/* Web servers do not tell. */
	BARE("DOWNSTREAM_TLS_GROUP", NULL, 0),
	BARE("DOWNSTREAM_PEER_ISSUER_SERIAL", NULL, 0),
	BARE("DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256", NULL, 0),
	BARE("DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256", NULL, 0),
	BARE("DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1", NULL, 0),
	BARE("DOWNSTREAM_PEER_CHAIN_SERIALS", NULL, 0),
	BARE("TLS_JA3_FINGERPRINT", NULL, 0),
	BARE("TLS_JA4_FINGERPRINT", NULL, 0),
	{ NULL, SYNTAX_BARE, NULL, NULL, 0 },
};
