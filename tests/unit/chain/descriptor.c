#include "config.h"

#include <check.h>

#include "chain/descriptor.h"
#include "chain/route.h"
#include "tests/unit/chain/world.h"

/* What a route's first rate limit makes of a request, NULL for nothing. */
static const char *
made(const char *actions, const char *target, const char *lines)
{
	static char text[512];
	struct arena *arena = arena_new(4096);
	struct world *w = world_new(arena_printf(arena,
	    "route_config:\n"
	    "  virtual_hosts:\n"
	    "  - name: all\n"
	    "    domains: ['*']\n"
	    "    routes:\n"
	    "    - match: {prefix: /}\n"
	    "      metadata: {filter_metadata: {ns: {a: {b: of-route}, num: 5, "
	    "e: ''}}}\n"
	    "      route: {cluster: backend, rate_limits: [{actions: %s}]}\n",
	    actions)
					.ptr);
	struct exchange *x;
	struct descriptor d;
	bool found;

	ck_assert_ptr_nonnull(w->gateway);
	x = world_request(w, "GET", target, lines);
	found = rate_limits_make(x, route_limits(x->route), 0, 0, &d);
	if (found)
		(void)snprintf(text, sizeof(text), STR_FMT,
		    STR_ARG(descriptor_key(x, &d)));
	exchange_end(x);
	world_free(w);
	arena_free(arena);
	return found ? text : NULL;
}

#define META(path, more)                                                       \
	"[{metadata: {descriptor_key: k, source: ROUTE_ENTRY, metadata_key: "  \
	"{key: ns, path: [" path "]}" more "}}]"
#define RANGE(more)                                                            \
	"[{remote_address_match: {descriptor_value: 'v-%REQ(x-a)%', "          \
	"address_matcher: {ranges: [{address_prefix: 192.0.2.0, prefix_len: "  \
	"24}]" more "}}}]"

static const struct {
	const char *actions, *target, *lines;
	const char *key; /* "4:name5:value", NULL: no descriptor */
} cases[] = {
	{ "[{generic_key: {descriptor_value: v}}]", "/", "",
	    "11:generic_key1:v" },
	{ "[{generic_key: {descriptor_key: k, descriptor_value: '%REQ(x)%'}}]",
	    "/", "", "1:k8:%REQ(x)%" },
	{ "[{remote_address: {}}]", "/", "", "14:remote_address9:192.0.2.7" },
	{ "[{masked_remote_address: {v4_prefix_mask_len: 16}}]", "/", "",
	    "21:masked_remote_address12:192.0.0.0/16" },
	{ "[{masked_remote_address: {v4_prefix_mask_len: 0}}]", "/", "",
	    "21:masked_remote_address9:0.0.0.0/0" },
	{ "[{masked_remote_address: {}}]", "/", "",
	    "21:masked_remote_address12:192.0.2.7/32" },
	{ "[{destination_cluster: {}}]", "/", "",
	    "19:destination_cluster7:backend" },
	{ "[{source_cluster: {}}]", "/", "", "14:source_cluster0:" },
	{ "[{request_headers: {header_name: X-A, descriptor_key: k}}]", "/",
	    "x-a: 1\nx-a: 2\n", "1:k1:1" },
	{ "[{request_headers: {header_name: Host, descriptor_key: k}}]", "/",
	    ":authority: h.test\n", "1:k6:h.test" },
	{ "[{request_headers: {header_name: x-a, descriptor_key: k}}]", "/", "",
	    NULL },
	{ "[{request_headers: {header_name: x-a, descriptor_key: k, "
	  "skip_if_absent: true}}]",
	    "/", "", NULL },
	{ "[{request_headers: {header_name: x-a, descriptor_key: k, "
	  "skip_if_absent: true}}, {generic_key: {descriptor_value: v}}]",
	    "/", "", "11:generic_key1:v" },
	{ "[{query_parameters: {query_parameter_name: q, descriptor_key: k}}]",
	    "/?q=a%20b&q=c", "", "1:k3:a b" },
	{ "[{query_parameters: {query_parameter_name: q, descriptor_key: k}}]",
	    "/?p=1", "", NULL },
	{ "[{header_value_match: {descriptor_value: v, headers: [{name: x-a}]"
	  "}}]",
	    "/", "x-a: 1\n", "12:header_match1:v" },
	{ "[{header_value_match: {descriptor_value: v, headers: [{name: x-a}]"
	  "}}]",
	    "/", "", NULL },
	{ "[{header_value_match: {descriptor_value: v, expect_match: false, "
	  "headers: [{name: x-a}]}}]",
	    "/", "", "12:header_match1:v" },
	{ "[{query_parameter_value_match: {descriptor_value: v, "
	  "query_parameters: [{name: q, present_match: true}]}}]",
	    "/?q", "", "11:query_match1:v" },
	{ META("{key: a}, {key: b}", ""), "/", "", "1:k8:of-route" },
	{ META("{key: num}", ""), "/", "", NULL },
	{ META("{key: e}", ""), "/", "", NULL },
	{ META("{key: x}", ", default_value: d"), "/", "", "1:k1:d" },
	{ META("{key: x}", ", skip_if_absent: true"), "/", "", NULL },
	{ RANGE(""), "/", "x-a: 1\n", "20:remote_address_match3:v-1" },
	{ RANGE(", invert_match: true"), "/", "x-a: 1\n", NULL },
	{ "[{generic_key: {descriptor_value: a}}, {remote_address: {}}, "
	  "{generic_key: {descriptor_value: b}}]",
	    "/", "",
	    "11:generic_key1:a14:remote_address9:192.0.2.711:generic_key1:b" },
	{ "[{generic_key: {descriptor_value: a}}, {request_headers: "
	  "{header_name: x-a, descriptor_key: k}}]",
	    "/", "", NULL },
};

START_TEST(actions_make_entries_or_nothing)
{
	const char *key =
	    made(cases[_i].actions, cases[_i].target, cases[_i].lines);

	if (!cases[_i].key)
		ck_assert_ptr_null(key);
	else
		ck_assert_pstr_eq(key, cases[_i].key);
}
END_TEST

START_TEST(there_is_an_end_to_entries)
{
	struct arena *arena = arena_new(4096);
	struct str list = STR("[");

	for (int i = 0; i < DESCRIPTOR_ENTRIES_MAX; i++)
		list = ARENA_JOIN(
		    arena, list, STR("{generic_key: {descriptor_value: v}},"));
	ck_assert_ptr_nonnull(
	    made(ARENA_JOIN(arena, list, STR("]")).ptr, "/", ""));
	list = ARENA_JOIN(
	    arena, list, STR("{generic_key: {descriptor_value: v}}]"));
	ck_assert_ptr_null(made(list.ptr, "/", ""));
	arena_free(arena);
}
END_TEST

Suite *suite_chain_descriptor(void);

Suite *
suite_chain_descriptor(void)
{
	Suite *s = suite_create("chain/descriptor");
	TCase *t = tcase_create("actions");

	tcase_add_loop_test(t, actions_make_entries_or_nothing, 0,
	    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, there_is_an_end_to_entries);
	suite_add_tcase(s, t);
	return s;
}
