/*
 * Filters that do what is done wrong easily, to see what the shim makes of
 * it: against the Envoy of these tests, and as libtraps.so in a real one.
 */
#include "config.h"

#include "base/log.h"
#include "chain/host.h"

/* ---- traps.body: looks at bodies ---- */

struct conf_body {
	const struct node *node;
	uint32_t max;
	struct str find, replacement;
};

static const struct schema_field body_fields[] = {
	{ .name = "max", .type = SCHEMA_U32, SCHEMA_AT(struct conf_body, max) },
	{ .name = "find",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_body, find) },
	{ .name = "replacement",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_body, replacement) },
	{ .name = NULL },
};

static const struct schema_message body_message = {
	.name = "traps.body",
	.size = sizeof(struct conf_body),
	.fields = body_fields,
};

static size_t
body_max(const void *conf, void *state, struct exchange *x)
{
	const struct conf_body *c = conf;

	(void)state;
	(void)x;
	return c->max;
}

static enum verdict
body_on_request_body(const void *conf, void *state, struct exchange *x)
{
	const struct conf_body *c = conf;
	struct str body = host_body(x);

	(void)state;
	if (c->find.ptr && str_find(body, c->find, 0) < body.len) {
		host_reply(x, &(struct host_reply){ .status = 403,
				  .body = STR("not that"),
				  .details = STR("body_refused"),
				  .flag = "RF" });
		return FILTER_REPLY;
	}
	(void)host_header_set(x, HOST_REQUEST, STR("x-body"),
	    arena_printf(host_arena(x), "%zu", body.len));
	if (c->replacement.ptr)
		(void)host_body_replace(x, c->replacement);
	return FILTER_NEXT;
}

static const struct filter body = {
	.name = "traps.body",
	.conf = &body_message,
	.needs = FILTER_NEEDS_BODY,
	.body_max = body_max,
	.on_request_body = body_on_request_body,
};

/* ---- traps.reply: answers, also where it must not ---- */

struct conf_reply {
	const struct node *node;
	struct str where; /* request, twice, response, end, nowhere */
};

static const struct schema_field reply_fields[] = {
	{ .name = "where",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_reply, where) },
	{ .name = NULL },
};

static const struct schema_message reply_message = {
	.name = "traps.reply",
	.size = sizeof(struct conf_reply),
	.fields = reply_fields,
};

static void
answer(struct exchange *x, unsigned status)
{
	const struct header headers[] = { { STR("x-trap"), STR("sprung") },
		{ STR("x-bad"), STR("a\r\nb: c") },
		{ STR("bad name"), STR("x") } };

	host_reply(x, &(struct host_reply){ .status = status,
			  .headers = headers,
			  .n_headers = 3,
			  .body = STR("trapped"),
			  .details = STR("trap_sprung"),
			  .flag = "TR" });
}

static enum verdict
reply_on_request(const void *conf, void *state, struct exchange *x)
{
	const struct conf_reply *c = conf;
	int *ends = state;

	if (str_eq(c->where, STR("nowhere")))
		return FILTER_REPLY;
	if (str_eq(c->where, STR("twice")))
		answer(x, 418);
	if (str_eq(c->where, STR("twice")) ||
	    str_eq(c->where, STR("request"))) {
		answer(x, 419);
		/* on_end has not run yet, whatever Envoy did meanwhile. */
		*ends += 10;
		return FILTER_REPLY;
	}
	return FILTER_NEXT;
}

static enum verdict
reply_on_response(const void *conf, void *state, struct exchange *x)
{
	const struct conf_reply *c = conf;

	(void)state;
	(void)host_header_set(x, HOST_RESPONSE, STR("x-seen"), STR("yes"));
	if (!str_eq(c->where, STR("response")))
		return FILTER_NEXT;
	answer(x, 420);
	return FILTER_REPLY;
}

static void
reply_on_end(const void *conf, void *state, struct exchange *x)
{
	int *ends = state;

	(void)conf;
	*ends += 1;
	answer(x, 421);
	log_info("traps.reply ended, %d, " STR_FMT " " STR_FMT, *ends,
	    STR_ARG(host_attribute(x, HOST_RESPONSE_CODE)),
	    STR_ARG(host_attribute(x, HOST_CODE_DETAILS)));
}

static const struct filter reply = {
	.name = "traps.reply",
	.conf = &reply_message,
	.state_size = sizeof(int),
	.on_request = reply_on_request,
	.on_response = reply_on_response,
	.on_end = reply_on_end,
};

/* ---- traps.fields: what can be written, and what cannot ---- */

struct conf_none {
	const struct node *node;
};

static const struct schema_field no_fields[] = { { .name = NULL } };

static const struct schema_message no_message = {
	.name = "traps.none",
	.size = sizeof(struct conf_none),
	.fields = no_fields,
};

static bool
set(struct exchange *x, const char *name, struct str value)
{
	return host_header_set(x, HOST_REQUEST, str_of(name), value);
}

