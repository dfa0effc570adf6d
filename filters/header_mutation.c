/*
 * Changes to header fields in the order they are written, unlike those of
 * routes: removes, additions, and removes of all names that match. Query
 * parameters are changed behind the request's fields. The filter's own
 * changes come first, then those of all levels of the route configuration.
 */
#include "config.h"

#include "chain/kit.h"
#include "config/messages.h"
#include "config/scalar.h"
#include "http/query.h"

struct conf_remove_on_match {
	const struct node *node;
	struct conf_string_matcher *key_matcher;
};

struct conf_header_mutation {
	const struct node *node;
	struct str remove;
	struct conf_header_option *append;
	struct conf_remove_on_match *remove_on_match;
};
typedef CONF_LIST(struct conf_header_mutation) conf_header_mutations;

/* envoy.config.core.v3.KeyValueMutation */
struct conf_key_value {
	const struct node *node;
	struct str key;
	const struct node *value;
};

struct conf_key_value_append {
	const struct node *node;
	struct conf_key_value *record;
	int action; /* as enum conf_append_action */
};

struct conf_key_value_mutation {
	const struct node *node;
	struct conf_key_value_append *append;
	struct str remove;
};
typedef CONF_LIST(struct conf_key_value_mutation) conf_key_value_mutations;

struct conf_mutations {
	const struct node *node;
	conf_header_mutations request_mutations, response_mutations;
	conf_key_value_mutations query_parameter_mutations;
};

/* The filter's message and the route's alike. */
struct conf_mutation_filter {
	const struct node *node;
	struct conf_mutations *mutations;
	bool most_specific_header_mutations_wins;
};

/* ---- configuration ---- */

static const struct schema_field remove_on_match_fields[] = {
	{ .name = "key_matcher",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_remove_on_match, key_matcher),
	    .message = &conf_string_matcher_message,
	    .required = true,
	    .text = "What the names of the headers to remove match." },
	{ .name = NULL },
};

static const struct schema_message remove_on_match_message = {
	.name = "envoy.config.common.mutation_rules.v3.HeaderMutation."
		"RemoveOnMatch",
	.size = sizeof(struct conf_remove_on_match),
	.fields = remove_on_match_fields,
};

static const struct schema_field mutation_fields[] = {
	{ .name = "remove",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_header_mutation, remove),
	    .oneof = "action",
	    .min_items = 1,
	    .text = "Header to remove." },
	{ .name = "append",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_header_mutation, append),
	    .message = &conf_header_option_message,
	    .oneof = "action",
	    .text = "Header to add; append_action says what becomes of one "
		    "that is there." },
	{ .name = "remove_on_match",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_header_mutation, remove_on_match),
	    .message = &remove_on_match_message,
	    .oneof = "action",
	    .text = "Remove all headers whose name matches." },
	{ .name = NULL },
};

static const struct schema_message mutation_message = {
	.name = "envoy.config.common.mutation_rules.v3.HeaderMutation",
	.size = sizeof(struct conf_header_mutation),
	.fields = mutation_fields,
	.required_oneof = "action",
};

static const struct schema_field key_value_fields[] = {
	{ .name = "key",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_key_value, key),
	    .min_items = 1,
	    .required = true,
	    .text = "Name of the parameter." },
	{ .name = "value",
	    .type = SCHEMA_NODE,
	    SCHEMA_AT(struct conf_key_value, value),
	    .text = "Its value, a text, which may have operators." },
	{ .name = NULL },
};

static const struct schema_message key_value_message = {
	.name = "envoy.config.core.v3.KeyValuePair",
	.size = sizeof(struct conf_key_value),
	.fields = key_value_fields,
};

static const struct schema_choice key_value_actions[] = {
	{ .name = "APPEND_IF_EXISTS_OR_ADD",
	    .value = CONF_APPEND_IF_EXISTS_OR_ADD },
	{ .name = "ADD_IF_ABSENT", .value = CONF_ADD_IF_ABSENT },
	{ .name = "OVERWRITE_IF_EXISTS_OR_ADD",
	    .value = CONF_OVERWRITE_IF_EXISTS_OR_ADD },
	{ .name = "OVERWRITE_IF_EXISTS", .value = CONF_OVERWRITE_IF_EXISTS },
	{ .name = NULL },
};

