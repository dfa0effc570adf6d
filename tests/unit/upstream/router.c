#include "config.h"

#include <check.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/unit/upstream/scene.h"

#define BRIEFLY (50 * NS_PER_MS)

static struct client_origin *origin;

static void
begin(void)
{
	scene_begin();
	scene.one->n = 1;
	origin = &scene.one->hosts[0].origin;
}

START_TEST(an_answer_becomes_the_response)
{
	struct exchange *x = scene_request("GET", "/plain");

	scene_run(x);
	ck_assert_uint_eq(scene.front.responds, 1);
	ck_assert_uint_eq(scene.front.replied, 0);
	scene_assert_text(x->response.items[0].name, ":status");
	scene_assert_text(x->response.items[0].value, "200");
	scene_assert_text(headers_joined(&x->response, STR("x-a")), "1,2");
	scene_assert_text(
	    headers_get(&x->response, STR("content-length")), "5");
	ck_assert_ptr_nonnull(
	    headers_get(&x->response, STR("x-envoy-upstream-service-time"))
		.ptr);
	scene_assert_text(buf_bytes(&x->download), "hello");
	scene_assert_text(x->details, "via_upstream");
	scene_assert_text(x->upstream_host,
	    arena_printf(scene.arena, "127.0.0.1:%d", scene.backend.port).ptr);
	ck_assert_uint_eq(x->flags.bits, 0);
	ck_assert_uint_eq(x->attempts, 1);
	ck_assert_ptr_eq(x->cluster, scene.confs);
	ck_assert_int_gt(x->upstream_headers_ns, 0);
	ck_assert(x->download_end);
	scene_end(x);
}
END_TEST

START_TEST(the_request_is_prepared)
{
	struct exchange *x = scene_request("GET", "/request");

	fake_route(x)->timeout_ns = 15 * NS_PER_S;
	headers_add(&x->request, STR("te"), STR("trailers"));
	scene_run(x);
	scene_assert_text(buf_bytes(&x->download),
	    "GET /request HTTP/1.1\r\nHost: front.test\r\nte: trailers\r\n"
	    "x-envoy-expected-rq-timeout-ms: 15000\r\nx-prepared: yes\r\n\r\n");
	scene_end(x);
}
END_TEST

START_TEST(envoy_headers_can_be_suppressed)
{
	struct exchange *x = scene_request("GET", "/request");

	fake_gateway(x)->suppress_envoy_headers = true;
	fake_route(x)->timeout_ns = 15 * NS_PER_S;
	scene_run(x);
	scene_assert_text(buf_bytes(&x->download),
	    "GET /request HTTP/1.1\r\nHost: front.test\r\nx-prepared: yes\r\n"
	    "\r\n");
	ck_assert_ptr_null(
	    headers_get(&x->response, STR("x-envoy-upstream-service-time"))
		.ptr);
	scene_end(x);
}
END_TEST

START_TEST(hop_by_hop_fields_of_the_answer_go_no_further)
{
	struct exchange *x = scene_request("GET", "/early-close");

	scene_run(x);
	ck_assert_ptr_null(headers_get(&x->response, STR("connection")).ptr);
	scene_end(x);
	x = scene_request("GET", "/chunked");
	scene_run(x);
	ck_assert_ptr_null(
	    headers_get(&x->response, STR("transfer-encoding")).ptr);
	scene_assert_text(buf_bytes(&x->download), "hello world");
	scene_end(x);
}
END_TEST

static const struct {
	const char *path;
	unsigned status;
	const char *reason, *flag;
} failures[] = {
	{ "/nothing", 503, "connection termination", "UC" },
	{ "/reset", 503, "connection termination", "UC" },
	{ "/garbage", 502, "protocol error", "UPE" },
	{ "/two-lengths", 502, "protocol error", "UPE" },
	{ "/fields/300/10", 502, "protocol error", "UPE" },
	{ "/fields/20/9000", 502, "protocol error", "UPE" },
};

