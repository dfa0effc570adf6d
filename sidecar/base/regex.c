/*
 * RE2's language on PCRE2. The pattern is read once and written anew: what
 * RE2 lacks is refused, and what both have with another meaning (\s, \v, octal
 * numbers, a brace that is no counter) is spelled so that PCRE2 agrees.
 *
 * A search that passes the match limit runs again with PCRE2's other
 * algorithm, which follows all alternatives at once and cannot blow up; it
 * has no groups, so only replacing gives up at the limit.
 */
#include "config.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "base/regex.h"

enum {
	PATTERN_MAX = 4096,
	RESULT_MAX = 64 * 1024,
	COUNTER_MAX = 1000, /* as in RE2 */
	STEPS_MAX = 100000, /* of backtracking, some 10 ms */
	HEAP_MAX_KIB = 4096,
	GROUPS_MAX = REGEX_GROUPS,
	WORKSPACE = 32 * 1024, /* ints of the second algorithm */
};

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
	uint32_t groups;
	bool is_utf;
};

/*
 * Where PCRE2 puts offsets and its backtracking frames. One per thread: it
 * costs more to make than most matches, and no match runs within another.
 */
static _Thread_local pcre2_match_data *scratch;

/* ---- from RE2's spelling to PCRE2's ---- */

struct reader {
	struct str in;
	size_t at;
	struct buf out;
	const char *why;
	bool needs_utf; /* matches characters, not bytes */
	bool in_class;
};

