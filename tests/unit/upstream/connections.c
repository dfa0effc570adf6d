#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "tests/unit/upstream/scene.h"

static struct client_origin *origin;

static void
begin(void)
{
	scene_begin();
	scene.one->n = 1;
	origin = &scene.one->hosts[0].origin;
}

static void
get(const char *path, const char *status, const char *body)
{
	struct exchange *x = scene_request("GET", path);

	scene_run(x);
	scene_assert_answer(x, status, body);
	scene_end(x);
}

static void
get_plain(void)
{
	get("/plain", "200", "hello");
}

START_TEST(one_connection_serves_all_one_after_the_other)
{
	for (int i = 0; i < 4; i++)
		get_plain();
	ck_assert_uint_eq(scene.backend.seen->connections, 1);
	ck_assert_uint_eq(scene_count("upstream_cx_total"), 1);
	ck_assert_uint_eq(scene_count("upstream_cx_http1_total"), 1);
	ck_assert_uint_eq(scene_count("upstream_rq_pending_total"), 1);
	ck_assert_uint_eq(scene_count("upstream_rq_total"), 4);
	ck_assert_uint_eq(scene_count("upstream_cx_destroy"), 0);
}
END_TEST

START_TEST(or_so_many)
{
	origin->uses = 2;
	for (int i = 0; i < 4; i++)
		get_plain();
	ck_assert_uint_eq(scene.backend.seen->connections, 2);
	ck_assert_uint_eq(scene_count("upstream_cx_max_requests"), 2);
	ck_assert_uint_eq(scene_count("upstream_cx_destroy"), 2);
}
END_TEST

START_TEST(or_for_so_long)
{
	origin->age_ns = 60 * NS_PER_S;
	get_plain();
	get_plain();
	ck_assert_uint_eq(scene.backend.seen->connections, 1);
	timer_clear(scene.loop, &scene.deadline);
	clock_set(clock_boot_ns() + 61 * NS_PER_S, clock_wall_ns());
	get_plain();
	ck_assert_uint_eq(scene.backend.seen->connections, 1);
	get_plain();
	ck_assert_uint_eq(scene.backend.seen->connections, 2);
}
END_TEST

static bool
one_has_idled(void)
{
	return scene_count("upstream_cx_idle_timeout") == 1;
}

START_TEST(or_until_it_has_waited_too_long)
{
	origin->idle_ns = 20 * NS_PER_MS;
	get_plain();
	scene_until(one_has_idled);
	ck_assert_uint_eq(scene_count("upstream_cx_destroy"), 1);
	get_plain();
	ck_assert_uint_eq(scene.backend.seen->connections, 2);
}
END_TEST

START_TEST(a_header_section_has_the_limits_of_its_origin)
{
	struct exchange *x =
	    scene_request("GET", _i ? "/fields/1/2000" : "/fields/10/10");

	origin->max_fields = 10;
	origin->max_head = 1024;
	scene_run(x);
	scene_assert_reply(x, 502,
	    "upstream connect error or disconnect/reset before headers. "
	    "reset reason: protocol error",
	    "upstream_reset_before_response_started{protocol_error}", "UPE");
	ck_assert_uint_eq(scene_count("upstream_cx_protocol_error"), 1);
	scene_end(x);
	get("/fields/9/10", "200", "");
}
END_TEST

START_TEST(what_passes_by_is_counted)
{
	get("/early-hints", "200", "ok");
	ck_assert_uint_eq(scene_count("upstream_rq_103"), 1);
	ck_assert_uint_eq(scene_count("upstream_rq_100"), 1);
	ck_assert_uint_eq(scene_count("upstream_rq_1xx"), 2);
	ck_assert_uint_eq(scene_count("upstream_rq_200"), 1);
}
END_TEST

START_TEST(a_connection_that_fails_is_counted)
{
	struct exchange *x = scene_request("GET", "/plain");

	origin->url = arena_printf(
	    scene.arena, "http://127.0.0.1:%d/", backend_dead_port())
			  .ptr;
	scene_run(x);
	ck_assert_uint_eq(scene.front.replied, 503);
	scene_end(x);
	ck_assert_uint_eq(scene_count("upstream_cx_connect_fail"), 1);
	ck_assert_uint_eq(scene_count("upstream_rq_pending_failure_eject"), 1);
	ck_assert_uint_eq(scene_count("upstream_cx_total"), 1);
	ck_assert_uint_eq(scene_count("upstream_rq_total"), 0);
}
END_TEST

Suite *suite_upstream_connections(void);

Suite *
suite_upstream_connections(void)
{
	Suite *s = suite_create("upstream/connections");
	TCase *t = tcase_create("reuse");

	tcase_set_timeout(t, 2 * SCENE_PATIENCE_S);
	tcase_add_checked_fixture(t, begin, scene_finish);
	tcase_add_test(t, one_connection_serves_all_one_after_the_other);
	tcase_add_test(t, or_so_many);
	tcase_add_test(t, or_for_so_long);
	tcase_add_test(t, or_until_it_has_waited_too_long);
	tcase_add_loop_test(
	    t, a_header_section_has_the_limits_of_its_origin, 0, 2);
	tcase_add_test(t, what_passes_by_is_counted);
	tcase_add_test(t, a_connection_that_fails_is_counted);
	suite_add_tcase(s, t);
	return s;
}
