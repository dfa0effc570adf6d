/*
 * Answers health checks: how the circuits are, whether the process lives,
 * and whether it is of use. Other requests pass.
 */
#include "config.h"

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

/* A walk over the breakers: counts them and writes them down. */
struct survey {
	struct state *state;
	int64_t now_ns;
	size_t all, open, not_closed;
	struct buf *circuits; /* NULL: only counted */
	enum err err;
};

static enum err
write_circuit(struct survey *s, struct str name, enum breaker_state circuit)
{
	enum err err = ERR_OK;

	if (s->all > 0)
		err = buf_append_byte(s->circuits, ',');
	if (!err)
		err = json_append_string(s->circuits, name);
	if (!err)
		err = buf_printf(
		    s->circuits, ":\"%s\"", breaker_state_name(circuit));
	return err;
}

static void
look_at(void *arg, struct str name, int id)
{
	struct survey *s = arg;
	enum breaker_state circuit =
	    breaker_state(s->state, id, s->now_ns, NULL);

	if (s->circuits && !s->err)
		s->err = write_circuit(s, name, circuit);
	s->all++;
	s->open += circuit == BREAKER_OPEN;
	s->not_closed += circuit != BREAKER_CLOSED;
}

static struct survey
survey(struct exchange *x, struct buf *circuits)
{
	struct survey s = { .state = host_state(x),
		.now_ns = host_boot_ns(x),
		.circuits = circuits };

	breaker_each(s.state, look_at, &s);
	return s;
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
	const char *status;
	int64_t uptime_ns;
	struct str body;

	buf_init(&circuits, BODY_MAX);
	s = survey(x, &circuits);
	status = is_unhealthy(&s) ? "unhealthy"
		 : s.not_closed   ? "degraded"
				  : "healthy";
	uptime_ns = host_boot_ns(x) - state_started_ns(s.state);
	if (uptime_ns < 0)
		uptime_ns = 0;
	body = arena_printf(host_arena(x),
	    "{\"status\":\"%s\",\"uptime\":%lld,\"circuits\":{" STR_FMT "}}",
	    status, (long long)(uptime_ns / NS_PER_MS),
	    STR_ARG(s.err ? STR("") : buf_bytes(&circuits)));
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
	.conf = &conf_message,
	.needs = FILTER_NEEDS_STATE,
	.on_request = on_request,
};
