/*
 * The master does no work of its own: it waits for signals, and children are
 * among them.
 */
#include "config.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/master.h"
#include "front/notify.h"

#define RESPAWN_NS (1 * NS_PER_S) /* a worker is started at most this often */
#define KILL_NS    (35 * NS_PER_S)
#define READY_NS   (30 * NS_PER_S) /* new workers are given this long */
enum { READY_LOOK_MS = 50 };

struct slot {
	pid_t pid; /* 0: none runs */
	int64_t started_ns;
	bool was_replaced;
};

struct master {
	const struct master_options *options;
	struct worker worker; /* what workers started now run with */
	struct listen_sockets *sockets;
	struct slot slots[WORKERS_MAX];
	pid_t *retired; /* workers of configurations before */
	size_t n_retired;
	int ready[2]; /* new workers write their pids */
	sigset_t signals;
	int64_t stop_ns; /* when stopping began; 0: it has not */
	bool is_worker; /* this process is a forked worker that has ended */
	int status; /* exit status of the process */
};

static void
start(struct master *m, struct slot *slot)
{
	pid_t parent = getpid(), pid = fork();

	slot->started_ns = clock_boot_now_ns();
	if (pid < 0) {
		log_error("cannot start a worker: error %d", errno);
		return;
	}
	if (pid > 0) {
		slot->pid = pid;
		return;
	}
	(void)!prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	(void)close(m->ready[0]);
	m->worker.ready_fd = m->ready[1];
	m->status = worker_run(&m->worker);
	m->is_worker = true;
	listen_forget(m->sockets);
}

/* Starts those that are missing and may be started again. */
static void
start_missing(struct master *m)
{
	int64_t now = clock_boot_now_ns();
	struct slot *s;

	for (unsigned i = 0; i < m->options->workers && !m->is_worker; i++) {
		s = &m->slots[i];
		if (s->pid == 0 &&
		    (s->started_ns == 0 || now - s->started_ns >= RESPAWN_NS))
			start(m, s);
	}
}

static unsigned
count_running(const struct master *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->options->workers; i++)
		n += m->slots[i].pid != 0;
	return n;
}

static void
tell(const struct master *m, int signal_number)
{
	for (unsigned i = 0; i < m->options->workers; i++)
		if (m->slots[i].pid)
			(void)!kill(m->slots[i].pid, signal_number);
}

static void
tell_retired(const struct master *m, int signal_number)
{
	for (size_t i = 0; i < m->n_retired; i++)
		(void)!kill(m->retired[i], signal_number);
}

static void
log_death(const struct master *m, pid_t pid, int status, const char *then)
{
	const char *name;

	if (WIFSIGNALED(status)) {
		name = sigabbrev_np(WTERMSIG(status));
		log_error("worker %ld was killed by SIG%s%s", (long)pid,
		    name ? name : "?", m->stop_ns ? "" : then);
	} else if (!m->stop_ns) {
		log_error("worker %ld ended with status %d%s", (long)pid,
		    WEXITSTATUS(status), then);
	}
}

static void
begin_stop(struct master *m)
{
	if (m->stop_ns)
		return;
	m->stop_ns = clock_boot_now_ns();
	notify("STOPPING=1");
	listen_close(m->sockets);
	tell(m, SIGTERM);
	tell_retired(m, SIGTERM);
}

/*
 * A first worker that cannot even start has said why, and so would the next
 * one: whoever has started us should know.
 */
static void
bury(struct master *m, struct slot *s, int status)
{
	int64_t age = clock_boot_now_ns() - s->started_ns;
	bool cannot_start = !m->stop_ns && !s->was_replaced &&
			    age < RESPAWN_NS && WIFEXITED(status) &&
			    WEXITSTATUS(status) == EXIT_FAILURE;

	if (cannot_start) {
		m->status = EXIT_FAILURE;
		begin_stop(m);
	} else {
		log_death(m, s->pid, status, "; another takes its place");
	}
	s->pid = 0;
	s->was_replaced = true;
}

static void
bury_retired(struct master *m, size_t i, int status)
{
	if (WIFSIGNALED(status) || WEXITSTATUS(status))
		log_death(m, m->retired[i], status, "");
	m->retired[i] = m->retired[--m->n_retired];
}

static void
reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < m->options->workers; i++)
			if (m->slots[i].pid == pid)
				bury(m, &m->slots[i], status);
		for (size_t i = 0; i < m->n_retired; i++)
			if (m->retired[i] == pid) {
				bury_retired(m, i, status);
				break;
			}
	}
}

/* ---- reloading ---- */

static bool
slot_has_died(struct slot *s)
{
	int status;

	if (s->pid && waitpid(s->pid, &status, WNOHANG) == s->pid)
		s->pid = 0;
	return s->pid == 0;
}

static bool
has_slot(const struct master *m, pid_t pid)
{
	for (unsigned i = 0; i < m->options->workers; i++)
		if (m->slots[i].pid == pid)
			return true;
	return false;
}

