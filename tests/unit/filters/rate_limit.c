#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "tests/unit/fake_host.h"

extern const struct filter filter_rate_limit;

static struct exchange *x;

static void
end(void)
{
	if (x)
		fake_free(x);
	x = NULL;
}

static void
begin(const char *conf, const char *route)
{
	x = fake_new_with_route(&filter_rate_limit, conf, route);
	ck_assert_str_eq(x->setup_error, "");
	x->client_address = STR("192.0.2.1");
	x->route_name = STR("users");
}

static enum verdict
ask(void)
{
	fake_next_request(x);
	return fake_run_request(x);
}

static enum verdict
ask_from(const char *address)
{
	x->client_address = str_of(address);
	return ask();
}

START_TEST(requests_beyond_the_limit_are_refused_with_the_numbers)
{
	begin("{}", "{limit: 2, window: 60s}");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	x->boot_ns += 20 * NS_PER_S;
	ck_assert_int_eq(ask(), FILTER_NEXT);
	x->boot_ns += NS_PER_MS * 100;
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 429);
	ck_assert(str_eq(x->reply.body, STR("rate limited")));
	ck_assert(str_eq(x->reply.details, STR("rate_limited")));
	ck_assert_str_eq(x->reply.flag, "RL");
	ck_assert_str_eq(fake_reply_header(x, "retry-after"), "40");
	ck_assert_str_eq(
	    fake_reply_header(x, "ratelimit-policy"), "\"default\";q=2;w=60");
	ck_assert_str_eq(
	    fake_reply_header(x, "ratelimit"), "\"default\";r=0;t=40");
	ck_assert_uint_eq(fake_count(x, "rate_limit.ok"), 2);
	ck_assert_uint_eq(fake_count(x, "rate_limit.limited"), 1);
	x->boot_ns += 40 * NS_PER_S;
	ck_assert_int_eq(ask(), FILTER_NEXT);
}
END_TEST

START_TEST(waiting_is_never_said_to_take_no_time)
{
	begin("{limit: 1, window: 100ms}", NULL);
	ck_assert_int_eq(ask(), FILTER_NEXT);
	x->boot_ns += 99 * NS_PER_MS;
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_str_eq(fake_reply_header(x, "retry-after"), "1");
	ck_assert_str_eq(
	    fake_reply_header(x, "ratelimit-policy"), "\"default\";q=1;w=1");
}
END_TEST

START_TEST(responses_say_what_is_left)
{
	begin("{}", "{limit: 100, window: 60s}");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	x->boot_ns += 5 * NS_PER_S;
	ck_assert_int_eq(ask(), FILTER_NEXT);
	fake_response(x, 200);
	fake_response_header(x, "ratelimit", "\"backend\";r=1;t=1");
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_str_eq(fake_response_header_value(x, "ratelimit-policy"),
	    "\"default\";q=100;w=60");
	ck_assert_str_eq(fake_response_header_value(x, "ratelimit"),
	    "\"default\";r=98;t=56");
}
END_TEST

START_TEST(responses_to_requests_it_has_not_seen_are_left_alone)
{
	begin("{}", "{limit: 100, window: 60s}");
	fake_response(x, 401);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_ptr_null(fake_response_header_value(x, "ratelimit"));
}
END_TEST

START_TEST(without_a_limit_everything_passes)
{
	static const char *const routes[] = { NULL, "{}" };
	static const char *const confs[] = { "{}", "{limit: 1, window: 1s}" };

	begin(confs[_i], routes[_i]);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(ask(), FILTER_NEXT);
	fake_response(x, 200);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_ptr_null(fake_response_header_value(x, "ratelimit"));
}
END_TEST

START_TEST(routes_count_apart_unless_they_share_a_scope)
{
	static const struct {
		const char *route;
		enum verdict second;
	} cases[] = {
		{ "{limit: 1, window: 1s}", FILTER_NEXT },
		{ "{limit: 1, window: 1s, scope: api}", FILTER_REPLY },
	};

	begin("{}", cases[_i].route);
	ck_assert_int_eq(ask(), FILTER_NEXT);
	x->route_name = STR("products");
	ck_assert_int_eq(ask(), cases[_i].second);
	x->route_name = STR("users");
	ck_assert_int_eq(ask(), FILTER_REPLY);
}
END_TEST

START_TEST(clients_are_told_apart_by_what_they_cannot_choose)
{
	static const struct {
		const char *first, *second;
		enum verdict then;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.2", FILTER_NEXT },
		{ "192.0.2.1", "::ffff:192.0.2.1", FILTER_REPLY },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", FILTER_NEXT },
		{ "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", FILTER_REPLY },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", FILTER_NEXT },
		{ "not an address", "neither", FILTER_NEXT },
		{ "::", "0.0.0.0", FILTER_NEXT },
	};

	begin("{limit: 1, window: 1s}", NULL);
	ck_assert_int_eq(ask_from(cases[_i].first), FILTER_NEXT);
	ck_assert_int_eq(ask_from(cases[_i].first), FILTER_REPLY);
	ck_assert_int_eq(ask_from(cases[_i].second), cases[_i].then);
}
END_TEST

