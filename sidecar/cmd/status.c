/*
 * sallyport status: what the state file says of the gateways that share it.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/state.h"
#include "cmd/table.h"
#include "cmd/terminal.h"
#include "state/breaker.h"
#include "state/limit.h"
#include "state/master.h"

struct view {
	struct state *state;
	struct buf *out;
	bool is_json;
	int64_t now_ns;
	size_t n; /* items of the list at hand */
};

enum { OUTPUT_MAX = 4 * 1024 * 1024 };

/* Memory for a screen of text is there, or the command cannot go on. */
#define PUT(v, ...) must(buf_printf((v)->out, __VA_ARGS__))

static void
must(enum err err)
{
	if (err)
		abort();
}

static void
put_string(struct view *v, struct str s)
{
	must(json_append_string(v->out, s));
}

static int64_t
to_ms(int64_t ns)
{
	return ns / NS_PER_MS;
}

static const char *
separator(struct view *v)
{
	return v->n++ ? "," : "";
}

/* "3d 4h", "5m 12s": the two largest units. */
static void
put_span(struct view *v, int64_t ns)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	int64_t rest = ns / NS_PER_S;
	int shown = 0;

	for (size_t i = 0; i < 4 && shown < 2; i++) {
		if (rest < units[i].seconds && !(i == 3 && !shown))
			continue;
		PUT(v, "%s%" PRId64 "%s", shown ? " " : "",
		    rest / units[i].seconds, units[i].name);
		rest %= units[i].seconds;
		shown++;
	}
}

static const char *const outcomes[] = {
	[MASTER_STARTED] = "not asked for",
	[MASTER_RELOADED] = "taken",
	[MASTER_REFUSED] = "refused",
};

static void
put_master(struct view *v, const struct master_report *m)
{
	if (!v->is_json) {
		PUT(v, "gateway %ld: %s, %u worker%s, up ", (long)m->pid,
		    m->config, m->workers, m->workers == 1 ? "" : "s");
		put_span(v, v->now_ns - m->joined_ns);
		PUT(v, ", reload %s\n", outcomes[m->outcome]);
		return;
	}
	PUT(v, "%s{\"pid\":%ld,\"config\":", separator(v), (long)m->pid);
	put_string(v, str_of(m->config));
	PUT(v,
	    ",\"workers\":%u,\"uptime_ms\":%" PRId64 ",\"reload\":", m->workers,
	    to_ms(v->now_ns - m->joined_ns));
	put_string(v, str_of(outcomes[m->outcome]));
	PUT(v, "}");
}

static void
put_process(void *arg, pid_t pid, int64_t joined_ns)
{
	struct view *v = arg;

	if (v->is_json) {
		PUT(v, "%s{\"pid\":%ld,\"uptime_ms\":%" PRId64 "}",
		    separator(v), (long)pid, to_ms(v->now_ns - joined_ns));
		return;
	}
	v->n++;
	PUT(v, "process %ld: up ", (long)pid);
	put_span(v, v->now_ns - joined_ns);
	PUT(v, "\n");
}

static const enum colour colours[] = {
	[BREAKER_CLOSED] = COLOUR_GOOD,
	[BREAKER_OPEN] = COLOUR_BAD,
	[BREAKER_HALF_OPEN] = COLOUR_DOUBT,
};

static void
put_breaker(void *arg, struct str name, int id)
{
	struct view *v = arg;
	int64_t retry_ns = 0;
	enum breaker_state state =
	    breaker_state(v->state, id, v->now_ns, &retry_ns);
	uint64_t opened = breaker_opened(v->state, id);

	if (v->is_json) {
		PUT(v, "%s{\"name\":", separator(v));
		put_string(v, name);
		PUT(v,
		    ",\"state\":\"%s\",\"opened\":%" PRIu64
		    ",\"retry_ms\":%" PRId64 "}",
		    breaker_state_name(state), opened, to_ms(retry_ns));
		return;
	}
	PUT(v, "breaker " STR_FMT ": %s%s%s, opened %" PRIu64 " time%s",
	    STR_ARG(name), terminal_on(stdout, colours[state]),
	    breaker_state_name(state), terminal_off(stdout), opened,
	    opened == 1 ? "" : "s");
	if (state == BREAKER_OPEN) {
		PUT(v, ", tries again in ");
		put_span(v, retry_ns);
	}
	PUT(v, "\n");
}

static void
begin_list(struct view *v, const char *name)
{
	v->n = 0;
	if (v->is_json)
		PUT(v, "\"%s\":[", name);
}

static void
end_list(struct view *v)
{
	if (v->is_json)
		PUT(v, "],");
}

static void
put_masters(void *arg, const struct master_report *m)
{
	put_master(arg, m);
}

static void
put_limits(struct view *v)
{
	size_t used, total;

	limit_usage(v->state, v->now_ns, &used, &total);
	if (v->is_json)
		PUT(v, "\"limits\":{\"clients\":%zu,\"room\":%zu}}\n", used,
		    total);
	else
		PUT(v, "limits: %zu client%s counted, room for %zu\n", used,
		    used == 1 ? "" : "s", total);
}

static void
put_all(struct view *v)
{
	if (v->is_json)
		PUT(v, "{");
	begin_list(v, "gateways");
	masters_each(v->state, put_masters, v);
	end_list(v);
	begin_list(v, "processes");
	state_processes(v->state, put_process, v);
	if (!v->n && !v->is_json)
		PUT(v, "no process runs\n");
	end_list(v);
	begin_list(v, "breakers");
	breaker_each(v->state, put_breaker, v);
	end_list(v);
	put_limits(v);
}

int
cmd_status(int argc, char **argv)
{
	struct args args;
	struct view v = { .now_ns = clock_boot_now_ns() };
	struct buf text;
	struct str bytes;
	int status = args_read(&args, cmd_find("status"), argc, argv);

	if (!status)
		status = state_use(args_value(&args, "--state", 0), &v.state);
	if (status)
		return status;
	buf_init(&text, OUTPUT_MAX);
	v.out = &text;
	v.is_json = args_value(&args, "--json", 0) != NULL;
	put_all(&v);
	bytes = buf_bytes(&text);
	if (fwrite(bytes.ptr, 1, bytes.len, stdout) != bytes.len ||
	    fflush(stdout))
		status = CMD_FAILED;
	buf_free(&text);
	state_close(v.state);
	return status;
}
