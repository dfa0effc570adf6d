/* One state file for all configurations of a process. */
#include "config.h"

#include <stdlib.h>

#include "base/log.h"
#include "module/shared.h"

static struct {
	struct state *state;
	size_t users;
} shared;

static struct state *
open_file(void)
{
	const char *asked = getenv("SALLYPORT_STATE");
	struct state *state;

	if (asked && !*asked)
		asked = NULL;
	if (!state_open(asked ? asked : SALLYPORT_STATE_FILE, &state))
		return state;
	if (asked)
		return NULL;
	log_warn("no state file: limits and breakers are kept in memory, "
		 "for this process only; SALLYPORT_STATE names a file");
	return state_private();
}

struct state *
shared_take(void)
{
	if (!shared.state) {
		shared.state = open_file();
		if (!shared.state)
			return NULL;
		state_join(shared.state);
	}
	shared.users++;
	return shared.state;
}

void
shared_give_back(void)
{
	if (--shared.users)
		return;
	state_leave(shared.state);
	state_close(shared.state);
	shared.state = NULL;
}
