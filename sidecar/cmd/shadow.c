#include "config.h"

#include "base/regex.h"
#include "chain/match.h"
#include "cmd/shadow.h"
#include "config/diag.h"

enum { VALUES_MAX = 32 };

/* ---- equal as written ---- */

/* What is written in the same way means the same. */
static bool
is_equal(const struct node *a, const struct node *b)
{
	if (!a || !b || a->kind != b->kind || a->n != b->n ||
	    a->quoted != b->quoted || !str_eq(a->scalar, b->scalar))
		return a == b;
	for (size_t i = 0; i < a->n; i++)
		if (!str_eq(a->items[i].key, b->items[i].key) ||
		    !is_equal(a->items[i].value, b->items[i].value))
			return false;
	return true;
}

/* ---- paths ---- */

static bool
has_letters(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (ascii_is_alpha(s.ptr[i]))
			return true;
	return false;
}

struct shadow_match
shadow_match(struct arena *arena, const struct conf_route_match *conf,
    const struct route_match *compiled)
{
	struct shadow_match m = { .conf = conf,
		.key = route_match_key(compiled) };
	const char *why;

	if (conf->safe_regex &&
	    regex_compile(arena, conf->safe_regex->regex, &m.regex, &why))
		m.regex = NULL;
	return m;
}

/* Whether all texts of key begin with begin. */
static bool
begins(const struct path_key *key, struct str begin, bool nocase)
{
	if (nocase)
		return str_starts_nocase(key->text, begin);
	return str_starts(key->text, begin) &&
	       !(key->nocase && has_letters(begin));
}

/* The same for begin and a "/" behind it, or nothing. */
static bool
begins_segments(const struct path_key *key, struct str begin, bool nocase,
    bool ends_segment)
{
	if (!begins(key, begin, nocase))
		return false;
	if (key->text.len > begin.len)
		return key->text.ptr[begin.len] == '/';
	return key->whole || ends_segment;
}

/* Of an expression: whether all paths of key match it. */
static bool
regex_covers(const struct shadow_match *earlier, const struct path_key *key)
{
	return earlier->regex && key->whole &&
	       !(key->nocase && has_letters(key->text)) &&
	       regex_matches(earlier->regex, key->text);
}

static bool
path_covers(const struct conf_route_config *config,
    const struct shadow_match *earlier, const struct shadow_match *later)
{
	const struct conf_route_match *a = earlier->conf, *b = later->conf;
	const struct path_key *key = &later->key;
	bool nocase = !a->case_sensitive;

	if (a->path_match_policy)
		return b->path_match_policy &&
		       is_equal(a->path_match_policy->node,
			   b->path_match_policy->node);
	/* A template sees parameters that the others do not. */
	if (b->path_match_policy &&
	    config->ignore_path_parameters_in_path_matching)
		return false;
	if (a->safe_regex && b->safe_regex)
		return str_eq(a->safe_regex->regex, b->safe_regex->regex);
	if (a->safe_regex)
		return regex_covers(earlier, key);
	if (a->path.ptr)
		return key->whole && key->text.len == a->path.len &&
		       begins(key, a->path, nocase);
	if (a->path_separated_prefix.ptr)
		return begins_segments(key, a->path_separated_prefix, nocase,
		    b->path_separated_prefix.ptr != NULL);
	return begins(key, a->prefix, nocase);
}

/* ---- fields ---- */

/* "GET|POST" */
static size_t
split_values(struct str regex, struct str *values, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < regex.len; i++)
		if (!ascii_is_alpha(regex.ptr[i]) &&
		    !ascii_is_digit(regex.ptr[i]) && regex.ptr[i] != '-' &&
		    regex.ptr[i] != '_' && regex.ptr[i] != '|')
			return 0;
	while (regex.ptr && n < max)
		values[n++] = str_split(&regex, '|');
	return regex.ptr ? 0 : n;
}

size_t
shadow_values(
    const struct conf_header_matcher *m, struct str *values, size_t max)
{
	const struct conf_string_matcher *s = m->string_match;

	if (!s || m->invert_match || m->treat_missing_header_as_empty ||
	    s->ignore_case || !max)
		return 0;
	if (s->safe_regex)
		return split_values(s->safe_regex->regex, values, max);
	values[0] = s->exact;
	return s->exact.ptr ? 1 : 0;
}

/* Whether a holds of every request of which b holds. */
static bool
field_follows(struct arena *arena, const struct conf_header_matcher *a,
    const struct conf_header_matcher *b)
{
	struct diag *diag = diag_new(arena);
	const struct header_match *match;
	struct str values[VALUES_MAX];
	size_t n;

	if (is_equal(a->node, b->node))
		return true;
	if (!str_eq_nocase(a->name, b->name))
		return false;
	match = header_match_build(arena, a, diag);
	n = shadow_values(b, values, VALUES_MAX);
	for (size_t i = 0; i < n && match; i++) {
		struct headers headers;

		headers_init(&headers, arena);
		headers_add(
		    &headers, header_name_sought(arena, b->name), values[i]);
		if (!header_match_holds(match, &headers))
			return false;
	}
	return match && n > 0;
}

static bool
fields_follow(struct arena *arena, const struct conf_route_match *a,
    const struct conf_route_match *b)
{
	for (size_t i = 0; i < a->headers.n; i++) {
		size_t j = 0;

		while (j < b->headers.n &&
		       !field_follows(
			   arena, &a->headers.items[i], &b->headers.items[j]))
			j++;
		if (j == b->headers.n)
			return false;
	}
	return true;
}

static bool
all_in(const struct node *a, const struct node *b)
{
	for (size_t i = 0; a && i < a->n; i++) {
		size_t j = 0;

		while (b && j < b->n &&
		       !is_equal(a->items[i].value, b->items[j].value))
			j++;
		if (!b || j == b->n)
			return false;
	}
	return true;
}

/* The nodes of a field by either of its names. */
static const struct node *
field(const struct conf_route_match *m, const char *name, const char *other)
{
	const struct node *found = node_get(m->node, name);

	return found ? found : node_get(m->node, other);
}

static bool
rest_follows(const struct conf_route_match *a, const struct conf_route_match *b)
{
	static const struct {
		const char *name, *other;
	} lists[] = { { "query_parameters", "queryParameters" },
		{ "cookies", "cookies" },
		{ "dynamic_metadata", "dynamicMetadata" } };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (!all_in(field(a, lists[i].name, lists[i].other),
			field(b, lists[i].name, lists[i].other)))
			return false;
	return (!a->grpc || b->grpc) &&
	       (!a->tls_context ||
		   (b->tls_context &&
		       is_equal(a->tls_context->node, b->tls_context->node))) &&
	       (!a->runtime_fraction ||
		   (b->runtime_fraction && is_equal(a->runtime_fraction->node,
					       b->runtime_fraction->node)));
}

bool
shadow_covers(struct arena *arena, const struct conf_route_config *config,
    const struct shadow_match *earlier, const struct shadow_match *later)
{
	return path_covers(config, earlier, later) &&
	       rest_follows(earlier->conf, later->conf) &&
	       fields_follow(arena, earlier->conf, later->conf);
}
