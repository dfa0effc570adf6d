/*
 * What Envoy itself knows of its messages: fields, types and the rules of
 * protoc-gen-validate, taken from Envoy's program (envoy.api). What
 * we make of a field stands in our own tables (schema.h).
 */
#ifndef SALLYPORT_CONFIG_API_H
#define SALLYPORT_CONFIG_API_H

#include <stdint.h>

#include "base/str.h"

enum api_type {
	API_BOOL,
	API_INT32,
	API_INT64,
	API_UINT32,
	API_UINT64,
	API_FLOAT,
	API_DOUBLE,
	API_STRING,
	API_BYTES,
	API_ENUM,
	API_MESSAGE,
	API_ANY,
	API_DURATION,
	API_STRUCT,
	API_VALUE, /* google.protobuf.Value: anything, null too */
	API_EMPTY,
	API_OPAQUE, /* a message of another project */
};

enum api_label { API_ONE, API_LIST, API_MAP };

enum api_rule_kind {
	API_REQUIRED,
	API_SKIP,
	API_IGNORE_EMPTY,
	API_CONST,
	API_IN,
	API_NOT_IN,
	API_DEFINED, /* an enum's number is one of its values */
	API_GT,
	API_GE,
	API_LT,
	API_LE,
	API_MIN_LEN, /* characters */
	API_MAX_LEN,
	API_MIN_BYTES,
	API_MAX_BYTES,
	API_PATTERN,
	API_PREFIX,
	API_SUFFIX,
	API_HEADER_NAME,
	API_LOOSE_HEADER_NAME,
	API_HEADER_VALUE,
	API_LOOSE_HEADER_VALUE,
	API_MIN_ITEMS,
	API_MAX_ITEMS,
	API_UNIQUE,
};

/* What a rule is about: the field, the items of its list or map, or the keys. */
enum api_about { API_WHOLE, API_ITEM, API_KEY };

struct api_rule {
	enum api_rule_kind kind;
	enum api_about about;
	double number; /* bounds; durations in seconds */
	const char *text; /* the same as written; of API_IN: "a|b" */
};

struct api_field {
	const char *name; /* snake_case */
	const char *oneof; /* the group of which one field is set, or NULL */
	enum api_type type;
	enum api_label label;
	bool has_presence; /* a wrapper: absence is not the default */
	unsigned at; /* of the message in api_messages, or in api_enums */
	unsigned rule, n_rules; /* in api_rules */
	bool deprecated;
	bool disallowed; /* deprecated for so long that Envoy refuses it */
};

struct api_value {
	const char *name;
	int number;
	bool disallowed;
};

struct api_enum {
	const char *name;
	unsigned value, n_values; /* in api_values */
};

struct api_message {
	const char *name; /* full, "envoy.config.route.v3.Route" */
	const char *needed; /* groups of which a field is needed: "a,b"; NULL */
	unsigned field, n_fields; /* in api_fields */
};

extern const struct api_rule api_rules[];
extern const struct api_field api_fields[];
extern const struct api_value api_values[];
extern const struct api_enum api_enums[];
extern const struct api_message api_messages[]; /* sorted by name */
extern const size_t api_n_messages;

/* A message may have no more fields than this. */
enum { API_FIELDS_MAX = 128 };

/* The message of that full name, or NULL if Envoy has none. */
const struct api_message *api_find(struct str name);

/* The field that snake_case or lowerCamelCase names, or NULL. */
const struct api_field *api_find_field(
    const struct api_message *, struct str name);

/* The enum's value by name, in any case, or by number; NULL for none. */
const struct api_value *api_find_value(
    const struct api_field *, struct str word);

/* The field's rule of a kind, or NULL. */
const struct api_rule *api_rule(
    const struct api_field *, enum api_about, enum api_rule_kind);

/* Whether "use_remote_address" or "useRemoteAddress" is meant by key. */
bool api_is_named(const char *snake_case, struct str key);

#endif
