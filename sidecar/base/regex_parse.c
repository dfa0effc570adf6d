/* From a pattern to its tree, with the short cuts that RE2's parser takes. */
#include "config.h"

#include <stdio.h>

#include "base/regex_tree.h"

struct parser {
	struct arena *arena;
	struct str in;
	size_t at;
	unsigned flags;
	int captures;
	struct tree **stack; /* room for more than a byte can push */
	size_t n, room;
	bool failed;
};

bool
set_has(const struct set *s, unsigned byte)
{
	return s->bits[byte / 64] >> byte % 64 & 1;
}

void
set_add(struct set *s, unsigned from, unsigned to)
{
	for (unsigned byte = from; byte <= to && byte < 256; byte++)
		s->bits[byte / 64] |= (uint64_t)1 << byte % 64;
}

struct tree *
tree_new_of(struct arena *arena, enum tree_op op, unsigned flags)
{
	struct tree *t = ARENA_NEW(arena, struct tree);

	t->op = op;
	t->flags = flags;
	return t;
}

struct tree *
tree_join(struct arena *arena, enum tree_op op, struct tree **subs, size_t n,
    unsigned flags)
{
	struct tree *t;

	if (n == 1)
		return subs[0];
	if (n == 0)
		return tree_new_of(arena,
		    op == TREE_ALTERNATE ? TREE_NO_MATCH : TREE_EMPTY, flags);
	t = tree_new_of(arena, op, flags);
	t->subs = ARENA_ARRAY(arena, n, struct tree *);
	memcpy(t->subs, subs, n * sizeof(*subs));
	t->n = n;
	return t;
}

static bool
is_quantifier(const struct tree *t)
{
	return t->op == TREE_STAR || t->op == TREE_PLUS || t->op == TREE_QUEST;
}

static struct tree *
around(struct arena *arena, enum tree_op op, struct tree *sub, unsigned flags)
{
	struct tree *t = tree_new_of(arena, op, flags);

	t->subs = ARENA_NEW(arena, struct tree *);
	t->subs[0] = sub;
	t->n = 1;
	return t;
}

struct tree *
tree_quantify(
    struct arena *arena, enum tree_op op, struct tree *sub, unsigned flags)
{
	if (is_quantifier(sub) && flags == sub->flags) {
		if (op == sub->op || sub->op == TREE_STAR)
			return sub;
		return around(arena, TREE_STAR, sub->subs[0], flags);
	}
	return around(arena, op, sub, flags);
}

static bool
same_flag(const struct tree *a, const struct tree *b, unsigned flag)
{
	return ((a->flags ^ b->flags) & flag) == 0;
}

static bool
is_same_top(const struct tree *a, const struct tree *b)
{
	if (a->op != b->op || a->n != b->n)
		return false;
	switch ((int)a->op) {
	case TREE_LITERAL:
	case TREE_STRING:
		return str_eq(a->bytes, b->bytes) && same_flag(a, b, TREE_FOLD);
	case TREE_END_TEXT:
		return same_flag(a, b, TREE_WAS_DOLLAR);
	case TREE_STAR:
	case TREE_PLUS:
	case TREE_QUEST:
	case TREE_REPEAT:
		return same_flag(a, b, TREE_LAZY) && a->min == b->min &&
		       a->max == b->max;
	case TREE_CAPTURE:
		return a->min == b->min;
	case TREE_CLASS:
		return !memcmp(&a->set, &b->set, sizeof(a->set));
	default:
		return true;
	}
}

bool
tree_equal(const struct tree *a, const struct tree *b)
{
	if (!is_same_top(a, b))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!tree_equal(a->subs[i], b->subs[i]))
			return false;
	return true;
}

/* ---- the stack ---- */

static struct tree *
top(const struct parser *p, size_t down)
{
	return p->n > down ? p->stack[p->n - 1 - down] : NULL;
}

static bool
is_text(const struct tree *t)
{
	return t && (t->op == TREE_LITERAL || t->op == TREE_STRING);
}

/* Joins the two literals on top into a string. */
static void
join_texts(struct parser *p)
{
	struct tree *b = top(p, 0), *a = top(p, 1);
	struct tree *t;
	char *bytes;

	if (!is_text(a) || !is_text(b) || !same_flag(a, b, TREE_FOLD))
		return;
	t = tree_new_of(p->arena, TREE_STRING, a->flags);
	bytes = arena_alloc(p->arena, a->bytes.len + b->bytes.len);
	memcpy(bytes, a->bytes.ptr, a->bytes.len);
	memcpy(bytes + a->bytes.len, b->bytes.ptr, b->bytes.len);
	t->bytes = (struct str){ bytes, a->bytes.len + b->bytes.len };
	p->n--;
	p->stack[p->n - 1] = t;
}

