/*
 * Rules of fields: Envoy's, in the words of protoc-gen-validate, and those of our
 * own rows.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/regex.h"
#include "config/scalar.h"
#include "config/schema_decoder.h"

/* "StatPrefix" of "stat_prefix". */
static struct str
camel(struct decoder *d, const char *name)
{
	char *out = arena_alloc(d->arena, strlen(name) + 1);
	size_t len = 0;
	bool upper = true;

	for (; *name; name++) {
		char c = *name;

		if (c == '_') {
			upper = true;
			continue;
		}
		if (upper && c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		upper = false;
		out[len++] = c;
	}
	return (struct str){ out, len };
}

static const char *
last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

/* "[3]" at the end of the path of a list's item, else "". */
static const char *
index_of(const struct decoder *d, enum api_about about)
{
	const char *at = about == API_WHOLE ? NULL : strrchr(d->path, '[');

	return at ? at : "";
}

static void broken(struct decoder *, const struct shape *, const struct field *,
    enum api_about, const struct node *, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Says that a rule is broken, for Envoy's messages in its own sentence. */
static void
broken(struct decoder *d, const struct shape *s, const struct field *f,
    enum api_about about, const struct node *n, const char *format, ...)
{
	va_list args;
	struct str text;

	va_start(args, format);
	text = arena_vprintf(d->arena, format, args);
	va_end(args);
	if (!f->api) {
		diag_error(d->diag, n->place, d->path, "%s" STR_FMT,
		    d->api ? "not supported: " : "", STR_ARG(text));
		return;
	}
	diag_error(d->diag, n->place, d->path,
	    "Proto constraint validation failed (%sValidationError." STR_FMT
	    "%s: " STR_FMT ")",
	    last_part(s->api->name), STR_ARG(camel(d, f->api->name)),
	    index_of(d, about), STR_ARG(text));
	if (n->place.line == s->node->place.line &&
	    n->place.column == s->node->place.column)
		diag_hint(d->diag, "`%s` is missing", f->api->name);
}

void
schema_required(struct decoder *d, const struct shape *s, const struct field *f)
{
	if (f->api)
		broken(d, s, f, API_WHOLE, s->node, "value is required");
	else
		diag_error(d->diag, s->node->place, d->path,
		    "`%s`: value is required", f->row->name);
}

/* A bound as Envoy writes it: durations as in "1h0m0s". */
static struct str
bound(struct decoder *d, const struct api_field *f, const struct api_rule *r)
{
	int64_t ms = (int64_t)(r->number * 1000 + 0.5);
	int64_t s = ms / 1000;

	if (f->type != API_DURATION)
		return str_of(r->text);
	if (ms > 0 && ms < 1000)
		return arena_printf(d->arena, "%" PRId64 "ms", ms);
	if (ms % 1000)
		return arena_printf(d->arena, "%.9gs", r->number);
	if (s >= 3600)
		return arena_printf(d->arena, "%" PRId64 "h%dm%ds", s / 3600,
		    (int)(s / 60 % 60), (int)(s % 60));
	if (s >= 60)
		return arena_printf(
		    d->arena, "%" PRId64 "m%ds", s / 60, (int)(s % 60));
	return arena_printf(d->arena, "%" PRId64 "s", s);
}

static bool
is_within(const struct api_rule *low, const struct api_rule *high, double value)
{
	if (low && (value < low->number ||
		       (low->kind == API_GT && value <= low->number)))
		return false;
	return !high || value < high->number ||
	       (high->kind == API_LE && value <= high->number);
}

static void
check_number(struct decoder *d, const struct shape *s, const struct field *f,
    enum api_about about, const struct node *n, double value)
{
	const struct api_rule *gt = api_rule(f->api, about, API_GT);
	const struct api_rule *ge = api_rule(f->api, about, API_GE);
	const struct api_rule *lt = api_rule(f->api, about, API_LT);
	const struct api_rule *le = api_rule(f->api, about, API_LE);
	const struct api_rule *low = gt ? gt : ge, *high = lt ? lt : le;
	struct str lower, upper;

	if (is_within(low, high, value))
		return;
	lower = low ? bound(d, f->api, low) : STR_NONE;
	upper = high ? bound(d, f->api, high) : STR_NONE;
	if (low && high)
		broken(d, s, f, about, n,
		    "value must be inside range %c" STR_FMT ", " STR_FMT "%c",
		    gt ? '(' : '[', STR_ARG(lower), STR_ARG(upper),
		    lt ? ')' : ']');
	else if (low)
		broken(d, s, f, about, n,
		    "value must be greater than %s" STR_FMT,
		    gt ? "" : "or equal to ", STR_ARG(lower));
	else
		broken(d, s, f, about, n, "value must be less than %s" STR_FMT,
		    lt ? "" : "or equal to ", STR_ARG(upper));
}

static size_t
count_characters(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return n;
}

static void
check_length(struct decoder *d, const struct shape *s, const struct field *f,
    enum api_about about, const struct node *n)
{
	static const struct {
		enum api_rule_kind min, max;
		const char *unit;
	} units[] = {
		{ API_MIN_LEN, API_MAX_LEN, "characters" },
		{ API_MIN_BYTES, API_MAX_BYTES, "bytes" },
	};

	for (size_t i = 0; i < 2; i++) {
		const struct api_rule *min =
		    api_rule(f->api, about, units[i].min);
		const struct api_rule *max =
		    api_rule(f->api, about, units[i].max);
		double len = i ? (double)n->scalar.len
			       : (double)count_characters(n->scalar);

		if ((!min || len >= min->number) &&
		    (!max || len <= max->number))
			continue;
		if (min && max)
			broken(d, s, f, about, n,
			    "value length must be between %s and %s %s, "
			    "inclusive",
			    min->text, max->text, units[i].unit);
		else if (min)
			broken(d, s, f, about, n,
			    "value length must be at least %s %s", min->text,
			    units[i].unit);
		else
			broken(d, s, f, about, n,
			    "value length must be at most %s %s", max->text,
			    units[i].unit);
	}
}

static bool
is_in_list(struct str word, const char *list)
{
	struct str rest = str_of(list);

	while (rest.ptr)
		if (str_eq(word, str_split(&rest, '|')))
			return true;
	return false;
}

/* "[a b]" of "a|b". */
static struct str
listing(struct decoder *d, const char *list)
{
	char *copy = arena_cstr(d->arena, str_of(list));

	for (char *c = copy; *c; c++)
		if (*c == '|')
			*c = ' ';
	return str_of(copy);
}

static const char *
pattern_of(const struct api_rule *r)
{
	switch ((int)r->kind) {
	case API_PATTERN:
		return r->text;
	case API_HEADER_NAME:
		return "^:?[0-9a-zA-Z!#$%&'*+-.^_|~\\x60]+$";
	case API_HEADER_VALUE:
		return "^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$";
	case API_LOOSE_HEADER_NAME:
	case API_LOOSE_HEADER_VALUE:
		return "^[^\\x00\\n\\r]*$";
	default:
		return NULL;
	}
}

/* The header rules by hand, since they are met at every header. */
static bool
is_header_text(const struct api_rule *r, struct str s)
{
	static const char marks[] = "!#$%&'*+,-.^_|~`";
	bool is_name = r->kind == API_HEADER_NAME;
	bool is_value = r->kind == API_HEADER_VALUE;
	size_t from = is_name && s.len > 1 && s.ptr[0] == ':' ? 1 : 0;

	if (s.len == 0)
		return !is_name;
	for (size_t i = from; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '\0' || c == '\n' || c == '\r')
			return false;
		if (is_name && !ascii_is_alpha(c) && !ascii_is_digit(c) &&
		    !strchr(marks, c))
			return false;
		if (is_value &&
		    (((unsigned char)c < ' ' && c != '\t') || c == 0x7f))
			return false;
	}
	return true;
}

static bool
matches(struct decoder *d, const struct api_rule *r, struct str s)
{
	const struct regex *regex;
	const char *why;

	if (r->kind != API_PATTERN)
		return is_header_text(r, s);
	if (regex_compile(d->arena, str_of(r->text), &regex, &why))
		return true;
	return regex_finds(regex, s);
}

static void
check_text(struct decoder *d, const struct shape *s, const struct field *f,
    enum api_about about, const struct api_rule *r, const struct node *n)
{
	const char *pattern = pattern_of(r);

	if (pattern && !matches(d, r, n->scalar))
		broken(d, s, f, about, n,
		    "value does not match regex pattern \"%s\"", pattern);
	else if (r->kind == API_PREFIX &&
		 !str_starts(n->scalar, str_of(r->text)))
		broken(d, s, f, about, n, "value does not have prefix \"%s\"",
		    r->text);
	else if (r->kind == API_SUFFIX && !str_ends(n->scalar, str_of(r->text)))
		broken(d, s, f, about, n, "value does not have suffix \"%s\"",
		    r->text);
	else if (r->kind == API_IN && !is_in_list(n->scalar, r->text))
		broken(d, s, f, about, n, "value must be in list [" STR_FMT "]",
		    STR_ARG(listing(d, r->text)));
	else if (r->kind == API_NOT_IN && is_in_list(n->scalar, r->text))
		broken(d, s, f, about, n,
		    "value must not be in list [" STR_FMT "]",
		    STR_ARG(listing(d, r->text)));
}

static void
check_string(struct decoder *d, const struct shape *s, const struct field *f,
    enum api_about about, const struct node *n)
{
	if (n->scalar.len == 0 && api_rule(f->api, about, API_IGNORE_EMPTY))
		return;
	check_length(d, s, f, about, n);
	for (unsigned i = 0; i < f->api->n_rules; i++) {
		const struct api_rule *r = &api_rules[f->api->rule + i];

		if (r->about == about)
			check_text(d, s, f, about, r, n);
	}
}

static void
check_enum(struct decoder *d, const struct shape *s, const struct field *f,
    enum api_about about, const struct node *n)
{
	const struct api_rule *banned = api_rule(f->api, about, API_NOT_IN);
	const struct api_value *value =
	    n->scalar.len ? api_find_value(f->api, n->scalar) : NULL;
	int64_t number = value ? value->number : 0;
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, number);
	if (banned && is_in_list(str_of(text), banned->text))
		broken(d, s, f, about, n, "value must not be in list [%s]",
		    value ? value->name : banned->text);
}