static const struct schema_field key_value_append_fields[] = {
	REFUSED("entry", "it is deprecated, Envoy does not take it here "
			 "either: use record"),
	{ .name = "record",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_key_value_append, record),
	    .message = &key_value_message,
	    .text = "Name and value." },
	{ .name = "action",
	    .type = SCHEMA_ENUM,
	    SCHEMA_AT(struct conf_key_value_append, action),
	    .choices = key_value_actions,
	    .text = "What becomes of a parameter that is there." },
	{ .name = NULL },
};

static const struct schema_message key_value_append_message = {
	.name = "envoy.config.core.v3.KeyValueAppend",
	.size = sizeof(struct conf_key_value_append),
	.fields = key_value_append_fields,
};

static const struct schema_field key_value_mutation_fields[] = {
	{ .name = "append",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_key_value_mutation, append),
	    .message = &key_value_append_message,
	    .text = "Parameter to add." },
	{ .name = "remove",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_key_value_mutation, remove),
	    .text = "Parameter to remove." },
	{ .name = NULL },
};

static bool
is_text(const struct node *n)
{
	return n && n->kind == NODE_SCALAR &&
	       (n->quoted || scalar_kind(n->scalar) == SCALAR_TEXT);
}

static void
check_key_value_mutation(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_key_value_mutation *m = decoded;
	const char *mistake = NULL;

	if (m->append && m->remove.len)
		mistake = "Only one of 'append'/'remove can be specified.";
	else if (!m->append && !m->remove.len)
		mistake = "One of 'append'/'remove' must be specified.";
	else if (m->append && !m->append->record)
		mistake = "No record specified for append mutation.";
	else if (m->append && !is_text(m->append->record->value))
		mistake = "Only string value is allowed for record value.";
	if (mistake)
		diag_error(diag, m->node->place, path, "%s", mistake);
}

static const struct schema_message key_value_mutation_message = {
	.name = "envoy.config.core.v3.KeyValueMutation",
	.size = sizeof(struct conf_key_value_mutation),
	.fields = key_value_mutation_fields,
	.check = check_key_value_mutation,
};

static const struct schema_field mutations_fields[] = {
	{ .name = "request_mutations",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_mutations, request_mutations),
	    .message = &mutation_message,
	    .text = "Changes to the request, in this order." },
	{ .name = "response_mutations",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_mutations, response_mutations),
	    .message = &mutation_message,
	    .text = "Changes to the response, in this order." },
	{ .name = "query_parameter_mutations",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_mutations, query_parameter_mutations),
	    .message = &key_value_mutation_message,
	    .text = "Changes to the query of the request, in this order." },
	REFUSED("request_trailers_mutations",
	    "trailers do not come through FastCGI"),
	REFUSED("response_trailers_mutations",
	    "trailers do not come through FastCGI"),
	REFUSED("formatters", "all operators there are can be used without"),
	{ .name = NULL },
};

static const struct schema_message mutations_message = {
	.name = "envoy.extensions.filters.http.header_mutation.v3.Mutations",
	.size = sizeof(struct conf_mutations),
	.fields = mutations_fields,
};

static const struct schema_field filter_fields[] = {
	{ .name = "mutations",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_mutation_filter, mutations),
	    .message = &mutations_message,
	    .text = "What is changed on every request." },
	{ .name = "most_specific_header_mutations_wins",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_mutation_filter,
		most_specific_header_mutations_wins),
	    .text = "Whether, of the levels of the route configuration, the "
		    "most specific one is applied last, not first." },
	{ .name = NULL },
};

static const struct schema_message filter_message = {
	.name =
	    "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
	.size = sizeof(struct conf_mutation_filter),
	.fields = filter_fields,
};

static const struct schema_field route_fields[] = {
	{ .name = "mutations",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_mutation_filter, mutations),
	    .message = &mutations_message,
	    .text = "What is changed on this route, behind the filter's own "
		    "changes." },
	{ .name = NULL },
};

