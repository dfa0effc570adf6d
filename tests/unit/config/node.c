#include "config.h"

#include <check.h>

#include "tests/unit/config/told.h"

#define N(list) (sizeof(list) / sizeof(*(list)))

/* Each is printed as it stands here. */
static const char *const fixed[] = {
	"a: 1\n",
	"a: \"1\"\n",
	"a: -1.5e3\nb: 0x1F\nc: .5\nd: true\ne: \"true\"\nf: \"null\"\n",
	"a: null\nb: []\nc: {}\nd: \"\"\n",
	"- - 1\n  - 2\n- a: 1\n  b:\n    - c\n- []\n",
	"a:\n  - b:\n      - c: d\n        e: f\n",
	"\"\": x\n\"@type\": y\n\":method\": GET\n",
	"a: two words\nb: \"colon: space\"\nc: \"hash #\"\nd: \"trailing \"\n",
	"a: /path/to.x\nb: \"*\"\nc: \"%REQ(X)%\"\nd: \"- x\"\ne: \"12:30\"\n",
	"a: \"line\\nbreak\\ttab\\\\ \\\" \\u0000\\u0085\\u2028\\uFEFF\"\n",
	"a: \"\xc3\xa4 \xf0\x9f\x98\x80\"\n",
	"a: \"yes\"\nb: \"Off\"\nc: \"n\"\nd: nope\ne: \"~\"\nf: \"-\"\n",
	"a: http://x.y/z\nb: \"x:\"\nc: \"...\"\nd: \"---\"\n",
	"- x\n",
	"x\n",
	"[]\n",
};

START_TEST(what_is_printed_reads_back_as_the_same)
{
	struct told t = told_new(fixed[_i]);
	const char *json = told_json(&t, t.top);
	struct told again = told_new(told_yaml(&t, t.top));

	ck_assert_str_eq(told_yaml(&t, t.top), fixed[_i]);
	ck_assert_str_eq(told_json(&again, again.top), json);
	told_free(&again);
	told_free(&t);
}
END_TEST

START_TEST(a_long_key_reads_back)
{
	struct arena *arena = arena_new(4096);
	struct str key = STR("k");
	struct told t, again;

	while (key.len < 2000)
		key = arena_printf(arena, STR_FMT "0123456789", STR_ARG(key));
	t = told_new_bytes(arena_printf(
	    arena, "a:\n  ? " STR_FMT "\n  : [1, 2]\n", STR_ARG(key)));
	again = told_new(told_yaml(&t, t.top));
	ck_assert_str_eq(told_json(&again, again.top), told_json(&t, t.top));
	ck_assert_str_eq(told_text(&again), "");
	told_free(&again);
	told_free(&t);
	arena_free(arena);
}
END_TEST

static const struct {
	const char *yaml, *json;
} typed[] = {
	{ "[true, True, TRUE, 'true', yes, no]",
	    "[true,true,true,\"true\",\"yes\",\"no\"]" },
	{ "[1, -0, +5, 007, 0x1f, 0o17, 1., .5, 1.5e+3]",
	    "[1,-0,5,7,31,15,1,0.5,1.5e+3]" },
	{ "[.inf, -.inf, .nan, 1e999, 0x, 1_000, '1']",
	    "[\".inf\",\"-.inf\",\".nan\",\"1e999\",\"0x\",\"1_000\","
	    "\"1\"]" },
	{ "{b: 1, a: [{}, []], c: ~}", "{\"b\":1,\"a\":[{},[]],\"c\":null}" },
	{ "[18446744073709551615, 1e5]", "[18446744073709551615,1e5]" },
};

START_TEST(json_has_the_types_of_yaml_core)
{
	struct told t = told_new(typed[_i].yaml);

	ck_assert_str_eq(told_json(&t, t.top), typed[_i].json);
	told_free(&t);
}
END_TEST

START_TEST(built_nodes_print_as_what_they_are)
{
	struct arena *arena = arena_new(4096);
	struct told t = { .arena = arena, .diag = diag_new(arena) };
	struct place nowhere = { 0 };
	struct node *map = node_map(arena, nowhere);
	struct node *list = node_list(arena, nowhere);

	for (int i = 0; i < 20; i++)
		node_add(arena, list, node_plain(arena, nowhere, STR("7")));
	node_put(arena, map, "text", node_text(arena, nowhere, STR("7")));
	node_put(arena, map, "list", list);
	ck_assert_ptr_eq(node_get(map, "list"), list);
	ck_assert_ptr_null(node_get(map, "nothing"));
	ck_assert_ptr_null(node_get(list, "text"));
	ck_assert_ptr_null(node_get(NULL, "text"));
	ck_assert_str_eq(told_json(&t, map),
	    "{\"text\":\"7\",\"list\":[7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,"
	    "7,7]}");
	told_free(&t);
}
END_TEST

START_TEST(a_full_buffer_ends_the_printing)
{
	struct told t = told_new("a: [1, 2, 3, {b: \"x y\"}]\n");
	size_t need = strlen(told_yaml(&t, t.top));

	for (size_t max = 0; max < need; max++) {
		struct buf b;

		buf_init(&b, max);
		ck_assert_int_eq(node_print(t.top, &b), ERR_FULL);
		buf_free(&b);
	}
	told_free(&t);
}
END_TEST

Suite *suite_config_node(void);

Suite *
suite_config_node(void)
{
	Suite *s = suite_create("config/node");
	TCase *t = tcase_create("printing");

	tcase_add_loop_test(
	    t, what_is_printed_reads_back_as_the_same, 0, N(fixed));
	tcase_add_loop_test(t, json_has_the_types_of_yaml_core, 0, N(typed));
	tcase_add_test(t, a_long_key_reads_back);
	tcase_add_test(t, built_nodes_print_as_what_they_are);
	tcase_add_test(t, a_full_buffer_ends_the_printing);
	suite_add_tcase(s, t);
	return s;
}
