/*
 * Strict JSON: the grammar is checked here byte by byte, since cJSON is
 * lenient about numbers and control bytes; cJSON then builds the tree.
 */
#include "config.h"

#include <cjson/cJSON.h>

#include "http/jose.h"

enum { DEPTH_MAX = 32, MEMBERS_MAX = 256 };

static const char *const names[JOSE_ALG_N] = { "HS256", "HS384", "HS512",
	"RS256", "RS384", "RS512", "ES256", "ES384", "ES512" };

enum jose_alg
jose_alg_of(struct str name)
{
	int alg = 0;

	while (alg < JOSE_ALG_N && !str_eq(name, str_of(names[alg])))
		alg++;
	return (enum jose_alg)alg;
}

const char *
jose_alg_name(enum jose_alg alg)
{
	return alg < JOSE_ALG_N ? names[alg] : "none";
}

/* ---- the grammar of RFC 8259 ---- */

struct cursor {
	struct str text;
	size_t at;
	unsigned depth;
};

static int
peek(const struct cursor *c)
{
	return c->at < c->text.len ? (unsigned char)c->text.ptr[c->at] : -1;
}

static bool
take(struct cursor *c, char wanted)
{
	if (peek(c) != wanted)
		return false;
	c->at++;
	return true;
}

static void
skip_blanks(struct cursor *c)
{
	while (take(c, ' ') || take(c, '\t') || take(c, '\n') || take(c, '\r'))
		;
}

static bool
skip_digits(struct cursor *c)
{
	size_t from = c->at;

	while (peek(c) >= '0' && peek(c) <= '9')
		c->at++;
	return c->at > from;
}

static bool
skip_number(struct cursor *c)
{
	take(c, '-');
	if (!take(c, '0') && !skip_digits(c))
		return false;
	if (take(c, '.') && !skip_digits(c))
		return false;
	if (!take(c, 'e') && !take(c, 'E'))
		return true;
	if (!take(c, '+'))
		take(c, '-');
	return skip_digits(c);
}

/* The four digits behind "\u"; NUL is refused, cJSON checks surrogates. */
static bool
skip_hex4(struct cursor *c)
{
	int value = 0;

	for (int i = 0; i < 4; i++, c->at++) {
		int digit = peek(c) < 0 ? -1 : ascii_hex((char)peek(c));
		if (digit < 0)
			return false;
		value = value * 16 + digit;
	}
	return value != 0;
}

static bool
skip_string(struct cursor *c)
{
	if (!take(c, '"'))
		return false;
	while (!take(c, '"')) {
		if (peek(c) < ' ')
			return false;
		if (!take(c, '\\')) {
			c->at++;
			continue;
		}
		if (take(c, 'u')) {
			if (!skip_hex4(c))
				return false;
		} else if (peek(c) <= 0 || !strchr("\"\\/bfnrt", peek(c))) {
			return false;
		} else {
			c->at++;
		}
	}
	return true;
}

static bool
skip_word(struct cursor *c, struct str word)
{
	if (!str_starts(str_slice(c->text, c->at, c->text.len), word))
		return false;
	c->at += word.len;
	return true;
}

static bool skip_value(struct cursor *c);

/* The inside of an object or array, up to and with its closing bracket. */
static bool
skip_members(struct cursor *c, bool named, char close)
{
	skip_blanks(c);
	if (take(c, close))
		return true;
	do {
		skip_blanks(c);
		if (named) {
			if (!skip_string(c))
				return false;
			skip_blanks(c);
			if (!take(c, ':'))
				return false;
		}
		if (!skip_value(c))
			return false;
	} while (take(c, ','));
	return take(c, close);
}

static bool
skip_container(struct cursor *c)
{
	bool named = peek(c) == '{', ok;

	if (++c->depth > DEPTH_MAX)
		return false;
	c->at++;
	ok = skip_members(c, named, named ? '}' : ']');
	c->depth--;
	return ok;
}

static bool
skip_value(struct cursor *c)
{
	bool ok;

	skip_blanks(c);
	switch (peek(c)) {
	case '{':
	case '[':
		ok = skip_container(c);
		break;
	case '"':
		ok = skip_string(c);
		break;
	case 't':
		ok = skip_word(c, STR("true"));
		break;
	case 'f':
		ok = skip_word(c, STR("false"));
		break;
	case 'n':
		ok = skip_word(c, STR("null"));
		break;
	default:
		ok = skip_number(c);
	}
	skip_blanks(c);
	return ok;
}

static bool
is_one_object(struct str text)
{
	struct cursor c = { .text = text };

	skip_blanks(&c);
	return peek(&c) == '{' && skip_value(&c) && c.at == text.len;
}

/* ---- the tree ---- */

static bool
has_twins(const struct cJSON *object)
{
	const struct cJSON *a, *b;
	int n = 0;

	for (a = object->child; a; a = a->next) {
		if (++n > MEMBERS_MAX)
			return true;
		for (b = a->next; b; b = b->next)
			if (!strcmp(a->string, b->string))
				return true;
	}
	return false;
}

/* The depth is bounded by the grammar check. */
static bool
is_unambiguous(const struct cJSON *value)
{
	if (cJSON_IsObject(value) && has_twins(value))
		return false;
	for (const struct cJSON *v = value->child; v; v = v->next)
		if (v->child && !is_unambiguous(v))
			return false;
	return true;
}

static void
free_tree(void *tree)
{
	cJSON_Delete(tree);
}

const struct cJSON *
jose_object(struct arena *arena, struct str text)
{
	struct cJSON *tree;

	if (!is_one_object(text))
		return NULL;
	tree = cJSON_ParseWithLength(text.ptr, text.len);
	if (!tree)
		return NULL;
	arena_cleanup(arena, free_tree, tree);
	return is_unambiguous(tree) ? tree : NULL;
}

const struct cJSON *
jose_member(const struct cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

struct str
jose_string(const struct cJSON *value)
{
	return cJSON_IsString(value) ? str_of(value->valuestring) : STR_NONE;
}
