/*
 * Web servers that stop sending the body once they see an answer (nginx), or
 * that read no answer before they have sent the body (Caddy, mod_fcgid),
 * lock up when an answer begins while the body is on its way. So it is held
 * back until the body is at its end, or is of no use any more, or nothing
 * moves because somebody waits for the answer first.
 */
#include "config.h"

#include "base/clock.h"
#include "chain/limits.h"
#include "front/stream.h"

enum {
	LARGE = 48 * 1024, /* an answer that sockets do not swallow whole */
	WORTH_READING = 8 * 1024, /* less room is not worth a system call */
	PHASE_SHIFT = 60, /* beyond any number of bytes */
};
#define STANDSTILL_NS (1 * NS_PER_S)
#define DEADLOCK_NS   (5 * NS_PER_S)
#define DROP_BODY_NS  (30 * NS_PER_S)
#define LONG_NS       (5 * NS_PER_S)
#define BEGUN_NS      (100 * NS_PER_MS)

static void arm_limit(struct stream *s);

static void
run_changed(void *arg)
{
	struct stream *s = arg;

	s->changed(s->owner);
}

static void
hook_forward(struct exchange *x)
{
	struct stream *s = x->owner;

	router_forward(s->front->router, x);
}

static void
hook_changed(struct exchange *x)
{
	struct stream *s = x->owner;

	task_defer(s->front->loop, &s->task, run_changed, s);
}

static void
hook_abandon(struct exchange *x)
{
	router_end(x);
}

static void
hook_begun(struct exchange *x)
{
	struct stream *s = x->owner;

	access_log_write(s->front->log, x, LOG_START);
}

static const struct exchange_hooks hooks = { .forward = hook_forward,
	.changed = hook_changed,
	.abandon = hook_abandon,
	.begun = hook_begun };

static void
log_again(void *arg)
{
	struct stream *s = arg;

	access_log_write(s->front->log, s->x, LOG_PERIODIC);
	timer_set(s->front->loop, &s->periodic,
	    access_log_interval_ns(s->front->log), log_again, s);
}

void
stream_init(struct stream *s, const struct front *front, struct output *out,
    int fd, void (*changed)(void *owner), void *owner)
{
	*s = (struct stream){ .front = front,
		.out = out,
		.fd = fd,
		.changed = changed,
		.owner = owner };
}

static void
open_exchange(struct stream *s, struct arena *arena)
{
	const struct front *f = s->front;

	s->x = exchange_new(arena, f->gateway, f->state, &hooks, s);
	s->x->wakes = f->wakes;
	s->started = s->head_queued = s->blocked = s->discards = false;
	s->full_duplex = s->body_over = s->resumes = false;
	s->moved = 0;
	s->moved_ns = clock_boot_ns();
	if (access_log_interval_ns(f->log))
		timer_set(f->loop, &s->periodic, access_log_interval_ns(f->log),
		    log_again, s);
}

static void
end_upload(struct stream *s)
{
	s->x->upload_end = true;
	s->x->upload_end_ns = clock_boot_ns();
	s->resumes = true;
}

static void
refuse(struct stream *s, unsigned status, struct str details)
{
	s->started = s->discards = true;
	exchange_reply(s->x, &(struct host_reply){ .status = status,
				 .body = str_of(cgi_reason(status)),
				 .details = details,
				 .flag = "DPE" });
}

/* "SUCCESS", "NONE", "FAILED:why", "GENEROUS" as web servers write it. */
static enum exchange_certificate
certificate_of(struct str verify)
{
	if (!verify.len || str_eq(verify, STR("NONE")))
		return EXCHANGE_NO_CERTIFICATE;
	return str_eq(verify, STR("SUCCESS")) ? EXCHANGE_GOOD_CERTIFICATE
					      : EXCHANGE_BAD_CERTIFICATE;
}

void
stream_open(struct stream *s, struct arena *arena,
    const struct cgi_param *params, size_t n)
{
	struct cgi_request r;
	struct cgi_refusal why;
	enum err err = cgi_request_read(arena, params, n, &r, &why);

	open_exchange(s, arena);
	s->x->request = r.headers;
	s->x->peer = (struct exchange_peer){ .address = r.address,
		.port = r.port,
		.local_address = r.local_address,
		.local_port = r.local_port,
		.scheme = r.scheme,
		.protocol = r.protocol,
		.certificate = certificate_of(r.client_verify),
		.client_cert = r.client_cert,
		.server_cert = r.server_cert,
		.tls_version = r.tls_version,
		.tls_cipher = r.tls_cipher,
		.tls_session = r.tls_session,
		.tls_name = r.tls_name };
	if (r.client_cert.len || r.server_cert.len)
		s->x->peer.certs = ARENA_NEW(arena, struct exchange_certs);
	s->x->original_path = headers_get(&r.headers, STR(":path"));
	s->x->client_address = r.address;
	s->x->upload_len = r.content_length;
	s->echo = echo_open(s, &r.headers, params, n, err ? why.status : 0);
	if (err && !s->echo)
		refuse(s, why.status, why.details);
	else if (r.content_length == 0)
		end_upload(s);
	arm_limit(s);
}

