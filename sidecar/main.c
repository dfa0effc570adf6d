/* The table of subcommands. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static const struct cmd {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
	const char *text;
} cmds[] = {
	{ "serve", cmd_serve,
	    "serve -c FILE [--listen unix:PATH|HOST:PORT]... [--workers N]\n"
	    "                [--state FILE] [--access-log FILE|-] "
	    "[--allow-unknown-static-fields]",
	    "run the gateway" },
	{ "check", cmd_check,
	    "check [--format text|json] [--allow-unknown-static-fields] FILE",
	    "report everything that is wrong with a configuration" },
	{ "expand", cmd_expand, "expand FILE",
	    "print the Envoy form of a configuration" },
	{ "reload", cmd_reload, "reload [--state FILE] [--pid PID]",
	    "have a running gateway load its configuration anew" },
	{ "stats", cmd_stats, "stats [--state FILE]",
	    "print the counters of the state file" },
};
enum { N_CMDS = sizeof(cmds) / sizeof(cmds[0]) };

static void
usage(FILE *out)
{
	(void)fprintf(out, "usage: sallyport COMMAND ...\n\n");
	for (size_t i = 0; i < N_CMDS; i++)
		(void)fprintf(out, "  sallyport %s\n        %s\n",
		    cmds[i].usage, cmds[i].text);
	(void)fprintf(out,
	    "  sallyport version\n"
	    "\nWithout a command, a process that a web server "
	    "has spawned serves the file named by\n"
	    "SALLYPORT_CONFIG (default " SALLYPORT_CONFIG_FILE ").\n");
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		return cmd_spawned();
	for (size_t i = 0; i < N_CMDS; i++)
		if (!strcmp(argv[1], cmds[i].name))
			return cmds[i].run(argc - 1, argv + 1);
	if (!strcmp(argv[1], "version") || !strcmp(argv[1], "--version")) {
		(void)printf("sallyport %s\n", PACKAGE_VERSION);
		return CMD_OK;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help")) {
		usage(stdout);
		return CMD_OK;
	}
	(void)fprintf(stderr, "sallyport: no command \"%s\"\n", argv[1]);
	usage(stderr);
	return CMD_USAGE;
}
