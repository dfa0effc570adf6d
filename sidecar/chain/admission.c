/*
 * Refusals by the codec carry the reason phrase as their body and the flag
 * DPE; those of the connection manager have an empty body.
 */
#include "config.h"

#include "chain/admission.h"
#include "chain/downstream.h"
#include "http/authority.h"
#include "http/hop_by_hop.h"

enum { HEADERS_MAX = 100 };

static bool
refuse(struct exchange *x, unsigned status, struct str details)
{
	exchange_reply(
	    x, &(struct host_reply){ .status = status, .details = details });
	return false;
}

static bool
refuse_codec(
    struct exchange *x, unsigned status, struct str phrase, struct str details)
{
	exchange_reply(x, &(struct host_reply){ .status = status,
			      .body = phrase,
			      .details = details,
			      .flag = "DPE" });
	return false;
}

/* ---- the codec ---- */

/* Number of the fields, and bytes of the whole head, as HTTP/1.1 has them. */
static size_t
measure(const struct headers *h, size_t *n)
{
	struct str host = headers_get(h, STR(":authority"));
	size_t size = headers_get(h, STR(":method")).len +
		      headers_get(h, STR(":path")).len +
		      strlen("  HTTP/1.1\r\n\r\n");

	*n = host.ptr ? 1 : 0;
	if (host.ptr)
		size += strlen("host: \r\n") + host.len;
	for (size_t i = 0; i < h->n; i++) {
		const struct header *f = &h->items[i];
		if (f->name.ptr[0] == ':')
			continue;
		size += f->name.len + f->value.len + strlen(": \r\n");
		++*n;
	}
	return size;
}

static bool
check_size(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	const struct conf_common_http *common =
	    hcm->common_http_protocol_options;
	size_t max = common && common->max_headers_count
			 ? common->max_headers_count
			 : HEADERS_MAX;
	size_t n, size = measure(&x->request, &n);
	const struct str phrase = STR("Request Header Fields Too Large");

	if (size > hcm->max_request_headers_kb * (size_t)1024)
		return refuse_codec(
		    x, 431, phrase, STR("http1.headers_too_large"));
	if (n > max)
		return refuse_codec(
		    x, 431, phrase, STR("http1.too_many_headers"));
	return true;
}

/* The methods that Envoy's parser of HTTP/1 knows. */
static bool
is_known(struct str method)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "HEAD",
		"DELETE", "OPTIONS", "PATCH", "QUERY", "TRACE", "ACL", "BIND",
		"CHECKOUT", "COPY", "LINK", "LOCK", "MERGE", "MKACTIVITY",
		"MKCALENDAR", "MKCOL", "MOVE", "MSEARCH", "NOTIFY", "PROPFIND",
		"PROPPATCH", "PURGE", "REBIND", "REPORT", "SEARCH", "SOURCE",
		"SUBSCRIBE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (str_eq(method, str_of(methods[i])))
			return true;
	return false;
}

static bool
check_method(struct exchange *x)
{
	const struct conf_client_http1 *http1 =
	    x->gateway->hcm->http_protocol_options;

	if ((http1 && http1->allow_custom_methods) ||
	    !str_starts(x->peer.protocol, STR("HTTP/1.")) ||
	    is_known(headers_get(&x->request, STR(":method"))))
		return true;
	return refuse_codec(
	    x, 400, STR("Bad Request"), STR("http1.codec_error"));
}

static bool
is_old(struct str protocol)
{
	return str_eq(protocol, STR("HTTP/1.0")) ||
	       str_eq(protocol, STR("HTTP/0.9"));
}

static bool
check_version(struct exchange *x)
{
	const struct conf_client_http1 *http1 =
	    x->gateway->hcm->http_protocol_options;

	if (!is_old(x->peer.protocol))
		return true;
	if (!http1 || !http1->accept_http_10)
		return refuse_codec(
		    x, 426, STR("Upgrade Required"), STR("low_version"));
	if (!headers_get(&x->request, STR(":authority")).ptr &&
	    http1->default_host_for_http_10.len)
		headers_add(&x->request, STR(":authority"),
		    http1->default_host_for_http_10);
	return true;
}

static bool
check_fields(struct exchange *x)
{
	struct str host = headers_get(&x->request, STR(":authority"));

	x->is_upgrade = hop_by_hop_is_upgrade(&x->request);
	if (!x->is_upgrade && !hop_by_hop_remove_named(&x->request))
		return refuse_codec(x, 400, STR("Bad Request"),
		    STR("http1.connection_header_rejected"));
	if (!authority_is_valid(host))
		return refuse_codec(
		    x, 400, STR("Bad Request"), STR("http.invalid_authority"));
	return true;
}

/* ---- the connection manager ---- */

static bool
check_host(struct exchange *x)
{
	const struct headers *h = &x->request;

	if (!headers_get(h, STR(":authority")).ptr)
		return refuse(x, 400, STR("missing_host_header"));
	if (str_eq(headers_get(h, STR(":method")), STR("QUERY")) &&
	    !headers_get(h, STR("content-type")).ptr)
		return refuse(x, 400, STR("query_missing_content_type"));
	return true;
}

static bool
fail_normalization(struct exchange *x)
{
	exchange_count(x, HCM_RQ_FAILED_PATH_NORMALIZATION);
	return refuse(x, 400, STR("path_normalization_failed"));
}

/* A client of gRPC follows no redirect. */
static bool
redirect(struct exchange *x, struct str target)
{
	struct header location = { STR("location"), target };

	if (exchange_is_grpc(x))
		return fail_normalization(x);
	exchange_count(x, HCM_RQ_REDIRECTED_WITH_NORMALIZED_PATH);
	exchange_reply(x, &(struct host_reply){ .status = 307,
			      .headers = &location,
			      .n_headers = 1,
			      .details = STR("path_normalization_failed") });
	return false;
}

static bool
check_target(struct exchange *x)
{
	struct str target = headers_get(&x->request, STR(":path"));
	enum err err;

	if (!target.len)
		return refuse(x, 404, STR("missing_path_rejected"));
	if (target.ptr[0] != '/') {
		exchange_count(x, HCM_RQ_NON_RELATIVE_PATH);
		return refuse(x, 404, STR("absolute_path_rejected"));
	}
	err = target_normalize(
	    x->arena, target, &x->gateway->target_rules, &target);
	headers_set(&x->request, STR(":path"), target);
	if (err == ERR_DENIED)
		return redirect(x, target);
	return err ? fail_normalization(x) : true;
}

bool
admission_check(struct exchange *x)
{
	if (!check_method(x) || !check_size(x) || !check_version(x) ||
	    !check_fields(x) || !check_host(x) || !check_target(x))
		return false;
	downstream_normalize_host(x);
	return true;
}
