/* Bounded byte buffers. */
#include "config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_free(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){ .max = b->max };
}

struct str
buf_bytes(const struct buf *b)
{
	return (struct str){ b->ptr ? b->ptr + b->from : "", b->to - b->from };
}

size_t
buf_len(const struct buf *b)
{
	return b->to - b->from;
}

size_t
buf_room(const struct buf *b)
{
	return b->max - buf_len(b);
}

bool
buf_is_empty(const struct buf *b)
{
	return b->to == b->from;
}

enum err
buf_reserve(struct buf *b, size_t n, char **at)
{
	size_t len = buf_len(b), cap = b->cap ? b->cap : 512;
	char *bigger;

	if (n > b->max - len)
		return ERR_FULL;
	if (n <= b->cap - b->to && b->ptr)
		goto out;
	if (b->from) {
		memmove(b->ptr, b->ptr + b->from, len);
		b->from = 0;
		b->to = len;
		if (n <= b->cap - len)
			goto out;
	}
	while (cap < len + n)
		cap *= 2;
	if (cap > b->max)
		cap = b->max > len + n ? b->max : len + n;
	bigger = realloc(b->ptr, cap);
	if (!bigger)
		return ERR_FULL;
	b->ptr = bigger;
	b->cap = cap;
out:
	*at = b->ptr + b->to;
	return ERR_OK;
}

void
buf_commit(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->to);
	b->to += n;
}

enum err
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
	buf_commit(b, bytes.len);
	return ERR_OK;
}

enum err
buf_append_byte(struct buf *b, char byte)
{
	return buf_append(b, (struct str){ &byte, 1 });
}

enum err
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int len;
	char *at;
	enum err err;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return ERR_BAD;
	err = buf_reserve(b, (size_t)len + 1, &at);
	if (err)
		return err;
	va_start(args, format);
	(void)vsnprintf(at, (size_t)len + 1, format, args);
	va_end(args);
	buf_commit(b, (size_t)len);
	return ERR_OK;
}

void
buf_consume(struct buf *b, size_t n)
{
	assert(n <= buf_len(b));
	b->from += n;
	if (b->from == b->to)
		buf_clear(b);
}

void
buf_clear(struct buf *b)
{
	b->from = b->to = 0;
}

void
buf_cut(struct buf *b, size_t n)
{
	assert(n <= buf_len(b));
	b->to -= n;
}
