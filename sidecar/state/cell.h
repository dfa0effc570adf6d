/*
 * The table of cells: which cell belongs to which key. For limit.c only.
 *
 * A cell's words are its owner's. A window's are times with counts: 44 bits
 * of ticks of 2^15 ns, 20 bits of count. A bucket's head is a time in ns.
 */
#ifndef SALLYPORT_STATE_CELL_H
#define SALLYPORT_STATE_CELL_H

#include "state/layout.h"

enum { TICK_BITS = 15, COUNT_BITS = 20 };

enum cell_use { CELL_BUCKET, CELL_WINDOW };

/* The tick that is not before a time. */
uint64_t cell_tick(int64_t ns);

/* What a key is called in the table; never 0. */
uint64_t cell_name(uint64_t key, enum cell_use);

/*
 * The cell of that name. A new one has a head that stands for nothing yet:
 * 0, or for windows a time with a count of 0.
 */
struct cell *cell_find(struct image *, uint64_t name, int64_t now_ns);

/* Whether the cell is still that key's. */
bool cell_is(const struct cell *, uint64_t name);

/* Until when the cell is worth keeping. */
void cell_keep(struct cell *, int64_t until_ns);

#endif
