/* Writing nodes of Envoy's form. */
#include "config.h"

#include <inttypes.h>

#include "base/clock.h"
#include "config/short_write.h"

#define MODULE "envoy.extensions.filters.http.dynamic_modules.v3."

static struct node *
new_map(struct writer *w)
{
	return node_map(w->arena, w->place);
}

struct node *
write_map(struct writer *w, struct node *map, const char *key)
{
	struct node *child = new_map(w);

	node_put(w->arena, map, key, child);
	return child;
}

struct node *
write_list(struct writer *w, struct node *map, const char *key)
{
	struct node *child = node_list(w->arena, w->place);

	node_put(w->arena, map, key, child);
	return child;
}

struct node *
write_item(struct writer *w, struct node *list)
{
	struct node *child = new_map(w);

	node_add(w->arena, list, child);
	return child;
}

void
write_str(struct writer *w, struct node *map, const char *key, struct str text)
{
	node_put(w->arena, map, key, node_text(w->arena, w->place, text));
}

void
write_text(
    struct writer *w, struct node *map, const char *key, const char *text)
{
	write_str(w, map, key, str_of(text));
}

void
write_plain(
    struct writer *w, struct node *map, const char *key, const char *text)
{
	node_put(
	    w->arena, map, key, node_plain(w->arena, w->place, str_of(text)));
}

void
write_number(
    struct writer *w, struct node *map, const char *key, uint64_t value)
{
	write_plain(w, map, key, arena_printf(w->arena, "%" PRIu64, value).ptr);
}

void
write_duration(struct writer *w, struct node *map, const char *key, int64_t ns)
{
	struct str text =
	    arena_printf(w->arena, "%lld.%09lld", ns / NS_PER_S, ns % NS_PER_S);

	while (str_ends(text, STR("0")))
		text.len--;
	if (str_ends(text, STR(".")))
		text.len--;
	write_plain(w, map, key,
	    arena_printf(w->arena, STR_FMT "s", STR_ARG(text)).ptr);
}

struct node *
write_any(struct writer *w, struct node *map, const char *key, const char *type)
{
	struct node *any = write_map(w, map, key);

	write_str(w, any, "@type",
	    arena_printf(w->arena, "type.googleapis.com/%s", type));
	return any;
}

struct node *
write_module(struct writer *w, struct node *map, const char *key,
    const char *message, const char *filter)
{
	struct node *any = write_any(
	    w, map, key, arena_printf(w->arena, MODULE "%s", message).ptr);
	struct node *module = write_map(w, any, "dynamic_module_config");

	write_text(w, module, "name", "sallyport");
	write_text(w, module, "metrics_namespace", "sallyport");
	write_text(w, any, "filter_name", filter);
	return write_map(w,
	    write_any(w, any, "filter_config", "google.protobuf.Struct"),
	    "value");
}

struct node *
write_module_filter(struct writer *w, struct node *filters, const char *name)
{
	struct node *filter = write_item(w, filters);

	write_text(w, filter, "name", name);
	return write_module(
	    w, filter, "typed_config", "DynamicModuleFilter", name);
}

struct node *
write_envoy_filter(
    struct writer *w, struct node *filters, const char *name, const char *type)
{
	struct node *filter = write_item(w, filters);

	write_text(w, filter, "name", name);
	return write_any(w, filter, "typed_config", type);
}

struct str
write_joined(struct writer *w, const conf_strings *list, const char *between)
{
	struct str out = STR("");

	for (size_t i = 0; i < list->n; i++)
		out = arena_printf(w->arena, STR_FMT "%s" STR_FMT, STR_ARG(out),
		    i ? between : "", STR_ARG(list->items[i]));
	return out;
}

void
write_header(struct writer *w, struct node *list, struct str key,
    struct str value, const char *action)
{
	struct node *option = write_item(w, list);
	struct node *header = write_map(w, option, "header");

	write_str(w, header, "key", key);
	write_str(w, header, "value", value);
	write_text(w, option, "append_action", action);
}
