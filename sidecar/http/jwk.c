/* Key sets: JSON to PEM, by way of OpenSSL's checks. */
#include "config.h"

#include <cjson/cJSON.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "http/base64.h"
#include "http/jwk.h"

enum {
	ALGS_HS = 1 << JOSE_HS256 | 1 << JOSE_HS384 | 1 << JOSE_HS512,
	ALGS_RS = 1 << JOSE_RS256 | 1 << JOSE_RS384 | 1 << JOSE_RS512,
	RSA_BITS_MIN = 2048, /* RFC 7518 section 3.3 */
	RSA_BITS_MAX = 16384,
	SECRET_MIN = 32, /* RFC 7518 section 3.2 */
};

static const struct curve {
	const char *crv, *group;
	size_t coordinate; /* bytes of x and of y */
	enum jose_alg alg;
} curves[] = {
	{ "P-256", "prime256v1", 32, JOSE_ES256 },
	{ "P-384", "secp384r1", 48, JOSE_ES384 },
	{ "P-521", "secp521r1", 66, JOSE_ES512 },
};

/* A member that has to be a string, decoded; or why not. */
static const char *
decoded_member(struct arena *arena, const struct cJSON *key, const char *name,
    const char *missing, const char *bad_type, const char *bad_text,
    struct str *out)
{
	const struct cJSON *value = jose_member(key, name);

	if (!value)
		return missing;
	if (!cJSON_IsString(value))
		return bad_type;
	if (base64url_decode(arena, jose_string(value), out) || out->len == 0)
		return bad_text;
	return NULL;
}

/* ---- OpenSSL ---- */

/* The public key that the parameters describe, in PEM; absent if they do not. */
static struct str
pem_of(struct arena *arena, const char *type, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY_CTX *check = NULL;
	EVP_PKEY *key = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	struct str pem = STR_NONE;
	char *text;
	long len;

	if (!params || !context || !bio ||
	    EVP_PKEY_fromdata_init(context) <= 0 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		goto out;
	check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!check || EVP_PKEY_public_check(check) <= 0 ||
	    PEM_write_bio_PUBKEY(bio, key) <= 0)
		goto out;
	len = BIO_get_mem_data(bio, &text);
	if (len > 0)
		pem = arena_str(arena, (struct str){ text, (size_t)len });
out:
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	BIO_free(bio);
	ERR_clear_error();
	return pem;
}

static struct str
rsa_pem(struct arena *arena, const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	struct str pem = STR_NONE;

	if (builder &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
		pem = pem_of(arena, "RSA", builder);
	OSSL_PARAM_BLD_free(builder);
	return pem;
}

static struct str
ec_pem(struct arena *arena, const char *group, struct str point)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	struct str pem = STR_NONE;

	if (builder &&
	    OSSL_PARAM_BLD_push_utf8_string(
		builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(
		builder, OSSL_PKEY_PARAM_PUB_KEY, point.ptr, point.len))
		pem = pem_of(arena, "EC", builder);
	OSSL_PARAM_BLD_free(builder);
	return pem;
}

/* ---- the kinds of key ---- */

static BIGNUM *
number(struct str bytes)
{
	return BN_bin2bn(
	    (const unsigned char *)bytes.ptr, (int)bytes.len, NULL);
}

static const char *
read_rsa(struct arena *arena, const struct cJSON *key, struct jwk *out)
{
	static const char bad[] =
	    "Jwks RSA [n] or [e] field is missing or has a parse error";
	const char *why;
	struct str n_bytes, e_bytes;
	BIGNUM *n, *e;

	why = decoded_member(arena, key, "n",
	    "[n] field is missing for a RSA key",
	    "[n] field is not string for a RSA key", bad, &n_bytes);
	if (!why)
		why = decoded_member(arena, key, "e",
		    "[e] field is missing for a RSA key",
		    "[e] field is not string for a RSA key", bad, &e_bytes);
	if (why)
		return why;
	n = number(n_bytes);
	e = number(e_bytes);
	if (!n || !e)
		abort();
	if (BN_num_bits(n) < RSA_BITS_MIN)
		why = "the RSA key has fewer than 2048 bits";
	else if (BN_num_bits(n) > RSA_BITS_MAX || !BN_is_odd(n) ||
		 (!BN_is_word(e, 3) && !BN_is_word(e, 65537)))
		why = bad;
	else
		out->material = rsa_pem(arena, n, e);
	BN_free(n);
	BN_free(e);
	out->algs = ALGS_RS;
	return why || out->material.ptr ? why : bad;
}

/* The curve that crv or, without it, alg names; P-256 without both. */
static const struct curve *
find_curve(struct str crv, struct str alg)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		const char *name = jose_alg_name(curves[i].alg);

		if (crv.ptr ? str_eq(crv, str_of(curves[i].crv))
			    : !alg.ptr || str_eq(alg, str_of(name)))
			return &curves[i];
	}
	return NULL;
}

