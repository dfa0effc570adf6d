/* Compiling and walking matcher trees. */
#include "config.h"

#include <stdlib.h>

#include "chain/kit.h"
#include "chain/xmatch.h"
#include "config/messages.h"

typedef const void *(*action_fn)(struct setup *, const struct conf_extension *);

/* ---- inputs ---- */

struct input {
	/* The value looked at; absent when there is none. */
	struct str (*get)(struct exchange *, struct str name);
	struct str name; /* of the header or the parameter */
};

struct conf_input {
	const struct node *node;
	struct str header_name, query_param;
};

static const struct schema_field no_fields[] = { { .name = NULL } };
static const struct schema_field header_fields[] = {
	{ FIELD(SCHEMA_STR, conf_input, header_name), .min_items = 1,
	    .required = true, .text = "Name of the header." },
	{ .name = NULL },
};
static const struct schema_field query_fields[] = {
	{ FIELD(SCHEMA_STR, conf_input, query_param), .min_items = 1,
	    .required = true, .text = "Name of the parameter." },
	{ .name = NULL },
};

static struct str
get_status(struct exchange *x, struct str name)
{
	(void)name;
	return host_attribute(x, HOST_RESPONSE_CODE);
}

static struct str
get_status_class(struct exchange *x, struct str name)
{
	struct str status = host_attribute(x, HOST_RESPONSE_CODE);

	(void)name;
	return status.len == 3
		   ? arena_printf(host_arena(x), "%cxx", status.ptr[0])
		   : STR_NONE;
}

static struct str
get_is_local(struct exchange *x, struct str name)
{
	(void)name;
	return str_eq(host_attribute(x, HOST_CODE_DETAILS), STR("via_upstream"))
		   ? STR("false")
		   : STR("true");
}

/* All lines of the header, joined. */
static struct str
get_header(struct exchange *x, enum host_map map, struct str name)
{
	struct str all = host_header(x, map, name, 0), next;

	for (size_t i = 1; all.ptr; i++) {
		next = host_header(x, map, name, i);
		if (!next.ptr)
			break;
		all = arena_printf(host_arena(x), STR_FMT "," STR_FMT,
		    STR_ARG(all), STR_ARG(next));
	}
	return all;
}

static struct str
get_request_header(struct exchange *x, struct str name)
{
	return get_header(x, HOST_REQUEST, name);
}

static struct str
get_response_header(struct exchange *x, struct str name)
{
	return get_header(x, HOST_RESPONSE, name);
}

static struct str
get_query(struct exchange *x, struct str name)
{
	return match_query_value(
	    host_header(x, HOST_REQUEST, STR(":path"), 0), name);
}

#define INPUT(input, rows, getter)                                             \
	{                                                                      \
		{ .name = "envoy.type.matcher.v3." input,                      \
			.size = sizeof(struct conf_input),                     \
			.fields = (rows) },                                    \
		    (getter)                                                   \
	}

static const struct {
	struct schema_message message;
	struct str (*get)(struct exchange *, struct str name);
} inputs[] = {
	INPUT("HttpResponseStatusCodeMatchInput", no_fields, get_status),
	INPUT("HttpResponseStatusCodeClassMatchInput", no_fields,
	    get_status_class),
	INPUT("HttpResponseLocalReplyMatchInput", no_fields, get_is_local),
	INPUT("HttpRequestHeaderMatchInput", header_fields, get_request_header),
	INPUT(
	    "HttpResponseHeaderMatchInput", header_fields, get_response_header),
	INPUT("HttpRequestQueryParamMatchInput", query_fields, get_query),
};

static struct input
build_input(struct setup *s, const struct conf_extension *conf)
{
	struct arena *arena = host_setup_arena(s);
	const struct any *any = conf->typed_config;
	const struct conf_input *decoded;

	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		struct str name;

		if (!str_eq(any->type, str_of(inputs[i].message.name)))
			continue;
		decoded = host_setup_decode(s, &inputs[i].message, any);
		name = decoded->header_name.ptr
			   ? header_name_sought(arena, decoded->header_name)
			   : decoded->query_param;
		return (struct input){ inputs[i].get, name };
	}
	host_setup_error(s, conf->node,
	    "Didn't find a registered implementation for '" STR_FMT
	    "' with type URL: '" STR_FMT "'",
	    STR_ARG(conf->name), STR_ARG(any->type));
	return (struct input){ NULL, STR_NONE };
}

/* ---- trees ---- */

struct on_match {
	const struct xmatch *matcher;
	const void *action;
};

enum predicate_kind {
	PREDICATE_SINGLE,
	PREDICATE_OR,
	PREDICATE_AND,
	PREDICATE_NOT
};

struct predicate {
	enum predicate_kind kind;
	struct input input;
	const struct string_match *value;
	const struct predicate *parts; /* one for PREDICATE_NOT */
	size_t n_parts;
};

/* A line of the list, or a value of the map. */
struct entry {
	struct predicate predicate;
	struct str key;
	struct on_match on_match;
};

enum xmatch_kind { XMATCH_NOTHING, XMATCH_LIST, XMATCH_EXACT, XMATCH_PREFIX };

struct xmatch {
	enum xmatch_kind kind;
	struct input input;
	struct entry *entries; /* XMATCH_PREFIX: the longest key first */
	size_t n;
	bool has_otherwise;
	struct on_match otherwise;
};

