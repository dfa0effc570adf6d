/*
 * Circuit breakers. The word: 2 bits state, 14 bits consecutive failures, 48
 * bits boot clock in ms. The time is when an open breaker lets a probe
 * through, or when the probe of a half-open one is given up. A fresh word,
 * 0, is closed without failures.
 */
#include "config.h"

#include "base/clock.h"
#include "state/breaker.h"
#include "state/layout.h"

enum { FAILURES_MAX = (1 << 14) - 1 };

struct reading {
	enum breaker_state state;
	uint32_t failures;
	uint64_t until_ms;
};

static uint64_t
pack(enum breaker_state state, uint32_t failures, uint64_t until_ms)
{
	return (uint64_t)state << 62 | (uint64_t)failures << 48 |
	       (until_ms & ((1ULL << 48) - 1));
}

/* The fourth state does not exist; a word that has it is as good as new. */
static struct reading
unpack(uint64_t word)
{
	struct reading r = { BREAKER_CLOSED,
		(uint32_t)(word >> 48) & FAILURES_MAX,
		word & ((1ULL << 48) - 1) };

	if (word >> 62 == BREAKER_OPEN)
		r.state = BREAKER_OPEN;
	else if (word >> 62 == BREAKER_HALF_OPEN)
		r.state = BREAKER_HALF_OPEN;
	return r;
}

/* Rounded up, so that nothing ends early. */
static uint64_t
ms_of(int64_t ns)
{
	return ns < 0 ? 0 : ((uint64_t)ns + NS_PER_MS - 1) / NS_PER_MS;
}

static int64_t
left_ns(const struct reading *r, int64_t now_ns)
{
	int64_t left = (int64_t)r->until_ms * NS_PER_MS - now_ns;

	return left > 0 ? left : 0;
}

static _Atomic uint64_t *
word_of(struct state *s, int id)
{
	return id >= 0 && id < BREAKERS ? &s->image->breakers[id] : NULL;
}

int
breaker_find(struct state *s, struct str name)
{
	return tag_find(
	    s->image->breaker_tags, BREAKERS, s->image->header.seed, name);
}

int
breaker_lookup(struct state *s, struct str name)
{
	return tag_lookup(
	    s->image->breaker_tags, BREAKERS, s->image->header.seed, name);
}

enum breaker_verdict
breaker_ask(struct state *s, int id, const struct breaker_rules *rules,
    int64_t now_boot_ns)
{
	_Atomic uint64_t *word = word_of(s, id);
	uint64_t seen;
	struct reading r;

	if (!word)
		return BREAKER_PASS;
	seen = atomic_load(word);
	do {
		r = unpack(seen);
		if (r.state == BREAKER_CLOSED)
			return BREAKER_PASS;
		if (left_ns(&r, now_boot_ns) > 0)
			return BREAKER_REFUSE;
	} while (!atomic_compare_exchange_weak(word, &seen,
	    pack(BREAKER_HALF_OPEN, r.failures,
		ms_of(now_boot_ns + rules->probe_ns))));
	return BREAKER_PROBE;
}

/*
 * Outcomes that come when the breaker is no longer in the state in which
 * their request was let through change nothing: they are about the past.
 */
void
breaker_success(struct state *s, int id, bool was_probe)
{
	_Atomic uint64_t *word = word_of(s, id);
	uint64_t seen;
	struct reading r;

	if (!word)
		return;
	seen = atomic_load(word);
	do {
		r = unpack(seen);
		if (r.state == BREAKER_OPEN || !seen)
			return;
		if (r.state == BREAKER_HALF_OPEN && !was_probe)
			return;
	} while (!atomic_compare_exchange_weak(word, &seen, 0));
}

bool
breaker_failure(struct state *s, int id, bool was_probe,
    const struct breaker_rules *rules, int64_t now_boot_ns)
{
	_Atomic uint64_t *word = word_of(s, id);
	uint64_t seen, next;
	struct reading r;
	bool opens;

	if (!word)
		return false;
	seen = atomic_load(word);
	do {
		r = unpack(seen);
		if (r.state == BREAKER_OPEN)
			return false;
		if (r.state == BREAKER_HALF_OPEN && !was_probe)
			return false;
		if (r.failures < FAILURES_MAX)
			r.failures++;
		opens = r.state == BREAKER_HALF_OPEN ||
			r.failures >= rules->failures;
		next = opens ? pack(BREAKER_OPEN, r.failures,
				   ms_of(now_boot_ns + rules->open_ns))
			     : pack(BREAKER_CLOSED, r.failures, 0);
	} while (!atomic_compare_exchange_weak(word, &seen, next));
	if (opens)
		(void)atomic_fetch_add(&s->image->breakers_opened[id], 1);
	return opens;
}

void
breaker_cancel(struct state *s, int id, bool was_probe)
{
	_Atomic uint64_t *word = word_of(s, id);
	uint64_t seen;
	struct reading r;

	if (!word || !was_probe)
		return;
	seen = atomic_load(word);
	do {
		r = unpack(seen);
		if (r.state != BREAKER_HALF_OPEN)
			return;
	} while (!atomic_compare_exchange_weak(
	    word, &seen, pack(BREAKER_HALF_OPEN, r.failures, 0)));
}

enum breaker_state
breaker_state(struct state *s, int id, int64_t now_boot_ns, int64_t *retry_ns)
{
	_Atomic uint64_t *word = word_of(s, id);
	struct reading r = unpack(word ? atomic_load(word) : 0);
	int64_t left = r.state == BREAKER_CLOSED ? 0 : left_ns(&r, now_boot_ns);

	if (retry_ns)
		*retry_ns = left;
	return r.state == BREAKER_OPEN && !left ? BREAKER_HALF_OPEN : r.state;
}

const char *
breaker_state_name(enum breaker_state state)
{
	switch (state) {
	case BREAKER_CLOSED:
		return "closed";
	case BREAKER_OPEN:
		return "open";
	case BREAKER_HALF_OPEN:
		return "half-open";
	}
	return "unknown";
}

uint64_t
breaker_opened(struct state *s, int id)
{
	if (id < 0 || id >= BREAKERS)
		return 0;
	return atomic_load(&s->image->breakers_opened[id]);
}

void
breaker_each(struct state *s, void (*each)(void *arg, struct str name, int id),
    void *arg)
{
	char text[TAG_NAME_MAX + 1];

	for (int i = 0; i < BREAKERS; i++) {
		struct str name = tag_name(&s->image->breaker_tags[i], text);

		if (name.ptr)
			each(arg, name, i);
	}
}
