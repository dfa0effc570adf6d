#include "config.h"

#include <check.h>
#include <stdio.h>

#include "base/table.h"

START_TEST(what_was_added_is_found_and_stays)
{
	struct arena *arena = arena_new(1024);
	struct table *t = table_new(arena);
	static const int one = 1, two = 2;

	ck_assert_ptr_null(table_get(t, STR("a")));
	ck_assert(table_add(t, STR("a"), &one));
	ck_assert(table_add(t, STR(""), &two));
	ck_assert(!table_add(t, STR("a"), &two));
	ck_assert_ptr_eq(table_get(t, STR("a")), &one);
	ck_assert_ptr_eq(table_get(t, STR("")), &two);
	ck_assert_ptr_null(table_get(t, STR("A")));
	arena_free(arena);
}
END_TEST

struct order {
	size_t n;
	const void *last;
};

static void
in_order(void *arg, struct str key, const void *value)
{
	struct order *order = arg;

	ck_assert_ptr_eq(key.ptr, value);
	ck_assert(!order->last || value > order->last);
	order->last = value;
	order->n++;
}

START_TEST(it_grows_and_keeps_the_order)
{
	struct arena *arena = arena_new(1024);
	struct table *t = table_new(arena);
	char *keys = arena_alloc(arena, 16 * 5000);
	struct order order = { .n = 0 };

	for (size_t i = 0; i < 5000; i++) {
		char *key = keys + 16 * i;
		int len = snprintf(key, 16, "%zu", i);

		ck_assert(table_add(t, (struct str){ key, (size_t)len }, key));
	}
	for (size_t i = 0; i < 5000; i++)
		ck_assert_ptr_eq(
		    table_get(t, str_of(keys + 16 * i)), keys + 16 * i);
	ck_assert_ptr_null(table_get(t, STR("5000")));
	table_each(t, in_order, &order);
	ck_assert_uint_eq(order.n, 5000);
	arena_free(arena);
}
END_TEST

Suite *suite_base_table(void);

Suite *
suite_base_table(void)
{
	Suite *s = suite_create("base/table");
	TCase *t = tcase_create("table");

	tcase_add_test(t, what_was_added_is_found_and_stays);
	tcase_add_test(t, it_grows_and_keeps_the_order);
	suite_add_tcase(s, t);
	return s;
}
