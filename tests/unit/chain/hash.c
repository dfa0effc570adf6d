#include "config.h"

#include <check.h>
#include <stdio.h>

#include "chain/route.h"
#include "tests/unit/chain/world.h"

static struct world *world;
static struct headers made;

/* The number of a request under these policies; false: none. */
static bool
hash(const char *policies, const char *target, const char *lines, uint64_t *out)
{
	static char text[1024];
	struct exchange *x;

	(void)snprintf(text, sizeof(text),
	    "route_config:\n"
	    "  virtual_hosts:\n"
	    "  - name: all\n"
	    "    domains: [\"*\"]\n"
	    "    routes:\n"
	    "    - match: {prefix: /}\n"
	    "      route: {cluster: backend, hash_policy: [%s]}\n",
	    policies);
	world = world_new(text);
	ck_assert_ptr_nonnull(world->gateway);
	x = world_request(world, "GET", target, lines);
	headers_init(&made, world->arena);
	return hash_policy_value(x->route->forwarding->hash, x, out, &made);
}

static void
finish(void)
{
	world_free(world);
}

/* XXH64 with seed 0, as in its reference. */
static const struct {
	const char *text;
	uint64_t hash;
} known[] = {
	{ "", 0xef46db3751d8e999 },
	{ "a", 0xd24ec4f1a98c6e5b },
	{ "abc", 0x44bc2cf5ad770999 },
};

START_TEST(it_is_xxhash)
{
	uint64_t n;
	char line[32];

	(void)snprintf(line, sizeof(line), "x-key: %s\n", known[_i].text);
	ck_assert(hash("{header: {header_name: X-Key}}", "/", line, &n));
	ck_assert_uint_eq(n, known[_i].hash);
}
END_TEST

static uint64_t
rotated(uint64_t n)
{
	return n << 1 | n >> 63;
}

#define A   known[1].hash
#define ABC known[2].hash

START_TEST(several_are_combined_in_their_order)
{
	uint64_t n;

	ck_assert(hash("{header: {header_name: x-a}}, "
		       "{query_parameter: {name: q}}",
	    "/?q=abc", "x-a: a\n", &n));
	ck_assert_uint_eq(n, rotated(A) ^ ABC);
}
END_TEST

START_TEST(one_that_finds_nothing_counts_for_nothing)
{
	uint64_t n;

	ck_assert(hash("{header: {header_name: x-none}, terminal: true}, "
		       "{query_parameter: {name: q}}",
	    "/?q=abc", "x-a: a\n", &n));
	ck_assert_uint_eq(n, ABC);
}
END_TEST

START_TEST(a_terminal_one_that_finds_something_is_the_last)
{
	uint64_t n;

	ck_assert(hash("{header: {header_name: x-a}, terminal: true}, "
		       "{query_parameter: {name: q}}",
	    "/?q=abc", "x-a: a\n", &n));
	ck_assert_uint_eq(n, A);
}
END_TEST

static const struct {
	const char *policy, *target, *lines;
	const char *hashed; /* NULL: nothing is */
} sources[] = {
	{ "{header: {header_name: x-k}}", "/", "", NULL },
	{ "{header: {header_name: x-k}}", "/", "x-k: bc\nx-k: a\n", "abc" },
	{ "{header: {header_name: x-k, regex_rewrite: {pattern: {regex: "
	  "'^x(.*)$'}, substitution: '\\1'}}}",
	    "/", "x-k: xabc\n", "abc" },
	{ "{cookie: {name: k}}", "/", "cookie: j=1; k=abc; k=2\n", "abc" },
	{ "{cookie: {name: k}}", "/", "cookie: j=1\ncookie: k=a\n", "a" },
	{ "{cookie: {name: k}}", "/", "cookie: k=\n", NULL },
	{ "{cookie: {name: k}}", "/", "", NULL },
	{ "{query_parameter: {name: q}}", "/?q=a&q=b", "", "a" },
	{ "{query_parameter: {name: q}}", "/?q", "", "" },
	{ "{query_parameter: {name: q}}", "/?p=q", "", NULL },
	{ "{query_parameter: {name: Q}}", "/?q=a", "", NULL },
};

START_TEST(what_is_hashed)
{
	uint64_t n;
	bool found =
	    hash(sources[_i].policy, sources[_i].target, sources[_i].lines, &n);

	ck_assert_int_eq(found, sources[_i].hashed != NULL);
	for (size_t i = 0; found && i < 3; i++)
		if (!strcmp(sources[_i].hashed, known[i].text))
			ck_assert_uint_eq(n, known[i].hash);
	ck_assert_uint_eq(made.n, 0);
}
END_TEST

START_TEST(a_cookie_is_made_where_it_may_be)
{
	uint64_t n, again;
	struct str cookie;

	ck_assert(hash("{cookie: {name: k, ttl: 90.5s, path: /p, attributes: "
		       "[{name: SameSite, value: Strict}, {name: Secure}]}}",
	    "/", "cookie: j=1\n", &n));
	ck_assert_uint_eq(made.n, 1);
	ck_assert(str_eq(made.items[0].name, STR("set-cookie")));
	cookie = made.items[0].value;
	ck_assert(str_starts(cookie, STR("k=\"")));
	ck_assert(
	    str_eq(str_slice(cookie, 20, cookie.len),
		STR("; Max-Age=90; Path=/p; SameSite=Strict; Secure; HttpOnly")) ||
	    str_find(cookie,
		STR("; Max-Age=90; Path=/p; SameSite=Strict; Secure; "
		    "HttpOnly"),
		0) < cookie.len);
	world_free(world);
	ck_assert(hash("{cookie: {name: k, ttl: 0s}}", "/", "", &again));
	ck_assert_uint_eq(n, again);
	ck_assert_uint_eq(made.n, 1);
	ck_assert(str_find(made.items[0].value, STR("Max-Age"), 0) ==
		  made.items[0].value.len);
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_chain_hash(void);

Suite *
suite_chain_hash(void)
{
	Suite *s = suite_create("chain/hash");
	TCase *t = tcase_create("policies");

	tcase_add_checked_fixture(t, NULL, finish);
	TABLE_TEST(t, known, it_is_xxhash);
	tcase_add_test(t, several_are_combined_in_their_order);
	tcase_add_test(t, one_that_finds_nothing_counts_for_nothing);
	tcase_add_test(t, a_terminal_one_that_finds_something_is_the_last);
	TABLE_TEST(t, sources, what_is_hashed);
	tcase_add_test(t, a_cookie_is_made_where_it_may_be);
	suite_add_tcase(s, t);
	return s;
}
