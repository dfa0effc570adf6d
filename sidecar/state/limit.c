/*
 * Rate limits. A cell belongs to one client of one rule. Whether a request
 * passes is decided by one compare-and-swap of the cell's head, so decisions
 * are exact over all processes and a process killed anywhere leaves a sound
 * cell.
 *
 * Sliding window. Time is cut into buckets of a thirteenth of the window.
 * head is the bucket of the latest request, slots are the thirteen before
 * it; each word holds the time of the bucket's last request (44 bits, in
 * ticks of 2^15 ns, rounded up) and how many there were (20 bits). A bucket
 * counts until the window has passed since its last request, which is never
 * too short. A request of a newer bucket first copies head into its slot.
 * The copy only ever grows, and a head that was moved meanwhile fails the
 * swap, so behind a swap that succeeds every older slot is final.
 *
 * Token bucket. head is the time at which the bucket will be full again.
 */
#include "config.h"

#include <assert.h>
#include <xxhash.h>

#include "base/clock.h"
#include "state/cell.h"
#include "state/limit.h"

static const uint64_t COUNT_MAX = (1ULL << COUNT_BITS) - 1;

/*
 * A time that lies further ahead than this beyond what a rule can produce is
 * no time. Less is a process that read its clock long ago.
 */
static const int64_t STALL_NS = 3600 * NS_PER_S;

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

uint64_t
limit_key(const struct state *s, struct str scope, struct str key)
{
	uint64_t seed =
	    XXH3_64bits_withSeed(scope.ptr, scope.len, s->image->header.seed);

	return XXH3_64bits_withSeed(key.ptr, key.len, seed);
}

/* ---- the sliding window ---- */

struct window {
	int64_t ns;
	int64_t now_ns;
	uint64_t bucket; /* ticks */
};

/* What one look at a cell has seen. */
struct view {
	uint64_t raw; /* head as it was, for the swap */
	uint64_t head; /* 0 if it was empty or no time */
	uint64_t counted[LIMIT_SLOTS + 1]; /* oldest first */
	size_t n;
	uint64_t used;
};

static uint64_t
tick_of(uint64_t word)
{
	return word >> COUNT_BITS;
}

static int64_t
time_of(uint64_t word)
{
	return (int64_t)(tick_of(word) << TICK_BITS);
}

static bool
is_no_time(const struct window *w, uint64_t word)
{
	return time_of(word) > w->now_ns + w->ns + STALL_NS;
}

static void
count(const struct window *w, struct view *v, uint64_t word)
{
	if (!(word & COUNT_MAX) || time_of(word) + w->ns <= w->now_ns)
		return;
	v->counted[v->n++] = word;
	v->used += word & COUNT_MAX;
}

static void
look(struct cell *cell, const struct window *w, struct view *v)
{
	uint64_t epoch;

	v->raw = atomic_load(&cell->head);
	v->head = is_no_time(w, v->raw) ? 0 : v->raw;
	v->n = v->used = 0;
	epoch = tick_of(v->head) / w->bucket;
	for (uint64_t back = LIMIT_SLOTS; back > 0; back--) {
		uint64_t end = (epoch - back + 1) * w->bucket, word;

		if (epoch < back)
			continue;
		word = atomic_load(&cell->slots[(epoch - back) % LIMIT_SLOTS]);
		/* A later one is head itself, on its way here. */
		if (tick_of(word) < end)
			count(w, v, word);
	}
	count(w, v, v->head);
}

static void
publish(_Atomic uint64_t *slot, const struct window *w, uint64_t word)
{
	uint64_t seen = atomic_load(slot);

	while (seen < word || is_no_time(w, seen))
		if (atomic_compare_exchange_weak(slot, &seen, word))
			return;
}

static bool
admit(struct cell *cell, const struct window *w, struct view *v)
{
	uint64_t tick = cell_tick(w->now_ns);
	uint64_t epoch = tick_of(v->head) / w->bucket, next;

	if (tick < tick_of(v->head))
		tick = tick_of(v->head);
	if (v->head && tick / w->bucket == epoch) {
		next = tick << COUNT_BITS | ((v->head & COUNT_MAX) + 1);
		v->n -= (v->head & COUNT_MAX) > 0;
	} else {
		if (v->head & COUNT_MAX)
			publish(&cell->slots[epoch % LIMIT_SLOTS], w, v->head);
		next = tick << COUNT_BITS | 1;
	}
	v->counted[v->n++] = next;
	v->used++;
	return atomic_compare_exchange_strong(&cell->head, &v->raw, next);
}

static int64_t
until_over(const struct window *w, uint64_t word)
{
	int64_t left = time_of(word) + w->ns - w->now_ns;

	/* A time is rounded up to its tick: not more than the window. */
	return left > w->ns ? w->ns : later(left, 0);
}

/* Until room for one more has become free, oldest buckets first. */
static int64_t
until_room(const struct window *w, const struct view *v, uint64_t limit)
{
	uint64_t used = v->used;

	for (size_t i = 0; i < v->n; i++) {
		used -= v->counted[i] & COUNT_MAX;
		if (used < limit)
			return until_over(w, v->counted[i]);
	}
	return 0;
}

