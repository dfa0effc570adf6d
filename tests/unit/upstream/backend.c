/* The scripted backend. */
#include "config.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/upstream/backend.h"

enum end { KEEP, CLOSE, RESET, HANG };

static const struct script {
	const char *path;
	const char *answer;
	enum end end;
} scripts[] = {
	{ "/plain",
	    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nX-a: 2\r\n\r\nhello",
	    KEEP },
	{ "/empty", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", KEEP },
	{ "/no-content", "HTTP/1.1 204 No Content\r\n\r\n", KEEP },
	{ "/not-modified",
	    "HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n", KEEP },
	{ "/head", "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n", KEEP },
	{ "/chunked",
	    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
	    "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nx-trailer: t\r\n\r\n",
	    KEEP },
	{ "/until-close", "HTTP/1.1 200 OK\r\n\r\nuntil close", CLOSE },
	{ "/old", "HTTP/1.0 200 OK\r\n\r\nold", CLOSE },
	{ "/early-hints",
	    "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
	    "HTTP/1.1 100 Continue\r\n\r\n"
	    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
	    KEEP },
	{ "/folded",
	    "HTTP/1.1 200 OK\r\nx-f: a\r\n\tb\r\n  c\r\ncontent-length: 2\r\n"
	    "\r\nok",
	    KEEP },
	{ "/binary",
	    "HTTP/1.1 200 OK\r\nx-b: \xff\x80 \xe9\r\ncontent-length: 2\r\n"
	    "\r\nok",
	    KEEP },
	{ "/status-999", "HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n",
	    KEEP },
	{ "/no-reason", "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", KEEP },
	{ "/gzip",
	    "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n"
	    "content-length: 4\r\n\r\nwhat",
	    KEEP },
	{ "/redirect",
	    "HTTP/1.1 302 Found\r\nlocation: /plain\r\ncontent-length: 0\r\n"
	    "\r\n",
	    KEEP },
	{ "/unauthorized",
	    "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Digest x\r\n"
	    "www-authenticate: Basic realm=\"y\"\r\nset-cookie: a=b\r\n"
	    "content-length: 0\r\n\r\n",
	    KEEP },
	{ "/status-99", "HTTP/1.1 99 Low\r\ncontent-length: 0\r\n\r\n", KEEP },
	{ "/status-1000", "HTTP/1.1 1000 High\r\ncontent-length: 0\r\n\r\n",
	    KEEP },
	{ "/status-word", "HTTP/1.1 abc\r\ncontent-length: 0\r\n\r\n", KEEP },
	{ "/status-glued", "HTTP/1.1 200OK\r\ncontent-length: 0\r\n\r\n",
	    KEEP },
	{ "/version-2", "HTTP/2 200 OK\r\ncontent-length: 0\r\n\r\n", KEEP },
	{ "/upgrade",
	    "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\nraw", HANG },
	{ "/no-colon",
	    "HTTP/1.1 200 OK\r\nnonsense\r\ncontent-length: 0\r\n\r\n", KEEP },
	{ "/bare-cr",
	    "HTTP/1.1 200 OK\r\nx: a\rb: c\r\ncontent-length: 0\r\n\r\n",
	    KEEP },
	{ "/blank-name", "HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n",
	    KEEP },
	{ "/fold-first",
	    "HTTP/1.1 200 OK\r\n x: y\r\ncontent-length: 0\r\n\r\n", KEEP },
	{ "/two-framings",
	    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n"
	    "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
	    KEEP },
	{ "/two-lengths",
	    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n"
	    "\r\nabcd",
	    KEEP },
	{ "/list-length", "HTTP/1.1 200 OK\r\ncontent-length: 3, 3\r\n\r\nabc",
	    KEEP },
	{ "/negative-length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
	    KEEP },
	{ "/endless-length",
	    "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
	    KEEP },
	{ "/odd-coding",
	    "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n"
	    "0\r\n\r\n",
	    KEEP },
	{ "/garbage", "SSH-2.0-OpenSSH_9.2\r\n", CLOSE },
	{ "/nine", "just text", CLOSE },
	{ "/nothing", "", CLOSE },
	{ "/reset", "", RESET },
	{ "/half-head", "HTTP/1.1 200 OK\r\ncontent-le", CLOSE },
	{ "/silent", "", HANG },
	{ "/cut-length", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
	    CLOSE },
	{ "/reset-length", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
	    RESET },
	{ "/cut-chunked",
	    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
	    CLOSE },
	{ "/bad-chunk",
	    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
	    "5\r\nhello\r\nzz\r\n",
	    KEEP },
	{ "/stalled", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
	    HANG },
	{ "/quiet-close", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
	    CLOSE },
	{ "/excess",
	    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
	    "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged",
	    KEEP },
	/* These answer before the request body has been read. */
	{ "/early-413",
	    "HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig", HANG },
	{ "/early-200", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nearly",
	    HANG },
	{ "/early-chunked",
	    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
	    "5\r\nearly\r\n0\r\n\r\n",
	    HANG },
	{ "/early-close",
	    "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n"
	    "connection: close\r\n\r\nno",
	    HANG },
};

struct request {
	char head[128 * 1024];
	size_t head_len;
	char path[256];
	char *body; /* what came along with the head */
	size_t body_len;
	long length; /* -1: chunked, 0: none */
};

static void
say(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n <= 0)
			_exit(0);
		bytes += n;
		len -= (size_t)n;
	}
}

