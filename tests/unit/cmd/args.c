#include "config.h"

#include <check.h>
#include <string.h>

#include "cmd/args.h"
#include "cmd/cmd.h"

static const struct cmd_option options[] = {
	{ .name = "--file",
	    .letter = "-f",
	    .value = "FILE",
	    .text = "A file." },
	{ .name = "--header",
	    .letter = "-H",
	    .value = "LINE",
	    .repeats = true,
	    .text = "A line." },
	{ .name = "--json", .text = "For tools." },
	{ .name = NULL },
};
static const struct cmd command = {
	.name = "try", .options = options, .operands = "URL", .max_operands = 2
};

static struct args args;

static int
try(const char *a, const char *b, const char *c, const char *d)
{
	static char words[5][64] = { "try" };
	const char *given[] = { a, b, c, d };
	char *argv[6] = { words[0] };
	int argc = 1;

	for (int i = 0; i < 4 && given[i]; i++) {
		ck_assert_uint_lt(strlen(given[i]), sizeof(words[0]));
		strncpy(words[argc], given[i], sizeof(words[0]) - 1);
		argv[argc] = words[argc];
		argc++;
	}
	argv[argc] = NULL;
	return args_read(&args, &command, argc, argv);
}

START_TEST(values_follow_or_stand_behind_an_equals_sign)
{
	char *argv[] = { (char[]){ "try" }, (char[]){ "-f" }, (char[]){ "a" },
		(char[]){ "--header=x: y=z" }, (char[]){ "-H" },
		(char[]){ "second" }, (char[]){ "--json" },
		(char[]){ "operand" }, NULL };

	ck_assert_int_eq(args_read(&args, &command, 8, argv), CMD_OK);
	ck_assert_str_eq(args_value(&args, "--file", 0), "a");
	ck_assert_str_eq(args_value(&args, "--header", 0), "x: y=z");
	ck_assert_str_eq(args_value(&args, "--header", 1), "second");
	ck_assert_ptr_null(args_value(&args, "--header", 2));
	ck_assert_ptr_nonnull(args_value(&args, "--json", 0));
	ck_assert_str_eq(args_operand(&args, 0), "operand");
	ck_assert_ptr_null(args_operand(&args, 1));
}
END_TEST

START_TEST(behind_two_dashes_everything_is_an_operand)
{
	ck_assert_int_eq(try("--", "--json", "-x", NULL), CMD_OK);
	ck_assert_str_eq(args_operand(&args, 0), "--json");
	ck_assert_str_eq(args_operand(&args, 1), "-x");
	ck_assert_ptr_null(args_value(&args, "--json", 0));
}
END_TEST

START_TEST(the_last_value_counts)
{
	ck_assert_int_eq(try("-f", "a", "--file", "b"), CMD_OK);
	ck_assert_str_eq(args_value(&args, "--file", 0), "b");
	ck_assert_ptr_null(args_value(&args, "--file", 1));
}
END_TEST

static const struct {
	const char *words[4];
} wrong[] = {
	{ { "-x" } },
	{ { "--fil", "a" } },
	{ { "-f" } },
	{ { "--file=" } },
	{ { "--json=yes" } },
	{ { "a", "b", "c" } },
};

START_TEST(what_is_wrong_is_a_usage_error)
{
	const char *const *w = wrong[_i].words;

	ck_assert_int_eq(try(w[0], w[1], w[2], w[3]), CMD_USAGE);
}
END_TEST

Suite *suite_cmd_args(void);

Suite *
suite_cmd_args(void)
{
	Suite *s = suite_create("cmd/args");
	TCase *t = tcase_create("args");

	tcase_add_test(t, values_follow_or_stand_behind_an_equals_sign);
	tcase_add_test(t, the_last_value_counts);
	tcase_add_test(t, behind_two_dashes_everything_is_an_operand);
	tcase_add_loop_test(t, what_is_wrong_is_a_usage_error, 0,
	    sizeof(wrong) / sizeof(wrong[0]));
	suite_add_tcase(s, t);
	return s;
}
