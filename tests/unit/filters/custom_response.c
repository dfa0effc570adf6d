#include "config.h"

#include <check.h>

#include "tests/unit/fake_host.h"

extern const struct filter filter_custom_response;

#define INPUT(type, rest)                                                      \
	"{name: i, typed_config: {\"@type\": "                                 \
	"type.googleapis.com/envoy.type.matcher.v3." type rest "}}"
#define STATUS INPUT("HttpResponseStatusCodeMatchInput", "")
#define CLASS  INPUT("HttpResponseStatusCodeClassMatchInput", "")
#define LOCAL  INPUT("HttpResponseLocalReplyMatchInput", "")
#define ASKED  INPUT("HttpRequestHeaderMatchInput", ", header_name: X-Ask")
#define TOLD   INPUT("HttpResponseHeaderMatchInput", ", header_name: x-tell")
#define QUERY  INPUT("HttpRequestQueryParamMatchInput", ", query_param: q")

#define POLICY(fields)                                                         \
	"{action: {name: a, typed_config: {\"@type\": "                        \
	"type.googleapis.com/envoy.extensions.http.custom_response."           \
	"local_response_policy.v3.LocalResponsePolicy, " fields "}}}"

#define SINGLE(input, match)                                                   \
	"{single_predicate: {input: " input ", value_match: {" match "}}}"
#define LIST(...)                                                              \
	"custom_response_matcher: {matcher_list: {matchers: [" __VA_ARGS__ "]}}"
#define LINE(predicate, on_match)                                              \
	"{predicate: " predicate ", on_match: " on_match "}"

static struct exchange *
respond(const char *conf, unsigned status)
{
	struct exchange *x = fake_new(&filter_custom_response, conf);

	ck_assert_str_eq(x->setup_error, "");
	fake_request(x, ":path", "/p?q=1");
	fake_request(x, "x-ask", "1");
	fake_request(x, "x-ask", "2");
	fake_response(x, status);
	fake_response_header(x, "x-tell", "abc");
	return x;
}

static const struct {
	const char *predicate;
	bool holds; /* for 404 from the backend */
} predicates[] = {
	{ SINGLE(STATUS, "exact: \"404\""), true },
	{ SINGLE(STATUS, "exact: \"40\""), false },
	{ SINGLE(CLASS, "exact: 4xx"), true },
	{ SINGLE(CLASS, "exact: 5xx"), false },
	{ SINGLE(LOCAL, "exact: \"false\""), true },
	{ SINGLE(LOCAL, "exact: \"true\""), false },
	{ SINGLE(ASKED, "exact: \"1,2\""), true },
	{ SINGLE(ASKED, "exact: \"1\""), false },
	{ SINGLE(TOLD, "contains: B, ignore_case: true"), true },
	{ SINGLE(QUERY, "exact: \"1\""), true },
	{ SINGLE(STATUS, "safe_regex: {google_re2: {}, regex: \"4..\"}"),
	    true },
	{ "{not_matcher: " SINGLE(CLASS, "exact: 4xx") "}", false },
	{ "{not_matcher: " SINGLE(CLASS, "exact: 2xx") "}", true },
	{ "{and_matcher: {predicate: [" SINGLE(CLASS, "exact: 4xx") ", " SINGLE(
	      QUERY, "exact: \"1\"") "]}}",
	    true },
	{ "{and_matcher: {predicate: [" SINGLE(CLASS, "exact: 4xx") ", " SINGLE(
	      QUERY, "exact: \"2\"") "]}}",
	    false },
	{ "{or_matcher: {predicate: [" SINGLE(CLASS, "exact: 5xx") ", " SINGLE(
	      QUERY, "exact: \"1\"") "]}}",
	    true },
	{ "{or_matcher: {predicate: [" SINGLE(CLASS, "exact: 5xx") ", " SINGLE(
	      QUERY, "exact: \"2\"") "]}}",
	    false },
};

