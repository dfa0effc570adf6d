/*
 * The master does no work of its own: it waits for signals, and children are
 * among them.
 */
#include "config.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/master.h"

#define RESPAWN_NS (1 * NS_PER_S) /* a worker is started at most this often */
#define KILL_NS    (35 * NS_PER_S)

struct slot {
	pid_t pid; /* 0: none runs */
	int64_t started_ns;
	bool was_replaced;
};

struct master {
	const struct worker *worker;
	struct listen_sockets *sockets;
	unsigned n;
	struct slot slots[WORKERS_MAX];
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
	m->status = worker_run(m->worker);
	m->is_worker = true;
	listen_forget(m->sockets);
}

/* Starts those that are missing and may be started again. */
static void
start_missing(struct master *m)
{
	int64_t now = clock_boot_now_ns();
	struct slot *s;

	for (unsigned i = 0; i < m->n && !m->is_worker; i++) {
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

	for (unsigned i = 0; i < m->n; i++)
		n += m->slots[i].pid != 0;
	return n;
}

static void
tell(const struct master *m, int signal_number)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->slots[i].pid)
			(void)!kill(m->slots[i].pid, signal_number);
}

static void
log_death(const struct master *m, pid_t pid, int status)
{
	const char *name;

	if (WIFSIGNALED(status)) {
		name = sigabbrev_np(WTERMSIG(status));
		log_error("worker %ld was killed by SIG%s%s", (long)pid,
		    name ? name : "?",
		    m->stop_ns ? "" : "; another takes its place");
	} else if (!m->stop_ns) {
		log_error("worker %ld ended with status %d; another takes "
			  "its place",
		    (long)pid, WEXITSTATUS(status));
	}
}

/* systemd's notification protocol (sd_notify(3)). */
static void
notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct str name = str_of(path);
	socklen_t len;
	int fd;

	if (name.len == 0 || name.len >= sizeof(at.sun_path))
		return;
	memcpy(at.sun_path, name.ptr, name.len);
	if (at.sun_path[0] == '@')
		at.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.len);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)!sendto(
	    fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&at, len);
	(void)close(fd);
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
		log_death(m, s->pid, status);
	}
	s->pid = 0;
	s->was_replaced = true;
}

static void
reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < m->n; i++)
			if (m->slots[i].pid == pid)
				bury(m, &m->slots[i], status);
}

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
		break;
	case SIGHUP:
		log_warn("SIGHUP is ignored: restart to change the "
			 "configuration");
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
	bool is_whole = count_running(m) == m->n;

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
	reap(m);
	if (!m->stop_ns)
		start_missing(m);
	else if (clock_boot_now_ns() - m->stop_ns >= KILL_NS)
		tell(m, SIGKILL);
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

int
master_run(const struct worker *w, struct listen_sockets *sockets,
    unsigned workers, const char *addresses)
{
	struct master m = { .worker = w, .sockets = sockets, .n = workers };

	if (block_signals(&m)) {
		log_error("no signals: error %d", errno);
		return EXIT_FAILURE;
	}
	start_missing(&m);
	if (m.is_worker)
		return m.status;
	log_info("listening on %s (%u worker%s)", addresses, workers,
	    workers == 1 ? "" : "s");
	notify("READY=1");
	while (!m.is_worker && (!m.stop_ns || count_running(&m)))
		attend(&m);
	return m.status;
}
