/* Single values: scalars as protobuf's JSON form allows them, and Any. */
#include "config.h"

#include "base/clock.h"
#include "config/scalar.h"
#include "config/schema_decoder.h"

static const char *
kind_name(const struct node *n)
{
	switch (n->kind) {
	case NODE_NULL:
		return "nothing";
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a map";
	case NODE_SCALAR:
		break;
	}
	if (n->quoted)
		return "a text";
	switch (scalar_kind(n->scalar)) {
	case SCALAR_NULL:
		return "nothing";
	case SCALAR_BOOL:
		return "true or false";
	case SCALAR_INTEGER:
	case SCALAR_NUMBER:
		return "a number";
	case SCALAR_TEXT:
		break;
	}
	return "a text";
}

void
schema_mismatch(struct decoder *d, const char *wanted, const struct node *n)
{
	bool brief = n->kind == NODE_SCALAR && n->scalar.len <= 60;
	const char *quote = brief ? "'" : "";
	struct str found = brief ? n->scalar : str_of(kind_name(n));

	if (d->api)
		diag_error(d->diag, n->place, d->path,
		    "Unable to parse JSON as proto (INVALID_ARGUMENT: expected "
		    "%s, found %s" STR_FMT "%s)",
		    wanted, quote, STR_ARG(found), quote);
	else
		diag_error(d->diag, n->place, d->path,
		    "expected %s, found %s" STR_FMT "%s", wanted, quote,
		    STR_ARG(found), quote);
}

static bool
read_bool(struct decoder *d, const struct node *n, void *out)
{
	if (n->kind == NODE_SCALAR && scalar_to_bool(n->scalar, out))
		return true;
	schema_mismatch(d, "true or false", n);
	return false;
}

static bool
read_unsigned(struct decoder *d, const struct node *n, bool is_short, void *out)
{
	uint64_t value;

	if (n->kind != NODE_SCALAR || !scalar_to_u64(n->scalar, &value) ||
	    (is_short && value > UINT32_MAX)) {
		schema_mismatch(d,
		    is_short ? "a whole number from 0 to 4294967295"
			     : "a whole number",
		    n);
		return false;
	}
	if (is_short)
		*(uint32_t *)out = (uint32_t)value;
	else
		*(uint64_t *)out = value;
	return true;
}

static bool
read_signed(struct decoder *d, const struct node *n, bool is_short, void *out)
{
	int64_t value;

	if (n->kind != NODE_SCALAR || !scalar_to_i64(n->scalar, &value) ||
	    (is_short && (value > INT32_MAX || value < INT32_MIN))) {
		schema_mismatch(d, "a whole number", n);
		return false;
	}
	*(int64_t *)out = value;
	return true;
}

static bool
read_double(struct decoder *d, const struct node *n, void *out)
{
	if (n->kind == NODE_SCALAR && scalar_to_double(n->scalar, out))
		return true;
	schema_mismatch(d, "a number", n);
	return false;
}

/* What Envoy's reader gives a type other than text when it is not quoted. */
static bool
is_typed(struct str s)
{
	enum scalar_kind kind = scalar_kind(s);

	return kind == SCALAR_BOOL || kind == SCALAR_INTEGER;
}

static bool
read_str(struct decoder *d, const struct node *n, void *out)
{
	if (n->kind != NODE_SCALAR) {
		schema_mismatch(d, "a text", n);
		return false;
	}
	if (d->strict && !n->quoted && is_typed(n->scalar)) {
		schema_mismatch(d, "a text", n);
		diag_hint(d->diag, "write it in quotes: \"" STR_FMT "\"",
		    STR_ARG(n->scalar));
		return false;
	}
	if (memchr(n->scalar.ptr, '\0', n->scalar.len)) {
		diag_error(
		    d->diag, n->place, d->path, "a NUL byte is not allowed");
		return false;
	}
	*(struct str *)out = arena_str(d->arena, n->scalar);
	return true;
}

static bool
read_bytes(struct decoder *d, const struct node *n, void *out)
{
	if (n->kind == NODE_SCALAR && scalar_to_bytes(d->arena, n->scalar, out))
		return true;
	schema_mismatch(d, "bytes in base64", n);
	return false;
}

