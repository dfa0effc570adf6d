/*
 * sallyport routes: the route table as it was compiled, with what each route
 * asks for, where it leads, and which routes no request ever reaches.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "chain/route_table.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/place.h"
#include "cmd/shadow.h"
#include "cmd/table.h"
#include "cmd/terminal.h"
#include "config/diag.h"

enum {
	OUTPUT_MAX = 64 * 1024 * 1024,
	VALUES_MAX = 32,
	MATCH_WIDTH = 40,
	METHODS_WIDTH = 14,
	TARGET_WIDTH = 34,
	VALUE_SHOWN = 60, /* of a value of a filter's configuration */
};

struct listing {
	struct arena *arena;
	const struct gateway *gateway;
	struct jsonpage json;
	struct buf *out;
	enum err err;
	const struct vhost *vhost;
	const struct shadow_match *matches;
};

/* The same for people. */
#define PUT(l, ...)                                                            \
	do {                                                                   \
		if (!(l)->err)                                                 \
			(l)->err = buf_printf((l)->out, __VA_ARGS__);          \
	} while (0)

/* ---- what there is to say of a route ---- */

/* The matcher that names methods, and how many; NULL if there is none. */
static const struct conf_header_matcher *
methods_of(const struct route *r, struct str values[VALUES_MAX], size_t *n)
{
	const struct conf_route_match *m = r->conf->match;

	for (size_t i = 0; i < m->headers.n; i++) {
		*n = shadow_values(&m->headers.items[i], values, VALUES_MAX);
		if (*n && str_eq(m->headers.items[i].name, STR(":method")))
			return &m->headers.items[i];
	}
	*n = 0;
	return NULL;
}

struct path_text {
	const char *kind;
	struct str text;
};

static struct path_text
path_of(const struct route *r)
{
	const struct conf_route_match *m = r->conf->match;
	const struct node *template;

	if (m->path_match_policy) {
		template = node_get(
		    m->path_match_policy->typed_config->node, "path_template");
		return (struct path_text){ "template",
			template ? template->scalar : STR("") };
	}
	if (m->safe_regex)
		return (struct path_text){ "regex", m->safe_regex->regex };
	if (m->path.ptr)
		return (struct path_text){ "path", m->path };
	if (m->path_separated_prefix.ptr)
		return (
		    struct path_text){ "segments", m->path_separated_prefix };
	return (struct path_text){ "prefix", m->prefix };
}

/* What else is asked: "header x-a", "query page", ... */
static void
each_condition(const struct route *r,
    void (*each)(void *, const char *kind, struct str name), void *arg)
{
	const struct conf_route_match *m = r->conf->match;
	struct str values[VALUES_MAX];
	size_t n;
	const struct conf_header_matcher *methods = methods_of(r, values, &n);

	for (size_t i = 0; i < m->headers.n; i++)
		if (&m->headers.items[i] != methods)
			each(arg, "header", m->headers.items[i].name);
	for (size_t i = 0; i < m->query_parameters.n; i++)
		each(arg, "query parameter", m->query_parameters.items[i].name);
	for (size_t i = 0; i < m->cookies.n; i++)
		each(arg, "cookie", m->cookies.items[i].name);
	for (size_t i = 0; i < m->dynamic_metadata.n; i++)
		each(arg, "metadata", m->dynamic_metadata.items[i].filter);
	if (m->grpc)
		each(arg, "gRPC", STR(""));
	if (m->tls_context)
		each(arg, "client certificate", STR(""));
	if (m->runtime_fraction)
		each(arg, "fraction", m->runtime_fraction->runtime_key);
	if (!m->case_sensitive)
		each(arg, "any case", STR(""));
}

static struct str
weighted_text(struct arena *arena, const struct conf_weighted_clusters *w)
{
	struct str out = STR("");

	for (size_t i = 0; i < w->clusters.n; i++) {
		const struct conf_weighted_cluster *c = &w->clusters.items[i];

		out = arena_printf(arena, STR_FMT "%s" STR_FMT " %" PRIu32,
		    STR_ARG(out), i ? ", " : "",
		    STR_ARG(c->name.len ? c->name : c->cluster_header),
		    c->weight);
	}
	return out;
}

