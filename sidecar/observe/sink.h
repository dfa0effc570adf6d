/*
 * Where log lines go: a file that is opened for appending, or a standard
 * stream. Lines are collected and written whole; what a full disk or a reader
 * that is gone does not take is dropped and counted, and the program goes on.
 */
#ifndef SALLYPORT_OBSERVE_SINK_H
#define SALLYPORT_OBSERVE_SINK_H

#include "base/arena.h"
#include "base/buf.h"

struct sink {
	const char *path; /* NULL: fd is stdout or stderr */
	int fd;
	struct buf pending;
	bool is_pipe; /* a standard stream that may be full */
	bool is_torn; /* a line is in the file in part */
	size_t lost; /* bytes, since it was last said */
	int64_t told_ns; /* when */
};

/* fd counts where path is NULL. Opens nothing yet. */
void sink_init(struct sink *, const char *path, int fd);
void sink_free(struct sink *);

/* Opens the file, anew if it is open; ERR_SYSTEM with the reason logged, and the old file kept. */
enum err sink_open(struct sink *) CHECKED;

/*
 * Writes what is pending. ERR_AGAIN: a pipe is full, the rest waits for
 * another call.
 */
enum err sink_flush(struct sink *) CHECKED;

/* Whether so much is pending that it should not wait. */
bool sink_is_full(const struct sink *);

#endif
