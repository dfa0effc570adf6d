/* Writing formats: nothing is looked up here, and nothing copied twice. */
#include "config.h"

#include "base/json.h"
#include "chain/exchange.h"
#include "chain/pieces.h"

enum { NUMBER_MAX = 21, ARRAY = 16 };

/* The digits of a number, written to the end of text. */
static struct str
number_text(int64_t number, char text[NUMBER_MAX])
{
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	size_t at = NUMBER_MAX;

	do {
		text[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		text[--at] = '-';
	return (struct str){ text + at, NUMBER_MAX - at };
}

static enum err
put_text(
    struct buf *out, const struct value *v, size_t max_len, struct str absent)
{
	char digits[NUMBER_MAX];

	switch (v->kind) {
	case VALUE_ABSENT:
		return buf_append(out, absent);
	case VALUE_TEXT:
	case VALUE_JSON:
		return buf_append(out, str_slice(v->text, 0, max_len));
	case VALUE_NUMBER:
		return buf_append(
		    out, str_slice(number_text(v->number, digits), 0, max_len));
	}
	return ERR_BAD;
}

static enum err
put_json_text(
    struct buf *out, const struct value *v, size_t max_len, struct str absent)
{
	if (v->kind == VALUE_TEXT || v->kind == VALUE_JSON)
		return json_append_text(out, str_slice(v->text, 0, max_len));
	return put_text(out, v, max_len, absent);
}

/* Only strings are cut: half of anything else is no JSON. */
static enum err
put_json_value(struct buf *out, const struct value *v, size_t max_len)
{
	if (v->kind == VALUE_TEXT)
		return json_append_string(out, str_slice(v->text, 0, max_len));
	return put_text(out, v, SIZE_MAX, STR("null"));
}

static enum err
put_op(struct buf *out, const struct piece *p, const struct value *v,
    struct str absent)
{
	switch (p->kind) {
	case PIECE_LITERAL:
		return buf_append(out, p->literal);
	case PIECE_TEXT:
		return put_text(out, v, p->op.max_len, absent);
	case PIECE_JSON_TEXT:
		return put_json_text(out, v, p->op.max_len, absent);
	case PIECE_JSON_VALUE:
		return put_json_value(out, v, p->op.max_len);
	}
	return ERR_BAD;
}

enum err
pieces_render(const struct pieces *pieces, const struct exchange *x,
    struct str absent, struct buf *out)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < pieces->n && !err; i++) {
		const struct piece *p = &pieces->items[i];
		struct value v;

		if (p->kind == PIECE_LITERAL) {
			err = buf_append(out, p->literal);
			continue;
		}
		v = command_value(&p->op, x);
		err = put_op(out, p, &v, absent);
	}
	return err;
}

/* ---- without what is absent ---- */

/* A comma unless this is the first of its map or list. */
static enum err
begin_item(struct buf *out, struct str key)
{
	struct str bytes = buf_bytes(out);
	char last = bytes.len ? bytes.ptr[bytes.len - 1] : '{';
	enum err err = ERR_OK;

	if (last != '{' && last != '[')
		err = buf_append_byte(out, ',');
	return err ? err : buf_append(out, key);
}

static enum err
render_pieces(const struct branch *b, const struct exchange *x, struct buf *out)
{
	const struct piece *p = &b->pieces.items[0];
	struct value v;
	enum err err;

	if (b->pieces.n != 1 || p->kind != PIECE_JSON_VALUE) {
		err = begin_item(out, b->key);
		return err ? err : pieces_render(&b->pieces, x, STR(""), out);
	}
	v = command_value(&p->op, x);
	if (v.kind == VALUE_ABSENT)
		return ERR_OK;
	err = begin_item(out, b->key);
	return err ? err : put_op(out, p, &v, STR(""));
}

static enum err
render_branch(const struct branch *b, const struct exchange *x, struct buf *out)
{
	size_t before = buf_len(out), begun;
	enum err err;

	if (b->kind == BRANCH_PIECES)
		return render_pieces(b, x, out);
	err = begin_item(out, b->key);
	begun = buf_len(out);
	if (!err)
		err = branch_render(b, x, out);
	if (!err && b->kind == BRANCH_MAP && buf_len(out) == begun + 2)
		buf_truncate(out, buf_len(out) - before);
	return err;
}

enum err
branch_render(const struct branch *b, const struct exchange *x, struct buf *out)
{
	bool is_map = b->kind == BRANCH_MAP;
	enum err err = buf_append_byte(out, is_map ? '{' : '[');

	for (size_t i = 0; i < b->n && !err; i++)
		err = render_branch(&b->items[i], x, out);
	return err ? err : buf_append_byte(out, is_map ? '}' : ']');
}

/* ---- as a value ---- */

static struct str
text_of(const struct value *v, size_t max_len, struct arena *arena)
{
	char digits[NUMBER_MAX];

	switch (v->kind) {
	case VALUE_ABSENT:
		break;
	case VALUE_TEXT:
	case VALUE_JSON:
		return str_slice(v->text, 0, max_len);
	case VALUE_NUMBER:
		return arena_str(arena,
		    str_slice(number_text(v->number, digits), 0, max_len));
	}
	return STR("");
}

static struct str
piece_text(const struct piece *p, const struct exchange *x)
{
	struct value v;

	if (p->kind == PIECE_LITERAL)
		return p->literal;
	v = command_value(&p->op, x);
	return text_of(&v, p->op.max_len, x->arena);
}

struct str
pieces_text(const struct pieces *pieces, const struct exchange *x)
{
	struct str few[ARRAY], *parts = few;
	size_t len = 0;
	char *text, *at;

	if (pieces->n == 1)
		return piece_text(&pieces->items[0], x);
	if (pieces->n > ARRAY)
		parts = ARENA_ARRAY(x->arena, pieces->n, struct str);
	for (size_t i = 0; i < pieces->n; i++) {
		parts[i] = piece_text(&pieces->items[i], x);
		len += parts[i].len;
	}
	at = text = arena_alloc(x->arena, len + 1);
	for (size_t i = 0; i < pieces->n; i++)
		if (parts[i].len)
			at = mempcpy(at, parts[i].ptr, parts[i].len);
	return (struct str){ text, len };
}
