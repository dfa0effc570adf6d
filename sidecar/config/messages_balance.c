/*
 * How a cluster chooses hosts: the fields of Cluster, and the extensions of
 * load_balancing_policy that say the same.
 */
#include "config.h"

#include "config/messages.h"
#include "config/model_forward.h"

#define UNBUILT       "it is not built in"
#define NO_LOCALITIES "localities are not told apart"

static const struct schema_field consistent_hashing_fields[] = {
	{ FIELD(SCHEMA_BOOL, conf_consistent_hashing, use_hostname_for_hashing),
	    .text = "Hash the endpoint's hostname, not its address." },
	REFUSED("hash_balance_factor", UNBUILT),
	{ .name = NULL },
};

static const struct schema_message consistent_hashing_message = {
	.name = "envoy.config.cluster.v3.Cluster.CommonLbConfig."
		"ConsistentHashingLbConfig",
	.size = sizeof(struct conf_consistent_hashing),
	.fields = consistent_hashing_fields,
};

static const struct schema_field common_lb_fields[] = {
	DELEGATED("healthy_panic_threshold", "all hosts are used"),
	DELEGATED("zone_aware_lb_config", NO_LOCALITIES),
	REFUSED("locality_weighted_lb_config", NO_LOCALITIES),
	DELEGATED("update_merge_window", "it is for discovery"),
	DELEGATED_SCALAR(
	    "ignore_new_hosts_until_first_hc", "it is for discovery"),
	DELEGATED_SCALAR(
	    "close_connections_on_host_set_change", "it is for discovery"),
	{ FIELD(SCHEMA_MESSAGE, conf_common_lb, consistent_hashing_lb_config),
	    .message = &consistent_hashing_message,
	    .text = "For RING_HASH and MAGLEV." },
	DELEGATED("override_host_status", "all hosts are used"),
	{ .name = NULL },
};

const struct schema_message conf_common_lb_message = {
	.name = "envoy.config.cluster.v3.Cluster.CommonLbConfig",
	.size = sizeof(struct conf_common_lb),
	.fields = common_lb_fields,
};

/* The extensions begin their enums with a default. */
static const struct schema_choice hash_choices[] = {
	{ .name = "XX_HASH", .value = CONF_XX_HASH },
	{ .name = "MURMUR_HASH_2", .value = CONF_MURMUR_HASH_2 },
	{ .name = NULL },
};

static const struct schema_field ring_hash_fields[] = {
	{ FIELD(SCHEMA_U64, conf_ring_hash, minimum_ring_size), .max = 8388608,
	    .fallback = "1024", .text = "Points on the ring at least." },
	{ FIELD(SCHEMA_ENUM, conf_ring_hash, hash_function),
	    .choices = hash_choices, .text = "XX_HASH or MURMUR_HASH_2." },
	{ FIELD(SCHEMA_U64, conf_ring_hash, maximum_ring_size), .max = 8388608,
	    .fallback = "8388608", .text = "Points on the ring at most." },
	{ .name = NULL },
};

static void
check_ring_hash(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_ring_hash *r = decoded;

	if (r->minimum_ring_size > r->maximum_ring_size)
		diag_error(diag, r->node->place, path,
		    "ring hash: minimum_ring_size (%llu) > maximum_ring_size "
		    "(%llu)",
		    (unsigned long long)r->minimum_ring_size,
		    (unsigned long long)r->maximum_ring_size);
}

const struct schema_message conf_ring_hash_message = {
	.name = "envoy.config.cluster.v3.Cluster.RingHashLbConfig",
	.size = sizeof(struct conf_ring_hash),
	.fields = ring_hash_fields,
	.check = check_ring_hash,
};

static const struct schema_field maglev_fields[] = {
	{ FIELD(SCHEMA_U64, conf_maglev, table_size), .max = 5000011,
	    .fallback = "65537", .text = "Entries of the table, a prime." },
	{ .name = NULL },
};

