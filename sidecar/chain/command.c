/* The values of the substitution operators. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "chain/command.h"
#include "chain/exchange.h"
#include "chain/metadata.h"
#include "chain/route.h"

/* Several for every log line, so they are not left to printf. */
static struct str
number(const struct exchange *x, int64_t value)
{
	enum { DIGITS = 20 };
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char *text = arena_alloc(x->arena, DIGITS + 1);
	size_t at = DIGITS;

	do {
		text[at--] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		text[at--] = '-';
	return (struct str){ text + at + 1, DIGITS - at };
}

static struct str
two_headers(const struct headers *h, const struct piece *p)
{
	struct str value = headers_get(h, p->first);

	return value.ptr || !p->second.ptr ? value : headers_get(h, p->second);
}

static struct str
get_request_header(const struct piece *p, const struct exchange *x)
{
	return two_headers(&x->request, p);
}

static struct str
get_response_header(const struct piece *p, const struct exchange *x)
{
	return two_headers(&x->response, p);
}

static struct str
get_protocol(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->peer.protocol;
}

static struct str
get_code(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return number(x, x->code);
}

static struct str
get_details(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->details;
}

static struct str
get_flags(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return flags_text(x->arena, &x->flags);
}

static struct str
get_received(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return number(x, (int64_t)x->bytes_received);
}

static struct str
get_sent(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return number(x, (int64_t)x->bytes_sent);
}

static struct str
span_ms(const struct exchange *x, int64_t until_ns)
{
	return until_ns ? number(x, (until_ns - x->start_ns) / NS_PER_MS)
			: STR_NONE;
}

static struct str
get_duration(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return span_ms(x, clock_boot_ns());
}

static struct str
get_request_duration(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return span_ms(x, x->upload_end_ns);
}

static struct str
get_response_duration(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return span_ms(x, x->upstream_headers_ns);
}

/* %1f to %9f become that many digits of the fraction; strftime does the rest. */
static struct str
start_time(const struct piece *p, const struct exchange *x)
{
	time_t seconds = (time_t)(x->start_wall_ns / NS_PER_S);
	char format[128], out[256], digits[32];
	size_t n = 0, width;
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)snprintf(digits, sizeof(digits), "%09lld",
	    (long long)(x->start_wall_ns % NS_PER_S));
	for (size_t i = 0; i < p->text.len && n + 10 < sizeof(format); i++) {
		const char *at = p->text.ptr + i;
		if (*at == '%' && i + 2 < p->text.len && at[1] >= '1' &&
		    at[1] <= '9' && at[2] == 'f') {
			width = (size_t)(at[1] - '0');
			memcpy(format + n, digits, width);
			n += width;
			i += 2;
			continue;
		}
		format[n++] = *at;
		if (*at == '%' && i + 1 < p->text.len)
			format[n++] = p->text.ptr[++i];
	}
	format[n] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = strftime(out, sizeof(out), format, &tm);
#pragma GCC diagnostic pop
	return arena_str(x->arena, (struct str){ out, n });
}

static void
put_digits(char *at, int width, int value)
{
	for (; width > 0; value /= 10)
		at[--width] = (char)('0' + value % 10);
}

static struct str
get_start_time(const struct piece *p, const struct exchange *x)
{
	time_t seconds = (time_t)(x->start_wall_ns / NS_PER_S);
	struct tm tm;
	const struct {
		const int *value;
		int plus, width;
		size_t at;
	} parts[] = { { &tm.tm_year, 1900, 4, 0 }, { &tm.tm_mon, 1, 2, 5 },
		{ &tm.tm_mday, 0, 2, 8 }, { &tm.tm_hour, 0, 2, 11 },
		{ &tm.tm_min, 0, 2, 14 }, { &tm.tm_sec, 0, 2, 17 } };
	char *text;

	if (p->text.len)
		return start_time(p, x);
	text = arena_cstr(x->arena, STR("0000-00-00T00:00:00.000Z"));
	(void)gmtime_r(&seconds, &tm);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		put_digits(text + parts[i].at, parts[i].width,
		    *parts[i].value + parts[i].plus);
	put_digits(
	    text + 20, 3, (int)(x->start_wall_ns % NS_PER_S / NS_PER_MS));
	return (struct str){ text, 24 };
}

static struct str
get_upstream_host(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->upstream_host;
}

static struct str
get_upstream_cluster(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->cluster ? x->cluster->name : STR_NONE;
}

static struct str
get_route_name(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->route && x->route->name.len ? x->route->name : STR_NONE;
}

static struct str
with_port(const struct exchange *x, struct str address, struct str port)
{
	bool v6 = str_find_char(address, ':', 0) < address.len;

	if (!address.ptr)
		return STR_NONE;
	return arena_printf(x->arena,
	    v6 ? "[" STR_FMT "]:" STR_FMT : STR_FMT ":" STR_FMT,
	    STR_ARG(address), STR_ARG(port.ptr ? port : STR("0")));
}

