/* The record walk: header, content, padding, and what each may be when. */
#include "config.h"

#include <assert.h>

#include "front/fastcgi.h"

enum {
	BEGIN_LEN = 8,
	SMALL_MAX = 1024, /* content of a management record */
	REPLY_MAX = 4096,
	CANT_MPX_CONN = 1,
	UNKNOWN_ROLE = 3,
};

void
fastcgi_init(struct fastcgi *f)
{
	*f = (struct fastcgi){ .stage = FASTCGI_AT_REST };
	buf_init(&f->params, FASTCGI_PARAMS_MAX);
	buf_init(&f->reply, REPLY_MAX);
	buf_init(&f->small, SMALL_MAX);
}

void
fastcgi_free(struct fastcgi *f)
{
	buf_free(&f->params);
	buf_free(&f->reply);
	buf_free(&f->small);
}

void
fastcgi_header(unsigned char out[FASTCGI_HEADER_LEN], enum fastcgi_type type,
    uint16_t id, size_t content_len)
{
	assert(content_len <= UINT16_MAX);
	out[0] = 1;
	out[1] = (unsigned char)type;
	out[2] = (unsigned char)(id >> 8);
	out[3] = (unsigned char)id;
	out[4] = (unsigned char)(content_len >> 8);
	out[5] = (unsigned char)content_len;
	out[6] = 0;
	out[7] = 0;
}

void
fastcgi_end(unsigned char out[FASTCGI_END_LEN], uint16_t id)
{
	memset(out, 0, FASTCGI_END_LEN);
	fastcgi_header(out, FASTCGI_STDOUT, id, 0);
	fastcgi_header(out + FASTCGI_HEADER_LEN, FASTCGI_END_REQUEST, id, 8);
}

