/* The mark is two words and a time; without a time it is none. */
#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/random.h"
#include "state/mark.h"
#include "state/word.h"

#define LIFE_NS  (MARK_LIFE_S * NS_PER_S)
#define SLACK_NS NS_PER_S

struct mark_words {
	int half[2], until;
};

static struct mark_words
find(struct state *s)
{
	return (struct mark_words){ { word_find(s, STR("mark.first")),
					word_find(s, STR("mark.second")) },
		word_find(s, STR("mark.until")) };
}

static bool
is_live(struct state *s, const struct mark_words *w, int64_t now_ns)
{
	int64_t until = (int64_t)word_get(s, w->until);

	/*
	 * Not longer than any mark is good, whatever the file says; the clocks
	 * of two processes may be read a little apart.
	 */
	return until > now_ns && until - now_ns <= LIFE_NS + SLACK_NS;
}

enum err
mark_renew(struct state *s, int64_t now_ns, char text[MARK_LEN + 1])
{
	struct mark_words w = find(s);
	uint64_t halves[2];

	if (w.half[0] < 0 || w.half[1] < 0 || w.until < 0)
		return ERR_FULL;
	if (!is_live(s, &w, now_ns)) {
		word_set(s, w.until, 0);
		for (int i = 0; i < 2; i++)
			word_set(s, w.half[i], random_u64() | 1);
	}
	word_set(s, w.until, (uint64_t)(now_ns + LIFE_NS));
	for (int i = 0; i < 2; i++)
		halves[i] = word_get(s, w.half[i]);
	(void)snprintf(text, MARK_LEN + 1, "%016llx%016llx",
	    (unsigned long long)halves[0], (unsigned long long)halves[1]);
	return ERR_OK;
}

void
mark_drop(struct state *s)
{
	word_set(s, find(s).until, 0);
}

/* 16 hexadecimal digits; anything else gives 0, which is no half. */
static uint64_t
read_half(struct str digits)
{
	uint64_t value = 0;
	int digit;

	for (size_t i = 0; i < digits.len; i++) {
		digit = ascii_hex(digits.ptr[i]);
		if (digit < 0)
			return 0;
		value = value << 4 | (uint64_t)digit;
	}
	return value;
}

bool
mark_is_good(struct state *s, int64_t now_ns, struct str text)
{
	struct mark_words w;
	uint64_t differs;
	size_t half = MARK_LEN / 2;

	if (text.len != MARK_LEN)
		return false;
	w = find(s);
	differs = word_get(s, w.half[0]) ^ read_half(str_slice(text, 0, half));
	differs |=
	    word_get(s, w.half[1]) ^ read_half(str_slice(text, half, text.len));
	return differs == 0 && w.half[0] >= 0 && w.half[1] >= 0 &&
	       word_get(s, w.half[0]) && is_live(s, &w, now_ns);
}
