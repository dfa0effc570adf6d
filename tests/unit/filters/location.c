#include "config.h"

#include <check.h>

#include "tests/unit/fake_host.h"

extern const struct filter filter_location;

#define STRIPPED                                                               \
	"{backend: 'http://127.0.0.1:3001', base: /, prefix: /api/users}"
#define DEEP "{backend: 'http://In.example', base: /v1, prefix: /}"

static struct exchange *x;

static void
teardown(void)
{
	fake_free(x);
}

/*
 * A client asks https://test.example; the router then gives the backend its
 * own name.
 */
static void
ask(const char *route, const char *backend)
{
	x = fake_new_with_route(&filter_location, "{}", route);
	ck_assert_msg(!x->setup_error[0], "%s", x->setup_error);
	fake_request(x, ":scheme", "https");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	if (backend)
		fake_request(x, ":authority", backend);
	fake_response(x, 302);
}

static const struct {
	const char *route, *location, *mapped; /* NULL: unchanged */
} cases[] = {
	{ STRIPPED, "http://127.0.0.1:3001/7",
	    "https://test.example/api/users/7" },
	{ STRIPPED, "HTTP://127.0.0.1:3001/7?a#b",
	    "https://test.example/api/users/7?a#b" },
	{ STRIPPED, "http://127.0.0.1:3001", "https://test.example/api/users" },
	{ STRIPPED, "http://127.0.0.1:3001?q",
	    "https://test.example/api/users?q" },
	{ STRIPPED, "//127.0.0.1:3001/7", "https://test.example/api/users/7" },
	{ STRIPPED, "http://test.example/7",
	    "https://test.example/api/users/7" },
	{ STRIPPED, "https://test.example/7",
	    "https://test.example/api/users/7" },
	{ STRIPPED, "https://TEST.example:443/7",
	    "https://test.example/api/users/7" },
	{ STRIPPED, "http://test.example:80/7",
	    "https://test.example/api/users/7" },
	{ STRIPPED, "https://test.example:8443/7", NULL },
	{ STRIPPED, "/7", "/api/users/7" },
	{ STRIPPED, "/", "/api/users/" },
	{ STRIPPED, "/?q", "/api/users/?q" },
	{ STRIPPED, " /7 ", "/api/users/7" },
	{ STRIPPED, "7", NULL },
	{ STRIPPED, "../7", NULL },
	{ STRIPPED, "?q", NULL },
	{ STRIPPED, "#f", NULL },
	{ STRIPPED, "//evil/7", NULL },
	{ STRIPPED, "https://evil/7", NULL },
	{ STRIPPED, "https://evil@127.0.0.1:3001/7", NULL },
	{ STRIPPED, "http://127.0.0.1:3001@evil/7", NULL },
	{ STRIPPED, "http://127.0.0.1:3001\\@evil/7", NULL },
	{ STRIPPED, "http://127.0.0.1:30011/7", NULL },
	{ STRIPPED, "http://127.0.0.1/7", NULL },
	/* Made by a backend from x-forwarded-proto and its own host. */
	{ STRIPPED, "https://127.0.0.1:3001/7",
	    "https://test.example/api/users/7" },
	{ STRIPPED, "ftp://127.0.0.1:3001/7", NULL },
	{ STRIPPED, "mailto:me@test.example", NULL },
	{ STRIPPED, "http:/7", NULL },
	{ DEEP, "http://in.example/v1/a", "https://test.example/a" },
	{ DEEP, "http://in.example:80/v1/a", "https://test.example/a" },
	{ DEEP, "http://in.example/v1", "https://test.example/" },
	{ DEEP, "http://in.example/v1?q", "https://test.example/?q" },
	{ DEEP, "http://in.example/v11", NULL },
	{ DEEP, "http://in.example/v2", NULL },
	{ DEEP, "http://in.example", NULL },
	{ DEEP, "/v1/a", "/a" },
	{ DEEP, "/v1", "/" },
	{ DEEP, "/v11", NULL },
	{ DEEP, "/", NULL },
};

START_TEST(the_backends_own_places_become_the_clients)
{
	ask(cases[_i].route, "127.0.0.1:3001");
	fake_response_header(x, "location", cases[_i].location);
	fake_response_header(x, "content-location", cases[_i].location);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_str_eq(fake_response_header_value(x, "location"),
	    cases[_i].mapped ? cases[_i].mapped : cases[_i].location);
	ck_assert_str_eq(fake_response_header_value(x, "content-location"),
	    cases[_i].mapped ? cases[_i].mapped : cases[_i].location);
}
END_TEST

START_TEST(the_name_that_the_router_gave_is_the_backends_too)
{
	ask(STRIPPED, "inner.example");
	fake_response_header(x, "location", "http://inner.example/7");
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_str_eq(fake_response_header_value(x, "location"),
	    "https://test.example/api/users/7");
}
END_TEST

