/* From the first argument to its subcommand. */
#include "config.h"

#include <string.h>

#include "cmd/cmd.h"
#include "cmd/table.h"

/* What people try first. */
static const char *
meant(const char *word)
{
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return "help";
	if (!strcmp(word, "--version") || !strcmp(word, "-V"))
		return "version";
	return word;
}

int
main(int argc, char **argv)
{
	const struct cmd *cmd;

	if (argc < 2)
		return cmd_spawned();
	cmd = cmd_find(meant(argv[1]));
	if (cmd)
		return cmd->run(argc - 1, argv + 1);
	return cmd_refuse_name(argv[1]);
}
