/*
 * Calls over plain HTTP/1.1. The request is sent as soon as there is a
 * connection; what comes back is read while there is room for it, so that no
 * byte has to wait anywhere but in the socket.
 */
#include "config.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "upstream/call.h"
#include "upstream/head.h"

enum {
	RECEIVES = 4, /* before other connections have their turn */
	PEEK = 256,
};

static void
fail(struct call *call, enum call_failure why, const char *what,
    const char *detail)
{
	direct_stop(call);
	call->failure = why;
	call->state = CALL_FAILED;
	(void)snprintf(call->text, sizeof(call->text), "%s%s", what, detail);
	call_notice(call);
}

/* ---- sending ---- */

static bool
is_pending(const struct direct *d)
{
	return d->head_sent < d->head_len || d->frame_sent < d->frame_len ||
	       d->piece;
}

/* What of the upload was not sent. */
static struct str
unsent(const struct call *call)
{
	struct str bytes = buf_bytes(call->spec.upload);

	return str_slice(bytes, call->sent, bytes.len);
}

static void
put_frame(struct direct *d, size_t len)
{
	int n = snprintf(d->frame, sizeof(d->frame),
	    len ? "%s%zx\r\n" : "%s%zx\r\n\r\n", d->is_framed ? "\r\n" : "",
	    len);

	d->is_framed = true;
	d->frame_len = (size_t)n;
	d->frame_sent = 0;
}

/* Takes what there is of the body for the next piece. */
static void
begin_piece(struct call *call)
{
	struct direct *d = &call->direct;
	size_t ready = unsent(call).len;
	bool over = *call->spec.upload_end;
	int64_t declared = call->spec.body_len;

	if (declared == CALL_BODY_UNKNOWN) {
		if (ready || over)
			put_frame(d, ready);
		d->piece = ready;
		d->is_last = !ready && over;
		return;
	}
	if (declared > 0 && ready < (uint64_t)(declared - call->uploaded)) {
		d->piece = ready;
		if (!ready && over)
			fail(call, CALL_LOCAL, "the request body is incomplete",
			    "");
		return;
	}
	if (declared > 0)
		d->piece = (size_t)(declared - call->uploaded);
	d->is_last = true;
}

static ssize_t
transmit(struct call *call)
{
	struct direct *d = &call->direct;
	struct str head = { call->block, d->head_len };
	struct str frame = { d->frame, d->frame_len };
	struct iovec vec[] = {
		str_iovec(str_slice(head, d->head_sent, head.len)),
		str_iovec(str_slice(frame, d->frame_sent, frame.len)),
		str_iovec(str_slice(unsent(call), 0, d->piece)),
	};
	struct msghdr message = { .msg_iov = vec, .msg_iovlen = 3 };

	return sendmsg(d->link->watch.fd, &message, MSG_NOSIGNAL);
}

static void
account(struct call *call, size_t n)
{
	struct direct *d = &call->direct;
	size_t part = size_least(n, d->head_len - d->head_sent);

	call->was_sent = true;
	d->head_sent += part;
	n -= part;
	part = size_least(n, d->frame_len - d->frame_sent);
	d->frame_sent += part;
	n -= part;
	if (n == 0)
		return;
	d->piece -= n;
	call->uploaded += (int64_t)n;
	call->sent_ns = clock_boot_ns();
	if (call->spec.keeps_upload)
		call->sent += n;
	else
		buf_consume(call->spec.upload, n);
	call_notice(call);
}

/* Sends what can be sent. */
static void
send_some(struct call *call)
{
	struct direct *d = &call->direct;
	ssize_t n;

	while (d->sending == DIRECT_SENDING) {
		if (!d->piece && d->frame_sent == d->frame_len && !d->is_last)
			begin_piece(call);
		if (!call->started)
			return;
		if (!is_pending(d)) {
			if (d->is_last)
				d->sending = DIRECT_SENT;
			return;
		}
		n = transmit(call);
		if (n >= 0)
			account(call, (size_t)n);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			d->sending = DIRECT_CANNOT_SEND;
	}
}

static void
update_watch(struct call *call)
{
	struct direct *d = &call->direct;
	uint32_t events = call->recv_paused ? 0 : EPOLLIN;

	if (!call->started)
		return;
	if (d->is_connecting || (d->sending == DIRECT_SENDING && is_pending(d)))
		events |= EPOLLOUT;
	if (link_watch(d->link, events))
		fail(call, CALL_LOCAL, "the socket cannot be watched", "");
}

/* ---- connecting ---- */

static void
on_connect_timeout(void *arg)
{
	fail(arg, CALL_CONNECT_TIMEOUT, "connection timeout", "");
}

