#include "config.h"

#include <check.h>

#include "config/diag.h"
#include "tests/unit/chain/world.h"

static const char plain[] =
    "use_remote_address: true\n"
    "normalize_path: true\n"
    "merge_slashes: true\n"
    "always_set_request_id_in_response: true\n"
    "preserve_external_request_id: true\n"
    "route_config:\n"
    "  virtual_hosts:\n"
    "  - name: all\n"
    "    domains: [\"*\"]\n"
    "    response_headers_to_add:\n"
    "    - header: {key: x-vhost, value: v}\n"
    "    routes:\n"
    "    - name: users\n"
    "      match: {path_separated_prefix: /api/users}\n"
    "      route:\n"
    "        cluster: backend\n"
    "        regex_rewrite: {pattern: {regex: \"^/api/users/?(.*)$\"}, "
    "substitution: '/\\1'}\n"
    "        host_rewrite_literal: 127.0.0.1:3001\n"
    "        append_x_forwarded_host: true\n"
    "      request_headers_to_add:\n"
    "      - header: {key: x-route, value: \"%REQ(:PATH)%\"}\n"
    "    - match: {path: /old}\n"
    "      redirect: {path_redirect: /new, https_redirect: true}\n"
    "    - match: {prefix: /only-post, headers: [{name: \":method\", "
    "string_match: {exact: POST}}]}\n"
    "      route: {cluster: backend, prefix_rewrite: /}\n"
    "    - match: {prefix: /only-post}\n"
    "      direct_response: {status: 405, body: {inline_string: nope}}\n"
    "      response_headers_to_add: [{header: {key: allow, value: POST}}]\n";

static const struct {
	const char *target;
	const char *forwarded; /* NULL: not forwarded */
	const char *status;
} paths[] = {
	{ "/api/users", "/", NULL },
	{ "/api/users/", "/", NULL },
	{ "/api/users/7?a=%2F&b=//", "/7?a=%2F&b=//", NULL },
	{ "/api/usersevil", NULL, "404" },
	{ "/api/x/../users/7", "/7", NULL },
	{ "/api/%75sers/7", "/7", NULL },
	{ "//api///users//7", "/7", NULL },
	{ "/api/users/a%2Fb", "/a%2Fb", NULL },
	{ "/api/users/..;/admin", NULL, "404" },
	{ "/api/users/%00", NULL, "400" },
	{ "/api/users#frag", NULL, "400" },
	{ "/api/users/../../etc", NULL, "404" },
	{ "/old", NULL, "301" },
	{ "/only-post", NULL, "405" },
	{ "/", NULL, "404" },
};

