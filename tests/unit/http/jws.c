#include "config.h"

#include <check.h>

#include "http/jws.h"
#include "tests/unit/http/tokens.h"

static struct arena *arena;
static struct jwks keys;

static void
setup(void)
{
	const char *why;

	arena = arena_new(16384);
	ck_assert_int_eq(
	    jwks_parse(arena, token_jwks(arena), &keys, &why), ERR_OK);
}

static void
teardown(void)
{
	arena_free(arena);
}

static enum jws_status
judged(struct str token)
{
	struct jws jws;
	enum jws_status status = jws_parse(arena, token, &jws);

	return status ? status : jws_verify(&jws, &keys);
}

static const char *
header_of(enum jose_alg alg)
{
	return arena_printf(arena, "{\"alg\":\"%s\"}", jose_alg_name(alg)).ptr;
}

START_TEST(a_token_of_each_algorithm_verifies)
{
	enum jose_alg alg = (enum jose_alg)_i;

	ck_assert_str_eq(jws_status_text(judged(token_of(
			     arena, alg, header_of(alg), "{\"sub\":\"me\"}"))),
	    "OK");
}
END_TEST

START_TEST(a_token_with_another_payload_does_not_verify)
{
	enum jose_alg alg = (enum jose_alg)_i;
	struct str token =
	    token_of(arena, alg, header_of(alg), "{\"sub\":\"me\"}");
	struct str other =
	    token_input(arena, header_of(alg), "{\"sub\":\"you\"}");
	size_t dot =
	    str_find_char(token, '.', str_find_char(token, '.', 0) + 1);
	struct str signature = str_slice(token, dot, token.len);

	ck_assert_int_eq(judged(arena_printf(arena, STR_FMT STR_FMT,
			     STR_ARG(other), STR_ARG(signature))),
	    JWS_VERIFICATION_FAILS);
}
END_TEST

START_TEST(a_signature_cut_short_or_prolonged_does_not_verify)
{
	enum jose_alg alg = (enum jose_alg)_i;
	struct str input =
	    token_input(arena, header_of(alg), "{\"sub\":\"me\"}");
	struct str signature, text;

	if (alg <= JOSE_HS512)
		signature = token_hmac(arena, STR(TOKEN_SECRET), alg, input);
	else
		signature = token_signature_by(
		    arena, token_keys[token_key_of(alg)], alg, input);
	for (size_t cut = 1; cut < signature.len; cut++) {
		text = base64url_encode(
		    arena, str_slice(signature, 0, signature.len - cut));
		ck_assert_int_eq(judged(arena_printf(arena, STR_FMT "." STR_FMT,
				     STR_ARG(input), STR_ARG(text))),
		    JWS_VERIFICATION_FAILS);
	}
	text = base64url_encode(arena,
	    arena_printf(arena, "%.*s\1", (int)signature.len, signature.ptr));
	ck_assert_int_eq(judged(arena_printf(arena, STR_FMT "." STR_FMT,
			     STR_ARG(input), STR_ARG(text))),
	    JWS_VERIFICATION_FAILS);
}
END_TEST

