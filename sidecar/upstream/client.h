/*
 * The HTTP client towards backends: one per worker, driven by the worker's
 * loop, built on libcurl's multi interface. No libcurl type leaves this folder.
 * Choosing the host, time limits over the whole exchange, and what a failure
 * looks like to the client are the router's.
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

/* One backend host as the client needs it; outlives the client. */
struct client_origin {
	const char *url; /* "http://127.0.0.1:3001/": scheme, host, port */
	const char
	    *connect_to; /* "::host:port" when url names the SNI, or NULL */
	const char *unix_path; /* or NULL */
	const char *ca_file; /* or NULL */
	struct str ca_pem; /* inline trusted_ca, or absent */
	bool verify; /* the chain; false: no trusted_ca, as in Envoy */
	bool verify_name; /* that the certificate is for the host of url */
	long connect_timeout_ms;
};

enum { CALL_BODY_NONE = -2, CALL_BODY_UNKNOWN = -1 };

struct call_spec {
	const struct client_origin *origin;
	struct str method;
	struct str target; /* path and query as they go on the wire */
	/*
	 * End-to-end fields. Pseudo fields, host, expect and what frames the
	 * body are left out: they follow from the rest of the spec.
	 */
	const struct headers *headers;
	struct str authority; /* value of Host */
	int64_t body_len; /* or CALL_BODY_NONE, CALL_BODY_UNKNOWN (chunked) */
	struct buf *upload; /* request body comes from here */
	const bool *upload_end; /* nothing more will come into upload */
	struct buf *download; /* response body goes here, up to its max */
	/*
	 * Response fields go here, ":status" first, names in lower case; it
	 * stays empty if the call fails before.
	 */
	struct headers *response;
	/*
	 * Called from the loop, never from within a function of this header,
	 * when anything below has changed. It may end the call.
	 */
	void (*changed)(void *owner);
	void *owner;
};

/* How far a call is. Failures name Envoy's reasons. */
enum call_state {
	CALL_WAITING, /* no response headers yet */
	CALL_HEADERS, /* response headers are there, body may follow */
	CALL_DONE, /* the whole body is in download; upload is not read any more */
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
 * Starts a request; the spec's strings are needed until this returns, what
 * its pointers lead to until call_end. The header section of the response is
 * limited to 256 fields and 96 KiB. Never NULL: what fails at once is
 * reported through changed.
 *
 * A kept connection that turns out to be dead is replaced by a new one only
 * if nothing can have been done twice: an idempotent method (RFC 9110
 * section 9.2.2), or a request of which the backend has not had all.
 */
struct call *call_start(struct client *, const struct call_spec *);

enum call_state call_state(const struct call *);
enum call_failure call_failure(const struct call *);
/*
 * What lies behind a failure, for logs: Envoy's words where it has some
 * ("delayed connect error: Connection refused"), else the library's.
 */
const char *call_failure_text(const struct call *);
/* "127.0.0.1:3001", or the path of a unix socket, once connected, else absent. */
struct str call_peer(struct call *);
/* Whether request bytes may have reached the backend. */
bool call_was_sent(const struct call *);

/* There is more to upload, its end, or more room in download. */
void call_resume(struct call *);

/* Ends the call in any state and frees it; changed is not called any more. */
void call_end(struct call *);

#endif
