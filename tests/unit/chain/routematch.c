#include "config.h"

#include <check.h>

#include "chain/exchange.h"
#include "chain/metadata.h"
#include "chain/routematch.h"
#include "config/yaml.h"
#include "http/target.h"

static struct arena *arena;
static struct diag *diag;

static void
setup(void)
{
	arena = arena_new(4096);
	diag = diag_new(arena);
}

static void
teardown(void)
{
	arena_free(arena);
}

static const struct route_match *
build(const char *yaml)
{
	const struct node *node =
	    yaml_parse(arena, str_of(yaml), "test.yaml", diag);

	ck_assert_ptr_nonnull(node);
	return route_match_build(arena,
	    schema_decode(arena, diag, "", &conf_route_match_message, node),
	    diag);
}

/* A request for target with one header line, or none. */
static struct exchange *
request(const char *target, const char *name, const char *value)
{
	struct exchange *x = ARENA_NEW(arena, struct exchange);

	x->arena = arena;
	headers_init(&x->request, arena);
	headers_add(&x->request, STR(":path"), str_of(target));
	if (name)
		headers_add(&x->request, str_of(name), str_of(value));
	return x;
}

static bool
holds(const struct route_match *m, const struct exchange *x)
{
	struct str target = headers_get(&x->request, STR(":path"));

	return route_match_holds(
	    m, &(struct route_subject){ .headers = &x->request,
		   .target = target,
		   .path = target_path(target),
		   .exchange = x });
}

static const struct {
	const char *match, *target;
	bool holds;
	size_t len; /* what prefix_rewrite would replace */
} paths[] = {
	{ "{prefix: /a}", "/abc?q", true, 2 },
	{ "{prefix: /a}", "/A", false, 0 },
	{ "{prefix: ''}", "/x", true, 0 },
	{ "{prefix: /A, case_sensitive: false}", "/aB", true, 2 },
	{ "{path: /a}", "/a?q", true, 2 },
	{ "{path: /a}", "/a/", false, 0 },
	{ "{path: /A, case_sensitive: false}", "/a", true, 2 },
	{ "{path_separated_prefix: /a}", "/a", true, 2 },
	{ "{path_separated_prefix: /a}", "/a/b", true, 2 },
	{ "{path_separated_prefix: /a}", "/ab", false, 0 },
	{ "{safe_regex: {regex: '/[a-z]+'}}", "/abc?Q", true, 4 },
	{ "{safe_regex: {regex: '/[a-z]+'}}", "/abc/", false, 0 },
};

START_TEST(a_path_matches_as_its_specifier_says)
{
	const struct route_match *m = build(paths[_i].match);
	struct str path = target_path(str_of(paths[_i].target));

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(
	    holds(m, request(paths[_i].target, NULL, NULL)), paths[_i].holds);
	if (paths[_i].holds)
		ck_assert_uint_eq(route_match_len(m, path), paths[_i].len);
}
END_TEST

/* Where a pathindex looks must be where what matches is. */
START_TEST(the_key_of_a_match_leads_to_what_it_matches)
{
	const struct route_match *m = build(paths[_i].match);
	struct path_key key = route_match_key(m);
	struct str path = target_path(str_of(paths[_i].target));

	if (!paths[_i].holds)
		return;
	ck_assert(key.nocase ? str_starts_nocase(path, key.text)
			     : str_starts(path, key.text));
	if (key.whole)
		ck_assert_uint_eq(path.len, key.text.len);
}
END_TEST

static const struct {
	const char *match, *name, *value;
	bool holds;
} fields[] = {
	{ "{prefix: /, grpc: {}}", "content-type", "application/grpc", true },
	{ "{prefix: /, grpc: {}}", "content-type", "application/grpc+proto",
	    true },
	{ "{prefix: /, grpc: {}}", "content-type", "application/grpc-web",
	    false },
	{ "{prefix: /, grpc: {}}", NULL, NULL, false },
	{ "{prefix: /, cookies: [{name: a, string_match: {exact: '1'}}]}",
	    "cookie", "b=2; a=1", true },
	{ "{prefix: /, cookies: [{name: a, string_match: {exact: '1'}}]}",
	    "cookie", "b=2; a=2", false },
	{ "{prefix: /, cookies: [{name: a, string_match: {exact: '1'}}]}", NULL,
	    NULL, false },
	{ "{prefix: /, cookies: [{name: a, string_match: {exact: '1'}, "
	  "invert_match: true}]}",
	    NULL, NULL, true },
	{ "{prefix: /, headers: [{name: x}, {name: y}]}", "x", "1", false },
	{ "{prefix: /, headers: [{name: x}]}", "x", "1", true },
	{ "{prefix: /, query_parameters: [{name: q}]}", NULL, NULL, true },
	{ "{prefix: /, query_parameters: [{name: r}]}", NULL, NULL, false },
	{ "{prefix: /, runtime_fraction: {default_value: {numerator: 0}}}",
	    NULL, NULL, false },
	{ "{prefix: /, runtime_fraction: {default_value: {numerator: 1}}}",
	    NULL, NULL, true },
};

START_TEST(all_other_conditions_must_hold_too)
{
	const struct route_match *m = build(fields[_i].match);
	const struct exchange *x =
	    request("/p?q", fields[_i].name, fields[_i].value);

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(holds(m, x), fields[_i].holds);
	ck_assert_int_eq(
	    route_match_request(m, &x->request, 0), fields[_i].holds);
}
END_TEST