static const struct {
	enum jose_alg signed_with;
	const char *header, *payload;
	enum jws_status status;
} shapes[] = {
	{ JOSE_HS256, "{\"alg\":\"none\"}", "{}", JWS_HEADER_UNKNOWN_ALG },
	{ JOSE_HS256, "{\"alg\":\"None\"}", "{}", JWS_HEADER_UNKNOWN_ALG },
	{ JOSE_HS256, "{\"alg\":\"hs256\"}", "{}", JWS_HEADER_UNKNOWN_ALG },
	{ JOSE_HS256, "{\"alg\":\"PS256\"}", "{}", JWS_HEADER_UNKNOWN_ALG },
	{ JOSE_HS256, "{\"alg\":\"\"}", "{}", JWS_HEADER_UNKNOWN_ALG },
	{ JOSE_HS256, "{\"alg\":null}", "{}", JWS_HEADER_BAD_ALG },
	{ JOSE_HS256, "{\"alg\":[\"HS256\"]}", "{}", JWS_HEADER_BAD_ALG },
	{ JOSE_HS256, "{\"Alg\":\"HS256\"}", "{}", JWS_HEADER_BAD_ALG },
	{ JOSE_HS256, "{}", "{}", JWS_HEADER_BAD_ALG },
	{ JOSE_HS256, "[]", "{}", JWS_HEADER_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"", "{}", JWS_HEADER_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}x", "{}", JWS_HEADER_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\",}", "{}", JWS_HEADER_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"none\",\"alg\":\"HS256\"}", "{}",
	    JWS_HEADER_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"none\",\"\\u0061lg\":\"HS256\"}", "{}",
	    JWS_HEADER_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\\u0000x\"}", "{}",
	    JWS_HEADER_BAD_JSON },
	{ JOSE_HS256, "{\"alg\\u0000\":\"none\",\"alg\":\"HS256\"}", "{}",
	    JWS_HEADER_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\",\"kid\":7}", "{}",
	    JWS_HEADER_BAD_KID },
	{ JOSE_HS256, "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{}",
	    JWS_HEADER_CRIT },
	{ JOSE_HS256, "{\"alg\":\"HS256\",\"b64\":true}", "{}",
	    JWS_HEADER_B64 },
	{ JOSE_HS256, "{\"alg\":\"HS256\",\"kid\":\"nobody\"}", "{}",
	    JWS_NO_KEY },
	{ JOSE_HS256, "{\"alg\":\"HS256\",\"kid\":\"\"}", "{}", JWS_NO_KEY },
	{ JOSE_HS256, "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", "{}", JWS_NO_KEY },
	{ JOSE_HS256, "{\"alg\":\"HS256\",\"kid\":\"oct\"}", "{}", JWS_OK },
	{ JOSE_HS256, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"jwk\":{}}", "{}",
	    JWS_OK },
	{ JOSE_RS256, "{\"alg\":\"RS384\"}", "{}", JWS_VERIFICATION_FAILS },
	{ JOSE_ES256, "{\"alg\":\"ES384\"}", "{}", JWS_VERIFICATION_FAILS },
	{ JOSE_ES256, "{\"alg\":\"ES256\",\"kid\":\"p384\"}", "{}",
	    JWS_NO_KEY },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "", JWS_BAD_FORMAT },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "[]", JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"a\":1}{}",
	    JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"sub\":\"a\",\"sub\":\"b\"}",
	    JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"a\":{\"b\":1,\"b\":2}}",
	    JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"a\":[{\"b\":1,\"b\":2}]}",
	    JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"sub\":\"a\\u0000b\"}",
	    JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"sub\":\"a\\\\u0000b\"}",
	    JWS_OK },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"a\":\"\\ud800\"}",
	    JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"a\":01}",
	    JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"a\":1.}",
	    JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"a\":\"\n\"}",
	    JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"a\":NaN}",
	    JWS_PAYLOAD_BAD_JSON },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"iss\":1}",
	    JWS_ISS_NOT_STRING },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"sub\":null}",
	    JWS_SUB_NOT_STRING },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"jti\":1}",
	    JWS_JTI_NOT_STRING },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"aud\":1}",
	    JWS_AUD_NOT_STRINGS },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"aud\":[\"a\",1]}",
	    JWS_AUD_NOT_STRINGS },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"aud\":{\"a\":\"b\"}}",
	    JWS_AUD_NOT_STRINGS },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"exp\":\"1\"}",
	    JWS_EXP_NOT_NUMBER },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"exp\":null}",
	    JWS_EXP_NOT_NUMBER },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"nbf\":true}",
	    JWS_NBF_NOT_NUMBER },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"iat\":{}}",
	    JWS_IAT_NOT_NUMBER },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"exp\":-1}",
	    JWS_EXP_OUT_OF_RANGE },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"exp\":1e400}",
	    JWS_EXP_OUT_OF_RANGE },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}",
	    "{\"nbf\":99999999999999999999999999}", JWS_NBF_OUT_OF_RANGE },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"iat\":-0.5}",
	    JWS_IAT_OUT_OF_RANGE },
	{ JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"exp\":1.5e9}", JWS_OK },
};

