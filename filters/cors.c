/*
 * Cross-origin requests (the Fetch standard, Envoy's cors filter): answers
 * preflights and says on responses whether a page may read them. Each field
 * of the policy is taken from the most specific level of the route configuration that has it.
 */
#include "config.h"

#include "chain/kit.h"
#include "config/messages.h"

struct conf_cors {
	const struct node *node;
};

struct conf_cors_policy {
	const struct node *node;
	CONF_LIST(struct conf_string_matcher) allow_origin_string_match;
	struct str allow_methods, allow_headers, expose_headers, max_age;
	bool allow_credentials, has_allow_credentials;
	struct conf_runtime_fraction *filter_enabled, *shadow_enabled;
	bool allow_private_network_access, has_allow_private_network_access;
	bool forward_not_matching_preflights,
	    has_forward_not_matching_preflights;
};

/* ---- configuration ---- */

static const struct schema_field conf_fields[] = { { .name = NULL } };

static const struct schema_message conf_message = {
	.name = "envoy.extensions.filters.http.cors.v3.Cors",
	.size = sizeof(struct conf_cors),
	.fields = conf_fields,
};

static const struct schema_field policy_fields[] = {
	{ .name = "allow_origin_string_match",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_cors_policy, allow_origin_string_match),
	    .message = &conf_string_matcher_message,
	    .text = "Origins that are allowed; one that matches * allows "
		    "every origin." },
	{ .name = "allow_methods",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_cors_policy, allow_methods),
	    .text = "Value of access-control-allow-methods; * allows the "
		    "method asked for." },
	{ .name = "allow_headers",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_cors_policy, allow_headers),
	    .text = "Value of access-control-allow-headers; * allows the "
		    "headers asked for." },
	{ .name = "expose_headers",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_cors_policy, expose_headers),
	    .text = "Value of access-control-expose-headers." },
	{ .name = "max_age",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_cors_policy, max_age),
	    .text = "Value of access-control-max-age: seconds that a "
		    "preflight holds." },
	{ .name = "allow_credentials",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT_HAS(struct conf_cors_policy, allow_credentials),
	    .text = "Whether requests with cookies or other credentials are "
		    "allowed." },
	{ .name = "filter_enabled",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_cors_policy, filter_enabled),
	    .message = &conf_runtime_fraction_message,
	    .text = "Fraction of requests the policy is applied to." },
	{ .name = "shadow_enabled",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_cors_policy, shadow_enabled),
	    .message = &conf_runtime_fraction_message,
	    .text = "Fraction of the other requests whose origin is counted "
		    "all the same." },
	{ .name = "allow_private_network_access",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT_HAS(
		struct conf_cors_policy, allow_private_network_access),
	    .text = "Whether preflights may ask for a private network." },
	{ .name = "forward_not_matching_preflights",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT_HAS(
		struct conf_cors_policy, forward_not_matching_preflights),
	    .text = "Whether preflights of other origins go to the backend; "
		    "they do unless given." },
	{ .name = NULL },
};

static const struct schema_message policy_message = {
	.name = "envoy.extensions.filters.http.cors.v3.CorsPolicy",
	.size = sizeof(struct conf_cors_policy),
	.fields = policy_fields,
};

/* The filter: its counters. */
struct cors {
	int valid, invalid;
};

/* A level's policy. */
struct policy {
	const struct conf_cors_policy *conf;
	const struct string_match **origins;
};

static const void *
configure(struct setup *s, const void *decoded)
{
	struct cors *cors = ARENA_NEW(host_setup_arena(s), struct cors);

	(void)decoded;
	cors->valid = host_setup_counter(s, "cors.origin_valid");
	cors->invalid = host_setup_counter(s, "cors.origin_invalid");
	return cors;
}

static const void *
configure_route(struct setup *s, const void *decoded)
{
	struct arena *arena = host_setup_arena(s);
	struct policy *policy = ARENA_NEW(arena, struct policy);
	const struct conf_cors_policy *conf = decoded;
	size_t n = conf->allow_origin_string_match.n;

	policy->conf = conf;
	policy->origins =
	    ARENA_ARRAY(arena, n + 1, const struct string_match *);
	for (size_t i = 0; i < n; i++)
		policy->origins[i] = kit_string_match(
		    s, &conf->allow_origin_string_match.items[i]);
	return policy;
}

/* ---- requests ---- */

static struct str
request_header(struct exchange *x, const char *name)
{
	return host_header(x, HOST_REQUEST, str_of(name), 0);
}

/* The policy of a request, each field from the first level that gives it. */
struct rules {
	const struct conf_cors_policy *nearest; /* NULL: there is no policy */
	const struct string_match **origins; /* or NULL */
	struct str allow_methods, allow_headers, expose_headers, max_age;
	const bool *allow_credentials, *allow_private_network_access;
	const bool *forward_not_matching_preflights;
};

static void
take_text(struct str *field, struct str found)
{
	if (!field->len)
		*field = found;
}

static void
take_bool(const bool **field, bool given, const bool *found)
{
	if (!*field && given)
		*field = found;
}

static void
add_level(struct rules *r, const struct policy *level)
{
	const struct conf_cors_policy *c = level->conf;

	if (!r->nearest)
		r->nearest = c;
	if (!r->origins && level->origins[0])
		r->origins = level->origins;
	take_text(&r->allow_methods, c->allow_methods);
	take_text(&r->allow_headers, c->allow_headers);
	take_text(&r->expose_headers, c->expose_headers);
	take_text(&r->max_age, c->max_age);
	take_bool(&r->allow_credentials, c->has_allow_credentials,
	    &c->allow_credentials);
	take_bool(&r->allow_private_network_access,
	    c->has_allow_private_network_access,
	    &c->allow_private_network_access);
	take_bool(&r->forward_not_matching_preflights,
	    c->has_forward_not_matching_preflights,
	    &c->forward_not_matching_preflights);
}

