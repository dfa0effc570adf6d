/* TLS to backends, and what is read of TLS to clients; static secrets. */
#include "config.h"

#include "config/messages.h"

#define UNBUILT     "it is not built in"
#define CONNECTIONS "connections to backends are managed by the gateway"

/* Fields that are checked by Envoy's table only. */
#define UNREAD(owner, field)                                                   \
	{                                                                      \
		.name = field, .type = SCHEMA_NODE,                            \
		SCHEMA_AT(struct owner, unread), .text = "Not read here."      \
	}
#define UNREAD_LIST(owner, field)                                              \
	{                                                                      \
		.name = field, .type = SCHEMA_NODE, .label = SCHEMA_LIST,      \
		SCHEMA_AT(struct owner, unread_list), .text = "Not read here." \
	}

static const struct schema_choice trust_choices[] = {
	{ .name = "VERIFY_TRUST_CHAIN", .value = 0 },
	{ .name = "ACCEPT_UNTRUSTED", .value = 1 },
	{ .name = NULL },
};

static const struct schema_field validation_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_validation_context, trusted_ca),
	    .message = &conf_data_source_message,
	    .text = "Authorities; without them nothing is verified." },
	REFUSED("ca_certificate_provider_instance", "use trusted_ca"),
	REFUSED("system_root_certs",
	    "name the system's file in trusted_ca.filename"),
	DELEGATED("watched_directory",
	    "files are read when the configuration is loaded"),
	REFUSED("verify_certificate_spki", UNBUILT),
	REFUSED("verify_certificate_hash", UNBUILT),
	REFUSED("match_typed_subject_alt_names", UNBUILT),
	REFUSED("match_subject_alt_names", UNBUILT),
	REFUSED_SCALAR("require_signed_certificate_timestamp", UNBUILT),
	REFUSED("crl", UNBUILT),
	REFUSED_SCALAR("allow_expired_certificate", UNBUILT),
	{ .name = "trust_chain_verification",
	    .type = SCHEMA_ENUM,
	    .stance = SCHEMA_REFUSED,
	    .choices = trust_choices,
	    .text = "what trusted_ca does not vouch for is not trusted" },
	REFUSED("custom_validator_config", UNBUILT),
	REFUSED_SCALAR("only_verify_leaf_cert_crl", UNBUILT),
	REFUSED("max_verify_depth", UNBUILT),
	DELEGATED_SCALAR("suppress_client_ca_list", "it is for servers"),
	{ .name = NULL },
};

const struct schema_message conf_validation_message = {
	.name = "envoy.extensions.transport_sockets.tls.v3."
		"CertificateValidationContext",
	.size = sizeof(struct conf_validation_context),
	.fields = validation_fields,
};

static const struct schema_field sds_secret_fields[] = {
	{ FIELD(SCHEMA_STR, conf_sds_secret, name),
	    .text = "Name of one of the static secrets." },
	REFUSED("sds_config", "configuration comes from files only"),
	{ .name = NULL },
};

static const struct schema_message sds_secret_message = {
	.name = "envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig",
	.size = sizeof(struct conf_sds_secret),
	.fields = sds_secret_fields,
};

static const struct schema_field combined_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_combined_validation,
	      default_validation_context),
	    .message = &conf_validation_message,
	    .text = "What the secret does not say." },
	{ FIELD(SCHEMA_MESSAGE, conf_combined_validation,
	      validation_context_sds_secret_config),
	    .message = &sds_secret_message, .text = "The secret." },
	REFUSED("validation_context_certificate_provider", UNBUILT),
	REFUSED("validation_context_certificate_provider_instance", UNBUILT),
	{ .name = NULL },
};

static const struct schema_message combined_message = {
	.name = "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext."
		"CombinedCertificateValidationContext",
	.size = sizeof(struct conf_combined_validation),
	.fields = combined_fields,
};

