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
schema_mismatch(struct decoder *d, const char *path, const char *wanted,
    const struct node *n)
{
	if (n->kind == NODE_SCALAR && n->scalar.len <= 60)
		diag_error(d->diag, n->place, path,
		    "expected %s, found '" STR_FMT "'", wanted,
		    STR_ARG(n->scalar));
	else
		diag_error(d->diag, n->place, path, "expected %s, found %s",
		    wanted, kind_name(n));
}

static bool
in_range(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, double value)
{
	if (!(f->min < 0) && !(f->min > 0) && !(f->max > 0))
		return true;
	if (value >= f->min && (f->max <= f->min || value <= f->max))
		return true;
	if (f->min > 0 && f->min < 1e-6)
		diag_error(
		    d->diag, n->place, path, "value must be greater than 0");
	else if (f->max <= f->min)
		diag_error(d->diag, n->place, path,
		    "value must be greater than or equal to %.15g", f->min);
	else
		diag_error(d->diag, n->place, path,
		    "value must be inside range [%.15g, %.15g]", f->min,
		    f->max);
	return false;
}

static void
decode_bool(
    struct decoder *d, const char *path, const struct node *n, void *out)
{
	bool value;

	if (n->kind == NODE_SCALAR && scalar_to_bool(n->scalar, &value))
		*(bool *)out = value;
	else
		schema_mismatch(d, path, "true or false", n);
}

static void
decode_integer(struct decoder *d, const char *path,
    const struct schema_field *f, const struct node *n, void *out)
{
	uint64_t value;

	if (n->kind != NODE_SCALAR || !scalar_to_u64(n->scalar, &value) ||
	    (f->type == SCHEMA_U32 && value > UINT32_MAX)) {
		schema_mismatch(d, path,
		    f->type == SCHEMA_U32
			? "a whole number from 0 to 4294967295"
			: "a whole number",
		    n);
		return;
	}
	if (!in_range(d, path, f, n, (double)value))
		return;
	if (f->type == SCHEMA_U32)
		*(uint32_t *)out = (uint32_t)value;
	else
		*(uint64_t *)out = value;
}

static void
decode_i64(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, void *out)
{
	int64_t value;

	if (n->kind != NODE_SCALAR || !scalar_to_i64(n->scalar, &value))
		schema_mismatch(d, path, "a whole number", n);
	else if (in_range(d, path, f, n, (double)value))
		*(int64_t *)out = value;
}

static void
decode_double(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, void *out)
{
	double value;

	if (n->kind != NODE_SCALAR || !scalar_to_double(n->scalar, &value))
		schema_mismatch(d, path, "a number", n);
	else if (in_range(d, path, f, n, value))
		*(double *)out = value;
}

/* What Envoy's reader does not take for a text. */
static bool
is_typed(struct str scalar)
{
	enum scalar_kind kind = scalar_kind(scalar);

	return kind == SCALAR_BOOL || kind == SCALAR_INTEGER;
}

static void
decode_str(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, void *out)
{
	if (n->kind != NODE_SCALAR) {
		schema_mismatch(d, path, "a text", n);
		return;
	}
	if (d->strict && !n->quoted && is_typed(n->scalar)) {
		schema_mismatch(d, path, "a text", n);
		diag_hint(d->diag, "write it in quotes: \"" STR_FMT "\"",
		    STR_ARG(n->scalar));
		return;
	}
	if (memchr(n->scalar.ptr, '\0', n->scalar.len)) {
		diag_error(
		    d->diag, n->place, path, "a NUL byte is not allowed");
		return;
	}
	if (n->scalar.len < f->min_items) {
		diag_error(d->diag, n->place, path,
		    "value length must be at least %zu characters",
		    f->min_items);
		return;
	}
	*(struct str *)out = n->scalar;
}