/* The uncompressed form of a point (SEC 1 section 2.3.3). */
static struct str
point_of(struct arena *arena, struct str x, struct str y)
{
	char *bytes = arena_alloc(arena, 1 + x.len + y.len);

	bytes[0] = 4;
	memcpy(bytes + 1, x.ptr, x.len);
	memcpy(bytes + 1 + x.len, y.ptr, y.len);
	return (struct str){ bytes, 1 + x.len + y.len };
}

static const char *
read_ec(struct arena *arena, const struct cJSON *key, struct jwk *out)
{
	static const char bad[] =
	    "Jwks EC [x] or [y] field is an invalid Base64.";
	const struct cJSON *crv = jose_member(key, "crv");
	const struct curve *curve;
	struct str x, y;
	const char *why;

	if (crv && !cJSON_IsString(crv))
		return "[crv] field is not string for an EC key";
	curve =
	    find_curve(jose_string(crv), jose_string(jose_member(key, "alg")));
	if (!curve)
		return "[crv] or [alg] field is not supported for an EC key";
	why = decoded_member(arena, key, "x",
	    "[x] field is missing for an EC key",
	    "[x] field is not string for an EC key", bad, &x);
	if (!why)
		why = decoded_member(arena, key, "y",
		    "[y] field is missing for an EC key",
		    "[y] field is not string for an EC key", bad, &y);
	if (why)
		return why;
	/* RFC 7518 section 6.2.1.2: the full size, leading zeros included. */
	if (x.len != curve->coordinate || y.len != curve->coordinate)
		return "Jwks EC [x] and [y] fields have a parse error.";
	out->algs = 1u << curve->alg;
	out->material = ec_pem(arena, curve->group, point_of(arena, x, y));
	return out->material.ptr
		   ? NULL
		   : "Jwks EC [x] and [y] fields have a parse error.";
}

static const char *
read_oct(struct arena *arena, const struct cJSON *key, struct jwk *out)
{
	out->algs = ALGS_HS;
	return decoded_member(arena, key, "k",
	    "[k] field is missing for an HMAC key",
	    "[k] field is not string for an HMAC key",
	    "Jwks Oct key is an invalid Base64", &out->material);
}

static const struct kind {
	const char *kty;
	const char *(*read)(
	    struct arena *, const struct cJSON *key, struct jwk *);
	const char *bad_alg;
} kinds[] = {
	{ "RSA", read_rsa, "[alg] is not started with [RS] for an RSA key" },
	{ "EC", read_ec,
	    "[crv] field specified is not compatible with [alg] for an EC key" },
	{ "oct", read_oct, "[alg] does not start with [HS] for an HMAC key" },
};

/* ---- what any key may say ---- */

/* Why "use" or "key_ops" (RFC 7517 section 4) keep it from verifying. */
static const char *
forbidden_use(const struct cJSON *key)
{
	const struct cJSON *use = jose_member(key, "use");
	const struct cJSON *ops = jose_member(key, "key_ops");

	if (use && !str_eq(jose_string(use), STR("sig")))
		return "[use] is not sig";
	if (!ops)
		return NULL;
	if (cJSON_IsArray(ops))
		for (const struct cJSON *op = ops->child; op; op = op->next)
			if (str_eq(jose_string(op), STR("verify")))
				return NULL;
	return "[key_ops] does not hold verify";
}

