/*
 * Requests to backends on libcurl's multi interface. libcurl frames, speaks
 * TLS and keeps connections; everything it would decide about a request
 * (redirects, proxies, credentials, decoding, extra fields) is off. Its
 * callbacks only move bytes and note what happened; owners hear of it from
 * a task.
 */
#include "config.h"

#include <sys/epoll.h>

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/client.h"
#include "upstream/head.h"
#include "upstream/sockets.h"

enum {
	KEPT_CONNECTIONS = 4096,
	POOLED_HANDLES = 256,
	DNS_CACHE_S = 5, /* Envoy's dns_refresh_rate */
	EXTRA_LINES = 3, /* Host, Accept, and one for the body */
	WHOLE_BODY = 32 * 1024, /* libcurl sends up to 64 KiB with the head */
};

struct client {
	struct loop *loop;
	CURLM *multi;
	struct sockets *sockets;
	struct timer timer;
	struct task kick;
	struct call *pool; /* handles without a request */
	unsigned n_pool;
};

/* How a request goes to libcurl. */
enum shape {
	SHAPE_NONE,
	SHAPE_PLAIN,
	SHAPE_HEAD,
	SHAPE_WHOLE, /* the body is there already */
	SHAPE_UPLOAD, /* the body comes bit by bit */
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

	struct call_spec spec;
	bool idempotent;
	bool started; /* the handle is with the multi handle */
	int fd;
	unsigned attempts;
	int64_t uploaded;
	struct buf head; /* header section so far */
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

static void
must(bool ok)
{
	if (!ok) {
		log_error("out of memory");
		abort();
	}
}

/* Options are constants or were checked; only memory can be missing. */
#define SET(easy, option, value)                                               \
	must(curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

static void
tell_owner(void *arg)
{
	struct call *call = arg;

	call->spec.changed(call->spec.owner);
}

static void
notice(struct call *call)
{
	task_defer(call->client->loop, &call->notice, tell_owner, call);
}

static void
refuse(struct call *call, enum call_failure why, const char *reason)
{
	if (call->refused)
		return;
	call->refused = why;
	call->reason = reason;
}

/* ---- the end of a transfer ---- */

static const struct cause {
	CURLcode code;
	enum call_failure failure;
} causes[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, CALL_UNRESOLVABLE },
	{ CURLE_COULDNT_CONNECT, CALL_CONNECT_FAILED },
	{ CURLE_OPERATION_TIMEDOUT, CALL_CONNECT_TIMEOUT },
	{ CURLE_SSL_CONNECT_ERROR, CALL_TLS_FAILED },
	{ CURLE_PEER_FAILED_VERIFICATION, CALL_TLS_FAILED },
	{ CURLE_SSL_CACERT_BADFILE, CALL_TLS_FAILED },
	{ CURLE_SSL_CERTPROBLEM, CALL_TLS_FAILED },
	{ CURLE_SSL_CIPHER, CALL_TLS_FAILED },
	{ CURLE_SSL_ISSUER_ERROR, CALL_TLS_FAILED },
	{ CURLE_GOT_NOTHING, CALL_TERMINATED },
	{ CURLE_SEND_ERROR, CALL_TERMINATED },
	{ CURLE_RECV_ERROR, CALL_TERMINATED },
	{ CURLE_PARTIAL_FILE, CALL_TERMINATED },
	{ CURLE_SEND_FAIL_REWIND, CALL_TERMINATED },
	{ CURLE_ABORTED_BY_CALLBACK, CALL_TERMINATED },
	{ CURLE_HTTP2, CALL_RESET },
	{ CURLE_HTTP2_STREAM, CALL_RESET },
	{ CURLE_UNSUPPORTED_PROTOCOL, CALL_PROTOCOL },
	{ CURLE_WEIRD_SERVER_REPLY, CALL_PROTOCOL },
	{ CURLE_BAD_CONTENT_ENCODING, CALL_PROTOCOL },
	{ CURLE_BAD_FUNCTION_ARGUMENT, CALL_PROTOCOL },
};

static long
info_long(struct call *call, CURLINFO what)
{
	long value = 0;

	if (curl_easy_getinfo(call->easy, what, &value) != CURLE_OK)
		return 0;
	return value;
}

static bool
was_resolved(struct call *call)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(call->easy, CURLINFO_NAMELOOKUP_TIME_T, &us) ==
		   CURLE_OK &&
	       us > 0;
}