static void
check_api(struct decoder *d, const struct shape *s, const struct field *f,
    enum api_about about, const struct node *n)
{
	const struct api_rule *constant;
	double number = 0;
	int64_t ns = 0;
	bool is_true = false;

	if (about == API_KEY) {
		check_string(d, s, f, about, n);
		return;
	}
	switch (f->api->type) {
	case API_INT32:
	case API_INT64:
	case API_UINT32:
	case API_UINT64:
	case API_FLOAT:
	case API_DOUBLE:
		if (scalar_to_double(n->scalar, &number) &&
		    (number > 0 || number < 0 ||
			!api_rule(f->api, about, API_IGNORE_EMPTY)))
			check_number(d, s, f, about, n, number);
		return;
	case API_DURATION:
		if (schema_duration(d, n, &ns))
			check_number(
			    d, s, f, about, n, (double)ns / (double)NS_PER_S);
		return;
	case API_BOOL:
		constant = api_rule(f->api, about, API_CONST);
		if (constant &&
		    !(scalar_to_bool(n->scalar, &is_true) && is_true))
			broken(d, s, f, about, n, "value must equal true");
		return;
	case API_STRING:
	case API_BYTES:
		check_string(d, s, f, about, n);
		return;
	case API_ENUM:
		check_enum(d, s, f, about, n);
		return;
	case API_MESSAGE:
	case API_ANY:
	case API_STRUCT:
	case API_VALUE:
	case API_EMPTY:
	case API_OPAQUE:
		return;
	}
}

