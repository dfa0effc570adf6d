/*
 * A template becomes a regular expression with a group for each variable, in
 * the order of the variables; a rewrite becomes literals and group numbers.
 */
#include "config.h"

#include "base/buf.h"
#include "base/regex.h"
#include "chain/template.h"
#include "config/messages.h"

enum { VARIABLES_MAX = 5, NAME_MAX_LEN = 16, TEXT_MAX = 256 };

/* The pchar of RFC 3986. */
#define SEGMENT_SET "a-zA-Z0-9\\-._~%!$&'()*+,;=:@"

struct template
{
	const struct regex *regex;
	struct str begin;
	struct str names[VARIABLES_MAX];
	size_t n_names;
};

/* A literal, or with a group number the text of that group. */
struct segment {
	struct str literal;
	size_t group; /* 0: none */
};

struct template_rewrite {
	struct segment *segments;
	size_t n;
};

/* ---- messages ---- */

struct conf_template {
	const struct node *node;
	struct str path_template, path_template_rewrite;
};

static const struct schema_field match_fields[] = {
	{ FIELD(SCHEMA_STR, conf_template, path_template), .min_items = 1,
	    .required = true,
	    .text = "Template of the path, such as /users/{id}/**." },
	{ .name = NULL },
};

static const struct schema_message match_message = {
	.name = "envoy.extensions.path.match.uri_template.v3."
		"UriTemplateMatchConfig",
	.size = sizeof(struct conf_template),
	.fields = match_fields,
};

static const struct schema_field rewrite_fields[] = {
	{ FIELD(SCHEMA_STR, conf_template, path_template_rewrite),
	    .min_items = 1, .required = true,
	    .text = "The new path, in which {id} is the variable's text." },
	{ .name = NULL },
};

static const struct schema_message rewrite_message = {
	.name = "envoy.extensions.path.rewrite.uri_template.v3."
		"UriTemplateRewriteConfig",
	.size = sizeof(struct conf_template),
	.fields = rewrite_fields,
};

static const struct conf_template *
decode(struct arena *arena, const struct conf_typed_extension *extension,
    const struct schema_message *message, struct diag *diag)
{
	const struct any *any = extension->typed_config;

	if (any && str_eq(any->type, str_of(message->name)))
		return schema_decode_any(arena, diag, message, any);
	diag_error(diag, any ? any->node->place : extension->node->place, NULL,
	    "Didn't find a registered implementation for '" STR_FMT
	    "' with type URL: '" STR_FMT "'",
	    STR_ARG(extension->name), STR_ARG(any ? any->type : STR("")));
	return NULL;
}

/* ---- matching ---- */

struct reader {
	struct str in;
	size_t at;
	struct buf out; /* the expression */
	struct template *template;
	bool is_literal; /* nothing but literals so far */
	bool had_text_glob;
};

static char
peek(const struct reader *r)
{
	return r->at < r->in.len ? r->in.ptr[r->at] : '\0';
}

static bool
is_segment_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (c && strchr("-._~%!$&'()*+,;=:@", c));
}

static bool
emit(struct reader *r, struct str text)
{
	return !buf_append(&r->out, text);
}

/* One or more characters of a segment. */
static bool
read_literal(struct reader *r)
{
	size_t from = r->at;

	for (; is_segment_char(peek(r)); r->at++)
		if ((strchr("$()*+.", peek(r)) && !emit(r, STR("\\"))) ||
		    !emit(r, str_slice(r->in, r->at, r->at + 1)))
			return false;
	return r->at > from;
}

/* "*" is one segment or the rest of one, "**" any number of them. */
static bool
read_glob(struct reader *r)
{
	r->is_literal = false;
	if (r->had_text_glob)
		return false;
	r->at++;
	if (peek(r) != '*')
		return emit(r, STR("[" SEGMENT_SET "]+"));
	r->at++;
	r->had_text_glob = true;
	return emit(r, STR("[" SEGMENT_SET "/]*"));
}

static bool
read_name(struct reader *r)
{
	struct template *t = r->template;
	size_t from = r->at;
	struct str name;

	while (ascii_is_alpha(peek(r)) ||
	       (r->at > from && (ascii_is_digit(peek(r)) || peek(r) == '_')))
		r->at++;
	name = str_slice(r->in, from, r->at);
	if (!name.len || name.len > NAME_MAX_LEN || t->n_names == VARIABLES_MAX)
		return false;
	for (size_t i = 0; i < t->n_names; i++)
		if (str_eq(t->names[i], name))
			return false;
	t->names[t->n_names++] = name;
	return true;
}

/* The pattern of a variable: segments of literals and globs. */
static bool
read_inner(struct reader *r)
{
	for (;;) {
		if (!(peek(r) == '*' ? read_glob(r) : read_literal(r)))
			return false;
		if (peek(r) == '}')
			return true;
		if (peek(r) != '/' || !emit(r, STR("/")))
			return false;
		r->at++;
	}
}

/* "{name}" or "{name=pattern}"; the first stands for "{name=*}". */
static bool
read_variable(struct reader *r)
{
	r->at++;
	r->is_literal = false;
	if (!read_name(r) || !emit(r, STR("(")))
		return false;
	if (peek(r) == '=') {
		r->at++;
		if (!read_inner(r))
			return false;
	} else if (r->had_text_glob || !emit(r, STR("[" SEGMENT_SET "]+"))) {
		return false;
	}
	if (peek(r) != '}')
		return false;
	r->at++;
	return emit(r, STR(")"));
}

