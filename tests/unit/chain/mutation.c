#include "config.h"

#include <check.h>

#include "chain/mutation.h"
#include "config/yaml.h"

static struct arena *arena;
static struct diag *diag;
static struct exchange *x;

static void
setup(void)
{
	arena = arena_new(4096);
	diag = diag_new(arena);
	x = ARENA_NEW(arena, struct exchange);
	x->arena = arena;
	headers_init(&x->request, arena);
	headers_init(&x->response, arena);
}

static void
teardown(void)
{
	arena_free(arena);
}

static const struct mutation *
build(const char *yaml, const char *const *removes)
{
	const struct node *list =
	    yaml_parse(arena, str_of(yaml), "test.yaml", diag);
	conf_header_options options = {
		ARENA_ARRAY(arena, list->n, struct conf_header_option), list->n
	};
	conf_strings names = { ARENA_ARRAY(arena, 4, struct str), 0 };

	for (size_t i = 0; i < list->n; i++) {
		const struct conf_header_option *one =
		    schema_decode(arena, diag, "", &conf_header_option_message,
			list->items[i].value);

		options.items[i] = *one;
	}
	for (; removes && removes[names.n]; names.n++)
		names.items[names.n] = str_of(removes[names.n]);
	return mutation_build(arena, &options, &names, diag);
}

/* All lines of a name with blanks between them, or "-". */
static const char *
lines(const struct headers *h, const char *name)
{
	struct str out = STR_NONE, value;

	for (size_t i = 0; (value = headers_nth(h, str_of(name), i)).ptr; i++)
		out = arena_printf(arena, STR_FMT "%s[" STR_FMT "]",
		    STR_ARG(out.ptr ? out : STR("")), i ? " " : "",
		    STR_ARG(value));
	return out.ptr ? out.ptr : "-";
}

#define ACTION(action)                                                         \
	"[{header: {key: X-A, value: new}, append_action: " #action "}]"

static const struct {
	const char *yaml, *before; /* NULL: absent */
	const char *after;
} actions[] = {
	{ ACTION(APPEND_IF_EXISTS_OR_ADD), "old", "[old] [new]" },
	{ ACTION(APPEND_IF_EXISTS_OR_ADD), NULL, "[new]" },
	{ ACTION(ADD_IF_ABSENT), "old", "[old]" },
	{ ACTION(ADD_IF_ABSENT), NULL, "[new]" },
	{ ACTION(OVERWRITE_IF_EXISTS_OR_ADD), "old", "[new]" },
	{ ACTION(OVERWRITE_IF_EXISTS_OR_ADD), NULL, "[new]" },
	{ ACTION(OVERWRITE_IF_EXISTS), "old", "[new]" },
	{ ACTION(OVERWRITE_IF_EXISTS), NULL, "-" },
	{ "[{header: {key: x-a, value: ''}}]", NULL, "-" },
	{ "[{header: {key: x-a, value: ''}, keep_empty_value: true}]", NULL,
	    "[]" },
	{ "[{header: {key: x-a, value: '%REQ(none)%'}}]", NULL, "-" },
	{ "[{header: {key: x-a, value: '%REQ(none)%'}, keep_empty_value: "
	  "true}]",
	    NULL, "[]" },
	{ "[{header: {key: x-a, value: '%REQ(x-a)%!'}, append_action: "
	  "OVERWRITE_IF_EXISTS}]",
	    "old", "[old!]" },
	/* Existence is asked before anything is done... */
	{ "[{header: {key: x-a, value: '1'}, append_action: ADD_IF_ABSENT}, "
	  "{header: {key: x-a, value: '2'}, append_action: ADD_IF_ABSENT}]",
	    NULL, "[1] [2]" },
	/* ...and what overwrites is done first. */
	{ "[{header: {key: x-a, value: '1'}}, {header: {key: x-a, value: "
	  "'2'}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}]",
	    "old", "[2] [1]" },
};

START_TEST(an_addition_does_as_its_action_says)
{
	const struct mutation *m = build(actions[_i].yaml, NULL);

	ck_assert_ptr_nonnull(m);
	if (actions[_i].before)
		headers_add(
		    &x->request, STR("x-a"), str_of(actions[_i].before));
	mutation_apply(m, x, &x->request);
	ck_assert_str_eq(lines(&x->request, "x-a"), actions[_i].after);
}
END_TEST

START_TEST(headers_are_removed_before_others_are_made)
{
	static const char *const gone[] = { "X-A", "x-b", NULL };

	headers_add(&x->response, STR("x-a"), STR("1"));
	headers_add(&x->response, STR("x-a"), STR("2"));
	mutation_apply(
	    build("[{header: {key: x-a, value: '%RESP(x-a)%n'}}]", gone), x,
	    &x->response);
	ck_assert_str_eq(lines(&x->response, "x-a"), "[n]");
	mutation_apply(NULL, x, &x->response);
	ck_assert_ptr_null(build("[]", NULL));
}
END_TEST

static const struct {
	const char *name;
	bool request, response; /* whether it stays one line */
} joined[] = {
	{ "x-a", false, false },
	{ "accept", true, false },
	{ "user-agent", true, false },
	{ "vary", false, true },
	{ "etag", false, true },
	{ "cache-control", true, true },
	{ "cookie", false, false },
	{ "set-cookie", false, false },
};

START_TEST(some_headers_stay_one_line)
{
	const char *name = joined[_i].name;
	const struct mutation *m = build(
	    arena_printf(arena, "[{header: {key: %s, value: b}}]", name).ptr,
	    NULL);

	headers_add(&x->request, str_of(name), STR("a"));
	headers_add(&x->response, str_of(name), STR("a"));
	mutation_apply(m, x, &x->request);
	mutation_apply(m, x, &x->response);
	ck_assert_str_eq(
	    lines(&x->request, name), joined[_i].request ? "[a,b]" : "[a] [b]");
	ck_assert_str_eq(lines(&x->response, name),
	    joined[_i].response ? "[a,b]" : "[a] [b]");
}
END_TEST

static const char *const fixed[] = { "':path'", "host", "Host",
	"':authority'" };

START_TEST(some_headers_may_not_be_touched)
{
	static const char *const gone[] = { ":path", NULL };

	ck_assert_ptr_null(build(
	    arena_printf(arena, "[{header: {key: %s, value: a}}]", fixed[_i])
		.ptr,
	    NULL));
	ck_assert_str_eq(diag_message(diag, 0),
	    ":-prefixed or host headers may not be modified");
	ck_assert_ptr_null(build("[]", gone));
	ck_assert_ptr_nonnull(
	    strstr(diag_message(diag, 1), "may not be removed"));
}
END_TEST

#define N(table) (sizeof(table) / sizeof((table)[0]))

Suite *suite_chain_mutation(void);

Suite *
suite_chain_mutation(void)
{
	Suite *s = suite_create("chain/mutation");
	TCase *c = tcase_create("mutation");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(
	    c, an_addition_does_as_its_action_says, 0, N(actions));
	tcase_add_test(c, headers_are_removed_before_others_are_made);
	tcase_add_loop_test(c, some_headers_stay_one_line, 0, N(joined));
	tcase_add_loop_test(c, some_headers_may_not_be_touched, 0, N(fixed));
	suite_add_tcase(s, c);
	return s;
}
