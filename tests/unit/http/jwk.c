#include "config.h"

#include <check.h>

#include "http/jwk.h"
#include "tests/unit/http/tokens.h"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new(16384);
}

static void
teardown(void)
{
	arena_free(arena);
}

static struct str
set_of(struct str key)
{
	return arena_printf(arena, "{\"keys\":[" STR_FMT "]}", STR_ARG(key));
}

static const struct {
	enum token_key key;
	const char *more;
	unsigned algs;
} good[] = {
	{ TOKEN_OCT, "", 1 << JOSE_HS256 | 1 << JOSE_HS384 | 1 << JOSE_HS512 },
	{ TOKEN_OCT, ",\"alg\":\"HS384\"", 1 << JOSE_HS384 },
	{ TOKEN_RSA, "", 1 << JOSE_RS256 | 1 << JOSE_RS384 | 1 << JOSE_RS512 },
	{ TOKEN_RSA, ",\"alg\":\"RS512\",\"use\":\"sig\"", 1 << JOSE_RS512 },
	{ TOKEN_RSA, ",\"key_ops\":[\"sign\",\"verify\"],\"alg\":\"RS256\"",
	    1 << JOSE_RS256 },
	{ TOKEN_P256, "", 1 << JOSE_ES256 },
	{ TOKEN_P384, ",\"alg\":\"ES384\"", 1 << JOSE_ES384 },
	{ TOKEN_P521, ",\"x5c\":[\"ignored\"]", 1 << JOSE_ES512 },
};

START_TEST(a_key_verifies_the_algorithms_of_its_kind)
{
	struct jwks set;
	const char *why;
	enum err err = jwks_parse(arena,
	    set_of(token_jwk(arena, good[_i].key, good[_i].more)), &set, &why);

	ck_assert_msg(!err, "%s", why);
	ck_assert_uint_eq(set.n, 1);
	ck_assert_uint_eq(set.n_warnings, 0);
	ck_assert_uint_eq(set.keys[0].algs, good[_i].algs);
	ck_assert(!set.keys[0].kid.ptr);
	ck_assert(good[_i].key == TOKEN_OCT
		      ? str_eq(set.keys[0].material, STR(TOKEN_SECRET))
		      : str_starts(set.keys[0].material,
			    STR("-----BEGIN PUBLIC KEY-----\n")));
}
END_TEST

static const struct {
	const char *key, *why;
} bad[] = {
	{ "7", "[kty] is missing in [keys]" },
	{ "{}", "[kty] is missing in [keys]" },
	{ "{\"kty\":7}", "[kty] is bad in [keys]" },
	{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
	    "[kty] is not supported in [keys]" },
	{ "{\"kty\":\"rsa\"}", "[kty] is not supported in [keys]" },
	{ "{\"kty\":\"RSA\"}", "[n] field is missing for a RSA key" },
	{ "{\"kty\":\"RSA\",\"n\":1}",
	    "[n] field is not string for a RSA key" },
	{ "{\"kty\":\"RSA\",\"n\":\"AQAB\"}",
	    "[e] field is missing for a RSA key" },
	{ "{\"kty\":\"RSA\",\"n\":\"AQAB=\",\"e\":\"AQAB\"}",
	    "Jwks RSA [n] or [e] field is missing or has a parse error" },
	{ "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
	    "the RSA key has fewer than 2048 bits" },
	{ "{\"kty\":\"EC\",\"crv\":1}",
	    "[crv] field is not string for an EC key" },
	{ "{\"kty\":\"EC\",\"crv\":\"P-224\"}",
	    "[crv] or [alg] field is not supported for an EC key" },
	{ "{\"kty\":\"EC\",\"crv\":\"secp256k1\"}",
	    "[crv] or [alg] field is not supported for an EC key" },
	{ "{\"kty\":\"EC\"}", "[x] field is missing for an EC key" },
	{ "{\"kty\":\"EC\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
	    "Jwks EC [x] and [y] fields have a parse error." },
	{ "{\"kty\":\"EC\",\"crv\":\"P-256\","
	  "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
	  "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}",
	    "Jwks EC [x] and [y] fields have a parse error." },
	{ "{\"kty\":\"oct\"}", "[k] field is missing for an HMAC key" },
	{ "{\"kty\":\"oct\",\"k\":1}",
	    "[k] field is not string for an HMAC key" },
	{ "{\"kty\":\"oct\",\"k\":\"\"}", "Jwks Oct key is an invalid Base64" },
	{ "{\"kty\":\"oct\",\"k\":\"a b\"}",
	    "Jwks Oct key is an invalid Base64" },
	{ "{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"RS256\"}",
	    "[alg] does not start with [HS] for an HMAC key" },
	{ "{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"none\"}",
	    "[alg] does not start with [HS] for an HMAC key" },
	{ "{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":5}",
	    "[alg] is not a string in [keys]" },
	{ "{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":5}",
	    "[kid] is not a string in [keys]" },
	{ "{\"kty\":\"oct\",\"k\":\"AAAA\",\"use\":\"enc\"}",
	    "[use] is not sig" },
	{ "{\"kty\":\"oct\",\"k\":\"AAAA\",\"key_ops\":[\"sign\"]}",
	    "[key_ops] does not hold verify" },
	{ "{\"kty\":\"oct\",\"k\":\"AAAA\",\"key_ops\":\"verify\"}",
	    "[key_ops] does not hold verify" },
};

