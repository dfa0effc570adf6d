#include "config.h"

#include <check.h>

#include "tests/unit/fake_host.h"

extern const struct filter filter_rewrite;

static struct exchange *x;

static void
teardown(void)
{
	fake_free(x);
}

static const struct {
	const char *conf, *path, *result; /* NULL: unchanged, not rerouted */
} cases[] = {
	{ "{pattern: '^/v1/(.*)', substitution: '/\\1'}", "/v1/a/b", "/a/b" },
	{ "{pattern: '^/v1/(.*)', substitution: '/\\1'}", "/v1/a?/v1/x",
	    "/a?/v1/x" },
	{ "{pattern: '^/v1/(.*)', substitution: '/\\1'}", "/v2/v1/a", NULL },
	{ "{pattern: '^/v1/(.*)', substitution: '/\\1'}", "/a?/v1/", NULL },
	{ "{pattern: a, substitution: b}", "/a/a?a", "/b/b?a" },
	{ "{pattern: '^/', substitution: ''}", "/a", NULL },
	{ "{pattern: '^/old', substitution: ''}", "/old", "/" },
	{ "{pattern: '^/old/'}", "/old/a?q", "/a?q" },
	{ "{pattern: 'x*', substitution: x}", "/", "/x/x" },
	{ "{pattern: '^/(.)(.)$', substitution: '\\2\\1'}", "/ab", "/ba" },
};

START_TEST(the_path_is_rewritten_and_the_route_chosen_anew)
{
	x = fake_new(&filter_rewrite, cases[_i].conf);
	ck_assert_msg(!x->setup_error[0], "%s", x->setup_error);
	fake_request(x, ":path", cases[_i].path);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_str_eq(fake_request_header(x, ":path"),
	    cases[_i].result ? cases[_i].result : cases[_i].path);
	if (strcmp(cases[_i].conf, "{pattern: '^/', substitution: ''}"))
		ck_assert_int_eq(x->rerouted, cases[_i].result != NULL);
}
END_TEST

static struct str
remembered(void)
{
	return host_metadata(x, STR("sallyport.rewrite"), STR("path"));
}

/* Of several rewrites the first has the client's. */
START_TEST(the_path_that_came_is_remembered)
{
	x = fake_new(&filter_rewrite, "{pattern: '^/a', substitution: '/b'}");
	fake_request(x, ":path", "/a?q");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert(str_eq(remembered(), STR("/a?q")));
	ck_assert_str_eq(
	    fake_request_header(x, "x-envoy-original-path"), "/a?q");
	fake_next_request(x);
	fake_request(x, ":path", "/c");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_ptr_null(remembered().ptr);
	fake_next_request(x);
	fake_request(x, ":path", "/a");
	host_metadata_set(
	    x, STR("sallyport.rewrite"), STR("path"), STR("/first"));
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert(str_eq(remembered(), STR("/first")));
}
END_TEST

START_TEST(a_path_that_grows_beyond_bounds_is_refused)
{
	char path[4098];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[4097] = '\0';
	x = fake_new(
	    &filter_rewrite, "{pattern: a, substitution: bbbbbbbbbbbbbbbbb}");
	fake_request(x, ":path", path);
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 400);
	ck_assert(str_eq(x->reply.details, STR("rewrite_failed")));
}
END_TEST

static const struct {
	const char *conf, *why;
} bad[] = {
	{ "{substitution: a}", "pattern" },
	{ "{pattern: '(', substitution: a}", "malformed" },
	{ "{pattern: '(?=a)', substitution: a}", "lookaround" },
	{ "{pattern: '(a)', substitution: '\\2'}", "group" },
	{ "{pattern: '(a)', substitution: '\\x'}", "group" },
};

START_TEST(a_bad_expression_is_refused)
{
	x = fake_new(&filter_rewrite, bad[_i].conf);
	ck_assert_msg(strstr(x->setup_error, bad[_i].why), "%s: %s",
	    bad[_i].conf, x->setup_error);
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_filters_rewrite(void);

Suite *
suite_filters_rewrite(void)
{
	Suite *s = suite_create("filters/rewrite");
	TCase *t = tcase_create("rewrite");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(
	    t, the_path_is_rewritten_and_the_route_chosen_anew, 0, N(cases));
	tcase_add_test(t, the_path_that_came_is_remembered);
	tcase_add_test(t, a_path_that_grows_beyond_bounds_is_refused);
	tcase_add_loop_test(t, a_bad_expression_is_refused, 0, N(bad));
	suite_add_tcase(s, t);
	return s;
}
