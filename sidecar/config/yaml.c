/*
 * From libyaml's events to nodes. An alias shares its node; what it would
 * come to if it were written out is counted, so that whoever walks the tree
 * meets a bounded number of nodes at a bounded depth. The tag !ignore of a key
 * drops it, merge keys are none: both as in Envoy.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

#include "config/json.h"
#include "config/read.h"
#include "config/scalar.h"
#include "config/yaml.h"

#define FILE_MAX    (16U << 20)
#define DEPTH_MAX   64
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

/* "\ud83d\ude00" of JSON, written for libyaml in two characters less. */
struct shift {
	size_t at; /* characters before it in libyaml's line */
	size_t line;
};

struct loader {
	struct tree *tree;
	struct diag *diag;
	struct source *source;
	yaml_parser_t parser;
	struct anchor *anchors;
	size_t n_anchors;
	size_t nodes; /* so far, aliases written out */
	size_t aliased;
	struct shift *shifts; /* in the order of the text */
	size_t n_shifts;
	/* Items of the lists and maps that are being read, innermost last. */
	struct node_item *stack;
	size_t n, cap;
	bool stopped; /* the text cannot be read on */
};

/* A value as it comes out of the events. */
struct value {
	const struct node *node;
	unsigned height; /* levels of lists and maps */
};

/* How many shifts stand before a column. */
static size_t
shifts_before(const struct loader *l, size_t line, size_t column)
{
	size_t low = 0, high = l->n_shifts;

	while (low < high) {
		size_t at = low + (high - low) / 2;
		const struct shift *s = &l->shifts[at];

		if (s->line < line || (s->line == line && s->at < column))
			low = at + 1;
		else
			high = at;
	}
	return low;
}

static struct place
place_of(const struct loader *l, yaml_mark_t mark)
{
	size_t column = mark.column;

	if (l->n_shifts)
		column += 2 * (shifts_before(l, mark.line, mark.column) -
				  shifts_before(l, mark.line, 0));
	return (struct place){ l->source, (unsigned)mark.line + 1,
		(unsigned)column + 1 };
}

/* Line and column of a byte offset. */
static struct place
place_at(const struct loader *l, size_t offset)
{
	struct place p = { l->source, 1, 1 };
	struct str text = l->source->text;

	for (size_t i = 0; i < offset && i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			p.line++;
			p.column = 1;
		} else if (((unsigned char)text.ptr[i] & 0xc0) != 0x80) {
			p.column++;
		}
	}
	return p;
}

