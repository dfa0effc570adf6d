#include "config.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "module/exchange.h"
#include "state/breaker.h"
#include "tests/unit/module/envoy.h"

static int host_conf; /* stands for Envoy's */
static const void *conf;
static struct envoy_stream *s;

static struct abi_bytes
bytes(const char *text)
{
	return (struct abi_bytes){ text, strlen(text) };
}

static void
open_stream(const char *name, const char *config)
{
	envoy_begin();
	ck_assert_int_eq(unsetenv("SALLYPORT_STATE"), 0);
	conf = on_config_new(&host_conf, bytes(name), bytes(config));
	ck_assert_msg(conf, "%s", envoy_log());
	s = envoy_stream_new(&envoy_linked, conf);
}

static void
close_stream(void)
{
	envoy_stream_free(s);
	on_config_destroy(conf);
}

START_TEST(a_filter_passes_headers_on)
{
	open_stream("traps.end", "{}");
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_CONTINUE);
	envoy_text(s, ABI_CODE_DETAILS, "via_upstream");
	ck_assert_int_eq(envoy_response(s, "200"), ABI_HEADERS_CONTINUE);
	ck_assert_str_eq(
	    envoy_header_value(s, ABI_RESPONSE_HEADERS, "x-details"),
	    "via_upstream");
	envoy_complete(s);
	ck_assert_str_eq(s->metadata_value.ptr, "3 200 via_upstream");
	ck_assert_uint_eq(envoy_count("ends"), 1);
	close_stream();
}
END_TEST

START_TEST(the_response_may_come_without_the_request)
{
	open_stream("traps.end", "{}");
	ck_assert_int_eq(envoy_response(s, "401"), ABI_HEADERS_CONTINUE);
	envoy_complete(s);
	ck_assert_str_eq(s->metadata_value.ptr, "2 401 ");
	close_stream();
}
END_TEST

START_TEST(a_filter_that_never_ran_has_no_end)
{
	open_stream("traps.end", "{}");
	envoy_complete(s);
	ck_assert_uint_eq(envoy_count("ends"), 0);
	close_stream();
}
END_TEST

START_TEST(a_client_that_left_ends_the_stream_once)
{
	open_stream("traps.end", "{}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_CONTINUE);
	envoy_text(s, ABI_CODE_DETAILS, "downstream_remote_disconnect");
	envoy_complete(s);
	s->hooks->stream_complete(s, s->self);
	ck_assert_str_eq(
	    s->metadata_value.ptr, "1  downstream_remote_disconnect");
	ck_assert_uint_eq(envoy_count("ends"), 1);
	close_stream();
}
END_TEST

START_TEST(a_reply_stops_the_request)
{
	open_stream("traps.reply", "{\"where\":\"request\"}");
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->reply.n, 1);
	ck_assert_uint_eq(s->reply.status, 419);
	ck_assert(str_eq(s->reply.body, STR("trapped")));
	ck_assert(str_eq(s->reply.details, STR("trap_sprung")));
	ck_assert(str_eq(s->flags, STR("TR")));
	/* Those that would split the answer are left out. */
	ck_assert_uint_eq(s->reply.headers.n, 1);
	ck_assert(str_eq(
	    headers_get(&s->reply.headers, STR("x-trap")), STR("sprung")));
	close_stream();
}
END_TEST

START_TEST(only_the_first_reply_counts)
{
	open_stream("traps.reply", "{\"where\":\"twice\"}");
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->reply.n, 1);
	ck_assert_uint_eq(s->reply.status, 418);
	close_stream();
}
END_TEST

/* The fake asserts that nobody replies to a stream that has ended. */
START_TEST(a_reply_at_the_end_is_none)
{
	open_stream("traps.reply", "{\"where\":\"end\"}");
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_CONTINUE);
	ck_assert_int_eq(envoy_response(s, "200"), ABI_HEADERS_CONTINUE);
	envoy_complete(s);
	ck_assert_uint_eq(s->reply.n, 0);
	close_stream();
}
END_TEST

