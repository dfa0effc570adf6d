/*
 * Configurations: from the bytes that Envoy hands over, which are the JSON of
 * filter_config, to a configured filter. What is wrong goes to Envoy's log.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/yaml.h"
#include "module/exchange.h"
#include "module/shared.h"

enum { CONFIG_MEMORY = 4096 };

static struct str
str_from(struct abi_bytes bytes)
{
	return (struct str){ bytes.ptr ? bytes.ptr : "", bytes.len };
}

static const struct filter *
find_filter(struct str name)
{
	const char *names[64];
	const char *nearest;
	size_t n = 0;

	for (size_t i = 0; filter_registry[i]; i++) {
		if (str_eq(str_of(filter_registry[i]->name), name))
			return filter_registry[i];
		if (n < 63)
			names[n++] = filter_registry[i]->name;
	}
	names[n] = NULL;
	nearest = schema_nearest(name, names);
	log_error("the module sallyport has no filter \"" STR_FMT "\"%s%s%s",
	    STR_ARG(name), nearest ? "; did you mean \"" : "",
	    nearest ? nearest : "", nearest ? "\"?" : "");
	return NULL;
}

/* What was found goes to the log line by line. */
static void
tell(const struct diag *diag)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct str rest, line;

	if (!out)
		return;
	diag_print(diag, out);
	if (fclose(out) == 0) {
		rest = (struct str){ text, size };
		while (rest.ptr && rest.len) {
			line = str_split(&rest, '\n');
			log_at(diag_errors(diag) ? LOG_LEVEL_ERROR
						 : LOG_LEVEL_WARN,
			    STR_FMT, STR_ARG(line));
		}
	}
	free(text);
}

static const struct node *
read_config(struct setup *s, struct str config)
{
	static const struct node empty = { .kind = NODE_MAP };
	struct arena *arena = s->made->arena;

	if (!config.len)
		return &empty;
	return yaml_parse(arena, arena_str(arena, config),
	    arena_printf(arena, "filter_config of %s", s->made->filter->name)
		.ptr,
	    s->diag);
}

static const void *
decode(struct setup *s, struct str config, const struct schema_message *message,
    const void *(*configure)(struct setup *, const void *))
{
	const struct node *node = read_config(s, config);
	const void *conf;

	if (!node || diag_errors(s->diag))
		return NULL;
	conf = schema_decode(s->made->arena, s->diag, "", message, node);
	if (!diag_errors(s->diag) && configure)
		conf = configure(s, conf);
	return diag_errors(s->diag) ? NULL : conf;
}

static bool
is_validation(void)
{
	return abi_is_validation && abi_is_validation();
}

/* Whether the filter has all that it needs. */
static bool
provide(struct module_conf *made)
{
	if (made->filter->needs & FILTER_NEEDS_TIMER) {
		log_error("%s cannot run inside Envoy: it needs a timer, which "
			  "Envoy does not give to modules",
		    made->filter->name);
		return false;
	}
	if (!(made->filter->needs & FILTER_NEEDS_STATE) || is_validation())
		return true;
	made->state = shared_take();
	return made->state;
}

static void
drop(struct module_conf *made)
{
	if (made->state)
		shared_give_back();
	arena_free(made->arena);
}

static struct module_conf *
begin(const struct filter *filter)
{
	struct arena *arena = arena_new(CONFIG_MEMORY);
	struct module_conf *made = ARENA_NEW(arena, struct module_conf);

	made->arena = arena;
	made->filter = filter;
	return made;
}

const void *
on_config_new(void *host_conf, struct abi_bytes name, struct abi_bytes config)
{
	const struct filter *filter = find_filter(str_from(name));
	struct module_conf *made;
	struct setup s;

	if (!filter)
		return NULL;
	made = begin(filter);
	s = (struct setup){ made, diag_new(made->arena), host_conf };
	if (provide(made)) {
		made->conf = decode(
		    &s, str_from(config), filter->conf, filter->configure);
		tell(s.diag);
	}
	if (made->conf)
		return made;
	drop(made);
	return NULL;
}

void
on_config_destroy(const void *conf)
{
	drop((struct module_conf *)(uintptr_t)conf);
}

const void *
on_route_config_new(struct abi_bytes name, struct abi_bytes config)
{
	const struct filter *filter = find_filter(str_from(name));
	struct module_conf *made;
	struct setup s;

	if (!filter)
		return NULL;
	if (!filter->route_conf) {
		log_error("the filter %s doesn't support virtual host or route "
			  "specific configurations",
		    filter->name);
		return NULL;
	}
	made = begin(filter);
	s = (struct setup){ made, diag_new(made->arena), NULL };
	made->conf = decode(
	    &s, str_from(config), filter->route_conf, filter->configure_route);
	tell(s.diag);
	if (made->conf)
		return made;
	drop(made);
	return NULL;
}

void
on_route_config_destroy(const void *conf)
{
	drop((struct module_conf *)(uintptr_t)conf);
}

/* ---- the part of chain/host.h for this time ---- */

struct arena *
host_setup_arena(struct setup *s)
{
	return s->made->arena;
}

static struct place
place_of(const struct node *node)
{
	return node ? node->place : (struct place){ 0 };
}

void
host_setup_error(
    struct setup *s, const struct node *node, const char *format, ...)
{
	struct str text;
	va_list args;

	va_start(args, format);
	text = arena_vprintf(s->made->arena, format, args);
	va_end(args);
	diag_error(
	    s->diag, place_of(node), s->made->filter->name, "%s", text.ptr);
}

void
host_setup_warn(
    struct setup *s, const struct node *node, const char *format, ...)
{
	struct str text;
	va_list args;

	va_start(args, format);
	text = arena_vprintf(s->made->arena, format, args);
	va_end(args);
	diag_warn(
	    s->diag, place_of(node), s->made->filter->name, "%s", text.ptr);
}

int
host_setup_counter(struct setup *s, const char *name)
{
	struct abi_bytes bytes = { name, strlen(name) };
	size_t id;

	if (!s->host_conf ||
	    abi_define_counter(s->host_conf, bytes, NULL, 0, &id) ||
	    id > INT_MAX)
		return -1;
	return (int)id;
}

/* Envoy does not tell a module which clusters there are. */
struct str
host_setup_cluster(struct setup *s, size_t i)
{
	(void)s;
	(void)i;
	return STR_NONE;
}

/* Health and breakers are filters that know nothing of each other here. */
void
host_setup_breaker(struct setup *s, struct str name)
{
	(void)s;
	(void)name;
}

/* Envoy gives texts and numbers, but no structures. */
bool
host_setup_metadata(
    struct setup *s, const struct node *node, struct str ns, struct str name)
{
	if (str_find_char(name, '.', 0) == name.len)
		return true;
	host_setup_error(s, node,
	    "\"" STR_FMT "\" of " STR_FMT
	    " is part of a structure, which Envoy does not show to modules",
	    STR_ARG(name), STR_ARG(ns));
	return false;
}

struct state *
host_setup_state(struct setup *s)
{
	return s->made->state;
}
