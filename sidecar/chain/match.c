/* Compiled matchers. */
#include "config.h"

#include "base/regex.h"
#include "chain/match.h"
#include "http/target.h"

enum string_kind {
	STRING_ANY,
	STRING_EXACT,
	STRING_PREFIX,
	STRING_SUFFIX,
	STRING_CONTAINS,
	STRING_REGEX,
};

struct string_match {
	enum string_kind kind;
	struct str text; /* in lower case when ignore_case */
	bool ignore_case;
	const struct regex *regex;
};

enum header_kind { HEADER_STRING, HEADER_RANGE, HEADER_PRESENT };

struct header_match {
	enum header_kind kind;
	struct str name;
	const struct string_match *string;
	int64_t start, end;
	bool present;
	bool invert;
	bool missing_is_empty;
};

struct query_match {
	struct str name;
	const struct string_match *string; /* NULL: presence decides */
	bool present;
};

const struct regex *
match_regex(
    struct arena *arena, const struct conf_regex *conf, struct diag *diag)
{
	const struct regex *regex;
	const char *why = "";

	if (!regex_compile(arena, conf->regex, &regex, &why))
		return regex;
	diag_error(diag, conf->node ? conf->node->place : (struct place){ 0 },
	    NULL, "regex '" STR_FMT "': %s", STR_ARG(conf->regex), why);
	return NULL;
}

const struct string_match *
string_match_build(struct arena *arena, const struct conf_string_matcher *conf,
    struct diag *diag)
{
	struct string_match *m = ARENA_NEW(arena, struct string_match);
	const struct {
		enum string_kind kind;
		struct str text;
	} kinds[] = { { STRING_EXACT, conf->exact },
		{ STRING_PREFIX, conf->prefix },
		{ STRING_SUFFIX, conf->suffix },
		{ STRING_CONTAINS, conf->contains } };

	m->ignore_case = conf->ignore_case;
	if (conf->safe_regex) {
		m->kind = STRING_REGEX;
		m->regex = match_regex(arena, conf->safe_regex, diag);
		return m->regex ? m : NULL;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!kinds[i].text.ptr)
			continue;
		m->kind = kinds[i].kind;
		m->text = m->ignore_case ? arena_lower(arena, kinds[i].text)
					 : kinds[i].text;
	}
	return m;
}

/* Offset of needle (already in lower case) in s without case, or s.len. */
static size_t
find_nocase(struct str s, struct str needle)
{
	for (size_t i = 0; i + needle.len <= s.len; i++)
		if (str_starts_nocase(str_slice(s, i, s.len), needle))
			return i;
	return s.len;
}

static bool
contains(const struct string_match *m, struct str value)
{
	if (!m->text.len)
		return true;
	return (m->ignore_case ? find_nocase(value, m->text)
			       : str_find(value, m->text, 0)) < value.len;
}

static bool
same(const struct string_match *m, struct str value)
{
	return m->ignore_case ? str_eq_nocase(value, m->text)
			      : str_eq(value, m->text);
}

bool
string_match_holds(const struct string_match *m, struct str value)
{
	size_t len = m->text.len;

	switch (m->kind) {
	case STRING_ANY:
		return true;
	case STRING_EXACT:
		return same(m, value);
	case STRING_PREFIX:
		return value.len >= len && same(m, str_slice(value, 0, len));
	case STRING_SUFFIX:
		return value.len >= len &&
		       same(m, str_slice(value, value.len - len, value.len));
	case STRING_CONTAINS:
		return contains(m, value);
	case STRING_REGEX:
		return regex_matches(m->regex, value);
	}
	return false;
}

const struct header_match *
header_match_build(struct arena *arena, const struct conf_header_matcher *conf,
    struct diag *diag)
{
	struct header_match *m = ARENA_NEW(arena, struct header_match);

