#include "config.h"

#include <check.h>

#include "tests/unit/fake_host.h"

extern const struct filter filter_set_metadata;

static const char conf[] =
    "metadata:\n"
    "- {metadata_namespace: ns, value: {a: 1, b: \"two\"}}\n"
    "- {metadata_namespace: ns, value: {a: 2}}\n"
    "- {metadata_namespace: ns, allow_overwrite: true, value: {a: 3}}\n"
    "- {metadata_namespace: empty}\n";

START_TEST(a_namespace_is_set_once_unless_it_may_be_merged)
{
	struct exchange *x = fake_new(&filter_set_metadata, conf);

	ck_assert_str_eq(x->setup_error, "");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	/* The fake keeps a replaced namespace under "", a merged one under "+". */
	ck_assert(str_eq(host_metadata(x, STR("ns"), STR("")),
	    STR("{\"a\":1,\"b\":\"two\"}")));
	ck_assert(
	    str_eq(host_metadata(x, STR("ns"), STR("+")), STR("{\"a\":3}")));
	ck_assert(str_eq(host_metadata(x, STR("empty"), STR("")), STR("{}")));
	ck_assert_uint_eq(fake_count(x, "set_metadata.overwrite_denied"), 1);
	fake_free(x);
}
END_TEST

START_TEST(the_route_comes_behind_the_filter)
{
	struct exchange *x = fake_new_with_route(&filter_set_metadata,
	    "metadata: [{metadata_namespace: ns, value: {a: 1}}]",
	    "metadata: [{metadata_namespace: ns, allow_overwrite: true, value: "
	    "{a: 2}}]");

	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert(
	    str_eq(host_metadata(x, STR("ns"), STR("")), STR("{\"a\":1}")));
	ck_assert(
	    str_eq(host_metadata(x, STR("ns"), STR("+")), STR("{\"a\":2}")));
	fake_free(x);
}
END_TEST

START_TEST(the_old_way_of_writing_comes_first)
{
	struct exchange *x = fake_new(&filter_set_metadata,
	    "metadata_namespace: ns\n"
	    "value: {a: 1}\n"
	    "metadata: [{metadata_namespace: ns, value: {a: 2}}]\n");

	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert(
	    str_eq(host_metadata(x, STR("ns"), STR("")), STR("{\"a\":1}")));
	ck_assert_uint_eq(fake_count(x, "set_metadata.overwrite_denied"), 1);
	fake_free(x);
}
END_TEST

static const char *const mistakes[] = {
	"metadata: [{value: {a: 1}}]",
	"metadata: [{metadata_namespace: \"\", value: {a: 1}}]",
	"metadata: [{metadata_namespace: ns, value: [1]}]",
	"metadata: [{metadata_namespace: ns, typed_value: {\"@type\": x/y}}]",
	"metadata: [{metadata_namespace: ns, values: {}}]",
};

START_TEST(mistakes_are_refused)
{
	struct exchange *x = fake_new(&filter_set_metadata, mistakes[_i]);

	ck_assert_msg(x->setup_error[0], "accepted: %s", mistakes[_i]);
	fake_free(x);
}
END_TEST

Suite *suite_filters_set_metadata(void);

Suite *
suite_filters_set_metadata(void)
{
	Suite *s = suite_create("filters/set_metadata");
	TCase *t = tcase_create("set_metadata");

	tcase_add_test(t, a_namespace_is_set_once_unless_it_may_be_merged);
	tcase_add_test(t, the_route_comes_behind_the_filter);
	tcase_add_test(t, the_old_way_of_writing_comes_first);
	tcase_add_loop_test(
	    t, mistakes_are_refused, 0, sizeof(mistakes) / sizeof(mistakes[0]));
	suite_add_tcase(s, t);
	return s;
}
