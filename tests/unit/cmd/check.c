#include "config.h"

#include <check.h>
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
	ck_assert(strstr(run.out, "/tmp/sallyport-run-") == run.out);
	ck_assert_ptr_nonnull(strstr(run.out, ": OK\n"));
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
	ck_assert_str_eq(run.err, "usage: sallyport check FILE\n");
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
	suite_add_tcase(s, t);
	return s;
}
