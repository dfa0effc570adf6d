#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/bootstrap.h"
#include "config/messages.h"
#include "config/schema.h"
#include "tests/unit/config/told.h"

#define N(list) (sizeof(list) / sizeof(*(list)))
#define HCM                                                                    \
	"type.googleapis.com/envoy.extensions.filters.network."                \
	"http_connection_manager.v3.HttpConnectionManager"
#define ROUTER                                                                 \
	"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
#define CORS "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"
#define TLS  "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."

/* A whole bootstrap in which each line can be replaced. */
static const char *const lines[] = {
	"admin: {address: {socket_address: {address: '::1', port_value: 1}}}\n",
	"node: {id: me, cluster: c}\n",
	"static_resources:\n",
	"  listeners:\n",
	"  - name: l\n",
	"    address: {socket_address: {address: 127.0.0.1, port_value: 9}}\n",
	"    filter_chains:\n",
	"    - filters:\n",
	"      - name: h\n",
	"        typed_config:\n",
	"          \"@type\": " HCM "\n",
	"          stat_prefix: s\n",
	"          access_log: []\n",
	"          http_filters:\n",
	"          - {name: cors, typed_config: {\"@type\": " CORS "}}\n",
	"          - {name: router, typed_config: {\"@type\": " ROUTER "}}\n",
	"          route_config:\n",
	"            name: rc\n",
	"            virtual_hosts:\n",
	"            - name: v\n",
	"              domains: [a.b, \"*\"]\n",
	"              routes:\n",
	"              - match: {prefix: /}\n",
	"                route: {cluster: one}\n",
	"  clusters:\n",
	"  - name: one\n",
	"    type: STATIC\n",
	"    load_assignment:\n",
	"      cluster_name: one\n",
	"      endpoints:\n",
	"      - lb_endpoints:\n",
	"        - endpoint: {address: {socket_address: {address: 127.0.0.1, "
	"port_value: 80}}}\n",
	"  - {name: two, load_assignment: {cluster_name: two, endpoints: "
	"[{lb_endpoints: [{endpoint: {address: {pipe: {path: /s}}}}]}]}}\n",
};

/* The text with line number line (from 1) replaced; 0: as it is. */
static struct told
bootstrap_with(size_t line, const char *text, struct conf_bootstrap **out)
{
	char all[8192] = "";
	struct told t;

	for (size_t i = 0; i < N(lines); i++)
		strncat(all, i + 1 == line ? text : lines[i],
		    sizeof(all) - strlen(all) - 1);
	t = told_new(all);
	ck_assert_msg(t.top, "%s", told_text(&t));
	*out = bootstrap_decode(t.arena, t.top, t.diag);
	return t;
}

START_TEST(a_whole_bootstrap_is_decoded_down_to_hcm_and_clusters)
{
	struct conf_bootstrap *b;
	struct told t = bootstrap_with(0, NULL, &b);
	struct conf_listener *l = b->static_resources->listeners.items;
	struct conf_hcm *hcm = l->filter_chains.items->filters.items->hcm;
	struct conf_cluster *clusters = b->static_resources->clusters.items;
	struct conf_route *route;

	ck_assert_str_eq(told_text(&t), "");
	ck_assert_str_eq(b->node_id->cluster.ptr, "c");
	ck_assert_str_eq(b->admin->address->socket_address->address.ptr, "::1");
	ck_assert_uint_eq(l->address->socket_address->port_value, 9);
	ck_assert_str_eq(hcm->stat_prefix.ptr, "s");
	ck_assert_str_eq(hcm->server_name.ptr, "envoy");
	ck_assert(hcm->generate_request_id);
	ck_assert_uint_eq(hcm->max_request_headers_kb, 60);
	ck_assert_int_eq(hcm->stream_idle_timeout, 300000000000);
	ck_assert_uint_eq(hcm->http_filters.n, 2);
	ck_assert_str_eq(hcm->http_filters.items[0].name.ptr, "cors");
	ck_assert(hcm->route_config->validate_clusters);
	route = hcm->route_config->virtual_hosts.items->routes.items;
	ck_assert(route->match->case_sensitive);
	ck_assert_int_eq(route->route->timeout, 15000000000);
	ck_assert(!route->route->has_idle_timeout);
	ck_assert_uint_eq(b->static_resources->clusters.n, 2);
	ck_assert_int_eq(clusters[0].connect_timeout, 5000000000);
	ck_assert_uint_eq(clusters[0]
			      .load_assignment->endpoints.items->lb_endpoints
			      .items->load_balancing_weight,
	    1);
	told_free(&t);
}
END_TEST

