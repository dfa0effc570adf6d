/* Operators of times and durations. */
#include "config.h"

#include "base/clock.h"
#include "chain/command.h"
#include "chain/exchange.h"
#include "chain/timeformat.h"

/* ---- times of day ---- */

static const char *
build_time(struct arena *arena, struct op *op, enum timezone_kind zone)
{
	op->compiled = timeformat_build(arena, op->argument, zone);
	return op->compiled ? NULL
			    : "Invalid header configuration. Format string "
			      "contains newline.";
}

static const char *
build_utc(struct arena *arena, struct op *op)
{
	return build_time(arena, op, TIMEZONE_UTC);
}

static const char *
build_local(struct arena *arena, struct op *op)
{
	return build_time(arena, op, TIMEZONE_LOCAL);
}

static struct value
get_start(const struct op *op, const struct exchange *x)
{
	return value_text(
	    timeformat_text(op->compiled, x->arena, x->start_wall_ns));
}

static struct value
get_emit(const struct op *op, const struct exchange *x)
{
	return value_text(
	    timeformat_text(op->compiled, x->arena, clock_wall_ns()));
}

/* ---- durations ---- */

/* The points in time of Envoy's COMMON_DURATION. */
enum point {
	DS_RX_BEG,
	DS_RX_END,
	US_CX_BEG,
	US_CX_END,
	US_HS_END,
	US_TX_BEG,
	US_TX_END,
	US_RX_BEG,
	US_RX_BODY_BEG,
	US_RX_END,
	DS_TX_BEG,
	DS_TX_END,
	NO_POINT,
};

static const struct str points[NO_POINT] = { [DS_RX_BEG] =
						 STR_INIT("DS_RX_BEG"),
	[DS_RX_END] = STR_INIT("DS_RX_END"),
	[US_CX_BEG] = STR_INIT("US_CX_BEG"),
	[US_CX_END] = STR_INIT("US_CX_END"),
	[US_HS_END] = STR_INIT("US_HS_END"),
	[US_TX_BEG] = STR_INIT("US_TX_BEG"),
	[US_TX_END] = STR_INIT("US_TX_END"),
	[US_RX_BEG] = STR_INIT("US_RX_BEG"),
	[US_RX_BODY_BEG] = STR_INIT("US_RX_BODY_BEG"),
	[US_RX_END] = STR_INIT("US_RX_END"),
	[DS_TX_BEG] = STR_INIT("DS_TX_BEG"),
	[DS_TX_END] = STR_INIT("DS_TX_END") };

/* 0: it has not come, or nobody has seen it. */
static int64_t
time_of(enum point point, const struct exchange *x)
{
	const struct exchange_upstream *u = &x->upstream;

	switch (point) {
	case DS_RX_BEG:
		return x->start_ns;
	case DS_RX_END:
		return x->upload_end_ns;
	case US_CX_BEG:
		return u->connect_begin_ns;
	case US_CX_END:
		return u->connect_end_ns;
	case US_HS_END:
		return u->tls_end_ns;
	case US_TX_BEG:
		return u->sent_begin_ns;
	case US_TX_END:
		return u->sent_end_ns;
	case US_RX_BEG:
		return x->upstream_headers_ns;
	case US_RX_BODY_BEG:
		return u->body_begin_ns;
	case US_RX_END:
		return u->received_end_ns;
	case DS_TX_BEG:
		return x->answer_begin_ns;
	case DS_TX_END:
		return x->answer_begin_ns ? x->end_ns : 0;
	case NO_POINT:
		break;
	}
	return 0;
}

static struct value
between(const struct exchange *x, enum point from, enum point to, int64_t unit)
{
	int64_t begin = time_of(from, x), end = time_of(to, x);

	return begin && end && end >= begin ? value_number((end - begin) / unit)
					    : value_absent();
}

static struct value
get_since_start(const struct op *op, const struct exchange *x)
{
	return between(x, DS_RX_BEG, (enum point)op->option, NS_PER_MS);
}

