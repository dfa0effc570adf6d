/*
 * sallyport reload: has a running gateway load its configuration anew, waits
 * for the outcome and tells it.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/state.h"
#include "cmd/table.h"
#include "state/master.h"

/* Longer than a master gives its new workers. */
#define PATIENCE_NS (60 * NS_PER_S)

struct request {
	const char *state; /* NULL: the default */
	pid_t pid; /* 0: the only one */
};

/* Finds the master; CMD_OK or the exit status, with the reason said. */
static int
find(struct state *state, const struct request *r, struct master_report *found)
{
	size_t n = masters(state, r->pid, found);

	if (n > 1 && !r->pid) {
		(void)fprintf(stderr,
		    "sallyport reload: %zu gateways share %s; say which "
		    "with --pid\n",
		    n, r->state ? r->state : SALLYPORT_STATE_FILE);
		return CMD_USAGE;
	}
	if (found->pid)
		return CMD_OK;
	if (r->pid)
		(void)fprintf(
		    stderr, "sallyport reload: process %ld is", (long)r->pid);
	else
		(void)fputs("sallyport reload: there is", stderr);
	(void)fprintf(stderr,
	    " no gateway that was started by \"sallyport serve\" and uses "
	    "%s\n\"sallyport status\" has those that are; what a web server "
	    "has started is loaded anew when it is started anew.\n",
	    r->state ? r->state : SALLYPORT_STATE_FILE);
	return CMD_FAILED;
}

/* Until the master has decided; false if it is gone or too slow. */
static bool
await(struct state *state, pid_t pid, uint64_t before, struct master_report *m)
{
	static const struct timespec look = { .tv_nsec = 10 * NS_PER_MS };
	int64_t end = clock_boot_now_ns() + PATIENCE_NS;

	do {
		(void)nanosleep(&look, NULL);
		(void)masters(state, pid, m);
	} while (m->pid && m->reloads == before && clock_boot_now_ns() < end);
	return m->pid && m->reloads != before;
}

static int
reload(struct state *state, const struct request *r)
{
	struct master_report m;
	int status = find(state, r, &m);
	pid_t pid = m.pid;

	if (status)
		return status;
	if (kill(pid, SIGHUP)) {
		(void)fprintf(stderr, "sallyport reload: process %ld: %s\n",
		    (long)pid, strerror(errno));
		return CMD_FAILED;
	}
	if (!await(state, pid, m.reloads, &m)) {
		(void)fprintf(stderr,
		    "sallyport reload: process %ld has not answered; its "
		    "log may say why\n",
		    (long)pid);
		return CMD_FAILED;
	}
	(void)fputs(m.text, stderr);
	if (m.outcome == MASTER_REFUSED) {
		(void)fprintf(stderr,
		    "sallyport reload: refused; process %ld goes on with the "
		    "configuration it had\n",
		    (long)pid);
		return CMD_CONFIG;
	}
	if (printf("%s is loaded by process %ld (%u worker%s)\n", m.config,
		(long)pid, m.workers, m.workers == 1 ? "" : "s") < 0 ||
	    fflush(stdout))
		return CMD_FAILED;
	return CMD_OK;
}

int
cmd_reload(int argc, char **argv)
{
	struct request r = { .pid = 0 };
	struct args args;
	struct state *state;
	uint64_t pid = 0;
	int status = args_read(&args, cmd_find("reload"), argc, argv);
	const char *word;

	if (status)
		return status;
	word = args_value(&args, "--pid", 0);
	if (word &&
	    (!str_to_u64(str_of(word), &pid) || pid == 0 || pid > INT32_MAX)) {
		(void)fprintf(
		    stderr, "sallyport reload: %s is no process id\n", word);
		return CMD_USAGE;
	}
	r.pid = (pid_t)pid;
	r.state = args_value(&args, "--state", 0);
	status = state_use(r.state, &state);
	if (status)
		return status;
	status = reload(state, &r);
	state_close(state);
	return status;
}