static struct tree *
literal(struct parser *p, unsigned byte, unsigned flags)
{
	struct tree *t = tree_new_of(p->arena, TREE_LITERAL, flags);
	char c = (char)byte;

	t->bytes = arena_str(p->arena, (struct str){ &c, 1 });
	return t;
}

/* A class of one byte is a literal; so is one of a letter's two cases. */
static struct tree *
simplified(struct parser *p, struct tree *t)
{
	unsigned first = 0;
	int n = 0;

	if (t->op != TREE_CLASS || t->min)
		return t;
	for (unsigned byte = 256; byte-- > 0;)
		if (set_has(&t->set, byte)) {
			first = byte;
			n++;
		}
	if (n == 1)
		return literal(p, first, p->flags);
	if (n == 2 && first >= 'A' && first <= 'Z' &&
	    set_has(&t->set, first + 'a' - 'A'))
		return literal(p, first + 'a' - 'A', p->flags | TREE_FOLD);
	return t;
}

static void
push(struct parser *p, struct tree *t)
{
	join_texts(p);
	if (p->n == p->room)
		p->failed = true;
	else
		p->stack[p->n++] = simplified(p, t);
}

static void
push_op(struct parser *p, enum tree_op op)
{
	push(p, tree_new_of(p->arena, op, p->flags));
}

/* A range, with the other case of its letters where case is folded. */
static void
add_range(struct set *set, unsigned from, unsigned to, unsigned flags)
{
	set_add(set, from, to);
	for (unsigned c = from; (flags & TREE_FOLD) && c <= to && c < 128;
	     c++) {
		unsigned other = ascii_is_alpha((char)c) ? c ^ 0x20 : c;

		set_add(set, other, other);
	}
}

static void
push_literal(struct parser *p, unsigned byte)
{
	struct tree *t;

	if (!(p->flags & TREE_FOLD) || byte > 127 ||
	    !ascii_is_alpha((char)byte)) {
		push(p, literal(p, byte, p->flags));
		return;
	}
	t = tree_new_of(p->arena, TREE_CLASS, p->flags & ~(unsigned)TREE_FOLD);
	add_range(&t->set, byte, byte, p->flags);
	push(p, t);
}

static bool
is_marker(const struct tree *t)
{
	return t->op == TREE_PAREN || t->op == TREE_BAR;
}

/* Makes one of all that stands above the last marker. */
static void
collapse(struct parser *p, enum tree_op op)
{
	size_t from = p->n, n = 0;
	struct tree **subs;

	while (from && !is_marker(p->stack[from - 1])) {
		from--;
		n += p->stack[from]->op == op ? p->stack[from]->n : 1;
	}
	if (from + 1 == p->n)
		return;
	subs = ARENA_ARRAY(p->arena, n + 1, struct tree *);
	n = 0;
	for (size_t i = from; i < p->n; i++) {
		struct tree *t = p->stack[i];

		if (t->op != op)
			subs[n++] = t;
		for (size_t j = 0; t->op == op && j < t->n; j++)
			subs[n++] = t->subs[j];
	}
	if (op == TREE_ALTERNATE && n > 1)
		n = tree_factor(p->arena, subs, n, p->flags);
	p->n = from;
	p->stack[p->n++] = tree_join(p->arena, op, subs, n, p->flags);
}

static bool
is_absorbed(const struct tree *any, const struct tree *other)
{
	return any->op == TREE_ANY &&
	       (other->op == TREE_LITERAL || other->op == TREE_CLASS ||
		   other->op == TREE_ANY);
}

/* Finishes an alternative; those before it stand below the bar. */
static void
end_alternative(struct parser *p)
{
	struct tree *now, *bar, *before;

	join_texts(p);
	if (!p->n || is_marker(top(p, 0)))
		push_op(p, TREE_EMPTY);
	collapse(p, TREE_CONCAT);
	now = top(p, 0);
	bar = top(p, 1);
	before = top(p, 2);
	if (!bar || bar->op != TREE_BAR) {
		push_op(p, TREE_BAR);
		return;
	}
	p->n--;
	if (before && is_absorbed(before, now))
		return;
	p->stack[p->n - 1] = now;
	if (before && is_absorbed(now, before)) {
		p->stack[p->n - 2] = now;
		p->n--;
	}
	if (p->n < p->room)
		p->stack[p->n++] = bar;
}

