/* The table of LocalRateLimit and what it consists of. */
#include "config.h"

#include "base/clock.h"
#include "base/table.h"
#include "config/local_limit.h"
#include "config/messages.h"

static const struct schema_field bucket_fields[] = {
	{ .name = "max_tokens",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_bucket, max_tokens),
	    .text = "Tokens of a full bucket, with which it starts; with 0 "
		    "nothing passes." },
	{ .name = "tokens_per_fill",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_bucket, tokens_per_fill),
	    .min = 1,
	    .max = 4294967295,
	    .fallback = "1",
	    .text = "Tokens that come back in each fill_interval." },
	{ .name = "fill_interval",
	    .type = SCHEMA_DURATION,
	    SCHEMA_AT(struct conf_bucket, fill_interval),
	    .required = true,
	    .text = "In this time tokens_per_fill tokens come back, spread "
		    "evenly; at least 50ms." },
	{ .name = NULL },
};

static const struct schema_message bucket_message = {
	.name = "envoy.type.v3.TokenBucket",
	.size = sizeof(struct conf_bucket),
	.fields = bucket_fields,
};

static const struct schema_field entry_fields[] = {
	{ .name = "key",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_entry, key),
	    .min_items = 1,
	    .required = true,
	    .text = "Key of the entry." },
	{ .name = "value",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_entry, value),
	    .text = "Value of the entry; empty: any, each with a bucket of "
		    "its own." },
	{ .name = NULL },
};

static const struct schema_message entry_message = {
	.name = "envoy.extensions.common.ratelimit.v3."
		"RateLimitDescriptor.Entry",
	.size = sizeof(struct conf_entry),
	.fields = entry_fields,
};

static const struct schema_field descriptor_fields[] = {
	{ .name = "entries",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_descriptor, entries),
	    .message = &entry_message,
	    .min_items = 1,
	    .required = true,
	    .text = "Matches a request's descriptor with the same entries in "
		    "the same order." },
	{ .name = "token_bucket",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_descriptor, token_bucket),
	    .message = &bucket_message,
	    .required = true,
	    .text = "Bucket of the requests that match." },
	{ .name = "shadow_mode",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_descriptor, shadow_mode),
	    .text = "Whether it is only counted when it is beyond its "
		    "limit." },
	{ .name = NULL },
};

static const struct schema_message descriptor_message = {
	.name = "envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor",
	.size = sizeof(struct conf_descriptor),
	.fields = descriptor_fields,
};

static const struct schema_choice x_ratelimit_choices[] = {
	{ .name = "OFF", .value = 0 },
	{ .name = "DRAFT_VERSION_03", .value = 1 },
	{ .name = NULL },
};

static const struct schema_choice vh_choices[] = {
	{ .name = "OVERRIDE", .value = CONF_VH_OVERRIDE },
	{ .name = "INCLUDE", .value = CONF_VH_INCLUDE },
	{ .name = "IGNORE", .value = CONF_VH_IGNORE },
	{ .name = NULL },
};

static const struct schema_field local_fields[] = {
	{ .name = "stat_prefix",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_local, stat_prefix),
	    .min_items = 1,
	    .required = true,
	    .text = "Begins the names of the counters." },
	{ .name = "status",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_local, status),
	    .message = &conf_http_status_message,
	    .text = "Status of a refusal; 429 also for what is below 400." },
	{ .name = "token_bucket",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_local, token_bucket),
	    .message = &bucket_message,
	    .text = "Bucket of all requests; without it only descriptors "
		    "limit." },
	{ .name = "filter_enabled",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_local, filter_enabled),
	    .message = &conf_runtime_fraction_message,
	    .text = "Fraction of requests that are counted; none unless "
		    "given." },
	{ .name = "filter_enforced",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_local, filter_enforced),
	    .message = &conf_runtime_fraction_message,
	    .text = "Fraction of those beyond the limit that are refused; "
		    "none unless given." },
	{ .name = "request_headers_to_add_when_not_enforced",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(
		struct conf_local, request_headers_to_add_when_not_enforced),
	    .message = &conf_header_option_message,
	    .text = "Headers of requests beyond the limit that are forwarded "
		    "all the same; at most 10." },
	{ .name = "response_headers_to_add",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_local, response_headers_to_add),
	    .message = &conf_header_option_message,
	    .text = "Headers of refusals; at most 10." },
	{ .name = "descriptors",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_local, descriptors),
	    .message = &descriptor_message,
	    .text = "Buckets of requests with certain descriptors." },
	{ .name = "stage",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct conf_local, stage),
	    .max = 10,
	    .text = "Only the route's rate_limits of this stage apply." },
	{ .name = "enable_x_ratelimit_headers",
	    .type = SCHEMA_ENUM,
	    SCHEMA_AT(struct conf_local, enable_x_ratelimit_headers),
	    .choices = x_ratelimit_choices,
	    .text = "Whether responses carry x-ratelimit-limit, -remaining "
		    "and -reset." },
	{ .name = "vh_rate_limits",
	    .type = SCHEMA_ENUM,
	    SCHEMA_AT(struct conf_local, vh_rate_limits),
	    .choices = vh_choices,
	    .text = "Whether the virtual host's rate_limits apply where the "
		    "route has none, always, or never." },
	{ .name = "always_consume_default_token_bucket",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_local, always_consume_default_token_bucket),
	    .fallback = "true",
	    .text = "Whether requests that match a descriptor draw from "
		    "token_bucket too." },
	{ .name = "rate_limits",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_local, rate_limits),
	    .message = &conf_rate_limit_message,
	    .text = "Makes the descriptors instead of the route's "
		    "rate_limits." },
	DELEGATED_SCALAR("max_dynamic_descriptors",
	    "the state file bounds how many values are remembered"),
	REFUSED_SCALAR("local_rate_limit_per_downstream_connection",
	    "connections end at the web server"),
	REFUSED("local_cluster_rate_limit",
	    "all processes of one machine share the bucket; there is no "
	    "cluster of gateways"),
	{ .name = "rate_limited_as_resource_exhausted",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_local, rate_limited_as_resource_exhausted),
	    .text = "Whether gRPC requests are refused with 8, not 14." },
	{ .name = "enable_retry_after_header",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_local, enable_retry_after_header),
	    .text = "Whether refusals carry retry-after." },
	{ .name = NULL },
};