START_TEST(a_reply_from_the_response_replaces_it)
{
	open_stream("traps.reply", "{\"where\":\"response\"}");
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_CONTINUE);
	ck_assert_int_eq(envoy_response(s, "200"), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->reply.status, 420);
	close_stream();
}
END_TEST

/* The end waits until the filter's callback has returned. */
START_TEST(a_reply_that_ends_the_stream_inline_is_survived)
{
	open_stream("traps.reply", "{\"where\":\"request\"}");
	s->ends_with_reply = true;
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_STOP);
	ck_assert(s->destroyed);
	ck_assert_ptr_nonnull(
	    strstr(envoy_log(), "traps.reply ended, 11, 419 trap_sprung\n"));
	close_stream();
}
END_TEST

START_TEST(a_refusal_that_ends_inline_is_no_outcome)
{
	struct breaker_rules rules = { 1, NS_PER_S, NS_PER_S };
	struct state *state;
	uint64_t opened;
	int id;

	open_stream("sallyport.breaker", "{\"failures\":1}");
	state = ((const struct module_conf *)conf)->state;
	id = breaker_find(state, STR("one"));
	ck_assert_int_ge(id, 0);
	(void)breaker_failure(state, id, false, &rules, clock_boot_now_ns());
	opened = breaker_opened(state, id);
	s->ends_with_reply = true;
	envoy_text(s, ABI_CLUSTER_NAME, "one");
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->reply.status, 503);
	ck_assert_uint_eq(breaker_opened(state, id), opened);
	ck_assert_uint_eq(envoy_count("breaker.refused"), 1);
	close_stream();
}
END_TEST

START_TEST(a_filter_that_waits_for_nothing_is_answered)
{
	open_stream("traps.wait", "{}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->reply.status, 500);
	ck_assert(str_eq(s->reply.details, STR("sallyport_broken_filter")));
	ck_assert_int_eq(envoy_body(s, "x", true), ABI_BODY_STOP_NO_BUFFER);
	close_stream();
	open_stream("traps.reply", "{\"where\":\"nowhere\"}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->reply.status, 500);
	close_stream();
}
END_TEST

START_TEST(a_route_configuration_of_another_filter_is_no_permission)
{
	const void *own = on_route_config_new(bytes("sallyport.rate_limit"),
	    bytes("{\"limit\":1,\"window\":\"60s\"}"));
	struct module_conf foreign = { .filter = filter_registry[0] };

	open_stream("sallyport.rate_limit", "{}");
	s->route_conf = own;
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_CONTINUE);
	close_stream();
	open_stream("sallyport.rate_limit", "{}");
	s->route_conf = &foreign;
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->reply.status, 500);
	ck_assert(
	    str_eq(s->reply.details, STR("sallyport_foreign_route_config")));
	ck_assert_ptr_nonnull(
	    strstr(envoy_log(), "a configuration of traps.body for the filter "
				"sallyport.rate_limit"));
	close_stream();
	on_route_config_destroy(own);
}
END_TEST

START_TEST(a_limit_counts_and_says_what_is_left)
{
	open_stream("sallyport.rate_limit", "{\"limit\":2,\"window\":\"60s\"}");
	for (int left = 1; left >= 0; left--) {
		char text[32];

		(void)snprintf(
		    text, sizeof(text), "\"default\";r=%d;t=60", left);
		ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_CONTINUE);
		(void)envoy_response(s, "200");
		ck_assert_str_eq(
		    envoy_header_value(s, ABI_RESPONSE_HEADERS, "ratelimit"),
		    text);
		envoy_stream_free(s);
		s = envoy_stream_new(&envoy_linked, conf);
	}
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->reply.status, 429);
	ck_assert(str_eq(s->flags, STR("RL")));
	ck_assert_uint_eq(envoy_count("rate_limit.ok"), 2);
	ck_assert_uint_eq(envoy_count("rate_limit.limited"), 1);
	close_stream();
}
END_TEST