static void
end_alternation(struct parser *p)
{
	end_alternative(p);
	p->n--;
	collapse(p, TREE_ALTERNATE);
}

static void
end_group(struct parser *p)
{
	struct tree *inner, *paren;

	end_alternation(p);
	inner = top(p, 0);
	paren = top(p, 1);
	if (!paren || paren->op != TREE_PAREN) {
		p->failed = true;
		return;
	}
	p->n -= 2;
	p->flags = paren->flags;
	if (paren->min) {
		paren->op = TREE_CAPTURE;
		paren->subs = ARENA_NEW(p->arena, struct tree *);
		paren->subs[0] = inner;
		paren->n = 1;
		inner = paren;
	}
	push(p, inner);
}

/* ---- reading ---- */

static char
peek(const struct parser *p, size_t ahead)
{
	return p->at + ahead < p->in.len ? p->in.ptr[p->at + ahead] : '\0';
}

static bool
take(struct parser *p, const char *text)
{
	struct str rest = str_slice(p->in, p->at, p->in.len);

	if (!str_starts(rest, str_of(text)))
		return false;
	p->at += strlen(text);
	return true;
}

static void
open_group(struct parser *p, bool captures)
{
	struct tree *t = tree_new_of(p->arena, TREE_PAREN, p->flags);

	t->min = captures ? ++p->captures : 0;
	push(p, t);
}

static unsigned
flag_of(char c)
{
	switch (c) {
	case 'i':
		return TREE_FOLD;
	case 'm':
		return TREE_ONE_LINE;
	case 's':
		return TREE_DOT_ALL;
	case 'U':
		return TREE_LAZY;
	default:
		return 0;
	}
}

/* What stands behind "(?": flags, and perhaps a group. */
static void
read_flags(struct parser *p)
{
	unsigned flags = p->flags;
	bool negated = false;

	for (;;) {
		char c = peek(p, 0);
		unsigned flag = flag_of(c);

		p->at++;
		if (c == ':' || c == ')') {
			if (c == ':')
				open_group(p, false);
			p->flags = flags;
			return;
		}
		if (c == '-') {
			negated = true;
		} else if (!flag) {
			p->failed = true;
			return;
		} else if (negated != (flag == TREE_ONE_LINE)) {
			flags &= ~flag;
		} else {
			flags |= flag;
		}
	}
}

static void
read_group(struct parser *p)
{
	if (take(p, "(?P<") || take(p, "(?<")) {
		p->at = str_find_char(p->in, '>', p->at) + 1;
		open_group(p, true);
	} else if (take(p, "(?")) {
		read_flags(p);
	} else {
		p->at++;
		open_group(p, true);
	}
}

static void
quantify(struct parser *p, enum tree_op op)
{
	struct tree *t = top(p, 0);
	unsigned flags = p->flags;

	p->at++;
	if (take(p, "?"))
		flags ^= TREE_LAZY;
	if (!t || is_marker(t)) {
		p->failed = true;
		return;
	}
	p->stack[p->n - 1] = tree_quantify(p->arena, op, t, flags);
}

static bool
read_number(struct parser *p, int *out)
{
	int value = 0;
	size_t from = p->at;

	while (ascii_is_digit(peek(p, 0)) && value < 100000)
		value = value * 10 + (p->in.ptr[p->at++] - '0');
	*out = value;
	return p->at > from;
}

/* "{2}", "{2,}" or "{2,3}"; anything else is text. */
static bool
read_counter(struct parser *p, int *min, int *max)
{
	size_t from = p->at++;

	if (read_number(p, min)) {
		*max = *min;
		if (take(p, ",") && !read_number(p, max))
			*max = -1;
		if (take(p, "}"))
			return true;
	}
	p->at = from;
	return false;
}