static enum call_failure
failure_of(struct call *call, CURLcode code)
{
	if (call->refused)
		return call->refused;
	if (code == CURLE_OPERATION_TIMEDOUT && !was_resolved(call))
		return CALL_UNRESOLVABLE;
	if (code == CURLE_COULDNT_CONNECT && call->open_errno)
		return CALL_LOCAL;
	/* libcurl has a text but no code of its own for this one. */
	if (code == CURLE_RECV_ERROR && strstr(call->error, "chunked-encoding"))
		return CALL_PROTOCOL;
	/* Its way to say that a header line is longer than 100 KiB. */
	if (code == CURLE_OUT_OF_MEMORY && call->was_sent)
		return CALL_RESPONSE_TOO_LARGE;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].code == code)
			return causes[i].failure;
	return CALL_LOCAL;
}

static const char *
errno_text(int number)
{
	const char *text = strerrordesc_np(number);

	return text ? text : "unknown error";
}

static void
describe_connect(struct call *call)
{
	int number = (int)info_long(call, CURLINFO_OS_ERRNO);
	bool at_once = call->origin->unix_path || number == ENETUNREACH ||
		       number == EACCES || number == EADDRNOTAVAIL;

	if (call->open_errno)
		(void)snprintf(call->text, sizeof(call->text), "no socket: %s",
		    errno_text(call->open_errno));
	else
		(void)snprintf(call->text, sizeof(call->text),
		    "%s connect error: %s", at_once ? "immediate" : "delayed",
		    number ? errno_text(number) : call->error);
}

static void
describe(struct call *call, CURLcode code)
{
	const char *text =
	    call->error[0] ? call->error : curl_easy_strerror(code);

	if (call->refused)
		(void)snprintf(
		    call->text, sizeof(call->text), "%s", call->reason);
	else if (code == CURLE_COULDNT_CONNECT)
		describe_connect(call);
	else if (call->failure == CALL_TLS_FAILED)
		(void)snprintf(call->text, sizeof(call->text),
		    "TLS_error:|%s:TLS_error_end", text);
	else
		(void)snprintf(call->text, sizeof(call->text), "%s", text);
}

static void
note_peer(struct call *call)
{
	const char *ip = NULL;

	if (call->origin->unix_path) {
		(void)snprintf(call->peer, sizeof(call->peer), "%s",
		    call->origin->unix_path);
		return;
	}
	if (curl_easy_getinfo(call->easy, CURLINFO_PRIMARY_IP, &ip) !=
		CURLE_OK ||
	    !ip || !*ip)
		return;
	(void)snprintf(call->peer, sizeof(call->peer),
	    strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip,
	    info_long(call, CURLINFO_PRIMARY_PORT));
}

static void
stop(struct call *call)
{
	if (!call->started)
		return;
	call->started = false;
	call->was_sent = info_long(call, CURLINFO_REQUEST_SIZE) > 0;
	(void)curl_multi_remove_handle(call->client->multi, call->easy);
	call->fd = -1;
}

static void
fail(struct call *call, CURLcode code)
{
	(void)call_peer(call);
	stop(call);
	call->failure = failure_of(call, code);
	call->state = CALL_FAILED;
	describe(call, code);
	notice(call);
}

static void
finish(struct call *call, CURLcode code)
{
	if (code == CURLE_OK && call->state == CALL_WAITING) {
		refuse(
		    call, CALL_TERMINATED, "closed within the header section");
		code = CURLE_GOT_NOTHING;
	}
	if (code != CURLE_OK) {
		fail(call, code);
		return;
	}
	stop(call);
	call->state = CALL_DONE;
	notice(call);
}

static struct call *
call_of(CURL *easy)
{
	char *call = NULL;

	if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call) != CURLE_OK)
		return NULL;
	return (void *)call;
}

/* Takes up what libcurl has finished. Never from within its callbacks. */
static void
collect(struct client *client)
{
	CURLMsg *message;
	CURLcode code;
	struct call *call;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result;
		call = call_of(message->easy_handle);
		if (call)
			finish(call, code);
	}
}

/* ---- pausing, and what a callback left to be done ---- */

static bool
may_receive(const struct call *call)
{
	const struct buf *download = call->spec.download;

	return buf_room(download) >= download->max / 2;
}

static bool
may_send(const struct call *call)
{
	return !buf_is_empty(call->spec.upload) || *call->spec.upload_end;
}

