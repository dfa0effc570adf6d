/*
 * The short form written out as Envoy's bootstrap: listener, replies, logs
 * and clusters here, filters and routes in their own files.
 */
#include "config.h"

#include "config/short_write.h"

#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"
/* The path that came: before the route's rewrite, and before ours. */
#define PATH "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"
#define PATH_BEFORE_REWRITES                                                   \
	"%COALESCE({\"operators\":["                                           \
	"{\"command\":\"DYNAMIC_METADATA\","                                   \
	"\"param\":\"sallyport.rewrite:path\"},"                               \
	"{\"command\":\"REQ\",\"param\":\"X-ENVOY-ORIGINAL-PATH?:PATH\"}]})%"
#define HCM "envoy.extensions.filters.network.http_connection_manager.v3."

static void
put_comparison(
    struct writer *w, struct node *filter, const char *op, uint64_t status)
{
	struct node *comparison = write_map(
	    w, write_map(w, filter, "status_code_filter"), "comparison");
	struct node *value;

	write_text(w, comparison, "op", op);
	value = write_map(w, comparison, "value");
	write_number(w, value, "default_value", status);
	write_text(w, value, "runtime_key", "sallyport.status");
}

/*
 * Refusals become JSON; other answers of the gateway's own (preflights,
 * redirects, health checks of any status) stay as they are.
 */
static void
add_mapper(struct writer *w, struct node *mappers, const char *op,
    uint64_t status, const char *text)
{
	struct node *mapper = write_item(w, mappers);
	struct node *both = write_list(w,
	    write_map(w, write_map(w, mapper, "filter"), "and_filter"),
	    "filters");
	struct node *header, *format, *json;

	put_comparison(w, write_item(w, both), op, status);
	header = write_map(
	    w, write_map(w, write_item(w, both), "header_filter"), "header");
	write_text(w, header, "name", ":path");
	write_text(w,
	    write_map(w, write_map(w, header, "string_match"), "safe_regex"),
	    "regex", "/(health|livez|readyz)(\\?.*)?");
	write_plain(w, header, "invert_match", "true");
	if (text)
		write_text(
		    w, write_map(w, mapper, "body"), "inline_string", text);
	format = write_map(w, mapper, "body_format_override");
	json = write_map(w, format, "json_format");
	write_text(w, json, "error", "%LOCAL_REPLY_BODY%");
	write_text(w, json, "request_id", "%REQ(X-REQUEST-ID)%");
}

static void
put_local_replies(struct writer *w, struct node *hcm)
{
	struct node *conf = write_map(w, hcm, "local_reply_config");
	struct node *mappers = write_list(w, conf, "mappers");

	add_mapper(w, mappers, "EQ", 404, "no such route");
	add_mapper(w, mappers, "EQ", 405, "method not allowed");
	add_mapper(w, mappers, "GE", 400, NULL);
}

static void
put_log_filter(struct writer *w, struct node *log, uint64_t from, uint64_t to)
{
	struct node *filter = write_map(w, log, "filter");
	struct node *both;

	if (!from) {
		put_comparison(w, filter, "LE", to);
		return;
	}
	if (!to) {
		put_comparison(w, filter, "GE", from);
		return;
	}
	both = write_list(w, write_map(w, filter, "and_filter"), "filters");
	put_comparison(w, write_item(w, both), "GE", from);
	put_comparison(w, write_item(w, both), "LE", to);
}

static bool
has_rewrites(const struct short_form *form)
{
	const struct short_transforms_both *both = form->transforms;

	for (size_t i = 0; both && i < both->request.n; i++)
		if (both->request.items[i].rewrite.ptr)
			return true;
	return false;
}

