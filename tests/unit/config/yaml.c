#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "config/yaml.h"
#include "tests/unit/config/told.h"

#define N(list) (sizeof(list) / sizeof(*(list)))

static const struct {
	const char *text, *told;
} refused[] = {
	{ "a: 1\nb: 2\n\"a\": 3\n", "t:3:1: error: duplicate key 'a'\n" },
	{ "{a: {x: 1, x: 2}}", "t:1:12: error: duplicate key 'x'\n" },
	{ "a: 1\n---\nb: 2\n", "t:2:1: error: a second document" },
	{ "a: &x [*x]\n", "t:1:8: error: the alias '*x' contains itself\n" },
	{ "a: &x {b: {c: *x}}\n", "t:1:15: error: the alias '*x' contains" },
	{ "a: *y\n", "t:1:4: error: no anchor '&y' stands before" },
	{ "? [a]\n: b\n", "t:1:3: error: a key must be a plain text" },
	{ "&k a: 1\n*k : 2\n", "t:2:1: error: a key must be a plain text" },
	{ "a: !foo b\n", "t:1:4: error: unknown tag '!foo'\n" },
	{ "a: !!python/none x\n", "t:1:4: error: unknown tag" },
	{ "<<: {a: 1}\n", "t:1:1: error: a merge key: Envoy does not merge" },
	{ "<<: {a: 1}\n<<: {b: 1}\nc: 1\nc: 1\n", "t:4:1: error: dup" },
	{ "a: !ignore {x: 1}\n", "hint: it stands before a key: !ignore key" },
	{ "a: [1, 2\nb: 3\n", "t:2:2: error: not valid YAML: " },
	{ "a: {\n\t@b\n", "error: not valid YAML: " },
	{ "a: b: c\n", "t:1:5: error: not valid YAML: " },
	{ "a: \"\\q\"\n", "error: not valid YAML: " },
	{ "x: ok\na: \xff\n", "t:2:4: error: not UTF-8: " },
	{ "a: \xc3\x28\n", "t:1:5: error: not UTF-8: " },
	{ "\xff\xfe"
	  "a",
	    "t:1:1: error: not UTF-8: " },
	{ "\xc3\xa4: \x01\n", "t:1:4: error: control characters are not" },
	{ "a: 1\n# b\xe2\x80\xa8"
	  "c: 2\n",
	    "t:2:4: error: U+2028 ends a line in some kinds of YAML and none "
	    "in others: write it as \"\\u2028\"\n" },
	{ "{\"a\": \"\xc2\x85\"}", "t:1:8: error: U+0085 ends a line" },
	{ "a: \xe2\x80\xa9\n", "t:1:4: error: U+2029 ends a line" },
	{ "", "t:1:1: error: the file is empty\n" },
	{ "# only a word\n", "t:1:1: error: the file is empty\n" },
};

START_TEST(what_is_refused_is_told_with_its_place)
{
	struct told t = told_new(refused[_i].text);

	ck_assert_uint_gt(diag_errors(t.diag), 0);
	told_must_say(&t, refused[_i].told);
	told_free(&t);
}
END_TEST

START_TEST(all_duplicate_keys_are_told_and_the_tree_is_there)
{
	struct told t = told_new("a: 1\na: 2\nb: {c: 1, d: 1, c: 2, d: 2}\n");

	ck_assert_uint_eq(diag_errors(t.diag), 3);
	told_must_say(&t, "t:2:1: error: duplicate key 'a'");
	told_must_say(&t, "t:3:17: error: duplicate key 'c'");
	told_must_say(&t, "t:3:23: error: duplicate key 'd'");
	told_must_say(&t, "hint: it stands first in line 1\n");
	ck_assert_ptr_nonnull(t.top);
	ck_assert_str_eq(
	    told_json(&t, t.top), "{\"a\":1,\"b\":{\"c\":1,\"d\":1}}");
	told_free(&t);
}
END_TEST

static const struct {
	const char *text, *json;
} understood[] = {
	{ "a: &x {b: 1}\nc: *x\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}" },
	{ "x: {\"<<\": 1}\n", "{\"x\":{\"<<\":1}}" },
	{ "!ignore p:\n  k: &x 5\nq: *x\n", "{\"q\":5}" },
	{ "a: {!ignore b: 1, !ignore b: 2, c: 3}\n", "{\"a\":{\"c\":3}}" },
	{ "a: !!str 5\nb: !!int \"5\"\nc: ! 5\n",
	    "{\"a\":\"5\",\"b\":5,\"c\":\"5\"}" },
	{ "[~, null, Null, NULL, '', ]\n", "[null,null,null,null,\"\"]" },
	{ "a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}" },
	{ "\xef\xbb\xbf"
	  "a: 1\n",
	    "{\"a\":1}" },
	{ "a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}" },
	{ "a: \"\\N\\u2028\\x41\"\n", "{\"a\":\"\\u0085\\u2028A\"}" },
	{ "{\"a\":\"\\ud83d\\ude00 \\u00e4 \\/ \\\"\",\"b\":[1,-2.5e3,true]}",
	    "{\"a\":\"\xf0\x9f\x98\x80 \xc3\xa4 / \\\"\",\"b\":[1,-2.5e3,"
	    "true]}" },
	{ " {\"a\" : \"\\\\ud83d\\\\ude00\"}",
	    "{\"a\":\"\\\\ud83d\\\\ude00\"}" },
	{ "a: |\n  x\n   y\nb: >\n  x\n  y\n",
	    "{\"a\":\"x\\n y\\n\",\"b\":\"x y\\n\"}" },
};

