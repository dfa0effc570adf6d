#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "http/cgi.h"

enum { N_PARAMS_MAX = 12 };

static struct arena *arena;
static struct cgi_request request;
static struct cgi_refusal refusal;

static void
set_up(void)
{
	arena = arena_new(4096);
}

static void
tear_down(void)
{
	arena_free(arena);
}

/* Parameters as "NAME=value", ended by NULL. */
static enum err
read_params(const char *const *texts)
{
	struct cgi_param params[N_PARAMS_MAX];
	size_t n = 0;

	for (; texts[n]; n++) {
		struct str s = str_of(texts[n]);
		size_t at = str_find_char(s, '=', 0);
		ck_assert_uint_lt(n, N_PARAMS_MAX);
		params[n].name = str_slice(s, 0, at);
		params[n].value = str_slice(s, at + 1, s.len);
	}
	return cgi_request_read(arena, params, n, &request, &refusal);
}

#define READ(...) read_params((const char *const[]){ __VA_ARGS__, NULL })
#define GET       "REQUEST_METHOD=GET", "REQUEST_URI=/"

static void
check_header(const char *name, const char *value)
{
	struct str got = headers_get(&request.headers, str_of(name));

	if (!value)
		ck_assert_msg(!got.ptr, "%s is there", name);
	else
		ck_assert_msg(str_eq(got, str_of(value)),
		    "%s is \"" STR_FMT "\", not \"%s\"", name, STR_ARG(got),
		    value);
}

static void
check_text(struct str got, const char *value)
{
	ck_assert_msg(str_eq(got, str_of(value)), "\"" STR_FMT "\", not \"%s\"",
	    STR_ARG(got), value);
}

START_TEST(pseudo_headers_come_first_and_from_the_raw_target)
{
	static const char *const names[] = { ":method", ":path", ":authority",
		":scheme", "x-a" };

	ck_assert_int_eq(READ("HTTP_X_A=1", "REQUEST_METHOD=PURGE",
			     "SCRIPT_NAME=/b", "PATH_INFO=/c",
			     "REQUEST_URI=/a/../%62?q=%2F", "HTTP_HOST=h:81"),
	    ERR_OK);
	ck_assert_uint_eq(request.headers.n, 5);
	for (size_t i = 0; i < 5; i++)
		check_text(request.headers.items[i].name, names[i]);
	check_header(":method", "PURGE");
	check_header(":path", "/a/../%62?q=%2F");
	check_header(":authority", "h:81");
	check_header(":scheme", "http");
}
END_TEST

START_TEST(the_peer_is_what_the_web_server_says)
{
	ck_assert_int_eq(READ(GET, "REMOTE_ADDR=192.0.2.1", "REMOTE_PORT=99",
			     "SERVER_ADDR=192.0.2.2", "SERVER_PORT=443",
			     "REQUEST_SCHEME=https"),
	    ERR_OK);
	check_text(request.address, "192.0.2.1");
	check_text(request.port, "99");
	check_text(request.local_address, "192.0.2.2");
	check_text(request.local_port, "443");
	check_text(request.scheme, "https");
	check_header(":scheme", "https");
}
END_TEST

static const struct {
	const char *params[5];
	const char *authority;
} authorities[] = {
	{ { "HTTP_HOST=a.example", "SERVER_NAME=b" }, "a.example" },
	{ { "HTTP_HOST=", "SERVER_NAME=b", "SERVER_PORT=80" }, "b" },
	{ { "SERVER_NAME=b", "SERVER_PORT=8080" }, "b:8080" },
	{ { "SERVER_NAME=b", "SERVER_PORT=443", "HTTPS=on" }, "b" },
	{ { "SERVER_NAME=::1", "SERVER_PORT=81" }, "[::1]:81" },
	{ { "SERVER_NAME=[::1]", "SERVER_PORT=81" }, "[::1]:81" },
	{ { "SERVER_NAME=" }, NULL },
	{ { "REQUEST_URI=http://c.example/x", "HTTP_HOST=a" }, "c.example" },
	{ { "SERVER_NAME=b", "SERVER_PROTOCOL=HTTP/2.0" }, "b" },
	{ { "SERVER_NAME=b", "SERVER_PROTOCOL=HTTP/1.0" }, NULL },
	{ { "SERVER_NAME=b", "SERVER_PROTOCOL=HTTP/1.1" }, NULL },
};