static bool
refuse(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

static bool
emit(struct reader *r, struct str text)
{
	return buf_append(&r->out, text) ? refuse(r, "is too long") : true;
}

/* Copies n bytes of the input. */
static bool
copy(struct reader *r, size_t n)
{
	bool ok = emit(r, str_slice(r->in, r->at, r->at + n));

	r->at += n;
	return ok;
}

static char
peek(const struct reader *r, size_t ahead)
{
	return ahead < r->in.len - r->at ? r->in.ptr[r->at + ahead] : '\0';
}

static bool
is_punctuation(char c)
{
	return !(c & 0x80) && !ascii_is_alpha(c) && !ascii_is_digit(c);
}

static bool
emit_char(struct reader *r, unsigned long c)
{
	if (c > 0x10ffff)
		return refuse(r, "has a character beyond \\x{10FFFF}");
	if (c > 0x7f)
		r->needs_utf = true;
	return buf_printf(&r->out, "\\x{%lx}", c) ? refuse(r, "is too long")
						  : true;
}

/* The input stands behind "\x". */
static bool
read_hex(struct reader *r)
{
	unsigned long c = 0;
	size_t n = 0, braces = peek(r, 0) == '{';

	r->at += braces;
	while (ascii_hex(peek(r, 0)) >= 0 && n < (braces ? 6u : 2u)) {
		c = c * 16 + (unsigned long)ascii_hex(peek(r, 0));
		r->at++;
		n++;
	}
	if (n == 0 || (!braces && n < 2) || (braces && peek(r, 0) != '}'))
		return refuse(r, "has a bad \\x escape");
	r->at += braces;
	return emit_char(r, c);
}

/* The input stands at the first digit behind "\". */
static bool
read_octal(struct reader *r)
{
	unsigned long c = 0;

	if (peek(r, 0) != '0' &&
	    (peek(r, 0) > '7' || peek(r, 1) < '0' || peek(r, 1) > '7'))
		return refuse(r, "has a backreference");
	for (size_t n = 0; n < 3 && peek(r, 0) >= '0' && peek(r, 0) <= '7'; n++)
		c = c * 8 + (unsigned long)(r->in.ptr[r->at++] - '0');
	return emit_char(r, c);
}

/* "\Q...\E", the input stands behind the Q. */
static bool
read_quoted(struct reader *r)
{
	while (r->at < r->in.len) {
		if (peek(r, 0) == '\\' && peek(r, 1) == 'E') {
			r->at += 2;
			return true;
		}
		if (is_punctuation(peek(r, 0)) && !emit(r, STR("\\")))
			return false;
		if (!copy(r, 1))
			return false;
	}
	return true;
}

/* "\pN", "\p{Greek}" and their negations; the input stands at the p. */
static bool
read_property(struct reader *r)
{
	size_t n = 2;

	if (peek(r, 1) == '{')
		while (peek(r, n) != '}') {
			if (r->at + ++n >= r->in.len)
				return refuse(r, "has an unclosed \\p{");
		}
	r->needs_utf = true;
	return emit(r, STR("\\")) && copy(r, n == 2 ? 2 : n + 1);
}

static bool
read_escape(struct reader *r)
{
	char c = peek(r, 1);

	if (r->at + 1 >= r->in.len)
		return refuse(r, "ends with a backslash");
	if (is_punctuation(c))
		return copy(r, 2);
	r->at++;
	if (ascii_is_digit(c))
		return read_octal(r);
	if (c == 'p' || c == 'P')
		return read_property(r);
	r->at++;
	switch (c) {
	case 'x':
		return read_hex(r);
	case 'Q':
		return read_quoted(r);
	case 'v':
		return emit(r, STR("\\x0b"));
	case 's':
		return emit(r, r->in_class ? STR("\\t\\n\\f\\r\\x20")
					   : STR("[\\t\\n\\f\\r\\x20]"));
	case 'S':
		return r->in_class ? refuse(r, "has \\S within a class")
				   : emit(r, STR("[^\\t\\n\\f\\r\\x20]"));
	case 'b':
	case 'B':
	case 'A':
	case 'z':
		if (r->in_class)
			return refuse(r, "has a bad escape within a class");
		break;
	case 'd':
	case 'D':
	case 'w':
	case 'W':
	case 'a':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		break;
	case 'K':
	case 'k':
	case 'g':
		return refuse(r, c == 'K' ? "has \\K" : "has a backreference");
	default:
		return refuse(r, "has an escape that RE2 does not know");
	}
	return emit(r, (struct str){ (char[]){ '\\', c }, 2 });
}

/* "[:alpha:]" within a class. */
static bool
read_posix_class(struct reader *r)
{
	size_t n = 2;

	while (ascii_is_alpha(peek(r, n)) || peek(r, n) == '^')
		n++;
	if (peek(r, n) != ':' || peek(r, n + 1) != ']')
		return emit(r, STR("\\")) && copy(r, 1);
	return copy(r, n + 2);
}

static bool
read_class(struct reader *r)
{
	bool first = true;

	if (!copy(r, peek(r, 1) == '^' ? 2 : 1))
		return false;
	r->in_class = true;
	for (; r->at < r->in.len; first = false) {
		bool ok;
		char c = peek(r, 0);

		if (c == ']' && !first) {
			r->in_class = false;
			return copy(r, 1);
		}
		if (c == '\\')
			ok = read_escape(r);
		else if (c == '[' && peek(r, 1) == ':')
			ok = read_posix_class(r);
		else if (c == '[' || (c == ']' && first))
			ok = emit(r, STR("\\")) && copy(r, 1);
		else
			ok = copy(r, 1);
		if (!ok)
			return false;
	}
	return refuse(r, "has an unclosed [");
}

/* "(", with what RE2 allows behind a "(?": flags, ":", a name. */
static bool
read_group(struct reader *r)
{
	size_t n = 2;

	if (peek(r, 1) == '*')
		return refuse(r, "has a verb (*...)");
	if (peek(r, 1) != '?')
		return copy(r, 1);
	if (peek(r, n) == 'P')
		n++;
	if (peek(r, n) == '<' && peek(r, n + 1) != '=' && peek(r, n + 1) != '!')
		return copy(r, n + 1);
	if (n == 3)
		return refuse(r, "has a backreference or recursion");
	while (peek(r, n) && strchr("imsU-", peek(r, n)))
		n++;
	if (peek(r, n) != ':' && peek(r, n) != ')')
		return refuse(r, strchr("=!<", peek(r, n)) && peek(r, n)
				     ? "has a lookaround"
				     : "has a group that RE2 does not know");
	return copy(r, n + 1);
}

/* Length of a counter "{n}", "{n,}" or "{n,m}" here, or 0. */
static size_t
counter_len(const struct reader *r, unsigned *max)
{
	unsigned value[2] = { 0, 0 };
	size_t n = 1, which = 0, digits = 0;

	for (;; n++) {
		char c = peek(r, n);
		if (ascii_is_digit(c)) {
			value[which] = value[which] * 10 + (unsigned)(c - '0');
			if (value[which] > COUNTER_MAX)
				value[which] = COUNTER_MAX + 1;
			digits++;
		} else if (c == ',' && which == 0 && digits) {
			which = 1;
		} else if (c == '}' && digits) {
			*max = value[0] > value[1] ? value[0] : value[1];
			return n + 1;
		} else {
			return 0;
		}
	}
}

/* A quantifier with its "?"; nothing that multiplies may follow it. */
static bool
read_quantifier(struct reader *r, size_t n)
{
	unsigned unused;

	if (peek(r, n) == '?')
		n++;
	if (!copy(r, n))
		return false;
	if (peek(r, 0) == '+')
		return refuse(r, "has a possessive quantifier");
	if (peek(r, 0) == '*' || peek(r, 0) == '?' ||
	    (peek(r, 0) == '{' && counter_len(r, &unused)))
		return refuse(r, "has a quantifier behind a quantifier");
	return true;
}

static bool
read_brace(struct reader *r)
{
	unsigned max;
	size_t n = counter_len(r, &max);

	if (n == 0)
		return emit(r, STR("\\")) && copy(r, 1);
	if (max > COUNTER_MAX)
		return refuse(r, "repeats more than 1000 times");
	return read_quantifier(r, n);
}

static bool
translate(struct reader *r)
{
	bool ok = true;

	while (ok && r->at < r->in.len) {
		switch (peek(r, 0)) {
		case '\\':
			ok = read_escape(r);
			break;
		case '[':
			ok = read_class(r);
			break;
		case '(':
			ok = read_group(r);
			break;
		case '*':
		case '+':
		case '?':
			ok = read_quantifier(r, 1);
			break;
		case '{':
			ok = read_brace(r);
			break;
		default:
			if (peek(r, 0) & 0x80)
				r->needs_utf = true;
			ok = copy(r, 1);
		}
	}
	return ok;
}

/* ---- compiling ---- */

static void
free_regex(void *ptr)
{
	struct regex *re = ptr;

	pcre2_match_context_free(re->limits);
	pcre2_code_free(re->code);
}

static enum err
compile(struct arena *arena, const struct reader *r, const struct regex **out,
    const char **why)
{
	struct str text = buf_bytes(&r->out);
	struct regex *re = ARENA_NEW(arena, struct regex);
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
	unsigned char message[160];
	int code;
	size_t at;

	if (!context)
		abort();
	(void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	if (r->needs_utf)
		options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	re->code = pcre2_compile(
	    (PCRE2_SPTR)text.ptr, text.len, options, &code, &at, context);
	pcre2_compile_context_free(context);
	if (!re->code) {
		(void)pcre2_get_error_message(code, message, sizeof(message));
		*why = arena_printf(arena, "is malformed: %s", message).ptr;
		return ERR_BAD;
	}
	re->is_utf = r->needs_utf;
	re->limits = pcre2_match_context_create(NULL);
	if (!re->limits)
		abort();
	(void)pcre2_set_match_limit(re->limits, STEPS_MAX);
	(void)pcre2_set_heap_limit(re->limits, HEAP_MAX_KIB);
	(void)pcre2_pattern_info(
	    re->code, PCRE2_INFO_CAPTURECOUNT, &re->groups);
	arena_cleanup(arena, free_regex, re);
	*out = re;
	return ERR_OK;
}

enum err
regex_compile(struct arena *arena, struct str pattern, const struct regex **out,
    const char **why)
{
	struct reader r = { .in = pattern };
	enum err err = ERR_BAD;

	*why = NULL;
	if (pattern.len > PATTERN_MAX) {
		*why = "is longer than 4096 bytes";
		return ERR_BAD;
	}
	buf_init(&r.out, (size_t)16 * PATTERN_MAX);
	if (translate(&r))
		err = compile(arena, &r, out, why);
	else
		*why = r.why;
	buf_free(&r.out);
	return err;
}

/* ---- matching ---- */

static pcre2_match_data *
match_data(void)
{
	if (!scratch)
		scratch = pcre2_match_data_create(GROUPS_MAX, NULL);
	if (!scratch)
		abort();
	return scratch;
}

static bool
search(const struct regex *re, struct str s, uint32_t options)
{
	PCRE2_SPTR text = (PCRE2_SPTR)(s.ptr ? s.ptr : "");
	int *workspace, found;

	found = pcre2_match(
	    re->code, text, s.len, 0, options, match_data(), re->limits);
	if (found != PCRE2_ERROR_MATCHLIMIT && found != PCRE2_ERROR_HEAPLIMIT)
		return found >= 0;
	workspace = malloc(WORKSPACE * sizeof(*workspace));
	if (!workspace)
		return false;
	found = pcre2_dfa_match(re->code, text, s.len, 0, options, match_data(),
	    re->limits, workspace, WORKSPACE);
	free(workspace);
	return found >= 0;
}

/* PCRE2 takes the byte before one that is no UTF-8 for an end: look again. */
/*
 * PCRE2 takes a subject apart at bytes that are not UTF-8, so that what is
 * anchored to the beginning may begin behind them.
 */
static bool
is_all(struct str s)
{
	const size_t *at = pcre2_get_ovector_pointer(match_data());

	return at[0] == 0 && at[1] == s.len;
}

bool
regex_matches(const struct regex *re, struct str s)
{
	return search(re, s, PCRE2_ANCHORED | PCRE2_ENDANCHORED) && is_all(s);
}

bool
regex_groups(
    const struct regex *re, struct str s, struct str groups[REGEX_GROUPS])
{
	const size_t *at = pcre2_get_ovector_pointer(match_data());
	int n = pcre2_match(re->code, (PCRE2_SPTR)(s.ptr ? s.ptr : ""), s.len,
	    0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, match_data(), re->limits);

	if (n < 0 || !is_all(s))
		return false;
	for (int i = 0; i < REGEX_GROUPS; i++)
		groups[i] = (!n || i < n) && (uint32_t)i <= re->groups &&
				    at[2 * i] != PCRE2_UNSET
				? str_slice(s, at[2 * i], at[2 * i + 1])
				: STR_NONE;
	return true;
}

bool
regex_finds(const struct regex *re, struct str s)
{
	return search(re, s, 0);
}

/* ---- replacing ---- */

/* Appends the substitution with the groups of the last match filled in. */
static enum err
append_substitution(
    struct buf *b, struct str s, struct str substitution, int n_groups)
{
	const size_t *at = pcre2_get_ovector_pointer(match_data());
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < substitution.len; i++) {
		char c = substitution.ptr[i];
		int group;

		if (c != '\\' || i + 1 == substitution.len) {
			err = buf_append_byte(b, c);
			continue;
		}
		c = substitution.ptr[++i];
		group = c - '0';
		if (!ascii_is_digit(c))
			err = buf_append_byte(b, c);
		else if (group < n_groups && at[2 * group] != PCRE2_UNSET)
			err = buf_append(
			    b, str_slice(s, at[2 * group], at[2 * group + 1]));
	}
	return err;
}

/* Where the character at offset at ends. */
static size_t
next_char(const struct regex *re, struct str s, size_t at)
{
	at++;
	while (re->is_utf && at < s.len && (s.ptr[at] & 0xc0) == 0x80)
		at++;
	return at;
}

/* The walk of RE2::GlobalReplace; an empty match right behind one is skipped. */
static enum err
replace_all(const struct regex *re, struct str s, struct str substitution,
    struct buf *out)
{
	const size_t *at = pcre2_get_ovector_pointer(match_data());
	size_t from = 0, last_end = SIZE_MAX;
	enum err err = ERR_OK;
	int n;

	while (!err && from <= s.len) {
		n = pcre2_match(re->code, (PCRE2_SPTR)s.ptr, s.len, from, 0,
		    match_data(), re->limits);
		if (n == PCRE2_ERROR_NOMATCH)
			break;
		if (n < 0)
			return ERR_FULL;
		err = buf_append(out, str_slice(s, from, at[0]));
		if (!err && at[0] == last_end && at[1] == at[0]) {
			from = next_char(re, s, at[1]);
			err = buf_append(out, str_slice(s, at[1], from));
			continue;
		}
		if (!err)
			err = append_substitution(
			    out, s, substitution, n ? n : GROUPS_MAX);
		from = last_end = at[1];
	}
	return err ? err : buf_append(out, str_slice(s, from, s.len));
}

struct str
regex_replace(struct arena *arena, const struct regex *re, struct str s,
    struct str substitution)
{
	struct str result = STR_NONE;
	struct buf out;

	if (!s.ptr)
		s = STR("");
	buf_init(&out, RESULT_MAX);
	if (!replace_all(re, s, substitution, &out))
		result = arena_str(arena, buf_bytes(&out));
	buf_free(&out);
	return result;
}

bool
regex_substitution_is_valid(const struct regex *re, struct str substitution)
{
	for (size_t i = 0; i < substitution.len; i++) {
		char c;

		if (substitution.ptr[i] != '\\')
			continue;
		if (++i == substitution.len)
			return false;
		c = substitution.ptr[i];
		if (c != '\\' &&
		    (!ascii_is_digit(c) || (uint32_t)(c - '0') > re->groups))
			return false;
	}
	return true;
}
