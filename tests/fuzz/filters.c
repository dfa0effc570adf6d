/*
 * A hostile client and a hostile backend around a chain of the filters that
 * read what they send; filters.yaml has it. The input is a request as in
 * request.c, an empty line, its body, an empty line, and a response: its
 * status and its fields.
 */
#include "config.h"

#include <stdlib.h>

#include "chain/exchange.h"
#include "config/bootstrap.h"
#include "config/tree.h"

enum { INPUT_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

#define MUST(condition)                                                        \
	do                                                                     \
		if (!(condition))                                              \
			abort();                                               \
	while (0)

static struct state *state;
static const struct gateway *gateway;

static void
build(void)
{
	struct arena *arena = arena_new(65536);
	struct diag *diag = diag_new(arena);
	const struct conf_bootstrap *bootstrap =
	    bootstrap_read(tree_new(arena), FOLDER "/filters.yaml", diag);

	state = state_private();
	if (bootstrap && !diag_errors(diag))
		gateway = gateway_build(arena, bootstrap, state, diag);
	if (!gateway)
		diag_print(diag, stderr);
	MUST(gateway);
}

static void
ignore(struct exchange *x)
{
	(void)x;
}

static const struct exchange_hooks hooks = {
	.forward = ignore, .changed = ignore, .abandon = ignore
};

static void
check_fields(const struct headers *h)
{
	for (size_t i = 0; i < h->n; i++) {
		MUST(h->items[i].name.len);
		MUST(header_value_is_valid(h->items[i].value));
	}
}

/* What stands before the next empty line. */
static struct str
split_part(struct str *rest)
{
	size_t at = str_find(*rest, STR("\n\n"), 0);
	struct str part = str_slice(*rest, 0, at);

	*rest = str_slice(*rest, at + 2, rest->len);
	return part;
}

/* Sound ones only: the front and the router have seen to that. */
static void
add_fields(struct arena *arena, struct headers *h, struct str rest)
{
	while (rest.len) {
		struct str line = str_split(&rest, '\n'), name, value;
		size_t colon = str_find_char(line, ':', 0);

		name = header_name_lower(arena, str_slice(line, 0, colon));
		value = str_trim(str_slice(line, colon + 1, line.len));
		if (!header_name_is_valid(name) ||
		    !header_value_is_valid(value))
			continue;
		if (str_eq(name, STR("host")))
			headers_set(h, STR(":authority"), value);
		else
			headers_add(h, name, value);
	}
}

static void
take_request(struct exchange *x, struct str rest)
{
	struct str line = str_split(&rest, '\n');
	struct str method = str_split(&line, ' ');

	x->peer = (struct exchange_peer){ .address = STR("192.0.2.1"),
		.port = STR("1"),
		.local_port = STR("80"),
		.scheme = STR("http"),
		.protocol = STR("HTTP/1.1") };
	headers_add(&x->request, STR(":method"),
	    header_name_is_valid(method) ? method : STR("GET"));
	headers_add(&x->request, STR(":path"),
	    header_value_is_valid(line) && line.len ? line : STR("/"));
	headers_add(&x->request, STR(":scheme"), STR("http"));
	add_fields(x->arena, &x->request, rest);
	if (!headers_get(&x->request, STR(":authority")).ptr)
		headers_set(&x->request, STR(":authority"), STR("a"));
}

static void
respond(struct exchange *x, struct str rest)
{
	struct str line = str_split(&rest, '\n');
	uint64_t status;

	if (!str_to_u64(line, &status) || status < 200 || status > 599)
		status = 200;
	headers_add(&x->response, STR(":status"), arena_u64(x->arena, status));
	add_fields(x->arena, &x->response, rest);
	exchange_respond(x);
	MUST(x->phase == EXCHANGE_ANSWERING);
}

static void
run(struct str input)
{
	struct arena *arena = arena_new(4096);
	struct exchange *x = exchange_new(arena, gateway, state, &hooks, NULL);
	struct str body;

	take_request(x, split_part(&input));
	body = split_part(&input);
	x->upload_len = body.len ? -1 : 0;
	x->upload_end = !body.len;
	exchange_start(x);
	if (body.len) {
		(void)!buf_append(&x->upload, body);
		x->upload_end = true;
		exchange_upload_moved(x);
	}
	/* A delay is cut short by the client. */
	if (x->phase == EXCHANGE_FORWARDING) {
		check_fields(&x->request);
		respond(x, input);
	}
	if (x->phase == EXCHANGE_ANSWERING)
		check_fields(&x->response);
	exchange_end(x);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
	if (!gateway)
		build();
	if (len <= INPUT_MAX)
		run((struct str){ (const char *)bytes, len });
	return 0;
}
