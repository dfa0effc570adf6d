#include "config.h"

#include <check.h>

#include "tests/unit/fake_host.h"
#include "tests/unit/http/tokens.h"

extern const struct filter filter_jwt_authn;

static struct arena *arena;
static struct exchange *x;

/* The fake host's clock stands at 1700000000 s. */
#define ME   "\"iss\":\"me\""
#define GOOD "{" ME ",\"sub\":\"joe\",\"exp\":1700000100}"
#define RULE "{match: {prefix: /}, requires: {provider_name: p}}"

static void
setup(void)
{
	arena = arena_new(65536);
	x = NULL;
}

static void
teardown(void)
{
	if (x)
		fake_free(x);
	arena_free(arena);
}

/* A filter with provider p of issuer me, and more of everything. */
static void
configure(const char *provider, const char *providers, const char *rules,
    const char *more, const char *route)
{
	struct str jwks = token_jwks(arena);
	struct str yaml = arena_printf(arena,
	    "providers: {p: {issuer: me, local_jwks: {inline_string: '" STR_FMT
	    "'}%s}%s}\nrules: [%s]\n%s",
	    STR_ARG(jwks), provider, providers, rules, more);

	x = fake_new_with_route(&filter_jwt_authn, yaml.ptr, route);
	ck_assert_msg(!x->setup_error[0], "%s", x->setup_error);
}

static const char *
refused_because(const char *yaml, const char *route)
{
	x = fake_new_with_route(&filter_jwt_authn, yaml, route);
	return x->setup_error;
}

static const char *
hs256(const char *payload)
{
	return token_of(arena, JOSE_HS256, "{\"alg\":\"HS256\"}", payload).ptr;
}

static void
bearer(const char *token)
{
	fake_request(
	    x, "authorization", arena_printf(arena, "Bearer %s", token).ptr);
}

static void
passes(void)
{
	enum verdict verdict = fake_run_request(x);

	ck_assert_msg(verdict == FILTER_NEXT, "%u " STR_FMT, x->reply.status,
	    STR_ARG(x->reply.body));
}

static void
is_refused(unsigned status, const char *text)
{
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_msg(str_eq(x->reply.body, str_of(text)), "%s, but " STR_FMT,
	    text, STR_ARG(x->reply.body));
	ck_assert_uint_eq(x->reply.status, status);
}

static const char *
metadata(const char *key)
{
	struct str value =
	    host_metadata(x, STR("envoy.filters.http.jwt_authn"), str_of(key));

	return value.ptr ? arena_cstr(arena, value) : NULL;
}

START_TEST(a_good_token_of_each_algorithm_passes)
{
	enum jose_alg alg = (enum jose_alg)_i;
	struct str header =
	    arena_printf(arena, "{\"alg\":\"%s\"}", jose_alg_name(alg));

	configure("", "", RULE, "", NULL);
	bearer(token_of(arena, alg, header.ptr, GOOD).ptr);
	passes();
	ck_assert_uint_eq(fake_count(x, "jwt_authn.allowed"), 1);
	ck_assert_uint_eq(fake_count(x, "jwt_authn.denied"), 0);
}
END_TEST

static const struct {
	const char *header, *payload;
	unsigned status;
	const char *text;
} tokens[] = {
	{ "{\"alg\":\"none\"}", GOOD, 401,
	    "Jwt header [alg] is not supported" },
	{ "{\"alg\":\"RS256\"}", GOOD, 401, "Jwt verification fails" },
	{ "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", GOOD, 401,
	    "Jwks doesn't have key to match kid or alg from Jwt" },
	{ "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", GOOD, 401,
	    "Jwt header [crit] is not supported" },
	{ "{\"alg\":\"HS256\",\"b64\":false}", GOOD, 401,
	    "Jwt header [b64] is not supported" },
	{ "{\"alg\":\"HS256\"}", "{" ME ",\"exp\":1699999940}", 0, NULL },
	{ "{\"alg\":\"HS256\"}", "{" ME ",\"exp\":1699999939}", 401,
	    "Jwt is expired" },
	{ "{\"alg\":\"HS256\"}", "{" ME ",\"exp\":0}", 401, "Jwt is expired" },
	{ "{\"alg\":\"HS256\"}", "{" ME ",\"nbf\":1700000060}", 0, NULL },
	{ "{\"alg\":\"HS256\"}", "{" ME ",\"nbf\":1700000061}", 401,
	    "Jwt not yet valid" },
	{ "{\"alg\":\"HS256\"}", "{" ME ",\"exp\":\"soon\"}", 401,
	    "Jwt payload [exp] field is not an integer" },
	{ "{\"alg\":\"HS256\"}", "{" ME "}", 0, NULL },
	{ "{\"alg\":\"HS256\"}", "{\"iss\":\"you\"}", 401,
	    "Jwt issuer is not configured" },
	{ "{\"alg\":\"HS256\"}", "{}", 401, "Jwt issuer is not configured" },
	{ "{\"alg\":\"HS256\"}", "{\"iss\":\"me\",\"iss\":\"me\"}", 401,
	    "Jwt payload is an invalid JSON" },
};

