#include "config.h"

#include <check.h>
#include <stdio.h>

#include "chain/routematch.h"
#include "cmd/shadow.h"
#include "config/model.h"
#include "tests/unit/config/told.h"

static struct shadow_match
match_of(struct told *t, const char *text, const struct route_match **out)
{
	struct told one = told_new(text);
	const struct conf_route_match *conf = schema_decode(
	    one.arena, one.diag, "", &conf_route_match_message, one.top);

	t->arena = one.arena;
	*out = route_match_build(one.arena, conf, one.diag);
	if (!*out)
		ck_abort_msg("%s: %s", text, told_text(&one));
	return shadow_match(one.arena, conf, *out);
}

static bool
covers(const char *earlier, const char *later)
{
	static const struct conf_route_config config;
	const struct route_match *ignored;
	struct told a, b;
	struct shadow_match first = match_of(&a, earlier, &ignored);
	struct shadow_match second = match_of(&b, later, &ignored);
	bool does = shadow_covers(a.arena, &config, &first, &second);

	arena_free(a.arena);
	arena_free(b.arena);
	return does;
}

#define METHOD(kind, text)                                                     \
	"headers: [{name: ':method', string_match: {" kind ": " text "}}]"

static const struct {
	const char *earlier, *later;
} covered[] = {
	{ "{prefix: /}", "{prefix: /}" },
	{ "{prefix: /}", "{path: /a}" },
	{ "{prefix: /a}", "{prefix: /ab}" },
	{ "{prefix: /a}", "{path_separated_prefix: /a/b}" },
	{ "{prefix: /a}", "{safe_regex: {regex: '/ab[0-9]+'}}" },
	{ "{prefix: /A, case_sensitive: false}", "{path: /aB}" },
	{ "{prefix: /1}", "{prefix: /1a, case_sensitive: false}" },
	{ "{path: /a}", "{path: /a}" },
	{ "{path: /A, case_sensitive: false}", "{path: /a}" },
	{ "{path_separated_prefix: /a}", "{path_separated_prefix: /a}" },
	{ "{path_separated_prefix: /a}", "{path_separated_prefix: /a/b}" },
	{ "{path_separated_prefix: /a}", "{path: /a}" },
	{ "{path_separated_prefix: /a}", "{prefix: /a/}" },
	{ "{safe_regex: {regex: '/a.*'}}", "{safe_regex: {regex: '/a.*'}}" },
	{ "{safe_regex: {regex: '/a.*'}}", "{path: /ab}" },
	{ "{prefix: /}", "{prefix: /, " METHOD("exact", "GET") "}" },
	{ "{prefix: /, headers: [{name: ':method', string_match: {safe_regex: "
	  "{regex: 'GET|POST'}}}]}",
	    "{prefix: /a, " METHOD("exact", "POST") "}" },
	{ "{prefix: /, headers: [{name: x-a, present_match: true}]}",
	    "{prefix: /, headers: [{name: X-A, string_match: {exact: b}}]}" },
	{ "{prefix: /, headers: [{name: x-a, string_match: {exact: b}, "
	  "invert_match: true}]}",
	    "{prefix: /, headers: [{name: x-a, string_match: {exact: c}}]}" },
	{ "{prefix: /, query_parameters: [{name: q}]}",
	    "{prefix: /a, query_parameters: [{name: r}, {name: q}]}" },
	{ "{prefix: /, grpc: {}}", "{prefix: /a, grpc: {}}" },
};

START_TEST(what_an_earlier_route_takes_is_seen)
{
	if (!covers(covered[_i].earlier, covered[_i].later))
		ck_abort_msg("%s does not cover %s", covered[_i].earlier,
		    covered[_i].later);
}
END_TEST

static const struct {
	const char *earlier, *later;
} open_[] = {
	{ "{prefix: /ab}", "{prefix: /a}" },
	{ "{path: /a}", "{prefix: /a}" },
	{ "{path_separated_prefix: /a}", "{prefix: /a}" },
	{ "{path_separated_prefix: /a}", "{path: /ab}" },
	{ "{path_separated_prefix: /a}", "{safe_regex: {regex: '/a(b)?'}}" },
	{ "{prefix: /a}", "{prefix: /a, case_sensitive: false}" },
	{ "{path: /a}", "{path: /A, case_sensitive: false}" },
	{ "{safe_regex: {regex: '/a.'}}", "{path: /a}" },
	{ "{safe_regex: {regex: '/a'}}", "{path: /a, case_sensitive: false}" },
	{ "{prefix: /, " METHOD("exact", "GET") "}", "{prefix: /}" },
	{ "{prefix: /, " METHOD("exact", "GET") "}",
	    "{prefix: /, headers: [{name: ':method', string_match: "
	    "{safe_regex: {regex: 'GET|PUT'}}}]}" },
	{ "{prefix: /, " METHOD("exact", "GET") "}",
	    "{prefix: /, headers: [{name: ':method', string_match: "
	    "{exact: GET}, invert_match: true}]}" },
	{ "{prefix: /, headers: [{name: x-a, present_match: true}]}",
	    "{prefix: /, headers: [{name: x-b, present_match: true}]}" },
	{ "{prefix: /, headers: [{name: x-a, string_match: {exact: ''}}]}",
	    "{prefix: /, headers: [{name: x-a, string_match: {exact: ''}, "
	    "treat_missing_header_as_empty: true}]}" },
	{ "{prefix: /, query_parameters: [{name: q}]}", "{prefix: /}" },
	{ "{prefix: /, queryParameters: [{name: q}]}", "{prefix: /}" },
	{ "{prefix: /, grpc: {}}", "{prefix: /}" },
	{ "{prefix: /, runtime_fraction: {default_value: {numerator: 50}}}",
	    "{prefix: /}" },
	{ "{prefix: /, tls_context: {presented: true}}", "{prefix: /}" },
	{ "{prefix: /, cookies: [{name: c, string_match: {exact: a}}]}",
	    "{prefix: /, cookies: [{name: c, string_match: {exact: b}}]}" },
};

