/* What is printed from the table of subcommands. */
#include "config.h"

#include <string.h>

#include "cmd/cmd.h"
#include "cmd/manual5.h"
#include "cmd/table.h"
#include "config/schema.h"

static const struct {
	int status;
	const char *text;
} statuses[] = {
	{ CMD_OK, "All is well." },
	{ CMD_FAILED,
	    "It could not be done, or the doctor or the check of a token has "
	    "found something; what is printed says why." },
	{ CMD_USAGE, "The command line is wrong." },
	{ CMD_UNAVAILABLE,
	    "The doctor does not reach the web server, or no gateway behind "
	    "it." },
	{ CMD_CONFIG, "The configuration is refused." },
};

void
cmd_print_list(FILE *out)
{
	(void)fputs("usage: sallyport COMMAND ...\n\n", out);
	for (const struct cmd *c = cmd_table; c->name; c++)
		(void)fprintf(out, "  %-9s %s\n", c->name, c->text);
	(void)fputs(
	    "\n\"sallyport help COMMAND\" says more. Without a command, "
	    "a process that a web\nserver has started serves the file "
	    "named by SALLYPORT_CONFIG\n"
	    "(default " SALLYPORT_CONFIG_FILE ").\n",
	    out);
}

int
cmd_refuse_name(const char *name)
{
	enum { COMMANDS_MAX = 64 };
	const char *names[COMMANDS_MAX + 1] = { NULL };
	const char *near;

	for (size_t i = 0; cmd_table[i].name && i < COMMANDS_MAX; i++)
		names[i] = cmd_table[i].name;
	near = schema_nearest(str_of(name), names);
	(void)fprintf(stderr, "sallyport: no command \"%s\"", name);
	if (near)
		(void)fprintf(stderr, ": did you mean \"%s\"?", near);
	(void)fputc('\n', stderr);
	cmd_print_list(stderr);
	return CMD_USAGE;
}

static void
print_option(const struct cmd_option *o, FILE *out)
{
	(void)fprintf(out, "  %s%s%s%s%s\n", o->letter ? o->letter : "",
	    o->letter ? ", " : "", o->name, o->value ? " " : "",
	    o->value ? o->value : "");
	cmd_print_text(o->text, 8, out);
}

void
cmd_print_help(const struct cmd *cmd, FILE *out)
{
	(void)fputs("usage: ", out);
	cmd_print_usage(cmd, out);
	(void)fprintf(
	    out, "\n%c%s.\n", cmd->text[0] - 'a' + 'A', cmd->text + 1);
	if (cmd->more)
		cmd_print_text(cmd->more, 0, out);
	if (cmd->options)
		(void)fputc('\n', out);
	for (const struct cmd_option *o = cmd->options; o && o->name; o++)
		print_option(o, out);
}

/* ---- for bash ---- */

void
cmd_print_completion(FILE *out)
{
	(void)fputs("# bash completion for sallyport, made from its table of "
		    "commands\n\n_sallyport()\n{\n"
		    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words= files=\n"
		    "\tCOMPREPLY=()\n"
		    "\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\twords='",
	    out);
	for (const struct cmd *c = cmd_table; c->name; c++)
		(void)fprintf(out, "%s%s", c == cmd_table ? "" : " ", c->name);
	(void)fputs("'\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n", out);
	for (const struct cmd *c = cmd_table; c->name; c++) {
		(void)fprintf(out, "\t\t%s) words='", c->name);
		for (const struct cmd_option *o = c->options; o && o->name; o++)
			(void)fprintf(
			    out, "%s%s", o == c->options ? "" : " ", o->name);
		(void)fputs("' ;;\n", out);
	}
	(void)fputs("\t\tesac\n\t\t[ \"${cur#-}\" != \"$cur\" ] || files=yes\n"
		    "\tfi\n"
		    "\tif [ -n \"$files\" ]; then\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		    "\telse\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
		    "\"$cur\")\n\tfi\n}\n"
		    "complete -o filenames -F _sallyport sallyport\n",
	    out);
}

/* ---- sallyport(1) ---- */

