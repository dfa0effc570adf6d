/* JSON from arbitrary bytes, in Envoy's spelling. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

/* ---- strings ---- */

/* What cannot stand in a JSON string as it is, or may be no UTF-8. */
static bool
is_special(unsigned char c)
{
	return c < ' ' || c == '"' || c == '\\' || c >= 0x80;
}

/* Whether any of eight bytes is special; a zero byte borrows from above. */
static bool
has_special(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101U, tops = 0x80 * ones;
	uint64_t quote = word ^ '"' * ones, slash = word ^ '\\' * ones;

	return ((word - ' ' * ones) | (quote - ones) | (slash - ones) | word) &
	       tops;
}

/* The same for any number of bytes. */
static bool
holds_special(const unsigned char *p, size_t n)
{
	uint64_t word;
	size_t i = 0;

	for (; i + sizeof(word) <= n; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		if (has_special(word))
			return true;
	}
	while (i < n && !is_special(p[i]))
		i++;
	return i < n;
}

/* Length of the well-formed UTF-8 sequence at p (Unicode table 3-7), or 0. */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (n < len)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static bool
is_utf8(const unsigned char *p, size_t n)
{
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		len = utf8_len(p + i, n - i);
		if (!len)
			return false;
	}
	return true;
}

/* The letter of "\n" and the like, or 0. */
static char
short_form(unsigned char c)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; i + 1 < sizeof(shorts); i += 2)
		if ((unsigned char)shorts[i] == c)
			return shorts[i + 1];
	return 0;
}

static char *
put_escape(char *at, unsigned char c, char letter)
{
	static const char hex[] = "0123456789abcdef";

	*at++ = '\\';
	if (letter) {
		*at++ = letter;
		return at;
	}
	at = mempcpy(at, "u00", 3);
	*at++ = hex[c >> 4];
	*at++ = hex[c & 15];
	return at;
}

/* No short form is used in a text that is no UTF-8. */
static size_t
escaped_len(const unsigned char *p, size_t n, bool utf8)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_special(p[i]) || (utf8 && p[i] >= 0x80))
			len++;
		else
			len += utf8 && short_form(p[i]) ? 2 : 6;
	}
	return len;
}

static enum err
append_escaped(struct buf *b, const unsigned char *p, size_t n)
{
	bool utf8 = is_utf8(p, n);
	size_t len = escaped_len(p, n, utf8);
	char *at;
	enum err err = buf_reserve(b, len, &at);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		if (!is_special(p[i]) || (utf8 && p[i] >= 0x80))
			*at++ = (char)p[i];
		else
			at = put_escape(at, p[i], utf8 ? short_form(p[i]) : 0);
	buf_commit(b, len);
	return ERR_OK;
}

enum err
json_append_text(struct buf *b, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;

	return holds_special(p, s.len) ? append_escaped(b, p, s.len)
				       : buf_append(b, s);
}

enum err
json_append_string(struct buf *b, struct str s)
{
	enum err err = buf_append_byte(b, '"');

	if (!err)
		err = json_append_text(b, s);
	return err ? err : buf_append_byte(b, '"');
}

/* ---- numbers ---- */

/* The digits of a number, without the point, and its decimal exponent. */
struct decimal {
	char digits[24];
	int n, exponent;
};

static void
to_decimal(double value, struct decimal *d)
{
	char text[40];

	for (int precision = 0; precision < 17; precision++) {
		(void)snprintf(text, sizeof(text), "%.*e", precision, value);
		if (strtod(text, NULL) == value) /* NOLINT: exactly the same */
			break;
	}
	d->n = 0;
	for (const char *at = text; *at != 'e'; at++)
		if (ascii_is_digit(*at) && d->n < (int)sizeof(d->digits))
			d->digits[d->n++] = *at;
	d->exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
}

/* How many characters the number has as "12300" or "0.00123". */
static int
fixed_len(const struct decimal *d)
{
	if (d->exponent < 0)
		return 1 - d->exponent + d->n;
	return d->exponent + 1 >= d->n ? d->exponent + 1 : d->n + 1;
}

/* And as "1.23e+04". */
static int
scientific_len(const struct decimal *d)
{
	int exponent = abs(d->exponent) >= 100 ? 3 : 2;

	return d->n + (d->n > 1) + 2 + exponent;
}

enum err
json_append_number(struct buf *b, double value)
{
	struct decimal d;

	if (!isfinite(value))
		return buf_append(b, STR("null"));
	if (value == 0)
		return buf_append(b, signbit(value) ? STR("-0") : STR("0"));
	to_decimal(fabs(value), &d);
	if (scientific_len(&d) < fixed_len(&d))
		return buf_printf(b, "%.*e", d.n - 1, value);
	return buf_printf(
	    b, "%.*f", d.n - 1 > d.exponent ? d.n - 1 - d.exponent : 0, value);
}
