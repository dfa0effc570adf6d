/*
 * The HTTP client towards backends: one per worker, driven by the worker's
 * loop, built on libcurl's multi interface. No libcurl type leaves client.c. Choosing the host, time limits
 * over the whole exchange, and what a failure looks like to the client are
 * the router's.
 */
#ifndef SALLYPORT_UPSTREAM_CLIENT_H
#define SALLYPORT_UPSTREAM_CLIENT_H

#include "base/buf.h"
#include "base/loop.h"
#include "http/headers.h"

struct client;
struct call;

struct client *client_new(struct loop *);
/* All calls must have ended. */
void client_free(struct client *);

/* One backend host as the client needs it; lives as long as the configuration. */
struct client_origin {
	const char *url; /* "http://127.0.0.1:3001/": scheme, host, port */
	const char *unix_path; /* or NULL */
	const char *sni; /* TLS server name, or NULL for the host */
	const char *ca_file; /* or NULL */
	struct str ca_pem; /* inline trusted_ca, or absent */
	bool verify; /* false: no trusted_ca, as in Envoy */
	long connect_timeout_ms;
};

enum { CALL_BODY_NONE = -2, CALL_BODY_UNKNOWN = -1 };

struct call_spec {
	const struct client_origin *origin;
	struct str method;
	struct str target; /* path and query as they go on the wire */
	const struct headers
	    *headers; /* end-to-end fields; "host" is :authority */
	struct str authority; /* value of Host */
	int64_t body_len; /* or CALL_BODY_NONE, CALL_BODY_UNKNOWN (chunked) */
	struct buf *upload; /* request body comes from here */
	const bool *upload_end; /* nothing more will come into upload */
	struct buf *download; /* response body goes here, up to its max */
	struct headers *
	    response; /* response fields go here, names in lower case, with ":status" first */
	/*
	 * Called from the loop, never from within a function of this header,
	 * when anything below has changed. Must not end the call.
	 */
	void (*changed)(void *owner);
	void *owner;
};

/* How far a call is. Failures name Envoy's reasons. */
enum call_state {
	CALL_WAITING, /* no response headers yet */
	CALL_HEADERS, /* response headers are there, body may follow */
	CALL_DONE, /* the whole body is in download (or was consumed) */
	CALL_FAILED, /* call_failure tells; after headers: the body is cut */
};

enum call_failure {
	CALL_NO_FAILURE,
	CALL_CONNECT_FAILED, /* refused, unreachable: remote connection failure */
	CALL_CONNECT_TIMEOUT, /* connection timeout */
	CALL_UNRESOLVABLE, /* the name has no address */
	CALL_TLS_FAILED,
	CALL_TERMINATED, /* closed before the answer was complete */
	CALL_RESET, /* connection or HTTP/2 stream reset */
	CALL_PROTOCOL, /* the answer is not HTTP */
	CALL_RESPONSE_TOO_LARGE, /* header section over its limit */
	CALL_LOCAL, /* out of memory or descriptors */
};

/*
 * Starts a request. Response header section is limited to 256 fields and 96 KiB. Never NULL: what fails
 * at once is reported through changed.
 */
struct call *call_start(struct client *, const struct call_spec *);

enum call_state call_state(const struct call *);
enum call_failure call_failure(const struct call *);
/* The library's own words for a failure, for logs. */
const char *call_failure_text(const struct call *);
/* "127.0.0.1:3001" once connected, else absent. */
struct str call_peer(const struct call *);
/* Whether request bytes may have reached the backend. */
bool call_was_sent(const struct call *);

/* There is more to upload, its end, or more room in download. */
void call_resume(struct call *);

/* Ends the call in any state and frees it; changed is not called any more. */
void call_end(struct call *);

#endif
