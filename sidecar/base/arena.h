/*
 * Memory with one lifetime: everything allocated from an arena goes at once,
 * when the arena does. There are three kinds: of a configuration, of a
 * connection, of a request. Descriptors, handles and timers that live as
 * long hang a cleanup on it. Running out of memory ends the process; its
 * parent starts another.
 */
#ifndef SALLYPORT_BASE_ARENA_H
#define SALLYPORT_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/str.h"

struct arena;

/* Starts an empty arena; its first block holds about size bytes. */
struct arena *arena_new(size_t size);

/* Runs the cleanups, latest first, and frees everything. NULL is fine. */
void arena_free(struct arena *);

/* Zeroed memory, aligned for any type, never NULL. */
void *arena_alloc(struct arena *, size_t size)
    __attribute__((returns_nonnull, warn_unused_result));

/* Zeroed memory for n things of size bytes; a product that overflows aborts. */
void *arena_alloc_array(struct arena *, size_t n, size_t size)
    __attribute__((returns_nonnull, warn_unused_result));

/* A copy of s, NUL-terminated behind its length. Absent stays absent. */
struct str arena_str(struct arena *, struct str s);

/* The same with ASCII letters in lower case. */
struct str arena_lower(struct arena *, struct str s);

/* A NUL-terminated copy of s. */
char *arena_cstr(struct arena *, struct str s) __attribute__((returns_nonnull));

/* n pieces one after the other, NUL-terminated behind their length. */
struct str arena_join(struct arena *, const struct str *pieces, size_t n);

/* n in decimal digits. */
struct str arena_u64(struct arena *, uint64_t n);

/* Formatted text, NUL-terminated behind its length. */
struct str arena_printf(struct arena *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *, const char *format, va_list)
    __attribute__((format(printf, 2, 0)));

/* Has fn(ptr) called when the arena goes. */
void arena_cleanup(struct arena *, void (*fn)(void *), void *ptr);

/* Bytes taken from the system for this arena. */
size_t arena_size(const struct arena *);

/* ARENA_JOIN(arena, STR("a"), b, c) */
#define ARENA_JOIN(arena, ...)                                                 \
	arena_join((arena), (const struct str[]){ __VA_ARGS__ },               \
	    sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, n, type)                                            \
	((type *)arena_alloc_array((arena), (n), sizeof(type)))

#endif
