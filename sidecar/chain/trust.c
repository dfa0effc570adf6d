/*
 * The trusted address. With use_remote_address that is the peer's, unless
 * proxies in front are trusted; without it, extensions are asked, of which
 * there is one that reads X-Forwarded-For unless others are configured.
 */
#include "config.h"

#include "chain/trust.h"
#include "config/model_forward.h"
#include "http/address.h"

#define DETECTION "envoy.extensions.http.original_ip_detection."

struct ranges {
	struct address_range *items;
	size_t n;
};

struct detection {
	struct str header; /* absent: X-Forwarded-For is read */
	bool header_is_trusted; /* its address may be an internal one */
	unsigned refusal; /* status when there is no address in it, or 0 */
	uint32_t hops;
	struct ranges proxies; /* trusted by address instead of number */
	bool appends;
};

struct trust {
	struct ranges internal;
	struct detection *detections;
	size_t n;
	struct str machine; /* this machine's address */
};

/* ---- building ---- */

struct conf_cidr_list {
	const struct node *node;
	conf_cidr_ranges cidrs;
};
struct conf_xff {
	const struct node *node;
	uint32_t xff_num_trusted_hops;
	struct conf_cidr_list *xff_trusted_cidrs;
	bool skip_xff_append;
};
struct conf_custom_header {
	const struct node *node;
	struct str header_name;
	bool allow_extension_to_set_address_as_trusted;
	struct conf_http_status *reject_with_status;
};

#define AT(kind, owner, member)                                                \
	.name = #member, .type = (kind), SCHEMA_AT(struct owner, member)

static const struct schema_field cidr_list_fields[] = {
	{ AT(SCHEMA_MESSAGE, conf_cidr_list, cidrs), .label = SCHEMA_LIST,
	    .message = &conf_cidr_range_message,
	    .text = "Addresses of trusted proxies." },
	{ .name = NULL },
};
static const struct schema_message cidr_list_message = {
	.name = DETECTION "xff.v3.XffTrustedCidrs",
	.size = sizeof(struct conf_cidr_list),
	.fields = cidr_list_fields,
};

static const struct schema_field xff_fields[] = {
	{ AT(SCHEMA_U32, conf_xff, xff_num_trusted_hops),
	    .text = "Trusted proxies in front of the last one." },
	{ AT(SCHEMA_MESSAGE, conf_xff, xff_trusted_cidrs),
	    .message = &cidr_list_message,
	    .text = "Trusted proxies by their addresses." },
	{ AT(SCHEMA_BOOL, conf_xff, skip_xff_append), .fallback = "true",
	    .text = "Leave x-forwarded-for alone." },
	{ .name = NULL },
};
static const struct schema_message xff_message = {
	.name = DETECTION "xff.v3.XffConfig",
	.size = sizeof(struct conf_xff),
	.fields = xff_fields,
};

static const struct schema_field custom_header_fields[] = {
	{ AT(SCHEMA_STR, conf_custom_header, header_name), .min_items = 1,
	    .required = true, .text = "Header with the client's address." },
	{ AT(SCHEMA_BOOL, conf_custom_header,
	      allow_extension_to_set_address_as_trusted),
	    .text = "The address may make the request an internal one." },
	{ AT(SCHEMA_MESSAGE, conf_custom_header, reject_with_status),
	    .message = &conf_http_status_message,
	    .text = "Refuse requests without it, with this status." },
	{ .name = NULL },
};
static const struct schema_message custom_header_message = {
	.name = DETECTION "custom_header.v3.CustomHeaderConfig",
	.size = sizeof(struct conf_custom_header),
	.fields = custom_header_fields,
};

static struct ranges
build_ranges(
    struct arena *arena, const conf_cidr_ranges *conf, struct diag *diag)
{
	struct ranges r = { .n = conf->n };

