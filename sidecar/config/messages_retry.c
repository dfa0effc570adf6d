/* RetryPolicy: which answers and failures are tried again, and when. */
#include "config.h"

#include "config/messages.h"
#include "config/model_forward.h"

#define UNBUILT "it is not built in"

static const struct schema_field extension_fields[] = {
	{ FIELD(SCHEMA_STR, conf_extension, name), .min_items = 1,
	    .required = true, .text = "Free text." },
	{ FIELD(SCHEMA_ANY, conf_extension, typed_config), .required = true,
	    .text = "What it is." },
	{ .name = NULL },
};

const struct schema_message conf_extension_message = {
	.name = "envoy.config.core.v3.TypedExtensionConfig",
	.size = sizeof(struct conf_extension),
	.fields = extension_fields,
};

static const struct schema_field predicate_fields[] = {
	{ FIELD(SCHEMA_STR, conf_extension, name), .min_items = 1,
	    .required = true, .text = "Free text." },
	{ FIELD(SCHEMA_ANY, conf_extension, typed_config),
	    .oneof = "config_type", .text = "Hosts that are passed over." },
	{ .name = NULL },
};

static const struct schema_message predicate_message = {
	.name = "envoy.config.route.v3.RetryPolicy.RetryHostPredicate",
	.size = sizeof(struct conf_extension),
	.fields = predicate_fields,
};

static const struct schema_field back_off_fields[] = {
	{ FIELD(SCHEMA_DURATION, conf_retry_back_off, base_interval),
	    .min = 1e-9, .required = true,
	    .text = "The first wait is below it; later ones double." },
	{ FIELD_HAS(SCHEMA_DURATION, conf_retry_back_off, max_interval),
	    .min = 1e-9,
	    .text = "No wait is longer; ten times base_interval." },
	{ .name = NULL },
};

static void
check_back_off(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_retry_back_off *b = decoded;

	if (b->has_max_interval && b->max_interval < b->base_interval)
		diag_error(diag, b->node->place, path,
		    "retry_policy.max_interval must greater than or equal to "
		    "the base_interval");
}

static const struct schema_message back_off_message = {
	.name = "envoy.config.route.v3.RetryPolicy.RetryBackOff",
	.size = sizeof(struct conf_retry_back_off),
	.fields = back_off_fields,
	.check = check_back_off,
};

static const struct schema_choice reset_choices[] = {
	{ .name = "SECONDS", .value = CONF_RESET_SECONDS },
	{ .name = "UNIX_TIMESTAMP", .value = CONF_RESET_UNIX_TIMESTAMP },
	{ .name = NULL },
};

static const struct schema_field reset_header_fields[] = {
	{ FIELD(SCHEMA_STR, conf_reset_header, name), .min_items = 1,
	    .required = true, .text = "Response header that tells when." },
	{ FIELD(SCHEMA_ENUM, conf_reset_header, format),
	    .choices = reset_choices,
	    .text = "SECONDS to wait, or the time as UNIX_TIMESTAMP." },
	{ .name = NULL },
};

static const struct schema_message reset_header_message = {
	.name = "envoy.config.route.v3.RetryPolicy.ResetHeader",
	.size = sizeof(struct conf_reset_header),
	.fields = reset_header_fields,
};

static const struct schema_field limited_back_off_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_limited_back_off, reset_headers),
	    .label = SCHEMA_LIST, .message = &reset_header_message,
	    .min_items = 1, .required = true,
	    .text = "The first that tells a time is taken." },
	{ FIELD(SCHEMA_DURATION, conf_limited_back_off, max_interval),
	    .min = 1e-9, .fallback = "300s",
	    .text = "Longer waits are not believed." },
	{ .name = NULL },
};

static const struct schema_message limited_back_off_message = {
	.name = "envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff",
	.size = sizeof(struct conf_limited_back_off),
	.fields = limited_back_off_fields,
};

static const struct schema_field retry_policy_fields[] = {
	{ FIELD(SCHEMA_STR, conf_retry_policy, retry_on),
	    .text = "Reasons to try again, separated by commas." },
	{ FIELD(SCHEMA_U32, conf_retry_policy, num_retries), .fallback = "1",
	    .text = "Tries after the first." },
	{ FIELD(SCHEMA_DURATION, conf_retry_policy, per_try_timeout),
	    .text = "Longest time of one try; 0: that of the route." },
	{ FIELD(SCHEMA_DURATION, conf_retry_policy, per_try_idle_timeout),
	    .text = "Longest time in a try without a byte; 0: none." },
	REFUSED("retry_priority", "hosts have one priority"),
	{ FIELD(SCHEMA_MESSAGE, conf_retry_policy, retry_host_predicate),
	    .label = SCHEMA_LIST, .message = &predicate_message,
	    .text = "Hosts that a retry passes over." },
	REFUSED("retry_options_predicates", UNBUILT),
	{ FIELD(
	      SCHEMA_I64, conf_retry_policy, host_selection_retry_max_attempts),
	    .fallback = "1", .text = "How often another host is looked for." },
	{ FIELD(SCHEMA_U32, conf_retry_policy, retriable_status_codes),
	    .label = SCHEMA_LIST,
	    .text = "For retriable-status-codes in retry_on." },
	{ FIELD(SCHEMA_MESSAGE, conf_retry_policy, retry_back_off),
	    .message = &back_off_message, .text = "Waits between tries." },
	{ FIELD(SCHEMA_MESSAGE, conf_retry_policy, rate_limited_retry_back_off),
	    .message = &limited_back_off_message,
	    .text = "Waits that the backend asks for." },
	{ FIELD(SCHEMA_MESSAGE, conf_retry_policy, retriable_headers),
	    .label = SCHEMA_LIST, .message = &conf_header_matcher_message,
	    .text = "For retriable-headers in retry_on." },
	{ FIELD(SCHEMA_MESSAGE, conf_retry_policy, retriable_request_headers),
	    .label = SCHEMA_LIST, .message = &conf_header_matcher_message,
	    .text = "Requests that may be retried; all without it." },
	REFUSED_SCALAR(
	    "refresh_cluster_on_retry", "a request keeps its cluster"),
	{ .name = NULL },
};

/* What Envoy does not know of a list of reasons it passes over in silence. */
static void
check_retry_policy(struct diag *diag, const char *path, void *decoded)
{
	static const char *const words[] = { "5xx", "gateway-error", "reset",
		"reset-before-request", "connect-failure", "envoy-ratelimited",
		"retriable-4xx", "refused-stream", "retriable-status-codes",
		"retriable-headers", "http3-post-connect-failure", "cancelled",
		"deadline-exceeded", "internal", "resource-exhausted",
		"unavailable", NULL };
	const struct conf_retry_policy *policy = decoded;
	struct str rest = policy->retry_on;

	while (rest.len) {
		struct str word = str_trim(str_split(&rest, ','));
		size_t at = 0;
		const char *near;

		while (words[at] && !str_eq(word, str_of(words[at])))
			at++;
		if (words[at] || !word.len)
			continue;
		diag_warn(diag, policy->node->place, path,
		    "`retry_on`: '" STR_FMT "' is no reason that Envoy knows: "
		    "it has no effect",
		    STR_ARG(word));
		near = schema_nearest(word, words);
		if (near)
			diag_hint(diag, "did you mean `%s`?", near);
	}
}

const struct schema_message conf_retry_policy_message = {
	.name = "envoy.config.route.v3.RetryPolicy",
	.size = sizeof(struct conf_retry_policy),
	.fields = retry_policy_fields,
	.check = check_retry_policy,
};
