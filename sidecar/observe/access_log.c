/* Access logs: what to write for which exchange, and where to. */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "chain/format.h"
#include "chain/logfilter.h"
#include "observe/access_log.h"

enum { PENDING_MAX = 1024 * 1024, FLUSH_AT = 32 * 1024 };

/* One file; several logs may write to it. */
struct sink {
	const char *path; /* NULL: fd is stdout or stderr */
	int fd;
	struct buf pending;
};

struct entry {
	const struct logfilter *filter; /* NULL: all */
	const struct format *format;
	struct sink *sink;
};

struct access_log {
	struct loop *loop;
	struct task flush;
	struct entry *entries;
	size_t n;
	struct sink *sinks;
	size_t n_sinks;
};

#define DEFAULT_FORMAT                                                         \
	"[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% "  \
	"%PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% "      \
	"%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "       \
	"\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "                    \
	"\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n"

static struct sink *
find_sink(struct arena *arena, struct access_log *log, const char *path, int fd)
{
	struct sink *s;

	for (size_t i = 0; i < log->n_sinks; i++) {
		s = &log->sinks[i];
		if (path ? s->path && !strcmp(s->path, path)
			 : !s->path && s->fd == fd)
			return s;
	}
	s = &log->sinks[log->n_sinks++];
	s->path = path ? arena_cstr(arena, str_of(path)) : NULL;
	s->fd = fd;
	buf_init(&s->pending, PENDING_MAX);
	return s;
}

static struct sink *
sink_of_path(struct arena *arena, struct access_log *log, const char *path)
{
	if (!strcmp(path, "-") || !strcmp(path, "/dev/stdout"))
		return find_sink(arena, log, NULL, STDOUT_FILENO);
	if (!strcmp(path, "/dev/stderr"))
		return find_sink(arena, log, NULL, STDERR_FILENO);
	return find_sink(arena, log, path, -1);
}

static const struct format *
build_format(struct arena *arena, const struct conf_file_access_log *conf,
    struct diag *diag)
{
	if (conf->log_format)
		return format_build(arena, conf->log_format, diag);
	if (conf->json_format)
		return format_json(arena, conf->json_format, diag);
	return format_log_text(arena,
	    conf->format.len ? conf->format : STR(DEFAULT_FORMAT), conf->node,
	    diag);
}

static void
build_entry(struct arena *arena, struct access_log *log,
    const struct conf_access_log *conf, const char *override, struct diag *diag)
{
	static const struct {
		struct str type;
		const char *path;
	} streams[] = {
		{ STR_INIT("envoy.extensions.access_loggers.stream.v3."
			   "StdoutAccessLog"),
		    "/dev/stdout" },
		{ STR_INIT("envoy.extensions.access_loggers.stream.v3."
			   "StderrAccessLog"),
		    "/dev/stderr" },
	};
	struct entry *e = &log->entries[log->n++];
	const struct schema_message *message = NULL;
	const struct conf_file_access_log *file;
	const char *path = NULL;

	if (!conf->typed_config)
		return;
	if (str_eq(conf->typed_config->type,
		str_of(conf_file_access_log_message.name)))
		message = &conf_file_access_log_message;
	for (size_t i = 0; i < 2; i++)
		if (str_eq(conf->typed_config->type, streams[i].type)) {
			message = &conf_stream_access_log_message;
			path = streams[i].path;
		}
	if (!message) {
		diag_error(diag, conf->typed_config->node->place,
		    conf->typed_config->path,
		    "Didn't find a registered implementation for '" STR_FMT
		    "' with type URL: '" STR_FMT "'",
		    STR_ARG(conf->name), STR_ARG(conf->typed_config->type));
		return;
	}
	file = schema_decode_any(arena, diag, message, conf->typed_config);
	if (conf->filter)
		e->filter = logfilter_build(arena, conf->filter, diag);
	e->format = build_format(arena, file, diag);
	if (!path)
		path = arena_cstr(arena, file->path);
	e->sink = sink_of_path(arena, log, override ? override : path);
}

static void
free_sinks(void *arg)
{
	struct access_log *log = arg;

	for (size_t i = 0; i < log->n_sinks; i++) {
		buf_free(&log->sinks[i].pending);
		if (log->sinks[i].path && log->sinks[i].fd >= 0)
			(void)close(log->sinks[i].fd);
	}
}

struct access_log *
access_log_build(struct arena *arena, const struct gateway *gateway,
    const char *override, struct diag *diag)
{
	const struct conf_hcm *hcm = gateway->hcm;
	struct access_log *log = ARENA_NEW(arena, struct access_log);

	log->entries = ARENA_ARRAY(arena, hcm->access_log.n + 1, struct entry);
	log->sinks = ARENA_ARRAY(arena, hcm->access_log.n + 1, struct sink);
	arena_cleanup(arena, free_sinks, log);
	for (size_t i = 0; i < hcm->access_log.n; i++)
		build_entry(
		    arena, log, &hcm->access_log.items[i], override, diag);
	return log;
}

static enum err
open_sink(struct sink *s)
{
	int fd;

	if (!s->path)
		return ERR_OK;
	fd = open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
	    0640);
	if (fd < 0) {
		log_error("access log %s: %s", s->path, strerror(errno));
		return ERR_SYSTEM;
	}
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = fd;
	return ERR_OK;
}

enum err
access_log_open(struct access_log *log, struct loop *loop)
{
	enum err err = ERR_OK;

	log->loop = loop;
	for (size_t i = 0; i < log->n_sinks && !err; i++)
		err = open_sink(&log->sinks[i]);
	return err;
}

/* Whole lines only: what a full disk or a stuck pipe does not take is lost, and counted. */
static void
flush_sink(struct sink *s)
{
	struct str bytes;
	ssize_t n;

	while (!buf_is_empty(&s->pending)) {
		bytes = buf_bytes(&s->pending);
		n = write(s->fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			log_error("access log %s: %s; %zu bytes lost",
			    s->path ? s->path : "(standard stream)",
			    strerror(errno), bytes.len);
			buf_clear(&s->pending);
			return;
		}
		buf_consume(&s->pending, (size_t)n);
	}
}

void
access_log_flush(struct access_log *log)
{
	for (size_t i = 0; i < log->n_sinks; i++)
		flush_sink(&log->sinks[i]);
}

void
access_log_reopen(struct access_log *log)
{
	access_log_flush(log);
	for (size_t i = 0; i < log->n_sinks; i++)
		if (open_sink(&log->sinks[i]))
			log_error("the access log goes on in the old file");
}

static void
run_flush(void *arg)
{
	access_log_flush(arg);
}

void
access_log_write(struct access_log *log, struct exchange *x)
{
	x->log_type = LOG_END;
	for (size_t i = 0; i < log->n; i++) {
		const struct entry *e = &log->entries[i];
		size_t before;

		if (e->filter && !logfilter_holds(e->filter, x))
			continue;
		before = buf_len(&e->sink->pending);
		if (format_render(e->format, x, &e->sink->pending)) {
			buf_cut(&e->sink->pending,
			    buf_len(&e->sink->pending) - before);
			log_error("an access log line did not fit");
		}
		if (buf_len(&e->sink->pending) > FLUSH_AT)
			flush_sink(e->sink);
		task_defer(log->loop, &log->flush, run_flush, log);
	}
}
