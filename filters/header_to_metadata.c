/*
 * Copies headers and cookies into the dynamic metadata of a request, for the
 * log, rate limits and other filters.
 */
#include "config.h"

#include <stdlib.h>

#include "base/regex.h"
#include "chain/kit.h"
#include "config/messages.h"
#include "http/base64.h"
#include "http/params.h"

#define OWN_NAMESPACE STR("envoy.filters.http.header_to_metadata")

enum { VALUE_MAX = 8 * 1024 };

/* ---- configuration ---- */

enum { TYPE_STRING, TYPE_NUMBER };
enum { ENCODE_NONE, ENCODE_BASE64 };

struct conf_pair {
	const struct node *node;
	struct str metadata_namespace, key, value;
	struct conf_regex_rewrite *regex_value_rewrite;
	int type, encode;
};

struct conf_rule {
	const struct node *node;
	struct str header, cookie;
	struct conf_pair *on_header_present, *on_header_missing;
	bool remove;
};
typedef CONF_LIST(struct conf_rule) conf_rules;

struct conf_to_metadata {
	const struct node *node;
	conf_rules request_rules, response_rules;
	struct str stat_prefix;
};

static const struct schema_choice type_choices[] = {
	{ .name = "STRING", .value = TYPE_STRING },
	{ .name = "NUMBER", .value = TYPE_NUMBER },
	{ .name = "PROTOBUF_VALUE",
	    .value = 2,
	    .refused = "values in protobuf's encoding are not read" },
	{ .name = NULL },
};

static const struct schema_choice encode_choices[] = {
	{ .name = "NONE", .value = ENCODE_NONE },
	{ .name = "BASE64", .value = ENCODE_BASE64 },
	{ .name = NULL },
};

static const struct schema_field pair_fields[] = {
	{ .name = "metadata_namespace",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_pair, metadata_namespace),
	    .text = "Namespace; this filter's name unless given." },
	{ .name = "key",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_pair, key),
	    .min_items = 1,
	    .required = true,
	    .text = "Key in the namespace." },
	{ .name = "value",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_pair, value),
	    .text = "Value, instead of the header's." },
	{ .name = "regex_value_rewrite",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_pair, regex_value_rewrite),
	    .message = &conf_regex_rewrite_message,
	    .text = "Rewrites the header's value." },
	{ .name = "type",
	    .type = SCHEMA_ENUM,
	    SCHEMA_AT(struct conf_pair, type),
	    .choices = type_choices,
	    .text = "Whether the value is a text or a number." },
	{ .name = "encode",
	    .type = SCHEMA_ENUM,
	    SCHEMA_AT(struct conf_pair, encode),
	    .choices = encode_choices,
	    .text = "Whether the value is to be decoded first." },
	{ .name = NULL },
};

static const struct schema_message pair_message = {
	.name = "envoy.extensions.filters.http.header_to_metadata.v3.Config."
		"KeyValuePair",
	.size = sizeof(struct conf_pair),
	.fields = pair_fields,
};

static const struct schema_field rule_fields[] = {
	{ .name = "header",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_rule, header),
	    .text = "Header to copy." },
	{ .name = "cookie",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_rule, cookie),
	    .text = "Cookie to copy." },
	{ .name = "on_header_present",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_rule, on_header_present),
	    .message = &pair_message,
	    .text = "What is set when it is there." },
	{ .name = "on_header_missing",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct conf_rule, on_header_missing),
	    .message = &pair_message,
	    .text = "What is set when it is not there." },
	{ .name = "remove",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_rule, remove),
	    .text = "Whether the header is removed." },
	{ .name = NULL },
};

/* What is wrong with a rule in Envoy's words, or NULL. */
static const char *
mistake_in(const struct conf_rule *r)
{
	const struct conf_pair *present = r->on_header_present;

	if (r->cookie.len && r->header.len)
		return "Cannot specify both header and cookie";
	if (!r->cookie.len && !r->header.len)
		return "One of Cookie or Header option needs to be specified";
	if (!present && !r->on_header_missing)
		return "header to metadata filter: rule has neither "
		       "`on_header_present` nor `on_header_missing` set";
	if (present && present->value.len && present->regex_value_rewrite)
		return "Cannot specify both value and regex_value_rewrite";
	if (r->cookie.len && r->remove)
		return "Cannot specify remove for cookie";
	if (r->on_header_missing && !r->on_header_missing->value.len)
		return "Cannot specify on_header_missing rule with an empty "
		       "value";
	return NULL;
}

static void
check_rule(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_rule *r = decoded;
	const char *mistake = mistake_in(r);

	if (mistake)
		diag_error(diag, r->node->place, path, "%s", mistake);
}