START_TEST(the_authority_is_the_host_or_the_server_name)
{
	const char *params[8] = { "REQUEST_METHOD=GET" };
	size_t n = 1;

	for (size_t i = 0; authorities[_i].params[i]; i++)
		params[n++] = authorities[_i].params[i];
	params[n] = "REQUEST_URI=/";
	ck_assert_int_eq(read_params(params), ERR_OK);
	check_header(":authority", authorities[_i].authority);
}
END_TEST

START_TEST(fields_keep_duplicates_and_lose_what_is_not_theirs)
{
	ck_assert_int_eq(
	    READ(GET, "HTTP_X_A=1", "HTTP_X_A= 2 ", "HTTP_PROXY=p",
		"HTTP_EXPECT=100-continue", "HTTP_CONTENT_LENGTH=7",
		"HTTP_TRANSFER_ENCODING=chunked", "HTTP_=x",
		"SOMETHING_ELSE=y"),
	    ERR_OK);
	check_text(headers_nth(&request.headers, STR("x-a"), 0), "1");
	check_text(headers_nth(&request.headers, STR("x-a"), 1), "2");
	check_header("proxy", NULL);
	check_header("expect", NULL);
	check_header("content-length", NULL);
	check_header("transfer-encoding", NULL);
	ck_assert_uint_eq(request.headers.n, 5);
}
END_TEST

static const struct {
	const char *param;
	const char *field; /* content-length */
	int64_t len;
} lengths[] = {
	{ "CONTENT_LENGTH=", NULL, -1 },
	{ "CONTENT_LENGTH=-1", NULL, -1 },
	{ "X=", NULL, -1 },
	{ "HTTP_CONTENT_LENGTH=5", NULL, -1 },
	{ "CONTENT_LENGTH=0", "0", 0 },
	{ "CONTENT_LENGTH=12", "12", 12 },
	{ "CONTENT_LENGTH=9223372036854775807", "9223372036854775807",
	    INT64_MAX },
};

START_TEST(a_length_that_says_nothing_is_unknown)
{
	ck_assert_int_eq(
	    READ("REQUEST_METHOD=POST", "REQUEST_URI=/", lengths[_i].param),
	    ERR_OK);
	ck_assert_int_eq(request.content_length, lengths[_i].len);
	check_header("content-length", lengths[_i].field);
}
END_TEST

START_TEST(a_transfer_coding_makes_the_length_unknown)
{
	ck_assert_int_eq(
	    READ("REQUEST_METHOD=POST", "REQUEST_URI=/", "CONTENT_LENGTH=3",
		"HTTP_TRANSFER_ENCODING=chunked"),
	    ERR_OK);
	ck_assert_int_eq(request.content_length, -1);
}
END_TEST

START_TEST(a_get_without_a_body_has_no_length_field)
{
	ck_assert_int_eq(READ(GET, "CONTENT_LENGTH=0"), ERR_OK);
	ck_assert_int_eq(request.content_length, 0);
	check_header("content-length", NULL);
}
END_TEST

START_TEST(the_clients_own_content_type_wins)
{
	ck_assert_int_eq(READ(GET, "CONTENT_TYPE=invented",
			     "HTTP_CONTENT_TYPE=application/json"),
	    ERR_OK);
	check_header("content-type", "application/json");
	ck_assert_int_eq(READ(GET, "CONTENT_TYPE=text/csv"), ERR_OK);
	check_header("content-type", "text/csv");
	ck_assert_int_eq(READ(GET, "CONTENT_TYPE="), ERR_OK);
	check_header("content-type", NULL);
	ck_assert_int_eq(
	    READ(GET, "CONTENT_TYPE=invented", "SERVER_SOFTWARE=Caddy/v2.6.2"),
	    ERR_OK);
	check_header("content-type", NULL);
}
END_TEST

