#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "chain/timeformat.h"

/* 2023-11-14T22:13:20.123456789Z */
#define SOME_TIME INT64_C(1700000000123456789)

static struct arena *arena;

static void
set_up(void)
{
	arena = arena_new(1024);
}

static void
tear_down(void)
{
	arena_free(arena);
}

static void
check(const char *format, enum timezone_kind zone, int64_t ns,
    const char *expected)
{
	const struct timeformat *f =
	    timeformat_build(arena, str_of(format), zone);

	ck_assert_ptr_nonnull(f);
	ck_assert_str_eq(
	    arena_cstr(arena, timeformat_text(f, arena, ns)), expected);
}

static const struct {
	const char *format, *text;
} formats[] = {
	{ "", "2023-11-14T22:13:20.123Z" },
	{ "plain", "plain" },
	{ "%Y-%m-%d %H:%M:%S", "2023-11-14 22:13:20" },
	{ "%d/%b/%Y:%T %z", "14/Nov/2023:22:13:20 +0000" },
	{ "%s", "1700000000" },
	{ "%s.%3f", "1700000000.123" },
	{ "%f", "123456789" },
	{ "%1f %2f %3f %4f %5f", "1 12 123 1234 12345" },
	{ "%6f %7f %8f %9f", "123456 1234567 12345678 123456789" },
	{ "%E3S", "20.123" },
	{ "%E0S", "20" },
	{ "%E*S", "20.123456789" },
	{ "%E3f", "123" },
	{ "%E*f", "123456789" },
	{ "%Ez", "+00:00" },
	{ "%Z", "UTC" },
	{ "%E4Y%ET%H", "2023T22" },
	{ "%%", "%" },
	{ "%%s", "%s" },
	{ "%%3f", "%3f" },
	{ "x%", "x%" },
};

START_TEST(conversions_are_strftimes_and_envoys)
{
	check(formats[_i].format, TIMEZONE_UTC, SOME_TIME, formats[_i].text);
}
END_TEST

static const struct {
	int64_t seconds;
	const char *text;
} days[] = {
	{ 0, "1970-01-01T00:00:00.000Z" },
	{ 951782399, "2000-02-28T23:59:59.000Z" },
	{ 951782400, "2000-02-29T00:00:00.000Z" },
	{ 951868800, "2000-03-01T00:00:00.000Z" },
	{ 1078012800, "2004-02-29T00:00:00.000Z" },
	{ 1704067199, "2023-12-31T23:59:59.000Z" },
	{ 1704067200, "2024-01-01T00:00:00.000Z" },
	{ 4107542400, "2100-03-01T00:00:00.000Z" },
	{ 9223372036, "2262-04-11T23:47:16.000Z" },
};

START_TEST(the_default_form_knows_the_calendar)
{
	check("", TIMEZONE_UTC, days[_i].seconds * 1000000000, days[_i].text);
}
END_TEST

START_TEST(short_fractions_lose_their_zeros)
{
	check("%E*S", TIMEZONE_UTC, INT64_C(1700000000120000000), "20.12");
	check("%E*S", TIMEZONE_UTC, INT64_C(1700000000000000000), "20");
	check("%E*f", TIMEZONE_UTC, INT64_C(1700000000000000000), "0");
	check("%3f", TIMEZONE_UTC, INT64_C(1700000000000000000), "000");
}
END_TEST

START_TEST(local_time_is_the_zones)
{
	ck_assert_int_eq(setenv("TZ", "XYZ-5:30", 1), 0);
	tzset();
	check("", TIMEZONE_LOCAL, SOME_TIME, "2023-11-15T03:43:20.123+0530");
	check("%H:%M %Z", TIMEZONE_LOCAL, SOME_TIME, "03:43 XYZ");
	check("%Ez", TIMEZONE_LOCAL, SOME_TIME, "+05:30");
	check("%H:%M", TIMEZONE_UTC, SOME_TIME, "22:13");
}
END_TEST

static const char *const newlines[] = { "%n", "x%n", "%5n", "%-n", "%En",
	"%^#3n" };

START_TEST(newlines_are_refused)
{
	ck_assert_ptr_null(
	    timeformat_build(arena, str_of(newlines[_i]), TIMEZONE_UTC));
}
END_TEST

#define LOOP(test, rows)                                                       \
	tcase_add_loop_test(t, test, 0, sizeof(rows) / sizeof((rows)[0]))

Suite *suite_chain_timeformat(void);

Suite *
suite_chain_timeformat(void)
{
	Suite *s = suite_create("chain/timeformat");
	TCase *t = tcase_create("times");

	tcase_add_checked_fixture(t, set_up, tear_down);
	LOOP(conversions_are_strftimes_and_envoys, formats);
	LOOP(the_default_form_knows_the_calendar, days);
	tcase_add_test(t, short_fractions_lose_their_zeros);
	tcase_add_test(t, local_time_is_the_zones);
	LOOP(newlines_are_refused, newlines);
	suite_add_tcase(s, t);
	return s;
}