static enum verdict
ask_with_header(const char *value)
{
	fake_next_request(x);
	if (value)
		fake_request(x, "x-api-key", value);
	return fake_run_request(x);
}

START_TEST(a_header_can_be_the_key)
{
	begin("{limit: 1, window: 1s, key_header: X-Api-Key}", NULL);
	ck_assert_int_eq(ask_with_header("a"), FILTER_NEXT);
	ck_assert_int_eq(ask_with_header("a"), FILTER_REPLY);
	ck_assert_int_eq(ask_with_header("b"), FILTER_NEXT);
	/* Without it the client counts, and no value stands for a client. */
	ck_assert_int_eq(ask_with_header("192.0.2.1"), FILTER_NEXT);
	ck_assert_int_eq(ask_with_header(NULL), FILTER_NEXT);
	ck_assert_int_eq(ask_with_header(NULL), FILTER_REPLY);
	ck_assert_int_eq(ask_with_header(""), FILTER_REPLY);
	x->client_address = STR("192.0.2.9");
	ck_assert_int_eq(ask_with_header(NULL), FILTER_NEXT);
}
END_TEST

static enum verdict
ask_with_claim(const char *value)
{
	fake_next_request(x);
	if (value)
		host_metadata_set(x, STR("envoy.filters.http.jwt_authn"),
		    STR("payload.org.id"), str_of(value));
	return fake_run_request(x);
}

START_TEST(the_host_is_a_header_too)
{
	static const char *const hosts[] = { "one.test", "two.test",
		"one.test" };

	begin("{limit: 1, window: 1s, key_header: Host}", NULL);
	for (int i = 0; i < 3; i++) {
		fake_next_request(x);
		fake_request(x, ":authority", hosts[i]);
		ck_assert_int_eq(
		    fake_run_request(x), i < 2 ? FILTER_NEXT : FILTER_REPLY);
	}
}
END_TEST

START_TEST(a_claim_can_be_the_key)
{
	begin("{limit: 1, window: 1s, key_claim: org.id}", NULL);
	ck_assert_int_eq(ask_with_claim("a"), FILTER_NEXT);
	ck_assert_int_eq(ask_with_claim("a"), FILTER_REPLY);
	ck_assert_int_eq(ask_with_claim("b"), FILTER_NEXT);
	ck_assert_int_eq(ask_with_claim(NULL), FILTER_NEXT);
	ck_assert_int_eq(ask_with_claim(NULL), FILTER_REPLY);
}
END_TEST

START_TEST(mistakes_are_refused)
{
	static const char *const confs[] = {
		"{limit: 5}",
		"{window: 5s}",
		"{limit: 0, window: 1s}",
		"{limit: 1000001, window: 1s}",
		"{limit: 1, window: 99ms}",
		"{limit: 1, window: 2678401s}",
		"{limit: 1, window: 1s, key: header}",
		"{limit: 1, window: 1s, key_header: 'a b'}",
		"{limit: 1, window: 1s, key_header: a, key_claim: b}",
		"{limit: 1, window: 1s, keys: client}",
	};

	x = fake_new(&filter_rate_limit, confs[_i]);
	ck_assert_str_ne(x->setup_error, "");
}
END_TEST

Suite *suite_filters_rate_limit(void);

Suite *
suite_filters_rate_limit(void)
{
	Suite *s = suite_create("filters/rate_limit");
	TCase *t = tcase_create("requests");

	tcase_add_checked_fixture(t, NULL, end);
	tcase_add_test(
	    t, requests_beyond_the_limit_are_refused_with_the_numbers);
	tcase_add_test(t, waiting_is_never_said_to_take_no_time);
	tcase_add_test(t, responses_say_what_is_left);
	tcase_add_test(t, responses_to_requests_it_has_not_seen_are_left_alone);
	tcase_add_loop_test(t, without_a_limit_everything_passes, 0, 2);
	tcase_add_loop_test(
	    t, routes_count_apart_unless_they_share_a_scope, 0, 2);
	tcase_add_loop_test(
	    t, clients_are_told_apart_by_what_they_cannot_choose, 0, 7);
	tcase_add_test(t, a_header_can_be_the_key);
	tcase_add_test(t, the_host_is_a_header_too);
	tcase_add_test(t, a_claim_can_be_the_key);
	tcase_add_loop_test(t, mistakes_are_refused, 0, 10);
	suite_add_tcase(s, t);
	return s;
}
