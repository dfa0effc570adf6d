#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "chain/format.h"
#include "chain/metadata.h"
#include "config/yaml.h"
#include "tests/unit/chain/world.h"

static const char hcm[] = "use_remote_address: true\n"
			  "route_config: {virtual_hosts: []}\n";

static const struct {
	const char *text;
	const char *out;
} texts[] = {
	{ "plain", "plain" },
	{ "100%%", "100%" },
	{ "%REQ(:METHOD)% %REQ(:PATH)%", "GET /x" },
	{ "%REQ(X-None)%", "-" },
	{ "%REQ(X-None?X-A)%", "1" },
	{ "%REQ(X-A)%", "1" },
	{ "%REQ(:AUTHORITY):4%", "gate" },
	{ "%RESPONSE_CODE%|%RESPONSE_FLAGS%|%RESPONSE_CODE_DETAILS%",
	    "404|NR|route_not_found" },
	{ "%PROTOCOL%", "HTTP/1.1" },
	{ "%DOWNSTREAM_REMOTE_ADDRESS%", "192.0.2.7:40000" },
	{ "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "192.0.2.7" },
	{ "%DOWNSTREAM_LOCAL_ADDRESS%", "198.51.100.1:80" },
	{ "%START_TIME%", "2023-11-14T22:13:20.123Z" },
	{ "%START_TIME(%Y/%m/%d %1f %6f)%", "2023/11/14 1 123456" },
	{ "%DURATION% %BYTES_SENT%", "0 0" },
	{ "%UPSTREAM_HOST%", "-" },
	{ "%ROUTE_NAME%", "-" },
	{ "%DYNAMIC_METADATA(ns:key)%", "value" },
	{ "%DYNAMIC_METADATA(ns:payload:sub)%", "alice" },
	{ "%DYNAMIC_METADATA(ns:payload:n)%", "7" },
};

static struct exchange *
some_exchange(struct world *w)
{
	struct exchange *x;

	clock_set(5 * NS_PER_S, 1700000000123456789);
	x = world_request(w, "GET", "/x", "x-a: 1\nx-a: 2\n");
	metadata_set(x, STR("ns"), STR("key"), STR("value"), false);
	metadata_set(x, STR("ns"), STR("payload"),
	    STR("{\"sub\":\"alice\",\"n\":7}"), true);
	return x;
}

static void
render(const struct format *f, struct exchange *x, const char *expected)
{
	struct buf b;

	buf_init(&b, 4096);
	ck_assert_int_eq(format_render(f, x, &b), ERR_OK);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), ERR_OK);
	ck_assert_str_eq(buf_bytes(&b).ptr, expected);
	buf_free(&b);
}

START_TEST(operators_render_as_in_envoy)
{
	struct world *w = world_new(hcm);
	struct exchange *x = some_exchange(w);
	const struct format *f =
	    format_text(w->arena, str_of(texts[_i].text), NULL, w->diag);

	ck_assert_ptr_nonnull(f);
	render(f, x, texts[_i].out);
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(json_is_sorted_typed_and_valid)
{
	struct world *w = world_new(hcm);
	struct exchange *x = some_exchange(w);
	const struct node *node = yaml_parse(w->arena,
	    STR("z: \"%RESPONSE_CODE%\"\n"
		"a: {deep: [\"%UPSTREAM_HOST%\", 3, true, \"3\"]}\n"
		"m: \"code %RESPONSE_CODE%, host %UPSTREAM_HOST%\"\n"),
	    "t.yaml", w->diag);
	const struct format *f = format_json(w->arena, node, w->diag);

	ck_assert_ptr_nonnull(f);
	render(f, x,
	    "{\"a\":{\"deep\":[null,3,true,\"3\"]},"
	    "\"m\":\"code 404, host -\",\"z\":404}\n");
	exchange_end(x);
	world_free(w);
}
END_TEST

static const char *const wrong[] = {
	"%NO_SUCH_THING%",
	"%REQ%",
	"%REQ()%",
	"%REQ(A?B?C)%",
	"%PROTOCOL(x)%",
	"%REQ(a",
	"%",
	"50% of it",
	"%REQ(a):x%",
};

START_TEST(wrong_operators_are_refused)
{
	struct world *w = world_new(hcm);

	ck_assert_ptr_null(
	    format_text(w->arena, str_of(wrong[_i]), NULL, w->diag));
	ck_assert_uint_eq(diag_errors(w->diag), 1);
	world_free(w);
}
END_TEST

Suite *suite_chain_format(void);

Suite *
suite_chain_format(void)
{
	Suite *s = suite_create("chain/format");
	TCase *t = tcase_create("texts");

	tcase_add_loop_test(t, operators_render_as_in_envoy, 0,
	    sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(t, json_is_sorted_typed_and_valid);
	tcase_add_loop_test(t, wrong_operators_are_refused, 0,
	    sizeof(wrong) / sizeof(wrong[0]));
	suite_add_tcase(s, t);
	return s;
}