static struct value
get_response_tx(const struct op *op, const struct exchange *x)
{
	(void)op;
	return between(x, US_RX_BEG, DS_TX_END, NS_PER_MS);
}

/* How long the request waited for a connection. */
static struct value
get_pool_ready(const struct op *op, const struct exchange *x)
{
	const struct exchange_upstream *u = &x->upstream;

	(void)op;
	if (!x->attempts)
		return value_absent();
	return value_number(
	    u->connect_end_ns > u->connect_begin_ns
		? (u->connect_end_ns - u->connect_begin_ns) / NS_PER_MS
		: 0);
}

/* Until now while the request is under way. */
static struct value
get_duration(const struct op *op, const struct exchange *x)
{
	int64_t end = x->end_ns ? x->end_ns : clock_boot_ns();

	(void)op;
	return value_number((end - x->start_ns) / NS_PER_MS);
}

struct span {
	enum point from, to;
	int64_t unit;
};

static enum point
find_point(struct str name)
{
	for (size_t i = 0; i < NO_POINT; i++)
		if (str_eq(points[i], name))
			return (enum point)i;
	return NO_POINT;
}

static const char *
build_span(struct arena *arena, struct op *op)
{
	struct span *span = ARENA_NEW(arena, struct span);
	struct str rest = op->argument, from = str_split(&rest, ':');
	struct str to = rest.ptr ? str_split(&rest, ':') : STR_NONE;
	struct str unit = rest.ptr ? str_split(&rest, ':') : STR("ms");

	op->compiled = span;
	if (!to.ptr || rest.ptr)
		return arena_printf(arena,
		    "Invalid common duration configuration: " STR_FMT ".",
		    STR_ARG(op->argument))
		    .ptr;
	span->from = find_point(from);
	span->to = find_point(to);
	span->unit = NS_PER_MS;
	if (str_eq(unit, STR("us")))
		span->unit = 1000;
	else if (str_eq(unit, STR("ns")))
		span->unit = 1;
	else if (!str_eq(unit, STR("ms")))
		return arena_printf(arena,
		    "Invalid common duration precision: " STR_FMT ".",
		    STR_ARG(unit))
		    .ptr;
	return NULL;
}

static struct value
get_span(const struct op *op, const struct exchange *x)
{
	const struct span *span = op->compiled;

	return between(x, span->from, span->to, span->unit);
}

const struct command value_time_commands[] = {
	{ "START_TIME", SYNTAX_OPTIONAL, get_start, build_utc, 0 },
	{ "START_TIME_LOCAL", SYNTAX_OPTIONAL, get_start, build_local, 0 },
	{ "EMIT_TIME", SYNTAX_OPTIONAL, get_emit, build_utc, 0 },
	{ "EMIT_TIME_LOCAL", SYNTAX_OPTIONAL, get_emit, build_local, 0 },
	{ "DURATION", SYNTAX_BARE, get_duration, NULL, 0 },
	{ "REQUEST_DURATION", SYNTAX_BARE, get_since_start, NULL, DS_RX_END },
	{ "REQUEST_TX_DURATION", SYNTAX_BARE, get_since_start, NULL,
	    US_TX_END },
	{ "RESPONSE_DURATION", SYNTAX_BARE, get_since_start, NULL, US_RX_BEG },
	{ "RESPONSE_TX_DURATION", SYNTAX_BARE, get_response_tx, NULL, 0 },
	{ "COMMON_DURATION", SYNTAX_REQUIRED, get_span, build_span, 0 },
	{ "UPSTREAM_CONNECTION_POOL_READY_DURATION", SYNTAX_BARE,
	    get_pool_ready, NULL, 0 },
	/* The web server's own; HTTP/1.1 has no acknowledgements. */
	{ "DOWNSTREAM_HANDSHAKE_DURATION", SYNTAX_BARE, NULL, NULL, 0 },
	{ "ROUNDTRIP_DURATION", SYNTAX_BARE, NULL, NULL, 0 },
	{ NULL, SYNTAX_BARE, NULL, NULL, 0 },
};