static void
on_wake(void *arg)
{
	struct call *call = arg;
	bool recv = call->recv_paused && may_receive(call);
	bool send = call->send_paused && may_send(call);
	int pause;
	CURLcode code;

	if (call->started && call->read_over && call->state == CALL_HEADERS)
		finish(call, CURLE_OK);
	if (call->started && call->refused)
		fail(call, CURLE_ABORTED_BY_CALLBACK);
	if (!call->started || (!recv && !send))
		return;
	if (recv)
		call->recv_paused = false;
	if (send)
		call->send_paused = false;
	pause = (call->recv_paused ? CURLPAUSE_RECV : 0) |
		(call->send_paused ? CURLPAUSE_SEND : 0);
	code = curl_easy_pause(call->easy, pause);
	if (code != CURLE_OK)
		fail(call, code);
}

static void
look_later(struct call *call)
{
	task_defer(call->client->loop, &call->wake, on_wake, call);
}

/* ---- libcurl on the loop ---- */

static void
drive(struct client *client, curl_socket_t fd, int ready)
{
	int running;

	(void)curl_multi_socket_action(client->multi, fd, ready, &running);
	collect(client);
}

static void
on_ready(void *arg, int fd, uint32_t ready)
{
	int mask = (ready & EPOLLIN ? CURL_CSELECT_IN : 0) |
		   (ready & EPOLLOUT ? CURL_CSELECT_OUT : 0);

	drive(arg, fd, mask);
}

static void
on_kick(void *arg)
{
	drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int
on_timer(CURLM *multi, long ms, void *arg)
{
	struct client *client = arg;

	(void)multi;
	if (ms > 0)
		timer_set(client->loop, &client->timer, ms * NS_PER_MS, on_kick,
		    client);
	else
		timer_clear(client->loop, &client->timer);
	if (ms == 0)
		task_defer(client->loop, &client->kick, on_kick, client);
	return 0;
}

static void
watch(struct client *client, struct call *call, int fd, int what)
{
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) |
			  (what & CURL_POLL_OUT ? EPOLLOUT : 0);

	if (sockets_watch(client->sockets, fd, events) && call) {
		refuse(call, CALL_LOCAL, "the socket cannot be watched");
		look_later(call);
	}
}

/*
 * The answer may be complete before the request is, and libcurl would go on
 * sending. That it does not want to read any more, though we have not paused
 * it, is the sign.
 */
static bool
shows_the_end(const struct call *call, int what)
{
	return call->state == CALL_HEADERS && !call->recv_paused &&
	       what != CURL_POLL_IN && what != CURL_POLL_INOUT;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct client *client = arg;
	struct call *call = call_of(easy);
	bool own;

	(void)unused;
	if (call && what != CURL_POLL_REMOVE)
		call->fd = fd;
	own = call && call->started && call->fd == fd;
	if (own && shows_the_end(call, what)) {
		call->read_over = true;
		look_later(call);
	}
	if (what != CURL_POLL_REMOVE)
		watch(client, call, fd, what);
	else if (own && (call->recv_paused || call->send_paused))
		sockets_unwatch(client->sockets, fd);
	else
		sockets_rest(client->sockets, fd);
	return 0;
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct call *call = arg;
	int fd = sockets_open(call->client->sockets, address->family,
	    address->socktype, address->protocol);

	(void)purpose;
	if (fd < 0 && errno != EAFNOSUPPORT)
		call->open_errno = errno;
	return fd;
}

static int
on_close(void *arg, curl_socket_t fd)
{
	struct client *client = arg;

	sockets_close(client->sockets, fd);
	return 0;
}

/* ---- bytes ---- */

/* Called before each attempt; a second one follows a dead kept connection. */
static int
on_attempt(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct call *call = arg;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	if (call->attempts++ == 0)
		return CURL_PREREQFUNC_OK;
	if (call->uploaded == 0 &&
	    (call->idempotent || call->shape == SHAPE_UPLOAD ||
		!info_long(call, CURLINFO_REQUEST_SIZE)))
		return CURL_PREREQFUNC_OK;
	refuse(call, CALL_TERMINATED, "the kept connection was closed");
	return CURL_PREREQFUNC_ABORT;
}

