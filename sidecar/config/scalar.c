/* Scalars: what they look like, and reading them. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "config/scalar.h"

static size_t
digits(struct str s, size_t at)
{
	while (at < s.len && ascii_is_digit(s.ptr[at]))
		at++;
	return at;
}

/* [-+]? (digits [. digits*] | . digits) ([eE] [-+]? digits)? */
static bool
is_decimal(struct str s)
{
	size_t at = 0, from, fraction;

	if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
		at++;
	from = at;
	at = digits(s, at);
	fraction = at;
	if (at < s.len && s.ptr[at] == '.')
		at = digits(s, at + 1);
	if (at == from || (fraction == from && at == from + 1))
		return false;
	if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
		at++;
		if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+'))
			at++;
		from = at;
		at = digits(s, at);
		if (at == from)
			return false;
	}
	return at == s.len;
}

static bool
is_based(struct str s)
{
	size_t at = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
	bool is_hex;

	if (s.len < at + 3 || s.ptr[at] != '0')
		return false;
	is_hex = s.ptr[at + 1] == 'x' || s.ptr[at + 1] == 'X';
	if (!is_hex && s.ptr[at + 1] != 'o')
		return false;
	for (at += 2; at < s.len; at++)
		if (ascii_hex(s.ptr[at]) < 0 ||
		    (!is_hex && ascii_hex(s.ptr[at]) > 7))
			return false;
	return true;
}

static bool
is_special(struct str s)
{
	if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
		s = str_slice(s, 1, s.len);
	return str_eq_nocase(s, STR(".inf")) || str_eq_nocase(s, STR(".nan"));
}

/* What fits 64 bits in decimal or hexadecimal digits. */
static bool
is_integer(struct str s)
{
	size_t at = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;

	if (is_based(s))
		return s.ptr[at + 1] != 'o';
	return s.len > at && s.len - at < 19 && digits(s, at) == s.len;
}

enum scalar_kind
scalar_kind(struct str s)
{
	bool ignored;

	if (s.len == 0 || str_eq(s, STR("~")) || str_eq(s, STR("null")) ||
	    str_eq(s, STR("Null")) || str_eq(s, STR("NULL")))
		return SCALAR_NULL;
	if (scalar_to_bool(s, &ignored))
		return SCALAR_BOOL;
	if (is_integer(s))
		return SCALAR_INTEGER;
	return is_decimal(s) || is_based(s) || is_special(s) ? SCALAR_NUMBER
							     : SCALAR_TEXT;
}

/* lower, UPPER or Capitalised. */
static bool
is_word(struct str s, const char *word)
{
	bool upper = true, lower = true;

	if (!str_eq_nocase(s, str_of(word)))
		return false;
	for (size_t i = 1; i < s.len; i++) {
		if (s.ptr[i] == word[i])
			upper = false;
		else
			lower = false;
	}
	return lower || (upper && s.ptr[0] != word[0]);
}

bool
scalar_to_bool(struct str s, bool *out)
{
	static const char *const words[][2] = { { "false", "true" },
		{ "no", "yes" }, { "off", "on" }, { "n", "y" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (size_t value = 0; value < 2; value++)
			if (is_word(s, words[i][value])) {
				*out = value == 1;
				return true;
			}
	return false;
}

bool
scalar_to_double(struct str s, double *out)
{
	char text[64];
	double value;

	if (s.len >= sizeof(text) || !is_decimal(s))
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	value = strtod(text, NULL);
	if (!isfinite(value))
		return false;
	*out = value;
	return true;
}

bool
scalar_to_u64(struct str s, uint64_t *out)
{
	double value;

	if (s.len > 1 && s.ptr[0] == '0' && ascii_is_digit(s.ptr[1]))
		return false;
	if (str_to_u64(s, out))
		return true;
	if (!scalar_to_double(s, &value) || value < 0 ||
	    value > 9007199254740992.0 || (double)(uint64_t)value < value)
		return false;
	*out = (uint64_t)value;
	return true;
}

bool
scalar_to_i64(struct str s, int64_t *out)
{
	bool negative = s.len && s.ptr[0] == '-';
	uint64_t value, limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);

	if (!scalar_to_u64(negative ? str_slice(s, 1, s.len) : s, &value) ||
	    value > limit)
		return false;
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

/* digits [. 1 to 9 digits], times unit_ns. */
static bool
to_ns(struct str s, int64_t unit_ns, int64_t *ns)
{
	size_t dot = str_find_char(s, '.', 0);
	struct str fraction = str_slice(s, dot + 1, s.len);
	uint64_t whole, part = 0;
	int64_t value, rest;

	if (!str_to_u64(str_slice(s, 0, dot), &whole) || whole > INT64_MAX ||
	    __builtin_mul_overflow((int64_t)whole, unit_ns, &value))
		return false;
	if (dot == s.len) {
		*ns = value;
		return true;
	}
	if (fraction.len > 9 || !str_to_u64(fraction, &part))
		return false;
	for (size_t i = fraction.len; i < 9; i++)
		part *= 10;
	if (__builtin_mul_overflow((int64_t)part, unit_ns / NS_PER_MS, &rest) ||
	    __builtin_add_overflow(value, rest / 1000, &value))
		return false;
	*ns = value;
	return true;
}

bool
scalar_to_seconds(struct str s, int64_t *ns)
{
	return s.len > 1 && s.ptr[s.len - 1] == 's' &&
	       to_ns(str_slice(s, 0, s.len - 1), NS_PER_S, ns);
}

bool
scalar_to_duration(struct str s, int64_t *ns)
{
	if (str_ends(s, STR("ms")))
		return to_ns(str_slice(s, 0, s.len - 2), NS_PER_MS, ns);
	if (str_ends(s, STR("m")))
		return to_ns(str_slice(s, 0, s.len - 1), 60 * NS_PER_S, ns);
	if (str_ends(s, STR("h")))
		return to_ns(str_slice(s, 0, s.len - 1), 3600 * NS_PER_S, ns);
	return scalar_to_seconds(s, ns);
}

static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

bool
scalar_to_bytes(struct arena *arena, struct str s, struct str *out)
{
	char *bytes = arena_alloc(arena, s.len / 4 * 3 + 4);
	size_t n = 0, pads = 0;
	unsigned acc = 0;

	while (s.len && s.ptr[s.len - 1] == '=' && pads < 2) {
		s.len--;
		pads++;
	}
	if (s.len % 4 == 1 || (pads && (s.len + pads) % 4))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int v = sextet(s.ptr[i]);

		if (v < 0)
			return false;
		acc = (acc << 6 | (unsigned)v) & 0xffffff;
		if (i % 4)
			bytes[n++] = (char)(acc >> (6 - 2 * (i % 4)) & 0xff);
	}
	*out = (struct str){ bytes, n };
	return true;
}
