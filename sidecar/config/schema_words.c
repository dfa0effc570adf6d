/* Words that were meant: the nearest of those that are allowed. */
#include "config.h"

#include "config/schema_decoder.h"

#define WORD_MAX 64

/* Optimal string alignment distance, letters compared without case. */
static size_t
distance(struct str a, struct str b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b.len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			char x = ascii_lower(a.ptr[i - 1]);
			char y = ascii_lower(b.ptr[j - 1]);
			size_t least = last[j - 1] + (x != y);

			if (last[j] + 1 < least)
				least = last[j] + 1;
			if (now[j - 1] + 1 < least)
				least = now[j - 1] + 1;
			if (i > 1 && j > 1 && x == ascii_lower(b.ptr[j - 2]) &&
			    y == ascii_lower(a.ptr[i - 2]) &&
			    before[j - 2] + 1 < least)
				least = before[j - 2] + 1;
			now[j] = least;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b.len];
}

const char *
schema_nearest(struct str word, const char *const *candidates)
{
	const char *best = NULL;
	size_t least = SIZE_MAX;

	if (word.len > WORD_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		struct str candidate = str_of(*candidates);
		size_t longest, d;

		if (candidate.len > WORD_MAX)
			continue;
		longest = candidate.len > word.len ? candidate.len : word.len;
		d = distance(word, candidate);
		if (d < least && d <= 3 && d * 3 <= longest + 1) {
			least = d;
			best = *candidates;
		}
	}
	return best;
}

/* "a, b, c" of what may stand here, in a stated order. */
static struct str
listing(struct arena *arena, const char *const *names)
{
	struct str text = STR("");

	for (size_t i = 0; names[i]; i++)
		text = arena_printf(arena, STR_FMT "%s`%s`", STR_ARG(text),
		    i ? ", " : "", names[i]);
	return text;
}

/* A hint for a word that is none of the candidates. */
void
schema_suggest(
    struct decoder *d, struct str word, const char *const *candidates)
{
	const char *near = schema_nearest(word, candidates);
	struct str all;

	if (near) {
		diag_hint(d->diag, "did you mean `%s`?", near);
		return;
	}
	all = listing(d->arena, candidates);
	if (all.len && all.len < 400)
		diag_hint(d->diag, "allowed here: " STR_FMT, STR_ARG(all));
}
