/*
 * From libyaml's events to nodes. An alias shares its node; what it would
 * come to if it were written out is counted, so that whoever walks the tree
 * meets a bounded number of nodes at a bounded depth.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

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
	struct arena *arena;
	struct diag *diag;
	const struct source *source;
	yaml_parser_t parser;
	struct anchor *anchors;
	size_t n_anchors;
	size_t nodes; /* so far, aliases written out */
	size_t aliased;
	struct shift *shifts;
	size_t n_shifts;
	bool stopped; /* the text cannot be read on */
};

/* A value as it comes out of the events. */
struct value {
	const struct node *node;
	unsigned height; /* levels of lists and maps */
	bool ignored; /* tagged !ignore */
};

static struct place
place_of(const struct loader *l, yaml_mark_t mark)
{
	size_t column = mark.column;

	for (size_t i = 0; i < l->n_shifts; i++)
		if (l->shifts[i].line == mark.line &&
		    l->shifts[i].at < mark.column)
			column += 2;
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
}

static const struct node *
scalar_node(struct loader *l, const yaml_event_t *event)
{
	static const char *const strings[] = { "str", NULL };
	static const char *const plains[] = { "int", "float", "bool", "null",
		NULL };
	struct node *n = ARENA_NEW(l->arena, struct node);
	struct str tag = text_of(event->data.scalar.tag);
	struct str text = { (const char *)event->data.scalar.value,
		event->data.scalar.length };

	n->place = place_of(l, event->start_mark);
	n->kind = NODE_SCALAR;
	n->scalar = arena_str(l->arena, text);
	n->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (str_eq(tag, STR("!ignore")))
		return n;
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
	a = ARENA_NEW(l->arena, struct anchor);
	a->name = arena_str(l->arena, str_of(name));
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

static struct node_item *
add_item(struct loader *l, struct node *n)
{
	if (n->n == n->cap) {
		size_t cap = n->cap ? 2 * n->cap : 4;
		struct node_item *grown =
		    ARENA_ARRAY(l->arena, cap, struct node_item);

		if (n->n)
			memcpy(grown, n->items, n->n * sizeof(*grown));
		n->items = grown;
		n->cap = cap;
	}
	return &n->items[n->n++];
}

static unsigned
build_list(struct loader *l, struct node *n, unsigned depth)
{
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
				add_item(l, n)->value = v.node;
			if (v.height > height)
				height = v.height;
		}
		yaml_event_delete(&event);
	}
	return height + 1;
}

