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

enum path_kind { PATH_PREFIX, PATH_EXACT, PATH_SEGMENTS, PATH_REGEX };

struct route_match {
	enum path_kind kind;
	struct str path;
	bool case_sensitive;
	const struct regex *regex;
	const struct conf_runtime_fraction *fraction;
	const struct header_match **headers;
	size_t n_headers;
	struct query_match *queries;
	size_t n_queries;
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

static struct str
lower(struct arena *arena, struct str s)
{
	char *copy = arena_cstr(arena, s);

	for (size_t i = 0; i < s.len; i++)
		copy[i] = ascii_lower(copy[i]);
	return (struct str){ copy, s.len };
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
		m->text = m->ignore_case ? lower(arena, kinds[i].text)
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

	m->name = header_name_lower(arena, conf->name);
	if (str_eq(m->name, STR("host")))
		m->name = STR(":authority");
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
in_range(const struct header_match *m, struct str value)
{
	bool negative = str_starts(value, STR("-"));
	uint64_t magnitude;
	int64_t number;

	if (!str_to_u64(str_slice(value, negative, value.len), &magnitude) ||
	    magnitude > INT64_MAX)
		return false;
	number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return number >= m->start && number < m->end;
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

static void
build_path(struct arena *arena, struct route_match *m,
    const struct conf_route_match *conf, struct diag *diag)
{
	if (conf->safe_regex) {
		m->kind = PATH_REGEX;
		m->regex = match_regex(arena, conf->safe_regex, diag);
	} else if (conf->path.ptr) {
		m->kind = PATH_EXACT;
		m->path = conf->path;
	} else if (conf->path_separated_prefix.ptr) {
		m->kind = PATH_SEGMENTS;
		m->path = conf->path_separated_prefix;
	} else {
		m->kind = PATH_PREFIX;
		m->path = conf->prefix;
	}
	m->case_sensitive = conf->case_sensitive;
	if (!m->case_sensitive && m->path.ptr)
		m->path = lower(arena, m->path);
}

const struct route_match *
route_match_build(
    struct arena *arena, const struct conf_route_match *conf, struct diag *diag)
{
	struct route_match *m = ARENA_NEW(arena, struct route_match);
	size_t before = diag_errors(diag);

	build_path(arena, m, conf, diag);
	m->fraction = conf->runtime_fraction;
	m->n_headers = conf->headers.n;
	m->headers =
	    ARENA_ARRAY(arena, m->n_headers + 1, const struct header_match *);
	for (size_t i = 0; i < m->n_headers; i++)
		m->headers[i] =
		    header_match_build(arena, &conf->headers.items[i], diag);
	m->n_queries = conf->query_parameters.n;
	m->queries = ARENA_ARRAY(arena, m->n_queries + 1, struct query_match);
	for (size_t i = 0; i < m->n_queries; i++) {
		const struct conf_query_matcher *q =
		    &conf->query_parameters.items[i];
		m->queries[i].name = q->name;
		m->queries[i].present =
		    !q->has_present_match || q->present_match;
		if (q->string_match)
			m->queries[i].string =
			    string_match_build(arena, q->string_match, diag);
	}
	return diag_errors(diag) == before ? m : NULL;
}

static bool
starts(const struct route_match *m, struct str path)
{
	return m->case_sensitive ? str_starts(path, m->path)
				 : str_starts_nocase(path, m->path);
}

static bool
path_holds(const struct route_match *m, struct str path)
{
	switch (m->kind) {
	case PATH_PREFIX:
		return starts(m, path);
	case PATH_EXACT:
		return path.len == m->path.len && starts(m, path);
	case PATH_SEGMENTS:
		return starts(m, path) && (path.len == m->path.len ||
					      path.ptr[m->path.len] == '/');
	case PATH_REGEX:
		return regex_matches(m->regex, path);
	}
	return false;
}

static bool
query_holds(const struct query_match *m, struct str target)
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

bool
route_match_holds(
    const struct route_match *m, const struct headers *headers, uint64_t random)
{
	struct str target = headers_get(headers, STR(":path"));

	if (!path_holds(m, target_path(target)))
		return false;
	if (m->fraction && !match_fraction(m->fraction, random, true))
		return false;
	for (size_t i = 0; i < m->n_headers; i++)
		if (!header_match_holds(m->headers[i], headers))
			return false;
	for (size_t i = 0; i < m->n_queries; i++)
		if (!query_holds(&m->queries[i], target))
			return false;
	return true;
}

size_t
route_match_len(const struct route_match *m, struct str path)
{
	return m->kind == PATH_REGEX ? path.len : m->path.len;
}