static const struct schema_message rule_message = {
	.name = "envoy.extensions.filters.http.header_to_metadata.v3.Config."
		"Rule",
	.size = sizeof(struct conf_rule),
	.fields = rule_fields,
	.check = check_rule,
};

static const struct schema_field conf_fields[] = {
	{ .name = "request_rules",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_to_metadata, request_rules),
	    .message = &rule_message,
	    .text = "What is taken from requests." },
	{ .name = "response_rules",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_to_metadata, response_rules),
	    .message = &rule_message,
	    .text = "What is taken from responses." },
	{ .name = "stat_prefix",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_to_metadata, stat_prefix),
	    .text = "Counters begin with http_filter_name and this; without "
		    "it nothing is counted." },
	{ .name = NULL },
};

static const struct schema_message conf_message = {
	.name = "envoy.extensions.filters.http.header_to_metadata.v3.Config",
	.size = sizeof(struct conf_to_metadata),
	.fields = conf_fields,
};

/* Counters of one direction. */
struct counters {
	int processed, added, missing;
};

struct rule {
	const struct conf_rule *conf;
	struct str header; /* absent: a cookie */
	const struct regex *rewrite; /* of the value that is there, or NULL */
};

struct rules {
	struct rule *items;
	size_t n;
	struct counters counters;
};

struct to_metadata {
	struct rules request, response;
	int too_long, not_base64, not_rewritten; /* counters */
};

static int
counter(struct setup *s, struct str prefix, const char *name)
{
	if (!prefix.len)
		return -1;
	return host_setup_counter_named(
	    s, arena_printf(host_setup_arena(s),
		   "http_filter_name." STR_FMT ".%s", STR_ARG(prefix), name));
}

static void
build_rule(struct setup *s, const struct conf_rule *conf, struct rule *out)
{
	const struct conf_pair *present = conf->on_header_present;
	const struct conf_regex_rewrite *rewrite =
	    present ? present->regex_value_rewrite : NULL;

	out->conf = conf;
	if (conf->header.len)
		out->header =
		    header_name_sought(host_setup_arena(s), conf->header);
	if (!rewrite)
		return;
	out->rewrite = kit_regex(s, rewrite->pattern);
	if (out->rewrite && rewrite->substitution.len &&
	    !regex_substitution_is_valid(out->rewrite, rewrite->substitution))
		host_setup_error(s, rewrite->node,
		    "the substitution names a group that the pattern does "
		    "not have");
}

static struct rules
build_rules(struct setup *s, const conf_rules *conf)
{
	struct rules r = { .n = conf->n };

	r.items = ARENA_ARRAY(host_setup_arena(s), conf->n + 1, struct rule);
	for (size_t i = 0; i < conf->n; i++)
		build_rule(s, &conf->items[i], &r.items[i]);
	return r;
}

static const void *
configure(struct setup *s, const void *decoded)
{
	const struct conf_to_metadata *conf = decoded;
	struct str prefix = conf->stat_prefix;
	struct to_metadata *t =
	    ARENA_NEW(host_setup_arena(s), struct to_metadata);

	t->request = build_rules(s, &conf->request_rules);
	t->request.counters =
	    (struct counters){ counter(s, prefix, "request_rules_processed"),
		    counter(s, prefix, "request_metadata_added"),
		    counter(s, prefix, "request_header_not_found") };
	t->response = build_rules(s, &conf->response_rules);
	t->response.counters =
	    (struct counters){ counter(s, prefix, "response_rules_processed"),
		    counter(s, prefix, "response_metadata_added"),
		    counter(s, prefix, "response_header_not_found") };
	t->too_long = counter(s, prefix, "header_value_too_long");
	t->not_base64 = counter(s, prefix, "base64_decode_failed");
	t->not_rewritten = counter(s, prefix, "regex_substitution_failed");
	return t;
}

static const void *
configure_route(struct setup *s, const void *decoded)
{
	const struct conf_to_metadata *conf = decoded;

	if (!conf->request_rules.n && !conf->response_rules.n)
		host_setup_error(s, conf->node,
		    "header_to_metadata_filter: Per filter configs must at "
		    "least specify either request or response rules");
	return configure(s, decoded);
}

/* ---- requests and responses ---- */

/* All lines of the header, joined. */
static struct str
header_value(struct exchange *x, enum host_map map, struct str name)
{
	struct str all = host_header(x, map, name, 0), next;

	for (size_t i = 1; all.ptr; i++) {
		next = host_header(x, map, name, i);
		if (!next.ptr)
			break;
		all = arena_printf(host_arena(x), STR_FMT "," STR_FMT,
		    STR_ARG(all), STR_ARG(next));
	}
	return host_keep(x, all);
}