START_TEST(what_the_rfcs_forbid_is_refused_by_name)
{
	ck_assert_str_eq(
	    jws_status_text(judged(token_of(arena, shapes[_i].signed_with,
		shapes[_i].header, shapes[_i].payload))),
	    jws_status_text(shapes[_i].status));
}
END_TEST

START_TEST(the_form_of_the_text_is_strict)
{
	struct str good = token_of(
	    arena, JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"sub\":\"m\"}");
	const char *g = good.ptr;
	const struct {
		const char *format;
		enum jws_status status;
	} cases[] = {
		{ "%s", JWS_OK },
		{ "%s.", JWS_BAD_FORMAT },
		{ ".%s", JWS_BAD_FORMAT },
		{ "%s.x", JWS_BAD_FORMAT },
		{ "%s ", JWS_SIGNATURE_BAD_BASE64 },
		{ "%s\n", JWS_SIGNATURE_BAD_BASE64 },
		{ "%s=", JWS_SIGNATURE_BAD_BASE64 },
		{ "%s,x", JWS_SIGNATURE_BAD_BASE64 },
		{ " %s", JWS_HEADER_BAD_BASE64 },
		{ "%sA", JWS_VERIFICATION_FAILS },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str before, after, format = str_of(cases[i].format);
		size_t at = str_find(format, STR("%s"), 0);

		before = str_slice(format, 0, at);
		after = str_slice(format, at + 2, format.len);
		ck_assert_msg(
		    judged(arena_printf(arena, STR_FMT "%s" STR_FMT,
			STR_ARG(before), g, STR_ARG(after))) == cases[i].status,
		    "%s", cases[i].format);
	}
	ck_assert_int_eq(judged(STR("")), JWS_BAD_FORMAT);
	ck_assert_int_eq(judged(STR("a.b")), JWS_BAD_FORMAT);
	ck_assert_int_eq(judged(STR("..")), JWS_BAD_FORMAT);
	ck_assert_int_eq(judged(STR("a..b.c")), JWS_BAD_FORMAT);
	ck_assert_int_eq(
	    judged(arena_printf(arena, STR_FMT ".",
		STR_ARG(token_input(arena, "{\"alg\":\"HS256\"}", "{}")))),
	    JWS_BAD_FORMAT);
	ck_assert_int_eq(
	    judged(arena_printf(arena, STR_FMT ".",
		STR_ARG(token_input(arena, "{\"alg\":\"none\"}", "{}")))),
	    JWS_BAD_FORMAT);
	ck_assert_int_eq(
	    judged((struct str){ "a.b\0c.d", 7 }), JWS_HEADER_BAD_BASE64);
}
END_TEST

START_TEST(a_public_key_used_as_a_secret_does_not_verify)
{
	struct str input = token_input(arena, "{\"alg\":\"HS256\"}", "{}");
	struct str pem = STR_NONE, signature;

	for (size_t i = 0; i < keys.n; i++) {
		struct jwks only = { .keys = &keys.keys[i], .n = 1 };
		struct jws jws;

		if (!str_starts(keys.keys[i].material, STR("-----")))
			continue;
		pem = keys.keys[i].material;
		signature = base64url_encode(
		    arena, token_hmac(arena, pem, JOSE_HS256, input));
		ck_assert_int_eq(jws_parse(arena,
				     arena_printf(arena, STR_FMT "." STR_FMT,
					 STR_ARG(input), STR_ARG(signature)),
				     &jws),
		    JWS_OK);
		ck_assert_int_eq(jws_verify(&jws, &only), JWS_NO_KEY);
		ck_assert_int_eq(
		    jws_verify(&jws, &keys), JWS_VERIFICATION_FAILS);
	}
	ck_assert(pem.ptr);
}
END_TEST

