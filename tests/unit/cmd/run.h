/* Running a subcommand in a test and catching what it prints. */
#ifndef SALLYPORT_TESTS_UNIT_CMD_RUN_H
#define SALLYPORT_TESTS_UNIT_CMD_RUN_H

struct run {
	int status;
	char out[65536], err[65536];
};

/*
 * Writes text to a file, unless it is NULL, and runs the subcommand with the
 * file's name as its argument, or without arguments.
 */
void run_command(struct run *, int (*command)(int, char **), const char *text);

/* The same with up to 8 options, ended by NULL, before the file's name. */
void run_command_with(struct run *, int (*command)(int, char **),
    const char *const *options, const char *text);

#endif