START_TEST(tokens_pass_or_are_refused_with_envoys_texts)
{
	configure("", "", RULE, "", NULL);
	bearer(
	    token_of(arena, JOSE_HS256, tokens[_i].header, tokens[_i].payload)
		.ptr);
	if (!tokens[_i].status) {
		passes();
		return;
	}
	is_refused(tokens[_i].status, tokens[_i].text);
	ck_assert_str_eq(fake_reply_header(x, "www-authenticate"),
	    "Bearer realm=\"http://test.example/\", "
	    "error=\"invalid_token\"");
	ck_assert_uint_eq(fake_count(x, "jwt_authn.denied"), 1);
}
END_TEST

START_TEST(a_request_without_token_is_told_where_to_log_in)
{
	configure("", "", RULE, "", NULL);
	fake_request(x, ":path", "/a\"b?access_tokens=secret");
	is_refused(401, "Jwt is missing");
	ck_assert_str_eq(fake_reply_header(x, "www-authenticate"),
	    "Bearer realm=\"http://test.example/a\\\"b\"");
	ck_assert(str_eq(
	    x->reply.details, STR("jwt_authn_access_denied{Jwt_is_missing}")));
}
END_TEST

START_TEST(the_realm_holds_at_most_256_bytes_of_the_path)
{
	char path[400];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[399] = '\0';
	configure("", "", RULE, "", NULL);
	fake_request(x, ":path", path);
	is_refused(401, "Jwt is missing");
	ck_assert_uint_eq(strlen(fake_reply_header(x, "www-authenticate")),
	    strlen("Bearer realm=\"http://test.example\"") + 256);
}
END_TEST

START_TEST(a_refusal_can_be_stripped)
{
	configure("", "", RULE, "strip_failure_response: true", NULL);
	is_refused(401, "");
	ck_assert_ptr_null(fake_reply_header(x, "www-authenticate"));
	ck_assert(str_eq(
	    x->reply.details, STR("jwt_authn_access_denied{Jwt_is_missing}")));
}
END_TEST

static const struct {
	const char *wanted, *claims;
	bool ok;
} audiences[] = {
	{ "[a, b]", "\"aud\":\"a\"", true },
	{ "[a, b]", "\"aud\":[\"x\",\"b\"]", true },
	{ "[a]", "\"aud\":[\"x\"]", false },
	{ "[a]", "\"aud\":[]", false },
	{ "[a]", "\"x\":1", false },
	{ "['https://a/']", "\"aud\":\"http://a\"", true },
	{ "[a]", "\"aud\":\"https://a/\"", true },
	{ "[a]", "\"aud\":\"A\"", false },
	{ "[]", "\"aud\":\"x\"", true },
};

START_TEST(an_audience_must_be_listed)
{
	struct str conf =
	    arena_printf(arena, ", audiences: %s", audiences[_i].wanted);

	configure(conf.ptr, "", RULE, "", NULL);
	bearer(hs256(
	    arena_printf(arena, "{" ME ",%s}", audiences[_i].claims).ptr));
	if (audiences[_i].ok)
		passes();
	else
		is_refused(403, "Audiences in Jwt are not allowed");
}
END_TEST

static const struct {
	const char *conf, *claims;
	bool ok;
} limits[] = {
	{ ", require_expiration: true", "\"exp\":1700000001", true },
	{ ", require_expiration: true", "\"x\":1", false },
	{ ", max_lifetime: 100s", "\"exp\":1700000100", true },
	{ ", max_lifetime: 100s", "\"exp\":1700000101", false },
	{ ", max_lifetime: 100s", "\"x\":1", false },
	{ ", subjects: {prefix: jo}", "\"sub\":\"joe\"", true },
	{ ", subjects: {prefix: jo}", "\"sub\":\"ann\"", false },
	{ ", subjects: {prefix: jo}", "\"x\":1", false },
};

START_TEST(subject_and_lifetime_can_be_limited)
{
	configure(limits[_i].conf, "", RULE, "", NULL);
	bearer(
	    hs256(arena_printf(arena, "{" ME ",%s}", limits[_i].claims).ptr));
	if (limits[_i].ok)
		passes();
	else
		is_refused(401, "Jwt verification fails");
}
END_TEST

START_TEST(the_clock_skew_can_be_set)
{
	configure(", clock_skew_seconds: 5", "", RULE, "", NULL);
	bearer(hs256("{" ME ",\"exp\":1699999995}"));
	passes();
	fake_next_request(x);
	bearer(hs256("{" ME ",\"exp\":1699999994}"));
	is_refused(401, "Jwt is expired");
}
END_TEST

/* ---- where tokens are ---- */

START_TEST(the_token_is_removed_unless_it_is_forwarded)
{
	configure("", "", RULE, "", NULL);
	bearer(hs256(GOOD));
	passes();
	ck_assert_ptr_null(fake_request_header(x, "authorization"));
	fake_free(x);
	configure(", forward: true", "", RULE, "", NULL);
	bearer(hs256(GOOD));
	passes();
	ck_assert_ptr_nonnull(fake_request_header(x, "authorization"));
}
END_TEST