static const struct schema_message route_message = {
	.name = "envoy.extensions.filters.http.header_mutation.v3."
		"HeaderMutationPerRoute",
	.size = sizeof(struct conf_mutation_filter),
	.fields = route_fields,
};

enum kind { MUTATION_REMOVE, MUTATION_APPEND, MUTATION_REMOVE_MATCHING };

struct mutation {
	enum kind kind;
	struct str name;
	enum conf_append_action action;
	const struct format *value;
	const struct string_match *match;
	bool keep_empty;
};

struct mutation_list {
	struct mutation *items;
	size_t n;
};

struct instance {
	struct mutation_list request, response, query;
	bool most_specific_last;
};

static bool
is_fixed(struct str name)
{
	return str_starts(name, STR(":")) || str_eq(name, STR("host"));
}

static void
build_append(struct setup *s, const struct conf_header_option *conf,
    struct mutation *out)
{
	const struct conf_header_value *header = conf->header;

	out->kind = MUTATION_APPEND;
	out->name = header_name_lower(host_setup_arena(s), header->key);
	out->action = (enum conf_append_action)conf->append_action;
	if (is_fixed(out->name))
		host_setup_error(s, conf->node,
		    ":-prefixed or host headers may not be modified");
	else if (!header_name_is_valid(out->name))
		host_setup_error(s, conf->node,
		    "\"" STR_FMT "\" is no header name", STR_ARG(out->name));
	out->keep_empty = conf->keep_empty_value;
	/* Envoy does not look at raw_value here. */
	out->value = host_setup_format(
	    s, header->node, header->value.ptr ? header->value : STR(""));
}

static void
build_mutation(struct setup *s, const struct conf_header_mutation *conf,
    struct mutation *out)
{
	if (conf->append) {
		build_append(s, conf->append, out);
	} else if (conf->remove_on_match) {
		out->kind = MUTATION_REMOVE_MATCHING;
		out->match =
		    kit_string_match(s, conf->remove_on_match->key_matcher);
	} else {
		out->kind = MUTATION_REMOVE;
		out->name =
		    header_name_lower(host_setup_arena(s), conf->remove);
		if (is_fixed(out->name))
			host_setup_error(s, conf->node,
			    ":-prefixed or host headers may not be removed");
	}
}

static struct mutation_list
build_list(struct setup *s, const conf_header_mutations *conf)
{
	struct mutation_list list = { .n = conf->n };

	list.items =
	    ARENA_ARRAY(host_setup_arena(s), conf->n + 1, struct mutation);
	for (size_t i = 0; i < conf->n; i++)
		build_mutation(s, &conf->items[i], &list.items[i]);
	return list;
}

static struct mutation_list
build_query_list(struct setup *s, const conf_key_value_mutations *conf)
{
	struct mutation_list list = { .n = conf->n };

	list.items =
	    ARENA_ARRAY(host_setup_arena(s), conf->n + 1, struct mutation);
	for (size_t i = 0; i < conf->n; i++) {
		const struct conf_key_value_append *append =
		    conf->items[i].append;
		struct mutation *m = &list.items[i];

		m->kind = append ? MUTATION_APPEND : MUTATION_REMOVE;
		m->name = append ? append->record->key : conf->items[i].remove;
		if (!append)
			continue;
		m->action = (enum conf_append_action)append->action;
		m->value = host_setup_format(
		    s, append->record->value, append->record->value->scalar);
	}
	return list;
}

static const void *
configure(struct setup *s, const void *decoded)
{
	const struct conf_mutation_filter *conf = decoded;
	struct instance *instance =
	    ARENA_NEW(host_setup_arena(s), struct instance);

	instance->most_specific_last =
	    conf->most_specific_header_mutations_wins;
	if (!conf->mutations)
		return instance;
	instance->request = build_list(s, &conf->mutations->request_mutations);
	instance->response =
	    build_list(s, &conf->mutations->response_mutations);
	instance->query =
	    build_query_list(s, &conf->mutations->query_parameter_mutations);
	return instance;
}

/* ---- requests and responses ---- */

/* Whether the action lets the value be written where one exists or not. */
static bool
applies(const struct mutation *m, bool exists)
{
	return exists ? m->action != CONF_ADD_IF_ABSENT
		      : m->action != CONF_OVERWRITE_IF_EXISTS;
}

