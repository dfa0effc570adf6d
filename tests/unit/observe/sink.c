#include "config.h"

#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/sink.h"

static char folder[] = "/tmp/sallyport-sink-XXXXXX";
static char path[64];
static struct sink sink;

static void
set_up(void)
{
	int nowhere = open("/dev/null", O_WRONLY);

	ck_assert_int_ge(dup2(nowhere, STDERR_FILENO), 0);
	(void)close(nowhere);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/log", folder);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void
tear_down(void)
{
	sink_free(&sink);
	(void)unlink(path);
	(void)rmdir(folder);
}

static void
begin(const char *where)
{
	sink_init(&sink, where, -1);
	ck_assert_int_eq(sink_open(&sink), ERR_OK);
}

static void
add(const char *text)
{
	ck_assert_int_eq(buf_append(&sink.pending, str_of(text)), ERR_OK);
}

static void
check_file(const char *name, const char *expected)
{
	char text[256];
	FILE *f = fopen(name, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	ck_assert_str_eq(text, expected);
}

START_TEST(lines_are_appended_to_a_file)
{
	begin(path);
	add("one\n");
	add("two\n");
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	check_file(path, "one\ntwo\n");
	add("three\n");
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	check_file(path, "one\ntwo\nthree\n");
}
END_TEST

START_TEST(others_may_not_read_it)
{
	struct stat st;

	begin(path);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07, 0);
}
END_TEST

START_TEST(a_file_that_is_moved_is_made_anew)
{
	char moved[80];

	(void)snprintf(moved, sizeof(moved), "%s.1", path);
	begin(path);
	add("one\n");
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	ck_assert_int_eq(rename(path, moved), 0);
	add("two\n");
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	ck_assert_int_eq(sink_open(&sink), ERR_OK);
	add("three\n");
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	check_file(moved, "one\ntwo\n");
	check_file(path, "three\n");
	(void)unlink(moved);
}
END_TEST

START_TEST(the_old_file_is_kept_when_there_is_no_new_one)
{
	char moved[80];

	(void)snprintf(moved, sizeof(moved), "%s.1", path);
	begin(path);
	ck_assert_int_eq(rename(path, moved), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(sink_open(&sink), ERR_SYSTEM);
	add("one\n");
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	check_file(moved, "one\n");
	(void)rmdir(path);
	(void)unlink(moved);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error)
{
	sink_init(&sink, "/nonexistent/folder/log", -1);
	ck_assert_int_eq(sink_open(&sink), ERR_SYSTEM);
}
END_TEST

START_TEST(a_full_disk_costs_lines_and_nothing_else)
{
	begin("/dev/full");
	for (int i = 0; i < 3; i++) {
		add("a line\n");
		ck_assert_int_eq(sink_flush(&sink), ERR_OK);
		ck_assert(buf_is_empty(&sink.pending));
	}
}
END_TEST

START_TEST(a_loss_is_told_once_a_second)
{
	clock_set(5 * NS_PER_S, 1700000000000000000);
	begin("/dev/full");
	add("12345\n");
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	ck_assert_uint_eq(sink.lost, 0);
	add("12345\n");
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	ck_assert_uint_eq(sink.lost, 6);
	clock_set(7 * NS_PER_S, 1700000002000000000);
	add("12345\n");
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	ck_assert_uint_eq(sink.lost, 0);
}
END_TEST

/* ---- pipes ---- */

static int
begin_pipe(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_gt(fcntl(ends[1], F_SETPIPE_SZ, 4096), 0);
	sink_init(&sink, NULL, ends[1]);
	ck_assert_int_eq(sink_open(&sink), ERR_OK);
	return ends[0];
}

static size_t
read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (len < size && (n = read(fd, text + len, size - len)) > 0)
		len += (size_t)n;
	return len;
}

START_TEST(a_full_pipe_is_waited_for)
{
	static char line[] = "0123456789012345678901234567890123456789"
			     "01234567890123456789012\n"; /* 64 */
	int fd = begin_pipe();
	char text[16384];
	size_t len = 0, sum;

	for (int i = 0; i < 128; i++)
		add(line);
	ck_assert_int_eq(sink_flush(&sink), ERR_AGAIN);
	ck_assert_uint_eq(buf_len(&sink.pending), 4096);
	for (int i = 0; i < 4; i++) {
		len += read_all(fd, text + len, sizeof(text) - len);
		if (sink_flush(&sink) == ERR_OK)
			break;
	}
	len += read_all(fd, text + len, sizeof(text) - len);
	sum = sizeof(line) - 1;
	ck_assert_uint_eq(len, 128 * sum);
	for (size_t i = 0; i < len; i += sum)
		ck_assert_int_eq(memcmp(text + i, line, sum), 0);
	(void)close(fd);
}
END_TEST

START_TEST(what_nobody_reads_is_dropped_in_whole_lines)
{
	static char line[1001];
	int fd = begin_pipe();
	char text[16384];
	size_t len;

	memset(line, 'x', 999);
	line[999] = '\n';
	for (int i = 0; i < 10; i++)
		add(line);
	for (int i = 0; i < 2000; i++) {
		add(line);
		ck_assert_int_ne(sink_flush(&sink), ERR_SYSTEM);
	}
	ck_assert_uint_lt(buf_len(&sink.pending), 600 * 1000);
	len = read_all(fd, text, sizeof(text));
	ck_assert_uint_eq(len, 4096);
	ck_assert_int_ne(sink_flush(&sink), ERR_SYSTEM);
	len += read_all(fd, text + len, sizeof(text) - len);
	for (size_t i = 999; i < len; i += 1000)
		ck_assert_int_eq(text[i], '\n');
	(void)close(fd);
}
END_TEST

START_TEST(a_reader_that_is_gone_costs_lines_only)
{
	int fd = begin_pipe();

	(void)close(fd);
	for (int i = 0; i < 3; i++) {
		add("a line\n");
		ck_assert_int_eq(sink_flush(&sink), ERR_OK);
		ck_assert(buf_is_empty(&sink.pending));
	}
}
END_TEST

/* ---- a line of which a part is in the file ---- */

START_TEST(a_torn_line_is_completed)
{
	begin("/dev/full");
	add("the rest\nmore\nyet more\n");
	sink.is_torn = true;
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	ck_assert(str_eq(buf_bytes(&sink.pending), STR("the rest\n")));
	sink.path = path;
	ck_assert_int_eq(sink_open(&sink), ERR_OK);
	ck_assert(!sink.is_torn);
	ck_assert_int_eq(sink_flush(&sink), ERR_OK);
	check_file(path, "the rest\n");
}
END_TEST

START_TEST(much_should_not_wait)
{
	begin(path);
	add("a line\n");
	ck_assert(!sink_is_full(&sink));
	for (int i = 0; i < 5000; i++)
		add("a line\n");
	ck_assert(sink_is_full(&sink));
}
END_TEST

Suite *suite_observe_sink(void);

Suite *
suite_observe_sink(void)
{
	Suite *s = suite_create("observe/sink");
	TCase *t = tcase_create("sinks");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, lines_are_appended_to_a_file);
	tcase_add_test(t, others_may_not_read_it);
	tcase_add_test(t, a_file_that_is_moved_is_made_anew);
	tcase_add_test(t, the_old_file_is_kept_when_there_is_no_new_one);
	tcase_add_test(t, a_folder_that_is_not_there_is_an_error);
	tcase_add_test(t, a_full_disk_costs_lines_and_nothing_else);
	tcase_add_test(t, a_loss_is_told_once_a_second);
	tcase_add_test(t, a_full_pipe_is_waited_for);
	tcase_add_test(t, what_nobody_reads_is_dropped_in_whole_lines);
	tcase_add_test(t, a_reader_that_is_gone_costs_lines_only);
	tcase_add_test(t, a_torn_line_is_completed);
	tcase_add_test(t, much_should_not_wait);
	suite_add_tcase(s, t);
	return s;
}
