/*
 * The only file that knows libfcgi. FCGX_Accept_r works on a descriptor of
 * ours if keepConnection is set with it: it first finishes a "previous"
 * request, and would close the descriptor otherwise. After an error it has
 * closed it all the same, so the pipe is made anew.
 */
#include "config.h"

#include <sys/uio.h>

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "front/envp.h"

enum {
	CHUNKS = FASTCGI_PARAMS_MAX / FASTCGI_RECORD_MAX + 1,
	/* records around the parameters; and pages of a pipe are not all full */
	PIPE_BYTES = 2 * FASTCGI_PARAMS_MAX,
	PIPE_SLACK = 2 * 4096,
};

struct envp {
	int read_fd, write_fd;
	size_t max;
};

static enum err
open_pipe(struct envp *e)
{
	int fds[2], size;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
		log_error("no pipe for parameters: error %d", errno);
		return ERR_SYSTEM;
	}
	e->read_fd = fds[0];
	e->write_fd = fds[1];
	size = fcntl(e->write_fd, F_SETPIPE_SZ, (int)PIPE_BYTES);
	if (size < 0)
		size = fcntl(e->write_fd, F_GETPIPE_SZ);
	e->max = size > PIPE_SLACK ? (size_t)size - PIPE_SLACK : 0;
	if (e->max < FASTCGI_PARAMS_MAX)
		log_warn("parameters are limited to %zu bytes by the size "
			 "that the system allows for a pipe",
		    e->max);
	return ERR_OK;
}

static void
close_pipe(struct envp *e)
{
	if (e->read_fd >= 0)
		(void)close(e->read_fd);
	if (e->write_fd >= 0)
		(void)close(e->write_fd);
	e->read_fd = e->write_fd = -1;
}

struct envp *
envp_new(void)
{
	struct envp *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->read_fd = e->write_fd = -1;
	if (FCGX_Init() || open_pipe(e)) {
		envp_free(e);
		return NULL;
	}
	return e;
}

void
envp_free(struct envp *e)
{
	if (!e)
		return;
	close_pipe(e);
	free(e);
}

static struct iovec
iov(const void *base, size_t len)
{
	union {
		const void *constant;
		void *base;
	} u = { base };

	return (struct iovec){ u.base, len };
}

/* BEGIN_REQUEST, the pairs in records, the empty record; one write. */
static enum err
fill(struct envp *e, struct str pairs)
{
	static const unsigned char begin_body[8] = { 0, FASTCGI_RESPONDER,
		FASTCGI_KEEP_CONN };
	unsigned char headers[CHUNKS + 2][FASTCGI_HEADER_LEN];
	struct iovec vec[2 * CHUNKS + 3];
	int n = 0, h = 0;
	size_t total = 0;
	struct str chunk;

	fastcgi_header(headers[h], FASTCGI_BEGIN_REQUEST, 1, 8);
	vec[n++] = iov(headers[h++], FASTCGI_HEADER_LEN);
	vec[n++] = iov(begin_body, sizeof(begin_body));
	while (pairs.len) {
		chunk = str_slice(pairs, 0, FASTCGI_RECORD_MAX);
		pairs = str_slice(pairs, chunk.len, pairs.len);
		fastcgi_header(headers[h], FASTCGI_PARAMS, 1, chunk.len);
		vec[n++] = iov(headers[h++], FASTCGI_HEADER_LEN);
		vec[n++] = iov(chunk.ptr, chunk.len);
	}
	fastcgi_header(headers[h], FASTCGI_PARAMS, 1, 0);
	vec[n++] = iov(headers[h], FASTCGI_HEADER_LEN);
	for (int i = 0; i < n; i++)
		total += vec[i].iov_len;
	return writev(e->write_fd, vec, n) == (ssize_t)total ? ERR_OK
							     : ERR_FULL;
}

struct cgi_param *
envp_split(struct arena *arena, char *const *strings, size_t *n)
{
	struct cgi_param *params;
	struct str s;
	size_t at;

	for (*n = 0; strings[*n];)
		++*n;
	params = ARENA_ARRAY(arena, *n, struct cgi_param);
	for (size_t i = 0; i < *n; i++) {
		s = arena_str(arena, str_of(strings[i]));
		at = str_find_char(s, '=', 0);
		params[i].name = str_slice(s, 0, at);
		params[i].value = str_slice(s, at + 1, s.len);
	}
	return params;
}

enum err
envp_read(struct envp *e, struct arena *arena, struct str pairs,
    struct cgi_param **out, size_t *n)
{
	FCGX_Request request;
	enum err err = ERR_BAD;

	if (pairs.len > e->max)
		return ERR_FULL;
	if (e->read_fd < 0 && open_pipe(e))
		return ERR_SYSTEM;
	if (FCGX_InitRequest(&request, -1, 0) || fill(e, pairs))
		goto out;
	request.ipcFd = e->read_fd;
	request.keepConnection = 1;
	FCGX_Detach(&request);
	if (!FCGX_Accept_r(&request) && !FCGX_GetError(request.in)) {
		*out = envp_split(arena, request.envp, n);
		err = ERR_OK;
	}
	if (request.ipcFd != e->read_fd)
		e->read_fd = -1;
	FCGX_Free(&request, 0);
out:
	if (err)
		close_pipe(e);
	return err;
}
