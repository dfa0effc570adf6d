/*
 * Key sets (RFC 7517): which keys may verify which algorithms. Supported are
 * RSA from 2048 bits, EC on P-256, P-384 and P-521, and oct (RFC 7518
 * section 6). The algorithms stand with the key, so a token cannot choose
 * another use for it.
 */
#ifndef SALLYPORT_HTTP_JWK_H
#define SALLYPORT_HTTP_JWK_H

#include "base/err.h"
#include "http/jose.h"

struct jwk {
	struct str kid; /* absent: fits any token */
	unsigned algs; /* bit 1 << alg for each it may verify */
	struct str material; /* a secret's bytes, or the public key in PEM */
};

struct jwks {
	const struct jwk *keys;
	size_t n;
	const struct str *warnings; /* why other keys of the set are not here */
	size_t n_warnings;
};

/*
 * Reads a key set; everything in it lives as long as the arena. A key that
 * cannot be used beside one that can gives a warning. ERR_BAD when none is
 * left: *why is then Envoy's text, of the first fault.
 */
enum err jwks_parse(struct arena *, struct str text, struct jwks *out,
    const char **why) CHECKED;

/* A set of one secret without kid for the three HMAC algorithms. */
struct jwks jwks_of_secret(struct arena *, struct str secret);

#endif
