#include "config.h"

#include <sys/socket.h>

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "front/fastcgi.h"
#include "front/output.h"

enum { ID = 3, BODY = 300000 };

static struct output out;
static struct buf body, got;
static int fds[2];

static void
set_up(void)
{
	int small = 4096;

	buf_init(&body, BODY);
	buf_init(&got, 4 * BODY);
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(
	    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	    0);
}

static void
tear_down(void)
{
	output_free(&out);
	buf_free(&body);
	buf_free(&got);
	ck_assert_int_eq(close(fds[0]), 0);
	if (fds[1] >= 0)
		ck_assert_int_eq(close(fds[1]), 0);
}

static void
read_some(size_t n)
{
	char *at;
	ssize_t len;

	ck_assert_int_eq(buf_reserve(&got, n, &at), ERR_OK);
	len = read(fds[1], at, n);
	if (len > 0)
		buf_commit(&got, (size_t)len);
}

/* Sends to the end, the peer reading step bytes when it must. */
static void
send_all(enum output_end end, size_t step, struct buf *between)
{
	enum err err;

	while (
	    (err = output_send(&out, fds[0], &body, end, between)) == ERR_AGAIN)
		read_some(step);
	ck_assert_int_eq(err, ERR_OK);
	for (size_t before = SIZE_MAX; before != buf_len(&got);) {
		before = buf_len(&got);
		read_some(100000);
	}
}

static void
fill_body(size_t len)
{
	char *at;

	ck_assert_int_eq(buf_reserve(&body, len, &at), ERR_OK);
	for (size_t i = 0; i < len; i++)
		at[i] = (char)(i * 7 + i / 251);
	buf_commit(&body, len);
}

/* Cuts a record off *rest. */
static struct str
cut_record(struct str *rest, int *type)
{
	const unsigned char *h = (const unsigned char *)rest->ptr;
	size_t len;
	struct str content;

	ck_assert_uint_ge(rest->len, 8);
	ck_assert_int_eq(h[0], 1);
	*type = h[1];
	ck_assert_int_eq(h[2] << 8 | h[3], ID);
	len = (size_t)(h[4] << 8 | h[5]);
	ck_assert_uint_ge(rest->len, 8 + len + h[6]);
	content = str_slice(*rest, 8, 8 + len);
	*rest = str_slice(*rest, 8 + len + h[6], rest->len);
	return content;
}

/* Content of STDOUT up to its end; what follows is in *rest. */
static struct buf
unwrap(struct str *rest)
{
	struct buf all;
	struct str content;
	int type;

	buf_init(&all, 4 * BODY);
	do {
		content = cut_record(rest, &type);
		ck_assert_int_eq(type, FASTCGI_STDOUT);
		ck_assert_int_eq(buf_append(&all, content), ERR_OK);
	} while (content.len);
	return all;
}

static enum err
queue_head(struct str section)
{
	enum err err = buf_append(output_head(&out), section);

	return err ? err : output_head_end(&out);
}

START_TEST(a_small_answer_is_one_piece)
{
	output_init(&out, OUTPUT_RECORDS, ID);
	ck_assert_int_eq(queue_head(STR("Status: 200 OK\r\n\r\n")), ERR_OK);
	ck_assert_int_eq(buf_append(&body, STR("hi")), ERR_OK);
	ck_assert_int_eq(
	    output_send(&out, fds[0], &body, OUTPUT_COMPLETE, NULL), ERR_OK);
	read_some(1000);
	ck_assert(str_eq(buf_bytes(&got),
	    STR("\1\6\0\3\0\22\0\0Status: 200 OK\r\n\r\n"
		"\1\6\0\3\0\2\0\0hi"
		"\1\6\0\3\0\0\0\0\1\3\0\3\0\10\0\0\0\0\0\0\0\0\0\0")));
}
END_TEST

static const size_t sizes[] = { 0, 1, 65527, 65528, 65529, 131056, BODY };

START_TEST(bodies_of_every_size_arrive_whole_at_a_slow_reader)
{
	struct str rest, content;
	struct buf all, copy;
	int type;

	output_init(&out, OUTPUT_RECORDS, ID);
	ck_assert_int_eq(queue_head(STR("head")), ERR_OK);
	fill_body(sizes[_i]);
	buf_init(&copy, BODY);
	ck_assert_int_eq(buf_append(&copy, buf_bytes(&body)), ERR_OK);
	send_all(OUTPUT_COMPLETE, 777, NULL);
	rest = buf_bytes(&got);
	all = unwrap(&rest);
	ck_assert(str_starts(buf_bytes(&all), STR("head")));
	buf_consume(&all, 4);
	ck_assert(str_eq(buf_bytes(&all), buf_bytes(&copy)));
	content = cut_record(&rest, &type);
	ck_assert_int_eq(type, FASTCGI_END_REQUEST);
	ck_assert(str_eq(content, STR("\0\0\0\0\0\0\0\0")));
	ck_assert_uint_eq(rest.len, 0);
	buf_free(&all);
	buf_free(&copy);
}
END_TEST

