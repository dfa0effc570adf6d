#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/bootstrap.h"
#include "config/short.h"
#include "tests/unit/config/told.h"

#define N(list)  (sizeof(list) / sizeof(*(list)))
#define ROUTE    "routes: [{path: /a, backend: \"http://127.0.0.1:1\"}]\n"
#define SECRETED "routes: [{path: /a, backend: http://h, auth: jwt}]\n"
#define SECRET   "jwt: {secret: {env: SALLYPORT_TEST_SECRET}"

static void
set(const char *name, const char *value)
{
	ck_assert_int_eq(setenv(name, value, 1), 0);
}

static void
prepare(void)
{
	set("SALLYPORT_TEST_SECRET", "0123456789abcdef0123456789abcdef");
	set("SALLYPORT_TEST_SHORT", "short");
	set("SALLYPORT_TEST_PERCENT", "100% \"sure\"");
	set("SALLYPORT_TEST_EMPTY", "");
	set("SALLYPORT_TEST_LINES", "a\r\nb");
	ck_assert_int_eq(unsetenv("SALLYPORT_TEST_NONE"), 0);
	ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

/* The expansion as JSON; fails unless it is a sound bootstrap. */
static const char *
expand(struct told *t)
{
	const struct node *top;

	ck_assert_msg(t->top, "%s", told_text(t));
	ck_assert(short_is(t->top));
	top = short_expand(t->arena, t->top, t->diag);
	ck_assert_msg(top, "%s", told_text(t));
	(void)bootstrap_decode(t->arena, top, t->diag);
	ck_assert_msg(!diag_errors(t->diag), "%s", told_text(t));
	return told_json(t, top);
}

static const struct {
	const char *text;
	const char *fragments[6]; /* "!" begins what must not be there */
} expanded[] = {
	{ "routes: []\n", { "\"routes\":[]", "\"clusters\":[]" } },
	{ ROUTE,
	    { "\"pipe\":{\"path\":\"/run/sallyport/sallyport.sock\"}",
		"\"match\":{\"path_separated_prefix\":\"/a\"},\"name\":\"/a\","
		"\"route\":{\"cluster\":\"127.0.0.1:1\",\"regex_rewrite\":"
		"{\"pattern\":{\"regex\":\"^/a/?(.*)$\"},\"substitution\":"
		"\"/\\\\1\"},\"host_rewrite_literal\":\"127.0.0.1:1\","
		"\"timeout\":\"0s\",\"idle_timeout\":\"60s\"}",
		"\"clusters\":[{\"name\":\"127.0.0.1:1\",\"type\":\"STATIC\"",
		"!direct_response", "!cors", "!jwt_authn" } },
	{ ROUTE,
	    { "{\"name\":\"sallyport.health\",\"typed_config\":{\"@type\":"
	      "\"type.googleapis.com/envoy.extensions.filters.http."
	      "dynamic_modules.v3.DynamicModuleFilter\","
	      "\"dynamic_module_config\":{\"name\":\"sallyport\",\"metrics_namespace\":\"sallyport\"},"
	      "\"filter_name\":\"sallyport.health\",\"filter_config\":{"
	      "\"@type\":\"type.googleapis.com/google.protobuf.Struct\","
	      "\"value\":{\"path\":\"/health\",\"livez\":\"/livez\","
	      "\"readyz\":\"/readyz\"}}}}",
		"filters.http.router.v3.Router\"}}],\"route_config\":{\"name\":"
		"\"sallyport\",\"response_headers_to_remove\":["
		"\"x-envoy-upstream-service-time\"]",
		"\"value\":{\"backend\":\"http://127.0.0.1:1\",\"base\":\"/\","
		"\"prefix\":\"/a\"}",
		"!rate_limit", "!breaker", "!mutation" } },
	{ ROUTE,
	    { "\"stat_prefix\":\"sallyport\",\"use_remote_address\":true,"
	      "\"normalize_path\":true,\"merge_slashes\":true,"
	      "\"path_with_escaped_slashes_action\":\"KEEP_UNCHANGED\","
	      "\"preserve_external_request_id\":true,"
	      "\"always_set_request_id_in_response\":true,"
	      "\"server_header_transformation\":\"PASS_THROUGH\","
	      "\"stream_idle_timeout\":\"300s\","
	      "\"http_protocol_options\":{\"accept_http_10\":true,"
	      "\"allow_custom_methods\":true,"
	      "\"default_host_for_http_10\":\"localhost\"}",
		"\"default_value\":404,\"runtime_key\":\"sallyport.status\"}}"
		"}},{\"header_filter\":{\"header\":{\"name\":\":path\","
		"\"string_match\":{\"safe_regex\":{\"regex\":"
		"\"/(health|livez|readyz)(\\\\?.*)?\"}},\"invert_match\":true"
		"}}}]}},\"body\":{\"inline_string\":\"no such route\"}",
		"\"body_format_override\":{\"json_format\":{\"error\":"
		"\"%LOCAL_REPLY_BODY%\",\"request_id\":\"%REQ(X-REQUEST-ID)%"
		"\"}}",
		"\"json_format\":{\"level\":\"warn\"",
		"\"path\":\"/dev/stdout\"",
		"\"key\":\"x-forwarded-host\",\"value\":\"%REQ(:AUTHORITY)%\"}"
		",\"append_action\":\"OVERWRITE_IF_EXISTS_OR_ADD\"" } },
	{ "listen: 127.0.0.1:9000\naccess_log: /var/log/x\n" ROUTE,
	    { "\"socket_address\":{\"address\":\"127.0.0.1\",\"port_value\":"
	      "9000}",
		"\"path\":\"/var/log/x\"", "!/dev/stdout" } },
	{ "listen: \"[::1]:9000\"\n" ROUTE,
	    { "{\"address\":\"::1\",\"port_value\":9000}" } },
	{ "listen: unix:/tmp/s\n" ROUTE, { "\"pipe\":{\"path\":\"/tmp/s\"}" } },
	{ "routes: [{path: /, backend: http://H.example:80}]",
	    { "\"match\":{\"prefix\":\"/\"},\"name\":\"/\",\"route\":{"
	      "\"cluster\":\"h.example:80\",\"host_rewrite_literal\":"
	      "\"h.example\",",
		"\"type\":\"STRICT_DNS\"", "!regex_rewrite",
		"\"prefix\":\"/\"}" } },
	{ "routes: [{path: /, backend: \"http://h:8080/v2/\"}]",
	    { "\"regex\":\"^/(.*)$\"},\"substitution\":\"/v2/\\\\1\"",
		"\"host_rewrite_literal\":\"h:8080\"",
		"\"base\":\"/v2\",\"prefix\":\"/\"" } },
	{ "routes: [{path: /a.b+c, backend: http://h/v2}]",
	    { "\"regex\":\"^/a\\\\.b\\\\+c/?(.*)$\"},\"substitution\":"
	      "\"/v2/\\\\1\"",
		"\"base\":\"/v2\",\"prefix\":\"/a.b+c\"" } },
	{ "routes: [{path: /a, strip: false, backend: http://h/v2}]",
	    { "\"regex\":\"^/(.*)$\"},\"substitution\":\"/v2/\\\\1\"",
		"\"prefix\":\"/\"}" } },
	{ "routes: [{path: /a, strip: false, backend: http://h}]",
	    { "!regex_rewrite" } },
	{ "routes: [{path: /a, backend: http://h, timeout: 2m}]",
	    { "\"timeout\":\"120s\"}", "!idle_timeout\":\"60s" } },
	{ "routes: [{path: /a, backend: http://h, timeout: 250ms}]",
	    { "\"timeout\":\"0.25s\"}" } },
	{ "routes: [{path: /a, methods: [GET], backend: http://h}]",
	    { "\"headers\":[{\"name\":\":method\",\"string_match\":{\"exact\":"
	      "\"GET\"}}]},\"name\":\"/a\"",
		"{\"match\":{\"path_separated_prefix\":\"/a\"},\"name\":"
		"\"/a (other methods)\",\"direct_response\":{\"status\":405},"
		"\"response_headers_to_add\":[{\"header\":{\"key\":\"allow\","
		"\"value\":\"GET\"}" } },
	{ "routes: [{path: /a, methods: [GET, M-SEARCH], backend: http://h}]",
	    { "\"safe_regex\":{\"regex\":\"GET|M-SEARCH\"}",
		"\"value\":\"GET, M-SEARCH\"" } },
	{ "routes: [{path: /a, methods: [GET], backend: http://h}, {path: /a, "
	  "methods: [POST, PUT], backend: http://i}]",
	    { "\"value\":\"GET, POST, PUT\"}", "\"name\":\"h:80\"",
		"\"name\":\"i:80\"" } },
	{ "routes: [{path: /a, backend: https://h}]",
	    { "\"name\":\"h:443\"", "\"host_rewrite_literal\":\"h\"",
		"\"sni\":\"h\",\"auto_sni_san_validation\":true,"
		"\"common_tls_context\":{\"validation_context\":{"
		"\"trusted_ca\":{\"filename\":\"/etc/ssl/certs/"
		"ca-certificates.crt\"}}}",
		"\"backend\":\"https://h\"" } },
	{ "routes: [{path: /a, backend: \"https://[::1]:8443\"}]",
	    { "\"name\":\"[::1]:8443\",\"type\":\"STATIC\"",
		"\"address\":\"::1\"", "!sni",
		"\"host_rewrite_literal\":\"[::1]:8443\"" } },
	{ "routes: [{path: /a, backend: \"http://h:7\"}, {path: /b, backend: "
	  "\"https://h:7\"}, {path: /c, backend: \"http://h:7/x\"}]",
	    { "\"name\":\"h:7-plain\"", "\"name\":\"h:7-tls\"",
		"!\"cluster\":\"h:7\"" } },
	{ "routes: [{path: /a, backend: http://h, rate_limit: 100/60s}]",
	    { "{\"name\":\"sallyport.rate_limit\"",
		"\"value\":{\"limit\":100,\"window\":\"60s\",\"scope\":\"/a\","
		"\"key\":\"client\"}" } },
	{ "routes: [{path: /a, backend: http://h, rate_limit: 5/m}]",
	    { "\"limit\":5,\"window\":\"60s\"" } },
	{ "routes: [{path: /a, backend: http://h, rate_limit: {limit: 5 / "
	  "500ms, key: \"header:x-key\"}}]",
	    { "\"window\":\"0.5s\",\"scope\":\"/a\",\"key_header\":\"x-key\"" } },
	{ "routes: [{path: /a, methods: [GET], backend: http://h, rate_limit: "
	  "1/s}, {path: /a, methods: [POST], backend: http://h, rate_limit: "
	  "1/s}]",
	    { "\"scope\":\"GET /a\"", "\"scope\":\"POST /a\"" } },
	{ SECRETED SECRET "}\n",
	    { "\"providers\":{\"jwt\":{\"local_jwks\":{\"inline_string\":"
	      "\"{\\\"keys\\\":[{\\\"kty\\\":\\\"oct\\\",\\\"alg\\\":\\\"HS256"
	      "\\\",\\\"k\\\":\\\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
	      "\\\"}]}\"},\"forward\":true,\"clock_skew_seconds\":60}},\"requirement_map\":{\"jwt\":{"
	      "\"provider_name\":\"jwt\"}}",
		"\"envoy.filters.http.jwt_authn\":{\"@type\":"
		"\"type.googleapis.com/envoy.extensions.filters.http."
		"jwt_authn.v3.PerRouteConfig\",\"requirement_name\":\"jwt\"}",
		"!\"rules\"" } },
	{ SECRETED SECRET ", issuer: me, audiences: [a, \"1\"], algorithms: "
			  "[HS512, HS384], leeway: 5s, claims: {sub: x-user, "
			  "a.b: x-b}}\n",
	    { "\"issuer\":\"me\",\"audiences\":[\"a\",\"1\"]",
		"\\\"alg\\\":\\\"HS512\\\"", "\\\"alg\\\":\\\"HS384\\\"",
		"!HS256", "\"clock_skew_seconds\":5",
		"\"claim_to_headers\":[{\"header_name\":\"x-user\","
		"\"claim_name\":\"sub\"},{\"header_name\":\"x-b\","
		"\"claim_name\":\"a.b\"}]" } },
	{ "routes: [{path: /a, backend: http://h, auth: jwt, rate_limit: "
	  "{limit: 1/s, key: \"claim:org.id\"}}, {path: /b, backend: "
	  "http://h, auth: jwt, rate_limit: {limit: 1/s, key: "
	  "\"claim:My Id\"}}, {path: /c, backend: http://h, auth: jwt, "
	  "rate_limit: {limit: 2/s, key: \"claim:org.id\"}}]\n" SECRET
	  ", claims: {sub: x-user}}\n",
	    { "\"claim_to_headers\":[{\"header_name\":\"x-user\","
	      "\"claim_name\":\"sub\"},{\"header_name\":"
	      "\"x-sallyport-claim-org.id\",\"claim_name\":\"org.id\"},{"
	      "\"header_name\":\"x-sallyport-claim-_4dy_20_49d\","
	      "\"claim_name\":\"My Id\"}]",
		"\"request_headers_to_remove\":[\"x-sallyport-claim-org.id\","
		"\"x-sallyport-claim-_4dy_20_49d\"]",
		"\"scope\":\"/c\",\"key_header\":"
		"\"x-sallyport-claim-org.id\"" } },
	{ SECRETED "jwt: {jwks: {inline: '{\"keys\":[]}'}}\n",
	    { "\"local_jwks\":{\"inline_string\":\"{\\\"keys\\\":[]}\"}" } },
	{ SECRETED "jwt: {jwks: {file: /etc/passwd}}\n",
	    { "\"local_jwks\":{\"filename\":\"/etc/passwd\"}" } },
	{ ROUTE "cors: {origins: [\"http://o:1\", \"*\"]}\n",
	    { "\"headers\":[{\"name\":\":method\",\"string_match\":{\"exact\":"
	      "\"OPTIONS\"}},{\"name\":\"origin\",\"present_match\":true},{"
	      "\"name\":\"access-control-request-method\",\"present_match\":"
	      "true}]},\"name\":\"/a (preflight)\",\"route\":{\"cluster\":"
	      "\"127.0.0.1:1\"",
		"\"allow_origin_string_match\":[{\"exact\":\"http://o:1\"},{"
		"\"exact\":\"*\"}],\"allow_methods\":\"*\",\"allow_headers\":"
		"\"*\",\"forward_not_matching_preflights\":false}",
		"\"key\":\"vary\",\"value\":\"origin\"" } },
	{ "routes: [{path: /a, methods: [GET], backend: http://h}, {path: /a, "
	  "methods: [PUT], backend: http://h}]\ncors: {origins: [\"null\"], "
	  "headers: [a, b], expose: [c, d], credentials: true, max_age: "
	  "10m}\n",
	    { "\"allow_methods\":\"GET, PUT\",\"allow_headers\":\"a, b\","
	      "\"expose_headers\":\"c, d\",\"max_age\":\"600\","
	      "\"allow_credentials\":true" } },
	{ ROUTE "cors: {origins: [\"https://o\"], methods: [GET, POST]}\n",
	    { "\"allow_methods\":\"GET, POST\"" } },
	{ ROUTE "breaker: {}\n",
	    { "\"failures\":5,\"open_for\":\"30s\",\"clusters\":"
	      "[\"127.0.0.1:1\"]" } },
	{ "routes: [{path: /a, backend: http://h}, {path: /b, backend: "
	  "http://h/x}, {path: /c, backend: http://i}]\nbreaker: {}\n",
	    { "\"clusters\":[\"h:80\",\"i:80\"]" } },
	{ ROUTE "breaker: {failures: 3, open_for: 1500ms}\n",
	    { "\"failures\":3,\"open_for\":\"1.5s\"" } },
	{ ROUTE "transforms: {request: [{rewrite: ^/v1/(.*), to: '/\\1'}, "
		"{add: A, value: 1}, {set: B, value: \"%PROTOCOL%\"}, {remove: "
		"C}], response: [{remove: D}]}\n",
	    { "{\"name\":\"sallyport.rewrite\"",
		"\"value\":{\"pattern\":\"^/v1/(.*)\",\"substitution\":"
		"\"/\\\\1\"}",
		"\"mutations\":{\"request_mutations\":[{\"append\":{\"header\""
		":{\"key\":\"A\",\"value\":\"1\"},\"append_action\":"
		"\"APPEND_IF_EXISTS_OR_ADD\"}},{\"append\":{\"header\":{"
		"\"key\":\"B\",\"value\":\"%PROTOCOL%\"},\"append_action\":"
		"\"OVERWRITE_IF_EXISTS_OR_ADD\"}},{\"remove\":\"C\"}],"
		"\"response_mutations\":[{\"remove\":\"D\"}]}" } },
	{ ROUTE "transforms: {request: [{rewrite: a, to: \"\"}]}\n",
	    { "\"pattern\":\"a\",\"substitution\":\"\"", "!mutation",
		"\"path\":\"%COALESCE({\\\"operators\\\":[{\\\"command\\\":"
		"\\\"DYNAMIC_METADATA\\\",\\\"param\\\":"
		"\\\"sallyport.rewrite:path\\\"}" } },
	{ ROUTE "transforms: {request: [{add: A, value: {env: "
		"SALLYPORT_TEST_PERCENT}}]}\n",
	    { "\"value\":\"100%% \\\"sure\\\"\"" } },
};

START_TEST(the_short_form_becomes_this)
{
	struct told t = told_new(expanded[_i].text);
	const char *json = expand(&t);

	ck_assert_str_eq(told_text(&t), "");
	for (size_t i = 0; i < 6 && expanded[_i].fragments[i]; i++) {
		const char *fragment = expanded[_i].fragments[i];
		bool wanted = fragment[0] != '!';

		ck_assert_msg(
		    (strstr(json, fragment + !wanted) != NULL) == wanted,
		    "%s%s\n in:\n%.3000s", wanted ? "no " : "", fragment, json);
	}
	told_free(&t);
}
END_TEST

static const struct {
	const char *text, *told;
} wrong[] = {
	{ "{}", "t:1:1: error: `routes`: value is required" },
	{ "route: []\n", "t:1:1: error: no such field: 'route'" },
	{ "route: []\n", "hint: did you mean `routes`?" },
	{ "routes: {}\n", "routes: expected a list, found a map" },
	{ ROUTE "listen: :80\n", "':80' is neither" },
	{ ROUTE "listen: localhost:80\n", "t:2:9: error: listen: 'localhost:80'"
					  " is neither ADDRESS:PORT nor unix" },
	{ ROUTE "listen: 127.0.0.1\n", "is neither ADDRESS:PORT nor unix:PA" },
	{ ROUTE "listen: 127.0.0.1:0\n", "is neither ADDRESS:PORT nor unix" },
	{ ROUTE "listen: \"unix:\"\n", "the path of a unix socket has 1 to" },
	{ "routes: [{}]\n", "t:1:10: error: routes[0]: `path`: value is" },
	{ "routes: [{path: /a}]\n", "routes[0]: `backend`: value is requir" },
	{ "routes: [{path: a, backend: http://h}]\n",
	    "a path begins with \"/" },
	{ "routes: [{path: /a/, backend: http://h}]\n", "hint: write /a\n" },
	{ "routes: [{path: /a?b, backend: http://h}]\n",
	    "has neither \"?\" n" },
	{ "routes: [{path: /a//b, backend: http://h}]\n", "never matches" },
	{ "routes: [{path: /a/../b, backend: http://h}]\n", "never matches" },
	{ "routes: [{path: /., backend: http://h}]\n", "never matches" },
	{ "routes: [{path: /a b, backend: http://h}]\n",
	    "a path has no blanks" },
	{ "routes: [{path: \"/\xc3\xa4\", backend: http://h}]\n", "is ASCII" },
	{ "routes: [{path: /%4, backend: http://h}]\n", "\"%\" begins an esc" },
	{ "routes: [{path: /%41, backend: http://h}]\n",
	    "needs none never mat" },
	{ "routes: [{path: /a, backend: h}]\n", "a backend begins with http" },
	{ "routes: [{path: /a, backend: \"http://\"}]\n",
	    "http(s)://host[:po" },
	{ "routes: [{path: /a, backend: \"http://h:0\"}]\n",
	    "http(s)://host[" },
	{ "routes: [{path: /a, backend: \"http://h:x\"}]\n",
	    "http(s)://host[" },
	{ "routes: [{path: /a, backend: \"http://h:65536\"}]\n",
	    "t:1:30: error: routes[0]: a backend is http(s)://host[:port]" },
	{ "routes: [{path: /a, backend: http://u@h}]\n",
	    "no user and password" },
	{ "routes: [{path: /a, backend: \"http://[::1\"}]\n",
	    "http(s)://host" },
	{ "routes: [{path: /a, backend: \"http://h/?a\"}]\n", "neither \"?\"" },
	{ "routes: [{path: /a, backend: \"http://h?a\"}]\n",
	    "http(s)://host[" },
	{ "routes: [{path: /a, backend: \"http://h/a/../b\"}]\n", "base path" },
	{ "routes: [{path: /a, backend: http://h, methods: [get]}]\n",
	    "hint: write GET" },
	{ "routes: [{path: /a, backend: http://h, methods: [A, A]}]\n",
	    "'A' stands here twice" },
	{ "routes: [{path: /a, backend: http://h, methods: [\"A B\"]}]\n",
	    "'A B' is no method" },
	{ "routes: [{path: /a, backend: http://h, methods: []}]\n",
	    "value must contain at least 1 item" },
	{ "routes: [{path: /a, backend: http://h, auth: jtw}]\n",
	    "hint: did you mean `jwt`?" },
	{ "routes: [{path: /a, backend: http://h, auth: jwt}]\n",
	    "t:1:46: error: routes[0]: `auth: jwt` needs a `jwt` section" },
	{ "routes: [{path: /a, backend: http://h, rate_limit: 5}]\n",
	    "a limit is requests per duration, such as 100/60s" },
	{ "routes: [{path: /a, backend: http://h, rate_limit: 0/s}]\n",
	    "a limit has 1 to 1000000 requests" },
	{ "routes: [{path: /a, backend: http://h, rate_limit: 5/10ms}]\n",
	    "a limit's duration is 100ms to 31 days" },
	{ "routes: [{path: /a, backend: http://h, rate_limit: 5/745h}]\n",
	    "a limit's duration is 100ms to 31 days" },
	{ "routes: [{path: /a, backend: http://h, rate_limit: {key: client}}]",
	    "routes[0].rate_limit: `limit`: value is required" },
	{ "routes: [{path: /a, backend: http://h, rate_limit: {limit: 1/s, "
	  "kee: 1}}]",
	    "hint: did you mean `key`?" },
	{ "routes: [{path: /a, backend: http://h, rate_limit: {limit: 1/s, "
	  "key: \"header:\"}}]",
	    "a key is client, header:NAME or claim:NAME" },
	{ "routes: [{path: /a, backend: http://h, rate_limit: {limit: 1/s, "
	  "key: \"claim:sub\"}}]",
	    "a limit by claim needs `auth: jwt`" },
	{ "routes: [{path: /a, backend: http://h, rate_limit: [1]}]",
	    "routes[0].rate_limit: expected a map, found a list" },
	{ "routes:\n- {path: /a, backend: http://h}\n- {path: /a, backend: "
	  "http://i, methods: [GET]}\n",
	    "t:3:3: error: routes[1]: the route of line 2 has the same path "
	    "and any method as well" },
	{ "routes:\n- {path: /a, backend: http://h, methods: [GET, PUT]}\n- "
	  "{path: /a, backend: http://i, methods: [POST, PUT]}\n",
	    "the route of line 2 has the same path and PUT as well" },
	{ "routes: [{path: /a, backend: http://h, timeout: 5}]\n",
	    "hint: in seconds: 5s" },
	{ "routes: [{path: /a, backend: http://h, strip: x}]\n",
	    "expected true or false, found 'x'" },
	{ SECRETED "jwt: {}\n", "jwt: value is required: one of `secret`, "
				"`jwks`" },
	{ SECRETED "jwt: {secret: abc}\n", "jwt.secret: expected a map" },
	{ SECRETED "jwt: {secret: {env: SALLYPORT_TEST_NONE}}\n",
	    "t:2:15: error: jwt.secret: environment variable "
	    "SALLYPORT_TEST_NONE is not set" },
	{ SECRETED "jwt: {secret: {env: SALLYPORT_TEST_EMPTY}}\n",
	    "environment variable SALLYPORT_TEST_EMPTY is empty" },
	{ SECRETED "jwt: {secret: {file: /nowhere/x}}\n",
	    "jwt.secret: /nowhere/x: No such file" },
	{ SECRETED "jwt: {secret: {credential: x}}\n",
	    "CREDENTIALS_DIRECTORY is not set" },
	{ SECRETED "jwt: {secret: {credential: ../x}}\n",
	    "a credential is a name, not a path" },
	{ SECRETED "jwt: {secret: {env: A, file: B}}\n",
	    "`env` and `file` exclude each other" },
	{ SECRETED "jwt: {secret: {}}\n", "one of `env`, `file`, `credential" },
	{ SECRETED "jwt: {jwks: {url: x}}\n", "`url` is not supported" },
	{ SECRETED "jwt: {jwks: {file: /nowhere/x}}\n", "No such file" },
	{ SECRETED SECRET ", jwks: {inline: x}}\n",
	    "`secret` and `jwks` exclude each other" },
	{ SECRETED SECRET ", algorithms: [RS256]}\n",
	    "'RS256' is no algorithm for a secret" },
	{ SECRETED SECRET ", algorithms: [HS255]}\n", "did you mean `HS256`?" },
	{ SECRETED SECRET ", algorithms: [none]}\n", "'none' is no algorithm" },
	{ SECRETED SECRET ", algorithms: [HS256, HS256]}\n",
	    "stands here twi" },
	{ SECRETED "jwt: {jwks: {inline: x}, algorithms: [RS256]}\n",
	    "hint: put \"alg\" into each key" },
	{ SECRETED SECRET ", leeway: 1.5s}\n", "`leeway` is in whole seconds" },
	{ SECRETED SECRET ", leeway: 0s}\n", "inside range [1, 86400]" },
	{ SECRETED SECRET ", claims: {sub: \"a b\"}}\n", "'a b' is no header" },
	{ SECRETED SECRET ", isuer: x}\n", "hint: did you mean `issuer`?" },
	{ ROUTE "cors: {}\n", "cors: `origins`: value is required" },
	{ ROUTE "cors: {origins: [\"http://A\"]}\n",
	    "'http://A' is no origin" },
	{ ROUTE "cors: {origins: [\"http://a/\"]}\n", "is no origin" },
	{ ROUTE "cors: {origins: [a]}\n", "'a' is no origin" },
	{ ROUTE "cors: {origins: [\"https://*.a\"]}\n", "is no origin" },
	{ ROUTE "cors: {origins: [\"*\"], credentials: true}\n",
	    "\"*\" with `credentials` would let any site act as the user" },
	{ ROUTE "cors: {origins: [\"*\"], headers: [\"a,b\"]}\n",
	    "'a,b' is no header name" },
	{ ROUTE "cors: {origins: [\"*\"], max_age: 1.5s}\n", "whole seconds" },
	{ ROUTE "breaker: {failures: 0}\n", "inside range [1, 10000]" },
	{ ROUTE "breaker: {open_for: 0s}\n", "breaker.open_for: value must" },
	{ ROUTE "transforms: {request: [{}]}\n", "one of `add`, `set`, `rem" },
	{ ROUTE "transforms: {request: [{add: A}]}\n", "`value`: value is r" },
	{ ROUTE "transforms: {request: [{add: \"A:\", value: 1}]}\n",
	    "'A:' is no header name" },
	{ ROUTE "transforms: {request: [{set: Host, value: x}]}\n",
	    "the host header is set from `backend`" },
	{ ROUTE "transforms: {request: [{add: A, value: \"a\\nb\"}]}\n",
	    "a header value is one line" },
	{ ROUTE "transforms: {request: [{add: A, value: {env: "
		"SALLYPORT_TEST_LINES}}]}\n",
	    "a header value is one line" },
	{ ROUTE "transforms: {request: [{add: A, value: {env: "
		"SALLYPORT_TEST_NONE}}]}\n",
	    "SALLYPORT_TEST_NONE is not set" },
	{ ROUTE "transforms: {request: [{add: A, value: {evn: x}}]}\n",
	    "hint: did you mean `env`?" },
	{ ROUTE "transforms: {request: [{add: A, value: [x]}]}\n",
	    "value: expected a map, found a list" },
	{ ROUTE "transforms: {request: [{remove: A, value: x}]}\n",
	    "`value` goes with `add` and `set`" },
	{ ROUTE "transforms: {request: [{rewrite: a}]}\n", "`to`: value is" },
	{ ROUTE "transforms: {request: [{rewrite: (a, to: b}]}\n",
	    "t:2:34: error: transforms.request[0]: `rewrite` is malformed" },
	{ ROUTE "transforms: {request: [{rewrite: a, to: '\\1'}]}\n",
	    "`to` names a group that `rewrite` does not have" },
	{ ROUTE "transforms: {request: [{remove: A, to: x}]}\n",
	    "`to` goes with `rewrite`" },
	{ ROUTE "transforms: {response: [{rewrite: a, to: b}]}\n",
	    "`rewrite` is for requests" },
	{ ROUTE "transforms: {request: [{add: A, remove: B, value: x}]}\n",
	    "`add` and `remove` exclude each other" },
	{ ROUTE "trusted_hops: 1\n", "no such field: 'trusted_hops'" },
};

START_TEST(what_is_wrong_is_told_and_nothing_is_expanded)
{
	struct told t = told_new(wrong[_i].text);

	ck_assert(short_is(t.top));
	ck_assert_ptr_null(short_expand(t.arena, t.top, t.diag));
	told_must_say(&t, wrong[_i].told);
	told_free(&t);
}
END_TEST

START_TEST(all_mistakes_are_told_in_one_run)
{
	struct told t = told_new("listen: here\n"
				 "routes:\n"
				 "  - {path: a, backend: b, rate_limit: c}\n"
				 "  - {path: /a, backed: http://h}\n"
				 "jwt: {secret: {env: SALLYPORT_TEST_NONE}}\n"
				 "cors: {origins: [x]}\n"
				 "cors: {}\n"
				 "breaker: {failures: x}\n"
				 "transforms: {request: [{add: A}]}\n"
				 "acess_log: x\n");
	static const char *const told[] = { "t:1:9: error: listen:",
		"t:3:12: error: routes[0]:", "t:3:24: error: routes[0]:",
		"t:3:39: error: routes[0]:",
		"t:4:5: error: routes[1]: `backend`: value is required",
		"t:4:16: error: routes[1]: no such field: 'backed'",
		"t:5:15: error: jwt.secret:", "t:6:18: error: cors.origins:",
		"t:7:1: error: duplicate key 'cors'",
		"t:8:21: error: breaker.failures:",
		"t:9:24: error: transforms.request[0]:",
		"t:10:1: error: no such field: 'acess_log'" };

	ck_assert_ptr_null(short_expand(t.arena, t.top, t.diag));
	for (size_t i = 0; i < N(told); i++)
		told_must_say(&t, told[i]);
	ck_assert_uint_eq(diag_errors(t.diag), N(told));
	told_free(&t);
}
END_TEST

/* Offset of a fragment that must be there. */
static size_t
offset(const char *json, const char *fragment)
{
	const char *at = strstr(json, fragment);

	ck_assert_msg(at, "no %s in %s", fragment, json);
	return (size_t)(at - json);
}

START_TEST(the_longest_path_comes_first)
{
	struct told t = told_new("routes: [{path: /, backend: http://h}, "
				 "{path: /a, backend: http://h}, "
				 "{path: /a/b, backend: http://h}, "
				 "{path: /b, backend: http://h}]");
	const char *json = expand(&t);

	ck_assert_uint_lt(
	    offset(json, "\"name\":\"/a/b\""), offset(json, "\"name\":\"/a\""));
	ck_assert_uint_lt(
	    offset(json, "\"name\":\"/a\""), offset(json, "\"name\":\"/b\""));
	ck_assert_uint_lt(
	    offset(json, "\"name\":\"/b\""), offset(json, "\"name\":\"/\""));
	told_free(&t);
}
END_TEST

START_TEST(routes_of_one_path_end_with_one_405)
{
	struct told t =
	    told_new("routes: [{path: /a, methods: [PUT], backend: http://h}, "
		     "{path: /bb, methods: [GET], backend: http://h}, "
		     "{path: /a, methods: [GET], backend: http://i}]\n"
		     "cors: {origins: [\"*\"]}\n");
	const char *json = expand(&t);
	size_t preflight = offset(json, "\"/a (preflight)\"");
	size_t put = offset(json, "\"exact\":\"PUT\"");
	size_t other = offset(json, "\"/a (other methods)\"");

	ck_assert_uint_lt(preflight, put);
	ck_assert_uint_lt(put, other);
	ck_assert_uint_lt(put + offset(json + put, "\"exact\":\"GET\""), other);
	ck_assert_ptr_null(strstr(json + other + 5, "\"/a (other methods)\""));
	ck_assert_ptr_null(strstr(json + preflight + 5, "\"/a (preflight)\""));
	told_free(&t);
}
END_TEST

START_TEST(filters_stand_in_their_order)
{
	static const char *const names[] = { "sallyport.health",
		"sallyport.rewrite", "envoy.filters.http.cors",
		"envoy.filters.http.jwt_authn", "sallyport.rate_limit",
		"sallyport.breaker", "envoy.filters.http.header_mutation",
		"sallyport.location", "envoy.filters.http.router" };
	struct told t = told_new(
	    "routes: [{path: /a, backend: http://h, auth: jwt, rate_limit: "
	    "1/s}]\n" SECRET "}\nbreaker: {}\ncors: {origins: [\"*\"]}\n"
	    "transforms: {request: [{remove: A}, {rewrite: a, to: b}]}\n");
	const char *json = expand(&t);
	size_t before = 0;

	for (size_t i = 0; i < N(names); i++) {
		char fragment[80];
		size_t at;

		(void)snprintf(
		    fragment, sizeof(fragment), "{\"name\":\"%s\"", names[i]);
		at = offset(json, fragment);
		ck_assert_uint_gt(at, before);
		before = at;
	}
	told_free(&t);
}
END_TEST

START_TEST(secrets_are_read_without_the_newline_at_their_end)
{
	char dir[] = "/tmp/sallyport-secret-XXXXXX", path[64], text[200];
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs("0123456789abcdef0123456789abcdef\r\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	set("CREDENTIALS_DIRECTORY", dir);
	for (int i = 0; i < 2; i++) {
		struct told t;

		(void)snprintf(text, sizeof(text),
		    SECRETED "jwt: {secret: {%s: %s}}\n",
		    i ? "credential" : "file", i ? "key" : path);
		t = told_new(text);
		(void)offset(expand(&t),
		    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\\\"}");
		ck_assert_str_eq(told_text(&t), "");
		told_free(&t);
	}
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(a_short_secret_and_an_unused_jwt_are_warned_of)
{
	struct told t =
	    told_new(ROUTE "jwt: {secret: {env: SALLYPORT_TEST_SHORT}}\n");

	(void)expand(&t);
	told_must_say(&t, "warning: jwt.secret: 5 bytes are too few");
	told_must_say(&t, "warning: jwt: no route has `auth: jwt`");
	told_free(&t);
}
END_TEST

static const struct {
	const char *text;
	bool is_short, has_secrets;
} looks[] = {
	{ ROUTE, true, false },
	{ "{}", true, false },
	{ "listen: x", true, false },
	{ "static_resources: {}", false, false },
	{ "staticResources: {}", false, false },
	{ "admin: {}", false, false },
	{ "[]", false, false },
	{ "text", false, false },
	{ ROUTE SECRET "}", true, true },
	{ ROUTE "jwt: {jwks: {file: x}}", true, false },
	{ ROUTE "transforms: {request: [{add: a, value: b}]}", true, false },
	{ ROUTE "transforms: {request: [1, {add: a, value: {env: b}}]}", true,
	    true },
	{ ROUTE "transforms: {response: [{add: a, value: {env: b}}]}", true,
	    true },
	{ ROUTE "transforms: 5\njwt: 5", true, false },
};

START_TEST(the_short_form_is_known_by_its_top)
{
	struct told t = told_new(looks[_i].text);

	ck_assert_int_eq(short_is(t.top), looks[_i].is_short);
	ck_assert_int_eq(short_has_secrets(t.top), looks[_i].has_secrets);
	told_free(&t);
}
END_TEST

START_TEST(later_messages_point_into_the_short_text)
{
	struct told t = told_new(ROUTE "cors: {origins: [\"*\"]}\nbreaker: {}");
	const struct node *top = short_expand(t.arena, t.top, t.diag);
	const struct node *filters, *resources;

	ck_assert_ptr_nonnull(top);
	resources = node_get(top, "static_resources");
	filters = node_get(resources, "listeners")->items[0].value;
	filters = node_get(filters, "filter_chains")->items[0].value;
	filters = node_get(filters, "filters")->items[0].value;
	filters = node_get(node_get(filters, "typed_config"), "http_filters");
	ck_assert_uint_eq(filters->items[2].value->place.line, 3);
	ck_assert_uint_eq(filters->items[2].value->place.column, 10);
	ck_assert_uint_eq(
	    node_get(resources, "clusters")->items[0].value->place.column, 10);
	told_free(&t);
}
END_TEST

Suite *suite_config_short(void);

Suite *
suite_config_short(void)
{
	Suite *s = suite_create("config/short");
	TCase *t = tcase_create("short form");

	tcase_add_checked_fixture(t, prepare, NULL);
	tcase_add_loop_test(t, the_short_form_becomes_this, 0, N(expanded));
	tcase_add_loop_test(
	    t, what_is_wrong_is_told_and_nothing_is_expanded, 0, N(wrong));
	tcase_add_test(t, all_mistakes_are_told_in_one_run);
	tcase_add_test(t, the_longest_path_comes_first);
	tcase_add_test(t, routes_of_one_path_end_with_one_405);
	tcase_add_test(t, filters_stand_in_their_order);
	tcase_add_test(t, secrets_are_read_without_the_newline_at_their_end);
	tcase_add_test(t, a_short_secret_and_an_unused_jwt_are_warned_of);
	tcase_add_loop_test(t, the_short_form_is_known_by_its_top, 0, N(looks));
	tcase_add_test(t, later_messages_point_into_the_short_text);
	suite_add_tcase(s, t);
	return s;
}
