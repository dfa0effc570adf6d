/* base/log.h on Envoy's log, in place of base/log.c. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "module/abi.h"

enum { LINE_MAX_BYTES = 2048 };

static const enum abi_log levels[] = {
	[LOG_LEVEL_ERROR] = ABI_LOG_ERROR,
	[LOG_LEVEL_WARN] = ABI_LOG_WARN,
	[LOG_LEVEL_INFO] = ABI_LOG_INFO,
	[LOG_LEVEL_DEBUG] = ABI_LOG_DEBUG,
};

/* Envoy has a level of its own. */
void
log_set_level(enum log_level level)
{
	(void)level;
}

static void write_line(enum log_level, const char *format, va_list)
    __attribute__((format(printf, 2, 0)));

static void
write_line(enum log_level level, const char *format, va_list args)
{
	char text[LINE_MAX_BYTES] = "sallyport: ";
	const size_t at = sizeof("sallyport: ") - 1;

	if (!abi_log_enabled(levels[level]))
		return;
	(void)vsnprintf(text + at, sizeof(text) - at, format, args);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	abi_log(levels[level], (struct abi_bytes){ text, strlen(text) });
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
