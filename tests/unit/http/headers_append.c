#include "config.h"

#include <check.h>

#include "http/headers.h"

static const struct {
	enum headers_of side;
	const char *name, *first, *second;
	const char *expected; /* the values, lines ended by ";" */
} appended[] = {
	{ HEADERS_OF_REQUEST, "x-own", "1", "2", "1;2;" },
	{ HEADERS_OF_REQUEST, "user-agent", "a", "b", "a,b;" },
	{ HEADERS_OF_RESPONSE, "user-agent", "a", "b", "a;b;" },
	{ HEADERS_OF_RESPONSE, "location", "/a", "/b", "/a,/b;" },
	{ HEADERS_OF_REQUEST, "location", "/a", "/b", "/a;/b;" },
	{ HEADERS_OF_REQUEST, "via", "a", "b", "a,b;" },
	{ HEADERS_OF_RESPONSE, "via", "a", "b", "a,b;" },
	{ HEADERS_OF_RESPONSE, "set-cookie", "a", "b", "a;b;" },
	{ HEADERS_OF_REQUEST, "cookie", "a", "b", "a;b;" },
	{ HEADERS_OF_REQUEST, "accept", "", "b", "b;" },
	{ HEADERS_OF_REQUEST, "accept", "a", "", "a;" },
	{ HEADERS_OF_REQUEST, "accept", "", "", ";" },
	{ HEADERS_OF_REQUEST, "x-own", "a", "", "a;;" },
};

START_TEST(a_value_joins_the_line_of_some_fields)
{
	struct arena *arena = arena_new(1024);
	struct str name = str_of(appended[_i].name), all = STR("");
	struct headers h;

	headers_init(&h, arena);
	headers_append(&h, appended[_i].side, name, str_of(appended[_i].first));
	headers_add(&h, STR("between"), STR("x"));
	headers_append(
	    &h, appended[_i].side, name, str_of(appended[_i].second));
	for (size_t i = 0; headers_nth(&h, name, i).ptr; i++)
		all =
		    ARENA_JOIN(arena, all, headers_nth(&h, name, i), STR(";"));
	ck_assert_str_eq(all.ptr, appended[_i].expected);
	ck_assert(str_eq(h.items[0].name, name));
	arena_free(arena);
}
END_TEST

Suite *suite_http_headers_append(void);

Suite *
suite_http_headers_append(void)
{
	Suite *s = suite_create("http/headers_append");
	TCase *t = tcase_create("appending");

	tcase_add_loop_test(t, a_value_joins_the_line_of_some_fields, 0,
	    sizeof(appended) / sizeof(appended[0]));
	suite_add_tcase(s, t);
	return s;
}