static const struct {
	size_t line;
	const char *text, *told;
} wrong[] = {
	{ 1, "dynamic_resources: {}\n",
	    "t:1:1: error: `dynamic_resources` is "
	    "not supported: configuration" },
	{ 1, "layered_runtime: {layers: [{name: a, rtds_layer: {}}]}\n",
	    "`rtds_layer` is not supported" },
	{ 1, "tracng: {}\n", "no such field: 'tracng'" },
	{ 4, "  listeners: []\n  x:\n", "no such field: 'x'" },
	{ 4, "  listeners: []\n  secrets:\n",
	    "error: static_resources: value "
	    "is required: one listener" },
	{ 5,
	    "  - {name: k, address: {pipe: {path: /p}}, filter_chains: []}\n"
	    "  - name: l\n",
	    "t:6:5: error: static_resources: a second listener: there is one" },
	{ 5, "  - name: l\n    use_original_dst: true\n",
	    "`use_original_dst`" },
	{ 6, "    address: {socket_address: {address: a, port_value: 70000}}\n",
	    "t:6:56: error: static_resources.listeners[0].address."
	    "socket_address.port_value: Proto constraint validation failed ("
	    "SocketAddressValidationError.PortValue: value must be less than "
	    "or equal to 65535)" },
	{ 6, "    address: {}\n", "(field: \"address\", reason: is required)" },
	{ 6, "    adress: {}\n", "hint: did you mean `address`?" },
	{ 8, "    - filters: []\n    - filters:\n", "a second filter chain" },
	{ 8, "    - filter_chain_match: {source_ports: [1]}\n      filters:\n",
	    "`source_ports` is not supported" },
	{ 9,
	    "      - {name: x, typed_config: {\"@type\": a/b.C}}\n"
	    "      - name: h\n",
	    "a second network filter" },
	{ 9,
	    "      - {name: x, typed_config: {\"@type\": a/envoy.extensions."
	    "filters.network.echo.v3.Echo}}\n"
	    "      - name: h\n",
	    "network filter 'x' of type envoy.extensions.filters.network.echo."
	    "v3.Echo is not supported" },
	{ 9,
	    "      - {name: x, typed_config: {\"@type\": a/b.C}}\n"
	    "      - name: h\n",
	    "t:9:43: error: static_resources.listeners[0].filter_chains[0]."
	    "filters[0].typed_config: Unable to parse JSON as proto ("
	    "INVALID_ARGUMENT: could not find @type 'a/b.C')" },
	{ 9, "      - name: h\n        config_discovery: {}\n",
	    "`config_discovery` is not supported" },
	{ 12, "          stat_prefix: \"\"\n",
	    "value length must be at least" },
	{ 12, "          codec_type: AUTO\n",
	    "(HttpConnectionManagerValidationError.StatPrefix: value length must "
	    "be at least 1 characters)" },
	{ 12, "          stat_prefix: s\n          rds: {}\n",
	    "`rds` is not supported: routes stand in route_config" },
	{ 12,
	    "          stat_prefix: s\n          upgrade_configs: "
	    "[{upgrade_type: websocket}]\n",
	    "upgrades do not come through FastCGI" },
	{ 12,
	    "          stat_prefix: s\n          strip_any_host_port: true\n"
	    "          strip_matching_host_port: true\n",
	    "Error: Only one of `strip_matching_host_port` or "
	    "`strip_any_host_port` can be set." },
	{ 12, "          stat_prefix: s\n          max_request_headers_kb: 0\n",
	    "value must be inside range (0, 8192])" },
	{ 13,
	    "          access_log: [{typed_config: {\"@type\": a/b}, filter: "
	    "{}}]\n",
	    "access_log[0].filter: Proto constraint validation failed (field: "
	    "\"filter_specifier\", reason: is required)" },
	{ 13,
	    "          access_log: [{typed_config: {\"@type\": a/b}, filter: "
	    "{response_flag_filter: {flags: [UH, XX]}}}]\n",
	    "ResponseFlagFilterValidationError.Flags[1]: value must be in list "
	    "[LH UH" },
	{ 13,
	    "          access_log: [{typed_config: {\"@type\": a/b}, filter: "
	    "{or_filter: {filters: [{not_health_check_filter: {}}]}}}]\n",
	    "OrFilterValidationError.Filters: value must contain at least 2 "
	    "item(s)" },
	{ 14, "          http_filters: []\n          xttp_filters:\n",
	    "`http_filters`: value is required: the router filter" },
	{ 15, "          - {name: cors}\n",
	    "Didn't find a registered implementation for 'cors' with type "
	    "URL: ''" },
	{ 15, "          - {name: r1, typed_config: {\"@type\": " ROUTER "}}\n",
	    "Error: terminal filter named r1 of type "
	    "envoy.filters.http.router must be the last filter in a http "
	    "filter chain." },
	{ 16, "          - {name: c2, typed_config: {\"@type\": " CORS "}}\n",
	    "Error: non-terminal filter named c2 of type "
	    "envoy.filters.http.cors is the last filter in a http filter "
	    "chain." },
	{ 21, "              domains: []\n",
	    "value must contain at least 1 item" },
	{ 21, "              domains: [\"*\", a.b, \"*\"]\n",
	    "Only a single wildcard domain is permitted in route rc" },
	{ 21, "              domains: [a.b, A.b]\n",
	    "t:21:30: error: static_resources.listeners[0].filter_chains[0]."
	    "filters[0].typed_config.route_config.virtual_hosts[0]: Only "
	    "unique values for domains are permitted. Duplicate entry of "
	    "domain A.b in route rc" },
	{ 23, "              - match: {prefix: /, path: /}\n",
	    "`prefix` and `path` exclude each other" },
	{ 23, "              - match: {}\n",
	    "(field: \"path_specifier\", reason: is required)" },
	{ 23, "              - match: {}\n",
	    "hint: one of `prefix`, `path`, " },
	{ 23, "              - match: {path_separated_prefix: /a/}\n",
	    "RouteMatchValidationError.PathSeparatedPrefix: value does not match "
	    "regex pattern \"^[^?#]+[^?#/]$\")" },
	{ 23, "              - match: {prefix: /, filter_state: [{}]}\n",
	    "`filter_state` is not supported" },
	{ 23,
	    "              - match: {prefix: /, headers: [{name: x, "
	    "exact_match: a, string_match: {exact: b}}]}\n",
	    "exclude each other" },
	{ 24,
	    "                redirect: {path_redirect: /a, prefix_rewrite: "
	    "/b}\n",
	    "`path_redirect` and `prefix_rewrite` exclude each other" },
	{ 24, "                direct_response: {status: 99}\n",
	    "value must be inside range [200, 600))" },
	{ 24, "                name: x\n",
	    "(field: \"action\", reason: is required)" },
	{ 24, "                route: {cluster: onee}\n",
	    "t:24:34: error: static_resources.listeners[0].filter_chains[0]."
	    "filters[0].typed_config.route_config.virtual_hosts[0].routes[0]: "
	    "route: unknown cluster 'onee'" },
	{ 24, "                route: {cluster: onee}\n",
	    "hint: did you mean `one`?" },
	{ 24,
	    "                route: {weighted_clusters: {clusters: [{name: "
	    "xx, weight: 1}]}}\n",
	    "route: unknown weighted cluster 'xx'" },
	{ 24,
	    "                route: {weighted_clusters: {clusters: [{name: "
	    "one}]}}\n",
	    "Sum of weights in the weighted_cluster must be greater than 0." },
	{ 24,
	    "                route: {cluster: one, prefix_rewrite: /, "
	    "regex_rewrite: {pattern: {regex: a}, substitution: b}}\n",
	    "Specify only one of prefix_rewrite, regex_rewrite or "
	    "path_rewrite_policy" },
	{ 24, "                route: {cluster: one, timeout: 5}\n",
	    "expected a duration such as 30s" },
	{ 24,
	    "                route: {cluster: one}\n                "
	    "request_headers_to_add: [{header: {key: \":path\", value: x}}]\n",
	    ":-prefixed or host headers may not be modified" },
	{ 24,
	    "                route: {cluster: one}\n                "
	    "response_headers_to_remove: [Host]\n",
	    ":-prefixed or host headers may not be removed" },
	{ 24,
	    "                route: {cluster: one}\n                "
	    "request_headers_to_add: [{header: {key: x, value: \"a\\nb\"}}]\n",
	    "HeaderValueValidationError.Value: value does not match regex pattern "
	    "\"^[^\\x00\\n\\r]*$\")" },
	{ 24,
	    "                route: {cluster: one}\n                "
	    "request_headers_to_add: [{header: {key: x}, append: true, "
	    "append_action: ADD_IF_ABSENT}]\n",
	    "Both append and append_action are set and it's not allowed" },
	{ 25, "  secrets: [{name: a}]\n  clusters:\n",
	    "secrets[0]: Secret type not implemented" },
	{ 25,
	    "  secrets: [{name: a, generic_secret: {}}, {name: a, "
	    "generic_secret: {}}]\n  clusters:\n",
	    "Duplicate static GenericSecret secret name a" },
	{ 27,
	    "    transport_socket: {name: t, typed_config: {\"@type\": " TLS
	    "UpstreamTlsContext, common_tls_context: "
	    "{validation_context_sds_secret_config: {name: zz}}}}\n",
	    "common_tls_context: Unknown static certificate validation "
	    "context: zz" },
	{ 27,
	    "    transport_socket: {name: t, typed_config: {\"@type\": " TLS
	    "UpstreamTlsContext, common_tls_context: "
	    "{validation_context_sds_secret_config: {name: zz, sds_config: "
	    "{ads: {}}}}}}\n",
	    "`sds_config` is not supported" },
	{ 8,
	    "    - transport_socket: {name: t, typed_config: {\"@type\": " TLS
	    "DownstreamTlsContext}}\n      filters:\n",
	    "No TLS certificates found for server context" },
	{ 8,
	    "    - transport_socket: {name: t, typed_config: {\"@type\": " TLS
	    "DownstreamTlsContext, common_tls_context: {tls_certificates: "
	    "[{certificate_chain: {inline_string: a}}]}}}\n      filters:\n",
	    "Failed to load incomplete private key from path: " },
	{ 8,
	    "    - transport_socket: {name: t, typed_config: {\"@type\": " TLS
	    "DownstreamTlsContext, require_client_certificate: true}}\n"
	    "      filters:\n",
	    "`require_client_certificate` is not supported" },
	{ 12,
	    "          stat_prefix: s\n          http_protocol_options: "
	    "{acept_http_10: true}\n",
	    "hint: did you mean `accept_http_10`?" },
	{ 12,
	    "          stat_prefix: s\n          http2_protocol_options: "
	    "{max_concurrent_streams: 0}\n",
	    "Http2ProtocolOptionsValidationError.MaxConcurrentStreams: value "
	    "must be inside range [1, 2147483647]" },
	{ 5,
	    "  - name: l\n    listener_filters: [{name: t, typed_config: "
	    "{\"@type\": a/envoy.extensions.filters.listener.tls_inspector."
	    "v3.TlsInspector, x: 1}}]\n",
	    "listener_filters[0].typed_config: Protobuf message (type envoy."
	    "extensions.filters.listener.tls_inspector.v3.TlsInspector reason "
	    "INVALID_ARGUMENT: no such field: 'x') has unknown fields" },
	{ 15,
	    "          - {name: o, is_optional: true, typed_config: {\"@type\": "
	    "a/b.C}}\n",
	    "could not find @type 'a/b.C'" },
	{ 16,
	    "          - {name: r, disabled: true, typed_config: {\"@type\": " ROUTER
	    "}}\n",
	    "Error: the last (terminal) filter (r) in the chain cannot be "
	    "disabled by default." },
	{ 24,
	    "                route: {cluster: one, request_mirror_policies: "
	    "[{cluster: xx}]}\n",
	    "route: unknown shadow cluster 'xx'" },
	{ 25, "  clusters:\n  - {name: one}\n",
	    "cluster manager: duplicate cluster 'one'" },
	{ 27, "    type: EDS\n", "type: EDS is not supported: configuration" },
	{ 27, "    type: STATIK\n", "hint: did you mean `STATIC`?" },
	{ 27, "    connect_timeout: 0s\n", "value must be greater than 0" },
	{ 27, "    health_checks: [{}]\n", "`health_checks` is not supported" },
	{ 32,
	    "        - endpoint: {address: {socket_address: {address: "
	    "some.host, port_value: 80}}}\n",
	    "malformed IP address: some.host" },
	{ 32,
	    "        - endpoint: {address: {socket_address: {address: "
	    "127.0.0.1, port_value: 0}}}\n",
	    "port 0 is no port of a backend" },
	{ 33,
	    "  - {name: two, type: STRICT_DNS, load_assignment: "
	    "{cluster_name: two, endpoints: [{lb_endpoints: [{endpoint: "
	    "{address: {pipe: {path: /s}}}}]}]}}\n",
	    "a unix socket needs a cluster of type STATIC" },
	{ 33, "  - {name: two, type: LOGICAL_DNS}\n",
	    "LOGICAL_DNS clusters must have a single" },
	{ 33,
	    "  - {name: two, transport_socket: {name: t, typed_config: "
	    "{\"@type\": " TLS "DownstreamTlsContext}}}\n",
	    "DownstreamTlsContext is not supported" },
	{ 33,
	    "  - {name: two, transport_socket: {name: t, typed_config: "
	    "{\"@type\": " TLS "UpstreamTlsContext, snii: x}}}\n",
	    "no such field: 'snii'" },
};

