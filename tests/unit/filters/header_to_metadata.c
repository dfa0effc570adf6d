#include "config.h"

#include <check.h>

#include "tests/unit/fake_host.h"

extern const struct filter filter_header_to_metadata;

static struct exchange *
filter(const char *rule)
{
	char conf[1024];

	(void)snprintf(
	    conf, sizeof(conf), "stat_prefix: p\nrequest_rules:\n- %s\n", rule);
	return fake_new(&filter_header_to_metadata, conf);
}

static const char *
value(struct exchange *x, const char *ns)
{
	return host_metadata(x, str_of(ns), STR("k")).ptr;
}

static const struct {
	const char *rule, *name, *given; /* given NULL: no such header */
	const char *value; /* NULL: none is set */
} values[] = {
	{ "{header: X-A, on_header_present: {metadata_namespace: ns, key: k}}",
	    "x-a", "1", "1" },
	{ "{header: x-a, on_header_present: {metadata_namespace: ns, key: k}}",
	    "x-a", NULL, NULL },
	{ "{header: x-a, on_header_present: {metadata_namespace: ns, key: k, "
	  "value: v}}",
	    "x-a", "1", "v" },
	{ "{header: x-a, on_header_missing: {metadata_namespace: ns, key: k, "
	  "value: v}}",
	    "x-a", NULL, "v" },
	{ "{header: x-a, on_header_missing: {metadata_namespace: ns, key: k, "
	  "value: v}}",
	    "x-a", "1", NULL },
	{ "{header: x-a, on_header_present: {metadata_namespace: ns, key: k, "
	  "type: NUMBER}}",
	    "x-a", " 1.50 ", "1.5" },
	{ "{header: x-a, on_header_present: {metadata_namespace: ns, key: k, "
	  "type: NUMBER}}",
	    "x-a", "1.5x", NULL },
	{ "{header: x-a, on_header_present: {metadata_namespace: ns, key: k, "
	  "encode: BASE64}}",
	    "x-a", "aGk=", "hi" },
	{ "{header: x-a, on_header_present: {metadata_namespace: ns, key: k, "
	  "encode: BASE64}}",
	    "x-a", "aGk", "hi" },
	{ "{header: x-a, on_header_present: {metadata_namespace: ns, key: k, "
	  "encode: BASE64}}",
	    "x-a", "a", NULL },
	{ "{header: x-a, on_header_present: {metadata_namespace: ns, key: k, "
	  "encode: BASE64}}",
	    "x-a", "====", NULL },
	{ "{header: x-a, on_header_present: {metadata_namespace: ns, key: k, "
	  "regex_value_rewrite: {pattern: {regex: \"a(b+)\"}, substitution: "
	  "\"<\\\\1>\"}}}",
	    "x-a", "abbab-c", "<bb><b>-c" },
	{ "{header: x-a, on_header_present: {metadata_namespace: ns, key: k, "
	  "regex_value_rewrite: {pattern: {regex: \".*\"}}}}",
	    "x-a", "gone", NULL },
	{ "{cookie: c, on_header_present: {metadata_namespace: ns, key: k}}",
	    "cookie", "b=0; c=1; c=2", "1" },
	{ "{cookie: c, on_header_missing: {metadata_namespace: ns, key: k, "
	  "value: v}}",
	    "cookie", "c=", "v" },
	{ "{header: host, on_header_present: {metadata_namespace: ns, key: k}}",
	    "x-a", NULL, "test.example" },
};

START_TEST(a_rule_sets_what_it_says)
{
	struct exchange *x = filter(values[_i].rule);

	ck_assert_str_eq(x->setup_error, "");
	if (values[_i].given)
		fake_request(x, values[_i].name, values[_i].given);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	if (values[_i].value)
		ck_assert_pstr_eq(value(x, "ns"), values[_i].value);
	else
		ck_assert_ptr_null(value(x, "ns"));
	fake_free(x);
}
END_TEST

