/* A recursive descent that keeps nothing. */
#include "config.h"

#include "config/json.h"

struct reader {
	struct str text;
	size_t at;
	unsigned depth; /* levels that are left */
	const char *why;
};

static bool read_value(struct reader *);

static bool
fail(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

/* The byte at hand, or 0 at the end and for a NUL. */
static char
peek(const struct reader *r)
{
	return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static void
skip_blanks(struct reader *r)
{
	char c = peek(r);

	while (c && strchr(" \t\r\n", c)) {
		r->at++;
		c = peek(r);
	}
}

static bool
take(struct reader *r, char c)
{
	skip_blanks(r);
	if (peek(r) != c)
		return false;
	r->at++;
	return true;
}

static bool
read_escape(struct reader *r)
{
	char c = peek(r);

	if (!c || !strchr("\"\\/bfnrtu", c))
		return fail(r, "no such escape");
	r->at++;
	for (int i = 0; c == 'u' && i < 4; i++, r->at++)
		if (ascii_hex(peek(r)) < 0)
			return fail(r, "\\u takes four hexadecimal digits");
	return true;
}

static bool
read_string(struct reader *r)
{
	if (!take(r, '"'))
		return fail(r, "a text in double quotes is expected");
	while (r->at < r->text.len) {
		unsigned char c = (unsigned char)r->text.ptr[r->at];

		if (c < ' ' && c != '\t')
			return fail(r, "a control character in a text");
		r->at++;
		if (c == '"')
			return true;
		if (c == '\\' && !read_escape(r))
			return false;
	}
	return fail(r, "a text without its closing quote");
}

static bool
read_digits(struct reader *r)
{
	if (!ascii_is_digit(peek(r)))
		return fail(r, "a digit is expected");
	while (ascii_is_digit(peek(r)))
		r->at++;
	return true;
}

static bool
read_number(struct reader *r)
{
	if (peek(r) == '-')
		r->at++;
	if (peek(r) == '0')
		r->at++;
	else if (!read_digits(r))
		return false;
	if (ascii_is_digit(peek(r)))
		return fail(r, "a number begins with a needless 0");
	if (peek(r) == '.') {
		r->at++;
		if (!read_digits(r))
			return false;
	}
	if (peek(r) != 'e' && peek(r) != 'E')
		return true;
	r->at++;
	if (peek(r) == '+' || peek(r) == '-')
		r->at++;
	return read_digits(r);
}

static bool
read_word(struct reader *r)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < 3; i++) {
		struct str word = str_of(words[i]);

		if (str_starts(str_slice(r->text, r->at, r->text.len), word)) {
			r->at += word.len;
			return true;
		}
	}
	return fail(r, "a value is expected");
}

/* What stands between brackets, with the first of them taken already. */
static bool
read_items(struct reader *r, char end)
{
	if (r->depth-- == 0)
		return fail(r, "nested too deep");
	if (take(r, end)) {
		r->depth++;
		return true;
	}
	do {
		if (end == '}' && !read_string(r))
			return false;
		if (end == '}' && !take(r, ':'))
			return fail(r, "\":\" is expected");
		if (!read_value(r))
			return false;
	} while (take(r, ','));
	r->depth++;
	if (take(r, end))
		return true;
	return fail(r, end == '}' ? "\",\" or \"}\" is expected"
				  : "\",\" or \"]\" is expected");
}

static bool
read_value(struct reader *r)
{
	char c;

	skip_blanks(r);
	c = peek(r);
	if (c == '"')
		return read_string(r);
	if (c == '-' || ascii_is_digit(c))
		return read_number(r);
	if (c != '{' && c != '[')
		return read_word(r);
	r->at++;
	return read_items(r, c == '{' ? '}' : ']');
}

const char *
json_error(struct str text, unsigned depth_max, size_t *at)
{
	struct reader r = { .text = text, .depth = depth_max };

	if (read_value(&r)) {
		skip_blanks(&r);
		if (r.at < text.len)
			(void)fail(&r, "something follows the value");
	}
	*at = r.at;
	return r.why;
}
