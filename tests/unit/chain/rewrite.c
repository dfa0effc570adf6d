#include "config.h"

#include <check.h>

#include "chain/route.h"
#include "tests/unit/chain/world.h"

static struct world *
world_with(const char *match, const char *action)
{
	struct arena *arena = arena_new(4096);
	struct world *w = world_new(arena_printf(arena,
	    "route_config:\n"
	    "  virtual_hosts:\n"
	    "  - name: all\n"
	    "    domains: ['*']\n"
	    "    routes: [{match: %s, %s}]\n",
	    match, action)
					.ptr);

	arena_free(arena);
	return w;
}

static const struct {
	const char *match, *action, *target, *lines;
	const char *path, *original; /* of the path; NULL: none */
} paths[] = {
	{ "{prefix: /a/}", "prefix_rewrite: /", "/a/b?q=/a/", "", "/b?q=/a/",
	    "/a/b?q=/a/" },
	{ "{prefix: /a}", "prefix_rewrite: /", "/a/b", "", "//b", "/a/b" },
	{ "{path: /a}", "prefix_rewrite: /b/c", "/a", "", "/b/c", "/a" },
	{ "{safe_regex: {regex: '/a.*'}}", "prefix_rewrite: /b", "/a/x?q", "",
	    "/b?q", "/a/x?q" },
	{ "{prefix: /A, case_sensitive: false}", "prefix_rewrite: /b", "/aX",
	    "", "/bX", "/aX" },
	{ "{prefix: /a}", "prefix_rewrite: /a", "/a", "", "/a", "/a" },
	{ "{prefix: /}", "prefix_rewrite: ''", "/a", "", "/a", NULL },
	{ "{prefix: /}",
	    "regex_rewrite: {pattern: {regex: '^/(.)(.*)$'}, "
	    "substitution: '/\\2\\1'}",
	    "/abc?d", "", "/bca?d", "/abc?d" },
	{ "{prefix: /}",
	    "regex_rewrite: {pattern: {regex: '.*'}, "
	    "substitution: ''}",
	    "/abc?d", "", "/abc?d", NULL },
	{ "{prefix: /}", "path_rewrite: '/%REQ(x-a)%'", "/abc?d", "x-a: v\n",
	    "/v?d", "/abc?d" },
	{ "{prefix: /}", "path_rewrite: '%REQ(x-a)%'", "/abc?d", "", "/abc?d",
	    NULL },
};

START_TEST(a_path_is_rewritten_without_its_query)
{
	struct arena *arena = arena_new(1024);
	struct world *w = world_with(paths[_i].match,
	    arena_printf(
		arena, "route: {cluster: backend, %s}", paths[_i].action)
		.ptr);
	struct exchange *x =
	    world_request(w, "GET", paths[_i].target, paths[_i].lines);
	const char *original;

	world_prepare(x);
	ck_assert_str_eq(world_request_header(x, ":path"), paths[_i].path);
	original = world_request_header(x, "x-envoy-original-path");
	ck_assert_int_eq(original != NULL, paths[_i].original != NULL);
	if (original)
		ck_assert_str_eq(original, paths[_i].original);
	exchange_end(x);
	world_free(w);
	arena_free(arena);
}
END_TEST

static const struct {
	const char *action, *target, *lines;
	const char *host, *forwarded; /* x-forwarded-host; NULL: none */
} hosts[] = {
	{ "host_rewrite_literal: b.test", "/", "", "b.test", NULL },
	{ "host_rewrite_literal: b.test, append_x_forwarded_host: true", "/",
	    "", "b.test", "gate.example" },
	{ "host_rewrite_literal: b.test, append_x_forwarded_host: true", "/",
	    "x-forwarded-host: a.test\n", "b.test", "a.test,gate.example" },
	{ "host_rewrite_literal: b.test, append_x_forwarded_host: true", "/",
	    "x-forwarded-host: a.test,gate.example\n", "b.test",
	    "a.test,gate.example" },
	{ "host_rewrite_header: X-H", "/", "x-h: h.test\n", "h.test", NULL },
	{ "host_rewrite_header: X-H, append_x_forwarded_host: true", "/", "",
	    "gate.example", NULL },
	{ "host_rewrite_path_regex: {pattern: {regex: '^/(.+)/.*$'}, "
	  "substitution: '\\1.test'}",
	    "/a/b?c", "", "a.test", NULL },
	{ "host_rewrite: '%REQ(x-h)%.test'", "/", "x-h: h\n", "h.test", NULL },
	{ "host_rewrite: '%REQ(x-h)%.test'", "/", "", "-.test", NULL },
	{ "auto_host_rewrite: true", "/", "", "gate.example", NULL },
};

START_TEST(the_host_for_the_backend_comes_from_where_it_should)
{
	struct arena *arena = arena_new(1024);
	struct world *w = world_with(
	    "{prefix: /}", arena_printf(arena, "route: {cluster: backend, %s}",
			       hosts[_i].action)
			       .ptr);
	struct exchange *x =
	    world_request(w, "GET", hosts[_i].target, hosts[_i].lines);
	const char *forwarded, *original;

	world_prepare(x);
	ck_assert_str_eq(world_request_header(x, ":authority"), hosts[_i].host);
	forwarded = world_request_header(x, "x-forwarded-host");
	ck_assert_int_eq(forwarded != NULL, hosts[_i].forwarded != NULL);
	if (forwarded)
		ck_assert_str_eq(forwarded, hosts[_i].forwarded);
	original = world_request_header(x, "x-envoy-original-host");
	ck_assert_int_eq(
	    original != NULL, strcmp(hosts[_i].host, "gate.example") != 0);
	exchange_end(x);
	world_free(w);
	arena_free(arena);
}
END_TEST

