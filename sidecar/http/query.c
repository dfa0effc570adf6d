/* Changing queries. */
#include "config.h"

#include <stdlib.h>

#include "http/params.h"
#include "http/query.h"
#include "http/target.h"

static struct query_item *
new_item(struct query *q)
{
	struct query_item *items = q->items;

	if (q->n == q->cap) {
		q->cap = q->cap ? 2 * q->cap : 16;
		q->items = ARENA_ARRAY(q->arena, q->cap, struct query_item);
		if (q->n)
			memcpy(q->items, items, q->n * sizeof(*items));
	}
	return &q->items[q->n++];
}

void
query_read(struct query *q, struct arena *arena, struct str target)
{
	struct str rest = target_query(target), pair;
	struct query_item *item;
	size_t eq;

	*q = (struct query){ .arena = arena };
	rest = str_slice(rest, 1, rest.len);
	while (rest.len) {
		pair = str_split(&rest, '&');
		eq = str_find_char(pair, '=', 0);
		item = new_item(q);
		item->name = params_decoded(arena, str_slice(pair, 0, eq));
		item->text = eq < pair.len ? pair
					   : arena_printf(arena, STR_FMT "=",
						 STR_ARG(pair));
	}
}

bool
query_has(const struct query *q, struct str name)
{
	for (size_t i = 0; i < q->n; i++)
		if (str_eq(q->items[i].name, name))
			return true;
	return false;
}

void
query_remove(struct query *q, struct str name)
{
	size_t left = 0;

	for (size_t i = 0; i < q->n; i++)
		if (!str_eq(q->items[i].name, name))
			q->items[left++] = q->items[i];
	q->n = left;
}

/* RFC 3986 section 2.3, and in names what does no harm there. */
static bool
is_plain(char c, bool in_name)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (c && strchr("-_.~", c)) ||
	       (in_name && c && strchr("!$'()*,;:@/?[]", c));
}

static char *
put_escaped(char *at, struct str s, bool is_name)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (is_plain(s.ptr[i], is_name)) {
			*at++ = s.ptr[i];
			continue;
		}
		*at++ = '%';
		*at++ = hex[c >> 4];
		*at++ = hex[c & 15];
	}
	return at;
}

void
query_add(struct query *q, struct str name, struct str value)
{
	struct query_item *item = new_item(q);
	char *text = arena_alloc_array(q->arena, name.len + value.len + 1, 3);
	char *at = put_escaped(text, name, true);

	*at++ = '=';
	at = put_escaped(at, value, false);
	item->name = arena_str(q->arena, name);
	item->text = (struct str){ text, (size_t)(at - text) };
}

struct place {
	const struct query_item *item;
	size_t index;
};

static int
by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = str_cmp(x->item->name, y->item->name);

	if (order)
		return order;
	return x->index < y->index ? -1 : 1;
}

struct str
query_write(const struct query *q, struct str target)
{
	struct place *places = ARENA_ARRAY(q->arena, q->n + 1, struct place);
	struct str path = target_path(target);
	size_t len = path.len;
	char *text, *at;

	for (size_t i = 0; i < q->n; i++) {
		places[i] = (struct place){ &q->items[i], i };
		len += q->items[i].text.len + 1;
	}
	qsort(places, q->n, sizeof(*places), by_name);
	text = arena_alloc(q->arena, len + 1);
	at = mempcpy(text, path.ptr, path.len);
	for (size_t i = 0; i < q->n; i++) {
		*at++ = i ? '&' : '?';
		at = mempcpy(
		    at, places[i].item->text.ptr, places[i].item->text.len);
	}
	return (struct str){ text, (size_t)(at - text) };
}
