#include "config.h"

#include <check.h>

#include "http/claims.h"

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

static const struct {
	const char *claims, *path, *text; /* NULL: absent */
} cases[] = {
	{ "{\"a\":\"x y\"}", "a", "x y" },
	{ "{\"a\":\"\"}", "a", NULL },
	{ "{\"a\":null}", "a", NULL },
	{ "{\"a\":1}", "b", NULL },
	{ "{\"A\":1}", "a", NULL },
	{ "{\"a\":true}", "a", "true" },
	{ "{\"a\":false}", "a", "false" },
	{ "{\"a\":0}", "a", "0" },
	{ "{\"a\":1700000000}", "a", "1700000000" },
	{ "{\"a\":1.0}", "a", "1" },
	{ "{\"a\":1.5}", "a", "1.500000" },
	{ "{\"a\":-7}", "a", "-7.000000" },
	{ "{\"a\":9007199254740992}", "a", "9007199254740992" },
	{ "{\"a\":1e20}", "a", "100000000000000000000.000000" },
	{ "{\"a\":[]}", "a", "W10=" },
	{ "{\"a\":{}}", "a", "e30=" },
	{ "{\"a\":{\"b\":{\"c\":\"x\"}}}", "a.b.c", "x" },
	{ "{\"a\":{\"b\":1}}", "a.b.c", NULL },
	{ "{\"a\":\"x\"}", "a.b", NULL },
	{ "{\"a.b\":\"x\",\"a\":{\"b\":\"y\"}}", "a.b", "y" },
	{ "{\"a.b\":\"x\"}", "a.b", NULL },
	{ "{\"\":\"x\"}", "a.", NULL },
	{ "{\"a\":{\"\":\"x\"}}", "a.", "x" },
	{ "{\"a\":[\"b\"]}", "a.b", NULL },
};

START_TEST(claims_become_text)
{
	const struct cJSON *claims =
	    jose_object(arena, str_of(cases[_i].claims));
	struct str rest = str_of(cases[_i].path), path[3], text;
	size_t n = 0;

	ck_assert_ptr_nonnull(claims);
	while (rest.ptr)
		path[n++] = str_split(&rest, '.');
	text = claims_header(arena, claims, path, n);
	ck_assert_msg(str_eq(text, str_of(cases[_i].text)) &&
			  !text.ptr == !cases[_i].text,
	    "%s gave " STR_FMT, cases[_i].claims, STR_ARG(text));
}
END_TEST

START_TEST(named_claims_become_lists_of_words)
{
	const struct str names[] = { STR("s"), STR("n"), STR("none") };
	const struct cJSON *claims = jose_object(arena,
	    STR("{\"s\":\" a  b \",\"n\":7,\"k\":\"a b\",\"o\":{\"s\":\"a b\"}}"));

	ck_assert(str_eq(claims_json_with_lists(arena, claims, names, 3),
	    STR("{\"s\":[\"a\",\"b\"],\"n\":7,\"k\":\"a b\",\"o\":{\"s\":\"a "
		"b\"}}")));
}
END_TEST

Suite *suite_http_claims(void);

Suite *
suite_http_claims(void)
{
	Suite *s = suite_create("http/claims");
	TCase *t = tcase_create("claims");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
	    t, claims_become_text, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, named_claims_become_lists_of_words);
	suite_add_tcase(s, t);
	return s;
}
