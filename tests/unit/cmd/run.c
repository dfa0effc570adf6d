/* Running a subcommand in a test. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/cmd/run.h"

static int
redirect(int fd, FILE *to)
{
	int saved = dup(fd);

	ck_assert_int_ge(saved, 0);
	ck_assert_int_eq(dup2(fileno(to), fd), fd);
	return saved;
}

static void
restore(int fd, int saved, FILE *from, char *text, size_t size)
{
	ck_assert_int_eq(dup2(saved, fd), fd);
	ck_assert_int_eq(close(saved), 0);
	rewind(from);
	text[fread(text, 1, size - 1, from)] = '\0';
	ck_assert_int_eq(fclose(from), 0);
}

void
run_command_with(struct run *r, int (*command)(int, char **),
    const char *const *options, const char *text)
{
	char name[] = "command", path[] = "/tmp/sallyport-run-XXXXXX";
	char copies[8][64];
	char *argv[11] = { name };
	int argc = 1;
	FILE *out = tmpfile(), *err = tmpfile();
	int saved_out, saved_err;

	ck_assert(out && err);
	for (; *options; options++) {
		ck_assert_int_le(argc, 8);
		(void)snprintf(
		    copies[argc - 1], sizeof(copies[0]), "%s", *options);
		argv[argc] = copies[argc - 1];
		argc++;
	}
	if (text) {
		int fd = mkstemp(path);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(
		    write(fd, text, strlen(text)), (ssize_t)strlen(text));
		ck_assert_int_eq(close(fd), 0);
		argv[argc++] = path;
	}
	(void)fflush(stdout);
	saved_out = redirect(STDOUT_FILENO, out);
	saved_err = redirect(STDERR_FILENO, err);
	r->status = command(argc, argv);
	(void)fflush(stdout);
	restore(STDOUT_FILENO, saved_out, out, r->out, sizeof(r->out));
	restore(STDERR_FILENO, saved_err, err, r->err, sizeof(r->err));
	if (text)
		ck_assert_int_eq(unlink(path), 0);
}

void
run_command(struct run *r, int (*command)(int, char **), const char *text)
{
	static const char *const none[] = { NULL };

	run_command_with(r, command, none, text);
}
