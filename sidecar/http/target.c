/*
 * The path of a request target, made canonical the way Envoy does it (rules
 * that stem from browsers): escaped slashes first, then dots and escapes,
 * then repeated slashes.
 */
#include "config.h"

#include "http/target.h"

/*
 * What becomes of each ASCII byte of a path: e is written as %XX; p is kept
 * raw, and kept escaped when written so; u is unreserved: kept raw, decoded
 * when written escaped. Bytes beyond ASCII are as e.
 */
static const char classes[] = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
			      "epeepepppppppuupuuuuuuuuuuppepee"
			      "puuuuuuuuuuuuuuuuuuuuuuuuuupepeu"
			      "euuuuuuuuuuuuuuuuuuuuuuuuuueeeue";

static char
class_of(int c)
{
	return c < 128 ? classes[c] : 'e';
}

struct output {
	char *ptr;
	size_t len;
	/* Behind the last "%" that begins no escape; 0 if there is none. */
	size_t stray;
};

struct str
target_path(struct str target)
{
	size_t i = 0;

	while (i < target.len && target.ptr[i] != '?' && target.ptr[i] != '#')
		i++;
	return str_slice(target, 0, i);
}

struct str
target_query(struct str target)
{
	size_t at = str_find_char(target, '?', 0);

	if (at == target.len || str_find_char(target, '#', 0) < at)
		return STR("");
	return str_slice(target, at, target.len);
}

enum err
target_origin(struct str raw, struct str *target, struct str *authority)
{
	struct str rest, host;
	size_t end = 0;

	if (raw.len && raw.ptr[0] == '/') {
		*target = raw;
		return ERR_OK;
	}
	if (str_starts_nocase(raw, STR("http://")))
		rest = str_slice(raw, 7, raw.len);
	else if (str_starts_nocase(raw, STR("https://")))
		rest = str_slice(raw, 8, raw.len);
	else
		return ERR_BAD;
	while (end < rest.len && !strchr("/?#", rest.ptr[end]))
		end++;
	host = str_slice(rest, 0, end);
	if (host.len == 0 || str_find_char(host, '@', 0) < host.len)
		return ERR_BAD;
	rest = str_slice(rest, end, rest.len);
	if (rest.len && rest.ptr[0] != '/')
		return ERR_BAD;
	*target = rest.len ? rest : STR("/");
	*authority = host;
	return ERR_OK;
}

/* Length of a dot at offset i, raw or escaped, or 0. */
static size_t
dot_at(struct str s, size_t i)
{
	if (i < s.len && s.ptr[i] == '.')
		return 1;
	return str_percent(s, i) == '.' ? 3 : 0;
}

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Whether a path's byte at i can stay as it is whatever stands around it. */
static bool
is_plain(struct str path, size_t i)
{
	char c = path.ptr[i];

	if (c == '.')
		return i > 0 && path.ptr[i - 1] != '/';
	return class_of((unsigned char)c) != 'e';
}

static void
put(struct output *out, char c)
{
	out->ptr[out->len++] = c;
}

static void
put_escaped(struct output *out, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";

	put(out, '%');
	put(out, digits[c >> 4]);
	put(out, digits[c & 15]);
}

/*
 * Adds an unescaped byte. Should it complete a stray "%" to an escape
 * ("%%34%31" would become "%41"), that "%" is escaped itself. next is the
 * byte that follows in the input, or NUL.
 */
static void
put_unescaped(struct output *out, char c, char next)
{
	size_t since;
	char first;

	put(out, c);
	since = out->stray ? out->len - out->stray : 0;
	if (since == 0 || since > 2 || ascii_hex(c) < 0)
		return;
	first = out->ptr[out->stray];
	if (ascii_hex(first) < 0 || (since == 1 && ascii_hex(next) < 0))
		return;
	out->len = out->stray;
	put(out, '2');
	put(out, '5');
	put(out, first);
	if (since == 2)
		put(out, c);
	out->stray = 0;
}

/* Drops the last segment, "/a/b/" to "/a/"; the first slash stays. */
static void
back_up(struct output *out)
{
	if (out->len > 1)
		out->len--;
	while (out->len > 1 && out->ptr[out->len - 1] != '/')
		out->len--;
	if (out->stray > out->len)
		out->stray = 0;
}

/*
 * Handles a dot at i behind a slash: "." and ".." segments take effect.
 * Returns how many bytes of the input it took.
 */
static size_t
take_dots(struct output *out, struct str path, size_t i)
{
	size_t one = dot_at(path, i), two = dot_at(path, i + one);
	size_t end = i + one + two;

	if (end < path.len && !is_slash(path.ptr[end])) {
		put(out, '.');
		return one;
	}
	if (two)
		back_up(out);
	return end - i + (end < path.len);
}

static enum err
take_percent(struct output *out, struct str path, size_t *i)
{
	int c = str_percent(path, *i);

	if (c < 0) {
		put(out, '%');
		out->stray = out->len;
		*i += 1;
		return ERR_OK;
	}
	if (c == 0)
		return ERR_BAD;
	if (class_of(c) == 'u') {
		*i += 3;
		put_unescaped(
		    out, (char)c, *i < path.len ? path.ptr[*i] : '\0');
		return ERR_OK;
	}
	for (size_t end = *i + 3; *i < end; ++*i)
		put(out, path.ptr[*i]);
	return ERR_OK;
}