START_TEST(a_token_in_the_query_is_cut_out_of_it)
{
	const char *token = hs256(GOOD);

	configure("", "", RULE, "", NULL);
	fake_request(x, ":path",
	    arena_printf(arena, "/a?b=%%20&access_token=%s&c", token).ptr);
	passes();
	ck_assert_str_eq(fake_request_header(x, ":path"), "/a?b=%20&c");
	fake_next_request(x);
	fake_request(x, ":path",
	    arena_printf(arena, "/a?acc%%65ss_token=%s", token).ptr);
	passes();
	ck_assert_str_eq(fake_request_header(x, ":path"), "/a");
}
END_TEST

static const struct {
	const char *conf, *name, *format;
	bool found;
} places[] = {
	{ "", "authorization", "Bearer %s", true },
	{ "", "authorization", "Bearer  %s", true },
	{ "", "authorization", "Basic x, Bearer %s", true },
	{ "", "authorization", "bearer %s", false },
	{ "", "authorization", "%s", false },
	{ "", "authorization", "Basic %s", false },
	{ "", "x-token", "%s", false },
	{ ", from_headers: [{name: X-Token}]", "x-token", "%s", true },
	{ ", from_headers: [{name: x-token}]", "authorization", "Bearer %s",
	    false },
	{ ", from_headers: [{name: x-token, value_prefix: 'T='}]", "x-token",
	    "T=%s", true },
	{ ", from_cookies: [tok]", "cookie", "a=b; tok=%s; c=d", true },
	{ ", from_cookies: [tok]", "cookie", "tok=\"%s\"", true },
	{ ", from_cookies: [tok]", "cookie", "xtok=%s", false },
	{ ", from_cookies: [tok]", "authorization", "Bearer %s", false },
};

START_TEST(tokens_are_found_where_the_provider_says)
{
	struct str format = str_of(places[_i].format), value;
	size_t at = str_find(format, STR("%s"), 0);

	configure(places[_i].conf, "", RULE, "", NULL);
	value = arena_printf(arena, STR_FMT "%s%s", (int)at, format.ptr,
	    hs256(GOOD), format.ptr + at + 2);
	fake_request(x, places[_i].name, value.ptr);
	if (places[_i].found)
		passes();
	else
		is_refused(401, "Jwt is missing");
}
END_TEST

START_TEST(all_tokens_must_be_good)
{
	const char *good = hs256(GOOD);
	const char *bad = hs256("{" ME ",\"exp\":1}");

	configure("", "", RULE, "", NULL);
	bearer(good);
	bearer(good);
	passes();
	fake_next_request(x);
	bearer(good);
	bearer(bad);
	is_refused(401, "Jwt is expired");
	fake_next_request(x);
	bearer(bad);
	bearer(good);
	is_refused(401, "Jwt is expired");
	fake_next_request(x);
	bearer(good);
	fake_request(
	    x, ":path", arena_printf(arena, "/?access_token=%s", bad).ptr);
	is_refused(401, "Jwt is expired");
}
END_TEST

START_TEST(more_than_16_tokens_are_refused)
{
	configure("", "", RULE, "", NULL);
	for (int i = 0; i < 17; i++)
		bearer(hs256(GOOD));
	is_refused(401, "Found multiple Jwt tokens");
}
END_TEST

/* ---- what the backend gets ---- */

#define CLAIMS                                                                 \
	", claim_to_headers: [{header_name: X-Sub, claim_name: sub}, "         \
	"{header_name: x-deep, claim_name: a.b}, "                             \
	"{header_name: x-url, claim_path: [{key: 'https://e.f/c'}]}]"

static const struct {
	const char *claims, *sub, *deep, *url;
} headers[] = {
	{ "\"sub\":\"joe\",\"a\":{\"b\":7},\"https://e.f/c\":true", "joe", "7",
	    "true" },
	{ "\"sub\":\"\",\"a\":{\"b\":1.5},\"https://e.f/c\":false", NULL,
	    "1.500000", "false" },
	{ "\"a\":{\"b\":-1},\"https://e.f/c\":null", NULL, "-1.000000", NULL },
	{ "\"a\":{\"b\":[\"x\",1]},\"https://e.f/c\":{\"y\":2}", NULL,
	    "WyJ4IiwxXQ==", "eyJ5IjoyfQ==" },
	{ "\"a\":\"b\"", NULL, NULL, NULL },
	{ "\"a\":{\"b\":1e300}", NULL, NULL, NULL },
	{ "\"A\":{\"b\":1},\"a.b\":2", NULL, NULL, NULL },
};

static void
same_or_absent(const char *name, const char *value)
{
	const char *is = fake_request_header(x, name);

	ck_assert_msg(value ? is && !strcmp(is, value) : !is, "%s is %s", name,
	    is ? is : "absent");
}

