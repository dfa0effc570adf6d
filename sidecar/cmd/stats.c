/*
 * sallyport stats: the counters and gauges of the state file, one "name: value" a line,
 * sorted, as Envoy's /stats prints them.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "cmd/cmd.h"
#include "cmd/state.h"
#include "cmd/table.h"
#include "state/counter.h"
#include "state/gauge.h"
#include "upstream/overload.h"

struct line {
	struct str name;
	uint64_t value;
};

struct lines {
	struct arena *arena;
	struct line *items; /* NULL while they are only counted */
	size_t n, cap;
};

static void
add_line(void *arg, struct str name, uint64_t value)
{
	struct lines *lines = arg;

	/* Others may add some between the two walks. */
	if (lines->items && lines->n < lines->cap)
		lines->items[lines->n] =
		    (struct line){ arena_str(lines->arena, name), value };
	lines->n++;
}

static int
by_name(const void *a, const void *b)
{
	return str_cmp(
	    ((const struct line *)a)->name, ((const struct line *)b)->name);
}

static void
walk(struct state *state, struct lines *lines)
{
	counter_each(state, add_line, lines);
	gauge_each(state, add_line, lines);
	overload_each(state, add_line, lines);
}

/* Lines of the same name become one. */
static void
merge(struct lines *lines)
{
	size_t n = 0;

	for (size_t i = 0; i < lines->n; i++)
		if (n && str_eq(lines->items[n - 1].name, lines->items[i].name))
			lines->items[n - 1].value += lines->items[i].value;
		else
			lines->items[n++] = lines->items[i];
	lines->n = n;
}

static int
print_counters(struct state *state)
{
	struct lines lines = { .arena = arena_new(4096) };
	int status = CMD_OK;

	walk(state, &lines);
	lines.cap = lines.n;
	lines.n = 0;
	lines.items = ARENA_ARRAY(lines.arena, lines.cap + 1, struct line);
	walk(state, &lines);
	if (lines.n > lines.cap)
		lines.n = lines.cap;
	qsort(lines.items, lines.n, sizeof(*lines.items), by_name);
	merge(&lines);
	for (size_t i = 0; i < lines.n; i++)
		if (printf(STR_FMT ": %" PRIu64 "\n",
			STR_ARG(lines.items[i].name), lines.items[i].value) < 0)
			status = CMD_FAILED;
	arena_free(lines.arena);
	return fflush(stdout) ? CMD_FAILED : status;
}

int
cmd_stats(int argc, char **argv)
{
	const char *file;
	struct args args;
	struct state *state;
	int status = args_read(&args, cmd_find("stats"), argc, argv);

	if (status)
		return status;
	file = args_value(&args, "--state", 0);
	status = state_use(file, &state);
	if (status)
		return status;
	status = print_counters(state);
	state_close(state);
	return status;
}