/* Where the redirect leads, as far as the configuration says. */
static struct str
redirect_text(struct arena *arena, const struct conf_redirect *d)
{
	struct str path = d->path_redirect.len    ? d->path_redirect
			  : d->prefix_rewrite.len ? d->prefix_rewrite
						  : STR("");
	struct str scheme =
	    d->https_redirect ? STR("https") : d->scheme_redirect;

	return arena_printf(arena, "redirect %u%s" STR_FMT "%s" STR_FMT STR_FMT,
	    route_redirect_status(d),
	    scheme.len || d->host_redirect.len || path.len ? " " : "",
	    STR_ARG(scheme), scheme.len ? "://" : "", STR_ARG(d->host_redirect),
	    STR_ARG(path));
}

static struct str
target_of(struct arena *arena, const struct route *r)
{
	const struct conf_route_action *action = r->conf->route;

	if (r->conf->direct_response)
		return arena_printf(
		    arena, "answers %u", r->conf->direct_response->status);
	if (r->conf->redirect)
		return redirect_text(arena, r->conf->redirect);
	if (!action)
		return STR("nothing");
	if (action->weighted_clusters)
		return arena_printf(arena, "clusters " STR_FMT,
		    STR_ARG(weighted_text(arena, action->weighted_clusters)));
	if (action->cluster_header.len)
		return arena_printf(arena, "the cluster in " STR_FMT,
		    STR_ARG(action->cluster_header));
	return arena_printf(
	    arena, "cluster " STR_FMT, STR_ARG(action->cluster));
}

/* ---- policies ---- */

static const struct any *
any_in(const struct map *map, struct str name)
{
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->items[i].key, name))
			return map->items[i].value;
	return NULL;
}

/* The fields of a filter's own configuration, without what is around them. */
static const struct node *
own_fields(const struct listing *l, const struct route *r, struct str name)
{
	const struct any *any = any_in(&r->conf->typed_per_filter_config, name);
	const struct node *node, *inner;

	if (!any)
		any = any_in(&r->vhost->typed_per_filter_config, name);
	if (!any)
		any = any_in(
		    &l->gateway->hcm->route_config->typed_per_filter_config,
		    name);
	node = any ? any->node : NULL;
	inner = node_get(node, "config");
	if (inner && inner->kind == NODE_MAP)
		node = inner;
	inner = node_get(node_get(node, "filter_config"), "value");
	return inner ? inner : node;
}

static struct str
short_name(struct str name)
{
	static const struct str prefixes[] = { STR_INIT("envoy.filters.http."),
		STR_INIT("sallyport.") };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (str_starts(name, prefixes[i]))
			return str_slice(name, prefixes[i].len, name.len);
	return name;
}

/* As the chain does: the route's word, else how the filter is set up. */
static bool
is_on(const struct filter_instance *f, signed char word)
{
	return word ? word > 0 : !f->disabled;
}

/* Whether route, virtual host or route configuration mention filter i. */
static bool
is_mentioned(const struct route *r, size_t i)
{
	return (r->filter_confs && r->filter_confs[i]) ||
	       (r->filter_switch && r->filter_switch[i]);
}

static bool
is_shown(const struct node_item *field)
{
	return field->value->kind == NODE_SCALAR && field->key.len &&
	       field->key.ptr[0] != '@';
}

/* ---- which are never reached ---- */

/* The first route that takes all of route at, or at itself. */
static size_t
shadow_of(const struct listing *l, size_t at)
{
	struct arena *arena;
	size_t i = 0;

	if (!at)
		return at;
	arena = arena_new(1024);
	while (i < at && !shadow_covers(arena, l->gateway->routes->conf,
			     &l->matches[i], &l->matches[at]))
		i++;
	arena_free(arena);
	return i;
}

