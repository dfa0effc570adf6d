/*
 * The fields that Envoy keeps in one line each, its "inline headers". Which
 * they are was asked of Envoy 1.40 itself.
 */
#include "config.h"

#include "http/headers.h"

static const struct str of_both[] = {
	STR_INIT("cache-control"),
	STR_INIT("content-encoding"),
	STR_INIT("content-length"),
	STR_INIT("content-type"),
	STR_INIT("proxy-status"),
	STR_INIT("via"),
	STR_INIT("x-envoy-attempt-count"),
	STR_INIT("x-envoy-decorator-operation"),
	STR_INIT("x-request-id"),
};

static const struct str of_requests[] = {
	STR_INIT("accept"),
	STR_INIT("accept-encoding"),
	STR_INIT("access-control-request-headers"),
	STR_INIT("access-control-request-method"),
	STR_INIT("access-control-request-private-network"),
	STR_INIT("authorization"),
	STR_INIT("cdn-loop"),
	STR_INIT("expect"),
	STR_INIT("grpc-accept-encoding"),
	STR_INIT("grpc-timeout"),
	STR_INIT("if-match"),
	STR_INIT("if-modified-since"),
	STR_INIT("if-none-match"),
	STR_INIT("if-range"),
	STR_INIT("if-unmodified-since"),
	STR_INIT("keep-alive"),
	STR_INIT("origin"),
	STR_INIT("pragma"),
	STR_INIT("referer"),
	STR_INIT("te"),
	STR_INIT("upgrade"),
	STR_INIT("user-agent"),
	STR_INIT("x-client-trace-id"),
	STR_INIT("x-envoy-downstream-service-cluster"),
	STR_INIT("x-envoy-downstream-service-node"),
	STR_INIT("x-envoy-expected-rq-timeout-ms"),
	STR_INIT("x-envoy-external-address"),
	STR_INIT("x-envoy-force-trace"),
	STR_INIT("x-envoy-internal"),
	STR_INIT("x-envoy-ip-tags"),
	STR_INIT("x-envoy-is-timeout-retry"),
	STR_INIT("x-envoy-original-host"),
	STR_INIT("x-envoy-original-path"),
	STR_INIT("x-envoy-original-url"),
	STR_INIT("x-envoy-upstream-alt-stat-name"),
	STR_INIT("x-envoy-upstream-rq-timeout-ms"),
	STR_INIT("x-forwarded-client-cert"),
	STR_INIT("x-forwarded-for"),
	STR_INIT("x-forwarded-host"),
	STR_INIT("x-forwarded-port"),
	STR_INIT("x-forwarded-proto"),
};

static const struct str of_responses[] = {
	STR_INIT("access-control-allow-credentials"),
	STR_INIT("access-control-allow-headers"),
	STR_INIT("access-control-allow-methods"),
	STR_INIT("access-control-allow-origin"),
	STR_INIT("access-control-allow-private-network"),
	STR_INIT("access-control-expose-headers"),
	STR_INIT("access-control-max-age"),
	STR_INIT("age"),
	STR_INIT("date"),
	STR_INIT("etag"),
	STR_INIT("expires"),
	STR_INIT("grpc-message"),
	STR_INIT("grpc-status"),
	STR_INIT("last-modified"),
	STR_INIT("location"),
	STR_INIT("server"),
	STR_INIT("vary"),
	STR_INIT("x-envoy-degraded"),
	STR_INIT("x-envoy-immediate-health-check-fail"),
	STR_INIT("x-envoy-ratelimited"),
	STR_INIT("x-envoy-upstream-canary"),
	STR_INIT("x-envoy-upstream-healthchecked-cluster"),
};

#define HAS(list, name) has(list, sizeof(list) / sizeof((list)[0]), name)

static bool
has(const struct str *list, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], name))
			return true;
	return false;
}

static bool
is_one_line(enum headers_of side, struct str name)
{
	return HAS(of_both, name) ||
	       (side == HEADERS_OF_REQUEST ? HAS(of_requests, name)
					   : HAS(of_responses, name));
}

void
headers_append(
    struct headers *h, enum headers_of side, struct str name, struct str value)
{
	struct str before = headers_get(h, name);

	if (!before.ptr || !is_one_line(side, name))
		headers_add(h, name, value);
	else if (value.len)
		headers_set(h, name,
		    before.len ? arena_printf(h->arena, STR_FMT "," STR_FMT,
				     STR_ARG(before), STR_ARG(value))
			       : value);
}