START_TEST(what_is_wrong_is_told_in_envoys_words)
{
	struct conf_bootstrap *b;
	struct told t = bootstrap_with(wrong[_i].line, wrong[_i].text, &b);

	ck_assert_uint_gt(diag_errors(t.diag), 0);
	told_must_say(&t, wrong[_i].told);
	told_free(&t);
}
END_TEST

static const struct {
	size_t line;
	const char *text, *told; /* NULL: not a word */
} accepted[] = {
	{ 3, "staticResources:\n", NULL },
	{ 12,
	    "          statPrefix: s\n          forward_client_cert_details: "
	    "SANITIZE\n          add_user_agent: false\n",
	    NULL },
	{ 12, "          stat_prefix: s\n          codec_type: HTTP1\n",
	    "warning: static_resources.listeners[0].filter_chains[0].filters"
	    "[0].typed_config: `codec_type` has no effect here: the web "
	    "server owns the connections to clients" },
	{ 5,
	    "  - name: l\n    listener_filters: [{name: t, typed_config: "
	    "{\"@type\": a/envoy.extensions.filters.listener.tls_inspector."
	    "v3.TlsInspector}}]\n",
	    "warning: static_resources.listeners[0]: listener filter 't' has "
	    "no effect" },
	{ 8,
	    "    - transport_socket: {name: t, typed_config: {\"@type\": " TLS
	    "DownstreamTlsContext, require_client_certificate: false, "
	    "common_tls_context: {tls_certificates: [{certificate_chain: "
	    "{inline_string: a}, private_key: {inline_string: b}}]}}}\n"
	    "      filters:\n",
	    "warning: " },
	{ 24,
	    "                route: {cluster: none}\n"
	    "            validate_clusters: false\n",
	    NULL },
	{ 15,
	    "          - {name: o, is_optional: true, typed_config: {\"@type\": "
	    "a/xds.type.v3.TypedStruct, type_url: a/b.C}}\n",
	    "warning: static_resources.listeners[0].filter_chains[0].filters"
	    "[0].typed_config.http_filters[0]: the filter 'o' is left out" },
	{ 15, "          - {name: o, is_optional: true}\n", "is left out" },
	{ 23,
	    "              - {match: {prefix: /}, route: {cluster: one}}\n"
	    "              - match: {safe_regex: {regex: /.*}}\n",
	    "t:24:17: warning: static_resources.listeners[0].filter_chains[0]."
	    "filters[0].typed_config.route_config.virtual_hosts[0].routes[1]: "
	    "this route is never taken: the one in line 23 takes all its "
	    "requests" },
	{ 23,
	    "              - {match: {prefix: /a}, route: {cluster: one}}\n"
	    "              - match: {path_separated_prefix: /a/b}\n",
	    "this route is never taken: the one in line 23" },
	{ 23,
	    "              - {match: {prefix: /a, headers: [{name: x}]}, route: "
	    "{cluster: one}}\n"
	    "              - {match: {prefix: /ab}, route: {cluster: one}}\n"
	    "              - {match: {prefix: /A, case_sensitive: false}, route: "
	    "{cluster: one}}\n"
	    "              - {match: {safe_regex: {regex: /ab.*}}, route: "
	    "{cluster: one}}\n"
	    "              - match: {path: /a}\n",
	    NULL },
	{ 23,
	    "              - {match: {prefix: /api}, route: {cluster: one, "
	    "prefix_rewrite: /}}\n"
	    "              - match: {prefix: /}\n",
	    "`prefix_rewrite` makes \"//x\" of \"/api/x\"" },
	{ 23,
	    "              - {match: {prefix: /api/}, redirect: "
	    "{prefix_rewrite: /v1}}\n"
	    "              - match: {prefix: /}\n",
	    "`prefix_rewrite` makes \"/v1x\" of \"/api/x\"" },
	{ 23,
	    "              - {match: {prefix: /api/}, route: {cluster: one, "
	    "prefix_rewrite: /}}\n"
	    "              - match: {prefix: /}\n",
	    NULL },
	{ 24,
	    "                route: {cluster: one, retry_policy: {retry_on: "
	    "\"5xx, conect-failure\"}}\n",
	    "hint: did you mean `connect-failure`?" },
	{ 8,
	    "    - transport_socket: {name: t, typed_config: {\"@type\": " TLS
	    "DownstreamTlsContext, common_tls_context: {tls_certificates: "
	    "[{certificate_chain: {filename: /none}, private_key: {filename: "
	    "/none}}]}}}\n      filters:\n",
	    "warning: static_resources.listeners[0].filter_chains[0]."
	    "transport_socket.typed_config: there is no file /none: Envoy "
	    "would not start" },
	{ 25,
	    "  secrets: [{name: a, session_ticket_keys: {keys: "
	    "[{inline_string: x}]}}, {name: a, generic_secret: {secret: "
	    "{inline_string: x}}}]\n  clusters:\n",
	    NULL },
	{ 24,
	    "                route: {cluster: one}\n                "
	    "typed_per_filter_config: {corss: {\"@type\": " CORS "}}\n",
	    "hint: did you mean `cors`?" },
	{ 24,
	    "                route: {cluster: one}\n                "
	    "request_headers_to_add: [{header: {key: x, value: z}, append: "
	    "false}]\n",
	    "warning: " },
	{ 27,
	    "    type: 1\n    lb_policy: random\n    connect_timeout: "
	    "{seconds: 2}\n",
	    NULL },
	{ 33, "  - {name: two}\n",
	    "warning: static_resources.clusters[1]: the cluster has no hosts" },
	{ 33,
	    "  - {name: two, transport_socket: {name: t, typed_config: "
	    "{\"@type\": " TLS "UpstreamTlsContext, sni: x}}}\n",
	    "without trusted_ca the backend's certificate is not verified" },
};

