/* Reading arguments, and saying what they are. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "cmd/table.h"

static int
refuse(const struct cmd *cmd, const char *why, const char *what)
{
	(void)fprintf(stderr, "sallyport %s: %s%s\n", cmd->name, why, what);
	(void)fputs("usage: ", stderr);
	cmd_print_usage(cmd, stderr);
	return CMD_USAGE;
}

static const struct cmd_option *
find_option(const struct cmd *cmd, const char *arg, size_t len)
{
	const struct cmd_option *o = cmd->options;

	for (; o && o->name; o++)
		if ((!strncmp(o->name, arg, len) && !o->name[len]) ||
		    (o->letter && !strncmp(o->letter, arg, len) &&
			!o->letter[len]))
			return o;
	return NULL;
}

/* Where its value goes: of an option that does not repeat the last counts. */
static size_t
place_of(const struct args *a, const struct cmd_option *o)
{
	size_t at = 0;

	while (at < a->n && (o->repeats || a->items[at].option != o))
		at++;
	return at;
}

/* The option that argv[*at] is; its value may be the next word. */
static int
take_option(struct args *a, char **argv, int *at)
{
	const char *arg = argv[*at];
	const char *equals = arg[1] == '-' ? strchr(arg, '=') : NULL;
	size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
	const struct cmd_option *o = find_option(a->cmd, arg, len);
	const char *value = equals ? equals + 1 : NULL;
	size_t place;

	if (!o)
		return refuse(a->cmd, "unknown argument ", arg);
	place = place_of(a, o);
	if (place == ARGS_MAX)
		return refuse(a->cmd, "too many arguments: ", o->name);
	if (!o->value && value)
		return refuse(a->cmd, "no value belongs to ", o->name);
	if (o->value && !value && argv[*at + 1])
		value = argv[++*at];
	if (o->value && (!value || !*value))
		return refuse(a->cmd, "a value is missing after ", arg);
	a->items[place].option = o;
	a->items[place].value = o->value ? value : "";
	a->n += place == a->n;
	return CMD_OK;
}

static size_t
count_operands(const struct args *a)
{
	size_t n = 0;

	while (args_operand(a, n))
		n++;
	return n;
}

static int
take_operand(struct args *a, const char *arg)
{
	if (a->n == ARGS_MAX || count_operands(a) == a->cmd->max_operands)
		return refuse(a->cmd, "unknown argument ", arg);
	a->items[a->n].option = NULL;
	a->items[a->n++].value = arg;
	return CMD_OK;
}

static int
check_required(const struct args *a)
{
	const struct cmd_option *o = a->cmd->options;

	for (; o && o->name; o++)
		if (o->required && !args_value(a, o->name, 0))
			return refuse(a->cmd, "missing: ", o->name);
	if (count_operands(a) < a->cmd->min_operands)
		return refuse(a->cmd, "missing: ", a->cmd->operands);
	return CMD_OK;
}

static bool
asks_for_help(const struct cmd *cmd, const char *arg)
{
	return !strcmp(arg, "--help") ||
	       (!strcmp(arg, "-h") && !find_option(cmd, arg, strlen(arg)));
}

int
args_read(struct args *a, const struct cmd *cmd, int argc, char **argv)
{
	bool options_ended = false;
	int status = CMD_OK;

	*a = (struct args){ .cmd = cmd };
	for (int i = 1; i < argc && !status; i++) {
		const char *arg = argv[i];

		if (!options_ended && asks_for_help(cmd, arg)) {
			cmd_print_help(cmd, stdout);
			exit(CMD_OK);
		}
		if (!options_ended && !strcmp(arg, "--"))
			options_ended = true;
		else if (!options_ended && arg[0] == '-' && arg[1])
			status = take_option(a, argv, &i);
		else
			status = take_operand(a, arg);
	}
	return status ? status : check_required(a);
}

const char *
args_value(const struct args *a, const char *option, size_t i)
{
	for (size_t at = 0; at < a->n; at++)
		if (a->items[at].option &&
		    !strcmp(a->items[at].option->name, option) && i-- == 0)
			return a->items[at].value;
	return NULL;
}

const char *
args_operand(const struct args *a, size_t i)
{
	for (size_t at = 0; at < a->n; at++)
		if (!a->items[at].option && i-- == 0)
			return a->items[at].value;
	return NULL;
}

/* ---- saying ---- */

static void
put_word(FILE *out, size_t *column, size_t indent, struct str word)
{
	enum { WIDTH = 79 };

	if (*column + 1 + word.len > WIDTH) {
		(void)fprintf(out, "\n%*s", (int)indent, "");
		*column = indent;
	}
	(void)fprintf(out, " " STR_FMT, STR_ARG(word));
	*column += 1 + word.len;
}

void
cmd_print_text(const char *text, size_t indent, FILE *out)
{
	struct str rest = str_of(text), word = str_split(&rest, ' ');
	size_t column = indent + word.len;

	(void)fprintf(out, "%*s" STR_FMT, (int)indent, "", STR_ARG(word));
	/* Each word but the first has a blank in front. */
	indent = indent ? indent - 1 : 0;
	while (rest.ptr) {
		word = str_split(&rest, ' ');
		if (indent == 0 && column + 1 + word.len > 79) {
			(void)fprintf(out, "\n" STR_FMT, STR_ARG(word));
			column = word.len;
		} else {
			put_word(out, &column, indent, word);
		}
	}
	(void)fputc('\n', out);
}

void
cmd_print_usage(const struct cmd *cmd, FILE *out)
{
	const struct cmd_option *o = cmd->options;
	size_t indent = strlen("sallyport ") + strlen(cmd->name);
	size_t column = indent;
	char word[128];

	(void)fprintf(out, "sallyport %s", cmd->name);
	for (; o && o->name; o++) {
		(void)snprintf(word, sizeof(word), "%s%s%s%s%s%s",
		    o->required ? "" : "[", o->letter ? o->letter : o->name,
		    o->value ? " " : "", o->value ? o->value : "",
		    o->required ? "" : "]", o->repeats ? "..." : "");
		put_word(out, &column, indent, str_of(word));
	}
	if (*cmd->operands)
		put_word(out, &column, indent, str_of(cmd->operands));
	(void)fputc('\n', out);
}
