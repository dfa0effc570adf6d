/*
 * Sliding-window rate limits per client, header value or token claim, exact
 * over all processes that share the state file. Says what is left in the
 * RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10).
 */
#include "config.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "chain/host.h"
#include "state/limit.h"

static const struct str jwt_namespace =
    STR_INIT("envoy.filters.http.jwt_authn");

struct conf_rule {
	const struct node *node;
	uint32_t limit;
	bool has_limit;
	int64_t window;
	bool has_window;
	struct str scope, key, key_header, key_claim;
};

/* A rule made ready, of the filter or of a route. */
struct rule {
	bool limits; /* false: everything passes */
	uint32_t limit;
	int64_t window_ns;
	struct str scope; /* absent: the name of the route */
	struct str header; /* in lower case */
	struct str claim; /* path in the metadata of jwt_authn */
	/*
	 * Under what is counted: the kind of key, so that no header makes an
	 * address, and the scope if it is known.
	 */
	struct str under_own, under_client;
	struct str policy; /* value of ratelimit-policy */
};

struct filter_conf {
	struct rule rule;
	int ok, limited; /* counters */
};

struct mark {
	const struct rule *rule; /* NULL: not asked */
	uint64_t remaining;
	int64_t reset_ns;
};

/* ---- configuration ---- */

static void
check_rule(struct diag *diag, const char *path, void *decoded)
{
	const struct conf_rule *c = decoded;
	struct place place = c->node->place;

	if (c->has_limit != c->has_window)
		diag_error(diag, place, path,
		    "`limit` and `window` belong together: `%s` is missing",
		    c->has_limit ? "window" : "limit");
	if (c->key.ptr && !str_eq(c->key, STR("client")))
		diag_error(diag, place, path,
		    "`key` is \"client\"; for others there are `key_header` "
		    "and `key_claim`");
	if (c->key_header.ptr && !header_name_is_valid(c->key_header))
		diag_error(diag, place, path,
		    "`key_header` is not the name of a header");
}

static const struct schema_field rule_fields[] = {
	{ .name = "limit",
	    .type = SCHEMA_U32,
	    SCHEMA_AT_HAS(struct conf_rule, limit),
	    .min = 1,
	    .max = 1000000,
	    .text = "Requests that are allowed in any span of the window." },
	{ .name = "window",
	    .type = SCHEMA_DURATION,
	    SCHEMA_AT_HAS(struct conf_rule, window),
	    .min = 0.1,
	    .max = 31 * 86400,
	    .text = "Length of the window, 100ms to 31 days." },
	{ .name = "scope",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_rule, scope),
	    .min_items = 1,
	    .text = "Rules with the same scope count together; by default "
		    "each route counts by itself." },
	{ .name = "key",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_rule, key),
	    .oneof = "key",
	    .text = "What is counted apart: client, the client's address (an "
		    "IPv6 address by its /64). This is the default." },
	{ .name = "key_header",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_rule, key_header),
	    .min_items = 1,
	    .oneof = "key",
	    .text = "Header whose values are counted apart; requests without "
		    "it are counted by client." },
	{ .name = "key_claim",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_rule, key_claim),
	    .min_items = 1,
	    .oneof = "key",
	    .text = "Claim of the verified token (a dotted path) whose values "
		    "are counted apart; requests without it are counted by "
		    "client." },
	{ .name = NULL },
};

static const struct schema_message rule_message = {
	.name = "sallyport.rate_limit",
	.size = sizeof(struct conf_rule),
	.fields = rule_fields,
	.check = check_rule,
};

static int64_t
seconds_up(int64_t ns)
{
	return (ns + NS_PER_S - 1) / NS_PER_S;
}

static struct str
counted_under(struct arena *arena, const struct rule *rule, const char *kind,
    struct str name)
{
	return arena_printf(arena, "rate_limit %s " STR_FMT " " STR_FMT, kind,
	    STR_ARG(name), STR_ARG(rule->scope));
}

static struct rule
make_rule(struct setup *s, const struct conf_rule *c)
{
	struct arena *arena = host_setup_arena(s);
	struct rule rule = { .limits = c->has_limit && c->has_window,
		.limit = c->limit,
		.window_ns = c->window,
		.scope = c->scope };

	if (c->key_header.ptr)
		rule.header = header_name_sought(arena, c->key_header);
	if (c->key_claim.ptr)
		rule.claim = arena_printf(
		    arena, "payload." STR_FMT, STR_ARG(c->key_claim));
	if (rule.claim.ptr &&
	    !host_setup_metadata(s, c->node, jwt_namespace, rule.claim))
		host_setup_error(s, c->node,
		    "instead of `key_claim` have claim_to_headers of the "
		    "provider make a header for `key_header`");
	rule.under_client = counted_under(arena, &rule, "client", STR(""));
	rule.under_own =
	    rule.header.ptr ? counted_under(arena, &rule, "header", rule.header)
			    : counted_under(arena, &rule, "claim", rule.claim);
	rule.policy = arena_printf(arena, "\"default\";q=%u;w=%lld",
	    (unsigned)c->limit, (long long)seconds_up(c->window));
	return rule;
}

static const void *
configure(struct setup *s, const void *decoded)
{
	struct filter_conf *conf =
	    ARENA_NEW(host_setup_arena(s), struct filter_conf);

	conf->rule = make_rule(s, decoded);
	conf->ok = host_setup_counter(s, "rate_limit.ok");
	conf->limited = host_setup_counter(s, "rate_limit.limited");
	return conf;
}

static const void *
configure_route(struct setup *s, const void *decoded)
{
	struct rule *rule = ARENA_NEW(host_setup_arena(s), struct rule);

	*rule = make_rule(s, decoded);
	return rule;
}

