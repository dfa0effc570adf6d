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

static const char *
error_text(int number)
{
	const char *text = strerrordesc_np(number);

	return text ? text : "unknown error";
}

/* ---- sending ---- */

static bool
is_pending(const struct direct *d)
{
	return d->head_sent < d->head_len || d->frame_sent < d->frame_len ||
	       d->piece;
}

/* What of the upload was not sent. A whole body stays where it is. */
static struct str
unsent(const struct call *call)
{
	struct str bytes = buf_bytes(call->spec.upload);

	return call->shape == SHAPE_WHOLE
		   ? str_slice(bytes, (size_t)call->uploaded, bytes.len)
		   : bytes;
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

static struct iovec
iov(struct str s)
{
	union {
		const char *constant;
		void *base;
	} u = { s.ptr };

	return (struct iovec){ u.base, s.len };
}

static ssize_t
transmit(struct call *call)
{
	struct direct *d = &call->direct;
	struct str head = { call->block, d->head_len };
	struct str frame = { d->frame, d->frame_len };
	struct iovec vec[] = {
		iov(str_slice(head, d->head_sent, head.len)),
		iov(str_slice(frame, d->frame_sent, frame.len)),
		iov(str_slice(unsent(call), 0, d->piece)),
	};
	struct msghdr message = { .msg_iov = vec, .msg_iovlen = 3 };

	return sendmsg(d->link->watch.fd, &message, MSG_NOSIGNAL);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void
account(struct call *call, size_t n)
{
	struct direct *d = &call->direct;
	size_t part = least(n, d->head_len - d->head_sent);

	call->was_sent = true;
	d->head_sent += part;
	n -= part;
	part = least(n, d->frame_len - d->frame_sent);
	d->frame_sent += part;
	n -= part;
	if (n == 0)
		return;
	d->piece -= n;
	call->uploaded += (int64_t)n;
	if (call->shape == SHAPE_WHOLE)
		return;
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

	d->link = links_open(d->to, &no_socket);
	if (!d->link) {
		fail(call, no_socket ? CALL_LOCAL : CALL_CONNECT_FAILED,
		    no_socket ? "no socket: " : "immediate connect error: ",
		    error_text(errno));
		return;
	}
	d->link->call = call;
	d->is_connecting = true;
	if (limit > 0)
		timer_set(call->client->loop, &d->connecting, limit * NS_PER_MS,
		    on_connect_timeout, call);
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
		    "delayed connect error: ", error_text(error));
		return;
	}
	d->is_connecting = false;
	timer_clear(call->client->loop, &d->connecting);
}

/*
 * A kept connection that was dead already may be replaced by a new one: the
 * request has reached nobody as a whole, or may do so twice.
 */
static bool
may_replace(const struct call *call)
{
	const struct direct *d = &call->direct;

	return d->link->was_kept && !d->answer.has_begun &&
	       (call->uploaded == 0 || call->shape == SHAPE_WHOLE) &&
	       (call->idempotent || d->sending != DIRECT_SENT);
}

static void
begin_sending(struct call *call)
{
	struct direct *d = &call->direct;

	d->sending = DIRECT_SENDING;
	d->head_sent = d->frame_len = d->frame_sent = d->piece = 0;
	d->is_framed = d->is_last = false;
	call->uploaded = 0;
}

static void
replace_link(struct call *call)
{
	link_close(call->direct.link);
	begin_sending(call);
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

static void
lose(struct call *call, int error)
{
	struct direct *d = &call->direct;

	if (!error && answer_close(&d->answer) == ANSWER_END)
		finish(call, false);
	else if (may_replace(call))
		replace_link(call);
	else if (error)
		fail(
		    call, CALL_TERMINATED, "Recv failure: ", error_text(error));
	else
		fail(call, CALL_TERMINATED, d->answer.reason, "");
}

/* Feeds bytes; those that do not fit are left. */
static void
take(struct call *call, struct str *bytes)
{
	struct direct *d = &call->direct;
	struct buf *body = call->spec.download;
	size_t had = buf_len(body);
	enum answer_event event;

	while ((event = answer_feed(&d->answer, bytes, body)) == ANSWER_HEAD) {
		call->state = CALL_HEADERS;
		call_notice(call);
	}
	if (buf_len(body) != had)
		call_notice(call);
	switch (event) {
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
		max = least(buf_room(call->spec.download), DIRECT_SCRATCH);
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
	if (call->started && (broken || events & EPOLLOUT))
		send_some(call);
	if (call->started && (broken || events & EPOLLIN))
		receive(call);
	update_watch(call);
}

/* ---- calls ---- */

void
direct_start(struct call *call)
{
	struct direct *d = &call->direct;

	call->shape = request_shape(&call->spec);
	call->idempotent = request_is_idempotent(call->spec.method);
	call->started = call->has_run = true;
	d->head_len = compose(call, &call->spec, call->shape);
	answer_begin(&d->answer, call->spec.response,
	    str_eq(call->spec.method, STR("HEAD")));
	begin_sending(call);
	d->link = links_take(d->to);
	if (d->link) {
		d->link->call = call;
		send_some(call);
	} else {
		open_link(call);
	}
	update_watch(call);
}

static bool
may_receive(const struct call *call)
{
	const struct buf *download = call->spec.download;

	return buf_room(download) >= download->max / 2;
}

static void
on_resume(void *arg)
{
	struct call *call = arg;

	if (call->direct.is_connecting)
		return;
	if (call->started)
		send_some(call);
	if (call->started && call->recv_paused && may_receive(call))
		receive(call);
	update_watch(call);
}

void
direct_resume(struct call *call)
{
	if (call->started &&
	    (call->recv_paused || call->direct.sending == DIRECT_SENDING))
		task_defer(call->client->loop, &call->wake, on_resume, call);
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
