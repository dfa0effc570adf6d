/*
 * What lies where in the state file; for the files of this folder only.
 * Fixed widths, no pointers. A change here changes the layout hash, and
 * with it a file of an older program is set aside instead of misread.
 */
#ifndef SALLYPORT_STATE_LAYOUT_H
#define SALLYPORT_STATE_LAYOUT_H

#include "state/file.h"
#include "state/master.h"
#include "state/tag.h"

enum {
	LIMIT_SETS = 4096,
	LIMIT_WAYS = 8,
	LIMIT_SLOTS = 13,
	BREAKERS = 256,
	COUNTERS = 8192,
	GAUGES = 64,
	WORDS = 64,
	QUOTAS = 1024,
	PROCESSES = 256,
	MASTERS = 16,
	BOOT_ID_BYTES = 40,
};

/* One client of one rule; what the words mean is limit.c's. */
struct cell {
	_Atomic uint64_t key; /* 0: free */
	_Atomic uint64_t
	    expiry_ms; /* boot clock; decides nothing but eviction */
	_Atomic uint64_t head;
	_Atomic uint64_t slots[LIMIT_SLOTS];
};

struct process {
	_Atomic uint64_t who; /* pid and start time; 0: free */
	_Atomic int64_t joined_ns;
};

/* Written by the master that it is of; the text is whole when said is even. */
struct master_entry {
	_Atomic uint64_t who; /* pid and start time; 0: free */
	_Atomic int64_t joined_ns;
	_Atomic uint64_t said; /* odd while it is being written */
	_Atomic uint64_t reloads;
	_Atomic uint32_t outcome;
	_Atomic uint32_t workers;
	_Atomic char config[MASTER_CONFIG_MAX];
	_Atomic char text[MASTER_TEXT_MAX];
};

/* See quota.c. */
struct quota {
	_Atomic uint64_t word;
	_Atomic uint64_t shares[PROCESSES];
};

/* Written before the file has its name. */
struct image_header {
	uint64_t magic;
	uint64_t layout;
	uint64_t seed;
	char boot_id[BOOT_ID_BYTES]; /* changes under a lock, when opening */
};

struct image {
	struct image_header header;

	/* What another boot keeps. */
	_Alignas(4096) struct tag counter_tags[COUNTERS];
	_Atomic uint64_t counters[COUNTERS];

	/* What another boot forgets, up to the end. */
	_Alignas(4096) struct process processes[PROCESSES];
	struct master_entry masters[MASTERS];
	struct tag gauge_tags[GAUGES];
	_Atomic int64_t gauges[GAUGES][PROCESSES];
	struct tag word_tags[WORDS];
	_Atomic uint64_t words[WORDS];
	struct tag quota_tags[QUOTAS];
	struct quota quotas[QUOTAS];
	struct tag breaker_tags[BREAKERS];
	_Atomic uint64_t breakers[BREAKERS];
	_Atomic uint64_t breakers_opened[BREAKERS];
	_Atomic uint64_t doors[LIMIT_SETS]; /* who comes into a set next */
	_Alignas(4096) struct cell cells[LIMIT_SETS][LIMIT_WAYS];
};

_Static_assert(sizeof(struct cell) == 128, "a cell is two cache lines");
_Static_assert(sizeof(struct image) % 4096 == 0, "whole pages");

/* pid and start time of this process as one word, 0 if they cannot be had. */
uint64_t process_self(void);
bool process_lives(uint64_t who);
pid_t process_pid(uint64_t who);

struct state {
	struct image *image;
	size_t process; /* this one's place + 1, 0: not on the list */
};

/* quota.c: takes back what the process at place holds of all quotas. */
void quota_forget(struct state *, size_t place);

#endif
