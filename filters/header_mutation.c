/*
 * Changes to header fields in the order they are written, unlike those of
 * routes: removes, additions, and removes of all names that match.
 */
#include "config.h"

#include "chain/filter.h"
#include "chain/host.h"
#include "chain/match.h"
#include "config/messages.h"

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

struct conf_mutations {
	const struct node *node;
	conf_header_mutations request_mutations, response_mutations;
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
	REFUSED("query_parameter_mutations", "the query is not changed"),
	REFUSED("request_trailers_mutations",
	    "trailers do not come through FastCGI"),
	REFUSED("response_trailers_mutations",
	    "trailers do not come through FastCGI"),
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
	    .text = "Order among levels of the route configuration; only the "
		    "most specific one is applied here." },
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
};

struct mutation_list {
	struct mutation *items;
	size_t n;
};

struct instance {
	struct mutation_list request, response;
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
	if (conf->keep_empty_value)
		host_setup_error(s, conf->node,
		    "keep_empty_value: a header without a value does not "
		    "pass; leave it out");
	out->value = host_setup_format(s, header->node,
	    header->raw_value.ptr ? header->raw_value
	    : header->value.ptr   ? header->value
				  : STR(""));
}

static void
build_mutation(struct setup *s, const struct conf_header_mutation *conf,
    struct mutation *out)
{
	struct arena *arena = host_setup_arena(s);
	struct diag *diag;

	if (conf->append) {
		build_append(s, conf->append, out);
	} else if (conf->remove_on_match) {
		diag = diag_new(arena);
		out->kind = MUTATION_REMOVE_MATCHING;
		out->match = string_match_build(
		    arena, conf->remove_on_match->key_matcher, diag);
		if (!out->match)
			host_setup_error(
			    s, conf->node, "%s", diag_message(diag, 0));
	} else {
		out->kind = MUTATION_REMOVE;
		out->name = header_name_lower(arena, conf->remove);
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

static const void *
configure(struct setup *s, const void *decoded)
{
	const struct conf_mutation_filter *conf = decoded;
	struct instance *instance =
	    ARENA_NEW(host_setup_arena(s), struct instance);

	if (!conf->mutations)
		return instance;
	instance->request = build_list(s, &conf->mutations->request_mutations);
	instance->response =
	    build_list(s, &conf->mutations->response_mutations);
	return instance;
}

/* ---- requests and responses ---- */

/* Empty results are skipped: the host refuses them. */
static void
append(const struct mutation *m, struct exchange *x, enum host_map map)
{
	bool exists = host_header(x, map, m->name, 0).ptr != NULL;
	struct str value;

	if (exists ? m->action == CONF_ADD_IF_ABSENT
		   : m->action == CONF_OVERWRITE_IF_EXISTS)
		return;
	value = host_format(x, m->value);
	if (m->action == CONF_APPEND_IF_EXISTS_OR_ADD)
		host_header_add(x, map, m->name, value);
	else
		host_header_set(x, map, m->name, value);
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

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	const struct instance *own = conf, *route = host_route_conf(x);

	(void)state;
	apply(&own->request, x, HOST_REQUEST);
	if (route)
		apply(&route->request, x, HOST_REQUEST);
	return FILTER_NEXT;
}

static enum verdict
on_response(const void *conf, void *state, struct exchange *x)
{
	const struct instance *own = conf, *route = host_route_conf(x);

	(void)state;
	apply(&own->response, x, HOST_RESPONSE);
	if (route)
		apply(&route->response, x, HOST_RESPONSE);
	return FILTER_NEXT;
}

const struct filter filter_header_mutation = {
	.name = "envoy.filters.http.header_mutation",
	.conf = &filter_message,
	.route_conf = &route_message,
	.configure = configure,
	.configure_route = configure,
	.on_request = on_request,
	.on_response = on_response,
};
