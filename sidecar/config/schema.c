/*
 * The decoder behind all message tables. It never stops at a mistake: what is
 * wrong stays at its default and the rest is decoded.
 */
#include "config.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#include "config/schema_decoder.h"

/* Where a value goes that is only checked. */
struct scratch {
	alignas(max_align_t) char bytes[sizeof(struct any)];
};

static void decode_fields(struct decoder *, struct shape *, char *out);

static void
append(struct decoder *d, struct str text)
{
	size_t room = sizeof(d->path) - 1 - d->path_len;

	if (text.len > room)
		text.len = room;
	if (text.len)
		memcpy(d->path + d->path_len, text.ptr, text.len);
	d->path_len += text.len;
	d->path[d->path_len] = '\0';
}

static void
enter_field(struct decoder *d, const char *name)
{
	if (d->path_len)
		append(d, STR("."));
	append(d, str_of(name));
}

static void
enter_item(struct decoder *d, size_t i)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "[%zu]", i);

	append(d, (struct str){ text, (size_t)len });
}

static void
enter_key(struct decoder *d, struct str key)
{
	append(d, STR("[\""));
	append(d, key);
	append(d, STR("\"]"));
}

static void
leave_to(struct decoder *d, size_t len)
{
	d->path_len = len;
	d->path[len] = '\0';
}

static size_t
count_rows(const struct schema_message *message)
{
	size_t n = 0;

	while (message->fields[n].name)
		n++;
	assert(n < API_FIELDS_MAX);
	return n;
}

static const struct schema_field *
find_row(const struct schema_message *message, struct str name)
{
	for (const struct schema_field *f = message->fields; f->name; f++)
		if (api_is_named(f->name, name))
			return f;
	return NULL;
}

/* Fields that may be written: by Envoy's table and ours. */
static const char *const *
known_names(struct decoder *d, const struct shape *s)
{
	size_t n = 0;
	const char **names =
	    ARENA_ARRAY(d->arena, API_FIELDS_MAX + 1, const char *);
	const struct schema_field *row;

	for (unsigned i = 0; s->api && i < s->api->n_fields; i++) {
		const char *name = api_fields[s->api->field + i].name;

		row = s->rows ? find_row(s->rows, str_of(name)) : NULL;
		if (!s->rows || (row && row->stance != SCHEMA_REFUSED))
			names[n++] = name;
	}
	for (row = s->api ? NULL : s->rows->fields; row && row->name; row++)
		if (row->stance != SCHEMA_REFUSED)
			names[n++] = row->name;
	return names;
}

static void
unknown_field(struct decoder *d, struct shape *s, const struct node_item *item)
{
	size_t before = diag_errors(d->diag);

	if (s->api)
		diag_unknown(d->diag, item->key_place, d->path,
		    "Protobuf message (type %s reason INVALID_ARGUMENT: no "
		    "such field: '" STR_FMT "') has unknown fields",
		    s->api->name, STR_ARG(item->key));
	else
		diag_error(d->diag, item->key_place, d->path,
		    "no such field: '" STR_FMT "'", STR_ARG(item->key));
	s->has_mistaken = s->api && diag_errors(d->diag) > before;
	schema_suggest(d, item->key, known_names(d, s));
}

static void
decode_message(struct decoder *d, const struct api_message *api,
    const struct schema_message *rows, const struct node *n, void *out)
{
	struct shape s = { .api = api, .rows = rows, .node = n };
	const struct api_message *outer = d->api;
	bool strict = d->strict;

	d->api = api;
	d->strict = api || !strncmp(rows->name, "envoy.", 6);
	decode_fields(d, &s, out);
	d->strict = strict;
	d->api = outer;
}

/* The content of an Any of which nothing is kept. */
static void
check_any(struct decoder *d, const struct any *any)
{
	const struct api_message *api = api_find(any->type);
	const struct node *outer = d->any;

	if (!api)
		return;
	d->any = any->node;
	decode_message(d, api, NULL, any->node, NULL);
	d->any = outer;
}

static bool
is_message(const struct field *f)
{
	return f->row ? f->row->type == SCHEMA_MESSAGE
		      : f->api->type == API_MESSAGE;
}

/* What Envoy knows of a field's message, if it is one. */
static const struct api_message *
message_of(const struct field *f)
{
	if (f->api)
		return f->api->type == API_MESSAGE ? &api_messages[f->api->at]
						   : NULL;
	return f->row->message ? api_find(str_of(f->row->message->name)) : NULL;
}

/* One element, in place: messages and Any as structs. */
static void
decode_element(struct decoder *d, const struct shape *s, const struct field *f,
    enum api_about about, const struct node *n, void *out)
{
	struct scratch scratch;
	const struct api_message *api = message_of(f);

