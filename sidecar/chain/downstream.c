/* The order of Envoy's ConnectionManagerUtility, whose steps see each other. */
#include "config.h"

#include "chain/client_cert.h"
#include "chain/downstream.h"
#include "chain/request_id.h"
#include "chain/trust.h"
#include "http/address.h"
#include "http/authority.h"
#include "http/hop_by_hop.h"
#include "http/referer.h"

/* What only an internal client may send. */
static const struct str internal_fields[] = {
	STR_INIT("x-envoy-retriable-status-codes"),
	STR_INIT("x-envoy-retriable-header-names"),
	STR_INIT("x-envoy-retry-on"),
	STR_INIT("x-envoy-retry-grpc-on"),
	STR_INIT("x-envoy-max-retries"),
	STR_INIT("x-envoy-upstream-alt-stat-name"),
	STR_INIT("x-envoy-upstream-rq-timeout-ms"),
	STR_INIT("x-envoy-upstream-rq-per-try-timeout-ms"),
	STR_INIT("x-envoy-upstream-rq-timeout-alt-response"),
	STR_INIT("x-envoy-upstream-stream-duration-ms"),
	STR_INIT("x-envoy-expected-rq-timeout-ms"),
	STR_INIT("x-envoy-force-trace"),
	STR_INIT("x-envoy-ip-tags"),
	STR_INIT("x-envoy-original-url"),
	STR_INIT("x-envoy-hedge-on-per-try-timeout"),
};

/* What only another gateway of ours behind an edge may send. */
static const struct str mesh_fields[] = {
	STR_INIT("x-envoy-decorator-operation"),
	STR_INIT("x-envoy-downstream-service-cluster"),
	STR_INIT("x-envoy-downstream-service-node"),
	STR_INIT("x-envoy-original-path"),
	STR_INIT("x-envoy-original-host"),
};

static bool
is_one_of_ports(struct str port, struct str only)
{
	uint64_t value, other;

	while (port.len && port.ptr[0] == '+')
		port = str_slice(port, 1, port.len);
	if (!str_to_u64(port, &value) || value > UINT32_MAX)
		return false;
	return !only.ptr || (str_to_u64(only, &other) && value == other);
}

void
downstream_normalize_host(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	struct str host = headers_get(&x->request, STR(":authority"));
	struct str given = host;

	if (hcm->strip_trailing_host_dot)
		host = authority_without_dot(x->arena, host);
	if (hcm->strip_any_host_port || hcm->strip_matching_host_port)
		if (is_one_of_ports(authority_port(host),
			hcm->strip_any_host_port ? STR_NONE
						 : x->peer.local_port))
			host = authority_host(host);
	if (!str_eq(host, given))
		headers_set(&x->request, STR(":authority"), host);
}

static void
clean_referer(struct headers *h)
{
	struct str referer = headers_get(h, STR("referer"));

	if (referer.ptr && (headers_nth(h, STR("referer"), 1).ptr ||
			       !referer_is_valid(referer)))
		headers_remove(h, STR("referer"));
}

static struct str
own_scheme(const struct exchange *x)
{
	return str_eq(x->peer.scheme, STR("https")) ? STR("https")
						    : STR("http");
}

/* x-forwarded-proto and -port, which an edge does not take on trust. */
static void
set_forwarded(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	struct headers *h = &x->request;
	const struct str proto = STR("x-forwarded-proto");
	const struct str port = STR("x-forwarded-port");
	bool distrusts = hcm->use_remote_address && !hcm->xff_num_trusted_hops;

	if (distrusts || !headers_get(h, proto).ptr)
		headers_set(h, proto, own_scheme(x));
	if (hcm->append_x_forwarded_port && x->peer.local_port.len &&
	    (distrusts || !headers_get(h, port).ptr))
		headers_set(h, port, x->peer.local_port);
}

static void
set_scheme(struct exchange *x)
{
	const struct conf_scheme_transformation *t =
	    x->gateway->hcm->scheme_header_transformation;
	struct headers *h = &x->request;
	struct str proto = headers_get(h, STR("x-forwarded-proto"));
	struct str scheme = own_scheme(x);

	if (t && t->scheme_to_overwrite.len) {
		scheme = t->scheme_to_overwrite;
		headers_set(h, STR("x-forwarded-proto"), scheme);
	} else if (str_eq_nocase(proto, STR("https"))) {
		scheme = STR("https");
	} else if (str_eq_nocase(proto, STR("http"))) {
		scheme = STR("http");
	}
	headers_set(h, STR(":scheme"), scheme);
}

static void
set_internal(struct exchange *x)
{
	const conf_strings *own =
	    &x->gateway->hcm->route_config->internal_only_headers;
	struct headers *h = &x->request;

	if (x->is_internal) {
		headers_set(h, STR("x-envoy-internal"), STR("true"));
		return;
	}
	if (x->is_edge)
		headers_remove_all(h, mesh_fields,
		    sizeof(mesh_fields) / sizeof(mesh_fields[0]));
	headers_remove_all(h, internal_fields,
	    sizeof(internal_fields) / sizeof(internal_fields[0]));
	for (size_t i = 0; i < own->n; i++)
		headers_remove(h, header_name_lower(x->arena, own->items[i]));
}

/* Who we are, to those behind us (add_user_agent). */
static void
introduce(struct exchange *x)
{
	const struct conf_node_id *node = x->gateway->bootstrap->node_id;
	struct headers *h = &x->request;
	struct str name = node && node->cluster.ptr ? node->cluster : STR("");

	if (!x->gateway->hcm->add_user_agent)
		return;
	headers_set(h, STR("x-envoy-downstream-service-cluster"), name);
	if (!headers_get(h, STR("user-agent")).len)
		headers_set(h, STR("user-agent"), name);
	if (node && node->id.len)
		headers_set(
		    h, STR("x-envoy-downstream-service-node"), node->id);
}

static void
append_via(struct exchange *x, struct headers *h)
{
	struct str own = x->gateway->hcm->via;
	struct str before = headers_joined(h, STR("via"));

	if (!own.len)
		return;
	headers_set(h, STR("via"),
	    before.len ? arena_printf(x->arena, STR_FMT ", " STR_FMT,
			     STR_ARG(before), STR_ARG(own))
		       : own);
}

unsigned
downstream_prepare(struct exchange *x)
{
	struct address client;
	unsigned refusal;

	hop_by_hop_remove_known(&x->request);
	headers_remove(&x->request, STR("x-envoy-internal"));
	clean_referer(&x->request);
	refusal = trust_find_client(x);
	if (refusal)
		return refusal;
	set_forwarded(x);
	set_scheme(x);
	set_internal(x);
	introduce(x);
	append_via(x, &x->request);
	if (x->is_edge && address_read(x->client_address, &client))
		headers_set(&x->request, STR("x-envoy-external-address"),
		    x->client_address);
	request_id_set(x);
	client_cert_forward(x);
	return 0;
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
	headers_remove_hop_by_hop(&x->response);
	set_server(x);
	request_id_echo(x);
	append_via(x, &x->response);
}

struct str
downstream_host_without_port(struct str host)
{
	return authority_host(host);
}