	r.items = ARENA_ARRAY(arena, r.n + 1, struct address_range);
	for (size_t i = 0; i < r.n; i++)
		if (!address_range_read(conf->items[i].address_prefix,
			conf->items[i].prefix_len, &r.items[i]))
			diag_error(diag, conf->items[i].node->place, NULL,
			    "invalid ip/mask combo '" STR_FMT "/%u'",
			    STR_ARG(conf->items[i].address_prefix),
			    (unsigned)conf->items[i].prefix_len);
	return r;
}

static void
build_xff(struct arena *arena, struct detection *d, const struct any *any,
    struct diag *diag)
{
	const struct conf_xff *conf =
	    schema_decode_any(arena, diag, &xff_message, any);

	d->hops = conf->xff_num_trusted_hops;
	d->appends = !conf->skip_xff_append;
	if (!conf->xff_trusted_cidrs)
		return;
	d->proxies = build_ranges(arena, &conf->xff_trusted_cidrs->cidrs, diag);
	if (d->hops)
		diag_error(diag, conf->node->place, any->path,
		    "Cannot set both xff_num_trusted_hops and "
		    "xff_trusted_cidrs");
}

static void
build_custom_header(struct arena *arena, struct detection *d,
    const struct any *any, struct diag *diag)
{
	const struct conf_custom_header *conf =
	    schema_decode_any(arena, diag, &custom_header_message, any);
	int code =
	    conf->reject_with_status ? conf->reject_with_status->code : 0;

	d->header = header_name_lower(arena, conf->header_name);
	d->header_is_trusted = conf->allow_extension_to_set_address_as_trusted;
	if (conf->reject_with_status)
		d->refusal = code >= 400 && code < 600 ? (unsigned)code : 403;
}

static void
build_detection(struct arena *arena, struct detection *d,
    const struct conf_extension *conf, struct diag *diag)
{
	const struct any *any = conf->typed_config;

	if (!any)
		return;
	if (str_eq(any->type, str_of(xff_message.name)))
		build_xff(arena, d, any, diag);
	else if (str_eq(any->type, str_of(custom_header_message.name)))
		build_custom_header(arena, d, any, diag);
	else
		diag_error(diag, any->node->place, any->path,
		    "Original IP detection extension not found: '" STR_FMT
		    "' with type URL: '" STR_FMT "'",
		    STR_ARG(conf->name), STR_ARG(any->type));
}

const struct trust *
trust_build(struct arena *arena, const struct conf_hcm *hcm, struct diag *diag)
{
	struct trust *t = ARENA_NEW(arena, struct trust);
	struct address machine = address_of_machine();

	t->machine = address_text(arena, &machine);
	if (hcm->internal_address_config)
		t->internal = build_ranges(
		    arena, &hcm->internal_address_config->cidr_ranges, diag);
	t->n = hcm->original_ip_detection_extensions.n;
	t->detections = ARENA_ARRAY(arena, t->n + 1, struct detection);
	for (size_t i = 0; i < t->n; i++)
		build_detection(arena, &t->detections[i],
		    &hcm->original_ip_detection_extensions.items[i], diag);
	if (t->n == 0 && !hcm->use_remote_address) {
		t->detections[0].hops = hcm->xff_num_trusted_hops;
		t->n = 1;
	}
	return t;
}

/* ---- finding ---- */

/* What is found out about a client. */
struct found {
	struct address address;
	bool is_found;
	bool may_be_internal;
};

static bool
is_in(const struct ranges *ranges, const struct address *a)
{
	for (size_t i = 0; i < ranges->n; i++)
		if (address_is_in(a, &ranges->items[i]))
			return true;
	return false;
}

static bool
is_lone(struct str list)
{
	return str_find_char(list, ',', 0) == list.len;
}

/* Cuts the last entry off *list, which becomes absent behind the first one. */
static struct str
take_last(struct str *list)
{
	size_t comma = list->len;
	struct str entry;

	while (comma && list->ptr[comma - 1] != ',')
		comma--;
	entry = str_trim(str_slice(*list, comma, list->len));
	*list = comma ? str_slice(*list, 0, comma - 1) : STR_NONE;
	return entry;
}

