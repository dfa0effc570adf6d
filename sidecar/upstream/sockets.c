/* The client's descriptors, in a table by number. */
#include "config.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "upstream/sockets.h"

struct slot {
	struct watch watch;
	struct sockets *all;
	struct socket_group *group; /* NULL: none, or counted out already */
	int64_t opened_ns, rested_ns;
	uint32_t served;
	bool opened_here;
	bool resting;
};

struct sockets {
	struct loop *loop;
	struct slot **slots; /* by descriptor; stay until the end */
	size_t n;
	void (*fn)(void *, int, uint32_t);
	void *arg;
	struct timer sweep; /* ends what rests too long */
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
	timer_clear(s->loop, &s->sweep);
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

/* ---- groups ---- */

static void
tell(const struct slot *slot, enum socket_event event)
{
	if (slot->group && slot->group->event)
		slot->group->event(slot->group->arg, event);
}

static void
set_resting(struct slot *slot, bool resting)
{
	if (slot->resting == resting)
		return;
	slot->resting = resting;
	if (slot->group && resting)
		slot->group->resting++;
	else if (slot->group)
		slot->group->resting--;
}

static void
count_out(struct slot *slot)
{
	if (!slot->group)
		return;
	slot->group->open--;
	tell(slot, SOCKET_CLOSED);
	slot->group = NULL;
}

/* Whoever tries to use the connection again will not be able to send. */
static void
spoil(struct slot *slot)
{
	set_resting(slot, false);
	watch_stop(slot->all->loop, &slot->watch);
	(void)shutdown(slot->watch.fd, SHUT_RDWR);
	count_out(slot);
}

/* ---- opening and closing ---- */

int
sockets_open(struct sockets *s, struct socket_group *group, int family,
    int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	struct slot *slot;

	if (fd < 0)
		return fd;
	sockets_unwatch(s, fd);
	slot = slot_of(s, fd);
	slot->opened_here = true;
	slot->opened_ns = clock_boot_ns();
	slot->served = 0;
	slot->group = group;
	if (group)
		group->open++;
	tell(slot, SOCKET_OPENED);
	return fd;
}

void
sockets_close(struct sockets *s, int fd)
{
	struct slot *slot = slot_of(s, fd);

	sockets_unwatch(s, fd);
	slot->opened_here = false;
	count_out(slot);
	(void)close(fd);
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

	set_resting(slot, false);
	if (slot->watch.active)
		return watch_change(s->loop, &slot->watch, events);
	return watch_start(s->loop, &slot->watch, fd, events, on_event, slot);
}

void
sockets_unwatch(struct sockets *s, int fd)
{
	struct slot *slot = slot_of(s, fd);

	set_resting(slot, false);
	watch_stop(s->loop, &slot->watch);
}

/* ---- resting ---- */

/* INT64_MAX: never. */
static int64_t
after(int64_t ns, int64_t limit)
{
	return limit > 0 ? ns + limit : INT64_MAX;
}

/* When a resting socket has rested enough. */
static int64_t
idle_at(const struct slot *slot)
{
	return slot->group ? after(slot->rested_ns, slot->group->idle_ns)
			   : INT64_MAX;
}

/* The same, or when it is too old. */
static int64_t
rested_at(const struct slot *slot)
{
	int64_t idle, old;

	if (!slot->resting || !slot->group)
		return INT64_MAX;
	idle = idle_at(slot);
	old = after(slot->opened_ns, slot->group->age_ns);
	return idle < old ? idle : old;
}

static void
end_rest(struct slot *slot, int64_t now)
{
	if (idle_at(slot) <= now)
		tell(slot, SOCKET_IDLED);
	spoil(slot);
}

static void
sweep(void *arg)
{
	struct sockets *s = arg;
	int64_t now = clock_boot_ns(), next = INT64_MAX, at;

	for (size_t fd = 0; fd < s->n; fd++) {
		at = s->slots[fd] ? rested_at(s->slots[fd]) : INT64_MAX;
		if (at <= now) {
			end_rest(s->slots[fd], now);
		} else if (at < next) {
			next = at;
		}
	}
	if (next != INT64_MAX)
		timer_set(s->loop, &s->sweep, next - now, sweep, s);
}

/* Sets the sweep if this socket is the first to be due. */
static void
sweep_by(struct sockets *s, const struct slot *slot)
{
	int64_t at = rested_at(slot);

	if (at == INT64_MAX || (s->sweep.slot && s->sweep.at_ns <= at))
		return;
	timer_set(s->loop, &s->sweep, at - clock_boot_ns(), sweep, s);
}

/* Bytes, or the end of them. */
static bool
has_input(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	       errno != EAGAIN;
}

static bool
is_worn_out(struct slot *slot)
{
	const struct socket_group *g = slot->group;

	slot->served++;
	if (!g)
		return false;
	if (g->uses && slot->served >= g->uses) {
		tell(slot, SOCKET_SERVED_ENOUGH);
		return true;
	}
	return g->age_ns && clock_boot_ns() - slot->opened_ns >= g->age_ns;
}

void
sockets_rest(struct sockets *s, int fd)
{
	struct slot *slot = slot_of(s, fd);

	if (!slot->opened_here || sockets_watch(s, fd, EPOLLIN)) {
		sockets_unwatch(s, fd);
		return;
	}
	set_resting(slot, true);
	slot->rested_ns = clock_boot_ns();
	if (is_worn_out(slot) || has_input(fd)) {
		spoil(slot);
		return;
	}
	sweep_by(s, slot);
	tell(slot, SOCKET_RESTS);
}

void
sockets_served(struct sockets *s, int fd)
{
	struct slot *slot = slot_of(s, fd);

	if (slot->watch.active && !slot->resting)
		slot->served++;
	else
		sockets_rest(s, fd);
}
