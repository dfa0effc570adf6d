#include "config.h"

#include <sys/socket.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

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

/* A backend that answers each connection once, unasked. */
static struct {
	int listener, latest;
	struct timer timer;
	char url[64];
} hasty;

static void
say(int fd, const char *body)
{
	char text[128];
	int n = snprintf(text, sizeof(text),
	    "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n%s", strlen(body),
	    body);

	ck_assert_int_eq(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
}

static void
be_hasty(void *arg)
{
	int fd = accept4(hasty.listener, NULL, NULL, SOCK_NONBLOCK);

	(void)arg;
	timer_set(scene.loop, &hasty.timer, NS_PER_MS, be_hasty, NULL);
	if (fd < 0)
		return;
	say(fd, "asked");
	if (hasty.latest >= 0)
		ck_assert_int_eq(close(hasty.latest), 0);
	hasty.latest = fd;
}

static void
begin_hasty(void)
{
	int port;

	hasty.latest = -1;
	hasty.listener = backend_socket(&port);
	ck_assert_int_eq(listen(hasty.listener, 4), 0);
	ck_assert_int_eq(fcntl(hasty.listener, F_SETFL, O_NONBLOCK), 0);
	(void)snprintf(
	    hasty.url, sizeof(hasty.url), "http://127.0.0.1:%d/", port);
	origin->url = hasty.url;
	be_hasty(NULL);
}

START_TEST(what_comes_before_anything_is_asked_is_no_answer)
{
	struct exchange *x;

	begin_hasty();
	get("/first", "200", "asked");
	x = scene_request("GET", "/second");
	router_forward(scene.router, x);
	say(hasty.latest, "unasked");
	scene_wait(x);
	scene_assert_answer(x, "200", "asked");
	scene_end(x);
	ck_assert_uint_eq(scene_count("upstream_cx_total"), 2);
	ck_assert_uint_eq(scene_count("upstream_rq_total"), 2);
	timer_clear(scene.loop, &hasty.timer);
	ck_assert_int_eq(close(hasty.latest), 0);
	ck_assert_int_eq(close(hasty.listener), 0);
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
	tcase_add_test(t, what_comes_before_anything_is_asked_is_no_answer);
	tcase_add_test(t, what_passes_by_is_counted);
	tcase_add_test(t, a_connection_that_fails_is_counted);
	suite_add_tcase(s, t);
	return s;
}
