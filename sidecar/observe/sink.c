/* Files and streams for log lines. */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "observe/sink.h"

enum { PENDING_MAX = 1024 * 1024, FLUSH_AT = 32 * 1024 };
#define TELL_NS (1 * NS_PER_S)

void
sink_init(struct sink *s, const char *path, int fd)
{
	*s = (struct sink){ .path = path, .fd = path ? -1 : fd };
	buf_init(&s->pending, PENDING_MAX);
}

void
sink_free(struct sink *s)
{
	buf_free(&s->pending);
	if (s->path && s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

static const char *
name_of(const struct sink *s)
{
	return s->path ? s->path : "(standard stream)";
}

/* Not to be held up by a pipe that nobody reads. */
enum err
sink_open(struct sink *s)
{
	struct stat st;
	int fd;

	if (!s->path) {
		s->is_pipe = !fstat(s->fd, &st) && !S_ISREG(st.st_mode);
		return ERR_OK;
	}
	fd = open(s->path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);
	if (fd < 0) {
		log_error("access log %s: %s", s->path, strerror(errno));
		return ERR_SYSTEM;
	}
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = fd;
	s->is_torn = false;
	return ERR_OK;
}

/*
 * A standard stream is shared with others, whose descriptor must not become
 * non-blocking. A pipe that can be written to takes PIPE_BUF bytes.
 */
static size_t
room(const struct sink *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	if (!s->is_pipe)
		return SIZE_MAX;
	return poll(&p, 1, 0) == 1 ? PIPE_BUF : 0;
}

static void
tell_loss(struct sink *s, const char *why)
{
	int64_t now = clock_boot_ns();

	if (s->told_ns && now - s->told_ns < TELL_NS)
		return;
	log_error(
	    "access log %s: %s; %zu bytes lost", name_of(s), why, s->lost);
	s->told_ns = now;
	s->lost = 0;
}

/* All but the rest of a line of which a part is in the file already. */
static void
drop(struct sink *s, const char *why)
{
	struct str bytes = buf_bytes(&s->pending);
	size_t kept = 0;

	if (s->is_torn)
		kept = str_find_char(bytes, '\n', 0) + 1;
	if (kept > bytes.len)
		kept = bytes.len;
	s->lost += bytes.len - kept;
	buf_truncate(&s->pending, bytes.len - kept);
	tell_loss(s, why);
}

static void
took(struct sink *s, struct str bytes, size_t n)
{
	s->is_torn = bytes.ptr[n - 1] != '\n';
	buf_consume(&s->pending, n);
}

/* While there is room for more lines, a slow reader is waited for. */
static enum err
wait_or_drop(struct sink *s)
{
	if (buf_room(&s->pending) > PENDING_MAX / 2)
		return ERR_AGAIN;
	drop(s, "nobody reads it");
	return ERR_AGAIN;
}

enum err
sink_flush(struct sink *s)
{
	struct str bytes;
	size_t most;
	ssize_t n;

	while (!buf_is_empty(&s->pending)) {
		bytes = buf_bytes(&s->pending);
		most = room(s);
		n = most ? write(s->fd, bytes.ptr,
			       bytes.len < most ? bytes.len : most)
			 : -1;
		if (n > 0) {
			took(s, bytes, (size_t)n);
			continue;
		}
		if (!most || (n < 0 && errno == EAGAIN))
			return wait_or_drop(s);
		if (n < 0 && errno == EINTR)
			continue;
		drop(s, n ? strerror(errno) : "nothing was written");
		return ERR_OK;
	}
	return ERR_OK;
}

bool
sink_is_full(const struct sink *s)
{
	return buf_len(&s->pending) > FLUSH_AT;
}
