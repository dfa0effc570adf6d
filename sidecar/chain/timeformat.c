/* Times as text. The default form is on the way of every log line: no libc. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "chain/timeformat.h"

enum part_kind {
	PART_STRFTIME, /* text is a format of its own */
	PART_EPOCH, /* seconds since 1970 */
	PART_FRACTION, /* that many digits */
	PART_FRACTION_SHORT, /* without trailing zeros, at least one digit */
	PART_SECONDS, /* seconds with that many digits behind a point */
	PART_SECONDS_SHORT, /* the same without trailing zeros */
	PART_OFFSET, /* "+00:00" */
	PART_ZONE, /* "UTC" */
};

struct part {
	enum part_kind kind;
	int digits;
	struct str text;
};

struct timeformat {
	enum timezone_kind zone;
	bool is_default;
	struct part *parts;
	size_t n;
	size_t room; /* for the longest text */
};

enum { FRACTION_DIGITS = 9 };

/* ---- compiling ---- */

static bool
is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* "%n" with flags, a width or a modifier: it may be meant for a header field. */
static bool
has_newline(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		size_t at = i + 1;

		if (s.ptr[i] != '%')
			continue;
		while (at < s.len && is_one_of(s.ptr[at], "-_0^#"))
			at++;
		while (at < s.len && s.ptr[at] >= '1' && s.ptr[at] <= '9')
			at++;
		if (at < s.len && is_one_of(s.ptr[at], "EO"))
			at++;
		if (at < s.len && s.ptr[at] == 'n')
			return true;
	}
	return false;
}

/* The conversions of Abseil behind "%E"; their length, or 0. */
static size_t
parse_extended(struct str s, struct part *part)
{
	bool is_short = str_starts(s, STR("%E*"));
	char last;

	if (str_starts(s, STR("%Ez"))) {
		*part = (struct part){ .kind = PART_OFFSET };
		return 3;
	}
	if (str_starts(s, STR("%ET"))) {
		*part =
		    (struct part){ .kind = PART_STRFTIME, .text = STR("T") };
		return 3;
	}
	if (str_starts(s, STR("%E4Y"))) {
		*part =
		    (struct part){ .kind = PART_STRFTIME, .text = STR("%Y") };
		return 4;
	}
	if (s.len < 4 || !(is_short || ascii_is_digit(s.ptr[2])))
		return 0;
	last = s.ptr[3];
	if (last != 'S' && last != 'f')
		return 0;
	*part = (struct part){ .digits = is_short ? 0 : s.ptr[2] - '0' };
	if (last == 'S')
		part->kind = is_short ? PART_SECONDS_SHORT : PART_SECONDS;
	else
		part->kind = is_short ? PART_FRACTION_SHORT : PART_FRACTION;
	return 4;
}

/* A conversion that is not strftime's at the beginning of s; its length, or 0. */
static size_t
parse_part(struct str s, struct part *part)
{
	if (str_starts(s, STR("%f"))) {
		*part = (struct part){ .kind = PART_FRACTION,
			.digits = FRACTION_DIGITS };
		return 2;
	}
	if (s.len > 2 && s.ptr[1] >= '1' && s.ptr[1] <= '9' &&
	    s.ptr[2] == 'f') {
		*part = (struct part){ .kind = PART_FRACTION,
			.digits = s.ptr[1] - '0' };
		return 3;
	}
	if (str_starts(s, STR("%s"))) {
		*part = (struct part){ .kind = PART_EPOCH };
		return 2;
	}
	if (str_starts(s, STR("%Z"))) {
		*part = (struct part){ .kind = PART_ZONE };
		return 2;
	}
	return str_starts(s, STR("%E")) ? parse_extended(s, part) : 0;
}

static void
add_strftime(struct arena *arena, struct timeformat *f, struct str text)
{
	if (text.len)
		f->parts[f->n++] = (struct part){ .kind = PART_STRFTIME,
			.text = arena_str(arena, text) };
}

static void
parse(struct arena *arena, struct timeformat *f, struct str text)
{
	size_t begin = 0, at = 0, len;
	struct part part;

	while (at < text.len) {
		if (text.ptr[at] != '%') {
			at++;
			continue;
		}
		len = parse_part(str_slice(text, at, text.len), &part);
		if (!len) {
			at += 2;
			continue;
		}
		add_strftime(arena, f, str_slice(text, begin, at));
		f->parts[f->n++] = part;
		at += len;
		begin = at;
	}
	add_strftime(arena, f, str_slice(text, begin, text.len));
}

