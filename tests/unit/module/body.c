#include "config.h"

#include <check.h>

#include "module/exchange.h"
#include "tests/unit/module/envoy.h"

static int host_conf; /* stands for Envoy's */
static const void *conf;
static struct envoy_stream *s;

static void
open_stream(const char *config)
{
	envoy_begin();
	conf = on_config_new(&host_conf, (struct abi_bytes){ "traps.body", 10 },
	    (struct abi_bytes){ config, strlen(config) });
	ck_assert_msg(conf, "%s", envoy_log());
	s = envoy_stream_new(&envoy_linked, conf);
}

static void
close_stream(void)
{
	envoy_stream_free(s);
	on_config_destroy(conf);
}

static const char *
seen_length(void)
{
	return envoy_header_value(s, ABI_REQUEST_HEADERS, "x-body");
}

START_TEST(a_filter_that_wants_no_body_lets_it_pass)
{
	open_stream("{}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_CONTINUE);
	ck_assert_int_eq(envoy_body(s, "x", true), ABI_BODY_CONTINUE);
	ck_assert_ptr_null(seen_length());
	close_stream();
}
END_TEST

START_TEST(a_request_without_a_body_has_an_empty_one)
{
	open_stream("{\"max\":10}");
	ck_assert_int_eq(envoy_request(s, true), ABI_HEADERS_CONTINUE);
	ck_assert_str_eq(seen_length(), "0");
	close_stream();
}
END_TEST

START_TEST(headers_wait_for_the_whole_body)
{
	open_stream("{\"max\":10}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_int_eq(
	    envoy_body(s, "0123", false), ABI_BODY_STOP_AND_BUFFER);
	ck_assert_int_eq(envoy_body(s, "", false), ABI_BODY_STOP_AND_BUFFER);
	ck_assert_int_eq(envoy_body(s, "456", false), ABI_BODY_STOP_AND_BUFFER);
	ck_assert_ptr_null(seen_length());
	ck_assert_int_eq(envoy_body(s, "789", true), ABI_BODY_CONTINUE);
	ck_assert_str_eq(seen_length(), "10");
	close_stream();
}
END_TEST

START_TEST(what_was_found_across_the_pieces_is_refused)
{
	open_stream("{\"max\":100,\"find\":\"evil\"}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_int_eq(
	    envoy_body(s, "xxev", false), ABI_BODY_STOP_AND_BUFFER);
	ck_assert_int_eq(envoy_body(s, "ilxx", true), ABI_BODY_STOP_NO_BUFFER);
	ck_assert_uint_eq(s->reply.status, 403);
	close_stream();
}
END_TEST

START_TEST(trailers_end_a_body)
{
	open_stream("{\"max\":100,\"find\":\"evil\"}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_int_eq(
	    envoy_body(s, "evil", false), ABI_BODY_STOP_AND_BUFFER);
	ck_assert_int_eq(envoy_trailers(s), ABI_TRAILERS_STOP);
	ck_assert_uint_eq(s->reply.status, 403);
	close_stream();
	open_stream("{\"max\":100,\"find\":\"evil\",\"replacement\":\"new\"}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_int_eq(
	    envoy_body(s, "good", false), ABI_BODY_STOP_AND_BUFFER);
	ck_assert_int_eq(envoy_trailers(s), ABI_TRAILERS_CONTINUE);
	ck_assert_str_eq(seen_length(), "4");
	ck_assert(str_eq(buf_bytes(&s->buffered), STR("new")));
	close_stream();
}
END_TEST

START_TEST(a_body_that_another_filter_kept_is_not_counted_twice)
{
	open_stream("{\"max\":4,\"replacement\":\"xy\"}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_int_eq(buf_append(&s->buffered, STR("1234")), ERR_OK);
	s->received_is_buffered = true;
	ck_assert_int_eq(envoy_body(s, "", true), ABI_BODY_CONTINUE);
	ck_assert_str_eq(seen_length(), "4");
	ck_assert(str_eq(buf_bytes(&s->buffered), STR("xy")));
	close_stream();
}
END_TEST

START_TEST(a_body_that_is_too_long_is_refused_early)
{
	open_stream("{\"max\":4}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_int_eq(envoy_body(s, "123", false), ABI_BODY_STOP_AND_BUFFER);
	ck_assert_int_eq(envoy_body(s, "45", false), ABI_BODY_STOP_NO_BUFFER);
	ck_assert_uint_eq(s->reply.status, 413);
	ck_assert_int_eq(envoy_body(s, "6", true), ABI_BODY_STOP_NO_BUFFER);
	ck_assert_uint_eq(s->reply.n, 1);
	close_stream();
	open_stream("{\"max\":4}");
	envoy_header(s, ABI_REQUEST_HEADERS, "content-length", "5");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->reply.status, 413);
	ck_assert(str_eq(s->reply.details, STR("request_payload_too_large")));
	close_stream();
}
END_TEST

START_TEST(envoys_own_limit_is_raised_but_never_lowered)
{
	open_stream("{\"max\":5000}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->limit, 5000);
	close_stream();
	open_stream("{\"max\":100}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->limit, 1024);
	close_stream();
	open_stream("{\"max\":100}");
	s->limit = 0; /* none */
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_uint_eq(s->limit, 0);
	close_stream();
}
END_TEST

START_TEST(a_new_body_has_its_length)
{
	open_stream("{\"max\":100,\"replacement\":\"something else\"}");
	envoy_header(s, ABI_REQUEST_HEADERS, "content-length", "6");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_int_eq(envoy_body(s, "abc", false), ABI_BODY_STOP_AND_BUFFER);
	ck_assert_int_eq(envoy_body(s, "def", true), ABI_BODY_CONTINUE);
	ck_assert(str_eq(buf_bytes(&s->buffered), STR("")));
	ck_assert(str_eq(buf_bytes(&s->received), STR("something else")));
	ck_assert_str_eq(
	    envoy_header_value(s, ABI_REQUEST_HEADERS, "content-length"), "14");
	close_stream();
}
END_TEST

START_TEST(an_answer_meanwhile_ends_the_collecting)
{
	open_stream("{\"max\":100}");
	ck_assert_int_eq(envoy_request(s, false), ABI_HEADERS_STOP);
	ck_assert_int_eq(envoy_body(s, "abc", false), ABI_BODY_STOP_AND_BUFFER);
	ck_assert_int_eq(envoy_response(s, "408"), ABI_HEADERS_CONTINUE);
	ck_assert_ptr_null(seen_length());
	close_stream();
}
END_TEST

Suite *suite_module_body(void);

Suite *
suite_module_body(void)
{
	Suite *suite = suite_create("module/body");
	TCase *t = tcase_create("body");

	tcase_add_test(t, a_filter_that_wants_no_body_lets_it_pass);
	tcase_add_test(t, a_request_without_a_body_has_an_empty_one);
	tcase_add_test(t, headers_wait_for_the_whole_body);
	tcase_add_test(t, what_was_found_across_the_pieces_is_refused);
	tcase_add_test(t, trailers_end_a_body);
	tcase_add_test(t, a_body_that_another_filter_kept_is_not_counted_twice);
	tcase_add_test(t, a_body_that_is_too_long_is_refused_early);
	tcase_add_test(t, envoys_own_limit_is_raised_but_never_lowered);
	tcase_add_test(t, a_new_body_has_its_length);
	tcase_add_test(t, an_answer_meanwhile_ends_the_collecting);
	suite_add_tcase(suite, t);
	return suite;
}