	if (is_message(f)) {
		decode_message(d, api, f->row ? f->row->message : NULL, n, out);
		return;
	}
	if (!out)
		out = memset(&scratch, 0, sizeof(scratch));
	if (!schema_read(d, f, n, out))
		return;
	schema_check_value(d, s, f, about, n);
	if (!f->row && f->api->type == API_ANY)
		check_any(d, out);
	/* A message that is kept as a node. */
	if (f->row && api)
		decode_message(d, api, NULL, n, NULL);
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
decode_list(struct decoder *d, const struct shape *s, const struct field *f,
    const struct node *n, struct list *out)
{
	size_t size = out ? element_size(f->row) : 0;
	size_t path_len = d->path_len;
	char *items = NULL;

	if (n->kind != NODE_LIST) {
		schema_mismatch(d, "a list", n);
		return;
	}
	schema_check_count(d, s, f, n);
	if (out) {
		items = arena_alloc_array(d->arena, n->n, size);
		*out = (struct list){ items, n->n };
	}
	for (size_t i = 0; i < n->n; i++) {
		enter_item(d, i);
		decode_element(d, s, f, API_ITEM, n->items[i].value,
		    items ? items + i * size : NULL);
		leave_to(d, path_len);
	}
}

static void
check_key(struct decoder *d, const struct shape *s, const struct field *f,
    const struct node_item *item)
{
	const struct node key = {
		.kind = NODE_SCALAR,
		.place = item->key_place,
		.scalar = item->key,
		.quoted = true,
	};

	if (f->api)
		schema_check_value(d, s, f, API_KEY, &key);
}

static void
decode_map(struct decoder *d, const struct shape *s, const struct field *f,
    const struct node *n, struct map *out)
{
	size_t path_len = d->path_len;

	if (n->kind != NODE_MAP) {
		schema_mismatch(d, "a map", n);
		return;
	}
	schema_check_count(d, s, f, n);
	if (out) {
		out->items = ARENA_ARRAY(d->arena, n->n, struct map_entry);
		out->n = n->n;
	}
	for (size_t i = 0; i < n->n; i++) {
		const struct node_item *item = &n->items[i];
		void *value = NULL;

		if (out) {
			value = arena_alloc(d->arena, element_size(f->row));
			out->items[i] =
			    (struct map_entry){ arena_str(d->arena, item->key),
				    item->key_place, value };
		}
		enter_key(d, item->key);
		check_key(d, s, f, item);
		decode_element(d, s, f, API_ITEM, item->value, value);
		leave_to(d, path_len);
	}
}

static enum schema_label
label_of(const struct field *f)
{
	static const enum schema_label labels[] = {
		[API_ONE] = SCHEMA_ONE,
		[API_LIST] = SCHEMA_LIST,
		[API_MAP] = SCHEMA_MAP,
	};

	return f->api ? labels[f->api->label] : f->row->label;
}

/* The value of a field; out is the struct it goes to, or NULL. */
static void
decode_value(struct decoder *d, const struct shape *s, const struct field *f,
    const struct node *n, char *out)
{
	void *at = out ? out + f->row->offset : NULL;
	bool is_pointer = out && (f->row->type == SCHEMA_MESSAGE ||
				     f->row->type == SCHEMA_ANY);

	if (out && f->row->has_offset)
		*(bool *)(void *)(out + f->row->has_offset) = true;
	switch (label_of(f)) {
	case SCHEMA_LIST:
		decode_list(d, s, f, n, at);
		return;
	case SCHEMA_MAP:
		decode_map(d, s, f, n, at);
		return;
	case SCHEMA_ONE:
		break;
	}
	if (is_pointer)
		at = *(void **)at = arena_alloc(d->arena, element_size(f->row));
	decode_element(d, s, f, API_WHOLE, n, at);
}

static enum schema_stance
stance_of(const struct shape *s, const struct field *f)
{
	if (f->row)
		return f->row->stance;
	return s->rows ? SCHEMA_REFUSED : SCHEMA_ENFORCED;
}

static void
refuse(struct decoder *d, const struct field *f, const struct node_item *item)
{
	const char *name = f->row ? f->row->name : f->api->name;
	const char *text = f->row ? f->row->text : "it is not built in";

	if (!schema_is_default(f, item->value))
		diag_error(d->diag, item->key_place, d->path,
		    "`%s` is not supported: %s", name, text);
}

static void
tell_deprecated(struct decoder *d, const struct shape *s,
    const struct api_field *f, const struct node_item *item)
{
	if (f->disallowed)
		diag_error(d->diag, item->key_place, d->path,
		    "Using deprecated option '%s.%s'", s->api->name, f->name);
	else if (f->deprecated && s->rows)
		diag_warn(d->diag, item->key_place, d->path,
		    "Using deprecated option '%s.%s'", s->api->name, f->name);
}

static void
decode_field(struct decoder *d, const struct shape *s, const struct field *f,
    const struct node_item *item, char *out)
{
	struct field checked = { f->api, NULL };
	enum schema_stance stance = stance_of(s, f);
	size_t path_len = d->path_len;

	if (stance == SCHEMA_REFUSED) {
		refuse(d, f, item);
		return;
	}
	if (f->api)
		tell_deprecated(d, s, f->api, item);
	if (stance == SCHEMA_DELEGATED && !schema_is_default(f, item->value))
		diag_warn(d->diag, item->key_place, d->path,
		    "`%s` has no effect here: %s", f->row->name, f->row->text);
	enter_field(d, f->api ? f->api->name : f->row->name);
	if (stance == SCHEMA_ENFORCED)
		decode_value(d, s, f, item->value, out);
	else if (f->api)
		decode_value(d, s, &checked, item->value, NULL);
	leave_to(d, path_len);
}

static void
apply_fallbacks(
    struct decoder *d, const struct schema_message *message, char *out)
{
	for (const struct schema_field *f = message->fields; f->name; f++) {
		struct node n = {
			.kind = NODE_SCALAR,
			.scalar = str_of(f->fallback),
			.quoted = f->type == SCHEMA_STR,
		};
		struct field field = { NULL, f };

		if (!f->fallback || f->label != SCHEMA_ONE ||
		    f->stance != SCHEMA_ENFORCED)
			continue;
		/* A default of the wrong type is a mistake of ours. */
		if (!schema_read(d, &field, &n, out + f->offset))
			abort();
	}
}

/* What a key names, and its place among what is given. */
static bool
find_field(const struct shape *s, struct str key, struct field *f, size_t *at)
{
	*f = (struct field){ NULL, NULL };
	if (s->api) {
		f->api = api_find_field(s->api, key);
		if (!f->api)
			return false;
		*at = (size_t)(f->api - &api_fields[s->api->field]);
		key = str_of(f->api->name);
	}
	if (s->rows)
		f->row = find_row(s->rows, key);
	if (!s->api && f->row)
		*at = (size_t)(f->row - s->rows->fields);
	return f->api || f->row;
}

static void
decode_item(
    struct decoder *d, struct shape *s, const struct node_item *item, char *out)
{
	struct field f;
	size_t at = 0;
	bool takes_null;

