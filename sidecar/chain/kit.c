/* Bricks for filters. */
#include "config.h"

#include "chain/kit.h"

enum { JSON_MAX = 64 * 1024 };

struct field {
	struct str name;
	const struct format *value;
	enum conf_append_action action;
	bool keep_empty;
};

struct kit_fields {
	struct field *items;
	size_t n;
};

/* ---- building ---- */

/* Says what stands in diag, at node. */
static void
pass_on(struct setup *s, const struct node *node, struct diag *diag)
{
	if (diag_errors(diag))
		host_setup_error(s, node, "%s", diag_message(diag, 0));
}

const struct string_match *
kit_string_match(struct setup *s, const struct conf_string_matcher *conf)
{
	struct diag *diag = diag_new(host_setup_arena(s));
	const struct string_match *m =
	    string_match_build(host_setup_arena(s), conf, diag);

	pass_on(s, conf->node, diag);
	return m;
}

const struct regex *
kit_regex(struct setup *s, const struct conf_regex *conf)
{
	struct diag *diag = diag_new(host_setup_arena(s));
	const struct regex *r = match_regex(host_setup_arena(s), conf, diag);

	pass_on(s, conf->node, diag);
	return r;
}

struct kit_matches
kit_header_matches(
    struct setup *s, const struct conf_header_matcher *conf, size_t n)
{
	struct arena *arena = host_setup_arena(s);
	struct kit_matches m = {
		ARENA_ARRAY(arena, n + 1, const struct header_match *), n
	};

	for (size_t i = 0; i < n; i++) {
		struct diag *diag = diag_new(arena);

		m.items[i] = header_match_build(arena, &conf[i], diag);
		pass_on(s, conf[i].node, diag);
	}
	return m;
}

static void
build_field(
    struct setup *s, const struct conf_header_option *conf, struct field *out)
{
	const struct conf_header_value *h = conf->header;

	if (!h)
		return;
	out->name = header_name_lower(host_setup_arena(s), h->key);
	out->action = (enum conf_append_action)conf->append_action;
	out->keep_empty = conf->keep_empty_value;
	if (str_starts(out->name, STR(":")) || str_eq(out->name, STR("host")))
		host_setup_error(s, conf->node,
		    ":-prefixed or host headers may not be modified");
	else if (!header_name_is_valid(out->name))
		host_setup_error(s, conf->node,
		    "\"" STR_FMT "\" is no header name", STR_ARG(h->key));
	out->value = host_setup_format(s, h->node,
	    h->raw_value.ptr ? h->raw_value
	    : h->value.ptr   ? h->value
			     : STR(""));
}

const struct kit_fields *
kit_fields(struct setup *s, const conf_header_options *conf)
{
	struct arena *arena = host_setup_arena(s);
	struct kit_fields *f = ARENA_NEW(arena, struct kit_fields);

	f->n = conf->n;
	f->items = ARENA_ARRAY(arena, conf->n + 1, struct field);
	for (size_t i = 0; i < conf->n; i++)
		build_field(s, &conf->items[i], &f->items[i]);
	return f;
}

struct str
kit_json(struct setup *s, const struct node *node)
{
	struct str out = STR_NONE;
	struct buf text;

	buf_init(&text, JSON_MAX);
	if (node->kind != NODE_MAP)
		host_setup_error(s, node, "expected a map");
	else if (node_print_json(node, &text))
		host_setup_error(
		    s, node, "it is longer than %d bytes", JSON_MAX);
	else
		out = arena_str(host_setup_arena(s), buf_bytes(&text));
	buf_free(&text);
	return out;
}

/* ---- running ---- */

bool
kit_headers_hold(
    struct exchange *x, enum host_map map, const struct kit_matches *m)
{
	struct headers headers;
	const struct header *all;
	size_t n;

	if (!m->n)
		return true;
	headers_init(&headers, host_arena(x));
	all = host_headers(x, map, &n);
	for (size_t i = 0; i < n; i++)
		headers_add(&headers, all[i].name, all[i].value);
	for (size_t i = 0; i < m->n; i++)
		if (!header_match_holds(m->items[i], &headers))
			return false;
	return true;
}

bool
kit_percent(struct exchange *x, const struct conf_fractional_percent *p)
{
	static const uint64_t denominators[] = { 100, 10000, 1000000 };

	return p && host_random(x, denominators[p->denominator]) < p->numerator;
}

bool
kit_happens(struct exchange *x, const struct conf_runtime_fraction *fraction,
    bool fallback)
{
	return fraction && fraction->default_value
		   ? kit_percent(x, fraction->default_value)
		   : fallback;
}

/* What is to be done with a field, found out before anything is changed. */
struct change {
	struct str name, value;
	bool overwrites;
};

/* Whether the field is written at all, by its action. */
static bool
applies(const struct field *f, bool exists)
{
	return exists ? f->action != CONF_ADD_IF_ABSENT
		      : f->action != CONF_OVERWRITE_IF_EXISTS;
}

static bool
plan(struct exchange *x, const struct field *f, bool exists,
    struct change *change)
{
	struct str value;

	if (!applies(f, exists))
		return false;
	value = host_format(x, f->value);
	if (!header_value_is_valid(value) || (!value.len && !f->keep_empty))
		return false;
	*change = (struct change){ f->name, value.ptr ? value : STR(""),
		f->action == CONF_OVERWRITE_IF_EXISTS ||
		    f->action == CONF_OVERWRITE_IF_EXISTS_OR_ADD };
	return true;
}

static void
carry_out(struct exchange *x, enum host_map map, const struct change *change)
{
	if (change->value.len && change->overwrites) {
		(void)host_header_set(x, map, change->name, change->value);
		return;
	}
	if (change->overwrites)
		(void)host_header_remove(x, map, change->name);
	if (change->value.len)
		(void)host_header_add(x, map, change->name, change->value);
	else
		(void)host_header_add_empty(x, map, change->name);
}

void
kit_fields_apply(
    struct exchange *x, enum host_map map, const struct kit_fields *fields)
{
	struct change *changes;
	size_t n = 0;

	if (!fields)
		return;
	changes = ARENA_ARRAY(host_arena(x), fields->n + 1, struct change);
	for (size_t i = 0; i < fields->n; i++) {
		const struct field *f = &fields->items[i];

		n += plan(
		    x, f, host_header(x, map, f->name, 0).ptr, &changes[n]);
	}
	for (int adding = 0; adding < 2; adding++)
		for (size_t i = 0; i < n; i++)
			if (changes[i].overwrites != (adding == 1))
				carry_out(x, map, &changes[i]);
}

void
kit_fields_write(struct exchange *x, const struct kit_fields *fields,
    struct headers *headers)
{
	struct change *changes;
	size_t n = 0;

	if (!fields)
		return;
	changes = ARENA_ARRAY(host_arena(x), fields->n + 1, struct change);
	for (size_t i = 0; i < fields->n; i++) {
		const struct field *f = &fields->items[i];

		n += plan(x, f, headers_get(headers, f->name).ptr, &changes[n]);
	}
	for (size_t i = 0; i < n; i++)
		if (changes[i].overwrites)
			headers_set(headers, changes[i].name, changes[i].value);
	for (size_t i = 0; i < n; i++)
		if (!changes[i].overwrites)
			headers_add(headers, changes[i].name, changes[i].value);
}
