/* TLS towards backends: whom to trust, by which name. */
#include "config.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "config/bootstrap.h"
#include "upstream/cluster_build.h"

enum { CA_MAX_BYTES = 4 << 20 };

#define TLS_CONFIG "transport_socket.typed_config."
#define TRUSTED_CA TLS_CONFIG "common_tls_context.validation_context.trusted_ca"

/* Whether libssl finds an authority in it. */
static bool
holds_certificate(struct str pem)
{
	BIO *bio =
	    pem.len <= INT_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
	X509 *certificate =
	    bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	X509_free(certificate);
	(void)BIO_free(bio);
	ERR_clear_error();
	return certificate != NULL;
}

static void
set_trust(struct build *b, const struct conf_data_source *ca)
{
	const char *path =
	    arena_printf(b->arena, "%s." TRUSTED_CA, b->path).ptr;
	struct str pem =
	    bootstrap_data(b->arena, b->diag, path, ca, CA_MAX_BYTES);

	if (!pem.ptr)
		return;
	if (!holds_certificate(pem)) {
		build_error(b, ca->node, TRUSTED_CA,
		    "no certificate in PEM form is in it");
		return;
	}
	b->common.verify = true;
	/* libcurl keeps what it read of a file, not what it read of memory. */
	if (ca->filename.ptr)
		b->common.ca_file = arena_cstr(b->arena, ca->filename);
	else
		b->common.ca_pem = pem;
}

void
build_tls(struct build *b)
{
	const struct conf_transport_socket *socket = b->conf->transport_socket;
	const struct conf_upstream_tls *tls = socket ? socket->tls : NULL;
	const struct conf_common_tls *common;

	if (!tls)
		return;
	common = tls->common_tls_context;
	b->scheme = "https";
	b->sni = tls->sni;
	if (b->sni.len && !build_is_name(b->sni))
		build_error(b, tls->node, TLS_CONFIG "sni",
		    "\"" STR_FMT "\" is not a host name", STR_ARG(b->sni));
	if (common && common->validation_context &&
	    common->validation_context->trusted_ca)
		set_trust(b, common->validation_context->trusted_ca);
}