/* ---- requests ---- */

/*
 * An IPv4 address whole, also when it comes mapped into IPv6; of an IPv6 address the
 * 64 bits that a subscriber cannot choose.
 */
static struct str
client_key(struct exchange *x)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct str address = host_attribute(x, HOST_CLIENT_ADDRESS);
	char text[INET6_ADDRSTRLEN];
	struct in6_addr ip;

	if (str_find_char(address, ':', 0) == address.len ||
	    address.len >= sizeof(text))
		return address;
	memcpy(text, address.ptr, address.len);
	text[address.len] = '\0';
	if (inet_pton(AF_INET6, text, &ip) != 1)
		return address;
	if (!memcmp(ip.s6_addr, mapped, sizeof(mapped))) {
		(void)inet_ntop(AF_INET, ip.s6_addr + 12, text, sizeof(text));
		return host_keep(x, str_of(text));
	}
	memset(ip.s6_addr + 8, 0, 8);
	(void)inet_ntop(AF_INET6, &ip, text, sizeof(text));
	return host_keep(x, str_of(text));
}

/* The value that is counted by; absent or empty: the client's address is. */
static struct str
own_key(const struct rule *rule, struct exchange *x)
{
	if (rule->header.ptr)
		return host_header(x, HOST_REQUEST, rule->header, 0);
	if (rule->claim.ptr)
		return host_metadata(x, jwt_namespace, rule->claim);
	return STR_NONE;
}

enum { JOINED_MAX = 256 };

/* a and b in one; room is used if they fit. */
static struct str
joined(struct exchange *x, char room[JOINED_MAX], struct str a, struct str b)
{
	size_t len = a.len + b.len;
	char *text = len > JOINED_MAX ? arena_alloc(host_arena(x), len) : room;

	memcpy(text, a.ptr, a.len);
	if (b.len)
		memcpy(text + a.len, b.ptr, b.len);
	return (struct str){ text, len };
}

static uint64_t
key_of(const struct rule *rule, struct exchange *x)
{
	struct str key = own_key(rule, x);
	struct str under = key.len ? rule->under_own : rule->under_client;
	char room[JOINED_MAX];

	if (!rule->scope.ptr)
		under =
		    joined(x, room, under, host_attribute(x, HOST_ROUTE_NAME));
	return limit_key(host_state(x), under, key.len ? key : client_key(x));
}

static void
refuse(struct exchange *x, const struct rule *rule, int64_t retry_ns)
{
	struct arena *arena = host_arena(x);
	long long wait = seconds_up(retry_ns) > 1 ? seconds_up(retry_ns) : 1;
	const struct header headers[] = {
		{ STR("retry-after"), arena_printf(arena, "%lld", wait) },
		{ STR("ratelimit-policy"), rule->policy },
		{ STR("ratelimit"),
		    arena_printf(arena, "\"default\";r=0;t=%lld", wait) },
	};

	host_reply(x, &(struct host_reply){ .status = 429,
			  .headers = headers,
			  .n_headers = sizeof(headers) / sizeof(headers[0]),
			  .body = STR("rate limited"),
			  .details = STR("rate_limited"),
			  .flag = "RL" });
}

static enum verdict
on_request(const void *data, void *state, struct exchange *x)
{
	const struct filter_conf *conf = data;
	const struct rule *rule = host_route_conf(x);
	struct mark *mark = state;
	struct limit_result result;

	if (!rule)
		rule = &conf->rule;
	if (!rule->limits || !host_state(x))
		return FILTER_NEXT;
	result = limit_window(host_state(x), key_of(rule, x), rule->limit,
	    rule->window_ns, host_boot_ns(x));
	if (!result.allowed) {
		host_count(x, conf->limited, 1);
		refuse(x, rule, result.retry_ns);
		return FILTER_REPLY;
	}
	host_count(x, conf->ok, 1);
	*mark = (struct mark){ rule, result.remaining, result.reset_ns };
	return FILTER_NEXT;
}

static char *
put(char *at, struct str s)
{
	memcpy(at, s.ptr, s.len);
	return at + s.len;
}

static char *
put_number(char *at, uint64_t n)
{
	char digits[20];
	size_t len = 0;

	do {
		digits[len++] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	while (len)
		*at++ = digits[--len];
	return at;
}

/* Every good answer has it, so it is made without printf. */
static enum verdict
on_response(const void *data, void *state, struct exchange *x)
{
	const struct mark *mark = state;
	char text[64], *at = text;

	(void)data;
	if (!mark->rule)
		return FILTER_NEXT;
	at = put(at, STR("\"default\";r="));
	at = put_number(at, mark->remaining);
	at = put(at, STR(";t="));
	at = put_number(at, (uint64_t)seconds_up(mark->reset_ns));
	(void)host_header_set(
	    x, HOST_RESPONSE, STR("ratelimit-policy"), mark->rule->policy);
	(void)host_header_set(x, HOST_RESPONSE, STR("ratelimit"),
	    (struct str){ text, (size_t)(at - text) });
	return FILTER_NEXT;
}

const struct filter filter_rate_limit = {
	.name = "sallyport.rate_limit",
	.text = "A sliding window per client, header value or token claim, "
		"exact over all processes that share the state file. What "
		"is left is said in RateLimit and RateLimit-Policy; beyond "
		"it the answer is 429 with Retry-After.",
	.short_form = "rate_limit: 100/60s, in a route",
	.conf = &rule_message,
	.route_conf = &rule_message,
	.configure = configure,
	.configure_route = configure_route,
	.needs = FILTER_NEEDS_STATE,
	.state_size = sizeof(struct mark),
	.on_request = on_request,
	.on_response = on_response,
};
