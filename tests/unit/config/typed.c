#include "config.h"

#include <check.h>

#include "config/typed.h"
#include "config/yaml.h"

static const struct {
	const char *name, *text, *json;
} rows[] = {
	{ "t.yaml", "5", "5" },
	{ "t.yaml", "-7", "-7" },
	{ "t.yaml", "+7", "7" },
	{ "t.yaml", "0x10", "16" },
	{ "t.yaml", "010", "8" },
	{ "t.yaml", "08", "\"08\"" },
	{ "t.yaml", "100000", "1e+05" },
	{ "t.yaml", "2147483647", "2147483647" },
	{ "t.yaml", "2147483648", "\"2147483648\"" },
	{ "t.yaml", "-2147483649", "\"-2147483649\"" },
	{ "t.yaml", "1.5", "\"1.5\"" },
	{ "t.yaml", "1e3", "\"1e3\"" },
	{ "t.yaml", "'5'", "\"5\"" },
	{ "t.yaml", "true", "true" },
	{ "t.yaml", "Yes", "true" },
	{ "t.yaml", "off", "false" },
	{ "t.yaml", "'no'", "\"no\"" },
	{ "t.yaml", "~", "null" },
	{ "t.yaml", "null", "null" },
	{ "t.yaml", "'~'", "\"~\"" },
	{ "t.yaml", "two words", "\"two words\"" },
	{ "t.yaml", "{}", "{}" },
	{ "t.yaml", "[]", "[]" },
	{ "t.yaml", "{b: [1, {}, x], a: {d: ~, c: yes}}",
	    "{\"a\":{\"c\":true,\"d\":null},\"b\":[1,{},\"x\"]}" },
	{ "t.json", "1.5", "1.5" },
	{ "t.json", "2147483648", "2147483648" },
	{ "t.json", "1e3", "1000" },
	{ "t.json", "\"1.5\"", "\"1.5\"" },
	{ "t.json", "{\"b\": 1, \"a\": [true, null]}",
	    "{\"a\":[true,null],\"b\":1}" },
};

START_TEST(scalars_are_typed_as_in_envoy)
{
	struct arena *arena = arena_new(4096);
	struct diag *diag = diag_new(arena);
	const struct node *node =
	    yaml_parse(arena, str_of(rows[_i].text), rows[_i].name, diag);
	struct buf b;

	ck_assert_ptr_nonnull(node);
	buf_init(&b, 4096);
	ck_assert_int_eq(typed_append_json(&b, arena, node), ERR_OK);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), ERR_OK);
	ck_assert_str_eq(buf_bytes(&b).ptr, rows[_i].json);
	buf_free(&b);
	arena_free(arena);
}
END_TEST

START_TEST(paths_lead_through_maps)
{
	struct arena *arena = arena_new(4096);
	const struct node *node = yaml_parse(
	    arena, STR("{a: {b: {c: 5}, l: [1]}}"), "t.yaml", diag_new(arena));
	const struct str path[] = { STR_INIT("a"), STR_INIT("b"), STR_INIT("c"),
		STR_INIT("d") };
	const struct str list[] = { STR_INIT("a"), STR_INIT("l"),
		STR_INIT("0") };

	ck_assert_ptr_eq(typed_find(node, path, 0), node);
	ck_assert(typed_of(arena, typed_find(node, path, 2)).kind == TYPED_MAP);
	ck_assert(
	    typed_of(arena, typed_find(node, path, 3)).kind == TYPED_NUMBER);
	ck_assert_ptr_null(typed_find(node, path, 4));
	ck_assert(
	    typed_of(arena, typed_find(node, list, 2)).kind == TYPED_LIST);
	ck_assert_ptr_null(typed_find(node, list, 3));
	arena_free(arena);
}
END_TEST

Suite *suite_config_typed(void);

Suite *
suite_config_typed(void)
{
	Suite *s = suite_create("config/typed");
	TCase *t = tcase_create("types");

	tcase_add_loop_test(t, scalars_are_typed_as_in_envoy, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, paths_lead_through_maps);
	suite_add_tcase(s, t);
	return s;
}
