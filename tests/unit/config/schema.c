#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "config/schema.h"
#include "tests/unit/config/told.h"

#define N(list) (sizeof(list) / sizeof(*(list)))

struct leaf {
	const struct node *node;
	struct str name;
};

struct all {
	const struct node *node;
	bool a_bool, has_a_bool;
	uint32_t a_u32;
	uint64_t a_u64;
	int64_t an_i64;
	double a_double;
	struct str a_str, a_word;
	struct str some_bytes;
	int64_t a_duration;
	int an_enum;
	struct leaf *a_leaf;
	struct any *an_any;
	const struct node *a_node;
	struct list leaves, words;
	struct map by_name, anys;
	unsigned checked;
};

static const struct schema_field leaf_fields[] = {
	{ .name = "name",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct leaf, name),
	    .min_items = 2,
	    .required = true },
	{ .name = NULL },
};

static const struct schema_message leaf_message = {
	.name = "envoy.Leaf",
	.size = sizeof(struct leaf),
	.fields = leaf_fields,
};

static const struct schema_choice choices[] = {
	{ .name = "RED", .value = 0 },
	{ .name = "GREEN", .value = 1 },
	{ .name = "BLUE", .value = 2, .refused = "out of paint" },
	{ .name = NULL },
};

static const struct schema_field all_fields[] = {
	{ .name = "a_bool",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT_HAS(struct all, a_bool) },
	{ .name = "a_u32",
	    .type = SCHEMA_U32,
	    SCHEMA_AT(struct all, a_u32),
	    .min = 2,
	    .max = 1000000,
	    .fallback = "7" },
	{ .name = "a_u64", .type = SCHEMA_U64, SCHEMA_AT(struct all, a_u64) },
	{ .name = "an_i64", .type = SCHEMA_I64, SCHEMA_AT(struct all, an_i64) },
	{ .name = "a_double",
	    .type = SCHEMA_DOUBLE,
	    SCHEMA_AT(struct all, a_double) },
	{ .name = "a_str",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct all, a_str),
	    .oneof = "either" },
	{ .name = "a_word",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct all, a_word),
	    .oneof = "either",
	    .fallback = "on" },
	{ .name = "some_bytes",
	    .type = SCHEMA_BYTES,
	    SCHEMA_AT(struct all, some_bytes) },
	{ .name = "a_duration",
	    .type = SCHEMA_DURATION,
	    SCHEMA_AT(struct all, a_duration),
	    .min = 1e-9,
	    .fallback = "15s" },
	{ .name = "an_enum",
	    .type = SCHEMA_ENUM,
	    SCHEMA_AT(struct all, an_enum),
	    .choices = choices },
	{ .name = "a_leaf",
	    .type = SCHEMA_MESSAGE,
	    SCHEMA_AT(struct all, a_leaf),
	    .message = &leaf_message },
	{ .name = "an_any", .type = SCHEMA_ANY, SCHEMA_AT(struct all, an_any) },
	{ .name = "a_node",
	    .type = SCHEMA_NODE,
	    SCHEMA_AT(struct all, a_node) },
	{ .name = "leaves",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct all, leaves),
	    .message = &leaf_message,
	    .min_items = 1 },
	{ .name = "words",
	    .type = SCHEMA_STR,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct all, words) },
	{ .name = "by_name",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_MAP,
	    SCHEMA_AT(struct all, by_name),
	    .message = &leaf_message },
	{ .name = "anys",
	    .type = SCHEMA_ANY,
	    .label = SCHEMA_MAP,
	    SCHEMA_AT(struct all, anys) },
	{ .name = "a_refused",
	    .type = SCHEMA_BOOL,
	    .stance = SCHEMA_REFUSED,
	    .text = "it is not" },
	{ .name = "a_colour",
	    .type = SCHEMA_ENUM,
	    .stance = SCHEMA_REFUSED,
	    .choices = choices,
	    .text = "it is red" },
	{ .name = "a_delegated",
	    .type = SCHEMA_NODE,
	    .stance = SCHEMA_DELEGATED,
	    .text = "others do it" },
	{ .name = NULL },
};

static void
count(struct diag *diag, const char *path, void *decoded)
{
	struct all *all = decoded;

	ck_assert_ptr_nonnull(diag);
	ck_assert_ptr_nonnull(path);
	all->checked++;
}

static const struct schema_message strict_message = {
	.name = "envoy.All",
	.size = sizeof(struct all),
	.fields = all_fields,
	.check = count,
};

static const struct schema_message lax_message = {
	.name = "all",
	.size = sizeof(struct all),
	.fields = all_fields,
};

static const struct schema_message needy_message = {
	.name = "envoy.Needy",
	.size = sizeof(struct all),
	.fields = all_fields,
	.required_oneof = "either",
};

