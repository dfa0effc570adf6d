/* The rate limit actions, one entry each. */
#include "config.h"

#include <sys/socket.h>

#include "chain/descriptor.h"
#include "chain/kit.h"
#include "http/address.h"
#include "http/params.h"

enum { HITS_MAX = 1000000000 };

struct action {
	const struct conf_rate_limit_action *conf;
	struct str header; /* of request_headers, in lower case */
	struct kit_matches headers; /* of header_value_match */
	const struct string_match *
	    *queries; /* of query_parameter_value_match */
	struct address_range *ranges; /* of remote_address_match */
	const struct format *value; /* likewise */
	struct str *path; /* of metadata */
};

struct rate_limit {
	const struct conf_rate_limit *conf;
	struct action *actions;
	const struct format *hits; /* or NULL */
};

struct rate_limits {
	struct rate_limit *items;
	size_t n;
};

/* ---- building ---- */

static void
build_queries(struct setup *s, struct action *a,
    const struct conf_value_match_action *conf)
{
	size_t n = conf->query_parameters.n;

	a->queries = ARENA_ARRAY(
	    host_setup_arena(s), n + 1, const struct string_match *);
	for (size_t i = 0; i < n; i++)
		if (conf->query_parameters.items[i].string_match)
			a->queries[i] = kit_string_match(
			    s, conf->query_parameters.items[i].string_match);
}

static void
build_address(struct setup *s, struct action *a,
    const struct conf_address_match_action *action)
{
	const struct conf_address_matcher *conf = action->address_matcher;

	a->value = host_setup_format(s, action->node, action->descriptor_value);
	a->ranges = ARENA_ARRAY(
	    host_setup_arena(s), conf->ranges.n + 1, struct address_range);
	for (size_t i = 0; i < conf->ranges.n; i++) {
		const struct conf_cidr_range *r = &conf->ranges.items[i];

		if (!address_range_read(
			r->address_prefix, r->prefix_len, &a->ranges[i]))
			host_setup_error(s, r->node,
			    STR_FMT "/%u is no range of addresses",
			    STR_ARG(r->address_prefix),
			    (unsigned)r->prefix_len);
	}
}

static void
build_action(struct setup *s, const struct conf_rate_limit_action *conf,
    struct action *a)
{
	struct arena *arena = host_setup_arena(s);
	const struct conf_metadata_key *key =
	    conf->metadata ? conf->metadata->metadata_key : NULL;

	a->conf = conf;
	if (conf->request_headers)
		a->header =
		    header_name_sought(arena, conf->request_headers->name);
	if (conf->header_value_match)
		a->headers = kit_header_matches(s,
		    conf->header_value_match->headers.items,
		    conf->header_value_match->headers.n);
	if (conf->query_parameter_value_match)
		build_queries(s, a, conf->query_parameter_value_match);
	if (conf->remote_address_match)
		build_address(s, a, conf->remote_address_match);
	if (!key)
		return;
	a->path = ARENA_ARRAY(arena, key->path.n + 1, struct str);
	for (size_t i = 0; i < key->path.n; i++)
		a->path[i] = key->path.items[i].key;
}

static void
build_limit(
    struct setup *s, const struct conf_rate_limit *conf, struct rate_limit *l)
{
	l->conf = conf;
	l->actions = ARENA_ARRAY(
	    host_setup_arena(s), conf->actions.n + 1, struct action);
	for (size_t i = 0; i < conf->actions.n; i++)
		build_action(s, &conf->actions.items[i], &l->actions[i]);
	if (conf->hits_addend && conf->hits_addend->format.len)
		l->hits = host_setup_format(
		    s, conf->hits_addend->node, conf->hits_addend->format);
}

const struct rate_limits *
rate_limits_build(struct setup *s, const conf_rate_limits *conf)
{
	struct arena *arena = host_setup_arena(s);
	struct rate_limits *limits;

	if (!conf->n)
		return NULL;
	limits = ARENA_NEW(arena, struct rate_limits);
	limits->n = conf->n;
	limits->items = ARENA_ARRAY(arena, conf->n, struct rate_limit);
	for (size_t i = 0; i < conf->n; i++)
		build_limit(s, &conf->items[i], &limits->items[i]);
	return limits;
}

size_t
rate_limits_count(const struct rate_limits *limits)
{
	return limits ? limits->n : 0;
}

/* ---- actions ---- */

/* The network of the client, as "10.0.0.0/24"; absent for what is no address. */
static struct str
masked_address(struct exchange *x, const struct conf_masked_remote_address *m)
{
	struct address address;
	unsigned bits, all;

	if (!address_read(host_attribute(x, HOST_CLIENT_ADDRESS), &address))
		return STR_NONE;
	bits = address.family == AF_INET ? m->v4_prefix_mask_len
					 : m->v6_prefix_mask_len;
	all = address.family == AF_INET ? 32 : 128;
	for (unsigned bit = bits; bit < all; bit++)
		address.bytes[bit / 8] &= (unsigned char)~(0x80U >> bit % 8);
	return arena_printf(host_arena(x), STR_FMT "/%u",
	    STR_ARG(address_text(host_arena(x), &address)), bits);
}

/* Unlike those of routes these look at values that are decoded. */
static bool
query_holds(const struct conf_query_matcher *conf,
    const struct string_match *match, struct str value)
{
	if (match)
		return value.ptr && string_match_holds(match, value);
	return (value.ptr != NULL) ==
	       (!conf->has_present_match || conf->present_match);
}

