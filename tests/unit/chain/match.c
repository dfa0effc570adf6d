#include "config.h"

#include <check.h>

#include "chain/match.h"
#include "config/yaml.h"

extern const struct schema_message conf_header_matcher_message;
extern const struct schema_message conf_query_matcher_message;

static struct arena *arena;
static struct diag *diag;

static void
setup(void)
{
	arena = arena_new(4096);
	diag = diag_new(arena);
}

static void
teardown(void)
{
	arena_free(arena);
}

static void *
decode(const struct schema_message *message, const char *yaml)
{
	const struct node *node =
	    yaml_parse(arena, str_of(yaml), "test.yaml", diag);

	ck_assert_ptr_nonnull(node);
	return schema_decode(arena, diag, "", message, node);
}

static const struct {
	const char *matcher, *value;
	bool holds;
} strings[] = {
	{ "{exact: Ab}", "Ab", true },
	{ "{exact: Ab}", "ab", false },
	{ "{exact: Ab, ignore_case: true}", "aB", true },
	{ "{exact: ''}", "", true },
	{ "{exact: ''}", "a", false },
	{ "{prefix: Ab}", "Abc", true },
	{ "{prefix: Ab}", "A", false },
	{ "{prefix: Ab, ignore_case: true}", "aBc", true },
	{ "{suffix: Bc}", "aBc", true },
	{ "{suffix: Bc}", "c", false },
	{ "{suffix: Bc, ignore_case: true}", "abC", true },
	{ "{contains: B}", "aBc", true },
	{ "{contains: B}", "abc", false },
	{ "{contains: BC, ignore_case: true}", "abc", true },
	{ "{contains: BC, ignore_case: true}", "b", false },
	{ "{safe_regex: {regex: a+}}", "aa", true },
	{ "{safe_regex: {regex: a+}}", "aab", false },
};

START_TEST(a_string_matches_as_its_matcher_says)
{
	const struct string_match *m = string_match_build(arena,
	    decode(&conf_string_matcher_message, strings[_i].matcher), diag);

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(string_match_holds(m, str_of(strings[_i].value)),
	    strings[_i].holds);
}
END_TEST

static const struct {
	const char *matcher;
	const char *value; /* of x-a; NULL: it is missing */
	bool holds;
} headers[] = {
	{ "{name: X-A}", "1", true },
	{ "{name: x-a}", NULL, false },
	{ "{name: x-a, invert_match: true}", "1", false },
	{ "{name: x-a, invert_match: true}", NULL, true },
	{ "{name: x-a, present_match: false}", NULL, true },
	{ "{name: x-a, present_match: false}", "", false },
	{ "{name: x-a, present_match: true, "
	  "treat_missing_header_as_empty: true}",
	    NULL, true },
	{ "{name: x-a, string_match: {exact: b}, invert_match: true}", "a",
	    true },
	{ "{name: x-a, string_match: {exact: b}, invert_match: true}", NULL,
	    false },
	{ "{name: x-a, string_match: {exact: b}, invert_match: true, "
	  "treat_missing_header_as_empty: true}",
	    NULL, true },
	{ "{name: x-a, exact_match: b}", "b", true },
	{ "{name: x-a, exact_match: ''}", "any", true },
	{ "{name: x-a, exact_match: ''}", NULL, false },
	{ "{name: x-a, prefix_match: b}", "bc", true },
	{ "{name: x-a, suffix_match: b}", "ab", true },
	{ "{name: x-a, contains_match: b}", "abc", true },
	{ "{name: x-a, safe_regex_match: {regex: b*}}", "bb", true },
	{ "{name: x-a, range_match: {start: -5, end: 5}}", "-5", true },
	{ "{name: x-a, range_match: {start: -5, end: 5}}", "5", false },
	{ "{name: x-a, range_match: {start: -5, end: 5}}", " +4 ", true },
	{ "{name: x-a, range_match: {start: -5, end: 5}}", "0004", true },
	{ "{name: x-a, range_match: {start: -5, end: 5}}", "4.0", false },
	{ "{name: x-a, range_match: {start: -5, end: 5}}", "", false },
	{ "{name: x-a, range_match: {start: -5, end: 5}}",
	    "18446744073709551615", false },
	{ "{name: x-a, range_match: {start: '-9223372036854775808', end: 0}}",
	    "-9223372036854775808", true },
	{ "{name: x-a, range_match: {start: 0, end: 5}, invert_match: true}",
	    "no number", true },
	{ "{name: x-a, range_match: {start: 0, end: 5}, invert_match: true}",
	    NULL, false },
	{ "{name: host, string_match: {exact: h}}", NULL, true },
	{ "{name: ':path', string_match: {prefix: /p}}", NULL, true },
};