static const struct {
	const char *match;
	bool none, bad, good; /* holds for such a certificate */
} certificates[] = {
	{ "{}", true, true, true },
	{ "{presented: true}", false, true, true },
	{ "{presented: false}", true, false, false },
	{ "{validated: true}", false, false, true },
	{ "{presented: true, validated: false}", false, true, false },
};

START_TEST(certificates_are_as_the_web_server_says)
{
	const struct route_match *m = build(arena_printf(
	    arena, "{prefix: /, tls_context: %s}", certificates[_i].match)
						.ptr);
	struct exchange *x = request("/", NULL, NULL);

	x->peer.certificate = EXCHANGE_NO_CERTIFICATE;
	ck_assert_int_eq(holds(m, x), certificates[_i].none);
	x->peer.certificate = EXCHANGE_BAD_CERTIFICATE;
	ck_assert_int_eq(holds(m, x), certificates[_i].bad);
	x->peer.certificate = EXCHANGE_GOOD_CERTIFICATE;
	ck_assert_int_eq(holds(m, x), certificates[_i].good);
	/* A rule of a filter does not look. */
	ck_assert(route_match_request(m, &x->request, 0));
}
END_TEST

static const struct {
	const char *value; /* the matcher's */
	const char *key; /* path, two keys with a blank between */
	bool holds;
} metadata[] = {
	{ "{string_match: {exact: gold}}", "plan", true },
	{ "{string_match: {exact: tin}}", "plan", false },
	{ "{string_match: {exact: b}}", "map a", true },
	{ "{string_match: {exact: b}}", "map none", false },
	{ "{double_match: {exact: 5}}", "number", true },
	{ "{double_match: {range: {start: 5, end: 6}}}", "number", true },
	{ "{double_match: {range: {start: 4, end: 5}}}", "number", false },
	{ "{double_match: {exact: 5}}", "plan", false },
	{ "{bool_match: true}", "yes", true },
	{ "{bool_match: false}", "yes", false },
	{ "{null_match: {}}", "null", true },
	{ "{null_match: {}}", "none", false },
	{ "{present_match: true}", "plan", true },
	{ "{present_match: true}", "none", false },
	{ "{present_match: false}", "none", false },
	{ "{list_match: {one_of: {string_match: {exact: y}}}}", "list", true },
	{ "{list_match: {one_of: {string_match: {exact: z}}}}", "list", false },
	{ "{list_match: {one_of: {string_match: {exact: z}}}}", "plan", false },
	{ "{or_match: {value_matchers: [{bool_match: true}, {string_match: "
	  "{exact: gold}}]}}",
	    "plan", true },
	{ "{or_match: {value_matchers: [{bool_match: true}, {string_match: "
	  "{exact: tin}}]}}",
	    "plan", false },
};

static const struct route_match *
build_metadata(const char *keys, const char *value, bool invert)
{
	struct str rest = str_of(keys), path = STR("");

	while (rest.ptr) {
		struct str key = str_split(&rest, ' ');

		path = arena_printf(arena, STR_FMT "%s{key: '" STR_FMT "'}",
		    STR_ARG(path), path.len ? ", " : "", STR_ARG(key));
	}
	return build(arena_printf(arena,
	    "{prefix: /, dynamic_metadata: [{filter: ns, path: [" STR_FMT
	    "], value: %s, invert: %s}]}",
	    STR_ARG(path), value, invert ? "true" : "false")
			 .ptr);
}

START_TEST(metadata_matches_by_path_and_value)
{
	struct exchange *x = request("/", NULL, NULL);
	const char *key = metadata[_i].key, *value = metadata[_i].value;

	metadata_set(x, STR("ns"), STR("plan"), STR("gold"), false);
	metadata_set(x, STR("ns"), STR("number"), STR("5"), true);
	metadata_set(x, STR("ns"), STR("yes"), STR("true"), true);
	metadata_set(x, STR("ns"), STR("null"), STR("null"), true);
	metadata_set(x, STR("ns"), STR("map"), STR("{\"a\":\"b\"}"), true);
	metadata_set(x, STR("ns"), STR("list"), STR("[1,\"y\"]"), true);
	ck_assert_int_eq(
	    holds(build_metadata(key, value, false), x), metadata[_i].holds);
	ck_assert_int_eq(
	    holds(build_metadata(key, value, true), x), !metadata[_i].holds);
}
END_TEST

START_TEST(mistakes_are_refused)
{
	ck_assert_ptr_null(build("{safe_regex: {regex: '(a'}}"));
	ck_assert_ptr_null(build("{path_match_policy: {name: x, typed_config: "
				 "{'@type': type.googleapis.com/a.B}}}"));
	ck_assert_uint_ge(diag_errors(diag), 2);
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_chain_routematch(void);

Suite *
suite_chain_routematch(void)
{
	Suite *s = suite_create("chain/routematch");
	TCase *c = tcase_create("routematch");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(
	    c, a_path_matches_as_its_specifier_says, 0, N(paths));
	tcase_add_loop_test(
	    c, the_key_of_a_match_leads_to_what_it_matches, 0, N(paths));
	tcase_add_loop_test(
	    c, all_other_conditions_must_hold_too, 0, N(fields));
	tcase_add_loop_test(
	    c, certificates_are_as_the_web_server_says, 0, N(certificates));
	tcase_add_loop_test(
	    c, metadata_matches_by_path_and_value, 0, N(metadata));
	tcase_add_test(c, mistakes_are_refused);
	suite_add_tcase(s, c);
	return s;
}
