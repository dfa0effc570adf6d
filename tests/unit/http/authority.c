#include "config.h"

#include <check.h>

#include "http/authority.h"

static const struct {
	const char *text, *host;
	const char *port; /* NULL: none */
} parts[] = {
	{ "a.test", "a.test", NULL },
	{ "a.test:80", "a.test", "80" },
	{ "a.test:", "a.test", "" },
	{ "a:b:c", "a:b", "c" },
	{ ":80", "", "80" },
	{ "", "", NULL },
	{ "[::1]", "[::1]", NULL },
	{ "[::1]:80", "[::1]", "80" },
	{ "[::1", "[:", "1" },
	{ "a]b:80", "a]b", "80" },
};

START_TEST(a_port_stands_behind_the_last_colon_outside_brackets)
{
	struct str text = str_of(parts[_i].text);

	ck_assert(str_eq(authority_host(text), str_of(parts[_i].host)));
	ck_assert_int_eq(
	    authority_port(text).ptr != NULL, parts[_i].port != NULL);
	ck_assert(str_eq(authority_port(text), str_of(parts[_i].port)));
}
END_TEST

static const struct {
	const char *text, *without;
} dots[] = {
	{ "a.test.", "a.test" },
	{ "a.test.:80", "a.test:80" },
	{ "a.test..", "a.test." },
	{ "a.test", "a.test" },
	{ "a.test:80", "a.test:80" },
	{ ".", "" },
	{ ".:80", ":80" },
	{ "", "" },
	{ "192.0.2.1.", "192.0.2.1" },
	{ "[::1]:80", "[::1]:80" },
};

START_TEST(one_dot_is_cut_off_the_end_of_the_name)
{
	struct arena *arena = arena_new(256);

	ck_assert(str_eq(authority_without_dot(arena, str_of(dots[_i].text)),
	    str_of(dots[_i].without)));
	arena_free(arena);
}
END_TEST

START_TEST(some_characters_are_in_no_host)
{
	static const char refused[] = "\"#/<>?\\^`{|} \t\x7f\xe4\n";
	char text[4] = "a.b";

	ck_assert(authority_is_valid(STR("user:p@a_b-c.test:80")));
	ck_assert(authority_is_valid(STR("[::1]!$%&'()*+,;=~")));
	ck_assert(authority_is_valid(STR("")));
	ck_assert(!authority_is_valid(STR("a\0b")));
	for (size_t i = 0; i + 1 < sizeof(refused); i++) {
		text[1] = refused[i];
		ck_assert(!authority_is_valid(str_of(text)));
	}
}
END_TEST

Suite *suite_http_authority(void);

Suite *
suite_http_authority(void)
{
	Suite *s = suite_create("http/authority");
	TCase *t = tcase_create("hosts");

	tcase_add_loop_test(t,
	    a_port_stands_behind_the_last_colon_outside_brackets, 0,
	    sizeof(parts) / sizeof(parts[0]));
	tcase_add_loop_test(t, one_dot_is_cut_off_the_end_of_the_name, 0,
	    sizeof(dots) / sizeof(dots[0]));
	tcase_add_test(t, some_characters_are_in_no_host);
	suite_add_tcase(s, t);
	return s;
}
