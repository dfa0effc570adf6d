#include "config.h"

#include <check.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/unit/upstream/backend.h"
#include "tests/unit/upstream/fake_chain.h"
#include "upstream/router.h"

enum { PATIENCE_S = 20 };
#define BRIEFLY (50 * NS_PER_MS)

static struct backend backend;
static struct loop *loop;
static struct arena *arena;
static struct timer deadline;
static struct client_origin *origin;
static struct conf_cluster conf;
static struct clusters *clusters;
static struct router *router;
static struct fake_front front;

static void
too_late(void *arg)
{
	(void)arg;
	ck_abort_msg("nothing happened for too long");
}

static void
begin(void)
{
	struct cluster_host *host;
	struct cluster *cluster;

	backend_start(&backend);
	loop = loop_new();
	arena = arena_new(4096);
	timer_set(loop, &deadline, PATIENCE_S * NS_PER_S, too_late, NULL);
	host = ARENA_NEW(arena, struct cluster_host);
	origin = &host->origin;
	origin->url = backend.url;
	origin->connect_timeout_ms = 5000;
	host->weight = 1;
	cluster = ARENA_NEW(arena, struct cluster);
	*cluster = (struct cluster){ .conf = &conf,
		.stat_name = STR("one"),
		.hosts = host,
		.n = 1,
		.thresholds = { { 1024, 1024, 1024, 3, false, 0, 0 },
		    { 1024, 1024, 1024, 3, false, 0, 0 } } };
	clusters = ARENA_NEW(arena, struct clusters);
	*clusters = (struct clusters){
		.items = cluster, .n = 1, .n_hosts = 1, .n_origins = 1
	};
	router = router_new(loop, clusters, NULL);
	front = (struct fake_front){ .replied = 0 };
}

static void
finish(void)
{
	timer_clear(loop, &deadline);
	router_free(router);
	loop_free(loop);
	arena_free(arena);
	backend_stop(&backend);
}

static struct exchange *
request(const char *method, const char *path)
{
	struct exchange *x = fake_exchange(arena, &front);

	fake_route(x)->cluster = &conf;
	headers_add(&x->request, STR(":method"), str_of(method));
	headers_add(&x->request, STR(":path"), str_of(path));
	headers_add(&x->request, STR(":authority"), STR("front.test"));
	headers_add(&x->request, STR(":scheme"), STR("http"));
	return x;
}

static bool
is_over(const struct exchange *x)
{
	return x->phase == EXCHANGE_CUT || front.replied || x->download_end;
}

static void
stop_if_over(struct exchange *x)
{
	if (is_over(x))
		loop_stop(loop);
}

static void
run(struct exchange *x)
{
	if (!front.on_changed)
		front.on_changed = stop_if_over;
	router_forward(router, x);
	while (!is_over(x))
		loop_run(loop);
}

static void
end(struct exchange *x)
{
	router_end(x);
	buf_free(&x->upload);
	buf_free(&x->download);
}

static void
assert_text(struct str got, const char *expected)
{
	if (!str_eq(got, str_of(expected)))
		ck_abort_msg("got \"" STR_FMT "\", expected \"%s\"",
		    STR_ARG(got), expected);
}

static void
assert_reply(
    struct exchange *x, unsigned status, const char *body, const char *details)
{
	ck_assert_uint_eq(front.replied, status);
	ck_assert_uint_eq(front.responds, 0);
	assert_text(x->local_body, body);
	assert_text(x->details, details);
}

START_TEST(an_answer_becomes_the_response)
{
	struct exchange *x = request("GET", "/plain");

	run(x);
	ck_assert_uint_eq(front.responds, 1);
	ck_assert_uint_eq(front.replied, 0);
	assert_text(x->response.items[0].name, ":status");
	assert_text(x->response.items[0].value, "200");
	assert_text(headers_joined(&x->response, STR("x-a")), "1,2");
	assert_text(headers_get(&x->response, STR("content-length")), "5");
	ck_assert_ptr_nonnull(
	    headers_get(&x->response, STR("x-envoy-upstream-service-time"))
		.ptr);
	assert_text(buf_bytes(&x->download), "hello");
	assert_text(x->details, "via_upstream");
	assert_text(x->upstream_host,
	    arena_printf(arena, "127.0.0.1:%d", backend.port).ptr);
	ck_assert_uint_eq(x->flags.bits, 0);
	ck_assert_uint_eq(x->attempts, 1);
	ck_assert_ptr_eq(x->cluster, &conf);
	ck_assert_int_gt(x->upstream_headers_ns, 0);
	ck_assert(x->download_end);
	end(x);
}
END_TEST

