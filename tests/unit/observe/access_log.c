#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "observe/access_log.h"
#include "tests/unit/chain/world.h"

static char folder[] = "/tmp/sallyport-log-XXXXXX";
static char first[64], second[64];
static struct loop *loop;

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(first, sizeof(first), "%s/first", folder);
	(void)snprintf(second, sizeof(second), "%s/second", folder);
	loop = loop_new();
}

static void
tear_down(void)
{
	loop_free(loop);
	(void)unlink(first);
	(void)unlink(second);
	(void)rmdir(folder);
}

/* With two logs, and more fields of the HttpConnectionManager. */
static struct world *
world_of(const char *more, const char *in_first)
{
	struct arena *arena = arena_new(4096);
	struct world *w = world_new(arena_printf(arena,
	    "%s"
	    "use_remote_address: true\n"
	    "route_config: {virtual_hosts: []}\n"
	    "access_log:\n"
	    "- name: a\n"
	    "  typed_config:\n"
	    "    '@type': type.googleapis.com/envoy.extensions."
	    "access_loggers.file.v3.FileAccessLog\n"
	    "    path: %s\n"
	    "%s"
	    "- name: b\n"
	    "  filter: {log_type_filter: {types: [DownstreamEnd]}}\n"
	    "  typed_config:\n"
	    "    '@type': type.googleapis.com/envoy.extensions."
	    "access_loggers.file.v3.FileAccessLog\n"
	    "    path: %s\n"
	    "    log_format: {text_format_source: {inline_string: \"b: "
	    "%%REQ(:PATH)%%\\n\"}}\n",
	    more, first, in_first, second)
					.ptr);

	arena_free(arena);
	return w;
}

#define PLAIN                                                                  \
	"    log_format: {text_format_source: {inline_string: \"a: "           \
	"%REQ(:PATH)% %ACCESS_LOG_TYPE%\\n\"}}\n"

static struct access_log *
begin(struct world *w, const char *override)
{
	struct access_log *log;

	if (!w->gateway)
		ck_abort_msg("refused: %s", diag_message(w->diag, 0));
	log = access_log_build(w->arena, w->gateway, override, w->diag);
	if (diag_errors(w->diag))
		ck_abort_msg("refused: %s", diag_message(w->diag, 0));
	ck_assert_int_eq(access_log_open(log, loop), ERR_OK);
	return log;
}

static void
note(struct world *w, struct access_log *log, const char *path,
    enum log_type type)
{
	struct exchange *x = world_request(w, "GET", path, "");

	access_log_write(log, x, type);
	exchange_end(x);
}

