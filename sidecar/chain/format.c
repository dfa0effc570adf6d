/*
 * Substitution formats: a text is compiled into pieces, each literal bytes
 * or an operator; a json_format into its own tree with texts as leaves.
 */
#include "config.h"

#include <stdlib.h>

#include "base/json.h"
#include "chain/command.h"
#include "chain/exchange.h"
#include "chain/format.h"
#include "config/bootstrap.h"

enum { VALUE_MAX = 64 * 1024 };

struct format {
	struct piece *pieces;
	size_t n;
	bool omit_empty;
	/* json_format instead of pieces */
	const struct node *json;
	struct json_leaf *leaves; /* scalars of json in walking order */
	size_t n_leaves;
	struct str content_type;
};

struct json_leaf {
	const struct node *node;
	const struct format *format;
};

/* ---- compiling ---- */

struct compiling {
	struct arena *arena;
	struct diag *diag;
	struct place place;
	struct format *format;
	size_t cap;
	struct str text;
};

static struct piece *
add_piece(struct compiling *c)
{
	struct format *f = c->format;
	struct piece *bigger;

	if (f->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 4;
		bigger = ARENA_ARRAY(c->arena, c->cap, struct piece);
		if (f->n)
			memcpy(bigger, f->pieces, f->n * sizeof(*bigger));
		f->pieces = bigger;
	}
	f->pieces[f->n].max_len = SIZE_MAX;
	return &f->pieces[f->n++];
}

static bool
is_command_char(char c)
{
	return (c >= 'A' && c <= 'Z') || ascii_is_digit(c) || c == '_';
}

/* "X?Y" in lower case; false if there are more than two. */
static bool
split_headers(struct compiling *c, struct piece *p)
{
	struct str rest = header_name_lower(c->arena, p->text);

	p->first = str_split(&rest, '?');
	p->second = rest.ptr ? str_split(&rest, '?') : STR_NONE;
	return !rest.ptr;
}

static bool
fail(struct compiling *c, size_t at, const char *why, struct str name)
{
	diag_error(c->diag, c->place, NULL,
	    "Incorrect configuration: " STR_FMT ". %s" STR_FMT
	    " at position %zu",
	    STR_ARG(c->text), why, STR_ARG(name), at);
	return false;
}

/* The operator that begins behind the % at *at; moves *at behind its end. */
static bool
compile_operator(struct compiling *c, size_t *at)
{
	struct str s = c->text, name, len_text;
	size_t begin = *at, i = begin, close;
	struct piece *p = add_piece(c);
	uint64_t len;

	while (i < s.len && is_command_char(s.ptr[i]))
		i++;
	name = str_slice(s, begin, i);
	if (i < s.len && s.ptr[i] == '(') {
		close = str_find_char(s, ')', i);
		if (close == s.len)
			return fail(c, begin, "Missing )", STR(""));
		p->text = str_slice(s, i + 1, close);
		i = close + 1;
	}
	if (i < s.len && s.ptr[i] == ':') {
		close = str_find_char(s, '%', i);
		len_text = str_slice(s, i + 1, close);
		if (!str_to_u64(len_text, &len))
			return fail(c, begin, "Not a length: ", len_text);
		p->max_len = (size_t)len;
		i = close;
	}
	if (!name.len || i >= s.len || s.ptr[i] != '%')
		return fail(c, begin, "Couldn't find valid command", STR(""));
	*at = i + 1;
	p->op = command_find(name);
	if (!p->op)
		return fail(
		    c, begin, "Not supported field in StreamInfo: ", name);
	if (p->op->args >= ARGS_REQUIRED && !p->text.len)
		return fail(c, begin, "Parameters are required by ", name);
	if (p->op->args == ARGS_NONE && p->text.ptr)
		return fail(c, begin, "No parameters are taken by ", name);
	if (p->op->args == ARGS_HEADERS && !split_headers(c, p))
		return fail(c, begin,
		    "More than 1 alternative header specified in token: ",
		    p->text);
	return true;
}

static bool
compile(struct compiling *c)
{
	struct str s = c->text;
	size_t at = 0, next;

	while (at < s.len) {
		next = str_find_char(s, '%', at);
		if (next > at)
			add_piece(c)->text = str_slice(s, at, next);
		if (next == s.len)
			break;
		at = next + 1;
		if (at < s.len && s.ptr[at] == '%') {
			add_piece(c)->text = str_slice(s, at, at + 1);
			at++;
		} else if (!compile_operator(c, &at)) {
			return false;
		}
	}
	return true;
}

static struct format *
compile_text(struct arena *arena, struct str text, const struct node *node,
    struct diag *diag)
{
	struct compiling c = { .arena = arena,
		.diag = diag,
		.place = node ? node->place : (struct place){ 0 },
		.format = ARENA_NEW(arena, struct format),
		.text = arena_str(arena, text.ptr ? text : STR("")) };

	return compile(&c) ? c.format : NULL;
}

const struct format *
format_text(struct arena *arena, struct str text, const struct node *node,
    struct diag *diag)
{
	return compile_text(arena, text, node, diag);
}

static size_t
count_leaves(const struct node *node)
{
	size_t n = 0;

	if (node->kind == NODE_SCALAR || node->kind == NODE_NULL)
		return 1;
	for (size_t i = 0; i < node->n; i++)
		n += count_leaves(node->items[i].value);
	return n;
}

static bool
is_text(const struct node *node)
{
	return node->kind == NODE_SCALAR &&
	       (node->quoted ||
		   str_find_char(node->scalar, '%', 0) < node->scalar.len);
}

static bool
compile_leaves(struct arena *arena, struct format *f, const struct node *node,
    struct diag *diag)
{
	struct json_leaf *leaf;

