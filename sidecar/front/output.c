/*
 * One send: [queued bytes][body of one record][end]. What the socket does
 * not take of queued bytes and end stays in head, the body stays where it is.
 */
#include "config.h"

#include <sys/uio.h>

#include <errno.h>
#include <unistd.h>

#include "front/fastcgi.h"
#include "front/output.h"

enum {
	HEAD_MAX = 256 * 1024,
	HEAD_USUAL = 1024,
	SECTION_MAX = 128 * 1024,
	CUT_LEN = 8, /* a record header of version 0: every parser stops */
};

void
output_init(struct output *o, enum output_form form, uint16_t id)
{
	*o = (struct output){ .form = form, .id = id };
	buf_init(&o->head, HEAD_MAX);
}

void
output_free(struct output *o)
{
	buf_free(&o->head);
}

void
output_begin(struct output *o, uint16_t id)
{
	o->id = id;
	o->ended = false;
}

static enum err
queue_header(struct output *o, size_t len)
{
	unsigned char header[FASTCGI_HEADER_LEN];

	fastcgi_header(header, FASTCGI_STDOUT, o->id, len);
	return buf_append(
	    &o->head, (struct str){ (const char *)header, sizeof(header) });
}

struct buf *
output_head(struct output *o)
{
	char *at;

	if (buf_reserve(&o->head, HEAD_USUAL, &at))
		return NULL;
	if (o->form == OUTPUT_RECORDS)
		buf_commit(&o->head, FASTCGI_HEADER_LEN);
	o->section_at = buf_len(&o->head);
	return &o->head;
}

/* A section too long for one record is queued anew, in several. */
static enum err
split_section(struct output *o, size_t len)
{
	struct buf section;
	struct str rest, piece;
	enum err err;

	buf_init(&section, SECTION_MAX);
	rest = buf_bytes(&o->head);
	err = buf_append(&section, str_slice(rest, o->section_at, rest.len));
	buf_truncate(&o->head, len + FASTCGI_HEADER_LEN);
	rest = buf_bytes(&section);
	while (rest.len && !err) {
		piece = str_slice(rest, 0, FASTCGI_RECORD_MAX);
		rest = str_slice(rest, piece.len, rest.len);
		err = queue_header(o, piece.len);
		if (!err)
			err = buf_append(&o->head, piece);
	}
	buf_free(&section);
	return err;
}

enum err
output_head_end(struct output *o)
{
	size_t len = buf_len(&o->head) - o->section_at;
	unsigned char *record;

	if (len > SECTION_MAX)
		return ERR_FULL;
	if (o->form == OUTPUT_BARE)
		return ERR_OK;
	if (len > FASTCGI_RECORD_MAX)
		return split_section(o, len);
	record = (unsigned char *)o->head.ptr + o->head.from + o->section_at -
		 FASTCGI_HEADER_LEN;
	fastcgi_header(record, FASTCGI_STDOUT, o->id, len);
	return ERR_OK;
}

/* Opens the next record of body bytes if none is under way. */
static enum err
open_record(struct output *o, size_t len)
{
	if (o->record_left || len == 0)
		return ERR_OK;
	if (o->form == OUTPUT_BARE) {
		o->record_left = len;
		return ERR_OK;
	}
	if (len > FASTCGI_RECORD_MAX)
		len = FASTCGI_RECORD_MAX;
	o->record_left = len;
	return queue_header(o, len);
}

static size_t
end_bytes(const struct output *o, enum output_end end,
    unsigned char out[FASTCGI_END_LEN])
{
	if (o->form == OUTPUT_BARE || o->ended || end == OUTPUT_OPEN)
		return 0;
	if (end == OUTPUT_COMPLETE) {
		fastcgi_end(out, o->id);
		return FASTCGI_END_LEN;
	}
	memset(out, 0, CUT_LEN);
	return CUT_LEN;
}

static enum err
send_failure(void)
{
	return errno == EAGAIN ? ERR_AGAIN : ERR_CLOSED;
}

/* Takes n sent bytes off the front of head, body and tail. */
static enum err
account(struct output *o, size_t n, struct buf *body, struct str tail)
{
	size_t part = size_least(n, buf_len(&o->head));

	n -= part;
	buf_consume(&o->head, part);
	part = size_least(n, o->record_left);
	n -= part;
	o->record_left -= part;
	buf_consume(body, part);
	if (o->record_left == 0 && buf_is_empty(&o->head) && tail.len) {
		o->ended = true;
		return buf_append(&o->head, str_slice(tail, n, tail.len));
	}
	return ERR_OK;
}

static enum err
send_once(struct output *o, int fd, struct buf *body, enum output_end end)
{
	unsigned char last[FASTCGI_END_LEN];
	struct str tail = { (const char *)last, 0 };
	struct iovec vec[3];
	ssize_t n;

	if (open_record(o, buf_len(body)))
		return ERR_CLOSED;
	if (o->record_left == buf_len(body))
		tail.len = end_bytes(o, end, last);
	vec[0] = str_iovec(buf_bytes(&o->head));
	vec[1] = str_iovec(str_slice(buf_bytes(body), 0, o->record_left));
	vec[2] = str_iovec(tail);
	if (vec[0].iov_len + vec[1].iov_len + vec[2].iov_len == 0)
		return ERR_OK;
	do
		n = writev(fd, vec, 3);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return send_failure();
	return account(o, (size_t)n, body, tail) ? ERR_CLOSED : ERR_OK;
}

static bool
has_more(const struct output *o, const struct buf *body, enum output_end end)
{
	return !buf_is_empty(&o->head) || !buf_is_empty(body) ||
	       (end != OUTPUT_OPEN && !o->ended && o->form == OUTPUT_RECORDS);
}

enum err
output_send(struct output *o, int fd, struct buf *body, enum output_end end,
    struct buf *between)
{
	enum err err = ERR_OK;

	if (between && o->record_left == 0 && !o->ended) {
		err = buf_append(&o->head, buf_bytes(between));
		buf_clear(between);
	}
	while (!err && has_more(o, body, end))
		err = send_once(o, fd, body, end);
	return err;
}
