/*
 * Tokens and key sets. The first byte chooses: a token as it is, a header
 * and a payload that are put into a token, or a key set. No token verifies,
 * for nobody can sign.
 */
#include "config.h"

#include <stdlib.h>

#include "http/base64.h"
#include "http/claims.h"
#include "http/jws.h"
#include "http/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static void
try_token(struct arena *arena, struct str token)
{
	static const char secret[] = "0123456789abcdef0123456789abcdef";
	const struct str path[] = { STR("a"), STR("b") };
	struct jwks keys =
	    jwks_of_secret(arena, (struct str){ secret, sizeof(secret) - 1 });
	struct jws jws;

	if (jws_parse(arena, token, &jws))
		return;
	check(jws.alg < JOSE_ALG_N && jws.claims && jws.token.len);
	check(jws_verify(&jws, &keys) != JWS_OK);
	claims_header(arena, jws.claims, path, 1);
	claims_header(arena, jws.claims, path, 2);
	claims_json_with_lists(arena, jws.claims, &jws.iss, 1);
}

/* A token of the two lines of text as header and payload. */
static struct str
token_of(struct arena *arena, struct str text)
{
	struct str header = base64url_encode(arena, str_split(&text, '\n'));
	struct str payload = base64url_encode(arena, text);

	return arena_printf(arena, STR_FMT "." STR_FMT ".c2lnbmF0dXJl",
	    STR_ARG(header), STR_ARG(payload));
}

static void
try_base64(struct arena *arena, struct str text)
{
	struct str bytes;

	if (!base64url_decode(arena, text, &bytes))
		check(str_eq(base64url_encode(arena, bytes), text));
	if (!base64_decode(arena, text, &bytes))
		check(str_eq(base64_encode(arena, bytes), text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena;
	struct jwks keys;
	const char *why;
	struct str text;

	if (size < 1)
		return 0;
	arena = arena_new(4096);
	text =
	    arena_str(arena, (struct str){ (const char *)data + 1, size - 1 });
	try_base64(arena, text);
	params_query_without(arena, text, STR("t"));
	params_cookie_get(text, STR("t"));
	if (data[0] == 'k') {
		if (!jwks_parse(arena, text, &keys, &why))
			check(keys.n > 0 && keys.keys[0].algs);
		else
			check(why != NULL);
	} else {
		try_token(arena, data[0] == 'j' ? token_of(arena, text) : text);
	}
	arena_free(arena);
	return 0;
}