START_TEST(a_header_matches_as_its_matcher_says)
{
	struct headers h;
	const struct header_match *m = header_match_build(arena,
	    decode(&conf_header_matcher_message, headers[_i].matcher), diag);

	headers_init(&h, arena);
	headers_add(&h, STR(":authority"), STR("h"));
	headers_add(&h, STR(":path"), STR("/p?q"));
	if (headers[_i].value)
		headers_add(&h, STR("x-a"), str_of(headers[_i].value));
	ck_assert_ptr_nonnull(m);
	ck_assert_msg(header_match_holds(m, &h) == headers[_i].holds, "%s, %s",
	    headers[_i].matcher, headers[_i].value);
}
END_TEST

START_TEST(lines_of_a_header_are_compared_joined)
{
	struct headers h;
	const struct header_match *m = header_match_build(arena,
	    decode(&conf_header_matcher_message,
		"{name: x-a, string_match: {exact: '1,2'}}"),
	    diag);

	headers_init(&h, arena);
	headers_add(&h, STR("x-a"), STR("1"));
	ck_assert(!header_match_holds(m, &h));
	headers_add(&h, STR("x-a"), STR("2"));
	ck_assert(header_match_holds(m, &h));
}
END_TEST

static const struct {
	const char *matcher, *target;
	bool holds;
} queries[] = {
	{ "{name: a}", "/?a", true },
	{ "{name: a}", "/?b&a=1", true },
	{ "{name: a}", "/?aa", false },
	{ "{name: a}", "/a", false },
	{ "{name: a, present_match: false}", "/?b", true },
	{ "{name: a, string_match: {exact: '1'}}", "/?a=1&a=2", true },
	{ "{name: a, string_match: {exact: '2'}}", "/?a=1&a=2", false },
	{ "{name: a, string_match: {exact: '%31'}}", "/?a=%31", true },
	{ "{name: a, string_match: {exact: ''}}", "/?a", true },
	{ "{name: a, string_match: {exact: ''}}", "/?b", false },
	{ "{name: a, string_match: {exact: 'b=c'}}", "/?a=b=c", true },
	{ "{name: a, string_match: {exact: b}}", "/?&&a=b&&", true },
};

START_TEST(a_query_parameter_matches_by_its_first_value)
{
	const struct query_match *m = query_match_build(arena,
	    decode(&conf_query_matcher_message, queries[_i].matcher), diag);

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(query_match_holds(m, str_of(queries[_i].target)),
	    queries[_i].holds);
}
END_TEST

START_TEST(a_bad_expression_is_refused)
{
	ck_assert_ptr_null(header_match_build(arena,
	    decode(&conf_header_matcher_message,
		"{name: x-a, string_match: {safe_regex: {regex: '(?=a)'}}}"),
	    diag));
	ck_assert_uint_eq(diag_errors(diag), 1);
}
END_TEST

START_TEST(a_fraction_holds_for_its_share_of_numbers)
{
	const struct conf_runtime_fraction *f =
	    decode(&conf_runtime_fraction_message,
		"{default_value: {numerator: 30, denominator: HUNDRED}}");
	unsigned n = 0;

	for (uint64_t i = 0; i < 1000; i++)
		n += match_fraction(f, i, false);
	ck_assert_uint_eq(n, 300);
	ck_assert(match_fraction(NULL, 0, true));
	ck_assert(!match_fraction(NULL, 0, false));
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_chain_match(void);

Suite *
suite_chain_match(void)
{
	Suite *s = suite_create("chain/match");
	TCase *c = tcase_create("match");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(
	    c, a_string_matches_as_its_matcher_says, 0, N(strings));
	tcase_add_loop_test(
	    c, a_header_matches_as_its_matcher_says, 0, N(headers));
	tcase_add_test(c, lines_of_a_header_are_compared_joined);
	tcase_add_loop_test(
	    c, a_query_parameter_matches_by_its_first_value, 0, N(queries));
	tcase_add_test(c, a_bad_expression_is_refused);
	tcase_add_test(c, a_fraction_holds_for_its_share_of_numbers);
	suite_add_tcase(s, c);
	return s;
}
