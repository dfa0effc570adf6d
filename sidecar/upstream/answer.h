/*
 * An HTTP/1.1 response from the bytes of a connection, in pieces of any
 * size: interim responses pass by, the header section goes through
 * head_parse, the body is taken out of its framing (RFC 9112 sections 6
 * and 7). Trailers are read and dropped.
 */
#ifndef SALLYPORT_UPSTREAM_ANSWER_H
#define SALLYPORT_UPSTREAM_ANSWER_H

#include "base/buf.h"
#include "http/headers.h"

enum answer_stage {
	ANSWER_IN_HEAD,
	ANSWER_IN_BODY, /* of known length: left */
	ANSWER_UNTIL_CLOSE,
	ANSWER_IN_SIZE, /* the line before a chunk */
	ANSWER_IN_CHUNK, /* left bytes to come */
	ANSWER_BEHIND_CHUNK, /* its line end */
	ANSWER_IN_TRAILERS,
	ANSWER_COMPLETE,
};

struct answer {
	enum answer_stage stage;
	bool is_bodyless; /* the request was HEAD */
	bool keeps; /* the connection may serve another request */
	struct headers *fields;
	size_t max_fields;
	struct buf head; /* a header section that comes in pieces */
	unsigned status;
	uint64_t head_size, body_size; /* bytes taken, with all framing */
	uint64_t left;
	size_t line; /* bytes of the size line or the trailers so far */
	bool line_has_cr; /* the size line's last byte */
	bool line_is_blank; /* this line of the trailers has no bytes yet */
	unsigned digits; /* of a chunk's size */
	const char *reason; /* why it is broken */
};

enum answer_event {
	ANSWER_MORE, /* all bytes are taken, more must come */
	ANSWER_INTERIM, /* one of 1xx has passed by; bytes may be left */
	ANSWER_HEAD, /* the fields are there; bytes may be left */
	ANSWER_FULL, /* body has no room for the bytes that are left */
	ANSWER_END, /* complete; what is left is not part of it */
	ANSWER_BROKEN, /* not HTTP, or cut: reason */
	ANSWER_TOO_LARGE, /* header section over its limit: reason */
};

/*
 * At most max_fields go to *fields, ":status" first; it is emptied by a
 * failure. max_head: bytes of one header section.
 */
void answer_begin(struct answer *, struct headers *fields, size_t max_fields,
    size_t max_head, bool request_is_head);
void answer_free(struct answer *);

/* Takes bytes off the front of *in, body bytes into body. */
enum answer_event answer_feed(
    struct answer *, struct str *in, struct buf *body);

/* Whether bytes have come. */
bool answer_has_begun(const struct answer *);

/* The connection was closed: ANSWER_END or ANSWER_BROKEN. */
enum answer_event answer_close(struct answer *);

#endif
