/*
 * What Envoy's own code, beyond fields and rules, asks of what is the web
 * server's or nobody's here: a file that loads here loads in Envoy.
 */
#include "config.h"

#include "config/scalar.h"
#include "config/whole.h"

#define EXTENSIONS "envoy.extensions."

/* A field by either of its spellings. */
static const struct node *
field(const struct node *map, const char *name)
{
	if (!map || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (api_is_named(name, map->items[i].key))
			return map->items[i].value;
	return NULL;
}

static struct str
text(const struct node *map, const char *name)
{
	const struct node *n = field(map, name);

	return n && n->kind == NODE_SCALAR ? n->scalar : STR("");
}

static size_t
count(const struct node *list)
{
	return list && list->kind == NODE_LIST ? list->n : 0;
}

/* An extension in typed_config is of a kind, by the package of its message. */
static void
check_kind(struct whole *w, const char *path, const struct node *extension,
    const char *kind)
{
	struct str type = text(field(extension, "typed_config"), "@type");
	size_t at = str_find(type, str_of(kind), 0);

	if (at < type.len)
		return;
	if (!extension || extension->kind != NODE_MAP)
		return;
	diag_error(w->diag, extension->place, path,
	    "Didn't find a registered implementation for '" STR_FMT
	    "' with type URL: '" STR_FMT "'",
	    STR_ARG(text(extension, "name")),
	    STR_ARG(
		str_slice(type, str_find_char(type, '/', 0) + 1, type.len)));
}

static void
check_kinds(struct whole *w, const char *path, const struct node *list,
    const char *kind)
{
	for (size_t i = 0; i < count(list); i++)
		check_kind(w, path, list->items[i].value, kind);
}

static bool
is_before(const struct node *list, size_t n, const char *name, struct str value)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(text(list->items[i].value, name), value))
			return true;
	return false;
}

static void
check_monitors(struct whole *w, const char *path, const struct node *list)
{
	for (size_t i = 0; i < count(list); i++) {
		const struct node *m = list->items[i].value;
		const struct node *conf = field(m, "typed_config");
		uint64_t max = 0;

		check_kind(w, path, m, EXTENSIONS "resource_monitors.");
		if (is_before(list, i, "name", text(m, "name")))
			diag_error(w->diag, m->place, path,
			    "Duplicate resource monitor " STR_FMT,
			    STR_ARG(text(m, "name")));
		if (str_ends(text(conf, "@type"), STR(".FixedHeapConfig")) &&
		    !(scalar_to_u64(text(conf, "max_heap_size_bytes"), &max) &&
			max))
			diag_error(w->diag, m->place, path,
			    "fixed_heap: max heap size must be greater than 0");
	}
}

static void
check_trigger(struct whole *w, const char *path, const struct node *monitors,
    struct str action, const struct node *trigger)
{
	const struct node *scaled = field(trigger, "scaled");
	struct str name = text(trigger, "name");
	double from = 0, to = 1;

	if (!is_before(monitors, count(monitors), "name", name))
		diag_error(w->diag, trigger->place, path,
		    "Unknown trigger resource " STR_FMT
		    " for overload action " STR_FMT,
		    STR_ARG(name), STR_ARG(action));
	if (!scaled)
		return;
	if (!scalar_to_double(text(scaled, "scaling_threshold"), &from))
		from = 0;
	if (!scalar_to_double(text(scaled, "saturation_threshold"), &to))
		to = 0;
	if (from >= to)
		diag_error(w->diag, scaled->place, path,
		    "scaling_threshold must be less than "
		    "saturation_threshold");
}

static void
check_action(struct whole *w, const char *path, const struct node *monitors,
    const struct node *action)
{
	static const char *const known[] = { "stop_accepting_requests",
		"disable_http_keepalive", "stop_accepting_connections",
		"reject_incoming_connections", "shrink_heap", "reduce_timeouts",
		"reset_high_memory_stream" };
	const struct node *triggers = field(action, "triggers");
	struct str prefix = STR("envoy.overload_actions.");
	struct str name = text(action, "name");
	struct str last = str_slice(name, prefix.len, name.len);
	size_t at = 0;

	while (at < 7 && !str_eq(last, str_of(known[at])))
		at++;
	if (at == 7 || !str_starts(name, prefix))
		diag_error(w->diag, action->place, path,
		    "Unknown Overload Manager Action " STR_FMT, STR_ARG(name));
	if (at == 5 && !field(action, "typed_config"))
		diag_error(w->diag, action->place, path,
		    "Overload action \"" STR_FMT "\" requires typed_config",
		    STR_ARG(name));
	for (size_t i = 0; i < count(triggers); i++)
		check_trigger(
		    w, path, monitors, name, triggers->items[i].value);
}

static void
check_overload(struct whole *w, const struct node *overload)
{
	const char *path = "overload_manager";
	const struct node *monitors = field(overload, "resource_monitors");
	const struct node *actions = field(overload, "actions");

	check_monitors(w, path, monitors);
	for (size_t i = 0; i < count(actions); i++) {
		const struct node *action = actions->items[i].value;

		check_action(w, path, monitors, action);
		if (is_before(actions, i, "name", text(action, "name")))
			diag_error(w->diag, action->place, path,
			    "Duplicate overload action " STR_FMT,
			    STR_ARG(text(action, "name")));
	}
}

