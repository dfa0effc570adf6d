/* Reading a file whole. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "config/read.h"

static enum err
read_all(int fd, struct buf *b)
{
	for (;;) {
		size_t room = buf_room(b) < 65536 ? buf_room(b) : 65536;
		char *at, probe;
		ssize_t n;
		enum err err = room ? buf_reserve(b, room, &at) : ERR_OK;

		if (err)
			return err;
		n = room ? read(fd, at, room) : read(fd, &probe, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_SYSTEM;
		if (n == 0)
			return ERR_OK;
		if (!room)
			return ERR_FULL;
		buf_commit(b, (size_t)n);
	}
}

enum err
read_file(struct arena *arena, const char *path, size_t max, struct str *out)
{
	struct buf b;
	enum err err;
	int saved, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return ERR_SYSTEM;
	buf_init(&b, max);
	err = read_all(fd, &b);
	saved = errno;
	if (!err)
		*out = (struct str){ arena_cstr(arena, buf_bytes(&b)),
			buf_len(&b) };
	buf_free(&b);
	close(fd);
	errno = saved;
	return err;
}
