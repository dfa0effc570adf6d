/*
 * From libyaml's events to nodes. An alias shares its node; what it would
 * come to if it were written out is counted, so that whoever walks the tree
 * meets a bounded number of nodes at a bounded depth. The tag !ignore of a key
 * drops it, merge keys are none: both as in Envoy.
 */
#include "config.h"

#include <stdlib.h>

#include "config/scalar.h"
#include "config/yaml_loader.h"

#define ANCHORS_MAX 1000
/* Nodes that all aliases together may stand for. */
#define ALIASED_MAX 100000

struct anchor {
	struct anchor *next;
	struct str name;
	const struct node *node; /* NULL while its own content is read */
	size_t weight; /* nodes, itself included, aliases written out */
	unsigned height;
};

/* A value as it comes out of the events. */
struct value {
	const struct node *node;
	unsigned height; /* levels of lists and maps */
};

static void
stop(struct loader *l)
{
	const yaml_parser_t *p = &l->parser;
	const char *problem = p->problem ? p->problem : "unknown problem";

	l->stopped = true;
	if (p->error == YAML_READER_ERROR &&
	    !strcmp(problem, "control characters are not allowed"))
		diag_error(l->diag, yaml_place_at(l, p->problem_offset), NULL,
		    "control characters are not allowed");
	else if (p->error == YAML_READER_ERROR)
		diag_error(l->diag, yaml_place_at(l, p->problem_offset), NULL,
		    "not UTF-8: %s", problem);
	else if (p->context)
		diag_error(l->diag, yaml_place(l, p->problem_mark), NULL,
		    "not valid YAML: %s, %s", p->context, problem);
	else
		diag_error(l->diag, yaml_place(l, p->problem_mark), NULL,
		    "not valid YAML: %s", problem);
	if (strstr(problem, "cannot start any token"))
		diag_hint(l->diag,
		    "indent with blanks, not tabs; a text that begins with "
		    "@, ` or %% needs quotes");
}

static bool
next_event(struct loader *l, yaml_event_t *event)
{
	if (yaml_parser_parse(&l->parser, event))
		return true;
	stop(l);
	return false;
}

static struct str
text_of(const yaml_char_t *text)
{
	return str_of((const char *)text);
}

/* Whether a tag is one of "!!a", "!!b", ... (the names given, ended by NULL). */
static bool
is_tag(struct str tag, const char *const *names)
{
	struct str prefix = STR("tag:yaml.org,2002:");

	if (!str_starts(tag, prefix))
		return false;
	tag = str_slice(tag, prefix.len, tag.len);
	for (; *names; names++)
		if (str_eq(tag, str_of(*names)))
			return true;
	return false;
}

static void
check_tag(struct loader *l, struct place place, struct str tag,
    const char *const *allowed)
{
	if (!tag.ptr || str_eq(tag, STR("!")) || is_tag(tag, allowed))
		return;
	diag_error(
	    l->diag, place, NULL, "unknown tag '" STR_FMT "'", STR_ARG(tag));
	if (str_eq(tag, STR("!ignore")))
		diag_hint(
		    l->diag, "it stands before a key: !ignore key: value");
}

static const struct node *
scalar_node(struct loader *l, const yaml_event_t *event)
{
	static const char *const strings[] = { "str", NULL };
	static const char *const plains[] = { "int", "float", "bool", "null",
		NULL };
	struct node *n = tree_node(l->tree);
	struct str tag = text_of(event->data.scalar.tag);
	struct str text = { (const char *)event->data.scalar.value,
		event->data.scalar.length };

	n->place = yaml_place(l, event->start_mark);
	n->kind = NODE_SCALAR;
	n->scalar = tree_text(l->tree, text);
	n->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (tag.len == 1 || is_tag(tag, strings))
		n->quoted = true;
	else if (is_tag(tag, plains))
		n->quoted = false;
	else
		check_tag(l, n->place, tag, strings);
	if (!n->quoted && scalar_kind(n->scalar) == SCALAR_NULL)
		n->kind = NODE_NULL;
	return n;
}

static struct anchor *
open_anchor(struct loader *l, const yaml_event_t *event, const char *name)
{
	struct anchor *a;

	if (!name)
		return NULL;
	if (l->n_anchors++ == ANCHORS_MAX) {
		diag_error(l->diag, yaml_place(l, event->start_mark), NULL,
		    "more than %d anchors", ANCHORS_MAX);
		l->stopped = true;
	}
	a = ARENA_NEW(tree_rest(l->tree), struct anchor);
	a->name = tree_text(l->tree, str_of(name));
	a->next = l->anchors;
	l->anchors = a;
	return a;
}

