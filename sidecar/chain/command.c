/* Finding an operator and checking how it is used. */
#include "config.h"

#include "chain/command.h"

static const struct command *
find(struct str name)
{
	static const struct command *const tables[] = { value_message_commands,
		value_outcome_commands, value_time_commands,
		value_address_commands, value_upstream_commands,
		value_tls_commands, value_metadata_commands,
		value_process_commands };

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct command *c = tables[i]; c->name; c++)
			if (str_eq(str_of(c->name), name))
				return c;
	return NULL;
}

static const char *
check_syntax(struct arena *arena, const struct op *op, bool has_length)
{
	const struct command *c = op->command;

	if (c->syntax == SYNTAX_BARE && (op->argument.len || has_length))
		return arena_printf(
		    arena, "%s does not take any parameters or length", c->name)
		    .ptr;
	if (c->syntax & SYNTAX_REQUIRED && !op->argument.len)
		return arena_printf(arena, "%s requires parameters", c->name)
		    .ptr;
	if (!(c->syntax & SYNTAX_LENGTH) && has_length)
		return arena_printf(
		    arena, "%s does not allow length to be specified.", c->name)
		    .ptr;
	return NULL;
}

/* Whether there is such an operator in this place. */
static bool
is_there(const struct command *c, unsigned flags)
{
	struct str name = str_of(c->name);

	if (str_eq(name, STR("REQ_WITHOUT_QUERY")))
		return flags & COMMAND_REQ_WITHOUT_QUERY;
	if (str_eq(name, STR("PER_REQUEST_STATE")))
		return flags & COMMAND_HEADER_VALUE;
	return true;
}

const char *
command_build(struct arena *arena, unsigned flags, struct str name,
    struct str argument, struct str length, struct op *op)
{
	const char *why;
	uint64_t len;

	*op = (struct op){ .command = find(name),
		.argument = argument,
		.max_len = SIZE_MAX,
		.flags = flags };
	if (!op->command || !is_there(op->command, flags))
		return arena_printf(arena,
		    "Not supported field in StreamInfo: " STR_FMT,
		    STR_ARG(name))
		    .ptr;
	op->option = op->command->option;
	why = check_syntax(arena, op, length.ptr != NULL);
	if (why)
		return why;
	if (length.ptr && str_to_u64(length, &len))
		op->max_len = (size_t)len;
	return op->command->build ? op->command->build(arena, op) : NULL;
}

struct value
command_value(const struct op *op, const struct exchange *x)
{
	return op->command->get ? op->command->get(op, x) : value_absent();
}
