/*
 * sallyport check FILE: says what is wrong with a configuration, as
 * envoy --mode validate does, but all of it and with places.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/load.h"
#include "config/diag.h"

enum output { TEXT, JSON };

struct options {
	const char *file;
	enum output output;
	enum load_mode mode;
};

static int
usage(void)
{
	(void)fputs("usage: sallyport check [--format text|json] "
		    "[--allow-unknown-static-fields] FILE\n",
	    stderr);
	return CMD_USAGE;
}

static bool
set_output(struct options *o, const char *word)
{
	if (!word)
		return false;
	o->output = strcmp(word, "json") ? TEXT : JSON;
	return o->output == JSON || !strcmp(word, "text");
}

static bool
read_options(int argc, char **argv, struct options *o)
{
	static const char format[] = "--format";
	const size_t len = sizeof(format) - 1;

	for (int i = 1; i < argc; i++) {
		bool is_fine = true;

		if (!strcmp(argv[i], format))
			is_fine = set_output(o, argv[++i]);
		else if (!strncmp(argv[i], format, len) && argv[i][len] == '=')
			is_fine = set_output(o, argv[i] + len + 1);
		else if (!strcmp(argv[i], "--allow-unknown-static-fields"))
			o->mode = LOAD_LENIENT;
		else if (o->file || argv[i][0] == '-')
			is_fine = false;
		else
			o->file = argv[i];
		if (!is_fine)
			return false;
	}
	return o->file;
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
	enum err err;

	if (!read_options(argc, argv, &o))
		return usage();
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