const struct timeformat *
timeformat_build(struct arena *arena, struct str text, enum timezone_kind zone)
{
	struct timeformat *f = ARENA_NEW(arena, struct timeformat);

	if (has_newline(text))
		return NULL;
	f->zone = zone;
	f->is_default = !text.len;
	if (f->is_default && zone == TIMEZONE_LOCAL)
		text = STR("%Y-%m-%dT%H:%M:%E3S%z");
	f->parts = ARENA_ARRAY(arena, text.len + 1, struct part);
	f->room = 64 + 16 * text.len;
	parse(arena, f, text);
	return f;
}

/* ---- the default form ---- */

static void
put_digits(char *at, int width, int64_t value)
{
	for (; width > 0; value /= 10)
		at[--width] = (char)('0' + value % 10);
}

/* The civil date of a day since 1970, from 0000-03-01 on in years that end with February. */
static void
put_date(char *at, int64_t days)
{
	int64_t shifted = days + 719468, era = shifted / 146097;
	int64_t day = shifted % 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t month, leap = year / 4 - year / 100;

	day -= 365 * year + leap;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	month += month < 10 ? 3 : -9;
	put_digits(at, 4, year + era * 400 + (month <= 2));
	put_digits(at + 5, 2, month);
	put_digits(at + 8, 2, day + 1);
}

static struct str
default_text(struct arena *arena, int64_t wall_ns)
{
	struct str form = STR("0000-00-00T00:00:00.000Z");
	char *text = arena_cstr(arena, form);
	int64_t ms = wall_ns / NS_PER_MS, s = ms / 1000, day = s / 86400;

	put_date(text, day);
	put_digits(text + 11, 2, s % 86400 / 3600);
	put_digits(text + 14, 2, s % 3600 / 60);
	put_digits(text + 17, 2, s % 60);
	put_digits(text + 20, 3, ms % 1000);
	return (struct str){ text, form.len };
}

/* ---- any other form ---- */

static size_t
put_strftime(char *at, size_t room, struct str format, const struct tm *tm)
{
	size_t n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = strftime(at, room, format.ptr, tm);
#pragma GCC diagnostic pop
	return n;
}

static int
fraction_len(const struct part *part, const char *digits)
{
	int n = FRACTION_DIGITS;

	if (part->kind == PART_FRACTION || part->kind == PART_SECONDS)
		return part->digits;
	while (n && digits[n - 1] == '0')
		n--;
	return n ? n : part->kind == PART_FRACTION_SHORT;
}

static int
put_part(char *at, size_t room, const struct part *part, int64_t wall_ns,
    const struct tm *tm)
{
	long minutes = tm->tm_gmtoff / 60;
	char digits[FRACTION_DIGITS + 1] = "";
	int n;

	put_digits(digits, FRACTION_DIGITS, wall_ns % NS_PER_S);
	n = fraction_len(part, digits);
	switch (part->kind) {
	case PART_STRFTIME:
		return (int)put_strftime(at, room, part->text, tm);
	case PART_EPOCH:
		return snprintf(
		    at, room, "%lld", (long long)(wall_ns / NS_PER_S));
	case PART_FRACTION:
	case PART_FRACTION_SHORT:
		return snprintf(at, room, "%.*s", n, digits);
	case PART_SECONDS:
	case PART_SECONDS_SHORT:
		return snprintf(at, room, "%02d%s%.*s", tm->tm_sec,
		    n ? "." : "", n, digits);
	case PART_OFFSET:
		return snprintf(at, room, "%c%02ld:%02ld",
		    minutes < 0 ? '-' : '+', labs(minutes) / 60,
		    labs(minutes) % 60);
	case PART_ZONE:
		return snprintf(at, room, "%s", tm->tm_zone);
	}
	return 0;
}

struct str
timeformat_text(
    const struct timeformat *f, struct arena *arena, int64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	size_t n = 0;
	char *out;
	struct tm tm;
	int len;

	if (f->is_default && f->zone == TIMEZONE_UTC)
		return default_text(arena, wall_ns);
	if (f->zone == TIMEZONE_UTC) {
		(void)gmtime_r(&seconds, &tm);
		tm.tm_zone = "UTC";
	} else {
		(void)localtime_r(&seconds, &tm);
	}
	out = arena_alloc(arena, f->room);
	for (size_t i = 0; i < f->n; i++) {
		len =
		    put_part(out + n, f->room - n, &f->parts[i], wall_ns, &tm);
		if (len > 0 && (size_t)len < f->room - n)
			n += (size_t)len;
	}
	return (struct str){ out, n };
}
