/* Signed tokens: our parsing, libjwt's verification. */
#include "config.h"

#include <cjson/cJSON.h>
#include <jwt.h>
#include <math.h>
#include <openssl/err.h>

#include "http/base64.h"
#include "http/jws.h"

static const char *const texts[JWS_STATUS_N] = {
	[JWS_OK] = "OK",
	[JWS_MISSING] = "Jwt is missing",
	[JWS_NOT_YET_VALID] = "Jwt not yet valid",
	[JWS_EXPIRED] = "Jwt is expired",
	[JWS_BAD_FORMAT] =
	    ("Jwt is not in the form of Header.Payload.Signature "
	     "with two dots and 3 sections"),
	[JWS_HEADER_BAD_BASE64] = "Jwt header is an invalid Base64url encoded",
	[JWS_HEADER_BAD_JSON] = "Jwt header is an invalid JSON",
	[JWS_HEADER_BAD_ALG] =
	    "Jwt header [alg] field is required and must be a string",
	[JWS_HEADER_UNKNOWN_ALG] = "Jwt header [alg] is not supported",
	[JWS_HEADER_BAD_KID] = "Jwt header [kid] field is not a string",
	[JWS_PAYLOAD_BAD_BASE64] =
	    "Jwt payload is an invalid Base64url encoded",
	[JWS_PAYLOAD_BAD_JSON] = "Jwt payload is an invalid JSON",
	[JWS_ISS_NOT_STRING] = "Jwt payload [iss] field is not a string",
	[JWS_SUB_NOT_STRING] = "Jwt payload [sub] field is not a string",
	[JWS_IAT_NOT_NUMBER] = "Jwt payload [iat] field is not an integer",
	[JWS_IAT_OUT_OF_RANGE] =
	    "Jwt payload [iat] field is not a positive 64 bit integer",
	[JWS_NBF_NOT_NUMBER] = "Jwt payload [nbf] field is not an integer",
	[JWS_NBF_OUT_OF_RANGE] =
	    "Jwt payload [nbf] field is not a positive 64 bit integer",
	[JWS_EXP_NOT_NUMBER] = "Jwt payload [exp] field is not an integer",
	[JWS_EXP_OUT_OF_RANGE] =
	    "Jwt payload [exp] field is not a positive 64 bit integer",
	[JWS_JTI_NOT_STRING] = "Jwt payload [jti] field is not a string",
	[JWS_AUD_NOT_STRINGS] =
	    "Jwt payload [aud] field is not a string or string list",
	[JWS_SIGNATURE_BAD_BASE64] =
	    "Jwt signature is an invalid Base64url encoded",
	[JWS_UNKNOWN_ISSUER] = "Jwt issuer is not configured",
	[JWS_AUDIENCE_NOT_ALLOWED] = "Audiences in Jwt are not allowed",
	[JWS_VERIFICATION_FAILS] = "Jwt verification fails",
	[JWS_MULTIPLE] = "Found multiple Jwt tokens",
	[JWS_NO_KEY] = "Jwks doesn't have key to match kid or alg from Jwt",
	[JWS_HEADER_CRIT] = "Jwt header [crit] is not supported",
	[JWS_HEADER_B64] = "Jwt header [b64] is not supported",
};

static const jwt_alg_t libjwt_algs[JOSE_ALG_N] = {
	[JOSE_HS256] = JWT_ALG_HS256,
	[JOSE_HS384] = JWT_ALG_HS384,
	[JOSE_HS512] = JWT_ALG_HS512,
	[JOSE_RS256] = JWT_ALG_RS256,
	[JOSE_RS384] = JWT_ALG_RS384,
	[JOSE_RS512] = JWT_ALG_RS512,
	[JOSE_ES256] = JWT_ALG_ES256,
	[JOSE_ES384] = JWT_ALG_ES384,
	[JOSE_ES512] = JWT_ALG_ES512,
};

const char *
jws_status_text(enum jws_status status)
{
	return status < JWS_STATUS_N && texts[status] ? texts[status] : "";
}

/* ---- parsing ---- */

/* Extensions that a reader must know or refuse (RFC 7515, 7797) are refused. */
static enum jws_status
read_header(struct arena *arena, struct jws *jws)
{
	const struct cJSON *alg, *kid;

	jws->header = jose_object(arena, jws->header_json);
	if (!jws->header)
		return JWS_HEADER_BAD_JSON;
	alg = jose_member(jws->header, "alg");
	if (!cJSON_IsString(alg))
		return JWS_HEADER_BAD_ALG;
	jws->alg = jose_alg_of(jose_string(alg));
	if (jws->alg == JOSE_ALG_N)
		return JWS_HEADER_UNKNOWN_ALG;
	kid = jose_member(jws->header, "kid");
	if (kid && !cJSON_IsString(kid))
		return JWS_HEADER_BAD_KID;
	jws->kid = jose_string(kid);
	if (jose_member(jws->header, "crit"))
		return JWS_HEADER_CRIT;
	return jose_member(jws->header, "b64") ? JWS_HEADER_B64 : JWS_OK;
}

/* A NumericDate; what is not finite and within 64 bits is out of range. */
static enum jws_status
read_date(const struct cJSON *claims, const char *name,
    enum jws_status not_number, struct jws_date *out)
{
	const struct cJSON *value = jose_member(claims, name);
	double seconds;