	if (!find_field(s, item->key, &f, &at)) {
		if (s->node != d->any || !str_eq(item->key, STR("@type")))
			unknown_field(d, s, item);
		return;
	}
	if (s->given[at]) {
		diag_error(d->diag, item->key_place, d->path,
		    "`" STR_FMT "` stands here twice, also as `" STR_FMT "`",
		    STR_ARG(item->key), STR_ARG(s->given[at]->key));
		return;
	}
	takes_null = f.api && f.api->type == API_VALUE;
	if (item->value->kind == NODE_NULL && !takes_null)
		return;
	s->given[at] = item;
	decode_field(d, s, &f, item, out);
}

/*
 * Of what may be missing nothing is said where a key is mistaken: it may be
 * the one that was meant.
 */
static bool
is_whole(const struct decoder *d, const struct shape *s)
{
	struct decoder quiet = *d;

	quiet.diag = diag_new(d->arena);
	schema_check_given(&quiet, s);
	return !diag_errors(quiet.diag);
}

static void
decode_fields(struct decoder *d, struct shape *s, char *out)
{
	if (s->rows) {
		count_rows(s->rows);
		*(const struct node **)(void *)out = s->node;
		apply_fallbacks(d, s->rows, out);
	}
	if (s->node->kind != NODE_MAP) {
		schema_mismatch(d, "a map", s->node);
		return;
	}
	for (size_t i = 0; i < s->node->n; i++)
		decode_item(d, s, &s->node->items[i], out);
	if (!s->has_mistaken)
		schema_check_given(d, s);
	else if (!is_whole(d, s))
		diag_stop(d->diag);
	if (s->rows && s->rows->check)
		s->rows->check(d->diag, d->path, out);
}

static void *
decode_top(struct arena *arena, struct diag *diag, const char *path,
    const struct schema_message *message, const struct node *n,
    const struct node *any)
{
	void *out = arena_alloc(arena, message->size);
	struct decoder d = { .arena = arena, .diag = diag, .any = any };

	append(&d, str_of(path ? path : ""));
	decode_message(&d, api_find(str_of(message->name)), message, n, out);
	return out;
}

void *
schema_decode(struct arena *arena, struct diag *diag, const char *path,
    const struct schema_message *message, const struct node *n)
{
	return decode_top(arena, diag, path, message, n, NULL);
}

void *
schema_decode_any(struct arena *arena, struct diag *diag,
    const struct schema_message *message, const struct any *any)
{
	return decode_top(
	    arena, diag, any->path, message, any->node, any->node);
}

void
schema_check_any(struct arena *arena, struct diag *diag, const struct any *any)
{
	struct decoder d = { .arena = arena, .diag = diag };

	append(&d, str_of(any->path));
	check_any(&d, any);
}

void
schema_check(struct arena *arena, struct diag *diag,
    const struct schema_message *message, const struct node *n)
{
	struct decoder d = { .arena = arena, .diag = diag };

	decode_message(&d, api_find(str_of(message->name)), NULL, n, NULL);
}
