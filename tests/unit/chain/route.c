#include "config.h"

#include <check.h>

#include "chain/route.h"
#include "chain/routematch.h"
#include "chain/routestats.h"
#include "http/target.h"
#include "state/counter.h"
#include "tests/unit/chain/world.h"

/* ---- the search ---- */

enum { ROUTES = 60, REQUESTS = 60 };

static uint64_t seed;

static unsigned
below(unsigned n)
{
	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

/* One to three segments of few letters. */
static struct str
random_path(struct arena *arena)
{
	struct str path = STR("");

	for (unsigned n = 1 + below(3); n > 0; n--)
		path = arena_printf(arena, STR_FMT "/%.*s", STR_ARG(path),
		    (int)(1 + below(2)), &"aAbBab"[below(5)]);
	return path;
}

static struct str
random_match(struct arena *arena)
{
	static const char *const conditions[] = { "", "", "",
		", headers: [{name: x-a}]",
		", query_parameters: [{name: q, string_match: {exact: '1'}}]",
		", case_sensitive: false" };
	const char *condition = conditions[below(6)];
	struct str path = random_path(arena);

	switch (below(5)) {
	case 0:
		return arena_printf(
		    arena, "{prefix: " STR_FMT "%s}", STR_ARG(path), condition);
	case 1:
		return arena_printf(
		    arena, "{path: " STR_FMT "%s}", STR_ARG(path), condition);
	case 2:
		return arena_printf(arena,
		    "{path_separated_prefix: " STR_FMT "%s}", STR_ARG(path),
		    condition);
	case 3:
		return arena_printf(arena,
		    "{safe_regex: {regex: '" STR_FMT "?(/b|/a.*)'}%s}",
		    STR_ARG(path), condition);
	default:
		return arena_printf(arena,
		    "{path_match_policy: {name: t, typed_config: {'@type': "
		    "type.googleapis.com/envoy.extensions.path.match."
		    "uri_template.v3.UriTemplateMatchConfig, path_template: "
		    "'" STR_FMT "/*'}}%s}",
		    STR_ARG(path), condition);
	}
}

/* The first route that matches, found by looking at each. */
static const struct conf_route *
linear(struct world *w, const struct exchange *x)
{
	const struct conf_virtual_host *v =
	    &w->gateway->hcm->route_config->virtual_hosts.items[0];
	struct str target = headers_get(&x->request, STR(":path"));
	const struct route_subject subject = { .headers = &x->request,
		.target = target,
		.path = target_path(target),
		.random = x->random,
		.exchange = x };

	for (size_t i = 0; i < v->routes.n; i++)
		if (route_match_holds(route_match_build(w->arena,
					  v->routes.items[i].match, w->diag),
			&subject))
			return &v->routes.items[i];
	return NULL;
}

START_TEST(the_first_route_is_found_that_a_linear_search_finds)
{
	struct arena *arena = arena_new(65536);
	struct str text = STR("route_config:\n"
			      "  virtual_hosts:\n"
			      "  - name: all\n"
			      "    domains: ['*']\n"
			      "    routes:\n");
	struct world *w;

	seed = (uint64_t)_i;
	for (int i = 0; i < ROUTES; i++) {
		struct str match = random_match(arena);

		text = arena_printf(arena,
		    STR_FMT "    - {match: " STR_FMT
			    ", route: {cluster: backend}}\n",
		    STR_ARG(text), STR_ARG(match));
	}
	w = world_new(text.ptr);
	for (int i = 0; i < REQUESTS; i++) {
		struct str path = random_path(arena);
		struct exchange *x = world_request(w, "GET",
		    arena_printf(arena, STR_FMT "%s", STR_ARG(path),
			below(2) ? "?q=1" : "")
			.ptr,
		    below(2) ? "x-a: 1\n" : "");

		ck_assert_msg(
		    (x->route ? x->route->conf : NULL) == linear(w, x), STR_FMT,
		    STR_ARG(path));
		exchange_end(x);
	}
	world_free(w);
	arena_free(arena);
}
END_TEST

/* ---- virtual hosts ---- */

static const char hosts[] =
    "route_config:\n"
    "  ignore_path_parameters_in_path_matching: true\n"
    "  virtual_hosts:\n"
    "  - name: tls\n"
    "    domains: [tls.test]\n"
    "    require_tls: ALL\n"
    "    routes: [{match: {prefix: /}, route: {cluster: backend}}]\n"
    "  - name: outside\n"
    "    domains: [outside.test]\n"
    "    require_tls: EXTERNAL_ONLY\n"
    "    routes: [{match: {prefix: /}, route: {cluster: backend}}]\n"
    "  - name: one\n"
    "    domains: [one.test, '*.one.test']\n"
    "    routes:\n"
    "    - {name: a, match: {path: /a/b}, route: {cluster: backend}}\n"
    "    - {name: w, match: {prefix: /w}, route: {weighted_clusters: "
    "{header_name: X-Pick, clusters: [{name: backend, weight: 2}, "
    "{name: second, weight: 0}, {name: second, weight: 3}]}}}\n"
    "    - {name: h, match: {prefix: /h}, route: {cluster_header: X-C}}\n"
    "  - name: rest\n"
    "    domains: ['*']\n"
    "    routes: [{name: r, match: {prefix: /}, route: "
    "{cluster: second}}]\n";

static const struct {
	const char *host, *target, *lines;
	const char *vhost, *route, *cluster; /* NULL: none */
	const char *status; /* NULL: forwarded */
} choices[] = {
	{ "one.test", "/a/b", "", "one", "a", "backend", NULL },
	{ "ONE.test", "/a;x=1/b;y", "", "one", "a", "backend", NULL },
	{ "x.one.test", "/a/b?c", "", "one", "a", "backend", NULL },
	{ "one.test", "/a/c", "", "one", NULL, NULL, "404" },
	{ "other", "/a/c", "", "rest", "r", "second", NULL },
	{ "one.test", "/w", "x-pick: 1\n", "one", "w", "backend", NULL },
	{ "one.test", "/w", "x-pick: 2\n", "one", "w", "second", NULL },
	{ "one.test", "/w", "x-pick: 5\n", "one", "w", "backend", NULL },
	{ "one.test", "/h", "x-c: second\n", "one", "h", "second", NULL },
	{ "one.test", "/h", "x-c: none\n", "one", "h", NULL, NULL },
	{ "one.test", "/h", "", "one", "h", NULL, NULL },
	{ "tls.test", "/", "", "tls", "", NULL, "301" },
	{ "tls.test", "/", "x-forwarded-proto: https\n", "tls", "", "backend",
	    NULL },
	{ "outside.test", "/", "", "outside", "", NULL, "301" },
};

START_TEST(host_path_and_headers_choose_route_and_cluster)
{
	struct world *w = world_new(hosts);
	struct exchange *x = world_request(w, "GET", choices[_i].target,
	    arena_printf(w->arena, ":authority: %s\n%s", choices[_i].host,
		choices[_i].lines)
		.ptr);

	ck_assert(str_eq(x->vhost->name, str_of(choices[_i].vhost)));
	ck_assert_int_eq(x->route != NULL, choices[_i].route != NULL);
	if (x->route)
		ck_assert(str_eq(x->route->name, str_of(choices[_i].route)));
	ck_assert_int_eq(x->cluster != NULL, choices[_i].cluster != NULL);
	if (x->cluster)
		ck_assert(
		    str_eq(x->cluster->name, str_of(choices[_i].cluster)));
	ck_assert_uint_eq(w->forwarded, choices[_i].status ? 0 : 1);
	if (choices[_i].status)
		ck_assert_str_eq(
		    world_response_header(x, ":status"), choices[_i].status);
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(a_weight_is_a_share_of_the_requests)
{
	struct world *w = world_new(hosts);
	unsigned n = 0;

	for (int i = 0; i < 1000; i++) {
		struct exchange *x =
		    world_request(w, "GET", "/w", ":authority: one.test\n");

		n += str_eq(x->cluster->name, STR("second"));
		exchange_end(x);
	}
	ck_assert_uint_gt(n, 500);
	ck_assert_uint_lt(n, 700);
	world_free(w);
}
END_TEST

START_TEST(the_cluster_is_chosen_with_the_route_and_not_later)
{
	struct world *w = world_new(hosts);
	struct exchange *x = world_request(
	    w, "GET", "/h", ":authority: one.test\nx-c: second\n");

	headers_set(&x->request, STR("x-c"), STR("backend"));
	ck_assert(str_eq(route_cluster(x->route, x)->name, STR("second")));
	ck_assert(str_eq(x->cluster_name, STR("second")));
	exchange_end(x);
	world_free(w);
}
END_TEST

/* ---- what a route does ---- */

static const char levels[] =
    "route_config:\n"
    "  request_headers_to_add: [{header: {key: x-o, value: global}, "
    "append_action: OVERWRITE_IF_EXISTS_OR_ADD}]\n"
    "  virtual_hosts:\n"
    "  - name: all\n"
    "    domains: ['*']\n"
    "    request_headers_to_add: [{header: {key: x-o, value: vhost}, "
    "append_action: OVERWRITE_IF_EXISTS_OR_ADD}]\n"
    "    routes:\n"
    "    - match: {prefix: /}\n"
    "      request_headers_to_add: [{header: {key: x-o, value: route}, "
    "append_action: OVERWRITE_IF_EXISTS_OR_ADD}, {header: {key: x-was, "
    "value: \"%REQ(:path)% %REQ(:authority)%\"}}]\n"
    "      route:\n"
    "        prefix_rewrite: /new/\n"
    "        weighted_clusters: {clusters: [{name: backend, weight: 1, "
    "host_rewrite_literal: cluster.test, request_headers_to_add: "
    "[{header: {key: x-o, value: cluster}}, {header: {key: x-c, value: "
    "c}}]}]}\n";

START_TEST(levels_change_headers_in_their_order)
{
	struct world *w = world_new(levels);
	struct exchange *x;

	if (_i)
		((struct conf_route_config *)w->gateway->hcm->route_config)
		    ->most_specific_header_mutations_wins = true;
	x = world_request(w, "GET", "/a?q", "");
	world_prepare(x);
	ck_assert_str_eq(
	    world_request_header(x, "x-o"), _i ? "route" : "global");
	ck_assert_str_eq(world_request_header(x, "x-c"), "c");
	ck_assert_str_eq(world_request_header(x, "x-was"), "/a?q cluster.test");
	ck_assert_str_eq(world_request_header(x, ":path"), "/new/a?q");
	ck_assert_str_eq(
	    world_request_header(x, "x-envoy-original-path"), "/a?q");
	ck_assert_str_eq(world_request_header(x, ":authority"), "cluster.test");
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(route_metadata_is_read_by_path)
{
	struct world *w =
	    world_new("route_config:\n"
		      "  virtual_hosts:\n"
		      "  - name: all\n"
		      "    domains: ['*']\n"
		      "    routes:\n"
		      "    - match: {prefix: /}\n"
		      "      metadata: {filter_metadata: {ns: {a: {b: text}, "
		      "num: 5}}}\n"
		      "      route: {cluster: backend}\n");
	struct exchange *x = world_request(w, "GET", "/", "");
	const struct str path[] = { STR_INIT("a"), STR_INIT("b") };
	const struct str number[] = { STR_INIT("num") };

	ck_assert(
	    str_eq(route_metadata(x->route, STR("ns"), path, 2), STR("text")));
	ck_assert_ptr_null(route_metadata(x->route, STR("ns"), path, 1).ptr);
	ck_assert_ptr_null(route_metadata(x->route, STR("ns"), number, 1).ptr);
	ck_assert_ptr_null(route_metadata(x->route, STR("no"), path, 2).ptr);
	exchange_end(x);
	world_free(w);
}
END_TEST

/* ---- statistics ---- */

static uint64_t
counted(struct world *w, const char *name)
{
	return counter_get(w->state, counter_find(w->state, str_of(name)));
}

START_TEST(virtual_clusters_and_routes_count)
{
	struct world *w = world_new(
	    "route_config:\n"
	    "  virtual_hosts:\n"
	    "  - name: v\n"
	    "    domains: ['*']\n"
	    "    virtual_clusters: [{name: posts, headers: [{name: ':method', "
	    "string_match: {exact: POST}}]}]\n"
	    "    routes:\n"
	    "    - {match: {prefix: /s}, stat_prefix: s, route: "
	    "{cluster: backend}}\n"
	    "    - {match: {prefix: /}, route: {cluster: backend}}\n");
	struct exchange *x = world_request(w, "POST", "/s", "");

	route_count(x, ROUTE_RQ_TOTAL);
	route_count_answer(x, 404);
	exchange_end(x);
	x = world_request(w, "GET", "/", "");
	route_count(x, ROUTE_RQ_TIMEOUT);
	route_count_answer(x, 504);
	exchange_end(x);
	ck_assert_uint_eq(
	    counted(w, "vhost.v.vcluster.posts.upstream_rq_total"), 1);
	ck_assert_uint_eq(
	    counted(w, "vhost.v.vcluster.posts.upstream_rq_404"), 1);
	ck_assert_uint_eq(
	    counted(w, "vhost.v.vcluster.posts.upstream_rq_4xx"), 1);
	ck_assert_uint_eq(counted(w, "vhost.v.route.s.upstream_rq_total"), 1);
	ck_assert_uint_eq(
	    counted(w, "vhost.v.route.s.upstream_rq_completed"), 1);
	ck_assert_uint_eq(
	    counted(w, "vhost.v.vcluster.other.upstream_rq_timeout"), 1);
	ck_assert_uint_eq(
	    counted(w, "vhost.v.vcluster.other.upstream_rq_5xx"), 1);
	ck_assert_uint_eq(counted(w, "vhost.v.route.s.upstream_rq_504"), 0);
	world_free(w);
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_chain_route(void);

Suite *
suite_chain_route(void)
{
	Suite *s = suite_create("chain/route");
	TCase *c = tcase_create("route");

	tcase_add_loop_test(
	    c, the_first_route_is_found_that_a_linear_search_finds, 0, 20);
	tcase_add_loop_test(
	    c, host_path_and_headers_choose_route_and_cluster, 0, N(choices));
	tcase_add_test(c, a_weight_is_a_share_of_the_requests);
	tcase_add_test(c, the_cluster_is_chosen_with_the_route_and_not_later);
	tcase_add_loop_test(c, levels_change_headers_in_their_order, 0, 2);
	tcase_add_test(c, route_metadata_is_read_by_path);
	tcase_add_test(c, virtual_clusters_and_routes_count);
	suite_add_tcase(s, c);
	return s;
}