START_TEST(what_is_accepted_gets_at_most_a_notice)
{
	struct conf_bootstrap *b;
	struct told t =
	    bootstrap_with(accepted[_i].line, accepted[_i].text, &b);

	ck_assert_msg(!diag_errors(t.diag), "%s", told_text(&t));
	if (accepted[_i].told)
		told_must_say(&t, accepted[_i].told);
	else
		ck_assert_str_eq(told_text(&t), "");
	told_free(&t);
}
END_TEST

#define SECRETS                                                                \
	"  secrets:\n"                                                         \
	"  - {name: ca, validation_context: {trusted_ca: {inline_string: "     \
	"secret}}}\n"                                                          \
	"  - {name: none, validation_context: {}}\n"                           \
	"  - {name: ca, generic_secret: {secret: {inline_string: x}}}\n"
#define TO_BACKEND(context)                                                    \
	"  clusters:\n  - name: zero\n    transport_socket: {name: t, "        \
	"typed_config: {\"@type\": " TLS                                       \
	"UpstreamTlsContext, common_tls_context: {" context "}}}\n"

static const struct {
	const char *text, *ca;
} secrets[] = {
	{ SECRETS TO_BACKEND(
	      "validation_context_sds_secret_config: {name: ca}"),
	    "secret" },
	{ SECRETS TO_BACKEND(
	      "combined_validation_context: {default_validation_context: "
	      "{trusted_ca: {inline_string: own}}, "
	      "validation_context_sds_secret_config: {name: none}}"),
	    "own" },
	{ SECRETS TO_BACKEND(
	      "combined_validation_context: {default_validation_context: "
	      "{trusted_ca: {inline_string: own}}, "
	      "validation_context_sds_secret_config: {name: ca}}"),
	    "secret" },
	{ SECRETS TO_BACKEND(
	      "validation_context: {trusted_ca: {inline_string: own}}"),
	    "own" },
};

