/* Substitution formats are compiled: texts into pieces, JSON into pieces or a tree. */
#include "config.h"

#include <stdlib.h>

#include "base/json.h"
#include "chain/exchange.h"
#include "chain/format.h"
#include "chain/pieces.h"
#include "config/bootstrap.h"
#include "config/typed.h"

enum {
	SOURCE_MAX = 1024 * 1024,
	JSON_MAX = 16 * 1024 * 1024,
	LITERAL_MAX = 256 * 1024 * 1024,
};

struct format {
	struct pieces pieces;
	const struct branch *tree; /* JSON without absent values, instead */
	struct str absent;
	struct str content_type;
};

/* ---- pieces ---- */

static struct piece *
add_piece(struct arena *arena, struct pieces *p)
{
	struct piece *bigger;

	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 4;
		bigger = ARENA_ARRAY(arena, p->cap, struct piece);
		if (p->n)
			memcpy(bigger, p->items, p->n * sizeof(*bigger));
		p->items = bigger;
	}
	return &p->items[p->n++];
}

void
pieces_begin(struct pieces *p)
{
	*p = (struct pieces){ .n = 0 };
	buf_init(&p->literal, LITERAL_MAX);
}

/* The configuration is bounded, and so is what is made of it. */
void
pieces_add_literal(struct pieces *p, struct str text)
{
	if (buf_append(&p->literal, text))
		abort();
}

static void
flush_literal(struct arena *arena, struct pieces *p)
{
	struct piece *piece;

	if (buf_is_empty(&p->literal))
		return;
	piece = add_piece(arena, p);
	piece->kind = PIECE_LITERAL;
	piece->literal = arena_str(arena, buf_bytes(&p->literal));
	buf_clear(&p->literal);
}

void
pieces_add_op(struct arena *arena, struct pieces *p, enum piece_kind kind,
    const struct op *op)
{
	struct piece *piece;

	flush_literal(arena, p);
	piece = add_piece(arena, p);
	piece->kind = kind;
	piece->op = *op;
}

void
pieces_end(struct arena *arena, struct pieces *p)
{
	flush_literal(arena, p);
	buf_free(&p->literal);
}

/* ---- texts ---- */

struct compiling {
	struct arena *arena;
	struct diag *diag;
	unsigned flags; /* of command_build */
	struct place place;
	struct str text;
};

static bool
is_command_char(char c)
{
	return (c >= 'A' && c <= 'Z') || ascii_is_digit(c) || c == '_';
}

/* "%" or ":3%" at the offset; false if neither. */
static bool
parse_tail(struct str s, size_t at, struct str *length, size_t *end)
{
	size_t begin = ++at;
	uint64_t ignored;

	*length = STR_NONE;
	at--;
	if (at < s.len && s.ptr[at] == ':') {
		for (at++; at < s.len && ascii_is_digit(s.ptr[at]);)
			at++;
		*length = str_slice(s, begin, at);
		if (!str_to_u64(*length, &ignored))
			return false;
	}
	*end = at + 1;
	return at < s.len && s.ptr[at] == '%';
}

/* "(argument)": up to the first ")" that the end of the operator follows. */
static bool
parse_argument(struct str s, size_t at, struct str *argument,
    struct str *length, size_t *end)
{
	for (size_t i = at + 1; i < s.len && s.ptr[i] != '\n'; i++) {
		if (s.ptr[i] != ')' || !parse_tail(s, i + 1, length, end))
			continue;
		*argument = str_slice(s, at + 1, i);
		return true;
	}
	return false;
}

/* The operator that begins behind the "%" at *at; moves *at behind its end. */
static bool
compile_op(const struct compiling *c, size_t *at, struct op *op)
{
	struct str s = c->text, name, argument = STR_NONE, length;
	size_t begin = *at, i = begin + 1, end = 0;
	const char *why;
	bool found;

	while (i < s.len && is_command_char(s.ptr[i]))
		i++;
	name = str_slice(s, begin + 1, i);
	if (i < s.len && s.ptr[i] == '(')
		found = parse_argument(s, i, &argument, &length, &end);
	else
		found = parse_tail(s, i, &length, &end);
	if (!found || !name.len) {
		diag_error(c->diag, c->place, NULL,
		    "Incorrect configuration: " STR_FMT
		    ". Couldn't find valid command at position %zu",
		    STR_ARG(s), begin);
		return false;
	}
	why = command_build(c->arena, c->flags, name, argument, length, op);
	if (why)
		diag_error(c->diag, c->place, NULL, "%s", why);
	*at = end;
	return !why;
}

