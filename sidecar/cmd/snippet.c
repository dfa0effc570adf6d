/* sallyport snippet FRONT: what a web server's configuration takes in. */
#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/fronts.h"
#include "cmd/snippet.h"
#include "cmd/table.h"

static const char *const names[FRONT_PATHS] = {
	[FRONT_SOCKET] = "--socket",
	[FRONT_PROGRAM] = "--program",
	[FRONT_CONFIG] = "--config",
	[FRONT_STATE] = "--state",
	[FRONT_LOG] = "--access-log",
};

int
snippet_paths(const struct args *args, const char *paths[FRONT_PATHS])
{
	const char *problem;

	for (int i = 0; i < FRONT_PATHS; i++) {
		if (args_value(args, names[i], 0))
			paths[i] = args_value(args, names[i], 0);
		problem = paths[i]
			      ? front_path_problem((enum front_path)i, paths[i])
			      : NULL;
		if (!problem)
			continue;
		(void)fprintf(stderr, "sallyport %s: %s %s: %s\n",
		    args->cmd->name, names[i], paths[i], problem);
		return CMD_USAGE;
	}
	return CMD_OK;
}

int
snippet_front(const struct args *args, const struct web_front **out)
{
	const char *name = args_operand(args, 0);

	*out = name ? front_find(name) : NULL;
	if (*out || !name)
		return CMD_OK;
	(void)fprintf(stderr, "sallyport %s: no web server \"%s\"; there are\n",
	    args->cmd->name, name);
	front_print_list(stderr);
	return CMD_USAGE;
}

int
cmd_snippet(int argc, char **argv)
{
	const char *paths[FRONT_PATHS] = { NULL };
	const struct web_front *front;
	struct args args;
	int status = args_read(&args, cmd_find("snippet"), argc, argv);

	if (!status)
		status = snippet_front(&args, &front);
	if (!status)
		status = snippet_paths(&args, paths);
	if (status)
		return status;
	front_default_paths(front, paths);
	if (front) {
		front_print(front, paths, stdout);
	} else {
		(void)fputs(
		    "sallyport snippet FRONT, where FRONT is\n", stdout);
		front_print_list(stdout);
	}
	return fflush(stdout) || ferror(stdout) ? CMD_FAILED : CMD_OK;
}
