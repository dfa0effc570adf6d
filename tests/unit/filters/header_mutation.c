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
	{ ADD("x-a", "''", "OVERWRITE_IF_EXISTS"), "1|2", "" },
	{ "{append: {header: {key: x-a}, keep_empty_value: true}}", "1|2|",
	    "" },
	{ "{append: {header: {key: x-a}, keep_empty_value: true, "
	  "append_action: OVERWRITE_IF_EXISTS}}",
	    "", "" },
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

static const struct {
	const char *mutation, *before, *after;
} queries[] = {
	{ "{remove: a}", "/p?a=1&b=2&%61=3", "/p?b=2" },
	{ "{remove: a}", "/p?a=1", "/p" },
	{ "{remove: a}", "/p?b=%26&a", "/p?b=%26" },
	{ "{append: {record: {key: a, value: \"x y&\"}}}", "/",
	    "/?a=x%20y%26" },
	{ "{append: {record: {key: b, value: z}}}", "/p?c&b=1&a=2",
	    "/p?a=2&b=1&b=z&c=" },
	{ "{append: {action: ADD_IF_ABSENT, record: {key: b, value: z}}}",
	    "/p?b=1", "/p?b=1" },
	{ "{append: {action: ADD_IF_ABSENT, record: {key: b, value: z}}}", "/p",
	    "/p?b=z" },
	{ "{append: {action: OVERWRITE_IF_EXISTS, record: {key: b, value: "
	  "z}}}",
	    "/p?b=1&b=2", "/p?b=z" },
	{ "{append: {action: OVERWRITE_IF_EXISTS, record: {key: b, value: "
	  "z}}}",
	    "/p?a", "/p?a=" },
	{ "{append: {action: OVERWRITE_IF_EXISTS_OR_ADD, record: {key: b, "
	  "value: z}}}",
	    "/p", "/p?b=z" },
	{ "{append: {record: {key: \"a b=&\", value: \"\"}}}", "/",
	    "/?a%20b%3D%26=" },
};

START_TEST(queries_are_changed)
{
	configure("query_parameter_mutations", queries[_i].mutation);
	ck_assert_msg(!x->setup_error[0], "%s", x->setup_error);
	fake_request(x, ":path", queries[_i].before);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_str_eq(fake_request_header(x, ":path"), queries[_i].after);
}
END_TEST

static const char *const bad_queries[] = {
	"{}",
	"{remove: a, append: {record: {key: a, value: b}}}",
	"{append: {}}",
	"{append: {record: {key: a}}}",
	"{append: {record: {key: a, value: 5}}}",
	"{append: {record: {key: \"\", value: b}}}",
	"{append: {entry: {key: a, value: eA==}}}",
};

START_TEST(what_is_no_change_of_a_query_is_refused)
{
	configure("query_parameter_mutations", bad_queries[_i]);
	ck_assert_msg(x->setup_error[0], "accepted: %s", bad_queries[_i]);
}
END_TEST

#define MARK(value)                                                                  \
	"mutations: {request_mutations: [{append: {header: {key: x-a, value: " value \
	"}}}]}"

START_TEST(all_levels_are_applied_in_the_order_that_is_configured)
{
	for (int reversed = 0; reversed < 2; reversed++) {
		x = fake_new(&filter_header_mutation,
		    reversed
			? "most_specific_header_mutations_wins: true\n" MARK(
			      "filter")
			: MARK("filter"));
		fake_level(x, HOST_LEVEL_GLOBAL, MARK("global"));
		fake_level(x, HOST_LEVEL_VHOST, MARK("vhost"));
		fake_level(x, HOST_LEVEL_ROUTE, MARK("route"));
		ck_assert_msg(!x->setup_error[0], "%s", x->setup_error);
		ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
		ck_assert(str_eq(all(HOST_REQUEST, "x-a"),
		    reversed ? STR("filter|global|vhost|route")
			     : STR("filter|route|vhost|global")));
		if (!reversed)
			fake_free(x);
	}
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
	tcase_add_loop_test(t, queries_are_changed, 0, N(queries));
	tcase_add_loop_test(
	    t, what_is_no_change_of_a_query_is_refused, 0, N(bad_queries));
	tcase_add_test(
	    t, all_levels_are_applied_in_the_order_that_is_configured);
	tcase_add_test(t, the_routes_changes_come_behind_the_filters);
	tcase_add_loop_test(t, what_must_not_be_changed_is_refused, 0, N(bad));
	suite_add_tcase(s, t);
	return s;
}