	if (node->kind == NODE_LIST || node->kind == NODE_MAP) {
		for (size_t i = 0; i < node->n; i++)
			if (!compile_leaves(
				arena, f, node->items[i].value, diag))
				return false;
		return true;
	}
	leaf = &f->leaves[f->n_leaves++];
	leaf->node = node;
	if (is_text(node))
		leaf->format = compile_text(arena, node->scalar, node, diag);
	return leaf->format || !is_text(node);
}

static int
by_key(const void *a, const void *b)
{
	return str_cmp(((const struct node_item *)a)->key,
	    ((const struct node_item *)b)->key);
}

/* Envoy sorts the properties of a json_format by name. */
static const struct node *
sorted(struct arena *arena, const struct node *node)
{
	struct node *copy;

	if (node->kind != NODE_MAP && node->kind != NODE_LIST)
		return node;
	copy = ARENA_NEW(arena, struct node);
	*copy = *node;
	copy->items = ARENA_ARRAY(arena, node->n + 1, struct node_item);
	for (size_t i = 0; i < node->n; i++) {
		copy->items[i] = node->items[i];
		copy->items[i].value = sorted(arena, node->items[i].value);
	}
	if (node->kind == NODE_MAP)
		qsort(copy->items, copy->n, sizeof(*copy->items), by_key);
	return copy;
}

const struct format *
format_json(struct arena *arena, const struct node *node, struct diag *diag)
{
	struct format *f = ARENA_NEW(arena, struct format);

	f->json = sorted(arena, node);
	f->content_type = STR("application/json");
	f->leaves =
	    ARENA_ARRAY(arena, count_leaves(f->json) + 1, struct json_leaf);
	return compile_leaves(arena, f, f->json, diag) ? f : NULL;
}

const struct format *
format_build(
    struct arena *arena, const struct conf_format *conf, struct diag *diag)
{
	struct format *f;
	struct str text = conf->text_format;

	if (conf->json_format) {
		f = (struct format *)(uintptr_t)format_json(
		    arena, conf->json_format, diag);
	} else {
		if (conf->text_format_source)
			text = bootstrap_text(arena, diag, NULL,
			    conf->text_format_source, VALUE_MAX);
		f = compile_text(arena, text, conf->node, diag);
		if (f)
			f->content_type = STR("text/plain");
	}
	if (!f)
		return NULL;
	f->omit_empty = conf->omit_empty_values;
	if (conf->content_type.len)
		f->content_type = conf->content_type;
	return f;
}

struct str
format_content_type(const struct format *f)
{
	return f->content_type;
}

/* ---- rendering ---- */

static struct str
piece_value(const struct piece *p, const struct exchange *x)
{
	struct str value;

	if (!p->op)
		return p->text;
	value = p->op->get(p, x);
	return value.ptr ? str_slice(value, 0, p->max_len) : value;
}

static enum err
render_text(const struct format *f, const struct exchange *x, struct str absent,
    struct buf *out)
{
	struct str value;
	enum err err = ERR_OK;

	for (size_t i = 0; i < f->n && !err; i++) {
		value = piece_value(&f->pieces[i], x);
		err = buf_append(out, value.ptr ? value : absent);
	}
	return err;
}

/* A lone operator keeps its type; anything else is a string. */
static enum err
render_typed(const struct format *f, const struct exchange *x, bool omit_empty,
    struct buf *out)
{
	struct buf text;
	struct str value;
	enum err err;

	if (f->n == 1 && f->pieces[0].op) {
		value = piece_value(&f->pieces[0], x);
		if (!value.ptr)
			return buf_append(out, STR("null"));
		return f->pieces[0].op->number ? buf_append(out, value)
					       : json_append_string(out, value);
	}
	buf_init(&text, VALUE_MAX);
	err = render_text(f, x, omit_empty ? STR("") : STR("-"), &text);
	if (!err)
		err = json_append_string(out, buf_bytes(&text));
	buf_free(&text);
	return err;
}

static enum err
render_scalar(const struct format *f, const struct json_leaf *leaf,
    const struct exchange *x, struct buf *out)
{
	if (leaf->format)
		return render_typed(leaf->format, x, f->omit_empty, out);
	return node_print_json(leaf->node, out);
}

static enum err
render_json(const struct format *f, const struct node *node, size_t *leaf,
    const struct exchange *x, struct buf *out)
{
	bool map = node->kind == NODE_MAP;
	enum err err;

	if (!map && node->kind != NODE_LIST)
		return render_scalar(f, &f->leaves[(*leaf)++], x, out);
	err = buf_append_byte(out, map ? '{' : '[');
	for (size_t i = 0; i < node->n && !err; i++) {
		if (i)
			err = buf_append_byte(out, ',');
		if (!err && map)
			err = json_append_string(out, node->items[i].key);
		if (!err && map)
			err = buf_append_byte(out, ':');
		if (!err)
			err =
			    render_json(f, node->items[i].value, leaf, x, out);
	}
	return err ? err : buf_append_byte(out, map ? '}' : ']');
}

enum err
format_render(const struct format *f, const struct exchange *x, struct buf *out)
{
	size_t leaf = 0;
	enum err err;

	if (!f->json)
		return render_text(
		    f, x, f->omit_empty ? STR("") : STR("-"), out);
	err = render_json(f, f->json, &leaf, x, out);
	return err ? err : buf_append_byte(out, '\n');
}

struct str
format_value(const struct format *f, const struct exchange *x)
{
	struct buf text;
	struct str out;

	if (f->n == 1)
		return piece_value(&f->pieces[0], x);
	buf_init(&text, VALUE_MAX);
	out = render_text(f, x, STR(""), &text)
		  ? STR_NONE
		  : arena_str(x->arena, buf_bytes(&text));
	buf_free(&text);
	return out;
}
