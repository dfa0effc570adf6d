/* Opening what web servers connect to. */
#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "front/listen.h"

enum { BACKLOG = 4096, FIRST_INHERITED = 3 };

bool
socket_listens(int fd)
{
	int yes = 0;
	socklen_t len = sizeof(yes);

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) && yes;
}

static enum err
add(struct listen_sockets *s, int fd, const char *path)
{
	int on = 1;

	if (s->n == LISTEN_MAX) {
		log_error("more than %d listening sockets", LISTEN_MAX);
		return ERR_FULL;
	}
	/* Fails on unix sockets; connections inherit it. */
	(void)!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	s->paths[s->n] = path ? strdup(path) : NULL;
	s->fds[s->n++] = fd;
	return ERR_OK;
}

static enum err
fail(const char *address, const char *what)
{
	log_error("cannot listen on %s: %s: %s", address, what,
	    strerrordesc_np(errno));
	return ERR_SYSTEM;
}

/* Removes a socket that nobody listens on any more. */
static enum err
clear_stale(const struct sockaddr_un *at, const char *address)
{
	struct stat st;
	int fd, refused;

	if (lstat(at->sun_path, &st))
		return ERR_OK;
	if (!S_ISSOCK(st.st_mode)) {
		log_error("cannot listen on %s: there is a file of that name "
			  "which is no socket",
		    address);
		return ERR_SYSTEM;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(address, "socket");
	refused = connect(fd, (const struct sockaddr *)at, sizeof(*at)) &&
		  errno == ECONNREFUSED;
	(void)close(fd);
	if (!refused) {
		log_error("cannot listen on %s: another process does", address);
		return ERR_SYSTEM;
	}
	log_info("replacing the socket %s: nobody listens on it", at->sun_path);
	return unlink(at->sun_path) ? fail(address, "unlink") : ERR_OK;
}

static enum err
open_unix(struct listen_sockets *s, const char *address, unsigned mode)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct str path = str_of(address + strlen("unix:"));
	enum err err;
	int fd;

	if (path.len == 0 || path.len >= sizeof(at.sun_path)) {
		log_error("%s: the path of a unix socket has 1 to %zu bytes",
		    address, sizeof(at.sun_path) - 1);
		return ERR_BAD;
	}
	memcpy(at.sun_path, path.ptr, path.len);
	err = clear_stale(&at, address);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(address, "socket");
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)))
		err = fail(address, "bind");
	else if (chmod(at.sun_path, mode))
		err = fail(address, "chmod");
	else if (listen(fd, BACKLOG))
		err = fail(address, "listen");
	else
		err = add(s, fd, at.sun_path);
	if (err)
		(void)close(fd);
	return err;
}

/* "HOST:PORT" or "[V6]:PORT", in NUL-terminated pieces. */
static bool
split_address(const char *address, char host[256], char port[8])
{
	struct str s = str_of(address), h, p;
	size_t colon = s.len;
	uint64_t number;

	while (colon > 0 && s.ptr[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return false;
	h = str_slice(s, 0, colon - 1);
	p = str_slice(s, colon, s.len);
	if (h.ptr[0] == '[' && str_ends(h, STR("]")))
		h = str_slice(h, 1, h.len - 1);
	else if (str_find_char(h, ':', 0) < h.len)
		return false;
	if (!str_to_u64(p, &number) || number == 0 || number > 65535 ||
	    h.len == 0 || h.len > 255 || p.len > 5)
		return false;
	memcpy(host, h.ptr, h.len);
	host[h.len] = '\0';
	memcpy(port, p.ptr, p.len);
	port[p.len] = '\0';
	return true;
}

static enum err
open_found(
    struct listen_sockets *s, const char *address, const struct addrinfo *at)
{
	int on = 1, fd;
	enum err err;

	fd = socket(
	    at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(address, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, at->ai_addr, at->ai_addrlen))
		err = fail(address, "bind");
	else if (listen(fd, BACKLOG))
		err = fail(address, "listen");
	else
		err = add(s, fd, NULL);
	if (err)
		(void)close(fd);
	return err;
}

static enum err
open_tcp(struct listen_sockets *s, const char *address)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char host[256], port[8];
	int failed;
	enum err err;

	if (!split_address(address, host, port)) {
		log_error("%s is no address; write unix:PATH, HOST:PORT or "
			  "[V6]:PORT",
		    address);
		return ERR_BAD;
	}
	failed = getaddrinfo(host, port, &hints, &found);
	if (failed) {
		log_error(
		    "cannot listen on %s: %s", address, gai_strerror(failed));
		return ERR_SYSTEM;
	}
	err = open_found(s, address, found);
	freeaddrinfo(found);
	return err;
}

enum err
listen_open(struct listen_sockets *s, const char *address, unsigned mode)
{
	if (str_starts(str_of(address), STR("unix:")))
		return open_unix(s, address, mode);
	return open_tcp(s, address);
}

enum err
listen_inherit(struct listen_sockets *s)
{
	uint64_t pid, n;
	enum err err = ERR_OK;

	if (!str_to_u64(str_of(getenv("LISTEN_PID")), &pid) ||
	    pid != (uint64_t)getpid() ||
	    !str_to_u64(str_of(getenv("LISTEN_FDS")), &n))
		return ERR_OK;
	for (int fd = FIRST_INHERITED;
	     (uint64_t)fd < FIRST_INHERITED + n && !err; fd++) {
		if (!socket_listens(fd) || fcntl(fd, F_SETFD, FD_CLOEXEC) ||
		    fcntl(fd, F_SETFL, O_NONBLOCK)) {
			log_error("descriptor %d of LISTEN_FDS is no "
				  "listening socket",
			    fd);
			return ERR_SYSTEM;
		}
		err = add(s, fd, NULL);
	}
	(void)!unsetenv("LISTEN_PID");
	(void)!unsetenv("LISTEN_FDS");
	(void)!unsetenv("LISTEN_FDNAMES");
	return err;
}

void
listen_forget(struct listen_sockets *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->paths[i]);
	s->n = 0;
}

void
listen_close(struct listen_sockets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		(void)close(s->fds[i]);
		if (s->paths[i])
			(void)!unlink(s->paths[i]);
	}
	listen_forget(s);
}