/* Takes from the pipe what workers have said; how many of the slots'. */
static size_t
count_ready(struct master *m)
{
	struct pollfd p = { .fd = m->ready[0], .events = POLLIN };
	size_t n = 0;
	pid_t pid;

	if (poll(&p, 1, READY_LOOK_MS) <= 0)
		return 0;
	while (read(m->ready[0], &pid, sizeof(pid)) == sizeof(pid))
		n += has_slot(m, pid);
	return n;
}

/* Whether all workers just started serve; false once one of them has died. */
static bool
are_ready(struct master *m)
{
	int64_t end = clock_boot_now_ns() + READY_NS;
	size_t n = 0;

	while (n < m->options->workers) {
		n += count_ready(m);
		for (unsigned i = 0; i < m->options->workers; i++)
			if (slot_has_died(&m->slots[i]))
				return false;
		if (clock_boot_now_ns() > end)
			return false;
	}
	return true;
}

/* Makes the workers in slots finish what they have. */
static void
retire(struct master *m, const struct slot *slots)
{
	size_t most = m->n_retired + m->options->workers;
	pid_t *bigger = realloc(m->retired, most * sizeof(*bigger));

	if (!bigger)
		abort();
	m->retired = bigger;
	for (unsigned i = 0; i < m->options->workers; i++) {
		if (!slots[i].pid)
			continue;
		m->retired[m->n_retired++] = slots[i].pid;
		(void)!kill(slots[i].pid, SIGUSR2);
	}
}

/* Starts workers of the next configuration beside those that run. */
static bool
replace(struct master *m, const struct worker *next)
{
	struct slot before[WORKERS_MAX], failed[WORKERS_MAX];
	struct worker was = m->worker;

	memcpy(before, m->slots, sizeof(before));
	memset(m->slots, 0, sizeof(m->slots));
	m->worker = *next;
	start_missing(m);
	if (m->is_worker)
		return true;
	if (are_ready(m)) {
		retire(m, before);
		return true;
	}
	memcpy(failed, m->slots, sizeof(failed));
	memcpy(m->slots, before, sizeof(before));
	m->worker = was;
	retire(m, failed);
	return false;
}

static void
reload(struct master *m)
{
	const struct master_options *o = m->options;
	struct worker next;
	struct str text = STR_NONE;
	bool taken;

	notify("RELOADING=1");
	taken = o->load(o->arg, &next, &text) && replace(m, &next);
	if (m->is_worker)
		return;
	if (!taken && !text.len)
		text = STR("the new workers did not come up; the log says "
			   "why\n");
	o->settle(o->arg, taken, text);
	if (taken)
		log_info("the configuration is loaded anew");
	else
		log_error("the new configuration is refused; the one before "
			  "goes on");
	notify("READY=1");
}

/* ---- signals ---- */

static void
obey(struct master *m, int signal_number)
{
	switch (signal_number) {
	case SIGTERM:
	case SIGINT:
		begin_stop(m);
		break;
	case SIGUSR1:
		tell(m, SIGUSR1);
		tell_retired(m, SIGUSR1);
		break;
	case SIGHUP:
		if (!m->stop_ns)
			reload(m);
		break;
	case SIGCHLD:
		reap(m);
		break;
	default:
		break;
	}
}

/* How long to wait for the next signal. */
static struct timespec
wait_time(const struct master *m)
{
	bool is_whole = count_running(m) == m->options->workers;

	return (
	    struct timespec){ .tv_sec = m->stop_ns || !is_whole ? 1 : 3600 };
}

static void
attend(struct master *m)
{
	struct timespec timeout = wait_time(m);
	int number = sigtimedwait(&m->signals, NULL, &timeout);

	if (number > 0)
		obey(m, number);
	if (m->is_worker)
		return;
	reap(m);
	if (!m->stop_ns)
		start_missing(m);
	else if (clock_boot_now_ns() - m->stop_ns >= KILL_NS) {
		tell(m, SIGKILL);
		tell_retired(m, SIGKILL);
	}
}

static enum err
block_signals(struct master *m)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGUSR1, SIGHUP,
		SIGCHLD };

	(void)sigemptyset(&m->signals);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaddset(&m->signals, numbers[i]);
	return sigprocmask(SIG_BLOCK, &m->signals, NULL) ? ERR_SYSTEM : ERR_OK;
}

static void
run(struct master *m)
{
	unsigned n = m->options->workers;

	start_missing(m);
	if (m->is_worker)
		return;
	log_info("listening on %s (%u worker%s)", m->options->addresses, n,
	    n == 1 ? "" : "s");
	notify("READY=1");
	while (
	    !m->is_worker && (!m->stop_ns || count_running(m) || m->n_retired))
		attend(m);
}

int
master_run(const struct worker *w, struct listen_sockets *sockets,
    const struct master_options *options)
{
	struct master m = {
		.options = options, .worker = *w, .sockets = sockets
	};

	if (block_signals(&m) || pipe2(m.ready, O_CLOEXEC | O_NONBLOCK)) {
		log_error("no signals or no pipe: error %d", errno);
		return EXIT_FAILURE;
	}
	run(&m);
	free(m.retired);
	if (!m.is_worker) {
		(void)close(m.ready[0]);
		(void)close(m.ready[1]);
	}
	return m.status;
}
