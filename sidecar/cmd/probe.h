/*
 * One request of the doctor and what became of it. Whoever answers is a
 * stranger: everything that is kept of an answer has a maximum, no redirect
 * is followed, and there are time limits.
 */
#ifndef SALLYPORT_CMD_PROBE_H
#define SALLYPORT_CMD_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct cJSON;

enum {
	PROBE_BODY_MAX = 256 * 1024,
	PROBE_HEAD_MAX = 64 * 1024,
	PROBES_AT_ONCE = 8,
	PROBE_PAUSE_MS = 250,
};

/* What all probes of a run share; texts are borrowed. */
struct probe_site {
	const char *url; /* "http://host:port" */
	const char *host; /* as in a Host header */
	const char *source; /* the address to send from, or NULL: any */
	bool insecure; /* any certificate is fine */
	long timeout_ms;
};

struct probe {
	/* To be set. */
	const char *method; /* NULL: GET */
	const char *target; /* path and query, sent as they are */
	const char *mark; /* value of X-Sallyport-Doctor */
	const char *const *headers; /* "Name: value", ended by NULL, or NULL */
	int64_t body_len; /* bytes of a body of blanks; 0: none */
	bool is_chunked; /* the body's length is not said */

	/* What became of it. */
	const char *failure; /* why there is no whole answer, or NULL */
	bool is_connected; /* the web server was reached */
	unsigned status; /* 0: no answer */
	struct buf head; /* header lines as they came, CRLF behind each */
	struct buf body; /* cut at PROBE_BODY_MAX */
	bool is_cut;
	struct cJSON *echo; /* what the gateway says that it saw, or NULL */
	int64_t sent_us, ended_us; /* boot clock */
	int64_t last_us; /* last body bytes */
	unsigned bursts; /* body bytes with a PROBE_PAUSE_MS between them */
	char local_address[64], remote_address[64];
	char error[256];
};

/* Sends n probes (up to PROBES_AT_ONCE) at once and waits for all answers. */
void probe_run(const struct probe_site *, struct probe *, size_t n);

/* Gives back what probe_run has filled in. */
void probe_free(struct probe *);

/* Value of a response header as it came, without blanks around it, or absent. */
struct str probe_header(const struct probe *, const char *name);

/* Texts and numbers of the echo; absent and -1 where they are missing. */
struct str probe_text(const struct probe *, const char *name);
int64_t probe_number(const struct probe *, const char *name);

/* The value of a request header as the gateway saw it, and its length. */
struct str probe_seen_header(
    const struct probe *, const char *name, size_t *len);

#endif
