#include "config.h"

#include <check.h>

#include "http/target.h"

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

static const struct target_rules normalize = { .normalize = true };
static const struct target_rules merge = { .merge_slashes = true };
static const struct target_rules both = { true, true, TARGET_SLASHES_KEEP };
static const struct target_rules reject = { true, true, TARGET_SLASHES_REJECT };
static const struct target_rules redirect = { true, true,
	TARGET_SLASHES_REDIRECT };
static const struct target_rules forward = { true, true,
	TARGET_SLASHES_FORWARD };
static const struct target_rules forward_raw = { false, false,
	TARGET_SLASHES_FORWARD };
static const struct target_rules nothing = { 0 };

static const struct {
	const struct target_rules *rules;
	const char *raw, *out;
	enum err err;
} targets[] = {
	{ &nothing, "/a/../b//c%2f\\x", "/a/../b//c%2f\\x", ERR_OK },
	{ &nothing, "/a#b", NULL, ERR_BAD },
	{ &nothing, "/a?b#c", NULL, ERR_BAD },
	{ &normalize, "/a/b?x=/../%2e", "/a/b?x=/../%2e", ERR_OK },
	{ &normalize, "/", "/", ERR_OK },
	{ &normalize, "", "/", ERR_OK },
	{ &normalize, "?x", "/?x", ERR_OK },
	{ &normalize, "a", "/a", ERR_OK },
	{ &normalize, "/.", "/", ERR_OK },
	{ &normalize, "/..", "/", ERR_OK },
	{ &normalize, "/a/.", "/a/", ERR_OK },
	{ &normalize, "/a/..", "/", ERR_OK },
	{ &normalize, "/a/./b", "/a/b", ERR_OK },
	{ &normalize, "/a/../b", "/b", ERR_OK },
	{ &normalize, "/a/b/../../../../c", "/c", ERR_OK },
	{ &normalize, "/a/%2e%2E/b", "/b", ERR_OK },
	{ &normalize, "/a/.%2e/b", "/b", ERR_OK },
	{ &normalize, "/a/%2e./b", "/b", ERR_OK },
	{ &normalize, "/a/%2e", "/a/", ERR_OK },
	{ &normalize, "/a/...", "/a/...", ERR_OK },
	{ &normalize, "/a/.%2e.", "/a/...", ERR_OK },
	{ &normalize, "/a/.b/..c", "/a/.b/..c", ERR_OK },
	{ &normalize, "/a./b../c", "/a./b../c", ERR_OK },
	{ &normalize, "/a%2e/", "/a./", ERR_OK },
	{ &normalize, "/a//../b", "/a/b", ERR_OK },
	{ &normalize, "/a\\..\\b", "/b", ERR_OK },
	{ &normalize, "\\a", "/a", ERR_OK },
	{ &normalize, "/a/..\\..\\..\\b", "/b", ERR_OK },
	{ &normalize, "/a%00b", NULL, ERR_BAD },
	{ &normalize, "/%41%7a%30%2d%5F%7E", "/Az0-_~", ERR_OK },
	{ &normalize, "/%2F%2f%5c%5C%25%c0%af", "/%2F%2f%5c%5C%25%c0%af",
	    ERR_OK },
	{ &normalize, "/%21%20%3b", "/%21%20%3b", ERR_OK },
	{ &normalize, "/%", "/%", ERR_OK },
	{ &normalize, "/%4", "/%4", ERR_OK },
	{ &normalize, "/%zz%4", "/%zz%4", ERR_OK },
	{ &normalize, "/\"<>^`{|} \x7f", "/%22%3C%3E%5E%60%7B%7C%7D%20%7F",
	    ERR_OK },
	{ &normalize, "/\xc3\xa9", "/%C3%A9", ERR_OK },
	{ &normalize, "/!$&'()*+,;=:@[]", "/!$&'()*+,;=:@[]", ERR_OK },
	{ &normalize, "/%%41", "/%A", ERR_OK },
	{ &normalize, "/%%34%31", "/%2541", ERR_OK },
	{ &normalize, "/%%341", "/%2541", ERR_OK },
	{ &normalize, "/%4%31", "/%2541", ERR_OK },
	{ &normalize, "/%%34z", "/%4z", ERR_OK },
	{ &normalize, "/%%%34%31", "/%%2541", ERR_OK },
	{ &normalize, "/%%32%65/", "/%252e/", ERR_OK },
	{ &normalize, "/a?b c", NULL, ERR_BAD },
	{ &normalize, "/a?\tb", NULL, ERR_BAD },
	{ &normalize, "/a?b\x7f", NULL, ERR_BAD },
	{ &normalize, "/a?\xc3\xa9\"<>", "/a?\xc3\xa9\"<>", ERR_OK },
	{ &nothing, "/a b", NULL, ERR_BAD },
	{ &merge, "/a//b///c//?x=//", "/a/b/c/?x=//", ERR_OK },
	{ &merge, "/a/../b", "/a/../b", ERR_OK },
	{ &merge, "//", "//", ERR_OK },
	{ &merge, "////", "//", ERR_OK },
	{ &merge, "/", "/", ERR_OK },
	{ &merge, "//a", "/a", ERR_OK },
	{ &both, "/a//../..//b", "/b", ERR_OK },
	{ &both, "/a/\\b", "/a/b", ERR_OK },
	{ &both, "/a%2F%2Fb", "/a%2F%2Fb", ERR_OK },
	{ &reject, "/a%2fb", NULL, ERR_BAD },
	{ &reject, "/a%5Cb", NULL, ERR_BAD },
	{ &reject, "/a%25b?%2f", "/a%25b?%2f", ERR_OK },
	{ &redirect, "/a%2F..%5cb?x=%2F", "/b?x=%2F", ERR_DENIED },
	{ &redirect, "/a//b", "/a/b", ERR_OK },
	{ &forward, "/a%2F..%5Cb", "/b", ERR_OK },
	{ &forward, "/%252F", "/%252F", ERR_OK },
	{ &forward, "/%%32F", "/%252F", ERR_OK },
	{ &forward_raw, "/a%2Fb%5cc%2e", "/a/b\\c%2e", ERR_OK },
};

