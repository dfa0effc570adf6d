#include "config.h"

#include <check.h>

#include "state/counter.h"
#include "tests/unit/chain/world.h"

static const char no_routes[] = "route_config: {virtual_hosts: []}\n";

/* A request without the fields that world_exchange gives it. */
static struct exchange *
bare(struct world *w, struct str protocol)
{
	struct exchange *x = world_exchange(w, "GET", "/", "");

	x->peer.protocol = protocol;
	headers_remove(&x->request, STR(":authority"));
	return x;
}

static uint64_t
counted(struct world *w, const char *name)
{
	struct str full =
	    arena_printf(w->arena, "http.test.downstream_rq_%s", name);

	return counter_get(w->state, counter_find(w->state, full));
}

static void
check_refused(struct exchange *x, const char *status, const char *details)
{
	ck_assert_int_eq(x->phase, EXCHANGE_ANSWERING);
	ck_assert_str_eq(world_response_header(x, ":status"), status);
	ck_assert_msg(
	    str_eq(x->details, str_of(details)), STR_FMT, STR_ARG(x->details));
}

static const struct {
	const char *method, *target, *status, *details, *counter;
} targets[] = {
	{ "OPTIONS", "*", "404", "absolute_path_rejected",
	    "non_relative_path" },
	{ "GET", "?q", "404", "absolute_path_rejected", "non_relative_path" },
	{ "GET", "", "404", "missing_path_rejected", NULL },
	{ "GET", "/#", "400", "path_normalization_failed",
	    "failed_path_normalization" },
};

START_TEST(a_target_without_a_path_is_not_found)
{
	struct world *w = world_new(no_routes);
	struct exchange *x =
	    world_request(w, targets[_i].method, targets[_i].target, "");

	check_refused(x, targets[_i].status, targets[_i].details);
	ck_assert_str_eq(world_body(x), "");
	if (targets[_i].counter)
		ck_assert_uint_eq(counted(w, targets[_i].counter), 1);
	ck_assert_uint_eq(counted(w, "total"), 1);
	ck_assert_uint_eq(counted(w, "4xx"), 1);
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct {
	const char *method;
	const char *protocol;
	const char *details;
} methods[] = {
	{ "PURGE", "HTTP/1.1", "route_not_found" },
	{ "FOO", "HTTP/1.1", "http1.codec_error" },
	{ "get", "HTTP/1.1", "http1.codec_error" },
	{ "FOO", "HTTP/1.0", "http1.codec_error" },
	{ "FOO", "HTTP/2", "route_not_found" },
};

START_TEST(http_1_has_a_list_of_methods)
{
	struct world *w = world_new(no_routes);
	struct exchange *x = world_exchange(w, methods[_i].method, "/", "");

	x->peer.protocol = str_of(methods[_i].protocol);
	exchange_start(x);
	ck_assert(str_eq(x->details, str_of(methods[_i].details)));
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(old_versions_are_refused_by_default)
{
	struct world *w = world_new(no_routes);
	struct exchange *x = bare(w, STR("HTTP/1.0"));

	exchange_start(x);
	check_refused(x, "426", "low_version");
	ck_assert_str_eq(world_body(x), "Upgrade Required");
	exchange_end(x);
	x = bare(w, STR("HTTP/0.9"));
	exchange_start(x);
	check_refused(x, "426", "low_version");
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(a_host_is_needed_unless_there_is_a_default)
{
	struct world *w =
	    world_new("http_protocol_options: {accept_http_10: true, "
		      "default_host_for_http_10: fallback.test}\n"
		      "route_config: {virtual_hosts: []}\n");
	struct exchange *x = bare(w, STR("HTTP/1.1"));

	exchange_start(x);
	check_refused(x, "400", "missing_host_header");
	exchange_end(x);
	x = bare(w, STR("HTTP/1.0"));
	exchange_start(x);
	check_refused(x, "404", "route_not_found");
	ck_assert_str_eq(
	    world_request_header(x, ":authority"), "fallback.test");
	exchange_end(x);
	world_free(w);
}
END_TEST

static struct exchange *
request_of_size(struct world *w, size_t size)
{
	static const char rest[] = "GET / HTTP/1.1\r\nhost: gate.example\r\n"
				   "x-a: \r\n\r\n";
	size_t len = size - (sizeof(rest) - 1);
	char *line = arena_alloc(w->arena, len + sizeof("x-a: "));

	memcpy(line, "x-a: ", 5);
	memset(line + 5, 'a', len);
	line[5 + len] = '\0';
	return world_request(w, "GET", "/", line);
}

START_TEST(there_is_room_for_60_kib_of_headers)
{
	struct world *w = world_new(no_routes);
	struct exchange *x = request_of_size(w, 60 * 1024);

	check_refused(x, "404", "route_not_found");
	exchange_end(x);
	x = request_of_size(w, 60 * 1024 + 1);
	check_refused(x, "431", "http1.headers_too_large");
	exchange_end(x);
	world_free(w);
}
END_TEST

static const char *const slashes[] = { "", "content-type: application/grpc" };

START_TEST(a_redirect_is_counted_and_not_for_grpc)
{
	struct world *w = world_new(
	    "path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT\n"
	    "route_config: {virtual_hosts: []}\n");
	struct exchange *x = world_request(w, "GET", "/a%2fb?c", slashes[_i]);
	bool grpc = _i == 1;

	check_refused(x, grpc ? "200" : "307", "path_normalization_failed");
	ck_assert_uint_eq(counted(w, "redirected_with_normalized_path"), !grpc);
	ck_assert_uint_eq(counted(w, "failed_path_normalization"), grpc);
	if (!grpc)
		ck_assert_str_eq(
		    world_response_header(x, "location"), "/a/b?c");
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(an_upgrade_is_refused_where_a_route_is_found)
{
	struct world *w = world_new(
	    "route_config: {virtual_hosts: [{name: a, domains: [\"*\"], "
	    "routes: [{match: {path: /}, route: {cluster: backend}}]}]}\n");
	struct exchange *x = world_request(
	    w, "GET", "/", "connection: upgrade\nupgrade: websocket\n");

	check_refused(x, "403", "upgrade_failed");
	ck_assert_uint_eq(counted(w, "ws_on_non_ws_route"), 1);
	exchange_end(x);
	x = world_request(
	    w, "GET", "/none", "connection: upgrade\nupgrade: websocket\n");
	check_refused(x, "404", "route_not_found");
	exchange_end(x);
	world_free(w);
}
END_TEST

Suite *suite_chain_admission(void);

Suite *
suite_chain_admission(void)
{
	Suite *s = suite_create("chain/admission");
	TCase *t = tcase_create("requests");

	tcase_add_loop_test(t, a_target_without_a_path_is_not_found, 0,
	    sizeof(targets) / sizeof(targets[0]));
	tcase_add_loop_test(t, http_1_has_a_list_of_methods, 0,
	    sizeof(methods) / sizeof(methods[0]));
	tcase_add_test(t, old_versions_are_refused_by_default);
	tcase_add_test(t, a_host_is_needed_unless_there_is_a_default);
	tcase_add_test(t, there_is_room_for_60_kib_of_headers);
	tcase_add_loop_test(t, a_redirect_is_counted_and_not_for_grpc, 0,
	    sizeof(slashes) / sizeof(slashes[0]));
	tcase_add_test(t, an_upgrade_is_refused_where_a_route_is_found);
	suite_add_tcase(s, t);
	return s;
}
