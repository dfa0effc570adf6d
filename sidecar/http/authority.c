/* Cutting a Host the way Envoy does: at its last colon, which must be a port's. */
#include "config.h"

#include "http/authority.h"

bool
authority_is_valid(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
		    (!c || !strchr("!$%&'()*+,-.:;=@[]_~", c)))
			return false;
	}
	return true;
}

/* Offset of the last c, or s.len. */
static size_t
last(struct str s, char c)
{
	size_t at = s.len;

	while (at && s.ptr[at - 1] != c)
		at--;
	return at ? at - 1 : s.len;
}

static size_t
port_colon(struct str s)
{
	size_t colon = last(s, ':'), bracket = last(s, ']');

	return bracket == s.len || bracket < colon ? colon : s.len;
}

struct str
authority_host(struct str s)
{
	return str_slice(s, 0, port_colon(s));
}

struct str
authority_port(struct str s)
{
	size_t colon = port_colon(s);

	return colon < s.len ? str_slice(s, colon + 1, s.len) : STR_NONE;
}

struct str
authority_without_dot(struct arena *arena, struct str s)
{
	size_t dot = last(s, '.');

	if (dot == s.len)
		return s;
	if (dot + 1 == s.len)
		return str_slice(s, 0, dot);
	if (s.ptr[dot + 1] != ':')
		return s;
	return arena_printf(arena, STR_FMT STR_FMT,
	    STR_ARG(str_slice(s, 0, dot)),
	    STR_ARG(str_slice(s, dot + 1, s.len)));
}
