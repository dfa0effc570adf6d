#include "config.h"

#include "tests/unit/chain/rendered.h"

static const char hcm[] =
    "use_remote_address: true\n"
    "route_config:\n"
    "  virtual_hosts:\n"
    "  - {name: v, domains: ['*'], routes: [{match: {prefix: /up}, route:\n"
    "     {cluster: backend}}]}\n";

static const struct rendering before[] = {
	{ "%RESPONSE_CODE%", "0" },
	{ "%RESPONSE_CODE_DETAILS%", "-" },
	{ "%RESPONSE_FLAGS%|%RESPONSE_FLAGS_LONG%", "-|-" },
	{ "%GRPC_STATUS%", "-" },
	{ "%ACCESS_LOG_TYPE%", "NotSet" },
};

START_TEST(before_the_answer_there_is_little)
{
	struct world *w = world_new(hcm);
	struct exchange *x = world_request(w, "GET", "/up", "");

	check_rendering(w, x, &before[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct rendering lost[] = {
	{ "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS%", "404 route_not_found" },
	{ "%RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG%", "NR NoRouteFound" },
	{ "%CONNECTION_TERMINATION_DETAILS%", "-" },
	{ "%UPSTREAM_TRANSPORT_FAILURE_REASON%", "-" },
	{ "%DOWNSTREAM_WIRE_BYTES_SENT%", "0" },
	{ "<%CUSTOM_FLAGS%>", "<>" },
	{ "%TRACE_ID%%SPAN_ID%", "--" },
};

START_TEST(replies_tell_their_reason)
{
	struct world *w = world_new(hcm);
	struct exchange *x = world_request(w, "GET", "/none", "");

	check_rendering(w, x, &lost[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct rendering answered[] = {
	{ "%GRPC_STATUS%", "NotFound" },
	{ "%GRPC_STATUS(CAMEL_STRING)%", "NotFound" },
	{ "%GRPC_STATUS(SNAKE_STRING)%", "NOT_FOUND" },
	{ "%GRPC_STATUS(NUMBER)% %GRPC_STATUS_NUMBER%", "5 5" },
	{ "%RESPONSE_CODE_DETAILS%", "spaced_out_text" },
	{ "%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%", "spaced out text" },
	{ "%UPSTREAM_TRANSPORT_FAILURE_REASON%", "it_went_wrong" },
};

START_TEST(answers_tell_their_status)
{
	struct world *w = world_new(hcm);
	struct exchange *x =
	    world_request(w, "POST", "/up", "content-type: application/grpc\n");

	world_respond(x, "200", "grpc-status: 5\n");
	x->details = STR("spaced out text");
	x->failure_text = STR("it went wrong");
	check_rendering(w, x, &answered[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(options_of_the_grpc_status_are_checked)
{
	struct world *w = world_new(hcm);

	check_refusal(w, &(struct rendering){ "%GRPC_STATUS(x)%",
			     "GrpcStatusFormatter only supports CAMEL_STRING, "
			     "SNAKE_STRING or NUMBER." });
	world_free(w);
}
END_TEST

#define LOOP(test, rows)                                                       \
	tcase_add_loop_test(t, test, 0, sizeof(rows) / sizeof((rows)[0]))

Suite *suite_chain_value_outcome(void);

Suite *
suite_chain_value_outcome(void)
{
	Suite *s = suite_create("chain/value_outcome");
	TCase *t = tcase_create("operators");

	LOOP(before_the_answer_there_is_little, before);
	LOOP(replies_tell_their_reason, lost);
	LOOP(answers_tell_their_status, answered);
	tcase_add_test(t, options_of_the_grpc_status_are_checked);
	suite_add_tcase(s, t);
	return s;
}
