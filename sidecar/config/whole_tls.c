/* TLS on both sides, and the static secrets that it names. */
#include "config.h"

#include <unistd.h>

#include "config/whole.h"

#define TLS "envoy.extensions.transport_sockets.tls.v3."
#define RAW "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"

/* One namespace for each kind of secret. */
enum kind { CERTIFICATE, VALIDATION, TICKETS, GENERIC, KINDS };

static const char *const kinds[KINDS] = { "TlsCertificate",
	"CertificateValidationContext", "TlsSessionTicketKeys",
	"GenericSecret" };

static enum kind
kind_of(const struct conf_secret *s)
{
	if (s->tls_certificate)
		return CERTIFICATE;
	if (s->validation_context)
		return VALIDATION;
	return s->session_ticket_keys ? TICKETS : GENERIC;
}

static bool
is_empty(const struct conf_secret *s)
{
	return !s->tls_certificate && !s->validation_context &&
	       !s->session_ticket_keys && !s->generic_secret;
}

static const struct conf_secret *
find_secret(const struct whole *w, enum kind kind, struct str name)
{
	const struct conf_static_resources *r = w->bootstrap->static_resources;

	for (size_t i = 0; i < r->secrets.n; i++) {
		const struct conf_secret *s = &r->secrets.items[i];

		if (kind_of(s) == kind && !is_empty(s) && str_eq(s->name, name))
			return s;
	}
	return NULL;
}

void
whole_secrets(struct whole *w, const struct conf_static_resources *r)
{
	struct table *seen[KINDS];

	for (size_t i = 0; i < KINDS; i++)
		seen[i] = table_new(w->temp, r->secrets.n);
	for (size_t i = 0; i < r->secrets.n; i++) {
		const struct conf_secret *s = &r->secrets.items[i];
		const char *path =
		    whole_path(w, "static_resources.secrets[%zu]", i);
		enum kind kind = kind_of(s);
		struct str name = s->name.ptr ? s->name : STR("");
		uint32_t *at;

		if (is_empty(s)) {
			diag_error(w->diag, s->node->place, path,
			    "Secret type not implemented");
			continue;
		}
		at = table_put(seen[kind], name);
		if (*at != TABLE_NONE)
			diag_error(w->diag, s->node->place, path,
			    "Duplicate static %s secret name " STR_FMT,
			    kinds[kind], STR_ARG(name));
		*at = 0;
	}
}

/* The secret that is named, or NULL with Envoy's words. */
static const struct conf_secret *
named_secret(struct whole *w, const char *path, enum kind kind,
    const struct conf_sds_secret *ref)
{
	static const char *const words[KINDS] = { "secret",
		"certificate validation context", "session ticket keys",
		"generic secret" };
	const struct conf_static_resources *r = w->bootstrap->static_resources;
	const char **names =
	    ARENA_ARRAY(w->temp, r->secrets.n + 1, const char *);
	const struct conf_secret *s = find_secret(w, kind, ref->name);
	size_t n = 0;

	if (s || !ref->name.len)
		return s;
	diag_error(w->diag, ref->node->place, path,
	    "Unknown static %s: " STR_FMT, words[kind], STR_ARG(ref->name));
	for (size_t i = 0; i < r->secrets.n; i++)
		if (r->secrets.items[i].name.len &&
		    kind_of(&r->secrets.items[i]) == kind)
			names[n++] =
			    arena_cstr(w->temp, r->secrets.items[i].name);
	whole_hint(w, ref->name, names);
	return NULL;
}

static const struct node *merged(
    struct arena *arena, const struct node *base, const struct node *over);

static const struct node *
joined(struct arena *arena, const struct node *base, const struct node *over)
{
	struct node *list = node_list(arena, over->place);

	for (size_t i = 0; i < base->n; i++)
		node_add(arena, list, base->items[i].value);
	for (size_t i = 0; i < over->n; i++)
		node_add(arena, list, over->items[i].value);
	return list;
}

/* As protobuf merges messages: maps by key, lists one behind the other. */
static const struct node *
merged(struct arena *arena, const struct node *base, const struct node *over)
{
	struct node *map;

	if (base->kind != over->kind)
		return over;
	if (base->kind == NODE_LIST)
		return joined(arena, base, over);
	if (base->kind != NODE_MAP)
		return over;
	map = node_map(arena, over->place);
	for (size_t i = 0; i < base->n; i++) {
		const char *key = arena_cstr(arena, base->items[i].key);
		const struct node *other = node_get(over, key);

		node_put(arena, map, key,
		    other ? merged(arena, base->items[i].value, other)
			  : base->items[i].value);
	}
	for (size_t i = 0; i < over->n; i++) {
		const char *key = arena_cstr(arena, over->items[i].key);

		if (!node_get(base, key))
			node_put(arena, map, key, over->items[i].value);
	}
	return map;
}

