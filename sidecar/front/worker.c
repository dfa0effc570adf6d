/* The life of a worker. */
#include "config.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/connection.h"
#include "front/listener.h"
#include "front/worker.h"

enum {
	DESCRIPTORS = 65536, /* wanted, if the hard limit allows */
	OWN_DESCRIPTORS = 64, /* not for requests: sockets, logs, epoll; */
	OWN_SHARE = 3, /* but no more than this part of the limit */
	PER_REQUEST = 2, /* the web server's side and the backend's */
};
#define DRAIN_NS (30 * NS_PER_S)

/* How far a worker is on its way out; each stage includes the one before. */
enum leaving { SERVING, RETIRING, DRAINING };

struct running {
	const struct worker *worker;
	struct front front;
	struct connections *connections;
	struct listeners *listeners;
	struct watch signals;
	struct timer deadline;
	enum leaving leaving;
};

enum err
worker_open(const struct worker *w, struct front *f)
{
	*f = (struct front){
		.gateway = w->gateway, .state = w->state, .log = w->log
	};
	f->loop = loop_new();
	if (!f->loop) {
		log_error("no event loop: error %d", errno);
		return ERR_SYSTEM;
	}
	if (access_log_open(w->log, f->loop)) {
		loop_free(f->loop);
		return ERR_SYSTEM;
	}
	f->router = router_new(f->loop, w->clusters, w->state);
	f->wakes = wakes_new(f->loop);
	state_join(w->state);
	return ERR_OK;
}

void
worker_close(const struct worker *w, struct front *f)
{
	router_free(f->router);
	wakes_free(f->wakes);
	access_log_close(w->log);
	state_leave(w->state);
	loop_free(f->loop);
}

static void
stop(void *arg)
{
	struct running *r = arg;

	loop_stop(r->front.loop);
}

/* Takes no new connections. */
static void
close_sockets(struct running *r)
{
	listeners_finish(r->listeners);
	listeners_free(r->listeners);
	r->listeners = NULL;
	for (size_t i = 0; i < r->worker->n_sockets; i++)
		(void)close(r->worker->sockets[i]);
}

static void
leave(struct running *r, enum leaving stage)
{
	if (stage <= r->leaving)
		return;
	if (r->leaving == SERVING)
		close_sockets(r);
	r->leaving = stage;
	if (stage == RETIRING) {
		connections_retire(r->connections, stop, r);
		return;
	}
	timer_set(r->front.loop, &r->deadline, DRAIN_NS, stop, r);
	connections_drain(r->connections, stop, r);
}

static void
on_signal(void *arg, uint32_t events)
{
	struct running *r = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(r->signals.fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1)
			access_log_reopen(r->worker->log);
		else
			leave(
			    r, info.ssi_signo == SIGUSR2 ? RETIRING : DRAINING);
	}
}

int
worker_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGUSR2);
	if (sigprocmask(SIG_SETMASK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static enum err
watch_signals(struct running *r)
{
	int fd = worker_signals();

	if (fd < 0)
		return ERR_SYSTEM;
	r->signals.fd = fd;
	return watch_start(
	    r->front.loop, &r->signals, fd, EPOLLIN, on_signal, r);
}

/* After libfcgi's start, which sets a handler of its own for SIGPIPE. */
static void
ignore_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGHUP, &ignore, NULL);
}

/* Raises the limit on descriptors; returns how many requests it allows. */
static size_t
max_requests(void)
{
	struct rlimit limit = { 1024, 1024 };
	rlim_t own;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < DESCRIPTORS) {
		limit.rlim_cur =
		    limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
		(void)!setrlimit(RLIMIT_NOFILE, &limit);
		(void)!getrlimit(RLIMIT_NOFILE, &limit);
	}
	own = limit.rlim_cur / OWN_SHARE;
	if (own > OWN_DESCRIPTORS)
		own = OWN_DESCRIPTORS;
	return (limit.rlim_cur - own) / PER_REQUEST;
}

/* Fewer preemptions by the programs that wait for our answers. */
static void
prefer_throughput(void)
{
	struct sched_param none = { 0 };

	(void)!sched_setscheduler(0, SCHED_BATCH, &none);
}

static void
say_ready(int fd)
{
	pid_t pid = getpid();

	if (fd < 0)
		return;
	(void)!write(fd, &pid, sizeof(pid));
	(void)close(fd);
}

static int
serve(struct running *r)
{
	size_t max = max_requests();

	r->connections = connections_new(&r->front);
	if (!r->connections)
		return EXIT_FAILURE;
	ignore_signals();
	r->listeners = listeners_new(r->front.loop, r->connections,
	    r->worker->sockets, r->worker->n_sockets, max);
	if (!r->listeners)
		return EXIT_FAILURE;
	say_ready(r->worker->ready_fd);
	loop_run(r->front.loop);
	return EXIT_SUCCESS;
}

int
worker_run(const struct worker *w)
{
	struct running r = { .worker = w, .signals.fd = -1 };
	int status = EXIT_FAILURE;

	if (worker_open(w, &r.front))
		return EXIT_FAILURE;
	prefer_throughput();
	if (watch_signals(&r))
		log_error("no signals: error %d", errno);
	else
		status = serve(&r);
	timer_clear(r.front.loop, &r.deadline);
	listeners_free(r.listeners);
	connections_free(r.connections);
	watch_stop(r.front.loop, &r.signals);
	if (r.signals.fd >= 0)
		(void)close(r.signals.fd);
	worker_close(w, &r.front);
	return status;
}