static size_t
on_upload(char *at, size_t unit, size_t n, void *arg)
{
	struct call *call = arg;
	struct str bytes = buf_bytes(call->spec.upload);
	int64_t declared = call->spec.body_len;

	n *= unit;
	if (declared >= 0 && (int64_t)n > declared - call->uploaded)
		n = (size_t)(declared - call->uploaded);
	if (n == 0)
		return 0;
	if (bytes.len == 0 && !*call->spec.upload_end) {
		call->send_paused = true;
		return CURL_READFUNC_PAUSE;
	}
	if (bytes.len == 0 && declared >= 0) {
		refuse(call, CALL_LOCAL, "the request body is incomplete");
		return CURL_READFUNC_ABORT;
	}
	if (n > bytes.len)
		n = bytes.len;
	memcpy(at, bytes.ptr, n);
	buf_consume(call->spec.upload, n);
	call->uploaded += (int64_t)n;
	notice(call);
	return n;
}

/*
 * libcurl hands out a chunk again as a whole after a pause, so what went
 * into download already is counted in taken.
 */
static size_t
on_download(char *at, size_t unit, size_t len, void *arg)
{
	struct call *call = arg;
	struct str rest;
	size_t room = buf_room(call->spec.download);
	bool fits;

	len *= unit;
	if (call->read_over)
		return len;
	rest = (struct str){ at + call->taken, len - call->taken };
	fits = rest.len <= room;
	if (!fits)
		rest.len = room;
	if (buf_append(call->spec.download, rest)) {
		refuse(call, CALL_LOCAL, "out of memory");
		return 0;
	}
	if (rest.len)
		notice(call);
	call->taken = fits ? 0 : call->taken + rest.len;
	call->recv_paused = !fits;
	return fits ? len : CURL_WRITEFUNC_PAUSE;
}

static bool
take_head(struct call *call)
{
	struct str raw = buf_bytes(&call->head);
	unsigned status = head_status(raw);
	const char *reason;
	enum err err;

	if (status >= 100 && status < 200 && status != 101) {
		buf_clear(&call->head);
		return true;
	}
	err = head_parse(raw, call->spec.response, &reason);
	if (!err && status == 101) {
		err = ERR_BAD;
		reason = "an upgrade nobody asked for";
	}
	if (err) {
		call->spec.response->n = 0;
		refuse(call,
		    err == ERR_FULL ? CALL_RESPONSE_TOO_LARGE : CALL_PROTOCOL,
		    err == ERR_FULL ? "too many header fields" : reason);
		return false;
	}
	buf_free(&call->head);
	call->state = CALL_HEADERS;
	note_peer(call);
	/* With a body libcurl does not know that this is a HEAD request. */
	if (call->shape != SHAPE_HEAD &&
	    str_eq(call->spec.method, STR("HEAD"))) {
		call->read_over = true;
		look_later(call);
	}
	notice(call);
	return true;
}

static size_t
on_header(char *at, size_t unit, size_t n, void *arg)
{
	struct call *call = arg;

	n *= unit;
	if (call->state != CALL_WAITING) /* trailers */
		return n;
	if (buf_append(&call->head, (struct str){ at, n })) {
		refuse(call, CALL_RESPONSE_TOO_LARGE,
		    "response header section over 96 KiB");
		return 0;
	}
	if (*at != '\r' && *at != '\n')
		return n;
	return take_head(call) ? n : 0;
}

/* ---- a request ---- */

