#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "tests/unit/fake_host.h"

extern const struct filter filter_health_check;

#define AT_HEALTHZ                                                             \
	"headers: [{name: \":path\", string_match: {exact: /healthz}}]\n"

static const char own[] = "pass_through_mode: false\n" AT_HEALTHZ;
static const char through[] = "pass_through_mode: true\n" AT_HEALTHZ;
static const char cached[] =
    "pass_through_mode: true\ncache_time: 10s\n" AT_HEALTHZ;

static const char named[] = "x-envoy-upstream-healthchecked-cluster";

START_TEST(a_health_check_is_answered_and_marked)
{
	struct exchange *x = fake_new(&filter_health_check, own);

	ck_assert_str_eq(x->setup_error, "");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert(!x->health_check);
	fake_next_request(x);
	x->service_cluster = STR("edge");
	fake_request(x, ":path", "/healthz");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert(x->health_check);
	ck_assert_uint_eq(x->reply.status, 200);
	ck_assert_uint_eq(x->reply.body.len, 0);
	ck_assert_ptr_null(x->reply.flag);
	ck_assert(str_eq(x->reply.details, STR("health_check_ok")));
	ck_assert_str_eq(fake_reply_header(x, named), "edge");
	fake_free(x);
}
END_TEST

static const struct {
	const char *minima;
	size_t healthy, all;
	unsigned status;
	const char *details;
} clusters[] = {
	{ "{c: {value: 50}}", 1, 2, 200, "health_check_ok_cluster_healthy" },
	{ "{c: {value: 51}}", 1, 2, 503,
	    "health_check_failed_cluster_unhealthy" },
	{ "{c: {value: 100}}", 2, 2, 200, "health_check_ok_cluster_healthy" },
	{ "{c: {value: 1}}", 0, 0, 503, "health_check_failed_cluster_empty" },
	{ "{c: {value: 0}}", 0, 0, 200, "health_check_ok_cluster_healthy" },
	{ "{c: {}}", 0, 2, 200, "health_check_ok_cluster_healthy" },
	{ "{c: {value: 0}, d: {value: 0}}", 1, 1, 503,
	    "health_check_failed_no_cluster_found" },
};

START_TEST(clusters_need_so_many_healthy_hosts)
{
	char conf[256];
	struct exchange *x;

	(void)snprintf(conf, sizeof(conf),
	    "%scluster_min_healthy_percentages: %s\n", own,
	    clusters[_i].minima);
	x = fake_new(&filter_health_check, conf);
	ck_assert_str_eq(x->setup_error, "");
	x->cluster_name = STR("c");
	x->cluster_healthy = clusters[_i].healthy;
	x->cluster_all = clusters[_i].all;
	fake_request(x, ":path", "/healthz");
	ck_assert_int_eq(fake_run_request(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, clusters[_i].status);
	ck_assert(str_eq(x->reply.details, str_of(clusters[_i].details)));
	if (clusters[_i].status == 503)
		ck_assert_str_eq(x->reply.flag, "LH");
	fake_free(x);
}
END_TEST

START_TEST(the_backend_answers_where_it_is_let_through)
{
	struct exchange *x = fake_new(&filter_health_check, through);

	x->service_cluster = STR("edge");
	fake_request(x, ":path", "/healthz");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert(x->health_check);
	fake_response(x, 500);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_str_eq(fake_response_header_value(x, named), "edge");
	fake_next_request(x);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	fake_response(x, 200);
	ck_assert_int_eq(fake_run_response(x), FILTER_NEXT);
	ck_assert_ptr_null(fake_response_header_value(x, named));
	fake_free(x);
}
END_TEST

static enum verdict
check_health(struct exchange *x)
{
	fake_next_request(x);
	fake_request(x, ":path", "/healthz");
	return fake_run_request(x);
}

START_TEST(an_answer_stands_for_others_until_its_time_is_over)
{
	struct exchange *x = fake_new(&filter_health_check, cached);

	x->service_cluster = STR("edge");
	ck_assert_int_eq(check_health(x), FILTER_NEXT);
	fake_response(x, 503);
	(void)fake_run_response(x);
	x->boot_ns += 10 * NS_PER_S - NS_PER_MS;
	ck_assert_int_eq(check_health(x), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 503);
	ck_assert_str_eq(x->reply.flag, "LH");
	ck_assert(str_eq(x->reply.details, STR("health_check_cached")));
	x->boot_ns += NS_PER_MS;
	ck_assert_int_eq(check_health(x), FILTER_NEXT);
	fake_free(x);
}
END_TEST

START_TEST(without_a_time_nothing_is_remembered)
{
	struct exchange *x = fake_new(&filter_health_check, through);

	ck_assert_int_eq(check_health(x), FILTER_NEXT);
	fake_response(x, 200);
	(void)fake_run_response(x);
	ck_assert_int_eq(check_health(x), FILTER_NEXT);
	fake_free(x);
}
END_TEST

static const char *const mistakes[] = {
	"{}",
	"{pass_through_mode: false, cache_time: 1s}",
	"{pass_through_mode: false, cluster_min_healthy_percentages: {c: "
	"{value: 101}}}",
	"{pass_through_mode: false, cluster_min_healthy_percentages: {c: "
	"{value: -1}}}",
	"{pass_through_mode: 3}",
	"{pass_through_mode: false, headers: [{}]}",
};

START_TEST(mistakes_are_refused)
{
	struct exchange *x = fake_new(&filter_health_check, mistakes[_i]);

	ck_assert_msg(x->setup_error[0], "accepted: %s", mistakes[_i]);
	fake_free(x);
}
END_TEST

Suite *suite_filters_health_check(void);

Suite *
suite_filters_health_check(void)
{
	Suite *s = suite_create("filters/health_check");
	TCase *t = tcase_create("health_check");

	tcase_add_test(t, a_health_check_is_answered_and_marked);
	tcase_add_loop_test(t, clusters_need_so_many_healthy_hosts, 0,
	    sizeof(clusters) / sizeof(clusters[0]));
	tcase_add_test(t, the_backend_answers_where_it_is_let_through);
	tcase_add_test(t, an_answer_stands_for_others_until_its_time_is_over);
	tcase_add_test(t, without_a_time_nothing_is_remembered);
	tcase_add_loop_test(
	    t, mistakes_are_refused, 0, sizeof(mistakes) / sizeof(mistakes[0]));
	suite_add_tcase(s, t);
	return s;
}