/* The entry before the last hops ones. */
static struct found
read_hops(struct str list, uint32_t hops)
{
	struct found f = { .may_be_internal = hops == 0 && is_lone(list) };

	for (uint32_t i = 0; i < hops && list.ptr; i++)
		(void)take_last(&list);
	if (list.ptr)
		f.is_found = address_read(take_last(&list), &f.address);
	return f;
}

/* The last entry that is no trusted proxy, or the first of all. */
static struct found
read_proxies(struct str list, const struct ranges *proxies)
{
	struct found f = { .may_be_internal = is_lone(list) };

	while (list.ptr) {
		struct str entry = take_last(&list);

		if (!entry.len)
			continue;
		f.is_found = address_read(entry, &f.address);
		if (!f.is_found || !is_in(proxies, &f.address))
			break;
	}
	return f;
}

static void
append_peer(struct exchange *x, const struct address *peer)
{
	struct str name = STR("x-forwarded-for");
	struct str list = headers_joined(&x->request, name);
	struct str own;

	if (!peer->family)
		return;
	own = address_is_localhost(peer) ? x->gateway->trust->machine
					 : x->peer.address;
	headers_set(&x->request, name,
	    list.len ? arena_printf(x->arena, STR_FMT "," STR_FMT,
			   STR_ARG(list), STR_ARG(own))
		     : own);
}

static struct found
detect(struct exchange *x, const struct detection *d,
    const struct address *peer, bool *appends)
{
	struct str list = headers_joined(&x->request, STR("x-forwarded-for"));
	struct found f = { .may_be_internal = d->header_is_trusted };

	*appends = d->appends;
	if (d->header.ptr) {
		f.is_found = address_read(
		    headers_get(&x->request, d->header), &f.address);
		return f;
	}
	if (!d->proxies.n)
		return read_hops(list, d->hops);
	if (is_in(&d->proxies, peer))
		return read_proxies(list, &d->proxies);
	*appends = true;
	return f;
}

/* Asks the extensions in turn; *refusal is the status to refuse with, or 0. */
static struct found
ask(struct exchange *x, const struct address *peer, unsigned *refusal)
{
	const struct trust *t = x->gateway->trust;
	struct found f = { .is_found = false };
	bool appends;

	for (size_t i = 0; i < t->n && !f.is_found && !*refusal; i++) {
		f = detect(x, &t->detections[i], peer, &appends);
		if (!f.is_found)
			*refusal = t->detections[i].refusal;
		if (appends && !*refusal)
			append_peer(x, peer);
	}
	return f;
}

static struct found
trust_peer(struct exchange *x, const struct address *peer)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	struct str list = headers_joined(&x->request, STR("x-forwarded-for"));
	struct found f = { .is_found = false };

	if (hcm->xff_num_trusted_hops)
		f = read_hops(list, hcm->xff_num_trusted_hops - 1);
	f.may_be_internal = !list.ptr;
	if (!hcm->skip_xff_append)
		append_peer(x, peer);
	return f;
}

unsigned
trust_find_client(struct exchange *x)
{
	const struct conf_hcm *hcm = x->gateway->hcm;
	struct address peer;
	struct found f;
	unsigned refusal = 0;

	if (!address_read(x->peer.address, &peer))
		peer.family = 0;
	f = hcm->use_remote_address ? trust_peer(x, &peer)
				    : ask(x, &peer, &refusal);
	if (refusal)
		return refusal;
	if (f.is_found) {
		x->client_address = address_text(x->arena, &f.address);
		x->client_port = STR("0");
	} else if (hcm->use_remote_address) {
		f = (struct found){ peer, peer.family, f.may_be_internal };
	}
	x->is_internal = f.is_found && f.may_be_internal &&
			 is_in(&x->gateway->trust->internal, &f.address);
	x->is_edge = hcm->use_remote_address && !x->is_internal;
	return 0;
}
