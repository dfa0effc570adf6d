/* Operators of the route, the cluster and the connection to the backend. */
#include "config.h"

#include "chain/command.h"
#include "chain/exchange.h"
#include "chain/route.h"

static struct value
text_or_absent(struct str text)
{
	return text.len ? value_text(text) : value_absent();
}

static struct value
get_route(const struct op *op, const struct exchange *x)
{
	(void)op;
	return text_or_absent(x->route ? x->route->name : STR_NONE);
}

static struct value
get_route_count(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_number((int64_t)x->reroutes);
}

/* A search takes less than a microsecond or a few. */
static struct value
get_route_time(const struct op *op, const struct exchange *x)
{
	(void)op;
	return x->reroutes ? value_number(0) : value_absent();
}

/* Statistics and logs may know a cluster by another name. */
enum cluster_name { OBSERVED, CONFIGURED };

static struct value
get_cluster(const struct op *op, const struct exchange *x)
{
	if (!x->cluster)
		return value_absent();
	return text_or_absent(
	    op->option == OBSERVED && x->cluster->alt_stat_name.len
		? x->cluster->alt_stat_name
		: x->cluster->name);
}

static struct value
get_host(const struct op *op, const struct exchange *x)
{
	(void)op;
	return text_or_absent(x->upstream_host);
}

static struct value
get_attempts(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_number((int64_t)x->attempts);
}

/* ---- addresses ---- */

/* "127.0.0.1:80" and "[::1]:80" in two; a socket's path has no port. */
static struct str
split_port(struct str s, struct str *port)
{
	size_t at = s.len;

	*port = STR_NONE;
	if (!s.len || s.ptr[0] == '/' || s.ptr[0] == '@')
		return s;
	while (at && s.ptr[at - 1] != ':')
		at--;
	if (!at)
		return s;
	*port = str_slice(s, at, s.len);
	s = str_slice(s, 0, at - 1);
	if (s.len > 1 && s.ptr[0] == '[')
		s = str_slice(s, 1, s.len - 1);
	return s;
}

enum end { REMOTE, LOCAL };

static struct str
end_of(const struct op *op, const struct exchange *x)
{
	return op->option == REMOTE ? x->upstream.remote_address
				    : x->upstream.local_address;
}

static struct value
get_endpoint(const struct op *op, const struct exchange *x)
{
	return text_or_absent(end_of(op, x));
}

static struct value
get_address(const struct op *op, const struct exchange *x)
{
	struct str port, address = split_port(end_of(op, x), &port);

	return address.len ? value_text(value_mask(x->arena, op, address))
			   : value_absent();
}

static struct value
get_port(const struct op *op, const struct exchange *x)
{
	struct str port, address = split_port(end_of(op, x), &port);
	uint64_t number;

	return address.len && str_to_u64(port, &number)
		   ? value_number((int64_t)number)
		   : value_absent();
}

/* The name of an endpoint that has one, else its address. */
static struct value
get_name(const struct op *op, const struct exchange *x)
{
	(void)op;
	return text_or_absent(
	    x->upstream.hostname.len ? x->upstream.hostname : x->upstream_host);
}

static struct value
get_name_without_port(const struct op *op, const struct exchange *x)
{
	struct value name = get_name(op, x);
	size_t at = name.text.len;

	while (at && ascii_is_digit(name.text.ptr[at - 1]))
		at--;
	if (at && name.text.ptr[at - 1] == ':')
		name.text = str_slice(name.text, 0, at - 1);
	return name;
}

static struct value
get_endpoint_id(const struct op *op, const struct exchange *x)
{
	(void)op;
	return x->upstream.remote_address.ptr ? value_text(STR(""))
					      : value_absent();
}

/* ---- the connection ---- */

enum fact { PROTOCOL, TLS_VERSION, TLS_CIPHER };

static struct value
get_fact(const struct op *op, const struct exchange *x)
{
	const struct exchange_upstream *u = &x->upstream;

	switch ((enum fact)op->option) {
	case PROTOCOL:
		return text_or_absent(u->protocol);
	case TLS_VERSION:
		return text_or_absent(u->tls_version);
	case TLS_CIPHER:
		return text_or_absent(u->tls_cipher);
	}
	return value_absent();
}

enum amount { HEADERS_SENT, WIRE_SENT, HEADERS_RECEIVED, WIRE_RECEIVED };

static struct value
get_amount(const struct op *op, const struct exchange *x)
{
	const struct exchange_upstream *u = &x->upstream;

	switch ((enum amount)op->option) {
	case HEADERS_SENT:
		return value_number((int64_t)u->header_bytes_sent);
	case WIRE_SENT:
		return value_number((int64_t)u->wire_bytes_sent);
	case HEADERS_RECEIVED:
		return value_number((int64_t)u->header_bytes_received);
	case WIRE_RECEIVED:
		return value_number((int64_t)u->wire_bytes_received);
	}
	return value_absent();
}

static struct value
get_close_type(const struct op *op, const struct exchange *x)
{
	(void)op;
	return x->upstream_host.ptr ? value_text(STR("Normal"))
				    : value_absent();
}

enum attempted { HOSTS, NAMES };