static struct value
alias_value(struct loader *l, const yaml_event_t *event, unsigned depth)
{
	struct str name = text_of(event->data.alias.anchor);
	struct place place = yaml_place(l, event->start_mark);
	const struct anchor *a = l->anchors;

	while (a && !str_eq(a->name, name))
		a = a->next;
	l->stopped = true;
	if (!a) {
		diag_error(l->diag, place, NULL,
		    "no anchor '&" STR_FMT "' stands before this alias",
		    STR_ARG(name));
		return (struct value){ .node = NULL };
	}
	if (!a->node) {
		diag_error(l->diag, place, NULL,
		    "the alias '*" STR_FMT "' contains itself", STR_ARG(name));
		return (struct value){ .node = NULL };
	}
	l->nodes += a->weight;
	l->aliased += a->weight;
	if (l->aliased > ALIASED_MAX) {
		diag_error(l->diag, place, NULL,
		    "aliases stand for more than %d values", ALIASED_MAX);
	} else if (depth + a->height > YAML_DEPTH_MAX) {
		diag_error(l->diag, place, NULL, "nested deeper than %d levels",
		    YAML_DEPTH_MAX);
	} else {
		l->stopped = false;
		return (struct value){ .node = a->node, .height = a->height };
	}
	return (struct value){ .node = NULL };
}

static struct value build(
    struct loader *l, const yaml_event_t *event, unsigned depth);

static struct value
next_value(struct loader *l, unsigned depth)
{
	yaml_event_t event;
	struct value v = { .node = NULL };

	if (!next_event(l, &event))
		return v;
	v = build(l, &event, depth);
	yaml_event_delete(&event);
	return v;
}

static void
push(struct loader *l, struct node_item item)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct node_item *grown =
		    realloc(l->stack, cap * sizeof(*grown));

		if (!grown)
			abort();
		l->stack = grown;
		l->cap = cap;
	}
	l->stack[l->n++] = item;
}

/* What was pushed since from becomes the items of n. */
static void
pop_items(struct loader *l, struct node *n, size_t from)
{
	size_t count = l->n - from;

	n->items = ARENA_ARRAY(tree_rest(l->tree), count, struct node_item);
	if (count)
		memcpy(n->items, l->stack + from, count * sizeof(*n->items));
	n->n = count & INT32_MAX;
	l->n = from;
}

static unsigned
build_list(struct loader *l, struct node *n, unsigned depth)
{
	size_t from = l->n;
	unsigned height = 0;
	bool more = true;

	n->kind = NODE_LIST;
	while (more && !l->stopped) {
		yaml_event_t event;

		if (!next_event(l, &event))
			break;
		more = event.type != YAML_SEQUENCE_END_EVENT;
		if (more) {
			struct value v = build(l, &event, depth + 1);

			if (v.node)
				push(l, (struct node_item){ .value = v.node });
			if (v.height > height)
				height = v.height;
		}
		yaml_event_delete(&event);
	}
	pop_items(l, n, from);
	return height + 1;
}

struct ranked {
	const struct node_item *item;
	size_t rank;
};

static int
by_key(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	int order = str_cmp(a->item->key, b->item->key);

	return order ? order : a->rank < b->rank ? -1 : a->rank > b->rank;
}

static void
tell_duplicate(struct loader *l, const struct node_item *first,
    const struct node_item *item)
{
	diag_error(l->diag, item->key_place, NULL,
	    "duplicate key '" STR_FMT "'", STR_ARG(item->key));
	diag_hint(l->diag, "it stands first in line %u", first->key_place.line);
}

/* Marks every item whose key stands before; whether there is one. */
static bool
mark_duplicates(struct loader *l, const struct node *map, bool *drop)
{
	struct ranked *sorted =
	    ARENA_ARRAY(tree_rest(l->tree), map->n, struct ranked);
	bool found = false;

	for (size_t i = 0; i < map->n; i++)
		sorted[i] = (struct ranked){ &map->items[i], i };
	qsort(sorted, map->n, sizeof(*sorted), by_key);
	for (size_t i = 1, first = 0; i < map->n; i++) {
		if (!str_eq(sorted[first].item->key, sorted[i].item->key)) {
			first = i;
			continue;
		}
		tell_duplicate(l, sorted[first].item, sorted[i].item);
		found = drop[sorted[i].rank] = true;
	}
	return found;
}

/* Equal texts of late are one text: most keys differ by their pointers. */
static bool
may_have_duplicates(const struct node *map)
{
	if (map->n > 16)
		return true;
	for (size_t i = 1; i < map->n; i++)
		for (size_t j = 0; j < i; j++)
			if (str_eq(map->items[i].key, map->items[j].key))
				return true;
	return false;
}

