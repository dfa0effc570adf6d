/* Messages about a configuration, sorted only when they are printed. */
#include "config.h"

#include <stdlib.h>

#include "base/json.h"
#include "config/diag.h"

/* Beyond this many, entries are counted but not kept. */
#define ENTRIES_MAX  1000
#define WARNINGS_MAX 500
/* Characters of a source line that are shown. */
#define LINE_MAX_SHOWN 100

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct entry {
	struct place place;
	struct str path; /* absent for none */
	struct str text;
	struct str hint;
	enum severity severity;
	size_t rank; /* order of arrival */
	size_t source_rank; /* order in which its source was first named */
};

struct diag {
	struct arena *arena;
	struct entry *entries;
	size_t n, cap;
	size_t errors, warnings, unknowns;
	size_t harmless; /* errors that leave the rest sound */
	size_t dropped;
	bool is_stopped;
	bool kept_last;
	bool allows_unknown;
	const struct runtime *runtime;
};

struct diag *
diag_new(struct arena *arena)
{
	struct diag *d = ARENA_NEW(arena, struct diag);

	d->arena = arena;
	return d;
}

static bool
is_same(const struct entry *a, const struct entry *b)
{
	return a->place.source == b->place.source &&
	       a->place.line == b->place.line &&
	       a->place.column == b->place.column &&
	       a->severity == b->severity && str_eq(a->text, b->text);
}

static size_t
source_rank(const struct diag *d, const struct source *source)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->entries[i].place.source == source)
			return d->entries[i].source_rank;
	return d->n;
}

/* An alias shows the same value at many paths: one place, said once. */
static void
add(struct diag *d, struct entry e)
{
	bool is_error = e.severity == SEVERITY_ERROR;

	d->kept_last = false;
	d->errors += is_error;
	for (size_t i = 0; i < d->n; i++)
		if (is_same(&d->entries[i], &e))
			return;
	if (d->n == ENTRIES_MAX || (!is_error && d->warnings == WARNINGS_MAX)) {
		d->dropped++;
		return;
	}
	d->warnings += !is_error;
	if (d->n == d->cap) {
		size_t cap = d->cap ? 2 * d->cap : 8;
		struct entry *grown = ARENA_ARRAY(d->arena, cap, struct entry);

		if (d->n)
			memcpy(grown, d->entries, d->n * sizeof(*grown));
		d->entries = grown;
		d->cap = cap;
	}
	e.rank = d->n;
	e.source_rank = source_rank(d, e.place.source);
	d->entries[d->n++] = e;
	d->kept_last = true;
}

static struct entry
entry(struct diag *d, struct place place, const char *path, struct str text)
{
	return (struct entry){
		.place = place,
		.path = path && *path ? arena_str(d->arena, str_of(path))
				      : STR_NONE,
		.text = text,
	};
}

void
diag_error(struct diag *d, struct place place, const char *path,
    const char *format, ...)
{
	va_list args;
	struct entry e;

	va_start(args, format);
	e = entry(d, place, path, arena_vprintf(d->arena, format, args));
	va_end(args);
	e.severity = SEVERITY_ERROR;
	add(d, e);
}

void
diag_warn(struct diag *d, struct place place, const char *path,
    const char *format, ...)
{
	va_list args;
	struct entry e;

	va_start(args, format);
	e = entry(d, place, path, arena_vprintf(d->arena, format, args));
	va_end(args);
	e.severity = SEVERITY_WARNING;
	add(d, e);
}

void
diag_unknown(struct diag *d, struct place place, const char *path,
    const char *format, ...)
{
	va_list args;
	struct entry e;

	va_start(args, format);
	e = entry(d, place, path, arena_vprintf(d->arena, format, args));
	va_end(args);
	e.severity = d->allows_unknown ? SEVERITY_WARNING : SEVERITY_ERROR;
	d->unknowns++;
	add(d, e);
	d->harmless += e.severity == SEVERITY_ERROR;
}