START_TEST(the_request_is_prepared)
{
	struct exchange *x = request("GET", "/request");

	fake_route(x)->timeout_ns = 15 * NS_PER_S;
	headers_add(&x->request, STR("te"), STR("trailers"));
	run(x);
	assert_text(buf_bytes(&x->download),
	    "GET /request HTTP/1.1\r\nHost: front.test\r\nte: trailers\r\n"
	    "x-envoy-expected-rq-timeout-ms: 15000\r\nx-prepared: yes\r\n\r\n");
	end(x);
}
END_TEST

START_TEST(envoy_headers_can_be_suppressed)
{
	struct exchange *x = request("GET", "/request");

	fake_gateway(x)->suppress_envoy_headers = true;
	fake_route(x)->timeout_ns = 15 * NS_PER_S;
	run(x);
	assert_text(buf_bytes(&x->download),
	    "GET /request HTTP/1.1\r\nHost: front.test\r\nx-prepared: yes\r\n"
	    "\r\n");
	ck_assert_ptr_null(
	    headers_get(&x->response, STR("x-envoy-upstream-service-time"))
		.ptr);
	end(x);
}
END_TEST

START_TEST(hop_by_hop_fields_of_the_answer_go_no_further)
{
	struct exchange *x = request("GET", "/early-close");

	run(x);
	ck_assert_ptr_null(headers_get(&x->response, STR("connection")).ptr);
	end(x);
	x = request("GET", "/chunked");
	run(x);
	ck_assert_ptr_null(
	    headers_get(&x->response, STR("transfer-encoding")).ptr);
	assert_text(buf_bytes(&x->download), "hello world");
	end(x);
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
	struct exchange *x = request("GET", failures[_i].path);
	struct str details;
	char *text;

	run(x);
	details = arena_printf(arena,
	    "upstream_reset_before_response_started{%s}", failures[_i].reason);
	text = arena_cstr(arena, details);
	while (strchr(text, ' '))
		*strchr(text, ' ') = '_';
	assert_reply(x, failures[_i].status,
	    arena_printf(arena,
		"upstream connect error or disconnect/reset before headers. "
		"reset reason: %s",
		failures[_i].reason)
		.ptr,
	    text);
	ck_assert_str_eq(front.flag, failures[_i].flag);
	ck_assert_ptr_null(x->failure_text.ptr);
	end(x);
}
END_TEST

START_TEST(a_refused_connection_names_its_reason)
{
	struct exchange *x = request("GET", "/plain");

	origin->url =
	    arena_printf(arena, "http://127.0.0.1:%d/", backend_dead_port())
		.ptr;
	run(x);
	assert_reply(x, 503,
	    "upstream connect error or disconnect/reset before headers. "
	    "reset reason: remote connection failure",
	    "upstream_reset_before_response_started{remote_connection_failure"
	    "|delayed_connect_error:_Connection_refused}");
	ck_assert_str_eq(front.flag, "UF");
	assert_text(
	    x->failure_text, "delayed connect error: Connection refused");
	end(x);
}
END_TEST

START_TEST(a_name_without_address_is_no_healthy_upstream)
{
	struct exchange *x = request("GET", "/plain");

	origin->url = "http://no-such-name.invalid/";
	run(x);
	assert_reply(x, 503, "no healthy upstream", "no_healthy_upstream");
	ck_assert_str_eq(front.flag, "UH");
	ck_assert_uint_eq(x->attempts, 0);
	end(x);
}
END_TEST

