/*
 * A quota is a word that holds the count and, besides, what was done last:
 * whose share became how large. Whoever is next writes that into the share
 * before it changes the word. So the count and the shares are one at any
 * instruction at which a process may be killed, and a dead one's share can
 * be taken off the count.
 */
#include "config.h"

#include "state/layout.h"
#include "state/quota.h"

enum { COUNT = 20, SHARE = 20, PLACE = 8, TURN = 16 };

_Static_assert(COUNT + SHARE + PLACE + TURN == 64, "one word");
_Static_assert(PROCESSES <= 1 << PLACE, "a process fits");

/* A word, taken apart. */
struct step {
	uint32_t count; /* of all processes */
	uint32_t share; /* of the process that did the last step */
	uint32_t place; /* of that process */
	uint32_t turn; /* number of the step */
};

static struct step
unpack(uint64_t word)
{
	return (struct step){
		.count = (uint32_t)(word & ((1u << COUNT) - 1)),
		.share = (uint32_t)(word >> COUNT & ((1u << SHARE) - 1)),
		.place =
		    (uint32_t)(word >> (COUNT + SHARE) & ((1u << PLACE) - 1)),
		.turn = (uint32_t)(word >> (COUNT + SHARE + PLACE)),
	};
}

static uint64_t
pack(struct step s)
{
	return (uint64_t)s.count | (uint64_t)s.share << COUNT |
	       (uint64_t)s.place << (COUNT + SHARE) |
	       (uint64_t)(s.turn & ((1u << TURN) - 1))
		   << (COUNT + SHARE + PLACE);
}

/* A share's word: its size and the step that made it. */
static uint64_t
share_word(struct step s)
{
	return (uint64_t)s.share | (uint64_t)s.turn << SHARE;
}

static uint32_t
share_size(uint64_t word)
{
	return (uint32_t)(word & ((1u << SHARE) - 1));
}

/* Completes the last step; false if the word has moved on meanwhile. */
static bool
complete(struct quota *q, uint64_t word)
{
	struct step last = unpack(word);
	_Atomic uint64_t *share = &q->shares[last.place];
	uint64_t seen = atomic_load(share);

	if (atomic_load(&q->word) != word)
		return false;
	if (seen != share_word(last))
		(void)atomic_compare_exchange_strong(
		    share, &seen, share_word(last));
	return true;
}

/*
 * The next step of the process at place: by more, none of it if max would be
 * passed. Returns whether it was done.
 */
static bool
step(struct quota *q, uint32_t place, int by, uint32_t max)
{
	uint64_t word, next;
	struct step s;
	uint32_t share;

	for (;;) {
		word = atomic_load(&q->word);
		s = unpack(word);
		if (!complete(q, word))
			continue;
		share = share_size(atomic_load(&q->shares[place]));
		if (by > 0 ? s.count >= max : !share)
			return false;
		s.count += (uint32_t)by;
		s.share = share + (uint32_t)by;
		s.place = place;
		s.turn++;
		next = pack(s);
		if (atomic_compare_exchange_strong(&q->word, &word, next))
			break;
	}
	(void)complete(q, next);
	return true;
}

/* Takes the whole share of the process at place off the count. */
static void
forget(struct quota *q, uint32_t place)
{
	uint64_t word, next;
	struct step s;
	uint32_t share;

	for (;;) {
		word = atomic_load(&q->word);
		s = unpack(word);
		if (!complete(q, word))
			continue;
		share = share_size(atomic_load(&q->shares[place]));
		if (!share)
			return;
		s.count = s.count > share ? s.count - share : 0;
		s.share = 0;
		s.place = place;
		s.turn++;
		next = pack(s);
		if (atomic_compare_exchange_strong(&q->word, &word, next))
			break;
	}
	(void)complete(q, next);
}

void
quota_forget(struct state *s, size_t place)
{
	for (int i = 0; i < QUOTAS; i++)
		if (atomic_load(&s->image->quota_tags[i].hash))
			forget(&s->image->quotas[i], (uint32_t)place);
}

int
quota_find(struct state *s, struct str name)
{
	if (!s->process)
		return -1;
	return tag_find(
	    s->image->quota_tags, QUOTAS, s->image->header.seed, name);
}

static struct quota *
quota_of(struct state *s, int id)
{
	return id >= 0 && id < QUOTAS && s->process ? &s->image->quotas[id]
						    : NULL;
}

bool
quota_take(struct state *s, int id, uint32_t max)
{
	struct quota *q = quota_of(s, id);

	return q && step(q, (uint32_t)s->process - 1, 1,
			max < QUOTA_MAX ? max : QUOTA_MAX);
}

void
quota_force(struct state *s, int id)
{
	(void)quota_take(s, id, QUOTA_MAX);
}

void
quota_give(struct state *s, int id)
{
	struct quota *q = quota_of(s, id);

	if (q)
		(void)step(q, (uint32_t)s->process - 1, -1, 0);
}

uint32_t
quota_taken(struct state *s, int id)
{
	struct quota *q = quota_of(s, id);

	return q ? unpack(atomic_load(&q->word)).count : 0;
}

void
quota_each(struct state *s,
    void (*each)(void *arg, struct str name, uint64_t taken), void *arg)
{
	char text[TAG_NAME_MAX + 1];

	for (int i = 0; i < QUOTAS; i++) {
		struct str name = tag_name(&s->image->quota_tags[i], text);
		uint64_t word = atomic_load(&s->image->quotas[i].word);

		if (name.ptr)
			each(arg, name, unpack(word).count);
	}
}