static void
repeat(struct parser *p)
{
	struct tree *sub = top(p, 0), *t;
	unsigned flags = p->flags;
	int min, max;

	if (!read_counter(p, &min, &max)) {
		push_literal(p, '{');
		p->at++;
		return;
	}
	if (take(p, "?"))
		flags ^= TREE_LAZY;
	if (!sub || is_marker(sub) || min > 1000 || max > 1000) {
		p->failed = true;
		return;
	}
	t = tree_new_of(p->arena, TREE_REPEAT, flags);
	t->min = min;
	t->max = max;
	t->subs = ARENA_NEW(p->arena, struct tree *);
	t->subs[0] = sub;
	t->n = 1;
	p->stack[p->n - 1] = t;
}

static void
invert(struct set *s)
{
	for (size_t i = 0; i < 4; i++)
		s->bits[i] = ~s->bits[i];
}

static void
merge(struct set *into, const struct set *from)
{
	for (size_t i = 0; i < 4; i++)
		into->bits[i] |= from->bits[i];
}

/* Adds ranges written as "azAZ", or all but them. */
static void
add_ranges(struct set *set, const char *ranges, bool inverted, unsigned flags)
{
	struct set own = { { 0 } };

	for (; *ranges; ranges += 2)
		add_range(&own, (unsigned char)ranges[0],
		    (unsigned char)ranges[1], inverted ? 0 : flags);
	if (inverted)
		invert(&own);
	merge(set, &own);
}

/* \d, \s, \w and their opposites. */
static bool
take_perl_class(struct parser *p, struct set *set)
{
	char c = peek(p, 0) == '\\' ? peek(p, 1) : '\0';
	const char *ranges;

	switch (c) {
	case 'd':
	case 'D':
		ranges = "09";
		break;
	case 's':
	case 'S':
		ranges = "\t\n\f\r  ";
		break;
	case 'w':
	case 'W':
		ranges = "azAZ09__";
		break;
	default:
		return false;
	}
	p->at += 2;
	add_ranges(set, ranges, c < 'a', 0);
	return true;
}

/* [:alpha:] and the like, within a class. */
static bool
take_posix_class(struct parser *p, struct set *set)
{
	static const char *const classes[][2] = { { "alnum", "azAZ09" },
		{ "alpha", "azAZ" }, { "ascii", "\x01\x7f" },
		{ "blank", "\t\t  " }, { "cntrl", "\x01\x1f\x7f\x7f" },
		{ "digit", "09" }, { "graph", "!~" }, { "lower", "az" },
		{ "print", " ~" }, { "punct", "!/:@[`{~" },
		{ "space", "\t\r  " }, { "upper", "AZ" },
		{ "word", "azAZ09__" }, { "xdigit", "09afAF" } };

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		for (int inverted = 0; inverted < 2; inverted++) {
			char name[16];

			(void)snprintf(name, sizeof(name), "[:%s%s:]",
			    inverted ? "^" : "", classes[i][0]);
			if (!take(p, name))
				continue;
			add_ranges(set, classes[i][1], inverted, p->flags);
			/* The list cannot hold a NUL. */
			if ((i == 2 || i == 4) && !inverted)
				set_add(set, 0, 0);
			if ((i == 2 || i == 4) && inverted)
				set->bits[0] &= ~(uint64_t)1;
			return true;
		}
	return false;
}

static unsigned
read_hex(struct parser *p)
{
	unsigned value = 0;
	bool braced = take(p, "{");

	for (int i = 0; braced ? peek(p, 0) != '}' : i < 2; i++) {
		int digit = ascii_hex(peek(p, 0));

		if (digit < 0 || value > 255) {
			p->failed = true;
			return 0;
		}
		value = value * 16 + (unsigned)digit;
		p->at++;
	}
	if (braced)
		p->at++;
	if (value > 255)
		p->failed = true;
	return value;
}

static unsigned
read_octal(struct parser *p)
{
	unsigned value = 0;

	for (int i = 0; i < 3 && peek(p, 0) >= '0' && peek(p, 0) <= '7'; i++)
		value = value * 8 + (unsigned)(p->in.ptr[p->at++] - '0');
	return value & 255;
}

/* The byte that a backslash and what follows stand for. */
static unsigned
read_escape(struct parser *p)
{
	static const char shorts[] = "a\af\fn\nr\rt\tv\v";
	char c = peek(p, 1);

	p->at += 2;
	if (c == 'x')
		return read_hex(p);
	if (c >= '0' && c <= '7') {
		p->at--;
		return read_octal(p);
	}
	for (size_t i = 0; i + 1 < sizeof(shorts); i += 2)
		if (shorts[i] == c)
			return (unsigned char)shorts[i + 1];
	if (ascii_is_alpha(c) || ascii_is_digit(c) || !c)
		p->failed = true;
	return (unsigned char)c;
}