START_TEST(claims_become_headers_in_place_of_the_clients)
{
	configure(CLAIMS, "", RULE, "", NULL);
	bearer(
	    hs256(arena_printf(arena, "{" ME ",%s}", headers[_i].claims).ptr));
	fake_request(x, "x-sub", "root");
	fake_request(x, "x-deep", "root");
	fake_request(x, "x-url", "root");
	passes();
	same_or_absent("x-sub", headers[_i].sub);
	if (!strstr(headers[_i].claims, "1e300"))
		same_or_absent("x-deep", headers[_i].deep);
	same_or_absent("x-url", headers[_i].url);
}
END_TEST

START_TEST(clients_cannot_send_claim_headers_whatever_happens)
{
	static const char *const rules[] = { RULE, "",
		"{match: {prefix: /}, requires: {allow_missing: {}}}",
		("{match: {prefix: /}, requires: {allow_missing_or_failed: "
		 "{}}}"),
		"{match: {prefix: /}}", "{match: {prefix: /other}}" };
	const int n = sizeof(rules) / sizeof(rules[0]);

	configure(CLAIMS ", forward_payload_header: X-Payload", "",
	    _i < n ? rules[_i] : RULE, "bypass_cors_preflight: true",
	    _i == n ? "disabled: true" : NULL);
	if (_i == n + 1) {
		fake_request(x, ":method", "OPTIONS");
		fake_request(x, "origin", "http://a");
		fake_request(x, "access-control-request-method", "PUT");
	}
	fake_request(x, "x-sub", "root");
	fake_request(x, "x-sub", "toor");
	fake_request(x, "x-payload", "root");
	ck_assert_int_eq(
	    fake_run_request(x), _i == 0 ? FILTER_REPLY : FILTER_NEXT);
	ck_assert_ptr_null(fake_request_header(x, "x-sub"));
	ck_assert_ptr_null(fake_request_header(x, "x-payload"));
}
END_TEST

START_TEST(the_payload_goes_on_as_it_came)
{
	const char *token = hs256(GOOD);
	struct str payload = base64url_encode(arena, STR(GOOD));

	configure(", forward_payload_header: X-Payload", "", RULE, "", NULL);
	bearer(token);
	passes();
	ck_assert_str_eq(
	    fake_request_header(x, "x-payload"), arena_cstr(arena, payload));
	fake_free(x);
	configure(", forward_payload_header: X-Payload, "
		  "pad_forward_payload_header: true",
	    "", RULE, "", NULL);
	bearer(token);
	passes();
	ck_assert_str_eq(fake_request_header(x, "x-payload"),
	    base64_encode(arena, STR(GOOD)).ptr);
}
END_TEST

START_TEST(why_a_token_failed_goes_into_the_metadata)
{
	configure(", failed_status_in_metadata: why", "",
	    "{match: {prefix: /}, requires: {requires_any: {requirements: "
	    "[{provider_name: p}, {allow_missing_or_failed: {}}]}}}",
	    "", NULL);
	passes();
	ck_assert_ptr_null(metadata("why"));
	fake_next_request(x);
	bearer("x");
	passes();
	ck_assert_ptr_nonnull(strstr(metadata("why"), "{\"code\":4,"));
	fake_next_request(x);
	bearer(hs256("{\"iss\":\"you\"}"));
	passes();
	ck_assert_str_eq(metadata("why"),
	    "{\"code\":24,\"message\":\"Jwt issuer is not configured\"}");
}
END_TEST

START_TEST(payload_and_header_go_into_the_metadata)
{
	configure(", payload_in_metadata: body, header_in_metadata: head, "
		  "normalize_payload_in_metadata: {space_delimited_claims: "
		  "[scope, none]}",
	    "", RULE, "", NULL);
	bearer(hs256("{" ME ",\"scope\":\"a  b\"}"));
	passes();
	ck_assert_str_eq(
	    metadata("body"), "{\"iss\":\"me\",\"scope\":[\"a\",\"b\"]}");
	ck_assert_str_eq(metadata("head"), "{\"alg\":\"HS256\"}");
	fake_free(x);
	configure(", payload_in_metadata: body", "", RULE, "", NULL);
	bearer(hs256(GOOD));
	passes();
	ck_assert_str_eq(metadata("body"), GOOD);
	ck_assert(!x->rerouted);
	fake_next_request(x);
	bearer(hs256("{}"));
	is_refused(401, "Jwt issuer is not configured");
	ck_assert_ptr_null(metadata("body"));
}
END_TEST

START_TEST(the_route_is_chosen_anew_when_asked_for)
{
	configure(", payload_in_metadata: body, clear_route_cache: true", "",
	    RULE, "", NULL);
	bearer(hs256(GOOD));
	passes();
	ck_assert(x->rerouted);
}
END_TEST

START_TEST(a_claim_that_no_header_can_hold_is_an_error)
{
	configure(CLAIMS, "", RULE, "", NULL);
	bearer(hs256("{" ME ",\"sub\":\"a\\r\\nx-admin: 1\"}"));
	is_refused(503, "invalid header value for: x-sub");
}
END_TEST

/* ---- requirements ---- */

#define OTHERS                                                                 \
	", q: {issuer: you, from_headers: [{name: x-q}], local_jwks: "         \
	"{inline_string: '%.*s'}}"