/* Tags whose expression Envoy has itself. */
static bool
is_known_tag(struct str name)
{
	static const char *const tags[] = { "response_code",
		"response_code_class", "http_conn_manager_prefix",
		"http_user_agent", "ssl_cipher", "ssl_cipher_suite",
		"cluster_name", "mongo_prefix", "mongo_cmd", "mongo_collection",
		"mongo_callsite", "virtual_host", "virtual_cluster",
		"listener_address", "ratelimit_prefix", "tcp_prefix",
		"udp_prefix", "fault_downstream_cluster", "dynamodb_operation",
		"dynamodb_table", "dynamodb_partition_id", "grpc_bridge_method",
		"grpc_bridge_service", "rds_route_config", "scoped_rds_config",
		"worker_id", "thrift_prefix", "redis_prefix", "route" };
	struct str prefix = STR("envoy.");

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (str_starts(name, prefix) &&
		    str_eq(
			str_slice(name, prefix.len, name.len), str_of(tags[i])))
			return true;
	return false;
}

static void
check_tags(struct whole *w, const struct node *list)
{
	for (size_t i = 0; i < count(list); i++) {
		const struct node *tag = list->items[i].value;
		struct str name = text(tag, "tag_name");

		if (!name.len)
			diag_error(w->diag, tag->place, "stats_config",
			    "tag_name cannot be empty");
		else if (!text(tag, "regex").len &&
			 !field(tag, "fixed_value") && !is_known_tag(name))
			diag_error(w->diag, tag->place, "stats_config",
			    "No regex specified for tag specifier and no "
			    "default regex for name: '" STR_FMT "'",
			    STR_ARG(name));
	}
}

static void
check_top(struct whole *w, const struct node *top)
{
	const struct node *manager = field(top, "cluster_manager");
	const struct node *admin_log = field(field(top, "admin"), "access_log");
	struct str local = text(manager, "local_cluster_name");
	struct str on_admin = text(top, "stats_flush_on_admin");
	bool flag = false;

	if (local.len && table_get(w->clusters, local) == TABLE_NONE)
		diag_error(w->diag, manager->place, "cluster_manager",
		    "local cluster '" STR_FMT "' must be defined",
		    STR_ARG(local));
	if (field(top, "stats_flush_interval") &&
	    scalar_to_bool(on_admin, &flag) && flag)
		diag_error(w->diag, top->place, NULL,
		    "Only one of stats_flush_interval or stats_flush_on_admin "
		    "should be set!");
	check_kinds(w, "admin", admin_log, EXTENSIONS "access_loggers.");
	if (field(top, "default_regex_engine"))
		check_kind(w, "default_regex_engine",
		    field(top, "default_regex_engine"),
		    EXTENSIONS "regex_engines.");
}

static void
check_ip(struct whole *w, const char *path, const struct node *address)
{
	struct str ip = text(address, "address");

	if (ip.len && !whole_is_ip(w, ip))
		diag_error(w->diag, address->place, path,
		    "malformed IP address: " STR_FMT, STR_ARG(ip));
}

static void
check_clusters(struct whole *w, const struct conf_static_resources *r)
{
	for (size_t i = 0; i < r->clusters.n; i++) {
		const struct conf_cluster *c = &r->clusters.items[i];
		const char *path =
		    whole_path(w, "static_resources.clusters[%zu]", i);

		check_ip(w, path,
		    field(field(c->node, "upstream_bind_config"),
			"source_address"));
	}
}

static void
check_listeners(struct whole *w, const struct conf_static_resources *r)
{
	for (size_t i = 0; i < r->listeners.n; i++)
		check_kinds(w,
		    whole_path(w, "static_resources.listeners[%zu]", i),
		    field(r->listeners.items[i].node, "access_log"),
		    EXTENSIONS "access_loggers.");
}

void
whole_delegated(struct whole *w, const struct node *top)
{
	const struct node *stats = field(top, "stats_config");
	const struct node *overload = field(top, "overload_manager");
	const struct conf_admin *admin = w->bootstrap->admin;

	check_top(w, top);
	check_tags(w, field(stats, "stats_tags"));
	check_overload(w, overload);
	if (admin && admin->address && admin->address->socket_address)
		check_ip(w, "admin", admin->address->socket_address->node);
	check_listeners(w, w->bootstrap->static_resources);
	check_clusters(w, w->bootstrap->static_resources);
}

void
whole_codec(struct whole *w, const char *path, const struct conf_hcm *hcm)
{
	const struct node *http1 = field(hcm->node, "http_protocol_options");
	const struct node *http2 = field(hcm->node, "http2_protocol_options");
	const struct node *format =
	    field(field(http1, "header_key_format"), "stateful_formatter");
	const struct node *custom = field(http2, "custom_settings_parameters");

	if (format)
		check_kind(
		    w, path, format, EXTENSIONS "http.header_formatters.");
	if (count(custom))
		diag_error(w->diag, custom->place, path,
		    "`custom_settings_parameters` is not supported: the web "
		    "server owns the connections to clients");
}

void
whole_virtual_clusters(
    struct whole *w, const char *path, const struct conf_virtual_host *host)
{
	const struct node *list = field(host->node, "virtual_clusters");

	for (size_t i = 0; i < count(list); i++)
		if (!count(field(list->items[i].value, "headers")))
			diag_error(w->diag, list->items[i].value->place, path,
			    "virtual clusters must define 'headers'");
}
