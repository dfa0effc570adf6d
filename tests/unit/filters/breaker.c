#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "state/breaker.h"
#include "tests/unit/fake_host.h"

extern const struct filter filter_breaker;

static struct exchange *x;

static void
begin(void)
{
	x = fake_new(&filter_breaker, "{failures: 2, open_for: 30s}");
	ck_assert_str_eq(x->setup_error, "");
	x->cluster_name = STR("users");
}

static void
end(void)
{
	fake_free(x);
}

static enum verdict
ask(void)
{
	fake_next_request(x);
	return fake_run_request(x);
}

/* A request that ends with this status and these details. */
static void
pass(unsigned status, const char *details)
{
	ck_assert_int_eq(ask(), FILTER_NEXT);
	if (status) {
		fake_response(x, status);
		x->details = str_of(details);
		ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	}
	x->details = str_of(details);
	fake_run_end(x);
}

static enum breaker_state
circuit(const char *name)
{
	return breaker_state(
	    x->state, breaker_lookup(x->state, str_of(name)), x->boot_ns, NULL);
}

static void
open_it(void)
{
	pass(503, "via_upstream");
	pass(503, "via_upstream");
	ck_assert_int_eq(circuit("users"), BREAKER_OPEN);
}

START_TEST(an_open_breaker_refuses_and_says_for_how_long)
{
	open_it();
	x->boot_ns += 9 * NS_PER_S + NS_PER_MS;
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 503);
	ck_assert(str_eq(x->reply.body, STR("circuit breaker open")));
	ck_assert(str_eq(x->reply.details, STR("circuit_breaker_open")));
	ck_assert_str_eq(x->reply.flag, "UO");
	ck_assert_str_eq(fake_reply_header(x, "retry-after"), "21");
	ck_assert_str_eq(fake_reply_header(x, "x-envoy-overloaded"), "true");
	fake_run_end(x);
	ck_assert_uint_eq(fake_count(x, "breaker.opened"), 1);
	ck_assert_uint_eq(fake_count(x, "breaker.refused"), 1);
}
END_TEST

/* The state file's milliseconds do not add a second. */
START_TEST(the_wait_is_never_longer_than_it_is_open)
{
	x->boot_ns += 1;
	open_it();
	ck_assert_int_eq(ask(), FILTER_REPLY);
	ck_assert_str_eq(fake_reply_header(x, "retry-after"), "30");
}
END_TEST

START_TEST(named_clusters_have_a_breaker_from_the_start)
{
	end();
	x = fake_new(&filter_breaker, "{clusters: [one, two]}");
	ck_assert_str_eq(x->setup_error, "");
	ck_assert_int_ge(breaker_lookup(x->state, STR("one")), 0);
	ck_assert_int_ge(breaker_lookup(x->state, STR("two")), 0);
	ck_assert_int_eq(breaker_lookup(x->state, STR("three")), -1);
}
END_TEST

static const struct {
	unsigned status; /* 0: no response */
	const char *details;
	enum breaker_state then;
} outcomes[] = {
	{ 200, "via_upstream", BREAKER_CLOSED },
	{ 404, "via_upstream", BREAKER_CLOSED },
	{ 500, "via_upstream", BREAKER_OPEN },
	{ 503,
	    "upstream_reset_before_response_started{remote_connection_failure|"
	    "delayed_connect_error:_Connection_refused}",
	    BREAKER_OPEN },
	{ 503, "upstream_reset_before_response_started{overflow}",
	    BREAKER_CLOSED },
	{ 504, "response_timeout", BREAKER_OPEN },
	{ 504, "upstream_per_try_timeout", BREAKER_OPEN },
	{ 504, "stream_idle_timeout", BREAKER_OPEN },
	{ 503, "no_healthy_upstream", BREAKER_OPEN },
	{ 503, "cluster_not_found", BREAKER_CLOSED },
	{ 401, "jwt_authn_access_denied", BREAKER_CLOSED },
	{ 500, "local_rate_limited", BREAKER_CLOSED },
	{ 0, "downstream_remote_disconnect", BREAKER_CLOSED },
	{ 0, "response_timeout", BREAKER_OPEN },
	{ 0, "", BREAKER_CLOSED },
};
enum { N_OUTCOMES = sizeof(outcomes) / sizeof(outcomes[0]) };