/* A digit for each attempt: 1 where it was let. */
static enum verdict
fields_on_request(const void *conf, void *state, struct exchange *x)
{
	const struct str name = STR("x-many");
	size_t n, own = 0;
	const struct header *all;
	bool results[] = {
		set(x, "x-empty", STR("")),
		set(x, "x-split", STR("a\r\nx-injected: 1")),
		set(x, "x-nul", (struct str){ "a\0b", 3 }),
		set(x, "x name", STR("1")),
		host_header_set(x, HOST_RESPONSE, STR("x-early"), STR("1")),
		host_header_remove(x, HOST_REQUEST, STR("x-not-there")),
		set(x, "x-control", STR("a\x01b")),
		host_header_add(x, HOST_REQUEST, name, STR("\xff three")),
		set(x, "x-once", STR("replaced")),
		host_header_remove(x, HOST_REQUEST, STR("x-gone")),
	};
	char text[sizeof(results) + 1];

	(void)conf;
	(void)state;
	for (size_t i = 0; i < sizeof(results); i++)
		text[i] = results[i] ? '1' : '0';
	text[sizeof(results)] = '\0';
	all = host_headers(x, HOST_REQUEST, &n);
	/* A snapshot stays while fields change. */
	(void)host_header_remove(x, HOST_REQUEST, STR("x-once"));
	for (size_t i = 0; i < n; i++)
		own += str_starts(all[i].name, STR("x-once")) &&
		       str_eq(all[i].value, STR("replaced"));
	n = 0;
	while (host_header(x, HOST_REQUEST, name, n).ptr)
		n++;
	(void)set(x, "x-results",
	    arena_printf(host_arena(x), "%s %zu %zu", text, n, own));
	return FILTER_NEXT;
}

static const struct filter fields = {
	.name = "traps.fields",
	.conf = &no_message,
	.on_request = fields_on_request,
};

/* ---- traps.end: says how streams end ---- */

static const void *
end_configure(struct setup *s, const void *decoded)
{
	int *counter = ARENA_NEW(host_setup_arena(s), int);

	(void)decoded;
	*counter = host_setup_counter(s, "ends");
	return counter;
}

static enum verdict
end_on_request(const void *conf, void *state, struct exchange *x)
{
	(void)conf;
	*(int *)state = 1;
	host_metadata_set(x, STR("traps"), STR("seen"),
	    host_header(x, HOST_REQUEST, STR(":path"), 0));
	return FILTER_NEXT;
}

static enum verdict
end_on_response(const void *conf, void *state, struct exchange *x)
{
	(void)conf;
	*(int *)state += 2;
	(void)host_header_set(x, HOST_RESPONSE, STR("x-details"),
	    host_attribute(x, HOST_CODE_DETAILS));
	return FILTER_NEXT;
}

/* 1: the request came by, 2: the response, 3: both. */
static void
end_on_end(const void *conf, void *state, struct exchange *x)
{
	struct str code = host_attribute(x, HOST_RESPONSE_CODE);
	struct str details = host_attribute(x, HOST_CODE_DETAILS);

	host_count(x, *(const int *)conf, 1);
	host_metadata_set(x, STR("traps"), STR("end"),
	    arena_printf(host_arena(x), "%d " STR_FMT " " STR_FMT,
		*(int *)state, STR_ARG(code), STR_ARG(details)));
}

static const struct filter end = {
	.name = "traps.end",
	.conf = &no_message,
	.configure = end_configure,
	.state_size = sizeof(int),
	.on_request = end_on_request,
	.on_response = end_on_response,
	.on_end = end_on_end,
};

/* ---- traps.path: another path, with or without another route ---- */

struct conf_path {
	const struct node *node;
	struct str path;
	bool reroute;
};

static const struct schema_field path_fields[] = {
	{ .name = "path",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_path, path) },
	{ .name = "reroute",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_path, reroute) },
	{ .name = NULL },
};

static const struct schema_message path_message = {
	.name = "traps.path",
	.size = sizeof(struct conf_path),
	.fields = path_fields,
};

static enum verdict
path_on_request(const void *conf, void *state, struct exchange *x)
{
	const struct conf_path *c = conf;

	(void)state;
	(void)host_header_set(x, HOST_REQUEST, STR(":path"), c->path);
	if (c->reroute)
		host_reroute(x);
	(void)host_header_set(x, HOST_REQUEST, STR("x-route"),
	    arena_printf(host_arena(x), STR_FMT " " STR_FMT " %d",
		STR_ARG(host_attribute(x, HOST_ROUTE_NAME)),
		STR_ARG(host_attribute(x, HOST_CLUSTER_NAME)),
		host_route_forwards(x)));
	return FILTER_NEXT;
}

static const struct filter path = {
	.name = "traps.path",
	.conf = &path_message,
	.on_request = path_on_request,
};

/* ---- traps.wait, traps.timer: what Envoy cannot give ---- */

static enum verdict
wait_on_request(const void *conf, void *state, struct exchange *x)
{
	(void)conf;
	(void)state;
	(void)x;
	return FILTER_WAIT;
}

static const struct filter wait = {
	.name = "traps.wait",
	.conf = &no_message,
	.on_request = wait_on_request,
};

static const struct filter timer = {
	.name = "traps.timer",
	.conf = &no_message,
	.needs = FILTER_NEEDS_TIMER,
	.on_request = wait_on_request,
};

extern const struct filter filter_breaker;
extern const struct filter filter_health;
extern const struct filter filter_location;
extern const struct filter filter_rate_limit;
extern const struct filter filter_rewrite;

const struct filter *const filter_registry[] = { &body, &reply, &fields, &end,
	&path, &wait, &timer, &filter_breaker, &filter_health, &filter_location,
	&filter_rate_limit, &filter_rewrite, NULL };
