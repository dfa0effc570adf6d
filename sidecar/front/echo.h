/*
 * Requests of `sallyport doctor`: they bear a mark (state/mark.h) in
 * X-Sallyport-Doctor and are answered with what the web server has handed
 * over of them, whatever the routes say. No filter runs and no backend is asked.
 *
 * Behind the mark and a blank stands what the answer is to be like:
 *   nothing      once the whole body is there
 *   hold MS      so much later
 *   events MS    a stream of three events, so much apart
 *   stream MS    the same, of no known type
 *   header N     with a header field of N bytes
 */
#ifndef SALLYPORT_FRONT_ECHO_H
#define SALLYPORT_FRONT_ECHO_H

#include "http/cgi.h"

struct stream;
struct echo;

/*
 * What answers the stream's request, or NULL if it bears no mark. refused is
 * the status that it would be refused with, or 0. Parameters are borrowed.
 */
struct echo *echo_open(struct stream *, const struct headers *,
    const struct cgi_param *, size_t n, unsigned refused);

/* Takes what has come of the body, and answers when it is time. */
void echo_advance(struct echo *);

/* Frees it; what it waits for does not come any more. */
void echo_close(struct echo *);

#endif
