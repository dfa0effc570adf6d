/*
 * Bytes between libcurl and the owner's buffers. libcurl's callbacks only
 * move bytes and note what happened; a task does the rest.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "upstream/call.h"
#include "upstream/head.h"

/* Called before each attempt; a second one follows a dead kept connection. */
static int
on_attempt(void *arg, char *ip, char *local_ip, int port, int local_port)
{
	struct call *call = arg;
	size_t len = strlen(local_ip) + 1;

	(void)ip;
	(void)port;
	if (len <= sizeof(call->local_ip))
		memcpy(call->local_ip, local_ip, len);
	call->local_port = local_port;
	call->ready_ns = clock_boot_ns();
	if (call->attempts++ == 0) {
		if (!call->spec.ready || call->spec.ready(call->spec.owner))
			return CURL_PREREQFUNC_OK;
		call_refuse(call, CALL_OVERFLOW, "too many requests");
		return CURL_PREREQFUNC_ABORT;
	}
	if (call->uploaded == 0 && !call_info(call, CURLINFO_REQUEST_SIZE))
		return CURL_PREREQFUNC_OK;
	call_refuse(call, CALL_TERMINATED, "the kept connection was closed");
	return CURL_PREREQFUNC_ABORT;
}

/* What of the upload is still to be sent. */
static struct str
unsent(const struct call *call)
{
	struct str bytes = buf_bytes(call->spec.upload);

	return str_slice(bytes, call->sent, bytes.len);
}

static size_t
on_upload(char *at, size_t unit, size_t n, void *arg)
{
	struct call *call = arg;
	struct str bytes = unsent(call);
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
		call_refuse(call, CALL_LOCAL, "the request body is incomplete");
		return CURL_READFUNC_ABORT;
	}
	if (n > bytes.len)
		n = bytes.len;
	memcpy(at, bytes.ptr, n);
	if (call->spec.keeps_upload)
		call->sent += n;
	else
		buf_consume(call->spec.upload, n);
	call->uploaded += (int64_t)n;
	call->sent_ns = clock_boot_ns();
	call_notice(call);
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
	if (!call->body_ns)
		call->body_ns = clock_boot_ns();
	rest = (struct str){ at + call->taken, len - call->taken };
	fits = rest.len <= room;
	if (!fits)
		rest.len = room;
	if (buf_append(call->spec.download, rest)) {
		call_refuse(call, CALL_LOCAL, "out of memory");
		return 0;
	}
	if (rest.len)
		call_notice(call);
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
		if (call->spec.interim)
			call->spec.interim(call->spec.owner, status);
		buf_clear(&call->head);
		return true;
	}
	err = head_parse(raw,
	    call->spec.origin->max_fields ? call->spec.origin->max_fields
					  : HEAD_MAX_FIELDS,
	    call->spec.response, &reason);
	if (!err && status == 101) {
		err = ERR_BAD;
		reason = "an upgrade nobody asked for";
	}
	if (err) {
		call->spec.response->n = 0;
		call_refuse(call,
		    err == ERR_FULL ? CALL_RESPONSE_TOO_LARGE : CALL_PROTOCOL,
		    err == ERR_FULL ? "too many header fields" : reason);
		return false;
	}
	buf_free(&call->head);
	call->state = CALL_HEADERS;
	/* With a body libcurl does not know that this is a HEAD request. */
	if (call->shape != SHAPE_HEAD &&
	    str_eq(call->spec.method, STR("HEAD"))) {
		call->read_over = true;
		call_look_later(call);
	}
	call_notice(call);
	return true;
}

static size_t
on_header(char *at, size_t unit, size_t n, void *arg)
{
	struct call *call = arg;

	n *= unit;
	call->has_begun = true;
	if (call->state != CALL_WAITING) /* trailers */
		return n;
	if (buf_append(&call->head, (struct str){ at, n })) {
		call_refuse(call, CALL_RESPONSE_TOO_LARGE,
		    "a header section that is too large");
		return 0;
	}
	if (*at != '\r' && *at != '\n')
		return n;
	return take_head(call) ? n : 0;
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
	return unsent(call).len || *call->spec.upload_end;
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
		call_finish(call, CURLE_OK);
	if (call->started && call->refused)
		call_fail(call, CURLE_ABORTED_BY_CALLBACK);
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
		call_fail(call, code);
}

void
call_look_later(struct call *call)
{
	task_defer(call->client->loop, &call->wake, on_wake, call);
}

void
call_resume(struct call *call)
{
	if (call->direct.to)
		direct_resume(call);
	else if (call->recv_paused || call->send_paused)
		call_look_later(call);
}

size_t
call_sent(const struct call *call)
{
	return call->sent;
}

void
call_release(struct call *call, struct buf *upload, size_t n)
{
	/* A body that was handed to libcurl as a whole must not move. */
	if (call && call->shape == SHAPE_WHOLE && !call->direct.to)
		return;
	if (call)
		call->sent -= n;
	buf_consume(upload, n);
}

void
transfer_set_up(struct call *call)
{
	CURL *easy = call->easy;

	SET(easy, CURLOPT_PREREQFUNCTION, on_attempt);
	SET(easy, CURLOPT_PREREQDATA, call);
	SET(easy, CURLOPT_HEADERFUNCTION, on_header);
	SET(easy, CURLOPT_HEADERDATA, call);
	SET(easy, CURLOPT_WRITEFUNCTION, on_download);
	SET(easy, CURLOPT_WRITEDATA, call);
	SET(easy, CURLOPT_READFUNCTION, on_upload);
	SET(easy, CURLOPT_READDATA, call);
}