START_TEST(targets_are_normalised_matched_by_segment_and_stripped)
{
	struct world *w = world_new(plain);
	struct exchange *x = world_request(w, "GET", paths[_i].target, "");

	if (paths[_i].forwarded) {
		world_prepare(x);
		ck_assert_str_eq(
		    world_request_header(x, ":path"), paths[_i].forwarded);
	} else {
		ck_assert_int_eq(x->phase, EXCHANGE_ANSWERING);
		ck_assert_uint_eq(w->forwarded, 0);
		ck_assert_str_eq(
		    world_response_header(x, ":status"), paths[_i].status);
	}
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(forwarding_fields_are_set_and_client_copies_removed)
{
	struct world *w = world_new(plain);
	struct exchange *x = world_request(w, "GET", "/api/users/1",
	    "x-forwarded-for: 203.0.113.9\n"
	    "x-forwarded-proto: https\n"
	    "x-envoy-retry-on: 5xx\n"
	    "x-envoy-internal: true\n"
	    "connection: close, x-hop\n"
	    "x-hop: 1\n"
	    "te: gzip\n"
	    "x-dup: a\n"
	    "x-dup: b\n");

	world_prepare(x);
	ck_assert_str_eq(world_request_header(x, "x-forwarded-for"),
	    "203.0.113.9,192.0.2.7");
	ck_assert_str_eq(world_request_header(x, "x-forwarded-proto"), "http");
	ck_assert_str_eq(
	    world_request_header(x, "x-forwarded-host"), "gate.example");
	ck_assert_str_eq(
	    world_request_header(x, ":authority"), "127.0.0.1:3001");
	ck_assert_str_eq(world_request_header(x, "x-route"), "/api/users/1");
	ck_assert_str_eq(world_request_header(x, "x-dup"), "a,b");
	ck_assert_uint_eq(strlen(world_request_header(x, "x-request-id")), 36);
	ck_assert_ptr_null(world_request_header(x, "x-envoy-retry-on"));
	ck_assert_ptr_null(world_request_header(x, "x-envoy-internal"));
	ck_assert_ptr_null(world_request_header(x, "connection"));
	ck_assert_ptr_null(world_request_header(x, "x-hop"));
	ck_assert_ptr_null(world_request_header(x, "te"));
	ck_assert(str_eq(x->client_address, STR("192.0.2.7")));
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(a_response_gets_the_route_fields_and_the_request_id)
{
	struct world *w = world_new(plain);
	struct exchange *x =
	    world_request(w, "GET", "/api/users", "x-request-id: mine\n");

	world_respond(x, "200", "x-a: 1\nx-a: 2\nkeep-alive: timeout=5\n");
	ck_assert_int_eq(x->phase, EXCHANGE_ANSWERING);
	ck_assert_str_eq(world_response_header(x, "x-a"), "1,2");
	ck_assert_str_eq(world_response_header(x, "x-vhost"), "v");
	ck_assert_str_eq(world_response_header(x, "x-request-id"), "mine");
	ck_assert_ptr_null(world_response_header(x, "keep-alive"));
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(a_direct_response_carries_body_length_and_route_fields)
{
	struct world *w = world_new(plain);
	struct exchange *x = world_request(w, "PUT", "/only-post/x", "");

	ck_assert_str_eq(world_response_header(x, "allow"), "POST");
	ck_assert_str_eq(world_response_header(x, "content-length"), "4");
	ck_assert_str_eq(
	    world_response_header(x, "content-type"), "text/plain");
	ck_assert_str_eq(world_body(x), "nope");
	ck_assert(x->download_end);
	ck_assert(str_eq(x->details, STR("direct_response")));
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(a_local_reply_to_head_has_a_length_and_no_body)
{
	struct world *w = world_new(plain);
	struct exchange *x = world_request(w, "HEAD", "/only-post/x", "");

	ck_assert_str_eq(world_response_header(x, "content-length"), "4");
	ck_assert_str_eq(world_body(x), "");
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(a_redirect_keeps_the_query)
{
	struct world *w = world_new(plain);
	struct exchange *x = world_request(w, "GET", "/old?q=1", "");

	ck_assert_str_eq(world_response_header(x, "location"),
	    "https://gate.example/new?q=1");
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(local_reply_config_turns_an_empty_404_into_json)
{
	struct world *w = world_new(
	    "local_reply_config:\n"
	    "  mappers:\n"
	    "  - filter: {status_code_filter: {comparison: {op: EQ, value: "
	    "{default_value: 404, runtime_key: x}}}}\n"
	    "    body: {inline_string: no such route}\n"
	    "  body_format: {json_format: {status: \"%RESPONSE_CODE%\", "
	    "error: \"%LOCAL_REPLY_BODY%\"}}\n"
	    "route_config: {virtual_hosts: []}\n");
	struct exchange *x = world_request(w, "GET", "/", "");

	ck_assert_str_eq(
	    world_body(x), "{\"error\":\"no such route\",\"status\":404}\n");
	ck_assert_str_eq(
	    world_response_header(x, "content-type"), "application/json");
	ck_assert(str_eq(flags_text(x->arena, &x->flags), STR("NR")));
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(too_many_or_too_large_fields_are_431)
{
	struct world *w = world_new(
	    "max_request_headers_kb: 1\nroute_config: {virtual_hosts: []}\n");
	char line[2048] = "x-big: ";
	struct exchange *x;

	memset(line + 7, 'a', 1500);
	line[1507] = '\0';
	x = world_request(w, "GET", "/", line);
	ck_assert_str_eq(world_response_header(x, ":status"), "431");
	ck_assert_str_eq(world_body(x), "Request Header Fields Too Large");
	exchange_end(x);
	world_free(w);
}
END_TEST

Suite *suite_chain_exchange(void);

Suite *
suite_chain_exchange(void)
{
	Suite *s = suite_create("chain/exchange");
	TCase *t = tcase_create("ways");

	tcase_add_loop_test(t,
	    targets_are_normalised_matched_by_segment_and_stripped, 0,
	    sizeof(paths) / sizeof(paths[0]));
	tcase_add_test(t, forwarding_fields_are_set_and_client_copies_removed);
	tcase_add_test(t, a_response_gets_the_route_fields_and_the_request_id);
	tcase_add_test(
	    t, a_direct_response_carries_body_length_and_route_fields);
	tcase_add_test(t, a_local_reply_to_head_has_a_length_and_no_body);
	tcase_add_test(t, a_redirect_keeps_the_query);
	tcase_add_test(t, local_reply_config_turns_an_empty_404_into_json);
	tcase_add_test(t, too_many_or_too_large_fields_are_431);
	suite_add_tcase(s, t);
	return s;
}