static void
check_file(const char *name, const char *expected)
{
	char text[512];
	FILE *f = fopen(name, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	ck_assert_str_eq(text, expected);
}

START_TEST(each_log_has_its_lines)
{
	struct world *w = world_of("", PLAIN);
	struct access_log *log = begin(w, NULL);

	note(w, log, "/1", LOG_END);
	note(w, log, "/2", LOG_START);
	note(w, log, "/3", LOG_PERIODIC);
	access_log_close(log);
	check_file(first, "a: /1 DownstreamEnd\na: /3 DownstreamPeriodic\n");
	check_file(second, "b: /1\n");
	world_free(w);
}
END_TEST

START_TEST(lines_wait_for_the_end_of_the_turn)
{
	struct world *w = world_of("", PLAIN);
	struct access_log *log = begin(w, NULL);

	note(w, log, "/1", LOG_END);
	check_file(first, "");
	access_log_flush(log);
	check_file(first, "a: /1 DownstreamEnd\n");
	access_log_close(log);
	world_free(w);
}
END_TEST

START_TEST(requests_that_begin_are_told_when_asked_for)
{
	struct world *w = world_of(
	    "access_log_options: {flush_access_log_on_new_request: true,\n"
	    "  access_log_flush_interval: 2s}\n",
	    PLAIN);
	struct access_log *log = begin(w, NULL);

	note(w, log, "/1", LOG_START);
	access_log_close(log);
	check_file(first, "a: /1 DownstreamStart\n");
	check_file(second, "");
	ck_assert_int_eq(access_log_interval_ns(log), 2000000000);
	world_free(w);
}
END_TEST

START_TEST(no_interval_unless_configured)
{
	struct world *w = world_of("", PLAIN);

	ck_assert_int_eq(access_log_interval_ns(begin(w, NULL)), 0);
	world_free(w);
}
END_TEST

START_TEST(a_signal_opens_files_anew)
{
	struct world *w = world_of("", PLAIN);
	struct access_log *log = begin(w, NULL);
	char moved[80];

	(void)snprintf(moved, sizeof(moved), "%s.1", first);
	note(w, log, "/1", LOG_END);
	ck_assert_int_eq(rename(first, moved), 0);
	access_log_reopen(log);
	note(w, log, "/2", LOG_END);
	access_log_close(log);
	check_file(moved, "a: /1 DownstreamEnd\n");
	check_file(first, "a: /2 DownstreamEnd\n");
	check_file(second, "b: /1\nb: /2\n");
	(void)unlink(moved);
	world_free(w);
}
END_TEST

START_TEST(the_path_can_be_overridden)
{
	struct world *w = world_of("", PLAIN);
	struct access_log *log = begin(w, second);

	note(w, log, "/1", LOG_END);
	access_log_close(log);
	ck_assert_int_ne(access(first, F_OK), 0);
	check_file(second, "a: /1 DownstreamEnd\nb: /1\n");
	world_free(w);
}
END_TEST

START_TEST(the_default_format_is_envoys)
{
	struct world *w = world_of("", "");
	struct access_log *log = begin(w, NULL);
	struct exchange *x = world_request(
	    w, "GET", "/1", "user-agent: curl\nx-request-id: id\n");
	char text[512], expected[512];
	int fd;
	ssize_t n;

	access_log_write(log, x, LOG_END);
	exchange_end(x);
	access_log_close(log);
	fd = open(first, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	ck_assert_int_gt(n, 30);
	text[n] = '\0';
	(void)snprintf(expected, sizeof(expected),
	    "] \"GET /1 HTTP/1.1\" 404 NR 0 0 0 - \"192.0.2.7\" \"curl\" "
	    "\"%s\" \"gate.example\" \"-\"\n",
	    world_request_header(x, "x-request-id"));
	ck_assert_int_eq(text[0], '[');
	ck_assert_str_eq(text + 25, expected);
	world_free(w);
}
END_TEST

/* ---- what is refused ---- */

static const struct {
	const char *more, *in_first, *message;
} refused[] = {
	{ "", "    log_format: {text_format_source: {inline_string: '%X%'}}\n",
	    "Not supported field in StreamInfo: X" },
	{ "", "    format: '%REQ%'\n", "REQ requires parameters" },
	{ "access_log_options: {}\nflush_access_log_on_new_request: true\n", "",
	    "Only one of flush_access_log_on_new_request or "
	    "access_log_options can be specified." },
	{ "access_log_options: {}\naccess_log_flush_interval: 2s\n", "",
	    "Only one of access_log_flush_interval or access_log_options can "
	    "be specified." },
	{ "",
	    "- name: c\n"
	    "  typed_config:\n"
	    "    '@type': type.googleapis.com/envoy.extensions."
	    "access_loggers.grpc.v3.HttpGrpcAccessLogConfig\n",
	    "Didn't find a registered implementation for 'c' with type URL: "
	    "'envoy.extensions.access_loggers.grpc.v3."
	    "HttpGrpcAccessLogConfig'" },
};

START_TEST(what_cannot_be_logged_is_refused)
{
	struct world *w = world_of(refused[_i].more, refused[_i].in_first);
	const char *told;

	if (w->gateway)
		(void)access_log_build(w->arena, w->gateway, NULL, w->diag);
	ck_assert_uint_eq(diag_errors(w->diag), 1);
	for (size_t i = 0; (told = diag_message(w->diag, i)) != NULL; i++)
		if (strstr(told, refused[_i].message))
			break;
	ck_assert_msg(told != NULL, "it lacks \"%s\"", refused[_i].message);
	world_free(w);
}
END_TEST

Suite *suite_observe_access_log(void);

Suite *
suite_observe_access_log(void)
{
	Suite *s = suite_create("observe/access_log");
	TCase *t = tcase_create("logs");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, each_log_has_its_lines);
	tcase_add_test(t, lines_wait_for_the_end_of_the_turn);
	tcase_add_test(t, requests_that_begin_are_told_when_asked_for);
	tcase_add_test(t, no_interval_unless_configured);
	tcase_add_test(t, a_signal_opens_files_anew);
	tcase_add_test(t, the_path_can_be_overridden);
	tcase_add_test(t, the_default_format_is_envoys);
	tcase_add_loop_test(t, what_cannot_be_logged_is_refused, 0,
	    sizeof(refused) / sizeof(refused[0]));
	suite_add_tcase(s, t);
	return s;
}
