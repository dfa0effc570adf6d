/* The types that Envoy sees in a free-form part of the configuration. */
#include "config.h"

#include <stdlib.h>

#include "base/json.h"
#include "config/scalar.h"
#include "config/typed.h"

static bool
is_json_source(const struct node *n)
{
	return n->place.source &&
	       str_ends(str_of(n->place.source->name), STR(".json"));
}

/* Decimal, "0x" and hexadecimal, or "0" and octal digits, as C has them. */
static bool
to_integer(struct str s, int64_t *out)
{
	bool negative = s.len && s.ptr[0] == '-';
	unsigned base = 10;
	uint64_t value = 0;

	if (s.len && (negative || s.ptr[0] == '+'))
		s = str_slice(s, 1, s.len);
	if (str_starts_nocase(s, STR("0x"))) {
		base = 16;
		s = str_slice(s, 2, s.len);
	} else if (s.len > 1 && s.ptr[0] == '0') {
		base = 8;
	}
	for (size_t i = 0; i < s.len; i++) {
		int digit = ascii_hex(s.ptr[i]);

		if (digit < 0 || (unsigned)digit >= base ||
		    value > (INT64_MAX - (uint64_t)digit) / base)
			return false;
		value = value * base + (unsigned)digit;
	}
	*out = negative ? -(int64_t)value : (int64_t)value;
	return s.len > 0;
}

static struct typed
text(struct str s)
{
	return (struct typed){ .kind = TYPED_TEXT, .text = s };
}

static struct typed
of_number(double number)
{
	return (struct typed){ .kind = TYPED_NUMBER, .number = number };
}

static struct typed
of_yaml(struct arena *arena, struct str s)
{
	int64_t integer;

	if (!to_integer(s, &integer))
		return text(s);
	if (integer < INT32_MIN || integer > INT32_MAX)
		return text(arena_printf(arena, "%lld", (long long)integer));
	return of_number((double)integer);
}

static struct typed
of_plain(struct arena *arena, const struct node *n)
{
	struct typed t = { .kind = TYPED_BOOL };
	double number;

	if (scalar_kind(n->scalar) == SCALAR_NULL)
		return (struct typed){ .kind = TYPED_NULL };
	if (scalar_to_bool(n->scalar, &t.truth))
		return t;
	if (!is_json_source(n))
		return of_yaml(arena, n->scalar);
	return scalar_to_double(n->scalar, &number) ? of_number(number)
						    : text(n->scalar);
}

struct typed
typed_of(struct arena *arena, const struct node *n)
{
	switch (n->kind) {
	case NODE_NULL:
		break;
	case NODE_SCALAR:
		return n->quoted ? text(n->scalar) : of_plain(arena, n);
	case NODE_LIST:
		return (struct typed){ .kind = TYPED_LIST };
	case NODE_MAP:
		return (struct typed){ .kind = TYPED_MAP };
	}
	return (struct typed){ .kind = TYPED_NULL };
}

static int
by_key(const void *a, const void *b)
{
	const struct node_item *left = a, *right = b;

	return str_cmp(left->key, right->key);
}

const struct node_item *
typed_sorted(struct arena *arena, const struct node *n)
{
	struct node_item *items =
	    ARENA_ARRAY(arena, n->n + 1, struct node_item);

	if (n->n)
		memcpy(items, n->items, n->n * sizeof(*items));
	qsort(items, n->n, sizeof(*items), by_key);
	return items;
}

static enum err
append_items(struct buf *b, struct arena *arena, const struct node *n)
{
	bool is_map = n->kind == NODE_MAP;
	const struct node_item *items =
	    is_map ? typed_sorted(arena, n) : n->items;
	enum err err = buf_append_byte(b, is_map ? '{' : '[');

	for (size_t i = 0; !err && i < n->n; i++) {
		if (i)
			err = buf_append_byte(b, ',');
		if (!err && is_map)
			err = json_append_string(b, items[i].key);
		if (!err && is_map)
			err = buf_append_byte(b, ':');
		if (!err)
			err = typed_append_json(b, arena, items[i].value);
	}
	return err ? err : buf_append_byte(b, is_map ? '}' : ']');
}

enum err
typed_append_json(struct buf *b, struct arena *arena, const struct node *n)
{
	struct typed t = typed_of(arena, n);

	switch (t.kind) {
	case TYPED_NULL:
		return buf_append(b, STR("null"));
	case TYPED_BOOL:
		return buf_append(b, t.truth ? STR("true") : STR("false"));
	case TYPED_NUMBER:
		return json_append_number(b, t.number);
	case TYPED_TEXT:
		return json_append_string(b, t.text);
	case TYPED_LIST:
	case TYPED_MAP:
		break;
	}
	return append_items(b, arena, n);
}

const struct node *
typed_find(const struct node *n, const struct str *keys, size_t n_keys)
{
	for (size_t i = 0; n && i < n_keys; i++) {
		const struct node *next = NULL;

		for (size_t j = 0; n->kind == NODE_MAP && j < n->n; j++)
			if (str_eq(n->items[j].key, keys[i]))
				next = n->items[j].value;
		n = next;
	}
	return n;
}
