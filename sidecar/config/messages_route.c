/* RouteConfiguration: virtual hosts, routes and what they do. */
#include "config.h"

#include "config/messages.h"
#include "config/model_limit.h"
#include "config/runtime.h"

#define UNBUILT       "it is not built in"
#define ONE_AT_A_TIME "tries follow each other"
#define UNREAD        "nothing reads it"

/* The four lists of header changes that routes of all levels have. */
#define HEADER_LISTS(owner)                                                    \
	{ FIELD(SCHEMA_MESSAGE, owner, request_headers_to_add),                \
		.label = SCHEMA_LIST, .message = &conf_header_option_message,  \
		.text = "Headers for the backend." },                          \
	    { FIELD(SCHEMA_STR, owner, request_headers_to_remove),             \
		    .label = SCHEMA_LIST,                                      \
		    .text = "Headers kept from the backend." },                \
	    { FIELD(SCHEMA_MESSAGE, owner, response_headers_to_add),           \
		    .label = SCHEMA_LIST,                                      \
		    .message = &conf_header_option_message,                    \
		    .text = "Headers for the client." },                       \
	{                                                                      \
		FIELD(SCHEMA_STR, owner, response_headers_to_remove),          \
		    .label = SCHEMA_LIST,                                      \
		    .text = "Headers kept from the client."                    \
	}

/* How much of a request's body is kept for another try. */
#define BUFFER_LIMITS(owner)                                                   \
	{ FIELD_HAS(SCHEMA_U32, owner, per_request_buffer_limit_bytes),        \
		.text = "Deprecated: request_body_buffer_limit." },            \
	{                                                                      \
		FIELD_HAS(SCHEMA_U64, owner, request_body_buffer_limit),       \
		    .text = "Bytes of a body kept for another try."            \
	}

#define FILTER_CONFIGS(owner)                                                  \
	{                                                                      \
		FIELD(SCHEMA_ANY, owner, typed_per_filter_config),             \
		    .label = SCHEMA_MAP,                                       \
		    .text = "Configuration of filters here, by their name."    \
	}

static bool
is_fixed(struct str name)
{
	return str_starts(name, STR(":")) || str_eq_nocase(name, STR("host"));
}

static void
check_added(
    struct diag *diag, const char *path, const conf_header_options *options)
{
	for (size_t i = 0; i < options->n; i++) {
		const struct conf_header_option *o = &options->items[i];

		if (o->header && is_fixed(o->header->key))
			diag_error(diag, o->header->node->place, path,
			    ":-prefixed or host headers may not be modified");
	}
}

static void
check_removed(struct diag *diag, struct place place, const char *path,
    const conf_strings *names)
{
	for (size_t i = 0; i < names->n; i++) {
		if (is_fixed(names->items[i]))
			diag_error(diag, place, path,
			    ":-prefixed or host headers may not be removed");
		else if (names->items[i].ptr && names->items[i].len == 0)
			diag_error(diag, place, path,
			    "a header to remove has no name");
	}
}

static const struct schema_field weighted_cluster_fields[] = {
	{ FIELD(SCHEMA_STR, conf_weighted_cluster, name), .text = "Cluster." },
	{ FIELD(SCHEMA_STR, conf_weighted_cluster, cluster_header),
	    .text = "Request header that names the cluster instead." },
	{ FIELD(SCHEMA_U32, conf_weighted_cluster, weight), .required = true,
	    .text = "Its share, of the sum of all weights." },
	REFUSED("metadata_match", "there are no subsets of hosts"),
	HEADER_LISTS(conf_weighted_cluster),
	FILTER_CONFIGS(conf_weighted_cluster),
	{ FIELD(SCHEMA_STR, conf_weighted_cluster, host_rewrite_literal),
	    .text = "Host that the backend sees." },
	{ .name = NULL },
};

static void
check_weighted_cluster(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_weighted_cluster *w = decoded;

	if (!w->name.len && !w->cluster_header.len)
		diag_error(diag, w->node->place, path,
		    "At least one of name or cluster_header need to be "
		    "specified");
	if (w->name.len && w->cluster_header.len)
		diag_error(diag, w->node->place, path,
		    "Only one of name or cluster_header can be specified");
	check_added(diag, path, &w->request_headers_to_add);
	check_added(diag, path, &w->response_headers_to_add);
	check_removed(
	    diag, w->node->place, path, &w->request_headers_to_remove);
	check_removed(
	    diag, w->node->place, path, &w->response_headers_to_remove);
}