START_TEST(a_failed_call_is_answered_as_envoy_does)
{
	struct exchange *x = scene_request("GET", failures[_i].path);
	struct str details;
	char *text;

	scene_run(x);
	details = arena_printf(scene.arena,
	    "upstream_reset_before_response_started{%s}", failures[_i].reason);
	text = arena_cstr(scene.arena, details);
	while (strchr(text, ' '))
		*strchr(text, ' ') = '_';
	scene_assert_reply(x, failures[_i].status,
	    arena_printf(scene.arena,
		"upstream connect error or disconnect/reset before headers. "
		"reset reason: %s",
		failures[_i].reason)
		.ptr,
	    text, failures[_i].flag);
	ck_assert_ptr_null(x->failure_text.ptr);
	scene_end(x);
}
END_TEST

START_TEST(a_refused_connection_names_its_reason)
{
	struct exchange *x = scene_request("GET", "/plain");

	origin->url = arena_printf(
	    scene.arena, "http://127.0.0.1:%d/", backend_dead_port())
			  .ptr;
	scene_run(x);
	scene_assert_reply(x, 503,
	    "upstream connect error or disconnect/reset before headers. "
	    "reset reason: remote connection failure",
	    "upstream_reset_before_response_started{remote_connection_failure"
	    "|delayed_connect_error:_Connection_refused}",
	    "UF");
	scene_assert_text(
	    x->failure_text, "delayed connect error: Connection refused");
	scene_end(x);
}
END_TEST

START_TEST(a_name_without_address_is_no_healthy_upstream)
{
	struct exchange *x = scene_request("GET", "/plain");

	origin->url = "http://no-such-name.invalid/";
	scene_run(x);
	scene_assert_reply(
	    x, 503, "no healthy upstream", "no_healthy_upstream", "UH");
	ck_assert_uint_eq(x->attempts, 1);
	ck_assert_uint_eq(scene_count("upstream_cx_none_healthy"), 1);
	scene_end(x);
}
END_TEST

START_TEST(a_cluster_without_hosts_is_no_healthy_upstream)
{
	struct cluster none = { .conf = &scene.confs[0] };
	struct clusters empty = { .items = &none, .n = 1 };
	struct router *other = router_new(scene.loop, &empty, NULL);
	struct exchange *x = scene_request("GET", "/plain");

	router_forward(other, x);
	scene_assert_reply(
	    x, 503, "no healthy upstream", "no_healthy_upstream", "UH");
	scene_end(x);
	router_free(other);
}
END_TEST

START_TEST(an_unknown_cluster_is_answered_as_configured)
{
	static const unsigned codes[] = { 503, 404, 500 };
	struct exchange *x = scene_request("GET", "/plain");

	fake_route(x)->cluster = NULL;
	fake_action(x)->cluster_not_found_response_code = _i;
	router_forward(scene.router, x);
	scene_assert_reply(x, codes[_i], "", "cluster_not_found", "NC");
	scene_end(x);
}
END_TEST

START_TEST(a_body_that_breaks_off_is_cut)
{
	static const char *const paths[] = { "/cut-length", "/cut-chunked" };
	struct exchange *x = scene_request("GET", paths[_i]);

	scene_run(x);
	ck_assert_uint_eq(scene.front.responds, 1);
	ck_assert_uint_eq(scene.front.cuts, 1);
	ck_assert(!x->download_end);
	scene_assert_text(x->details,
	    "upstream_reset_after_response_started{protocol_error}");
	ck_assert_uint_eq(x->flags.bits, FLAG_UPE);
	scene_end(x);
}
END_TEST

START_TEST(no_answer_in_time_is_a_timeout)
{
	struct exchange *x = scene_request("GET", "/silent");

	fake_route(x)->timeout_ns = BRIEFLY;
	scene_run(x);
	scene_assert_reply(
	    x, 504, "upstream request timeout", "response_timeout", "UT");
	scene_end(x);
}
END_TEST

/* An hour later; from then on the clock stands still. */
static void
let_time_pass(struct exchange *x)
{
	(void)x;
	timer_clear(scene.loop, &scene.deadline);
	clock_set(clock_boot_ns() + 3600 * NS_PER_S, clock_wall_ns());
}

static void
hold_response(struct exchange *x)
{
	x->phase = EXCHANGE_RESPONSE;
	let_time_pass(x);
}

