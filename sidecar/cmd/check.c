/* sallyport check FILE: says what is wrong with a configuration. */
#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "config/bootstrap.h"

/* Whether the whole configuration can be run, with all it refers to. */
static bool
is_sound(struct arena *arena, const char *path, struct diag *diag)
{
	return bootstrap_read(arena, path, diag) != NULL;
}

int
cmd_check(int argc, char **argv)
{
	struct arena *arena;
	struct diag *diag;
	bool sound;

	if (argc != 2) {
		(void)fputs("usage: sallyport check FILE\n", stderr);
		return CMD_USAGE;
	}
	arena = arena_new(65536);
	diag = diag_new(arena);
	sound = is_sound(arena, argv[1], diag);
	diag_print(diag, stderr);
	arena_free(arena);
	if (!sound)
		return CMD_CONFIG;
	if (printf("%s: OK\n", argv[1]) < 0 || fflush(stdout))
		return CMD_FAILED;
	return CMD_OK;
}