static const struct schema_message weighted_cluster_message = {
	.name = "envoy.config.route.v3.WeightedCluster.ClusterWeight",
	.size = sizeof(struct conf_weighted_cluster),
	.fields = weighted_cluster_fields,
	.check = check_weighted_cluster,
};

static const struct schema_field weighted_clusters_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_weighted_clusters, clusters),
	    .label = SCHEMA_LIST, .message = &weighted_cluster_message,
	    .min_items = 1, .required = true, .text = "The clusters." },
	DELEGATED("total_weight", "deprecated; the sum of the weights counts"),
	{ FIELD(SCHEMA_STR, conf_weighted_clusters, runtime_key_prefix),
	    .text = "The runtime key PREFIX.CLUSTER is a cluster's share." },
	{ FIELD(SCHEMA_STR, conf_weighted_clusters, header_name),
	    .oneof = "random_value_specifier",
	    .text = "Header whose number chooses, not chance." },
	{ FIELD(SCHEMA_BOOL, conf_weighted_clusters, use_hash_policy),
	    .oneof = "random_value_specifier",
	    .text = "Whether the hash policy's number chooses, not chance." },
	{ .name = NULL },
};

/* What the runtime says of a cluster's weight. */
static void
set_weight(const struct runtime *rt, struct str prefix,
    struct conf_weighted_cluster *c)
{
	char key[512];
	uint64_t weight = c->weight;
	int len = snprintf(key, sizeof(key), STR_FMT "." STR_FMT,
	    STR_ARG(prefix), STR_ARG(c->name));

	if (len > 0 && (size_t)len < sizeof(key))
		runtime_u64(rt, (struct str){ key, (size_t)len }, &weight);
	c->weight = weight > UINT32_MAX ? UINT32_MAX : (uint32_t)weight;
}

static void
check_weighted_clusters(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_weighted_clusters *w = decoded;
	uint64_t sum = 0;

	for (size_t i = 0; w->runtime_key_prefix.len && i < w->clusters.n; i++)
		set_weight(diag_runtime(diag), w->runtime_key_prefix,
		    &w->clusters.items[i]);
	for (size_t i = 0; i < w->clusters.n; i++)
		sum += w->clusters.items[i].weight;
	if (w->clusters.n && sum == 0)
		diag_error(diag, w->node->place, path,
		    "Sum of weights in the weighted_cluster must be greater "
		    "than 0.");
	if (sum > UINT32_MAX)
		diag_error(diag, w->node->place, path,
		    "The sum of weights of all weighted clusters of a route "
		    "exceeds the maximum of 4294967295");
}

static const struct schema_message weighted_clusters_message = {
	.name = "envoy.config.route.v3.WeightedCluster",
	.size = sizeof(struct conf_weighted_clusters),
	.fields = weighted_clusters_fields,
	.check = check_weighted_clusters,
};

static const struct schema_choice not_found_choices[] = {
	{ .name = "SERVICE_UNAVAILABLE", .value = CONF_NOT_FOUND_503 },
	{ .name = "NOT_FOUND", .value = CONF_NOT_FOUND_404 },
	{ .name = "INTERNAL_SERVER_ERROR", .value = CONF_NOT_FOUND_500 },
	{ .name = NULL },
};

static const struct schema_choice priority_choices[] = {
	{ .name = "DEFAULT", .value = 0 },
	{ .name = "HIGH", .value = 1 },
	{ .name = NULL },
};