static void
prepare_vhost(struct listing *l, const struct vhost *v)
{
	struct shadow_match *matches =
	    ARENA_ARRAY(l->arena, v->n, struct shadow_match);

	for (size_t i = 0; i < v->n; i++)
		matches[i] = shadow_match(l->arena, v->routes[i].conf->match,
		    v->routes[i].parts->match);
	l->vhost = v;
	l->matches = matches;
}

/* ---- for people ---- */

static void
put_condition(void *arg, const char *kind, struct str name)
{
	struct listing *l = arg;

	PUT(l, "      if %s%s" STR_FMT "\n", kind, name.len ? " " : "",
	    STR_ARG(name));
}

static void
put_policy(struct listing *l, const struct route *r, size_t i)
{
	const struct filter_instance *f = &l->gateway->filters[i];
	const struct node *fields = own_fields(l, r, f->name);
	const char *between = ": ";

	PUT(l, "      " STR_FMT, STR_ARG(short_name(f->name)));
	if (!is_on(f, r->filter_switch ? r->filter_switch[i] : 0)) {
		PUT(l, ": off\n");
		return;
	}
	for (size_t at = 0; fields && at < fields->n; at++) {
		const struct node_item *field = &fields->items[at];
		struct str value =
		    str_slice(field->value->scalar, 0, VALUE_SHOWN);

		if (!is_shown(field))
			continue;
		PUT(l, "%s" STR_FMT " " STR_FMT "%s", between,
		    STR_ARG(field->key), STR_ARG(value),
		    value.len < field->value->scalar.len ? "..." : "");
		between = ", ";
	}
	PUT(l, "\n");
}

static void
put_forwarding(struct listing *l, const struct conf_route_action *a)
{
	if (!a)
		return;
	if (a->rate_limits.n)
		PUT(l, "      rate_limits: %zu\n", a->rate_limits.n);
	if (a->timeout)
		PUT(l, "      timeout: %.15gs\n",
		    (double)a->timeout / (double)NS_PER_S);
	if (a->retry_policy)
		PUT(l, "      retries\n");
}

/* "GET, POST" */
static struct str
methods_text(struct arena *arena, const struct route *r)
{
	struct str values[VALUES_MAX], out = STR("");
	size_t n;

	(void)methods_of(r, values, &n);
	for (size_t i = 0; i < n; i++)
		out = arena_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(out),
		    i ? "," : "", STR_ARG(values[i]));
	return n ? out : STR("any method");
}

static void
put_route(struct listing *l, size_t at)
{
	const struct route *r = &l->vhost->routes[at], *by;
	struct path_text path = path_of(r);
	struct str match = arena_printf(
	    l->arena, "%s " STR_FMT, path.kind, STR_ARG(path.text));
	struct str methods = methods_text(l->arena, r);
	struct str target = target_of(l->arena, r);
	size_t shadow = shadow_of(l, at);

	PUT(l, "  %-*.*s  %-*.*s  %-*.*s  %s:%u\n", MATCH_WIDTH, STR_ARG(match),
	    METHODS_WIDTH, STR_ARG(methods), TARGET_WIDTH, STR_ARG(target),
	    r->conf->node->place.source->name, r->conf->node->place.line);
	if (shadow != at) {
		by = &l->vhost->routes[shadow];
		PUT(l,
		    "      %snever reached: the route of line %u takes "
		    "everything that this one matches%s\n",
		    terminal_on(stdout, COLOUR_DOUBT),
		    by->conf->node->place.line, terminal_off(stdout));
	}
	each_condition(r, put_condition, l);
	for (size_t i = 0; i < l->gateway->n_filters; i++)
		if (is_mentioned(r, i))
			put_policy(l, r, i);
	put_forwarding(l, r->conf->route);
}

