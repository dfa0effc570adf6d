/*
 * Any line as a format, any bytes as what it shows: as text it is rendered or
 * refused, as a member of a json_format it is one line of valid JSON.
 */
#include "config.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "chain/exchange.h"
#include "chain/format.h"
#include "chain/metadata.h"
#include "config/bootstrap.h"
#include "config/yaml.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

static const char bootstrap[] =
    "static_resources:\n"
    "  listeners:\n"
    "  - address: {socket_address: {address: 127.0.0.1, port_value: 9000}}\n"
    "    filter_chains:\n"
    "    - filters:\n"
    "      - name: hcm\n"
    "        typed_config:\n"
    "          \"@type\": type.googleapis.com/envoy.extensions.filters."
    "network.http_connection_manager.v3.HttpConnectionManager\n"
    "          stat_prefix: fuzz\n"
    "          use_remote_address: true\n"
    "          route_config: {virtual_hosts: []}\n"
    "          http_filters:\n"
    "          - name: envoy.filters.http.router\n"
    "            typed_config: {\"@type\": type.googleapis.com/envoy."
    "extensions.filters.http.router.v3.Router}\n";

static void
nothing(struct exchange *x)
{
	(void)x;
}

static struct exchange *
make_exchange(struct arena *arena, struct state *state, struct str value)
{
	static const struct exchange_hooks hooks = {
		.forward = nothing, .changed = nothing, .abandon = nothing
	};
	struct diag *diag = diag_new(arena);
	const struct node *top =
	    yaml_parse(arena, str_of(bootstrap), "fuzz.yaml", diag);
	const struct gateway *gateway = gateway_build(
	    arena, bootstrap_decode(arena, top, diag), state, diag);
	struct exchange *x;

	if (!gateway)
		abort();
	x = exchange_new(arena, gateway, state, &hooks, NULL);
	x->peer = (struct exchange_peer){ .address = STR("192.0.2.7"),
		.port = STR("40000"),
		.local_address = STR("198.51.100.1"),
		.local_port = STR("80"),
		.scheme = STR("http"),
		.protocol = STR("HTTP/1.1") };
	headers_add(&x->request, STR(":method"), STR("GET"));
	headers_add(&x->request, STR(":path"), STR("/a?b=c"));
	headers_add(&x->request, STR(":authority"), STR("gate.example"));
	headers_add(&x->request, STR(":scheme"), STR("http"));
	x->upload_end = true;
	exchange_start(x);
	headers_add(&x->request, STR("x-a"), value);
	headers_set(&x->request, STR(":path"), value);
	metadata_set(x, STR("ns"), STR("a"), value, false);
	return x;
}

static void
render_text(struct arena *arena, struct exchange *x, struct str text)
{
	struct diag *diag = diag_new(arena);
	const struct format *f = format_log_text(arena, text, NULL, diag);
	struct buf out;

	if (!f != (diag_errors(diag) > 0))
		abort();
	f = f ? format_text(arena, text, NULL, diag) : NULL;
	if (!f)
		return;
	buf_init(&out, 1 << 20);
	if (!format_render(f, x, &out))
		(void)format_value(f, x);
	buf_free(&out);
}

static void
render_json(struct arena *arena, struct exchange *x, struct str text)
{
	struct node *value = ARENA_NEW(arena, struct node);
	struct node *map = ARENA_NEW(arena, struct node);
	struct node_item item = { .key = text, .value = value };
	const struct format *f;
	struct buf out;
	cJSON *json;

	*value = (struct node){
		.kind = NODE_SCALAR, .scalar = text, .quoted = true
	};
	*map = (struct node){ .kind = NODE_MAP, .items = &item, .n = 1 };
	f = format_json(arena, map, diag_new(arena));
	if (!f)
		return;
	buf_init(&out, 1 << 20);
	if (!format_render(f, x, &out)) {
		struct str line = buf_bytes(&out);
		if (str_find_char(line, '\n', 0) + 1 != line.len)
			abort();
		json = cJSON_ParseWithLength(line.ptr, line.len);
		if (!json)
			abort();
		cJSON_Delete(json);
	}
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
	struct arena *arena = arena_new(65536);
	struct state *state = state_private();
	struct str value = { (const char *)bytes, len };
	struct str text = str_split(&value, '\n');
	struct exchange *x;

	x = make_exchange(arena, state, value.ptr ? value : STR("x"));
	render_text(arena, x, text);
	render_json(arena, x, text);
	exchange_end(x);
	arena_free(arena);
	state_close(state);
	return 0;
}
