#include "config.h"

#include <check.h>
#include <string.h>

#include "module/exchange.h"
#include "tests/unit/module/envoy.h"

static int host_conf; /* stands for Envoy's */
static const void *conf;
static struct envoy_stream *s;
static struct exchange *x;

static void
open_stream(const char *name, const char *config)
{
	envoy_begin();
	conf =
	    on_config_new(&host_conf, (struct abi_bytes){ name, strlen(name) },
		(struct abi_bytes){ config, strlen(config) });
	ck_assert_msg(conf, "%s", envoy_log());
	s = envoy_stream_new(&envoy_linked, conf);
	x = (struct exchange *)(uintptr_t)s->self;
}

static void
begin(void)
{
	open_stream("traps.fields", "{}");
}

static void
end(void)
{
	envoy_stream_free(s);
	on_config_destroy(conf);
}

static void
check_client(const char *source, const char *address)
{
	struct str found;

	envoy_text(s, ABI_SOURCE_ADDRESS, source);
	found = host_attribute(x, HOST_CLIENT_ADDRESS);
	ck_assert_msg(str_eq(found, str_of(address)), "%s: " STR_FMT, source,
	    STR_ARG(found));
}

START_TEST(the_client_has_no_port)
{
	check_client("192.0.2.7:4711", "192.0.2.7");
	check_client("[2001:db8::7]:4711", "2001:db8::7");
	check_client("[::ffff:192.0.2.7]:0", "::ffff:192.0.2.7");
	check_client("192.0.2.7", "192.0.2.7");
	check_client("/run/some.sock", "/run/some.sock");
	check_client("@/abstract", "@/abstract");
	check_client(":80", "");
	check_client("[", "[");
	ck_assert_ptr_null((envoy_text(s, ABI_SOURCE_ADDRESS, ""),
	    host_attribute(x, HOST_CLIENT_ADDRESS).ptr));
	ck_assert_ptr_null((envoy_text(s, ABI_SOURCE_ADDRESS, NULL),
	    host_attribute(x, HOST_CLIENT_ADDRESS).ptr));
}
END_TEST

START_TEST(attributes_are_envoys)
{
	static const struct {
		enum host_attribute attribute;
		const char *value;
	} rows[] = {
		{ HOST_CLIENT_PORT, "4711" },
		{ HOST_SCHEME, "http" },
		{ HOST_PROTOCOL, "HTTP/1.1" },
		{ HOST_REQUEST_ID, "an-id" },
		{ HOST_ROUTE_NAME, "/a" },
		{ HOST_CLUSTER_NAME, "one" },
		{ HOST_CODE_DETAILS, "via_upstream" },
		{ HOST_RESPONSE_CODE, "201" },
	};

	envoy_text(s, ABI_PROTOCOL, "HTTP/1.1");
	envoy_text(s, ABI_ROUTE_NAME, "/a");
	envoy_text(s, ABI_CLUSTER_NAME, "one");
	envoy_text(s, ABI_CODE_DETAILS, "via_upstream");
	envoy_header(s, ABI_REQUEST_HEADERS, "x-request-id", "an-id");
	s->numbers[ABI_SOURCE_PORT] = 4711;
	s->numbers[ABI_RESPONSE_CODE] = 201;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(str_eq(host_attribute(x, rows[i].attribute),
				  str_of(rows[i].value)),
		    "%s", rows[i].value);
	ck_assert(host_route_forwards(x));
	envoy_text(s, ABI_CLUSTER_NAME, NULL);
	ck_assert(!host_route_forwards(x));
	/* The fields are there before Envoy's own number. */
	s->has_map[ABI_RESPONSE_HEADERS] = true;
	envoy_header(s, ABI_RESPONSE_HEADERS, ":status", "404");
	ck_assert(str_eq(host_attribute(x, HOST_RESPONSE_CODE), STR("404")));
}
END_TEST

START_TEST(fields_that_break_a_message_are_not_written)
{
	envoy_header(s, ABI_REQUEST_HEADERS, "x-many", "one");
	envoy_header(s, ABI_REQUEST_HEADERS, "x-many", "two");
	envoy_header(s, ABI_REQUEST_HEADERS, "x-once", "a");
	envoy_header(s, ABI_REQUEST_HEADERS, "x-once", "b");
	envoy_header(s, ABI_REQUEST_HEADERS, "x-gone", "1");
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_CONTINUE);
	ck_assert_str_eq(
	    envoy_header_value(s, ABI_REQUEST_HEADERS, "x-results"),
	    "0000000111 3 1");
	ck_assert_ptr_null(
	    envoy_header_value(s, ABI_REQUEST_HEADERS, "x-gone"));
}
END_TEST

