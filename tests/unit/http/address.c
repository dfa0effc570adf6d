#include "config.h"

#include <sys/socket.h>

#include <check.h>

#include "http/address.h"

static struct arena *arena;

static void
set_up(void)
{
	arena = arena_new(4096);
}

static void
tear_down(void)
{
	arena_free(arena);
}

static const struct {
	const char *text;
	const char *canonical; /* NULL: no address */
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "0.0.0.0", "0.0.0.0" },
	{ "2001:DB8:0:0::1", "2001:db8::1" },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	{ "0:0:0:0:0:0:0:1", "::1" },
	{ "", NULL },
	{ "192.0.2", NULL },
	{ "192.0.2.01", NULL },
	{ "192.0.2.256", NULL },
	{ " 192.0.2.1", NULL },
	{ "192.0.2.1:80", NULL },
	{ "3221225985", NULL },
	{ "[::1]", NULL },
	{ "fe80::1%lo", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "1234:1234:1234:1234:1234:1234:1234:1234:1234:1234:1234", NULL },
};

START_TEST(texts_are_read_strictly_and_written_canonically)
{
	struct address a;
	bool is = address_read(str_of(addresses[_i].text), &a);

	ck_assert_int_eq(is, addresses[_i].canonical != NULL);
	if (is)
		ck_assert(str_eq(
		    address_text(arena, &a), str_of(addresses[_i].canonical)));
}
END_TEST

START_TEST(a_nul_byte_ends_no_address)
{
	struct address a;

	ck_assert(!address_read(STR("192.0.2.1\0"), &a));
	ck_assert(!address_read(STR("192.0.2.1\0.example"), &a));
	ck_assert(!address_read(STR_NONE, &a));
}
END_TEST

static const struct {
	const char *base;
	unsigned len;
	const char *address;
	bool is_in;
} ranges[] = {
	{ "10.0.0.0", 8, "10.255.255.255", true },
	{ "10.0.0.0", 8, "11.0.0.0", false },
	{ "10.1.2.3", 9, "10.127.0.0", true },
	{ "10.1.2.3", 9, "10.128.0.0", false },
	{ "192.0.2.77", 32, "192.0.2.77", true },
	{ "192.0.2.77", 32, "192.0.2.76", false },
	{ "0.0.0.0", 0, "255.255.255.255", true },
	{ "0.0.0.0", 0, "::", false },
	{ "::", 0, "192.0.2.1", false },
	{ "::", 0, "2001:db8::", true },
	{ "2001:db8::", 33, "2001:db8:7fff::1", true },
	{ "2001:db8::", 33, "2001:db8:8000::1", false },
	{ "::1", 128, "::1", true },
	{ "::1", 128, "::", false },
	{ "::ffff:0:0", 96, "10.0.0.1", false },
};

START_TEST(a_range_is_the_first_bits_of_its_base)
{
	struct address_range range;
	struct address a;

	ck_assert(address_range_read(
	    str_of(ranges[_i].base), ranges[_i].len, &range));
	ck_assert(address_read(str_of(ranges[_i].address), &a));
	ck_assert_int_eq(address_is_in(&a, &range), ranges[_i].is_in);
}
END_TEST

START_TEST(a_range_has_no_more_bits_than_its_address)
{
	struct address_range range;

	ck_assert(address_range_read(STR("10.0.0.0"), 33, &range));
	ck_assert_uint_eq(range.len, 32);
	ck_assert(address_range_read(STR("::"), 4294967295U, &range));
	ck_assert_uint_eq(range.len, 128);
	ck_assert(!address_range_read(STR("ten"), 8, &range));
}
END_TEST

START_TEST(localhost_is_one_address_of_each_family)
{
	struct address a;

	ck_assert(address_read(STR("127.0.0.1"), &a));
	ck_assert(address_is_localhost(&a));
	ck_assert(address_read(STR("::1"), &a));
	ck_assert(address_is_localhost(&a));
	ck_assert(address_read(STR("127.0.0.2"), &a));
	ck_assert(!address_is_localhost(&a));
}
END_TEST

START_TEST(the_machine_has_an_address)
{
	struct address a = address_of_machine();

	ck_assert_int_eq(a.family, AF_INET);
	ck_assert_uint_gt(address_text(arena, &a).len, 0);
}
END_TEST

Suite *suite_http_address(void);

Suite *
suite_http_address(void)
{
	Suite *s = suite_create("http/address");
	TCase *t = tcase_create("addresses");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, texts_are_read_strictly_and_written_canonically,
	    0, sizeof(addresses) / sizeof(addresses[0]));
	tcase_add_test(t, a_nul_byte_ends_no_address);
	tcase_add_loop_test(t, a_range_is_the_first_bits_of_its_base, 0,
	    sizeof(ranges) / sizeof(ranges[0]));
	tcase_add_test(t, a_range_has_no_more_bits_than_its_address);
	tcase_add_test(t, localhost_is_one_address_of_each_family);
	tcase_add_test(t, the_machine_has_an_address);
	suite_add_tcase(s, t);
	return s;
}
