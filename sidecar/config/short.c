/* The short form's own messages: what may be written, decoded. */
#include "config.h"

#include "config/messages.h"
#include "config/short.h"
#include "config/short_form.h"

static const struct schema_choice auth_choices[] = {
	{ .name = "none", .value = SHORT_AUTH_NONE },
	{ .name = "jwt", .value = SHORT_AUTH_JWT },
	{ .name = NULL },
};

static const struct schema_field route_fields[] = {
	{ FIELD(SCHEMA_STR, short_route, path), .required = true,
	    .text =
		"Path, in whole segments: /api is /api and /api/x, not /apix. "
		"\"/\" is every path; the longest path wins.",
	    .envoy = "match.path_separated_prefix; match.prefix for \"/\"" },
	{ FIELD(SCHEMA_STR, short_route, methods), .label = SCHEMA_LIST,
	    .min_items = 1,
	    .text = "Methods that are forwarded; others are answered with 405. "
		    "All if left out.",
	    .envoy = "match.headers of :method, and a direct_response of 405" },
	{ FIELD(SCHEMA_STR, short_route, backend), .required = true,
	    .text =
		"http(s)://host[:port][/base] to forward to; the base is put "
		"before the path.",
	    .envoy = "clusters[], route.cluster, route.host_rewrite_literal" },
	{ FIELD(SCHEMA_ENUM, short_route, auth), .choices = auth_choices,
	    .text =
		"jwt: only with a valid token, as the section jwt says; else "
		"401.",
	    .envoy =
		"typed_per_filter_config of envoy.filters.http.jwt_authn" },
	{ FIELD(SCHEMA_NODE, short_route, rate_limit),
	    .message = &short_limit_message,
	    .text =
		"How many requests there may be in any span of that length, "
		"for each client: 100/60s, or a map with more; else 429.",
	    .envoy = "typed_per_filter_config of sallyport.rate_limit" },
	{ FIELD(SCHEMA_BOOL, short_route, strip), .fallback = "true",
	    .text = "Whether the matched path is taken off before the request "
		    "goes to the backend.",
	    .envoy = "route.regex_rewrite" },
	{ FIELD_HAS(SCHEMA_DURATION, short_route, timeout),
	    .text =
		"Longest time for the backend's whole answer. If left out, a "
		"backend that says nothing for 60 seconds is given up.",
	    .envoy = "route.timeout, or route.idle_timeout" },
	{ .name = NULL },
};

static const struct schema_message route_message = {
	.name = "route",
	.size = sizeof(struct short_route),
	.fields = route_fields,
};

static const struct schema_field secret_fields[] = {
	{ FIELD(SCHEMA_STR, short_secret, env), .min_items = 1,
	    .oneof = "source",
	    .text = "Environment variable with the secret." },
	{ FIELD(SCHEMA_STR, short_secret, file), .min_items = 1,
	    .oneof = "source",
	    .text = "File with the secret; a newline at its end is cut." },
	{ FIELD(SCHEMA_STR, short_secret, credential), .min_items = 1,
	    .oneof = "source",
	    .text = "systemd credential of that name (LoadCredential=)." },
	{ .name = NULL },
};

static const struct schema_message secret_message = {
	.name = "secret",
	.size = sizeof(struct short_secret),
	.fields = secret_fields,
	.required_oneof = "source",
};

static const struct schema_field jwks_fields[] = {
	{ FIELD(SCHEMA_STR, short_jwks, file), .min_items = 1,
	    .oneof = "source", .text = "File with a JWK set.",
	    .envoy = "local_jwks.filename" },
	{ .name = "inline",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct short_jwks, json),
	    .min_items = 1,
	    .oneof = "source",
	    .text = "The JWK set itself, as a text.",
	    .envoy = "local_jwks.inline_string" },
	REFUSED("url", "fetch the keys into a file and name it in `file`"),
	{ .name = NULL },
};

static const struct schema_message jwks_message = {
	.name = "jwks",
	.size = sizeof(struct short_jwks),
	.fields = jwks_fields,
	.required_oneof = "source",
};