/* A row's bounds, of a number or of a duration in seconds. */
static void
check_row_range(struct decoder *d, const struct shape *s, const struct field *f,
    const struct node *n, double value)
{
	const struct schema_field *row = f->row;

	if ((!(row->min < 0) && !(row->min > 0) && !(row->max > 0)) ||
	    (value >= row->min && (row->max <= row->min || value <= row->max)))
		return;
	if (row->min > 0 && row->min < 1e-6)
		broken(d, s, f, API_WHOLE, n, "value must be greater than 0");
	else if (row->max <= row->min)
		broken(d, s, f, API_WHOLE, n,
		    "value must be greater than or equal to %.15g", row->min);
	else
		broken(d, s, f, API_WHOLE, n,
		    "value must be inside range [%.15g, %.15g]", row->min,
		    row->max);
}

static void
check_row(struct decoder *d, const struct shape *s, const struct field *f,
    const struct node *n)
{
	double number;
	int64_t ns;

	switch (f->row->type) {
	case SCHEMA_U32:
	case SCHEMA_U64:
	case SCHEMA_I64:
	case SCHEMA_DOUBLE:
		if (scalar_to_double(n->scalar, &number))
			check_row_range(d, s, f, n, number);
		return;
	case SCHEMA_DURATION:
		if (schema_duration(d, n, &ns))
			check_row_range(
			    d, s, f, n, (double)ns / (double)NS_PER_S);
		return;
	case SCHEMA_STR:
		if (f->row->label == SCHEMA_ONE &&
		    n->scalar.len < f->row->min_items)
			broken(d, s, f, API_WHOLE, n,
			    "value length must be at least %zu characters",
			    f->row->min_items);
		return;
	case SCHEMA_BOOL:
	case SCHEMA_BYTES:
	case SCHEMA_ENUM:
	case SCHEMA_MESSAGE:
	case SCHEMA_ANY:
	case SCHEMA_NODE:
		return;
	}
}