START_TEST(secrets_stand_where_they_are_named)
{
	struct conf_bootstrap *b;
	struct told t = bootstrap_with(25, secrets[_i].text, &b);
	struct conf_cluster *c = b->static_resources->clusters.items;

	ck_assert_msg(diag_errors(t.diag) == 0, "%s", told_text(&t));
	ck_assert_str_eq(
	    c->transport_socket->tls->common_tls_context->validation_context
		->trusted_ca->inline_string.ptr,
	    secrets[_i].ca);
	told_free(&t);
}
END_TEST

START_TEST(the_runtime_holds_wherever_it_stands)
{
	struct conf_bootstrap *b;
	struct told t = bootstrap_with(24,
	    "                route:\n"
	    "                  weighted_clusters:\n"
	    "                    runtime_key_prefix: shares\n"
	    "                    clusters: [{name: one, weight: 1}, {name: "
	    "two, weight: 1}]\n"
	    "layered_runtime: {layers: [{name: a, static_layer: {shares: "
	    "{two: 7}}}]}\n"
	    "static_resources_: !ignore\n",
	    &b);
	struct conf_weighted_clusters *w;

	/* Line 25 on is parked under another key. */
	w = b->static_resources->listeners.items->filter_chains.items->filters
		.items->hcm->route_config->virtual_hosts.items->routes.items
		->route->weighted_clusters;
	ck_assert_uint_eq(w->clusters.items[0].weight, 1);
	ck_assert_uint_eq(w->clusters.items[1].weight, 7);
	told_free(&t);
}
END_TEST

