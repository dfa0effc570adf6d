#include "config.h"

#include <check.h>
#include <stdio.h>

#include "base/clock.h"
#include "chain/limits.h"
#include "tests/unit/chain/world.h"

static const char conf[] =
    "stream_idle_timeout: 3s\n"
    "request_timeout: 2s\n"
    "common_http_protocol_options: {max_stream_duration: 5s}\n"
    "route_config:\n"
    "  virtual_hosts:\n"
    "  - name: all\n"
    "    domains: [\"*\"]\n"
    "    routes:\n"
    "    - match: {path: /direct}\n"
    "      direct_response: {status: 200}\n"
    "    - match: {path: /own}\n"
    "      route: {cluster: backend, idle_timeout: 7s, "
    "max_stream_duration: {max_stream_duration: 8s}}\n"
    "    - match: {path: /off}\n"
    "      route: {cluster: backend, idle_timeout: 0s, "
    "max_stream_duration: {max_stream_duration: 0s}}\n"
    "    - match: {path: /grpc}\n"
    "      route: {cluster: backend, max_stream_duration: "
    "{grpc_timeout_header_max: 9s}}\n"
    "    - match: {path: /offset}\n"
    "      route: {cluster: backend, max_stream_duration: "
    "{grpc_timeout_header_max: 0s, grpc_timeout_header_offset: 1s}}\n"
    "    - match: {prefix: /}\n"
    "      route: {cluster: backend}\n";

#define GRPC "content-type: application/grpc\ngrpc-timeout: "

static const struct {
	const char *target, *fields;
	int64_t idle_ms, duration_ms; /* 0: never */
	const char *told; /* grpc-timeout towards the backend */
} limits[] = {
	{ "/", "", 3000, 5000, NULL },
	{ "/own", "", 7000, 8000, NULL },
	{ "/off", "", 0, 0, NULL },
	{ "/off", GRPC "1S", 0, 0, NULL },
	{ "/own", GRPC "1S", 7000, 8000, "8000m" },
	{ "/grpc", "", 3000, 5000, NULL },
	{ "/grpc", GRPC "4S", 3000, 4000, "4000m" },
	{ "/grpc", GRPC "20S", 3000, 9000, "9000m" },
	{ "/grpc", GRPC "1M", 3000, 9000, "9000m" },
	{ "/grpc", GRPC "99999999H", 3000, 9000, "9000m" },
	{ "/grpc", GRPC "1500m", 3000, 1500, "1500m" },
	{ "/grpc", GRPC "2000000u", 3000, 2000, "2000m" },
	{ "/grpc", GRPC "123456789S", 3000, 5000, "5000m" },
	{ "/grpc", GRPC "S", 3000, 5000, "5000m" },
	{ "/grpc", GRPC "-1S", 3000, 5000, "5000m" },
	{ "/grpc", GRPC "1x", 3000, 5000, "5000m" },
	{ "/offset", GRPC "3S", 3000, 2000, "2000m" },
	{ "/offset", GRPC "99999999H", 3000, 4611686017427, "76861433M" },
};

static int64_t
ms_from(int64_t start, int64_t due)
{
	return due == INT64_MAX ? 0 : (due - start) / NS_PER_MS;
}