static struct str
get_client_address(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->client_address;
}

static struct str
get_client(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return with_port(x, x->client_address, x->client_port);
}

static struct str
get_peer_address(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->peer.address;
}

static struct str
get_peer(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return with_port(x, x->peer.address, x->peer.port);
}

static struct str
get_local(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return with_port(x, x->peer.local_address, x->peer.local_port);
}

static struct str
get_local_address(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->peer.local_address;
}

static struct str
get_local_port(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->peer.local_port;
}

static struct str
get_failure(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->failure_text;
}

static struct str
get_attempts(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return number(x, x->attempts);
}

static struct str
get_local_body(const struct piece *p, const struct exchange *x)
{
	(void)p;
	return x->local_body;
}

static struct str
get_metadata(const struct piece *p, const struct exchange *x)
{
	struct str rest = p->text, ns = str_split(&rest, ':'), name = rest;
	char *dotted;

	if (!name.ptr)
		return STR_NONE;
	dotted = arena_cstr(x->arena, name);
	for (size_t i = 0; i < name.len; i++)
		if (dotted[i] == ':')
			dotted[i] = '.';
	return metadata_get(x, ns, (struct str){ dotted, name.len });
}

static struct str
get_environment(const struct piece *p, const struct exchange *x)
{
	const char *value = getenv(arena_cstr(x->arena, p->text));

	return value && *value ? str_of(value) : STR_NONE;
}

static struct str
get_hostname(const struct piece *p, const struct exchange *x)
{
	char name[256];

	(void)p;
	if (gethostname(name, sizeof(name) - 1))
		return STR_NONE;
	name[sizeof(name) - 1] = '\0';
	return arena_str(x->arena, str_of(name));
}

static const struct command commands[] = {
	{ "REQ", ARGS_HEADERS, false, get_request_header },
	{ "REQUEST_HEADER", ARGS_HEADERS, false, get_request_header },
	{ "RESP", ARGS_HEADERS, false, get_response_header },
	{ "RESPONSE_HEADER", ARGS_HEADERS, false, get_response_header },
	{ "PROTOCOL", ARGS_NONE, false, get_protocol },
	{ "RESPONSE_CODE", ARGS_NONE, true, get_code },
	{ "RESPONSE_CODE_DETAILS", ARGS_NONE, false, get_details },
	{ "RESPONSE_FLAGS", ARGS_NONE, false, get_flags },
	{ "BYTES_RECEIVED", ARGS_NONE, true, get_received },
	{ "BYTES_SENT", ARGS_NONE, true, get_sent },
	{ "DURATION", ARGS_NONE, true, get_duration },
	{ "REQUEST_DURATION", ARGS_NONE, true, get_request_duration },
	{ "RESPONSE_DURATION", ARGS_NONE, true, get_response_duration },
	{ "START_TIME", ARGS_OPTIONAL, false, get_start_time },
	{ "UPSTREAM_HOST", ARGS_NONE, false, get_upstream_host },
	{ "UPSTREAM_CLUSTER", ARGS_NONE, false, get_upstream_cluster },
	{ "UPSTREAM_REMOTE_ADDRESS", ARGS_NONE, false, get_upstream_host },
	{ "UPSTREAM_REQUEST_ATTEMPT_COUNT", ARGS_NONE, true, get_attempts },
	{ "UPSTREAM_TRANSPORT_FAILURE_REASON", ARGS_NONE, false, get_failure },
	{ "ROUTE_NAME", ARGS_NONE, false, get_route_name },
	{ "DOWNSTREAM_REMOTE_ADDRESS", ARGS_NONE, false, get_client },
	{ "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", ARGS_NONE, false,
	    get_client_address },
	{ "DOWNSTREAM_DIRECT_REMOTE_ADDRESS", ARGS_NONE, false, get_peer },
	{ "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", ARGS_NONE, false,
	    get_peer_address },
	{ "DOWNSTREAM_LOCAL_ADDRESS", ARGS_NONE, false, get_local },
	{ "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", ARGS_NONE, false,
	    get_local_address },
	{ "DOWNSTREAM_LOCAL_PORT", ARGS_NONE, true, get_local_port },
	{ "LOCAL_REPLY_BODY", ARGS_NONE, false, get_local_body },
	{ "DYNAMIC_METADATA", ARGS_REQUIRED, false, get_metadata },
	{ "ENVIRONMENT", ARGS_REQUIRED, false, get_environment },
	{ "HOSTNAME", ARGS_NONE, false, get_hostname },
};

const struct command *
command_find(struct str name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (str_eq(str_of(commands[i].name), name))
			return &commands[i];
	return NULL;
}