static const struct schema_field common_tls_fields[] = {
	REFUSED("tls_params", UNBUILT),
	REFUSED("tls_certificates", "there are no client certificates"),
	REFUSED("tls_certificate_sds_secret_configs",
	    "there are no client certificates"),
	REFUSED("tls_certificate_provider_instance",
	    "there are no client certificates"),
	REFUSED("custom_tls_certificate_selector",
	    "there are no client certificates"),
	REFUSED("tls_certificate_certificate_provider",
	    "there are no client certificates"),
	REFUSED("tls_certificate_certificate_provider_instance",
	    "there are no client certificates"),
	{ FIELD(SCHEMA_MESSAGE, conf_common_tls, validation_context),
	    .message = &conf_validation_message,
	    .oneof = "validation_context_type",
	    .text = "How the backend's certificate is verified." },
	{ FIELD(SCHEMA_MESSAGE, conf_common_tls,
	      validation_context_sds_secret_config),
	    .message = &sds_secret_message, .oneof = "validation_context_type",
	    .text = "The same, by the name of a static secret." },
	{ FIELD(SCHEMA_MESSAGE, conf_common_tls, combined_validation_context),
	    .message = &combined_message, .oneof = "validation_context_type",
	    .text = "A static secret's over one given here." },
	REFUSED("validation_context_certificate_provider",
	    "use validation_context"),
	REFUSED("validation_context_certificate_provider_instance",
	    "use validation_context"),
	DELEGATED("alpn_protocols", CONNECTIONS),
	REFUSED("custom_handshaker", UNBUILT),
	REFUSED("key_log", UNBUILT),
	{ .name = NULL },
};

static const struct schema_message common_tls_message = {
	.name = "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext",
	.size = sizeof(struct conf_common_tls),
	.fields = common_tls_fields,
};

static const struct schema_field upstream_tls_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_upstream_tls, common_tls_context),
	    .message = &common_tls_message, .text = "Verification." },
	{ FIELD(SCHEMA_STR, conf_upstream_tls, sni),
	    .text = "Server name sent in the handshake." },
	REFUSED_SCALAR("auto_host_sni", "write the name in sni"),
	{ FIELD(SCHEMA_BOOL, conf_upstream_tls, auto_sni_san_validation),
	    .text = "The certificate must be for the name in sni." },
	REFUSED_SCALAR("allow_renegotiation", UNBUILT),
	DELEGATED("max_session_keys", CONNECTIONS),
	DELEGATED_SCALAR("enforce_rsa_key_usage", CONNECTIONS),
	{ .name = NULL },
};

const struct schema_message conf_upstream_tls_message = {
	.name = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
	.size = sizeof(struct conf_upstream_tls),
	.fields = upstream_tls_fields,
};

static const struct schema_field transport_socket_fields[] = {
	{ FIELD(SCHEMA_STR, conf_transport_socket, name), .min_items = 1,
	    .required = true, .text = "Free text." },
	{ FIELD(SCHEMA_ANY, conf_transport_socket, typed_config),
	    .required = true, .oneof = "config_type",
	    .text = "Its configuration." },
	{ .name = NULL },
};

const struct schema_message conf_transport_socket_message = {
	.name = "envoy.config.core.v3.TransportSocket",
	.size = sizeof(struct conf_transport_socket),
	.fields = transport_socket_fields,
};

static const struct schema_field certificate_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_tls_certificate, certificate_chain),
	    .message = &conf_data_source_message, .text = "Certificates." },
	{ FIELD(SCHEMA_MESSAGE, conf_tls_certificate, private_key),
	    .message = &conf_data_source_message, .text = "Key." },
	{ FIELD(SCHEMA_NODE, conf_tls_certificate, pkcs12), .text = "Both." },
	{ FIELD(SCHEMA_NODE, conf_tls_certificate, private_key_provider),
	    .text = "Where the key is." },
	UNREAD(conf_tls_certificate, "watched_directory"),
	UNREAD(conf_tls_certificate, "password"),
	UNREAD(conf_tls_certificate, "ocsp_staple"),
	UNREAD_LIST(conf_tls_certificate, "signed_certificate_timestamp"),
	UNREAD(conf_tls_certificate, "tls_params"),
	{ .name = NULL },
};

static const struct schema_message certificate_message = {
	.name = "envoy.extensions.transport_sockets.tls.v3.TlsCertificate",
	.size = sizeof(struct conf_tls_certificate),
	.fields = certificate_fields,
};

