/* Header rules between the web server and the filters. */
#include "config.h"

#include <stdio.h>

#include "base/random.h"
#include "chain/downstream.h"

/* Removed from every request: only an internal caller might send them. */
static const struct str external_fields[] = {
	STR_INIT("x-envoy-internal"),
	STR_INIT("x-envoy-retriable-status-codes"),
	STR_INIT("x-envoy-retriable-header-names"),
	STR_INIT("x-envoy-retry-on"),
	STR_INIT("x-envoy-retry-grpc-on"),
	STR_INIT("x-envoy-max-retries"),
	STR_INIT("x-envoy-upstream-alt-stat-name"),
	STR_INIT("x-envoy-upstream-rq-timeout-ms"),
	STR_INIT("x-envoy-upstream-rq-per-try-timeout-ms"),
	STR_INIT("x-envoy-upstream-rq-timeout-alt-response"),
	STR_INIT("x-envoy-expected-rq-timeout-ms"),
	STR_INIT("x-envoy-force-trace"),
	STR_INIT("x-envoy-ip-tags"),
	STR_INIT("x-envoy-original-url"),
	STR_INIT("x-envoy-hedge-on-per-try-timeout"),
};

/* Removed at the edge as well. */
static const struct str edge_fields[] = {
	STR_INIT("x-envoy-decorator-operation"),
	STR_INIT("x-envoy-downstream-service-cluster"),
	STR_INIT("x-envoy-downstream-service-node"),
	STR_INIT("x-envoy-original-path"),
	STR_INIT("x-envoy-original-host"),
};

static void
remove_all(struct headers *h, const struct str *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		headers_remove(h, names[i]);
}

/* Entry number n from the right (from 1) of X-Forwarded-For, or absent. */
static struct str
forwarded_entry(struct str list, uint32_t n)
{
	size_t comma;
	struct str entry = STR_NONE;

	for (uint32_t i = 0; i < n && list.ptr; i++) {
		comma = list.len;
		while (comma && list.ptr[comma - 1] != ',')
			comma--;
		entry = str_trim(str_slice(list, comma, list.len));
		list = comma ? str_slice(list, 0, comma - 1) : STR_NONE;
		if (i + 1 < n && !list.ptr)
			return STR_NONE;
	}
	return entry;
}

static void
set_client(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	struct str list = headers_joined(&x->request, STR("x-forwarded-for"));
	uint32_t hops = hcm->xff_num_trusted_hops;
	struct str entry = STR_NONE;

	if (!hcm->use_remote_address)
		entry = forwarded_entry(list, hops + 1);
	else if (hops)
		entry = forwarded_entry(list, hops);
	x->client_address = entry.len ? entry : x->peer.address;
	if (!hcm->use_remote_address || hcm->skip_xff_append ||
	    !x->peer.address.len)
		return;
	headers_set(&x->request, STR("x-forwarded-for"),
	    list.len ? arena_printf(x->arena, STR_FMT "," STR_FMT,
			   STR_ARG(list), STR_ARG(x->peer.address))
		     : x->peer.address);
}

static void
set_scheme(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	struct str proto = STR("x-forwarded-proto");
	struct str given = headers_get(&x->request, proto);
	struct str scheme = x->peer.scheme.len ? x->peer.scheme : STR("http");

	if (given.len &&
	    (!hcm->use_remote_address || hcm->xff_num_trusted_hops))
		scheme = str_eq_nocase(given, STR("https")) ? STR("https")
							    : STR("http");
	headers_set(&x->request, proto, scheme);
	headers_set(&x->request, STR(":scheme"), scheme);
}

/* A UUID of version 4 (RFC 9562 section 5.4). */
static struct str
make_request_id(struct arena *arena)
{
	unsigned char b[16];
	char text[37];

	random_bytes(b, sizeof(b));
	b[6] = (unsigned char)(0x40 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	(void)snprintf(text, sizeof(text),
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x%02x%02x%02x%02x",
	    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
	    b[11], b[12], b[13], b[14], b[15]);
	return arena_str(arena, (struct str){ text, 36 });
}

static void
set_request_id(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	struct str given = headers_get(&x->request, STR("x-request-id"));

	if (!hcm->generate_request_id)
		return;
	if (given.len &&
	    (hcm->preserve_external_request_id || !hcm->use_remote_address)) {
		headers_set(&x->request, STR("x-request-id"), given);
		return;
	}
	headers_set(
	    &x->request, STR("x-request-id"), make_request_id(x->arena));
}

struct str
downstream_host_without_port(struct str host)
{
	size_t at = host.len;

	while (at && ascii_is_digit(host.ptr[at - 1]))
		at--;
	return at && host.ptr[at - 1] == ':' ? str_slice(host, 0, at - 1)
					     : host;
}

static void
strip_port(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	struct str host = headers_get(&x->request, STR(":authority"));
	struct str bare = downstream_host_without_port(host);
	struct str port = str_slice(host, bare.len + 1, host.len);

	if (hcm->strip_any_host_port ||
	    (hcm->strip_matching_host_port && port.len &&
		str_eq(port, x->peer.local_port)))
		headers_set(&x->request, STR(":authority"), bare);
}

void
downstream_prepare(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;

	strip_port(x);
	headers_remove_hop_by_hop(&x->request);
	remove_all(&x->request, external_fields,
	    sizeof(external_fields) / sizeof(external_fields[0]));
	set_client(x);
	if (hcm->use_remote_address) {
		remove_all(&x->request, edge_fields,
		    sizeof(edge_fields) / sizeof(edge_fields[0]));
		if (x->client_address.len &&
		    !x->gateway->suppress_envoy_headers)
			headers_set(&x->request,
			    STR("x-envoy-external-address"), x->client_address);
		else
			headers_remove(
			    &x->request, STR("x-envoy-external-address"));
	}
	set_scheme(x);
	set_request_id(x);
	if (hcm->via.len)
		headers_add(&x->request, STR("via"), hcm->via);
}

static void
set_server(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;

	if (hcm->server_header_transformation == CONF_PASS_THROUGH)
		return;
	if (hcm->server_header_transformation == CONF_APPEND_IF_ABSENT &&
	    headers_get(&x->response, STR("server")).ptr)
		return;
	headers_set(&x->response, STR("server"),
	    hcm->server_name.len ? hcm->server_name : STR("envoy"));
}

void
downstream_finish(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	struct str id = headers_get(&x->request, STR("x-request-id"));

	headers_remove_hop_by_hop(&x->response);
	set_server(x);
	if (hcm->via.len)
		headers_add(&x->response, STR("via"), hcm->via);
	if (hcm->always_set_request_id_in_response && id.len)
		headers_set(&x->response, STR("x-request-id"), id);
}
