#include "config.h"

#include <check.h>
#include <dirent.h>
#include <stdlib.h>

#include "front/envp.h"

static struct envp *envp;
static struct arena *arena;

static void
set_up(void)
{
	envp = envp_new();
	arena = arena_new(4096);
	ck_assert_ptr_nonnull(envp);
}

static void
tear_down(void)
{
	envp_free(envp);
	arena_free(arena);
}

static size_t
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	ck_assert_int_eq(closedir(dir), 0);
	return n;
}

/* "X" with a value of len bytes. */
static void
put_pair(struct buf *b, size_t len)
{
	const unsigned char head[6] = { 1, (unsigned char)(0x80 | len >> 24),
		(unsigned char)(len >> 16), (unsigned char)(len >> 8),
		(unsigned char)len, 'X' };
	char *at;

	ck_assert_int_eq(
	    buf_append(b, (struct str){ (const char *)head, 6 }), ERR_OK);
	ck_assert_int_eq(buf_reserve(b, len, &at), ERR_OK);
	memset(at, 'a' + (int)(len % 26), len);
	buf_commit(b, len);
}

static void
check_size(size_t total)
{
	struct cgi_param *params;
	struct buf pairs;
	size_t n = 99, len = total - 6;

	buf_init(&pairs, FASTCGI_PARAMS_MAX);
	put_pair(&pairs, len);
	ck_assert_int_eq(
	    envp_read(envp, arena, buf_bytes(&pairs), &params, &n), ERR_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert(str_eq(params[0].name, STR("FCGI_ROLE")));
	ck_assert(str_eq(params[1].name, STR("X")));
	ck_assert(
	    str_eq(params[1].value, str_slice(buf_bytes(&pairs), 6, pairs.to)));
	buf_free(&pairs);
}

START_TEST(parameters_of_every_size_arrive_and_no_descriptor_is_lost)
{
	size_t before = count_descriptors();

	for (size_t total = 6; total < 3000; total += 7)
		check_size(total);
	for (size_t total = 8192 - 40; total < 8192 + 40; total++)
		check_size(total);
	for (size_t total = FASTCGI_RECORD_MAX - 20;
	     total < FASTCGI_RECORD_MAX + 20; total++)
		check_size(total);
	for (size_t total = 3000; total < FASTCGI_PARAMS_MAX; total += 1999)
		check_size(total);
	check_size(FASTCGI_PARAMS_MAX);
	ck_assert_uint_eq(count_descriptors(), before);
}
END_TEST

START_TEST(duplicates_and_empty_values_keep_their_order)
{
	static const struct {
		struct str name, value;
	} expected[] = { { STR_INIT("FCGI_ROLE"), STR_INIT("RESPONDER") },
		{ STR_INIT("A"), STR_INIT("1") },
		{ STR_INIT("B"), STR_INIT("") },
		{ STR_INIT("A"), STR_INIT("x=y") } };
	struct cgi_param *params;
	size_t n;

	ck_assert_int_eq(
	    envp_read(envp, arena, STR("\1\1A1\1\0B\1\3Ax=y"), &params, &n),
	    ERR_OK);
	ck_assert_uint_eq(n, 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert(str_eq(params[i].name, expected[i].name));
		ck_assert(str_eq(params[i].value, expected[i].value));
	}
}
END_TEST

START_TEST(no_parameters_are_no_fault)
{
	struct cgi_param *params;
	size_t n;

	ck_assert_int_eq(envp_read(envp, arena, STR(""), &params, &n), ERR_OK);
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(after_a_failure_the_next_request_is_read_as_usual)
{
	size_t before = count_descriptors(), n;
	struct cgi_param *params;

	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(
		    envp_read(envp, arena, STR("\5\5cut"), &params, &n),
		    ERR_BAD);
		check_size(1000);
	}
	ck_assert_uint_eq(count_descriptors(), before);
}
END_TEST

START_TEST(strings_of_an_environment_are_split_at_the_first_sign)
{
	char a[] = "A=b=c", b[] = "EMPTY=", c[] = "odd";
	char *const strings[] = { a, b, c, NULL };
	size_t n;
	struct cgi_param *params = envp_split(arena, strings, &n);

	ck_assert_uint_eq(n, 3);
	ck_assert(str_eq(params[0].name, STR("A")));
	ck_assert(str_eq(params[0].value, STR("b=c")));
	ck_assert_uint_eq(params[1].value.len, 0);
	ck_assert(str_eq(params[2].name, STR("odd")));
	ck_assert_uint_eq(params[2].value.len, 0);
}
END_TEST

Suite *suite_front_envp(void);

Suite *
suite_front_envp(void)
{
	Suite *s = suite_create("front/envp");
	TCase *t = tcase_create("parameters");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(
	    t, parameters_of_every_size_arrive_and_no_descriptor_is_lost);
	tcase_add_test(t, duplicates_and_empty_values_keep_their_order);
	tcase_add_test(t, no_parameters_are_no_fault);
	tcase_add_test(t, after_a_failure_the_next_request_is_read_as_usual);
	tcase_add_test(
	    t, strings_of_an_environment_are_split_at_the_first_sign);
	suite_add_tcase(s, t);
	return s;
}
