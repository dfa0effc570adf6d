/* What the decoder's files share: schema.c, schema_value.c, schema_words.c. */
#ifndef SALLYPORT_CONFIG_SCHEMA_DECODER_H
#define SALLYPORT_CONFIG_SCHEMA_DECODER_H

#include "config/schema.h"

struct decoder {
	struct arena *arena;
	struct diag *diag;
	/* Envoy's own messages: exactly what protobuf's JSON form allows. */
	bool strict;
	/* The Any whose message is decoded: "@type" belongs to it. */
	const struct node *any;
};

/* A hint for a word that is none of the candidates, which end with NULL. */
void schema_suggest(
    struct decoder *, struct str word, const char *const *candidates);

/* Says that a value is not what is wanted. */
void schema_mismatch(struct decoder *, const char *path, const char *wanted,
    const struct node *);

/* Decodes a value of any type but messages, in place; Any as a struct. */
void schema_read(struct decoder *, const char *path,
    const struct schema_field *, const struct node *, void *out);

/* Whether a value means "not given" in protobuf: false, 0, "" and []. */
bool schema_is_default(const struct schema_field *, const struct node *);

#endif
