#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "tests/unit/cmd/run.h"

#define ROUTE "routes: [{path: /a, backend: http://h}]\n"

static struct run run;

START_TEST(the_long_form_is_printed)
{
	run_command(&run, cmd_expand, ROUTE);
	ck_assert_str_eq(run.err, "");
	ck_assert_int_eq(run.status, CMD_OK);
	ck_assert(strstr(run.out, "static_resources:\n") == run.out);
	ck_assert_ptr_nonnull(strstr(run.out, "path_separated_prefix: /a\n"));
}
END_TEST

START_TEST(secrets_are_announced_in_the_first_line)
{
	ck_assert_int_eq(setenv("SALLYPORT_TEST_TOKEN", "hidden", 1), 0);
	run_command(&run, cmd_expand,
	    ROUTE "transforms: {request: [{set: x-token, value: {env: "
		  "SALLYPORT_TEST_TOKEN}}]}\n");
	ck_assert_int_eq(run.status, CMD_OK);
	ck_assert(strstr(run.out, "# This text contains secrets in clear.\n") ==
		  run.out);
	ck_assert_ptr_nonnull(strstr(run.out, "value: hidden\n"));
}
END_TEST

START_TEST(the_expansion_expands_to_itself)
{
	static struct run again;

	run_command(&run, cmd_expand, ROUTE);
	run_command(&again, cmd_expand, run.out);
	ck_assert_str_eq(again.err, "");
	ck_assert_str_eq(again.out, run.out);
}
END_TEST

START_TEST(nothing_is_printed_of_a_file_with_errors)
{
	run_command(&run, cmd_expand, ROUTE "breakr: {}\n");
	ck_assert_int_eq(run.status, CMD_CONFIG);
	ck_assert_str_eq(run.out, "");
	ck_assert_ptr_nonnull(strstr(run.err, "did you mean `breaker`?"));
	run_command(&run, cmd_expand, NULL);
	ck_assert_int_eq(run.status, CMD_USAGE);
}
END_TEST

Suite *suite_cmd_expand(void);

Suite *
suite_cmd_expand(void)
{
	Suite *s = suite_create("cmd/expand");
	TCase *t = tcase_create("expand");

	tcase_add_test(t, the_long_form_is_printed);
	tcase_add_test(t, secrets_are_announced_in_the_first_line);
	tcase_add_test(t, the_expansion_expands_to_itself);
	tcase_add_test(t, nothing_is_printed_of_a_file_with_errors);
	suite_add_tcase(s, t);
	return s;
}
