/* Envoy's matchers of requests. */
#include "config.h"

#include "config/messages.h"

static const struct schema_field int64_range_fields[] = {
	{ FIELD(SCHEMA_I64, conf_int64_range, start),
	    .text = "First number of the range." },
	{ FIELD(SCHEMA_I64, conf_int64_range, end),
	    .text = "First number behind the range." },
	{ .name = NULL },
};

static const struct schema_message int64_range_message = {
	.name = "envoy.type.v3.Int64Range",
	.size = sizeof(struct conf_int64_range),
	.fields = int64_range_fields,
};

static const struct schema_field header_matcher_fields[] = {
	{ FIELD(SCHEMA_STR, conf_header_matcher, name), .min_items = 1,
	    .required = true,
	    .text =
		"Header name; :method, :path, :authority and :scheme too." },
	{ FIELD(SCHEMA_MESSAGE, conf_header_matcher, string_match),
	    .message = &conf_string_matcher_message,
	    .oneof = "header_match_specifier",
	    .text = "What the value must match." },
	{ FIELD(SCHEMA_MESSAGE, conf_header_matcher, range_match),
	    .message = &int64_range_message, .oneof = "header_match_specifier",
	    .text = "Range in which the value, a whole number, lies." },
	{ FIELD_HAS(SCHEMA_BOOL, conf_header_matcher, present_match),
	    .oneof = "header_match_specifier",
	    .text = "Whether the header must be there or must be missing." },
	{ FIELD(SCHEMA_STR, conf_header_matcher, exact_match),
	    .oneof = "header_match_specifier",
	    .text = "Deprecated: string_match." },
	{ FIELD(SCHEMA_MESSAGE, conf_header_matcher, safe_regex_match),
	    .message = &conf_regex_message, .oneof = "header_match_specifier",
	    .text = "Deprecated: string_match." },
	{ FIELD(SCHEMA_STR, conf_header_matcher, prefix_match), .min_items = 1,
	    .oneof = "header_match_specifier",
	    .text = "Deprecated: string_match." },
	{ FIELD(SCHEMA_STR, conf_header_matcher, suffix_match), .min_items = 1,
	    .oneof = "header_match_specifier",
	    .text = "Deprecated: string_match." },
	{ FIELD(SCHEMA_STR, conf_header_matcher, contains_match),
	    .min_items = 1, .oneof = "header_match_specifier",
	    .text = "Deprecated: string_match." },
	{ FIELD(SCHEMA_BOOL, conf_header_matcher, invert_match),
	    .text = "Turn the answer round; a missing header never matches." },
	{ FIELD(
	      SCHEMA_BOOL, conf_header_matcher, treat_missing_header_as_empty),
	    .text = "Match a missing header as an empty one." },
	{ .name = NULL },
};

static void
check_header_matcher(struct diag *diag, const char *path, void *decoded)
{
	struct conf_header_matcher *m = decoded;

	if (m->range_match && m->range_match->start >= m->range_match->end)
		diag_warn(diag, m->range_match->node->place, path,
		    "the range is empty: `end` itself lies outside");
	m->from_deprecated = (struct conf_string_matcher){
		.node = m->node,
		.exact = m->exact_match,
		.prefix = m->prefix_match,
		.suffix = m->suffix_match,
		.contains = m->contains_match,
		.safe_regex = m->safe_regex_match,
	};
	/* An empty one matches every value. */
	if (m->exact_match.ptr && !m->exact_match.len) {
		m->present_match = m->has_present_match = true;
		return;
	}
	if (!m->string_match &&
	    (m->exact_match.ptr || m->prefix_match.ptr || m->suffix_match.ptr ||
		m->contains_match.ptr || m->safe_regex_match))
		m->string_match = &m->from_deprecated;
}

const struct schema_message conf_header_matcher_message = {
	.name = "envoy.config.route.v3.HeaderMatcher",
	.size = sizeof(struct conf_header_matcher),
	.fields = header_matcher_fields,
	.check = check_header_matcher,
};

static const struct schema_field query_matcher_fields[] = {
	{ FIELD(SCHEMA_STR, conf_query_matcher, name), .min_items = 1,
	    .required = true,
	    .text = "Name of the query parameter, as it stands in the URL." },
	{ FIELD(SCHEMA_MESSAGE, conf_query_matcher, string_match),
	    .message = &conf_string_matcher_message,
	    .oneof = "query_parameter_match_specifier",
	    .text = "What the first value must match." },
	{ FIELD_HAS(SCHEMA_BOOL, conf_query_matcher, present_match),
	    .oneof = "query_parameter_match_specifier",
	    .text = "Whether the parameter must be there." },
	{ .name = NULL },
};

const struct schema_message conf_query_matcher_message = {
	.name = "envoy.config.route.v3.QueryParameterMatcher",
	.size = sizeof(struct conf_query_matcher),
	.fields = query_matcher_fields,
};

