#include "config.h"

#include "base/clock.h"
#include "chain/metadata.h"
#include "config/yaml.h"
#include "tests/unit/chain/rendered.h"

static const char hcm[] = "use_remote_address: true\n"
			  "route_config: {virtual_hosts: []}\n";

static struct world *w;
static struct exchange *x;

static void
set_up(void)
{
	clock_set(5 * NS_PER_S, 1700000000123456789);
	w = world_new(hcm);
	x = world_request(w, "GET", "/x",
	    "x-a: 1\nx-a: 2\nx-text: say \"hi\"\nx-long: abcdefgh\n");
	metadata_set(x, STR("ns"), STR("key"), STR("value"), false);
	metadata_set(x, STR("ns"), STR("payload"),
	    STR("{\"sub\":\"alice\",\"n\":7}"), true);
}

static void
tear_down(void)
{
	exchange_end(x);
	world_free(w);
}

static const struct rendering texts[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "100%%", "100%" },
	{ "%%%%", "%%" },
	{ "%%PROTOCOL%%", "%PROTOCOL%" },
	{ "%%%PROTOCOL%%%", "%HTTP/1.1%" },
	{ "%REQ(:METHOD)% %REQ(:PATH)%", "GET /x" },
	{ "a%REQ(X-A)%b", "a1b" },
	{ "%REQ(X-None)%", "-" },
	{ "%REQ(X-None)%%REQ(X-None)%", "--" },
	{ "%REQ(X-LONG):4%", "abcd" },
	{ "%REQ(X-LONG):0%", "" },
	{ "%REQ(X-LONG):18446744073709551615%", "abcdefgh" },
	{ "%REQ(X-None):0%", "-" },
};

START_TEST(texts_hold_values)
{
	check_rendering(w, x, &texts[_i]);
}
END_TEST

static const struct rendering refusals[] = {
	{ "%", "Incorrect configuration: %. Couldn't find valid command at "
	       "position 0" },
	{ "50% of it", "Incorrect configuration: 50% of it. Couldn't find "
		       "valid command at position 2" },
	{ "%REQ(a", "Incorrect configuration: %REQ(a. Couldn't find valid "
		    "command at position 0" },
	{ "ab%%%PROTOCOL", "Couldn't find valid command at position 4" },
	{ "%NO_SUCH_THING%", "Not supported field in StreamInfo: "
			     "NO_SUCH_THING" },
	{ "%req(a)%", "Couldn't find valid command at position 0" },
	{ "%REQ%", "REQ requires parameters" },
	{ "%PROTOCOL(x)%", "PROTOCOL does not take any parameters or length" },
	{ "%PROTOCOL:3%", "PROTOCOL does not take any parameters or length" },
	{ "%START_TIME:3%",
	    "START_TIME does not allow length to be specified." },
	{ "%REQ(A?B?C)%",
	    "More than 1 alternative header specified in token: A?B?C" },
	{ "%REQ(a):x%", "Couldn't find valid command at position 0" },
};

START_TEST(wrong_operators_are_refused_in_envoys_words)
{
	check_refusal(w, &refusals[_i]);
}
END_TEST

static const struct format *
json(const char *yaml)
{
	return format_json(w->arena,
	    yaml_parse(w->arena, str_of(yaml), "t.yaml", w->diag), w->diag);
}

static const struct rendering structs[] = {
	{ "{}", "{}\n" },
	{ "z: '%RESPONSE_CODE%'\na: [3, true, '3', null, 1.5]",
	    "{\"a\":[3,true,\"3\",null,\"1.5\"],\"z\":404}\n" },
	{ "a: {c: '%REQ(X-A)%', b: ['%UPSTREAM_HOST%']}",
	    "{\"a\":{\"b\":[null],\"c\":\"1\"}}\n" },
	{ "m: 'code %RESPONSE_CODE%, host %UPSTREAM_HOST%'",
	    "{\"m\":\"code 404, host -\"}\n" },
	{ "m: '%RESPONSE_CODE%%BYTES_SENT%'", "{\"m\":\"4040\"}\n" },
	{ "m: 100%%", "{\"m\":\"100%\"}\n" },
	{ "m: '%REQ(X-TEXT)%'", "{\"m\":\"say \\\"hi\\\"\"}\n" },
	{ "m: '<%REQ(X-TEXT)%>'", "{\"m\":\"<say \\\"hi\\\">\"}\n" },
	{ "m: '%REQ(X-TEXT):5%'", "{\"m\":\"say \\\"\"}\n" },
	{ "'a \"b\"': 1", "{\"a \\\"b\\\"\":1}\n" },
	{ "p: '%DYNAMIC_METADATA(ns:payload)%'",
	    "{\"p\":{\"n\":7,\"sub\":\"alice\"}}\n" },
	{ "p: '%DYNAMIC_METADATA(ns:payload):3%'",
	    "{\"p\":{\"n\":7,\"sub\":\"alice\"}}\n" },
};

START_TEST(json_is_sorted_typed_and_valid)
{
	check_format(w, x, json(structs[_i].format), structs[_i].text);
}
END_TEST

