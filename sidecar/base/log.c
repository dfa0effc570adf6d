/* Diagnostics on stderr: "sallyport[pid]: level: text". */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

enum { LINE_MAX_BYTES = 2048 };

static enum log_level max_level = LOG_LEVEL_INFO;

static const char *const names[] = { "error", "warning", "info", "debug" };

void
log_set_level(enum log_level level)
{
	max_level = level;
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
	len = snprintf(line, sizeof(line), "sallyport[%ld]: %s: %s\n",
	    (long)getpid(), names[level], text);
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
