/*
 * A mark that requests of `sallyport doctor` bear, so that gateways know
 * them: random, known to those only who may write the state file, and good
 * for a short time.
 */
#ifndef SALLYPORT_STATE_MARK_H
#define SALLYPORT_STATE_MARK_H

#include "state/file.h"

enum {
	MARK_LEN = 32, /* hexadecimal digits */
	MARK_LIFE_S = 60,
};

/*
 * The mark that is good now, or a new one, good for MARK_LIFE_S from now on;
 * written into text with a NUL. ERR_FULL if the file has no room for it.
 */
enum err mark_renew(
    struct state *, int64_t now_ns, char text[MARK_LEN + 1]) CHECKED;

/* Ends the mark before its time, for all who have it. */
void mark_drop(struct state *);

/* Whether text is the mark, and good. How long that takes tells nothing. */
bool mark_is_good(struct state *, int64_t now_ns, struct str text);

#endif