/* Of a secret and of a default under one: the context that they make. */
static void
settle_validation(
    struct whole *w, const char *path, struct conf_common_tls *common)
{
	struct conf_combined_validation *both =
	    common->combined_validation_context;
	const struct conf_sds_secret *ref =
	    both ? both->validation_context_sds_secret_config
		 : common->validation_context_sds_secret_config;
	const struct conf_secret *s =
	    ref ? named_secret(w, path, VALIDATION, ref) : NULL;

	if (s)
		common->validation_context = s->validation_context;
	else if (both)
		common->validation_context = both->default_validation_context;
	if (s && both && both->default_validation_context)
		common->validation_context = schema_decode(w->arena, w->diag,
		    path, &conf_validation_message,
		    merged(w->arena, both->default_validation_context->node,
			s->validation_context->node));
}

/* Whether the Any says that there is no TLS, or the wrong thing altogether. */
static bool
is_plain(struct whole *w, const char *path,
    const struct conf_transport_socket *t, const char *wanted)
{
	if (!t->typed_config || !t->typed_config->type.ptr)
		return true;
	if (str_eq(t->typed_config->type, STR(RAW))) {
		schema_check_any(w->arena, w->diag, t->typed_config);
		return true;
	}
	if (str_eq(t->typed_config->type, str_of(wanted)))
		return false;
	diag_error(w->diag, t->node->place, path,
	    "transport socket of type " STR_FMT " is not supported",
	    STR_ARG(t->typed_config->type));
	return true;
}

void
whole_upstream_tls(
    struct whole *w, const char *path, struct conf_transport_socket *t)
{
	struct conf_common_tls *common;

	if (!t || is_plain(w, path, t, conf_upstream_tls_message.name))
		return;
	t->tls = schema_decode_any(
	    w->arena, w->diag, &conf_upstream_tls_message, t->typed_config);
	common = t->tls->common_tls_context;
	if (common)
		settle_validation(w,
		    whole_path(
			w, "%s.common_tls_context", t->typed_config->path),
		    common);
	if (!common || !common->validation_context ||
	    !common->validation_context->trusted_ca)
		diag_warn(w->diag, t->node->place, path,
		    "without trusted_ca the backend's certificate is not "
		    "verified");
}

/* Envoy reads the file when it starts, we never do. */
static void
tell_missing(
    struct whole *w, const char *path, const struct conf_data_source *source)
{
	const char *file = source && source->filename.len
			       ? arena_cstr(w->temp, source->filename)
			       : NULL;

	if (file && access(file, F_OK))
		diag_warn(w->diag, source->node->place, path,
		    "there is no file %s: Envoy would not start", file);
}

static void
check_certificate(
    struct whole *w, const char *path, const struct conf_tls_certificate *c)
{
	if (c->pkcs12)
		return;
	if (!c->private_key && !c->private_key_provider)
		diag_error(w->diag, c->node->place, path,
		    "Failed to load incomplete private key from path: ");
	if (!c->certificate_chain)
		diag_error(w->diag, c->node->place, path,
		    "Failed to load incomplete certificate chain");
	tell_missing(w, path, c->certificate_chain);
	tell_missing(w, path, c->private_key);
}

static void
check_server(struct whole *w, const char *path,
    const struct conf_server_common_tls *common)
{
	for (size_t i = 0; i < common->tls_certificates.n; i++)
		check_certificate(w, path, &common->tls_certificates.items[i]);
	for (size_t i = 0; i < common->tls_certificate_sds_secret_configs.n;
	     i++) {
		const struct conf_secret *s = named_secret(w, path, CERTIFICATE,
		    &common->tls_certificate_sds_secret_configs.items[i]);

		if (s)
			check_certificate(w, path, s->tls_certificate);
	}
	if (common->validation_context_sds_secret_config)
		(void)!named_secret(w, path, VALIDATION,
		    common->validation_context_sds_secret_config);
}

void
whole_downstream_tls(
    struct whole *w, const char *path, const struct conf_transport_socket *t)
{
	const struct conf_downstream_tls *tls;
	const struct conf_server_common_tls *common;

	if (!t || is_plain(w, path, t, conf_downstream_tls_message.name))
		return;
	tls = schema_decode_any(
	    w->arena, w->diag, &conf_downstream_tls_message, t->typed_config);
	common = tls->common_tls_context;
	path = t->typed_config->path;
	if (common)
		check_server(w, path, common);
	if (!common || (!common->tls_certificates.n &&
			   !common->tls_certificate_sds_secret_configs.n &&
			   !common->unread))
		diag_error(w->diag, tls->node->place, path,
		    "No TLS certificates found for server context");
	diag_warn(w->diag, t->node->place, path,
	    "`transport_socket` has no effect here: the web server owns TLS "
	    "to clients");
}