static enum err
canonicalize(struct arena *arena, struct str path, struct str *result)
{
	struct output out = { .ptr = arena_alloc(arena, path.len * 3 + 2) };
	enum err err;
	size_t i = 0;

	if (path.len == 0 || !is_slash(path.ptr[0]))
		put(&out, '/');
	while (i < path.len) {
		unsigned char c = (unsigned char)path.ptr[i];

		if (dot_at(path, i) && out.len && out.ptr[out.len - 1] == '/') {
			i += take_dots(&out, path, i);
		} else if (c == '%') {
			err = take_percent(&out, path, &i);
			if (err)
				return err;
		} else {
			if (c == '\\')
				put(&out, '/');
			else if (class_of(c) == 'e')
				put_escaped(&out, c);
			else
				put(&out, (char)c);
			i++;
		}
	}
	*result = (struct str){ out.ptr, out.len };
	return ERR_OK;
}

/* Writes "%2F" and "%5C" as the bytes they mean. */
static struct str
unescape_slashes(struct arena *arena, struct str path)
{
	struct output out = { .ptr = arena_alloc(arena, path.len + 1) };
	int c;

	for (size_t i = 0; i < path.len; i++) {
		c = str_percent(path, i);
		if (c == '/' || c == '\\') {
			put(&out, (char)c);
			i += 2;
		} else {
			put(&out, path.ptr[i]);
		}
	}
	return (struct str){ out.ptr, out.len };
}

/* Length of "." or ".." at offset i, written as such, before a ";", or 0. */
static size_t
dots_with_parameters(struct str path, size_t i)
{
	size_t end = i;

	while (end < path.len && path.ptr[end] == '.')
		end++;
	return end < path.len && path.ptr[end] == ';' && end - i <= 2 ? end - i
								      : 0;
}

/* Takes the parameters off "." and "..", so that "/a/..;x/b" is "/a/../b". */
static struct str
strip_dot_parameters(struct arena *arena, struct str path)
{
	struct output out = { .ptr = arena_alloc(arena, path.len + 1) };
	size_t i = 0, dots;

	while (i < path.len) {
		put(&out, path.ptr[i]);
		if (path.ptr[i++] != '/')
			continue;
		dots = dots_with_parameters(path, i);
		if (!dots)
			continue;
		for (size_t end = i + dots; i < end; i++)
			put(&out, path.ptr[i]);
		i = str_find_char(path, '/', i);
	}
	return (struct str){ out.ptr, out.len };
}

static bool
has_escaped_slash(struct str path)
{
	for (size_t i = 0; (i = str_find_char(path, '%', i)) < path.len; i++) {
		int c = str_percent(path, i);
		if (c == '/' || c == '\\')
			return true;
	}
	return false;
}

/*
 * Merges runs of slashes. A path of slashes alone keeps two of them, as in
 * Envoy, which joins the segments between a leading and a trailing slash.
 */
static struct str
merge(struct arena *arena, struct str path)
{
	struct output out = { .ptr = arena_alloc(arena, path.len + 1) };
	bool only_slashes = path.len > 1;

	for (size_t i = 0; i < path.len; i++) {
		char c = path.ptr[i];
		if (c != '/')
			only_slashes = false;
		if (c != '/' || out.len == 0 || out.ptr[out.len - 1] != '/')
			put(&out, c);
	}
	return only_slashes ? STR("//") : (struct str){ out.ptr, out.len };
}

static bool
needs_canonicalizing(struct str path)
{
	if (path.len == 0 || path.ptr[0] != '/')
		return true;
	for (size_t i = 0; i < path.len; i++)
		if (!is_plain(path, i))
			return true;
	return false;
}

/* Escaped slashes, unless they are kept; *redirects if there were some. */
static enum err
apply_slashes(struct arena *arena, enum target_slashes how, struct str *path,
    bool *redirects)
{
	if (how == TARGET_SLASHES_KEEP || !has_escaped_slash(*path))
		return ERR_OK;
	*path = unescape_slashes(arena, *path);
	*redirects = how == TARGET_SLASHES_REDIRECT;
	return how == TARGET_SLASHES_REJECT ? ERR_BAD : ERR_OK;
}

static enum err
apply(struct arena *arena, const struct target_rules *rules, struct str *path,
    bool *redirects)
{
	enum err err =
	    apply_slashes(arena, rules->escaped_slashes, path, redirects);

	if (!err && rules->normalize &&
	    str_find_char(*path, ';', 0) < path->len)
		*path = strip_dot_parameters(arena, *path);
	if (!err && rules->normalize && needs_canonicalizing(*path))
		err = canonicalize(arena, *path, path);
	if (!err && rules->merge_slashes &&
	    str_find(*path, STR("//"), 0) < path->len)
		*path = merge(arena, *path);
	return err;
}

/* Whether a request line can carry it; web servers hand over what cannot. */
static bool
is_sendable(struct str target)
{
	for (size_t i = 0; i < target.len; i++)
		if ((unsigned char)target.ptr[i] <= ' ' ||
		    target.ptr[i] == 0x7f)
			return false;
	return true;
}

enum err
target_normalize(struct arena *arena, struct str raw,
    const struct target_rules *rules, struct str *out)
{
	struct str path = target_path(raw), query = target_query(raw);
	bool redirects = false;
	enum err err;

	*out = raw;
	if (str_find_char(raw, '#', 0) < raw.len ||
	    str_find_char(raw, '\0', 0) < raw.len)
		return ERR_BAD;
	err = apply(arena, rules, &path, &redirects);
	if (path.ptr != raw.ptr)
		*out = arena_printf(
		    arena, STR_FMT STR_FMT, STR_ARG(path), STR_ARG(query));
	if (err || !is_sendable(*out))
		return ERR_BAD;
	return redirects ? ERR_DENIED : ERR_OK;
}

bool
target_has_segment_prefix(struct str path, struct str prefix)
{
	if (!str_starts(path, prefix))
		return false;
	return path.len == prefix.len || path.ptr[prefix.len] == '/' ||
	       str_ends(prefix, STR("/"));
}
