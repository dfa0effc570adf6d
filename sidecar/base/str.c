/*
 * Text as pointer and length: comparing, searching, cutting. Nothing here
 * allocates, and nothing depends on the locale.
 */
#include "config.h"

#include "base/str.h"

struct str
str_of(const char *text)
{
	return text ? (struct str){ text, strlen(text) } : STR_NONE;
}

int
ascii_hex(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct iovec
str_iovec(struct str s)
{
	union {
		const char *constant;
		void *base;
	} u = { s.ptr };

	return (struct iovec){ u.base, s.len };
}

int
str_percent(struct str s, size_t i)
{
	int high, low;

	if (i + 2 >= s.len || s.ptr[i] != '%')
		return -1;
	high = ascii_hex(s.ptr[i + 1]);
	low = ascii_hex(s.ptr[i + 2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool
str_starts_nocase(struct str s, struct str prefix)
{
	if (s.len < prefix.len)
		return false;
	for (size_t i = 0; i < prefix.len; i++)
		if (ascii_lower(s.ptr[i]) != ascii_lower(prefix.ptr[i]))
			return false;
	return true;
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	       str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

	if (order)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

/* Whether one of eight bytes is below blank: the subtraction borrows there. */
static bool
has_control(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101U, tops = 0x80 * ones;

	return (word - ' ' * ones) & ~word & tops;
}

size_t
str_find_control(struct str s, size_t from)
{
	uint64_t word;

	for (; from + sizeof(word) <= s.len; from += sizeof(word)) {
		memcpy(&word, s.ptr + from, sizeof(word));
		if (has_control(word))
			break;
	}
	while (from < s.len && (unsigned char)s.ptr[from] >= ' ')
		from++;
	return from < s.len ? from : s.len;
}

size_t
str_find(struct str s, struct str needle, size_t from)
{
	const char *at;

	if (from > s.len || needle.len > s.len - from)
		return s.len;
	if (needle.len == 0)
		return from;
	at = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
	return at ? (size_t)(at - s.ptr) : s.len;
}

struct str
str_trim(struct str s)
{
	while (s.len && (*s.ptr == ' ' || *s.ptr == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

struct str
str_split(struct str *rest, char sep)
{
	size_t at = str_find_char(*rest, sep, 0);
	struct str piece = str_slice(*rest, 0, at);

	*rest = at < rest->len ? str_slice(*rest, at + 1, rest->len) : STR_NONE;
	return piece;
}

bool
str_to_u64(struct str s, uint64_t *out)
{
	uint64_t value = 0;

	if (s.len == 0 || s.len > 20)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_is_digit(s.ptr[i]) ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(
			value, (uint64_t)(s.ptr[i] - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}

struct str
str_from_u64(char room[STR_U64_MAX], uint64_t n)
{
	size_t at = STR_U64_MAX;

	do
		room[--at] = (char)('0' + n % 10);
	while (n /= 10);
	return (struct str){ room + at, STR_U64_MAX - at };
}