static const size_t section_sizes[] = { 1, 1000, 65528, 65529, 131072 };

START_TEST(header_sections_of_every_size_arrive_whole)
{
	struct str rest;
	struct buf all, copy;

	output_init(&out, OUTPUT_RECORDS, ID);
	fill_body(section_sizes[_i]);
	buf_init(&copy, BODY);
	ck_assert_int_eq(buf_append(&copy, buf_bytes(&body)), ERR_OK);
	ck_assert_int_eq(queue_head(buf_bytes(&copy)), ERR_OK);
	buf_clear(&body);
	send_all(OUTPUT_COMPLETE, 999, NULL);
	rest = buf_bytes(&got);
	all = unwrap(&rest);
	ck_assert(str_eq(buf_bytes(&all), buf_bytes(&copy)));
	buf_free(&all);
	buf_free(&copy);
}
END_TEST

START_TEST(a_header_section_has_a_limit)
{
	output_init(&out, OUTPUT_RECORDS, ID);
	fill_body(131073);
	ck_assert_int_eq(queue_head(buf_bytes(&body)), ERR_FULL);
}
END_TEST

START_TEST(a_broken_answer_ends_with_a_record_that_is_none)
{
	struct str rest, content;
	int type;

	output_init(&out, OUTPUT_RECORDS, ID);
	fill_body(50000);
	send_all(OUTPUT_CUT, 999, NULL);
	rest = buf_bytes(&got);
	content = cut_record(&rest, &type);
	ck_assert_uint_eq(content.len, 50000);
	ck_assert(str_eq(rest, STR("\0\0\0\0\0\0\0\0")));
}
END_TEST

START_TEST(other_records_go_between_and_never_inside)
{
	struct buf between, all;
	struct str rest;
	int type;

	output_init(&out, OUTPUT_RECORDS, ID);
	fill_body(BODY);
	buf_init(&between, 100);
	ck_assert_int_eq(
	    output_send(&out, fds[0], &body, OUTPUT_OPEN, NULL), ERR_AGAIN);
	ck_assert_int_eq(
	    buf_append(&between, STR("\1\13\0\3\0\2\0\0ab")), ERR_OK);
	ck_assert_int_eq(
	    output_send(&out, fds[0], &body, OUTPUT_OPEN, &between), ERR_AGAIN);
	ck_assert_uint_gt(buf_len(&between), 0);
	send_all(OUTPUT_OPEN, 5000, NULL);
	send_all(OUTPUT_COMPLETE, 5000, &between);
	ck_assert_uint_eq(buf_len(&between), 0);
	rest = buf_bytes(&got);
	for (size_t seen = 0; seen < BODY;)
		seen += cut_record(&rest, &type).len;
	ck_assert(str_eq(cut_record(&rest, &type), STR("ab")));
	ck_assert_int_eq(type, FASTCGI_UNKNOWN_TYPE);
	all = unwrap(&rest);
	ck_assert_uint_eq(buf_len(&all), 0);
	buf_free(&all);
	buf_free(&between);
}
END_TEST

START_TEST(without_records_the_bytes_are_bare)
{
	output_init(&out, OUTPUT_BARE, 0);
	ck_assert_int_eq(queue_head(STR("head")), ERR_OK);
	fill_body(BODY);
	send_all(OUTPUT_COMPLETE, 3333, NULL);
	ck_assert(str_starts(buf_bytes(&got), STR("head")));
	ck_assert_uint_eq(buf_len(&got), BODY + 4);
}
END_TEST

START_TEST(a_peer_that_is_gone_is_noticed)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	ck_assert_int_eq(sigaction(SIGPIPE, &ignore, NULL), 0);
	output_init(&out, OUTPUT_RECORDS, ID);
	ck_assert_int_eq(close(fds[1]), 0);
	fds[1] = -1;
	fill_body(10);
	ck_assert_int_eq(
	    output_send(&out, fds[0], &body, OUTPUT_COMPLETE, NULL),
	    ERR_CLOSED);
}
END_TEST

Suite *suite_front_output(void);

Suite *
suite_front_output(void)
{
	Suite *s = suite_create("front/output");
	TCase *t = tcase_create("answers");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_small_answer_is_one_piece);
	tcase_add_test(t, a_header_section_has_a_limit);
	tcase_add_loop_test(t, header_sections_of_every_size_arrive_whole, 0,
	    (int)(sizeof(section_sizes) / sizeof(section_sizes[0])));
	tcase_add_loop_test(t,
	    bodies_of_every_size_arrive_whole_at_a_slow_reader, 0,
	    (int)(sizeof(sizes) / sizeof(sizes[0])));
	tcase_add_test(t, a_broken_answer_ends_with_a_record_that_is_none);
	tcase_add_test(t, other_records_go_between_and_never_inside);
	tcase_add_test(t, without_records_the_bytes_are_bare);
	tcase_add_test(t, a_peer_that_is_gone_is_noticed);
	suite_add_tcase(s, t);
	return s;
}
