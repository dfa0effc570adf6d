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
#include "state/layout.h"
#include "state/limit.h"

enum { TICK_BITS = 15, COUNT_BITS = 20 };

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

/* ---- the table ---- */

/*
 * A key's low 12 bits choose the set; of the rest the upper 48 are kept, so
 * that a door has room for them. A door names the key that comes in next,
 * the cell it gets, and counts: [key 48][turn 12][pending 1][way 3]. A key is
 * let in only by the door and only if the door has not moved since the set was
 * searched, so no key ever has two cells. Everybody who meets a pending
 * door carries it out.
 */
enum { DOOR_PENDING = 8, DOOR_WAY = 7, DOOR_TURN = 0xfff0 };

static const uint64_t KEY_HIGH = ~0xffffULL;

static uint64_t
identity(uint64_t key)
{
	key &= KEY_HIGH | (LIMIT_SETS - 1);
	return key ? key : 1ULL << 63;
}

static struct cell *
search(struct cell *set, uint64_t key)
{
	for (int i = 0; i < LIMIT_WAYS; i++)
		if (atomic_load(&set[i].key) == key)
			return &set[i];
	return NULL;
}

/* A free cell, else the one that expires or has expired first. */
static unsigned
choose_victim(struct cell *set)
{
	uint64_t least = UINT64_MAX;
	unsigned victim = 0;

	for (unsigned i = 0; i < LIMIT_WAYS; i++) {
		uint64_t expiry = atomic_load_explicit(
		    &set[i].expiry_ms, memory_order_relaxed);

		if (!atomic_load(&set[i].key))
			return i;
		if (expiry < least) {
			least = expiry;
			victim = i;
		}
	}
	return victim;
}

static void
clear_word(_Atomic uint64_t *word, uint64_t seen)
{
	if (seen)
		(void)atomic_compare_exchange_strong(word, &seen, 0);
}

/*
 * Gives a cell to the key of a pending door. Several processes may be at
 * it, some of them late: they clear only what they saw while the old key
 * was still in and the door still theirs.
 */
static void
carry_out(struct image *image, size_t set, uint64_t door, int64_t now_ns)
{
	struct cell *cell = &image->cells[set][door & DOOR_WAY];
	uint64_t key = identity((door & KEY_HIGH) | set);
	uint64_t old = atomic_load(&cell->key);
	uint64_t head = atomic_load(&cell->head), slots[LIMIT_SLOTS];

	for (int i = 0; i < LIMIT_SLOTS; i++)
		slots[i] = atomic_load(&cell->slots[i]);
	if (atomic_load(&image->doors[set]) != door)
		return;
	if (old != key && atomic_load(&cell->key) == old) {
		clear_word(&cell->head, head);
		for (int i = 0; i < LIMIT_SLOTS; i++)
			clear_word(&cell->slots[i], slots[i]);
		/* A moment in which nobody else takes it. */
		atomic_store_explicit(&cell->expiry_ms,
		    (uint64_t)(now_ns / NS_PER_MS) + 1000,
		    memory_order_relaxed);
		(void)atomic_compare_exchange_strong(&cell->key, &old, key);
	}
	(void)atomic_compare_exchange_strong(
	    &image->doors[set], &door, door & DOOR_TURN);
}

static struct cell *
find(struct image *image, uint64_t key, int64_t now_ns)
{
	size_t set = key & (LIMIT_SETS - 1);
	_Atomic uint64_t *door = &image->doors[set];
	struct cell *cell = search(image->cells[set], key);

	while (!cell) {
		uint64_t seen = atomic_load(door), next;

		if (seen & DOOR_PENDING) {
			carry_out(image, set, seen, now_ns);
			continue;
		}
		cell = search(image->cells[set], key);
		if (cell)
			break;
		next = (key & KEY_HIGH) | ((seen + 16) & DOOR_TURN) |
		       DOOR_PENDING | choose_victim(image->cells[set]);
		if (atomic_compare_exchange_strong(door, &seen, next))
			carry_out(image, set, next, now_ns);
		cell = search(image->cells[set], key);
	}
	return cell;
}

static void
touch(struct cell *cell, int64_t until_ns)
{
	atomic_store_explicit(&cell->expiry_ms,
	    (uint64_t)(until_ns / NS_PER_MS) + 1, memory_order_relaxed);
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
	if (!word || time_of(word) + w->ns <= w->now_ns)
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
		uint64_t first = (epoch - back) * w->bucket, word;

		if (epoch < back)
			continue;
		word = atomic_load(&cell->slots[(epoch - back) % LIMIT_SLOTS]);
		/* Other buckets are long over, or head itself, half moved. */
		if (tick_of(word) >= first && tick_of(word) < first + w->bucket)
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
	uint64_t tick =
	    ((uint64_t)w->now_ns + (1U << TICK_BITS) - 1) >> TICK_BITS;
	uint64_t epoch = tick_of(v->head) / w->bucket, next;

	if (tick < tick_of(v->head))
		tick = tick_of(v->head);
	if (v->head && tick / w->bucket == epoch) {
		next = tick << COUNT_BITS | ((v->head & COUNT_MAX) + 1);
		v->n--;
	} else {
		if (v->head)
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
	uint64_t id = identity(key ^ (uint64_t)window_ns * 0x9e3779b97f4a7c15);
	struct limit_result result = { .limit = limit };
	struct cell *cell;
	struct view v;

	assert(limit > 0 && limit <= COUNT_MAX && window_ns > 0);
	do {
		cell = find(s->image, id, w.now_ns);
		look(cell, &w, &v);
		result.allowed = v.used < limit;
	} while (result.allowed &&
		 (!admit(cell, &w, &v) || atomic_load(&cell->key) != id));
	if (result.allowed)
		touch(cell, w.now_ns + window_ns);
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

struct limit_result
limit_bucket(struct state *s, uint64_t key, uint64_t max_tokens,
    uint64_t tokens_per_fill, int64_t fill_ns, int64_t now_boot_ns)
{
	const struct pace p = pace_of(max_tokens, tokens_per_fill, fill_ns);
	int64_t now_ns = later(now_boot_ns, 0);
	uint64_t now = (uint64_t)now_ns >> p.shift;
	uint64_t slack = p.burst + ((uint64_t)STALL_NS >> p.shift);
	uint64_t id = identity(~key);
	struct limit_result result = { .limit = max_tokens };
	uint64_t seen, owed;
	struct cell *cell;

	do {
		cell = find(s->image, id, now_ns);
		seen = atomic_load(&cell->head);
		/* Time in which the bucket fills up again. */
		owed = seen > now && seen - now <= slack ? seen - now : 0;
		result.allowed = owed + p.interval <= p.burst;
		if (!result.allowed)
			break;
		owed += p.interval;
	} while (
	    !atomic_compare_exchange_strong(&cell->head, &seen, now + owed) ||
	    atomic_load(&cell->key) != id);
	if (result.allowed)
		touch(cell, full_ns(&p, now + owed));
	else
		result.retry_ns =
		    (int64_t)((owed + p.interval - p.burst) << p.shift);
	if (owed < p.burst)
		result.remaining = (p.burst - owed) / p.interval;
	if (owed)
		result.reset_ns = (int64_t)((owed - 1) % p.interval + 1)
				  << p.shift;
	return result;
}