static bool
is_prime(uint64_t n)
{
	if (n < 2)
		return false;
	for (uint64_t i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return true;
}

static void
check_maglev(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_maglev *m = decoded;

	if (!is_prime(m->table_size))
		diag_error(diag, m->node->place, path,
		    "The table size of maglev must be prime number");
}

const struct schema_message conf_maglev_message = {
	.name = "envoy.config.cluster.v3.Cluster.MaglevLbConfig",
	.size = sizeof(struct conf_maglev),
	.fields = maglev_fields,
	.check = check_maglev,
};

#define LEAST_REQUEST_FIELDS                                                   \
	{ FIELD(SCHEMA_U32, conf_least_request, choice_count), .min = 2,       \
		.max = UINT_MAX, .fallback = "2",                              \
		.text = "Hosts of which the idlest is taken." },               \
	    { FIELD(SCHEMA_MESSAGE, conf_least_request, active_request_bias),  \
		    .message = &conf_runtime_double_message,                   \
		    .text = "How much load counts against weight; 1." },       \
	    REFUSED("slow_start_config", UNBUILT)

static const struct schema_field least_request_fields[] = {
	LEAST_REQUEST_FIELDS,
	{ .name = NULL },
};

const struct schema_message conf_least_request_message = {
	.name = "envoy.config.cluster.v3.Cluster.LeastRequestLbConfig",
	.size = sizeof(struct conf_least_request),
	.fields = least_request_fields,
};

static const struct schema_field round_robin_fields[] = {
	REFUSED("slow_start_config", UNBUILT),
	{ .name = NULL },
};

const struct schema_message conf_round_robin_message = {
	.name = "envoy.config.cluster.v3.Cluster.RoundRobinLbConfig",
	.size = sizeof(struct conf_empty),
	.fields = round_robin_fields,
};

static const struct schema_field lb_policy_item_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_lb_policy_item, typed_extension_config),
	    .message = &conf_extension_message, .text = "The policy." },
	{ .name = NULL },
};

static const struct schema_message lb_policy_item_message = {
	.name = "envoy.config.cluster.v3.LoadBalancingPolicy.Policy",
	.size = sizeof(struct conf_lb_policy_item),
	.fields = lb_policy_item_fields,
};

static const struct schema_field load_balancing_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_load_balancing, policies),
	    .label = SCHEMA_LIST, .message = &lb_policy_item_message,
	    .text = "The first that is known is taken." },
	{ .name = NULL },
};

const struct schema_message conf_load_balancing_message = {
	.name = "envoy.config.cluster.v3.LoadBalancingPolicy",
	.size = sizeof(struct conf_load_balancing),
	.fields = load_balancing_fields,
};

/* ---- the extensions ---- */

#define EXTENSION "envoy.extensions.load_balancing_policies."

static const struct schema_field typed_consistent_fields[] = {
	{ FIELD(SCHEMA_BOOL, conf_consistent_hashing, use_hostname_for_hashing),
	    .text = "Hash the endpoint's hostname, not its address." },
	REFUSED("hash_balance_factor", UNBUILT),
	{ FIELD(SCHEMA_MESSAGE, conf_consistent_hashing, hash_policy),
	    .label = SCHEMA_LIST, .message = &conf_hash_policy_message,
	    .text = "What is hashed, in place of the route's hash_policy." },
	{ .name = NULL },
};

static const struct schema_message typed_consistent_message = {
	.name = EXTENSION "common.v3.ConsistentHashingLbConfig",
	.size = sizeof(struct conf_consistent_hashing),
	.fields = typed_consistent_fields,
};

static const struct schema_choice typed_hash_choices[] = {
	{ .name = "DEFAULT_HASH", .value = 0 },
	{ .name = "XX_HASH", .value = 1 },
	{ .name = "MURMUR_HASH_2", .value = 2 },
	{ .name = NULL },
};

