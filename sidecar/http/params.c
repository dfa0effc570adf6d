/* Query parameters and cookies. */
#include "config.h"

#include "http/params.h"
#include "http/target.h"

struct str
params_decoded(struct arena *arena, struct str s)
{
	char *out;
	size_t len = 0;

	if (str_find_char(s, '%', 0) == s.len)
		return s;
	out = arena_alloc(arena, s.len + 1);
	for (size_t i = 0; i < s.len; i++) {
		int byte = str_percent(s, i);

		if (byte >= 0) {
			out[len++] = (char)byte;
			i += 2;
		} else {
			out[len++] = s.ptr[i];
		}
	}
	return (struct str){ out, len };
}

static struct str
name_of(struct arena *arena, struct str pair)
{
	return params_decoded(
	    arena, str_slice(pair, 0, str_find_char(pair, '=', 0)));
}

struct str
params_query_get(struct arena *arena, struct str target, struct str name)
{
	struct str rest = target_query(target), pair;

	rest = rest.len ? str_slice(rest, 1, rest.len) : STR_NONE;
	while (rest.ptr) {
		size_t eq;

		pair = str_split(&rest, '&');
		eq = str_find_char(pair, '=', 0);
		if (str_eq(name_of(arena, pair), name))
			return eq == pair.len
				   ? STR("")
				   : params_decoded(arena,
					 str_slice(pair, eq + 1, pair.len));
	}
	return STR_NONE;
}

struct str
params_query_without(struct arena *arena, struct str target, struct str name)
{
	struct str rest = target_query(target), path = target_path(target);
	char *out = arena_alloc(arena, target.len + 1);
	size_t len = path.len;

	if (path.len)
		memcpy(out, path.ptr, path.len);
	rest = rest.len ? str_slice(rest, 1, rest.len) : STR_NONE;
	while (rest.ptr) {
		struct str pair = str_split(&rest, '&');

		if (str_eq(name_of(arena, pair), name))
			continue;
		out[len] = len == path.len ? '?' : '&';
		len++;
		if (pair.len)
			memcpy(out + len, pair.ptr, pair.len);
		len += pair.len;
	}
	return (struct str){ out, len };
}

struct str
params_cookie_get(struct str field, struct str name)
{
	struct str pair, value;
	size_t eq;

	while (field.ptr) {
		pair = str_trim(str_split(&field, ';'));
		eq = str_find_char(pair, '=', 0);
		if (eq == pair.len || !str_eq(str_slice(pair, 0, eq), name))
			continue;
		value = str_slice(pair, eq + 1, pair.len);
		if (value.len >= 2 && value.ptr[0] == '"' &&
		    value.ptr[value.len - 1] == '"')
			value = str_slice(value, 1, value.len - 1);
		return value;
	}
	return STR_NONE;
}