void
diag_allow_unknown(struct diag *d)
{
	d->allows_unknown = true;
}

void
diag_set_runtime(struct diag *d, const struct runtime *runtime)
{
	d->runtime = runtime;
}

const struct runtime *
diag_runtime(const struct diag *d)
{
	return d->runtime;
}

void
diag_hint(struct diag *d, const char *format, ...)
{
	va_list args;

	if (!d->kept_last)
		return;
	va_start(args, format);
	d->entries[d->n - 1].hint = arena_vprintf(d->arena, format, args);
	va_end(args);
}

void
diag_go_on(struct diag *d)
{
	d->harmless++;
}

void
diag_stop(struct diag *d)
{
	d->is_stopped = true;
}

bool
diag_is_sound(const struct diag *d)
{
	return d->errors == d->harmless && !d->is_stopped;
}

size_t
diag_errors(const struct diag *d)
{
	return d->errors;
}

size_t
diag_unknowns(const struct diag *d)
{
	return d->unknowns;
}

const char *
diag_message(const struct diag *d, size_t i)
{
	return i < d->n ? d->entries[i].text.ptr : NULL;
}

/* Bytes of the line break at p: LF, CR, CR LF, and YAML 1.1's others. */
static size_t
break_len(struct str s, size_t at)
{
	const unsigned char *p = (const unsigned char *)s.ptr + at;
	size_t left = s.len - at;

	if (p[0] == '\r')
		return left > 1 && p[1] == '\n' ? 2 : 1;
	if (p[0] == '\n')
		return 1;
	if (left > 1 && p[0] == 0xc2 && p[1] == 0x85)
		return 2;
	if (left > 2 && p[0] == 0xe2 && p[1] == 0x80 &&
	    (p[2] == 0xa8 || p[2] == 0xa9))
		return 3;
	return 0;
}

static struct str
line_of(struct str text, unsigned line)
{
	size_t from = 0, at = 0, len;

	for (unsigned now = 1; at < text.len; at++) {
		len = break_len(text, at);
		if (!len)
			continue;
		if (now == line)
			break;
		now++;
		at += len - 1;
		from = at + 1;
	}
	return str_slice(text, from, at);
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Offset of the character number n (from 0) at or after from. */
static size_t
skip_chars(struct str s, size_t from, size_t n)
{
	while (from < s.len && n--)
		do
			from++;
		while (from < s.len && is_continuation(s.ptr[from]));
	return from;
}

/* Text from a file, with bytes that could move a terminal's cursor as "?". */
static void
print_bytes(struct str s, FILE *out)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		bool is_c1 = c == 0xc2 && i + 1 < s.len &&
			     (unsigned char)s.ptr[i + 1] < 0xa0;

		if (is_c1)
			i++;
		(void)fputc(
		    is_c1 || (c < ' ' && c != '\t') || c == 0x7f ? '?' : c,
		    out);
	}
}

/* A window of a long line, and the caret under the column. */
static void
print_line(struct place place, FILE *out)
{
	struct str line = line_of(place.source->text, place.line);
	size_t column = place.column ? place.column - 1 : 0;
	size_t first =
	    column > LINE_MAX_SHOWN / 2 + 20 ? column - LINE_MAX_SHOWN / 2 : 0;
	size_t from = skip_chars(line, 0, first);
	size_t to = skip_chars(line, from, LINE_MAX_SHOWN);

	(void)fprintf(out, "    %s", from ? "..." : "");
	print_bytes(str_slice(line, from, to), out);
	(void)fprintf(
	    out, "%s\n    %s", to < line.len ? "..." : "", from ? "   " : "");
	for (size_t i = first; i < column && from < line.len; i++) {
		(void)fputc(line.ptr[from] == '\t' ? '\t' : ' ', out);
		from = skip_chars(line, from, 1);
	}
	(void)fputs("^\n", out);
}

