#include "config.h"

#include <check.h>
#include <pthread.h>

#include "base/memo.h"

static struct arena *arena;
static int freed;

static void
setup(void)
{
	arena = arena_new(4096);
	freed = 0;
}

static void
teardown(void)
{
	arena_free(arena);
}

static void
count(void *ptr)
{
	(void)ptr;
	freed++;
}

static struct memo_item *
item_of(const void *owner, const char *key, const char *value)
{
	struct arena *own = arena_new(256);

	arena_cleanup(own, count, NULL);
	return memo_item_new(own, owner, str_of(key), value);
}

START_TEST(what_was_kept_is_found_under_key_and_owner)
{
	struct memo *memo = memo_new(arena, 8, 100);
	struct memo_item *item = item_of(arena, "key", "value"), *found;

	memo_keep(memo, item);
	memo_drop(item);
	found = memo_find(memo, arena, STR("key"));
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(memo_value(found), "value");
	memo_drop(found);
	ck_assert_ptr_null(memo_find(memo, arena, STR("kex")));
	ck_assert_ptr_null(memo_find(memo, memo, STR("key")));
	ck_assert_int_eq(freed, 0);
}
END_TEST

START_TEST(a_displaced_item_lives_until_it_is_dropped)
{
	struct memo *memo = memo_new(arena, 1, 100);
	struct memo_item *a = item_of(NULL, "a", "1"), *b;

	memo_keep(memo, a);
	b = item_of(NULL, "b", "2");
	memo_keep(memo, b);
	memo_drop(b);
	ck_assert_ptr_null(memo_find(memo, NULL, STR("a")));
	ck_assert_int_eq(freed, 0);
	ck_assert_str_eq(memo_value(a), "1");
	memo_drop(a);
	ck_assert_int_eq(freed, 1);
}
END_TEST

START_TEST(the_memo_frees_what_it_keeps)
{
	struct arena *own = arena_new(512);
	struct memo_item *item = item_of(NULL, "a", "1");

	memo_keep(memo_new(own, 4, 100), item);
	memo_drop(item);
	ck_assert_int_eq(freed, 0);
	arena_free(own);
	ck_assert_int_eq(freed, 1);
}
END_TEST

START_TEST(long_keys_are_not_kept)
{
	struct memo *memo = memo_new(arena, 4, 3);
	struct memo_item *item = item_of(NULL, "four", "1");

	memo_keep(memo, item);
	memo_drop(item);
	ck_assert_int_eq(freed, 1);
	ck_assert_ptr_null(memo_find(memo, NULL, STR("four")));
}
END_TEST

static void *
hammer(void *ptr)
{
	struct memo *memo = ptr;
	long wrong = 0;

	for (int i = 0; i < 20000; i++) {
		char key[2] = { (char)('a' + i % 5), '\0' };
		struct memo_item *item = memo_find(memo, NULL, str_of(key));

		if (!item) {
			struct arena *own = arena_new(64);
			struct str copy = arena_str(own, str_of(key));

			item = memo_item_new(own, NULL, copy, copy.ptr);
			memo_keep(memo, item);
		}
		wrong += strcmp(memo_value(item), key) != 0;
		memo_drop(item);
	}
	return wrong ? ptr : NULL;
}

START_TEST(threads_may_share_a_memo)
{
	struct memo *memo = memo_new(arena, 2, 100);
	pthread_t threads[4];
	void *wrong;

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, hammer, memo), 0);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
}
END_TEST

Suite *suite_base_memo(void);

Suite *
suite_base_memo(void)
{
	Suite *s = suite_create("base/memo");
	TCase *t = tcase_create("memo");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_was_kept_is_found_under_key_and_owner);
	tcase_add_test(t, a_displaced_item_lives_until_it_is_dropped);
	tcase_add_test(t, the_memo_frees_what_it_keeps);
	tcase_add_test(t, long_keys_are_not_kept);
	tcase_add_test(t, threads_may_share_a_memo);
	suite_add_tcase(s, t);
	return s;
}