START_TEST(deprecated_spellings_mean_what_replaced_them)
{
	struct told t = told_new(
	    "prefix: /\nheaders: [{name: a, prefix_match: x}, {name: b}]\n");
	struct conf_route_match *m = schema_decode(
	    t.arena, t.diag, "", &conf_route_match_message, t.top);

	ck_assert_uint_eq(diag_errors(t.diag), 0);
	told_must_say(
	    &t, "warning: headers[0]: Using deprecated option 'envoy.");
	ck_assert_str_eq(m->headers.items[0].string_match->prefix.ptr, "x");
	ck_assert_ptr_null(m->headers.items[1].string_match);
	told_free(&t);
	t = told_new("{header: {key: a, value: b}, append: false}");
	ck_assert_int_eq(((struct conf_header_option *)schema_decode(t.arena,
			      t.diag, "", &conf_header_option_message, t.top))
			     ->append_action,
	    CONF_OVERWRITE_IF_EXISTS_OR_ADD);
	told_free(&t);
}
END_TEST

START_TEST(a_per_route_module_filter_goes_by_either_name)
{
	static const char *const names[] = { "filter_name",
		"per_route_config_name" };

	for (size_t i = 0; i < N(names); i++) {
		char text[300];
		struct conf_module_filter_per_route *f;
		struct told t;

		(void)snprintf(text, sizeof(text),
		    "{dynamic_module_config: {name: m}, %s: f, filter_config: "
		    "{\"@type\": a/google.protobuf.Struct, value: {x: 1}}}",
		    names[i]);
		t = told_new(text);
		f = schema_decode(t.arena, t.diag, "",
		    &conf_module_filter_per_route_message, t.top);
		ck_assert_uint_eq(diag_errors(t.diag), 0);
		ck_assert_str_eq(f->filter_name.ptr, "f");
		ck_assert_str_eq(
		    told_json(&t, f->filter_config->node), "{\"x\":1}");
		told_free(&t);
	}
}
END_TEST

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static const struct {
	const char *text, *data, *told;
} sources[] = {
	{ "inline_string: abc", "abc", NULL },
	{ "inline_bytes: YWJj", "abc", NULL },
	{ "filename: FILE", "from file\n", NULL },
	{ "environment_variable: SALLYPORT_TEST_DATA", "from env", NULL },
	{ "inline_string: \"\"", NULL, "error: p: it is empty" },
	{ "environment_variable: SALLYPORT_TEST_EMPTY", NULL,
	    "SALLYPORT_TEST_EMPTY is empty" },
	{ "environment_variable: SALLYPORT_TEST_NONE", NULL,
	    "environment variable SALLYPORT_TEST_NONE is not set" },
	{ "filename: /nowhere/x", NULL, "/nowhere/x: No such file" },
	{ "filename: /", NULL, "/: Is a directory" },
	{ "filename: /dev/null", NULL, "/dev/null is empty" },
	{ "inline_string: 0123456789abcdefg", NULL, "larger than 16 bytes" },
	{ "filename: /dev/zero", NULL, "/dev/zero: larger than 16 bytes" },
};

