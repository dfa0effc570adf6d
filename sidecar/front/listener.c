/* accept4 in a loop, so that one wake-up serves a burst. */
#include "config.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/listener.h"

enum { BURST = 64 };
#define PAUSE_NS   (100 * NS_PER_MS)
#define LOG_GAP_NS (10 * NS_PER_S)

struct listener {
	struct listeners *all;
	int fd;
	struct watch watch;
};

struct listeners {
	struct loop *loop;
	struct connections *connections;
	struct timer pause;
	size_t max;
	int64_t logged_ns; /* when a pause was last logged; 0: never */
	size_t n;
	struct listener items[];
};

static void on_ready(void *arg, uint32_t events);

static enum err
listen_all(struct listeners *all)
{
	struct listener *l;
	enum err err = ERR_OK;

	for (size_t i = 0; i < all->n && !err; i++) {
		l = &all->items[i];
		if (!l->watch.active)
			err = watch_start(all->loop, &l->watch, l->fd,
			    EPOLLIN | EPOLLEXCLUSIVE, on_ready, l);
	}
	if (err)
		log_error("cannot watch a listening socket: error %d", errno);
	return err;
}

static void stop(struct listeners *all);

static void
resume(void *arg)
{
	struct listeners *all = arg;

	if (connections_count(all->connections) >= all->max || listen_all(all))
		timer_set(all->loop, &all->pause, PAUSE_NS, resume, all);
}

static void
stop(struct listeners *all)
{
	for (size_t i = 0; i < all->n; i++)
		watch_stop(all->loop, &all->items[i].watch);
}

static void
pause_for(struct listeners *all, const char *reason)
{
	int64_t now = clock_boot_ns();

	stop(all);
	timer_set(all->loop, &all->pause, PAUSE_NS, resume, all);
	if (all->logged_ns && now - all->logged_ns < LOG_GAP_NS)
		return;
	all->logged_ns = now;
	log_warn("new connections wait: %s", reason);
}

/* Failures of one connection attempt, not of the socket (accept(2)). */
static bool
is_passing(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case EPERM:
		return true;
	default:
		return false;
	}
}

static void
on_ready(void *arg, uint32_t events)
{
	struct listener *l = arg;
	struct listeners *all = l->all;
	int fd;

	(void)events;
	for (int i = 0; i < BURST; i++) {
		if (connections_count(all->connections) >= all->max) {
			pause_for(all, "this process has as many as its "
				       "limit on descriptors allows");
			return;
		}
		fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			connections_add(all->connections, fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (!is_passing(errno)) {
			pause_for(all, "the system has no descriptors or "
				       "memory left");
			return;
		}
	}
}

struct listeners *
listeners_new(struct loop *loop, struct connections *connections,
    const int *sockets, size_t n, size_t max)
{
	struct listeners *all =
	    calloc(1, sizeof(*all) + n * sizeof(all->items[0]));

	if (!all)
		abort();
	all->loop = loop;
	all->connections = connections;
	all->max = max;
	all->n = n;
	for (size_t i = 0; i < n; i++) {
		all->items[i].all = all;
		all->items[i].fd = sockets[i];
	}
	if (!listen_all(all))
		return all;
	listeners_free(all);
	return NULL;
}

void
listeners_finish(struct listeners *all)
{
	struct listener *l;
	int fd;

	for (size_t i = 0; i < all->n; i++) {
		l = &all->items[i];
		while (connections_count(all->connections) < all->max &&
		       (fd = accept4(l->fd, NULL, NULL,
			    SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
			connections_add(all->connections, fd);
	}
}

void
listeners_free(struct listeners *all)
{
	if (!all)
		return;
	stop(all);
	timer_clear(all->loop, &all->pause);
	free(all);
}
