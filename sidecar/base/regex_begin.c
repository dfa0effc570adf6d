/*
 * The literal beginning of a pattern. Reading stops at the first thing that
 * is not plainly one character; a pattern with flags, quoted text, classes
 * such as [:alpha:], or alternatives outside of groups is left alone.
 */
#include "config.h"

#include "base/regex.h"

/* Length of a class without "[:" that begins at s.ptr[at] with "[". */
static size_t
class_len(struct str s, size_t at)
{
	size_t i = at + 1;

	if (i < s.len && s.ptr[i] == '^')
		i++;
	if (i < s.len && s.ptr[i] == ']')
		i++;
	for (; i < s.len && s.ptr[i] != ']'; i++)
		if (s.ptr[i] == '\\')
			i++;
	return i - at + 1;
}

/* Whether each match is a match of one sequence. */
static bool
is_sequence(struct str s)
{
	size_t depth = 0;

	if (str_find(s, STR("[:"), 0) < s.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		switch (s.ptr[i]) {
		case '\\':
			i++;
			if (i < s.len && s.ptr[i] == 'Q')
				return false;
			break;
		case '[':
			i += class_len(s, i) - 1;
			break;
		case '(':
			depth++;
			if (str_starts(str_slice(s, i, s.len), STR("(?")) &&
			    !str_starts(str_slice(s, i, s.len), STR("(?:")) &&
			    !str_starts(str_slice(s, i, s.len), STR("(?P")))
				return false;
			break;
		case ')':
			depth--;
			break;
		case '|':
			if (depth == 0)
				return false;
			break;
		default:
			break;
		}
	}
	return true;
}

static bool
is_plain(char c)
{
	return !(c & 0x80) && !strchr(".[](){}*+?|^$\\", c);
}

struct str
regex_begin(struct arena *arena, struct str s)
{
	char *out = arena_alloc(arena, s.len + 1);
	size_t i = s.len && s.ptr[0] == '^', n = 0;

	if (!is_sequence(s))
		return STR("");
	for (; i < s.len; i++) {
		if (is_plain(s.ptr[i]))
			out[n++] = s.ptr[i];
		else if (s.ptr[i] == '\\' && i + 1 < s.len &&
			 strchr(".[](){}*+?|^$\\/-", s.ptr[i + 1]))
			out[n++] = s.ptr[++i];
		else
			break;
	}
	/* What is repeated may be missing. */
	if (n && i < s.len && strchr("*?{", s.ptr[i]))
		n--;
	return (struct str){ out, n };
}
