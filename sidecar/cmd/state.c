#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/state.h"

int
state_use(const char *path, struct state **out)
{
	if (!path)
		path = SALLYPORT_STATE_FILE;
	/* Opening would make one. */
	if (access(path, R_OK | W_OK)) {
		(void)fprintf(stderr,
		    "sallyport: state file %s: %s\nIt is there once a gateway "
		    "has run with it; --state FILE names another.\n",
		    path, strerror(errno));
		return CMD_FAILED;
	}
	return state_open(path, out) ? CMD_FAILED : CMD_OK;
}
