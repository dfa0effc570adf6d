/* What the files with message tables share among themselves. */
#ifndef SALLYPORT_CONFIG_MESSAGES_H
#define SALLYPORT_CONFIG_MESSAGES_H

#include "config/model.h"

/* The beginning of an enforced row: a field named after its member. */
#define FIELD(kind, owner, member)                                             \
	.name = #member, .type = (kind), SCHEMA_AT(struct owner, member)
#define FIELD_HAS(kind, owner, member)                                         \
	.name = #member, .type = (kind), SCHEMA_AT_HAS(struct owner, member)

/* Rows of the two stances that store nothing. */
#define DELEGATED(field, reason)                                               \
	{                                                                      \
		.name = field, .type = SCHEMA_NODE,                            \
		.stance = SCHEMA_DELEGATED, .text = reason                     \
	}
#define REFUSED(field, reason)                                                 \
	{                                                                      \
		.name = field, .type = SCHEMA_NODE, .stance = SCHEMA_REFUSED,  \
		.text = reason                                                 \
	}
/* Scalars, whose default (false, 0, "") is as good as absence. */
#define DELEGATED_SCALAR(field, reason)                                        \
	{                                                                      \
		.name = field, .type = SCHEMA_STR, .stance = SCHEMA_DELEGATED, \
		.text = reason                                                 \
	}
#define REFUSED_SCALAR(field, reason)                                          \
	{                                                                      \
		.name = field, .type = SCHEMA_STR, .stance = SCHEMA_REFUSED,   \
		.text = reason                                                 \
	}

extern const struct schema_message conf_empty_message;
extern const struct schema_message conf_address_message;
extern const struct schema_message conf_fractional_percent_message;
extern const struct schema_message conf_percent_message;
extern const struct schema_message conf_header_matcher_message;
extern const struct schema_message conf_query_matcher_message;
extern const struct schema_message conf_regex_message;
extern const struct schema_message conf_metadata_message;
extern const struct schema_message conf_runtime_u32_message;
extern const struct schema_message conf_format_message;
extern const struct schema_message conf_metadata_matcher_message;
extern const struct schema_message conf_typed_extension_message;
extern const struct schema_message conf_log_filter_message;
extern const struct schema_message conf_access_log_message;
extern const struct schema_message conf_access_log_options_message;
extern const struct schema_message conf_local_reply_message;
extern const struct schema_message conf_route_config_message;
extern const struct schema_message conf_cluster_message;
extern const struct schema_message conf_extension_message;
extern const struct schema_message conf_internal_address_message;
extern const struct schema_message conf_client_http1_message;
extern const struct schema_message conf_upgrade_message;
extern const struct schema_message conf_client_cert_details_message;
extern const struct schema_message conf_scheme_transformation_message;
extern const struct schema_message conf_request_id_extension_message;
extern const struct schema_message conf_retry_policy_message;
extern const struct schema_message conf_hash_policy_message;
extern const struct schema_message conf_mirror_policy_message;
extern const struct schema_message conf_max_stream_duration_message;
extern const struct schema_message conf_common_protocol_message;
extern const struct schema_message conf_http1_message;
#define CONF_NO_HTTP2                                                          \
	"only HTTP/1.1 is spoken to backends; most take it when this is left out"
extern const struct schema_message conf_common_lb_message;
extern const struct schema_message conf_ring_hash_message;
extern const struct schema_message conf_maglev_message;
extern const struct schema_message conf_least_request_message;
extern const struct schema_message conf_round_robin_message;
extern const struct schema_message conf_load_balancing_message;
extern const struct schema_message conf_transport_socket_message;
extern const struct schema_message conf_upstream_tls_message;
extern const struct schema_message conf_downstream_tls_message;
extern const struct schema_message conf_secret_message;
extern const struct schema_message conf_validation_message;

#endif