START_TEST(a_data_source_is_read_or_told_why_not)
{
	char path[] = "/tmp/sallyport-data-XXXXXX", text[200];
	int fd = mkstemp(path);
	const char *at = strstr(sources[_i].text, "FILE");
	struct conf_data_source *source;
	struct str data;
	struct told t;

	ck_assert_int_ge(fd, 0);
	close(fd);
	write_file(path, "from file\n");
	ck_assert_int_eq(setenv("SALLYPORT_TEST_DATA", "from env", 1), 0);
	ck_assert_int_eq(setenv("SALLYPORT_TEST_EMPTY", "", 1), 0);
	(void)snprintf(text, sizeof(text), "%.*s%s",
	    (int)(at ? at - sources[_i].text
		     : (ptrdiff_t)strlen(sources[_i].text)),
	    sources[_i].text, at ? path : "");
	t = told_new(text);
	source = schema_decode(
	    t.arena, t.diag, "", &conf_data_source_message, t.top);
	data = bootstrap_data(t.arena, t.diag, "p", source, 16);
	if (sources[_i].told)
		told_must_say(&t, sources[_i].told);
	else
		ck_assert_str_eq(told_text(&t), "");
	ck_assert(str_eq(data, str_of(sources[_i].data)));
	ck_assert(!data.ptr == !sources[_i].data);
	ck_assert_int_eq(unlink(path), 0);
	told_free(&t);
}
END_TEST