static const struct schema_field generic_secret_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_generic_secret, secret),
	    .message = &conf_data_source_message, .text = "The secret." },
	{ FIELD(SCHEMA_MESSAGE, conf_generic_secret, secrets),
	    .label = SCHEMA_MAP, .message = &conf_data_source_message,
	    .text = "Several secrets by name." },
	{ .name = NULL },
};

static const struct schema_message generic_secret_message = {
	.name = "envoy.extensions.transport_sockets.tls.v3.GenericSecret",
	.size = sizeof(struct conf_generic_secret),
	.fields = generic_secret_fields,
};

static const struct schema_field secret_fields[] = {
	{ FIELD(SCHEMA_STR, conf_secret, name),
	    .text = "Name by which others refer to it." },
	{ FIELD(SCHEMA_MESSAGE, conf_secret, tls_certificate),
	    .message = &certificate_message, .text = "A certificate." },
	{ FIELD(SCHEMA_NODE, conf_secret, session_ticket_keys),
	    .text = "Keys of TLS to clients; the web server's." },
	{ FIELD(SCHEMA_MESSAGE, conf_secret, validation_context),
	    .message = &conf_validation_message,
	    .text = "How certificates are verified." },
	{ FIELD(SCHEMA_MESSAGE, conf_secret, generic_secret),
	    .message = &generic_secret_message, .text = "Any secret." },
	{ .name = NULL },
};

const struct schema_message conf_secret_message = {
	.name = "envoy.extensions.transport_sockets.tls.v3.Secret",
	.size = sizeof(struct conf_secret),
	.fields = secret_fields,
};

static const struct schema_field server_common_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_server_common_tls, tls_certificates),
	    .label = SCHEMA_LIST, .message = &certificate_message,
	    .text = "The web server's." },
	{ FIELD(SCHEMA_MESSAGE, conf_server_common_tls,
	      tls_certificate_sds_secret_configs),
	    .label = SCHEMA_LIST, .message = &sds_secret_message,
	    .text = "The web server's, by name." },
	UNREAD(conf_server_common_tls, "tls_params"),
	UNREAD(conf_server_common_tls, "tls_certificate_provider_instance"),
	UNREAD(conf_server_common_tls, "custom_tls_certificate_selector"),
	UNREAD(conf_server_common_tls, "validation_context"),
	{ FIELD(SCHEMA_MESSAGE, conf_server_common_tls,
	      validation_context_sds_secret_config),
	    .message = &sds_secret_message, .text = "The web server's." },
	UNREAD(conf_server_common_tls, "combined_validation_context"),
	UNREAD_LIST(conf_server_common_tls, "alpn_protocols"),
	UNREAD(conf_server_common_tls, "custom_handshaker"),
	UNREAD(conf_server_common_tls, "key_log"),
	{ .name = NULL },
};

static const struct schema_message server_common_message = {
	.name = "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext",
	.size = sizeof(struct conf_server_common_tls),
	.fields = server_common_fields,
};

static const struct schema_field downstream_tls_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_downstream_tls, common_tls_context),
	    .message = &server_common_message, .text = "Certificates." },
	REFUSED_SCALAR("require_client_certificate",
	    "client certificates are not seen here"),
	UNREAD(conf_downstream_tls, "require_sni"),
	UNREAD(conf_downstream_tls, "session_ticket_keys"),
	UNREAD(conf_downstream_tls, "session_ticket_keys_sds_secret_config"),
	UNREAD(conf_downstream_tls, "disable_stateless_session_resumption"),
	UNREAD(conf_downstream_tls, "disable_stateful_session_resumption"),
	UNREAD(conf_downstream_tls, "session_timeout"),
	UNREAD(conf_downstream_tls, "ocsp_staple_policy"),
	UNREAD(conf_downstream_tls, "full_scan_certs_on_sni_mismatch"),
	UNREAD(conf_downstream_tls, "prefer_client_ciphers"),
	{ .name = NULL },
};

const struct schema_message conf_downstream_tls_message = {
	.name =
	    "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
	.size = sizeof(struct conf_downstream_tls),
	.fields = downstream_tls_fields,
};
