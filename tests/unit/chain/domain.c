#include "config.h"

#include <check.h>

#include "chain/domain.h"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new(4096);
}

static void
teardown(void)
{
	arena_free(arena);
}

static const char *const names[] = { "a.example", "A.Example:8080", "*.example",
	"*-x.example", "a.*", "a.b.*", "*", "*.b.example" };
enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

static struct domains *
domains_of(size_t n)
{
	struct domains *d = domains_new(arena, n);

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(
		    domains_add(d, str_of(names[i]), (uint32_t)i), ERR_OK);
	return d;
}

static const struct {
	const char *host;
	uint32_t found;
} hosts[] = {
	{ "a.example", 0 },
	{ "A.EXAMPLE", 0 },
	{ "a.example:8080", 1 },
	{ "b.example", 2 },
	{ "c.b.example", 7 }, /* the longest suffix */
	{ "b.example:80", 6 }, /* a port is part of the name */
	{ "1-x.example", 3 },
	{ "-x.example", 2 }, /* "*" stands for at least one character */
	{ ".example", 6 },
	{ "a.com", 4 },
	{ "a.b.com", 5 },
	{ "a.", 6 },
	{ "a.b.", 4 },
	{ "a.b.example", 7 }, /* suffixes before prefixes */
	{ "other", 6 },
	{ "", 6 },
};

START_TEST(a_host_leads_to_its_most_specific_domain)
{
	ck_assert_uint_eq(
	    domains_find(domains_of(N_NAMES), arena, str_of(hosts[_i].host)),
	    hosts[_i].found);
}
END_TEST

START_TEST(without_a_star_other_hosts_lead_nowhere)
{
	struct domains *d = domains_of(6);

	ck_assert_uint_eq(domains_find(d, arena, STR("other")), TABLE_NONE);
	ck_assert_uint_eq(
	    domains_find(domains_new(arena, 0), arena, STR("a")), TABLE_NONE);
}
END_TEST

START_TEST(a_domain_stands_once)
{
	struct domains *d = domains_of(N_NAMES);

	for (size_t i = 0; i < N_NAMES; i++)
		ck_assert_int_eq(domains_add(d, str_of(names[i]), 9), ERR_BAD);
}
END_TEST

Suite *suite_chain_domain(void);

Suite *
suite_chain_domain(void)
{
	Suite *s = suite_create("chain/domain");
	TCase *c = tcase_create("domain");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, a_host_leads_to_its_most_specific_domain, 0,
	    sizeof(hosts) / sizeof(hosts[0]));
	tcase_add_test(c, without_a_star_other_hosts_lead_nowhere);
	tcase_add_test(c, a_domain_stands_once);
	suite_add_tcase(s, c);
	return s;
}
