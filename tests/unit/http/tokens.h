/*
 * Keys and signed tokens for tests. Keys are made once, when a suite is
 * created, so that the test processes forked later share them.
 */
#ifndef SALLYPORT_TESTS_UNIT_HTTP_TOKENS_H
#define SALLYPORT_TESTS_UNIT_HTTP_TOKENS_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "http/base64.h"
#include "http/jose.h"

enum token_key {
	TOKEN_OCT,
	TOKEN_RSA,
	TOKEN_P256,
	TOKEN_P384,
	TOKEN_P521,
	TOKEN_KEY_N, /* those in token_jwks */
	TOKEN_OTHER_RSA = TOKEN_KEY_N,
	TOKEN_SHORT_RSA,
	TOKEN_ALL_N
};

#define TOKEN_SECRET                                                           \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static EVP_PKEY *token_keys[TOKEN_ALL_N];

static inline void
tokens_make_keys(void)
{
	if (token_keys[TOKEN_RSA])
		return;
	token_keys[TOKEN_RSA] = EVP_RSA_gen(2048);
	token_keys[TOKEN_OTHER_RSA] = EVP_RSA_gen(2048);
	token_keys[TOKEN_SHORT_RSA] = EVP_RSA_gen(1024);
	token_keys[TOKEN_P256] = EVP_EC_gen("P-256");
	token_keys[TOKEN_P384] = EVP_EC_gen("P-384");
	token_keys[TOKEN_P521] = EVP_EC_gen("P-521");
}

static inline enum token_key
token_key_of(enum jose_alg alg)
{
	if (alg <= JOSE_HS512)
		return TOKEN_OCT;
	if (alg <= JOSE_RS512)
		return TOKEN_RSA;
	return (enum token_key)(TOKEN_P256 + (alg - JOSE_ES256));
}

static inline const EVP_MD *
token_digest(enum jose_alg alg)
{
	const EVP_MD *digests[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };

	return digests[alg % 3];
}

/* ECDSA signatures come in DER; tokens have both numbers side by side. */
static inline struct str
token_raw_ecdsa(
    struct arena *arena, const unsigned char *der, size_t len, size_t half)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	unsigned char *raw = arena_alloc(arena, 2 * half);

	if (BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)half) < 0 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, (int)half) < 0)
		abort();
	ECDSA_SIG_free(sig);
	return (struct str){ (char *)raw, 2 * half };
}

static inline struct str
token_signature_by(
    struct arena *arena, EVP_PKEY *key, enum jose_alg alg, struct str input)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char *bytes = arena_alloc(arena, 1024);
	size_t len = 1024;

	if (EVP_DigestSignInit(context, NULL, token_digest(alg), NULL, key) <=
		0 ||
	    EVP_DigestSign(context, bytes, &len,
		(const unsigned char *)input.ptr, input.len) <= 0)
		abort();
	EVP_MD_CTX_free(context);
	if (alg >= JOSE_ES256)
		return token_raw_ecdsa(arena, bytes, len,
		    ((size_t)EVP_PKEY_get_bits(key) + 7) / 8);
	return (struct str){ (char *)bytes, len };
}

static inline struct str
token_hmac(
    struct arena *arena, struct str secret, enum jose_alg alg, struct str input)
{
	unsigned char *bytes = arena_alloc(arena, 64);
	unsigned len = 0;

	HMAC(token_digest(alg), secret.ptr, (int)secret.len,
	    (const unsigned char *)input.ptr, input.len, bytes, &len);
	return (struct str){ (char *)bytes, len };
}

static inline struct str
token_input(struct arena *arena, const char *header, const char *payload)
{
	struct str h = base64url_encode(arena, str_of(header));
	struct str p = base64url_encode(arena, str_of(payload));

	return arena_printf(arena, STR_FMT "." STR_FMT, STR_ARG(h), STR_ARG(p));
}

/* A token with this very header, signed with the test's key for alg. */
static inline struct str
token_of(struct arena *arena, enum jose_alg alg, const char *header,
    const char *payload)
{
	struct str input = token_input(arena, header, payload), signature;

	if (alg <= JOSE_HS512)
		signature = token_hmac(arena, STR(TOKEN_SECRET), alg, input);
	else
		signature = token_signature_by(
		    arena, token_keys[token_key_of(alg)], alg, input);
	signature = base64url_encode(arena, signature);
	return arena_printf(
	    arena, STR_FMT "." STR_FMT, STR_ARG(input), STR_ARG(signature));
}

static inline struct str
token_param(struct arena *arena, EVP_PKEY *key, const char *name, size_t len)
{
	BIGNUM *number = NULL;
	unsigned char *bytes;

	if (EVP_PKEY_get_bn_param(key, name, &number) <= 0)
		abort();
	if (len == 0)
		len = (size_t)BN_num_bytes(number);
	bytes = arena_alloc(arena, len);
	if (BN_bn2binpad(number, bytes, (int)len) < 0)
		abort();
	BN_free(number);
	return base64url_encode(arena, (struct str){ (char *)bytes, len });
}

static inline struct str
token_rsa_jwk(struct arena *arena, enum token_key which, const char *more)
{
	EVP_PKEY *key = token_keys[which];
	struct str n = token_param(arena, key, OSSL_PKEY_PARAM_RSA_N, 0);
	struct str e = token_param(arena, key, OSSL_PKEY_PARAM_RSA_E, 0);

	return arena_printf(arena,
	    "{\"kty\":\"RSA\",\"n\":\"" STR_FMT "\",\"e\":\"" STR_FMT "\"%s}",
	    STR_ARG(n), STR_ARG(e), more);
}

/* The JWK of a test key; more is appended (",\"kid\":\"a\""). */
static inline struct str
token_jwk(struct arena *arena, enum token_key which, const char *more)
{
	static const char *const crv[] = { "P-256", "P-384", "P-521" };
	static const size_t sizes[] = { 32, 48, 66 };
	EVP_PKEY *key = token_keys[which];
	struct str x, y;

	if (which == TOKEN_RSA)
		return token_rsa_jwk(arena, which, more);
	if (which == TOKEN_OCT) {
		x = base64url_encode(arena, STR(TOKEN_SECRET));
		return arena_printf(arena,
		    "{\"kty\":\"oct\",\"k\":\"" STR_FMT "\"%s}", STR_ARG(x),
		    more);
	}
	x = token_param(
	    arena, key, OSSL_PKEY_PARAM_EC_PUB_X, sizes[which - TOKEN_P256]);
	y = token_param(
	    arena, key, OSSL_PKEY_PARAM_EC_PUB_Y, sizes[which - TOKEN_P256]);
	return arena_printf(arena,
	    "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"" STR_FMT
	    "\",\"y\":\"" STR_FMT "\"%s}",
	    crv[which - TOKEN_P256], STR_ARG(x), STR_ARG(y), more);
}

/* A key set of all test keys, with kid "oct", "rsa", "p256", ... */
static inline struct str
token_jwks(struct arena *arena)
{
	static const char *const more[] = { ",\"kid\":\"oct\"",
		",\"kid\":\"rsa\"", ",\"kid\":\"p256\"", ",\"kid\":\"p384\"",
		",\"kid\":\"p521\"" };
	struct str all = STR(""), one;

	for (int i = 0; i < TOKEN_KEY_N; i++) {
		one = token_jwk(arena, (enum token_key)i, more[i]);
		all = arena_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(all),
		    i ? "," : "", STR_ARG(one));
	}
	return arena_printf(arena, "{\"keys\":[" STR_FMT "]}", STR_ARG(all));
}

#endif
