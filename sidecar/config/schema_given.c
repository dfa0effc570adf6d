/* What the fields of a message must hold together: required ones, oneofs. */
#include "config.h"

#include "config/schema_decoder.h"

/* The fields of a message, of Envoy's table or else of our rows. */
static size_t
count_fields(const struct shape *s)
{
	size_t n = 0;

	if (s->api)
		return s->api->n_fields;
	while (s->rows->fields[n].name)
		n++;
	return n;
}

static const char *
group_of(const struct shape *s, size_t at)
{
	return s->api ? api_fields[s->api->field + at].oneof
		      : s->rows->fields[at].oneof;
}

static const char *
name_of(const struct shape *s, size_t at)
{
	return s->api ? api_fields[s->api->field + at].name
		      : s->rows->fields[at].name;
}

/* Whether we take the field at all. */
static bool
is_taken(const struct shape *s, size_t at)
{
	const struct schema_field *row = s->rows ? s->rows->fields : NULL;

	if (!s->rows)
		return true;
	while (row->name && strcmp(row->name, name_of(s, at)) != 0)
		row++;
	return row->name && row->stance != SCHEMA_REFUSED;
}

static bool
is_of(const struct shape *s, size_t at, struct str group)
{
	const char *own = group_of(s, at);

	return own && str_eq(str_of(own), group);
}

/* "`a`, `b`" of the fields of a group. */
static struct str
group_names(struct decoder *d, const struct shape *s, struct str group)
{
	struct str text = STR("");

	for (size_t i = 0; i < count_fields(s); i++)
		if (is_of(s, i, group) && is_taken(s, i))
			text = arena_printf(d->arena, STR_FMT "%s`%s`",
			    STR_ARG(text), text.len ? ", " : "", name_of(s, i));
	return text;
}

/* Of each group one field is given at most. */
static void
check_oneofs(struct decoder *d, const struct shape *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *group = group_of(s, i);
		size_t first = 0;

		if (!group || !s->given[i])
			continue;
		while (first < i &&
		       (!s->given[first] || !is_of(s, first, str_of(group))))
			first++;
		if (first == i)
			continue;
		diag_error(d->diag, s->given[i]->key_place, d->path,
		    "`%s` and `%s` exclude each other%s%s%s", name_of(s, first),
		    name_of(s, i), s->api ? ": '" : "",
		    s->api ? name_of(s, i) : "",
		    s->api ? "' has already been set (either directly or as "
			     "part of a oneof)"
			   : "");
		diag_hint(d->diag, "one of " STR_FMT,
		    STR_ARG(group_names(d, s, str_of(group))));
	}
}

/* A refused row may be of any oneof: it has been reported already. */
static bool
fills(const struct shape *s, size_t at, struct str group)
{
	return s->given[at] &&
	       (is_of(s, at, group) ||
		   (!s->api && s->rows->fields[at].stance == SCHEMA_REFUSED));
}

static void
tell_needed(struct decoder *d, const struct shape *s, struct str group)
{
	struct str names = group_names(d, s, group);

	if (!s->api) {
		diag_error(d->diag, s->node->place, d->path,
		    "value is required: one of " STR_FMT, STR_ARG(names));
		return;
	}
	diag_error(d->diag, s->node->place, d->path,
	    "Proto constraint validation failed (field: \"" STR_FMT
	    "\", reason: is required)",
	    STR_ARG(group));
	diag_hint(d->diag, "one of " STR_FMT, STR_ARG(names));
}

static void
check_needed(struct decoder *d, const struct shape *s, size_t n)
{
	struct str rest =
	    str_of(s->api ? s->api->needed : s->rows->required_oneof);

	while (rest.ptr) {
		struct str group = str_trim(str_split(&rest, ','));
		bool found = false;

		for (size_t i = 0; i < n; i++)
			found = found || fills(s, i, group);
		if (!found)
			tell_needed(d, s, group);
	}
}

static bool
is_number(enum api_type type)
{
	return type >= API_INT32 && type <= API_DOUBLE;
}

/* To protobuf a scalar that is not given is 0 or "": the rules see that. */
static void
check_absent(
    struct decoder *d, const struct shape *s, const struct api_field *api)
{
	const struct field f = { api, NULL };
	const struct node nothing = {
		.kind = NODE_SCALAR,
		.place = s->node->place,
		.scalar = is_number(api->type) ? STR("0") : STR(""),
		.quoted = true,
	};

	if (api->oneof || api->n_rules == 0)
		return;
	if (api_rule(api, API_WHOLE, API_REQUIRED))
		schema_required(d, s, &f);
	else if (api->has_presence)
		return;
	else if (api->label != API_ONE)
		schema_check_count(d, s, &f, &nothing);
	else if (api->type < API_MESSAGE)
		schema_check_value(d, s, &f, API_WHOLE, &nothing);
}

/* A row may ask for more than Envoy, which then has not complained. */
static void
check_rows(struct decoder *d, const struct shape *s)
{
	for (const struct schema_field *row = s->rows->fields; row->name;
	     row++) {
		const struct api_field *api =
		    s->api ? api_find_field(s->api, str_of(row->name)) : NULL;
		size_t at = api ? (size_t)(api - &api_fields[s->api->field])
				: (size_t)(row - s->rows->fields);

		if (row->required && !s->given[at] && (api || !s->api))
			schema_required(d, s, &(struct field){ NULL, row });
	}
}

void
schema_check_given(struct decoder *d, const struct shape *s)
{
	size_t n = count_fields(s);
	size_t before = diag_errors(d->diag);

	for (size_t i = 0; s->api && i < n; i++)
		if (!s->given[i])
			check_absent(d, s, &api_fields[s->api->field + i]);
	check_oneofs(d, s, n);
	check_needed(d, s, n);
	if (s->rows && diag_errors(d->diag) == before)
		check_rows(d, s);
}
