/*
 * Arenas: a chain of blocks filled from the front, and a chain of cleanups.
 */
#include "config.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

struct block {
	struct block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) char bytes[];
};

struct cleanup {
	struct cleanup *next;
	void (*fn)(void *);
	void *ptr;
};

struct arena {
	struct block *blocks;
	struct cleanup *cleanups;
	size_t total;
	size_t step;
};

static void *
must(void *memory)
{
	if (!memory) {
		static const char text[] = "sallyport: out of memory\n";
		(void)!fwrite(text, 1, sizeof(text) - 1, stderr);
		abort();
	}
	return memory;
}

static struct block *
block_new(size_t size)
{
	struct block *b;

	if (size > SIZE_MAX - sizeof(*b))
		abort();
	b = must(malloc(sizeof(*b) + size));
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

struct arena *
arena_new(size_t size)
{
	struct arena *a;
	struct block *b = block_new(sizeof(*a) + size);

	b->used = (sizeof(*a) + alignof(max_align_t) - 1) &
		  ~(alignof(max_align_t) - 1);
	a = (void *)b->bytes;
	*a = (struct arena){
		.blocks = b, .total = sizeof(*b) + b->size, .step = size
	};
	return a;
}

void
arena_free(struct arena *a)
{
	struct block *b, *next;

	if (!a)
		return;
	for (struct cleanup *c = a->cleanups; c; c = c->next)
		c->fn(c->ptr);
	for (b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
}

/* Memory as it comes. */
static void *
take(struct arena *a, size_t size)
{
	struct block *b = a->blocks;
	size_t mask = alignof(max_align_t) - 1;
	void *out;

	if (size > SIZE_MAX / 2)
		abort();
	size = (size + mask) & ~mask;
	if (b->size < b->used || size > b->size - b->used) {
		b = block_new(size > a->step ? size : a->step);
		a->total += sizeof(*b) + b->size;
		b->next = a->blocks;
		a->blocks = b;
	}
	out = b->bytes + b->used;
	b->used += size;
	return out;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	return memset(take(a, size), 0, size);
}

void *
arena_alloc_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		abort();
	return arena_alloc(a, total);
}

char *
arena_cstr(struct arena *a, struct str s)
{
	char *copy = take(a, s.len + 1);

	if (s.len)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}

struct str
arena_str(struct arena *a, struct str s)
{
	return s.ptr ? (struct str){ arena_cstr(a, s), s.len } : STR_NONE;
}

struct str
arena_join(struct arena *a, const struct str *pieces, size_t n)
{
	size_t len = 0;
	char *text, *at;

	for (size_t i = 0; i < n; i++)
		len += pieces[i].len;
	text = at = take(a, len + 1);
	for (size_t i = 0; i < n; i++)
		if (pieces[i].len)
			at = mempcpy(at, pieces[i].ptr, pieces[i].len);
	*at = '\0';
	return (struct str){ text, len };
}

struct str
arena_u64(struct arena *a, uint64_t n)
{
	char room[STR_U64_MAX];

	return arena_str(a, str_from_u64(room, n));
}

struct str
arena_lower(struct arena *a, struct str s)
{
	char *copy = arena_cstr(a, s);

	for (size_t i = 0; i < s.len; i++)
		copy[i] = ascii_lower(copy[i]);
	return (struct str){ copy, s.len };
}

struct str
arena_vprintf(struct arena *a, const char *format, va_list args)
{
	char brief[256];
	va_list again;
	int len;
	char *text;

	va_copy(again, args);
	len = vsnprintf(brief, sizeof(brief), format, again);
	va_end(again);
	if (len < 0)
		abort();
	if ((size_t)len < sizeof(brief))
		return arena_str(a, (struct str){ brief, (size_t)len });
	text = arena_alloc(a, (size_t)len + 1);
	(void)vsnprintf(text, (size_t)len + 1, format, args);
	return (struct str){ text, (size_t)len };
}

struct str
arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	struct str out;

	va_start(args, format);
	out = arena_vprintf(a, format, args);
	va_end(args);
	return out;
}

void
arena_cleanup(struct arena *a, void (*fn)(void *), void *ptr)
{
	struct cleanup *c = ARENA_NEW(a, struct cleanup);

	*c = (struct cleanup){ a->cleanups, fn, ptr };
	a->cleanups = c;
}

size_t
arena_size(const struct arena *a)
{
	return a->total;
}