START_TEST(a_host_of_the_cluster_has_its_name_put_in)
{
	struct world *w = world_with("{prefix: /}",
	    "route: {cluster: backend, auto_host_rewrite: true}");
	struct exchange *x = world_request(w, "GET", "/", "");

	route_use_hostname(x->route, x, STR(""));
	ck_assert_str_eq(world_request_header(x, ":authority"), "gate.example");
	route_use_hostname(x->route, x, STR("up.test"));
	ck_assert_str_eq(world_request_header(x, ":authority"), "up.test");
	ck_assert_str_eq(
	    world_request_header(x, "x-envoy-original-host"), "gate.example");
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct {
	const char *redirect, *target, *lines, *location;
} redirects[] = {
	{ "{https_redirect: true}", "/a?b", "", "https://gate.example/a?b" },
	{ "{https_redirect: true}", "/", ":authority: a:80\n", "https://a/" },
	{ "{https_redirect: true}", "/", ":authority: a:81\n",
	    "https://a:81/" },
	{ "{https_redirect: true}", "/", ":authority: [::1]:80\n",
	    "https://[::1]/" },
	{ "{https_redirect: true}", "/", ":authority: [::1]\n",
	    "https://[::1]/" },
	{ "{scheme_redirect: ftp}", "/",
	    ":authority: a:443\nx-forwarded-proto: https\n", "ftp://a/" },
	{ "{host_redirect: b}", "/a", ":authority: a:80\n", "http://b/a" },
	{ "{port_redirect: 81}", "/", ":authority: a:80\n", "http://a:81/" },
	{ "{path_redirect: /b}", "/a?c", "", "http://gate.example/b?c" },
	{ "{path_redirect: '/b?d'}", "/a?c", "", "http://gate.example/b?d" },
	{ "{path_redirect: '/b?d', strip_query: true}", "/a?c", "",
	    "http://gate.example/b?d" },
	{ "{path_redirect: b, strip_query: true}", "/a?c", "",
	    "http://gate.example/b" },
	{ "{prefix_rewrite: /b}", "/a?c", "", "http://gate.example/ba?c" },
	{ "{regex_rewrite: {pattern: {regex: a}, substitution: b}}", "/a?a", "",
	    "http://gate.example/b?a" },
	{ "{strip_query: true}", "/a?c", "", "http://gate.example/a" },
};

START_TEST(a_redirect_leads_to_the_changed_url)
{
	struct arena *arena = arena_new(1024);
	struct world *w = world_with("{prefix: /}",
	    arena_printf(arena, "redirect: %s", redirects[_i].redirect).ptr);
	struct exchange *x =
	    world_request(w, "GET", redirects[_i].target, redirects[_i].lines);

	ck_assert_str_eq(
	    world_response_header(x, "location"), redirects[_i].location);
	exchange_end(x);
	world_free(w);
	arena_free(arena);
}
END_TEST

static const struct {
	const char *match, *action, *message;
} refused[] = {
	{ "{prefix: /}",
	    "{cluster: backend, prefix_rewrite: /a, path_rewrite: "
	    "/b}",
	    "Specify only one of prefix_rewrite, regex_rewrite or "
	    "path_rewrite_policy" },
	{ "{prefix: /}",
	    "{cluster: backend, regex_rewrite: {pattern: {regex: "
	    "a}, substitution: '\\1'}}",
	    "names a group that the pattern does not have" },
	{ "{prefix: /}", "{cluster: backend, path_rewrite: '%NO%'}", "NO" },
	{ "{prefix: /}",
	    "{cluster: backend, path_rewrite_policy: {name: x, "
	    "typed_config: {'@type': type.googleapis.com/"
	    "envoy.extensions.path.rewrite.uri_template.v3."
	    "UriTemplateRewriteConfig, path_template_rewrite: "
	    "/a}}}",
	    "goes with a path_match_policy" },
	{ "{path_match_policy: {name: x, typed_config: {'@type': "
	  "type.googleapis.com/envoy.extensions.path.match.uri_template.v3."
	  "UriTemplateMatchConfig, path_template: /a}}}",
	    "{cluster: backend, prefix_rewrite: /a}",
	    "Cannot use prefix_rewrite with matcher extension" },
};

START_TEST(rewrites_that_cannot_be_are_refused)
{
	struct arena *arena = arena_new(1024);
	struct world *w = world_with(refused[_i].match,
	    arena_printf(arena, "route: %s", refused[_i].action).ptr);

	ck_assert_ptr_null(w->gateway);
	ck_assert_msg(
	    strstr(diag_message(w->diag, 0), refused[_i].message) != NULL, "%s",
	    diag_message(w->diag, 0));
	world_free(w);
	arena_free(arena);
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_chain_rewrite(void);

Suite *
suite_chain_rewrite(void)
{
	Suite *s = suite_create("chain/rewrite");
	TCase *c = tcase_create("rewrite");

	tcase_add_loop_test(
	    c, a_path_is_rewritten_without_its_query, 0, N(paths));
	tcase_add_loop_test(c,
	    the_host_for_the_backend_comes_from_where_it_should, 0, N(hosts));
	tcase_add_test(c, a_host_of_the_cluster_has_its_name_put_in);
	tcase_add_loop_test(
	    c, a_redirect_leads_to_the_changed_url, 0, N(redirects));
	tcase_add_loop_test(
	    c, rewrites_that_cannot_be_are_refused, 0, N(refused));
	suite_add_tcase(s, c);
	return s;
}