static void
set_up(struct call *call)
{
	CURL *easy = call->easy;

	SET(easy, CURLOPT_PRIVATE, (char *)call);
	SET(easy, CURLOPT_ERRORBUFFER, call->error);
	SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_PROXY, "");
	SET(easy, CURLOPT_NOPROXY, "*");
	SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	SET(easy, CURLOPT_PATH_AS_IS, 1L);
	SET(easy, CURLOPT_HTTP09_ALLOWED, 0L);
	SET(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(easy, CURLOPT_HTTP_TRANSFER_DECODING, 1L);
	SET(easy, CURLOPT_BUFFERSIZE, 16L * 1024);
	SET(easy, CURLOPT_UPLOAD_BUFFERSIZE, 32L * 1024);
	SET(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_CACHE_S);
	SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(easy, CURLOPT_CAPATH, NULL);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Without it a cancelled request waits for its resolver thread. */
	SET(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	SET(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	SET(easy, CURLOPT_OPENSOCKETDATA, call);
	SET(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	SET(easy, CURLOPT_CLOSESOCKETDATA, call->client);
	SET(easy, CURLOPT_PREREQFUNCTION, on_attempt);
	SET(easy, CURLOPT_PREREQDATA, call);
	SET(easy, CURLOPT_HEADERFUNCTION, on_header);
	SET(easy, CURLOPT_HEADERDATA, call);
	SET(easy, CURLOPT_WRITEFUNCTION, on_download);
	SET(easy, CURLOPT_WRITEDATA, call);
	SET(easy, CURLOPT_READFUNCTION, on_upload);
	SET(easy, CURLOPT_READDATA, call);
}

static void
set_origin(struct call *call, const struct client_origin *origin)
{
	CURL *easy = call->easy;
	struct curl_blob pem = { NULL, origin->ca_pem.len, CURL_BLOB_COPY };

	if (call->origin == origin)
		return;
	call->origin = origin;
	SET(easy, CURLOPT_URL, origin->url);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, origin->connect_timeout_ms);
	SET(easy, CURLOPT_UNIX_SOCKET_PATH, origin->unix_path);
	SET(easy, CURLOPT_SSL_VERIFYPEER, origin->verify ? 1L : 0L);
	SET(easy, CURLOPT_SSL_VERIFYHOST, origin->verify_name ? 2L : 0L);
	SET(easy, CURLOPT_CAINFO, origin->ca_file);
	if (origin->ca_pem.ptr)
		memcpy(&pem.data, &origin->ca_pem.ptr, sizeof(pem.data));
	SET(easy, CURLOPT_CAINFO_BLOB, origin->ca_pem.ptr ? &pem : NULL);
	free(call->connect_text);
	call->connect_text = NULL;
	if (origin->connect_to)
		must((call->connect_text = strdup(origin->connect_to)));
	call->connect_to = (struct curl_slist){ .data = call->connect_text };
	SET(easy, CURLOPT_CONNECT_TO,
	    origin->connect_to ? &call->connect_to : NULL);
}

/* What libcurl writes itself, or what only one hop is told. */
static bool
is_left_out(struct str name)
{
	static const struct str names[] = { STR_INIT("host"),
		STR_INIT("content-length"), STR_INIT("transfer-encoding"),
		STR_INIT("connection"), STR_INIT("expect") };

	if (name.len && name.ptr[0] == ':')
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* The request's lines while they are laid out in call->block. */
struct lines {
	struct curl_slist *nodes;
	size_t n;
	char *at;
};

static char *
put_text(struct lines *l, struct str s)
{
	char *text = l->at;

	if (s.len)
		memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	l->at += s.len + 1;
	return text;
}

static void
put_node(struct lines *l, char *line)
{
	l->nodes[l->n] = (struct curl_slist){ .data = line };
	if (l->n)
		l->nodes[l->n - 1].next = &l->nodes[l->n];
	l->n++;
}

/* libcurl drops a field without a value unless it is written "name;". */
static void
put_field(struct lines *l, struct str name, struct str value)
{
	char *line = l->at;

	value = str_trim(value);
	memcpy(line, name.ptr, name.len);
	line += name.len;
	*line++ = value.len ? ':' : ';';
	if (value.len) {
		*line++ = ' ';
		memcpy(line, value.ptr, value.len);
		line += value.len;
	}
	*line++ = '\0';
	put_node(l, l->at);
	l->at = line;
}

static struct lines
lines_begin(struct call *call, const struct call_spec *spec)
{
	size_t n = spec->headers->n + EXTRA_LINES;
	size_t need = n * sizeof(struct curl_slist) +
		      headers_size(spec->headers) + spec->authority.len +
		      spec->target.len + spec->method.len + 128;

	if (need > call->block_cap) {
		free(call->block);
		call->block_cap = need * 2;
		call->block = malloc(call->block_cap);
		must(call->block);
	}
	return (struct lines){ .nodes = (void *)call->block,
		.at = call->block + n * sizeof(struct curl_slist) };
}

/* RFC 9110 section 8.6 as Envoy applies it: these have no length of 0. */
static bool
has_no_body_by_nature(struct str method)
{
	return str_eq(method, STR("GET")) || str_eq(method, STR("HEAD")) ||
	       str_eq(method, STR("DELETE")) || str_eq(method, STR("TRACE")) ||
	       str_eq(method, STR("CONNECT"));
}

static bool
is_idempotent(struct str method)
{
	return has_no_body_by_nature(method) || str_eq(method, STR("PUT")) ||
	       str_eq(method, STR("OPTIONS"));
}

/* Keeps libcurl from adding a field, or states that there is no body. */
static void
put_body_field(struct lines *l, const struct call_spec *spec, enum shape shape)
{
	bool bare = shape == SHAPE_PLAIN || shape == SHAPE_HEAD;

	if (shape == SHAPE_UPLOAD)
		put_node(l, put_text(l, STR("Expect:")));
	if (shape == SHAPE_WHOLE &&
	    !headers_get(spec->headers, STR("content-type")).ptr)
		put_node(l, put_text(l, STR("Content-Type:")));
	if (bare &&
	    (spec->body_len == 0 || !has_no_body_by_nature(spec->method)))
		put_field(l, STR("Content-Length"), STR("0"));
}

static void
put_fields(struct lines *l, const struct call_spec *spec, enum shape shape)
{
	const struct headers *h = spec->headers;
	bool has_accept = false;

	put_field(l, STR("Host"), spec->authority);
	for (size_t i = 0; i < h->n; i++) {
		if (is_left_out(h->items[i].name))
			continue;
		has_accept |= str_eq(h->items[i].name, STR("accept"));
		put_field(l, h->items[i].name, h->items[i].value);
	}
	if (!has_accept)
		put_node(l, put_text(l, STR("Accept:")));
	put_body_field(l, spec, shape);
}

static enum shape
shape_of(const struct call_spec *spec)
{
	size_t ready = buf_len(spec->upload);

	if (spec->body_len > 0 && *spec->upload_end && ready <= WHOLE_BODY &&
	    ready == (uint64_t)spec->body_len)
		return SHAPE_WHOLE;
	if (spec->body_len == CALL_BODY_UNKNOWN || spec->body_len > 0)
		return SHAPE_UPLOAD;
	return str_eq(spec->method, STR("HEAD")) ? SHAPE_HEAD : SHAPE_PLAIN;
}

/* Not every option of a method takes back what the one before has set. */
static void
set_method(struct call *call, enum shape shape)
{
	if (call->shape == shape)
		return;
	call->shape = shape;
	SET(call->easy, CURLOPT_POSTFIELDS, NULL);
	SET(call->easy, CURLOPT_HTTPGET, 1L);
	if (shape == SHAPE_HEAD)
		SET(call->easy, CURLOPT_NOBODY, 1L);
	if (shape == SHAPE_WHOLE)
		SET(call->easy, CURLOPT_POST, 1L);
	if (shape == SHAPE_UPLOAD)
		SET(call->easy, CURLOPT_UPLOAD, 1L);
}

/* The bytes of a whole body stay in upload. */
static void
set_body(struct call *call, const struct call_spec *spec)
{
	if (call->shape == SHAPE_WHOLE) {
		SET(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)spec->body_len);
		SET(call->easy, CURLOPT_POSTFIELDS,
		    buf_bytes(spec->upload).ptr);
	}
	if (call->shape == SHAPE_UPLOAD)
		SET(call->easy, CURLOPT_INFILESIZE_LARGE,
		    (curl_off_t)spec->body_len);
}

static void
set_request(struct call *call, const struct call_spec *spec)
{
	struct lines lines = lines_begin(call, spec);
	enum shape shape = shape_of(spec);
	bool custom =
	    shape == SHAPE_UPLOAD || shape == SHAPE_WHOLE ||
	    (shape == SHAPE_PLAIN && !str_eq(spec->method, STR("GET")));

	set_method(call, shape);
	set_body(call, spec);
	if (custom)
		SET(call->easy, CURLOPT_CUSTOMREQUEST,
		    put_text(&lines, spec->method));
	else if (call->custom_method)
		SET(call->easy, CURLOPT_CUSTOMREQUEST, NULL);
	call->custom_method = custom;
	SET(call->easy, CURLOPT_REQUEST_TARGET, put_text(&lines, spec->target));
	put_fields(&lines, spec, shape);
	SET(call->easy, CURLOPT_HTTPHEADER, lines.nodes);
}

/* The last look at what goes on the wire as it is. */
static bool
is_sound(const struct call_spec *spec)
{
	const struct headers *h = spec->headers;

	if (!header_name_is_valid(spec->method) || !spec->target.len ||
	    !header_value_is_valid(spec->authority))
		return false;
	for (size_t i = 0; i < spec->target.len; i++)
		if ((unsigned char)spec->target.ptr[i] <= ' ' ||
		    spec->target.ptr[i] == 0x7f)
			return false;
	for (size_t i = 0; i < h->n; i++) {
		if (h->items[i].name.len && h->items[i].name.ptr[0] == ':')
			continue;
		if (!header_name_is_valid(h->items[i].name) ||
		    !header_value_is_valid(h->items[i].value))
			return false;
	}
	return true;
}

static struct call *
take_handle(struct client *client)
{
	struct call *call = client->pool;

	if (call) {
		client->pool = call->next;
		client->n_pool--;
		return call;
	}
	call = calloc(1, sizeof(*call));
	must(call);
	call->client = client;
	call->easy = curl_easy_init();
	must(call->easy);
	set_up(call);
	return call;
}

static void
drop_handle(struct call *call)
{
	curl_easy_cleanup(call->easy);
	buf_free(&call->head);
	free(call->connect_text);
	free(call->block);
	free(call);
}

static void
reset(struct call *call, const struct call_spec *spec)
{
	call->spec = *spec;
	call->idempotent = is_idempotent(spec->method);
	call->fd = -1;
	call->attempts = 0;
	call->uploaded = 0;
	buf_init(&call->head, HEAD_MAX_BYTES);
	call->taken = 0;
	call->send_paused = call->recv_paused = call->read_over = false;
	call->open_errno = 0;
	call->state = CALL_WAITING;
	call->failure = call->refused = CALL_NO_FAILURE;
	call->was_sent = false;
	call->text[0] = call->error[0] = call->peer[0] = '\0';
}

struct call *
call_start(struct client *client, const struct call_spec *spec)
{
	struct call *call = take_handle(client);

	reset(call, spec);
	set_origin(call, spec->origin);
	if (!is_sound(spec)) {
		refuse(call, CALL_LOCAL, "a request that cannot be written");
		fail(call, CURLE_BAD_FUNCTION_ARGUMENT);
		return call;
	}
	set_request(call, spec);
	call->started = true;
	if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
		call->started = false;
		fail(call, CURLE_FAILED_INIT);
		return call;
	}
	task_defer(client->loop, &client->kick, on_kick, client);
	return call;
}

enum call_state
call_state(const struct call *call)
{
	return call->state;
}

enum call_failure
call_failure(const struct call *call)
{
	return call->failure;
}

const char *
call_failure_text(const struct call *call)
{
	return call->text;
}

struct str
call_peer(struct call *call)
{
	if (call->started && !call->peer[0])
		note_peer(call);
	return call->peer[0] ? str_of(call->peer) : STR_NONE;
}

bool
call_was_sent(const struct call *call)
{
	return call->was_sent;
}

void
call_resume(struct call *call)
{
	if (call->recv_paused || call->send_paused)
		look_later(call);
}

void
call_end(struct call *call)
{
	struct client *client = call->client;

	stop(call);
	task_clear(client->loop, &call->notice);
	task_clear(client->loop, &call->wake);
	buf_free(&call->head);
	if (client->n_pool == POOLED_HANDLES) {
		drop_handle(call);
		return;
	}
	call->next = client->pool;
	client->pool = call;
	client->n_pool++;
}

struct client *
client_new(struct loop *loop)
{
	struct client *client = calloc(1, sizeof(*client));

	must(client && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	client->loop = loop;
	client->sockets = sockets_new(loop, on_ready, client);
	client->multi = curl_multi_init();
	must(client->multi);
#define SETM(option, value)                                                    \
	must(curl_multi_setopt(client->multi, (option), (value)) == CURLM_OK)
	SETM(CURLMOPT_SOCKETFUNCTION, on_socket);
	SETM(CURLMOPT_SOCKETDATA, client);
	SETM(CURLMOPT_TIMERFUNCTION, on_timer);
	SETM(CURLMOPT_TIMERDATA, client);
	SETM(CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
	SETM(CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
#undef SETM
	return client;
}

void
client_free(struct client *client)
{
	struct call *call;

	while ((call = client->pool)) {
		client->pool = call->next;
		drop_handle(call);
	}
	(void)curl_multi_cleanup(client->multi);
	timer_clear(client->loop, &client->timer);
	task_clear(client->loop, &client->kick);
	sockets_free(client->sockets);
	free(client);
	curl_global_cleanup();
}
