/*
 * The decoder behind all message tables. It never stops at a mistake: what is
 * wrong stays at its default and the rest is decoded.
 */
#include "config.h"

#include "config/schema_decoder.h"

static void decode_fields(struct decoder *, const char *path,
    const struct schema_message *, const struct node *, char *out);

static const char *
join(struct decoder *d, const char *path, const char *name)
{
	return *path ? arena_printf(d->arena, "%s.%s", path, name).ptr : name;
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
	schema_suggest(d, item->key, names);
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
	if (f->type == SCHEMA_MESSAGE)
		decode_message(d, path, f->message, n, out);
	else
		schema_read(d, path, f, n, out);
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
		schema_mismatch(d, path, "a list", n);
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
		schema_mismatch(d, path, "a map", n);
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

/* Whether a field is to be decoded; others are reported and passed over. */
static bool
is_enforced(struct decoder *d, const char *path, const struct schema_field *f,
    const struct node_item *item)
{
	if (f->stance == SCHEMA_ENFORCED)
		return true;
	if (schema_is_default(f, item->value))
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

/* A refused field may be of any oneof: it has been reported already. */
static bool
is_of(const struct schema_field *f, struct str group)
{
	return f->stance == SCHEMA_REFUSED ||
	       (f->oneof && str_eq(str_of(f->oneof), group));
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
			if (given[i] && is_of(&message->fields[i], group))
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
		schema_mismatch(d, path, "a map", n);
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