START_TEST(one_wrong_operator_refuses_the_whole_struct)
{
	ck_assert_ptr_null(json("a: 1\nb: {c: ['%NOPE%']}\n"));
	ck_assert_uint_eq(diag_errors(w->diag), 1);
}
END_TEST

/* ---- SubstitutionFormatString ---- */

static const struct format *
build(struct conf_format *conf, const char *yaml)
{
	if (yaml)
		conf->json_format =
		    yaml_parse(w->arena, str_of(yaml), "t.yaml", w->diag);
	return format_build(w->arena, conf, w->diag);
}

START_TEST(empty_values_are_left_out_of_json)
{
	struct conf_format conf = { .omit_empty_values = true };

	check_format(w, x,
	    build(&conf, "a: '%REQ(X-NONE)%'\nb: {c: '%REQ(X-NONE)%'}\n"
			 "d: ['%REQ(X-NONE)%']\ne: 'x%REQ(X-NONE)%'\nf: {}\n"
			 "g: '%REQ(X-A)%'\n"),
	    "{\"d\":[],\"e\":\"x\",\"g\":\"1\"}\n");
}
END_TEST

START_TEST(empty_values_leave_nothing_in_texts)
{
	struct conf_format conf = { .omit_empty_values = true,
		.text_format = STR("<%REQ(X-NONE)%>") };

	check_format(w, x, build(&conf, NULL), "<>");
}
END_TEST

START_TEST(the_content_type_is_the_formats_or_configured)
{
	struct conf_format text = { .text_format = STR("x") };
	struct conf_format named = { .content_type = STR("text/html") };
	struct conf_format object = { 0 };

	ck_assert(
	    str_eq(format_content_type(build(&text, NULL)), STR("text/plain")));
	ck_assert(str_eq(
	    format_content_type(build(&named, "a: 1")), STR("text/html")));
	ck_assert(str_eq(format_content_type(build(&object, "a: 1")),
	    STR("application/json")));
}
END_TEST

/* ---- values of header fields ---- */

static const struct rendering values[] = {
	{ "%REQ(X-A)%", "1" },
	{ "<%REQ(X-NONE)%>", "<>" },
	{ "%REQ(X-NONE)%", "" },
	{ "%RESPONSE_CODE%!", "404!" },
	{ "%REQ(X-LONG):3%", "abc" },
	{ "100%%", "100%" },
	{ "%DYNAMIC_METADATA([\"ns\",\"key\"])%", "value" },
	{ "%DYNAMIC_METADATA([\"ns\", \"payload\", \"sub\"])%", "alice" },
	{ "%PER_REQUEST_STATE(x)%", "" },
};

START_TEST(in_field_values_what_is_absent_is_empty)
{
	const struct format *f =
	    format_text(w->arena, str_of(values[_i].format), NULL, w->diag);

	ck_assert_ptr_nonnull(f);
	ck_assert_str_eq(
	    arena_cstr(x->arena, format_value(f, x)), values[_i].text);
}
END_TEST

START_TEST(a_value_of_many_pieces_is_whole)
{
	struct str text = STR("");

	for (int i = 0; i < 40; i++)
		text = arena_printf(
		    w->arena, STR_FMT "%%REQ(X-A)%%,", STR_ARG(text));
	text = format_value(format_text(w->arena, text, NULL, w->diag), x);
	ck_assert_uint_eq(text.len, 80);
	ck_assert(str_ends(text, STR("1,1,1,")));
}
END_TEST

START_TEST(a_line_that_does_not_fit_is_told)
{
	const struct format *f = format_log_text(
	    w->arena, STR("%REQ(X-LONG)%%REQ(X-LONG)%"), NULL, w->diag);
	struct buf b;

	buf_init(&b, 12);
	ck_assert_int_eq(format_render(f, x, &b), ERR_FULL);
	buf_free(&b);
}
END_TEST

#define LOOP(test, rows)                                                       \
	tcase_add_loop_test(t, test, 0, sizeof(rows) / sizeof((rows)[0]))

Suite *suite_chain_format(void);

Suite *
suite_chain_format(void)
{
	Suite *s = suite_create("chain/format");
	TCase *t = tcase_create("texts");

	tcase_add_checked_fixture(t, set_up, tear_down);
	LOOP(texts_hold_values, texts);
	LOOP(wrong_operators_are_refused_in_envoys_words, refusals);
	LOOP(json_is_sorted_typed_and_valid, structs);
	tcase_add_test(t, one_wrong_operator_refuses_the_whole_struct);
	tcase_add_test(t, empty_values_are_left_out_of_json);
	tcase_add_test(t, empty_values_leave_nothing_in_texts);
	tcase_add_test(t, the_content_type_is_the_formats_or_configured);
	LOOP(in_field_values_what_is_absent_is_empty, values);
	tcase_add_test(t, a_value_of_many_pieces_is_whole);
	tcase_add_test(t, a_line_that_does_not_fit_is_told);
	suite_add_tcase(s, t);
	return s;
}
