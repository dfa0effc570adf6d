/* What else a RouteAction says of forwarding: hashing, mirrors, durations. */
#include "config.h"

#include "config/messages.h"
#include "config/model_forward.h"

static const struct schema_field hash_header_fields[] = {
	{ FIELD(SCHEMA_STR, conf_hash_header, header_name), .min_items = 1,
	    .required = true, .text = "Request header." },
	{ FIELD(SCHEMA_MESSAGE, conf_hash_header, regex_rewrite),
	    .message = &conf_regex_rewrite_message,
	    .text = "Changes its value before it is hashed." },
	{ .name = NULL },
};

static const struct schema_message hash_header_message = {
	.name = "envoy.config.route.v3.RouteAction.HashPolicy.Header",
	.size = sizeof(struct conf_hash_header),
	.fields = hash_header_fields,
};

static const struct schema_field cookie_attribute_fields[] = {
	{ FIELD(SCHEMA_STR, conf_cookie_attribute, name), .min_items = 1,
	    .required = true, .text = "Name, such as SameSite." },
	{ FIELD(SCHEMA_STR, conf_cookie_attribute, value),
	    .text = "Value, if it has one." },
	{ .name = NULL },
};

static void
check_cookie_attribute(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_cookie_attribute *a = decoded;
	const struct str parts[] = { a->name, a->value };

	for (size_t part = 0; part < 2; part++)
		for (size_t i = 0; i < parts[part].len; i++) {
			char c = parts[part].ptr[i];
			if (c != ';' && (unsigned char)c >= ' ' && c != 0x7f)
				continue;
			diag_error(diag, a->node->place, path,
			    "an attribute of a cookie has no ; and no control "
			    "characters");
			return;
		}
}

static const struct schema_message cookie_attribute_message = {
	.name = "envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute",
	.size = sizeof(struct conf_cookie_attribute),
	.fields = cookie_attribute_fields,
	.check = check_cookie_attribute,
};

static const struct schema_field hash_cookie_fields[] = {
	{ FIELD(SCHEMA_STR, conf_hash_cookie, name), .min_items = 1,
	    .required = true, .text = "Name of the cookie." },
	{ FIELD_HAS(SCHEMA_DURATION, conf_hash_cookie, ttl),
	    .text = "Makes the cookie if it is missing; 0s: for a session." },
	{ FIELD(SCHEMA_STR, conf_hash_cookie, path),
	    .text = "Path of a cookie that is made." },
	{ FIELD(SCHEMA_MESSAGE, conf_hash_cookie, attributes),
	    .label = SCHEMA_LIST, .message = &cookie_attribute_message,
	    .text = "Further attributes of a cookie that is made." },
	{ .name = NULL },
};

static const struct schema_message hash_cookie_message = {
	.name = "envoy.config.route.v3.RouteAction.HashPolicy.Cookie",
	.size = sizeof(struct conf_hash_cookie),
	.fields = hash_cookie_fields,
};

static const struct schema_field hash_connection_fields[] = {
	{ FIELD(SCHEMA_BOOL, conf_hash_connection, source_ip),
	    .text = "The client's address." },
	{ .name = NULL },
};

static const struct schema_message hash_connection_message = {
	.name =
	    "envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties",
	.size = sizeof(struct conf_hash_connection),
	.fields = hash_connection_fields,
};

static const struct schema_field hash_query_fields[] = {
	{ FIELD(SCHEMA_STR, conf_hash_query, name), .min_items = 1,
	    .required = true, .text = "Name of the parameter." },
	{ .name = NULL },
};

static const struct schema_message hash_query_message = {
	.name = "envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter",
	.size = sizeof(struct conf_hash_query),
	.fields = hash_query_fields,
};

