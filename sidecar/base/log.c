/* Diagnostics on stderr. */
#include "config.h"

#include <sys/stat.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { LINE_MAX_BYTES = 2048 };

static enum log_level max_level = LOG_LEVEL_INFO;

static const struct {
	const char *name;
	int priority; /* of syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARN] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

void
log_set_level(enum log_level level)
{
	max_level = level;
}

bool
log_level_read(const char *word, enum log_level *out)
{
	for (enum log_level l = 0; l <= LOG_LEVEL_DEBUG; l++) {
		if (strcmp(word, levels[l].name) != 0)
			continue;
		*out = l;
		return true;
	}
	return false;
}

/* systemd says which stream is the journal; stderr may lead elsewhere. */
static bool
is_journal(void)
{
	const char *said = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!said || fstat(STDERR_FILENO, &st))
		return false;
	(void)snprintf(own, sizeof(own), "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return !strcmp(said, own);
}

static void write_line(enum log_level, const char *format, va_list)
    __attribute__((format(printf, 2, 0)));

static void
write_line(enum log_level level, const char *format, va_list args)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 64];
	int len;

	if (level > max_level)
		return;
	(void)vsnprintf(text, sizeof(text), format, args);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (is_journal())
		len = snprintf(line, sizeof(line), "<%d>%s\n",
		    levels[level].priority, text);
	else
		len = snprintf(line, sizeof(line), "sallyport[%ld]: %s: %s\n",
		    (long)getpid(), levels[level].name, text);
	if (len > 0)
		(void)!write(STDERR_FILENO, line, (size_t)len);
}

#define DEFINE_LOG(name, level)                                                \
	void name(const char *format, ...)                                     \
	{                                                                      \
		va_list args;                                                  \
		va_start(args, format);                                        \
		write_line(level, format, args);                               \
		va_end(args);                                                  \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warn, LOG_LEVEL_WARN)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

void
log_at(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(level, format, args);
	va_end(args);
}