static void
append(const struct mutation *m, struct exchange *x, enum host_map map)
{
	struct str value;

	if (!applies(m, host_header(x, map, m->name, 0).ptr != NULL))
		return;
	value = host_format(x, m->value);
	if (!value.len && !m->keep_empty)
		return;
	if (value.len && m->action != CONF_APPEND_IF_EXISTS_OR_ADD) {
		host_header_set(x, map, m->name, value);
		return;
	}
	if (m->action != CONF_APPEND_IF_EXISTS_OR_ADD)
		host_header_remove(x, map, m->name);
	if (value.len)
		host_header_add(x, map, m->name, value);
	else
		host_header_add_empty(x, map, m->name);
}

static void
remove_matching(const struct mutation *m, struct exchange *x, enum host_map map)
{
	size_t n;
	const struct header *all = host_headers(x, map, &n);

	for (size_t i = 0; i < n; i++)
		if (!is_fixed(all[i].name) &&
		    string_match_holds(m->match, all[i].name))
			host_header_remove(x, map, all[i].name);
}

static void
apply(const struct mutation_list *list, struct exchange *x, enum host_map map)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct mutation *m = &list->items[i];

		switch (m->kind) {
		case MUTATION_REMOVE:
			host_header_remove(x, map, m->name);
			break;
		case MUTATION_APPEND:
			append(m, x, map);
			break;
		case MUTATION_REMOVE_MATCHING:
			remove_matching(m, x, map);
			break;
		}
	}
}

static void
apply_to_parameter(
    const struct mutation *m, struct exchange *x, struct query *q)
{
	if (m->kind == MUTATION_REMOVE) {
		query_remove(q, m->name);
		return;
	}
	if (!applies(m, query_has(q, m->name)))
		return;
	if (m->action == CONF_OVERWRITE_IF_EXISTS ||
	    m->action == CONF_OVERWRITE_IF_EXISTS_OR_ADD)
		query_remove(q, m->name);
	query_add(q, m->name, host_format(x, m->value));
}

static void
apply_to_query(const struct mutation_list *list, struct exchange *x)
{
	struct str target = host_header(x, HOST_REQUEST, STR(":path"), 0);
	struct query q;

	if (!list->n)
		return;
	query_read(&q, host_arena(x), host_keep(x, target));
	for (size_t i = 0; i < list->n; i++)
		apply_to_parameter(&list->items[i], x, &q);
	host_header_set(x, HOST_REQUEST, STR(":path"), query_write(&q, target));
}

/* The changes to one side, of the filter itself or of a level. */
static void
apply_instance(
    const struct instance *instance, struct exchange *x, enum host_map map)
{
	if (!instance)
		return;
	if (map == HOST_RESPONSE) {
		apply(&instance->response, x, map);
		return;
	}
	apply(&instance->request, x, map);
	apply_to_query(&instance->query, x);
}

static void
apply_all(const struct instance *own, struct exchange *x, enum host_map map)
{
	apply_instance(own, x, map);
	for (int i = 0; i < HOST_LEVELS; i++) {
		int level = own->most_specific_last ? i : HOST_LEVELS - 1 - i;

		apply_instance(
		    host_route_conf_at(x, (enum host_level)level), x, map);
	}
}

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	(void)state;
	apply_all(conf, x, HOST_REQUEST);
	return FILTER_NEXT;
}

static enum verdict
on_response(const void *conf, void *state, struct exchange *x)
{
	(void)state;
	apply_all(conf, x, HOST_RESPONSE);
	return FILTER_NEXT;
}

const struct filter filter_header_mutation = {
	.name = "envoy.filters.http.header_mutation",
	.text = "Changes header fields and query parameters in the order "
		"they are written, the filter's own first, then those of "
		"all levels of the route configuration.",
	.short_form = "transforms: { request: [ { set: X-A, value: b } ] }",
	.conf = &filter_message,
	.route_conf = &route_message,
	.configure = configure,
	.configure_route = configure,
	.on_request = on_request,
	.on_response = on_response,
};