static void
say_text(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

static bool
read_head(int fd, struct request *r)
{
	size_t len = 0;
	const char *end, *field;
	ssize_t n;

	r->head[0] = '\0';
	while (!(end = strstr(r->head, "\r\n\r\n"))) {
		if (len == sizeof(r->head) - 1)
			return false;
		n = recv(fd, r->head + len, sizeof(r->head) - 1 - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		r->head[len] = '\0';
		if (r->head[0] == 0x16) { /* a TLS handshake */
			say_text(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
			return false;
		}
	}
	r->head_len = (size_t)(end - r->head) + 4;
	r->body = r->head + r->head_len;
	r->body_len = len - r->head_len;
	if (sscanf(r->head, "%*s %255s", r->path) != 1)
		return false;
	field = strcasestr(r->head, "\r\ncontent-length:");
	r->length = field && field < end ? strtol(field + 17, NULL, 10) : 0;
	field = strcasestr(r->head, "\r\ntransfer-encoding:");
	if (field && field < end)
		r->length = -1;
	return true;
}

/* Reads the rest of a body of known length, then gives all of it to fn. */
static char *
read_body(int fd, const struct request *r, size_t *len)
{
	size_t cap = 1 << 22;
	char *body = calloc(1, cap);
	ssize_t n;

	if (!body)
		_exit(1);
	memcpy(body, r->body, r->body_len);
	*len = r->body_len;
	while (r->length < 0
		   ? !strstr(*len > 6 ? body + *len - 7 : body, "0\r\n\r\n")
		   : *len < (size_t)r->length) {
		n = recv(fd, body + *len, cap - 1 - *len, 0);
		if (n <= 0)
			_exit(0);
		*len += (size_t)n;
	}
	return body;
}

static void
say_with_length(
    int fd, const char *a, size_t a_len, const char *b, size_t b_len)
{
	char head[128];

	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n", a_len + b_len);
	say_text(fd, head);
	say(fd, a, a_len);
	say(fd, b, b_len);
}

/* Answers with the very bytes of the request, its body as it came. */
static void
say_request(int fd, const struct request *r)
{
	size_t len;
	char *body = read_body(fd, r, &len);

	say_with_length(fd, r->head, r->head_len, body, len);
	free(body);
}

static void
say_body(int fd, const struct request *r)
{
	size_t len;
	char *body = read_body(fd, r, &len);

	say_with_length(fd, body, len, "", 0);
	free(body);
}

static void
say_first(int fd, const struct request *r)
{
	size_t len;

	free(read_body(fd, r, &len));
	say_with_length(fd, "first", 5, "", 0);
}

static void
say_big(int fd, bool chunked)
{
	char piece[4096];

	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = (char)('a' + i % 26);
	if (chunked)
		say_text(fd,
		    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
	else
		say_text(
		    fd, "HTTP/1.1 200 OK\r\ncontent-length: 1048576\r\n\r\n");
	for (size_t i = 0; i < BACKEND_BIG / sizeof(piece); i++) {
		if (chunked)
			say_text(fd, "1000\r\n");
		say(fd, piece, sizeof(piece));
		if (chunked)
			say_text(fd, "\r\n");
	}
	if (chunked)
		say_text(fd, "0\r\n\r\n");
}

/* n fields of len bytes. */
static void
say_fields(int fd, int n, int len)
{
	char *value = calloc(1, (size_t)len + 1);
	char name[32];

	if (!value)
		_exit(1);
	memset(value, 'v', (size_t)len);
	say_text(fd, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n");
	for (int i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "x-%d: ", i);
		say_text(fd, name);
		say_text(fd, value);
		say_text(fd, "\r\n");
	}
	say_text(fd, "\r\n");
	free(value);
}

static void
hang(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, MSG_PEEK) > 0)
		(void)pause();
	_exit(0);
}

static void
reset(int fd)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	(void)close(fd);
	_exit(0);
}

static void
play(int fd, const struct script *script, volatile struct backend_seen *seen)
{
	say_text(fd, script->answer);
	if (script->end == CLOSE) {
		(void)shutdown(fd, SHUT_RDWR);
		__atomic_add_fetch(&seen->closed, 1, __ATOMIC_SEQ_CST);
		_exit(0);
	}
	if (script->end == RESET)
		reset(fd);
	if (script->end == HANG)
		hang(fd);
}

/* The turn of "/turns/first/second/..." that it is. */
static void
find_turn(const struct request *r, unsigned n, char *turn, size_t max)
{
	const char *at = r->path + strlen("/turns/"), *slash;

	while ((slash = strchr(at, '/')) && n--)
		at = slash + 1;
	(void)snprintf(
	    turn, max, "%.*s", slash ? (int)(slash - at) : (int)strlen(at), at);
}

static void
say_turn(int fd, const struct request *r, volatile struct backend_seen *seen)
{
	unsigned n = __atomic_fetch_add(&seen->turns, 1, __ATOMIC_SEQ_CST);
	char turn[64], text[256], *field, *body = NULL;
	size_t len;

	find_turn(r, n, turn, sizeof(turn));
	if (turn[0] != '!')
		body = read_body(fd, r, &len);
	if (!strcmp(turn, "drop"))
		_exit(0);
	if (!strcmp(turn, "silent"))
		hang(fd);
	if (!strcmp(turn, "echo"))
		say_with_length(fd, body, len, "", 0);
	free(body);
	if (!strcmp(turn, "echo"))
		return;
	if (turn[0] == '!')
		memmove(turn, turn + 1, strlen(turn));
	field = strchr(turn, ';');
	if (field)
		*field++ = '\0';
	if (field && strchr(field, '='))
		*strchr(field, '=') = ':';
	(void)snprintf(text, sizeof(text),
	    "HTTP/1.1 %s X\r\ncontent-length: %zu\r\n%s%s\r\n%s", turn,
	    strlen(turn), field ? field : "", field ? "\r\n" : "", turn);
	say_text(fd, text);
}

static bool
play_special(int fd, const struct request *r, unsigned nth,
    volatile struct backend_seen *seen)
{
	int n, len;

	if (!strncmp(r->path, "/turns/", 7)) {
		say_turn(fd, r, seen);
		return true;
	}
	if (strstr(r->path, "/request") || !strcmp(r->path, "*"))
		say_request(fd, r);
	else if (!strcmp(r->path, "/echo"))
		say_body(fd, r);
	else if (!strcmp(r->path, "/big"))
		say_big(fd, false);
	else if (!strcmp(r->path, "/big-chunked"))
		say_big(fd, true);
	else if (sscanf(r->path, "/fields/%d/%d", &n, &len) == 2)
		say_fields(fd, n, len);
	else if (!strcmp(r->path, "/drop-unless-first") && nth > 1)
		_exit(0);
	else if (!strcmp(r->path, "/drop-unless-first"))
		say_first(fd, r);
	else
		return false;
	return true;
}

static void
serve(int fd, volatile struct backend_seen *seen)
{
	static struct request r;
	unsigned nth = 0;
	size_t i, n = sizeof(scripts) / sizeof(scripts[0]);

	while (read_head(fd, &r)) {
		__atomic_add_fetch(&seen->requests, 1, __ATOMIC_SEQ_CST);
		if (play_special(fd, &r, ++nth, seen))
			continue;
		for (i = 0; i < n && strcmp(scripts[i].path, r.path) != 0; i++)
			;
		if (i == n)
			_exit(1);
		play(fd, &scripts[i], seen);
	}
	_exit(0);
}

static void
serve_tls(int fd, SSL_CTX *server)
{
	SSL *tls = SSL_new(server);
	const char *name;
	char text[4096];
	int n;

	if (!tls || !SSL_set_fd(tls, fd) || SSL_accept(tls) != 1)
		_exit(0);
	name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
	if (!name)
		name = "-";
	while (SSL_read(tls, text, sizeof(text)) > 0) {
		n = snprintf(text, sizeof(text),
		    "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n%s",
		    strlen(name), name);
		if (SSL_write(tls, text, n) != n)
			_exit(0);
	}
	_exit(0);
}

static void
accept_all(int listener, volatile struct backend_seen *seen, SSL_CTX *tls)
{
	int fd, one = 1;
	pid_t parent = getpid();

	(void)signal(SIGCHLD, SIG_IGN);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(0);
			__atomic_add_fetch(
			    &seen->connections, 1, __ATOMIC_SEQ_CST);
			if (tls)
				serve_tls(fd, tls);
			serve(fd, seen);
		}
		(void)close(fd);
	}
	_exit(1);
}