static void
put_filters(struct listing *l)
{
	PUT(l, "filters, in order:");
	for (size_t i = 0; i < l->gateway->n_filters; i++)
		PUT(l, " " STR_FMT "%s",
		    STR_ARG(short_name(l->gateway->filters[i].name)),
		    l->gateway->filters[i].disabled ? " (off)" : "");
	PUT(l, "%s\n", l->gateway->n_filters ? "" : " none");
}

static void
put_vhost(struct listing *l, const struct vhost *v)
{
	const struct conf_virtual_host *conf = v->conf;

	prepare_vhost(l, v);
	PUT(l, "\n%svirtual host " STR_FMT "%s:",
	    terminal_on(stdout, COLOUR_STRONG), STR_ARG(conf->name),
	    terminal_off(stdout));
	for (size_t i = 0; i < conf->domains.n; i++)
		PUT(l, " " STR_FMT, STR_ARG(conf->domains.items[i]));
	PUT(l, "  %s:%u\n", conf->node->place.source->name,
	    conf->node->place.line);
	if (conf->require_tls)
		PUT(l, "  http is redirected to https%s\n",
		    conf->require_tls == 1 ? ", of outside clients" : "");
	for (size_t i = 0; i < v->n; i++)
		put_route(l, i);
}

/* ---- for tools ---- */

static void
write_condition(void *arg, const char *kind, struct str name)
{
	struct listing *l = arg;

	json_open_map(&l->json, NULL);
	json_put_string(&l->json, "kind", str_of(kind));
	if (name.len)
		json_put_string(&l->json, "name", name);
	json_close_map(&l->json);
}

static void
write_policy(struct listing *l, const struct route *r, size_t i)
{
	const struct filter_instance *f = &l->gateway->filters[i];
	const struct node *fields = own_fields(l, r, f->name);

	json_open_map(&l->json, NULL);
	json_put_string(&l->json, "name", f->name);
	json_put_bool(&l->json, "on",
	    is_on(f, r->filter_switch ? r->filter_switch[i] : 0));
	json_open_map(&l->json, "config");
	for (size_t at = 0; fields && at < fields->n; at++)
		if (is_shown(&fields->items[at]))
			json_put_string(&l->json,
			    arena_cstr(l->arena, fields->items[at].key),
			    fields->items[at].value->scalar);
	json_close_map(&l->json);
	json_close_map(&l->json);
}

static void
write_match(struct listing *l, const struct route *r)
{
	struct path_text path = path_of(r);
	struct str values[VALUES_MAX];
	size_t n;

	(void)methods_of(r, values, &n);
	json_open_map(&l->json, "match");
	json_put_string(&l->json, path.kind, path.text);
	json_open_list(&l->json, "methods");
	for (size_t i = 0; i < n; i++)
		json_put_string(&l->json, NULL, values[i]);
	json_close_list(&l->json);
	json_open_list(&l->json, "conditions");
	each_condition(r, write_condition, l);
	json_close_list(&l->json);
	json_close_map(&l->json);
}

static void
write_target(struct listing *l, const struct route *r)
{
	const struct conf_route *conf = r->conf;

	json_put_string(&l->json, "to", target_of(l->arena, r));
	if (conf->direct_response)
		json_put_number(
		    &l->json, "status", conf->direct_response->status);
	if (conf->redirect)
		json_put_number(
		    &l->json, "status", route_redirect_status(conf->redirect));
	if (conf->route && conf->route->cluster.len)
		json_put_string(&l->json, "cluster", conf->route->cluster);
	if (conf->route && conf->route->timeout)
		json_put_number(&l->json, "timeout_ms",
		    (double)(conf->route->timeout / NS_PER_MS));
}