void
stream_open_refused(
    struct stream *s, struct arena *arena, unsigned status, struct str details)
{
	open_exchange(s, arena);
	refuse(s, status, details);
}

bool
stream_can_start(const struct stream *s)
{
	return s->x->upload_len >= 0 || s->x->upload_end ||
	       s->x->bytes_received > 0;
}

void
stream_start(struct stream *s)
{
	struct exchange *x = s->x;

	if (x->upload_len < 0 && x->upload_end)
		x->upload_len = (int64_t)x->bytes_received;
	s->started = true;
	if (!s->echo)
		exchange_start(x);
	arm_limit(s);
}

bool
stream_is_deaf(const struct stream *s)
{
	return s->discards || s->x->upload_end;
}

size_t
stream_room(const struct stream *s)
{
	const struct exchange *x = s->x;
	size_t room = buf_room(&x->upload);
	uint64_t left = (uint64_t)x->upload_len - x->bytes_received;

	return x->upload_len >= 0 && left < room ? (size_t)left : room;
}

bool
stream_wants_body(const struct stream *s)
{
	return stream_is_deaf(s) || buf_room(&s->x->upload) >= WORTH_READING;
}

void
stream_took(struct stream *s, size_t n)
{
	struct exchange *x = s->x;

	if (n == 0)
		return;
	x->bytes_received += n;
	s->resumes = true;
	if (x->upload_len >= 0 && x->bytes_received == (uint64_t)x->upload_len)
		end_upload(s);
}

enum err
stream_end_body(struct stream *s)
{
	s->body_over = true;
	if (stream_is_deaf(s))
		return ERR_OK;
	if (s->x->upload_len >= 0)
		return ERR_BAD;
	end_upload(s);
	return ERR_OK;
}

/* False if the response does not say how long its body is. */
static bool
response_length(const struct exchange *x, uint64_t *len)
{
	return str_to_u64(
	    headers_get(&x->response, STR("content-length")), len);
}

static bool
is_large(const struct exchange *x)
{
	uint64_t len;

	if (exchange_response_is_bodyless(x))
		return false;
	return buf_len(&x->download) > LARGE ||
	       (response_length(x, &len) && len > LARGE);
}

/*
 * Whether all of the answer has come. A backend that has answered may still
 * wait for a body that it will never read: then the length tells.
 */
static bool
is_complete(const struct exchange *x)
{
	uint64_t len;

	if (x->download_end || x->upload_end)
		return x->download_end;
	return response_length(x, &len) && !exchange_response_is_bodyless(x) &&
	       x->bytes_sent + buf_len(&x->download) >= len;
}

/* A small answer that is complete does no harm. */
static bool
is_held_back(const struct stream *s)
{
	if (s->x->upload_end || s->body_over || s->full_duplex)
		return false;
	return is_large(s->x) || !is_complete(s->x);
}

/* Whether an answer was held back long enough: nothing has moved so long. */
static bool
is_held_in_vain(const struct stream *s, int64_t still_ns)
{
	bool backend_waits = !stream_wants_body(s);

	if (s->head_queued || !is_held_back(s))
		return false;
	if (s->discards)
		return still_ns >= DROP_BODY_NS;
	return still_ns >= STANDSTILL_NS && (backend_waits || !is_large(s->x));
}

static enum err
queue_head(struct stream *s)
{
	struct exchange *x = s->x;
	struct buf *section = output_head(s->out);
	int64_t len = -1;
	enum err err = ERR_FULL;

	if (x->download_end && !exchange_response_is_bodyless(x))
		len = (int64_t)buf_len(&x->download);
	if (section)
		err = cgi_response_write(
		    section, exchange_status(x), &x->response, len);
	if (!err)
		err = output_head_end(s->out);
	s->head_queued = true;
	s->head_ns = clock_boot_ns();
	return err;
}

/*
 * lighttpd takes an answer for whole, whatever its end, that it has all of
 * before it begins to send it on. So what is to be broken off waits a little
 * behind the head. False: it does not have to any more.
 */
static bool
waits_for_cut(struct stream *s)
{
	int64_t left = s->head_ns + BEGUN_NS - clock_boot_ns();

	if (!s->head_queued || left <= 0)
		return false;
	if (!s->cut.slot)
		timer_set(s->front->loop, &s->cut, left, run_changed, s);
	return true;
}

