/*
 * A hostile client: the first line of the input is method, target and
 * protocol, the others are fields. The request goes through everything that
 * the connection manager does, twice as configured differently; what is
 * forwarded or answered must be fit to be sent.
 */
#include "config.h"

#include <stdlib.h>

#include "chain/exchange.h"
#include "config/bootstrap.h"
#include "config/yaml.h"

enum { INPUT_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

#define MUST(condition)                                                        \
	do                                                                     \
		if (!(condition))                                              \
			abort();                                               \
	while (0)

#define HCM                                                                    \
	"type.googleapis.com/envoy.extensions.filters.network."                \
	"http_connection_manager.v3.HttpConnectionManager"
#define ROUTER                                                                 \
	"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
#define BOOTSTRAP(options)                                                     \
	"static_resources:\n"                                                  \
	"  listeners:\n"                                                       \
	"  - address: {socket_address: {address: 127.0.0.1, port_value: 1}}\n" \
	"    filter_chains:\n"                                                 \
	"    - filters:\n"                                                     \
	"      - name: hcm\n"                                                  \
	"        typed_config:\n"                                              \
	"          \"@type\": " HCM "\n"                                       \
	"          stat_prefix: fuzz\n" options "          route_config:\n"    \
	"            internal_only_headers: [x-internal]\n"                    \
	"            virtual_hosts:\n"                                         \
	"            - name: a\n"                                              \
	"              domains: [\"*\"]\n"                                     \
	"              routes:\n"                                              \
	"              - match: {prefix: /direct}\n"                           \
	"                direct_response: {status: 404, body: "                \
	"{inline_string: none}}\n"                                             \
	"              - match: {prefix: /a}\n"                                \
	"                route: {cluster: b, max_stream_duration: "            \
	"{grpc_timeout_header_max: 9s}}\n"                                     \
	"          http_filters: [{name: r, typed_config: {\"@type\": " ROUTER \
	"}}]\n"                                                                \
	"  clusters: [{name: b, load_assignment: {cluster_name: b, "           \
	"endpoints: []}}]\n"

static const char *const configurations[] = {
	BOOTSTRAP("          use_remote_address: true\n"
		  "          xff_num_trusted_hops: 1\n"
		  "          normalize_path: true\n"
		  "          merge_slashes: true\n"
		  "          path_with_escaped_slashes_action: "
		  "UNESCAPE_AND_REDIRECT\n"
		  "          strip_any_host_port: true\n"
		  "          strip_trailing_host_dot: true\n"
		  "          preserve_external_request_id: true\n"
		  "          always_set_request_id_in_response: true\n"
		  "          append_x_forwarded_port: true\n"
		  "          forward_client_cert_details: APPEND_FORWARD\n"
		  "          set_current_client_cert_details: {cert: true, "
		  "subject: true, uri: true, dns: true}\n"),
	BOOTSTRAP("          http_protocol_options: {accept_http_10: true, "
		  "default_host_for_http_10: h, allow_custom_methods: true}\n"
		  "          via: 1.1 v\n"
		  "          add_user_agent: true\n"
		  "          internal_address_config: {cidr_ranges: "
		  "[{address_prefix: 10.0.0.0, prefix_len: 8}]}\n"
		  "          local_reply_config: {body_format: {json_format: "
		  "{p: \"%REQ(:PATH)%\", b: \"%LOCAL_REPLY_BODY%\"}}}\n"),
};
enum { CONFIGURATIONS = sizeof(configurations) / sizeof(configurations[0]) };

static const struct gateway *gateways[CONFIGURATIONS];

static const struct gateway *
build(const char *text)
{
	struct arena *arena = arena_new(65536);
	struct diag *diag = diag_new(arena);
	const struct node *top =
	    yaml_parse(arena, str_of(text), "fuzz.yaml", diag);
	const struct conf_bootstrap *bootstrap =
	    top ? bootstrap_decode(arena, top, diag) : NULL;
	const struct gateway *g = NULL;

	if (bootstrap && !diag_errors(diag))
		g = gateway_build(arena, bootstrap, NULL, diag);
	if (!g)
		diag_print(diag, stderr);
	MUST(g);
	return g;
}

static void
forward(struct exchange *x)
{
	(void)x;
}

static const struct exchange_hooks hooks = {
	.forward = forward, .changed = forward, .abandon = forward
};

static void
check_fields(const struct headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		MUST(h->items[i].name.len);
		MUST(header_value_is_valid(h->items[i].value));
	}
	MUST(!headers_get(h, STR("connection")).ptr);
	MUST(!headers_get(h, STR("transfer-encoding")).ptr);
}

static void
check_outcome(const struct exchange *x)
{
	if (x->phase == EXCHANGE_FORWARDING) {
		MUST(str_starts(
		    headers_get(&x->request, STR(":path")), STR("/")));
		MUST(headers_get(&x->request, STR(":authority")).ptr);
		check_fields(&x->request);
		return;
	}
	MUST(x->phase == EXCHANGE_ANSWERING);
	MUST(exchange_status(x) >= 200);
	MUST(x->download_end);
	check_fields(&x->response);
}

/* The front has seen to it that names and values are valid. */
static void
add_fields(struct exchange *x, struct str rest)
{
	while (rest.len) {
		struct str line = str_split(&rest, '\n'), name, value;
		size_t colon = str_find_char(line, ':', 0);

		name = header_name_lower(x->arena, str_slice(line, 0, colon));
		value = str_trim(str_slice(line, colon + 1, line.len));
		if (str_eq(name, STR("host")))
			headers_set(&x->request, STR(":authority"), value);
		else if (str_eq(name, STR("remote")))
			x->peer.address = value;
		else if (str_eq(name, STR("certificate")))
			x->peer.client_cert = value;
		else if (header_name_is_valid(name) &&
			 header_value_is_valid(value))
			headers_add(&x->request, name, value);
	}
}

static void
run(const struct gateway *g, struct str input)
{
	struct arena *arena = arena_new(4096);
	struct exchange *x = exchange_new(arena, g, NULL, &hooks, NULL);
	struct str line = str_split(&input, '\n');
	struct str method = str_split(&line, ' ');
	struct str target = line.ptr ? str_split(&line, ' ') : STR("");

	x->peer = (struct exchange_peer){ .address = STR("192.0.2.1"),
		.port = STR("1"),
		.local_port = STR("80"),
		.scheme = STR("http"),
		.protocol = line.ptr ? line : STR("HTTP/1.1"),
		.certificate = EXCHANGE_GOOD_CERTIFICATE };
	headers_add(&x->request, STR(":method"),
	    header_name_is_valid(method) ? method : STR("GET"));
	if (header_value_is_valid(target))
		headers_add(&x->request, STR(":path"), target);
	headers_add(&x->request, STR(":scheme"), STR("http"));
	add_fields(x, input);
	x->upload_end = true;
	exchange_start(x);
	check_outcome(x);
	exchange_end(x);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
	if (len > INPUT_MAX)
		return 0;
	for (size_t i = 0; i < CONFIGURATIONS; i++) {
		if (!gateways[i])
			gateways[i] = build(configurations[i]);
		run(gateways[i], (struct str){ (const char *)bytes, len });
	}
	return 0;
}