enum { THREADS = 4, REQUESTS = 500 };

/* As a worker of Envoy does; returns how many were let through. */
static void *
ask_many(void *passed)
{
	for (int i = 0; i < REQUESTS; i++) {
		struct envoy_stream *one =
		    envoy_stream_new(&envoy_linked, conf);

		(void)envoy_request(one, true);
		*(int *)passed += one->reply.n == 0;
		envoy_stream_free(one);
	}
	return NULL;
}

START_TEST(threads_share_one_limit)
{
	pthread_t threads[THREADS];
	int passed[THREADS] = { 0 }, sum = 0;

	open_stream(
	    "sallyport.rate_limit", "{\"limit\":100,\"window\":\"600s\"}");
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, ask_many, &passed[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		sum += passed[i];
	}
	ck_assert_int_eq(sum, 100);
	ck_assert_uint_eq(envoy_count("rate_limit.ok"), 100);
	ck_assert_uint_eq(
	    envoy_count("rate_limit.limited"), THREADS * REQUESTS - 100);
	close_stream();
}
END_TEST

/* CONNECT has no path, and a reset may come before anything else. */
START_TEST(a_stream_without_fields_is_no_trouble)
{
	static const char *const all[][2] = { { "sallyport.health", "{}" },
		{ "sallyport.rewrite", "{\"pattern\":\"a*\"}" },
		{ "sallyport.rate_limit",
		    "{\"limit\":1,\"window\":\"1s\",\"key_header\":\"host\"}" },
		{ "sallyport.breaker", "{}" }, { "sallyport.location", "{}" } };

	open_stream(all[_i][0], all[_i][1]);
	(void)headers_remove(&s->maps[ABI_REQUEST_HEADERS], STR(":method"));
	(void)headers_remove(&s->maps[ABI_REQUEST_HEADERS], STR(":path"));
	(void)headers_remove(&s->maps[ABI_REQUEST_HEADERS], STR(":authority"));
	(void)headers_remove(&s->maps[ABI_REQUEST_HEADERS], STR(":scheme"));
	envoy_text(s, ABI_SOURCE_ADDRESS, NULL);
	(void)envoy_request(s, true);
	s->has_map[ABI_RESPONSE_HEADERS] = true;
	(void)s->hooks->response_headers(s, s->self, true);
	close_stream();
}
END_TEST

Suite *suite_module_stream(void);

Suite *
suite_module_stream(void)
{
	Suite *suite = suite_create("module/stream");
	TCase *t = tcase_create("stream");

	tcase_add_test(t, a_filter_passes_headers_on);
	tcase_add_test(t, the_response_may_come_without_the_request);
	tcase_add_test(t, a_filter_that_never_ran_has_no_end);
	tcase_add_test(t, a_client_that_left_ends_the_stream_once);
	tcase_add_test(t, a_reply_stops_the_request);
	tcase_add_test(t, only_the_first_reply_counts);
	tcase_add_test(t, a_reply_at_the_end_is_none);
	tcase_add_test(t, a_reply_from_the_response_replaces_it);
	tcase_add_test(t, a_reply_that_ends_the_stream_inline_is_survived);
	tcase_add_test(t, a_refusal_that_ends_inline_is_no_outcome);
	tcase_add_test(t, a_filter_that_waits_for_nothing_is_answered);
	tcase_add_test(
	    t, a_route_configuration_of_another_filter_is_no_permission);
	tcase_add_test(t, a_limit_counts_and_says_what_is_left);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, threads_share_one_limit);
	tcase_add_loop_test(t, a_stream_without_fields_is_no_trouble, 0, 5);
	suite_add_tcase(suite, t);
	return suite;
}