START_TEST(all_keys_that_fit_are_tried)
{
	struct str other = token_rsa_jwk(arena, TOKEN_OTHER_RSA, "");
	struct str mine = token_jwk(arena, TOKEN_RSA, "");
	struct str token = token_of(
	    arena, JOSE_RS256, "{\"alg\":\"RS256\",\"kid\":\"x\"}", "{}");
	struct jwks set;
	struct jws jws;
	const char *why;

	ck_assert_int_eq(jws_parse(arena, token, &jws), JWS_OK);
	ck_assert_int_eq(
	    jwks_parse(arena,
		arena_printf(arena, "{\"keys\":[" STR_FMT "," STR_FMT "]}",
		    STR_ARG(other), STR_ARG(mine)),
		&set, &why),
	    ERR_OK);
	ck_assert_int_eq(jws_verify(&jws, &set), JWS_OK);
	set.n = 1;
	ck_assert_int_eq(jws_verify(&jws, &set), JWS_VERIFICATION_FAILS);
}
END_TEST

START_TEST(a_key_made_for_one_algorithm_serves_no_other)
{
	struct jwks set;
	struct jws jws;
	const char *why;
	struct str key = token_jwk(arena, TOKEN_OCT, ",\"alg\":\"HS512\"");

	ck_assert_int_eq(
	    jwks_parse(arena,
		arena_printf(arena, "{\"keys\":[" STR_FMT "]}", STR_ARG(key)),
		&set, &why),
	    ERR_OK);
	ck_assert_int_eq(
	    jws_parse(arena,
		token_of(arena, JOSE_HS256, "{\"alg\":\"HS256\"}", "{}"), &jws),
	    JWS_OK);
	ck_assert_int_eq(jws_verify(&jws, &set), JWS_NO_KEY);
}
END_TEST

START_TEST(a_token_beyond_16_kib_is_refused)
{
	char *payload = arena_alloc(arena, 16384);
	struct str token;

	memset(payload, ' ', 12230);
	payload[0] = '{';
	payload[12229] = '}';
	token = token_of(arena, JOSE_HS256, "{\"alg\":\"HS256\"}", payload);
	ck_assert_uint_le(token.len, JWS_LEN_MAX);
	ck_assert_int_eq(judged(token), JWS_OK);
	memset(payload, ' ', 12300);
	payload[0] = '{';
	payload[12299] = '}';
	token = token_of(arena, JOSE_HS256, "{\"alg\":\"HS256\"}", payload);
	ck_assert_uint_gt(token.len, JWS_LEN_MAX);
	ck_assert_int_eq(judged(token), JWS_BAD_FORMAT);
}
END_TEST

START_TEST(deep_and_wide_json_is_refused)
{
	char *payload = arena_alloc(arena, 8192);
	size_t len = 0;

	memcpy(payload, "{\"a\":", 5);
	memset(payload + 5, '[', 32);
	memset(payload + 37, ']', 32);
	payload[69] = '}';
	ck_assert_int_eq(
	    judged(token_of(arena, JOSE_HS256, "{\"alg\":\"HS256\"}", payload)),
	    JWS_PAYLOAD_BAD_JSON);
	payload[5] = payload[68] = ' ';
	ck_assert_int_eq(
	    judged(token_of(arena, JOSE_HS256, "{\"alg\":\"HS256\"}", payload)),
	    JWS_OK);
	payload[len++] = '{';
	for (int i = 0; i < 257; i++)
		len += (size_t)sprintf(
		    payload + len, "%s\"%d\":%d", i ? "," : "", i, i);
	memcpy(payload + len, "}", 2);
	ck_assert_int_eq(
	    judged(token_of(arena, JOSE_HS256, "{\"alg\":\"HS256\"}", payload)),
	    JWS_PAYLOAD_BAD_JSON);
}
END_TEST