static bool
duration_object(const struct node *n, int64_t *ns)
{
	const struct node *seconds = node_get(n, "seconds");
	const struct node *nanos = node_get(n, "nanos");
	int64_t s = 0, rest = 0;
	size_t known = (seconds ? 1U : 0U) + (nanos ? 1U : 0U);

	if (n->kind != NODE_MAP || n->n != known ||
	    (seconds && !scalar_to_i64(seconds->scalar, &s)) ||
	    (nanos && !scalar_to_i64(nanos->scalar, &rest)) || s < 0 ||
	    rest < 0 || rest >= NS_PER_S ||
	    __builtin_mul_overflow(s, NS_PER_S, &s))
		return false;
	return !__builtin_add_overflow(s, rest, ns);
}

bool
schema_duration(const struct decoder *d, const struct node *n, int64_t *ns)
{
	if (n->kind != NODE_SCALAR)
		return duration_object(n, ns);
	return d->strict ? scalar_to_seconds(n->scalar, ns)
			 : scalar_to_duration(n->scalar, ns);
}

static bool
read_duration(struct decoder *d, const struct node *n, void *out)
{
	double s;

	if (schema_duration(d, n, out))
		return true;
	schema_mismatch(d, "a duration such as 30s or 1.5s", n);
	if (n->kind == NODE_SCALAR && scalar_to_double(n->scalar, &s))
		diag_hint(
		    d->diag, "in seconds: " STR_FMT "s", STR_ARG(n->scalar));
	return false;
}

static const struct schema_choice *
find_choice(const struct schema_choice *choices, struct str word)
{
	int64_t number;
	bool is_number = scalar_to_i64(word, &number);

	for (; choices->name; choices++)
		if (str_eq_nocase(str_of(choices->name), word) ||
		    (is_number && choices->value == number))
			return choices;
	return NULL;
}

/* Names that an enum's value may have here, ended by NULL. */
static const char *const *
value_names(struct decoder *d, const struct field *f)
{
	const struct api_enum *e = f->api ? &api_enums[f->api->at] : NULL;
	size_t n = 0, count = e ? e->n_values : 0;
	const struct schema_choice *c = f->row ? f->row->choices : NULL;
	const char **names;

	for (const struct schema_choice *each = c; each && each->name; each++)
		count++;
	names = ARENA_ARRAY(d->arena, count + 1, const char *);
	for (; c && c->name; c++)
		if (!c->refused)
			names[n++] = c->name;
	for (unsigned i = 0; e && !f->row && i < e->n_values; i++)
		names[n++] = api_values[e->value + i].name;
	return names;
}

static bool
unknown_value(struct decoder *d, const struct field *f, const struct node *n)
{
	diag_error(d->diag, n->place, d->path,
	    d->api ? "Unable to parse JSON as proto (INVALID_ARGUMENT: "
		     "unknown enum value: '" STR_FMT "')"
		   : "unknown enum value: '" STR_FMT "'",
	    STR_ARG(n->scalar));
	schema_suggest(d, n->scalar, value_names(d, f));
	return false;
}

static bool
read_enum(
    struct decoder *d, const struct field *f, const struct node *n, void *out)
{
	const struct api_value *value = NULL;
	const struct schema_choice *choice = NULL;

	if (n->kind != NODE_SCALAR) {
		schema_mismatch(d, "the name of a value", n);
		return false;
	}
	if (f->api)
		value = api_find_value(f->api, n->scalar);
	if (f->api && (!value || value->disallowed))
		return unknown_value(d, f, n);
	if (f->row)
		choice = find_choice(
		    f->row->choices, value ? str_of(value->name) : n->scalar);
	if (!choice && f->row && !f->api)
		return unknown_value(d, f, n);
	if (f->row && (!choice || choice->refused)) {
		diag_error(d->diag, n->place, d->path,
		    "%s is not supported: %s",
		    value ? value->name : choice->name,
		    choice ? choice->refused : "it is not built in");
		return false;
	}
	*(int *)out = choice ? choice->value : value->number;
	return true;
}

