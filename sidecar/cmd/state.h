/* The state file, for commands that look at it. */
#ifndef SALLYPORT_CMD_STATE_H
#define SALLYPORT_CMD_STATE_H

#include "state/file.h"

/*
 * Opens a state file that is there, never making one; path NULL is the
 * default. CMD_OK, or CMD_FAILED with the reason on stderr.
 */
int state_use(const char *path, struct state **out);

#endif
