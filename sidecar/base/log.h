/*
 * The program's own diagnostics: one line each on stderr, where the service
 * manager or the web server collects them: "sallyport[PID]: LEVEL: TEXT", or
 * where stderr is systemd's journal, which knows name and process, "<N>TEXT"
 * (sd-daemon(3)). What happened to a request stands in the access log instead.
 * Of bytes that came from a peer the control bytes are printed as "?".
 */
#ifndef SALLYPORT_BASE_LOG_H
#define SALLYPORT_BASE_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* Lines above this level are dropped; LOG_LEVEL_INFO at start. */
void log_set_level(enum log_level);

/* Reads "error", "warning", "info" or "debug". */
bool log_level_read(const char *word, enum log_level *);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with the level as an argument. */
void log_at(enum log_level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
