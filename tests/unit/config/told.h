/* A configuration text in a test, and what a user would be told about it. */
#ifndef SALLYPORT_TESTS_UNIT_CONFIG_TOLD_H
#define SALLYPORT_TESTS_UNIT_CONFIG_TOLD_H

#include "config/diag.h"

struct told {
	struct arena *arena;
	struct diag *diag;
	const struct node *top; /* NULL if the text cannot be read */
};

/* Parses the text as a file named "t". */
struct told told_new(const char *text);
struct told told_new_bytes(struct str text);
void told_free(struct told *);

/* All that diag_print prints. */
const char *told_text(struct told *);

/* Fails the test unless the printed text contains this. */
void told_must_say(struct told *, const char *text);

const char *told_yaml(struct told *, const struct node *);
const char *told_json(struct told *, const struct node *);

#endif
