/* Access logs: what to write for which exchange, and where to. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "chain/format.h"
#include "chain/logfilter.h"
#include "config/api.h"
#include "observe/access_log.h"
#include "observe/sink.h"

/* How long a full pipe is left alone. */
#define RETRY_NS (100 * NS_PER_MS)

struct entry {
	const struct logfilter *filter; /* NULL: all */
	const struct format *format;
	struct sink *sink;
};

struct access_log {
	struct loop *loop;
	struct task flush;
	struct timer retry;
	struct entry *entries;
	size_t n;
	struct sink *sinks;
	size_t n_sinks;
	int64_t interval_ns; /* of lines for requests that go on; 0: none */
	bool notes_begin;
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
	sink_init(s, path ? arena_cstr(arena, str_of(path)) : NULL, fd);
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
		if (api_find(conf->typed_config->type))
			diag_hint(diag,
			    "Envoy has this access log, but it is not built "
			    "in here");
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

	for (size_t i = 0; i < log->n_sinks; i++)
		sink_free(&log->sinks[i]);
}

static void
read_options(
    struct access_log *log, const struct conf_hcm *hcm, struct diag *diag)
{
	const struct conf_access_log_options *o = hcm->access_log_options;

	log->interval_ns =
	    o ? o->access_log_flush_interval : hcm->access_log_flush_interval;
	log->notes_begin = o ? o->flush_access_log_on_new_request
			     : hcm->flush_access_log_on_new_request;
	if (o && hcm->flush_access_log_on_new_request)
		diag_error(diag, o->node->place, NULL,
		    "Only one of flush_access_log_on_new_request or "
		    "access_log_options can be specified.");
	if (o && hcm->has_access_log_flush_interval)
		diag_error(diag, o->node->place, NULL,
		    "Only one of access_log_flush_interval or "
		    "access_log_options can be specified.");
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
	read_options(log, hcm, diag);
	for (size_t i = 0; i < hcm->access_log.n; i++)
		build_entry(
		    arena, log, &hcm->access_log.items[i], override, diag);
	return log;
}

enum err
access_log_open(struct access_log *log, struct loop *loop)
{
	enum err err = ERR_OK;

	log->loop = loop;
	for (size_t i = 0; i < log->n_sinks && !err; i++)
		err = sink_open(&log->sinks[i]);
	return err;
}

static void
run_flush(void *arg)
{
	access_log_flush(arg);
}

void
access_log_flush(struct access_log *log)
{
	bool waits = false;

	for (size_t i = 0; i < log->n_sinks; i++)
		waits |= sink_flush(&log->sinks[i]) == ERR_AGAIN;
	if (waits && log->loop)
		timer_set(log->loop, &log->retry, RETRY_NS, run_flush, log);
}

void
access_log_reopen(struct access_log *log)
{
	access_log_flush(log);
	for (size_t i = 0; i < log->n_sinks; i++)
		if (sink_open(&log->sinks[i]))
			log_error("the access log goes on in the old file");
}

static void
write_entry(const struct entry *e, const struct exchange *x)
{
	struct buf *pending = &e->sink->pending;
	size_t before = buf_len(pending);

	if (format_render(e->format, x, pending)) {
		buf_truncate(pending, buf_len(pending) - before);
		log_error("an access log line did not fit");
	}
}

void
access_log_write(struct access_log *log, struct exchange *x, enum log_type type)
{
	bool is_full = false;

	if (type == LOG_START && !log->notes_begin)
		return;
	x->log_type = type;
	for (size_t i = 0; i < log->n; i++) {
		const struct entry *e = &log->entries[i];

		if (e->filter && !logfilter_holds(e->filter, x))
			continue;
		write_entry(e, x);
		is_full |= sink_is_full(e->sink);
	}
	x->log_type = LOG_NOT_SET;
	if (is_full)
		access_log_flush(log);
	else if (log->n)
		task_defer(log->loop, &log->flush, run_flush, log);
}

int64_t
access_log_interval_ns(const struct access_log *log)
{
	return log->interval_ns;
}

void
access_log_close(struct access_log *log)
{
	access_log_flush(log);
	timer_clear(log->loop, &log->retry);
	task_clear(log->loop, &log->flush);
}