	*out = (struct jws_date){ 0 };
	if (!value)
		return JWS_OK;
	if (!cJSON_IsNumber(value))
		return not_number;
	seconds = value->valuedouble;
	/* The status behind "not a number" is "out of range". */
	if (!isfinite(seconds) || seconds < 0 || seconds >= 0x1p63)
		return (enum jws_status)(not_number + 1);
	*out = (struct jws_date){ true, seconds };
	return JWS_OK;
}

static enum jws_status
read_dates(struct jws *jws)
{
	struct jws_date iat;
	enum jws_status status;

	status = read_date(jws->claims, "iat", JWS_IAT_NOT_NUMBER, &iat);
	if (!status)
		status = read_date(
		    jws->claims, "nbf", JWS_NBF_NOT_NUMBER, &jws->nbf);
	if (!status)
		status = read_date(
		    jws->claims, "exp", JWS_EXP_NOT_NUMBER, &jws->exp);
	return status;
}

static enum jws_status
read_audiences(struct arena *arena, struct jws *jws)
{
	const struct cJSON *aud = jose_member(jws->claims, "aud");
	struct str *list;

	if (!aud)
		return JWS_OK;
	list =
	    ARENA_ARRAY(arena, (size_t)cJSON_GetArraySize(aud) + 1, struct str);
	jws->audiences = list;
	if (cJSON_IsString(aud))
		list[jws->n_audiences++] = jose_string(aud);
	else if (!cJSON_IsArray(aud))
		return JWS_AUD_NOT_STRINGS;
	for (const struct cJSON *item = aud->child; item; item = item->next) {
		if (!cJSON_IsString(item))
			return JWS_AUD_NOT_STRINGS;
		list[jws->n_audiences++] = jose_string(item);
	}
	return JWS_OK;
}

static bool
is_string_or_absent(const struct cJSON *value)
{
	return !value || cJSON_IsString(value);
}

static enum jws_status
read_claims(struct arena *arena, struct jws *jws)
{
	enum jws_status status;

	jws->claims = jose_object(arena, jws->payload_json);
	if (!jws->claims)
		return JWS_PAYLOAD_BAD_JSON;
	if (!is_string_or_absent(jose_member(jws->claims, "iss")))
		return JWS_ISS_NOT_STRING;
	if (!is_string_or_absent(jose_member(jws->claims, "sub")))
		return JWS_SUB_NOT_STRING;
	jws->iss = jose_string(jose_member(jws->claims, "iss"));
	jws->sub = jose_string(jose_member(jws->claims, "sub"));
	status = read_dates(jws);
	if (status)
		return status;
	if (!is_string_or_absent(jose_member(jws->claims, "jti")))
		return JWS_JTI_NOT_STRING;
	return read_audiences(arena, jws);
}

enum jws_status
jws_parse(struct arena *arena, struct str token, struct jws *out)
{
	struct str rest = token, header, payload, signature;
	enum jws_status status;

	*out = (struct jws){ .alg = JOSE_ALG_N };
	if (token.len > JWS_LEN_MAX)
		return JWS_BAD_FORMAT;
	header = str_split(&rest, '.');
	payload = str_split(&rest, '.');
	signature = str_split(&rest, '.');
	if (rest.ptr || !header.len || !payload.len || !signature.len)
		return JWS_BAD_FORMAT;
	if (base64url_decode(arena, header, &out->header_json))
		return JWS_HEADER_BAD_BASE64;
	status = read_header(arena, out);
	if (status)
		return status;
	if (base64url_decode(arena, payload, &out->payload_json))
		return JWS_PAYLOAD_BAD_BASE64;
	status = read_claims(arena, out);
	if (status)
		return status;
	if (base64url_decode(arena, signature, &signature))
		return JWS_SIGNATURE_BAD_BASE64;
	out->token = arena_str(arena, token);
	out->payload_text = payload;
	return JWS_OK;
}

/* ---- verifying ---- */

static bool
fits(const struct jws *jws, const struct jwk *key)
{
	if (jws->kid.ptr && key->kid.ptr && !str_eq(jws->kid, key->kid))
		return false;
	return (key->algs & 1u << jws->alg) != 0;
}

static bool
verifies(const struct jws *jws, const struct jwk *key)
{
	jwt_t *jwt = NULL;
	bool ok;

	ok = !jwt_decode(&jwt, jws->token.ptr,
		 (const unsigned char *)key->material.ptr,
		 (int)key->material.len) &&
	     jwt_get_alg(jwt) == libjwt_algs[jws->alg];
	jwt_free(jwt);
	/* What is left there would be taken for an error of a connection. */
	ERR_clear_error();
	return ok;
}

enum jws_status
jws_verify(const struct jws *jws, const struct jwks *set)
{
	enum jws_status status = JWS_NO_KEY;

	for (size_t i = 0; i < set->n; i++) {
		if (!fits(jws, &set->keys[i]))
			continue;
		if (verifies(jws, &set->keys[i]))
			return JWS_OK;
		status = JWS_VERIFICATION_FAILS;
	}
	return status;
}

enum jws_status
jws_check_time(
    struct jws_date exp, struct jws_date nbf, int64_t now_s, int64_t skew_s)
{
	if (nbf.given && (double)now_s + (double)skew_s < nbf.seconds)
		return JWS_NOT_YET_VALID;
	if (exp.given && (double)now_s > exp.seconds + (double)skew_s)
		return JWS_EXPIRED;
	return JWS_OK;
}
