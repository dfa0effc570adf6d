/* From the first argument to its subcommand. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/table.h"

int
main(int argc, char **argv)
{
	const struct cmd *cmd;

	if (argc < 2)
		return cmd_spawned();
	/* --version and --help are what people try first. */
	cmd =
	    cmd_find(!strcmp(argv[1], "--version") || !strcmp(argv[1], "--help")
			 ? argv[1] + strlen("--")
			 : argv[1]);
	if (cmd)
		return cmd->run(argc - 1, argv + 1);
	(void)fprintf(stderr, "sallyport: no command \"%s\"\n", argv[1]);
	cmd_print_list(stderr);
	return CMD_USAGE;
}
