/* Nodes: looking up, building, and printing them as YAML and as JSON. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "config/node.h"
#include "config/scalar.h"

const struct node *
node_get(const struct node *map, const char *key)
{
	if (!map || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->items[i].key, str_of(key)))
			return map->items[i].value;
	return NULL;
}

static struct node *
make(struct arena *arena, struct place place, enum node_kind kind)
{
	struct node *n = ARENA_NEW(arena, struct node);

	n->kind = kind;
	n->place = place;
	return n;
}

struct node *
node_map(struct arena *arena, struct place place)
{
	return make(arena, place, NODE_MAP);
}

struct node *
node_list(struct arena *arena, struct place place)
{
	return make(arena, place, NODE_LIST);
}

struct node *
node_plain(struct arena *arena, struct place place, struct str text)
{
	struct node *n = make(arena, place, NODE_SCALAR);

	n->scalar = arena_str(arena, text);
	return n;
}

struct node *
node_text(struct arena *arena, struct place place, struct str text)
{
	struct node *n = node_plain(arena, place, text);

	n->quoted = true;
	return n;
}

/* Room is made for 4, 8, 16, ... items. */
static void
append(struct arena *arena, struct node *n, struct node_item item)
{
	bool is_full = n->n == 0 || (n->n >= 4 && !(n->n & (n->n - 1)));

	if (is_full) {
		struct node_item *grown = ARENA_ARRAY(
		    arena, n->n ? 2 * (size_t)n->n : 4, struct node_item);

		if (n->n)
			memcpy(grown, n->items, n->n * sizeof(*grown));
		n->items = grown;
	}
	n->items[n->n++] = item;
}

void
node_put(struct arena *arena, struct node *map, const char *key,
    const struct node *value)
{
	struct str copy = arena_str(arena, str_of(key));

	append(arena, map, (struct node_item){ copy, value->place, value });
}

void
node_add(struct arena *arena, struct node *list, const struct node *value)
{
	append(arena, list, (struct node_item){ .value = value });
}

const struct node *
node_copy(struct arena *arena, const struct node *n)
{
	struct node *copy = make(arena, n->place, n->kind);

	copy->quoted = n->quoted;
	copy->scalar = arena_str(arena, n->scalar);
	copy->n = n->n;
	copy->items = ARENA_ARRAY(arena, n->n, struct node_item);
	for (size_t i = 0; i < n->n; i++)
		copy->items[i] = (struct node_item){
			.key = arena_str(arena, n->items[i].key),
			.key_place = n->items[i].key_place,
			.value = node_copy(arena, n->items[i].value),
		};
	return copy;
}

/* Whether text, without quotes, is read back as itself. */
static bool
is_bare(struct str text)
{
	char first = text.len ? text.ptr[0] : '\0';

	if (!ascii_is_alpha(first) && !ascii_is_digit(first) &&
	    !(first && strchr("/_.+", first)) &&
	    !(first == '-' && text.len > 1 && text.ptr[1] != '-'))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
		    (!c || !strchr("/_.-+:", c)))
			return false;
	}
	return text.ptr[text.len - 1] != ':' && !str_eq(text, STR("..."));
}

/*
 * Whether a string needs no quotes to stay one, for YAML 1.1 and 1.2: words
 * of which the first begins as no number does.
 */
static bool
is_bare_string(struct str text)
{
	struct str rest = text;

	if (text.len > 128 || scalar_kind(text) != SCALAR_TEXT ||
	    !(ascii_is_alpha(text.ptr[0]) || text.ptr[0] == '/' ||
		text.ptr[0] == '_'))
		return false;
	while (rest.ptr)
		if (!is_bare(str_split(&rest, ' ')))
			return false;
	return true;
}

/* Length of the UTF-8 character at p and its code; 1 and the byte if none. */
static size_t
decode(const unsigned char *p, size_t left, unsigned long *code)
{
	size_t len = p[0] < 0xc0 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	*code = p[0];
	if (len == 1 || len > left)
		return 1;
	*code &= 0xffU >> (len + 1);
	for (size_t i = 1; i < len; i++)
		*code = *code << 6 | (p[i] & 0x3f);
	return len;
}

/* What libyaml does not take, or takes for something else, in double quotes. */
static bool
needs_escape(unsigned long code)
{
	return code < ' ' || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
	       code == 0x2029 || code == 0xfeff ||
	       (code >= 0xd800 && code <= 0xdfff) || code == 0xfffe ||
	       code == 0xffff;
}

static enum err
print_quoted(struct buf *b, struct str text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	enum err err = buf_append_byte(b, '"');
	size_t len;

	for (size_t i = 0; !err && i < text.len; i += len) {
		unsigned long code;

		len = decode(p + i, text.len - i, &code);
		if (code == '\n')
			err = buf_append(b, STR("\\n"));
		else if (code == '\t')
			err = buf_append(b, STR("\\t"));
		else if (needs_escape(code))
			err = buf_printf(b, "\\u%04lX", code);
		else if (code == '"' || code == '\\')
			err = buf_printf(b, "\\%c", (int)code);
		else
			err = buf_append(b, str_slice(text, i, i + len));
	}
	return err ? err : buf_append_byte(b, '"');
}

static enum err
print_string(struct buf *b, struct str text)
{
	return is_bare_string(text) ? buf_append(b, text)
				    : print_quoted(b, text);
}

static enum err
print_leaf(const struct node *n, struct buf *b)
{
	switch (n->kind) {
	case NODE_NULL:
		return buf_append(b, STR("null"));
	case NODE_LIST:
		return buf_append(b, STR("[]"));
	case NODE_MAP:
		return buf_append(b, STR("{}"));
	case NODE_SCALAR:
		break;
	}
	if (!n->quoted && is_bare(n->scalar))
		return buf_append(b, n->scalar);
	return print_string(b, n->scalar);
}