static const char *
other_provider(void)
{
	struct str jwks = token_jwks(arena);

	return arena_printf(arena, OTHERS, STR_ARG(jwks)).ptr;
}

#define YOURS "{\"iss\":\"you\"}"
#define P     "{provider_name: p}"
#define Q     "{provider_name: q}"

static const struct {
	const char *requires, *bearer, *x_q;
	const char *text; /* NULL: passes */
} trees[] = {
	{ "requires_any: {requirements: [" P ", " Q "]}", GOOD, NULL, NULL },
	{ "requires_any: {requirements: [" P ", " Q "]}", NULL, YOURS, NULL },
	{ "requires_any: {requirements: [" P ", " Q "]}", NULL, NULL,
	    "Jwt is missing" },
	{ "requires_any: {requirements: [" P ", " Q "]}", "{}", NULL,
	    "Jwt issuer is not configured" },
	{ "requires_any: {requirements: [" P ", " Q "]}", "{" ME ",\"exp\":1}",
	    "{}", "Jwt is expired" },
	{ "requires_any: {requirements: [" P ", " Q "]}", "{}",
	    "{\"iss\":\"you\",\"exp\":1}", "Jwt is expired" },
	{ "requires_any: {requirements: [" P ", " Q "]}", "{" ME ",\"exp\":1}",
	    YOURS, NULL },
	{ "requires_all: {requirements: [" P ", " Q "]}", GOOD, YOURS, NULL },
	{ "requires_all: {requirements: [" P ", " Q "]}", GOOD, NULL,
	    "Jwt is missing" },
	{ "requires_all: {requirements: [" P ", " Q "]}", "{}", NULL,
	    "Jwt issuer is not configured" },
	{ "allow_missing: {}", NULL, NULL, NULL },
	{ "allow_missing: {}", GOOD, NULL, NULL },
	{ "allow_missing: {}", NULL, YOURS, NULL },
	{ "allow_missing: {}", "{" ME ",\"exp\":1}", NULL, "Jwt is expired" },
	{ "allow_missing: {}", "{}", NULL, "Jwt issuer is not configured" },
	{ "allow_missing: {}", YOURS, NULL, "Jwt issuer is not configured" },
	{ "allow_missing: {}", GOOD, "{\"iss\":\"you\",\"exp\":1}",
	    "Jwt is expired" },
	{ "allow_missing: {}", "{" ME ",\"exp\":1}", YOURS, "Jwt is expired" },
	{ "allow_missing_or_failed: {}", NULL, NULL, NULL },
	{ "allow_missing_or_failed: {}", "{" ME ",\"exp\":1}", NULL, NULL },
	{ "allow_missing_or_failed: {}", "nonsense", NULL, NULL },
	{ "requires_any: {requirements: [{allow_missing: {}}, " P "]}", NULL,
	    NULL, NULL },
	{ "requires_any: {requirements: [{allow_missing: {}}, " P "]}", GOOD,
	    NULL, NULL },
	{ "requires_any: {requirements: [{allow_missing: {}}, " P "]}",
	    "{" ME ",\"exp\":1}", NULL, "Jwt is expired" },
	{ "requires_any: {requirements: [{allow_missing: {}}, " P "]}", NULL,
	    "nonsense", NULL },
	{ "requires_any: {requirements: [{allow_missing_or_failed: {}}, " P
	  "]}",
	    "{" ME ",\"exp\":1}", NULL, NULL },
	{ "provider_and_audiences: {provider_name: p, audiences: [z]}",
	    "{" ME ",\"aud\":\"z\"}", NULL, NULL },
	{ "provider_and_audiences: {provider_name: p, audiences: [z]}", GOOD,
	    NULL, "Audiences in Jwt are not allowed" },
	{ "provider_and_audiences: {provider_name: p}", GOOD, NULL, NULL },
	{ "requires_all: {requirements: [{requires_any: {requirements: [" P
	  ", " Q "]}}, " Q "]}",
	    NULL, YOURS, NULL },
};

START_TEST(requirements_combine_as_in_envoy)
{
	struct str rule = arena_printf(
	    arena, "{match: {prefix: /}, requires: {%s}}", trees[_i].requires);

	configure("", other_provider(), rule.ptr, "", NULL);
	if (trees[_i].bearer)
		bearer(hs256(trees[_i].bearer));
	if (trees[_i].x_q)
		fake_request(x, "x-q", hs256(trees[_i].x_q));
	if (!trees[_i].text)
		passes();
	else
		is_refused(
		    str_starts(str_of(trees[_i].text), STR("Aud")) ? 403 : 401,
		    trees[_i].text);
}
END_TEST

START_TEST(a_refused_alternative_leaves_no_trace)
{
	configure(", claim_to_headers: [{header_name: x-p, claim_name: sub}]",
	    other_provider(),
	    "{match: {prefix: /}, requires: {requires_any: {requirements: "
	    "[{requires_all: {requirements: [" P ", {provider_and_audiences: "
	    "{provider_name: p, audiences: [z]}}]}}, " Q "]}}}",
	    "", NULL);
	bearer(hs256(GOOD));
	fake_request(x, "x-q", hs256(YOURS));
	passes();
	ck_assert_ptr_null(fake_request_header(x, "x-p"));
	ck_assert_ptr_nonnull(fake_request_header(x, "authorization"));
}
END_TEST

