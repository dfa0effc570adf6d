#include "config.h"

#include <check.h>
#include <string.h>

#include "chain/route.h"
#include "config/diag.h"
#include "tests/unit/chain/world.h"

#define TYPE(name)  "'@type': type.googleapis.com/envoy." name
#define BUFFER      TYPE("extensions.filters.http.buffer.v3.Buffer")
#define PER_ROUTE   TYPE("extensions.filters.http.buffer.v3.BufferPerRoute")
#define CONF        TYPE("config.route.v3.FilterConfig")
#define BYTES(n)    "{" PER_ROUTE ", buffer: {max_request_bytes: " n "}}"
#define OFF         "{" CONF ", disabled: true}"
#define ON          "{" CONF ", config: {}}"
#define OTHER       "{" TYPE("extensions.filters.http.lua.v3.LuaPerRoute") "}"
#define WRAPPED(c)  "{" CONF ", config: " c "}"
#define OPTIONAL(c) "{" CONF ", is_optional: true, config: " c "}"

/* A filter "f" that is on and one "g" that is off, and what each level says. */
static struct world *
levels(const char *global, const char *vhost, const char *route,
    const char *cluster)
{
	struct arena *arena = arena_new(4096);
	struct str text = arena_printf(arena,
	    "route_config:\n"
	    "  typed_per_filter_config: {%s}\n"
	    "  virtual_hosts:\n"
	    "  - name: all\n"
	    "    domains: ['*']\n"
	    "    typed_per_filter_config: {%s}\n"
	    "    routes:\n"
	    "    - match: {prefix: /}\n"
	    "      typed_per_filter_config: {%s}\n"
	    "      route: {weighted_clusters: {clusters: [{name: backend, "
	    "weight: 1, typed_per_filter_config: {%s}}]}}\n"
	    "http_filters:\n"
	    "- {name: f, typed_config: {" BUFFER ", max_request_bytes: 1}}\n"
	    "- {name: g, disabled: true, typed_config: {" BUFFER
	    ", max_request_bytes: 2}}\n",
	    global, vhost, route, cluster);
	struct world *w = world_new(text.ptr);

	arena_free(arena);
	return w;
}

static const struct {
	const char *global, *vhost, *route, *cluster; /* what they say */
	int f, g; /* 1 on, -1 off, 0 nothing is said */
	int f_level; /* whose configuration holds; -1: none */
} scopes[] = {
	{ "", "", "", "", 0, 0, -1 },
	{ "f: " BYTES("5"), "", "", "", 1, 0, HOST_LEVEL_GLOBAL },
	{ "f: " BYTES("5"), "f: " BYTES("6"), "", "", 1, 0, HOST_LEVEL_VHOST },
	{ "f: " BYTES("5"), "", "f: " BYTES("6"), "", 1, 0, HOST_LEVEL_ROUTE },
	{ "", "f: " BYTES("5"), "g: " BYTES("6"), "", 1, 1, HOST_LEVEL_VHOST },
	{ "", "", "f: " BYTES("5"), "f: " BYTES("6"), 1, 0,
	    HOST_LEVEL_CLUSTER },
	{ "f: " OFF, "", "", "", -1, 0, -1 },
	{ "f: " OFF, "f: " BYTES("5"), "", "", 1, 0, HOST_LEVEL_VHOST },
	{ "f: " BYTES("5"), "f: " OFF, "", "", -1, 0, HOST_LEVEL_GLOBAL },
	{ "", "", "g: " ON, "", 0, 1, -1 },
	{ "", "g: " ON, "g: " OFF, "", 0, -1, -1 },
	{ "", "g: " ON, "g: " OFF, "g: " ON, 0, 1, -1 },
	{ "", "", "f: " WRAPPED(BYTES("7")), "", 1, 0, HOST_LEVEL_ROUTE },
	{ "", "", "f: " OPTIONAL(BYTES("7")), "", 1, 0, HOST_LEVEL_ROUTE },
	{ "", "", "f: " OPTIONAL(OTHER), "", 1, 0, -1 },
	{ "", "", "none: " BYTES("7"), "", 0, 0, -1 },
	{ "", "", "none: " OPTIONAL(OTHER), "", 0, 0, -1 },
	{ "", "", "none: " OFF, "", 0, 0, -1 },
};

START_TEST(the_innermost_level_that_says_something_counts)
{
	struct world *w = levels(scopes[_i].global, scopes[_i].vhost,
	    scopes[_i].route, scopes[_i].cluster);
	struct exchange *x;
	const struct route *r;
	int level = scopes[_i].f_level;

	if (!w->gateway)
		ck_abort_msg("%s", diag_message(w->diag, 0));
	x = world_request(w, "GET", "/", "");
	r = x->route;
	ck_assert_int_eq(r->filter_switch[0], scopes[_i].f);
	ck_assert_int_eq(r->filter_switch[1], scopes[_i].g);
	if (level < 0)
		ck_assert_ptr_null(r->filter_confs[0]);
	else
		ck_assert_ptr_eq(r->filter_confs[0], r->level_confs[level][0]);
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct {
	const char *entry, *says;
} mistakes[] = {
	{ "f: {" CONF "}", "Empty route/virtual host per filter configuration "
			   "for f filter" },
	{ "none: " OTHER,
	    "Didn't find a registered implementation for 'none'" },
	{ "none: " WRAPPED(OTHER),
	    "Didn't find a registered implementation for 'none'" },
	{ "f: " OTHER, "" },
	{ "f: {" BUFFER ", max_request_bytes: 1}", "" },
	{ "none: {" PER_ROUTE ", buffer: {}}", "required" },
	{ "f: {" PER_ROUTE ", unheard: 1}", "unheard" },
};

START_TEST(mistakes_are_refused_whether_or_not_the_filter_is_there)
{
	struct world *w = levels("", "", mistakes[_i].entry, "");
	const char *message;
	bool found = false;

	ck_assert_ptr_null(w->gateway);
	for (size_t i = 0; (message = diag_message(w->diag, i)); i++)
		found |= strstr(message, mistakes[_i].says) != NULL;
	if (!found)
		ck_abort_msg("%s", diag_message(w->diag, 0));
	world_free(w);
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_chain_scope(void);

Suite *
suite_chain_scope(void)
{
	Suite *s = suite_create("chain/scope");
	TCase *t = tcase_create("scopes");

	tcase_add_loop_test(
	    t, the_innermost_level_that_says_something_counts, 0, N(scopes));
	tcase_add_loop_test(t,
	    mistakes_are_refused_whether_or_not_the_filter_is_there, 0,
	    N(mistakes));
	suite_add_tcase(s, t);
	return s;
}