static const struct schema_field route_action_fields[] = {
	{ FIELD(SCHEMA_STR, conf_route_action, cluster), .min_items = 1,
	    .oneof = "cluster_specifier", .text = "Cluster to forward to." },
	{ FIELD(SCHEMA_STR, conf_route_action, cluster_header), .min_items = 1,
	    .oneof = "cluster_specifier",
	    .text = "Request header that names the cluster." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_action, weighted_clusters),
	    .message = &weighted_clusters_message, .oneof = "cluster_specifier",
	    .text = "Clusters, one of which is chosen at random." },
	REFUSED("cluster_specifier_plugin", UNBUILT),
	REFUSED("inline_cluster_specifier_plugin", UNBUILT),
	{ FIELD(
	      SCHEMA_ENUM, conf_route_action, cluster_not_found_response_code),
	    .choices = not_found_choices,
	    .text = "Status when the cluster does not exist." },
	REFUSED("metadata_match", "there are no subsets of hosts"),
	{ FIELD(SCHEMA_STR, conf_route_action, prefix_rewrite),
	    .text = "Takes the place of the matched part of the path." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_action, regex_rewrite),
	    .message = &conf_regex_rewrite_message,
	    .text = "Rewrites the path." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_action, path_rewrite_policy),
	    .message = &conf_typed_extension_message,
	    .text = "Rewrites the path by a URI template." },
	{ FIELD(SCHEMA_STR, conf_route_action, path_rewrite),
	    .text = "The new path, with operators such as %REQ(X-A)%." },
	{ FIELD(SCHEMA_STR, conf_route_action, host_rewrite_literal),
	    .oneof = "host_rewrite_specifier",
	    .text = "Host that the backend sees." },
	{ FIELD(SCHEMA_BOOL, conf_route_action, auto_host_rewrite),
	    .oneof = "host_rewrite_specifier",
	    .text = "The backend sees its own host name." },
	{ FIELD(SCHEMA_STR, conf_route_action, host_rewrite_header),
	    .oneof = "host_rewrite_specifier",
	    .text = "Request header with the host that the backend sees." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_action, host_rewrite_path_regex),
	    .message = &conf_regex_rewrite_message,
	    .oneof = "host_rewrite_specifier",
	    .text = "Makes the host that the backend sees out of the path." },
	{ FIELD(SCHEMA_STR, conf_route_action, host_rewrite),
	    .oneof = "host_rewrite_specifier",
	    .text = "Host that the backend sees, with operators." },
	{ FIELD(SCHEMA_BOOL, conf_route_action, append_x_forwarded_host),
	    .text = "Append the old host to x-forwarded-host." },
	{ FIELD(SCHEMA_DURATION, conf_route_action, timeout), .fallback = "15s",
	    .text = "From the request's end to the response's; 0: none." },
	{ FIELD_HAS(SCHEMA_DURATION, conf_route_action, idle_timeout),
	    .text = "Longest time without a byte either way; 0: none." },
	DELEGATED(
	    "flush_timeout", "the web server owns the connections to clients"),
	DELEGATED("early_data_policy", "the web server owns TLS"),
	{ FIELD(SCHEMA_MESSAGE, conf_route_action, retry_policy),
	    .message = &conf_retry_policy_message,
	    .text = "What is tried again, instead of the virtual host's." },
	REFUSED("retry_policy_typed_config", "write it in retry_policy"),
	{ FIELD(SCHEMA_MESSAGE, conf_route_action, request_mirror_policies),
	    .label = SCHEMA_LIST, .message = &conf_mirror_policy_message,
	    .text = "Clusters that get copies of requests." },
	{ FIELD(SCHEMA_ENUM, conf_route_action, priority),
	    .choices = priority_choices,
	    .text = "Which thresholds of the cluster hold." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_action, rate_limits),
	    .label = SCHEMA_LIST, .message = &conf_rate_limit_message,
	    .text = "What rate limit filters count." },
	{ FIELD(SCHEMA_BOOL, conf_route_action, include_vh_rate_limits),
	    .text = "The virtual host's rate_limits apply beside the "
		    "route's." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_action, hash_policy),
	    .label = SCHEMA_LIST, .message = &conf_hash_policy_message,
	    .text = "What is hashed for RING_HASH and MAGLEV." },
	{ FIELD(SCHEMA_NODE, conf_route_action, cors),
	    .text = "Deprecated: typed_per_filter_config of the cors "
		    "filter, which goes before it." },
	{ FIELD_HAS(SCHEMA_DURATION, conf_route_action, max_grpc_timeout),
	    .text = "Deprecated: max_stream_duration." },
	{ FIELD(SCHEMA_DURATION, conf_route_action, grpc_timeout_offset),
	    .text = "Deprecated: max_stream_duration." },
	REFUSED("upgrade_configs", "upgrades do not come through FastCGI"),
	REFUSED("internal_redirect_policy", "redirects go to the client"),
	REFUSED("internal_redirect_action", "redirects go to the client"),
	REFUSED("max_internal_redirects", "redirects go to the client"),
	REFUSED("hedge_policy", ONE_AT_A_TIME),
	{ FIELD(SCHEMA_MESSAGE, conf_route_action, max_stream_duration),
	    .message = &conf_max_stream_duration_message,
	    .text = "Longest time of a request and its answer." },
	{ .name = NULL },
};

