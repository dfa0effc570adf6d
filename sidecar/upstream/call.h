/*
 * A call from the inside, for the files that make up the client. Either
 * libcurl carries it: request.c says what goes to libcurl, transfer.c moves
 * the bytes. Or it is plain HTTP/1.1 to an address and goes directly:
 * compose.c writes the request, direct.c moves the bytes. outcome.c says how
 * it ended, client.c drives all of them.
 */
#ifndef SALLYPORT_UPSTREAM_CALL_H
#define SALLYPORT_UPSTREAM_CALL_H

#include <curl/curl.h>

#include "upstream/answer.h"
#include "upstream/client.h"
#include "upstream/links.h"
#include "upstream/sockets.h"

/* What the client knows of one origin. */
struct line {
	struct client *client;
	const struct client_origin *origin; /* NULL: not used yet */
	struct socket_group group;
	const struct client_origin *endpoint_of; /* NULL: not looked for yet */
	struct endpoint *endpoint; /* NULL: it takes libcurl */
	unsigned reserved; /* free connections that calls are about to take */
	void *opening; /* ticket of the call that opens one right now */
};

struct client {
	struct loop *loop;
	struct client_hooks hooks;
	struct line *lines;
	size_t n_lines;
	CURLM *multi;
	struct sockets *sockets;
	struct timer timer;
	struct task kick;
	struct links *links;
	char *scratch; /* bytes received at once */
	struct call *pool; /* handles without a request */
	struct call *plain_pool; /* the same without libcurl's handle */
	unsigned n_pool, n_plain_pool;
};

/* How a request goes to libcurl. */
enum shape {
	SHAPE_NONE,
	SHAPE_PLAIN,
	SHAPE_HEAD,
	SHAPE_WHOLE, /* the body is there already */
	SHAPE_UPLOAD, /* the body comes bit by bit */
};

/* A call that goes directly: block holds the request's head. */
struct direct {
	struct endpoint *to; /* NULL: libcurl carries the call */
	struct line *line;
	struct link *link;
	struct timer connecting;
	struct answer answer;
	size_t head_len, head_sent;
	char frame[32]; /* chunked framing before the next body bytes */
	size_t frame_len, frame_sent;
	size_t piece; /* body bytes behind the frame */
	bool is_framed; /* a chunk was begun */
	bool is_last; /* no body bytes come after this piece */
	bool is_connecting;
	enum {
		DIRECT_SENDING,
		DIRECT_SENT,
		DIRECT_CANNOT_SEND, /* the answer may be there all the same */
	} sending;
};

struct call {
	struct client *client;
	struct call *next; /* in the pool */
	CURL *easy;
	struct task notice; /* tells the owner */
	struct task wake; /* takes paused transfers up again */

	/* What the handle is set to; kept from one request to the next. */
	const struct client_origin *origin;
	struct curl_slist connect_to;
	char *connect_text;
	enum shape shape;
	bool custom_method;
	char *block; /* the request's lines and their nodes */
	size_t block_cap;

	struct direct direct;

	struct call_spec spec;
	bool started; /* it is under way */
	bool has_run; /* or was: the handle knows of this call */
	int fd;
	unsigned attempts;
	size_t fields_size; /* of the request */
	char local_ip[48];
	int local_port;
	int64_t started_ns, ready_ns, sent_ns, body_ns; /* see call_facts */
	int64_t uploaded;
	size_t sent; /* of the bytes in a kept upload */
	bool reserves; /* a free connection is reserved for it */
	struct buf head; /* header section so far */
	bool has_begun; /* bytes of an answer have come */
	size_t taken; /* bytes of the chunk at which receiving was paused */
	bool send_paused, recv_paused;
	bool read_over; /* libcurl waits for no more of the answer */
	int open_errno;

	enum call_state state;
	enum call_failure failure;
	enum call_failure refused; /* why a callback stopped the transfer */
	bool was_sent;
	const char *reason; /* of refused */
	char text[CURL_ERROR_SIZE + 64];
	char error[CURL_ERROR_SIZE];
	char peer[128];
};

/* Options are constants or were checked; only memory can be missing. */
#define SET(easy, option, value)                                               \
	call_must(curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

/* Ends the process if memory was not to be had. */
void call_must(bool had);

/* ---- request.c ---- */

/* The options that are the same for all requests. */
void request_set_up(struct call *);
/* Whether the spec can be written as a request. */
bool request_is_sound(const struct call_spec *);
/* Sets the handle to a sound spec. */
void request_set(struct call *, const struct call_spec *);

/* What libcurl or compose writes itself, or what only one hop is told. */
bool request_leaves_out(struct str name);
/* Whether "content-length: 0" is sent. */
bool request_states_no_body(const struct call_spec *);
enum shape request_shape(const struct call_spec *);

/* ---- compose.c ---- */

/* Writes the head of a sound spec to block; returns its length. */
size_t compose(struct call *, const struct call_spec *, enum shape);

/* ---- direct.c ---- */

enum { DIRECT_SCRATCH = 64 * 1024 };

void direct_start(struct call *);
void direct_stop(struct call *);
void direct_resume(struct call *);
void direct_event(struct link *, uint32_t events);
/* The amounts of call_facts. */
void direct_facts(const struct call *, struct call_facts *);

/* ---- transfer.c ---- */

void transfer_set_up(struct call *);
/* Has a task look at what a callback has noted, and unpause what can go on. */
void call_look_later(struct call *);

/* ---- outcome.c: not from within libcurl's callbacks but for the first two ---- */

/* Tells the owner, later. */
void call_notice(struct call *);
/* Notes why the transfer is about to be stopped; reason is a constant. */
void call_refuse(struct call *, enum call_failure why, const char *reason);
void call_fail(struct call *, CURLcode);
void call_finish(struct call *, CURLcode);
/* Takes the handle back from libcurl. */
void call_stop(struct call *);
/* What an errno means; never NULL. */
const char *call_errno_text(int number);
/* A number libcurl knows of the transfer, or 0. */
long call_info(struct call *, CURLINFO);

#endif
