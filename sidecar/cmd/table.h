/*
 * The table of subcommands: the program finds them by it, and help, the
 * manual page and the completion are printed from it.
 */
#ifndef SALLYPORT_CMD_TABLE_H
#define SALLYPORT_CMD_TABLE_H

#include "cmd/args.h"

/* Ended by a NULL name. */
extern const struct cmd cmd_table[];

/* The row of that name; asked for names that are not there it is NULL. */
const struct cmd *cmd_find(const char *name);

/* Says on stderr that there is no command of that name, and what there is. */
int cmd_refuse_name(const char *name);

/* The list of all commands, and what one of them takes. */
void cmd_print_list(FILE *);
void cmd_print_help(const struct cmd *, FILE *);

/* Made from the table: a completion for bash; sallyport(1) in mdoc(7). */
void cmd_print_completion(FILE *);
void cmd_print_manual(FILE *);

#endif
