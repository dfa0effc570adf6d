/* "By=...;Hash=...;Cert=...;Subject=...;URI=...;DNS=..." */
#include "config.h"

#include "chain/client_cert.h"
#include "http/certificate.h"

enum { ELEMENT_MAX = 64 * 1024 };

static struct str
name(void)
{
	return STR("x-forwarded-client-cert");
}

/* What Envoy escapes of a PEM text. */
static enum err
append_escaped(struct buf *b, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";
	enum err err = ERR_OK;

	for (size_t i = 0; i < s.len && !err; i++) {
		char c = s.ptr[i];
		if (!c || !strchr("\n +/=", c))
			err = buf_append_byte(b, c);
		else
			err = buf_printf(
			    b, "%%%c%c", digits[c >> 4], digits[c & 15]);
	}
	return err;
}

static enum err
append_key(struct buf *b, const char *key)
{
	return buf_printf(b, "%s%s=", buf_is_empty(b) ? "" : ";", key);
}

static enum err
append_pair(struct buf *b, const char *key, struct str value)
{
	enum err err = append_key(b, key);

	return err ? err : buf_append(b, value);
}

static enum err
append_all(struct buf *b, const char *key, const struct str *values, size_t n)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < n && !err; i++)
		err = append_pair(b, key, values[i]);
	return err;
}

static enum err
append_cert(struct buf *b, const struct certificate *c)
{
	enum err err = append_key(b, "Cert");

	if (!err)
		err = buf_append_byte(b, '"');
	if (!err)
		err = append_escaped(b, c->pem);
	return err ? err : buf_append_byte(b, '"');
}

static enum err
append_subject(struct buf *b, const struct certificate *c)
{
	enum err err = append_key(b, "Subject");

	return err ? err
		   : buf_printf(b, "\"" STR_FMT "\"", STR_ARG(c->subject));
}

static enum err
write_element(struct buf *b, struct exchange *x, const struct certificate *c)
{
	const struct conf_client_cert_details *which =
	    x->gateway->hcm->set_current_client_cert_details;
	struct certificate own;
	enum err err = ERR_OK;

	if (certificate_read(x->arena, x->peer.server_cert, &own))
		err = append_all(b, "By", own.uris, own.n_uris);
	if (!err)
		err = append_pair(b, "Hash", c->hash);
	if (!err && which && which->cert)
		err = append_cert(b, c);
	if (!err && which && which->subject)
		err = append_subject(b, c);
	if (!err && which && which->uri)
		err = c->n_uris ? append_all(b, "URI", c->uris, c->n_uris)
				: append_key(b, "URI");
	if (!err && which && which->dns)
		err = append_all(b, "DNS", c->dns, c->n_dns);
	return err;
}

static void
set(struct exchange *x, struct str before)
{
	struct certificate cert;
	struct buf b;
	struct str element;

	buf_init(&b, ELEMENT_MAX);
	if (!certificate_read(x->arena, x->peer.client_cert, &cert) ||
	    write_element(&b, x, &cert))
		buf_clear(&b);
	element = arena_str(x->arena, buf_bytes(&b));
	buf_free(&b);
	if (!element.len || !header_value_is_valid(element))
		headers_remove(&x->request, name());
	else if (before.len)
		headers_set(&x->request, name(),
		    arena_printf(x->arena, STR_FMT "," STR_FMT, STR_ARG(before),
			STR_ARG(element)));
	else
		headers_set(&x->request, name(), element);
}

void
client_cert_forward(struct exchange *x)
{
	const enum conf_client_cert how =
	    (enum conf_client_cert)x->gateway->hcm->forward_client_cert_details;
	struct str before = headers_joined(&x->request, name());

	if (how == CONF_CERT_ALWAYS_FORWARD_ONLY)
		return;
	if (how == CONF_CERT_SANITIZE ||
	    x->peer.certificate != EXCHANGE_GOOD_CERTIFICATE)
		headers_remove(&x->request, name());
	else if (how != CONF_CERT_FORWARD_ONLY)
		set(x, how == CONF_CERT_APPEND_FORWARD ? before : STR_NONE);
}
