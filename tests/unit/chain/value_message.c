#include "config.h"

#include "tests/unit/chain/rendered.h"

static const char hcm[] =
    "use_remote_address: true\n"
    "route_config:\n"
    "  virtual_hosts:\n"
    "  - {name: v, domains: ['*'], routes: [{match: {prefix: /}, route:\n"
    "     {cluster: backend, prefix_rewrite: /new}}]}\n";

static const struct rendering rows[] = {
	{ "%REQ(:METHOD)% %REQ(:SCHEME)% %REQ(:AUTHORITY)%",
	    "POST http gate.example" },
	{ "%REQ(:PATH)% %REQ(X-ENVOY-ORIGINAL-PATH)%",
	    "/newa?q=1&r=a%20b&e=&q=2 /a?q=1&r=a%20b&e=&q=2" },
	{ "%REQ(X-NONE?x-a)% %REQ(X-NONE?)% %REQ(x-a?X-NONE)%", "1 - 1" },
	{ "%REQUEST_HEADER(X-A)%", "1" },
	{ "%RESP(X-B)% %RESP(:STATUS)% %RESP(X-NONE)%", "2 201 -" },
	{ "%RESPONSE_HEADER(X-NONE?X-B)%", "2" },
	{ "%TRAILER(X-B)%%RESPONSE_TRAILER(X-B)%", "--" },
	{ "%PATH% %PATH(NQ)% %PATH(NQ:ORIG)%", "/a?q=1&r=a%20b&e=&q=2 /a /a" },
	{ "%PATH(NQ:PATH)% %PATH(WQ:PATH):6%", "/newa /newa?" },
	{ "%QUERY_PARAM(q)% %QUERY_PARAM(r)% %QUERY_PARAM(e)% "
	  "%QUERY_PARAM(none)%",
	    "1 a b  -" },
	{ "%QUERY_PARAMS(ORIG)%", "q=1&r=a%20b&e=&q=2" },
	{ "%PROTOCOL%", "HTTP/1.1" },
	{ "%BYTES_RECEIVED% %BYTES_SENT%", "5 7" },
	{ "<%LOCAL_REPLY_BODY%>", "<>" },
};

START_TEST(fields_paths_and_sizes_are_told)
{
	struct world *w = world_new(hcm);
	struct exchange *x = world_request_with_body(
	    w, "POST", "/a?q=1&r=a%20b&e=&q=2", "x-a: 1\n", 5);

	world_upload(x, "12345", true);
	world_prepare(x);
	world_respond(x, "201", "x-b: 2\n");
	x->bytes_sent = 7;
	check_rendering(w, x, &rows[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct rendering refused[] = {
	{ "%PATH(XQ)%", "Invalid PATH option: 'XQ', only 'WQ'/'NQ' are "
			"allowed" },
	{ "%QUERY_PARAM%", "QUERY_PARAM requires parameters" },
	{ "%BYTES_SENT:1%",
	    "BYTES_SENT does not take any parameters or length" },
};

START_TEST(wrong_options_are_refused)
{
	struct world *w = world_new(hcm);

	check_refusal(w, &refused[_i]);
	world_free(w);
}
END_TEST

#define LOOP(test, rows)                                                       \
	tcase_add_loop_test(t, test, 0, sizeof(rows) / sizeof((rows)[0]))

Suite *suite_chain_value_message(void);

Suite *
suite_chain_value_message(void)
{
	Suite *s = suite_create("chain/value_message");
	TCase *t = tcase_create("operators");

	LOOP(fields_paths_and_sizes_are_told, rows);
	LOOP(wrong_options_are_refused, refused);
	suite_add_tcase(s, t);
	return s;
}
