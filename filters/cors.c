/*
 * Cross-origin requests (the Fetch standard, Envoy's cors filter): answers
 * preflights and says on responses whether a page may read them. Beyond
 * Envoy it adds "vary: origin", without which a cache hands the answer for
 * one origin to another.
 */
#include "config.h"

#include "chain/filter.h"
#include "chain/host.h"
#include "chain/match.h"
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
	bool forward_not_matching_preflights;
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
	    SCHEMA_AT(struct conf_cors_policy, forward_not_matching_preflights),
	    .fallback = "true",
	    .text = "Whether preflights of other origins go to the backend." },
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

/* A route's policy. */
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
	for (size_t i = 0; i < n; i++) {
		const struct conf_string_matcher *matcher =
		    &conf->allow_origin_string_match.items[i];
		struct diag *diag = diag_new(arena);

		policy->origins[i] = string_match_build(arena, matcher, diag);
		if (!policy->origins[i])
			host_setup_error(
			    s, matcher->node, "%s", diag_message(diag, 0));
	}
	return policy;
}

/* ---- requests ---- */

static struct str
request_header(struct exchange *x, const char *name)
{
	return host_header(x, HOST_REQUEST, str_of(name), 0);
}

static bool
is_allowed(const struct policy *policy, struct str origin)
{
	for (size_t i = 0; policy->origins[i]; i++)
		if (string_match_holds(policy->origins[i], STR("*")) ||
		    string_match_holds(policy->origins[i], origin))
			return true;
	return false;
}

/* RFC 9110 section 12.5.5: adds origin to the list, unless it is there. */
static struct str
vary_with_origin(struct exchange *x)
{
	struct str all = STR_NONE, field, rest, name;

	for (size_t i = 0;; i++) {
		field = host_header(x, HOST_RESPONSE, STR("vary"), i);
		if (!field.ptr)
			break;
		for (rest = field; rest.ptr;) {
			name = str_trim(str_split(&rest, ','));
			if (str_eq_nocase(name, STR("origin")) ||
			    str_eq(name, STR("*")))
				return STR_NONE;
		}
		all = all.len
			  ? arena_printf(host_arena(x), STR_FMT ", " STR_FMT,
				STR_ARG(all), STR_ARG(field))
			  : field;
	}
	return all.len ? arena_printf(
			     host_arena(x), STR_FMT ", origin", STR_ARG(all))
		       : STR("origin");
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

static void
say_allowed(struct exchange *x, const struct policy *policy, struct str origin,
    struct answer *answer)
{
	const struct conf_cors_policy *conf = policy->conf;
	struct str network =
	    request_header(x, "access-control-request-private-network");

	say(answer, STR("access-control-allow-origin"), origin);
	if (conf->allow_credentials)
		say(answer, STR("access-control-allow-credentials"),
		    STR("true"));
	say(answer, STR("access-control-allow-methods"),
	    str_eq(conf->allow_methods, STR("*"))
		? request_header(x, "access-control-request-method")
		: conf->allow_methods);
	say(answer, STR("access-control-allow-headers"),
	    str_eq(conf->allow_headers, STR("*"))
		? request_header(x, "access-control-request-headers")
		: conf->allow_headers);
	say(answer, STR("access-control-max-age"), conf->max_age);
	if (conf->allow_private_network_access && str_eq(network, STR("true")))
		say(answer, STR("access-control-allow-private-network"),
		    STR("true"));
}

static bool
is_preflight(struct exchange *x)
{
	return str_eq(request_header(x, ":method"), STR("OPTIONS")) &&
	       request_header(x, "access-control-request-method").len > 0;
}

static enum verdict
preflight(struct exchange *x, const struct policy *policy, struct str origin,
    bool allowed)
{
	struct answer answer = { .n = 0 };

	if (!allowed && policy->conf->forward_not_matching_preflights)
		return FILTER_NEXT;
	if (allowed)
		say_allowed(x, policy, origin, &answer);
	if (policy->origins[0])
		say(&answer, STR("vary"), STR("origin"));
	host_reply(x, &(struct host_reply){ .status = 200,
			  .headers = answer.fields,
			  .n_headers = answer.n,
			  .details = STR("cors_response") });
	return FILTER_REPLY;
}

/*
 * The dice are thrown once per request, since the response side must come
 * to the same answer: 0 not yet, else one of these.
 */
enum dice { DICE_OFF = 1, DICE_SHADOW, DICE_ON };

static enum dice
throw_dice(struct exchange *x, const struct policy *policy, int *dice)
{
	if (*dice)
		return (enum dice) * dice;
	*dice = DICE_OFF;
	if (match_fraction(
		policy->conf->filter_enabled, host_random(x, UINT64_MAX), true))
		*dice = DICE_ON;
	else if (match_fraction(policy->conf->shadow_enabled,
		     host_random(x, UINT64_MAX), false))
		*dice = DICE_SHADOW;
	return (enum dice) * dice;
}

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	const struct cors *cors = conf;
	const struct policy *policy = host_route_conf(x);
	struct str origin = request_header(x, "origin");
	enum dice dice;
	bool allowed;

	if (!policy || !origin.len || !host_route_forwards(x))
		return FILTER_NEXT;
	dice = throw_dice(x, policy, state);
	if (dice == DICE_OFF)
		return FILTER_NEXT;
	allowed = is_allowed(policy, origin);
	host_count(x, allowed ? cors->valid : cors->invalid, 1);
	if (dice == DICE_ON && is_preflight(x))
		return preflight(x, policy, origin, allowed);
	return FILTER_NEXT;
}

/* Works from the request's headers alone: on_request may not have run. */
static enum verdict
on_response(const void *conf, void *state, struct exchange *x)
{
	const struct policy *policy = host_route_conf(x);
	struct str origin = request_header(x, "origin");
	struct answer answer = { .n = 0 };

	(void)conf;
	if (!policy || !policy->origins[0] || !host_route_forwards(x) ||
	    throw_dice(x, policy, state) != DICE_ON)
		return FILTER_NEXT;
	say(&answer, STR("vary"), vary_with_origin(x));
	if (origin.len && is_allowed(policy, origin)) {
		say(&answer, STR("access-control-allow-origin"), origin);
		if (policy->conf->allow_credentials)
			say(&answer, STR("access-control-allow-credentials"),
			    STR("true"));
		say(&answer, STR("access-control-expose-headers"),
		    policy->conf->expose_headers);
	}
	for (size_t i = 0; i < answer.n; i++)
		host_header_set(x, HOST_RESPONSE, answer.fields[i].name,
		    answer.fields[i].value);
	return FILTER_NEXT;
}

const struct filter filter_cors = {
	.name = "envoy.filters.http.cors",
	.conf = &conf_message,
	.route_conf = &policy_message,
	.configure = configure,
	.configure_route = configure_route,
	.state_size = sizeof(int),
	.on_request = on_request,
	.on_response = on_response,
};
