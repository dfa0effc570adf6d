/* Header changes of routes and local replies. */
#include "config.h"

#include "chain/format.h"
#include "chain/mutation.h"

struct addition {
	struct str name;
	const struct format *value;
	int action;
	bool keep_empty;
};

struct mutation {
	struct str *removes;
	size_t n_removes;
	struct addition *additions;
	size_t n_additions;
};

static bool
may_change(struct str name)
{
	return name.len && name.ptr[0] != ':' && !str_eq(name, STR("host"));
}

static void
build_addition(struct arena *arena, struct addition *a,
    const struct conf_header_option *conf, struct diag *diag)
{
	const struct conf_header_value *h = conf->header;
	struct place place =
	    conf->node ? conf->node->place : (struct place){ 0 };

	if (!h)
		return;
	a->name = header_name_lower(arena, h->key);
	a->action = conf->append_action;
	a->keep_empty = conf->keep_empty_value;
	if (!may_change(a->name))
		diag_error(diag, place, NULL,
		    ":-prefixed or host headers may not be modified");
	else if (!header_name_is_valid(a->name))
		diag_error(diag, place, NULL,
		    "\"" STR_FMT "\" is no header name", STR_ARG(h->key));
	a->value = format_text(
	    arena, h->raw_value.ptr ? h->raw_value : h->value, h->node, diag);
}

const struct mutation *
mutation_build(struct arena *arena, const conf_header_options *add,
    const conf_strings *remove, struct diag *diag)
{
	struct mutation *m = ARENA_NEW(arena, struct mutation);
	size_t before = diag_errors(diag);

	m->n_additions = add->n;
	m->n_removes = remove ? remove->n : 0;
	if (!m->n_additions && !m->n_removes)
		return NULL;
	m->additions = ARENA_ARRAY(arena, m->n_additions + 1, struct addition);
	for (size_t i = 0; i < m->n_additions; i++)
		build_addition(arena, &m->additions[i], &add->items[i], diag);
	m->removes = ARENA_ARRAY(arena, m->n_removes + 1, struct str);
	for (size_t i = 0; i < m->n_removes; i++) {
		m->removes[i] = header_name_lower(arena, remove->items[i]);
		if (!may_change(m->removes[i]))
			diag_error(diag, (struct place){ 0 }, NULL,
			    ":-prefixed or host headers may not be removed");
	}
	return diag_errors(diag) == before ? m : NULL;
}

/* Whether the addition is made at all, by the headers as they are before it. */
static bool
is_due(const struct addition *a, struct str value, const struct headers *h)
{
	bool exists = headers_get(h, a->name).ptr != NULL;

	if (!header_value_is_valid(value) || (!value.len && !a->keep_empty))
		return false;
	switch ((enum conf_append_action)a->action) {
	case CONF_ADD_IF_ABSENT:
		return !exists;
	case CONF_OVERWRITE_IF_EXISTS:
		return exists;
	case CONF_APPEND_IF_EXISTS_OR_ADD:
	case CONF_OVERWRITE_IF_EXISTS_OR_ADD:
		break;
	}
	return true;
}

static bool
overwrites(const struct addition *a)
{
	return a->action == CONF_OVERWRITE_IF_EXISTS_OR_ADD ||
	       a->action == CONF_OVERWRITE_IF_EXISTS;
}

void
mutation_apply(
    const struct mutation *m, const struct exchange *x, struct headers *h)
{
	enum headers_of side =
	    h == &x->request ? HEADERS_OF_REQUEST : HEADERS_OF_RESPONSE;
	struct str *values; /* absent: not due */

	if (!m)
		return;
	for (size_t i = 0; i < m->n_removes; i++)
		headers_remove(h, m->removes[i]);
	values = ARENA_ARRAY(x->arena, m->n_additions + 1, struct str);
	for (size_t i = 0; i < m->n_additions; i++) {
		struct str value = format_value(m->additions[i].value, x);

		if (!value.ptr)
			value = STR("");
		if (is_due(&m->additions[i], value, h))
			values[i] = value;
	}
	for (size_t i = 0; i < m->n_additions; i++)
		if (values[i].ptr && overwrites(&m->additions[i]))
			headers_set(h, m->additions[i].name, values[i]);
	for (size_t i = 0; i < m->n_additions; i++)
		if (values[i].ptr && !overwrites(&m->additions[i]))
			headers_append(
			    h, side, m->additions[i].name, values[i]);
}