START_TEST(claims_are_read_as_the_token_has_them)
{
	struct jws jws;
	struct str token =
	    token_of(arena, JOSE_ES256, "{\"alg\":\"ES256\",\"kid\":\"p256\"}",
		"{\"iss\":\"i\",\"sub\":\"s\",\"aud\":[\"a\",\"b\"],"
		"\"exp\":2.5,\"nbf\":0}");

	ck_assert_int_eq(jws_parse(arena, token, &jws), JWS_OK);
	ck_assert(str_eq(jws.kid, STR("p256")));
	ck_assert(str_eq(jws.iss, STR("i")));
	ck_assert(str_eq(jws.sub, STR("s")));
	ck_assert_uint_eq(jws.n_audiences, 2);
	ck_assert(str_eq(jws.audiences[1], STR("b")));
	ck_assert(jws.exp.given && jws.exp.seconds > 2.4);
	ck_assert(jws.nbf.given);
	token = token_of(
	    arena, JOSE_HS256, "{\"alg\":\"HS256\"}", "{\"aud\":\"a\"}");
	ck_assert_int_eq(jws_parse(arena, token, &jws), JWS_OK);
	ck_assert(!jws.kid.ptr && !jws.iss.ptr && !jws.sub.ptr);
	ck_assert(!jws.exp.given && !jws.nbf.given);
	ck_assert_uint_eq(jws.n_audiences, 1);
}
END_TEST

static const struct {
	struct jws_date exp, nbf;
	int64_t now;
	enum jws_status status;
} times[] = {
	{ { false, 0 }, { false, 0 }, 1000, JWS_OK },
	{ { true, 1000 }, { false, 0 }, 1060, JWS_OK },
	{ { true, 1000 }, { false, 0 }, 1061, JWS_EXPIRED },
	{ { true, 1000.5 }, { false, 0 }, 1060, JWS_OK },
	{ { true, 0 }, { false, 0 }, 1000, JWS_EXPIRED },
	{ { true, 0x1p62 }, { false, 0 }, 1000, JWS_OK },
	{ { false, 0 }, { true, 1060 }, 1000, JWS_OK },
	{ { false, 0 }, { true, 1061 }, 1000, JWS_NOT_YET_VALID },
	{ { false, 0 }, { true, 1060.5 }, 1000, JWS_NOT_YET_VALID },
	{ { true, 1 }, { true, 0x1p62 }, 1000, JWS_NOT_YET_VALID },
};

START_TEST(time_is_checked_with_leeway)
{
	ck_assert_int_eq(
	    jws_check_time(times[_i].exp, times[_i].nbf, times[_i].now, 60),
	    times[_i].status);
}
END_TEST

Suite *suite_http_jws(void);

Suite *
suite_http_jws(void)
{
	Suite *s = suite_create("http/jws");
	TCase *t = tcase_create("jws");

	tokens_make_keys();
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(
	    t, a_token_of_each_algorithm_verifies, 0, JOSE_ALG_N);
	tcase_add_loop_test(
	    t, a_token_with_another_payload_does_not_verify, 0, JOSE_ALG_N);
	tcase_add_loop_test(t,
	    a_signature_cut_short_or_prolonged_does_not_verify, 0, JOSE_ALG_N);
	tcase_add_loop_test(t, what_the_rfcs_forbid_is_refused_by_name, 0,
	    sizeof(shapes) / sizeof(shapes[0]));
	tcase_add_test(t, the_form_of_the_text_is_strict);
	tcase_add_test(t, a_public_key_used_as_a_secret_does_not_verify);
	tcase_add_test(t, all_keys_that_fit_are_tried);
	tcase_add_test(t, a_key_made_for_one_algorithm_serves_no_other);
	tcase_add_test(t, a_token_beyond_16_kib_is_refused);
	tcase_add_test(t, deep_and_wide_json_is_refused);
	tcase_add_test(t, claims_are_read_as_the_token_has_them);
	tcase_add_loop_test(t, time_is_checked_with_leeway, 0,
	    sizeof(times) / sizeof(times[0]));
	suite_add_tcase(s, t);
	return s;
}