static void
stop(struct loader *l)
{
	const yaml_parser_t *p = &l->parser;
	const char *problem = p->problem ? p->problem : "unknown problem";

	l->stopped = true;
	if (p->error == YAML_READER_ERROR &&
	    !strcmp(problem, "control characters are not allowed"))
		diag_error(l->diag, place_at(l, p->problem_offset), NULL,
		    "control characters are not allowed");
	else if (p->error == YAML_READER_ERROR)
		diag_error(l->diag, place_at(l, p->problem_offset), NULL,
		    "not UTF-8: %s", problem);
	else if (p->context)
		diag_error(l->diag, place_of(l, p->problem_mark), NULL,
		    "not valid YAML: %s, %s", p->context, problem);
	else
		diag_error(l->diag, place_of(l, p->problem_mark), NULL,
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

	n->place = place_of(l, event->start_mark);
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
		diag_error(l->diag, place_of(l, event->start_mark), NULL,
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
	struct place place = place_of(l, event->start_mark);
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
	} else if (depth + a->height > DEPTH_MAX) {
		diag_error(l->diag, place, NULL, "nested deeper than %d levels",
		    DEPTH_MAX);
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

	item->key_place = place_of(l, event->start_mark);
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

	n->place = place_of(l, event->start_mark);
	if (depth >= DEPTH_MAX) {
		diag_error(l->diag, n->place, NULL,
		    "nested deeper than %d levels", DEPTH_MAX);
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

static const struct node *
build_document(struct loader *l)
{
	const struct node *top = NULL;
	yaml_event_t event;
	yaml_event_type_t type = YAML_NO_EVENT;

	while (!l->stopped && type != YAML_STREAM_END_EVENT) {
		if (!next_event(l, &event))
			break;
		type = event.type;
		if (type == YAML_DOCUMENT_START_EVENT && top) {
			diag_error(l->diag, place_of(l, event.start_mark), NULL,
			    "a second document: a file holds one");
			l->stopped = true;
		} else if (type == YAML_DOCUMENT_START_EVENT) {
			top = next_value(l, 0).node;
		}
		yaml_event_delete(&event);
	}
	return l->stopped ? NULL : top;
}

/* Value of "\uXXXX" at p, or -1. */
static long
escape_at(struct str s, size_t at)
{
	long value = 0;

	if (s.len < 6 || at > s.len - 6 || s.ptr[at] != '\\' ||
	    s.ptr[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		if (ascii_hex(s.ptr[i]) < 0)
			return -1;
		value = value * 16 + ascii_hex(s.ptr[i]);
	}
	return value;
}

static bool
is_pair(struct str s, size_t at)
{
	long high = escape_at(s, at);
	long low = high < 0 ? -1 : escape_at(s, at + 6);

	return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 &&
	       low <= 0xdfff;
}

/*
 * libyaml refuses the surrogate pairs by which JSON writes characters beyond
 * U+FFFF: in a text that begins as JSON they become "\UXXXXXXXX".
 */
static struct str
without_pairs(struct loader *l, struct str text)
{
	size_t n = 0, len = 0, line = 0, column = 0;
	bool in_string = false;
	char *out;

	for (size_t at = 0; at < text.len; at++)
		n += is_pair(text, at);
	if (!n)
		return text;
	out = arena_alloc(tree_rest(l->tree), text.len + 1);
	l->shifts = ARENA_ARRAY(tree_rest(l->tree), n, struct shift);
	for (size_t at = 0; at < text.len; at++) {
		char c = text.ptr[at];

		if (in_string && is_pair(text, at)) {
			unsigned long high = (unsigned long)escape_at(text, at);
			unsigned long low =
			    (unsigned long)escape_at(text, at + 6);
			unsigned long code =
			    0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);

			l->shifts[l->n_shifts++] =
			    (struct shift){ column, line };
			(void)snprintf(out + len, 11, "\\U%08lX", code);
			len += 10;
			column += 10;
			at += 11;
			continue;
		}
		if (c == '"')
			in_string = !in_string;
		out[len++] = c;
		column += ((unsigned char)c & 0xc0) != 0x80;
		if (c == '\n') {
			line++;
			column = 0;
		} else if (in_string && c == '\\' && at + 1 < text.len) {
			out[len++] = text.ptr[++at];
			column++;
		}
	}
	return (struct str){ out, len };
}

static bool
begins_as_json(struct str text)
{
	size_t at = 0;

	while (
	    at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t' ||
				 text.ptr[at] == '\r' || text.ptr[at] == '\n'))
		at++;
	return at < text.len && (text.ptr[at] == '{' || text.ptr[at] == '[');
}

/* Envoy reads files as JSON that are not named as YAML. */
static bool
is_json_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash ? slash : name, '.');

	return dot && dot[1] && !str_eq_nocase(str_of(dot), STR(".yaml")) &&
	       !str_eq_nocase(str_of(dot), STR(".yml"));
}

static bool
check_json(struct loader *l, struct str text, const char *name)
{
	size_t at = 0;
	const char *why = json_error(text, DEPTH_MAX, &at);

	if (!why)
		return true;
	diag_error(l->diag, place_at(l, at), NULL,
	    "Unable to parse JSON as proto (INVALID_ARGUMENT: not valid JSON: "
	    "%s)",
	    why);
	diag_hint(
	    l->diag, "only files named *.yaml or *.yml are YAML: %s", name);
	return false;
}

static const struct node *
parse(struct loader *l, struct str text)
{
	const struct node *top;

	if (!yaml_parser_initialize(&l->parser))
		abort();
	if (begins_as_json(text))
		text = without_pairs(l, text);
	yaml_parser_set_encoding(&l->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &l->parser, (const unsigned char *)text.ptr, text.len);
	top = build_document(l);
	yaml_parser_delete(&l->parser);
	free(l->stack);
	if (!top && !l->stopped)
		diag_error(l->diag, (struct place){ l->source, 1, 1 }, NULL,
		    "the file is empty");
	return top;
}

static struct source *
new_source(struct tree *tree, const char *name, struct str text)
{
	struct source *source = ARENA_NEW(tree_arena(tree), struct source);

	source->name = arena_cstr(tree_arena(tree), str_of(name));
	source->text = text;
	return source;
}

static struct str
without_mark(struct str text)
{
	return str_starts(text, STR("\xef\xbb\xbf"))
		   ? str_slice(text, 3, text.len)
		   : text;
}

static bool
is_small(struct str text, const char *name, struct diag *diag)
{
	if (text.len <= FILE_MAX)
		return true;
	diag_error(diag, (struct place){ 0 }, NULL, "%s: larger than %u MiB",
	    name, FILE_MAX >> 20);
	return false;
}

const struct node *
yaml_parse_tree(
    struct tree *tree, struct str text, const char *name, struct diag *diag)
{
	struct loader l = { .tree = tree, .diag = diag };

	if (!is_small(text, name, diag))
		return NULL;
	text = without_mark(text);
	l.source = new_source(tree, name, text);
	tree_keep_source(tree, l.source);
	if (is_json_name(name) && !check_json(&l, text, name))
		return NULL;
	return parse(&l, text);
}

const struct node *
yaml_parse(
    struct arena *arena, struct str text, const char *name, struct diag *diag)
{
	return yaml_parse_tree(tree_new(arena), text, name, diag);
}

const struct node *
yaml_read(struct tree *tree, const char *path, struct diag *diag)
{
	struct str text;
	enum err err = read_file(tree_rest(tree), path, FILE_MAX, &text);

	if (!err)
		return yaml_parse_tree(tree, text, path, diag);
	diag_error(diag, (struct place){ 0 }, NULL, "%s: %s", path,
	    err == ERR_FULL ? "larger than 16 MiB" : strerror(errno));
	return NULL;
}