static bool
compile_parts(const struct compiling *c, enum piece_kind kind, struct pieces *p)
{
	struct str s = c->text;
	size_t at = 0, next;
	struct op op;

	while (at < s.len) {
		next = str_find_char(s, '%', at);
		pieces_add_literal(p, str_slice(s, at, next));
		at = next;
		if (at + 1 < s.len && s.ptr[at + 1] == '%') {
			pieces_add_literal(p, STR("%"));
			at += 2;
		} else if (at < s.len) {
			if (!compile_op(c, &at, &op))
				return false;
			pieces_add_op(c->arena, p, kind, &op);
		}
	}
	return true;
}

static bool
compile_text(const struct compiling *c, enum piece_kind kind, struct pieces *p)
{
	bool sound;

	pieces_begin(p);
	sound = compile_parts(c, kind, p);
	pieces_end(c->arena, p);
	return sound;
}

static struct compiling
compiling(struct arena *arena, unsigned flags, struct str text,
    const struct node *node, struct diag *diag)
{
	return (struct compiling){ .arena = arena,
		.diag = diag,
		.flags = flags,
		.place = node ? node->place : (struct place){ 0 },
		.text = arena_str(arena, text.ptr ? text : STR("")) };
}

static const struct format *
build_text(struct arena *arena, unsigned flags, struct str text,
    const struct node *node, struct diag *diag)
{
	struct compiling c = compiling(arena, flags, text, node, diag);
	struct format *f = ARENA_NEW(arena, struct format);

	f->absent = STR("-");
	f->content_type = STR("text/plain");
	return compile_text(&c, PIECE_TEXT, &f->pieces) ? f : NULL;
}

const struct format *
format_text(struct arena *arena, struct str text, const struct node *node,
    struct diag *diag)
{
	return build_text(arena, COMMAND_HEADER_VALUE, text, node, diag);
}

const struct format *
format_log_text(struct arena *arena, struct str text, const struct node *node,
    struct diag *diag)
{
	return build_text(arena, 0, text, node, diag);
}

/* ---- JSON ---- */

struct json {
	struct arena *arena;
	struct diag *diag;
	unsigned flags;
	bool failed;
};

static struct str
printed(struct arena *arena, struct str text,
    enum err (*print)(struct buf *, struct str))
{
	struct str out = STR("");
	struct buf b;

	buf_init(&b, JSON_MAX);
	if (!print(&b, text))
		out = arena_str(arena, buf_bytes(&b));
	buf_free(&b);
	return out;
}

/* What is between the operators is a part of a JSON string already. */
static void
add_string(struct json *j, struct pieces *out, const struct pieces *text)
{
	pieces_add_literal(out, STR("\""));
	for (size_t i = 0; i < text->n; i++) {
		const struct piece *p = &text->items[i];

		if (p->kind == PIECE_LITERAL)
			pieces_add_literal(out,
			    printed(j->arena, p->literal, json_append_text));
		else
			pieces_add_op(j->arena, out, PIECE_JSON_TEXT, &p->op);
	}
	pieces_add_literal(out, STR("\""));
}

/* A text: an operator alone keeps its type. */
static void
add_template(struct json *j, struct pieces *out, const struct node *node,
    struct str text)
{
	struct compiling c = compiling(j->arena, j->flags, text, node, j->diag);
	struct pieces parts;

	if (!compile_text(&c, PIECE_JSON_TEXT, &parts)) {
		j->failed = true;
		return;
	}
	if (parts.n == 1 && parts.items[0].kind != PIECE_LITERAL)
		pieces_add_op(
		    j->arena, out, PIECE_JSON_VALUE, &parts.items[0].op);
	else
		add_string(j, out, &parts);
}

static void
add_scalar(struct json *j, struct pieces *out, const struct node *node)
{
	struct typed t = typed_of(j->arena, node);
	struct buf b;

	if (t.kind == TYPED_TEXT) {
		add_template(j, out, node, t.text);
		return;
	}
	buf_init(&b, JSON_MAX);
	if (!typed_append_json(&b, j->arena, node))
		pieces_add_literal(out, buf_bytes(&b));
	buf_free(&b);
}

static struct str
key_of(struct json *j, const struct node_item *item)
{
	return arena_printf(j->arena, STR_FMT ":",
	    STR_ARG(printed(j->arena, item->key, json_append_string)));
}

static const struct node_item *
items_of(struct json *j, const struct node *node)
{
	return node->kind == NODE_MAP ? typed_sorted(j->arena, node)
				      : node->items;
}

static bool
is_leaf(const struct node *node)
{
	return node->kind != NODE_MAP && node->kind != NODE_LIST;
}