START_TEST(a_failed_token_that_passes_gives_no_claims)
{
	configure(CLAIMS, "",
	    "{match: {prefix: /}, requires: {allow_missing_or_failed: {}}}", "",
	    NULL);
	bearer(hs256("{" ME ",\"sub\":\"joe\",\"exp\":1}"));
	passes();
	ck_assert_ptr_null(fake_request_header(x, "x-sub"));
}
END_TEST

static const struct {
	const char *rules, *method, *path;
	bool checked;
} matches[] = {
	{ RULE, "GET", "/", true },
	{ "", "GET", "/", false },
	{ "{match: {prefix: /a}}, " RULE, "GET", "/abc", false },
	{ "{match: {prefix: /a}}, " RULE, "GET", "/b", true },
	{ "{match: {path: /a}}, " RULE, "GET", "/a?x", false },
	{ "{match: {path: /a}}, " RULE, "GET", "/a/b", true },
	{ "{match: {path_separated_prefix: /a}}, " RULE, "GET", "/a/b", false },
	{ "{match: {path_separated_prefix: /a}}, " RULE, "GET", "/ab", true },
	{ "{match: {safe_regex: {regex: '/a.*'}}}, " RULE, "GET", "/ab",
	    false },
	{ "{match: {safe_regex: {regex: '/a'}}}, " RULE, "GET", "/ab", true },
	{ "{match: {prefix: /, headers: [{name: ':method', string_match: "
	  "{exact: GET}}]}}, " RULE,
	    "GET", "/", false },
	{ "{match: {prefix: /, headers: [{name: ':method', string_match: "
	  "{exact: GET}}]}}, " RULE,
	    "POST", "/", true },
	{ "{match: {prefix: /, query_parameters: [{name: free}]}}, " RULE,
	    "GET", "/?free=1", false },
	{ "{match: {prefix: /A, case_sensitive: false}}, " RULE, "GET", "/a",
	    false },
};

START_TEST(the_first_rule_that_matches_holds)
{
	configure("", "", matches[_i].rules, "", NULL);
	fake_request(x, ":method", matches[_i].method);
	fake_request(x, ":path", matches[_i].path);
	if (matches[_i].checked)
		is_refused(401, "Jwt is missing");
	else
		passes();
	ck_assert_int_eq(x->decided != NULL, matches[_i].rules[0] != '\0');
}
END_TEST

#define NAMED "requirement_map: {a: {provider_name: p}, b: {allow_missing: {}}}"

START_TEST(requirements_have_names)
{
	configure(
	    "", "", "{match: {prefix: /}, requirement_name: a}", NAMED, NULL);
	is_refused(401, "Jwt is missing");
	fake_free(x);
	configure("", "", RULE, NAMED, "requirement_name: b");
	passes();
	fake_free(x);
	configure("", "", RULE, NAMED, "disabled: true");
	passes();
	fake_free(x);
	configure("", "", RULE, NAMED, "requirement_name: c");
	is_refused(403,
	    "Failed JWT authentication: Wrong requirement_name: c. It should "
	    "be one of [a,b]");
	ck_assert_ptr_null(fake_reply_header(x, "www-authenticate"));
}
END_TEST

START_TEST(preflights_pass_only_when_told_to)
{
	for (int bypass = 0; bypass < 2; bypass++) {
		configure("", "", RULE,
		    bypass ? "bypass_cors_preflight: true" : "", NULL);
		fake_request(x, ":method", "OPTIONS");
		is_refused(401, "Jwt is missing");
		fake_next_request(x);
		fake_request(x, ":method", "OPTIONS");
		fake_request(x, "origin", "http://a");
		fake_request(x, "access-control-request-method", "PUT");
		if (bypass) {
			passes();
			ck_assert_uint_eq(
			    fake_count(x, "jwt_authn.cors_preflight_bypassed"),
			    1);
		} else {
			is_refused(401, "Jwt is missing");
		}
		fake_free(x);
	}
	x = NULL;
}
END_TEST

/* ---- remembered tokens ---- */

START_TEST(a_remembered_token_does_the_same_again)
{
	const char *token = hs256(GOOD);

	configure(CLAIMS ", jwt_cache_config: {}, payload_in_metadata: body",
	    "", RULE, "stat_prefix: s", NULL);
	for (int i = 0; i < 3; i++) {
		fake_next_request(x);
		bearer(token);
		passes();
		ck_assert_str_eq(fake_request_header(x, "x-sub"), "joe");
		ck_assert_str_eq(metadata("body"), GOOD);
		ck_assert_ptr_null(fake_request_header(x, "authorization"));
	}
	ck_assert_uint_eq(fake_count(x, "jwt_authn.s.jwt_cache_miss"), 1);
	ck_assert_uint_eq(fake_count(x, "jwt_authn.s.jwt_cache_hit"), 2);
}
END_TEST