static struct str
type_name(struct str url)
{
	for (size_t i = url.len; i-- > 0;)
		if (url.ptr[i] == '/')
			return str_slice(url, i + 1, url.len);
	return url;
}

/* The type URL in a map's field, or absent with the error added. */
static struct str
read_type(struct decoder *d, const struct node *n, const char *field)
{
	const struct node *type = node_get(n, field);

	if (type && type->kind == NODE_SCALAR && type_name(type->scalar).len)
		return arena_str(d->arena, type_name(type->scalar));
	diag_error(d->diag, type ? type->place : n->place, d->path,
	    "`%s` is needed: the full name of the message", field);
	return STR_NONE;
}

/* Whether an Any of this type keeps its content under "value". */
static bool
is_well_known(struct str type)
{
	return str_eq(type, STR("google.protobuf.Struct")) ||
	       str_eq(type, STR("google.protobuf.ListValue")) ||
	       (str_starts(type, STR("google.protobuf.")) &&
		   str_ends(type, STR("Value")));
}

/* Whether an Any is a TypedStruct, and nothing is in it but its fields. */
static bool
is_typed_struct(struct decoder *d, struct str type, const struct node *n)
{
	static const char *const fields[] = { "@type", "type_url", "typeUrl",
		"value" };

	if (!str_eq(type, STR("xds.type.v3.TypedStruct")) &&
	    !str_eq(type, STR("udpa.type.v1.TypedStruct")))
		return false;
	for (size_t i = 0; i < n->n; i++) {
		size_t at = 0;

		while (at < 4 && !str_eq(n->items[i].key, str_of(fields[at])))
			at++;
		if (at == 4)
			diag_error(d->diag, n->items[i].key_place, d->path,
			    "no such field: '" STR_FMT "'",
			    STR_ARG(n->items[i].key));
	}
	return true;
}

/* Envoy finds a message by its full name, behind a host that is any word. */
static bool
check_type(struct decoder *d, const struct node *n, struct str type)
{
	const struct node *url = node_get(n, "@type");

	if (!d->api || !type.ptr)
		return type.ptr;
	if (type.len + 2 > url->scalar.len) {
		diag_error(d->diag, url->place, d->path,
		    "Unable to parse JSON as proto (INVALID_ARGUMENT: @type "
		    "must contain at least one / and a nonempty host; got: " STR_FMT
		    ")",
		    STR_ARG(url->scalar));
		return false;
	}
	if (api_find(type) || str_starts(type, STR("google.protobuf.")) ||
	    str_starts(type, STR("udpa.type.v1.")))
		return true;
	diag_error(d->diag, url->place, d->path,
	    "Unable to parse JSON as proto (INVALID_ARGUMENT: could not find "
	    "@type '" STR_FMT "')",
	    STR_ARG(url->scalar));
	return false;
}

static bool
read_any(struct decoder *d, const struct node *n, struct any *out)
{
	bool is_known;

	out->node = n;
	out->path = arena_cstr(d->arena, (struct str){ d->path, d->path_len });
	if (n->kind != NODE_MAP) {
		schema_mismatch(d, "a map with \"@type\"", n);
		return false;
	}
	out->type = read_type(d, n, "@type");
	is_known = is_well_known(out->type);
	if (!check_type(d, n, out->type)) {
		out->type = STR_NONE;
		return false;
	}
	if (is_typed_struct(d, out->type, n))
		out->type = read_type(
		    d, n, node_get(n, "typeUrl") ? "typeUrl" : "type_url");
	else if (!is_known)
		return true;
	out->node = node_get(n, "value");
	if (out->node && !is_known && out->node->kind != NODE_MAP) {
		schema_mismatch(d, "a map", out->node);
		return false;
	}
	if (!out->node)
		out->node = node_map(d->arena, n->place);
	return out->type.ptr;
}

static bool
read_node(
    struct decoder *d, const struct field *f, const struct node *n, void *out)
{
	bool is_map =
	    f->api &&
	    (f->api->type == API_STRUCT || f->api->type == API_ANY ||
		f->api->type == API_EMPTY || f->api->type == API_OPAQUE);

