#include "config.h"

#include <check.h>

#include "state/counter.h"
#include "tests/unit/upstream/scene.h"
#include "upstream/forward.h"

static struct conf_mirror_policy conf;
static struct mirror_policy policy;

static void
begin(void)
{
	scene_begin();
	conf = (struct conf_mirror_policy){ .cluster = STR_INIT("two") };
	policy = (struct mirror_policy){ .conf = &conf };
}

static struct exchange *
mirrored(const char *method, const char *path)
{
	struct exchange *x = scene_request(method, path);

	fake_forwarding(x)->mirrors = &policy;
	fake_forwarding(x)->n_mirrors = 1;
	return x;
}

static uint64_t
count_of_two(const char *name)
{
	return counter_get(scene.state,
	    counter_find(scene.state,
		arena_printf(scene.arena, "cluster.two.%s", name)));
}

static bool
the_copy_is_answered(void)
{
	return count_of_two("internal.upstream_rq_completed") == 1;
}

START_TEST(a_copy_goes_to_the_other_cluster)
{
	struct exchange *x = mirrored("GET", "/plain");

	scene_run(x);
	scene_assert_answer(x, "200", "hello");
	scene_until(the_copy_is_answered);
	ck_assert_uint_eq(scene.backend.seen->requests, 2);
	ck_assert_uint_eq(count_of_two("upstream_rq_total"), 1);
	ck_assert_uint_eq(count_of_two("upstream_rq_200"), 1);
	scene_end(x);
}
END_TEST

START_TEST(it_goes_on_when_the_exchange_is_over)
{
	struct exchange *x = mirrored("GET", "/plain");

	router_forward(scene.router, x);
	scene_end(x);
	scene_until(the_copy_is_answered);
	ck_assert_uint_eq(count_of_two("upstream_rq_200"), 1);
}
END_TEST

START_TEST(without_the_whole_request_it_is_given_up)
{
	struct exchange *x = mirrored("POST", "/echo");

	x->upload_end = false;
	x->upload_len = 10;
	router_forward(scene.router, x);
	scene_end(x);
	ck_assert_uint_eq(count_of_two("upstream_rq_completed"), 0);
	ck_assert_ptr_null(scene.router->mirrors);
}
END_TEST

START_TEST(the_body_comes_through_to_both)
{
	struct exchange *x = mirrored("POST", "/turns/echo");

	x->upload_end = false;
	x->upload_len = 10;
	ck_assert_int_eq(buf_append(&x->upload, STR("01234")), ERR_OK);
	router_forward(scene.router, x);
	ck_assert_int_eq(buf_append(&x->upload, STR("56789")), ERR_OK);
	x->upload_end = true;
	router_resume(x);
	scene_wait(x);
	scene_assert_answer(x, "200", "0123456789");
	scene_until(the_copy_is_answered);
	ck_assert_uint_eq(count_of_two("upstream_rq_200"), 1);
	ck_assert_uint_eq(buf_len(&x->upload), 0);
	scene_end(x);
}
END_TEST

START_TEST(the_first_try_only_is_copied)
{
	struct retry_policy retry = { .on = RETRY_ON_5XX, .num_retries = 2 };
	struct exchange *x = mirrored("GET", "/turns/500");

	fake_forwarding(x)->retry = &retry;
	scene_run(x);
	scene_until(the_copy_is_answered);
	ck_assert_uint_eq(scene_count("upstream_rq_total"), 3);
	ck_assert_uint_eq(count_of_two("upstream_rq_total"), 1);
	scene_end(x);
}
END_TEST

START_TEST(what_names_no_cluster_is_not_copied)
{
	struct exchange *x = mirrored("GET", "/plain");

	if (_i == 0)
		conf.cluster = STR("none");
	else
		policy.header = STR("x-mirror");
	if (_i == 2)
		headers_add(&x->request, STR("x-mirror"), STR("none"));
	scene_run(x);
	scene_assert_answer(x, "200", "hello");
	ck_assert_ptr_null(scene.router->mirrors);
	ck_assert_uint_eq(scene.backend.seen->requests, 1);
	scene_end(x);
}
END_TEST

START_TEST(a_header_may_name_the_cluster)
{
	struct exchange *x = mirrored("GET", "/plain");

	conf.cluster = STR("");
	policy.header = STR("x-mirror");
	headers_add(&x->request, STR("x-mirror"), STR("two"));
	scene_run(x);
	scene_until(the_copy_is_answered);
	scene_end(x);
}
END_TEST

START_TEST(so_many_of_them_are_copied)
{
	struct conf_fractional_percent half = { .numerator = 50 };
	struct conf_runtime_fraction fraction = { .default_value = &half };
	struct exchange *x = mirrored("GET", "/plain");

	conf.runtime_fraction = &fraction;
	x->random = _i ? 50 : 49;
	router_forward(scene.router, x);
	ck_assert_int_eq(scene.router->mirrors != NULL, !_i);
	scene_end(x);
}
END_TEST

/* Nothing waits for it then; that memory is given back is the sanitizer's. */
START_TEST(the_router_may_go_first)
{
	struct exchange *x = mirrored("GET", "/silent");

	router_forward(scene.router, x);
	scene_end(x);
	ck_assert_ptr_nonnull(scene.router->mirrors);
}
END_TEST

START_TEST(a_copy_has_the_time_of_the_request)
{
	struct exchange *x = mirrored("GET", "/silent");

	fake_route(x)->timeout_ns = 50 * 1000000LL;
	router_forward(scene.router, x);
	scene_end(x);
	scene_until(the_copy_is_answered);
	ck_assert_uint_eq(count_of_two("upstream_rq_timeout"), 1);
	ck_assert_uint_eq(count_of_two("upstream_rq_504"), 1);
	ck_assert_ptr_null(scene.router->mirrors);
}
END_TEST

START_TEST(a_copy_that_overflows_is_counted)
{
	struct exchange *x = mirrored("GET", "/plain");

	scene.two->thresholds[0].pending = 0;
	scene_run(x);
	scene_assert_answer(x, "200", "hello");
	ck_assert_uint_eq(count_of_two("upstream_rq_pending_overflow"), 1);
	ck_assert_uint_eq(count_of_two("upstream_rq_503"), 1);
	scene_end(x);
}
END_TEST

Suite *suite_upstream_mirror(void);

Suite *
suite_upstream_mirror(void)
{
	Suite *s = suite_create("upstream/mirror");
	TCase *t = tcase_create("copies");

	tcase_set_timeout(t, 2 * SCENE_PATIENCE_S);
	tcase_add_checked_fixture(t, begin, scene_finish);
	tcase_add_test(t, a_copy_goes_to_the_other_cluster);
	tcase_add_test(t, it_goes_on_when_the_exchange_is_over);
	tcase_add_test(t, without_the_whole_request_it_is_given_up);
	tcase_add_test(t, the_body_comes_through_to_both);
	tcase_add_test(t, the_first_try_only_is_copied);
	tcase_add_loop_test(t, what_names_no_cluster_is_not_copied, 0, 3);
	tcase_add_test(t, a_header_may_name_the_cluster);
	tcase_add_loop_test(t, so_many_of_them_are_copied, 0, 2);
	tcase_add_test(t, the_router_may_go_first);
	tcase_add_test(t, a_copy_has_the_time_of_the_request);
	tcase_add_test(t, a_copy_that_overflows_is_counted);
	suite_add_tcase(s, t);
	return s;
}