static void
check_route_action(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_route_action *action = decoded;

	int rewrites = (action->prefix_rewrite.len > 0) +
		       (action->regex_rewrite != NULL) +
		       (action->path_rewrite.len > 0) +
		       (action->path_rewrite_policy != NULL);

	if (rewrites > 1)
		diag_error(diag, action->node->place, path,
		    "Specify only one of prefix_rewrite, regex_rewrite or "
		    "path_rewrite_policy");
}

static const struct schema_message route_action_message = {
	.name = "envoy.config.route.v3.RouteAction",
	.size = sizeof(struct conf_route_action),
	.fields = route_action_fields,
	.required_oneof = "cluster_specifier",
	.check = check_route_action,
};

static const struct schema_choice redirect_choices[] = {
	{ .name = "MOVED_PERMANENTLY", .value = CONF_301 },
	{ .name = "FOUND", .value = CONF_302 },
	{ .name = "SEE_OTHER", .value = CONF_303 },
	{ .name = "TEMPORARY_REDIRECT", .value = CONF_307 },
	{ .name = "PERMANENT_REDIRECT", .value = CONF_308 },
	{ .name = NULL },
};

static const struct schema_field redirect_fields[] = {
	{ FIELD(SCHEMA_BOOL, conf_redirect, https_redirect),
	    .oneof = "scheme_rewrite_specifier", .text = "To https." },
	{ FIELD(SCHEMA_STR, conf_redirect, scheme_redirect),
	    .oneof = "scheme_rewrite_specifier", .text = "To this scheme." },
	{ FIELD(SCHEMA_STR, conf_redirect, host_redirect),
	    .text = "To this host." },
	{ FIELD(SCHEMA_U32, conf_redirect, port_redirect), .max = 65535,
	    .text = "To this port." },
	{ FIELD(SCHEMA_STR, conf_redirect, path_redirect),
	    .oneof = "path_rewrite_specifier",
	    .text = "To this path; with a query it replaces the query." },
	{ FIELD(SCHEMA_STR, conf_redirect, prefix_rewrite),
	    .oneof = "path_rewrite_specifier",
	    .text = "Takes the place of the matched part of the path." },
	{ FIELD(SCHEMA_MESSAGE, conf_redirect, regex_rewrite),
	    .message = &conf_regex_rewrite_message,
	    .oneof = "path_rewrite_specifier", .text = "Rewrites the path." },
	REFUSED_SCALAR("path_rewrite", "use path_redirect or prefix_rewrite"),
	{ FIELD(SCHEMA_ENUM, conf_redirect, response_code),
	    .choices = redirect_choices, .text = "Status; 301." },
	{ FIELD(SCHEMA_BOOL, conf_redirect, strip_query),
	    .text = "Drop the query." },
	{ .name = NULL },
};

static const struct schema_message redirect_message = {
	.name = "envoy.config.route.v3.RedirectAction",
	.size = sizeof(struct conf_redirect),
	.fields = redirect_fields,
};

static const struct schema_field direct_response_fields[] = {
	{ FIELD(SCHEMA_U32, conf_direct_response, status), .min = 200,
	    .max = 599, .required = true, .text = "Status." },
	{ FIELD(SCHEMA_MESSAGE, conf_direct_response, body),
	    .message = &conf_data_source_message, .text = "Body." },
	{ FIELD(SCHEMA_MESSAGE, conf_direct_response, body_format),
	    .message = &conf_format_message,
	    .text = "Body with operators; %LOCAL_REPLY_BODY% is `body`." },
	{ .name = NULL },
};

static const struct schema_message direct_response_message = {
	.name = "envoy.config.route.v3.DirectResponseAction",
	.size = sizeof(struct conf_direct_response),
	.fields = direct_response_fields,
};

