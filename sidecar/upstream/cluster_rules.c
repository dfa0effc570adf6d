/*
 * What holds for a cluster as a whole: how hosts are chosen, how HTTP is
 * spoken.
 */
#include "config.h"

#include "base/clock.h"
#include "upstream/cluster_build.h"

/* ---- choosing hosts ---- */

#define POLICIES "envoy.extensions.load_balancing_policies."

static const struct extension {
	const char *type;
	int kind;
	const struct schema_message *message;
} extensions[] = {
	{ POLICIES "round_robin.v3.RoundRobin", CONF_ROUND_ROBIN,
	    &conf_typed_round_robin_message },
	{ POLICIES "least_request.v3.LeastRequest", CONF_LEAST_REQUEST,
	    &conf_typed_least_request_message },
	{ POLICIES "random.v3.Random", CONF_RANDOM,
	    &conf_typed_random_message },
	{ POLICIES "ring_hash.v3.RingHash", CONF_RING_HASH,
	    &conf_typed_ring_hash_message },
	{ POLICIES "maglev.v3.Maglev", CONF_MAGLEV,
	    &conf_typed_maglev_message },
};

static const struct extension *
find_extension(struct str type)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (str_eq(type, str_of(extensions[i].type)))
			return &extensions[i];
	return NULL;
}

static void
take_extension(struct build *b, struct policy *p, const struct extension *e,
    const struct any *any)
{
	const void *conf =
	    schema_decode_any(b->arena, b->diag, e->message, any);

	p->kind = e->kind;
	if (e->kind == CONF_RING_HASH) {
		p->ring = conf;
		p->hashing = p->ring->consistent_hashing_lb_config;
	} else if (e->kind == CONF_MAGLEV) {
		p->maglev = conf;
		p->hashing = p->maglev->consistent_hashing_lb_config;
	} else if (e->kind == CONF_LEAST_REQUEST) {
		p->least = conf;
	}
}

/* The first policy of the list that is known. */
static void
read_extensions(struct build *b, struct policy *p)
{
	const struct conf_load_balancing *list = b->conf->load_balancing_policy;
	struct str names = STR("");

	for (size_t i = 0; i < list->policies.n; i++) {
		const struct conf_extension *x =
		    list->policies.items[i].typed_extension_config;
		const struct extension *e =
		    x && x->typed_config ? find_extension(x->typed_config->type)
					 : NULL;
		if (e) {
			take_extension(b, p, e, x->typed_config);
			return;
		}
		if (x)
			names = arena_printf(b->arena, STR_FMT "%s" STR_FMT,
			    STR_ARG(names), names.len ? ", " : "",
			    STR_ARG(x->name));
	}
	build_error(b, list->node, "load_balancing_policy",
	    "cluster: didn't find a registered load balancer factory "
	    "implementation for cluster: '" STR_FMT
	    "' with names from [" STR_FMT "]",
	    STR_ARG(b->conf->name), STR_ARG(names));
}

void
build_read_policy(struct build *b)
{
	const struct conf_cluster *conf = b->conf;
	const struct conf_common_lb *common = conf->common_lb_config;

	b->policy = (struct policy){ .kind = CONF_ROUND_ROBIN };
	if (conf->load_balancing_policy) {
		read_extensions(b, &b->policy);
		return;
	}
	if (conf->lb_policy == CONF_LB_CONFIG) {
		build_error(b, conf->node, "lb_policy",
		    "cluster: field load_balancing_policy need to be set");
		return;
	}
	b->policy = (struct policy){ .kind = conf->lb_policy,
		.ring = conf->ring_hash_lb_config,
		.maglev = conf->maglev_lb_config,
		.least = conf->least_request_lb_config,
		.hashing =
		    common ? common->consistent_hashing_lb_config : NULL };
}

bool
build_hashes_names(const struct build *b)
{
	const struct policy *p = &b->policy;

	return p->hashing ? p->hashing->use_hostname_for_hashing
			  : p->ring && p->ring->use_hostname_for_hashing;
}

static void
make_ring(struct build *b, struct cluster *c, const struct ring_host *keys)
{
	const struct conf_ring_hash *conf = b->policy.ring;
	struct ring_size size = { 1024, 8388608, RING_XX_HASH };

	if (conf) {
		size.min = conf->minimum_ring_size;
		size.max = conf->maximum_ring_size;
		if (conf->hash_function == CONF_MURMUR_HASH_2)
			size.function = RING_MURMUR_HASH_2;
	}
	c->ring = ring_build(b->arena, keys, c->n, &size);
}

