/*
 * An id of another maker may be forged: an edge replaces it, or, told to keep
 * it, takes the mark out of it that would have the request traced.
 */
#include "config.h"

#include "base/random.h"
#include "chain/request_id.h"

#define UUID_CONFIG "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"

/* The version of a UUID: "4" is not traced. */
enum { MARK_AT = 14 };

struct request_id {
	bool generates;
	bool preserves;
	bool has_marks;
	bool always_echoes;
};

struct conf_uuid {
	const struct node *node;
	bool pack_trace_reason;
};

static const struct schema_field uuid_fields[] = {
	{ .name = "pack_trace_reason",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_uuid, pack_trace_reason),
	    .fallback = "true",
	    .text = "The version digit of a UUID says why it is traced." },
	{ .name = "use_request_id_for_trace_sampling",
	    .type = SCHEMA_BOOL,
	    .stance = SCHEMA_DELEGATED,
	    .text = "there is no tracing here" },
	{ .name = NULL },
};

static const struct schema_message uuid_message = {
	.name = UUID_CONFIG,
	.size = sizeof(struct conf_uuid),
	.fields = uuid_fields,
};

static bool
packs_marks(struct arena *arena, const struct conf_request_id_extension *conf,
    struct diag *diag)
{
	const struct any *any = conf ? conf->typed_config : NULL;
	const struct conf_uuid *uuid;

	if (!any)
		return true;
	if (!str_eq(any->type, STR(UUID_CONFIG))) {
		diag_error(diag, any->node->place, any->path,
		    "Didn't find a registered implementation for type: "
		    "'" STR_FMT "'",
		    STR_ARG(any->type));
		return true;
	}
	uuid = schema_decode_any(arena, diag, &uuid_message, any);
	return uuid->pack_trace_reason;
}

const struct request_id *
request_id_build(
    struct arena *arena, const struct conf_hcm *hcm, struct diag *diag)
{
	struct request_id *r = ARENA_NEW(arena, struct request_id);

	r->generates = hcm->generate_request_id;
	r->preserves = hcm->preserve_external_request_id;
	r->always_echoes = hcm->always_set_request_id_in_response;
	r->has_marks = packs_marks(arena, hcm->request_id_extension, diag);
	return r;
}

static struct str
make(struct arena *arena)
{
	char *text = arena_alloc(arena, RANDOM_UUID_LEN);

	random_uuid(text);
	return (struct str){ text, RANDOM_UUID_LEN };
}

static struct str
without_mark(struct arena *arena, struct str id)
{
	char *copy;

	if (id.len != RANDOM_UUID_LEN)
		return id;
	copy = arena_cstr(arena, id);
	copy[MARK_AT] = '4';
	return (struct str){ copy, id.len };
}

void
request_id_set(struct exchange *x)
{
	const struct request_id *r = x->gateway->request_id;
	struct str id = headers_get(&x->request, STR("x-request-id"));

	if (!r->generates || (id.len && !x->is_edge))
		return;
	if (!id.len || !r->preserves)
		id = make(x->arena);
	else if (r->has_marks)
		id = without_mark(x->arena, id);
	headers_set(&x->request, STR("x-request-id"), id);
}

void
request_id_echo(struct exchange *x)
{
	struct str id = headers_get(&x->request, STR("x-request-id"));
	bool is_wanted =
	    x->gateway->request_id->always_echoes ||
	    headers_get(&x->request, STR("x-envoy-force-trace")).ptr;

	if (id.len && is_wanted)
		headers_set(&x->response, STR("x-request-id"), id);
}