static void
start(struct backend *b, int listener, SSL_CTX *tls)
{
	pid_t parent = getpid();

	b->seen = mmap(NULL, sizeof(*b->seen), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(b->seen != MAP_FAILED);
	ck_assert_int_eq(listen(listener, 1024), 0);
	b->pid = fork();
	ck_assert_int_ge(b->pid, 0);
	if (b->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		accept_all(listener, b->seen, tls);
	}
	(void)close(listener);
}

int
backend_socket(int *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (void *)&at, len), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

void
backend_start(struct backend *b)
{
	int listener = backend_socket(&b->port);

	(void)snprintf(b->url, sizeof(b->url), "http://127.0.0.1:%d/", b->port);
	b->path[0] = '\0';
	start(b, listener, NULL);
}

void
backend_start_tls(struct backend *b, SSL_CTX *tls)
{
	int listener = backend_socket(&b->port);

	(void)snprintf(
	    b->url, sizeof(b->url), "https://127.0.0.1:%d/", b->port);
	b->path[0] = '\0';
	start(b, listener, tls);
}

void
backend_start_unix(struct backend *b)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	b->port = 0;
	(void)snprintf(b->url, sizeof(b->url), "http://localhost/");
	(void)snprintf(b->path, sizeof(b->path), "/tmp/sallyport-test-%ld",
	    (long)getpid());
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", b->path);
	(void)unlink(b->path);
	ck_assert_int_eq(bind(listener, (void *)&at, sizeof(at)), 0);
	start(b, listener, NULL);
}

void
backend_stop(struct backend *b)
{
	(void)kill(b->pid, SIGKILL);
	(void)waitpid(b->pid, NULL, 0);
	if (b->path[0])
		(void)unlink(b->path);
}

int
backend_dead_port(void)
{
	int port, fd = backend_socket(&port);

	(void)close(fd);
	return port;
}