static const struct schema_field jwt_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, short_jwt, secret), .message = &secret_message,
	    .oneof = "keys",
	    .text = "Where the shared secret is, of 32 bytes or more.",
	    .envoy = "local_jwks.inline_string" },
	{ FIELD(SCHEMA_MESSAGE, short_jwt, jwks), .message = &jwks_message,
	    .oneof = "keys",
	    .text = "Where the public keys are; each says its alg.",
	    .envoy = "local_jwks" },
	{ FIELD(SCHEMA_STR, short_jwt, issuer), .min_items = 1,
	    .text = "What iss of a token must be; any if left out.",
	    .envoy = "issuer" },
	{ FIELD(SCHEMA_STR, short_jwt, audiences), .label = SCHEMA_LIST,
	    .min_items = 1,
	    .text = "Of which aud of a token must name one; any if left out.",
	    .envoy = "audiences" },
	{ FIELD(SCHEMA_STR, short_jwt, algorithms), .label = SCHEMA_LIST,
	    .min_items = 1,
	    .text = "With a secret: HS256, HS384, HS512; HS256 if left out.",
	    .envoy = "alg of the keys in local_jwks" },
	/* Envoy takes a skew of 0 for its default, a minute. */
	{ FIELD(SCHEMA_DURATION, short_jwt, leeway), .min = 1, .max = 86400,
	    .fallback = "60s",
	    .text = "How far the clocks may differ, in whole seconds.",
	    .envoy = "clock_skew_seconds" },
	{ FIELD(SCHEMA_STR, short_jwt, claims), .label = SCHEMA_MAP,
	    .text =
		"Claims for the backend: the name of a header by the name of "
		"a claim. A client's own header of that name is removed.",
	    .envoy = "claim_to_headers" },
	{ .name = NULL },
};

static const struct schema_message jwt_message = {
	.name = "jwt",
	.size = sizeof(struct short_jwt),
	.fields = jwt_fields,
	.required_oneof = "keys",
};

static const struct schema_field cors_fields[] = {
	{ FIELD(SCHEMA_STR, short_cors, origins), .label = SCHEMA_LIST,
	    .min_items = 1, .required = true,
	    .text = "Origins that may read answers; \"*\" is all.",
	    .envoy = "allow_origin_string_match" },
	{ FIELD(SCHEMA_STR, short_cors, methods), .label = SCHEMA_LIST,
	    .text = "Methods they may use; those of the route if left out.",
	    .envoy = "allow_methods" },
	{ FIELD(SCHEMA_STR, short_cors, headers), .label = SCHEMA_LIST,
	    .text = "Request headers they may set; all if left out.",
	    .envoy = "allow_headers" },
	{ FIELD(SCHEMA_STR, short_cors, expose), .label = SCHEMA_LIST,
	    .text = "Response headers they may read.",
	    .envoy = "expose_headers" },
	{ FIELD(SCHEMA_BOOL, short_cors, credentials),
	    .text = "Whether cookies and the like may be sent; not with \"*\".",
	    .envoy = "allow_credentials" },
	{ FIELD_HAS(SCHEMA_DURATION, short_cors, max_age), .max = 86400,
	    .text =
		"How long a browser may remember the answer, in whole seconds.",
	    .envoy = "max_age" },
	{ .name = NULL },
};

static const struct schema_message cors_message = {
	.name = "cors",
	.size = sizeof(struct short_cors),
	.fields = cors_fields,
};

static const struct schema_field breaker_fields[] = {
	{ FIELD(SCHEMA_U32, short_breaker, failures), .min = 1, .max = 10000,
	    .fallback = "5", .text = "Failures in a row that open it.",
	    .envoy = "failures" },
	{ FIELD(SCHEMA_DURATION, short_breaker, open_for), .min = 0.1,
	    .max = 3600, .fallback = "30s",
	    .text = "How long it stays open before one request may try.",
	    .envoy = "open_for" },
	{ .name = NULL },
};

static const struct schema_message breaker_message = {
	.name = "breaker",
	.size = sizeof(struct short_breaker),
	.fields = breaker_fields,
};

static const struct schema_field transform_fields[] = {
	{ FIELD(SCHEMA_STR, short_transform, add), .min_items = 1,
	    .oneof = "action", .text = "Adds a header of that name.",
	    .envoy = "append with APPEND_IF_EXISTS_OR_ADD" },
	{ FIELD(SCHEMA_STR, short_transform, set), .min_items = 1,
	    .oneof = "action", .text = "Sets the header of that name.",
	    .envoy = "append with OVERWRITE_IF_EXISTS_OR_ADD" },
	{ FIELD(SCHEMA_STR, short_transform, remove), .min_items = 1,
	    .oneof = "action", .text = "Removes the header of that name.",
	    .envoy = "remove" },
	{ FIELD(SCHEMA_STR, short_transform, rewrite), .min_items = 1,
	    .oneof = "action",
	    .text =
		"Regular expression to replace in a request's path, before a "
		"route is chosen.",
	    .envoy = "sallyport.rewrite, pattern" },
	{ FIELD(SCHEMA_NODE, short_transform, value),
	    .message = &short_secret_message,
	    .text =
		"Value of the header, with Envoy's %OPERATORS%; or where it "
		"is, as of a secret.",
	    .envoy = "append.header.value" },
	{ FIELD(SCHEMA_STR, short_transform, to),
	    .text =
		"What the expression is replaced with; \\1 is its first group.",
	    .envoy = "sallyport.rewrite, substitution" },
	{ .name = NULL },
};

static const struct schema_message transform_message = {
	.name = "transform",
	.size = sizeof(struct short_transform),
	.fields = transform_fields,
	.required_oneof = "action",
};