static void
open_link(struct call *call)
{
	struct direct *d = &call->direct;
	bool no_socket;
	int64_t limit = call->spec.origin->connect_timeout_ms;

	d->line->opening = call->spec.ticket;
	d->link = links_open(d->to, &no_socket);
	d->line->opening = NULL;
	if (!d->link) {
		fail(call, no_socket ? CALL_LOCAL : CALL_CONNECT_FAILED,
		    no_socket ? "no socket: " : "immediate connect error: ",
		    call_errno_text(errno));
		return;
	}
	d->link->call = call;
	d->is_connecting = true;
	if (limit > 0)
		timer_set(call->client->loop, &d->connecting, limit * NS_PER_MS,
		    on_connect_timeout, call);
}

/* The request may go out; false if the owner does not want it any more. */
static bool
get_ready(struct call *call)
{
	struct direct *d = &call->direct;
	const struct call_spec *spec = &call->spec;

	call->ready_ns = clock_boot_ns();
	memcpy(call->local_ip, d->link->local_ip, sizeof(call->local_ip));
	call->local_port = d->link->local_port;
	if (call->attempts++ || !spec->ready || spec->ready(spec->owner))
		return true;
	link_return(d->link);
	d->link = NULL;
	fail(call, CALL_OVERFLOW, "too many requests", "");
	return false;
}

static void
note_connected(struct call *call)
{
	struct direct *d = &call->direct;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(d->link->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (error) {
		fail(call, CALL_CONNECT_FAILED,
		    "delayed connect error: ", call_errno_text(error));
		return;
	}
	d->is_connecting = false;
	timer_clear(call->client->loop, &d->connecting);
	link_note_connected(d->link);
	if (get_ready(call))
		send_some(call);
}

/* A kept connection that was dead before anything was sent. */
static bool
may_replace(const struct call *call)
{
	return call->direct.link->was_kept && !call->was_sent &&
	       !answer_has_begun(&call->direct.answer);
}

static void
replace_link(struct call *call)
{
	struct direct *d = &call->direct;

	link_close(d->link);
	d->sending = DIRECT_SENDING;
	open_link(call);
}

/* ---- receiving ---- */

static void
finish(struct call *call, bool is_reusable)
{
	struct direct *d = &call->direct;
	struct link *link = d->link;

	d->link = NULL;
	if (is_reusable && d->answer.keeps && d->sending == DIRECT_SENT)
		link_keep(link);
	else
		link_close(link);
	direct_stop(call);
	call->state = CALL_DONE;
	call_notice(call);
}

/* An answer that has begun and does not end breaks the protocol. */
static void
lose(struct call *call, int error)
{
	struct direct *d = &call->direct;
	bool has_begun = answer_has_begun(&d->answer);
	enum call_failure why = has_begun ? CALL_PROTOCOL : CALL_TERMINATED;

	if (!error && answer_close(&d->answer) == ANSWER_END)
		finish(call, false);
	else if (may_replace(call))
		replace_link(call);
	else if (d->link->was_kept && !has_begun)
		fail(call, why, "the kept connection was closed", "");
	else if (error)
		fail(call, why, "Recv failure: ", call_errno_text(error));
	else
		fail(call, why, d->answer.reason, "");
}

static void
note_head(struct call *call)
{
	call->state = CALL_HEADERS;
	call_notice(call);
}

static void
note_interim(struct call *call)
{
	const struct call_spec *spec = &call->spec;

	if (spec->interim)
		spec->interim(spec->owner, call->direct.answer.status);
}

/* Feeds bytes; those that do not fit are left. */
static void
take(struct call *call, struct str *bytes)
{
	struct direct *d = &call->direct;
	struct buf *body = call->spec.download;
	size_t had = buf_len(body);
	enum answer_event event;

	for (;;) {
		event = answer_feed(&d->answer, bytes, body);
		if (event == ANSWER_HEAD)
			note_head(call);
		else if (event == ANSWER_INTERIM)
			note_interim(call);
		else
			break;
	}
	if (buf_len(body) != had) {
		if (!call->body_ns)
			call->body_ns = clock_boot_ns();
		call_notice(call);
	}
	switch (event) {
	case ANSWER_INTERIM:
	case ANSWER_HEAD:
	case ANSWER_MORE:
	case ANSWER_FULL:
		return;
	case ANSWER_END:
		/* Whatever a backend sends after HEAD is no answer. */
		finish(call, bytes->len == 0 && !d->answer.is_bodyless);
		return;
	case ANSWER_BROKEN:
		fail(call, CALL_PROTOCOL, d->answer.reason, "");
		return;
	case ANSWER_TOO_LARGE:
		fail(call, CALL_RESPONSE_TOO_LARGE, d->answer.reason, "");
		return;
	}
}

static bool
needs_room(const struct answer *a)
{
	return a->stage == ANSWER_IN_HEAD || a->stage == ANSWER_IN_BODY ||
	       a->stage == ANSWER_IN_CHUNK || a->stage == ANSWER_UNTIL_CLOSE;
}

/*
 * Without room the end of the answer may still be seen: what can be taken is
 * taken, the rest stays in the socket.
 */
static ssize_t
receive_frame(struct call *call)
{
	int fd = call->direct.link->watch.fd;
	char bytes[PEEK];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK);
	struct str rest = { bytes, n > 0 ? (size_t)n : 0 };
	struct answer trial = call->direct.answer;
	struct buf none;

	if (n <= 0)
		return n;
	buf_init(&none, 0);
	(void)answer_feed(&trial, &rest, &none);
	return recv(fd, call->client->scratch, (size_t)n - rest.len, 0);
}