START_TEST(an_answer_held_by_a_filter_can_still_be_replaced)
{
	struct exchange *x = scene_request("GET", "/stalled");

	scene.front.on_respond = hold_response;
	fake_route(x)->timeout_ns = 60 * NS_PER_S;
	scene_run(x);
	ck_assert_uint_eq(scene.front.responds, 1);
	ck_assert_uint_eq(scene.front.replied, 504);
	ck_assert_uint_eq(scene.front.cuts, 0);
	scene_end(x);
}
END_TEST

START_TEST(half_an_answer_in_time_is_cut)
{
	struct exchange *x = scene_request("GET", "/stalled");

	scene.front.on_respond = let_time_pass;
	fake_route(x)->timeout_ns = 60 * NS_PER_S;
	scene_run(x);
	ck_assert_uint_eq(scene.front.responds, 1);
	ck_assert_uint_eq(scene.front.cuts, 1);
	scene_assert_text(x->details, "response_timeout");
	ck_assert_uint_eq(x->flags.bits, FLAG_UT);
	scene_end(x);
}
END_TEST

static struct exchange *uploading;

static void
finish_upload(void *arg)
{
	(void)arg;
	ck_assert_uint_eq(scene.front.replied, 0);
	uploading->upload_end = true;
	uploading->upload_end_ns = clock_boot_ns();
	router_resume(uploading);
}

START_TEST(the_timeout_counts_from_the_end_of_the_request)
{
	struct timer later = { 0 };
	struct exchange *x = scene_request("POST", "/silent");

	uploading = x;
	x->upload_end = false;
	x->upload_len = -1;
	fake_route(x)->timeout_ns = BRIEFLY;
	timer_set(scene.loop, &later, 3 * BRIEFLY, finish_upload, NULL);
	scene_run(x);
	ck_assert(x->upload_end);
	ck_assert_int_ge(clock_boot_ns() - x->upload_end_ns, BRIEFLY);
	scene_assert_reply(
	    x, 504, "upstream request timeout", "response_timeout", "UT");
	scene_end(x);
}
END_TEST

START_TEST(silence_either_way_ends_the_exchange)
{
	struct exchange *x = scene_request("POST", "/silent");

	x->upload_end = _i;
	x->upload_len = -1;
	fake_route(x)->idle_timeout_ns = BRIEFLY;
	scene_run(x);
	scene_assert_reply(
	    x, _i ? 504 : 408, "stream timeout", "stream_idle_timeout", "SI");
	scene_end(x);
}
END_TEST

START_TEST(silence_amid_the_answer_cuts_it)
{
	struct exchange *x = scene_request("GET", "/stalled");

	scene.front.on_respond = let_time_pass;
	fake_route(x)->idle_timeout_ns = 60 * NS_PER_S;
	scene_run(x);
	ck_assert_uint_eq(scene.front.cuts, 1);
	scene_assert_text(x->details, "stream_idle_timeout");
	ck_assert_uint_eq(x->flags.bits, FLAG_SI);
	scene_end(x);
}
END_TEST

static int beats;
static struct timer heart;

static void
beat(void *arg)
{
	struct exchange *x = arg;

	ck_assert_uint_eq(scene.front.replied, 0);
	router_resume(x);
	if (++beats == 8)
		loop_stop(scene.loop);
	else
		timer_set(scene.loop, &heart, BRIEFLY / 2, beat, x);
}

START_TEST(movement_keeps_the_exchange_alive)
{
	struct exchange *x = scene_request("GET", "/silent");

	fake_route(x)->idle_timeout_ns = 2 * BRIEFLY;
	router_forward(scene.router, x);
	beat(x);
	loop_run(scene.loop);
	ck_assert_int_eq(beats, 8);
	ck_assert_uint_eq(scene.front.replied, 0);
	scene_end(x);
}
END_TEST

static size_t drained;

static void
drain(struct exchange *x)
{
	if (x->phase == EXCHANGE_ANSWERING) {
		drained += buf_len(&x->download);
		buf_clear(&x->download);
		router_resume(x);
	}
	if (scene_is_over(x))
		loop_stop(scene.loop);
}

START_TEST(a_large_answer_flows_through)
{
	struct exchange *x = scene_request("GET", "/big");

	drained = 0;
	scene.front.on_changed = drain;
	scene_run(x);
	ck_assert_uint_eq(drained + buf_len(&x->download), BACKEND_BIG);
	scene_end(x);
}
END_TEST

