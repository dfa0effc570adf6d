/*
 * The only file that knows libfcgi. FCGX_Accept_r works on a descriptor of
 * ours if keepConnection is set with it: it first finishes a "previous"
 * request, and would close the descriptor otherwise. After an error it has
 * closed it all the same, so the file is made anew.
 *
 * The records end where the file ends: libfcgi reads ahead and would take
 * what was left there by a request before for bytes of this one.
 */
#include "config.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcgiapp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "front/envp.h"

enum {
	CHUNKS = FASTCGI_PARAMS_MAX / FASTCGI_RECORD_MAX + 1,
	BEGIN_LEN = 8,
	/* BEGIN_REQUEST, the parameters, and their empty record */
	FILE_BYTES =
	    FASTCGI_PARAMS_MAX + (CHUNKS + 2) * FASTCGI_HEADER_LEN + BEGIN_LEN,
};

struct envp {
	int fd;
	char *bytes; /* of the file, FILE_BYTES */
};

static enum err
open_file(struct envp *e)
{
	void *bytes = MAP_FAILED;
	int fd = memfd_create("parameters", MFD_CLOEXEC);

	if (fd >= 0 && !ftruncate(fd, FILE_BYTES))
		bytes = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED) {
		log_error("no file for parameters: error %d", errno);
		if (fd >= 0)
			(void)close(fd);
		return ERR_SYSTEM;
	}
	e->fd = fd;
	e->bytes = bytes;
	return ERR_OK;
}

static void
close_file(struct envp *e)
{
	if (e->fd >= 0)
		(void)close(e->fd);
	if (e->bytes)
		(void)munmap(e->bytes, FILE_BYTES);
	e->fd = -1;
	e->bytes = NULL;
}

struct envp *
envp_new(void)
{
	struct envp *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->fd = -1;
	if (FCGX_Init() || open_file(e)) {
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
	close_file(e);
	free(e);
}

static char *
put_header(char *at, enum fastcgi_type type, size_t len)
{
	unsigned char header[FASTCGI_HEADER_LEN];

	fastcgi_header(header, type, 1, len);
	return mempcpy(at, header, sizeof(header));
}

/* BEGIN_REQUEST, the pairs in records, the empty record. */
static enum err
fill(struct envp *e, struct str pairs)
{
	static const char begin[BEGIN_LEN] = { 0, FASTCGI_RESPONDER,
		FASTCGI_KEEP_CONN };
	size_t n = (pairs.len + FASTCGI_RECORD_MAX - 1) / FASTCGI_RECORD_MAX;
	size_t total = (n + 2) * FASTCGI_HEADER_LEN + BEGIN_LEN + pairs.len;
	off_t from = (off_t)(FILE_BYTES - total);
	char *at = e->bytes + from;
	struct str piece;

	at = put_header(at, FASTCGI_BEGIN_REQUEST, BEGIN_LEN);
	at = mempcpy(at, begin, BEGIN_LEN);
	while (pairs.len) {
		piece = str_slice(pairs, 0, FASTCGI_RECORD_MAX);
		pairs = str_slice(pairs, piece.len, pairs.len);
		at = put_header(at, FASTCGI_PARAMS, piece.len);
		at = mempcpy(at, piece.ptr, piece.len);
	}
	(void)put_header(at, FASTCGI_PARAMS, 0);
	return lseek(e->fd, from, SEEK_SET) == from ? ERR_OK : ERR_SYSTEM;
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

	if (pairs.len > FASTCGI_PARAMS_MAX)
		return ERR_FULL;
	if (e->fd < 0 && open_file(e))
		return ERR_SYSTEM;
	if (FCGX_InitRequest(&request, -1, 0) || fill(e, pairs))
		goto out;
	request.ipcFd = e->fd;
	request.keepConnection = 1;
	FCGX_Detach(&request);
	if (!FCGX_Accept_r(&request) && !FCGX_GetError(request.in)) {
		*out = envp_split(arena, request.envp, n);
		err = ERR_OK;
	}
	if (request.ipcFd != e->fd)
		e->fd = -1;
	FCGX_Free(&request, 0);
out:
	if (err)
		close_file(e);
	return err;
}