START_TEST(what_a_request_reaches_is_never_taken_for_unreachable)
{
	if (covers(open_[_i].earlier, open_[_i].later))
		ck_abort_msg(
		    "%s covers %s", open_[_i].earlier, open_[_i].later);
}
END_TEST

/* ---- all pairs, against requests ---- */

static const char *const paths[] = { "prefix: /", "prefix: /a", "prefix: /a/",
	"prefix: /A, case_sensitive: false", "path: /a", "path: /ab",
	"path: /A, case_sensitive: false", "path_separated_prefix: /a",
	"path_separated_prefix: /a/b",
	"path_separated_prefix: /A, case_sensitive: false",
	"safe_regex: {regex: '/a.*'}", "safe_regex: {regex: '/a(b|/b)?'}",
	"safe_regex: {regex: '(?i)/a/?'}", "safe_regex: {regex: '/|/a|x'}" };
static const char *const fields[] = { "", ", " METHOD("exact", "GET"),
	", " METHOD("safe_regex", "{regex: 'GET|PUT'}"),
	", " METHOD("prefix", "P"),
	", headers: [{name: x-a, present_match: true}]",
	", headers: [{name: x-a, string_match: {exact: b}}]",
	", headers: [{name: x-a, string_match: {exact: B, ignore_case: true}}]",
	", headers: [{name: x-a, string_match: {exact: ''}, "
	"treat_missing_header_as_empty: true}]",
	", headers: [{name: x-a, string_match: {exact: b}, "
	"invert_match: true}]" };
static const char *const targets[] = { "/", "/a", "/A", "/ab", "/a/", "/a/b",
	"/A/b", "/a/B", "/a/b/c", "/aB", "/x", "x" };
static const char *const methods[] = { "GET", "PUT", "POST", "get" };
static const char *const values[] = { NULL, "", "b", "B", "c" };

enum {
	N_PATHS = sizeof(paths) / sizeof(paths[0]),
	N_FIELDS = sizeof(fields) / sizeof(fields[0]),
	N_ALL = N_PATHS * N_FIELDS,
};

/* A request that only the later one matches. */
static bool
finds_one(struct arena *arena, const struct route_match *a,
    const struct route_match *b)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		for (size_t m = 0; m < 4; m++)
			for (size_t v = 0; v < 5; v++) {
				struct headers h;

				headers_init(&h, arena);
				headers_add(
				    &h, STR(":method"), str_of(methods[m]));
				headers_add(
				    &h, STR(":path"), str_of(targets[i]));
				if (values[v])
					headers_add(
					    &h, STR("x-a"), str_of(values[v]));
				if (route_match_request(b, &h, 0) &&
				    !route_match_request(a, &h, 0))
					return true;
			}
	return false;
}

START_TEST(no_request_passes_a_route_that_covers_another)
{
	static const struct conf_route_config config;
	static struct told told[N_ALL];
	static struct shadow_match all[N_ALL];
	static const struct route_match *compiled[N_ALL];
	char text[256];
	size_t found = 0;

	for (size_t i = 0; i < N_ALL; i++) {
		(void)snprintf(text, sizeof(text), "{%s%s}", paths[i % N_PATHS],
		    fields[i / N_PATHS]);
		all[i] = match_of(&told[i], text, &compiled[i]);
	}
	for (size_t i = 0; i < N_ALL; i++) {
		struct arena *arena = arena_new(4096);

		for (size_t j = 0; j < N_ALL; j++) {
			if (!shadow_covers(arena, &config, &all[i], &all[j]))
				continue;
			found++;
			if (finds_one(arena, compiled[i], compiled[j]))
				ck_abort_msg("%s%s does not cover %s%s",
				    paths[i % N_PATHS], fields[i / N_PATHS],
				    paths[j % N_PATHS], fields[j / N_PATHS]);
		}
		arena_free(arena);
	}
	ck_assert_uint_gt(found, N_ALL);
	for (size_t i = 0; i < N_ALL; i++)
		arena_free(told[i].arena);
}
END_TEST

#define LOOP(t, table, test)                                                   \
	tcase_add_loop_test(                                                   \
	    t, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_cmd_shadow(void);

Suite *
suite_cmd_shadow(void)
{
	Suite *s = suite_create("cmd/shadow");
	TCase *t = tcase_create("shadow");

	LOOP(t, covered, what_an_earlier_route_takes_is_seen);
	LOOP(t, open_, what_a_request_reaches_is_never_taken_for_unreachable);
	tcase_add_test(t, no_request_passes_a_route_that_covers_another);
	suite_add_tcase(s, t);
	return s;
}