static bool
queries_hold(struct exchange *x, const struct action *a)
{
	const struct conf_value_match_action *conf =
	    a->conf->query_parameter_value_match;
	struct str target = host_header(x, HOST_REQUEST, STR(":path"), 0);

	for (size_t i = 0; i < conf->query_parameters.n; i++) {
		const struct conf_query_matcher *q =
		    &conf->query_parameters.items[i];

		if (!query_holds(q, a->queries[i],
			params_query_get(host_arena(x), target, q->name)))
			return false;
	}
	return true;
}

static bool
address_holds(struct exchange *x, const struct action *a)
{
	const struct conf_address_matcher *conf =
	    a->conf->remote_address_match->address_matcher;
	struct address address;
	bool inside = false;

	if (!address_read(host_attribute(x, HOST_CLIENT_ADDRESS), &address))
		return false;
	for (size_t i = 0; i < conf->ranges.n && !inside; i++)
		inside = address_is_in(&address, &a->ranges[i]);
	return inside != conf->invert_match;
}

static struct str
metadata_value(struct exchange *x, const struct action *a)
{
	const struct conf_metadata_action *conf = a->conf->metadata;
	const struct conf_metadata_key *key = conf->metadata_key;
	struct str value =
	    conf->source
		? host_route_metadata_string(x, key->key, a->path, key->path.n)
		: host_metadata_string(x, key->key, a->path, key->path.n);

	if (value.len)
		return value;
	return conf->default_value.len ? conf->default_value : STR_NONE;
}

/* An entry without a value is left out, or the whole descriptor is. */
struct found {
	struct descriptor_entry entry;
	bool may_be_absent;
};

static struct found
found(struct str key, struct str value, bool may_be_absent)
{
	return (struct found){ { key, value }, may_be_absent };
}

/* The fixed value of an action whose condition holds. */
static struct found
found_if(bool holds, struct str key, struct str value)
{
	return found(key, holds ? value : STR_NONE, false);
}

static struct found
run_address_match(struct exchange *x, const struct action *a)
{
	const struct conf_address_match_action *m =
	    a->conf->remote_address_match;
	struct str value = STR_NONE;

	if (address_holds(x, a)) {
		value = host_format(x, a->value);
		if (!value.len)
			value = m->default_value;
	}
	return found(m->descriptor_key, value.len ? value : STR_NONE, false);
}

static struct found
run_match(struct exchange *x, const struct action *a)
{
	const struct conf_rate_limit_action *c = a->conf;
	const struct conf_value_match_action *m;

	m = c->header_value_match ? c->header_value_match
				  : c->query_parameter_value_match;
	return found_if((c->header_value_match
				? kit_headers_hold(x, HOST_REQUEST, &a->headers)
				: queries_hold(x, a)) == m->expect_match,
	    m->descriptor_key, m->descriptor_value);
}

static struct found
run_action(struct exchange *x, const struct action *a)
{
	const struct conf_rate_limit_action *c = a->conf;
	struct str own = host_attribute(x, HOST_SERVICE_CLUSTER);

	if (c->generic_key)
		return found(c->generic_key->descriptor_key,
		    c->generic_key->descriptor_value, false);
	if (c->source_cluster)
		return found(
		    STR("source_cluster"), own.ptr ? own : STR(""), false);
	if (c->destination_cluster)
		return found(STR("destination_cluster"),
		    host_attribute(x, HOST_CLUSTER_NAME), false);
	if (c->remote_address)
		return found(STR("remote_address"),
		    host_attribute(x, HOST_CLIENT_ADDRESS), false);
	if (c->masked_remote_address)
		return found(STR("masked_remote_address"),
		    masked_address(x, c->masked_remote_address), false);
	if (c->request_headers)
		return found(c->request_headers->descriptor_key,
		    host_header(x, HOST_REQUEST, a->header, 0),
		    c->request_headers->skip_if_absent);
	if (c->query_parameters)
		return found(c->query_parameters->descriptor_key,
		    params_query_get(host_arena(x),
			host_header(x, HOST_REQUEST, STR(":path"), 0),
			c->query_parameters->name),
		    c->query_parameters->skip_if_absent);
	if (c->metadata)
		return found(c->metadata->descriptor_key, metadata_value(x, a),
		    c->metadata->skip_if_absent);
	if (c->remote_address_match)
		return run_address_match(x, a);
	return run_match(x, a);
}

/* ---- descriptors ---- */

bool
rate_limits_hits(struct exchange *x, const struct rate_limits *limits, size_t i,
    int64_t *hits)
{
	const struct rate_limit *l = &limits->items[i];
	const struct conf_hits_addend *conf = l->conf->hits_addend;
	uint64_t number = 1;
	struct str text;

	if (conf && !l->hits)
		number = conf->number;
	if (l->hits) {
		text = host_format(x, l->hits);
		/* What comes behind the point is cut off. */
		text = str_slice(text, 0, str_find_char(text, '.', 0));
		if (!str_to_u64(text, &number) || number > HITS_MAX)
			return false;
	}
	*hits =
	    conf && conf->is_negative_hits ? -(int64_t)number : (int64_t)number;
	return true;
}

bool
rate_limits_make(struct exchange *x, const struct rate_limits *limits, size_t i,
    uint32_t stage, struct descriptor *d)
{
	const struct rate_limit *l = &limits->items[i];

	d->n = 0;
	d->x_ratelimit = (enum conf_x_ratelimit)l->conf->x_ratelimit_option;
	if (l->conf->stage != stage || l->conf->disable_key.len)
		return false;
	for (size_t k = 0; k < l->conf->actions.n; k++) {
		struct found f = run_action(x, &l->actions[k]);

		if (!f.entry.value.ptr && f.may_be_absent)
			continue;
		if (!f.entry.value.ptr || d->n == DESCRIPTOR_ENTRIES_MAX)
			return false;
		f.entry.value = host_keep(x, f.entry.value);
		d->entries[d->n++] = f.entry;
	}
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