START_TEST(a_header_may_be_removed_and_the_namespace_left_out)
{
	struct exchange *x =
	    filter("{header: x-a, remove: true, on_header_present: {key: k}}");

	fake_request(x, "x-a", "1");
	fake_request(x, "x-a", "2");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_ptr_null(fake_request_header(x, "x-a"));
	ck_assert_str_eq(
	    value(x, "envoy.filters.http.header_to_metadata"), "1,2");
	fake_free(x);
}
END_TEST

START_TEST(what_is_too_long_is_left_out)
{
	struct exchange *x = filter(
	    "{header: x-a, on_header_present: {metadata_namespace: ns, key: k}}");
	static char text[8193];

	memset(text, 'a', 8192);
	fake_request(x, "x-a", text);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_ptr_null(value(x, "ns"));
	ck_assert_uint_eq(
	    fake_count(x, "http_filter_name.p.header_value_too_long"), 1);
	fake_next_request(x);
	text[8191] = '\0';
	fake_request(x, "x-a", text);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_ptr_nonnull(value(x, "ns"));
	fake_free(x);
}
END_TEST

START_TEST(responses_have_rules_of_their_own)
{
	struct exchange *x =
	    fake_new_with_route(&filter_header_to_metadata, "{}",
		"response_rules: [{header: \":status\", on_header_present: "
		"{metadata_namespace: ns, key: k}}]");

	ck_assert_str_eq(x->setup_error, "");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_ptr_null(value(x, "ns"));
	fake_response(x, 418);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_str_eq(value(x, "ns"), "418");
	fake_free(x);
}
END_TEST

static const char *const mistakes[] = {
	"{on_header_present: {key: k}}",
	"{header: a, cookie: b, on_header_present: {key: k}}",
	"{header: a}",
	"{header: a, on_header_present: {}}",
	"{header: a, on_header_present: {key: k, value: v, "
	"regex_value_rewrite: {pattern: {regex: a}}}}",
	"{header: a, on_header_missing: {key: k}}",
	"{cookie: a, remove: true, on_header_present: {key: k}}",
	"{header: a, on_header_present: {key: k, type: PROTOBUF_VALUE}}",
	"{header: a, on_header_present: {key: k, regex_value_rewrite: "
	"{pattern: {regex: \"(\"}}}}",
	"{header: a, on_header_present: {key: k, regex_value_rewrite: "
	"{pattern: {regex: \"a\"}, substitution: '\\1'}}}",
};

START_TEST(mistakes_are_refused)
{
	struct exchange *x = filter(mistakes[_i]);

	ck_assert_msg(x->setup_error[0], "accepted: %s", mistakes[_i]);
	fake_free(x);
}
END_TEST

START_TEST(a_route_without_rules_is_refused)
{
	struct exchange *x =
	    fake_new_with_route(&filter_header_to_metadata, "{}", "{}");

	ck_assert_ptr_nonnull(strstr(x->setup_error, "must at least specify"));
	fake_free(x);
}
END_TEST

Suite *suite_filters_header_to_metadata(void);

Suite *
suite_filters_header_to_metadata(void)
{
	Suite *s = suite_create("filters/header_to_metadata");
	TCase *t = tcase_create("header_to_metadata");

	tcase_add_loop_test(
	    t, a_rule_sets_what_it_says, 0, sizeof(values) / sizeof(values[0]));
	tcase_add_test(t, a_header_may_be_removed_and_the_namespace_left_out);
	tcase_add_test(t, what_is_too_long_is_left_out);
	tcase_add_test(t, responses_have_rules_of_their_own);
	tcase_add_loop_test(
	    t, mistakes_are_refused, 0, sizeof(mistakes) / sizeof(mistakes[0]));
	tcase_add_test(t, a_route_without_rules_is_refused);
	suite_add_tcase(s, t);
	return s;
}
