/*
 * Messages as tables: one row per field serves decoding, checking, messages
 * and the manual. The decoder turns a node into a C struct whose layout the rows
 * describe. Every known field is enforced, delegated to the web server
 * (accepted with a notice), or refused with its reason.
 *
 * A message that bears the name of one of Envoy's is read by Envoy's own table
 * too (api.h): its types and rules hold without being repeated here (a row may be
 * stricter), and a field that has no row is refused.
 *
 * Conventions of the decoded structs:
 *  - the first member is `const struct node *node`, the place it came from;
 *  - SCHEMA_STR and SCHEMA_BYTES are a struct str, absent when not given;
 *  - SCHEMA_MESSAGE is a pointer, NULL when not given;
 *  - SCHEMA_ANY is a struct any *, NULL when not given;
 *  - SCHEMA_NODE is a const struct node * (google.protobuf.Struct, raw);
 *  - SCHEMA_DURATION is an int64_t in nanoseconds;
 *  - a repeated field is a struct list of elements side by side (for messages and
 *    Any: the structs themselves, not pointers);
 *  - a map field is a struct map, its values pointers to what one element would be;
 *  - a wrapper or scalar whose absence matters has a `bool has_x` too.
 * As in protobuf's JSON form, names are accepted in snake_case and
 * lowerCamelCase, numbers may be strings, enums may be numbers, null is "not given".
 */
#ifndef SALLYPORT_CONFIG_SCHEMA_H
#define SALLYPORT_CONFIG_SCHEMA_H

#include <limits.h>
#include <stdint.h>

#include "config/diag.h"

enum schema_type {
	SCHEMA_BOOL, /* bool */
	SCHEMA_U32, /* uint32_t */
	SCHEMA_U64, /* uint64_t */
	SCHEMA_I64, /* int64_t */
	SCHEMA_DOUBLE, /* double */
	SCHEMA_STR, /* struct str */
	SCHEMA_BYTES, /* struct str, written in base64 */
	SCHEMA_DURATION, /* int64_t ns; "1.5s" or {seconds, nanos} */
	SCHEMA_ENUM, /* int; row->choices */
	SCHEMA_MESSAGE, /* struct x *; row->message */
	SCHEMA_ANY, /* struct any * */
	SCHEMA_NODE, /* const struct node * */
};

enum schema_label { SCHEMA_ONE, SCHEMA_LIST, SCHEMA_MAP };

enum schema_stance { SCHEMA_ENFORCED, SCHEMA_DELEGATED, SCHEMA_REFUSED };

struct list {
	void *items;
	size_t n;
};

struct map_entry {
	struct str key;
	struct place place;
	void *value;
};

struct map {
	struct map_entry *items;
	size_t n;
};

/* google.protobuf.Any, TypedStruct already unwrapped. */
struct any {
	const struct node *node; /* the map with the fields and "@type" */
	struct str type; /* full message name, without "type.googleapis.com/" */
	const char *path; /* dotted path, for messages */
};

struct schema_choice {
	const char *name;
	int value;
	const char *refused; /* NULL, or why this value is refused */
};

struct schema_field {
	const char *name; /* snake_case; NULL ends the table */
	enum schema_type type;
	enum schema_label label;
	enum schema_stance stance;
	size_t offset;
	size_t has_offset; /* of `bool has_x`; 0 for none */
	const struct schema_message *message;
	const struct schema_choice *choices; /* ended by a NULL name */
	double min, max; /* numbers and durations (s); both 0: no bounds */
	size_t min_items; /* lists, maps; for strings the least length */
	bool required;
	const char *oneof; /* at most one field of the same group is given */
	const char *fallback; /* default, as the user would write it, or NULL */
	const char *
	    text; /* a sentence for the operator; for refused ones the reason */
	const char *envoy; /* of the short form: what it stands for, or NULL */
};

struct schema_message {
	const char *name; /* full protobuf name, or the short form's own */
	size_t size;
	const struct schema_field *fields;
	const char *
	    required_oneof; /* groups of which one is needed, comma list, or NULL */
	/* Further rules after decoding; errors go to the diag. May be NULL. */
	void (*check)(struct diag *, const char *path, void *decoded);
};

/* A row's place in a struct; for fields with has_x use SCHEMA_AT_HAS. */
#define SCHEMA_AT(type, member) .offset = offsetof(type, member)
#define SCHEMA_AT_HAS(type, member)                                            \
	.offset = offsetof(type, member),                                      \
	.has_offset = offsetof(type, has_##member)

/*
 * What is decoded lives in the arena, texts and nodes of SCHEMA_NODE too; the
 * members called node are of the tree, which may be forgotten (tree.h).
 */

/*
 * Decodes node by the message into a new struct of arena memory. path is the
 * dotted path so far ("" at the top). All errors of the whole tree are
 * added to the diag; the struct returned (never NULL) is safe to walk even then.
 */
void *schema_decode(struct arena *, struct diag *, const char *path,
    const struct schema_message *, const struct node *);

/* The same for an Any whose message has been found. */
void *schema_decode_any(struct arena *, struct diag *,
    const struct schema_message *, const struct any *);

/*
 * Checks an Any by what Envoy itself knows of its message: fields, types and
 * rules. For what is accepted without being decoded.
 */
void schema_check_any(struct arena *, struct diag *, const struct any *);

/*
 * The same for a node of one of Envoy's messages, and every Any in it. After
 * errors, to tell in the same run what is wrong where nobody came to.
 */
void schema_check(struct arena *, struct diag *, const struct schema_message *,
    const struct node *);

/*
 * The candidate nearest to word by edit distance if it is near enough to be
 * meant, else NULL. candidates ends with NULL.
 */
const char *schema_nearest(struct str word, const char *const *candidates);

#endif
