#include "config.h"

#include <check.h>

#include "http/grpc.h"

static struct arena *arena;
static struct headers fields;

static void
set_up(void)
{
	arena = arena_new(1024);
	headers_init(&fields, arena);
}

static void
tear_down(void)
{
	arena_free(arena);
}

static const struct {
	const char *type;
	bool is_grpc;
} types[] = {
	{ "application/grpc", true },
	{ "application/grpc+proto", true },
	{ "application/grpc-web", false },
	{ "application/grpc;x", false },
	{ "application/json", false },
	{ "", false },
};

START_TEST(the_type_tells_a_grpc_request)
{
	headers_add(&fields, STR("content-type"), str_of(types[_i].type));
	ck_assert_int_eq(grpc_is_request(&fields), types[_i].is_grpc);
}
END_TEST

static const struct {
	const char *text; /* NULL: no field */
	unsigned http;
	int64_t status;
} statuses[] = {
	{ "0", 200, 0 },
	{ "5", 503, 5 },
	{ "16", 200, 16 },
	{ "99", 200, 99 },
	{ "x", 200, GRPC_INVALID },
	{ "-1", 200, GRPC_INVALID },
	{ "99999999999999999999", 200, GRPC_INVALID },
	{ NULL, 200, GRPC_UNKNOWN },
	{ NULL, 400, 13 },
	{ NULL, 401, 16 },
	{ NULL, 403, 7 },
	{ NULL, 404, 12 },
	{ NULL, 429, 14 },
	{ NULL, 500, GRPC_UNKNOWN },
	{ NULL, 502, 14 },
	{ NULL, 503, 14 },
	{ NULL, 504, 14 },
};

START_TEST(the_status_is_that_of_the_field_or_of_http)
{
	if (statuses[_i].text)
		headers_add(
		    &fields, STR("grpc-status"), str_of(statuses[_i].text));
	ck_assert_int_eq(
	    grpc_status(&fields, statuses[_i].http), statuses[_i].status);
}
END_TEST

START_TEST(codes_have_two_names)
{
	ck_assert(str_eq(grpc_camel_name(0), STR("OK")));
	ck_assert(str_eq(grpc_camel_name(1), STR("Canceled")));
	ck_assert(str_eq(grpc_snake_name(1), STR("CANCELLED")));
	ck_assert(str_eq(grpc_camel_name(16), STR("Unauthenticated")));
	ck_assert(str_eq(grpc_snake_name(16), STR("UNAUTHENTICATED")));
	ck_assert_ptr_null(grpc_camel_name(17).ptr);
	ck_assert_ptr_null(grpc_snake_name(GRPC_INVALID).ptr);
}
END_TEST

Suite *suite_http_grpc(void);

Suite *
suite_http_grpc(void)
{
	Suite *s = suite_create("http/grpc");
	TCase *t = tcase_create("status");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, the_type_tells_a_grpc_request, 0,
	    sizeof(types) / sizeof(types[0]));
	tcase_add_loop_test(t, the_status_is_that_of_the_field_or_of_http, 0,
	    sizeof(statuses) / sizeof(statuses[0]));
	tcase_add_test(t, codes_have_two_names);
	suite_add_tcase(s, t);
	return s;
}
