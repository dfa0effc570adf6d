/*
 * CPU time of a route search, in tables of many routes and of many virtual
 * hosts. Prints, asserts nothing.
 *
 *     make tests/bench/routes && tests/bench/routes [ROUTES]
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "chain/route.h"
#include "config/bootstrap.h"
#include "config/diag.h"
#include "config/yaml.h"

static const char before[] =
    "static_resources:\n"
    "  listeners:\n"
    "  - address: {socket_address: {address: 127.0.0.1, port_value: 9000}}\n"
    "    filter_chains:\n"
    "    - filters:\n"
    "      - name: hcm\n"
    "        typed_config:\n"
    "          \"@type\": type.googleapis.com/envoy.extensions.filters."
    "network.http_connection_manager.v3.HttpConnectionManager\n"
    "          stat_prefix: bench\n"
    "          http_filters:\n"
    "          - name: router\n"
    "            typed_config: {\"@type\": type.googleapis.com/envoy."
    "extensions.filters.http.router.v3.Router}\n"
    "          route_config:\n"
    "            virtual_hosts:\n";
static const char after[] = "  clusters:\n"
			    "  - name: backend\n"
			    "    load_assignment: {cluster_name: backend}\n";

/* How a table is written, and what is asked of it; both get a number. */
static const struct table_kind {
	const char *name;
	const char *vhost; /* a virtual host each, or NULL: one for all */
	const char *match;
	const char *host, *target;
} kinds[] = {
	{ "path", NULL, "path: /api/v1/item-%u/detail", NULL,
	    "/api/v1/item-%u/detail?q=1" },
	{ "prefix", NULL, "prefix: /api/v1/item-%u/", NULL,
	    "/api/v1/item-%u/detail?q=1" },
	{ "path_separated_prefix", NULL,
	    "path_separated_prefix: /api/v1/item-%u", NULL,
	    "/api/v1/item-%u/detail?q=1" },
	{ "without case", NULL,
	    "prefix: /API/v1/item-%u/, case_sensitive: false", NULL,
	    "/api/V1/item-%u/detail?q=1" },
	{ "safe_regex", NULL, "safe_regex: {regex: '/api/v1/item-%u/[a-z]+'}",
	    NULL, "/api/v1/item-%u/detail?q=1" },
	{ "template", NULL,
	    "path_match_policy: {name: t, typed_config: {'@type': "
	    "type.googleapis.com/envoy.extensions.path.match.uri_template.v3."
	    "UriTemplateMatchConfig, path_template: '/api/v1/item-%u/{x}'}}",
	    NULL, "/api/v1/item-%u/detail?q=1" },
	{ "prefix and header", NULL,
	    "prefix: /api/v1/item-%u/, headers: [{name: ':method', "
	    "string_match: {exact: GET}}]",
	    NULL, "/api/v1/item-%u/detail?q=1" },
	{ "virtual hosts", "shop-%u.example.com", "prefix: /",
	    "shop-%u.example.com", "/" },
	{ "virtual hosts, suffixes", "'*.shop-%u.example.com'", "prefix: /",
	    "www.shop-%u.example.com", "/" },
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void
print(struct buf *out, const char *format, unsigned n)
{
	if (buf_printf(out, format, n))
		abort();
}

static struct str
text(struct arena *arena, const char *format, unsigned n)
{
	return arena_printf(arena, format, n);
}
#pragma GCC diagnostic pop

static void
write_routes(struct buf *out, const struct table_kind *k, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (k->vhost || i == 0) {
			print(out, "            - name: v%u\n", i);
			print(out, "              domains: [", 0);
			print(out, k->vhost ? k->vhost : "'*'", i);
			print(out, "]\n              routes:\n", 0);
		}
		print(out, "              - match: {", 0);
		print(out, k->match, i);
		print(out, "}\n                route: {cluster: backend}\n", 0);
	}
}

static struct gateway *
build(struct arena *arena, const struct table_kind *k, unsigned n)
{
	struct diag *diag = diag_new(arena);
	const struct node *node;
	struct gateway *g = NULL;
	struct buf out;

	buf_init(&out, (size_t)1 << 30);
	print(&out, before, 0);
	write_routes(&out, k, n);
	print(&out, after, 0);
	node = yaml_parse(
	    arena, arena_str(arena, buf_bytes(&out)), "bench.yaml", diag);
	buf_free(&out);
	if (node)
		g = gateway_build(
		    arena, bootstrap_decode(arena, node, diag), NULL, diag);
	if (!g) {
		diag_print(diag, stderr);
		exit(EXIT_FAILURE);
	}
	return g;
}

static double
cpu_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t))
		abort();
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Searches for route number i, or for what is in no route. */
static double
search(struct gateway *g, const struct table_kind *k, unsigned i)
{
	enum { TIMES = 1000 };
	double spent = 0, before_us;

	for (int n = 0; n < TIMES; n++) {
		struct arena *arena = arena_new(4096);
		struct exchange x = { .arena = arena, .gateway = g };

		headers_init(&x.request, arena);
		headers_add(&x.request, STR(":method"), STR("GET"));
		headers_add(
		    &x.request, STR(":path"), text(arena, k->target, i));
		headers_add(&x.request, STR(":authority"),
		    text(arena, k->host ? k->host : "any.example", i));
		before_us = cpu_us();
		route_choose(g->routes, &x);
		spent += cpu_us() - before_us;
		arena_free(arena);
	}
	return spent / TIMES;
}

int
main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;

	(void)printf("CPU microseconds per search, of %u routes: the first, "
		     "one in the middle, the last, none\n",
	    n);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct arena *arena = arena_new((size_t)1 << 20);
		double began = cpu_us();
		struct gateway *g = build(arena, &kinds[i], n);

		began = cpu_us() - began;
		(void)printf("%-26s %7.2f %7.2f %7.2f %7.2f   built in %.0f "
			     "ms, %zu KiB\n",
		    kinds[i].name, search(g, &kinds[i], 0),
		    search(g, &kinds[i], n / 2), search(g, &kinds[i], n - 1),
		    search(g, &kinds[i], n + 1), began / 1e3,
		    arena_size(arena) / 1024);
		arena_free(arena);
	}
	return EXIT_SUCCESS;
}