static struct value
get_list(const struct op *op, const struct exchange *x)
{
	return text_or_absent(op->option == HOSTS
				  ? x->upstream.hosts_attempted
				  : x->upstream.names_attempted);
}

/* Of names, too, what looks like a port goes. */
static struct value
get_list_without_ports(const struct op *op, const struct exchange *x)
{
	struct str rest = get_list(op, x).text, all = STR_NONE, port, one;

	while (rest.ptr) {
		one = split_port(str_split(&rest, ','), &port);
		all = all.ptr ? arena_printf(x->arena, STR_FMT "," STR_FMT,
				    STR_ARG(all), STR_ARG(one))
			      : one;
	}
	return text_or_absent(all);
}

/* Connections to backends have no numbers here. */
static struct value
get_connection_id(const struct op *op, const struct exchange *x)
{
	(void)op;
	(void)x;
	return value_number(0);
}

#define ADDRESS(name, end)                                                     \
	{ name "_ADDRESS", SYNTAX_BARE, get_endpoint, NULL, end },             \
	    { name "_ADDRESS_WITHOUT_PORT", SYNTAX_OPTIONAL, get_address,      \
		    value_build_mask, end },                                   \
	{                                                                      \
		name "_PORT", SYNTAX_BARE, get_port, NULL, end                 \
	}
#define BARE(name, get, option)                                                \
	{                                                                      \
		name, SYNTAX_BARE, get, NULL, option                           \
	}

const struct command value_upstream_commands[] = {
	BARE("ROUTE_NAME", get_route, 0),
	BARE("ROUTE_RESOLUTION_COUNT", get_route_count, 0),
	BARE("ROUTE_RESOLUTION_TIME_US", get_route_time, 0),
	BARE("VIRTUAL_CLUSTER_NAME", NULL, 0),
	BARE("UPSTREAM_CLUSTER", get_cluster, OBSERVED),
	BARE("UPSTREAM_CLUSTER_RAW", get_cluster, CONFIGURED),
	BARE("UPSTREAM_HOST", get_host, 0),
	BARE("UPSTREAM_HOST_NAME", get_name, 0),
	BARE("UPSTREAM_HOST_NAME_WITHOUT_PORT", get_name_without_port, 0),
	BARE("UPSTREAM_REQUEST_ATTEMPT_COUNT", get_attempts, 0),
	ADDRESS("UPSTREAM_REMOTE", REMOTE),
	ADDRESS("UPSTREAM_LOCAL", LOCAL),
	BARE("UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID", get_endpoint_id, 0),
	BARE("UPSTREAM_PROTOCOL", get_fact, PROTOCOL),
	BARE("UPSTREAM_TLS_VERSION", get_fact, TLS_VERSION),
	BARE("UPSTREAM_TLS_CIPHER", get_fact, TLS_CIPHER),
	BARE("UPSTREAM_HEADER_BYTES_SENT", get_amount, HEADERS_SENT),
	BARE("UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", get_amount,
	    HEADERS_SENT),
	BARE("UPSTREAM_WIRE_BYTES_SENT", get_amount, WIRE_SENT),
	BARE("UPSTREAM_HEADER_BYTES_RECEIVED", get_amount, HEADERS_RECEIVED),
	BARE("UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", get_amount,
	    HEADERS_RECEIVED),
	BARE("UPSTREAM_WIRE_BYTES_RECEIVED", get_amount, WIRE_RECEIVED),
	BARE("UPSTREAM_CONNECTION_ID", get_connection_id, 0),
	BARE("UPSTREAM_DETECTED_CLOSE_TYPE", get_close_type, 0),
	BARE("UPSTREAM_LOCAL_CLOSE_REASON", NULL, 0),
	BARE("UPSTREAM_CONNECTION_IDS_ATTEMPTED", NULL, 0),
	BARE("UPSTREAM_HOSTS_ATTEMPTED", get_list, HOSTS),
	BARE("UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", get_list_without_ports,
	    HOSTS),
	BARE("UPSTREAM_HOST_NAMES_ATTEMPTED", get_list, NAMES),
	BARE("UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT",
	    get_list_without_ports, NAMES),
	BARE("UPSTREAM_SERVER_NAME", NULL, 0),
	BARE("UPSTREAM_TLS_GROUP", NULL, 0),
	BARE("UPSTREAM_TLS_SESSION_ID", NULL, 0),
	BARE("UPSTREAM_PEER_ISSUER", NULL, 0),
	BARE("UPSTREAM_PEER_CERT", NULL, 0),
	BARE("UPSTREAM_PEER_SUBJECT", NULL, 0),
	BARE("UPSTREAM_PEER_URI_SAN", NULL, 0),
	BARE("UPSTREAM_PEER_DNS_SAN", NULL, 0),
	BARE("UPSTREAM_PEER_IP_SAN", NULL, 0),
	BARE("UPSTREAM_LOCAL_URI_SAN", NULL, 0),
	BARE("UPSTREAM_LOCAL_DNS_SAN", NULL, 0),
	BARE("UPSTREAM_LOCAL_IP_SAN", NULL, 0),
	{ NULL, SYNTAX_BARE, NULL, NULL, 0 },
};
