/*
 * Waits for the whole body of a request before it goes on, so that a backend
 * never waits for a slow client. Longer ones are answered with 413 by the host.
 */
#include "config.h"

#include "chain/host.h"
#include "config/messages.h"

struct conf_buffer {
	const struct node *node;
	uint32_t max_request_bytes;
};

struct conf_buffer_route {
	const struct node *node;
	bool disabled;
	struct conf_buffer *buffer;
};

static const struct schema_field buffer_fields[] = {
	{ .name = "max_request_bytes",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_buffer, max_request_bytes),
	    .min = 1,
	    .max = 4294967295,
	    .required = true,
	    .text = "Bytes that the body of a request may have." },
	{ .name = NULL },
};

static const struct schema_message buffer_message = {
	.name = "envoy.extensions.filters.http.buffer.v3.Buffer",
	.size = sizeof(struct conf_buffer),
	.fields = buffer_fields,
};

static const struct schema_field route_fields[] = {
	{ .name = "disabled",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_buffer_route, disabled),
	    .oneof = "override",
	    .text = "Requests of this scope do not wait for their body." },
	{ .name = "buffer",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_buffer_route, buffer),
	    .message = &buffer_message,
	    .oneof = "override",
	    .text = "The limit of this scope." },
	{ .name = NULL },
};

static void
check_route(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_buffer_route *route = decoded;

	if (!route->buffer && !route->disabled &&
	    node_get(route->node, "disabled"))
		diag_error(diag, route->node->place, path,
		    "`disabled`: value must equal true");
}

static const struct schema_message route_message = {
	.name = "envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
	.size = sizeof(struct conf_buffer_route),
	.fields = route_fields,
	.required_oneof = "override",
	.check = check_route,
};

static size_t
body_max(const void *conf, void *state, struct exchange *x)
{
	const struct conf_buffer *own = conf;
	const struct conf_buffer_route *route = host_route_conf(x);

	(void)state;
	if (route && route->disabled)
		return 0;
	return route ? route->buffer->max_request_bytes
		     : own->max_request_bytes;
}

/* The backend is told a length where the client has told none. */
static enum verdict
on_request_body(const void *conf, void *state, struct exchange *x)
{
	struct str body = host_body(x);

	(void)conf;
	(void)state;
	if (body.len &&
	    !host_header(x, HOST_REQUEST, STR("content-length"), 0).ptr)
		(void)host_header_set(x, HOST_REQUEST, STR("content-length"),
		    arena_printf(host_arena(x), "%zu", body.len));
	return FILTER_NEXT;
}

const struct filter filter_buffer = {
	.name = "envoy.filters.http.buffer",
	.text = "Waits for the whole body of a request before it goes on, "
		"so that a backend never waits for a slow client. A longer "
		"body gets 413.",
	.conf = &buffer_message,
	.route_conf = &route_message,
	.needs = FILTER_NEEDS_BODY,
	.body_max = body_max,
	.on_request_body = on_request_body,
};
