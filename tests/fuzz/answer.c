/*
 * Responses of a backend: read in pieces or at once they come to the same
 * end with the same fields and body, and what is passed on is sound.
 */
#include "config.h"

#include <stdlib.h>

#include "upstream/answer.h"
#include "upstream/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
	struct arena *arena;
	struct headers fields;
	struct answer answer;
	struct buf body;
	enum answer_event event;
	size_t taken;
};

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static void
feed(struct reading *r, struct str piece)
{
	size_t len = piece.len;

	do
		r->event = answer_feed(&r->answer, &piece, &r->body);
	while (r->event == ANSWER_HEAD || r->event == ANSWER_INTERIM);
	r->taken += len - piece.len;
}

static void
read_in(struct reading *r, struct str bytes, size_t size, bool head)
{
	*r = (struct reading){ .arena = arena_new(4096) };
	headers_init(&r->fields, r->arena);
	answer_begin(
	    &r->answer, &r->fields, HEAD_MAX_FIELDS, HEAD_MAX_BYTES, head);
	buf_init(&r->body, 1 << 20);
	for (size_t at = 0; at < bytes.len && r->event == ANSWER_MORE;
	     at += size)
		feed(r, str_slice(bytes, at, at + size));
	if (r->event == ANSWER_MORE)
		r->event = answer_close(&r->answer);
}

static void
drop(struct reading *r)
{
	answer_free(&r->answer);
	buf_free(&r->body);
	arena_free(r->arena);
}

static void
check_same(const struct reading *a, const struct reading *b)
{
	check(a->event == b->event);
	check(a->fields.n == b->fields.n);
	check(a->answer.keeps == b->answer.keeps);
	check(str_eq(buf_bytes(&a->body), buf_bytes(&b->body)));
	if (a->event == ANSWER_END)
		check(a->taken == b->taken);
	for (size_t i = 0; i < a->fields.n; i++) {
		check(str_eq(a->fields.items[i].name, b->fields.items[i].name));
		check(
		    str_eq(a->fields.items[i].value, b->fields.items[i].value));
		check(header_value_is_valid(a->fields.items[i].value));
		check(i == 0 || header_name_is_valid(a->fields.items[i].name));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading whole, pieces;
	struct str bytes;

	if (size < 1 || size > 1 << 19)
		return 0;
	bytes = (struct str){ (const char *)data + 1, size - 1 };
	read_in(&whole, bytes, bytes.len + 1, data[0] & 1);
	read_in(&pieces, bytes, (data[0] >> 1) + 1U, data[0] & 1);
	check_same(&whole, &pieces);
	drop(&whole);
	drop(&pieces);
	return 0;
}
