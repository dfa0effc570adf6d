/*
 * The operators of Envoy's substitution formats, "%NAME(ARGUMENT):LENGTH%".
 * Each is a row of a table in one of the value_*.c files: its name, what it
 * takes, and the functions that compile its argument and yield its value.
 */
#ifndef SALLYPORT_CHAIN_COMMAND_H
#define SALLYPORT_CHAIN_COMMAND_H

#include "base/arena.h"

struct exchange;
struct command;

enum value_kind {
	VALUE_ABSENT,
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_JSON, /* a JSON text that stands for itself */
};

/* What an operator yields. A text is borrowed from the exchange or the configuration. */
struct value {
	enum value_kind kind;
	struct str text;
	int64_t number;
};

/* An operator in a compiled format. */
struct op {
	const struct command *command;
	struct str argument; /* absent without parentheses */
	size_t max_len; /* SIZE_MAX: no limit */
	unsigned flags; /* of command_build */
	/* What build made of the argument. */
	struct str first, second; /* header names of "X?Y", namespace and key */
	int option;
	const void *compiled;
};

/* What an operator takes; bits. */
enum syntax {
	SYNTAX_BARE = 0, /* its name alone */
	SYNTAX_OPTIONAL = 1, /* an argument or none */
	SYNTAX_REQUIRED = 2, /* an argument */
	SYNTAX_LENGTH = 4, /* a length, besides */
};

struct command {
	const char *name;
	unsigned syntax;
	/* The value for an exchange; NULL: this gateway never has one. */
	struct value (*get)(const struct op *, const struct exchange *);
	/* Compiles the argument, if there is something to do; NULL or why not. */
	const char *(*build)(struct arena *, struct op *);
	int option; /* where commands share functions: which of them it is */
};

/* Rows of one file each, ended by a NULL name. */
extern const struct command value_message_commands[];
extern const struct command value_outcome_commands[];
extern const struct command value_time_commands[];
extern const struct command value_address_commands[];
extern const struct command value_upstream_commands[];
extern const struct command value_tls_commands[];
extern const struct command value_metadata_commands[];
extern const struct command value_process_commands[];

/* Where an operator is used; bits. */
enum command_flag {
	COMMAND_REQ_WITHOUT_QUERY = 1, /* with the formatter of that name */
	COMMAND_HEADER_VALUE = 2, /* the older spellings of header values do */
};

/*
 * Makes an operator of its parts, in Envoy's way: NULL, or Envoy's words for
 * what is wrong with it. length is absent when none was given.
 */
const char *command_build(struct arena *, unsigned flags, struct str name,
    struct str argument, struct str length, struct op *);

/*
 * The mask of "ADDRESS_WITHOUT_PORT(24)", and an address with it applied
 * ("10.1.2.0/24"); as it is where there is none.
 */
const char *value_build_mask(struct arena *, struct op *);
struct str value_mask(struct arena *, const struct op *, struct str address);

/* Its value, not yet cut to max_len. */
struct value command_value(const struct op *, const struct exchange *);

static inline struct value
value_text(struct str text)
{
	return (struct value){ .kind = text.ptr ? VALUE_TEXT : VALUE_ABSENT,
		.text = text };
}

static inline struct value
value_number(int64_t number)
{
	return (struct value){ .kind = VALUE_NUMBER, .number = number };
}

static inline struct value
value_absent(void)
{
	return (struct value){ .kind = VALUE_ABSENT };
}

#endif