START_TEST(an_empty_value_is_there)
{
	struct str value;

	envoy_header(s, ABI_REQUEST_HEADERS, "x-empty", "");
	value = host_header(x, HOST_REQUEST, STR("x-empty"), 0);
	ck_assert_ptr_nonnull(value.ptr);
	ck_assert_uint_eq(value.len, 0);
	ck_assert_ptr_null(host_header(x, HOST_REQUEST, STR("x-no"), 0).ptr);
	ck_assert_ptr_null(
	    host_header(x, HOST_RESPONSE, STR(":status"), 0).ptr);
}
END_TEST

START_TEST(metadata_are_texts_and_numbers)
{
	host_metadata_set(x, STR("ns"), STR("key"), STR("value"));
	ck_assert(
	    str_eq(host_metadata(x, STR("ns"), STR("key")), STR("value")));
	ck_assert_ptr_null(host_metadata(x, STR("ns"), STR("no")).ptr);
	s->metadata_value = STR_NONE;
	s->has_metadata_number = true;
	s->metadata_number = 7;
	ck_assert(str_eq(host_metadata(x, STR("ns"), STR("key")), STR("7")));
	s->metadata_number = 0.5;
	ck_assert(str_eq(host_metadata(x, STR("ns"), STR("key")), STR("0.5")));
}
END_TEST

START_TEST(a_new_path_has_another_route_when_asked)
{
	end();
	open_stream("traps.path", "{\"path\":\"/other\"}");
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_CONTINUE);
	ck_assert_uint_eq(s->routes_cleared, 0);
	end();
	open_stream("traps.path", "{\"path\":\"/other\",\"reroute\":true}");
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_CONTINUE);
	ck_assert_uint_eq(s->routes_cleared, 1);
	ck_assert_str_eq(
	    envoy_header_value(s, ABI_REQUEST_HEADERS, ":path"), "/other");
}
END_TEST

START_TEST(random_numbers_are_below_and_not_the_same)
{
	bool seen[8] = { false };
	size_t n = 0;

	for (int i = 0; i < 1000; i++) {
		uint64_t at = host_random(x, 8);

		ck_assert_uint_lt(at, 8);
		n += !seen[at];
		seen[at] = true;
	}
	ck_assert_uint_eq(n, 8);
	ck_assert_uint_eq(host_random(x, 0), 0);
}
END_TEST

START_TEST(log_lines_are_one_line)
{
	host_log(x, HOST_LOG_WARN, "odd %s", "a\nb\x01");
	host_log(x, HOST_LOG_DEBUG, "nobody asked");
	ck_assert_str_eq(envoy_log(), "sallyport: odd a?b?\n");
}
END_TEST

START_TEST(nothing_is_asked_of_a_stream_that_is_gone)
{
	size_t n;

	x->depth = 1; /* a callback is on the stack */
	envoy_destroy(s);
	ck_assert_ptr_null(host_header(x, HOST_REQUEST, STR(":path"), 0).ptr);
	(void)host_headers(x, HOST_REQUEST, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert(!host_header_set(x, HOST_REQUEST, STR("a"), STR("b")));
	ck_assert(!host_header_add(x, HOST_REQUEST, STR("a"), STR("b")));
	ck_assert(!host_header_remove(x, HOST_REQUEST, STR("a")));
	for (int a = HOST_CLIENT_ADDRESS; a <= HOST_RESPONSE_CODE; a++)
		ck_assert_ptr_null(
		    host_attribute(x, (enum host_attribute)a).ptr);
	ck_assert_ptr_null(host_metadata(x, STR("a"), STR("b")).ptr);
	host_metadata_set(x, STR("a"), STR("b"), STR("c"));
	ck_assert_ptr_null(host_route_conf(x));
	ck_assert(!host_body_replace(x, STR("x")));
	host_reroute(x);
	host_count(x, 0, 1);
	host_reply(x, &(struct host_reply){ .status = 200 });
	ck_assert_uint_eq(s->reply.n, 0);
	x->depth = 0;
	exchange_settle(x);
}
END_TEST

Suite *suite_module_host(void);

Suite *
suite_module_host(void)
{
	Suite *suite = suite_create("module/host");
	TCase *t = tcase_create("host");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, the_client_has_no_port);
	tcase_add_test(t, attributes_are_envoys);
	tcase_add_test(t, fields_that_break_a_message_are_not_written);
	tcase_add_test(t, an_empty_value_is_there);
	tcase_add_test(t, metadata_are_texts_and_numbers);
	tcase_add_test(t, a_new_path_has_another_route_when_asked);
	tcase_add_test(t, random_numbers_are_below_and_not_the_same);
	tcase_add_test(t, log_lines_are_one_line);
	tcase_add_test(t, nothing_is_asked_of_a_stream_that_is_gone);
	suite_add_tcase(suite, t);
	return suite;
}
