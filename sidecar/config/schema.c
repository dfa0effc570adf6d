/*
 * The decoder behind all message tables. It never stops at a mistake: what is
 * wrong stays at its default and the rest is decoded.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "config/scalar.h"
#include "config/schema.h"

#define WORD_MAX 64

struct decoder {
	struct arena *arena;
	struct diag *diag;
	/* Envoy's own messages: exactly what protobuf's JSON form allows. */
	bool strict;
	/* The Any whose message is decoded: "@type" belongs to it. */
	const struct node *any;
};

static void decode_fields(struct decoder *, const char *path,
    const struct schema_message *, const struct node *, char *out);

static const char *
join(struct decoder *d, const char *path, const char *name)
{
	return *path ? arena_printf(d->arena, "%s.%s", path, name).ptr : name;
}

/* Optimal string alignment distance, letters compared without case. */
static size_t
distance(struct str a, struct str b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b.len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			char x = ascii_lower(a.ptr[i - 1]);
			char y = ascii_lower(b.ptr[j - 1]);
			size_t least = last[j - 1] + (x != y);

			if (last[j] + 1 < least)
				least = last[j] + 1;
			if (now[j - 1] + 1 < least)
				least = now[j - 1] + 1;
			if (i > 1 && j > 1 && x == ascii_lower(b.ptr[j - 2]) &&
			    y == ascii_lower(a.ptr[i - 2]) &&
			    before[j - 2] + 1 < least)
				least = before[j - 2] + 1;
			now[j] = least;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b.len];
}

const char *
schema_nearest(struct str word, const char *const *candidates)
{
	const char *best = NULL;
	size_t least = SIZE_MAX;

	if (word.len > WORD_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		struct str candidate = str_of(*candidates);
		size_t longest, d;

		if (candidate.len > WORD_MAX)
			continue;
		longest = candidate.len > word.len ? candidate.len : word.len;
		d = distance(word, candidate);
		if (d < least && d <= 3 && d * 3 <= longest + 1) {
			least = d;
			best = *candidates;
		}
	}
	return best;
}

static size_t
count_fields(const struct schema_message *message)
{
	size_t n = 0;

	while (message->fields[n].name)
		n++;
	return n;
}

/* "use_remote_address" is also "useRemoteAddress". */
static bool
is_named(const char *name, struct str key)
{
	size_t i = 0;

	if (str_eq(str_of(name), key))
		return true;
	for (; *name; name++) {
		char c = *name;

		if (c == '_' && name[1]) {
			c = *++name;
			if (c >= 'a' && c <= 'z')
				c = (char)(c - 'a' + 'A');
		}
		if (i == key.len || key.ptr[i++] != c)
			return false;
	}
	return i == key.len;
}

static const struct schema_field *
find_field(const struct schema_message *message, struct str key)
{
	for (const struct schema_field *f = message->fields; f->name; f++)
		if (is_named(f->name, key))
			return f;
	return NULL;
}

/* "a, b, c" of what may stand here, in a stated order. */
static struct str
listing(struct arena *arena, const char *const *names)
{
	struct str text = STR("");

	for (size_t i = 0; names[i]; i++)
		text = arena_printf(arena, STR_FMT "%s`%s`", STR_ARG(text),
		    i ? ", " : "", names[i]);
	return text;
}

/* A hint for a word that is none of the candidates. */
static void
suggest(struct decoder *d, struct str word, const char *const *candidates)
{
	const char *near = schema_nearest(word, candidates);
	struct str all;

	if (near) {
		diag_hint(d->diag, "did you mean `%s`?", near);
		return;
	}
	all = listing(d->arena, candidates);
	if (all.len && all.len < 400)
		diag_hint(d->diag, "allowed here: " STR_FMT, STR_ARG(all));
}

static void
unknown_field(struct decoder *d, const char *path,
    const struct schema_message *message, const struct node_item *item)
{
	size_t n = 0;
	const char **names =
	    ARENA_ARRAY(d->arena, count_fields(message) + 1, const char *);

	diag_error(d->diag, item->key_place, path,
	    "no such field: '" STR_FMT "'", STR_ARG(item->key));
	for (const struct schema_field *f = message->fields; f->name; f++)
		if (f->stance != SCHEMA_REFUSED)
			names[n++] = f->name;
	suggest(d, item->key, names);
}

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
	case SCALAR_NUMBER:
		return "a number";
	case SCALAR_TEXT:
		break;
	}
	return "a text";
}

