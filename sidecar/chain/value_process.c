/* Operators of the process, and those made of other operators. */
#include "config.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/random.h"
#include "chain/command.h"
#include "chain/exchange.h"

/* ---- the process ---- */

/* Read when the configuration is loaded; "-" for what is not set. */
static const char *
build_environment(struct arena *arena, struct op *op)
{
	const char *value = getenv(arena_cstr(arena, op->argument));

	op->first = arena_str(arena, str_of(value ? value : "-"));
	return NULL;
}

static const char *
build_hostname(struct arena *arena, struct op *op)
{
	char name[256];

	if (gethostname(name, sizeof(name) - 1))
		return NULL;
	name[sizeof(name) - 1] = '\0';
	op->first = arena_str(arena, str_of(name));
	return NULL;
}

static struct value
get_constant(const struct op *op, const struct exchange *x)
{
	(void)x;
	return value_text(op->first);
}

/* A new one each time it is asked for. */
static struct value
get_unique_id(const struct op *op, const struct exchange *x)
{
	char id[RANDOM_UUID_LEN];

	(void)op;
	random_uuid(id);
	return value_text(arena_str(x->arena, (struct str){ id, sizeof(id) }));
}

/* ---- COALESCE ---- */

struct coalesce {
	struct op *ops;
	size_t n;
};

static const char *
build_entry(struct arena *arena, const cJSON *entry, struct op *op)
{
	const cJSON *command =
	    cJSON_GetObjectItemCaseSensitive(entry, "command");
	const cJSON *param = cJSON_GetObjectItemCaseSensitive(entry, "param");
	const cJSON *length =
	    cJSON_GetObjectItemCaseSensitive(entry, "max_length");
	struct str name, argument = STR(""), length_text = STR_NONE;
	const char *why;

	if (!cJSON_IsString(entry) && !cJSON_IsObject(entry))
		return "operator entry must be either a string (command name) "
		       "or an object with 'command' field";
	if (cJSON_IsObject(entry) && !cJSON_IsString(command))
		return "operator object must have 'command' field: key "
		       "'command' missing or not a string from lines 1-1";
	if (param && !cJSON_IsString(param))
		return "'param' field must be a string: key 'param' missing "
		       "or not a string from lines 1-1";
	if (length && !cJSON_IsNumber(length))
		return "'max_length' field must be an integer: key "
		       "'max_length' missing or not an integer from lines 1-1";
	if (length && length->valuedouble < 1)
		return "'max_length' must be a positive integer";
	name = arena_str(
	    arena, str_of(command ? command->valuestring : entry->valuestring));
	if (param)
		argument = arena_str(arena, str_of(param->valuestring));
	if (length)
		length_text = arena_printf(arena, "%.0f", length->valuedouble);
	why = command_build(arena, 0, name, argument, length_text, op);
	if (why && str_starts(str_of(why), STR("Not supported field")))
		return arena_printf(
		    arena, "unknown command: '" STR_FMT "'", STR_ARG(name))
		    .ptr;
	return why;
}

static const char *
build_entries(struct arena *arena, const cJSON *json, struct coalesce *c)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "operators");
	const char *why;

	if (!list)
		return "COALESCE: JSON configuration must contain 'operators' "
		       "array";
	if (!cJSON_IsArray(list))
		return "COALESCE: 'operators' must be an array: key "
		       "'operators' missing or not an array from lines 1-1";
	if (!list->child)
		return "COALESCE: 'operators' array must not be empty";
	c->ops =
	    ARENA_ARRAY(arena, (size_t)cJSON_GetArraySize(list), struct op);
	for (const cJSON *e = list->child; e; e = e->next, c->n++) {
		why = build_entry(arena, e, &c->ops[c->n]);
		if (why)
			return arena_printf(arena,
			    "COALESCE: failed to parse operator at index "
			    "%zu: %s",
			    c->n, why)
			    .ptr;
	}
	return NULL;
}

static const char *
build_coalesce(struct arena *arena, struct op *op)
{
	struct coalesce *c = ARENA_NEW(arena, struct coalesce);
	cJSON *json = cJSON_ParseWithLengthOpts(
	    op->argument.ptr, op->argument.len, NULL, false);
	const char *why = json ? build_entries(arena, json, c)
			       : "COALESCE: failed to parse JSON "
				 "configuration: JSON supplied is not valid.";

	cJSON_Delete(json);
	op->compiled = c;
	return why;
}

/* The first that is there, each cut to its own length. */
static struct value
get_coalesce(const struct op *op, const struct exchange *x)
{
	const struct coalesce *c = op->compiled;
	struct value value = value_absent();

	for (size_t i = 0; i < c->n && value.kind == VALUE_ABSENT; i++) {
		value = command_value(&c->ops[i], x);
		if (value.kind == VALUE_TEXT)
			value.text =
			    str_slice(value.text, 0, c->ops[i].max_len);
	}
	return value;
}

static const char *
refuse_cel(struct arena *arena, struct op *op)
{
	(void)arena;
	(void)op;
	return "CEL expressions are not evaluated here";
}

const struct command value_process_commands[] = {
	{ "ENVIRONMENT", SYNTAX_REQUIRED | SYNTAX_LENGTH, get_constant,
	    build_environment, 0 },
	{ "HOSTNAME", SYNTAX_BARE, get_constant, build_hostname, 0 },
	{ "UNIQUE_ID", SYNTAX_BARE, get_unique_id, NULL, 0 },
	{ "COALESCE", SYNTAX_REQUIRED | SYNTAX_LENGTH, get_coalesce,
	    build_coalesce, 0 },
	{ "CEL", SYNTAX_OPTIONAL | SYNTAX_LENGTH, NULL, refuse_cel, 0 },
	{ NULL, SYNTAX_BARE, NULL, NULL, 0 },
};
