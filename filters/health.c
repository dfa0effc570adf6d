/*
 * Answers health checks: how the circuits are, whether the process lives,
 * and whether it is of use. Other requests pass.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "chain/host.h"
#include "state/breaker.h"

/* Room for 256 names of 119 bytes, each byte escaped. */
enum { BODY_MAX = 256 * 1024 };

struct conf_health {
	const struct node *node;
	struct str path, livez, readyz;
};

static const struct schema_field conf_fields[] = {
	{ .name = "path",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_health, path),
	    .fallback = "/health",
	    .text = "Path that answers with the state of all circuits as "
		    "JSON; empty for none." },
	{ .name = "livez",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_health, livez),
	    .fallback = "/livez",
	    .text = "Path that answers 200 as long as the process lives; "
		    "empty for none." },
	{ .name = "readyz",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_health, readyz),
	    .fallback = "/readyz",
	    .text = "Path that answers 200 unless all circuits are open; "
		    "empty for none." },
	{ .name = NULL },
};

static const struct schema_message conf_message = {
	.name = "sallyport.health",
	.size = sizeof(struct conf_health),
	.fields = conf_fields,
};

struct circuit {
	struct str name;
	enum breaker_state state;
};

/* A walk over the configuration's breakers: counts them, and keeps them if there is an arena. */
struct survey {
	struct exchange *x;
	struct state *state;
	int64_t now_ns;
	size_t all, open, not_closed;
	struct arena *arena;
	struct circuit *circuits;
	size_t cap;
};

static void
keep(struct survey *s, struct str name, enum breaker_state state)
{
	struct circuit *more;

	if (s->all == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 16;
		more = ARENA_ARRAY(s->arena, s->cap, struct circuit);
		if (s->all)
			memcpy(more, s->circuits, s->all * sizeof(*more));
		s->circuits = more;
	}
	s->circuits[s->all] =
	    (struct circuit){ arena_str(s->arena, name), state };
}

static void
look_at(void *arg, struct str name, int id)
{
	struct survey *s = arg;
	enum breaker_state circuit;

	if (!host_has_breaker(s->x, name))
		return;
	circuit = breaker_state(s->state, id, s->now_ns, NULL);
	if (s->arena)
		keep(s, name, circuit);
	s->all++;
	s->open += circuit == BREAKER_OPEN;
	s->not_closed += circuit != BREAKER_CLOSED;
}

static struct survey
survey(struct exchange *x, struct arena *arena)
{
	struct survey s = { .x = x,
		.state = host_state(x),
		.now_ns = host_boot_ns(x),
		.arena = arena };

	breaker_each(s.state, look_at, &s);
	return s;
}

static int
by_name(const void *a, const void *b)
{
	return str_cmp(((const struct circuit *)a)->name,
	    ((const struct circuit *)b)->name);
}

/* "name":"closed",... in the order of the names. */
static enum err
write_circuits(struct survey *s, struct buf *out)
{
	enum err err = ERR_OK;

	if (s->all)
		qsort(s->circuits, s->all, sizeof(*s->circuits), by_name);
	for (size_t i = 0; i < s->all && !err; i++) {
		if (i > 0)
			err = buf_append_byte(out, ',');
		if (!err)
			err = json_append_string(out, s->circuits[i].name);
		if (!err)
			err = buf_printf(out, ":\"%s\"",
			    breaker_state_name(s->circuits[i].state));
	}
	return err;
}

static bool
is_unhealthy(const struct survey *s)
{
	return s->all > 0 && s->open == s->all;
}

static enum verdict
answer(struct exchange *x, bool well, struct str type, struct str body)
{
	host_reply(
	    x, &(struct host_reply){ .status = well ? 200 : 503,
		   .headers =
		       (const struct header[]){ { STR("content-type"), type },
			   { STR("cache-control"), STR("no-store") } },
		   .n_headers = 2,
		   .body = body,
		   .details = well ? STR("health_check_ok")
				   : STR("health_check_failed") });
	return FILTER_REPLY;
}

static enum verdict
report(struct exchange *x)
{
	struct buf circuits;
	struct survey s;
	enum err err;
	const char *status;
	int64_t uptime_ns;
	struct str body;

	s = survey(x, host_arena(x));
	buf_init(&circuits, BODY_MAX);
	err = write_circuits(&s, &circuits);
	status = is_unhealthy(&s) ? "unhealthy"
		 : s.not_closed   ? "degraded"
				  : "healthy";
	uptime_ns = host_boot_ns(x) - state_started_ns(s.state);
	if (uptime_ns < 0)
		uptime_ns = 0;
	body = arena_printf(host_arena(x),
	    "{\"status\":\"%s\",\"uptime\":%lld,\"circuits\":{" STR_FMT "}}\n",
	    status, (long long)(uptime_ns / NS_PER_MS),
	    STR_ARG(err ? STR("") : buf_bytes(&circuits)));
	buf_free(&circuits);
	return answer(x, !is_unhealthy(&s), STR("application/json"), body);
}

static enum verdict
report_ready(struct exchange *x)
{
	struct survey s = survey(x, NULL);

	return answer(x, !is_unhealthy(&s), STR("text/plain"),
	    is_unhealthy(&s) ? STR("not ready\n") : STR("ready\n"));
}

static bool
is_at(struct str path, struct str configured)
{
	return configured.len > 0 && str_eq(path, configured);
}

static enum verdict
on_request(const void *data, void *state, struct exchange *x)
{
	const struct conf_health *conf = data;
	struct str method = host_header(x, HOST_REQUEST, STR(":method"), 0);
	struct str path = host_header(x, HOST_REQUEST, STR(":path"), 0);

	(void)state;
	if (!str_eq(method, STR("GET")) && !str_eq(method, STR("HEAD")))
		return FILTER_NEXT;
	path = str_slice(path, 0, str_find_char(path, '?', 0));
	if (is_at(path, conf->livez))
		return answer(x, true, STR("text/plain"), STR("ok\n"));
	if (!host_state(x))
		return FILTER_NEXT;
	if (is_at(path, conf->path))
		return report(x);
	if (is_at(path, conf->readyz))
		return report_ready(x);
	return FILTER_NEXT;
}

const struct filter filter_health = {
	.name = "sallyport.health",
	.text =
	    "Answers three paths itself: how the configuration's breakers are, whether "
	    "the process lives, and whether it is of use.",
	.short_form = "always there, with /health, /livez and /readyz",
	.conf = &conf_message,
	.needs = FILTER_NEEDS_STATE,
	.on_request = on_request,
};
