#include "config.h"

#include <check.h>

#include "chain/exchange.h"
#include "chain/metadata.h"

static struct arena *arena;
static struct exchange x;

static void
begin(void)
{
	arena = arena_new(4096);
	x = (struct exchange){ .arena = arena };
}

static void
end(void)
{
	arena_free(arena);
}

#define NS STR("ns")

static const char *
at(const char *path)
{
	struct str keys[8], rest = str_of(path);
	size_t n = 0;

	while (rest.ptr && rest.len)
		keys[n++] = str_split(&rest, '/');
	return metadata_text(&x, NS, keys, n).ptr;
}

START_TEST(the_latest_value_of_a_key_counts)
{
	ck_assert_ptr_null(at("a"));
	ck_assert(!metadata_has(&x, NS));
	metadata_set(&x, NS, STR("a"), STR("1"), false);
	metadata_set(&x, NS, STR("a"), STR("two"), false);
	metadata_set(&x, STR("other"), STR("a"), STR("3"), false);
	ck_assert_str_eq(at("a"), "two");
	ck_assert(metadata_has(&x, NS));
	ck_assert_ptr_null(at("b"));
	ck_assert_ptr_null(at("a/b"));
}
END_TEST

START_TEST(a_path_leads_into_json_values)
{
	metadata_set(&x, NS, STR("p"),
	    STR("{\"s\": \"x\", \"n\": 5, \"o\": {\"b\": true, \"z\": null}, "
		"\"d.e\": {\"f\": 1}}"),
	    true);
	ck_assert_str_eq(at("p/s"), "x");
	ck_assert_str_eq(at("p/n"), "5");
	ck_assert_str_eq(at("p/o/b"), "true");
	ck_assert_ptr_null(at("p/o/z"));
	ck_assert_ptr_null(at("p/none/x"));
	ck_assert(str_eq(metadata_get(&x, NS, STR("p.o.b")), STR("true")));
	ck_assert(str_eq(metadata_get(&x, NS, STR("p.d.e")), STR("{\"f\":1}")));
	ck_assert(str_eq(metadata_json(&x, NS, &(struct str){ "p", 1 }, 1),
	    STR("{\"d.e\":{\"f\":1},\"n\":5,\"o\":{\"b\":true,\"z\":null},"
		"\"s\":\"x\"}")));
}
END_TEST

START_TEST(a_string_is_a_string_however_it_was_set)
{
	metadata_set(&x, NS, STR("a"), STR("say \"hi\""), false);
	metadata_set(&x, NS, STR("b"), STR("\"say \\\"hi\\\"\""), true);
	ck_assert_str_eq(at("a"), "say \"hi\"");
	ck_assert_str_eq(at("b"), "say \"hi\"");
	ck_assert(str_eq(metadata_get(&x, NS, STR("b")), STR("say \"hi\"")));
	ck_assert(str_eq(metadata_json(&x, NS, &(struct str){ "a", 1 }, 1),
	    STR("\"say \\\"hi\\\"\"")));
}
END_TEST

START_TEST(a_whole_namespace_is_an_object)
{
	metadata_set(&x, NS, STR("a"), STR("1"), false);
	metadata_set(&x, NS, STR("b"), STR("2"), true);
	metadata_set(&x, NS, STR("a"), STR("3"), false);
	ck_assert(str_eq(
	    metadata_json(&x, NS, NULL, 0), STR("{\"a\":\"3\",\"b\":2}")));
	ck_assert_ptr_null(metadata_json(&x, STR("none"), NULL, 0).ptr);
}
END_TEST

START_TEST(replacing_forgets_what_was_there)
{
	metadata_set(&x, NS, STR("old"), STR("1"), false);
	metadata_set(&x, STR("other"), STR("old"), STR("1"), false);
	metadata_replace(&x, NS, STR("{\"new\": 2}"));
	ck_assert_ptr_null(at("old"));
	ck_assert_str_eq(at("new"), "2");
	ck_assert(str_eq(metadata_get(&x, STR("other"), STR("old")), STR("1")));
}
END_TEST

START_TEST(merging_goes_into_objects_and_lengthens_lists)
{
	metadata_replace(&x, NS,
	    STR("{\"s\": 1, \"o\": {\"a\": 1, \"b\": [1]}, \"l\": [1, 2], "
		"\"t\": [1]}"));
	metadata_merge(&x, NS,
	    STR("{\"s\": \"x\", \"o\": {\"b\": [2], \"c\": 3}, \"l\": [3], "
		"\"t\": {\"k\": 1}, \"n\": null}"));
	ck_assert_str_eq(at("s"), "x");
	ck_assert_str_eq(at("o/a"), "1");
	ck_assert_str_eq(at("o/b"), "[1,2]");
	ck_assert_str_eq(at("o/c"), "3");
	ck_assert_str_eq(at("l"), "[1,2,3]");
	ck_assert_str_eq(at("t"), "{\"k\":1}");
}
END_TEST

START_TEST(what_is_no_json_is_no_value)
{
	metadata_set(&x, NS, STR("bad"), STR("{"), true);
	ck_assert_ptr_null(at("bad"));
	ck_assert_ptr_null(at("bad/x"));
	metadata_merge(&x, NS, STR("nonsense"));
	metadata_replace(&x, NS, STR("nonsense"));
	ck_assert_ptr_null(at("bad"));
}
END_TEST

Suite *suite_chain_metadata(void);

Suite *
suite_chain_metadata(void)
{
	Suite *s = suite_create("chain/metadata");
	TCase *t = tcase_create("metadata");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, the_latest_value_of_a_key_counts);
	tcase_add_test(t, a_path_leads_into_json_values);
	tcase_add_test(t, a_string_is_a_string_however_it_was_set);
	tcase_add_test(t, a_whole_namespace_is_an_object);
	tcase_add_test(t, replacing_forgets_what_was_there);
	tcase_add_test(t, merging_goes_into_objects_and_lengthens_lists);
	tcase_add_test(t, what_is_no_json_is_no_value);
	suite_add_tcase(s, t);
	return s;
}
