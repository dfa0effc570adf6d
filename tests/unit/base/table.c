#include "config.h"

#include <check.h>

#include "base/table.h"

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

static struct table *
table_of(const char *const *keys, size_t n)
{
	struct table *t = table_new(arena, n);

	for (size_t i = 0; i < n; i++)
		*table_put(t, str_of(keys[i])) = (uint32_t)i;
	return t;
}

static const char *const keys[] = { "a", "abc", "", "b", "abcdef", "ab" };
enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };

START_TEST(every_key_leads_to_its_number_and_others_to_none)
{
	struct table *t = table_of(keys, N_KEYS);

	for (uint32_t i = 0; i < N_KEYS; i++)
		ck_assert_uint_eq(table_get(t, str_of(keys[i])), i);
	ck_assert_uint_eq(table_get(t, STR("abcd")), TABLE_NONE);
	ck_assert_uint_eq(table_get(t, STR("A")), TABLE_NONE);
	ck_assert_uint_eq(table_get(NULL, STR("a")), TABLE_NONE);
	ck_assert_uint_eq(table_get(table_new(arena, 0), STR("a")), TABLE_NONE);
}
END_TEST

START_TEST(a_key_that_is_put_again_keeps_its_place)
{
	struct table *t = table_of(keys, N_KEYS);

	ck_assert_uint_eq(*table_put(t, STR("abc")), 1);
}
END_TEST

static const struct {
	const char *text;
	uint32_t found[N_KEYS + 1]; /* ended by TABLE_NONE */
} walks[] = {
	{ "abcdefg", { 2, 0, 5, 1, 4, TABLE_NONE } },
	{ "abcde", { 2, 0, 5, 1, TABLE_NONE } },
	{ "a", { 2, 0, TABLE_NONE } },
	{ "x", { 2, TABLE_NONE } },
	{ "", { 2, TABLE_NONE } },
};

START_TEST(a_walk_finds_all_beginnings_shortest_first)
{
	struct table_walk w =
	    table_walk(table_of(keys, N_KEYS), str_of(walks[_i].text));

	for (size_t i = 0;; i++) {
		uint32_t found = table_next(&w);

		ck_assert_uint_eq(found, walks[_i].found[i]);
		if (found == TABLE_NONE)
			break;
		ck_assert_uint_eq(w.len, strlen(keys[found]));
	}
	w = table_walk(NULL, STR("abc"));
	ck_assert_uint_eq(table_next(&w), TABLE_NONE);
}
END_TEST

START_TEST(very_long_keys_are_keys_too)
{
	char *text = arena_alloc(arena, 2001);
	struct table *t = table_new(arena, 3);
	struct table_walk w;

	memset(text, 'x', 2000);
	*table_put(t, (struct str){ text, 255 }) = 1;
	*table_put(t, (struct str){ text, 256 }) = 2;
	*table_put(t, (struct str){ text, 1999 }) = 3;
	w = table_walk(t, (struct str){ text, 2000 });
	for (uint32_t i = 1; i <= 3; i++)
		ck_assert_uint_eq(table_next(&w), i);
	ck_assert_uint_eq(table_next(&w), TABLE_NONE);
}
END_TEST

Suite *suite_base_table(void);

Suite *
suite_base_table(void)
{
	Suite *s = suite_create("base/table");
	TCase *c = tcase_create("table");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, every_key_leads_to_its_number_and_others_to_none);
	tcase_add_test(c, a_key_that_is_put_again_keeps_its_place);
	tcase_add_loop_test(c, a_walk_finds_all_beginnings_shortest_first, 0,
	    sizeof(walks) / sizeof(walks[0]));
	tcase_add_test(c, very_long_keys_are_keys_too);
	suite_add_tcase(s, c);
	return s;
}
