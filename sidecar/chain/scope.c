/* Per-route configuration of filters and the FilterConfig around it. */
#include "config.h"

#include "chain/scope.h"

/*
 * envoy.config.route.v3.FilterConfig. Its config is read only once it counts:
 * one that is disabled or empty need not name a type.
 */
struct conf_filter_config {
	const struct node *node;
	const struct node *config;
	struct any *any;
	bool is_optional;
	bool disabled;
};

#define FIELDS(kind, member)                                                   \
	{                                                                      \
		{ .name = "config",                                            \
			.type = (kind),                                        \
			SCHEMA_AT(struct conf_filter_config, member),          \
			.text =                                                \
			    "The filter's configuration for this scope." },    \
		    { .name = "is_optional",                                   \
			    .type = SCHEMA_BOOL,                               \
			    SCHEMA_AT(struct conf_filter_config, is_optional), \
			    .text =                                            \
				"Whether an unknown filter is passed over." }, \
		    { .name = "disabled",                                      \
			    .type = SCHEMA_BOOL,                               \
			    SCHEMA_AT(struct conf_filter_config, disabled),    \
			    .text = "Turns the filter off for this scope." },  \
		{                                                              \
			.name = NULL                                           \
		}                                                              \
	}
static const struct schema_field bare_fields[] = FIELDS(SCHEMA_NODE, config);
static const struct schema_field whole_fields[] = FIELDS(SCHEMA_ANY, any);

#define MESSAGE(rows)                                                          \
	{                                                                      \
		.name = "envoy.config.route.v3.FilterConfig",                  \
		.size = sizeof(struct conf_filter_config), .fields = (rows)    \
	}
static const struct schema_message bare_message = MESSAGE(bare_fields);
static const struct schema_message whole_message = MESSAGE(whole_fields);

/* An entry of the map without the FilterConfig around it. */
struct entry {
	struct str key;
	const struct any *any; /* NULL: nothing is configured */
	bool is_optional;
	bool disabled;
};

static struct entry
unwrap(struct setup *s, const struct map_entry *item)
{
	struct arena *arena = s->gateway->arena;
	const struct conf_filter_config *conf;
	struct entry e = { .key = item->key, .any = item->value };

	if (!str_eq(e.any->type, str_of(bare_message.name)))
		return e;
	conf = schema_decode_any(arena, s->diag, &bare_message, e.any);
	e.disabled = conf->disabled;
	e.is_optional = conf->is_optional;
	if (!conf->disabled && !conf->config)
		diag_error(s->diag, e.any->node->place, e.any->path,
		    "Empty route/virtual host per filter configuration for " STR_FMT
		    " filter",
		    STR_ARG(item->key));
	if (!conf->disabled && conf->config && conf->config->n)
		conf = schema_decode_any(arena, s->diag, &whole_message, e.any);
	e.any = conf->any && conf->any->type.ptr ? conf->any : NULL;
	return e;
}

/* The filter whose per-route message the Any is, or NULL. */
static const struct filter *
filter_of(const struct any *any)
{
	for (size_t i = 0; filter_registry[i]; i++)
		if (filter_registry[i]->route_conf &&
		    str_eq(any->type,
			str_of(filter_registry[i]->route_conf->name)))
			return filter_registry[i];
	return NULL;
}

/* Whether a filter that is not built in may be missing here; only Envoy's may. */
static bool
is_passed_over(const struct entry *e)
{
	return e->is_optional && !filter_of(e->any) &&
	       !setup_is_module(e->any) &&
	       str_starts(e->any->type, STR("envoy."));
}

/*
 * An entry whose key names no filter has no effect, but it is to be sound,
 * as it is for Envoy.
 */
static void
check_stray(struct setup *s, const struct entry *e)
{
	const struct filter *filter = e->any ? filter_of(e->any) : NULL;

	if (filter)
		(void)!setup_filter_route(s, filter, e->any);
	else if (e->any && !is_passed_over(e) && !setup_is_module(e->any))
		diag_error(s->diag, e->any->node->place, e->any->path,
		    "Didn't find a registered implementation for '" STR_FMT
		    "' with type URL: '" STR_FMT "'",
		    STR_ARG(e->key), STR_ARG(e->any->type));
}

static void
configure(struct setup *s, struct scope *out, const struct entry *e)
{
	const struct gateway *g = s->gateway;
	bool known = false;

	for (size_t at = 0; at < g->n_filters; at++) {
		if (!str_eq(g->filters[at].name, e->key))
			continue;
		known = true;
		out->switches[at] = e->disabled ? -1 : 1;
		if (e->any && !is_passed_over(e))
			out->confs[at] = setup_filter_route(
			    s, g->filters[at].filter, e->any);
	}
	if (!known)
		check_stray(s, e);
}

struct scope
scope_build(struct setup *s, const struct map *map)
{
	struct arena *arena = s->gateway->arena;
	size_t n = s->gateway->n_filters;
	struct scope out = { NULL, NULL };

	if (!map->n)
		return out;
	out.confs = ARENA_ARRAY(arena, n, const void *);
	out.switches = ARENA_ARRAY(arena, n, signed char);
	for (size_t i = 0; i < map->n; i++) {
		struct entry e = unwrap(s, &map->items[i]);

		configure(s, &out, &e);
	}
	return out;
}

struct scope
scope_within(
    struct setup *s, const struct scope *inner, const struct scope *outer)
{
	struct arena *arena = s->gateway->arena;
	size_t n = s->gateway->n_filters;
	struct scope out;

	if (!inner->confs)
		return *outer;
	if (!outer->confs)
		return *inner;
	out.confs = ARENA_ARRAY(arena, n, const void *);
	out.switches = ARENA_ARRAY(arena, n, signed char);
	for (size_t at = 0; at < n; at++) {
		out.confs[at] =
		    inner->confs[at] ? inner->confs[at] : outer->confs[at];
		out.switches[at] = inner->switches[at] ? inner->switches[at]
						       : outer->switches[at];
	}
	return out;
}

const void **
scope_old_cors(struct setup *s, const struct node *cors)
{
	const struct gateway *g = s->gateway;
	const struct filter *f;
	const void **confs;
	struct any any;

	if (!cors)
		return NULL;
	confs = ARENA_ARRAY(g->arena, g->n_filters + 1, const void *);
	for (size_t at = 0; at < g->n_filters; at++) {
		f = g->filters[at].filter;
		if (!str_eq(str_of(f->name), STR("envoy.filters.http.cors")))
			continue;
		any = (struct any){ .node = cors,
			.type = str_of(f->route_conf->name),
			.path = "cors" };
		confs[at] = setup_filter_route(s, f, &any);
	}
	return confs;
}
