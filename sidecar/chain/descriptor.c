/* The rate limit actions, one entry each. */
#include "config.h"

#include <arpa/inet.h>

#include "chain/descriptor.h"
#include "chain/match.h"
#include "http/address.h"
#include "http/params.h"

/* What an action has to match. */
struct rate_limit_action {
	const struct header_match **headers;
	const struct query_match **queries;
	struct address_range *ranges;
	const struct format *value; /* of remote_address_match */
};

/* ---- compiling ---- */

static void
build_address(struct setup *s, struct rate_limit_action *a,
    const struct conf_address_match_action *conf)
{
	const conf_cidr_ranges *ranges;

	if (!conf->address_matcher)
		return;
	ranges = &conf->address_matcher->ranges;
	a->value = host_setup_format(s, conf->node, conf->descriptor_value);
	a->ranges =
	    ARENA_ARRAY(host_setup_arena(s), ranges->n, struct address_range);
	for (size_t i = 0; i < ranges->n; i++)
		if (!address_range_read(ranges->items[i].address_prefix,
			ranges->items[i].prefix_len, &a->ranges[i]))
			host_setup_error(s, ranges->items[i].node,
			    "malformed IP address: " STR_FMT "/%u",
			    STR_ARG(ranges->items[i].address_prefix),
			    (unsigned)ranges->items[i].prefix_len);
}

static void
build_action(struct setup *s, struct rate_limit_action *a,
    const struct conf_rate_limit_action *conf)
{
	const struct conf_value_match_action *match =
	    conf->header_value_match ? conf->header_value_match
				     : conf->query_parameter_value_match;
	struct arena *arena = host_setup_arena(s);
	struct diag *diag = diag_new(arena);

	if (conf->remote_address_match)
		build_address(s, a, conf->remote_address_match);
	if (!match)
		return;
	a->headers =
	    ARENA_ARRAY(arena, match->headers.n, const struct header_match *);
	for (size_t i = 0; i < match->headers.n; i++)
		a->headers[i] =
		    header_match_build(arena, &match->headers.items[i], diag);
	a->queries = ARENA_ARRAY(
	    arena, match->query_parameters.n, const struct query_match *);
	for (size_t i = 0; i < match->query_parameters.n; i++)
		a->queries[i] = query_match_build(
		    arena, &match->query_parameters.items[i], diag);
	for (size_t i = 0; i < diag_errors(diag); i++)
		host_setup_error(s, match->node, "%s", diag_message(diag, i));
}

struct rate_limits
rate_limits_build(struct setup *s, const conf_rate_limits *conf)
{
	struct arena *arena = host_setup_arena(s);
	struct rate_limit *items =
	    ARENA_ARRAY(arena, conf->n, struct rate_limit);

	for (size_t i = 0; i < conf->n; i++) {
		const struct conf_rate_limit *limit = &conf->items[i];
		struct rate_limit_action *actions = ARENA_ARRAY(
		    arena, limit->actions.n, struct rate_limit_action);

		for (size_t j = 0; j < limit->actions.n; j++)
			build_action(s, &actions[j], &limit->actions.items[j]);
		items[i] = (struct rate_limit){ limit, actions };
	}
	return (struct rate_limits){ items, conf->n };
}

/* ---- running ---- */

/* The network of an address, as "10.0.0.0/24"; absent for what is no address. */
static struct str
masked_address(struct exchange *x, const struct conf_masked_remote_address *m)
{
	struct str address = host_attribute(x, HOST_CLIENT_ADDRESS);
	char text[INET6_ADDRSTRLEN];
	unsigned char ip[16];
	uint32_t bits = m->v4_prefix_mask_len;
	int family = AF_INET;

	if (!address.ptr || address.len >= sizeof(text))
		return STR_NONE;
	memcpy(text, address.ptr, address.len);
	text[address.len] = '\0';
	if (inet_pton(AF_INET, text, ip) != 1) {
		family = AF_INET6;
		bits = m->v6_prefix_mask_len;
		if (inet_pton(AF_INET6, text, ip) != 1)
			return STR_NONE;
	}
	for (uint32_t bit = bits; bit < (family == AF_INET ? 32 : 128); bit++)
		ip[bit / 8] &= (unsigned char)~(0x80U >> bit % 8);
	if (!inet_ntop(family, ip, text, sizeof(text)))
		return STR_NONE;
	return arena_printf(host_arena(x), "%s/%u", text, (unsigned)bits);
}

static bool
headers_match(struct exchange *x, const struct rate_limit_action *a,
    const struct conf_value_match_action *conf)
{
	size_t n;
	const struct header *all = host_headers(x, HOST_REQUEST, &n);
	struct headers headers;

	headers_init(&headers, host_arena(x));
	for (size_t i = 0; i < n; i++)
		headers_add(&headers, all[i].name, all[i].value);
	for (size_t i = 0; i < conf->headers.n; i++)
		if (!header_match_holds(a->headers[i], &headers))
			return false;
	return true;
}

static bool
queries_match(struct exchange *x, const struct rate_limit_action *a,
    const struct conf_value_match_action *conf)
{
	struct str target = host_header(x, HOST_REQUEST, STR(":path"), 0);

	for (size_t i = 0; i < conf->query_parameters.n; i++)
		if (!query_match_holds(a->queries[i], target))
			return false;
	return true;
}