static ssize_t
receive_once(struct call *call, size_t max)
{
	if (max == 0)
		return receive_frame(call);
	return recv(call->direct.link->watch.fd, call->client->scratch, max, 0);
}

static void
receive(struct call *call)
{
	struct direct *d = &call->direct;
	struct str bytes;
	size_t max;
	ssize_t n;

	for (int i = 0; i < RECEIVES; i++) {
		max = size_least(buf_room(call->spec.download), DIRECT_SCRATCH);
		call->recv_paused = max == 0 && needs_room(&d->answer);
		if (call->recv_paused)
			return;
		n = receive_once(call, max);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			lose(call, n < 0 ? errno : 0);
			return;
		}
		bytes = (struct str){ call->client->scratch, (size_t)n };
		take(call, &bytes);
		if (!call->started || (max && (size_t)n < max))
			return;
	}
}

void
direct_event(struct link *link, uint32_t events)
{
	struct call *call = link->call;
	struct direct *d = &call->direct;
	bool broken = events & (EPOLLERR | EPOLLHUP);

	if (d->is_connecting)
		note_connected(call);
	else if (!call->attempts)
		/* Nothing was asked on the kept connection: no answer. */
		replace_link(call);
	else if (broken || events & EPOLLOUT)
		send_some(call);
	if (call->started && !d->is_connecting && (broken || events & EPOLLIN))
		receive(call);
	update_watch(call);
}

/* ---- calls ---- */

static bool
may_receive(const struct call *call)
{
	const struct buf *download = call->spec.download;

	return buf_room(download) >= download->max / 2;
}

/* Begins, or goes on with what had to wait for the owner. */
static void
on_wake(void *arg)
{
	struct call *call = arg;
	struct direct *d = &call->direct;

	if (!call->started || d->is_connecting)
		return;
	if (!d->link)
		open_link(call);
	else if (call->attempts || get_ready(call))
		send_some(call);
	if (call->started && call->recv_paused && may_receive(call))
		receive(call);
	update_watch(call);
}

static void
wake_later(struct call *call)
{
	task_defer(call->client->loop, &call->wake, on_wake, call);
}

/* The owner hears of it when it knows of the call, so the rest comes later. */
void
direct_start(struct call *call)
{
	struct direct *d = &call->direct;
	const struct call_spec *spec = &call->spec;
	const struct client_origin *origin = spec->origin;

	call->shape = request_shape(spec);
	call->started = call->has_run = true;
	d->head_len = compose(call, spec, call->shape);
	answer_begin(&d->answer, spec->response,
	    origin->max_fields ? origin->max_fields : HEAD_MAX_FIELDS,
	    origin->max_head ? origin->max_head : HEAD_MAX_BYTES,
	    str_eq(spec->method, STR("HEAD")));
	d->link = links_take(d->to);
	if (d->link)
		d->link->call = call;
	wake_later(call);
}

void
direct_resume(struct call *call)
{
	if (call->started &&
	    (call->recv_paused || call->direct.sending == DIRECT_SENDING))
		wake_later(call);
}

void
direct_facts(const struct call *call, struct call_facts *out)
{
	const struct answer *a = &call->direct.answer;

	out->body_sent = (uint64_t)call->uploaded;
	out->head_received = a->head_size;
	out->body_received = a->body_size;
}

void
direct_stop(struct call *call)
{
	struct direct *d = &call->direct;

	call->started = false;
	d->is_connecting = false;
	timer_clear(call->client->loop, &d->connecting);
	if (d->link)
		link_close(d->link);
	d->link = NULL;
	answer_free(&d->answer);
}
