#include "config.h"

#include <check.h>

#include "tests/unit/fake_host.h"

extern const struct filter filter_buffer;

static const char ten[] = "max_request_bytes: 10\n";

static const struct {
	const char *route; /* NULL: none */
	const char *body;
	enum verdict verdict;
} limits[] = {
	{ NULL, "0123456789", FILTER_NEXT },
	{ NULL, "0123456789a", FILTER_REPLY },
	{ "buffer: {max_request_bytes: 11}", "0123456789a", FILTER_NEXT },
	{ "buffer: {max_request_bytes: 3}", "0123", FILTER_REPLY },
	{ "disabled: true", "0123456789abcdef", FILTER_NEXT },
};

START_TEST(the_nearest_limit_counts)
{
	struct exchange *x =
	    fake_new_with_route(&filter_buffer, ten, limits[_i].route);

	ck_assert_str_eq(x->setup_error, "");
	fake_body(x, limits[_i].body);
	ck_assert_int_eq(fake_run_request(x), limits[_i].verdict);
	fake_free(x);
}
END_TEST

START_TEST(a_length_is_added_where_there_is_none)
{
	struct exchange *x = fake_new(&filter_buffer, ten);

	fake_body(x, "0123");
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_str_eq(fake_request_header(x, "content-length"), "4");
	fake_next_request(x);
	ck_assert_int_eq(fake_run_request(x), FILTER_NEXT);
	ck_assert_ptr_null(fake_request_header(x, "content-length"));
	fake_free(x);
}
END_TEST

static const struct {
	const char *conf;
	const char *error;
} mistakes[] = {
	{ "{}", "BufferValidationError.MaxRequestBytes: value is required" },
	{ "max_request_bytes: 0", "value must be greater than 0)" },
};

START_TEST(a_limit_is_needed)
{
	struct exchange *x = fake_new(&filter_buffer, mistakes[_i].conf);

	ck_assert_ptr_nonnull(strstr(x->setup_error, mistakes[_i].error));
	fake_free(x);
}
END_TEST

START_TEST(a_route_says_either_that_or_how_much)
{
	static const char *const wrong[] = { "{}", "disabled: false",
		"{disabled: true, buffer: {max_request_bytes: 1}}" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct exchange *x =
		    fake_new_with_route(&filter_buffer, ten, wrong[i]);

		ck_assert_msg(x->setup_error[0], "accepted: %s", wrong[i]);
		fake_free(x);
	}
}
END_TEST

Suite *suite_filters_buffer(void);

Suite *
suite_filters_buffer(void)
{
	Suite *s = suite_create("filters/buffer");
	TCase *t = tcase_create("buffer");

	tcase_add_loop_test(
	    t, the_nearest_limit_counts, 0, sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(t, a_length_is_added_where_there_is_none);
	tcase_add_loop_test(
	    t, a_limit_is_needed, 0, sizeof(mistakes) / sizeof(mistakes[0]));
	tcase_add_test(t, a_route_says_either_that_or_how_much);
	suite_add_tcase(s, t);
	return s;
}
