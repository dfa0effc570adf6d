/*
 * A request and its answer between a web server and the chain. Whoever
 * carries the stream (a FastCGI connection, a CGI process) brings the body in
 * and owns the output; when to start, hold, send, break off and give up is
 * decided here.
 */
#ifndef SALLYPORT_FRONT_STREAM_H
#define SALLYPORT_FRONT_STREAM_H

#include "base/loop.h"
#include "chain/exchange.h"
#include "front/echo.h"
#include "front/output.h"
#include "http/cgi.h"
#include "observe/access_log.h"
#include "upstream/router.h"

/* What all streams of a worker share. */
struct front {
	struct loop *loop;
	const struct gateway *gateway;
	struct state *state;
	struct router *router;
	struct wakes *wakes;
	struct access_log *log;
};

enum stream_state {
	STREAM_RUNNING,
	STREAM_DONE, /* answered, every byte is sent */
	STREAM_BROKEN, /* the carrier must close; the reason is noted */
};

struct stream {
	const struct front *front;
	struct exchange *x; /* NULL: no request under way */
	struct output *out;
	struct echo *echo; /* NULL: not one of the doctor's requests */
	int fd; /* where output goes */
	void (*changed)(void *owner);
	void *owner;
	struct task task;
	struct timer periodic; /* of the access log */
	bool started;
	bool head_queued;
	bool blocked; /* output waits for the descriptor */
	bool discards; /* the rest of the body is of no use */
	bool full_duplex; /* answer although the body is not at its end */
	bool body_over; /* the carrier has seen the end of the body */
	bool resumes; /* tell the router of new body bytes */
	uint64_t moved; /* sum that grows when anything moves */
	int64_t moved_ns; /* when it was seen to grow */
	struct timer limit; /* for the limits that are short or exact */
	struct timer cut; /* until an answer is broken off */
	int64_t head_ns; /* when its head went out */
};

/* changed(owner) is called from the loop when stream_pump should be. */
void stream_init(struct stream *, const struct front *, struct output *, int fd,
    void (*changed)(void *owner), void *owner);

/* Takes a request; the arena becomes the stream's. It may be refused at once. */
void stream_open(
    struct stream *, struct arena *, const struct cgi_param *, size_t n);

/* The same for a request of which nothing is known but that it is refused. */
void stream_open_refused(
    struct stream *, struct arena *, unsigned status, struct str details);

/* Whether enough is known of the body: its length, its first bytes, its end. */
bool stream_can_start(const struct stream *);
void stream_start(struct stream *);

/*
 * The body: append at most stream_room bytes to x->upload, then tell how
 * many; drop them instead if stream_is_deaf.
 */
size_t stream_room(const struct stream *);
bool stream_is_deaf(const struct stream *);
/* Whether it is worth while to bring some, or to drop some. */
bool stream_wants_body(const struct stream *);
void stream_took(struct stream *, size_t n);

/* The body is at its end; ERR_BAD if that is too early. */
enum err stream_end_body(struct stream *) CHECKED;

/* Moves what can be moved. between: see output_send. */
enum stream_state stream_pump(struct stream *, struct buf *between) CHECKED;

/* Looks at the time limits, about once a second; true: call stream_pump. */
bool stream_check(struct stream *) CHECKED;

/* The web server or the client has gone away: notes it for the log. */
void stream_note_gone(struct stream *);

/* Ends what is under way, writes the log, frees the request. */
void stream_close(struct stream *);

#endif
