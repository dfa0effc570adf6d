/* From the Any of a filter to its configured instance. */
#include "config.h"

#include "chain/setup.h"
#include "config/api.h"

#define MODULE_FILTER                                                          \
	"envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter"
#define ROUTER "envoy.extensions.filters.http.router.v3.Router"

bool
setup_is_module(const struct any *any)
{
	return str_starts(any->type, STR(MODULE_FILTER));
}

bool
setup_is_router(const struct any *any)
{
	return str_eq(any->type, STR(ROUTER));
}

static const struct filter *
find(struct str name, bool by_message)
{
	const char *own;

	for (size_t i = 0; filter_registry[i]; i++) {
		own = by_message ? filter_registry[i]->conf->name
				 : filter_registry[i]->name;
		if (str_eq(name, str_of(own)))
			return filter_registry[i];
	}
	return NULL;
}

static void
hint_filter(struct setup *s, struct str word)
{
	const char *names[64];
	const char *nearest;
	size_t n = 0;

	for (size_t i = 0; filter_registry[i] && n < 63; i++)
		names[n++] = filter_registry[i]->name;
	names[n] = NULL;
	nearest = schema_nearest(word, names);
	if (nearest)
		diag_hint(s->diag, "did you mean \"%s\"?", nearest);
}

static const struct filter *
find_module(struct setup *s, const struct any *any)
{
	const struct conf_module_filter *m = schema_decode_any(
	    s->gateway->arena, s->diag, &conf_module_filter_message, any);
	const struct filter *filter = find(m->filter_name, false);

	if (m->dynamic_module_config &&
	    !str_eq(m->dynamic_module_config->name, STR("sallyport"))) {
		diag_error(s->diag, m->dynamic_module_config->node->place,
		    any->path,
		    "dynamic module \"" STR_FMT
		    "\": only the built-in module \"sallyport\" can be used",
		    STR_ARG(m->dynamic_module_config->name));
		return NULL;
	}
	if (filter)
		return filter;
	diag_error(s->diag, any->node->place, any->path,
	    "the module sallyport has no filter \"" STR_FMT "\"",
	    STR_ARG(m->filter_name));
	hint_filter(s, m->filter_name);
	return NULL;
}

const struct filter *
setup_find_filter(struct setup *s, const struct any *any, struct str name)
{
	const struct filter *filter;

	if (setup_is_module(any))
		return find_module(s, any);
	filter = find(any->type, true);
	if (!filter)
		diag_error(s->diag, any->node->place, any->path,
		    "Didn't find a registered implementation for '" STR_FMT
		    "' with type URL: '" STR_FMT "'",
		    STR_ARG(name), STR_ARG(any->type));
	if (!filter && api_find(any->type))
		diag_hint(s->diag,
		    "Envoy has this filter, but it is not built in here");
	return filter;
}

/* The fields of a module filter: filter_config, a Struct or absent. */
static const void *
decode_module_config(struct setup *s, const struct schema_message *message,
    const struct any *config, const struct any *outer)
{
	static const struct node empty = { .kind = NODE_MAP };
	const struct node *value = &empty;

	if (config && !str_eq(config->type, STR("google.protobuf.Struct")))
		diag_error(s->diag, config->node->place, outer->path,
		    "filter_config is to be a google.protobuf.Struct");
	else if (config)
		value = config->node;
	return schema_decode(
	    s->gateway->arena, s->diag, outer->path, message, value);
}

const void *
setup_filter(
    struct setup *s, const struct filter *filter, const struct any *any)
{
	struct arena *arena = s->gateway->arena;
	size_t before = diag_errors(s->diag);
	const struct conf_module_filter *m;
	const void *conf;

	s->path = any->path;
	if (setup_is_module(any)) {
		m = schema_decode_any(
		    arena, s->diag, &conf_module_filter_message, any);
		conf = decode_module_config(
		    s, filter->conf, m->filter_config, any);
	} else {
		conf = schema_decode_any(arena, s->diag, filter->conf, any);
	}
	if (diag_errors(s->diag) == before && filter->configure)
		conf = filter->configure(s, conf);
	return diag_errors(s->diag) == before ? conf : NULL;
}

const void *
setup_filter_route(
    struct setup *s, const struct filter *filter, const struct any *any)
{
	struct arena *arena = s->gateway->arena;
	size_t before = diag_errors(s->diag);
	const struct conf_module_filter_per_route *m;
	const void *conf;

	s->path = any->path;
	if (!filter->route_conf) {
		diag_error(s->diag, any->node->place, any->path,
		    "The filter %s doesn't support virtual host or route "
		    "specific configurations",
		    filter->name);
		return NULL;
	}
	if (setup_is_module(any)) {
		m = schema_decode_any(
		    arena, s->diag, &conf_module_filter_per_route_message, any);
		if (m->filter_name.ptr &&
		    !str_eq(m->filter_name, str_of(filter->name)))
			diag_error(s->diag, any->node->place, any->path,
			    "the filter of this name is %s, not " STR_FMT,
			    filter->name, STR_ARG(m->filter_name));
		conf = decode_module_config(
		    s, filter->route_conf, m->filter_config, any);
	} else if (str_eq(any->type, str_of(filter->route_conf->name))) {
		conf =
		    schema_decode_any(arena, s->diag, filter->route_conf, any);
	} else {
		diag_error(s->diag, any->node->place, any->path,
		    "the filter %s takes %s here, not " STR_FMT, filter->name,
		    filter->route_conf->name, STR_ARG(any->type));
		return NULL;
	}
	if (diag_errors(s->diag) == before && filter->configure_route)
		conf = filter->configure_route(s, conf);
	return diag_errors(s->diag) == before ? conf : NULL;
}