static const struct schema_field cookie_matcher_fields[] = {
	{ FIELD(SCHEMA_STR, conf_cookie_matcher, name), .min_items = 1,
	    .required = true, .text = "Name of the cookie." },
	{ FIELD(SCHEMA_MESSAGE, conf_cookie_matcher, string_match),
	    .message = &conf_string_matcher_message, .required = true,
	    .text = "What its value must match." },
	{ FIELD(SCHEMA_BOOL, conf_cookie_matcher, invert_match),
	    .text = "Turn the answer round, also for a missing cookie." },
	{ .name = NULL },
};

static const struct schema_message cookie_matcher_message = {
	.name = "envoy.config.route.v3.CookieMatcher",
	.size = sizeof(struct conf_cookie_matcher),
	.fields = cookie_matcher_fields,
};

static const struct schema_field tls_match_fields[] = {
	{ FIELD_HAS(SCHEMA_BOOL, conf_tls_match, presented),
	    .text = "Whether the client has shown a certificate; the web "
		    "server says so in SSL_CLIENT_VERIFY." },
	{ FIELD_HAS(SCHEMA_BOOL, conf_tls_match, validated),
	    .text = "Whether the web server has verified it." },
	{ .name = NULL },
};

static const struct schema_message tls_match_message = {
	.name = "envoy.config.route.v3.RouteMatch.TlsContextMatchOptions",
	.size = sizeof(struct conf_tls_match),
	.fields = tls_match_fields,
};

static const struct schema_field typed_extension_fields[] = {
	{ FIELD(SCHEMA_STR, conf_typed_extension, name), .min_items = 1,
	    .required = true, .text = "Free text." },
	{ FIELD(SCHEMA_ANY, conf_typed_extension, typed_config),
	    .required = true, .text = "The extension and its configuration." },
	{ .name = NULL },
};

const struct schema_message conf_typed_extension_message = {
	.name = "envoy.config.core.v3.TypedExtensionConfig",
	.size = sizeof(struct conf_typed_extension),
	.fields = typed_extension_fields,
};

static const struct schema_field route_match_fields[] = {
	{ FIELD(SCHEMA_STR, conf_route_match, prefix),
	    .oneof = "path_specifier",
	    .text = "How the path begins, byte for byte." },
	{ FIELD(SCHEMA_STR, conf_route_match, path), .oneof = "path_specifier",
	    .text = "The whole path, without the query." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_match, safe_regex),
	    .message = &conf_regex_message, .oneof = "path_specifier",
	    .text = "Expression that the whole path matches." },
	{ FIELD(SCHEMA_STR, conf_route_match, path_separated_prefix),
	    .min_items = 2, .oneof = "path_specifier",
	    .text = "The path's first segments, whole." },
	REFUSED("connect_matcher", "CONNECT does not come through FastCGI"),
	{ FIELD(SCHEMA_MESSAGE, conf_route_match, path_match_policy),
	    .message = &conf_typed_extension_message, .oneof = "path_specifier",
	    .text = "A URI template that the whole path fits." },
	{ FIELD(SCHEMA_BOOL, conf_route_match, case_sensitive),
	    .fallback = "true",
	    .text = "Whether letters are compared with case." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_match, runtime_fraction),
	    .message = &conf_runtime_fraction_message,
	    .text = "Fraction of the requests that match." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_match, headers),
	    .label = SCHEMA_LIST, .message = &conf_header_matcher_message,
	    .text = "Headers that must all match." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_match, query_parameters),
	    .label = SCHEMA_LIST, .message = &conf_query_matcher_message,
	    .text = "Query parameters that must all match." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_match, cookies),
	    .label = SCHEMA_LIST, .message = &cookie_matcher_message,
	    .text = "Cookies that must all match." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_match, grpc),
	    .message = &conf_empty_message,
	    .text = "Match gRPC requests only, by their content-type." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_match, tls_context),
	    .message = &tls_match_message,
	    .text = "What must be true of the client's certificate." },
	{ FIELD(SCHEMA_MESSAGE, conf_route_match, dynamic_metadata),
	    .label = SCHEMA_LIST, .message = &conf_metadata_matcher_message,
	    .text = "Metadata of filters that must all match, once one of "
		    "them has the route chosen anew." },
	REFUSED("filter_state", "no filter here sets any"),
	{ .name = NULL },
};

static void
check_route_match(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_route_match *match = decoded;

	if (match->prefix.len > 1 && !str_starts(match->prefix, STR("/")))
		diag_warn(diag, match->node->place, path,
		    "`prefix` begins without \"/\": no path does");
	if (match->path.len && !str_starts(match->path, STR("/")))
		diag_warn(diag, match->node->place, path,
		    "`path` begins without \"/\": no path does");
}

const struct schema_message conf_route_match_message = {
	.name = "envoy.config.route.v3.RouteMatch",
	.size = sizeof(struct conf_route_match),
	.fields = route_match_fields,
	.required_oneof = "path_specifier",
	.check = check_route_match,
};
