/* Certificates for tests. */
#include "config.h"

#include <check.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "tests/unit/upstream/authority.h"

static void
add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ck_assert_ptr_nonnull(extension);
	ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *
new_certificate(EVP_PKEY *key, const char *name)
{
	static long serial;
	X509 *c = X509_new();
	X509_NAME *subject = X509_get_subject_name(c);

	ck_assert_int_eq(X509_set_version(c, 2), 1);
	ck_assert_int_eq(
	    ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial), 1);
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(c), -3600));
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(c), 3600));
	ck_assert_int_eq(X509_set_pubkey(c, key), 1);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
			     (const unsigned char *)name, -1, -1, 0),
	    1);
	return c;
}

static void
sign(X509 *certificate, X509 *issuer, EVP_PKEY *key)
{
	ck_assert_int_eq(
	    X509_set_issuer_name(certificate, X509_get_subject_name(issuer)),
	    1);
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
}

void
authority_make(struct authority *a)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	a->key = EVP_EC_gen("P-256");
	a->certificate = new_certificate(a->key, "test authority");
	add_extension(
	    a->certificate, NID_basic_constraints, "critical,CA:TRUE");
	sign(a->certificate, a->certificate, a->key);
	ck_assert_int_eq(PEM_write_bio_X509(bio, a->certificate), 1);
	n = BIO_read(bio, a->pem, sizeof(a->pem) - 1);
	ck_assert_int_gt(n, 0);
	a->pem[n] = '\0';
	(void)BIO_free(bio);
}

void
authority_free(struct authority *a)
{
	X509_free(a->certificate);
	EVP_PKEY_free(a->key);
}

SSL_CTX *
authority_server(const struct authority *a, const char *name)
{
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = new_certificate(key, name);
	char san[256];

	(void)snprintf(san, sizeof(san), "DNS:%s", name);
	add_extension(certificate, NID_subject_alt_name, san);
	sign(certificate, a->certificate, a->key);
	ck_assert_int_eq(SSL_CTX_use_certificate(server, certificate), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(server, key), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return server;
}
