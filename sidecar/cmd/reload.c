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
#include <unistd.h>

#include "base/clock.h"
#include "cmd/cmd.h"
#include "state/master.h"

/* Longer than a master gives its new workers. */
#define PATIENCE_NS (60 * NS_PER_S)

struct request {
	const char *state;
	pid_t pid; /* 0: the only one */
};

static int
usage(void)
{
	(void)fputs(
	    "usage: sallyport reload [--state FILE] [--pid PID]\n", stderr);
	return CMD_USAGE;
}

static bool
read_options(int argc, char **argv, struct request *r)
{
	uint64_t pid;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return false;
		if (!strcmp(argv[i], "--state"))
			r->state = argv[i + 1];
		else if (!strcmp(argv[i], "--pid") &&
			 str_to_u64(str_of(argv[i + 1]), &pid) && pid > 0 &&
			 pid <= INT32_MAX)
			r->pid = (pid_t)pid;
		else
			return false;
	}
	return true;
}

/* Finds the master; CMD_OK or the exit status, with the reason said. */
static int
find(struct state *state, const struct request *r, struct master_report *found)
{
	size_t n = masters(state, r->pid, found);

	if (n > 1 && !r->pid) {
		(void)fprintf(stderr,
		    "sallyport reload: %zu gateways share %s; say which "
		    "with --pid\n",
		    n, r->state);
		return CMD_USAGE;
	}
	if (found->pid)
		return CMD_OK;
	(void)fprintf(stderr,
	    "sallyport reload: no gateway that was started by \"sallyport "
	    "serve\" uses %s\n",
	    r->state);
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
	struct request r = { .state = SALLYPORT_STATE_FILE };
	struct state *state;
	int status;

	if (!read_options(argc, argv, &r))
		return usage();
	/* Opening would make one. */
	if (access(r.state, R_OK | W_OK)) {
		perror(r.state);
		return CMD_FAILED;
	}
	if (state_open(r.state, &state))
		return CMD_FAILED;
	status = reload(state, &r);
	state_close(state);
	return status;
}