static void
mismatch(struct decoder *d, const char *path, const char *wanted,
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
	if (f->max <= f->min)
		diag_error(d->diag, n->place, path,
		    "value must be greater than or equal to %g", f->min);
	else
		diag_error(d->diag, n->place, path,
		    "value must be inside range [%g, %g]", f->min, f->max);
	return false;
}

static void
decode_bool(
    struct decoder *d, const char *path, const struct node *n, void *out)
{
	bool value;

	if (n->kind == NODE_SCALAR && !n->quoted &&
	    scalar_to_bool(n->scalar, &value))
		*(bool *)out = value;
	else
		mismatch(d, path, "true or false", n);
}

static void
decode_integer(struct decoder *d, const char *path,
    const struct schema_field *f, const struct node *n, void *out)
{
	uint64_t value;

	if (n->kind != NODE_SCALAR || !scalar_to_u64(n->scalar, &value) ||
	    (f->type == SCHEMA_U32 && value > UINT32_MAX)) {
		mismatch(d, path,
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
		mismatch(d, path, "a whole number", n);
	else if (in_range(d, path, f, n, (double)value))
		*(int64_t *)out = value;
}

static void
decode_double(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, void *out)
{
	double value;

	if (n->kind != NODE_SCALAR || !scalar_to_double(n->scalar, &value))
		mismatch(d, path, "a number", n);
	else if (in_range(d, path, f, n, value))
		*(double *)out = value;
}

static void
decode_str(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, void *out)
{
	if (n->kind != NODE_SCALAR) {
		mismatch(d, path, "a text", n);
		return;
	}
	if (d->strict && !n->quoted && scalar_kind(n->scalar) != SCALAR_TEXT) {
		mismatch(d, path, "a text", n);
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
		mismatch(d, path, "bytes in base64", n);
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
	bool ok;

	if (n->kind != NODE_SCALAR)
		ok = duration_object(n, &ns);
	else if (d->strict)
		ok = scalar_to_seconds(n->scalar, &ns);
	else
		ok = scalar_to_duration(n->scalar, &ns);
	if (!ok) {
		mismatch(d, path, "a duration such as 30s or 1.5s", n);
		if (n->kind == NODE_SCALAR &&
		    scalar_kind(n->scalar) == SCALAR_NUMBER)
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
		mismatch(d, path, "the name of a value", n);
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
	suggest(d, n->scalar, names);
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
		mismatch(d, path, "a map with \"@type\"", n);
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

static void
decode_message(struct decoder *d, const char *path,
    const struct schema_message *message, const struct node *n, void *out)
{
	bool strict = d->strict;

	d->strict = !strncmp(message->name, "envoy.", 6);
	decode_fields(d, path, message, n, out);
	d->strict = strict;
}

/* One element, in place: messages and Any as structs. */
static void
decode_element(struct decoder *d, const char *path,
    const struct schema_field *f, const struct node *n, void *out)
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
	case SCHEMA_MESSAGE:
		decode_message(d, path, f->message, n, out);
		return;
	case SCHEMA_ANY:
		decode_any(d, path, n, out);
		return;
	case SCHEMA_NODE:
		break;
	}
	*(const struct node **)out = n;
}

static size_t
element_size(const struct schema_field *f)
{
	switch (f->type) {
	case SCHEMA_BOOL:
		return sizeof(bool);
	case SCHEMA_U32:
		return sizeof(uint32_t);
	case SCHEMA_U64:
	case SCHEMA_I64:
	case SCHEMA_DURATION:
		return sizeof(int64_t);
	case SCHEMA_DOUBLE:
		return sizeof(double);
	case SCHEMA_STR:
	case SCHEMA_BYTES:
		return sizeof(struct str);
	case SCHEMA_ENUM:
		return sizeof(int);
	case SCHEMA_MESSAGE:
		return f->message->size;
	case SCHEMA_ANY:
		return sizeof(struct any);
	case SCHEMA_NODE:
		break;
	}
	return sizeof(struct node *);
}

static void
check_count(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n)
{
	if (n->n < f->min_items)
		diag_error(d->diag, n->place, path,
		    "value must contain at least %zu item(s)", f->min_items);
}

static void
decode_list(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, struct list *out)
{
	size_t size = element_size(f);
	char *items;

	if (n->kind != NODE_LIST) {
		mismatch(d, path, "a list", n);
		return;
	}
	check_count(d, path, f, n);
	items = arena_alloc_array(d->arena, n->n, size);
	for (size_t i = 0; i < n->n; i++)
		decode_element(d,
		    arena_printf(d->arena, "%s[%zu]", path, i).ptr, f,
		    n->items[i].value, items + i * size);
	*out = (struct list){ items, n->n };
}

static void
decode_map(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, struct map *out)
{
	if (n->kind != NODE_MAP) {
		mismatch(d, path, "a map", n);
		return;
	}
	check_count(d, path, f, n);
	out->items = ARENA_ARRAY(d->arena, n->n, struct map_entry);
	out->n = n->n;
	for (size_t i = 0; i < n->n; i++) {
		struct map_entry *e = &out->items[i];

		e->key = n->items[i].key;
		e->place = n->items[i].key_place;
		e->value = arena_alloc(d->arena, element_size(f));
		decode_element(d,
		    arena_printf(
			d->arena, "%s[\"" STR_FMT "\"]", path, STR_ARG(e->key))
			.ptr,
		    f, n->items[i].value, e->value);
	}
}

static void
decode_value(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node *n, char *out)
{
	void *at = out + f->offset;

	if (f->has_offset)
		*(bool *)(void *)(out + f->has_offset) = true;
	if (f->label == SCHEMA_LIST) {
		decode_list(d, path, f, n, at);
	} else if (f->label == SCHEMA_MAP) {
		decode_map(d, path, f, n, at);
	} else if (f->type == SCHEMA_MESSAGE || f->type == SCHEMA_ANY) {
		void *element = arena_alloc(d->arena, element_size(f));

		decode_element(d, path, f, n, element);
		*(void **)at = element;
	} else {
		decode_element(d, path, f, n, at);
	}
}

/* false, 0, "" and [] mean "not given" in protobuf. */
static bool
is_default(const struct schema_field *f, const struct node *n)
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

/* Whether a field is to be decoded; others are reported and passed over. */
static bool
is_enforced(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node_item *item)
{
	if (f->stance == SCHEMA_ENFORCED)
		return true;
	if (is_default(f, item->value))
		return false;
	if (f->stance == SCHEMA_REFUSED)
		diag_error(d->diag, item->key_place, path,
		    "`%s` is not supported: %s", f->name, f->text);
	else
		diag_warn(d->diag, item->key_place, path,
		    "`%s` has no effect here: %s", f->name, f->text);
	return false;
}

static void
apply_fallbacks(
    struct decoder *d, const struct schema_message *message, char *out)
{
	for (const struct schema_field *f = message->fields; f->name; f++) {
		struct node *n;
		struct schema_field scalar = *f;

		if (!f->fallback || f->label != SCHEMA_ONE ||
		    f->stance != SCHEMA_ENFORCED)
			continue;
		n = node_plain(
		    d->arena, (struct place){ 0 }, str_of(f->fallback));
		n->quoted = f->type == SCHEMA_STR;
		scalar.has_offset = 0;
		decode_value(d, f->name, &scalar, n, out);
	}
}

/* Names of the fields of a oneof, as "a, b or c". */
static struct str
oneof_names(struct decoder *d, const struct schema_message *message,
    const char *group, size_t len)
{
	struct str text = STR("");

	for (const struct schema_field *f = message->fields; f->name; f++)
		if (f->oneof && strlen(f->oneof) == len &&
		    !strncmp(f->oneof, group, len) &&
		    f->stance == SCHEMA_ENFORCED)
			text = arena_printf(d->arena, STR_FMT "%s`%s`",
			    STR_ARG(text), text.len ? ", " : "", f->name);
	return text;
}

static void
check_oneofs(struct decoder *d, const char *path,
    const struct schema_message *message, const struct node_item **given)
{
	const struct schema_field *fields = message->fields;

	for (size_t i = 0; fields[i].name; i++) {
		size_t first = 0;

		if (!fields[i].oneof || !given[i])
			continue;
		while (first < i &&
		       (!given[first] || !fields[first].oneof ||
			   strcmp(fields[first].oneof, fields[i].oneof)))
			first++;
		if (first == i)
			continue;
		diag_error(d->diag, given[i]->key_place, path,
		    "`%s` and `%s` exclude each other", fields[first].name,
		    fields[i].name);
		diag_hint(d->diag, "one of " STR_FMT,
		    STR_ARG(oneof_names(
			d, message, fields[i].oneof, strlen(fields[i].oneof))));
	}
}

static void
check_oneof_given(struct decoder *d, const char *path,
    const struct schema_message *message, const struct node_item **given,
    const struct node *n)
{
	struct str rest = str_of(message->required_oneof);

	while (rest.ptr) {
		struct str group = str_trim(str_split(&rest, ','));
		bool found = false;

		for (size_t i = 0; message->fields[i].name; i++)
			if (given[i] && message->fields[i].oneof &&
			    str_eq(str_of(message->fields[i].oneof), group))
				found = true;
		if (!found)
			diag_error(d->diag, n->place, path,
			    "value is required: one of " STR_FMT,
			    STR_ARG(
				oneof_names(d, message, group.ptr, group.len)));
	}
}

static void
check_required(struct decoder *d, const char *path,
    const struct schema_message *message, const struct node_item **given,
    const struct node *n)
{
	for (size_t i = 0; message->fields[i].name; i++)
		if (message->fields[i].required && !given[i])
			diag_error(d->diag, n->place, path,
			    "`%s`: value is required", message->fields[i].name);
	check_oneofs(d, path, message, given);
	check_oneof_given(d, path, message, given, n);
}

static void
decode_fields(struct decoder *d, const char *path,
    const struct schema_message *message, const struct node *n, char *out)
{
	const struct node_item **given = ARENA_ARRAY(
	    d->arena, count_fields(message) + 1, const struct node_item *);

	*(const struct node **)(void *)out = n;
	apply_fallbacks(d, message, out);
	if (n->kind != NODE_MAP) {
		mismatch(d, path, "a map", n);
		return;
	}
	for (size_t i = 0; i < n->n; i++) {
		const struct node_item *item = &n->items[i];
		const struct schema_field *f = find_field(message, item->key);
		size_t index;

		if (!f) {
			if (n != d->any || !str_eq(item->key, STR("@type")))
				unknown_field(d, path, message, item);
			continue;
		}
		index = (size_t)(f - message->fields);
		if (given[index]) {
			diag_error(d->diag, item->key_place, path,
			    "`%s` stands here twice, also as `" STR_FMT "`",
			    f->name, STR_ARG(given[index]->key));
			continue;
		}
		if (item->value->kind == NODE_NULL)
			continue;
		given[index] = item;
		if (is_enforced(d, path, f, item))
			decode_value(
			    d, join(d, path, f->name), f, item->value, out);
	}
	check_required(d, path, message, given, n);
	if (message->check)
		message->check(d->diag, path, out);
}

static void *
decode_top(struct decoder d, const char *path,
    const struct schema_message *message, const struct node *n)
{
	void *out = arena_alloc(d.arena, message->size);

	decode_message(&d, path ? path : "", message, n, out);
	return out;
}

void *
schema_decode(struct arena *arena, struct diag *diag, const char *path,
    const struct schema_message *message, const struct node *n)
{
	struct decoder d = { .arena = arena, .diag = diag };

	return decode_top(d, path, message, n);
}

void *
schema_decode_any(struct arena *arena, struct diag *diag,
    const struct schema_message *message, const struct any *any)
{
	struct decoder d = { .arena = arena, .diag = diag, .any = any->node };

	return decode_top(d, any->path, message, any->node);
}
