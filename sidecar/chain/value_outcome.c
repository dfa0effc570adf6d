/* Operators of how a request ended: status, flags, details. */
#include "config.h"

#include "chain/command.h"
#include "chain/exchange.h"
#include "http/grpc.h"

static struct value
get_code(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_number(x->code);
}

enum { DETAILS_AS_THEY_ARE = 1 };

static const char *
build_details(struct arena *arena, struct op *op)
{
	(void)arena;
	if (str_eq(op->argument, STR("ALLOW_WHITESPACES")))
		op->option = DETAILS_AS_THEY_ARE;
	return NULL;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str
without_blanks(struct arena *arena, struct str s)
{
	char *copy;
	size_t i = 0;

	while (i < s.len && !is_blank(s.ptr[i]))
		i++;
	if (i == s.len)
		return s;
	copy = arena_cstr(arena, s);
	for (; i < s.len; i++)
		if (is_blank(copy[i]))
			copy[i] = '_';
	return (struct str){ copy, s.len };
}

static struct value
get_details(const struct op *op, const struct exchange *x)
{
	return value_text(op->option == DETAILS_AS_THEY_ARE
			      ? x->details
			      : without_blanks(x->arena, x->details));
}

static struct value
get_failure(const struct op *op, const struct exchange *x)
{
	(void)op;
	return x->failure_text.len
		   ? value_text(without_blanks(x->arena, x->failure_text))
		   : value_absent();
}

static struct value
get_flags(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_text(flags_text(x->arena, &x->flags));
}

static struct value
get_flags_long(const struct op *op, const struct exchange *x)
{
	(void)op;
	return value_text(flags_long_text(x->arena, &x->flags));
}

static struct value
get_log_type(const struct op *op, const struct exchange *x)
{
	static const struct str names[] = { [LOG_NOT_SET] = STR_INIT("NotSet"),
		[LOG_START] = STR_INIT("DownstreamStart"),
		[LOG_PERIODIC] = STR_INIT("DownstreamPeriodic"),
		[LOG_END] = STR_INIT("DownstreamEnd") };

	(void)op;
	return value_text(names[x->log_type]);
}

enum grpc_spelling { GRPC_CAMEL, GRPC_SNAKE, GRPC_NUMBER };

static const char *
build_grpc(struct arena *arena, struct op *op)
{
	if (str_eq(op->argument, STR("SNAKE_STRING")))
		op->option = GRPC_SNAKE;
	else if (str_eq(op->argument, STR("NUMBER")))
		op->option = GRPC_NUMBER;
	else if (op->argument.len && !str_eq(op->argument, STR("CAMEL_STRING")))
		return arena_printf(arena,
		    "GrpcStatusFormatter only supports CAMEL_STRING, "
		    "SNAKE_STRING or NUMBER. Got: " STR_FMT,
		    STR_ARG(op->argument))
		    .ptr;
	return NULL;
}

static struct value
get_grpc(const struct op *op, const struct exchange *x)
{
	struct str name = STR_NONE;
	int64_t status;

	if (!grpc_is_request(&x->request))
		return value_absent();
	status = grpc_status(&x->response, x->code);
	if (op->option == GRPC_NUMBER)
		return value_number(status);
	name = op->option == GRPC_SNAKE ? grpc_snake_name(status)
					: grpc_camel_name(status);
	return value_text(
	    name.ptr ? name
		     : arena_printf(x->arena, "%lld", (long long)status));
}

static struct value
get_empty(const struct op *op, const struct exchange *x)
{
	(void)op;
	(void)x;
	return value_text(STR(""));
}

static struct value
get_zero(const struct op *op, const struct exchange *x)
{
	(void)op;
	(void)x;
	return value_number(0);
}

static struct value
get_normal(const struct op *op, const struct exchange *x)
{
	(void)op;
	(void)x;
	return value_text(STR("Normal"));
}

const struct command value_outcome_commands[] = {
	{ "RESPONSE_CODE", SYNTAX_BARE, get_code, NULL, 0 },
	{ "RESPONSE_CODE_DETAILS", SYNTAX_OPTIONAL, get_details, build_details,
	    0 },
	{ "RESPONSE_FLAGS", SYNTAX_BARE, get_flags, NULL, 0 },
	{ "RESPONSE_FLAGS_LONG", SYNTAX_BARE, get_flags_long, NULL, 0 },
	{ "GRPC_STATUS", SYNTAX_OPTIONAL, get_grpc, build_grpc, GRPC_CAMEL },
	{ "GRPC_STATUS_NUMBER", SYNTAX_BARE, get_grpc, NULL, GRPC_NUMBER },
	{ "ACCESS_LOG_TYPE", SYNTAX_BARE, get_log_type, NULL, 0 },
	{ "UPSTREAM_TRANSPORT_FAILURE_REASON", SYNTAX_BARE, get_failure, NULL,
	    0 },
	/* What Envoy knows of connections, trailers and traces, and we do not. */
	{ "CONNECTION_TERMINATION_DETAILS", SYNTAX_BARE, NULL, NULL, 0 },
	{ "DOWNSTREAM_TRANSPORT_FAILURE_REASON", SYNTAX_BARE, NULL, NULL, 0 },
	{ "DOWNSTREAM_LOCAL_CLOSE_REASON", SYNTAX_BARE, NULL, NULL, 0 },
	{ "DOWNSTREAM_DETECTED_CLOSE_TYPE", SYNTAX_BARE, get_normal, NULL, 0 },
	{ "DOWNSTREAM_CX_RTT", SYNTAX_BARE, get_zero, NULL, 0 },
	{ "DOWNSTREAM_WIRE_BYTES_RECEIVED", SYNTAX_BARE, get_zero, NULL, 0 },
	{ "DOWNSTREAM_WIRE_BYTES_SENT", SYNTAX_BARE, get_zero, NULL, 0 },
	{ "DOWNSTREAM_HEADER_BYTES_RECEIVED", SYNTAX_BARE, get_zero, NULL, 0 },
	{ "DOWNSTREAM_HEADER_BYTES_SENT", SYNTAX_BARE, get_zero, NULL, 0 },
	{ "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", SYNTAX_BARE,
	    get_zero, NULL, 0 },
	{ "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", SYNTAX_BARE, get_zero,
	    NULL, 0 },
	{ "BYTES_RETRANSMITTED", SYNTAX_BARE, get_zero, NULL, 0 },
	{ "PACKETS_RETRANSMITTED", SYNTAX_BARE, get_zero, NULL, 0 },
	{ "RESPONSE_TRAILERS_BYTES", SYNTAX_BARE, get_zero, NULL, 0 },
	{ "CUSTOM_FLAGS", SYNTAX_BARE, get_empty, NULL, 0 },
	{ "TRACE_ID", SYNTAX_BARE, NULL, NULL, 0 },
	{ "SPAN_ID", SYNTAX_BARE, NULL, NULL, 0 },
	{ NULL, SYNTAX_BARE, NULL, NULL, 0 },
};