/* The levels from one to another, the most specific first. */
static void
add_levels(struct exchange *x, struct rules *r, int from, int to)
{
	const struct policy *level;

	for (int i = to; i >= from; i--) {
		level = host_route_conf_at(x, (enum host_level)i);
		if (level)
			add_level(r, level);
	}
}

/* The old fields count only where nothing is written in the new ones. */
static struct rules
rules_of(struct exchange *x)
{
	struct rules r = { .nearest = NULL };

	add_levels(x, &r, 0, HOST_LEVELS - 1);
	if (!r.nearest)
		add_levels(x, &r, HOST_OLD_VHOST, HOST_OLD_ROUTE);
	return r;
}

static bool
is_set(const bool *field, bool fallback)
{
	return field ? *field : fallback;
}

static bool
is_allowed(const struct rules *r, struct str origin)
{
	for (size_t i = 0; r->origins && r->origins[i]; i++)
		if (string_match_holds(r->origins[i], STR("*")) ||
		    string_match_holds(r->origins[i], origin))
			return true;
	return false;
}

struct answer {
	struct header fields[8];
	size_t n;
};

/* Adds a field unless its value is empty. */
static void
say(struct answer *answer, struct str name, struct str value)
{
	if (value.len)
		answer->fields[answer->n++] = (struct header){ name, value };
}

/* What ordinary responses have, and preflights too. */
static void
say_origin(struct answer *answer, const struct rules *r, struct str origin)
{
	say(answer, STR("access-control-allow-origin"), origin);
	if (is_set(r->allow_credentials, false))
		say(answer, STR("access-control-allow-credentials"),
		    STR("true"));
	say(answer, STR("access-control-expose-headers"), r->expose_headers);
}

static void
say_allowed(struct exchange *x, const struct rules *r, struct answer *answer)
{
	struct str network =
	    request_header(x, "access-control-request-private-network");

	say(answer, STR("access-control-allow-methods"),
	    str_eq(r->allow_methods, STR("*"))
		? request_header(x, "access-control-request-method")
		: r->allow_methods);
	say(answer, STR("access-control-allow-headers"),
	    str_eq(r->allow_headers, STR("*"))
		? request_header(x, "access-control-request-headers")
		: r->allow_headers);
	say(answer, STR("access-control-max-age"), r->max_age);
	if (is_set(r->allow_private_network_access, false) &&
	    str_eq(network, STR("true")))
		say(answer, STR("access-control-allow-private-network"),
		    STR("true"));
}

static bool
is_preflight(struct exchange *x)
{
	return str_eq(request_header(x, ":method"), STR("OPTIONS")) &&
	       request_header(x, "access-control-request-method").len > 0;
}

/* A page of another origin is told all but that it is allowed, as in Envoy. */
static enum verdict
preflight(
    struct exchange *x, const struct rules *r, struct str origin, bool allowed)
{
	struct answer answer = { .n = 0 };

	if (!allowed && is_set(r->forward_not_matching_preflights, true))
		return FILTER_NEXT;
	if (allowed)
		say_origin(&answer, r, origin);
	else if (is_set(r->allow_credentials, false))
		say(&answer, STR("access-control-allow-credentials"),
		    STR("true"));
	say_allowed(x, r, &answer);
	host_reply(x, &(struct host_reply){ .status = 200,
			  .headers = answer.fields,
			  .n_headers = answer.n,
			  .details = STR("cors_response"),
			  .bare = true });
	return FILTER_REPLY;
}

/* What the response of an allowed origin gets; nothing without an origin. */
struct state {
	struct str origin;
	struct rules rules;
};

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	const struct cors *cors = conf;
	struct str origin = request_header(x, "origin");
	struct rules r;
	bool enabled, allowed;

	if (!origin.len || !host_route_forwards(x))
		return FILTER_NEXT;
	r = rules_of(x);
	if (!r.nearest)
		return FILTER_NEXT;
	host_decided_by(x, r.nearest->node);
	enabled = kit_happens(x, r.nearest->filter_enabled, true);
	if (!enabled && !kit_happens(x, r.nearest->shadow_enabled, false))
		return FILTER_NEXT;
	allowed = is_allowed(&r, origin);
	host_count(x, allowed ? cors->valid : cors->invalid, 1);
	if (!enabled)
		return FILTER_NEXT;
	if (allowed)
		*(struct state *)state =
		    (struct state){ host_keep(x, origin), r };
	return is_preflight(x) ? preflight(x, &r, origin, allowed)
			       : FILTER_NEXT;
}

static enum verdict
on_response(const void *conf, void *state, struct exchange *x)
{
	const struct state *s = state;
	struct answer answer = { .n = 0 };

	(void)conf;
	if (!s->origin.len)
		return FILTER_NEXT;
	say_origin(&answer, &s->rules, s->origin);
	for (size_t i = 0; i < answer.n; i++)
		host_header_set(x, HOST_RESPONSE, answer.fields[i].name,
		    answer.fields[i].value);
	return FILTER_NEXT;
}

const struct filter filter_cors = {
	.name = "envoy.filters.http.cors",
	.text = "Answers preflights and says on responses whether a page of "
		"another origin may read them. Each field of the policy is "
		"taken from the most specific level that gives it.",
	.short_form = "cors: { origins: [\"https://app.example.com\"] }",
	.conf = &conf_message,
	.route_conf = &policy_message,
	.configure = configure,
	.configure_route = configure_route,
	.state_size = sizeof(struct state),
	.on_request = on_request,
	.on_response = on_response,
};
