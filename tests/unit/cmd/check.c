#include "config.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "tests/unit/cmd/run.h"

static struct run run;

static const char sound[] =
    "static_resources:\n"
    "  listeners:\n"
    "  - address: {pipe: {path: /s}}\n"
    "    filter_chains:\n"
    "    - filters:\n"
    "      - name: h\n"
    "        typed_config:\n"
    "          \"@type\": type.googleapis.com/envoy.extensions.filters."
    "network.http_connection_manager.v3.HttpConnectionManager\n"
    "          stat_prefix: s\n"
    "          http_filters: [{name: r, typed_config: {\"@type\": "
    "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    "}}]\n"
    "          route_config: {virtual_hosts: []}\n";

START_TEST(a_sound_file_is_ok)
{
	run_command(&run, cmd_check, sound);
	ck_assert_str_eq(run.err, "");
	ck_assert_int_eq(run.status, CMD_OK);
	ck_assert_ptr_nonnull(
	    strstr(run.out, "configuration '/tmp/sallyport-run-"));
	ck_assert_ptr_nonnull(strstr(run.out, "' OK\n"));
}
END_TEST

START_TEST(all_problems_are_printed_with_their_place)
{
	run_command(&run, cmd_check, "routes: 5\nlisten: x\n");
	ck_assert_int_eq(run.status, CMD_CONFIG);
	ck_assert_str_eq(run.out, "");
	ck_assert_ptr_nonnull(strstr(run.err, ":1:9: error: routes: "));
	ck_assert_ptr_nonnull(strstr(run.err, ":2:9: error: listen: "));
}
END_TEST

/* Its limit would silently not be applied. */
START_TEST(a_route_configuration_of_another_module_filter_is_refused)
{
	static struct run expanded;
	char *at;

	run_command(&expanded, cmd_expand,
	    "routes: [{path: /a, backend: http://h, rate_limit: 1/s}]\n");
	ck_assert_int_eq(expanded.status, CMD_OK);
	run_command(&run, cmd_check, expanded.out);
	ck_assert_int_eq(run.status, CMD_OK);
	at = strstr(expanded.out, "typed_per_filter_config:");
	ck_assert_ptr_nonnull(at);
	at = strstr(at, "filter_name: sallyport.rate_limit");
	ck_assert_ptr_nonnull(at);
	memcpy(at, "filter_name: sallyport.location  ", 33);
	run_command(&run, cmd_check, expanded.out);
	ck_assert_int_eq(run.status, CMD_CONFIG);
	ck_assert_ptr_nonnull(strstr(run.err,
	    "the filter of this name is sallyport.rate_limit, not "
	    "sallyport.location"));
}
END_TEST

START_TEST(without_a_file_the_usage_is_printed)
{
	run_command(&run, cmd_check, NULL);
	ck_assert_int_eq(run.status, CMD_USAGE);
	ck_assert_str_eq(run.err, "sallyport check: missing: FILE\n"
				  "usage: sallyport check [--format text|json] "
				  "[--allow-unknown-static-fields] FILE\n");
}
END_TEST

static const char *const json[] = { "--format", "json", NULL };

START_TEST(tools_are_told_in_json)
{
	run_command_with(&run, cmd_check, json, "routes: 5\nlisten: x\n");
	ck_assert_int_eq(run.status, CMD_CONFIG);
	ck_assert_str_eq(run.err, "");
	ck_assert_ptr_nonnull(
	    strstr(run.out, "[{\"file\": \"/tmp/sallyport-run-"));
	ck_assert_ptr_nonnull(
	    strstr(run.out, ", \"line\": 1, \"column\": 9, "));
	ck_assert_ptr_nonnull(strstr(run.out,
	    ", \"path\": \"listen\", \"severity\": \"error\", \"message\": "));
	ck_assert_ptr_nonnull(strstr(run.out, "\"hint\": "));
}
END_TEST

START_TEST(to_tools_a_sound_file_is_an_empty_list)
{
	run_command_with(&run, cmd_check, json, sound);
	ck_assert_int_eq(run.status, CMD_OK);
	ck_assert_str_eq(run.out, "[]\n");
	ck_assert_str_eq(run.err, "");
}
END_TEST

START_TEST(unknown_fields_may_be_allowed)
{
	static const char *const lenient[] = { "--format=text",
		"--allow-unknown-static-fields", NULL };
	struct run strict;
	char text[sizeof(sound) + 32];

	(void)snprintf(text, sizeof(text), "%snew_field: {a: 1}\n", sound);
	run_command(&strict, cmd_check, text);
	ck_assert_int_eq(strict.status, CMD_CONFIG);
	ck_assert_ptr_nonnull(strstr(strict.err, "no such field: 'new_field'"));
	run_command_with(&run, cmd_check, lenient, text);
	ck_assert_int_eq(run.status, CMD_OK);
	ck_assert_ptr_nonnull(strstr(run.err, ": warning: Protobuf message"));
	ck_assert_ptr_nonnull(strstr(run.out, "' OK\n"));
}
END_TEST

static const struct {
	const char *options[3];
} wrong[] = {
	{ { "--format", "xml" } },
	{ { "--format=" } },
	{ { "-x" } },
	{ { "another-file" } },
};

START_TEST(wrong_options_are_usage_errors)
{
	run_command_with(&run, cmd_check, wrong[_i].options, sound);
	ck_assert_int_eq(run.status, CMD_USAGE);
}
END_TEST

Suite *suite_cmd_check(void);

Suite *
suite_cmd_check(void)
{
	Suite *s = suite_create("cmd/check");
	TCase *t = tcase_create("check");

	tcase_add_test(t, a_sound_file_is_ok);
	tcase_add_test(t, all_problems_are_printed_with_their_place);
	tcase_add_test(
	    t, a_route_configuration_of_another_module_filter_is_refused);
	tcase_add_test(t, without_a_file_the_usage_is_printed);
	tcase_add_test(t, tools_are_told_in_json);
	tcase_add_test(t, to_tools_a_sound_file_is_an_empty_list);
	tcase_add_test(t, unknown_fields_may_be_allowed);
	tcase_add_loop_test(t, wrong_options_are_usage_errors, 0,
	    sizeof(wrong) / sizeof(wrong[0]));
	suite_add_tcase(s, t);
	return s;
}