START_TEST(a_cluster_without_hosts_is_no_healthy_upstream)
{
	struct cluster none = { .conf = &conf };
	struct clusters empty = { .items = &none, .n = 1 };
	struct router *other = router_new(loop, &empty, NULL);
	struct exchange *x = request("GET", "/plain");

	router_forward(other, x);
	assert_reply(x, 503, "no healthy upstream", "no_healthy_upstream");
	ck_assert_str_eq(front.flag, "UH");
	end(x);
	router_free(other);
}
END_TEST

START_TEST(an_unknown_cluster_is_answered_as_configured)
{
	static const unsigned codes[] = { 503, 404, 500 };
	struct exchange *x = request("GET", "/plain");

	fake_route(x)->cluster = NULL;
	fake_action(x)->cluster_not_found_response_code = _i;
	router_forward(router, x);
	assert_reply(x, codes[_i], "", "cluster_not_found");
	ck_assert_str_eq(front.flag, "NC");
	end(x);
}
END_TEST

START_TEST(a_body_that_breaks_off_is_cut)
{
	static const char *const paths[] = { "/cut-length", "/cut-chunked" };
	struct exchange *x = request("GET", paths[_i]);

	run(x);
	ck_assert_uint_eq(front.responds, 1);
	ck_assert_uint_eq(front.cuts, 1);
	ck_assert(!x->download_end);
	assert_text(x->details,
	    "upstream_reset_after_response_started{protocol_error}");
	ck_assert_uint_eq(x->flags.bits, FLAG_UPE);
	end(x);
}
END_TEST

START_TEST(no_answer_in_time_is_a_timeout)
{
	struct exchange *x = request("GET", "/silent");

	fake_route(x)->timeout_ns = BRIEFLY;
	run(x);
	assert_reply(x, 504, "upstream request timeout", "response_timeout");
	ck_assert_str_eq(front.flag, "UT");
	end(x);
}
END_TEST

/* An hour later; from then on the clock stands still. */
static void
let_time_pass(struct exchange *x)
{
	(void)x;
	timer_clear(loop, &deadline);
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
	struct exchange *x = request("GET", "/stalled");

	front.on_respond = hold_response;
	fake_route(x)->timeout_ns = 60 * NS_PER_S;
	run(x);
	ck_assert_uint_eq(front.responds, 1);
	ck_assert_uint_eq(front.replied, 504);
	ck_assert_uint_eq(front.cuts, 0);
	end(x);
}
END_TEST

START_TEST(half_an_answer_in_time_is_cut)
{
	struct exchange *x = request("GET", "/stalled");

	front.on_respond = let_time_pass;
	fake_route(x)->timeout_ns = 60 * NS_PER_S;
	run(x);
	ck_assert_uint_eq(front.responds, 1);
	ck_assert_uint_eq(front.cuts, 1);
	assert_text(x->details, "response_timeout");
	ck_assert_uint_eq(x->flags.bits, FLAG_UT);
	end(x);
}
END_TEST

static struct exchange *uploading;

static void
finish_upload(void *arg)
{
	(void)arg;
	ck_assert_uint_eq(front.replied, 0);
	uploading->upload_end = true;
	uploading->upload_end_ns = clock_boot_ns();
	router_resume(uploading);
}

START_TEST(the_timeout_counts_from_the_end_of_the_request)
{
	struct timer later = { 0 };
	struct exchange *x = request("POST", "/silent");

	uploading = x;
	x->upload_end = false;
	x->upload_len = -1;
	fake_route(x)->timeout_ns = BRIEFLY;
	timer_set(loop, &later, 3 * BRIEFLY, finish_upload, NULL);
	run(x);
	ck_assert(x->upload_end);
	ck_assert_int_ge(clock_boot_ns() - x->upload_end_ns, BRIEFLY);
	assert_reply(x, 504, "upstream request timeout", "response_timeout");
	end(x);
}
END_TEST