static struct all *
decode(struct told *t, const struct schema_message *message)
{
	ck_assert_ptr_nonnull(t->top);
	return schema_decode(t->arena, t->diag, "", message, t->top);
}

START_TEST(values_land_in_their_members)
{
	struct told t = told_new(
	    "a_bool: true\naU32: \"12\"\na_u64: 1e3\nan_i64: -5\n"
	    "a_double: 2.5\na_str: hi\nsome_bytes: Zm9v\n"
	    "aDuration: {seconds: 1, nanos: 500000000}\nan_enum: green\n"
	    "a_leaf: {name: ab}\na_node: {x: [1]}\n"
	    "leaves: [{name: cd}, {name: ef}]\nwords: [g, \"1\"]\n"
	    "by_name: {k: {name: gh}}\n");
	struct all *all = decode(&t, &strict_message);
	struct leaf *leaves = all->leaves.items;
	struct str *words = all->words.items;

	ck_assert_str_eq(told_text(&t), "");
	ck_assert(all->a_bool && all->has_a_bool);
	ck_assert_uint_eq(all->a_u32, 12);
	ck_assert_uint_eq(all->a_u64, 1000);
	ck_assert_int_eq(all->an_i64, -5);
	ck_assert(all->a_double > 2.4 && all->a_double < 2.6);
	ck_assert_str_eq(all->a_str.ptr, "hi");
	ck_assert_str_eq(all->some_bytes.ptr, "foo");
	ck_assert_int_eq(all->a_duration, 1500000000);
	ck_assert_int_eq(all->an_enum, 1);
	ck_assert_str_eq(all->a_leaf->name.ptr, "ab");
	ck_assert_uint_eq(all->a_leaf->node->place.line, 10);
	ck_assert_int_eq(all->a_node->kind, NODE_MAP);
	ck_assert_uint_eq(all->leaves.n, 2);
	ck_assert_str_eq(leaves[1].name.ptr, "ef");
	ck_assert_str_eq(words[1].ptr, "1");
	ck_assert_str_eq(all->by_name.items[0].key.ptr, "k");
	ck_assert_str_eq(
	    ((struct leaf *)all->by_name.items[0].value)->name.ptr, "gh");
	ck_assert_uint_eq(all->checked, 1);
	told_free(&t);
}
END_TEST

START_TEST(what_is_absent_or_null_has_its_default)
{
	struct told t = told_new("a_u32: ~\nwords:\na_duration: null\n");
	struct all *all = decode(&t, &strict_message);

	ck_assert_str_eq(told_text(&t), "");
	ck_assert(!all->a_bool && !all->has_a_bool);
	ck_assert_uint_eq(all->a_u32, 7);
	ck_assert_str_eq(all->a_word.ptr, "on");
	ck_assert_int_eq(all->a_duration, 15000000000);
	ck_assert_ptr_null(all->a_str.ptr);
	ck_assert_ptr_null(all->a_leaf);
	ck_assert_uint_eq(all->words.n, 0);
	told_free(&t);
}
END_TEST

