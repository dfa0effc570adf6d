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
		const char *advice =
		    errno == EACCES
			? "It is the gateway's: be its user, or root (sudo)."
			: "It is there once a gateway has run with it; --state "
			  "FILE names another.";

		(void)fprintf(stderr, "sallyport: state file %s: %s\n%s\n",
		    path, strerror(errno), advice);
		return CMD_FAILED;
	}
	return state_open(path, out) ? CMD_FAILED : CMD_OK;
}
