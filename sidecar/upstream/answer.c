/* Reads responses. Nothing is kept of a head that comes in one piece. */
#include "config.h"

#include "upstream/answer.h"
#include "upstream/head.h"

enum {
	SIZE_DIGITS = 15, /* of a chunk's size: less than 2^60 */
	LINE_MAX_BYTES = 8 * 1024, /* of a size line with its extensions */
};

void
answer_begin(struct answer *a, struct headers *fields, size_t max_fields,
    size_t max_head, bool request_is_head)
{
	*a = (struct answer){ .fields = fields,
		.max_fields = max_fields,
		.is_bodyless = request_is_head };
	buf_init(&a->head, max_head);
}

void
answer_free(struct answer *a)
{
	buf_free(&a->head);
}

static enum answer_event
broken(struct answer *a, const char *reason)
{
	a->reason = reason;
	if (a->stage == ANSWER_IN_HEAD)
		a->fields->n = 0;
	return ANSWER_BROKEN;
}

static enum answer_event
too_large(struct answer *a, const char *reason)
{
	(void)broken(a, reason);
	return ANSWER_TOO_LARGE;
}

static enum answer_event
complete(struct answer *a)
{
	a->stage = ANSWER_COMPLETE;
	return ANSWER_END;
}

/* ---- the head ---- */

static bool
has_token(const struct headers *h, struct str name, struct str token)
{
	struct str list;

	for (size_t i = 0; (list = headers_nth(h, name, i)).ptr; i++)
		while (list.ptr)
			if (str_eq_nocase(
				str_trim(str_split(&list, ',')), token))
				return true;
	return false;
}

/* RFC 9112 section 9.3, and section 6.1 of chunks in HTTP/1.0 */
static bool
persists(const struct headers *h, bool is_old)
{
	if (has_token(h, STR("connection"), STR("close")))
		return false;
	if (!is_old)
		return true;
	return has_token(h, STR("connection"), STR("keep-alive")) &&
	       !headers_get(h, STR("transfer-encoding")).ptr;
}

/* How the body is framed (RFC 9112 section 6.3); head_parse has checked. */
static enum answer_event
begin_body(struct answer *a)
{
	struct str length = headers_get(a->fields, STR("content-length"));

	a->left = 0;
	if (a->is_bodyless || a->status == 204 || a->status == 304) {
		a->stage = ANSWER_COMPLETE;
	} else if (headers_get(a->fields, STR("transfer-encoding")).ptr) {
		a->stage = ANSWER_IN_SIZE;
		a->line = a->digits = 0;
	} else if (str_to_u64(length, &a->left)) {
		a->stage = a->left ? ANSWER_IN_BODY : ANSWER_COMPLETE;
	} else {
		a->stage = ANSWER_UNTIL_CLOSE;
		a->keeps = false;
	}
	return ANSWER_HEAD;
}

static enum answer_event
take_section(struct answer *a, struct str raw)
{
	unsigned status = head_status(raw);
	enum err err;

	a->status = status;
	if (status >= 100 && status < 200 && status != 101)
		return ANSWER_INTERIM;
	err = head_parse(raw, a->max_fields, a->fields, &a->reason);
	if (err == ERR_FULL)
		return too_large(a, "too many header fields");
	if (err)
		return broken(a, a->reason);
	if (status == 101)
		return broken(a, "an upgrade nobody asked for");
	a->keeps = persists(a->fields, raw.ptr[7] == '0');
	return begin_body(a);
}

/* Length of the section up to its empty line, looked for from there; or 0. */
static size_t
section_len(struct str bytes, size_t from)
{
	size_t at = from;

	while ((at = str_find_char(bytes, '\n', at)) < bytes.len) {
		at++;
		if (at < bytes.len && bytes.ptr[at] == '\n')
			return at + 1;
		if (at + 1 < bytes.len && bytes.ptr[at] == '\r' &&
		    bytes.ptr[at + 1] == '\n')
			return at + 2;
	}
	return 0;
}

static bool
may_be_http(struct str bytes)
{
	struct str start = STR("HTTP/1.");

	return str_starts(start, str_slice(bytes, 0, start.len));
}

static enum answer_event
over_limit(struct answer *a)
{
	return too_large(a, "a header section that is too large");
}

/* Adds what comes to the pieces of the section that are there. */
static enum answer_event
take_piece(struct answer *a, struct str *in)
{
	size_t had = buf_len(&a->head), len;
	struct str piece = str_slice(*in, 0, buf_room(&a->head)), all;
	enum answer_event event = ANSWER_MORE;

	if (!piece.len || buf_append(&a->head, piece))
		return over_limit(a);
	all = buf_bytes(&a->head);
	if (!may_be_http(all))
		return broken(a, "Received HTTP/0.9 when not allowed");
	/* The empty line may have begun in the last three bytes. */
	len = section_len(all, had > 3 ? had - 3 : 0);
	if (len) {
		event = take_section(a, str_slice(all, 0, len));
		buf_free(&a->head);
		piece.len = len - had;
	}
	*in = str_slice(*in, piece.len, in->len);
	return event;
}

static enum answer_event
take_head(struct answer *a, struct str *in)
{
	struct str raw;

	if (!buf_is_empty(&a->head))
		return take_piece(a, in);
	raw = str_slice(*in, 0, section_len(*in, 0));
	if (!raw.len || !may_be_http(raw))
		return take_piece(a, in);
	if (raw.len > a->head.max)
		return over_limit(a);
	*in = str_slice(*in, raw.len, in->len);
	return take_section(a, raw);
}