START_TEST(a_remembered_token_expires_all_the_same)
{
	const char *token = hs256(GOOD);

	configure("", "", RULE, "", NULL);
	bearer(token);
	passes();
	/* Envoy has no cache then, and misses every time. */
	ck_assert_uint_eq(fake_count(x, "jwt_authn.jwt_cache_miss"), 1);
	fake_next_request(x);
	x->wall_ns = 1700000160999999999;
	bearer(token);
	passes();
	fake_next_request(x);
	x->wall_ns = 1700000161000000000;
	bearer(token);
	is_refused(401, "Jwt is expired");
	ck_assert_uint_eq(fake_count(x, "jwt_authn.jwt_cache_miss"), 3);
	ck_assert_uint_eq(fake_count(x, "jwt_authn.jwt_cache_hit"), 0);
}
END_TEST

START_TEST(a_remembered_token_is_not_another_one)
{
	char *token = arena_cstr(arena, str_of(hs256(GOOD)));
	size_t len = strlen(token);

	configure("", "", RULE, "", NULL);
	bearer(token);
	passes();
	fake_next_request(x);
	token[len - 2] = token[len - 2] == 'A' ? 'B' : 'A';
	bearer(token);
	is_refused(401, "Jwt verification fails");
}
END_TEST

START_TEST(a_remembered_token_still_needs_the_audience)
{
	const char *token = hs256("{" ME ",\"aud\":\"a\"}");

	configure("", "",
	    "{match: {prefix: /z}, requires: {provider_and_audiences: "
	    "{provider_name: p, audiences: [z]}}}, " RULE,
	    "", NULL);
	bearer(token);
	passes();
	fake_next_request(x);
	fake_request(x, ":path", "/z");
	bearer(token);
	is_refused(403, "Audiences in Jwt are not allowed");
}
END_TEST

START_TEST(refused_and_long_tokens_are_not_remembered)
{
	const char *bad = hs256("{" ME ",\"exp\":1}");
	const char *good = hs256(GOOD);

	configure(
	    ", jwt_cache_config: {jwt_max_token_size: 50}", "", RULE, "", NULL);
	for (int i = 0; i < 2; i++) {
		fake_next_request(x);
		bearer(good);
		passes();
		fake_next_request(x);
		bearer(bad);
		is_refused(401, "Jwt is expired");
	}
	ck_assert_uint_eq(fake_count(x, "jwt_authn.jwt_cache_hit"), 0);
}
END_TEST

START_TEST(a_crowd_of_tokens_displaces_itself)
{
	configure(CLAIMS ", jwt_cache_config: {jwt_cache_size: 2}", "", RULE,
	    "", NULL);
	for (int i = 0; i < 60; i++) {
		struct str sub = arena_printf(arena, "u%d", i % 20);

		fake_next_request(x);
		bearer(hs256(
		    arena_printf(arena, "{" ME ",\"sub\":\"%s\"}", sub.ptr)
			.ptr));
		passes();
		ck_assert_str_eq(fake_request_header(x, "x-sub"), sub.ptr);
	}
}
END_TEST

/* ---- configuration ---- */

static const struct {
	const char *yaml, *route, *why;
} refused[] = {
	{ "providers: {p: {local_jwks: {inline_string: '{}'}}}", NULL,
	    "Provider 'p' in jwt_authn config has invalid local jwks: Jwks "
	    "does not have [keys] field" },
	{ "providers: {p: {local_jwks: {inline_string: x}}}", NULL,
	    "Provider 'p' in jwt_authn config has invalid local jwks: Jwks is "
	    "an invalid JSON" },
	{ "providers: {p: {remote_jwks: {}}}", NULL,
	    "keys must be local: local_jwks" },
	{ "providers: {p: {}}", NULL,
	    "field: \"jwks_source_specifier\", reason: is required" },
	{ "rules: [{match: {prefix: /}, requires: {provider_name: z}}]", NULL,
	    "Required provider ['z'] is not configured." },
	{ "rules: [{match: {prefix: /}, requires: {requires_any: "
	  "{requirements: [{provider_name: zz}, {allow_missing: {}}]}}}]",
	    NULL, "Required provider ['zz'] is not configured." },
	{ "rules: [{match: {prefix: /}, requirement_name: z}]\n"
	  "requirement_map: {a: {}, b: {allow_missing: {}}}",
	    NULL, "Wrong requirement_name: z. It should be one of [a,b]" },
	{ "rules: [{match: {prefix: /}, requires: {requires_any: "
	  "{requirements: [{allow_missing: {}}]}}}]",
	    NULL, "at least 2" },
	{ "rules: [{match: {prefix: /}, requires: "
	  "{extract_only_without_validation: {}}}]",
	    NULL, "only taken from tokens that were verified" },
	{ "filter_state_rules: {name: a}", NULL, "filter state" },
	{ "rules: []", "disabled: false", "must equal true" },
	{ "rules: []", "{}", "reason: is required" },
	{ "nonsense: 1", NULL, "nonsense" },
};