/* The maps that "<<" names: one, or a list of them. */
static void
collect_merge(struct loader *l, struct node *from, const struct node *value)
{
	bool is_list = value->kind == NODE_LIST;
	size_t n = is_list ? value->n : 1;

	for (size_t i = 0; i < n; i++) {
		const struct node *map =
		    is_list ? value->items[i].value : value;

		if (map->kind == NODE_MAP)
			add_item(l, from)->value = map;
		else
			diag_error(l->diag, map->place, NULL,
			    "a merge key (<<) takes a map or a list of maps");
	}
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

/*
 * The first n_own items are the map's own, the others merged in: among the
 * former a key stands once, of the latter those are kept whose key is new.
 */
static void
settle_keys(struct loader *l, struct node *map, size_t n_own)
{
	struct ranked *sorted = ARENA_ARRAY(l->arena, map->n, struct ranked);
	bool *drop = ARENA_ARRAY(l->arena, map->n, bool);
	size_t kept = 0;

	for (size_t i = 0; i < map->n; i++)
		sorted[i] = (struct ranked){ &map->items[i], i };
	qsort(sorted, map->n, sizeof(*sorted), by_key);
	for (size_t i = 1, first = 0; i < map->n; i++) {
		const struct node_item *before = sorted[first].item;
		const struct node_item *item = sorted[i].item;

		if (!str_eq(before->key, item->key)) {
			first = i;
			continue;
		}
		drop[sorted[i].rank] = true;
		if (sorted[i].rank >= n_own)
			continue;
		diag_error(l->diag, item->key_place, NULL,
		    "duplicate key '" STR_FMT "'", STR_ARG(item->key));
		diag_hint(l->diag, "it stands first in line %u",
		    before->key_place.line);
	}
	for (size_t i = 0; i < map->n; i++)
		if (!drop[i])
			map->items[kept++] = map->items[i];
	map->n = kept;
}

static bool
read_key(struct loader *l, const yaml_event_t *event, struct node_item *item,
    bool *is_merge)
{
	if (event->type != YAML_SCALAR_EVENT) {
		diag_error(l->diag, place_of(l, event->start_mark), NULL,
		    "a key must be a plain text");
		l->stopped = true;
		return false;
	}
	item->key = arena_str(
	    l->arena, (struct str){ (const char *)event->data.scalar.value,
			  event->data.scalar.length });
	item->key_place = place_of(l, event->start_mark);
	*is_merge = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		    str_eq(item->key, STR("<<"));
	return true;
}

static unsigned
build_map(struct loader *l, struct node *n, unsigned depth)
{
	struct node merged = { .kind = NODE_LIST };
	unsigned height = 0;
	size_t n_own;

	n->kind = NODE_MAP;
	for (;;) {
		struct node_item item = { .value = NULL };
		yaml_event_t event;
		struct value v;
		bool is_merge = false, is_key = false;

		if (l->stopped || !next_event(l, &event))
			break;
		if (event.type != YAML_MAPPING_END_EVENT)
			is_key = read_key(l, &event, &item, &is_merge);
		yaml_event_delete(&event);
		if (!is_key)
			break;
		v = next_value(l, depth + 1);
		if (v.height > height)
			height = v.height;
		if (!v.node || v.ignored)
			continue;
		item.value = v.node;
		if (is_merge)
			collect_merge(l, &merged, v.node);
		else
			*add_item(l, n) = item;
	}
	n_own = n->n;
	for (size_t i = 0; i < merged.n; i++)
		for (size_t j = 0; j < merged.items[i].value->n; j++)
			*add_item(l, n) = merged.items[i].value->items[j];
	settle_keys(l, n, n_own);
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
	struct node *n = ARENA_NEW(l->arena, struct node);
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
	v.ignored = str_eq(tag, STR("!ignore"));
	if (!v.ignored)
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
	v.ignored = str_eq(text_of(event->data.scalar.tag), STR("!ignore"));
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
	out = arena_alloc(l->arena, text.len + 1);
	l->shifts = ARENA_ARRAY(l->arena, n, struct shift);
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

const struct node *
yaml_parse(
    struct arena *arena, struct str text, const char *name, struct diag *diag)
{
	struct source *source = ARENA_NEW(arena, struct source);
	struct loader l = { .arena = arena, .diag = diag, .source = source };
	const struct node *top;

	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_slice(text, 3, text.len);
	source->name = arena_cstr(arena, str_of(name));
	source->text = text;
	if (text.len > FILE_MAX) {
		diag_error(diag, (struct place){ 0 }, NULL,
		    "%s: larger than %u MiB", name, FILE_MAX >> 20);
		return NULL;
	}
	if (!yaml_parser_initialize(&l.parser))
		abort();
	if (begins_as_json(text))
		text = without_pairs(&l, text);
	yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &l.parser, (const unsigned char *)text.ptr, text.len);
	top = build_document(&l);
	yaml_parser_delete(&l.parser);
	if (!top && !l.stopped)
		diag_error(diag, (struct place){ source, 1, 1 }, NULL,
		    "the file is empty");
	return top;
}

const struct node *
yaml_read(struct arena *arena, const char *path, struct diag *diag)
{
	struct str text;
	enum err err = read_file(arena, path, FILE_MAX, &text);

	if (err) {
		diag_error(diag, (struct place){ 0 }, NULL, "%s: %s", path,
		    err == ERR_FULL ? "larger than 16 MiB" : strerror(errno));
		return NULL;
	}
	return yaml_parse(arena, text, path, diag);
}
