/*
 * The operators of Envoy's substitution formats: "%NAME(ARGUMENT):LENGTH%".
 * Each is a row: its name, what arguments it takes, and a function for its value.
 */
#ifndef SALLYPORT_CHAIN_COMMAND_H
#define SALLYPORT_CHAIN_COMMAND_H

#include "base/str.h"

struct exchange;
struct command;

/* A literal or an operator in a compiled format. */
struct piece {
	const struct command *op; /* NULL: literal */
	struct str text; /* literal, or the operator's argument */
	struct str first, second; /* header names of "X?Y" */
	size_t max_len; /* SIZE_MAX: no limit */
};

enum args {
	ARGS_NONE,
	ARGS_OPTIONAL,
	ARGS_REQUIRED,
	ARGS_HEADERS, /* required, "X" or "X?Y" */
};

struct command {
	const char *name;
	enum args args;
	bool number; /* typed as a number in json_format */
	/* The value for an exchange; absent if there is none. */
	struct str (*get)(const struct piece *, const struct exchange *);
};

/* The operator of that name, or NULL. */
const struct command *command_find(struct str name);

#endif
