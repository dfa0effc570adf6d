/* Reads the router filter's message. */
#include "config.h"

#include "chain/router_rules.h"
#include "config/model.h"
#include "http/headers.h"

struct router_conf {
	const struct node *node;
	bool dynamic_stats, suppress_envoy_headers;
	bool respect_expected_rq_timeout;
	bool suppress_grpc_request_failure_code_stats;
	conf_strings strict_check_headers;
};

#define FIELD(kind, member)                                                    \
	.name = #member, .type = (kind), SCHEMA_AT(struct router_conf, member)
#define REFUSED(field, kind, many, why)                                        \
	{                                                                      \
		.name = field, .type = kind, .label = many,                    \
		.stance = SCHEMA_REFUSED, .text = why                          \
	}

static const struct schema_field router_fields[] = {
	{ FIELD(SCHEMA_BOOL, dynamic_stats), .fallback = "true",
	    .text = "Whether answers are counted per cluster." },
	REFUSED("start_child_span", SCHEMA_BOOL, SCHEMA_ONE,
	    "there is no tracing here"),
	REFUSED("upstream_log", SCHEMA_NODE, SCHEMA_LIST,
	    "there are no logs of single upstream attempts here"),
	REFUSED("upstream_log_options", SCHEMA_NODE, SCHEMA_ONE,
	    "there are no logs of single upstream attempts here"),
	{ FIELD(SCHEMA_BOOL, suppress_envoy_headers),
	    .text = "Adds no x-envoy- fields to requests and responses." },
	{ FIELD(SCHEMA_STR, strict_check_headers), .label = SCHEMA_LIST,
	    .text = "Headers for the router whose values must be sound." },
	{ FIELD(SCHEMA_BOOL, respect_expected_rq_timeout),
	    .text = "x-envoy-expected-rq-timeout-ms sets the timeout." },
	{ FIELD(SCHEMA_BOOL, suppress_grpc_request_failure_code_stats),
	    .text = "Answers to gRPC requests are not counted." },
	REFUSED("upstream_http_filters", SCHEMA_NODE, SCHEMA_LIST,
	    "filters stand in http_filters of the connection manager"),
	{ .name = NULL },
};

/* Envoy knows these and no others. */
static const struct str checkable[] = {
	STR_INIT("x-envoy-upstream-rq-timeout-ms"),
	STR_INIT("x-envoy-upstream-rq-per-try-timeout-ms"),
	STR_INIT("x-envoy-max-retries"),
	STR_INIT("x-envoy-retry-grpc-on"),
	STR_INIT("x-envoy-retry-on"),
};
enum { N_CHECKABLE = sizeof(checkable) / sizeof(checkable[0]) };

static bool
is_checkable(struct str name)
{
	for (size_t i = 0; i < N_CHECKABLE; i++)
		if (str_eq(name, checkable[i]))
			return true;
	return false;
}

static void
check_router(struct diag *diag, const char *path, void *decoded)
{
	const struct router_conf *conf = decoded;

	for (size_t i = 0; i < conf->strict_check_headers.n; i++) {
		struct str name = conf->strict_check_headers.items[i];
		if (!is_checkable(name))
			diag_error(diag, conf->node->place, path,
			    "`strict_check_headers`: \"" STR_FMT
			    "\" is none of the headers that can be checked",
			    STR_ARG(name));
	}
}

const struct schema_message router_message = {
	.name = "envoy.extensions.filters.http.router.v3.Router",
	.size = sizeof(struct router_conf),
	.fields = router_fields,
	.check = check_router,
};

void
router_rules_build(struct arena *arena, const struct any *any,
    struct router_rules *out, struct diag *diag)
{
	const struct router_conf *conf =
	    schema_decode_any(arena, diag, &router_message, any);

	*out = (struct router_rules){
		.suppress_envoy_headers = conf->suppress_envoy_headers,
		.no_dynamic_stats = !conf->dynamic_stats,
		.no_grpc_stats = conf->suppress_grpc_request_failure_code_stats,
		.respects_expected_timeout = conf->respect_expected_rq_timeout,
		.strict = conf->strict_check_headers.items,
		.n_strict = conf->strict_check_headers.n,
	};
}