START_TEST(a_set_without_a_good_key_is_refused_for_its_first_fault)
{
	struct jwks set;
	const char *why;

	ck_assert_int_eq(
	    jwks_parse(arena, set_of(str_of(bad[_i].key)), &set, &why),
	    ERR_BAD);
	ck_assert_str_eq(why, bad[_i].why);
}
END_TEST

START_TEST(a_bad_key_beside_a_good_one_gives_a_warning)
{
	struct jwks set;
	const char *why;
	struct str both = arena_printf(arena, "%s," STR_FMT, bad[_i].key,
	    STR_ARG(token_jwk(arena, TOKEN_OCT, "")));

	ck_assert_int_eq(jwks_parse(arena, set_of(both), &set, &why), ERR_OK);
	ck_assert_uint_eq(set.n, 1);
	ck_assert_uint_eq(set.n_warnings, 1);
	ck_assert(str_ends(set.warnings[0], str_of(bad[_i].why)));
}
END_TEST

START_TEST(a_set_is_an_object_with_a_list_of_keys)
{
	static const char *const cases[][2] = {
		{ "", "Jwks is an invalid JSON" },
		{ "[]", "Jwks is an invalid JSON" },
		{ "{\"keys\":[]} x", "Jwks is an invalid JSON" },
		{ "{\"keys\":[],\"keys\":[]}", "Jwks is an invalid JSON" },
		{ "{\"keys\":[{\"kty\":\"oct\",\"kty\":\"oct\"}]}",
		    "Jwks is an invalid JSON" },
		{ "{}", "Jwks does not have [keys] field" },
		{ "{\"Keys\":[]}", "Jwks does not have [keys] field" },
		{ "{\"keys\":{}}", "[keys] in Jwks is not an array" },
		{ "{\"keys\":[]}", "Jwks doesn't have any valid public key" },
	};
	struct jwks set;
	const char *why;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(
		    jwks_parse(arena, str_of(cases[i][0]), &set, &why),
		    ERR_BAD);
		ck_assert_str_eq(why, cases[i][1]);
	}
}
END_TEST

START_TEST(an_rsa_key_of_1024_bits_is_refused)
{
	struct jwks set;
	const char *why;

	ck_assert_int_eq(
	    jwks_parse(arena, set_of(token_rsa_jwk(arena, TOKEN_SHORT_RSA, "")),
		&set, &why),
	    ERR_BAD);
	ck_assert_str_eq(why, "the RSA key has fewer than 2048 bits");
}
END_TEST

START_TEST(alg_and_curve_of_an_ec_key_must_agree)
{
	struct jwks set;
	const char *why;

	ck_assert_int_eq(
	    jwks_parse(arena,
		set_of(token_jwk(arena, TOKEN_P256, ",\"alg\":\"ES384\"")),
		&set, &why),
	    ERR_BAD);
	ck_assert_str_eq(why,
	    "[crv] field specified is not compatible with [alg] for an EC "
	    "key");
}
END_TEST

START_TEST(a_short_secret_is_taken_with_a_warning)
{
	struct jwks set;
	const char *why;

	ck_assert_int_eq(
	    jwks_parse(arena,
		STR("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"a\"}]}"),
		&set, &why),
	    ERR_OK);
	ck_assert_uint_eq(set.n_warnings, 1);
	ck_assert_str_eq(set.warnings[0].ptr,
	    "key 0 (kid a): the secret is shorter than 32 bytes");
}
END_TEST

Suite *suite_http_jwk(void);

Suite *
suite_http_jwk(void)
{
	Suite *s = suite_create("http/jwk");
	TCase *t = tcase_create("jwk");
	const int n_bad = sizeof(bad) / sizeof(bad[0]);

	tokens_make_keys();
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, a_key_verifies_the_algorithms_of_its_kind, 0,
	    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(t,
	    a_set_without_a_good_key_is_refused_for_its_first_fault, 0, n_bad);
	tcase_add_loop_test(
	    t, a_bad_key_beside_a_good_one_gives_a_warning, 0, n_bad);
	tcase_add_test(t, a_set_is_an_object_with_a_list_of_keys);
	tcase_add_test(t, an_rsa_key_of_1024_bits_is_refused);
	tcase_add_test(t, alg_and_curve_of_an_ec_key_must_agree);
	tcase_add_test(t, a_short_secret_is_taken_with_a_warning);
	suite_add_tcase(s, t);
	return s;
}
