/*
 * The records of one FastCGI connection, checked byte by byte as they come:
 * nobody else sees a record that was not walked here. Takes one request at a
 * time, answers management records, and refuses what a peer may not send.
 */
#ifndef SALLYPORT_FRONT_FASTCGI_H
#define SALLYPORT_FRONT_FASTCGI_H

#include "base/buf.h"

enum {
	FASTCGI_HEADER_LEN = 8,
	FASTCGI_RECORD_MAX = 65528, /* content we put into one record */
	FASTCGI_PARAMS_MAX = 128 * 1024, /* bytes of parameters of a request */
	FASTCGI_PARAMS_N_MAX = 1024,
	FASTCGI_END_LEN = 24, /* end of STDOUT and END_REQUEST */
};

enum fastcgi_type {
	FASTCGI_BEGIN_REQUEST = 1,
	FASTCGI_ABORT_REQUEST = 2,
	FASTCGI_END_REQUEST = 3,
	FASTCGI_PARAMS = 4,
	FASTCGI_STDIN = 5,
	FASTCGI_STDOUT = 6,
	FASTCGI_GET_VALUES = 9,
	FASTCGI_GET_VALUES_RESULT = 10,
	FASTCGI_UNKNOWN_TYPE = 11,
};

enum { FASTCGI_RESPONDER = 1, FASTCGI_KEEP_CONN = 1 };

enum fastcgi_event {
	FASTCGI_MORE, /* all bytes are taken */
	FASTCGI_REQUEST, /* a request with all its parameters is there */
	FASTCGI_BODY_FULL, /* there is more body than was asked for */
	FASTCGI_BODY_END,
	FASTCGI_NEXT, /* the next request begins; bytes of it are left */
	FASTCGI_ABORTED, /* the peer wants no answer any more */
	FASTCGI_BROKEN, /* close the connection; reason says why */
};

enum fastcgi_stage {
	FASTCGI_AT_REST, /* between requests */
	FASTCGI_IN_PARAMS,
	FASTCGI_IN_BODY,
	FASTCGI_COMPLETE, /* read to its end, not yet answered */
};

struct fastcgi {
	enum fastcgi_stage stage;
	uint16_t id; /* of the request */
	bool keep; /* the connection stays open after it */
	bool oversized; /* too many parameters: params is not complete */
	bool unsound; /* a NUL, or a "=" in a name: answer 400 */
	struct buf
	    params; /* name-value pairs; the owner may free it after use */
	struct buf reply; /* records to send at the next record boundary */
	const char *reason;

	/* The record under way. */
	unsigned char header[FASTCGI_HEADER_LEN];
	size_t header_len;
	size_t content_left;
	size_t padding_left;
	bool in_record; /* its header is complete and was judged */
	bool begun; /* there has been a request */
	struct buf small; /* content of a BEGIN_REQUEST or management record */
};

/* Before the first byte of a connection. */
void fastcgi_init(struct fastcgi *);
void fastcgi_free(struct fastcgi *);

/*
 * Walks *bytes, moving it forward, up to the next event. At most max bytes of
 * the request's body are appended to body, which must have room for them;
 * without a body (NULL) they are dropped.
 */
enum fastcgi_event fastcgi_feed(
    struct fastcgi *, struct str *bytes, struct buf *body, size_t max) CHECKED;

/* The request was answered: look for the next one. Only when COMPLETE. */
void fastcgi_next(struct fastcgi *);

/* Whether a record or a request is under way. */
bool fastcgi_is_busy(const struct fastcgi *);

/*
 * Cuts a name-value pair off *rest. False, leaving *rest alone, when the
 * lengths do not lie inside it.
 */
bool fastcgi_pair(struct str *rest, struct str *name, struct str *value);

/* A record header. */
void fastcgi_header(unsigned char out[FASTCGI_HEADER_LEN], enum fastcgi_type,
    uint16_t id, size_t content_len);

/* The end of STDOUT and an END_REQUEST that says "complete". */
void fastcgi_end(unsigned char out[FASTCGI_END_LEN], uint16_t id);

#endif
