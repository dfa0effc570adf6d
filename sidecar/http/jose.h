/*
 * What tokens (jws) and keys (jwk) share: the signature algorithms of
 * RFC 7518 section 3 that are supported, and JSON objects read strictly.
 */
#ifndef SALLYPORT_HTTP_JOSE_H
#define SALLYPORT_HTTP_JOSE_H

#include "base/arena.h"

enum jose_alg {
	JOSE_HS256,
	JOSE_HS384,
	JOSE_HS512,
	JOSE_RS256,
	JOSE_RS384,
	JOSE_RS512,
	JOSE_ES256,
	JOSE_ES384,
	JOSE_ES512,
	JOSE_ALG_N /* no algorithm */
};

/* The algorithm of that name ("ES256"), or JOSE_ALG_N. */
enum jose_alg jose_alg_of(struct str name);
const char *jose_alg_name(enum jose_alg);

struct cJSON;

/*
 * Parses text as one JSON object (RFC 8259) and nothing else; NULL for
 * anything that two readers could understand differently: a member twice,
 * a NUL in a string, what the grammar does not know; and for nesting deeper
 * than 32 or more than 256 members in an object. Freed with the arena.
 */
const struct cJSON *jose_object(struct arena *, struct str text);

/* The member of that name, letters compared with case, or NULL. */
const struct cJSON *jose_member(const struct cJSON *, const char *name);

/* The text of a string value; absent for NULL and for other types. */
struct str jose_string(const struct cJSON *);

#endif
