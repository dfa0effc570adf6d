/* Endpoints by origin and by address, and their kept connections. */
#include "config.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "upstream/links.h"

enum { PORT = 80 };

LIST_HEAD(link_list, link);
TAILQ_HEAD(link_queue, link);

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

struct endpoint {
	struct links *all;
	struct endpoint *next;
	struct socket_group *group;
	union address address;
	socklen_t address_len;
	char name[128];
	struct link_list kept;
};

struct links {
	struct loop *loop;
	void (*fn)(struct link *, uint32_t events);
	struct endpoint *endpoints;
	struct link_queue kept;
	size_t n_kept, max_kept;
	struct timer sweep; /* closes what is kept too long */
};

static void *
must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct links *
links_new(
    struct loop *loop, size_t max, void (*fn)(struct link *, uint32_t events))
{
	struct links *all = must(calloc(1, sizeof(*all)));

	*all = (struct links){ .loop = loop, .fn = fn, .max_kept = max };
	TAILQ_INIT(&all->kept);
	return all;
}

void
links_free(struct links *all)
{
	struct link *link;
	struct endpoint *e;

	while ((link = TAILQ_FIRST(&all->kept)))
		link_close(link);
	while ((e = all->endpoints)) {
		all->endpoints = e->next;
		free(e);
	}
	timer_clear(all->loop, &all->sweep);
	free(all);
}

/* ---- endpoints ---- */

static bool
read_port(struct str text, in_port_t *port)
{
	uint64_t value = PORT;

	if (text.ptr && (!str_to_u64(text, &value) || value > UINT16_MAX))
		return false;
	*port = htons((uint16_t)value);
	return true;
}

/* Cuts "[::1]:3001" or "127.0.0.1:3001"; *port is absent if none is named. */
static bool
split_authority(struct str authority, struct str *host, struct str *port)
{
	size_t end = str_find_char(authority, ']', 0);

	if (!str_starts(authority, STR("["))) {
		*host = str_split(&authority, ':');
		*port = authority;
		return true;
	}
	*host = str_slice(authority, 1, end);
	*port = str_slice(authority, end + 1, authority.len);
	if (end == authority.len)
		return false;
	if (port->len == 0)
		*port = STR_NONE;
	else if (port->ptr[0] != ':')
		return false;
	else
		*port = str_slice(*port, 1, port->len);
	return true;
}

/* False for a name. */
static bool
read_inet(struct str authority, struct endpoint *e)
{
	bool is_v6 = str_starts(authority, STR("["));
	struct sockaddr_in6 *v6 = &e->address.v6;
	struct sockaddr_in *v4 = &e->address.v4;
	char text[INET6_ADDRSTRLEN];
	struct str host, port;

	if (!split_authority(authority, &host, &port) ||
	    host.len >= sizeof(text))
		return false;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	e->address.any.sa_family = is_v6 ? AF_INET6 : AF_INET;
	e->address_len = is_v6 ? sizeof(*v6) : sizeof(*v4);
	return read_port(port, is_v6 ? &v6->sin6_port : &v4->sin_port) &&
	       inet_pton(e->address.any.sa_family, text,
		   is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) == 1;
}

static void
name_inet(struct endpoint *e)
{
	bool is_v6 = e->address.any.sa_family == AF_INET6;
	char text[INET6_ADDRSTRLEN];

	(void)!inet_ntop(e->address.any.sa_family,
	    is_v6 ? (void *)&e->address.v6.sin6_addr
		  : (void *)&e->address.v4.sin_addr,
	    text, sizeof(text));
	(void)snprintf(e->name, sizeof(e->name), is_v6 ? "[%s]:%u" : "%s:%u",
	    text,
	    ntohs(is_v6 ? e->address.v6.sin6_port : e->address.v4.sin_port));
}

static bool
read_origin(const struct client_origin *origin, struct endpoint *e)
{
	struct sockaddr_un *local = &e->address.local;
	struct str url = str_of(origin->url), scheme = STR("http://");

	memset(&e->address, 0, sizeof(e->address));
	if (origin->connect_to || !str_starts(url, scheme))
		return false;
	if (origin->unix_path) {
		if (strlen(origin->unix_path) >= sizeof(local->sun_path))
			return false;
		local->sun_family = AF_UNIX;
		memcpy(local->sun_path, origin->unix_path,
		    strlen(origin->unix_path));
		e->address_len = sizeof(*local);
		(void)snprintf(
		    e->name, sizeof(e->name), "%s", origin->unix_path);
		return true;
	}
	url = str_slice(url, scheme.len, url.len);
	if (!read_inet(str_split(&url, '/'), e))
		return false;
	name_inet(e);
	return true;
}

struct endpoint *
links_endpoint(struct links *all, const struct client_origin *origin,
    struct socket_group *group)
{
	struct endpoint made, *e;

	if (!read_origin(origin, &made))
		return NULL;
	for (e = all->endpoints; e; e = e->next)
		if (e->group == group && e->address_len == made.address_len &&
		    !memcmp(&e->address, &made.address, e->address_len))
			return e;
	e = must(malloc(sizeof(*e)));
	*e = made;
	e->all = all;
	e->group = group;
	LIST_INIT(&e->kept);
	e->next = all->endpoints;
	all->endpoints = e;
	return e;
}

struct str
endpoint_name(const struct endpoint *e)
{
	return str_of(e->name);
}

/* ---- connections ---- */

static void
tell(const struct link *link, enum socket_event event)
{
	const struct socket_group *group = link->to->group;

	if (group->event)
		group->event(group->arg, event);
}

static void
leave_kept(struct link *link)
{
	if (!link->is_kept)
		return;
	link->is_kept = false;
	LIST_REMOVE(link, kept_link);
	TAILQ_REMOVE(&link->all->kept, link, age_link);
	link->all->n_kept--;
	link->to->group->resting--;
}