static unsigned
read_byte(struct parser *p)
{
	return peek(p, 0) == '\\' ? read_escape(p)
				  : (unsigned char)p->in.ptr[p->at++];
}

static void
read_class(struct parser *p)
{
	struct tree *t =
	    tree_new_of(p->arena, TREE_CLASS, p->flags & ~(unsigned)TREE_FOLD);
	bool inverted;

	p->at++;
	inverted = take(p, "^");
	for (bool first = true;
	     !p->failed && p->at < p->in.len && (first || peek(p, 0) != ']');
	     first = false) {
		unsigned from, to;

		if (peek(p, 0) == '\\' && strchr("pP", peek(p, 1)))
			p->failed = true;
		if (take_posix_class(p, &t->set) || take_perl_class(p, &t->set))
			continue;
		from = to = read_byte(p);
		if (peek(p, 0) == '-' && peek(p, 1) && peek(p, 1) != ']') {
			p->at++;
			to = read_byte(p);
		}
		add_range(&t->set, from, to, p->flags);
	}
	if (!take(p, "]"))
		p->failed = true;
	if (inverted)
		invert(&t->set);
	push(p, t);
}

static void
push_dot(struct parser *p)
{
	struct tree *t;

	if (p->flags & TREE_DOT_ALL) {
		push_op(p, TREE_ANY);
		return;
	}
	t = tree_new_of(p->arena, TREE_CLASS, p->flags & ~(unsigned)TREE_FOLD);
	set_add(&t->set, '\n', '\n');
	invert(&t->set);
	push(p, t);
}

static void
push_dollar(struct parser *p)
{
	if (p->flags & TREE_ONE_LINE)
		push(p, tree_new_of(p->arena, TREE_END_TEXT,
			    p->flags | TREE_WAS_DOLLAR));
	else
		push_op(p, TREE_END_LINE);
}

static void
read_quoted(struct parser *p)
{
	while (p->at < p->in.len && !take(p, "\\E"))
		push_literal(p, (unsigned char)p->in.ptr[p->at++]);
}

static void
read_backslash(struct parser *p)
{
	struct tree *t;

	if (take(p, "\\b")) {
		push_op(p, TREE_WORD);
	} else if (take(p, "\\B")) {
		push_op(p, TREE_NOT_WORD);
	} else if (take(p, "\\A")) {
		push_op(p, TREE_BEGIN_TEXT);
	} else if (take(p, "\\z")) {
		push_op(p, TREE_END_TEXT);
	} else if (take(p, "\\Q")) {
		read_quoted(p);
	} else {
		t = tree_new_of(
		    p->arena, TREE_CLASS, p->flags & ~(unsigned)TREE_FOLD);
		if (take_perl_class(p, &t->set))
			push(p, t);
		else
			push_literal(p, read_escape(p));
	}
}

static void
read_one(struct parser *p)
{
	char c = peek(p, 0);

	switch (c) {
	case '(':
		read_group(p);
		return;
	case '[':
		read_class(p);
		return;
	case '*':
		quantify(p, TREE_STAR);
		return;
	case '+':
		quantify(p, TREE_PLUS);
		return;
	case '?':
		quantify(p, TREE_QUEST);
		return;
	case '{':
		repeat(p);
		return;
	case '\\':
		read_backslash(p);
		return;
	default:
		break;
	}
	p->at++;
	if (c == '|')
		end_alternative(p);
	else if (c == ')')
		end_group(p);
	else if (c == '^')
		push_op(p, p->flags & TREE_ONE_LINE ? TREE_BEGIN_TEXT
						    : TREE_BEGIN_LINE);
	else if (c == '$')
		push_dollar(p);
	else if (c == '.')
		push_dot(p);
	else
		push_literal(p, (unsigned char)c);
}

struct tree *
tree_parse(struct arena *arena, struct str pattern)
{
	struct parser p = {
		.arena = arena, .in = pattern, .flags = TREE_ONE_LINE
	};

	p.room = 2 * pattern.len + 4;
	p.stack = ARENA_ARRAY(arena, p.room, struct tree *);
	while (p.at < pattern.len && !p.failed)
		read_one(&p);
	if (p.failed)
		return NULL;
	end_alternation(&p);
	return p.n == 1 && !p.failed ? p.stack[0] : NULL;
}