static const struct schema_field hash_policy_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_hash_policy, header),
	    .message = &hash_header_message, .oneof = "policy_specifier",
	    .text = "Hash a request header." },
	{ FIELD(SCHEMA_MESSAGE, conf_hash_policy, cookie),
	    .message = &hash_cookie_message, .oneof = "policy_specifier",
	    .text = "Hash a cookie." },
	{ FIELD(SCHEMA_MESSAGE, conf_hash_policy, connection_properties),
	    .message = &hash_connection_message, .oneof = "policy_specifier",
	    .text = "Hash the client's address." },
	{ FIELD(SCHEMA_MESSAGE, conf_hash_policy, query_parameter),
	    .message = &hash_query_message, .oneof = "policy_specifier",
	    .text = "Hash a query parameter." },
	REFUSED("filter_state", "there is no filter state"),
	{ FIELD(SCHEMA_BOOL, conf_hash_policy, terminal),
	    .text = "Stop here once there is a hash." },
	{ .name = NULL },
};

const struct schema_message conf_hash_policy_message = {
	.name = "envoy.config.route.v3.RouteAction.HashPolicy",
	.size = sizeof(struct conf_hash_policy),
	.fields = hash_policy_fields,
	.required_oneof = "policy_specifier",
};

static const struct schema_field mirror_policy_fields[] = {
	{ FIELD(SCHEMA_STR, conf_mirror_policy, cluster),
	    .text = "Cluster that gets a copy of the request." },
	{ FIELD(SCHEMA_STR, conf_mirror_policy, cluster_header),
	    .text = "Request header that names the cluster." },
	{ FIELD(SCHEMA_MESSAGE, conf_mirror_policy, runtime_fraction),
	    .message = &conf_runtime_fraction_message,
	    .text = "Which requests; all without it." },
	DELEGATED_SCALAR("trace_sampled", "there is no tracing"),
	{ FIELD(SCHEMA_BOOL, conf_mirror_policy,
	      disable_shadow_host_suffix_append),
	    .text = "Leave -shadow off the copy's host." },
	REFUSED("request_headers_mutations", "a copy has the same headers"),
	{ FIELD(SCHEMA_STR, conf_mirror_policy, host_rewrite_literal),
	    .text = "Host of the copy." },
	{ .name = NULL },
};

static void
check_mirror_policy(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_mirror_policy *m = decoded;

	if (m->cluster.len && m->cluster_header.len)
		diag_error(diag, m->node->place, path,
		    "Only one of cluster '" STR_FMT
		    "' or cluster_header '" STR_FMT
		    "' in request mirror policy can be specified",
		    STR_ARG(m->cluster), STR_ARG(m->cluster_header));
	else if (!m->cluster.len && !m->cluster_header.len)
		diag_error(diag, m->node->place, path,
		    "Exactly one of cluster or cluster_header in request "
		    "mirror policy need to be specified");
}

const struct schema_message conf_mirror_policy_message = {
	.name = "envoy.config.route.v3.RouteAction.RequestMirrorPolicy",
	.size = sizeof(struct conf_mirror_policy),
	.fields = mirror_policy_fields,
	.check = check_mirror_policy,
};

static const struct schema_field max_stream_duration_fields[] = {
	{ FIELD_HAS(
	      SCHEMA_DURATION, conf_max_stream_duration, max_stream_duration),
	    .text = "Longest time of a request and its answer; 0: none." },
	{ FIELD_HAS(SCHEMA_DURATION, conf_max_stream_duration,
	      grpc_timeout_header_max),
	    .text = "grpc-timeout holds, up to this; 0: whatever it is." },
	{ FIELD(SCHEMA_DURATION, conf_max_stream_duration,
	      grpc_timeout_header_offset),
	    .text = "Taken off grpc-timeout." },
	{ .name = NULL },
};

const struct schema_message conf_max_stream_duration_message = {
	.name = "envoy.config.route.v3.RouteAction.MaxStreamDuration",
	.size = sizeof(struct conf_max_stream_duration),
	.fields = max_stream_duration_fields,
};
