/*
 * The table: sets of eight cells. When a set is full, the cell that expires
 * first goes to the new key.
 *
 * Each set has a door, one word, through which keys come in one at a time:
 * [name 48][turn 12][pending 1][way 3]. It names the key that comes in next
 * and the cell it gets. It is set only if it has not moved since the set was
 * searched, so no key ever has two cells. Whoever meets a pending door carries it
 * out, so nobody waits for a process that was stopped or killed.
 */
#include "config.h"

#include "base/clock.h"
#include "state/cell.h"

enum { DOOR_WAY = 7, DOOR_PENDING = 8, DOOR_NEXT = 16, DOOR_TURN = 0xfff0 };

/*
 * A name's low 12 bits are the set's number. The next four are not kept,
 * as a door has no room for them; then comes the use.
 */
static const uint64_t NAME_HIGH = ~0xffffULL;
static const uint64_t NAME_WINDOW = 1ULL << 16;

/* A new cell that is not used yet is not taken away so soon. */
enum { GRACE_MS = 1000 };

/* A word further ahead than this (73 minutes) is no time. */
enum { TICKS_AHEAD = 1 << 27 };

static uint64_t
ms_of(int64_t ns)
{
	return ns < 0 ? 0 : (uint64_t)(ns / NS_PER_MS);
}

uint64_t
cell_tick(int64_t ns)
{
	return ((uint64_t)ns + (1U << TICK_BITS) - 1) >> TICK_BITS;
}

uint64_t
cell_name(uint64_t key, enum cell_use use)
{
	uint64_t name = key & (NAME_HIGH | (LIMIT_SETS - 1)) & ~NAME_WINDOW;

	if (use == CELL_WINDOW)
		return name | NAME_WINDOW;
	return name & NAME_HIGH ? name : name | 1ULL << 63;
}

bool
cell_is(const struct cell *cell, uint64_t name)
{
	return atomic_load(&cell->key) == name;
}

static struct cell *
search(struct cell *set, uint64_t name)
{
	for (int i = 0; i < LIMIT_WAYS; i++)
		if (cell_is(&set[i], name))
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

/*
 * A window begins with the time of now, or just after the latest that the
 * cell has seen: no word that comes into it is one that was in it before,
 * so that a late swap cannot mistake it for that.
 */
static uint64_t
fresh_head(uint64_t name, uint64_t seen, int64_t now_ns)
{
	uint64_t tick = cell_tick(now_ns), last = seen >> COUNT_BITS;

	if (!(name & NAME_WINDOW))
		return 0;
	if (last >= tick && last < tick + TICKS_AHEAD)
		tick = last + 1;
	return tick << COUNT_BITS;
}

static void
swap(_Atomic uint64_t *word, uint64_t seen, uint64_t next)
{
	if (seen != next)
		(void)atomic_compare_exchange_strong(word, &seen, next);
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
	uint64_t name = (door & NAME_HIGH) | set;
	uint64_t old = atomic_load(&cell->key);
	uint64_t head = atomic_load(&cell->head), slots[LIMIT_SLOTS];
	uint64_t expiry_ms = atomic_load(&cell->expiry_ms);

	for (int i = 0; i < LIMIT_SLOTS; i++)
		slots[i] = atomic_load(&cell->slots[i]);
	if (atomic_load(&image->doors[set]) != door)
		return;
	if (old != name && atomic_load(&cell->key) == old) {
		swap(&cell->head, head, fresh_head(name, head, now_ns));
		for (int i = 0; i < LIMIT_SLOTS; i++)
			swap(&cell->slots[i], slots[i], 0);
		swap(&cell->expiry_ms, expiry_ms, ms_of(now_ns) + GRACE_MS);
		swap(&cell->key, old, name);
	}
	swap(&image->doors[set], door, door & DOOR_TURN);
}

struct cell *
cell_find(struct image *image, uint64_t name, int64_t now_ns)
{
	size_t set = name & (LIMIT_SETS - 1);
	_Atomic uint64_t *door = &image->doors[set];
	struct cell *cell = search(image->cells[set], name);

	while (!cell) {
		uint64_t seen = atomic_load(door), next;

		if (seen & DOOR_PENDING) {
			carry_out(image, set, seen, now_ns);
			continue;
		}
		cell = search(image->cells[set], name);
		if (cell)
			break;
		next = (name & NAME_HIGH) | ((seen + DOOR_NEXT) & DOOR_TURN) |
		       DOOR_PENDING | choose_victim(image->cells[set]);
		if (atomic_compare_exchange_strong(door, &seen, next))
			carry_out(image, set, next, now_ns);
		cell = search(image->cells[set], name);
	}
	return cell;
}

void
cell_keep(struct cell *cell, int64_t until_ns)
{
	atomic_store_explicit(
	    &cell->expiry_ms, ms_of(until_ns) + 1, memory_order_relaxed);
}