START_TEST(only_what_the_backend_did_counts)
{
	pass(outcomes[_i].status, outcomes[_i].details);
	ck_assert_int_eq(circuit("users"), BREAKER_CLOSED);
	pass(outcomes[_i].status, outcomes[_i].details);
	ck_assert_int_eq(circuit("users"), outcomes[_i].then);
}
END_TEST

/* What tells nothing lets the next request try; the rest decides. */
START_TEST(the_probe_decides_or_is_passed_on)
{
	bool failed = outcomes[_i].then == BREAKER_OPEN;
	bool succeeded =
	    outcomes[_i].status && outcomes[_i].status < 500 &&
	    str_eq(str_of(outcomes[_i].details), STR("via_upstream"));

	open_it();
	x->boot_ns += 30 * NS_PER_S;
	pass(outcomes[_i].status, outcomes[_i].details);
	ck_assert_int_eq(circuit("users"), failed      ? BREAKER_OPEN
					   : succeeded ? BREAKER_CLOSED
						       : BREAKER_HALF_OPEN);
	ck_assert_int_eq(ask(), failed ? FILTER_REPLY : FILTER_NEXT);
	ck_assert_int_eq(ask(), succeeded ? FILTER_NEXT : FILTER_REPLY);
	ck_assert_uint_eq(fake_count(x, "breaker.opened"), failed ? 2 : 1);
}
END_TEST

static void
cut_short(void)
{
	ck_assert_int_eq(ask(), FILTER_NEXT);
	fake_response(x, 200);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	x->details = STR("upstream_reset_after_response_started"
			 "{connection_termination}");
	fake_run_end(x);
}

START_TEST(a_response_cut_short_is_a_failure_after_all)
{
	cut_short();
	ck_assert_int_eq(circuit("users"), BREAKER_CLOSED);
	cut_short();
	ck_assert_int_eq(circuit("users"), BREAKER_OPEN);
}
END_TEST

START_TEST(a_probe_closes_the_breaker_when_its_response_begins)
{
	open_it();
	x->boot_ns += 30 * NS_PER_S;
	ck_assert_int_eq(ask(), FILTER_NEXT);
	fake_response(x, 200);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_int_eq(circuit("users"), BREAKER_CLOSED);
	/* That it breaks off then is the first of the failures that open it. */
	x->details = STR("upstream_reset_after_response_started"
			 "{connection_termination}");
	fake_run_end(x);
	ck_assert_int_eq(circuit("users"), BREAKER_CLOSED);
	pass(503, "via_upstream");
	ck_assert_int_eq(circuit("users"), BREAKER_OPEN);
}
END_TEST

START_TEST(a_client_that_leaves_a_response_takes_nothing_back)
{
	pass(503, "via_upstream");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	fake_response(x, 200);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	x->details = STR("downstream_remote_disconnect");
	fake_run_end(x);
	pass(503, "via_upstream");
	ck_assert_int_eq(circuit("users"), BREAKER_CLOSED);
}
END_TEST

START_TEST(clusters_have_breakers_of_their_own)
{
	open_it();
	x->cluster_name = STR("products");
	ck_assert_int_eq(ask(), FILTER_NEXT);
	x->cluster_name = STR("users");
	ck_assert_int_eq(ask(), FILTER_REPLY);
}
END_TEST

START_TEST(what_is_not_forwarded_is_none_of_its_business)
{
	open_it();
	x->forwards = false;
	ck_assert_int_eq(ask(), FILTER_NEXT);
	x->forwards = true;
	x->cluster_name = STR_NONE;
	ck_assert_int_eq(ask(), FILTER_NEXT);
	fake_response(x, 503);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	fake_run_end(x);
	ck_assert_uint_eq(fake_count(x, "breaker.opened"), 1);
}
END_TEST

