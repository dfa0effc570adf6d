/*
 * sallyport check FILE: says what is wrong with a configuration, as
 * envoy --mode validate does, but all of it and with places.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/table.h"
#include "config/diag.h"

enum output { TEXT, JSON };

struct options {
	const char *file;
	enum output output;
	enum load_mode mode;
};

static int
read_options(int argc, char **argv, struct options *o)
{
	struct args args;
	int status = args_read(&args, cmd_find("check"), argc, argv);
	const char *format;

	if (status)
		return status;
	o->file = args_operand(&args, 0);
	if (args_value(&args, "--allow-unknown-static-fields", 0))
		o->mode = LOAD_LENIENT;
	format = args_value(&args, "--format", 0);
	if (format && !strcmp(format, "json"))
		o->output = JSON;
	else if (format && strcmp(format, "text") != 0) {
		(void)fprintf(stderr,
		    "sallyport check: --format is text or json, not %s\n",
		    format);
		return CMD_USAGE;
	}
	return CMD_OK;
}

/* For people, in Envoy's words when all is well. */
static void
print_text(const struct diag *diag, const char *file, enum err err)
{
	diag_print(diag, stderr);
	if (!err)
		(void)printf("configuration '%s' OK\n", file);
}

int
cmd_check(int argc, char **argv)
{
	struct options o = { .output = TEXT };
	struct loaded l;
	int status = read_options(argc, argv, &o);
	enum err err;

	if (status)
		return status;
	err = load_check(o.file, o.mode, &l);
	if (o.output == JSON)
		diag_print_json(l.diag, stdout);
	else
		print_text(l.diag, o.file, err);
	load_free(&l);
	if (fflush(stdout) || ferror(stdout))
		return CMD_FAILED;
	return err ? CMD_CONFIG : CMD_OK;
}