static const struct schema_field route_fields[] = {
	{ FIELD(SCHEMA_STR, conf_route, name), .text = "For the log." },
	{ FIELD(SCHEMA_MESSAGE, conf_route, match),
	    .message = &conf_route_match_message, .required = true,
	    .text = "Requests that take this route." },
	{ FIELD(SCHEMA_MESSAGE, conf_route, route),
	    .message = &route_action_message, .oneof = "action",
	    .text = "Forward." },
	{ FIELD(SCHEMA_MESSAGE, conf_route, redirect),
	    .message = &redirect_message, .oneof = "action",
	    .text = "Redirect." },
	{ FIELD(SCHEMA_MESSAGE, conf_route, direct_response),
	    .message = &direct_response_message, .oneof = "action",
	    .text = "Reply." },
	REFUSED("filter_action", UNBUILT),
	REFUSED("non_forwarding_action", UNBUILT),
	{ FIELD(SCHEMA_MESSAGE, conf_route, metadata),
	    .message = &conf_metadata_message,
	    .text = "For log formats and filters." },
	DELEGATED("decorator", "there is no tracing"),
	FILTER_CONFIGS(conf_route),
	HEADER_LISTS(conf_route),
	DELEGATED("tracing", "there is no tracing"),
	BUFFER_LIMITS(conf_route),
	{ FIELD(SCHEMA_STR, conf_route, stat_prefix),
	    .text = "Begins the names of the route's statistics." },
	REFUSED("route_specifiers", UNBUILT),
	{ .name = NULL },
};

static void
check_route(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_route *r = decoded;

	check_added(diag, path, &r->request_headers_to_add);
	check_added(diag, path, &r->response_headers_to_add);
	check_removed(
	    diag, r->node->place, path, &r->request_headers_to_remove);
	check_removed(
	    diag, r->node->place, path, &r->response_headers_to_remove);
}

static const struct schema_message route_message = {
	.name = "envoy.config.route.v3.Route",
	.size = sizeof(struct conf_route),
	.fields = route_fields,
	.required_oneof = "action",
	.check = check_route,
};

static const struct schema_choice require_tls_choices[] = {
	{ .name = "NONE", .value = 0 },
	{ .name = "EXTERNAL_ONLY", .value = 1 },
	{ .name = "ALL", .value = 2 },
	{ .name = NULL },
};

static const struct schema_field virtual_cluster_fields[] = {
	{ FIELD(SCHEMA_STR, conf_virtual_cluster, name), .min_items = 1,
	    .required = true, .text = "For the statistics." },
	{ FIELD(SCHEMA_MESSAGE, conf_virtual_cluster, headers),
	    .label = SCHEMA_LIST, .message = &conf_header_matcher_message,
	    .text = "Headers that must all match; :path and :method too." },
	{ .name = NULL },
};

static void
check_virtual_cluster(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_virtual_cluster *v = decoded;

	if (!v->headers.n)
		diag_error(diag, v->node->place, path,
		    "virtual clusters must define 'headers'");
}

static const struct schema_message virtual_cluster_message = {
	.name = "envoy.config.route.v3.VirtualCluster",
	.size = sizeof(struct conf_virtual_cluster),
	.fields = virtual_cluster_fields,
	.check = check_virtual_cluster,
};

static const struct schema_field virtual_host_fields[] = {
	{ FIELD(SCHEMA_STR, conf_virtual_host, name), .min_items = 1,
	    .required = true, .text = "For the statistics." },
	{ FIELD(SCHEMA_STR, conf_virtual_host, domains), .label = SCHEMA_LIST,
	    .min_items = 1, .required = true,
	    .text = "Hosts: \"a.b\", \"*.b\", \"a.*\" or \"*\"." },
	{ FIELD(SCHEMA_MESSAGE, conf_virtual_host, routes),
	    .label = SCHEMA_LIST, .message = &route_message,
	    .text = "Routes; the first that matches is taken." },
	REFUSED("matcher", "use routes"),
	{ FIELD(SCHEMA_ENUM, conf_virtual_host, require_tls),
	    .choices = require_tls_choices,
	    .text = "Whether plain HTTP is redirected to https." },
	{ FIELD(SCHEMA_MESSAGE, conf_virtual_host, virtual_clusters),
	    .label = SCHEMA_LIST, .message = &virtual_cluster_message,
	    .text = "Requests with statistics of their own." },
	{ FIELD(SCHEMA_MESSAGE, conf_virtual_host, rate_limits),
	    .label = SCHEMA_LIST, .message = &conf_rate_limit_message,
	    .text = "What rate limit filters count." },
	HEADER_LISTS(conf_virtual_host),
	{ FIELD(SCHEMA_NODE, conf_virtual_host, cors),
	    .text = "Deprecated: typed_per_filter_config of the cors "
		    "filter, which goes before it." },
	FILTER_CONFIGS(conf_virtual_host),
	{ FIELD(SCHEMA_BOOL, conf_virtual_host, include_request_attempt_count),
	    .text = "Tell the backend which try it is." },
	{ FIELD(SCHEMA_BOOL, conf_virtual_host,
	      include_attempt_count_in_response),
	    .text = "Tell the client how many tries it took." },
	{ FIELD(SCHEMA_MESSAGE, conf_virtual_host, retry_policy),
	    .message = &conf_retry_policy_message,
	    .text = "What is tried again on routes that do not say." },
	REFUSED("retry_policy_typed_config", "write it in retry_policy"),
	REFUSED("hedge_policy", ONE_AT_A_TIME),
	{ FIELD(
	      SCHEMA_BOOL, conf_virtual_host, include_is_timeout_retry_header),
	    .text = "Tell the backend whether a try follows a timeout." },
	BUFFER_LIMITS(conf_virtual_host),
	{ FIELD(SCHEMA_MESSAGE, conf_virtual_host, request_mirror_policies),
	    .label = SCHEMA_LIST, .message = &conf_mirror_policy_message,
	    .text = "Clusters that get copies, where routes do not say." },
	{ FIELD(SCHEMA_MESSAGE, conf_virtual_host, metadata),
	    .message = &conf_metadata_message,
	    .text = "For log formats and filters." },
	REFUSED("route_specifiers", UNBUILT),
	{ .name = NULL },
};