START_TEST(silence_either_way_ends_the_exchange)
{
	struct exchange *x = request("POST", "/silent");

	x->upload_end = _i;
	x->upload_len = -1;
	fake_route(x)->idle_timeout_ns = BRIEFLY;
	run(x);
	assert_reply(
	    x, _i ? 504 : 408, "stream timeout", "stream_idle_timeout");
	ck_assert_str_eq(front.flag, "SI");
	end(x);
}
END_TEST

START_TEST(silence_amid_the_answer_cuts_it)
{
	struct exchange *x = request("GET", "/stalled");

	front.on_respond = let_time_pass;
	fake_route(x)->idle_timeout_ns = 60 * NS_PER_S;
	run(x);
	ck_assert_uint_eq(front.cuts, 1);
	assert_text(x->details, "stream_idle_timeout");
	ck_assert_uint_eq(x->flags.bits, FLAG_SI);
	end(x);
}
END_TEST

static int beats;
static struct timer heart;

static void
beat(void *arg)
{
	struct exchange *x = arg;

	ck_assert_uint_eq(front.replied, 0);
	router_resume(x);
	if (++beats == 8)
		loop_stop(loop);
	else
		timer_set(loop, &heart, BRIEFLY / 2, beat, x);
}

START_TEST(movement_keeps_the_exchange_alive)
{
	struct exchange *x = request("GET", "/silent");

	fake_route(x)->idle_timeout_ns = 2 * BRIEFLY;
	router_forward(router, x);
	beat(x);
	loop_run(loop);
	ck_assert_int_eq(beats, 8);
	ck_assert_uint_eq(front.replied, 0);
	end(x);
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
	stop_if_over(x);
}

START_TEST(a_large_answer_flows_through)
{
	struct exchange *x = request("GET", "/big");

	drained = 0;
	front.on_changed = drain;
	run(x);
	ck_assert_uint_eq(drained + buf_len(&x->download), BACKEND_BIG);
	end(x);
}
END_TEST

START_TEST(an_upload_is_forwarded)
{
	struct exchange *x = request("PUT", "/echo");

	ck_assert_int_eq(buf_append(&x->upload, STR("payload")), ERR_OK);
	x->upload_len = 7;
	run(x);
	assert_text(buf_bytes(&x->download), "payload");
	end(x);
}
END_TEST

START_TEST(an_early_answer_is_complete_without_the_upload)
{
	struct exchange *x = request("PUT", "/early-413");

	x->upload_end = false;
	x->upload_len = 100000;
	run(x);
	ck_assert(x->download_end);
	assert_text(buf_bytes(&x->download), "big");
	ck_assert_ptr_nonnull(x->router);
	router_resume(x);
	end(x);
}
END_TEST

static struct task ending;

static void
end_and_stop(void *arg)
{
	router_end(arg);
	loop_stop(loop);
}

static void
end_at_once(struct exchange *x)
{
	end_and_stop(x);
}

static void
end_later(struct exchange *x)
{
	task_defer(loop, &ending, end_and_stop, x);
}

START_TEST(it_can_be_ended_from_whatever_it_calls)
{
	static const char *const paths[] = { "/plain", "/big", "/cut-length",
		"/nothing", "/stalled" };
	static void (*const ways[])(
	    struct exchange *) = { end_at_once, end_later };
	struct exchange *x;

	for (int way = 0; way < 4; way++) {
		x = request("GET", paths[_i]);
		front = (struct fake_front){ .replied = 0 };
		if (way < 2)
			front.on_respond = ways[way];
		front.on_changed = ways[way % 2];
		router_forward(router, x);
		loop_run(loop);
		ck_assert_ptr_null(x->router);
		end(x);
	}
}
END_TEST

START_TEST(ending_is_harmless_in_any_phase)
{
	struct exchange *x = request("GET", "/plain");

	router_end(x);
	router_resume(x);
	router_forward(router, x);
	router_end(x);
	router_end(x);
	router_resume(x);
	x->router = NULL;
	run(x);
	router_end(x);
	router_end(x);
	end(x);
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

	tcase_set_timeout(t, 2 * PATIENCE_S);
	tcase_add_checked_fixture(t, begin, finish);
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