/* A variable behind a literal ends in the same segment. */
static bool
closes_here(const struct reader *r)
{
	return str_find_char(r->in, '}', r->at) <
	       str_find_char(r->in, '/', r->at);
}

/*
 * A glob, which only the template's last text may follow directly, or a
 * variable with a literal before it, behind it, or both.
 */
static bool
read_segment(struct reader *r)
{
	if (peek(r) == '*') {
		if (!read_glob(r))
			return false;
		return r->at == r->in.len || peek(r) == '/' ||
		       (read_literal(r) && r->at == r->in.len);
	}
	if (peek(r) != '{') {
		if (!read_literal(r))
			return false;
		if (peek(r) != '{')
			return true;
		if (!closes_here(r))
			return false;
	}
	return read_variable(r) &&
	       (r->at == r->in.len || peek(r) == '/' || read_literal(r));
}

static bool
read_template(struct reader *r)
{
	while (peek(r) == '/') {
		r->at++;
		if (!emit(r, STR("/")))
			return false;
		if (r->is_literal)
			r->template->begin = str_slice(r->in, 0, r->at);
		if (r->at == r->in.len)
			return true;
		if (!read_segment(r))
			return false;
	}
	return r->at > 0 && r->at == r->in.len;
}

const struct template *
template_build(struct arena *arena,
    const struct conf_typed_extension *extension, struct diag *diag)
{
	const struct conf_template *conf =
	    decode(arena, extension, &match_message, diag);
	struct template *t = ARENA_NEW(arena, struct template);
	struct reader r = { .template = t, .is_literal = true };
	const char *why;
	bool ok;

	if (!conf || !conf->path_template.len)
		return NULL;
	r.in = conf->path_template;
	buf_init(&r.out, (size_t)64 * TEXT_MAX);
	ok = r.in.len <= TEXT_MAX && read_template(&r) &&
	     !regex_compile(
		 arena, arena_str(arena, buf_bytes(&r.out)), &t->regex, &why);
	buf_free(&r.out);
	if (ok)
		return t;
	diag_error(diag, conf->node->place, NULL,
	    "path_match_policy.path_template " STR_FMT " is invalid",
	    STR_ARG(conf->path_template));
	return NULL;
}

bool
template_matches(const struct template *t, struct str path)
{
	return regex_matches(t->regex, path);
}

struct str
template_begin(const struct template *t)
{
	return t->begin;
}

/* ---- rewriting ---- */

static size_t
group_of(const struct template *t, struct str name)
{
	for (size_t i = 0; i < t->n_names; i++)
		if (str_eq(t->names[i], name))
			return i + 1;
	return 0;
}

static bool
is_rewrite_literal(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_segment_char(s.ptr[i]) && s.ptr[i] != '/')
			return false;
	return s.len > 0;
}

/* False when the text is malformed or names a variable that t lacks. */
static bool
read_rewrite(
    struct template_rewrite *out, const struct template *t, struct str text)
{
	size_t at = 0, end;
	struct segment *s;

	if (!str_starts(text, STR("/")) ||
	    str_find(text, STR("//"), 0) < text.len)
		return false;
	while (at < text.len) {
		s = &out->segments[out->n++];
		end = str_find_char(text, '{', at);
		if (end > at) {
			s->literal = str_slice(text, at, end);
			if (!is_rewrite_literal(s->literal))
				return false;
			at = end;
			continue;
		}
		end = str_find_char(text, '}', at);
		s->group = group_of(t, str_slice(text, at + 1, end));
		if (end == text.len || !s->group)
			return false;
		at = end + 1;
	}
	return true;
}

const struct template_rewrite *
template_rewrite_build(struct arena *arena,
    const struct conf_typed_extension *extension, const struct template *t,
    struct diag *diag)
{
	const struct conf_template *conf =
	    decode(arena, extension, &rewrite_message, diag);
	struct template_rewrite *rewrite =
	    ARENA_NEW(arena, struct template_rewrite);

	if (!conf)
		return NULL;
	if (!t) {
		diag_error(diag, extension->node->place, NULL,
		    "path_rewrite_policy goes with a path_match_policy that "
		    "is a URI template");
		return NULL;
	}
	rewrite->segments = ARENA_ARRAY(
	    arena, conf->path_template_rewrite.len + 1, struct segment);
	if (conf->path_template_rewrite.len <= TEXT_MAX &&
	    read_rewrite(rewrite, t, conf->path_template_rewrite))
		return rewrite;
	diag_error(diag, conf->node->place, NULL,
	    "path_rewrite_policy.path_template_rewrite " STR_FMT
	    " is invalid or names a variable that the path_match_policy "
	    "does not have",
	    STR_ARG(conf->path_template_rewrite));
	return NULL;
}

struct str
template_rewritten(struct arena *arena, const struct template_rewrite *rewrite,
    const struct template *t, struct str path)
{
	struct str groups[REGEX_GROUPS], out = STR("");

	if (!regex_groups(t->regex, path, groups))
		return STR_NONE;
	for (size_t i = 0; i < rewrite->n; i++) {
		const struct segment *s = &rewrite->segments[i];

		out = arena_printf(arena, STR_FMT STR_FMT, STR_ARG(out),
		    STR_ARG(s->group ? groups[s->group] : s->literal));
	}
	return out;
}