void
link_close(struct link *link)
{
	leave_kept(link);
	watch_stop(link->all->loop, &link->watch);
	(void)close(link->watch.fd);
	link->to->group->open--;
	tell(link, SOCKET_CLOSED);
	free(link);
}

static void
on_event(void *arg, uint32_t events)
{
	struct link *link = arg;

	if (link->is_kept)
		link_close(link);
	else
		link->all->fn(link, events);
}

enum err
link_watch(struct link *link, uint32_t events)
{
	struct loop *loop = link->all->loop;

	/* Errors are told even of a socket that is watched for nothing. */
	if (!events) {
		watch_stop(loop, &link->watch);
		return ERR_OK;
	}
	if (link->watch.active)
		return watch_change(loop, &link->watch, events);
	return watch_start(
	    loop, &link->watch, link->watch.fd, events, on_event, link);
}

/* Nothing has come in that nobody asked for, nor the end. */
static bool
is_quiet(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       errno == EAGAIN;
}

struct link *
links_take(struct endpoint *to)
{
	struct link *link;

	while ((link = LIST_FIRST(&to->kept))) {
		if (is_quiet(link->watch.fd)) {
			leave_kept(link);
			return link;
		}
		link_close(link);
	}
	return NULL;
}

static void
close_oldest(struct links *all)
{
	struct link *oldest = TAILQ_FIRST(&all->kept);

	if (oldest)
		link_close(oldest);
}

/* INT64_MAX: never. */
static int64_t
after(int64_t ns, int64_t limit)
{
	return limit > 0 ? ns + limit : INT64_MAX;
}

/* When a kept connection was kept long enough. */
static int64_t
idle_at(const struct link *link)
{
	return after(link->kept_ns, link->to->group->idle_ns);
}

/* The same, or when it is too old. */
static int64_t
kept_until(const struct link *link)
{
	int64_t idle = idle_at(link);
	int64_t old = after(link->opened_ns, link->to->group->age_ns);

	return idle < old ? idle : old;
}

static void
sweep(void *arg)
{
	struct links *all = arg;
	struct link *link, *next;
	int64_t now = clock_boot_ns(), first = INT64_MAX, at;

	for (link = TAILQ_FIRST(&all->kept); link; link = next) {
		next = TAILQ_NEXT(link, age_link);
		at = kept_until(link);
		if (at <= now) {
			if (idle_at(link) <= now)
				tell(link, SOCKET_IDLED);
			link_close(link);
		} else if (at < first) {
			first = at;
		}
	}
	if (first != INT64_MAX)
		timer_set(all->loop, &all->sweep, first - now, sweep, all);
}

/* Sets the sweep if this connection is the first to be due. */
static void
sweep_by(struct link *link)
{
	struct links *all = link->all;
	int64_t at = kept_until(link);

	if (at == INT64_MAX || (all->sweep.slot && all->sweep.at_ns <= at))
		return;
	timer_set(all->loop, &all->sweep, at - clock_boot_ns(), sweep, all);
}

void
link_return(struct link *link)
{
	struct links *all = link->all;

	if (link_watch(link, EPOLLIN)) {
		link_close(link);
		return;
	}
	if (all->n_kept == all->max_kept)
		close_oldest(all);
	link->call = NULL;
	link->is_kept = true;
	link->kept_ns = clock_boot_ns();
	LIST_INSERT_HEAD(&link->to->kept, link, kept_link);
	TAILQ_INSERT_TAIL(&all->kept, link, age_link);
	all->n_kept++;
	link->to->group->resting++;
	sweep_by(link);
	tell(link, SOCKET_RESTS);
}

static bool
is_worn_out(struct link *link)
{
	const struct socket_group *g = link->to->group;

	link->served++;
	if (g->uses && link->served >= g->uses) {
		tell(link, SOCKET_SERVED_ENOUGH);
		return true;
	}
	return g->age_ns && clock_boot_ns() - link->opened_ns >= g->age_ns;
}

void
link_keep(struct link *link)
{
	link->was_kept = true;
	if (is_worn_out(link))
		link_close(link);
	else
		link_return(link);
}

/* ---- opening ---- */

static int
open_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd >= 0 && family != AF_UNIX)
		(void)!setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

struct link *
links_open(struct endpoint *to, bool *no_socket)
{
	struct link *link;
	int fd = open_socket(to->address.any.sa_family), error;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE) && to->all->n_kept) {
		close_oldest(to->all);
		fd = open_socket(to->address.any.sa_family);
	}
	*no_socket = fd < 0;
	if (fd < 0)
		return NULL;
	if (connect(fd, &to->address.any, to->address_len) &&
	    errno != EINPROGRESS) {
		error = errno;
		(void)close(fd);
		errno = error;
		return NULL;
	}
	link = must(calloc(1, sizeof(*link)));
	link->all = to->all;
	link->to = to;
	link->watch.fd = fd;
	link->opened_ns = clock_boot_ns();
	to->group->open++;
	tell(link, SOCKET_OPENED);
	return link;
}

void
link_note_connected(struct link *link)
{
	union address own;
	socklen_t len = sizeof(own);
	bool is_v6;

	if (getsockname(link->watch.fd, &own.any, &len) ||
	    own.any.sa_family == AF_UNIX)
		return;
	is_v6 = own.any.sa_family == AF_INET6;
	(void)!inet_ntop(own.any.sa_family,
	    is_v6 ? (void *)&own.v6.sin6_addr : (void *)&own.v4.sin_addr,
	    link->local_ip, sizeof(link->local_ip));
	link->local_port = ntohs(is_v6 ? own.v6.sin6_port : own.v4.sin_port);
}