static void
write_route(struct listing *l, size_t at)
{
	const struct route *r = &l->vhost->routes[at];
	size_t shadow = shadow_of(l, at);

	json_open_map(&l->json, NULL);
	json_put_string(&l->json, "name", r->name.ptr ? r->name : STR(""));
	json_put_place(&l->json, r->conf->node->place);
	write_match(l, r);
	write_target(l, r);
	json_open_list(&l->json, "filters");
	for (size_t i = 0; i < l->gateway->n_filters; i++)
		if (is_mentioned(r, i))
			write_policy(l, r, i);
	json_close_list(&l->json);
	if (shadow != at) {
		json_open_map(&l->json, "shadowed_by");
		json_put_number(&l->json, "route", (double)shadow);
		json_put_place(
		    &l->json, l->vhost->routes[shadow].conf->node->place);
		json_close_map(&l->json);
	}
	json_close_map(&l->json);
}

static void
write_vhost(struct listing *l, const struct vhost *v)
{
	static const char *const tls[] = { "none", "external only", "all" };
	const struct conf_virtual_host *conf = v->conf;

	prepare_vhost(l, v);
	json_open_map(&l->json, NULL);
	json_put_string(&l->json, "name", conf->name);
	json_put_place(&l->json, conf->node->place);
	json_open_list(&l->json, "domains");
	for (size_t i = 0; i < conf->domains.n; i++)
		json_put_string(&l->json, NULL, conf->domains.items[i]);
	json_close_list(&l->json);
	json_put_string(
	    &l->json, "require_tls", str_of(tls[conf->require_tls]));
	json_open_list(&l->json, "routes");
	for (size_t i = 0; i < v->n; i++)
		write_route(l, i);
	json_close_list(&l->json);
	json_close_map(&l->json);
}

static void
write_filters(struct listing *l)
{
	json_open_list(&l->json, "filters");
	for (size_t i = 0; i < l->gateway->n_filters; i++) {
		json_open_map(&l->json, NULL);
		json_put_string(&l->json, "name", l->gateway->filters[i].name);
		json_put_bool(&l->json, "on", !l->gateway->filters[i].disabled);
		json_put_place(&l->json, l->gateway->filters[i].node->place);
		json_close_map(&l->json);
	}
	json_close_list(&l->json);
}

/* ---- the whole ---- */

static void
list_text(struct listing *l)
{
	const struct route_table *t = l->gateway->routes;

	put_filters(l);
	for (size_t i = 0; i < t->conf->virtual_hosts.n; i++)
		put_vhost(l, &t->vhosts[i]);
}

static void
list_json(struct listing *l)
{
	const struct route_table *t = l->gateway->routes;

	json_open_map(&l->json, NULL);
	write_filters(l);
	json_open_list(&l->json, "virtual_hosts");
	for (size_t i = 0; i < t->conf->virtual_hosts.n; i++)
		write_vhost(l, &t->vhosts[i]);
	json_close_list(&l->json);
	json_close_map(&l->json);
	json_end(&l->json);
	l->err = l->json.err;
}

static int
list(const struct loaded *loaded, bool is_json)
{
	struct buf text;
	struct listing l = { .arena = loaded->arena,
		.gateway = loaded->gateway,
		.json = { .out = &text },
		.out = &text };
	struct str bytes;

	buf_init(&text, OUTPUT_MAX);
	if (is_json)
		list_json(&l);
	else
		list_text(&l);
	bytes = buf_bytes(&text);
	if (fwrite(bytes.ptr, 1, bytes.len, stdout) != bytes.len ||
	    fflush(stdout))
		l.err = ERR_SYSTEM;
	buf_free(&text);
	return l.err ? CMD_FAILED : CMD_OK;
}

int
cmd_routes(int argc, char **argv)
{
	struct args args;
	struct loaded loaded;
	const char *file;
	int status = args_read(&args, cmd_find("routes"), argc, argv);

	if (status)
		return status;
	file = args_value(&args, "--config", 0);
	if (!load_check(
		file ? file : SALLYPORT_CONFIG_FILE, LOAD_STRICT, &loaded)) {
		status = list(&loaded, args_value(&args, "--json", 0));
	} else {
		diag_print(loaded.diag, stderr);
		status = CMD_CONFIG;
	}
	load_free(&loaded);
	return status;
}