static const struct {
	const char *text, *told;
} refused[] = {
	{ "a_boool: 1", "t:1:1: error: no such field: 'a_boool'\n    "
			"a_boool: 1\n    ^\n  hint: did you mean `a_bool`?" },
	{ "x:\n  y: 1", "t:1:1: error: no such field: 'x'" },
	{ "a_leaf: {nmae: ab}", "hint: did you mean `name`?" },
	{ "a_leaf: {zzz: ab}", "hint: allowed here: `name`" },
	{ "a_leaf: {}", "t:1:9: error: a_leaf: `name`: value is required" },
	{ "a_leaf: {name: a}", "t:1:16: error: a_leaf.name: value length" },
	{ "a_leaf: [x]", "t:1:9: error: a_leaf: expected a map, found a l" },
	{ "leaves: [{name: ab}, {}]", "error: leaves[1]: `name`: value is" },
	{ "leaves: []", "error: leaves: value must contain at least 1 item" },
	{ "leaves: {name: ab}", "error: leaves: expected a list, found a map" },
	{ "leaves: [~]", "error: leaves[0]: expected a map, found nothing" },
	{ "by_name: {k: {}}", "error: by_name[\"k\"]: `name`: value is" },
	{ "aBool: true\na_bool: true", "t:2:1: error: `a_bool` stands here "
				       "twice, also as `aBool`" },
	{ "a_bool: 1", "a_bool: expected true or false, found '1'" },
	{ "a_bool: []", "a_bool: expected true or false, found a list" },
	{ "a_u32: 1", "value must be inside range [2, 1000000]" },
	{ "a_u32: 1000001", "value must be inside range [2, 1000000]" },
	{ "a_u32: 4294967296", "expected a whole number from 0 to 42949672" },
	{ "a_u32: -3", "expected a whole number from 0 to" },
	{ "a_u32: x", "a_u32: expected a whole number from 0 to 4294967295, "
		      "found 'x'" },
	{ "a_u64: 18446744073709551616", "a_u64: expected a whole number" },
	{ "an_i64: 1.5", "an_i64: expected a whole number, found '1.5'" },
	{ "a_double: .nan", "a_double: expected a number, found '.nan'" },
	{ "a_str: 5", "a_str: expected a text, found '5'\n    a_str: 5\n     "
		      "      ^\n  hint: write it in quotes: \"5\"" },
	{ "a_str: yes", "a_str: expected a text, found 'yes'" },
	{ "a_str: {}", "a_str: expected a text, found a map" },
	{ "a_str: \"a\\0b\"", "a_str: a NUL byte is not allowed" },
	{ "a_str: x\na_word: y", "t:2:1: error: `a_str` and `a_word` exclude" },
	{ "some_bytes: \"=\"", "some_bytes: expected bytes in base64" },
	{ "a_duration: 5", "hint: in seconds: 5s" },
	{ "a_duration: 5m", "expected a duration such as 30s or 1.5s" },
	{ "a_duration: 0s", "a_duration: value must be greater than 0" },
	{ "a_duration: {second: 1}", "a_duration: expected a duration" },
	{ "an_enum: gren", "unknown enum value: 'gren'\n    an_enum: gren\n  "
			   "           ^\n  hint: did you mean `GREEN`?" },
	{ "an_enum: 9", "unknown enum value: '9'" },
	{ "an_enum: blue", "an_enum: BLUE is not supported: out of paint" },
	{ "an_enum: 2", "an_enum: BLUE is not supported: out of paint" },
	{ "an_any: {a: 1}", "an_any: `@type` is needed" },
	{ "an_any: x", "an_any: expected a map with \"@type\"" },
	{ "\"@type\": x", "no such field: '@type'" },
	{ "a_refused: true", "t:1:1: error: `a_refused` is not supported: it "
			     "is not" },
	{ "a_colour: GREEN", "`a_colour` is not supported: it is red" },
};

START_TEST(what_is_refused_is_told_with_place_and_path)
{
	struct told t = told_new(refused[_i].text);

	(void)decode(&t, &strict_message);
	told_must_say(&t, refused[_i].told);
	told_free(&t);
}
END_TEST

START_TEST(all_mistakes_are_told_in_one_run)
{
	struct told t = told_new("a_bool: 1\nleaves:\n- {}\n- {name: ab}\n- "
				 "{nam: ab}\nx: 1\na_leaf: {name: x}\n");
	struct all *all = decode(&t, &strict_message);

	ck_assert_uint_eq(diag_errors(t.diag), 6);
	told_must_say(&t, "t:1:9: error: a_bool:");
	told_must_say(&t, "t:3:3: error: leaves[0]:");
	told_must_say(&t, "t:5:4: error: leaves[2]: no such field: 'nam'");
	told_must_say(&t, "t:5:3: error: leaves[2]: `name`: value is");
	told_must_say(&t, "t:6:1: error: no such field: 'x'");
	told_must_say(&t, "t:7:16: error: a_leaf.name:");
	ck_assert_uint_eq(all->leaves.n, 3);
	told_free(&t);
}
END_TEST

START_TEST(defaults_of_protobuf_are_not_refused)
{
	struct told t =
	    told_new("a_refused: false\na_colour: RED\na_delegated: ~\n");

	(void)decode(&t, &strict_message);
	ck_assert_str_eq(told_text(&t), "");
	told_free(&t);
}
END_TEST

START_TEST(delegated_fields_get_a_notice)
{
	struct told t = told_new("a_delegated: {x: 1}\n");

	(void)decode(&t, &strict_message);
	ck_assert_uint_eq(diag_errors(t.diag), 0);
	told_must_say(&t, "t:1:1: warning: `a_delegated` has no effect here: "
			  "others do it");
	told_free(&t);
}
END_TEST

START_TEST(one_of_a_required_group_must_be_given)
{
	struct told t = told_new("a_bool: true");

	(void)decode(&t, &needy_message);
	told_must_say(&t, "t:1:1: error: value is required: one of `a_str`, "
			  "`a_word`");
	told_free(&t);
	t = told_new("a_word: x");
	(void)decode(&t, &needy_message);
	ck_assert_str_eq(told_text(&t), "");
	told_free(&t);
}
END_TEST

START_TEST(messages_of_our_own_take_words_as_they_are_written)
{
	struct told t = told_new("a_str: 5\na_duration: 5m\nwords: [yes, 1]");
	struct all *all = decode(&t, &lax_message);

	ck_assert_str_eq(told_text(&t), "");
	ck_assert_str_eq(all->a_str.ptr, "5");
	ck_assert_int_eq(all->a_duration, 300000000000);
	told_free(&t);
}
END_TEST

