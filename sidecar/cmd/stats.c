/*
 * sallyport stats: the counters and gauges of the state file, one "name: value" a line,
 * sorted, as Envoy's /stats prints them.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "cmd/cmd.h"
#include "state/counter.h"
#include "state/gauge.h"

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

static int
print_counters(struct state *state)
{
	struct lines lines = { .arena = arena_new(4096) };
	int status = CMD_OK;

	counter_each(state, add_line, &lines);
	gauge_each(state, add_line, &lines);
	lines.cap = lines.n;
	lines.n = 0;
	lines.items = ARENA_ARRAY(lines.arena, lines.cap + 1, struct line);
	counter_each(state, add_line, &lines);
	gauge_each(state, add_line, &lines);
	if (lines.n > lines.cap)
		lines.n = lines.cap;
	qsort(lines.items, lines.n, sizeof(*lines.items), by_name);
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
	const char *file = SALLYPORT_STATE_FILE;
	struct state *state;
	int status;

	if (argc == 3 && !strcmp(argv[1], "--state")) {
		file = argv[2];
	} else if (argc != 1) {
		(void)fputs("usage: sallyport stats [--state FILE]\n", stderr);
		return CMD_USAGE;
	}
	/* Opening would make one. */
	if (access(file, R_OK | W_OK)) {
		perror(file);
		return CMD_FAILED;
	}
	if (state_open(file, &state))
		return CMD_FAILED;
	status = print_counters(state);
	state_close(state);
	return status;
}