static void
add_log(struct writer *w, struct node *logs, const char *level, uint64_t from,
    uint64_t to)
{
	static const char *const properties[][2] = {
		{ "timestamp", "%START_TIME%" },
		{ "request_id", "%REQ(X-REQUEST-ID)%" },
		{ "method", "%REQ(:METHOD)%" },
		{ "path", NULL },
		{ "status", "%RESPONSE_CODE%" },
		{ "duration_ms", "%DURATION%" },
		{ "route", "%ROUTE_NAME%" },
		{ "client", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" },
		{ "upstream", "%UPSTREAM_HOST%" },
		{ "bytes_received", "%BYTES_RECEIVED%" },
		{ "bytes_sent", "%BYTES_SENT%" },
		{ "reason", "%RESPONSE_CODE_DETAILS%" },
		{ "flags", "%RESPONSE_FLAGS%" },
	};
	const char *path = has_rewrites(w->form) ? PATH_BEFORE_REWRITES : PATH;
	struct node *log = write_item(w, logs), *conf, *json;

	write_text(w, log, "name", level);
	put_log_filter(w, log, from, to);
	conf = write_any(w, log, "typed_config",
	    "envoy.extensions.access_loggers.file.v3.FileAccessLog");
	write_str(w, conf, "path", w->form->access_log);
	json = write_map(w, write_map(w, conf, "log_format"), "json_format");
	write_text(w, json, "level", level);
	for (size_t i = 0; i < sizeof(properties) / sizeof(*properties); i++)
		write_text(w, json, properties[i][0],
		    properties[i][1] ? properties[i][1] : path);
}

static void
put_logs(struct writer *w, struct node *hcm)
{
	struct node *logs = write_list(w, hcm, "access_log");

	add_log(w, logs, "info", 0, 399);
	add_log(w, logs, "warn", 400, 499);
	add_log(w, logs, "error", 500, 0);
}

/*
 * Probes of load balancers speak HTTP/1.0, often without a Host. Methods are
 * the routes' business.
 */
static void
put_http1(struct writer *w, struct node *hcm)
{
	struct node *http1 = write_map(w, hcm, "http_protocol_options");

	write_plain(w, http1, "accept_http_10", "true");
	write_plain(w, http1, "allow_custom_methods", "true");
	write_text(w, http1, "default_host_for_http_10", "localhost");
}

static void
put_hcm(struct writer *w, struct node *hcm)
{
	write_text(w, hcm, "stat_prefix", "sallyport");
	write_plain(w, hcm, "use_remote_address", "true");
	write_plain(w, hcm, "normalize_path", "true");
	write_plain(w, hcm, "merge_slashes", "true");
	write_text(
	    w, hcm, "path_with_escaped_slashes_action", "KEEP_UNCHANGED");
	write_plain(w, hcm, "preserve_external_request_id", "true");
	write_plain(w, hcm, "always_set_request_id_in_response", "true");
	write_text(w, hcm, "server_header_transformation", "PASS_THROUGH");
	write_plain(w, hcm, "stream_idle_timeout", "300s");
	put_http1(w, hcm);
	put_local_replies(w, hcm);
	put_logs(w, hcm);
	short_write_filters(w, hcm);
	short_write_routes(w, hcm);
}

static void
put_listen_address(struct writer *w, struct node *listener)
{
	const struct short_form *form = w->form;
	struct node *address = write_map(w, listener, "address");

	if (form->listen_path.ptr) {
		write_str(w, write_map(w, address, "pipe"), "path",
		    form->listen_path);
		return;
	}
	address = write_map(w, address, "socket_address");
	write_str(w, address, "address", form->listen_host);
	write_number(w, address, "port_value", form->listen_port);
}

static void
put_tls(struct writer *w, struct node *cluster, const struct short_backend *to)
{
	struct node *socket = write_map(w, cluster, "transport_socket");
	struct node *tls;

	write_text(w, socket, "name", "envoy.transport_sockets.tls");
	tls = write_any(w, socket, "typed_config",
	    "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext");
	if (!to->is_ip) {
		write_str(w, tls, "sni", to->host);
		write_plain(w, tls, "auto_sni_san_validation", "true");
	}
	write_text(w,
	    write_map(w,
		write_map(w, write_map(w, tls, "common_tls_context"),
		    "validation_context"),
		"trusted_ca"),
	    "filename", CA_FILE);
}

static void
add_cluster(
    struct writer *w, struct node *clusters, const struct short_backend *to)
{
	struct node *cluster = write_item(w, clusters), *load, *address;

	write_str(w, cluster, "name", to->cluster);
	write_text(w, cluster, "type", to->is_ip ? "STATIC" : "STRICT_DNS");
	load = write_map(w, cluster, "load_assignment");
	write_str(w, load, "cluster_name", to->cluster);
	load = write_item(w, write_list(w, load, "endpoints"));
	load = write_item(w, write_list(w, load, "lb_endpoints"));
	address = write_map(w,
	    write_map(w, write_map(w, load, "endpoint"), "address"),
	    "socket_address");
	write_str(w, address, "address", to->host);
	write_number(w, address, "port_value", to->port);
	if (to->is_https)
		put_tls(w, cluster, to);
}

bool
short_is_first_cluster(const struct short_form *form, size_t i)
{
	const struct short_route *routes = form->routes.items;
	size_t first = 0;

	while (!str_eq(routes[first].to.cluster, routes[i].to.cluster))
		first++;
	return first == i;
}

static void
put_clusters(struct writer *w, struct node *resources)
{
	const struct short_route *routes = w->form->routes.items;
	struct node *clusters = write_list(w, resources, "clusters");

	for (size_t i = 0; i < w->form->routes.n; i++) {
		if (!short_is_first_cluster(w->form, i))
			continue;
		w->place = routes[i].node->place;
		add_cluster(w, clusters, &routes[i].to);
	}
}

const struct node *
short_build(struct arena *arena, const struct short_form *form)
{
	struct writer w = {
		.arena = arena, .place = form->node->place, .form = form
	};
	struct node *top = node_map(arena, w.place);
	struct node *resources = write_map(&w, top, "static_resources");
	struct node *listener =
	    write_item(&w, write_list(&w, resources, "listeners"));
	struct node *chain, *filter;

	write_text(&w, listener, "name", "sallyport");
	put_listen_address(&w, listener);
	chain = write_item(&w, write_list(&w, listener, "filter_chains"));
	filter = write_item(&w, write_list(&w, chain, "filters"));
	write_text(&w, filter, "name",
	    "envoy.filters.network.http_connection_manager");
	put_hcm(&w,
	    write_any(&w, filter, "typed_config", HCM "HttpConnectionManager"));
	put_clusters(&w, resources);
	return top;
}
