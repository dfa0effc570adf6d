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

enum err
buf_make_room(struct buf *b, size_t n)
{
	size_t len = buf_len(b), cap = b->cap ? b->cap : 512;
	char *bigger;

	if (n > b->max - len)
		return ERR_FULL;
	if (b->from) {
		memmove(b->ptr, b->ptr + b->from, len);
		b->from = 0;
		b->to = len;
		if (n <= b->cap - len)
			return ERR_OK;
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
	return ERR_OK;
}

void
buf_commit(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->to);
	b->to += n;
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
buf_truncate(struct buf *b, size_t n)
{
	assert(n <= buf_len(b));
	b->to -= n;
}

void
buf_clear(struct buf *b)
{
	b->from = b->to = 0;
}
