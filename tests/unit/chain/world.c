/* A gateway under test. */
#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "chain/route.h"
#include "config/bootstrap.h"
#include "config/yaml.h"
#include "tests/unit/chain/world.h"

static const char before[] =
    "static_resources:\n"
    "  listeners:\n"
    "  - address: {socket_address: {address: 127.0.0.1, port_value: 9000}}\n"
    "    filter_chains:\n"
    "    - filters:\n"
    "      - name: hcm\n"
    "        typed_config:\n"
    "          \"@type\": type.googleapis.com/envoy.extensions.filters."
    "network.http_connection_manager.v3.HttpConnectionManager\n"
    "          stat_prefix: test\n";
static const char router[] =
    "          - name: envoy.filters.http.router\n"
    "            typed_config: {\"@type\": type.googleapis.com/envoy."
    "extensions.filters.http.router.v3.Router}\n";
static const char after[] =
    "  clusters:\n"
    "  - name: backend\n"
    "    load_assignment:\n"
    "      cluster_name: backend\n"
    "      endpoints:\n"
    "      - lb_endpoints:\n"
    "        - endpoint: {address: {socket_address: {address: 127.0.0.1, "
    "port_value: 3001}}}\n"
    "  - name: second\n"
    "    load_assignment:\n"
    "      cluster_name: second\n"
    "      endpoints:\n"
    "      - lb_endpoints:\n"
    "        - endpoint: {address: {socket_address: {address: 127.0.0.1, "
    "port_value: 3002}}}\n";

static void
forward(struct exchange *x)
{
	((struct world *)x->owner)->forwarded++;
}

static void
changed(struct exchange *x)
{
	(void)x;
}

static void
abandon(struct exchange *x)
{
	((struct world *)x->owner)->abandoned++;
}

static const struct exchange_hooks hooks = {
	.forward = forward, .changed = changed, .abandon = abandon
};

/* Indents every line of text by ten blanks. */
static struct str
indented(struct arena *arena, const char *text)
{
	struct str rest = str_of(text), out = STR("");

	while (rest.len) {
		struct str line = str_split(&rest, '\n');
		out = arena_printf(arena, STR_FMT "          " STR_FMT "\n",
		    STR_ARG(out), STR_ARG(line));
	}
	return out;
}

struct world *
world_new(const char *hcm)
{
	struct arena *arena = arena_new(65536);
	struct world *w = ARENA_NEW(arena, struct world);
	const struct conf_bootstrap *bootstrap;
	const struct node *node;
	struct str text;
	bool own_filters = strstr(hcm, "http_filters:") != NULL;

	w->arena = arena;
	w->diag = diag_new(arena);
	w->state = state_private();
	text = arena_printf(arena, "%s" STR_FMT "%s%s%s", before,
	    STR_ARG(indented(arena, hcm)),
	    own_filters ? "" : "          http_filters:\n", router, after);
	node = yaml_parse(arena, text, "test.yaml", w->diag);
	if (!node)
		return w;
	bootstrap = bootstrap_decode(arena, node, w->diag);
	if (!diag_errors(w->diag))
		w->gateway = gateway_build(arena, bootstrap, w->state, w->diag);
	return w;
}

void
world_free(struct world *w)
{
	state_close(w->state);
	arena_free(w->arena);
}

static void
add_lines(struct headers *h, const char *lines)
{
	struct str rest = str_of(lines);

	while (rest.len) {
		struct str line = str_split(&rest, '\n');
		size_t colon = str_find_char(line, ':', 1);
		struct str name = str_slice(line, 0, colon);
		struct str value =
		    str_trim(str_slice(line, colon + 1, line.len));

		if (str_starts(name, STR(":")))
			headers_set(h, name, value);
		else
			headers_add(h, name, value);
	}
}

struct exchange *
world_exchange(struct world *w, const char *method, const char *target,
    const char *header_lines)
{
	struct exchange *x;

	if (!w->gateway)
		ck_abort_msg("refused: %s", diag_message(w->diag, 0));
	x = exchange_new(w->arena, w->gateway, w->state, &hooks, w);
	x->peer = (struct exchange_peer){ .address = STR("192.0.2.7"),
		.port = STR("40000"),
		.local_address = STR("198.51.100.1"),
		.local_port = STR("80"),
		.scheme = STR("http"),
		.protocol = STR("HTTP/1.1") };
	headers_add(&x->request, STR(":method"), str_of(method));
	headers_add(&x->request, STR(":path"), str_of(target));
	headers_add(&x->request, STR(":authority"), STR("gate.example"));
	headers_add(&x->request, STR(":scheme"), STR("http"));
	add_lines(&x->request, header_lines);
	return x;
}

struct exchange *
world_request(struct world *w, const char *method, const char *target,
    const char *header_lines)
{
	struct exchange *x = world_exchange(w, method, target, header_lines);

	x->upload_end = true;
	exchange_start(x);
	return x;
}

struct exchange *
world_request_with_body(struct world *w, const char *method, const char *target,
    const char *header_lines, int64_t len)
{
	struct exchange *x = world_exchange(w, method, target, header_lines);

	x->upload_len = len;
	exchange_start(x);
	return x;
}

void
world_upload(struct exchange *x, const char *bytes, bool end)
{
	ck_assert_int_eq(buf_append(&x->upload, str_of(bytes)), ERR_OK);
	x->bytes_received += strlen(bytes);
	x->upload_end = end;
	exchange_upload_moved(x);
}

void
world_prepare(struct exchange *x)
{
	ck_assert_int_eq(x->phase, EXCHANGE_FORWARDING);
	route_prepare_request(x->route, x);
}

void
world_respond(struct exchange *x, const char *status, const char *header_lines)
{
	headers_add(&x->response, STR(":status"), str_of(status));
	add_lines(&x->response, header_lines);
	x->details = STR("via_upstream");
	exchange_respond(x);
}

static const char *
value_of(struct headers *h, const char *name)
{
	struct str value = headers_joined(h, str_of(name));

	return value.ptr ? arena_cstr(h->arena, value) : NULL;
}

const char *
world_request_header(struct exchange *x, const char *name)
{
	return value_of(&x->request, name);
}

const char *
world_response_header(struct exchange *x, const char *name)
{
	return value_of(&x->response, name);
}

const char *
world_body(struct exchange *x)
{
	return arena_cstr(x->arena, buf_bytes(&x->download));
}