static void
make_maglev(struct build *b, struct cluster *c, const struct ring_host *keys)
{
	const struct conf_maglev *conf = b->policy.maglev;
	uint64_t size = conf ? conf->table_size : 65537;

	if (c->n > MAGLEV_HOSTS || c->n > size)
		build_error(b, b->conf->node, "load_assignment",
		    "too many hosts for a table of %llu",
		    (unsigned long long)size);
	else
		c->maglev = maglev_build(b->arena, keys, c->n, size);
}

static void
make_least_request(struct cluster *c, const struct conf_least_request *conf)
{
	c->choices = conf ? conf->choice_count : 2;
	if (conf && conf->selection_method)
		c->choices = 0;
	c->bias = conf && conf->active_request_bias
		      ? conf->active_request_bias->default_value
		      : 1;
}

void
build_policy(struct build *b, struct cluster *c, const struct ring_host *keys)
{
	const struct policy *p = &b->policy;

	c->policy = p->kind;
	if (build_hashes_names(b) && b->conf->type == CONF_STATIC)
		build_error(b, b->conf->node, "type",
		    "Cannot use hostname for consistent hashing loadbalancing "
		    "for cluster of type: 'envoy.cluster.static'");
	if (p->hashing)
		c->hash =
		    hash_policy_build(b->arena, p->hashing->hash_policy.items,
			p->hashing->hash_policy.n, b->diag);
	if (p->kind == CONF_RING_HASH)
		make_ring(b, c, keys);
	else if (p->kind == CONF_MAGLEV)
		make_maglev(b, c, keys);
	else if (p->kind == CONF_LEAST_REQUEST)
		make_least_request(c, p->least);
}

/* ---- HTTP ---- */

/* libcurl reads no longer line. */
enum { MAX_HEAD_KB = 96 };

static void
set_common(
    struct build *b, struct cluster *c, const struct conf_common_protocol *conf)
{
	struct client_origin *o = &b->common;

	o->idle_ns = 3600 * NS_PER_S;
	if (!conf)
		return;
	o->idle_ns = conf->idle_timeout;
	o->age_ns = conf->max_connection_duration;
	if (conf->max_requests_per_connection && o->uses)
		build_error(b, conf->node, "max_requests_per_connection",
		    "Only one of max_requests_per_connection from Cluster or "
		    "HttpProtocolOptions can be specified");
	if (conf->max_requests_per_connection)
		o->uses = conf->max_requests_per_connection;
	o->max_fields = conf->max_headers_count;
	o->max_head = conf->max_response_headers_kb * 1024UL;
	c->max_stream_ns = conf->max_stream_duration;
	if (conf->max_response_headers_kb > MAX_HEAD_KB)
		build_error(b, conf->node, "max_response_headers_kb",
		    "more than %d KiB of response headers are not supported",
		    MAX_HEAD_KB);
}

static const struct conf_protocol_options *
find_options(struct build *b)
{
	const struct map *all = &b->conf->typed_extension_protocol_options;
	const char *name = conf_protocol_options_message.name;
	const struct conf_protocol_options *found = NULL;

	for (size_t i = 0; i < all->n; i++) {
		const struct any *any = all->items[i].value;
		if (!str_eq(any->type, str_of(name)))
			build_error(b, any->node,
			    "typed_extension_protocol_options",
			    "Didn't find a registered network or http filter "
			    "or protocol options implementation for name: "
			    "'" STR_FMT "'",
			    STR_ARG(all->items[i].key));
		else
			found = schema_decode_any(b->arena, b->diag,
			    &conf_protocol_options_message, any);
	}
	return found;
}

void
build_protocol(struct build *b, struct cluster *c)
{
	const struct conf_protocol_options *options = find_options(b);

	b->common.uses = b->conf->max_requests_per_connection;
	set_common(b, c,
	    options ? options->common_http_protocol_options
		    : b->conf->common_http_protocol_options);
	if (options && options->auto_config && !b->conf->transport_socket)
		build_error(b, options->node,
		    "typed_extension_protocol_options",
		    "ALPN configured for cluster " STR_FMT
		    " which has a non-ALPN transport socket",
		    STR_ARG(b->conf->name));
}