struct limit_result
limit_window(struct state *s, uint64_t key, uint64_t limit, int64_t window_ns,
    int64_t now_boot_ns)
{
	int64_t ticks = ((window_ns - 1) >> TICK_BITS) + 1;
	const struct window w = { window_ns, later(now_boot_ns, 0),
		(uint64_t)(ticks + LIMIT_SLOTS - 1) / LIMIT_SLOTS };
	/* Buckets of another width mean nothing here: another cell. */
	uint64_t id = cell_name(
	    key ^ (uint64_t)window_ns * 0x9e3779b97f4a7c15, CELL_WINDOW);
	struct limit_result result = { .limit = limit };
	struct cell *cell;
	struct view v;

	assert(limit > 0 && limit <= COUNT_MAX && window_ns > 0);
	do {
		cell = cell_find(s->image, id, w.now_ns);
		look(cell, &w, &v);
		result.allowed = v.used < limit;
	} while (
	    result.allowed && (!admit(cell, &w, &v) || !cell_is(cell, id)));
	if (result.allowed)
		cell_keep(cell, w.now_ns + window_ns);
	else
		result.retry_ns = until_room(&w, &v, limit);
	result.remaining = v.used < limit ? limit - v.used : 0;
	result.reset_ns = v.n ? until_over(&w, v.counted[0]) : 0;
	return result;
}

/* ---- the token bucket ---- */

/*
 * A bucket counted in time: a token is worth interval, the whole burst. The
 * unit is 1 ns, or a larger power of two for rules so slow and large that
 * their burst would not fit.
 */
struct pace {
	uint64_t interval, burst;
	unsigned shift;
};

static const uint64_t BURST_MAX = 1ULL << 61;

static struct pace
pace_of(uint64_t max_tokens, uint64_t tokens_per_fill, int64_t fill_ns)
{
	struct pace p = { (uint64_t)fill_ns / tokens_per_fill, 0, 0 };

	assert(max_tokens > 0 && max_tokens <= UINT32_MAX);
	if (!p.interval)
		p.interval = 1;
	while (p.interval > BURST_MAX / max_tokens) {
		p.interval >>= 1;
		p.shift++;
	}
	p.burst = p.interval * max_tokens;
	return p;
}

static int64_t
full_ns(const struct pace *p, uint64_t at)
{
	return at > (uint64_t)INT64_MAX >> p->shift ? INT64_MAX
						    : (int64_t)(at << p->shift);
}

/* What is owed after these hits; false if there are not so many tokens. */
static bool
draw(const struct pace *p, uint64_t max_tokens, int64_t hits, uint64_t *owed)
{
	uint64_t back;

	if (hits < 0) {
		back =
		    (uint64_t)-hits < max_tokens ? (uint64_t)-hits : max_tokens;
		back *= p->interval;
		*owed = *owed > back ? *owed - back : 0;
		return true;
	}
	if (hits == 0 || (uint64_t)hits > max_tokens ||
	    *owed + (uint64_t)hits * p->interval > p->burst)
		return false;
	*owed += (uint64_t)hits * p->interval;
	return true;
}

struct limit_result
limit_bucket_hits(struct state *s, uint64_t key, uint64_t max_tokens,
    uint64_t tokens_per_fill, int64_t fill_ns, int64_t hits,
    int64_t now_boot_ns)
{
	const struct pace p = pace_of(max_tokens, tokens_per_fill, fill_ns);
	int64_t now_ns = later(now_boot_ns, 0);
	uint64_t now = (uint64_t)now_ns >> p.shift;
	uint64_t slack = p.burst + ((uint64_t)STALL_NS >> p.shift);
	uint64_t id = cell_name(key, CELL_BUCKET);
	struct limit_result result = { .limit = max_tokens };
	uint64_t seen, owed;
	struct cell *cell;

	do {
		cell = cell_find(s->image, id, now_ns);
		seen = atomic_load(&cell->head);
		/* Time in which the bucket fills up again. */
		owed = seen > now && seen - now <= slack ? seen - now : 0;
		result.allowed = draw(&p, max_tokens, hits, &owed);
		if (!result.allowed)
			break;
	} while (
	    !atomic_compare_exchange_strong(&cell->head, &seen, now + owed) ||
	    !cell_is(cell, id));
	if (result.allowed)
		cell_keep(cell, full_ns(&p, now + owed));
	else if (owed + p.interval > p.burst)
		result.retry_ns =
		    (int64_t)((owed + p.interval - p.burst) << p.shift);
	if (owed < p.burst)
		result.remaining = (p.burst - owed) / p.interval;
	if (owed)
		result.reset_ns = (int64_t)((owed - 1) % p.interval + 1)
				  << p.shift;
	return result;
}

struct limit_result
limit_bucket(struct state *s, uint64_t key, uint64_t max_tokens,
    uint64_t tokens_per_fill, int64_t fill_ns, int64_t now_boot_ns)
{
	return limit_bucket_hits(
	    s, key, max_tokens, tokens_per_fill, fill_ns, 1, now_boot_ns);
}

void
limit_usage(struct state *s, int64_t now_boot_ns, size_t *used, size_t *total)
{
	uint64_t now_ms = (uint64_t)(later(now_boot_ns, 0) / NS_PER_MS);

	*used = 0;
	*total = (size_t)LIMIT_SETS * LIMIT_WAYS;
	for (size_t i = 0; i < *total; i++) {
		struct cell *cell =
		    &s->image->cells[i / LIMIT_WAYS][i % LIMIT_WAYS];

		if (atomic_load(&cell->key) &&
		    atomic_load(&cell->expiry_ms) > now_ms)
			++*used;
	}
}
