/*
 * The answer on its way out: the header section and what has come of the
 * body, in FastCGI records or bare. Sends without blocking and, where the
 * socket takes it, everything in one system call.
 */
#ifndef SALLYPORT_FRONT_OUTPUT_H
#define SALLYPORT_FRONT_OUTPUT_H

#include "base/buf.h"

enum output_form { OUTPUT_RECORDS, OUTPUT_BARE };

enum output_end {
	OUTPUT_OPEN, /* more body may come */
	OUTPUT_COMPLETE, /* this is all: end the request */
	OUTPUT_CUT, /* break off so that the web server sees it */
};

struct output {
	enum output_form form;
	uint16_t id;
	struct buf head; /* bytes that go before the body */
	size_t section_at; /* where in head the header section begins */
	size_t record_left; /* body bytes that a sent record header announces */
	bool ended; /* the last bytes are in head or sent */
};

/* Nothing to send yet; id is FastCGI's of the request that is answered. */
void output_init(struct output *, enum output_form, uint16_t id);
void output_free(struct output *);

/* The next answer; bytes queued before it go first. */
void output_begin(struct output *, uint16_t id);

/*
 * The header section must be the first thing queued: it is appended to what
 * output_head returns (NULL without memory), then output_head_end makes
 * records of it. ERR_FULL: it is longer than the output takes.
 */
struct buf *output_head(struct output *);
enum err output_head_end(struct output *) CHECKED;

/*
 * Sends what is queued, then body bytes, consuming them, then the end.
 * between, if not NULL, holds whole records to put in at the next boundary.
 * ERR_OK: all is sent. ERR_AGAIN: wait for EPOLLOUT. ERR_CLOSED: the peer is gone.
 */
enum err output_send(struct output *, int fd, struct buf *body, enum output_end,
    struct buf *between) CHECKED;

#endif