START_TEST(a_predicate_chooses_responses)
{
	char conf[4096];
	struct exchange *x;

	(void)snprintf(conf, sizeof(conf), LIST(LINE("%s", "%s")),
	    predicates[_i].predicate, POLICY("status_code: 499"));
	x = respond(conf, 404);
	ck_assert_int_eq(fake_run_response(x),
	    predicates[_i].holds ? FILTER_REPLY : FILTER_NEXT);
	if (predicates[_i].holds)
		ck_assert_uint_eq(x->reply.status, 499);
	fake_free(x);
}
END_TEST

#define TREE(kind, input, map)                                                 \
	"{matcher_tree: {input: " input ", " kind ": {map: {" map              \
	"}}}, on_no_match: " POLICY("status_code: 477") "}"

static const struct {
	const char *matcher;
	unsigned status; /* for 404 with x-tell: abc */
} trees[] = {
	{ TREE("exact_match_map", STATUS,
	      "\"404\": " POLICY("status_code: 410")),
	    410 },
	{ TREE(
	      "exact_match_map", STATUS, "\"40\": " POLICY("status_code: 410")),
	    477 },
	{ TREE("prefix_match_map", TOLD,
	      "a: " POLICY("status_code: 410") ", ab: " POLICY(
		  "status_code: 411") ", abcd: " POLICY("status_code: 412")),
	    411 },
	{ TREE("prefix_match_map", TOLD,
	      "a: " POLICY("status_code: 410") ", ab: {matcher: {}}"),
	    410 },
	{ TREE("prefix_match_map", TOLD, "b: " POLICY("status_code: 410")),
	    477 },
	{ "{matcher_list: {matchers: [" LINE(SINGLE(CLASS, "exact: 4xx"),
	      "{matcher: " TREE("exact_match_map", STATUS,
		  "\"404\": " POLICY("status_code: 410")) "}") "]}}",
	    410 },
};