START_TEST(responses_to_requests_it_has_not_seen_tell_nothing)
{
	for (int i = 0; i < 5; i++) {
		fake_next_request(x);
		fake_response(x, 503);
		ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
		fake_run_end(x);
	}
	ck_assert_int_eq(circuit("users"), BREAKER_CLOSED);
}
END_TEST

START_TEST(a_name_that_is_no_cluster_gets_no_breaker)
{
	x->cluster_name = STR("the client's invention");
	pass(503, "cluster_not_found");
	ck_assert_int_eq(breaker_lookup(x->state, x->cluster_name), -1);
	x->cluster_name = STR("users");
	pass(200, "via_upstream");
	ck_assert_int_ge(breaker_lookup(x->state, x->cluster_name), 0);
}
END_TEST

START_TEST(one_name_makes_one_breaker)
{
	end();
	x = fake_new(&filter_breaker, "{failures: 2, name: all}");
	ck_assert_str_eq(x->setup_error, "");
	x->cluster_name = STR("users");
	pass(500, "via_upstream");
	x->cluster_name = STR("products");
	pass(500, "via_upstream");
	ck_assert_int_eq(circuit("all"), BREAKER_OPEN);
	ck_assert_int_eq(ask(), FILTER_REPLY);
}
END_TEST

START_TEST(five_failures_and_thirty_seconds_unless_said)
{
	end();
	x = fake_new(&filter_breaker, "{}");
	ck_assert_str_eq(x->setup_error, "");
	x->cluster_name = STR("users");
	for (int i = 0; i < 5; i++)
		pass(500, "via_upstream");
	x->boot_ns += 30 * NS_PER_S - NS_PER_MS;
	ck_assert_int_eq(ask(), FILTER_REPLY);
	x->boot_ns += NS_PER_MS;
	ck_assert_int_eq(ask(), FILTER_NEXT);
}
END_TEST

START_TEST(mistakes_are_refused)
{
	static const char *const confs[] = { "{failures: 0}",
		"{failures: 10001}", "{open_for: 99ms}", "{open_for: 3601s}",
		"{name: ''}", "{fails: 3}" };

	end();
	x = fake_new(&filter_breaker, confs[_i]);
	ck_assert_str_ne(x->setup_error, "");
}
END_TEST

Suite *suite_filters_breaker(void);

Suite *
suite_filters_breaker(void)
{
	Suite *s = suite_create("filters/breaker");
	TCase *t = tcase_create("requests");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, an_open_breaker_refuses_and_says_for_how_long);
	tcase_add_test(t, the_wait_is_never_longer_than_it_is_open);
	tcase_add_test(t, named_clusters_have_a_breaker_from_the_start);
	tcase_add_loop_test(t, only_what_the_backend_did_counts, 0, N_OUTCOMES);
	tcase_add_loop_test(
	    t, the_probe_decides_or_is_passed_on, 0, N_OUTCOMES);
	tcase_add_test(t, a_response_cut_short_is_a_failure_after_all);
	tcase_add_test(t, a_probe_closes_the_breaker_when_its_response_begins);
	tcase_add_test(t, a_client_that_leaves_a_response_takes_nothing_back);
	tcase_add_test(t, clusters_have_breakers_of_their_own);
	tcase_add_test(t, what_is_not_forwarded_is_none_of_its_business);
	tcase_add_test(t, responses_to_requests_it_has_not_seen_tell_nothing);
	tcase_add_test(t, a_name_that_is_no_cluster_gets_no_breaker);
	tcase_add_test(t, one_name_makes_one_breaker);
	tcase_add_test(t, five_failures_and_thirty_seconds_unless_said);
	tcase_add_loop_test(t, mistakes_are_refused, 0, 6);
	suite_add_tcase(s, t);
	return s;
}