/* A key stands once. */
static void
settle_keys(struct loader *l, struct node *map)
{
	bool *drop;
	unsigned kept = 0;

	if (!may_have_duplicates(map))
		return;
	drop = ARENA_ARRAY(tree_rest(l->tree), map->n, bool);
	if (!mark_duplicates(l, map, drop))
		return;
	for (size_t i = 0; i < map->n; i++)
		if (!drop[i])
			map->items[kept++] = map->items[i];
	map->n = kept & INT32_MAX;
}

/* Reads a key; whether its value is to be kept. */
static bool
read_key(struct loader *l, const yaml_event_t *event, struct node_item *item)
{
	struct str tag;

	item->key_place = yaml_place(l, event->start_mark);
	if (event->type != YAML_SCALAR_EVENT) {
		diag_error(l->diag, item->key_place, NULL,
		    "a key must be a plain text");
		l->stopped = true;
		return false;
	}
	item->key = tree_text(
	    l->tree, (struct str){ (const char *)event->data.scalar.value,
			 event->data.scalar.length });
	tag = text_of(event->data.scalar.tag);
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    str_eq(item->key, STR("<<"))) {
		diag_error(l->diag, item->key_place, NULL,
		    "a merge key: Envoy does not merge");
		diag_hint(l->diag,
		    "write the fields out, or use an alias for the whole map");
		return false;
	}
	return !str_eq(tag, STR("!ignore"));
}

static unsigned
build_map(struct loader *l, struct node *n, unsigned depth)
{
	size_t from = l->n;
	unsigned height = 0;

	n->kind = NODE_MAP;
	for (;;) {
		struct node_item item = { .value = NULL };
		yaml_event_t event;
		struct value v;
		bool is_kept = false, is_end;

		if (l->stopped || !next_event(l, &event))
			break;
		is_end = event.type == YAML_MAPPING_END_EVENT;
		if (!is_end)
			is_kept = read_key(l, &event, &item);
		yaml_event_delete(&event);
		if (is_end || l->stopped)
			break;
		v = next_value(l, depth + 1);
		if (v.height > height)
			height = v.height;
		item.value = v.node;
		if (v.node && is_kept)
			push(l, item);
	}
	pop_items(l, n, from);
	settle_keys(l, n);
	return height + 1;
}

static struct value
build_collection(struct loader *l, const yaml_event_t *event, unsigned depth)
{
	static const char *const tags[] = { "map", "seq", NULL };
	bool is_map = event->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *anchor = is_map ? event->data.mapping_start.anchor
					   : event->data.sequence_start.anchor;
	struct str tag = text_of(is_map ? event->data.mapping_start.tag
					: event->data.sequence_start.tag);
	struct node *n = tree_node(l->tree);
	struct value v = { .node = n };
	struct anchor *a;
	size_t before = l->nodes++;

	n->place = yaml_place(l, event->start_mark);
	if (depth >= YAML_DEPTH_MAX) {
		diag_error(l->diag, n->place, NULL,
		    "nested deeper than %d levels", YAML_DEPTH_MAX);
		l->stopped = true;
		return (struct value){ .node = NULL };
	}
	check_tag(l, n->place, tag, tags);
	a = open_anchor(l, event, (const char *)anchor);
	v.height = is_map ? build_map(l, n, depth) : build_list(l, n, depth);
	if (a) {
		a->node = n;
		a->weight = l->nodes - before;
		a->height = v.height;
	}
	return v;
}

static struct value
build(struct loader *l, const yaml_event_t *event, unsigned depth)
{
	struct anchor *a;
	struct value v = { .node = NULL };

	if (event->type == YAML_ALIAS_EVENT)
		return alias_value(l, event, depth);
	if (event->type != YAML_SCALAR_EVENT)
		return build_collection(l, event, depth);
	l->nodes++;
	v.node = scalar_node(l, event);
	a = open_anchor(l, event, (const char *)event->data.scalar.anchor);
	if (a) {
		a->node = v.node;
		a->weight = 1;
	}
	return v;
}

const struct node *
yaml_document(struct loader *l)
{
	const struct node *top = NULL;
	yaml_event_t event;
	yaml_event_type_t type = YAML_NO_EVENT;

	while (!l->stopped && type != YAML_STREAM_END_EVENT) {
		if (!next_event(l, &event))
			break;
		type = event.type;
		if (type == YAML_DOCUMENT_START_EVENT && top) {
			diag_error(l->diag, yaml_place(l, event.start_mark),
			    NULL, "a second document: a file holds one");
			l->stopped = true;
		} else if (type == YAML_DOCUMENT_START_EVENT) {
			top = next_value(l, 0).node;
		}
		yaml_event_delete(&event);
	}
	return l->stopped ? NULL : top;
}
