/* sallyport check FILE: says what is wrong with a configuration. */
#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/load.h"

/* Builds everything that requests run on, but without a state file. */
static enum err
load_all(const char *file, struct loaded *l)
{
	enum err err = load_read(file, l);

	return err ? err : load_build(l, NULL, NULL);
}

int
cmd_check(int argc, char **argv)
{
	struct loaded l;
	enum err err;

	if (argc != 2) {
		(void)fputs("usage: sallyport check FILE\n", stderr);
		return CMD_USAGE;
	}
	err = load_all(argv[1], &l);
	load_free(&l);
	if (err)
		return CMD_CONFIG;
	if (printf("%s: OK\n", argv[1]) < 0 || fflush(stdout))
		return CMD_FAILED;
	return CMD_OK;
}
