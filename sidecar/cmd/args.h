/* Arguments of a subcommand, read by its rows in the table. */
#ifndef SALLYPORT_CMD_ARGS_H
#define SALLYPORT_CMD_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* An option: "--state FILE", "-c FILE", or without a value. */
struct cmd_option {
	const char *name; /* "--state"; NULL ends the rows */
	const char *letter; /* "-c" or NULL */
	const char *value; /* "FILE", or NULL for a switch */
	const char *text; /* a sentence */
	bool repeats;
	bool required;
};

struct cmd {
	const char *name;
	int (*run)(int argc, char **argv);
	const struct cmd_option *options;
	const char *operands; /* "FILE", "METHOD URL", "" */
	size_t min_operands, max_operands;
	const char *text; /* one line, for the list of commands */
	const char *more; /* for the manual: paragraphs, or NULL */
};

enum { ARGS_MAX = 64 };

struct args {
	const struct cmd *cmd;
	struct {
		const struct cmd_option *option; /* NULL: an operand */
		const char *value; /* "" for a switch */
	} items[ARGS_MAX];
	size_t n;
};

/*
 * Reads argv, whose first word is the command's name. CMD_OK; else
 * CMD_USAGE, with what is wrong and the usage on stderr. "--help" prints the
 * help and ends the process.
 */
int args_read(struct args *, const struct cmd *, int argc, char **argv);

/* Value i of an option (from 0), or NULL. */
const char *args_value(const struct args *, const char *option, size_t i);

/* Operand i, or NULL. */
const char *args_operand(const struct args *, size_t i);

/* Words in lines of at most 79 bytes. */
void cmd_print_text(const char *text, size_t indent, FILE *);

/* "serve -c FILE [--listen ADDRESS]...", in lines of at most 79 bytes. */
void cmd_print_usage(const struct cmd *, FILE *);

#endif