START_TEST(normalises_as_envoy_does)
{
	struct str out = STR_NONE, again;
	enum err err = target_normalize(
	    arena, str_of(targets[_i].raw), targets[_i].rules, &out);

	ck_assert_msg(
	    err == targets[_i].err, "%s: %s", targets[_i].raw, err_text(err));
	if (err == ERR_BAD)
		return;
	ck_assert_msg(str_eq(out, str_of(targets[_i].out)), "%s gave " STR_FMT,
	    targets[_i].raw, STR_ARG(out));
	ck_assert_int_eq(
	    target_normalize(arena, out, targets[_i].rules, &again), ERR_OK);
	ck_assert_msg(
	    str_eq(out, again), "twice gave " STR_FMT, STR_ARG(again));
}
END_TEST

START_TEST(a_target_without_need_is_handed_back_itself)
{
	struct str raw = STR("/api/users/7.json?x=%2e"), out;

	ck_assert_int_eq(target_normalize(arena, raw, &forward, &out), ERR_OK);
	ck_assert_ptr_eq(out.ptr, raw.ptr);
}
END_TEST

START_TEST(a_nul_byte_is_refused_wherever_it_stands)
{
	struct str out;

	ck_assert_int_eq(
	    target_normalize(arena, STR("/a\0b"), &nothing, &out), ERR_BAD);
	ck_assert_int_eq(
	    target_normalize(arena, STR("/a?\0b"), &nothing, &out), ERR_BAD);
}
END_TEST