static void
check_bucket(struct diag *diag, const char *path, const struct conf_bucket *b,
    const char *what)
{
	if (b && b->fill_interval < 50 * NS_PER_MS)
		diag_error(diag, b->node->place, path,
		    "local rate limit %stoken bucket fill timer must be >= "
		    "50ms",
		    what);
}

/* The entries of a descriptor, so written that others are written otherwise. */
static struct str
entries_key(struct arena *arena, const struct conf_descriptor *d)
{
	size_t n = 4 * d->entries.n;
	struct str *pieces = ARENA_ARRAY(arena, n, struct str);

	for (size_t i = 0, at = 0; at < n; i++) {
		struct str key = d->entries.items[i].key;
		struct str value = d->entries.items[i].value;

		pieces[at++] = arena_printf(arena, "%zu ", key.len);
		pieces[at++] = key;
		pieces[at++] = arena_printf(arena, "%zu ", value.len);
		pieces[at++] = value;
	}
	return arena_join(arena, pieces, n);
}

static void
check_duplicates(
    struct diag *diag, const char *path, const struct conf_local *c)
{
	struct arena *temp = arena_new(4096);
	struct table *seen = table_new(temp, c->descriptors.n);

	for (size_t i = 0; i < c->descriptors.n; i++) {
		const struct conf_descriptor *d = &c->descriptors.items[i];
		uint32_t *at = table_put(seen, entries_key(temp, d));

		if (*at != TABLE_NONE && d->entries.n)
			diag_error(diag, d->node->place, path,
			    "duplicate descriptor in the local rate "
			    "descriptor: " STR_FMT "=" STR_FMT,
			    STR_ARG(d->entries.items[0].key),
			    STR_ARG(d->entries.items[0].value));
		*at = (uint32_t)i;
	}
	arena_free(temp);
}

static void
check_descriptors(
    struct diag *diag, const char *path, const struct conf_local *c)
{
	for (size_t i = 0; i < c->descriptors.n; i++) {
		const struct conf_descriptor *d = &c->descriptors.items[i];

		check_bucket(diag, path, d->token_bucket, "descriptor ");
		if (d->entries.n > CONF_LOCAL_ENTRIES_MAX)
			diag_error(diag, d->node->place, path,
			    "a descriptor has at most %d entries",
			    CONF_LOCAL_ENTRIES_MAX);
	}
	check_duplicates(diag, path, c);
}

static bool
is_none(const struct conf_runtime_fraction *f)
{
	return !f || (f->default_value && !f->default_value->numerator);
}

/* A limit that limits nothing is rarely meant. */
static void
warn_idle(struct diag *diag, const char *path, const struct conf_local *c)
{
	if (!c->token_bucket && !c->descriptors.n)
		return;
	if (is_none(c->filter_enabled))
		diag_warn(diag, c->node->place, path,
		    "no request is counted: `filter_enabled` is 0 %%%s",
		    c->filter_enabled ? "" : " unless given");
	else if (!c->filter_enforced)
		diag_warn(diag, c->node->place, path,
		    "no request is refused: `filter_enforced` is 0 %% unless "
		    "given");
}

static void
check_own_limits(
    struct diag *diag, const char *path, const struct conf_local *c)
{
	for (size_t i = 0; i < c->rate_limits.n; i++) {
		const struct conf_rate_limit *l = &c->rate_limits.items[i];

		if (l->has_stage || l->disable_key.len)
			diag_error(diag, l->node->place, path,
			    "'stage' field and 'disable_key' field are not "
			    "supported");
		if (l->limit)
			diag_error(diag, l->node->place, path,
			    "'limit' field is not supported");
	}
}

static void
check_local(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_local *c = decoded;

	check_bucket(diag, path, c->token_bucket, "");
	check_descriptors(diag, path, c);
	if (c->response_headers_to_add.n > CONF_LOCAL_HEADERS_MAX ||
	    c->request_headers_to_add_when_not_enforced.n >
		CONF_LOCAL_HEADERS_MAX)
		diag_error(diag, c->node->place, path,
		    "value must contain no more than %d item(s)",
		    CONF_LOCAL_HEADERS_MAX);
	check_own_limits(diag, path, c);
	warn_idle(diag, path, c);
}

const struct schema_message conf_local_message = {
	.name = "envoy.extensions.filters.http.local_ratelimit.v3."
		"LocalRateLimit",
	.size = sizeof(struct conf_local),
	.fields = local_fields,
	.check = check_local,
};