static void
print_entry(const struct entry *e, FILE *out)
{
	if (e->place.source)
		(void)fprintf(out, "%s:%u:%u: ", e->place.source->name,
		    e->place.line, e->place.column);
	(void)fputs(
	    e->severity == SEVERITY_ERROR ? "error: " : "warning: ", out);
	if (e->path.ptr) {
		print_bytes(e->path, out);
		(void)fputs(": ", out);
	}
	print_bytes(e->text, out);
	(void)fputc('\n', out);
	if (e->place.source && e->place.line)
		print_line(e->place, out);
	if (e->hint.ptr) {
		(void)fputs("  hint: ", out);
		print_bytes(e->hint, out);
		(void)fputc('\n', out);
	}
}

static int
by_place(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->source_rank != b->source_rank)
		return a->source_rank < b->source_rank ? -1 : 1;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	if (a->place.column != b->place.column)
		return a->place.column < b->place.column ? -1 : 1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static struct entry *
sorted_entries(const struct diag *d)
{
	struct entry *sorted = ARENA_ARRAY(d->arena, d->n + 1, struct entry);

	if (d->n)
		memcpy(sorted, d->entries, d->n * sizeof(*sorted));
	qsort(sorted, d->n, sizeof(*sorted), by_place);
	return sorted;
}

/* Warnings behind e, up to end, that say the same of another place. */
static size_t
count_alike(const struct entry *e, const struct entry *end)
{
	size_t n = 0;

	for (const struct entry *other = e + 1; other < end; other++)
		n += other->severity == SEVERITY_WARNING &&
		     str_eq(other->text, e->text);
	return n;
}

static bool
is_told(const struct entry *first, const struct entry *e)
{
	for (; first < e; first++)
		if (first->severity == SEVERITY_WARNING &&
		    str_eq(first->text, e->text))
			return true;
	return false;
}

void
diag_print(const struct diag *d, FILE *out)
{
	const struct entry *sorted = sorted_entries(d), *end = sorted + d->n;

	for (const struct entry *e = sorted; e < end; e++) {
		bool is_warning = e->severity == SEVERITY_WARNING;
		size_t alike = is_warning ? count_alike(e, end) : 0;

		if (is_warning && is_told(sorted, e))
			continue;
		print_entry(e, out);
		if (alike)
			(void)fprintf(
			    out, "  and %zu more of the same\n", alike);
	}
	if (d->dropped)
		(void)fprintf(out, "and %zu more\n", d->dropped);
}

static void
print_json_text(struct str text, FILE *out)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	if (!text.ptr || json_append_string(&b, text))
		(void)fputs("null", out);
	else
		(void)fprintf(out, STR_FMT, STR_ARG(buf_bytes(&b)));
	buf_free(&b);
}

static void
print_json_entry(const struct entry *e, FILE *out)
{
	const struct source *source = e->place.source;

	(void)fputs("{\"file\": ", out);
	print_json_text(source ? str_of(source->name) : STR_NONE, out);
	if (source)
		(void)fprintf(out, ", \"line\": %u, \"column\": %u",
		    e->place.line, e->place.column);
	else
		(void)fputs(", \"line\": null, \"column\": null", out);
	(void)fputs(", \"path\": ", out);
	print_json_text(e->path, out);
	(void)fprintf(out, ", \"severity\": \"%s\", \"message\": ",
	    e->severity == SEVERITY_ERROR ? "error" : "warning");
	print_json_text(e->text, out);
	(void)fputs(", \"hint\": ", out);
	print_json_text(e->hint, out);
	(void)fputc('}', out);
}

void
diag_print_json(const struct diag *d, FILE *out)
{
	const struct entry *sorted = sorted_entries(d);

	(void)fputc('[', out);
	for (size_t i = 0; i < d->n; i++) {
		(void)fputs(i ? ",\n " : "", out);
		print_json_entry(&sorted[i], out);
	}
	(void)fputs("]\n", out);
}