START_TEST(what_is_understood_becomes_this_tree)
{
	struct told t = told_new(understood[_i].text);

	ck_assert_str_eq(told_text(&t), "");
	ck_assert_str_eq(told_json(&t, t.top), understood[_i].json);
	told_free(&t);
}
END_TEST

START_TEST(places_behind_a_surrogate_pair_are_right)
{
	struct told t = told_new(
	    "{\"a\":\"\\ud83d\\ude00\\ud83d\\ude00\", \"b\": 1, \"b\": 2}");

	told_must_say(&t, "t:1:42: error: duplicate key 'b'");
	told_free(&t);
}
END_TEST

START_TEST(values_know_where_they_stand)
{
	struct told t = told_new("a: 1\n\xc3\xa4: [x,\n  {y: z}]\n");
	const struct node *list = t.top->items[1].value;

	ck_assert_uint_eq(t.top->items[1].key_place.line, 2);
	ck_assert_uint_eq(t.top->items[1].key_place.column, 1);
	ck_assert_uint_eq(list->place.column, 4);
	ck_assert_uint_eq(list->items[1].value->place.line, 3);
	ck_assert_uint_eq(list->items[1].value->place.column, 3);
	ck_assert_str_eq(list->place.source->name, "t");
	told_free(&t);
}
END_TEST

/* "a0: &a0 [x,...]", then lists of ten aliases of the list before. */
START_TEST(aliases_do_not_multiply_without_bound)
{
	struct arena *arena = arena_new(4096);
	struct str text = STR("a0: &a0 [0,1,2,3,4,5,6,7,8,9]\n");
	struct told t;

	for (int i = 1; i < 9; i++) {
		text = arena_printf(arena, STR_FMT "a%d: &a%d [*a%d",
		    STR_ARG(text), i, i, i - 1);
		for (int j = 1; j < 10; j++)
			text = arena_printf(
			    arena, STR_FMT ",*a%d", STR_ARG(text), i - 1);
		text = arena_printf(arena, STR_FMT "]\n", STR_ARG(text));
	}
	t = told_new_bytes(text);
	ck_assert_ptr_null(t.top);
	told_must_say(&t, "t:5:");
	told_must_say(&t, "error: aliases stand for more than 100000 values");
	told_free(&t);
	arena_free(arena);
}
END_TEST

static struct str
nested(struct arena *arena, int depth)
{
	char *text = arena_alloc(arena, (size_t)(2 * depth + 1));

	memset(text, '[', (size_t)depth);
	memset(text + depth, ']', (size_t)depth);
	return (struct str){ text, (size_t)(2 * depth) };
}

START_TEST(nesting_ends_at_64_levels)
{
	struct arena *arena = arena_new(4096);
	struct told t = told_new_bytes(nested(arena, 64));

	ck_assert_str_eq(told_text(&t), "");
	told_free(&t);
	t = told_new_bytes(nested(arena, 65));
	told_must_say(&t, "t:1:65: error: nested deeper than 64 levels");
	told_free(&t);
	t = told_new_bytes(nested(arena, 100000));
	told_must_say(&t, "nested deeper than 64 levels");
	told_free(&t);
	arena_free(arena);
}
END_TEST

START_TEST(aliases_do_not_nest_deeper_either)
{
	struct arena *arena = arena_new(4096);
	struct str list = nested(arena, 40);
	struct told t;

	t = told_new_bytes(arena_printf(arena,
	    "a: &a " STR_FMT "\nb: [[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]"
	    "]]]]]]]]\n",
	    STR_ARG(list)));
	told_must_say(&t, "t:2:28: error: nested deeper than 64 levels");
	told_free(&t);
	arena_free(arena);
}
END_TEST

START_TEST(a_text_over_16_mib_is_refused)
{
	size_t len = (16 << 20) + 1;
	char *text = malloc(len);
	struct told t;

	ck_assert_ptr_nonnull(text);
	memset(text, '#', len);
	t = told_new_bytes((struct str){ text, len });
	told_must_say(&t, "error: t: larger than 16 MiB");
	told_free(&t);
	free(text);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named_with_the_reason)
{
	struct arena *arena = arena_new(4096);
	struct tree *tree = tree_new(arena);
	struct told t = { .arena = arena, .diag = diag_new(arena) };

	ck_assert_ptr_null(yaml_read(tree, "/nowhere/x.yaml", t.diag));
	told_must_say(&t, "error: /nowhere/x.yaml: No such file or directory");
	ck_assert_ptr_null(yaml_read(tree, "/", t.diag));
	told_must_say(&t, "error: /: Is a directory");
	told_free(&t);
}
END_TEST

Suite *suite_config_yaml(void);

Suite *
suite_config_yaml(void)
{
	Suite *s = suite_create("config/yaml");
	TCase *t = tcase_create("texts");

	tcase_add_loop_test(
	    t, what_is_refused_is_told_with_its_place, 0, N(refused));
	tcase_add_loop_test(
	    t, what_is_understood_becomes_this_tree, 0, N(understood));
	tcase_add_test(t, all_duplicate_keys_are_told_and_the_tree_is_there);
	tcase_add_test(t, places_behind_a_surrogate_pair_are_right);
	tcase_add_test(t, values_know_where_they_stand);
	tcase_add_test(t, aliases_do_not_multiply_without_bound);
	tcase_add_test(t, nesting_ends_at_64_levels);
	tcase_add_test(t, aliases_do_not_nest_deeper_either);
	tcase_add_test(t, a_text_over_16_mib_is_refused);
	tcase_add_test(t, a_file_that_cannot_be_read_is_named_with_the_reason);
	suite_add_tcase(s, t);
	return s;
}