/* ---- the body ---- */

static enum answer_event
take_bytes(struct answer *a, struct str *in, struct buf *body)
{
	bool is_counted = a->stage != ANSWER_UNTIL_CLOSE;
	size_t n = in->len, room = buf_room(body);

	if (is_counted && n > a->left)
		n = (size_t)a->left;
	if (n > room)
		n = room;
	if (n == 0)
		return ANSWER_FULL;
	if (buf_append(body, str_slice(*in, 0, n)))
		return broken(a, "out of memory");
	*in = str_slice(*in, n, in->len);
	if (!is_counted || (a->left -= n))
		return ANSWER_MORE;
	if (a->stage == ANSWER_IN_BODY)
		return complete(a);
	a->stage = ANSWER_BEHIND_CHUNK;
	return ANSWER_MORE;
}

static enum answer_event
bad_chunk(struct answer *a)
{
	return broken(
	    a, "Illegal or missing hexadecimal sequence in chunked-encoding");
}

/* Behind the digits and blanks there is an extension or the line's end. */
static bool
may_follow_size(const struct answer *a, char c)
{
	if (a->line_has_cr)
		return c == '\n';
	return a->digits && (a->line > a->digits + 1 || c == ';' || c == ' ' ||
				c == '\t' || c == '\r' || c == '\n');
}

/* A size in hexadecimal, extensions, and the line's end. */
static enum answer_event
take_size(struct answer *a, char c)
{
	int digit = ascii_hex(c);

	if (++a->line > LINE_MAX_BYTES)
		return bad_chunk(a);
	if (digit >= 0 && a->line == a->digits + 1) {
		if (++a->digits > SIZE_DIGITS)
			return bad_chunk(a);
		a->left = a->left << 4 | (unsigned)digit;
		return ANSWER_MORE;
	}
	if (!may_follow_size(a, c))
		return bad_chunk(a);
	a->line_has_cr = c == '\r';
	if (c != '\n')
		return ANSWER_MORE;
	a->line = a->digits = 0;
	a->line_is_blank = true;
	a->stage = a->left ? ANSWER_IN_CHUNK : ANSWER_IN_TRAILERS;
	return ANSWER_MORE;
}

static enum answer_event
take_chunk_end(struct answer *a, char c)
{
	if (c == '\r' && a->line++ == 0)
		return ANSWER_MORE;
	if (c != '\n')
		return bad_chunk(a);
	a->line = 0;
	a->stage = ANSWER_IN_SIZE;
	return ANSWER_MORE;
}

static enum answer_event
take_trailer(struct answer *a, char c)
{
	if (++a->line > a->head.max)
		return broken(a, "trailers that are too large");
	if (c == '\n' && a->line_is_blank)
		return complete(a);
	a->line_is_blank = c == '\n' || (c == '\r' && a->line_is_blank);
	return ANSWER_MORE;
}

static enum answer_event
take_byte(struct answer *a, struct str *in)
{
	char c = *in->ptr;

	*in = str_slice(*in, 1, in->len);
	if (a->stage == ANSWER_IN_SIZE)
		return take_size(a, c);
	if (a->stage == ANSWER_BEHIND_CHUNK)
		return take_chunk_end(a, c);
	return take_trailer(a, c);
}

static enum answer_event
take_some(struct answer *a, struct str *in, struct buf *body)
{
	switch (a->stage) {
	case ANSWER_IN_HEAD:
		return take_head(a, in);
	case ANSWER_IN_BODY:
	case ANSWER_UNTIL_CLOSE:
	case ANSWER_IN_CHUNK:
		return take_bytes(a, in, body);
	case ANSWER_IN_SIZE:
	case ANSWER_BEHIND_CHUNK:
	case ANSWER_IN_TRAILERS:
		return take_byte(a, in);
	case ANSWER_COMPLETE:
		break;
	}
	return ANSWER_END;
}

enum answer_event
answer_feed(struct answer *a, struct str *in, struct buf *body)
{
	enum answer_event event = ANSWER_MORE;
	enum answer_stage stage;
	size_t len;

	if (a->stage == ANSWER_COMPLETE)
		return ANSWER_END;
	while (event == ANSWER_MORE && in->len) {
		stage = a->stage;
		len = in->len;
		event = take_some(a, in, body);
		if (stage == ANSWER_IN_HEAD)
			a->head_size += len - in->len;
		else
			a->body_size += len - in->len;
	}
	return event;
}

bool
answer_has_begun(const struct answer *a)
{
	return a->head_size > 0;
}

enum answer_event
answer_close(struct answer *a)
{
	a->keeps = false;
	switch (a->stage) {
	case ANSWER_IN_HEAD:
		return broken(a, answer_has_begun(a)
				     ? "closed within the header section"
				     : "Empty reply from server");
	case ANSWER_IN_BODY:
		return broken(
		    a, "transfer closed with bytes remaining to read");
	case ANSWER_IN_SIZE:
	case ANSWER_IN_CHUNK:
	case ANSWER_BEHIND_CHUNK:
	case ANSWER_IN_TRAILERS:
		return broken(
		    a, "transfer closed with outstanding read data remaining");
	case ANSWER_UNTIL_CLOSE:
	case ANSWER_COMPLETE:
		break;
	}
	return complete(a);
}