	m->name = header_name_sought(arena, conf->name);
	m->invert = conf->invert_match;
	m->missing_is_empty = conf->treat_missing_header_as_empty;
	if (conf->string_match) {
		m->kind = HEADER_STRING;
		m->string = string_match_build(arena, conf->string_match, diag);
		return m->string ? m : NULL;
	}
	if (conf->range_match) {
		m->kind = HEADER_RANGE;
		m->start = conf->range_match->start;
		m->end = conf->range_match->end;
		return m;
	}
	m->kind = HEADER_PRESENT;
	m->present = !conf->has_present_match || conf->present_match;
	return m;
}

static bool
is_blank(char c)
{
	return c && strchr(" \t\n\v\f\r", c);
}

/* Digits with or without a sign, between blanks; zeros may lead. */
static bool
read_number(struct str s, bool *negative, uint64_t *magnitude)
{
	while (s.len && is_blank(s.ptr[0]))
		s = str_slice(s, 1, s.len);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s = str_slice(s, 0, s.len - 1);
	*negative = str_starts(s, STR("-"));
	if (*negative || str_starts(s, STR("+")))
		s = str_slice(s, 1, s.len);
	while (s.len > 1 && s.ptr[0] == '0')
		s = str_slice(s, 1, s.len);
	return str_to_u64(s, magnitude);
}

bool
match_number(struct str s, uint64_t *out)
{
	bool negative;
	uint64_t magnitude;

	if (!read_number(s, &negative, &magnitude) || (negative && magnitude))
		return false;
	*out = magnitude;
	return true;
}

static bool
to_signed(struct str s, int64_t *out)
{
	bool negative;
	uint64_t magnitude;

	if (!read_number(s, &negative, &magnitude) ||
	    magnitude > (uint64_t)INT64_MAX + negative)
		return false;
	*out = negative ? (int64_t)-magnitude : (int64_t)magnitude;
	return true;
}

static bool
in_range(const struct header_match *m, struct str value)
{
	int64_t number;

	return to_signed(value, &number) && number >= m->start &&
	       number < m->end;
}

bool
header_match_holds(const struct header_match *m, const struct headers *headers)
{
	struct str value = headers_joined(headers, m->name);

	if (!value.ptr && m->missing_is_empty)
		value = STR("");
	if (m->kind == HEADER_PRESENT)
		return ((value.ptr != NULL) == m->present) != m->invert;
	if (!value.ptr)
		return false;
	return (m->kind == HEADER_RANGE
		       ? in_range(m, value)
		       : string_match_holds(m->string, value)) != m->invert;
}

struct str
match_query_value(struct str target, struct str name)
{
	struct str query = target_query(target), pair;
	size_t eq;

	if (!query.len)
		return STR_NONE;
	query = str_slice(query, 1, query.len);
	while (query.ptr) {
		pair = str_split(&query, '&');
		eq = str_find_char(pair, '=', 0);
		if (str_eq(str_slice(pair, 0, eq), name))
			return eq < pair.len ? str_slice(pair, eq + 1, pair.len)
					     : STR("");
	}
	return STR_NONE;
}

const struct query_match *
query_match_build(struct arena *arena, const struct conf_query_matcher *conf,
    struct diag *diag)
{
	struct query_match *m = ARENA_NEW(arena, struct query_match);

	m->name = conf->name;
	m->present = !conf->has_present_match || conf->present_match;
	if (!conf->string_match)
		return m;
	m->string = string_match_build(arena, conf->string_match, diag);
	return m->string ? m : NULL;
}

bool
query_match_holds(const struct query_match *m, struct str target)
{
	struct str value = match_query_value(target, m->name);

	if (m->string)
		return value.ptr && string_match_holds(m->string, value);
	return (value.ptr != NULL) == m->present;
}

bool
match_fraction(
    const struct conf_runtime_fraction *conf, uint64_t random, bool fallback)
{
	static const uint64_t denominators[] = { 100, 10000, 1000000 };
	const struct conf_fractional_percent *p;

	if (!conf || !conf->default_value)
		return fallback;
	p = conf->default_value;
	return random % denominators[p->denominator] < p->numerator;
}
