/*
 * Bytes whose number a peer decides. No buf exists without a maximum:
 * appending beyond it fails with ERR_FULL and changes nothing. Bytes are
 * added at the end and consumed from the front.
 */
#ifndef SALLYPORT_BASE_BUF_H
#define SALLYPORT_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

struct buf {
	char *ptr; /* the whole allocation, or NULL */
	size_t from; /* offset of the first unread byte */
	size_t to; /* offset behind the last byte */
	size_t cap;
	size_t max; /* bytes it may hold at once */
};

/* Empty, for at most max bytes; buf_free gives back what it has allocated. */
void buf_init(struct buf *, size_t max);
void buf_free(struct buf *);

static inline size_t
buf_len(const struct buf *b)
{
	return b->to - b->from;
}

/* The unread bytes; valid until the next call that changes the buf. */
static inline struct str
buf_bytes(const struct buf *b)
{
	return (struct str){ b->ptr ? b->ptr + b->from : "", buf_len(b) };
}

/* How many more bytes may be appended. */
static inline size_t
buf_room(const struct buf *b)
{
	return b->max - buf_len(b);
}

static inline bool
buf_is_empty(const struct buf *b)
{
	return b->to == b->from;
}

/*
 * Makes room for n bytes behind the end and points *at there; what was
 * written is added with buf_commit. Fails with ERR_FULL.
 */
static inline enum err buf_reserve(struct buf *, size_t n, char **at) CHECKED;
void buf_commit(struct buf *, size_t n);

static inline enum err buf_append(struct buf *, struct str bytes) CHECKED;
static inline enum err buf_append_byte(struct buf *, char byte) CHECKED;
enum err buf_printf(struct buf *, const char *format, ...) CHECKED
    __attribute__((format(printf, 2, 3)));

/* Drops n bytes from the front. */
void buf_consume(struct buf *, size_t n);
/* Drops n bytes from the end. */
void buf_truncate(struct buf *, size_t n);
void buf_clear(struct buf *);

/* ---- what is inline ---- */

/* Moves the bytes, or has more memory, so that n more fit; or ERR_FULL. */
enum err buf_make_room(struct buf *, size_t n) CHECKED;

static inline enum err
buf_reserve(struct buf *b, size_t n, char **at)
{
	enum err err = ERR_OK;

	if (!b->ptr || n > b->cap - b->to || n > buf_room(b))
		err = buf_make_room(b, n);
	if (!err)
		*at = b->ptr + b->to;
	return err;
}

static inline enum err
buf_append(struct buf *b, struct str bytes)
{
	char *at;
	enum err err;

	if (bytes.len == 0)
		return ERR_OK;
	err = buf_reserve(b, bytes.len, &at);
	if (err)
		return err;
	memcpy(at, bytes.ptr, bytes.len);
	b->to += bytes.len;
	return ERR_OK;
}

static inline enum err
buf_append_byte(struct buf *b, char byte)
{
	char *at;
	enum err err = buf_reserve(b, 1, &at);

	if (err)
		return err;
	*at = byte;
	b->to++;
	return ERR_OK;
}

#endif
