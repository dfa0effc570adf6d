/* The client's descriptors, in a table by number. */
#include "config.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "upstream/sockets.h"

struct slot {
	struct watch watch;
	struct sockets *all;
	bool opened_here;
	bool resting;
};

struct sockets {
	struct loop *loop;
	struct slot **slots; /* by descriptor; stay until the end */
	size_t n;
	void (*fn)(void *, int, uint32_t);
	void *arg;
};

struct sockets *
sockets_new(struct loop *loop, void (*fn)(void *, int, uint32_t), void *arg)
{
	struct sockets *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	*s = (struct sockets){ .loop = loop, .fn = fn, .arg = arg };
	return s;
}

void
sockets_free(struct sockets *s)
{
	for (size_t fd = 0; fd < s->n; fd++) {
		if (s->slots[fd])
			watch_stop(s->loop, &s->slots[fd]->watch);
		free(s->slots[fd]);
	}
	free(s->slots);
	free(s);
}

static void
grow(struct sockets *s, size_t fd)
{
	size_t n = s->n ? s->n : 64;
	struct slot **bigger;

	while (n <= fd)
		n *= 2;
	bigger = realloc(s->slots, n * sizeof(struct slot *));
	if (!bigger)
		abort();
	memset(bigger + s->n, 0, (n - s->n) * sizeof(struct slot *));
	s->slots = bigger;
	s->n = n;
}

static struct slot *
slot_of(struct sockets *s, int fd)
{
	size_t at = (size_t)fd;

	if (at >= s->n)
		grow(s, at);
	if (!s->slots[at]) {
		s->slots[at] = calloc(1, sizeof(struct slot));
		if (!s->slots[at])
			abort();
		s->slots[at]->all = s;
	}
	return s->slots[at];
}

int
sockets_open(struct sockets *s, int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd >= 0) {
		sockets_unwatch(s, fd);
		slot_of(s, fd)->opened_here = true;
	}
	return fd;
}

void
sockets_close(struct sockets *s, int fd)
{
	sockets_unwatch(s, fd);
	slot_of(s, fd)->opened_here = false;
	(void)close(fd);
}

/* Whoever tries to use the connection again will not be able to send. */
static void
spoil(struct slot *slot)
{
	slot->resting = false;
	watch_stop(slot->all->loop, &slot->watch);
	(void)shutdown(slot->watch.fd, SHUT_RDWR);
}

static void
on_event(void *arg, uint32_t events)
{
	struct slot *slot = arg;
	int fd = slot->watch.fd;
	uint32_t wanted = slot->watch.events;

	if (slot->resting) {
		spoil(slot);
		return;
	}
	/* An error shows in whatever is tried next. */
	if (!(events & (EPOLLERR | EPOLLHUP)))
		wanted &= events;
	slot->all->fn(slot->all->arg, fd, wanted);
}

enum err
sockets_watch(struct sockets *s, int fd, uint32_t events)
{
	struct slot *slot = slot_of(s, fd);

	slot->resting = false;
	if (slot->watch.active)
		return watch_change(s->loop, &slot->watch, events);
	return watch_start(s->loop, &slot->watch, fd, events, on_event, slot);
}

void
sockets_unwatch(struct sockets *s, int fd)
{
	struct slot *slot = slot_of(s, fd);

	slot->resting = false;
	watch_stop(s->loop, &slot->watch);
}

/* Bytes, or the end of them. */
static bool
has_input(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	       errno != EAGAIN;
}

void
sockets_rest(struct sockets *s, int fd)
{
	struct slot *slot = slot_of(s, fd);

	if (!slot->opened_here || !slot->watch.active ||
	    watch_change(s->loop, &slot->watch, EPOLLIN)) {
		sockets_unwatch(s, fd);
		return;
	}
	slot->resting = true;
	if (has_input(fd))
		spoil(slot);
}