/* A row may be stricter than Envoy, which then has not complained. */
void
schema_check_value(struct decoder *d, const struct shape *s,
    const struct field *f, enum api_about about, const struct node *n)
{
	const struct field own = { NULL, f->row };
	size_t before = diag_errors(d->diag);

	if (f->api)
		check_api(d, s, f, about, n);
	if (f->row && about != API_KEY && diag_errors(d->diag) == before)
		check_row(d, s, &own, n);
}

static int
by_text(const void *left, const void *right)
{
	const struct str *a = left, *b = right;

	return str_cmp(*a, *b);
}

static void
check_unique(struct decoder *d, const struct shape *s, const struct field *f,
    const struct node *n)
{
	struct str *texts = ARENA_ARRAY(d->arena, n->n, struct str);

	for (size_t i = 0; i < n->n; i++)
		texts[i] = n->items[i].value->scalar;
	qsort(texts, n->n, sizeof(*texts), by_text);
	for (size_t i = 1; i < n->n; i++)
		if (str_eq(texts[i - 1], texts[i])) {
			broken(d, s, f, API_WHOLE, n,
			    "repeated value must contain unique items");
			return;
		}
}

static void
check_api_count(struct decoder *d, const struct shape *s, const struct field *f,
    const struct node *n)
{
	const struct api_rule *min = api_rule(f->api, API_WHOLE, API_MIN_ITEMS);
	const struct api_rule *max = api_rule(f->api, API_WHOLE, API_MAX_ITEMS);
	const char *unit = f->api->label == API_MAP ? "pair(s)" : "item(s)";

	if (api_rule(f->api, API_WHOLE, API_UNIQUE))
		check_unique(d, s, f, n);
	if ((!min || (double)n->n >= min->number) &&
	    (!max || (double)n->n <= max->number))
		return;
	if (min && max && min->number < max->number)
		broken(d, s, f, API_WHOLE, n,
		    "value must contain between %s and %s items, inclusive",
		    min->text, max->text);
	else if (min && max)
		broken(d, s, f, API_WHOLE, n,
		    "value must contain exactly %s %s", min->text, unit);
	else if (min)
		broken(d, s, f, API_WHOLE, n,
		    "value must contain at least %s %s", min->text, unit);
	else
		broken(d, s, f, API_WHOLE, n,
		    "value must contain no more than %s %s", max->text, unit);
}

void
schema_check_count(struct decoder *d, const struct shape *s,
    const struct field *f, const struct node *n)
{
	const struct field own = { NULL, f->row };
	size_t before = diag_errors(d->diag);

	if (f->api)
		check_api_count(d, s, f, n);
	if (f->row && diag_errors(d->diag) == before &&
	    n->n < f->row->min_items)
		broken(d, s, &own, API_WHOLE, n,
		    "value must contain at least %zu item(s)",
		    f->row->min_items);
}