static bool
is_leaf(const struct node *n)
{
	return (n->kind != NODE_LIST && n->kind != NODE_MAP) || n->n == 0;
}

static enum err
indent(struct buf *b, size_t depth)
{
	enum err err = ERR_OK;

	while (!err && depth--)
		err = buf_append(b, STR("  "));
	return err;
}

static enum err print_block(const struct node *n, struct buf *b, size_t depth);

/*
 * "key:" and its value. libyaml finds a key without "?" only if it has no
 * more than 1024 characters.
 */
static enum err
print_pair(const struct node_item *item, struct buf *b, size_t depth)
{
	bool is_long = item->key.len > 200;
	enum err err = is_long ? buf_append(b, STR("? ")) : ERR_OK;

	if (!err)
		err = print_string(b, item->key);
	if (!err && is_long)
		err = buf_append_byte(b, '\n');
	if (!err && is_long)
		err = indent(b, depth);
	if (!err)
		err = buf_append_byte(b, ':');
	if (!err)
		err = buf_append_byte(b, is_leaf(item->value) ? ' ' : '\n');
	if (err)
		return err;
	if (!is_leaf(item->value))
		return print_block(item->value, b, depth + 1);
	err = print_leaf(item->value, b);
	return err ? err : buf_append_byte(b, '\n');
}

/* The rest of a block whose first line has been indented already. */
static enum err
print_rest(const struct node *n, struct buf *b, size_t depth)
{
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < n->n; i++) {
		const struct node_item *item = &n->items[i];

		if (i)
			err = indent(b, depth);
		if (err)
			return err;
		if (n->kind == NODE_MAP) {
			err = print_pair(item, b, depth);
			continue;
		}
		err = buf_append(b, STR("- "));
		if (!err && !is_leaf(item->value)) {
			err = print_rest(item->value, b, depth + 1);
			continue;
		}
		if (!err)
			err = print_leaf(item->value, b);
		if (!err)
			err = buf_append_byte(b, '\n');
	}
	return err;
}

static enum err
print_block(const struct node *n, struct buf *b, size_t depth)
{
	enum err err = indent(b, depth);

	return err ? err : print_rest(n, b, depth);
}

enum err
node_print(const struct node *n, struct buf *b)
{
	enum err err;

	if (!is_leaf(n))
		return print_block(n, b, 0);
	err = print_leaf(n, b);
	return err ? err : buf_append_byte(b, '\n');
}

/* Whether text is a number as JSON writes it. */
static bool
is_json_number(struct str s)
{
	size_t at = s.len && s.ptr[0] == '-';
	double ignored;

	if (!scalar_to_double(s, &ignored) || s.ptr[0] == '+' ||
	    !ascii_is_digit(s.ptr[at]))
		return false;
	if (s.ptr[at] == '0' && at + 1 < s.len && ascii_is_digit(s.ptr[at + 1]))
		return false;
	at = str_find_char(s, '.', 0);
	return at == s.len || (at + 1 < s.len && ascii_is_digit(s.ptr[at + 1]));
}

/* "0x1F" and "0o17" of YAML 1.2. */
static bool
based_number(struct str s, uint64_t *out)
{
	unsigned shift = s.len > 2 && s.ptr[1] == 'x' ? 4 : 3;
	uint64_t value = 0;

	if (s.len < 3 || s.len > 17 || s.ptr[0] != '0' ||
	    (s.ptr[1] != 'x' && s.ptr[1] != 'o'))
		return false;
	for (size_t i = 2; i < s.len; i++) {
		int digit = ascii_hex(s.ptr[i]);

		if (digit < 0 || digit >= 1 << shift)
			return false;
		value = value << shift | (unsigned)digit;
	}
	*out = value;
	return true;
}

static enum err
print_json_plain(struct str s, struct buf *b)
{
	uint64_t integer;
	double number;

	if (str_eq_nocase(s, STR("true")) || str_eq_nocase(s, STR("false"))) {
		bool value = false;

		if (scalar_to_bool(s, &value))
			return buf_append(
			    b, value ? STR("true") : STR("false"));
	}
	if (is_json_number(s))
		return buf_append(b, s);
	if (based_number(s, &integer))
		return buf_printf(b, "%" PRIu64, integer);
	if (scalar_to_double(s, &number))
		return buf_printf(b, "%.17g", number);
	return print_quoted(b, s);
}

static enum err
print_json_items(const struct node *n, struct buf *b)
{
	bool is_map = n->kind == NODE_MAP;
	enum err err = buf_append_byte(b, is_map ? '{' : '[');

	for (size_t i = 0; !err && i < n->n; i++) {
		if (i)
			err = buf_append_byte(b, ',');
		if (!err && is_map)
			err = print_quoted(b, n->items[i].key);
		if (!err && is_map)
			err = buf_append_byte(b, ':');
		if (!err)
			err = node_print_json(n->items[i].value, b);
	}
	return err ? err : buf_append_byte(b, is_map ? '}' : ']');
}

enum err
node_print_json(const struct node *n, struct buf *b)
{
	switch (n->kind) {
	case NODE_NULL:
		return buf_append(b, STR("null"));
	case NODE_SCALAR:
		return n->quoted ? print_quoted(b, n->scalar)
				 : print_json_plain(n->scalar, b);
	case NODE_LIST:
	case NODE_MAP:
		break;
	}
	return print_json_items(n, b);
}