static const char manual_begin[] =
    ".Dd November 26, 2026\n.Dt SALLYPORT 1\n.Os\n"
    ".Sh NAME\n.Nm sallyport\n.Nd API gateway behind a web server\n"
    ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar argument ...\n"
    ".Sh DESCRIPTION\n"
    "lighttpd, Apache, nginx, Caddy or HAProxy accepts the clients and hands "
    "each request over FastCGI to\n.Nm ,\n"
    "which routes it, asks for a token, counts it against limits, guards the "
    "backend with a circuit breaker, changes headers and paths, forwards it "
    "and writes a log line.\n"
    ".Xr sallyport.yaml 5\nsays how it is configured,\n"
    ".Xr sallyport-fronts 7\nhow each web server is.\n.Pp\n"
    "Without a command it is a process that a web server has started: a "
    "FastCGI server on the listening socket that is descriptor 0, or a CGI "
    "program. Its files are named by the environment.\n"
    ".Sh COMMANDS\n";

static const char manual_end[] =
    ".Sh ENVIRONMENT\nOf a process that a web server has started:\n"
    ".Bl -tag -width Ds\n"
    ".It Ev SALLYPORT_CONFIG\nThe configuration;\n"
    ".Pa " SALLYPORT_CONFIG_FILE "\nif not set.\n"
    ".It Ev SALLYPORT_STATE\nThe state file;\n"
    ".Pa " SALLYPORT_STATE_FILE "\nif not set.\n"
    ".It Ev SALLYPORT_ACCESS_LOG\nWhere access logs go, whatever the "
    "configuration says;\n"
    ".It Ev SALLYPORT_LOG_LEVEL\nerror, warning, info or debug.\n.El\n"
    ".Sh FILES\n.Bl -tag -width Ds\n"
    ".It Pa " SALLYPORT_CONFIG_FILE "\nThe configuration.\n"
    ".It Pa " SALLYPORT_STATE_FILE "\n"
    "Limits, breakers and counters; all processes share it.\n.El\n";

static void
print_manual_option(const struct cmd_option *o, FILE *out)
{
	(void)fprintf(out, ".It %s%s%s", o->letter ? "Fl " : "",
	    o->letter ? o->letter + 1 : "", o->letter ? " , " : "");
	(void)fprintf(out, "Fl %s%s%s\n%s\n", o->name + 1,
	    o->value ? " Ar " : "", o->value ? o->value : "", o->text);
}

static void
print_manual_command(const struct cmd *c, FILE *out)
{
	(void)fprintf(out, ".Ss %s%s%s\n%c%s.\n", c->name,
	    *c->operands ? " " : "", c->operands, c->text[0] - 'a' + 'A',
	    c->text + 1);
	if (c->more)
		(void)fprintf(out, "%s\n", c->more);
	if (!c->options)
		return;
	(void)fputs(".Bl -tag -width Ds\n", out);
	for (const struct cmd_option *o = c->options; o->name; o++)
		print_manual_option(o, out);
	(void)fputs(".El\n", out);
}

void
cmd_print_manual(FILE *out)
{
	(void)fputs(manual_begin, out);
	for (const struct cmd *c = cmd_table; c->name; c++)
		print_manual_command(c, out);
	(void)fputs(manual_end, out);
	(void)fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		(void)fprintf(
		    out, ".It %d\n%s\n", statuses[i].status, statuses[i].text);
	(void)fputs(".El\n.Sh SEE ALSO\n.Xr sallyport.yaml 5 ,\n"
		    ".Xr sallyport-filters 7 ,\n.Xr sallyport-from-envoy 7 "
		    ",\n.Xr sallyport-from-nginx 7 ,\n.Xr sallyport-fronts 7\n",
	    out);
}

/* ---- the commands ---- */

int
cmd_help(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(FILE *);
	} prints[] = {
		/* for the build */
		{ "--bash-completion", cmd_print_completion },
		{ "--manual", cmd_print_manual },
		{ "--manual=sallyport", cmd_print_manual },
		{ "--manual=sallyport.yaml", manual5_print },
	};
	const struct cmd *cmd;

	for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++)
		if (argc == 2 && !strcmp(argv[1], prints[i].name)) {
			prints[i].print(stdout);
			return fflush(stdout) ? CMD_FAILED : CMD_OK;
		}
	if (argc > 2)
		return CMD_USAGE;
	cmd = argc == 2 ? cmd_find(argv[1]) : NULL;
	if (argc == 2 && !cmd)
		return cmd_refuse_name(argv[1]);
	if (cmd)
		cmd_print_help(cmd, stdout);
	else
		cmd_print_list(stdout);
	return fflush(stdout) ? CMD_FAILED : CMD_OK;
}

int
cmd_version(int argc, char **argv)
{
	struct args args;
	int status = args_read(&args, cmd_find("version"), argc, argv);

	if (status)
		return status;
	return printf("sallyport %s\n", PACKAGE_VERSION) < 0 || fflush(stdout)
		   ? CMD_FAILED
		   : CMD_OK;
}
