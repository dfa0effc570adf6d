/* What the decoder's files, schema*.c, share. */
#ifndef SALLYPORT_CONFIG_SCHEMA_DECODER_H
#define SALLYPORT_CONFIG_SCHEMA_DECODER_H

#include "base/err.h"
#include "config/api.h"
#include "config/schema.h"

struct decoder {
	struct arena *arena;
	struct diag *diag;
	/* Envoy's own messages: exactly what protobuf's JSON form allows. */
	bool strict;
	/* What Envoy knows of the message at hand, or NULL. */
	const struct api_message *api;
	/* The Any whose message is decoded: "@type" belongs to it. */
	const struct node *any;
	/* Dotted path of the value at hand; what is too long is cut off. */
	char path[4096];
	size_t path_len;
};

/*
 * A message and what its node gives. Envoy's messages have an api; rows are
 * NULL where a value is only checked, not kept.
 */
struct shape {
	const struct api_message *api;
	const struct schema_message *rows;
	const struct node *node;
	/* By field of the api, else by row; NULL where absent. */
	const struct node_item *given[API_FIELDS_MAX];
	bool has_mistaken; /* a field that may be one of those missing */
};

/* A field of a shape: either may be NULL, not both. */
struct field {
	const struct api_field *api;
	const struct schema_field *row;
};

/* A hint for a word that is none of the candidates, which end with NULL. */
void schema_suggest(
    struct decoder *, struct str word, const char *const *candidates);

/* Says that a value is not what is wanted. */
void schema_mismatch(struct decoder *, const char *wanted, const struct node *);

/*
 * Reads a value of any type but messages, in place; Any as a struct. False,
 * with an error added, if it is of another type; the choices are of an enum.
 */
bool schema_read(struct decoder *, const struct field *, const struct node *,
    void *out) CHECKED;

/* Reads a duration, which is not negative. */
bool schema_duration(
    const struct decoder *, const struct node *, int64_t *ns) CHECKED;

/* Whether a value means "not given" in protobuf: false, 0, "" and []. */
bool schema_is_default(const struct field *, const struct node *);

/* Checks the rules of a value, or of an item of a list or map. */
void schema_check_value(struct decoder *, const struct shape *,
    const struct field *, enum api_about, const struct node *);

/* Checks the number of items, and whether they must differ. */
void schema_check_count(struct decoder *, const struct shape *,
    const struct field *, const struct node *);

/* Says that a field is missing. */
void schema_required(
    struct decoder *, const struct shape *, const struct field *);

/* Checks what all the fields together must hold: required ones, oneofs. */
void schema_check_given(struct decoder *, const struct shape *);

#endif
