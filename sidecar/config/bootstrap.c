/* From a file to Envoy's messages. */
#include "config.h"

#include "config/bootstrap.h"
#include "config/runtime.h"
#include "config/short.h"
#include "config/whole.h"
#include "config/yaml.h"

enum { TEMP_MEMORY = 64 * 1024 };

const char *
whole_path(struct whole *w, const char *format, ...)
{
	va_list args;
	struct str path;

	va_start(args, format);
	path = arena_vprintf(w->temp, format, args);
	va_end(args);
	return path.ptr;
}

void
whole_hint(struct whole *w, struct str word, const char *const *candidates)
{
	const char *near = schema_nearest(word, candidates);

	if (near)
		diag_hint(w->diag, "did you mean `%s`?", near);
}

static const struct node *
either(const struct node *map, const char *snake, const char *camel)
{
	const struct node *n = node_get(map, snake);

	return n ? n : node_get(map, camel);
}

/* The runtime comes first: its values hold in all the rest. */
static void
read_runtime(struct arena *arena, const struct node *top, struct diag *diag)
{
	const struct node *layers =
	    either(top, "layered_runtime", "layeredRuntime");
	const struct node *cluster = node_get(node_get(top, "node"), "cluster");
	const struct conf_layered_runtime *conf;

	if (!layers || layers->kind == NODE_NULL)
		return;
	conf = schema_decode(arena, diag, "layered_runtime",
	    &conf_layered_runtime_message, layers);
	diag_set_runtime(diag, runtime_read(arena, diag, conf,
				   cluster ? cluster->scalar : STR("")));
}

static void
check_listeners(struct whole *w, const struct conf_static_resources *r)
{
	const char *path = "static_resources";

	if (r->listeners.n == 0)
		diag_error(w->diag, r->node->place, path,
		    "value is required: one listener");
	if (r->listeners.n > 1)
		diag_error(w->diag, r->listeners.items[1].node->place, path,
		    "a second listener: there is one");
	for (size_t i = 0; i < r->listeners.n; i++)
		whole_listener(w,
		    whole_path(w, "static_resources.listeners[%zu]", i),
		    &r->listeners.items[i]);
}

static void
check_whole(struct whole *w, struct conf_static_resources *r)
{
	whole_secrets(w, r);
	whole_clusters(w, r);
	check_listeners(w, r);
	whole_delegated(w, w->bootstrap->node);
}

struct conf_bootstrap *
bootstrap_decode(struct arena *arena, const struct node *top, struct diag *diag)
{
	struct whole w = { .arena = arena, .diag = diag };
	struct conf_bootstrap *b;

	read_runtime(arena, top, diag);
	b = schema_decode(arena, diag, "", &conf_bootstrap_message, top);
	if (top->kind != NODE_MAP)
		return b;
	if (!b->static_resources) {
		diag_error(diag, top->place, NULL,
		    "`static_resources`: value is required");
		return b;
	}
	w.bootstrap = b;
	w.temp = arena_new(TEMP_MEMORY);
	check_whole(&w, b->static_resources);
	arena_free(w.temp);
	return b;
}

static const struct node *
read_long(struct tree *tree, const char *path, struct diag *diag)
{
	const struct node *top = yaml_read(tree, path, diag);

	return top && short_is(top) ? short_expand(tree_arena(tree), top, diag)
				    : top;
}

struct conf_bootstrap *
bootstrap_read(struct tree *tree, const char *path, struct diag *diag)
{
	const struct node *top = read_long(tree, path, diag);
	struct arena *arena = tree_arena(tree);
	struct conf_bootstrap *b;

	if (!top)
		return NULL;
	b = bootstrap_decode(arena, top, diag);
	if (diag_errors(diag))
		schema_check(arena, diag, &conf_bootstrap_message, top);
	return diag_is_sound(diag) ? b : NULL;
}
