#include "config.h"

#include <check.h>
#include <string.h>

#include "base/random.h"
#include "base/str.h"

START_TEST(blocks_differ)
{
	unsigned char a[256], b[256];

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	ck_assert_int_ne(memcmp(a, b, sizeof(a)), 0);
	ck_assert(random_u64() != random_u64());
}
END_TEST

/* The first numbers from 0, as they are published. */
START_TEST(a_sequence_is_splitmix64)
{
	uint64_t state = 0, other = 1;

	ck_assert(random_next(&state) == 0xe220a8397b1dcdaf);
	ck_assert(random_next(&state) == 0x6e789e6aa1b965f4);
	ck_assert(random_next(&state) == 0x06c45d188009454f);
	ck_assert(random_next(&other) != 0xe220a8397b1dcdaf);
}
END_TEST

START_TEST(a_uuid_tells_its_version_and_variant)
{
	char text[RANDOM_UUID_LEN], other[RANDOM_UUID_LEN];

	for (int n = 0; n < 100; n++) {
		random_uuid(text);
		for (size_t i = 0; i < sizeof(text); i++)
			if (i == 8 || i == 13 || i == 18 || i == 23)
				ck_assert_int_eq(text[i], '-');
			else
				ck_assert_int_ge(ascii_hex(text[i]), 0);
		ck_assert_int_eq(text[14], '4');
		ck_assert_ptr_nonnull(memchr("89ab", text[19], 4));
		random_uuid(other);
		ck_assert_int_ne(memcmp(text, other, sizeof(text)), 0);
	}
}
END_TEST

Suite *suite_base_random(void);

Suite *
suite_base_random(void)
{
	Suite *s = suite_create("base/random");
	TCase *t = tcase_create("random");

	tcase_add_test(t, blocks_differ);
	tcase_add_test(t, a_sequence_is_splitmix64);
	tcase_add_test(t, a_uuid_tells_its_version_and_variant);
	suite_add_tcase(s, t);
	return s;
}
