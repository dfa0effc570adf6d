/*
 * The HTTP client towards backends: one per worker, driven by the worker's
 * loop. Backends of plain HTTP/1.1 that are named by address or socket are
 * reached directly, all others through libcurl's multi interface; callers see
 * no difference. No libcurl type leaves this folder.
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

/* One backend host as the client needs it; outlives the client. */
struct client_origin {
	size_t index; /* among all of the client, from 0 */
	const char *url; /* "http://127.0.0.1:3001/": scheme, host, port */
	const char
	    *connect_to; /* "::host:port" when url names the SNI, or NULL */
	const char *unix_path; /* or NULL */
	const char *ca_file; /* or NULL */
	struct str ca_pem; /* inline trusted_ca, or absent */
	bool verify; /* the chain; false: no trusted_ca, as in Envoy */
	bool verify_name; /* that the certificate is for the host of url */
	long connect_timeout_ms;
	int64_t idle_ns; /* a connection waits no longer; 0: ever */
	int64_t age_ns; /* and is not used after this; 0: ever */
	uint32_t uses; /* requests a connection serves; 0: any number */
	size_t max_fields; /* of a response; 0: HEAD_MAX_FIELDS */
	size_t max_head; /* bytes of its header section; 0: HEAD_MAX_BYTES */
};

/* What happens to connections. */
enum client_event {
	CLIENT_OPENED,
	CLIENT_CLOSED,
	CLIENT_RESTS, /* one is free for a request */
	CLIENT_SERVED_ENOUGH, /* it served origin.uses requests */
	CLIENT_IDLED, /* it waited for origin.idle_ns */
};

struct client_hooks {
	/*
	 * Told at any time, also from within the client: it may count and
	 * defer. ticket is that of the call for which a connection is opened,
	 * NULL with other events.
	 */
	void (*event)(void *arg, const struct client_origin *,
	    enum client_event, void *ticket);
	void *arg;
};

/* For origins of n indices. hooks may be NULL. */
struct client *client_new(struct loop *, size_t n, const struct client_hooks *);
/* All calls must have ended. */
void client_free(struct client *);

/* Connections to a host: whether one is free, and how many there are. */
bool client_has_idle(const struct client *, const struct client_origin *);
unsigned client_open(const struct client *, const struct client_origin *);

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
	/*
	 * Bytes that are sent stay in upload until call_release; else they
	 * are taken out of it.
	 */
	bool keeps_upload;
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
	/*
	 * There is a connection and nothing is sent yet. Told from within the
	 * client: it may count and defer. False ends the call with
	 * CALL_OVERFLOW. May be NULL.
	 */
	bool (*ready)(void *owner);
	/* An answer of 1xx has passed by. Like ready; may be NULL. */
	void (*interim)(void *owner, unsigned status);
	void *owner;
	void *ticket; /* for the hooks */
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
	CALL_TERMINATED, /* closed before an answer has begun */
	CALL_RESET, /* connection or HTTP/2 stream reset */
	CALL_PROTOCOL, /* the answer is not HTTP, or not complete */
	CALL_RESPONSE_TOO_LARGE, /* header section over its limit */
	CALL_LOCAL, /* out of memory or descriptors */
	CALL_OVERFLOW, /* ready has refused */
	CALL_REFUSED_STREAM, /* HTTP/2: the request was not looked at */
};

/*
 * Starts a request; the spec's strings are needed until this returns, what
 * its pointers lead to until call_end. The header section of the response is
 * limited as its origin says. Never NULL: what fails at once is reported
 * through changed.
 *
 * A kept connection that turns out to be dead is replaced by a new one only
 * if nothing was sent on it; what is tried again is the router's to decide.
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

/* A call's connection and what has gone over it. */
struct call_facts {
	const char *local_ip; /* "": no connection */
	int local_port;
	/* Boot clock; 0: not yet. */
	int64_t started_ns;
	int64_t ready_ns; /* there was a connection, and the request went out */
	int64_t sent_ns; /* all of the request's body went out */
	int64_t body_ns; /* the first bytes of the answer's body came */
	uint64_t fields_sent, body_sent;
	uint64_t head_received, body_received;
	/* As OpenSSL calls them; NULL without TLS, and once the call is over. */
	const char *tls_version, *tls_cipher;
};
void call_facts(struct call *, struct call_facts *);

/* There is more to upload, its end, or more room in download. */
void call_resume(struct call *);

/* Bytes at the front of a kept upload that are sent. */
size_t call_sent(const struct call *);

/*
 * Drops n bytes at the front of a kept upload, at most those that are sent.
 * call may be NULL, then none is under way.
 */
void call_release(struct call *, struct buf *upload, size_t n);

/* Ends the call in any state and frees it; changed is not called any more. */
void call_end(struct call *);

#endif
