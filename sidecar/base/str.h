/*
 * Text as pointer and length. A str never owns its bytes: whoever hands one
 * out says how long they live. A str with a NULL pointer means "absent";
 * one with a length of 0 and a pointer means "present and empty".
 */
#ifndef SALLYPORT_BASE_STR_H
#define SALLYPORT_BASE_STR_H

#include <sys/uio.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *ptr;
	size_t len;
};

/* A str of a string literal. */
#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
/* The same for static initialisers. */
#define STR_INIT(literal)                                                      \
	{                                                                      \
		"" literal, sizeof(literal) - 1                                \
	}
#define STR_NONE ((struct str){ NULL, 0 })

/* For printf: the format piece and its two arguments. */
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr

/* The bytes of a NUL-terminated string; absent for NULL. */
struct str str_of(const char *text);

/* Whether the bytes are the same. Absent equals only absent or empty. */
static inline bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

/* Whether s begins with prefix; everything begins with an empty one. */
static inline bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       (prefix.len == 0 || !memcmp(s.ptr, prefix.ptr, prefix.len));
}

/* The same, ASCII letters compared without case. */
bool str_starts_nocase(struct str s, struct str prefix);

/* The same bytes, ASCII letters compared without case. */
static inline bool
str_eq_nocase(struct str a, struct str b)
{
	return a.len == b.len && str_starts_nocase(a, b);
}

/* Whether s ends with suffix. */
bool str_ends(struct str s, struct str suffix);

/* Byte order comparison, shorter first when one begins the other. */
int str_cmp(struct str a, struct str b);

/* Offset of the first occurrence at or after from, or s.len if none. */
static inline size_t
str_find_char(struct str s, char c, size_t from)
{
	const void *at =
	    from < s.len ? memchr(s.ptr + from, c, s.len - from) : NULL;

	return at ? (size_t)((const char *)at - s.ptr) : s.len;
}

/* Offset of the first control character below blank, in the same way. */
size_t str_find_control(struct str s, size_t from);

/* Offset of the first needle at or after from, or s.len if there is none. */
size_t str_find(struct str s, struct str needle, size_t from);

/* The part from offset from up to to (both cut to the length of s). */
static inline struct str
str_slice(struct str s, size_t from, size_t to)
{
	if (to > s.len)
		to = s.len;
	if (from > to)
		from = to;
	return (struct str){ s.ptr ? s.ptr + from : NULL, to - from };
}

/* s without leading and trailing blanks and tabs. */
struct str str_trim(struct str s);

/*
 * Cuts the next piece up to sep off *rest and returns it; *rest moves behind
 * the separator and becomes absent after the last piece.
 */
struct str str_split(struct str *rest, char sep);

/*
 * Reads all of s as a decimal number. Returns false, leaving *out alone, for
 * anything but 1 to 20 digits that fit.
 */
bool str_to_u64(struct str s, uint64_t *out);

/* n in decimal digits, written into room. */
enum { STR_U64_MAX = 20 };
struct str str_from_u64(char room[STR_U64_MAX], uint64_t n);

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool
ascii_is_alpha(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Value of a hexadecimal digit, or -1. */
int ascii_hex(char c);

/* For writev and sendmsg, which do not change it. */
struct iovec str_iovec(struct str s);

static inline size_t
size_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The byte that "%XX" at offset i of s stands for, or -1 if there is none. */
int str_percent(struct str s, size_t i);

#endif