START_TEST(normalising_twice_changes_nothing_whatever_the_pieces)
{
	static const char *const pieces[] = { "/", ".", "%", "2", "e", "5", "c",
		"%2e", "%25", "%2f", "%32", "%46", "\\", "a", "F" };
	const size_t n = sizeof(pieces) / sizeof(pieces[0]);
	struct target_rules rules = { true, _i & 1,
		(_i & 2) ? TARGET_SLASHES_FORWARD : TARGET_SLASHES_KEEP };

	for (size_t i = 0; i < n * n * n * n * n; i++) {
		struct arena *own = arena_new(1024);
		struct str once, twice, raw;

		raw = arena_printf(own, "/%s%s%s%s%s", pieces[i % n],
		    pieces[i / n % n], pieces[i / n / n % n],
		    pieces[i / n / n / n % n], pieces[i / n / n / n / n]);
		/* Check keeps a message of each assertion: not of these. */
		if (!target_normalize(own, raw, &rules, &once) &&
		    (target_normalize(own, once, &rules, &twice) ||
			!str_eq(once, twice) ||
			str_find(once, STR("/../"), 0) < once.len))
			ck_abort_msg(STR_FMT " gave " STR_FMT, STR_ARG(raw),
			    STR_ARG(once));
		arena_free(own);
	}
}
END_TEST

static const struct {
	const char *raw, *target, *authority;
	enum err err;
} origins[] = {
	{ "/a?b", "/a?b", NULL, ERR_OK },
	{ "//a", "//a", NULL, ERR_OK },
	{ "http://host/p?q", "/p?q", "host", ERR_OK },
	{ "HTTPS://host:8443", "/", "host:8443", ERR_OK },
	{ "http://[::1]:80/x", "/x", "[::1]:80", ERR_OK },
	{ "http://host?q", NULL, NULL, ERR_BAD },
	{ "http:///p", NULL, NULL, ERR_BAD },
	{ "http://user@host/p", NULL, NULL, ERR_BAD },
	{ "ftp://host/p", NULL, NULL, ERR_BAD },
	{ "*", NULL, NULL, ERR_BAD },
	{ "", NULL, NULL, ERR_BAD },
	{ "a/b", NULL, NULL, ERR_BAD },
	{ "host:443", NULL, NULL, ERR_BAD },
};

START_TEST(absolute_form_loses_scheme_and_authority)
{
	struct str target = STR_NONE, authority = STR_NONE;

	ck_assert_int_eq(
	    target_origin(str_of(origins[_i].raw), &target, &authority),
	    origins[_i].err);
	ck_assert(str_eq(target, str_of(origins[_i].target)));
	ck_assert(str_eq(authority, str_of(origins[_i].authority)));
}
END_TEST

START_TEST(path_and_query_part_at_the_first_question_mark)
{
	ck_assert(str_eq(target_path(STR("/a?b?c")), STR("/a")));
	ck_assert(str_eq(target_query(STR("/a?b?c")), STR("?b?c")));
	ck_assert(str_eq(target_path(STR("/a#b?c")), STR("/a")));
	ck_assert(str_eq(target_query(STR("/a#b?c")), STR("")));
	ck_assert(str_eq(target_query(STR("/a")), STR("")));
}
END_TEST

START_TEST(a_segment_prefix_ends_where_a_segment_ends)
{
	struct str prefix = STR("/api/users");

	ck_assert(target_has_segment_prefix(STR("/api/users"), prefix));
	ck_assert(target_has_segment_prefix(STR("/api/users/"), prefix));
	ck_assert(target_has_segment_prefix(STR("/api/users/7"), prefix));
	ck_assert(!target_has_segment_prefix(STR("/api/usersevil"), prefix));
	ck_assert(!target_has_segment_prefix(STR("/api/user"), prefix));
	ck_assert(target_has_segment_prefix(STR("/x"), STR("/")));
}
END_TEST

Suite *suite_http_target(void);

Suite *
suite_http_target(void)
{
	Suite *s = suite_create("http/target");
	TCase *t = tcase_create("target");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, normalises_as_envoy_does, 0,
	    sizeof(targets) / sizeof(targets[0]));
	tcase_add_test(t, a_target_without_need_is_handed_back_itself);
	tcase_add_test(t, a_nul_byte_is_refused_wherever_it_stands);
	tcase_add_loop_test(
	    t, normalising_twice_changes_nothing_whatever_the_pieces, 0, 4);
	tcase_add_loop_test(t, absolute_form_loses_scheme_and_authority, 0,
	    sizeof(origins) / sizeof(origins[0]));
	tcase_add_test(t, path_and_query_part_at_the_first_question_mark);
	tcase_add_test(t, a_segment_prefix_ends_where_a_segment_ends);
	suite_add_tcase(s, t);
	return s;
}