	if (is_map && n->kind != NODE_MAP) {
		schema_mismatch(d, "a map", n);
		return false;
	}
	if (f->api && f->api->type == API_EMPTY && n->n) {
		diag_error(d->diag, n->items[0].key_place, d->path,
		    "no such field: '" STR_FMT "'", STR_ARG(n->items[0].key));
		return false;
	}
	*(const struct node **)out = f->row ? node_copy(d->arena, n) : n;
	return true;
}

static enum schema_type
type_of(const struct field *f)
{
	static const enum schema_type types[] = {
		[API_BOOL] = SCHEMA_BOOL,
		[API_INT32] = SCHEMA_I64,
		[API_INT64] = SCHEMA_I64,
		[API_UINT32] = SCHEMA_U32,
		[API_UINT64] = SCHEMA_U64,
		[API_FLOAT] = SCHEMA_DOUBLE,
		[API_DOUBLE] = SCHEMA_DOUBLE,
		[API_STRING] = SCHEMA_STR,
		[API_BYTES] = SCHEMA_BYTES,
		[API_ENUM] = SCHEMA_ENUM,
		[API_MESSAGE] = SCHEMA_MESSAGE,
		[API_ANY] = SCHEMA_ANY,
		[API_DURATION] = SCHEMA_DURATION,
		[API_STRUCT] = SCHEMA_NODE,
		[API_VALUE] = SCHEMA_NODE,
		[API_EMPTY] = SCHEMA_NODE,
		[API_OPAQUE] = SCHEMA_NODE,
	};

	return f->row ? f->row->type : types[f->api->type];
}

bool
schema_read(
    struct decoder *d, const struct field *f, const struct node *n, void *out)
{
	switch (type_of(f)) {
	case SCHEMA_BOOL:
		return read_bool(d, n, out);
	case SCHEMA_U32:
		return read_unsigned(d, n, true, out);
	case SCHEMA_U64:
		return read_unsigned(d, n, false, out);
	case SCHEMA_I64:
		return read_signed(
		    d, n, f->api && f->api->type == API_INT32, out);
	case SCHEMA_DOUBLE:
		return read_double(d, n, out);
	case SCHEMA_STR:
		return read_str(d, n, out);
	case SCHEMA_BYTES:
		return read_bytes(d, n, out);
	case SCHEMA_DURATION:
		return read_duration(d, n, out);
	case SCHEMA_ENUM:
		return read_enum(d, f, n, out);
	case SCHEMA_ANY:
		return read_any(d, n, out);
	case SCHEMA_MESSAGE:
		return true;
	case SCHEMA_NODE:
		break;
	}
	return read_node(d, f, n, out);
}

/* Whether protobuf would not tell the value from absence. */
static bool
is_zero(const struct node *n)
{
	bool value = true;
	double number = 1;

	return n->scalar.len == 0 ||
	       (scalar_to_bool(n->scalar, &value) && !value) ||
	       (scalar_to_double(n->scalar, &number) && !(number > 0) &&
		   !(number < 0));
}

static bool
is_first_value(const struct field *f, struct str word)
{
	const struct schema_choice *choice;
	const struct api_value *value;

	if (f->api && f->api->type == API_ENUM) {
		value = api_find_value(f->api, word);
		return value && value->number == 0;
	}
	choice = f->row && f->row->choices ? find_choice(f->row->choices, word)
					   : NULL;
	return choice && choice->value == 0;
}

bool
schema_is_default(const struct field *f, const struct node *n)
{
	enum schema_type type = type_of(f);
	bool is_enum = f->api ? f->api->type == API_ENUM : type == SCHEMA_ENUM;
	bool is_message =
	    type == SCHEMA_MESSAGE || type == SCHEMA_ANY || type == SCHEMA_NODE;

	if (n->kind == NODE_SCALAR && is_enum)
		return is_first_value(f, n->scalar);
	/* Our rows say SCHEMA_NODE of any field that they do not read. */
	if (is_message && f->api && !f->api->has_presence)
		is_message =
		    f->api->type >= API_MESSAGE && f->api->type != API_ENUM;
	if (is_message)
		return n->kind == NODE_LIST && n->n == 0;
	return n->kind == NODE_SCALAR ? is_zero(n) : n->n == 0;
}
