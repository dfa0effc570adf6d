#include "config.h"

#include <check.h>

#include "base/buf.h"

START_TEST(appending_beyond_the_maximum_changes_nothing)
{
	struct buf b;

	buf_init(&b, 8);
	ck_assert_int_eq(buf_append(&b, STR("12345")), ERR_OK);
	ck_assert_int_eq(buf_append(&b, STR("6789")), ERR_FULL);
	ck_assert(str_eq(buf_bytes(&b), STR("12345")));
	ck_assert_uint_eq(buf_room(&b), 3);
	buf_free(&b);
}
END_TEST

START_TEST(consumed_bytes_make_room_again)
{
	struct buf b;

	buf_init(&b, 8);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(buf_append(&b, STR("abcdefgh")), ERR_OK);
		buf_consume(&b, 5);
		ck_assert(str_eq(buf_bytes(&b), STR("fgh")));
		buf_consume(&b, 3);
		ck_assert(buf_is_empty(&b));
	}
	buf_free(&b);
}
END_TEST

START_TEST(unread_bytes_survive_growing_and_moving)
{
	struct buf b;
	size_t len = 0;

	buf_init(&b, 100000);
	for (int i = 0; i < 5000; i++) {
		ck_assert_int_eq(buf_printf(&b, "%05d", i), ERR_OK);
		len += 5;
		if (i % 7 == 0) {
			buf_consume(&b, 5);
			len -= 5;
		}
		ck_assert_uint_eq(buf_len(&b), len);
	}
	ck_assert(str_starts(buf_bytes(&b), STR("00715")));
	ck_assert(str_ends(buf_bytes(&b), STR("04999")));
	buf_free(&b);
}
END_TEST

START_TEST(the_end_can_be_dropped)
{
	struct buf b;

	buf_init(&b, 8);
	ck_assert_int_eq(buf_append(&b, STR("abcdefgh")), ERR_OK);
	buf_truncate(&b, 3);
	ck_assert_int_eq(buf_append_byte(&b, 'X'), ERR_OK);
	buf_consume(&b, 2);
	ck_assert(str_eq(buf_bytes(&b), STR("cdeX")));
	buf_truncate(&b, 4);
	ck_assert(buf_is_empty(&b));
	buf_free(&b);
}
END_TEST

Suite *suite_base_buf(void);

Suite *
suite_base_buf(void)
{
	Suite *s = suite_create("base/buf");
	TCase *t = tcase_create("bytes");

	tcase_add_test(t, appending_beyond_the_maximum_changes_nothing);
	tcase_add_test(t, consumed_bytes_make_room_again);
	tcase_add_test(t, unread_bytes_survive_growing_and_moving);
	tcase_add_test(t, the_end_can_be_dropped);
	suite_add_tcase(s, t);
	return s;
}
