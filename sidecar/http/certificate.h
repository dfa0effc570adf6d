/* What X.509 certificates say, for those that a web server hands over as PEM. */
#ifndef SALLYPORT_HTTP_CERTIFICATE_H
#define SALLYPORT_HTTP_CERTIFICATE_H

#include "base/arena.h"

enum { CERTIFICATE_NAMES_MAX = 64 };

struct certificate {
	struct str pem; /* as OpenSSL writes it */
	struct str hash; /* SHA-256 of its DER form, in lower case */
	struct str sha1; /* the same with SHA-1 */
	struct str subject, issuer; /* RFC 2253 */
	struct str serial; /* hexadecimal, in lower case */
	int64_t begins, ends; /* seconds since 1970; -1: not known */
	struct str uris[CERTIFICATE_NAMES_MAX]; /* subjectAltName */
	size_t n_uris;
	struct str dns[CERTIFICATE_NAMES_MAX];
	size_t n_dns;
	struct str addresses, emails, others; /* joined by "," */
};

/*
 * Reads the first certificate of a PEM text, which may be percent-encoded or
 * have tabs after its newlines (both ways nginx has). False if there is none.
 */
bool certificate_read(struct arena *, struct str pem, struct certificate *out);

#endif
