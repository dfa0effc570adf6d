/* The subcommands. Each gets argv from its own name on and returns the exit status. */
#ifndef SALLYPORT_CMD_CMD_H
#define SALLYPORT_CMD_CMD_H

enum {
	CMD_OK = 0,
	CMD_FAILED = 1,
	CMD_USAGE = 64,
	CMD_UNAVAILABLE = 69,
	CMD_CONFIG = 78
};

int cmd_serve(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_expand(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_routes(int argc, char **argv);
int cmd_snippet(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_version(int argc, char **argv);

/*
 * Without arguments: under a web server that has spawned us (a listening
 * socket on descriptor 0, or CGI by GATEWAY_INTERFACE). Configuration from
 * SALLYPORT_CONFIG, state from SALLYPORT_STATE, log from SALLYPORT_ACCESS_LOG. Run by hand it
 * prints the usage.
 */
int cmd_spawned(void);

#endif