START_TEST(limits_are_the_route_s_or_the_listener_s)
{
	struct world *w = world_new(conf);
	struct exchange *x =
	    world_request(w, "GET", limits[_i].target, limits[_i].fields);
	const char *told = world_request_header(x, "grpc-timeout");

	ck_assert_int_eq(
	    ms_from(1000, limit_due(x, LIMIT_IDLE, 1000)), limits[_i].idle_ms);
	ck_assert_int_eq(ms_from(x->start_ns, limit_due(x, LIMIT_DURATION, 0)),
	    limits[_i].duration_ms);
	if (limits[_i].told)
		ck_assert_pstr_eq(told, limits[_i].told);
	else
		ck_assert_ptr_null(told);
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(a_request_is_awaited_until_it_has_come)
{
	struct world *w = world_new(conf);
	struct exchange *x = world_request_with_body(w, "POST", "/", "", 100);

	ck_assert_int_eq(
	    ms_from(x->start_ns, limit_due(x, LIMIT_REQUEST, 0)), 2000);
	x->upload_end = true;
	ck_assert(limit_due(x, LIMIT_REQUEST, 0) == INT64_MAX);
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(an_answer_that_is_complete_may_leave_slowly)
{
	struct world *w = world_new(conf);
	struct exchange *x = world_request(w, "GET", "/direct", "");

	ck_assert_int_eq(x->phase, EXCHANGE_ANSWERING);
	ck_assert(limit_due(x, LIMIT_DURATION, 0) == INT64_MAX);
	ck_assert(limit_due(x, LIMIT_IDLE, 0) != INT64_MAX);
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct {
	enum limit limit;
	const char *body, *details, *flags;
} answers[] = {
	{ LIMIT_IDLE, "stream timeout", "stream_idle_timeout", "SI" },
	{ LIMIT_REQUEST, "request timeout", "request_overall_timeout", "-" },
	{ LIMIT_DURATION, "downstream duration timeout", "max_duration_timeout",
	    "-" },
};

START_TEST(a_reached_limit_is_answered_as_by_envoy)
{
	struct world *w = world_new(conf);
	struct exchange *x = world_request(w, "GET", "/", "");

	limit_reached(x, answers[_i].limit);
	ck_assert_int_eq(x->phase, EXCHANGE_ANSWERING);
	ck_assert_str_eq(world_response_header(x, ":status"), "504");
	ck_assert_str_eq(world_body(x), answers[_i].body);
	ck_assert(str_eq(x->details, str_of(answers[_i].details)));
	ck_assert(
	    str_eq(flags_text(x->arena, &x->flags), str_of(answers[_i].flags)));
	exchange_end(x);
	x = world_request_with_body(w, "POST", "/", "", 10);
	limit_reached(x, answers[_i].limit);
	ck_assert_str_eq(world_response_header(x, ":status"), "408");
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(an_answer_under_way_is_broken_off)
{
	struct world *w = world_new(conf);
	struct exchange *x = world_request(w, "GET", "/", "");

	world_respond(x, "200", "");
	limit_reached(x, answers[_i].limit);
	ck_assert_int_eq(x->phase, EXCHANGE_CUT);
	ck_assert(str_eq(x->details, str_of(answers[_i].details)));
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(a_call_of_grpc_has_exceeded_its_deadline)
{
	struct world *w = world_new(conf);
	struct exchange *x =
	    world_request(w, "GET", "/", "content-type: application/grpc\n");

	limit_reached(x, LIMIT_DURATION);
	ck_assert_str_eq(world_response_header(x, ":status"), "200");
	ck_assert_str_eq(world_response_header(x, "grpc-status"), "4");
	exchange_end(x);
	world_free(w);
}
END_TEST

Suite *suite_chain_limits(void);

Suite *
suite_chain_limits(void)
{
	Suite *s = suite_create("chain/limits");
	TCase *t = tcase_create("time");

	tcase_add_loop_test(t, limits_are_the_route_s_or_the_listener_s, 0,
	    sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(t, a_request_is_awaited_until_it_has_come);
	tcase_add_test(t, an_answer_that_is_complete_may_leave_slowly);
	tcase_add_loop_test(t, a_reached_limit_is_answered_as_by_envoy, 0,
	    sizeof(answers) / sizeof(answers[0]));
	tcase_add_loop_test(t, an_answer_under_way_is_broken_off, 0,
	    sizeof(answers) / sizeof(answers[0]));
	tcase_add_test(t, a_call_of_grpc_has_exceeded_its_deadline);
	suite_add_tcase(s, t);
	return s;
}