/* Messages whose rows have been looked at. */
struct seen {
	const struct schema_message *messages[200];
	size_t n;
};

static void
look_at(struct seen *seen, const struct schema_message *message)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->messages[i] == message)
			return;
	ck_assert_uint_lt(seen->n, N(seen->messages));
	seen->messages[seen->n++] = message;
	for (const struct schema_field *f = message->fields; f->name; f++) {
		const char *where = f->name;

		ck_assert_msg(
		    f->text && *f->text, "%s.%s", message->name, where);
		ck_assert_msg(f->offset < message->size, "%s", where);
		ck_assert_msg(f->has_offset < message->size, "%s", where);
		if (f->stance != SCHEMA_ENFORCED)
			continue;
		ck_assert_msg(f->offset >= sizeof(void *), "%s", where);
		ck_assert_msg(
		    f->type != SCHEMA_ENUM || f->choices, "%s", where);
		ck_assert_msg(
		    f->type != SCHEMA_MESSAGE || f->message, "%s", where);
		for (const struct schema_field *g = f + 1; g->name; g++)
			ck_assert_msg(
			    strcmp(f->name, g->name), "%s twice", where);
		if (f->message)
			look_at(seen, f->message);
	}
}

START_TEST(every_row_of_every_message_is_whole)
{
	struct seen seen = { .n = 0 };

	look_at(&seen, &conf_bootstrap_message);
	look_at(&seen, &conf_hcm_message);
	look_at(&seen, &conf_upstream_tls_message);
	look_at(&seen, &conf_file_access_log_message);
	look_at(&seen, &conf_stream_access_log_message);
	look_at(&seen, &conf_module_filter_message);
	look_at(&seen, &conf_module_filter_per_route_message);
	ck_assert_uint_gt(seen.n, 50);
}
END_TEST

START_TEST(the_decoded_struct_can_be_walked_after_any_error)
{
	static const char *const texts[] = { "[]", "x", "{}",
		"static_resources: []", "static_resources: {listeners: {}}",
		"static_resources: {listeners: [{filter_chains: [{filters: "
		"[{typed_config: {\"@type\": " HCM ", route_config: []}}]}]}]}",
		("static_resources: {clusters: [1, {load_assignment: "
		 "{endpoints: [{lb_endpoints: [{endpoint: 5}]}]}}]}") };

	for (size_t i = 0; i < N(texts); i++) {
		struct told t = told_new(texts[i]);

		ck_assert_ptr_nonnull(bootstrap_decode(t.arena, t.top, t.diag));
		ck_assert_uint_gt(diag_errors(t.diag), 0);
		told_free(&t);
	}
}
END_TEST

Suite *suite_config_bootstrap(void);

Suite *
suite_config_bootstrap(void)
{
	Suite *s = suite_create("config/bootstrap");
	TCase *t = tcase_create("long form");

	tcase_add_test(
	    t, a_whole_bootstrap_is_decoded_down_to_hcm_and_clusters);
	tcase_add_loop_test(
	    t, what_is_wrong_is_told_in_envoys_words, 0, N(wrong));
	tcase_add_loop_test(
	    t, what_is_accepted_gets_at_most_a_notice, 0, N(accepted));
	tcase_add_loop_test(
	    t, secrets_stand_where_they_are_named, 0, N(secrets));
	tcase_add_test(t, the_runtime_holds_wherever_it_stands);
	tcase_add_test(t, deprecated_spellings_mean_what_replaced_them);
	tcase_add_test(t, a_per_route_module_filter_goes_by_either_name);
	tcase_add_loop_test(
	    t, a_data_source_is_read_or_told_why_not, 0, N(sources));
	tcase_add_test(t, every_row_of_every_message_is_whole);
	tcase_add_test(t, the_decoded_struct_can_be_walked_after_any_error);
	suite_add_tcase(s, t);
	return s;
}