START_TEST(an_envoy_message_within_ours_stays_strict)
{
	struct told t = told_new("a_leaf: {name: 55}\na_str: 5");

	(void)decode(&t, &lax_message);
	ck_assert_uint_eq(diag_errors(t.diag), 1);
	told_must_say(&t, "a_leaf.name: expected a text");
	told_free(&t);
}
END_TEST

START_TEST(an_any_is_unwrapped)
{
	struct told t = told_new(
	    "anys:\n"
	    "  plain: {\"@type\": type.googleapis.com/x.Y, a: 1}\n"
	    "  typed: {\"@type\": type.googleapis.com/xds.type.v3.TypedStruct,"
	    " type_url: type.googleapis.com/x.Y, value: {a: 1}}\n"
	    "  old: {\"@type\": type.googleapis.com/udpa.type.v1.TypedStruct,"
	    " type_url: x.Y, value: {a: 1}}\n"
	    "  empty: {\"@type\": a/xds.type.v3.TypedStruct, type_url: x.Y}\n"
	    "  struct: {\"@type\": a/google.protobuf.Struct, value: {a: 1}}\n"
	    "  text: {\"@type\": a/google.protobuf.StringValue, value: x}\n");
	struct all *all = decode(&t, &strict_message);
	struct any *any[6];

	ck_assert_str_eq(told_text(&t), "");
	ck_assert_uint_eq(all->anys.n, 6);
	for (size_t i = 0; i < 6; i++)
		any[i] = all->anys.items[i].value;
	for (size_t i = 0; i < 4; i++)
		ck_assert(str_eq(any[i]->type, STR("x.Y")));
	ck_assert_str_eq(told_json(&t, any[1]->node), "{\"a\":1}");
	ck_assert_str_eq(told_json(&t, any[2]->node), "{\"a\":1}");
	ck_assert_str_eq(told_json(&t, any[3]->node), "{}");
	ck_assert_str_eq(told_json(&t, any[4]->node), "{\"a\":1}");
	ck_assert_str_eq(told_json(&t, any[5]->node), "\"x\"");
	ck_assert_str_eq(any[1]->path, "anys[\"typed\"]");
	told_free(&t);
}
END_TEST

START_TEST(a_decoded_any_may_carry_its_type)
{
	struct told t = told_new("an_any: {\"@type\": a/b.C, name: xy}");
	struct all *all = decode(&t, &strict_message);
	struct leaf *leaf =
	    schema_decode_any(t.arena, t.diag, &leaf_message, all->an_any);

	ck_assert_str_eq(told_text(&t), "");
	ck_assert_str_eq(leaf->name.ptr, "xy");
	told_free(&t);
}
END_TEST

static const struct {
	const char *word, *nearest;
} words[] = {
	{ "prefx", "prefix" },
	{ "prefxi", "prefix" },
	{ "PREFIX", "prefix" },
	{ "path_", "path" },
	{ "x", NULL },
	{ "", NULL },
	{ "completely_else", NULL },
	{ "pat", "path" },
};

START_TEST(the_nearest_word_is_suggested_if_it_is_near)
{
	static const char *const candidates[] = { "prefix", "path", "route",
		"a_very_long_name_that_does_not_fit_into_the_table_of_the_"
		"distance_and_is_left_out",
		NULL };
	const char *found = schema_nearest(str_of(words[_i].word), candidates);

	if (words[_i].nearest)
		ck_assert_str_eq(found, words[_i].nearest);
	else
		ck_assert_ptr_null(found);
}
END_TEST

Suite *suite_config_schema(void);

Suite *
suite_config_schema(void)
{
	Suite *s = suite_create("config/schema");
	TCase *t = tcase_create("decoding");

	tcase_add_test(t, values_land_in_their_members);
	tcase_add_test(t, what_is_absent_or_null_has_its_default);
	tcase_add_loop_test(
	    t, what_is_refused_is_told_with_place_and_path, 0, N(refused));
	tcase_add_test(t, all_mistakes_are_told_in_one_run);
	tcase_add_test(t, defaults_of_protobuf_are_not_refused);
	tcase_add_test(t, delegated_fields_get_a_notice);
	tcase_add_test(t, one_of_a_required_group_must_be_given);
	tcase_add_test(t, messages_of_our_own_take_words_as_they_are_written);
	tcase_add_test(t, an_envoy_message_within_ours_stays_strict);
	tcase_add_test(t, an_any_is_unwrapped);
	tcase_add_test(t, a_decoded_any_may_carry_its_type);
	tcase_add_loop_test(
	    t, the_nearest_word_is_suggested_if_it_is_near, 0, N(words));
	suite_add_tcase(s, t);
	return s;
}
