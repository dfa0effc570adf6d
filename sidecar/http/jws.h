/*
 * Signed tokens (RFC 7515 compact form, RFC 7519 claims): parsed strictly,
 * bound to keys by the key's own algorithm before anything is verified. The
 * texts of the refusals are Envoy's where it has one.
 */
#ifndef SALLYPORT_HTTP_JWS_H
#define SALLYPORT_HTTP_JWS_H

#include "http/jwk.h"

enum { JWS_LEN_MAX = 16 * 1024 };

/* Envoy's numbers, as far as it has the status. */
enum jws_status {
	JWS_OK,
	JWS_MISSING,
	JWS_NOT_YET_VALID,
	JWS_EXPIRED,
	JWS_BAD_FORMAT,
	JWS_HEADER_BAD_BASE64,
	JWS_HEADER_BAD_JSON,
	JWS_HEADER_BAD_ALG,
	JWS_HEADER_UNKNOWN_ALG,
	JWS_HEADER_BAD_KID,
	JWS_PAYLOAD_BAD_BASE64,
	JWS_PAYLOAD_BAD_JSON,
	JWS_ISS_NOT_STRING,
	JWS_SUB_NOT_STRING,
	JWS_IAT_NOT_NUMBER,
	JWS_IAT_OUT_OF_RANGE,
	JWS_NBF_NOT_NUMBER,
	JWS_NBF_OUT_OF_RANGE,
	JWS_EXP_NOT_NUMBER,
	JWS_EXP_OUT_OF_RANGE,
	JWS_JTI_NOT_STRING,
	JWS_AUD_NOT_STRINGS,
	JWS_SIGNATURE_BAD_BASE64,
	JWS_UNKNOWN_ISSUER = 24,
	JWS_AUDIENCE_NOT_ALLOWED,
	JWS_VERIFICATION_FAILS,
	JWS_MULTIPLE,
	JWS_NO_KEY = 32,
	JWS_HEADER_CRIT = 64,
	JWS_HEADER_B64,
	JWS_STATUS_N
};

const char *jws_status_text(enum jws_status);

/* Seconds since 1970, not always whole ones (RFC 7519 section 2). */
struct jws_date {
	bool given;
	double seconds;
};

struct jws {
	struct str token; /* NUL-terminated copy */
	struct str payload_text; /* the middle part as it came */
	struct str header_json, payload_json; /* decoded parts */
	const struct cJSON *header, *claims;
	enum jose_alg alg;
	struct str kid; /* absent if not given, as the claims below */
	struct str iss, sub;
	struct jws_date exp, nbf;
	const struct str *audiences;
	size_t n_audiences;
};

/* Takes a token apart, into memory of the arena. Nothing in it is trusted yet. */
enum jws_status jws_parse(struct arena *, struct str token, struct jws *out);

/*
 * Verifies the signature with those keys whose kid is the token's (where
 * both have one) and that may be used for its algorithm.
 */
enum jws_status jws_verify(const struct jws *, const struct jwks *);

/* Whether the token holds at now_s, give or take skew_s. */
enum jws_status jws_check_time(
    struct jws_date exp, struct jws_date nbf, int64_t now_s, int64_t skew_s);

#endif