static struct str
cookie_value(struct exchange *x, enum host_map map, struct str name)
{
	struct str field, value;

	for (size_t i = 0;; i++) {
		field = host_header(x, map, STR("cookie"), i);
		if (!field.ptr)
			return STR_NONE;
		value = params_cookie_get(field, name);
		if (value.len)
			return host_keep(x, value);
	}
}

/* Base64, with or without its padding; absent if it is none. */
static struct str
decoded(struct exchange *x, struct str text)
{
	struct str bytes;

	for (int i = 0; i < 2 && str_ends(text, STR("=")); i++)
		text.len--;
	text = arena_printf(host_arena(x), STR_FMT "%s", STR_ARG(text),
	    text.len % 4 == 2   ? "=="
	    : text.len % 4 == 3 ? "="
				: "");
	return base64_decode(host_arena(x), text, &bytes) || !bytes.len
		   ? STR_NONE
		   : bytes;
}

/* As strtod reads it, all of it; blanks around are fine. */
static bool
to_number(struct exchange *x, struct str text, double *number)
{
	const char *begin = arena_cstr(host_arena(x), str_trim(text));
	char *end;

	*number = strtod(begin, &end);
	return end != begin && !*end;
}

/* Whether something was set. */
static bool
set(const struct to_metadata *t, struct exchange *x,
    const struct conf_pair *pair, struct str value)
{
	struct str ns = pair->metadata_namespace.len ? pair->metadata_namespace
						     : OWN_NAMESPACE;
	double number;

	if (value.len >= VALUE_MAX) {
		host_count(x, t->too_long, 1);
		return false;
	}
	if (pair->encode == ENCODE_BASE64) {
		value = decoded(x, value);
		if (!value.ptr) {
			host_count(x, t->not_base64, 1);
			return false;
		}
	}
	if (pair->type == TYPE_STRING) {
		host_metadata_set(x, ns, pair->key, value);
		return true;
	}
	if (!to_number(x, value, &number))
		return false;
	host_metadata_set_number(x, ns, pair->key, number);
	return true;
}

/* The value of a header that is there, as the pair has it. */
static struct str
present_value(const struct to_metadata *t, struct exchange *x,
    const struct rule *r, struct str value)
{
	const struct conf_pair *pair = r->conf->on_header_present;
	struct str rewritten;

	if (pair->value.len)
		return pair->value;
	if (!r->rewrite)
		return value;
	rewritten = regex_replace(host_arena(x), r->rewrite, value,
	    pair->regex_value_rewrite->substitution.ptr
		? pair->regex_value_rewrite->substitution
		: STR(""));
	if (!rewritten.len && value.len)
		host_count(x, t->not_rewritten, 1);
	return rewritten;
}

static void
apply_rule(const struct to_metadata *t, const struct counters *counters,
    struct exchange *x, enum host_map map, const struct rule *r)
{
	const struct conf_rule *conf = r->conf;
	const struct conf_pair *pair;
	struct str value = r->header.ptr ? header_value(x, map, r->header)
					 : cookie_value(x, map, conf->cookie);

	host_count(x, counters->processed, 1);
	if (r->header.ptr && conf->remove)
		(void)host_header_remove(x, map, r->header);
	pair = value.ptr ? conf->on_header_present : conf->on_header_missing;
	if (!pair)
		return;
	if (!value.ptr)
		host_count(x, counters->missing, 1);
	value = value.ptr ? present_value(t, x, r, value) : pair->value;
	if (value.len && set(t, x, pair, value))
		host_count(x, counters->added, 1);
}

static enum verdict
apply(const struct to_metadata *t, const struct rules *rules,
    struct exchange *x, enum host_map map)
{
	for (size_t i = 0; i < rules->n; i++)
		apply_rule(t, &rules->counters, x, map, &rules->items[i]);
	return FILTER_NEXT;
}

static const struct to_metadata *
rules_of(const void *conf, struct exchange *x)
{
	const struct to_metadata *route = host_route_conf(x);

	return route ? route : conf;
}

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	const struct to_metadata *t = rules_of(conf, x);

	(void)state;
	return apply(t, &t->request, x, HOST_REQUEST);
}

static enum verdict
on_response(const void *conf, void *state, struct exchange *x)
{
	const struct to_metadata *t = rules_of(conf, x);

	(void)state;
	return apply(t, &t->response, x, HOST_RESPONSE);
}

const struct filter filter_header_to_metadata = {
	.name = "envoy.filters.http.header_to_metadata",
	.text = "Copies headers and cookies into the dynamic metadata of a "
		"request, for the log, rate limits and other filters.",
	.conf = &conf_message,
	.route_conf = &conf_message,
	.configure = configure,
	.configure_route = configure_route,
	.on_request = on_request,
	.on_response = on_response,
};