static const struct {
	const char *sent, *shown;
} protocols[] = {
	{ "SERVER_PROTOCOL=HTTP/1.0", "HTTP/1.0" },
	{ "SERVER_PROTOCOL=HTTP/1.1", "HTTP/1.1" },
	{ "SERVER_PROTOCOL=HTTP/2.0", "HTTP/2" },
	{ "SERVER_PROTOCOL=HTTP/3.0", "HTTP/3" },
};

START_TEST(protocols_are_spelled_as_in_envoy)
{
	ck_assert_int_eq(READ(GET, protocols[_i].sent), ERR_OK);
	check_text(request.protocol, protocols[_i].shown);
}
END_TEST

static const struct {
	const char *params[5];
	unsigned status;
} refused[] = {
	{ { "REQUEST_URI=/" }, 400 },
	{ { "REQUEST_METHOD=", "REQUEST_URI=/" }, 400 },
	{ { "REQUEST_METHOD=G T", "REQUEST_URI=/" }, 400 },
	{ { "REQUEST_METHOD=TRACE", "REQUEST_URI=/" }, 405 },
	{ { "REQUEST_METHOD=CONNECT", "REQUEST_URI=/" }, 400 },
	{ { "REQUEST_METHOD=GET" }, 400 },
	{ { "REQUEST_METHOD=GET", "REQUEST_URI=" }, 400 },
	{ { "REQUEST_METHOD=GET", "REQUEST_URI=a/b" }, 400 },
	{ { "REQUEST_METHOD=GET", "REQUEST_URI=ftp://h/" }, 400 },
	{ { "REQUEST_METHOD=GET", "REQUEST_URI=http:///x" }, 400 },
	{ { "REQUEST_METHOD=GET", "REQUEST_URI=/\r\nX: y" }, 400 },
	{ { GET, "HTTP_X_A=1\r\nX: y" }, 400 },
	{ { GET, "HTTP_X A=1" }, 400 },
	{ { GET, "CONTENT_LENGTH=1x" }, 400 },
	{ { GET, "CONTENT_LENGTH=-2" }, 400 },
	{ { GET, "CONTENT_LENGTH=9223372036854775808" }, 400 },
	{ { GET, "HTTP_HOST=a", "HTTP_HOST=b" }, 400 },
};

START_TEST(malformed_requests_are_refused)
{
	ck_assert_int_eq(read_params(refused[_i].params), ERR_BAD);
	ck_assert_uint_eq(refusal.status, refused[_i].status);
	ck_assert_uint_gt(refusal.details.len, 0);
}
END_TEST

START_TEST(a_refused_request_still_has_its_path_for_the_log)
{
	ck_assert_int_eq(
	    READ("REQUEST_METHOD=TRACE", "REQUEST_URI=/x", "HTTP_HOST=h"),
	    ERR_BAD);
	check_header(":path", "/x");
	check_header(":authority", "h");
}
END_TEST

START_TEST(values_that_may_have_been_cut_are_refused)
{
	char *text = arena_cstr(arena, STR("HTTP_X="));
	char *longer = arena_alloc(arena, 70000);

	memset(longer, 'a', 65007);
	memcpy(longer, text, 7);
	ck_assert_int_eq(READ(GET, longer), ERR_BAD);
	ck_assert_uint_eq(refusal.status, 431);
	longer[65006] = '\0';
	ck_assert_int_eq(READ(GET, longer), ERR_OK);
}
END_TEST

