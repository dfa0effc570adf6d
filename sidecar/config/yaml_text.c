/* The text that libyaml gets to read, and places in the one it came from. */
#include "config.h"

#include "config/json.h"
#include "config/yaml_loader.h"

/* How many shifts stand before a column. */
static size_t
shifts_before(const struct loader *l, size_t line, size_t column)
{
	size_t low = 0, high = l->n_shifts;

	while (low < high) {
		size_t at = low + (high - low) / 2;
		const struct shift *s = &l->shifts[at];

		if (s->line < line || (s->line == line && s->at < column))
			low = at + 1;
		else
			high = at;
	}
	return low;
}

struct place
yaml_place(const struct loader *l, yaml_mark_t mark)
{
	size_t column = mark.column;

	if (l->n_shifts)
		column += 2 * (shifts_before(l, mark.line, mark.column) -
				  shifts_before(l, mark.line, 0));
	return (struct place){ l->source, (unsigned)mark.line + 1,
		(unsigned)column + 1 };
}

struct place
yaml_place_at(const struct loader *l, size_t offset)
{
	struct place p = { l->source, 1, 1 };
	struct str text = l->source->text;

	for (size_t i = 0; i < offset && i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			p.line++;
			p.column = 1;
		} else if (((unsigned char)text.ptr[i] & 0xc0) != 0x80) {
			p.column++;
		}
	}
	return p;
}

/* Value of "\uXXXX" at p, or -1. */
static long
escape_at(struct str s, size_t at)
{
	long value = 0;

	if (s.len < 6 || at > s.len - 6 || s.ptr[at] != '\\' ||
	    s.ptr[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		if (ascii_hex(s.ptr[i]) < 0)
			return -1;
		value = value * 16 + ascii_hex(s.ptr[i]);
	}
	return value;
}

static bool
is_pair(struct str s, size_t at)
{
	long high = escape_at(s, at);
	long low = high < 0 ? -1 : escape_at(s, at + 6);

	return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 &&
	       low <= 0xdfff;
}

/*
 * libyaml refuses the surrogate pairs by which JSON writes characters beyond
 * U+FFFF: in a text that begins as JSON they become "\UXXXXXXXX".
 */
static struct str
without_pairs(struct loader *l, struct str text)
{
	size_t n = 0, len = 0, line = 0, column = 0;
	bool in_string = false;
	char *out;

	for (size_t at = 0; at < text.len; at++)
		n += is_pair(text, at);
	if (!n)
		return text;
	out = arena_alloc(tree_rest(l->tree), text.len + 1);
	l->shifts = ARENA_ARRAY(tree_rest(l->tree), n, struct shift);
	for (size_t at = 0; at < text.len; at++) {
		char c = text.ptr[at];

		if (in_string && is_pair(text, at)) {
			unsigned long high = (unsigned long)escape_at(text, at);
			unsigned long low =
			    (unsigned long)escape_at(text, at + 6);
			unsigned long code =
			    0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);

			l->shifts[l->n_shifts++] =
			    (struct shift){ column, line };
			(void)snprintf(out + len, 11, "\\U%08lX", code);
			len += 10;
			column += 10;
			at += 11;
			continue;
		}
		if (c == '"')
			in_string = !in_string;
		out[len++] = c;
		column += ((unsigned char)c & 0xc0) != 0x80;
		if (c == '\n') {
			line++;
			column = 0;
		} else if (in_string && c == '\\' && at + 1 < text.len) {
			out[len++] = text.ptr[++at];
			column++;
		}
	}
	return (struct str){ out, len };
}

static bool
begins_as_json(struct str text)
{
	size_t at = 0;

	while (
	    at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t' ||
				 text.ptr[at] == '\r' || text.ptr[at] == '\n'))
		at++;
	return at < text.len && (text.ptr[at] == '{' || text.ptr[at] == '[');
}

/* Envoy reads files as JSON that are not named as YAML. */
static bool
is_json_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash ? slash : name, '.');

	return dot && dot[1] && !str_eq_nocase(str_of(dot), STR(".yaml")) &&
	       !str_eq_nocase(str_of(dot), STR(".yml"));
}

static bool
check_json(struct loader *l, struct str text, const char *name)
{
	size_t at = 0;
	const char *why = json_error(text, YAML_DEPTH_MAX, &at);

	if (!why)
		return true;
	diag_error(l->diag, yaml_place_at(l, at), NULL,
	    "Unable to parse JSON as proto (INVALID_ARGUMENT: not valid JSON: "
	    "%s)",
	    why);
	diag_hint(
	    l->diag, "only files named *.yaml or *.yml are YAML: %s", name);
	return false;
}

/*
 * What ends a line in YAML 1.1, and so for libyaml, ends none for Envoy nor
 * in JSON.
 */
static bool
check_breaks(struct loader *l, struct str text)
{
	static const struct {
		struct str bytes;
		const char *code;
	} breaks[] = {
		{ STR_INIT("\xc2\x85"), "0085" },
		{ STR_INIT("\xe2\x80\xa8"), "2028" },
		{ STR_INIT("\xe2\x80\xa9"), "2029" },
	};

	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		size_t at = str_find(text, breaks[i].bytes, 0);

		if (at == text.len)
			continue;
		diag_error(l->diag, yaml_place_at(l, at), NULL,
		    "U+%s ends a line in some kinds of YAML and none in "
		    "others: write it as \"\\u%s\"",
		    breaks[i].code, breaks[i].code);
		return false;
	}
	return true;
}

bool
yaml_prepare(struct loader *l, const char *name, struct str *text)
{
	if (is_json_name(name) && !check_json(l, *text, name))
		return false;
	if (!check_breaks(l, *text))
		return false;
	if (begins_as_json(*text))
		*text = without_pairs(l, *text);
	return true;
}