static void
check_virtual_host(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_virtual_host *v = decoded;

	check_added(diag, path, &v->request_headers_to_add);
	check_added(diag, path, &v->response_headers_to_add);
	check_removed(
	    diag, v->node->place, path, &v->request_headers_to_remove);
	check_removed(
	    diag, v->node->place, path, &v->response_headers_to_remove);
}

static const struct schema_message virtual_host_message = {
	.name = "envoy.config.route.v3.VirtualHost",
	.size = sizeof(struct conf_virtual_host),
	.fields = virtual_host_fields,
	.check = check_virtual_host,
};

static const struct schema_field route_config_fields[] = {
	{ FIELD(SCHEMA_STR, conf_route_config, name), .text = "Free text." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_config, virtual_hosts),
	    .label = SCHEMA_LIST, .message = &virtual_host_message,
	    .text = "Virtual hosts, chosen by the request's host." },
	REFUSED("vhds", "virtual hosts stand in virtual_hosts"),
	{ FIELD(SCHEMA_STR, conf_route_config, internal_only_headers),
	    .label = SCHEMA_LIST,
	    .text = "Headers that only internal clients may send." },
	HEADER_LISTS(conf_route_config),
	{ FIELD(SCHEMA_BOOL, conf_route_config,
	      most_specific_header_mutations_wins),
	    .text = "Routes change headers last, not first." },
	{ FIELD(SCHEMA_BOOL, conf_route_config, validate_clusters),
	    .fallback = "true", .text = "Clusters of routes must exist." },
	{ FIELD(SCHEMA_U32, conf_route_config,
	      max_direct_response_body_size_bytes),
	    .fallback = "4096",
	    .text = "Bytes that the body of a direct response may have." },
	REFUSED("cluster_specifier_plugins", UNBUILT),
	{ FIELD(SCHEMA_MESSAGE, conf_route_config, request_mirror_policies),
	    .label = SCHEMA_LIST, .message = &conf_mirror_policy_message,
	    .text = "Clusters that get copies, where nobody else says." },
	{ FIELD(SCHEMA_BOOL, conf_route_config, ignore_port_in_host_matching),
	    .text = "Choose virtual hosts without the port." },
	{ FIELD(SCHEMA_STR, conf_route_config, vhost_header),
	    .text = "Header by which virtual hosts are chosen, not the host." },
	{ FIELD(SCHEMA_BOOL, conf_route_config,
	      ignore_path_parameters_in_path_matching),
	    .text = "Match paths up to their first \";\"." },
	FILTER_CONFIGS(conf_route_config),
	DELEGATED("metadata", UNREAD),
	REFUSED("route_specifiers", UNBUILT),
	{ .name = NULL },
};

static void
check_route_config(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_route_config *c = decoded;

	check_added(diag, path, &c->request_headers_to_add);
	check_added(diag, path, &c->response_headers_to_add);
	check_removed(
	    diag, c->node->place, path, &c->request_headers_to_remove);
	check_removed(
	    diag, c->node->place, path, &c->response_headers_to_remove);
}

const struct schema_message conf_route_config_message = {
	.name = "envoy.config.route.v3.RouteConfiguration",
	.size = sizeof(struct conf_route_config),
	.fields = route_config_fields,
	.check = check_route_config,
};