START_TEST(a_response_begins_with_its_status_and_keeps_what_may_leave)
{
	static const char *const fields[][2] = { { ":status", "200" },
		{ "content-type", "text/plain" }, { "content-length", "3" },
		{ "set-cookie", "a" }, { "set-cookie", "b" },
		{ "status", "500" }, { "transfer-encoding", "chunked" },
		{ "connection", "close" }, { "keep-alive", "5" },
		{ "upgrade", "x" }, { "x-accel-redirect", "/secret" },
		{ "x-sendfile", "/etc" }, { "x-sendfile2", "/etc" },
		{ "x-lighttpd-send-file", "/etc" }, { "bad name", "z" },
		{ "split", "a\r\nb: c" }, { "empty", "" } };
	struct headers h;
	struct buf b;

	headers_init(&h, arena);
	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		headers_add(&h, str_of(fields[i][0]), str_of(fields[i][1]));
	ck_assert_int_eq(cgi_response_write(&b, 404, &h, 99), ERR_OK);
	check_text(buf_bytes(&b), "Status: 404 Not Found\r\n"
				  "content-type: text/plain\r\n"
				  "content-length: 3\r\n"
				  "set-cookie: a\r\nset-cookie: b\r\n"
				  "empty: \r\n\r\n");
	buf_free(&b);
}
END_TEST

START_TEST(a_known_length_is_added_and_events_are_not_collected)
{
	struct headers h;
	struct buf b;

	headers_init(&h, arena);
	buf_init(&b, 1000);
	headers_add(
	    &h, STR("content-type"), STR("text/event-stream; charset=utf-8"));
	ck_assert_int_eq(cgi_response_write(&b, 299, &h, 5), ERR_OK);
	check_text(buf_bytes(&b),
	    "Status: 299 Unknown\r\n"
	    "content-type: text/event-stream; charset=utf-8\r\n"
	    "content-length: 5\r\nX-Accel-Buffering: no\r\n\r\n");
	buf_free(&b);
}
END_TEST

/* HAProxy would make a 302 of it. */
START_TEST(the_status_comes_after_a_location)
{
	struct headers h;
	struct buf b;

	headers_init(&h, arena);
	buf_init(&b, 1000);
	headers_add(&h, STR("x-a"), STR("1"));
	headers_add(&h, STR("Location"), STR("/new"));
	ck_assert_int_eq(cgi_response_write(&b, 201, &h, 0), ERR_OK);
	check_text(buf_bytes(&b), "Location: /new\r\nStatus: 201 Created\r\n"
				  "x-a: 1\r\ncontent-length: 0\r\n\r\n");
	buf_free(&b);
}
END_TEST

START_TEST(a_response_that_does_not_fit_fails)
{
	struct headers h;
	struct buf b;

	headers_init(&h, arena);
	buf_init(&b, 40);
	headers_add(&h, STR("x-a"), STR("01234567890123456789"));
	ck_assert_int_eq(cgi_response_write(&b, 200, &h, -1), ERR_FULL);
	buf_free(&b);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *suite_http_cgi(void);

Suite *
suite_http_cgi(void)
{
	Suite *s = suite_create("http/cgi");
	TCase *t = tcase_create("requests");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, pseudo_headers_come_first_and_from_the_raw_target);
	tcase_add_test(t, the_peer_is_what_the_web_server_says);
	tcase_add_loop_test(
	    t, the_authority_is_the_host_or_the_server_name, 0, N(authorities));
	tcase_add_test(t, fields_keep_duplicates_and_lose_what_is_not_theirs);
	tcase_add_loop_test(
	    t, a_length_that_says_nothing_is_unknown, 0, N(lengths));
	tcase_add_test(t, a_transfer_coding_makes_the_length_unknown);
	tcase_add_test(t, a_get_without_a_body_has_no_length_field);
	tcase_add_test(t, the_clients_own_content_type_wins);
	tcase_add_loop_test(
	    t, protocols_are_spelled_as_in_envoy, 0, N(protocols));
	tcase_add_loop_test(t, malformed_requests_are_refused, 0, N(refused));
	tcase_add_test(t, a_refused_request_still_has_its_path_for_the_log);
	tcase_add_test(t, values_that_may_have_been_cut_are_refused);
	suite_add_tcase(s, t);
	t = tcase_create("responses");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(
	    t, a_response_begins_with_its_status_and_keeps_what_may_leave);
	tcase_add_test(t, a_known_length_is_added_and_events_are_not_collected);
	tcase_add_test(t, the_status_comes_after_a_location);
	tcase_add_test(t, a_response_that_does_not_fit_fails);
	suite_add_tcase(s, t);
	return s;
}