START_TEST(an_upload_is_forwarded)
{
	struct exchange *x = scene_request("PUT", "/echo");

	ck_assert_int_eq(buf_append(&x->upload, STR("payload")), ERR_OK);
	x->upload_len = 7;
	scene_run(x);
	scene_assert_text(buf_bytes(&x->download), "payload");
	scene_end(x);
}
END_TEST

START_TEST(an_early_answer_is_complete_without_the_upload)
{
	struct exchange *x = scene_request("PUT", "/early-413");

	x->upload_end = false;
	x->upload_len = 100000;
	scene_run(x);
	ck_assert(x->download_end);
	scene_assert_text(buf_bytes(&x->download), "big");
	ck_assert_ptr_nonnull(x->router);
	router_resume(x);
	scene_end(x);
}
END_TEST

static struct task ending;

static void
end_and_stop(void *arg)
{
	router_end(arg);
	loop_stop(scene.loop);
}

static void
end_at_once(struct exchange *x)
{
	end_and_stop(x);
}

static void
end_later(struct exchange *x)
{
	task_defer(scene.loop, &ending, end_and_stop, x);
}

START_TEST(it_can_be_ended_from_whatever_it_calls)
{
	static const char *const paths[] = { "/plain", "/big", "/cut-length",
		"/nothing", "/stalled" };
	static void (*const ways[])(
	    struct exchange *) = { end_at_once, end_later };
	struct exchange *x;

	for (int way = 0; way < 4; way++) {
		x = scene_request("GET", paths[_i]);
		scene.front = (struct fake_front){ .replied = 0 };
		if (way < 2)
			scene.front.on_respond = ways[way];
		scene.front.on_changed = ways[way % 2];
		router_forward(scene.router, x);
		loop_run(scene.loop);
		ck_assert_ptr_null(x->router);
		scene_end(x);
	}
}
END_TEST

START_TEST(ending_is_harmless_in_any_phase)
{
	struct exchange *x = scene_request("GET", "/plain");

	router_end(x);
	router_resume(x);
	router_forward(scene.router, x);
	router_end(x);
	router_end(x);
	router_resume(x);
	x->router = NULL;
	scene_run(x);
	router_end(x);
	router_end(x);
	scene_end(x);
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_upstream_router(void);

Suite *
suite_upstream_router(void)
{
	Suite *s = suite_create("upstream/router");
	TCase *t = tcase_create("exchanges");

	tcase_set_timeout(t, 2 * SCENE_PATIENCE_S);
	tcase_add_checked_fixture(t, begin, scene_finish);
	tcase_add_test(t, an_answer_becomes_the_response);
	tcase_add_test(t, the_request_is_prepared);
	tcase_add_test(t, envoy_headers_can_be_suppressed);
	tcase_add_test(t, hop_by_hop_fields_of_the_answer_go_no_further);
	TABLE_TEST(t, failures, a_failed_call_is_answered_as_envoy_does);
	tcase_add_test(t, a_refused_connection_names_its_reason);
	tcase_add_test(t, a_name_without_address_is_no_healthy_upstream);
	tcase_add_test(t, a_cluster_without_hosts_is_no_healthy_upstream);
	tcase_add_loop_test(
	    t, an_unknown_cluster_is_answered_as_configured, 0, 3);
	tcase_add_loop_test(t, a_body_that_breaks_off_is_cut, 0, 2);
	tcase_add_test(t, no_answer_in_time_is_a_timeout);
	tcase_add_test(t, an_answer_held_by_a_filter_can_still_be_replaced);
	tcase_add_test(t, half_an_answer_in_time_is_cut);
	tcase_add_test(t, the_timeout_counts_from_the_end_of_the_request);
	tcase_add_loop_test(t, silence_either_way_ends_the_exchange, 0, 2);
	tcase_add_test(t, silence_amid_the_answer_cuts_it);
	tcase_add_test(t, movement_keeps_the_exchange_alive);
	tcase_add_test(t, a_large_answer_flows_through);
	tcase_add_test(t, an_upload_is_forwarded);
	tcase_add_test(t, an_early_answer_is_complete_without_the_upload);
	tcase_add_loop_test(t, it_can_be_ended_from_whatever_it_calls, 0, 5);
	tcase_add_test(t, ending_is_harmless_in_any_phase);
	suite_add_tcase(s, t);
	return s;
}
