/*
 * Words by name: 64 bits each, that any process of this boot reads and
 * writes. What they mean is their user's business.
 */
#ifndef SALLYPORT_STATE_WORD_H
#define SALLYPORT_STATE_WORD_H

#include "state/file.h"

/* Finds or claims the word of that name (at most 119 bytes); -1 if there is no room. */
int word_find(struct state *, struct str name);

/* 0 in the beginning, and always for id -1. */
uint64_t word_get(struct state *, int id);
void word_set(struct state *, int id, uint64_t value);

#endif
