#include "config.h"

#include <check.h>

#include "tests/unit/fake_host.h"

extern const struct filter filter_header_mutation;

static struct exchange *x;

static void
setup(void)
{
	x = NULL;
}

static void
teardown(void)
{
	if (x)
		fake_free(x);
}

/* All fields of that name as "a|b". */
static struct str
all(enum host_map map, const char *name)
{
	struct str text = STR(""), value;

	for (size_t i = 0; (value = host_header(x, map, str_of(name), i)).ptr;
	     i++)
		text = arena_printf(x->arena, STR_FMT "%s" STR_FMT,
		    STR_ARG(text), i ? "|" : "", STR_ARG(value));
	return text;
}

#define ADD(key, value, action)                                                \
	"{append: {header: {key: " key ", value: " value                       \
	"}, append_action: " action "}}"

static const struct {
	const char *mutations, *x_a, *x_b; /* from x-a: 1|2 and no x-b */
} cases[] = {
	{ "{remove: x-a}", "", "" },
	{ "{remove: X-A}", "", "" },
	{ "{remove: x-none}", "1|2", "" },
	{ "{append: {header: {key: x-a, value: '3'}}}", "1|2|3", "" },
	{ ADD("X-A", "z", "APPEND_IF_EXISTS_OR_ADD"), "1|2|z", "" },
	{ ADD("x-b", "z", "APPEND_IF_EXISTS_OR_ADD"), "1|2", "z" },
	{ ADD("x-a", "z", "ADD_IF_ABSENT"), "1|2", "" },
	{ ADD("x-b", "z", "ADD_IF_ABSENT"), "1|2", "z" },
	{ ADD("x-a", "z", "OVERWRITE_IF_EXISTS_OR_ADD"), "z", "" },
	{ ADD("x-b", "z", "OVERWRITE_IF_EXISTS_OR_ADD"), "1|2", "z" },
	{ ADD("x-a", "z", "OVERWRITE_IF_EXISTS"), "z", "" },
	{ ADD("x-b", "z", "OVERWRITE_IF_EXISTS"), "1|2", "" },
	{ "{remove: x-a}, " ADD("x-a", "z", "ADD_IF_ABSENT"), "z", "" },
	{ ADD("x-a", "z", "ADD_IF_ABSENT") ", {remove: x-a}", "", "" },
	{ ADD("x-b", "w", "ADD_IF_ABSENT") ", " ADD(
	      "x-b", "z", "OVERWRITE_IF_EXISTS"),
	    "1|2", "z" },
	{ ADD("x-b", "''", "ADD_IF_ABSENT"), "1|2", "" },
	{ "{remove_on_match: {key_matcher: {prefix: x-}}}", "", "" },
	{ "{remove_on_match: {key_matcher: {exact: x-b}}}", "1|2", "" },
	{ "{remove_on_match: {key_matcher: {safe_regex: {regex: '.*'}}}}", "",
	    "" },
};

static void
configure(const char *side, const char *mutations)
{
	char yaml[512];

	(void)snprintf(
	    yaml, sizeof(yaml), "mutations: {%s: [%s]}", side, mutations);
	x = fake_new(&filter_header_mutation, yaml);
}

START_TEST(requests_are_changed_in_order)
{
	configure("request_mutations", cases[_i].mutations);
	ck_assert_msg(!x->setup_error[0], "%s", x->setup_error);
	fake_request(x, "x-a", "1");
	fake_request(x, "x-a", "2");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert(str_eq(all(HOST_REQUEST, "x-a"), str_of(cases[_i].x_a)));
	ck_assert(str_eq(all(HOST_REQUEST, "x-b"), str_of(cases[_i].x_b)));
	ck_assert_str_eq(fake_request_header(x, ":authority"), "test.example");
	ck_assert_str_eq(fake_request_header(x, ":method"), "GET");
}
END_TEST

START_TEST(responses_are_changed_in_order)
{
	configure("response_mutations", cases[_i].mutations);
	ck_assert_msg(!x->setup_error[0], "%s", x->setup_error);
	fake_request(x, "x-a", "request");
	fake_response(x, 200);
	fake_response_header(x, "x-a", "1");
	fake_response_header(x, "x-a", "2");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert(str_eq(all(HOST_RESPONSE, "x-a"), str_of(cases[_i].x_a)));
	ck_assert(str_eq(all(HOST_RESPONSE, "x-b"), str_of(cases[_i].x_b)));
	ck_assert_str_eq(fake_request_header(x, "x-a"), "request");
	ck_assert_str_eq(fake_response_header_value(x, ":status"), "200");
}
END_TEST

START_TEST(the_routes_changes_come_behind_the_filters)
{
	x = fake_new_with_route(&filter_header_mutation,
	    "mutations: {request_mutations: ["
	    "{append: {header: {key: x-a, value: filter}}}]}",
	    "mutations: {request_mutations: ["
	    "{append: {header: {key: x-a, value: route}}}], "
	    "response_mutations: [{remove: server}]}");
	ck_assert_msg(!x->setup_error[0], "%s", x->setup_error);
	fake_response(x, 200);
	fake_response_header(x, "server", "s");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert(str_eq(all(HOST_REQUEST, "x-a"), STR("filter|route")));
	ck_assert_ptr_null(fake_response_header_value(x, "server"));
}
END_TEST

static const struct {
	const char *mutations, *why;
} bad[] = {
	{ "{remove: ':path'}",
	    ":-prefixed or host headers may not be removed" },
	{ "{remove: Host}", ":-prefixed or host headers may not be removed" },
	{ "{append: {header: {key: ':path', value: a}}}",
	    ":-prefixed or host headers may not be modified" },
	{ "{append: {header: {key: host, value: a}}}",
	    ":-prefixed or host headers may not be modified" },
	{ "{append: {header: {key: 'a b', value: a}}}", "no header name" },
	{ "{append: {header: {key: a, value: ''}, keep_empty_value: true}}",
	    "keep_empty_value" },
	{ "{remove_on_match: {key_matcher: {safe_regex: {regex: 'a++'}}}}",
	    "possessive" },
	{ "{}", "required" },
	{ "{remove: a, remove_on_match: {key_matcher: {exact: b}}}", "remove" },
};

START_TEST(what_must_not_be_changed_is_refused)
{
	configure("request_mutations", bad[_i].mutations);
	ck_assert_msg(strstr(x->setup_error, bad[_i].why), "%s: %s",
	    bad[_i].mutations, x->setup_error);
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_filters_header_mutation(void);

Suite *
suite_filters_header_mutation(void)
{
	Suite *s = suite_create("filters/header_mutation");
	TCase *t = tcase_create("header_mutation");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, requests_are_changed_in_order, 0, N(cases));
	tcase_add_loop_test(t, responses_are_changed_in_order, 0, N(cases));
	tcase_add_test(t, the_routes_changes_come_behind_the_filters);
	tcase_add_loop_test(t, what_must_not_be_changed_is_refused, 0, N(bad));
	suite_add_tcase(s, t);
	return s;
}
