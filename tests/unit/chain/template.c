#include "config.h"

#include <check.h>

#include "chain/template.h"
#include "config/yaml.h"

#define MATCH                                                                  \
	"envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"
#define REWRITE                                                                \
	"envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig"

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

/* An extension of that type with one field. */
static struct conf_typed_extension *
extension(const char *type, const char *field, const char *value)
{
	struct conf_typed_extension *e =
	    ARENA_NEW(arena, struct conf_typed_extension);
	struct any *any = ARENA_NEW(arena, struct any);
	struct str yaml = arena_printf(arena, "%s: '%s'\n", field, value);

	any->node = yaml_parse(arena, yaml, "test.yaml", diag);
	any->type = str_of(type);
	any->path = "";
	e->node = any->node;
	e->name = STR("x");
	e->typed_config = any;
	return e;
}

static const struct template *
template_of(const char *text)
{
	return template_build(
	    arena, extension(MATCH, "path_template", text), diag);
}

static const struct {
	const char *template, *path;
	bool matches;
} matches[] = {
	{ "/", "/", true },
	{ "/a", "/a", true },
	{ "/a", "/a/", false },
	{ "/a/", "/a/", true },
	{ "/*", "/x", true },
	{ "/*", "/", false },
	{ "/*", "/x/y", false },
	{ "/a/*/c", "/a/b/c", true },
	{ "/**", "/", true },
	{ "/**", "/a/b/c", true },
	{ "/a/**", "/a/", true },
	{ "/a/**", "/a", false },
	{ "/{x}/b/{y}", "/1/b/2", true },
	{ "/{x}/b/{y}", "/1/c/2", false },
	{ "/{x=a/*}/c", "/a/9/c", true },
	{ "/{x=a/*}/c", "/b/9/c", false },
	{ "/{x=**}.m3u8", "/v/1/index.m3u8", true },
	{ "/*.html", "/index.html", true },
	{ "/*.html", "/indexXhtml", false },
	{ "/a.b/$(+)", "/a.b/$(+)", true },
	{ "/a.b", "/axb", false },
	{ "/*", "/a=b*", true },
	{ "/*", "/a\"", false },
	{ "/a*", "/a*", true },
	{ "/a*", "/ab", false },
	{ "/***", "/x/y*", true },
	{ "/a{x}b/c", "/a1b/c", true },
	{ "/a{x}b/c", "/ab/c", false },
	{ "/{x}b/c", "/1b/c", true },
	{ "/a{x=**}/c", "/a1/2/c", true },
	{ "/{x=a/b}c/d", "/a/bc/d", true },
	{ "/*", "/%20", true },
};

START_TEST(a_template_fits_whole_paths)
{
	const struct template *t = template_of(matches[_i].template);

	ck_assert_ptr_nonnull(t);
	ck_assert_msg(template_matches(t, str_of(matches[_i].path)) ==
			  matches[_i].matches,
	    "%s %s", matches[_i].template, matches[_i].path);
	if (matches[_i].matches)
		ck_assert(
		    str_starts(str_of(matches[_i].path), template_begin(t)));
}
END_TEST

static const char *const malformed[] = { "a", "/a//b", "/a b", "/{", "/{a",
	"/{a}{b}", "/{1a}", "/{a}/{a}", "/{a=}", "/{a=/b}", "/{a=b/}", "/**/*",
	"/**/{a}", "/{a=**}/{b=**}", "/*a/b", "/{a}x{b}", "/*{a}", "/a{b=x/y}c",
	"/a}b", "/*x/", "/{seventeencharsxyz}", "/{a}/{b}/{c}/{d}/{e}/{f}",
	"/{a=*b}", "/#" };

START_TEST(what_envoy_refuses_is_refused)
{
	ck_assert_ptr_null(template_of(malformed[_i]));
	ck_assert_uint_eq(diag_errors(diag), 1);
	ck_assert_ptr_nonnull(
	    strstr(diag_message(diag, 0), "path_match_policy.path_template"));
}
END_TEST

static const struct {
	const char *template, *rewrite, *path, *out; /* NULL: refused */
} rewrites[] = {
	{ "/{a}/{b}", "/{b}/{a}", "/1/2", "/2/1" },
	{ "/{a}/{b=**}", "/x/{b}", "/1/2/3", "/x/2/3" },
	{ "/{a}", "/{a}{a}", "/1", "/11" },
	{ "/{a}", "/fixed", "/1", "/fixed" },
	{ "/{a}", "/{b}", "/1", NULL },
	{ "/{a}", "{a}", "/1", NULL },
	{ "/{a}", "/x//{a}", "/1", NULL },
	{ "/{a}", "/x*=", "/1", "/x*=" },
	{ "/{a}", "/{a", "/1", NULL },
	{ "/{a}", "/a b", "/1", NULL },
};

START_TEST(a_rewrite_puts_variables_into_a_new_path)
{
	const struct template *t = template_of(rewrites[_i].template);
	const struct template_rewrite *r = template_rewrite_build(arena,
	    extension(REWRITE, "path_template_rewrite", rewrites[_i].rewrite),
	    t, diag);
	struct str out;

	if (!rewrites[_i].out) {
		ck_assert_ptr_null(r);
		ck_assert_uint_eq(diag_errors(diag), 1);
		return;
	}
	out = template_rewritten(arena, r, t, str_of(rewrites[_i].path));
	ck_assert(str_eq(out, str_of(rewrites[_i].out)));
	ck_assert_ptr_null(template_rewritten(arena, r, t, STR("no-path")).ptr);
}
END_TEST

START_TEST(other_extensions_are_refused_by_their_type)
{
	ck_assert_ptr_null(template_build(
	    arena, extension("a.B", "path_template", "/"), diag));
	ck_assert_ptr_nonnull(
	    strstr(diag_message(diag, 0), "with type URL: 'a.B'"));
}
END_TEST

Suite *suite_chain_template(void);

Suite *
suite_chain_template(void)
{
	Suite *s = suite_create("chain/template");
	TCase *c = tcase_create("template");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, a_template_fits_whole_paths, 0,
	    sizeof(matches) / sizeof(matches[0]));
	tcase_add_loop_test(c, what_envoy_refuses_is_refused, 0,
	    sizeof(malformed) / sizeof(malformed[0]));
	tcase_add_loop_test(c, a_rewrite_puts_variables_into_a_new_path, 0,
	    sizeof(rewrites) / sizeof(rewrites[0]));
	tcase_add_test(c, other_extensions_are_refused_by_their_type);
	suite_add_tcase(s, c);
	return s;
}