static enum stream_state
send_some(struct stream *s, struct buf *between)
{
	struct exchange *x = s->x;
	enum output_end end = OUTPUT_OPEN;
	size_t before;
	enum err err;

	if (x->phase == EXCHANGE_CUT && !waits_for_cut(s))
		end = OUTPUT_CUT;
	else if (x->phase != EXCHANGE_CUT && is_complete(x))
		end = OUTPUT_COMPLETE;
	before = buf_len(&x->download);
	if (exchange_response_is_bodyless(x))
		buf_clear(&x->download);
	x->bytes_sent += buf_len(&x->download);
	err = output_send(s->out, s->fd, &x->download, end, between);
	x->bytes_sent -= buf_len(&x->download);
	if (buf_len(&x->download) < before && end == OUTPUT_OPEN)
		router_resume(x);
	s->blocked = err == ERR_AGAIN;
	if (s->blocked || (!err && end == OUTPUT_OPEN))
		return STREAM_RUNNING;
	if (err)
		stream_note_gone(s);
	return !err && end == OUTPUT_COMPLETE ? STREAM_DONE : STREAM_BROKEN;
}

enum stream_state
stream_pump(struct stream *s, struct buf *between)
{
	struct exchange *x = s->x;

	if (!s->started)
		return STREAM_RUNNING;
	if (s->echo)
		echo_advance(s->echo);
	else if (s->resumes && x->phase < EXCHANGE_FORWARDING)
		exchange_upload_moved(x);
	else if (s->resumes)
		router_resume(x);
	s->resumes = false;
	if (x->phase < EXCHANGE_ANSWERING)
		return STREAM_RUNNING;
	if (is_complete(x))
		s->discards = true;
	if (x->phase == EXCHANGE_ANSWERING && !s->head_queued) {
		if (is_held_back(s))
			return STREAM_RUNNING;
		if (queue_head(s))
			return STREAM_BROKEN;
	}
	return send_some(s, between);
}

/* ---- time ---- */

static void
note_movement(struct stream *s, int64_t now)
{
	const struct exchange *x = s->x;
	uint64_t moved = 2 * (x->bytes_received + x->bytes_sent) +
			 buf_len(&x->download) - buf_len(&x->upload) +
			 ((uint64_t)x->phase << PHASE_SHIFT);

	if (moved == s->moved)
		return;
	s->moved = moved;
	s->moved_ns = now;
}

/* Whether a limit was reached; the answer to that is under way then. */
static bool
is_over(struct stream *s, int64_t now)
{
	for (int i = 0; i < LIMITS; i++) {
		if (now < limit_due(s->x, (enum limit)i, s->moved_ns))
			continue;
		router_end(s->x);
		s->started = true;
		limit_reached(s->x, (enum limit)i);
		return true;
	}
	return false;
}

static void on_limit(void *arg);

/* stream_check sees to what need not be exact, such as long silence. */
static void
arm_limit(struct stream *s)
{
	int64_t due = INT64_MAX, one;

	for (int i = 0; i < LIMITS; i++) {
		one = limit_due(s->x, (enum limit)i, s->moved_ns);
		if (i == LIMIT_IDLE && one - s->moved_ns >= LONG_NS)
			continue;
		due = one < due ? one : due;
	}
	if (due == INT64_MAX)
		return;
	due -= clock_boot_ns();
	timer_set(s->front->loop, &s->limit, due > 0 ? due : 0, on_limit, s);
}

static void
on_limit(void *arg)
{
	struct stream *s = arg;

	note_movement(s, clock_boot_ns());
	if (is_over(s, clock_boot_ns()))
		hook_changed(s->x);
	else
		arm_limit(s);
}

bool
stream_check(struct stream *s)
{
	struct exchange *x = s->x;
	int64_t now = clock_boot_ns(), still;

	note_movement(s, now);
	still = now - s->moved_ns;
	if (is_over(s, now))
		return true;
	if (x->phase != EXCHANGE_ANSWERING)
		return false;
	if (is_held_in_vain(s, still))
		return s->full_duplex = true;
	if (s->head_queued && s->blocked && !stream_wants_body(s) &&
	    still >= DEADLOCK_NS)
		return s->discards = true;
	return false;
}

void
stream_note_gone(struct stream *s)
{
	flags_set(&s->x->flags, FLAG_DC);
	s->x->details = STR("downstream_remote_disconnect");
}

void
stream_close(struct stream *s)
{
	struct exchange *x = s->x;

	if (!x)
		return;
	task_clear(s->front->loop, &s->task);
	timer_clear(s->front->loop, &s->limit);
	timer_clear(s->front->loop, &s->cut);
	if (s->echo)
		echo_close(s->echo);
	s->echo = NULL;
	router_end(x);
	exchange_end(x);
	timer_clear(s->front->loop, &s->periodic);
	access_log_write(s->front->log, x, LOG_END);
	s->x = NULL;
	task_clear(s->front->loop, &s->task);
	arena_free(x->arena);
}
