/*
 * Requests and responses as CGI has them (RFC 3875), which is also what
 * FastCGI carries: parameters in, a header section with "Status:" out. The
 * web servers differ in what they send; their differences end here.
 */
#ifndef SALLYPORT_HTTP_CGI_H
#define SALLYPORT_HTTP_CGI_H

#include "base/buf.h"
#include "http/headers.h"

/* A value this long may have been cut by the web server (Caddy does so). */
enum { CGI_VALUE_MAX = 65000 };

struct cgi_param {
	struct str name;
	struct str value;
};

struct cgi_request {
	struct headers headers; /* :method, :path, :authority, :scheme first */
	struct str address, port; /* of the client */
	struct str local_address, local_port;
	struct str scheme; /* "http" or "https" */
	struct str protocol; /* "HTTP/1.1", "HTTP/2" */
	struct str client_verify, client_cert, server_cert; /* of TLS */
	struct str tls_version, tls_cipher, tls_session, tls_name; /* SNI */
	int64_t content_length; /* -1: unknown, read to the end */
};

/* Why a request cannot be taken. */
struct cgi_refusal {
	unsigned status;
	struct str details;
};

/*
 * Makes a request of parameters, which are borrowed. ERR_BAD with the reason
 * in *why; *out then holds what could be understood, for the log.
 */
enum err cgi_request_read(struct arena *, const struct cgi_param *, size_t n,
    struct cgi_request *out, struct cgi_refusal *why) CHECKED;

/*
 * Appends the header section of a response: Status (after a Location), then
 * the fields that may leave towards a web server. Hop-by-hop fields and those that web
 * servers obey (Status, X-Accel-*, X-Sendfile*, X-LIGHTTPD-*) may not.
 * content_length is added unless it is -1 or a field of that name exists.
 */
enum err cgi_response_write(struct buf *, unsigned status,
    const struct headers *, int64_t content_length) CHECKED;

/* The standard phrase of a status code, or "Unknown". */
const char *cgi_reason(unsigned status);

#endif