static const struct schema_field typed_ring_hash_fields[] = {
	{ FIELD(SCHEMA_ENUM, conf_ring_hash, hash_function),
	    .choices = typed_hash_choices,
	    .text = "XX_HASH or MURMUR_HASH_2." },
	{ FIELD(SCHEMA_U64, conf_ring_hash, minimum_ring_size), .min = 1,
	    .max = 8388608, .fallback = "1024",
	    .text = "Points on the ring at least." },
	{ FIELD(SCHEMA_U64, conf_ring_hash, maximum_ring_size), .max = 8388608,
	    .fallback = "8388608", .text = "Points on the ring at most." },
	{ FIELD(SCHEMA_BOOL, conf_ring_hash, use_hostname_for_hashing),
	    .text = "Deprecated: consistent_hashing_lb_config." },
	REFUSED("hash_balance_factor", UNBUILT),
	{ FIELD(SCHEMA_MESSAGE, conf_ring_hash, consistent_hashing_lb_config),
	    .message = &typed_consistent_message,
	    .text = "What is hashed of hosts and requests." },
	REFUSED("locality_weighted_lb_config", NO_LOCALITIES),
	{ .name = NULL },
};

static void
check_typed_ring_hash(struct diag *diag, const char *path, void *decoded)
{
	struct conf_ring_hash *r = decoded;

	r->hash_function =
	    r->hash_function == 2 ? CONF_MURMUR_HASH_2 : CONF_XX_HASH;
	check_ring_hash(diag, path, decoded);
}

const struct schema_message conf_typed_ring_hash_message = {
	.name = EXTENSION "ring_hash.v3.RingHash",
	.size = sizeof(struct conf_ring_hash),
	.fields = typed_ring_hash_fields,
	.check = check_typed_ring_hash,
};

static const struct schema_field typed_maglev_fields[] = {
	{ FIELD(SCHEMA_U64, conf_maglev, table_size), .max = 5000011,
	    .fallback = "65537", .text = "Entries of the table, a prime." },
	{ FIELD(SCHEMA_MESSAGE, conf_maglev, consistent_hashing_lb_config),
	    .message = &typed_consistent_message,
	    .text = "What is hashed of hosts and requests." },
	REFUSED("locality_weighted_lb_config", NO_LOCALITIES),
	{ .name = NULL },
};

const struct schema_message conf_typed_maglev_message = {
	.name = EXTENSION "maglev.v3.Maglev",
	.size = sizeof(struct conf_maglev),
	.fields = typed_maglev_fields,
	.check = check_maglev,
};

static const struct schema_choice selection_choices[] = {
	{ .name = "N_CHOICES", .value = 0 },
	{ .name = "FULL_SCAN", .value = 1 },
	{ .name = NULL },
};

static const struct schema_field typed_least_request_fields[] = {
	LEAST_REQUEST_FIELDS,
	REFUSED("locality_lb_config", NO_LOCALITIES),
	REFUSED("enable_full_scan", "write selection_method: FULL_SCAN"),
	{ FIELD(SCHEMA_ENUM, conf_least_request, selection_method),
	    .choices = selection_choices,
	    .text = "Which hosts are compared: choice_count, or all." },
	{ .name = NULL },
};

const struct schema_message conf_typed_least_request_message = {
	.name = EXTENSION "least_request.v3.LeastRequest",
	.size = sizeof(struct conf_least_request),
	.fields = typed_least_request_fields,
};

static const struct schema_field typed_random_fields[] = {
	REFUSED("locality_lb_config", NO_LOCALITIES),
	{ .name = NULL },
};

const struct schema_message conf_typed_random_message = {
	.name = EXTENSION "random.v3.Random",
	.size = sizeof(struct conf_empty),
	.fields = typed_random_fields,
};

static const struct schema_field typed_round_robin_fields[] = {
	REFUSED("slow_start_config", UNBUILT),
	REFUSED("locality_lb_config", NO_LOCALITIES),
	{ .name = NULL },
};

const struct schema_message conf_typed_round_robin_message = {
	.name = EXTENSION "round_robin.v3.RoundRobin",
	.size = sizeof(struct conf_empty),
	.fields = typed_round_robin_fields,
};