/* A text, not empty; numbers and structures are none. */
static struct str
metadata_value(struct exchange *x, const struct conf_metadata_action *m)
{
	size_t n = m->metadata_key->path.n;
	struct str *keys = ARENA_ARRAY(host_arena(x), n, struct str);
	struct str value;

	for (size_t i = 0; i < n; i++)
		keys[i] = m->metadata_key->path.items[i].key;
	value = m->source == CONF_METADATA_ROUTE
		    ? host_route_metadata(x, m->metadata_key->key, keys, n)
		    : host_metadata_string(x, m->metadata_key->key, keys, n);
	if (value.len)
		return value;
	return m->default_value.len ? m->default_value : STR_NONE;
}

/* An entry; its value is absent when there is none. */
static struct descriptor_entry
run_match(struct exchange *x, const struct rate_limit_action *a,
    const struct conf_rate_limit_action *conf)
{
	const struct conf_value_match_action *m =
	    conf->header_value_match ? conf->header_value_match
				     : conf->query_parameter_value_match;
	bool matches = conf->header_value_match ? headers_match(x, a, m)
						: queries_match(x, a, m);

	return (struct descriptor_entry){ m->descriptor_key,
		matches == m->expect_match ? m->descriptor_value : STR_NONE };
}

static struct descriptor_entry
run_lookup(
    struct exchange *x, const struct conf_rate_limit_action *a, bool *skip)
{
	struct arena *arena = host_arena(x);
	struct str path;

	if (a->request_headers) {
		*skip = a->request_headers->skip_if_absent;
		return (struct descriptor_entry){
			a->request_headers->descriptor_key,
			host_header(x, HOST_REQUEST,
			    header_name_sought(
				arena, a->request_headers->header_name),
			    0)
		};
	}
	if (a->query_parameters) {
		*skip = a->query_parameters->skip_if_absent;
		path = host_header(x, HOST_REQUEST, STR(":path"), 0);
		return (struct descriptor_entry){
			a->query_parameters->descriptor_key,
			params_query_get(arena, path,
			    a->query_parameters->query_parameter_name)
		};
	}
	*skip = a->metadata->skip_if_absent;
	return (struct descriptor_entry){ a->metadata->descriptor_key,
		metadata_value(x, a->metadata) };
}

static bool
address_matches(struct exchange *x, const struct rate_limit_action *a,
    const struct conf_address_matcher *conf)
{
	struct address address;
	bool inside = false;

	if (!address_read(host_attribute(x, HOST_CLIENT_ADDRESS), &address))
		return false;
	for (size_t i = 0; i < conf->ranges.n; i++)
		inside |= address_is_in(&address, &a->ranges[i]);
	return inside != conf->invert_match;
}

static struct descriptor_entry
run_address(struct exchange *x, const struct rate_limit_action *a,
    const struct conf_address_match_action *conf)
{
	struct descriptor_entry e = { conf->descriptor_key, STR_NONE };

	if (!address_matches(x, a, conf->address_matcher))
		return e;
	e.value = host_format(x, a->value);
	if (!e.value.len)
		e.value =
		    conf->default_value.len ? conf->default_value : STR_NONE;
	return e;
}

static struct descriptor_entry
run_fixed(struct exchange *x, const struct conf_rate_limit_action *a)
{
	struct str own;

	if (a->generic_key)
		return (
		    struct descriptor_entry){ a->generic_key->descriptor_key,
			a->generic_key->descriptor_value };
	if (a->remote_address)
		return (struct descriptor_entry){ STR("remote_address"),
			host_attribute(x, HOST_CLIENT_ADDRESS) };
	if (a->masked_remote_address)
		return (struct descriptor_entry){ STR("masked_remote_address"),
			masked_address(x, a->masked_remote_address) };
	if (a->destination_cluster)
		return (struct descriptor_entry){ STR("destination_cluster"),
			host_attribute(x, HOST_CLUSTER_NAME) };
	own = host_attribute(x, HOST_SERVICE_CLUSTER);
	return (struct descriptor_entry){ STR("source_cluster"),
		own.ptr ? own : STR("") };
}

/* Whether the action leaves a descriptor; it may do so without an entry. */
static bool
run_action(struct exchange *x, const struct rate_limit_action *a,
    const struct conf_rate_limit_action *conf, struct descriptor *d)
{
	struct descriptor_entry e;
	bool skip = false;

	if (conf->header_value_match || conf->query_parameter_value_match)
		e = run_match(x, a, conf);
	else if (conf->remote_address_match)
		e = run_address(x, a, conf->remote_address_match);
	else if (conf->request_headers || conf->query_parameters ||
		 conf->metadata)
		e = run_lookup(x, conf, &skip);
	else
		e = run_fixed(x, conf);
	if (!e.value.ptr)
		return skip;
	if (d->n == DESCRIPTOR_ENTRIES_MAX)
		return false;
	e.value = host_keep(x, e.value);
	d->entries[d->n++] = e;
	return true;
}

bool
descriptor_make(
    struct exchange *x, const struct rate_limit *limit, struct descriptor *d)
{
	d->n = 0;
	for (size_t i = 0; i < limit->conf->actions.n; i++)
		if (!run_action(x, &limit->actions[i],
			&limit->conf->actions.items[i], d))
			return false;
	return d->n > 0;
}

struct str
descriptor_key(struct exchange *x, const struct descriptor *d)
{
	struct str key = STR("");

	for (size_t i = 0; i < d->n; i++)
		key = arena_printf(host_arena(x),
		    STR_FMT "%zu:" STR_FMT "%zu:" STR_FMT, STR_ARG(key),
		    d->entries[i].key.len, STR_ARG(d->entries[i].key),
		    d->entries[i].value.len, STR_ARG(d->entries[i].value));
	return key;
}