START_TEST(a_tree_chooses_by_value)
{
	char conf[8192];
	struct exchange *x;

	(void)snprintf(conf, sizeof(conf), "custom_response_matcher: %s",
	    trees[_i].matcher);
	x = respond(conf, 404);
	ck_assert_int_eq(fake_run_response(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, trees[_i].status);
	fake_free(x);
}
END_TEST

START_TEST(an_answer_has_what_the_policy_says)
{
	struct exchange *x = respond(
	    LIST(LINE(SINGLE(CLASS, "exact: 4xx"),
		POLICY("body: {inline_string: sorry}, body_format: "
		       "{text_format: \"text: \"}, response_headers_to_add: "
		       "[{header: {key: X-A, value: a}}, {header: {key: x-a, "
		       "value: b}}], response_code_details: mine"))),
	    403);

	ck_assert_int_eq(fake_run_response(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 403);
	ck_assert(str_eq(x->reply.body, STR("text: sorry")));
	ck_assert(str_eq(x->reply.details, STR("mine")));
	ck_assert_uint_eq(x->reply_headers.n, 2);
	ck_assert_str_eq(fake_reply_header(x, "x-a"), "a");
	fake_free(x);
}
END_TEST

START_TEST(details_are_kept_or_dropped)
{
	struct exchange *x = respond(LIST(LINE(SINGLE(CLASS, "exact: 4xx"),
					 POLICY("preserve_response_code_details"
						": true"))),
	    403);

	ck_assert_int_eq(fake_run_response(x), FILTER_REPLY);
	ck_assert(str_eq(x->reply.details, STR("via_upstream")));
	fake_free(x);
	x = respond(
	    LIST(LINE(SINGLE(CLASS, "exact: 4xx"), POLICY("status_code: 404"))),
	    403);
	ck_assert_int_eq(fake_run_response(x), FILTER_REPLY);
	ck_assert(x->reply.details.ptr && !x->reply.details.len);
	fake_free(x);
}
END_TEST

START_TEST(the_nearest_level_that_has_an_answer_gives_it)
{
	struct exchange *x = respond(
	    LIST(LINE(SINGLE(CLASS, "exact: 4xx"), POLICY("status_code: 410"))),
	    404);

	fake_level(x, HOST_LEVEL_VHOST,
	    LIST(
		LINE(SINGLE(CLASS, "exact: 4xx"), POLICY("status_code: 411"))));
	fake_level(x, HOST_LEVEL_ROUTE,
	    LIST(
		LINE(SINGLE(CLASS, "exact: 5xx"), POLICY("status_code: 412"))));
	ck_assert_int_eq(fake_run_response(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 411);
	fake_free(x);
}
END_TEST

START_TEST(without_a_matcher_nothing_happens)
{
	struct exchange *x = respond("{}", 500);

	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	fake_free(x);
}
END_TEST

static const char *const mistakes[] = {
	LIST(LINE(
	    SINGLE(INPUT("HttpRequestTrailerMatchInput", ", header_name: x"),
		"exact: a"),
	    POLICY("status_code: 410"))),
	LIST(LINE(SINGLE(INPUT("HttpRequestHeaderMatchInput", ""), "exact: a"),
	    POLICY("status_code: 410"))),
	LIST(LINE(SINGLE(STATUS, "exact: a"), POLICY("status_code: 199"))),
	LIST(LINE(SINGLE(STATUS, "exact: a"), POLICY("status_code: 600"))),
	LIST(LINE(SINGLE(STATUS, "safe_regex: {regex: a}"),
	    POLICY("status_code: 410"))),
	LIST(LINE(SINGLE(STATUS, "safe_regex: {google_re2: {}, regex: \"(\"}"),
	    POLICY("status_code: 410"))),
	LIST(LINE(SINGLE(STATUS, "exact: a"),
	    POLICY("preserve_response_code_details: true, "
		   "response_code_details: x"))),
	LIST(LINE(SINGLE(STATUS, "exact: a"),
	    "{action: {name: a, typed_config: {\"@type\": "
	    "type.googleapis.com/envoy.extensions.http.custom_response."
	    "redirect_policy.v3.RedirectPolicy, uri: \"http://a/b\"}}}")),
	LIST(LINE(SINGLE(STATUS, "exact: a"),
	    "{action: {name: a, typed_config: {\"@type\": x/other}}}")),
	LIST(""),
	LIST(LINE("{or_matcher: {predicate: [" SINGLE(STATUS, "exact: a") "]}}",
	    POLICY("status_code: 410"))),
	"custom_response_matcher: {matcher_tree: {input: " STATUS "}}",
	"custom_response_matcher: {on_no_match: {}}",
};

START_TEST(mistakes_are_refused)
{
	struct exchange *x = fake_new(&filter_custom_response, mistakes[_i]);

	ck_assert_msg(x->setup_error[0], "accepted: %s", mistakes[_i]);
	fake_free(x);
}
END_TEST

Suite *suite_filters_custom_response(void);

Suite *
suite_filters_custom_response(void)
{
	Suite *s = suite_create("filters/custom_response");
	TCase *t = tcase_create("custom_response");

#define LOOP(test, table)                                                      \
	tcase_add_loop_test(t, test, 0, sizeof(table) / sizeof((table)[0]))
	LOOP(a_predicate_chooses_responses, predicates);
	LOOP(a_tree_chooses_by_value, trees);
	tcase_add_test(t, an_answer_has_what_the_policy_says);
	tcase_add_test(t, details_are_kept_or_dropped);
	tcase_add_test(t, the_nearest_level_that_has_an_answer_gives_it);
	tcase_add_test(t, without_a_matcher_nothing_happens);
	LOOP(mistakes_are_refused, mistakes);
#undef LOOP
	suite_add_tcase(s, t);
	return s;
}
