/*
 * A bounded memory of results that were costly to find: byte strings to
 * objects that never change. Several threads may share one and none ever
 * waits: a slot that another thread is looking at counts as a miss. A new
 * item displaces the old one of its slot.
 */
#ifndef SALLYPORT_BASE_MEMO_H
#define SALLYPORT_BASE_MEMO_H

#include "base/arena.h"

struct memo;
struct memo_item;

/* Room for so many items with keys up to key_max bytes; goes with the arena. */
struct memo *memo_new(struct arena *, size_t slots, size_t key_max);

/*
 * An item, held by the caller, whose value lives in own; the item takes own
 * over. owner tells apart equal keys of different users.
 */
struct memo_item *memo_item_new(
    struct arena *own, const void *owner, struct str key, const void *value);
const void *memo_value(const struct memo_item *);

/* Lets the memo hold the item too, unless its key is too long. */
void memo_keep(struct memo *, struct memo_item *);

/* The item of that key, now held by the caller too, or NULL. */
struct memo_item *memo_find(struct memo *, const void *owner, struct str key);

/* Ends the caller's hold; the last one frees the item. */
void memo_drop(struct memo_item *);

#endif