static void
decode_bytes(
    struct decoder *d, const char *path, const struct node *n, void *out)
{
	if (n->kind != NODE_SCALAR ||
	    !scalar_to_bytes(d->arena, n->scalar, out))
		schema_mismatch(d, path, "bytes in base64", n);
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

static void
decode_duration(struct decoder *d, const char *path,
    const struct schema_field *f, const struct node *n, void *out)
{
	int64_t ns;
	double s;
	bool ok;

	if (n->kind != NODE_SCALAR)
		ok = duration_object(n, &ns);
	else if (d->strict)
		ok = scalar_to_seconds(n->scalar, &ns);
	else
		ok = scalar_to_duration(n->scalar, &ns);
	if (!ok) {
		schema_mismatch(d, path, "a duration such as 30s or 1.5s", n);
		if (n->kind == NODE_SCALAR && scalar_to_double(n->scalar, &s))
			diag_hint(d->diag, "in seconds: " STR_FMT "s",
			    STR_ARG(n->scalar));
		return;
	}
	if (in_range(d, path, f, n, (double)ns / (double)NS_PER_S))
		*(int64_t *)out = ns;
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

static void
decode_enum(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, void *out)
{
	const struct schema_choice *choice;
	const char **names;
	size_t count = 0;

	if (n->kind != NODE_SCALAR) {
		schema_mismatch(d, path, "the name of a value", n);
		return;
	}
	choice = find_choice(f->choices, n->scalar);
	if (choice && choice->refused) {
		diag_error(d->diag, n->place, path, "%s is not supported: %s",
		    choice->name, choice->refused);
		return;
	}
	if (choice) {
		*(int *)out = choice->value;
		return;
	}
	diag_error(d->diag, n->place, path, "unknown enum value: '" STR_FMT "'",
	    STR_ARG(n->scalar));
	for (const struct schema_choice *c = f->choices; c->name; c++)
		count++;
	names = ARENA_ARRAY(d->arena, count + 1, const char *);
	count = 0;
	for (const struct schema_choice *c = f->choices; c->name; c++)
		if (!c->refused)
			names[count++] = c->name;
	schema_suggest(d, n->scalar, names);
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
read_type(struct decoder *d, const char *path, const struct node *n,
    const char *field)
{
	const struct node *type = node_get(n, field);

	if (type && type->kind == NODE_SCALAR && type_name(type->scalar).len)
		return type_name(type->scalar);
	diag_error(d->diag, type ? type->place : n->place, path,
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

static void
decode_any(
    struct decoder *d, const char *path, const struct node *n, struct any *out)
{
	struct node *empty;

	out->node = n;
	out->path = path;
	if (n->kind != NODE_MAP) {
		schema_mismatch(d, path, "a map with \"@type\"", n);
		return;
	}
	out->type = read_type(d, path, n, "@type");
	if (str_eq(out->type, STR("xds.type.v3.TypedStruct")) ||
	    str_eq(out->type, STR("udpa.type.v1.TypedStruct")))
		out->type = read_type(d, path, n, "type_url");
	else if (!is_well_known(out->type))
		return;
	out->node = node_get(n, "value");
	if (out->node)
		return;
	empty = node_map(d->arena, n->place);
	out->node = empty;
}

void
schema_read(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, void *out)
{
	switch (f->type) {
	case SCHEMA_BOOL:
		decode_bool(d, path, n, out);
		return;
	case SCHEMA_U32:
	case SCHEMA_U64:
		decode_integer(d, path, f, n, out);
		return;
	case SCHEMA_I64:
		decode_i64(d, path, f, n, out);
		return;
	case SCHEMA_DOUBLE:
		decode_double(d, path, f, n, out);
		return;
	case SCHEMA_STR:
		decode_str(d, path, f, n, out);
		return;
	case SCHEMA_BYTES:
		decode_bytes(d, path, n, out);
		return;
	case SCHEMA_DURATION:
		decode_duration(d, path, f, n, out);
		return;
	case SCHEMA_ENUM:
		decode_enum(d, path, f, n, out);
		return;
	case SCHEMA_ANY:
		decode_any(d, path, n, out);
		return;
	case SCHEMA_MESSAGE:
		return;
	case SCHEMA_NODE:
		break;
	}
	*(const struct node **)out = n;
}

bool
schema_is_default(const struct schema_field *f, const struct node *n)
{
	bool value = true;
	double number = 1;

	if (f->type == SCHEMA_ENUM && n->kind == NODE_SCALAR) {
		const struct schema_choice *choice =
		    find_choice(f->choices, n->scalar);

		return choice && choice->value == 0;
	}
	if (f->type == SCHEMA_MESSAGE || f->type == SCHEMA_ANY ||
	    f->type == SCHEMA_NODE)
		return n->kind == NODE_LIST && n->n == 0;
	if (n->kind != NODE_SCALAR)
		return n->n == 0;
	return n->scalar.len == 0 ||
	       (scalar_to_bool(n->scalar, &value) && !value) ||
	       (scalar_to_double(n->scalar, &number) && !(number > 0) &&
		   !(number < 0));
}