/* The depth is bounded by the reader's. */
static void
add_node(struct json *j, struct pieces *out, const struct node *node)
{
	bool is_map = node->kind == NODE_MAP;
	const struct node_item *items;

	if (is_leaf(node)) {
		add_scalar(j, out, node);
		return;
	}
	items = items_of(j, node);
	pieces_add_literal(out, is_map ? STR("{") : STR("["));
	for (size_t i = 0; i < node->n; i++) {
		if (i)
			pieces_add_literal(out, STR(","));
		if (is_map)
			pieces_add_literal(out, key_of(j, &items[i]));
		add_node(j, out, items[i].value);
	}
	pieces_add_literal(out, is_map ? STR("}") : STR("]"));
}

/* A null of the configuration is left out as well. */
static void
grow(struct json *j, struct branch *b, const struct node *node)
{
	const struct node_item *items;

	if (is_leaf(node)) {
		b->kind = BRANCH_PIECES;
		pieces_begin(&b->pieces);
		add_scalar(j, &b->pieces, node);
		pieces_end(j->arena, &b->pieces);
		return;
	}
	items = items_of(j, node);
	b->kind = node->kind == NODE_MAP ? BRANCH_MAP : BRANCH_LIST;
	b->items = ARENA_ARRAY(j->arena, node->n + 1, struct branch);
	for (size_t i = 0; i < node->n; i++) {
		struct branch *item = &b->items[b->n];

		if (is_leaf(items[i].value) &&
		    typed_of(j->arena, items[i].value).kind == TYPED_NULL)
			continue;
		if (b->kind == BRANCH_MAP)
			item->key = key_of(j, &items[i]);
		grow(j, item, items[i].value);
		b->n++;
	}
}

static const struct format *
build_json(struct arena *arena, unsigned flags, bool omit_absent,
    const struct node *node, struct diag *diag)
{
	struct format *f = ARENA_NEW(arena, struct format);
	struct json j = { .arena = arena, .diag = diag, .flags = flags };
	struct branch *tree;

	f->absent = STR("-");
	f->content_type = STR("application/json");
	if (omit_absent) {
		tree = ARENA_NEW(arena, struct branch);
		grow(&j, tree, node);
		f->tree = tree;
	} else {
		pieces_begin(&f->pieces);
		add_node(&j, &f->pieces, node);
		pieces_add_literal(&f->pieces, STR("\n"));
		pieces_end(arena, &f->pieces);
	}
	return j.failed ? NULL : f;
}

const struct format *
format_json(struct arena *arena, const struct node *node, struct diag *diag)
{
	return build_json(arena, 0, false, node, diag);
}

/* ---- SubstitutionFormatString ---- */

/* The operators that formatter extensions add. */
static unsigned
flags_of(const struct conf_format *conf, struct diag *diag)
{
	static const struct {
		struct str type;
		unsigned flag;
	} known[] = { { STR_INIT("envoy.extensions.formatter."
				 "req_without_query.v3.ReqWithoutQuery"),
			  COMMAND_REQ_WITHOUT_QUERY },
		{ STR_INIT("envoy.extensions.formatter.metadata.v3.Metadata"),
		    0 } };
	unsigned flags = 0;

	for (size_t i = 0; i < conf->formatters.n; i++) {
		const struct conf_extension *e = &conf->formatters.items[i];
		size_t at = 0, n = sizeof(known) / sizeof(known[0]);

		if (!e->typed_config)
			continue;
		while (at < n && !str_eq(known[at].type, e->typed_config->type))
			at++;
		if (at < n)
			flags |= known[at].flag;
		else
			diag_error(diag, e->node->place, NULL,
			    "Formatter not found: " STR_FMT, STR_ARG(e->name));
	}
	return flags;
}

const struct format *
format_build(
    struct arena *arena, const struct conf_format *conf, struct diag *diag)
{
	unsigned flags = flags_of(conf, diag);
	const struct format *built;
	struct format *f;

	if (conf->json_format)
		built = build_json(arena, flags, conf->omit_empty_values,
		    conf->json_format, diag);
	else
		built = build_text(arena, flags,
		    conf->text_format_source
			? bootstrap_text(arena, diag, NULL,
			      conf->text_format_source, SOURCE_MAX)
			: conf->text_format,
		    conf->node, diag);
	if (!built)
		return NULL;
	f = ARENA_NEW(arena, struct format);
	*f = *built;
	if (conf->omit_empty_values)
		f->absent = STR("");
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

enum err
format_render(const struct format *f, const struct exchange *x, struct buf *out)
{
	enum err err;

	if (!f->tree)
		return pieces_render(&f->pieces, x, f->absent, out);
	err = branch_render(f->tree, x, out);
	return err ? err : buf_append_byte(out, '\n');
}

struct str
format_value(const struct format *f, const struct exchange *x)
{
	return pieces_text(&f->pieces, x);
}