static bool
pair_length(struct str *rest, size_t *len)
{
	const unsigned char *p = (const unsigned char *)rest->ptr;
	size_t width = rest->len && p[0] & 0x80 ? 4 : 1;

	if (rest->len < width)
		return false;
	*len = width == 1 ? p[0]
			  : (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 |
				(size_t)p[2] << 8 | (size_t)p[3];
	*rest = str_slice(*rest, width, rest->len);
	return true;
}

bool
fastcgi_pair(struct str *rest, struct str *name, struct str *value)
{
	struct str s = *rest;
	size_t name_len, value_len;

	if (!pair_length(&s, &name_len) || !pair_length(&s, &value_len) ||
	    name_len > s.len || value_len > s.len - name_len)
		return false;
	*name = str_slice(s, 0, name_len);
	*value = str_slice(s, name_len, name_len + value_len);
	*rest = str_slice(s, name_len + value_len, s.len);
	return true;
}

static enum fastcgi_event
broken(struct fastcgi *f, const char *reason)
{
	f->reason = reason;
	return FASTCGI_BROKEN;
}

/* Queues a record of at most 255 bytes of content. */
static enum fastcgi_event
reply(struct fastcgi *f, enum fastcgi_type type, uint16_t id, struct str text)
{
	unsigned char header[FASTCGI_HEADER_LEN];

	fastcgi_header(header, type, id, text.len);
	if (buf_append(&f->reply,
		(struct str){ (const char *)header, sizeof(header) }) ||
	    buf_append(&f->reply, text))
		return broken(f, "too many records that ask for an answer");
	return FASTCGI_MORE;
}

static enum fastcgi_event
reply_end(struct fastcgi *f, uint16_t id, char protocol_status)
{
	char body[8] = { [4] = protocol_status };

	return reply(
	    f, FASTCGI_END_REQUEST, id, (struct str){ body, sizeof(body) });
}

static uint16_t
record_id(const struct fastcgi *f)
{
	return (uint16_t)(f->header[2] << 8 | f->header[3]);
}

static size_t
record_len(const struct fastcgi *f)
{
	return (size_t)(f->header[4] << 8 | f->header[5]);
}

static bool
is_request_active(const struct fastcgi *f)
{
	return f->stage != FASTCGI_AT_REST;
}

/* Every length inside the bytes present, no NUL, no "=" in a name. */
static enum fastcgi_event
check_params(struct fastcgi *f)
{
	struct str rest = buf_bytes(&f->params), name, value;
	size_t n = 0;

	if (f->oversized)
		return FASTCGI_REQUEST;
	while (rest.len) {
		if (!fastcgi_pair(&rest, &name, &value))
			return broken(f, "a parameter's length exceeds the "
					 "bytes that are there");
		if (str_find_char(name, '\0', 0) < name.len ||
		    str_find_char(name, '=', 0) < name.len ||
		    str_find_char(value, '\0', 0) < value.len)
			f->unsound = true;
		if (++n > FASTCGI_PARAMS_N_MAX)
			f->oversized = true;
	}
	return FASTCGI_REQUEST;
}

static enum fastcgi_event
judge_begin(struct fastcgi *f)
{
	if (record_id(f) == 0 || record_len(f) != BEGIN_LEN)
		return broken(f, "malformed BEGIN_REQUEST");
	if (is_request_active(f) && record_id(f) == f->id)
		return broken(f, "BEGIN_REQUEST in the middle of a request");
	return FASTCGI_MORE;
}

static enum fastcgi_event
judge_params(struct fastcgi *f)
{
	if (f->stage != FASTCGI_IN_PARAMS)
		return broken(f, "PARAMS after their end");
	if (record_len(f) > 0)
		return FASTCGI_MORE;
	f->stage = FASTCGI_IN_BODY;
	return check_params(f);
}

static enum fastcgi_event
judge_stdin(struct fastcgi *f)
{
	if (f->stage == FASTCGI_IN_PARAMS)
		return broken(f, "STDIN before the end of PARAMS");
	if (record_len(f) > 0)
		return f->stage == FASTCGI_IN_BODY
			   ? FASTCGI_MORE
			   : broken(f, "STDIN after its end");
	if (f->stage != FASTCGI_IN_BODY)
		return FASTCGI_MORE;
	f->stage = FASTCGI_COMPLETE;
	return FASTCGI_BODY_END;
}

/* A record of the request, or of one that is not (or no more) taken. */
static enum fastcgi_event
judge_application(struct fastcgi *f)
{
	if (!f->begun)
		return broken(f, "the first record is no BEGIN_REQUEST");
	if (!is_request_active(f) || record_id(f) != f->id)
		return FASTCGI_MORE;
	switch (f->header[1]) {
	case FASTCGI_PARAMS:
		return judge_params(f);
	case FASTCGI_STDIN:
		return judge_stdin(f);
	case FASTCGI_ABORT_REQUEST:
		return FASTCGI_ABORTED;
	default:
		return broken(f, "a record of a type that only we may send");
	}
}

/* Looks at a complete record header; its content comes next. */
static enum fastcgi_event
judge(struct fastcgi *f)
{
	if (f->header[0] != 1)
		return broken(f, "not FastCGI version 1");
	if (f->header[1] == FASTCGI_BEGIN_REQUEST)
		return judge_begin(f);
	if (record_id(f) != 0)
		return judge_application(f);
	if (f->header[1] >= FASTCGI_ABORT_REQUEST &&
	    f->header[1] <= FASTCGI_STDIN)
		return broken(f, "a record of request 0");
	if (record_len(f) > SMALL_MAX)
		return broken(f, "a management record is too long");
	return FASTCGI_MORE;
}

/* Answers each of the three known names at most once. */
static enum fastcgi_event
answer_values(struct fastcgi *f)
{
	static const struct {
		struct str name, value;
	} known[] = {
		{ STR_INIT("FCGI_MAX_CONNS"), STR_INIT("1024") },
		{ STR_INIT("FCGI_MAX_REQS"), STR_INIT("1024") },
		{ STR_INIT("FCGI_MPXS_CONNS"), STR_INIT("0") },
	};
	struct str rest = buf_bytes(&f->small), name, value;
	bool asked[3] = { false };
	char text[128], *at = text;

	while (rest.len) {
		if (!fastcgi_pair(&rest, &name, &value))
			return broken(f, "malformed GET_VALUES");
		for (size_t i = 0; i < 3; i++)
			asked[i] |= str_eq(name, known[i].name);
	}
	for (size_t i = 0; i < 3; i++) {
		if (!asked[i])
			continue;
		*at++ = (char)known[i].name.len;
		*at++ = (char)known[i].value.len;
		at = mempcpy(at, known[i].name.ptr, known[i].name.len);
		at = mempcpy(at, known[i].value.ptr, known[i].value.len);
	}
	return reply(f, FASTCGI_GET_VALUES_RESULT, 0,
	    (struct str){ text, (size_t)(at - text) });
}

static enum fastcgi_event
begin(struct fastcgi *f)
{
	const unsigned char *body =
	    (const unsigned char *)buf_bytes(&f->small).ptr;
	unsigned role = (unsigned)(body[0] << 8 | body[1]);

	f->begun = true;
	if (is_request_active(f))
		return reply_end(f, record_id(f), CANT_MPX_CONN);
	if (role != FASTCGI_RESPONDER)
		return reply_end(f, record_id(f), UNKNOWN_ROLE);
	f->stage = FASTCGI_IN_PARAMS;
	f->id = record_id(f);
	f->keep = body[2] & FASTCGI_KEEP_CONN;
	f->oversized = f->unsound = false;
	buf_clear(&f->params);
	return FASTCGI_MORE;
}

static bool
is_small(const struct fastcgi *f)
{
	return f->header[1] == FASTCGI_BEGIN_REQUEST || record_id(f) == 0;
}

/* The whole content of a small record is there. */
static enum fastcgi_event
obey(struct fastcgi *f)
{
	char type[8] = { (char)f->header[1] };
	enum fastcgi_event event;

	if (f->header[1] == FASTCGI_BEGIN_REQUEST)
		event = begin(f);
	else if (f->header[1] == FASTCGI_GET_VALUES)
		event = answer_values(f);
	else
		event = reply(f, FASTCGI_UNKNOWN_TYPE, 0,
		    (struct str){ type, sizeof(type) });
	buf_clear(&f->small);
	return event;
}

/* True when the header is complete. */
static bool
take_header(struct fastcgi *f, struct str *in)
{
	size_t n = FASTCGI_HEADER_LEN - f->header_len;

	if (n > in->len)
		n = in->len;
	if (n)
		memcpy(f->header + f->header_len, in->ptr, n);
	f->header_len += n;
	*in = str_slice(*in, n, in->len);
	return f->header_len == FASTCGI_HEADER_LEN;
}

/* Content for the request or for nobody; n bytes at the front of *in. */
static enum fastcgi_event
take_content(struct fastcgi *f, struct str *in, struct buf *body, size_t *max)
{
	size_t n = in->len < f->content_left ? in->len : f->content_left;
	bool is_ours = is_request_active(f) && record_id(f) == f->id;
	enum err err = ERR_OK;

	if (is_small(f)) {
		err = buf_append(&f->small, str_slice(*in, 0, n));
	} else if (is_ours && f->header[1] == FASTCGI_STDIN && body) {
		if (*max == 0)
			return FASTCGI_BODY_FULL;
		n = n < *max ? n : *max;
		*max -= n;
		err = buf_append(body, str_slice(*in, 0, n));
	} else if (is_ours && f->header[1] == FASTCGI_PARAMS && !f->oversized) {
		f->oversized =
		    buf_append(&f->params, str_slice(*in, 0, n)) != ERR_OK;
	}
	if (err)
		return broken(f, "no memory for a record");
	f->content_left -= n;
	*in = str_slice(*in, n, in->len);
	return f->content_left == 0 && is_small(f) ? obey(f) : FASTCGI_MORE;
}

static void
skip_padding(struct fastcgi *f, struct str *in)
{
	size_t n = in->len < f->padding_left ? in->len : f->padding_left;

	f->padding_left -= n;
	*in = str_slice(*in, n, in->len);
}

/* Whether the record would begin a request while one is being answered. */
static bool
is_early(const struct fastcgi *f)
{
	return f->stage == FASTCGI_COMPLETE &&
	       f->header[1] == FASTCGI_BEGIN_REQUEST && record_id(f) == f->id;
}

static enum fastcgi_event
begin_record(struct fastcgi *f)
{
	enum fastcgi_event event;

	if (is_early(f))
		return FASTCGI_NEXT;
	f->in_record = true;
	f->content_left = record_len(f);
	f->padding_left = f->header[6];
	event = judge(f);
	if (event == FASTCGI_MORE && f->content_left == 0 && is_small(f))
		return obey(f);
	return event;
}

enum fastcgi_event
fastcgi_feed(struct fastcgi *f, struct str *in, struct buf *body, size_t max)
{
	enum fastcgi_event event = FASTCGI_MORE;

	while (event == FASTCGI_MORE) {
		if (!f->in_record) {
			if (!take_header(f, in))
				return FASTCGI_MORE;
			event = begin_record(f);
		} else if (f->content_left) {
			if (in->len == 0)
				return FASTCGI_MORE;
			event = take_content(f, in, body, &max);
		} else {
			skip_padding(f, in);
			if (f->padding_left)
				return FASTCGI_MORE;
			f->in_record = false;
			f->header_len = 0;
		}
	}
	return event;
}

void
fastcgi_next(struct fastcgi *f)
{
	assert(f->stage == FASTCGI_COMPLETE);
	f->stage = FASTCGI_AT_REST;
}

bool
fastcgi_is_busy(const struct fastcgi *f)
{
	return is_request_active(f) || f->in_record || f->header_len > 0;
}
