/* A certificate authority for tests, made anew each time. */
#ifndef SALLYPORT_TESTS_UNIT_UPSTREAM_AUTHORITY_H
#define SALLYPORT_TESTS_UNIT_UPSTREAM_AUTHORITY_H

#include <openssl/ssl.h>

struct authority {
	EVP_PKEY *key;
	X509 *certificate;
	char pem[4096];
};

void authority_make(struct authority *);
void authority_free(struct authority *);

/* A server whose certificate, vouched for by the authority, names name. */
SSL_CTX *authority_server(const struct authority *, const char *name);

#endif