static const struct schema_field transforms_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, short_transforms_both, request),
	    .label = SCHEMA_LIST, .message = &transform_message,
	    .text = "Changes of requests, in order.",
	    .envoy = "mutations.request_mutations" },
	{ FIELD(SCHEMA_MESSAGE, short_transforms_both, response),
	    .label = SCHEMA_LIST, .message = &transform_message,
	    .text = "Changes of responses, in order.",
	    .envoy = "mutations.response_mutations" },
	{ .name = NULL },
};

static const struct schema_message transforms_message = {
	.name = "transforms",
	.size = sizeof(struct short_transforms_both),
	.fields = transforms_fields,
};

static const struct schema_field form_fields[] = {
	{ FIELD(SCHEMA_STR, short_form, listen), .min_items = 1,
	    .fallback = "unix:/run/sallyport/sallyport.sock",
	    .text = "Socket for the web server: ADDRESS:PORT or unix:PATH.",
	    .envoy = "listeners[0].address" },
	{ FIELD(SCHEMA_MESSAGE, short_form, routes), .label = SCHEMA_LIST,
	    .message = &route_message, .required = true,
	    .text = "What is forwarded where; an empty list forwards nothing.",
	    .envoy = "route_config.virtual_hosts[0].routes" },
	{ FIELD(SCHEMA_MESSAGE, short_form, jwt), .message = &jwt_message,
	    .text =
		"Tokens for routes with auth: jwt, in Authorization: Bearer "
		"TOKEN.",
	    .envoy = "envoy.filters.http.jwt_authn, providers.jwt" },
	{ FIELD(SCHEMA_MESSAGE, short_form, cors), .message = &cors_message,
	    .text = "Browsers of other origins, on all routes.",
	    .envoy = "envoy.filters.http.cors, CorsPolicy of each route" },
	{ FIELD(SCHEMA_MESSAGE, short_form, breaker),
	    .message = &breaker_message,
	    .text =
		"Spares a backend that fails: while it is open, requests are "
		"answered with 503.",
	    .envoy = "sallyport.breaker" },
	{ FIELD(SCHEMA_MESSAGE, short_form, transforms),
	    .message = &transforms_message,
	    .text = "Headers and paths to change, on all routes.",
	    .envoy = "envoy.filters.http.header_mutation" },
	{ FIELD(SCHEMA_STR, short_form, access_log), .min_items = 1,
	    .fallback = "/dev/stdout",
	    .text = "File of the access log, a line of JSON for each request.",
	    .envoy = "access_log[] with a FileAccessLog" },
	{ .name = NULL },
};

const struct schema_message short_form_message = {
	.name = "the short form",
	.size = sizeof(struct short_form),
	.fields = form_fields,
};

static const struct schema_field limit_fields[] = {
	{ FIELD(SCHEMA_STR, short_limit_map, limit), .required = true,
	    .text = "Requests per duration: 100/60s.",
	    .envoy = "limit, window" },
	{ FIELD(SCHEMA_STR, short_limit_map, key), .fallback = "client",
	    .text = "Who is counted: client, header:NAME or claim:NAME.",
	    .envoy = "key, key_header" },
	{ .name = NULL },
};

const struct schema_message short_limit_message = {
	.name = "rate_limit",
	.size = sizeof(struct short_limit_map),
	.fields = limit_fields,
};

const struct schema_message short_secret_message = {
	.name = "value",
	.size = sizeof(struct short_secret),
	.fields = secret_fields,
	.required_oneof = "source",
};

bool
short_is(const struct node *top)
{
	static const char *const long_keys[] = { "static_resources",
		"staticResources", "dynamic_resources", "dynamicResources",
		"node", "admin" };

	if (!top || top->kind != NODE_MAP)
		return false;
	if (node_get(top, "routes"))
		return true;
	for (size_t i = 0; i < sizeof(long_keys) / sizeof(*long_keys); i++)
		if (node_get(top, long_keys[i]))
			return false;
	return true;
}

static bool
list_has_secrets(const struct node *list)
{
	for (size_t i = 0; list && list->kind == NODE_LIST && i < list->n;
	     i++) {
		const struct node *value =
		    node_get(list->items[i].value, "value");

		if (value && value->kind == NODE_MAP)
			return true;
	}
	return false;
}

bool
short_has_secrets(const struct node *top)
{
	const struct node *transforms = node_get(top, "transforms");

	return node_get(node_get(top, "jwt"), "secret") ||
	       list_has_secrets(node_get(transforms, "request")) ||
	       list_has_secrets(node_get(transforms, "response"));
}

const struct node *
short_expand(struct arena *arena, const struct node *top, struct diag *diag)
{
	size_t before = diag_errors(diag);
	const struct short_form *form = short_decode(arena, top, diag);

	return diag_errors(diag) > before ? NULL : short_build(arena, form);
}