static const char *
read_key(struct arena *arena, const struct cJSON *key, struct jwk *out)
{
	const struct cJSON *kty = jose_member(key, "kty");
	const struct cJSON *kid = jose_member(key, "kid");
	const struct cJSON *alg = jose_member(key, "alg");
	const struct kind *kind = NULL;
	const char *why;
	unsigned named;

	if (!kty)
		return "[kty] is missing in [keys]";
	if (!cJSON_IsString(kty))
		return "[kty] is bad in [keys]";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_eq(jose_string(kty), str_of(kinds[i].kty)))
			kind = &kinds[i];
	if (!kind)
		return "[kty] is not supported in [keys]";
	if (kid && !cJSON_IsString(kid))
		return "[kid] is not a string in [keys]";
	if (alg && !cJSON_IsString(alg))
		return "[alg] is not a string in [keys]";
	why = forbidden_use(key);
	if (!why)
		why = kind->read(arena, key, out);
	if (why)
		return why;
	named = alg ? 1u << jose_alg_of(jose_string(alg)) : out->algs;
	out->algs &= named;
	out->kid = arena_str(arena, jose_string(kid));
	return out->algs ? NULL : kind->bad_alg;
}

static const struct cJSON *
find_keys(const struct cJSON *set, const char **why)
{
	const struct cJSON *keys;

	*why = "Jwks is an invalid JSON";
	if (!set)
		return NULL;
	*why = "Jwks does not have [keys] field";
	keys = jose_member(set, "keys");
	if (!keys)
		return NULL;
	*why = "[keys] in Jwks is not an array";
	return cJSON_IsArray(keys) ? keys : NULL;
}

static struct str
warning(struct arena *arena, size_t i, struct str kid, const char *why)
{
	if (kid.ptr)
		return arena_printf(arena, "key %zu (kid " STR_FMT "): %s", i,
		    STR_ARG(kid), why);
	return arena_printf(arena, "key %zu: %s", i, why);
}

enum err
jwks_parse(
    struct arena *arena, struct str text, struct jwks *out, const char **why)
{
	struct arena *scratch = arena_new(4096);
	const struct cJSON *keys = find_keys(jose_object(scratch, text), why);
	size_t n = keys ? (size_t)cJSON_GetArraySize(keys) : 0, i = 0;
	struct jwk *good = ARENA_ARRAY(arena, n, struct jwk);
	struct str *warnings = ARENA_ARRAY(arena, 2 * n, struct str);
	const char *fault, *first = NULL;

	*out = (struct jwks){ .keys = good, .warnings = warnings };
	for (const struct cJSON *k = keys ? keys->child : NULL; k;
	     k = k->next, i++) {
		struct jwk key = { 0 };
		struct str kid = jose_string(jose_member(k, "kid"));

		fault = read_key(arena, k, &key);
		if (fault) {
			warnings[out->n_warnings++] =
			    warning(arena, i, kid, fault);
			first = first ? first : fault;
			continue;
		}
		if ((key.algs & ALGS_HS) && key.material.len < SECRET_MIN)
			warnings[out->n_warnings++] = warning(arena, i, kid,
			    "the secret is shorter than 32 bytes");
		good[out->n++] = key;
	}
	if (keys && out->n == 0)
		*why = first ? first : "Jwks doesn't have any valid public key";
	arena_free(scratch);
	return out->n ? ERR_OK : ERR_BAD;
}

struct jwks
jwks_of_secret(struct arena *arena, struct str secret)
{
	struct jwk *key = ARENA_NEW(arena, struct jwk);

	*key = (struct jwk){ .algs = ALGS_HS,
		.material = arena_str(arena, secret) };
	return (struct jwks){ .keys = key, .n = 1 };
}
