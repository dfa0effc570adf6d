/* A URL as Envoy reads one: "scheme://host[:port]" and anything printable. */
#include "config.h"

#include "http/referer.h"

enum { PORT_MAX = 65535 };

/* Length of a scheme (RFC 3986 section 3.1) at the beginning, or 0. */
static size_t
scheme_len(struct str s)
{
	size_t n = 0;

	if (!s.len || !ascii_is_alpha(s.ptr[0]))
		return 0;
	while (n < s.len &&
	       (ascii_is_alpha(s.ptr[n]) || ascii_is_digit(s.ptr[n]) ||
		   (s.ptr[n] && strchr("+-.", s.ptr[n]))))
		n++;
	return n;
}

static bool
consists_of(struct str s, bool (*is_allowed)(char c))
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_allowed(s.ptr[i]))
			return false;
	return s.len > 0;
}

static bool
is_name_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-';
}

static bool
is_literal_char(char c)
{
	return ascii_hex(c) >= 0 || c == ':' || c == '.';
}

static bool
port_is_valid(struct str port)
{
	uint64_t value;

	while (port.len > 1 && port.ptr[0] == '0')
		port = str_slice(port, 1, port.len);
	return str_to_u64(port, &value) && value <= PORT_MAX;
}

static bool
authority_is_valid(struct str s)
{
	bool literal = str_starts(s, STR("["));
	size_t end = str_find_char(s, literal ? ']' : ':', 0);
	struct str host = str_slice(s, literal, end);
	struct str rest = str_slice(s, literal ? end + 1 : end, s.len);

	if (literal && end == s.len)
		return false;
	if (!consists_of(host, literal ? is_literal_char : is_name_char))
		return false;
	return !rest.len || (rest.ptr[0] == ':' &&
				port_is_valid(str_slice(rest, 1, rest.len)));
}

static bool
is_printable(char c)
{
	return c > ' ' && c < '\x7f' && c != '#';
}

static bool
is_absolute(struct str s)
{
	size_t begin = scheme_len(s), end;

	if (!begin || !str_starts(str_slice(s, begin, s.len), STR("://")))
		return false;
	end = begin += 3;
	while (end < s.len && s.ptr[end] != '/' && s.ptr[end] != '?')
		end++;
	return authority_is_valid(str_slice(s, begin, end)) &&
	       (end == s.len ||
		   consists_of(str_slice(s, end, s.len), is_printable));
}

/* A byte of a query (RFC 3986 section 3.4), but for the colon. */
static bool
is_uri_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (c && strchr("-._~!$&'()*+,;=@/?%", c));
}

static bool
is_relative(struct str s)
{
	size_t slash = str_find_char(s, '/', 0);

	for (size_t i = 0; i < s.len; i++)
		if (!is_uri_char(s.ptr[i]) && (s.ptr[i] != ':' || i < slash))
			return false;
	return true;
}

bool
referer_is_valid(struct str s)
{
	return is_absolute(s) || is_relative(s);
}