START_TEST(a_step_from_http_to_https_stays)
{
	x = fake_new_with_route(&filter_location, "{}", STRIPPED);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	fake_response(x, 301);
	fake_response_header(x, "location", "https://test.example/7");
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_str_eq(fake_response_header_value(x, "location"),
	    "https://test.example/7");
}
END_TEST

START_TEST(the_scheme_is_the_one_that_was_forwarded)
{
	x = fake_new_with_route(&filter_location, "{}", STRIPPED);
	fake_request(x, "x-forwarded-proto", "https");
	fake_request(x, "x-forwarded-host", "evil");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	fake_response(x, 301);
	fake_response_header(x, "location", "http://127.0.0.1:3001/7");
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_str_eq(fake_response_header_value(x, "location"),
	    "https://test.example/api/users/7");
}
END_TEST

static const struct {
	const char *route, *cookie, *mapped;
} cookies[] = {
	{ STRIPPED, "a=b", NULL },
	{ STRIPPED, "a=b; Path=/", "a=b; Path=/api/users" },
	{ STRIPPED, "a=b; path=/x; Secure", "a=b; Path=/api/users/x; Secure" },
	{ STRIPPED, "a=/; Path=/x/", "a=/; Path=/api/users/x/" },
	{ STRIPPED, "path=/; HttpOnly", NULL },
	{ STRIPPED, "a=b; Path=x", NULL },
	{ STRIPPED, "a=b; Domain=127.0.0.1; Path=/", "a=b; Path=/api/users" },
	{ STRIPPED, "a=b; domain=.127.0.0.1", "a=b" },
	{ STRIPPED, "a=b; Domain=test.example", NULL },
	{ STRIPPED, "__Host-a=b; Path=/; Secure", NULL },
	{ DEEP, "a=b; Path=/v1", "a=b; Path=/" },
	{ DEEP, "a=b; Path=/v1/", "a=b; Path=/" },
	{ DEEP, "a=b; Path=/v1/x", "a=b; Path=/x" },
	{ DEEP, "a=b; Path=/v11", NULL },
	{ DEEP, "a=b; Path=/", NULL },
	{ DEEP, "a=b; Domain=IN.EXAMPLE", "a=b" },
};

START_TEST(cookies_follow)
{
	ask(cookies[_i].route, "127.0.0.1:3001");
	fake_response_header(x, "set-cookie", cookies[_i].cookie);
	fake_response_header(x, "x-other", "z");
	fake_response_header(x, "set-cookie", "z=z");
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_str_eq(fake_response_header_value(x, "set-cookie"),
	    cookies[_i].mapped ? cookies[_i].mapped : cookies[_i].cookie);
	ck_assert(str_eq(
	    host_header(x, HOST_RESPONSE, STR("set-cookie"), 1), STR("z=z")));
}
END_TEST

START_TEST(what_the_gateway_answers_itself_is_left_alone)
{
	ask(STRIPPED, NULL);
	x->details = STR("direct_response");
	fake_response_header(x, "location", "/7");
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_str_eq(fake_response_header_value(x, "location"), "/7");
}
END_TEST

START_TEST(a_route_without_configuration_is_left_alone)
{
	ask(NULL, NULL);
	fake_response_header(x, "location", "/7");
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_str_eq(fake_response_header_value(x, "location"), "/7");
}
END_TEST

static const char *const bad[] = {
	"{backend: '127.0.0.1:3001'}",
	"{backend: 'ftp://a'}",
	"{backend: 'http://'}",
	"{backend: 'http:a'}",
	"{backend: 'http://a/b'}",
	"{backend: 'http://a', base: b}",
	"{backend: 'http://a', prefix: b}",
	"{base: /}",
};

START_TEST(a_bad_place_is_refused)
{
	x = fake_new_with_route(&filter_location, "{}", bad[_i]);
	ck_assert_msg(x->setup_error[0], "%s", bad[_i]);
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_filters_location(void);

Suite *
suite_filters_location(void)
{
	Suite *s = suite_create("filters/location");
	TCase *t = tcase_create("location");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(
	    t, the_backends_own_places_become_the_clients, 0, N(cases));
	tcase_add_test(t, the_name_that_the_router_gave_is_the_backends_too);
	tcase_add_test(t, a_step_from_http_to_https_stays);
	tcase_add_test(t, the_scheme_is_the_one_that_was_forwarded);
	tcase_add_loop_test(t, cookies_follow, 0, N(cookies));
	tcase_add_test(t, what_the_gateway_answers_itself_is_left_alone);
	tcase_add_test(t, a_route_without_configuration_is_left_alone);
	tcase_add_loop_test(t, a_bad_place_is_refused, 0, N(bad));
	suite_add_tcase(s, t);
	return s;
}
