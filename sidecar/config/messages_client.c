/* Parts of HttpConnectionManager: who the client is, and what it speaks. */
#include "config.h"

#include "config/messages.h"

#define CLIENTS_SIDE "the web server owns the connections to clients"

static const struct schema_field cidr_range_fields[] = {
	{ FIELD(SCHEMA_STR, conf_cidr_range, address_prefix), .min_items = 1,
	    .required = true, .text = "An IP address." },
	{ FIELD(SCHEMA_U32, conf_cidr_range, prefix_len), .max = 128,
	    .text = "How many of its bits count." },
	{ .name = NULL },
};

const struct schema_message conf_cidr_range_message = {
	.name = "envoy.config.core.v3.CidrRange",
	.size = sizeof(struct conf_cidr_range),
	.fields = cidr_range_fields,
};

static const struct schema_field internal_address_fields[] = {
	DELEGATED_SCALAR(
	    "unix_sockets", "clients come to the web server by TCP"),
	{ FIELD(SCHEMA_MESSAGE, conf_internal_address, cidr_ranges),
	    .label = SCHEMA_LIST, .message = &conf_cidr_range_message,
	    .text = "Addresses whose requests are internal." },
	{ .name = NULL },
};

const struct schema_message conf_internal_address_message = {
	.name = "envoy.extensions.filters.network.http_connection_manager.v3."
		"HttpConnectionManager.InternalAddressConfig",
	.size = sizeof(struct conf_internal_address),
	.fields = internal_address_fields,
};

static const struct schema_field client_http1_fields[] = {
	DELEGATED("allow_absolute_url", CLIENTS_SIDE),
	{ FIELD(SCHEMA_BOOL, conf_client_http1, accept_http_10),
	    .text = "Serve HTTP/1.0 instead of answering 426." },
	{ FIELD(SCHEMA_STR, conf_client_http1, default_host_for_http_10),
	    .text = "The host of HTTP/1.0 requests that name none." },
	DELEGATED("header_key_format",
	    "the web server writes the names of response headers"),
	REFUSED_SCALAR(
	    "enable_trailers", "trailers do not come through FastCGI"),
	DELEGATED_SCALAR("allow_chunked_length", CLIENTS_SIDE),
	DELEGATED(
	    "override_stream_error_on_invalid_http_message", CLIENTS_SIDE),
	DELEGATED_SCALAR("send_fully_qualified_url", "it is for backends"),
	DELEGATED("use_balsa_parser", CLIENTS_SIDE),
	{ FIELD(SCHEMA_BOOL, conf_client_http1, allow_custom_methods),
	    .text = "Take requests of methods that nobody knows." },
	REFUSED("ignore_http_11_upgrade", "every upgrade is refused"),
	{ .name = NULL },
};

const struct schema_message conf_client_http1_message = {
	.name = "envoy.config.core.v3.Http1ProtocolOptions",
	.size = sizeof(struct conf_client_http1),
	.fields = client_http1_fields,
};

static const struct schema_field upgrade_fields[] = {
	{ FIELD(SCHEMA_STR, conf_upgrade, upgrade_type),
	    .text = "What a request may ask for in its upgrade header." },
	REFUSED("filters", "upgrades do not come through FastCGI"),
	{ FIELD(SCHEMA_BOOL, conf_upgrade, enabled), .fallback = "true",
	    .text = "Has to be false." },
	{ .name = NULL },
};

static void
check_upgrade(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_upgrade *upgrade = decoded;

	if (upgrade->enabled)
		diag_error(diag, upgrade->node->place, path,
		    "not supported unless `enabled` is false: upgrades do "
		    "not come through FastCGI");
}

const struct schema_message conf_upgrade_message = {
	.name = "envoy.extensions.filters.network.http_connection_manager.v3."
		"HttpConnectionManager.UpgradeConfig",
	.size = sizeof(struct conf_upgrade),
	.fields = upgrade_fields,
	.check = check_upgrade,
};

static const struct schema_field client_cert_details_fields[] = {
	{ FIELD(SCHEMA_BOOL, conf_client_cert_details, subject),
	    .text = "Its subject, as RFC 2253 writes it." },
	{ FIELD(SCHEMA_BOOL, conf_client_cert_details, cert),
	    .text = "The certificate itself, as PEM with %XX." },
	REFUSED_SCALAR("chain", "web servers hand over no chain"),
	{ FIELD(SCHEMA_BOOL, conf_client_cert_details, dns),
	    .text = "Its DNS names." },
	{ FIELD(SCHEMA_BOOL, conf_client_cert_details, uri),
	    .text = "Its URIs." },
	{ .name = NULL },
};

const struct schema_message conf_client_cert_details_message = {
	.name = "envoy.extensions.filters.network.http_connection_manager.v3."
		"HttpConnectionManager.SetCurrentClientCertDetails",
	.size = sizeof(struct conf_client_cert_details),
	.fields = client_cert_details_fields,
};

static const struct schema_field scheme_transformation_fields[] = {
	{ FIELD(SCHEMA_STR, conf_scheme_transformation, scheme_to_overwrite),
	    .text = "\"http\" or \"https\"." },
	REFUSED_SCALAR("match_upstream",
	    "backends are told the scheme of the client's request"),
	{ .name = NULL },
};

static void
check_scheme(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_scheme_transformation *t = decoded;

	if (t->scheme_to_overwrite.ptr &&
	    !str_eq(t->scheme_to_overwrite, STR("http")) &&
	    !str_eq(t->scheme_to_overwrite, STR("https")))
		diag_error(diag, t->node->place, path,
		    "scheme_to_overwrite: value must be in list [http https]");
}

const struct schema_message conf_scheme_transformation_message = {
	.name = "envoy.config.core.v3.SchemeHeaderTransformation",
	.size = sizeof(struct conf_scheme_transformation),
	.fields = scheme_transformation_fields,
	.check = check_scheme,
};

static const struct schema_field request_id_extension_fields[] = {
	{ FIELD(SCHEMA_ANY, conf_request_id_extension, typed_config),
	    .text = "The extension: UuidRequestIdConfig." },
	{ .name = NULL },
};

const struct schema_message conf_request_id_extension_message = {
	.name = "envoy.extensions.filters.network.http_connection_manager.v3."
		"RequestIDExtension",
	.size = sizeof(struct conf_request_id_extension),
	.fields = request_id_extension_fields,
};