START_TEST(a_configuration_that_cannot_hold_is_refused)
{
	const char *why = refused_because(refused[_i].yaml, refused[_i].route);

	ck_assert_msg(why[0] && strstr(why, refused[_i].why), "%s: %s",
	    refused[_i].yaml, why);
}
END_TEST

static const struct {
	const char *more, *why;
} bad_providers[] = {
	{ ", claim_to_headers: [{header_name: a}]",
	    "Provider 'p' has a claim_to_headers entry for header 'a' which "
	    "does not set exactly one of claim_name and claim_path" },
	{ ", claim_to_headers: [{header_name: a, claim_name: b, claim_path: "
	  "[{key: b}]}]",
	    "exactly one of" },
	{ ", claim_to_headers: [{header_name: a, claim_path: [{}]}]", "Key" },
	{ ", claim_to_headers: [{header_name: ':path', claim_name: a}]",
	    "\":path\" cannot be set as a header" },
	{ ", claim_to_headers: [{header_name: Host, claim_name: a}]",
	    "\"host\" cannot be set as a header" },
	{ ", forward_payload_header: 'a b'", "cannot be set as a header" },
	{ ", subjects: {safe_regex: {regex: '('}}", "regex" },
	{ ", from_headers: [{value_prefix: a}]",
	    "JwtHeaderValidationError.Name: value length" },
};

START_TEST(a_provider_that_cannot_hold_is_refused)
{
	struct str jwks = token_jwks(arena);
	struct str yaml = arena_printf(arena,
	    "providers: {p: {local_jwks: {inline_string: '" STR_FMT "'}%s}}",
	    STR_ARG(jwks), bad_providers[_i].more);
	const char *why = refused_because(yaml.ptr, NULL);

	ck_assert_msg(why[0] && strstr(why, bad_providers[_i].why), "%s: %s",
	    bad_providers[_i].more, why);
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_filters_jwt_authn(void);

Suite *
suite_filters_jwt_authn(void)
{
	Suite *s = suite_create("filters/jwt_authn");
	TCase *t = tcase_create("jwt_authn");

	tokens_make_keys();
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
	    t, a_good_token_of_each_algorithm_passes, 0, JOSE_ALG_N);
	tcase_add_loop_test(
	    t, tokens_pass_or_are_refused_with_envoys_texts, 0, N(tokens));
	tcase_add_test(t, a_request_without_token_is_told_where_to_log_in);
	tcase_add_test(t, the_realm_holds_at_most_256_bytes_of_the_path);
	tcase_add_test(t, a_refusal_can_be_stripped);
	tcase_add_loop_test(t, an_audience_must_be_listed, 0, N(audiences));
	tcase_add_loop_test(
	    t, subject_and_lifetime_can_be_limited, 0, N(limits));
	tcase_add_test(t, the_clock_skew_can_be_set);
	tcase_add_test(t, the_token_is_removed_unless_it_is_forwarded);
	tcase_add_test(t, a_token_in_the_query_is_cut_out_of_it);
	tcase_add_loop_test(
	    t, tokens_are_found_where_the_provider_says, 0, N(places));
	tcase_add_test(t, all_tokens_must_be_good);
	tcase_add_test(t, more_than_16_tokens_are_refused);
	tcase_add_loop_test(
	    t, claims_become_headers_in_place_of_the_clients, 0, N(headers));
	tcase_add_loop_test(
	    t, clients_cannot_send_claim_headers_whatever_happens, 0, 8);
	tcase_add_test(t, the_payload_goes_on_as_it_came);
	tcase_add_test(t, why_a_token_failed_goes_into_the_metadata);
	tcase_add_test(t, payload_and_header_go_into_the_metadata);
	tcase_add_test(t, the_route_is_chosen_anew_when_asked_for);
	tcase_add_test(t, a_claim_that_no_header_can_hold_is_an_error);
	tcase_add_loop_test(t, requirements_combine_as_in_envoy, 0, N(trees));
	tcase_add_test(t, a_refused_alternative_leaves_no_trace);
	tcase_add_test(t, a_failed_token_that_passes_gives_no_claims);
	tcase_add_loop_test(
	    t, the_first_rule_that_matches_holds, 0, N(matches));
	tcase_add_test(t, requirements_have_names);
	tcase_add_test(t, preflights_pass_only_when_told_to);
	tcase_add_test(t, a_remembered_token_does_the_same_again);
	tcase_add_test(t, a_remembered_token_expires_all_the_same);
	tcase_add_test(t, a_remembered_token_is_not_another_one);
	tcase_add_test(t, a_remembered_token_still_needs_the_audience);
	tcase_add_test(t, refused_and_long_tokens_are_not_remembered);
	tcase_add_test(t, a_crowd_of_tokens_displaces_itself);
	tcase_add_loop_test(
	    t, a_configuration_that_cannot_hold_is_refused, 0, N(refused));
	tcase_add_loop_test(
	    t, a_provider_that_cannot_hold_is_refused, 0, N(bad_providers));
	suite_add_tcase(s, t);
	return s;
}