static struct on_match
build_on_match(struct setup *s, const struct conf_on_match *conf, action_fn fn)
{
	struct on_match m = { NULL, NULL };

	if (conf->matcher)
		m.matcher = xmatch_build(s, conf->matcher, fn);
	else
		m.action = fn(s, conf->action);
	return m;
}

static void
build_predicate(
    struct setup *s, const struct conf_predicate *conf, struct predicate *p)
{
	const struct conf_single_predicate *single = conf->single_predicate;
	const struct conf_predicate_list *list =
	    conf->or_matcher ? conf->or_matcher : conf->and_matcher;
	const struct conf_predicate *parts =
	    list ? list->predicate.items : conf->not_matcher;
	struct predicate *out;

	if (single) {
		p->kind = PREDICATE_SINGLE;
		p->input = build_input(s, single->input);
		p->value = kit_string_match(s, single->value_match);
		return;
	}
	p->kind = conf->or_matcher    ? PREDICATE_OR
		  : conf->and_matcher ? PREDICATE_AND
				      : PREDICATE_NOT;
	p->n_parts = list ? list->predicate.n : 1;
	p->parts = out =
	    ARENA_ARRAY(host_setup_arena(s), p->n_parts, struct predicate);
	for (size_t i = 0; i < p->n_parts; i++)
		build_predicate(s, &parts[i], &out[i]);
}

static void
build_list(struct setup *s, struct xmatch *m,
    const struct conf_matcher_list *conf, action_fn fn)
{
	m->kind = XMATCH_LIST;
	m->n = conf->matchers.n;
	m->entries = ARENA_ARRAY(host_setup_arena(s), m->n, struct entry);
	for (size_t i = 0; i < m->n; i++) {
		const struct conf_field_matcher *f = &conf->matchers.items[i];

		build_predicate(s, f->predicate, &m->entries[i].predicate);
		m->entries[i].on_match = build_on_match(s, f->on_match, fn);
	}
}

static int
longest_first(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->key.len > y->key.len ? -1 : x->key.len < y->key.len;
}

static void
build_tree(struct setup *s, struct xmatch *m,
    const struct conf_matcher_tree *conf, action_fn fn)
{
	const struct map *map = conf->exact_match_map
				    ? &conf->exact_match_map->map
				    : &conf->prefix_match_map->map;

	m->kind = conf->exact_match_map ? XMATCH_EXACT : XMATCH_PREFIX;
	m->input = build_input(s, conf->input);
	m->n = map->n;
	m->entries = ARENA_ARRAY(host_setup_arena(s), m->n, struct entry);
	for (size_t i = 0; i < m->n; i++) {
		m->entries[i].key = map->items[i].key;
		m->entries[i].on_match =
		    build_on_match(s, map->items[i].value, fn);
	}
	if (m->kind == XMATCH_PREFIX)
		qsort(m->entries, m->n, sizeof(*m->entries), longest_first);
}

const struct xmatch *
xmatch_build(struct setup *s, const struct conf_matcher *conf, action_fn fn)
{
	struct xmatch *m = ARENA_NEW(host_setup_arena(s), struct xmatch);

	if (!conf)
		return m;
	if (conf->matcher_list)
		build_list(s, m, conf->matcher_list, fn);
	else if (conf->matcher_tree)
		build_tree(s, m, conf->matcher_tree, fn);
	m->has_otherwise = conf->on_no_match != NULL;
	if (m->has_otherwise)
		m->otherwise = build_on_match(s, conf->on_no_match, fn);
	return m;
}

/* ---- walking; the depth is bounded by that of the configuration ---- */

static bool
holds(const struct predicate *p, struct exchange *x)
{
	struct str value;

	if (p->kind == PREDICATE_SINGLE) {
		value = p->input.get(x, p->input.name);
		return value.ptr && string_match_holds(p->value, value);
	}
	if (p->kind == PREDICATE_NOT)
		return !holds(p->parts, x);
	for (size_t i = 0; i < p->n_parts; i++)
		if (holds(&p->parts[i], x) == (p->kind == PREDICATE_OR))
			return p->kind == PREDICATE_OR;
	return p->kind == PREDICATE_AND;
}

static const void *
resolve(const struct on_match *m, struct exchange *x)
{
	return m->matcher ? xmatch_find(m->matcher, x) : m->action;
}

static bool
matches(const struct xmatch *m, const struct entry *e, struct str value,
    struct exchange *x)
{
	switch (m->kind) {
	case XMATCH_LIST:
		return holds(&e->predicate, x);
	case XMATCH_EXACT:
		return value.ptr && str_eq(value, e->key);
	case XMATCH_PREFIX:
		return value.ptr && str_starts(value, e->key);
	case XMATCH_NOTHING:
		break;
	}
	return false;
}

const void *
xmatch_find(const struct xmatch *m, struct exchange *x)
{
	const void *found = NULL;
	struct str value = STR_NONE;

	if (m->input.get)
		value = m->input.get(x, m->input.name);
	for (size_t i = 0; i < m->n && !found; i++)
		if (matches(m, &m->entries[i], value, x))
			found = resolve(&m->entries[i].on_match, x);
	if (!found && m->has_otherwise)
		found = resolve(&m->otherwise, x);
	return found;
}
