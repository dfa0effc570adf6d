/*
 * A connection costs no epoll_ctl when the web server has written its whole
 * request before we accept it and the answer is quick: it is read at once,
 * and watched only when there is something to wait for. A request that takes
 * longer is watched for the web server's hang-up after a while.
 */
#include "config.h"

#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/connection.h"
#include "front/envp.h"

enum {
	SCRATCH = 64 * 1024, /* bytes received at once */
	REST_MAX = SCRATCH + FASTCGI_HEADER_LEN,
	REQUEST_MEMORY = 4096, /* first block of a request's arena */
	RECEIVES = 16, /* before other connections have their turn */
};
#define SWEEP_NS   (1 * NS_PER_S)
#define FRESH_NS   (50 * NS_PER_MS)
#define PARAMS_NS  (30 * NS_PER_S)
#define DRAIN_NS   (30 * NS_PER_S)
#define NO_BODY_NS (1 * NS_PER_S)
/* Longer than web servers keep idle connections: 60 s in nginx. */
#define RETIRE_NS (75 * NS_PER_S)

enum phase {
	READING, /* between requests, or in the parameters of one */
	RUNNING, /* a request is under way */
	DRAINING, /* it is answered, but the body is not at its end */
	CLOSED, /* waits to be freed at the end of the turn */
};

struct connection {
	struct connections *all;
	LIST_ENTRY(connection) link;
	TAILQ_ENTRY(connection) fresh_link;
	bool is_fresh; /* waits to be watched for a hang-up */
	bool was_kept; /* has answered a request already */
	bool has_more; /* input that was not wanted waits in the socket */
	enum phase phase;
	int fd;
	int64_t since_ns; /* when the phase, or the request, began */
	struct watch watch;
	struct fastcgi guard;
	struct buf rest; /* received, not yet walked */
	struct output out;
	struct stream stream;
};

LIST_HEAD(connection_list, connection);
TAILQ_HEAD(connection_queue, connection);

struct connections {
	const struct front *front;
	struct envp *envp;
	char *scratch;
	struct connection_list open;
	struct connection_list closed;
	struct connection_queue fresh;
	size_t n;
	struct timer sweep;
	struct timer fresh_timer;
	struct task bury;
	bool drains;
	void (*empty)(void *arg);
	void *empty_arg;
};

static void sweep(void *arg);
static void watch_fresh(void *arg);
static void on_event(void *arg, uint32_t events);
static void advance(void *arg);

struct connections *
connections_new(const struct front *front)
{
	struct connections *all = calloc(1, sizeof(*all));

	if (!all)
		abort();
	all->front = front;
	all->envp = envp_new();
	all->scratch = malloc(SCRATCH);
	if (!all->scratch)
		abort();
	LIST_INIT(&all->open);
	LIST_INIT(&all->closed);
	TAILQ_INIT(&all->fresh);
	if (!all->envp) {
		connections_free(all);
		return NULL;
	}
	return all;
}

size_t
connections_count(const struct connections *all)
{
	return all->n;
}

/* ---- closing ---- */

static void
bury(void *arg)
{
	struct connections *all = arg;
	struct connection *c;

	while ((c = LIST_FIRST(&all->closed))) {
		LIST_REMOVE(c, link);
		free(c);
	}
	if (all->drains && all->n == 0 && all->empty) {
		all->empty(all->empty_arg);
		all->empty = NULL;
	}
}

static void
leave_fresh(struct connection *c)
{
	if (c->is_fresh)
		TAILQ_REMOVE(&c->all->fresh, c, fresh_link);
	c->is_fresh = false;
}

static void
shut(struct connection *c)
{
	struct connections *all = c->all;

	if (c->phase == CLOSED)
		return;
	c->phase = CLOSED;
	leave_fresh(c);
	watch_stop(all->front->loop, &c->watch);
	stream_close(&c->stream);
	(void)close(c->fd);
	fastcgi_free(&c->guard);
	output_free(&c->out);
	buf_free(&c->rest);
	LIST_REMOVE(c, link);
	LIST_INSERT_HEAD(&all->closed, c, link);
	all->n--;
	task_defer(all->front->loop, &all->bury, bury, all);
}

/* The web server has closed its end. */
static void
end_of_input(struct connection *c)
{
	if (c->stream.x)
		stream_note_gone(&c->stream);
	else if (c->phase == READING && fastcgi_is_busy(&c->guard))
		log_warn("a web server closed a connection in the middle of "
			 "the parameters; the request is dropped");
	shut(c);
}

void
connections_free(struct connections *all)
{
	struct connection *c;

	if (!all)
		return;
	all->empty = NULL;
	while ((c = LIST_FIRST(&all->open)))
		end_of_input(c);
	bury(all);
	timer_clear(all->front->loop, &all->sweep);
	timer_clear(all->front->loop, &all->fresh_timer);
	task_clear(all->front->loop, &all->bury);
	envp_free(all->envp);
	free(all->scratch);
	free(all);
}

/* ---- reading ---- */

static void
enter(struct connection *c, enum phase phase)
{
	c->phase = phase;
	c->since_ns = clock_boot_ns();
}

/* All parameters are there: from now on they live in the request's arena. */
static void
open_request(struct connection *c)
{
	struct arena *arena = arena_new(REQUEST_MEMORY);
	struct cgi_param *params;
	enum err err = c->guard.oversized ? ERR_FULL : ERR_OK;
	size_t n = 0;

	output_begin(&c->out, c->guard.id);
	if (!err && c->guard.unsound)
		err = ERR_BAD;
	if (!err)
		err = envp_read(c->all->envp, arena,
		    buf_bytes(&c->guard.params), &params, &n);
	if (!err)
		stream_open(&c->stream, arena, params, n);
	else if (err == ERR_FULL)
		stream_open_refused(
		    &c->stream, arena, 431, STR("http1.headers_too_large"));
	else
		stream_open_refused(
		    &c->stream, arena, 400, STR("http1.codec_error"));
	buf_free(&c->guard.params);
	enter(c, RUNNING);
}

static enum fastcgi_event
feed(struct connection *c, struct str *bytes)
{
	struct stream *s = &c->stream;
	enum fastcgi_event event;
	size_t before;

	if (c->phase != RUNNING || stream_is_deaf(s))
		return fastcgi_feed(&c->guard, bytes, NULL, 0);
	before = buf_len(&s->x->upload);
	event = fastcgi_feed(&c->guard, bytes, &s->x->upload, stream_room(s));
	stream_took(s, buf_len(&s->x->upload) - before);
	return event;
}

static void
body_ended(struct connection *c)
{
	if (c->phase == RUNNING && stream_end_body(&c->stream))
		end_of_input(c);
}

/*
 * Walks bytes; those that cannot be used yet are left. False: the connection
 * was closed.
 */
static bool
take(struct connection *c, struct str *bytes)
{
	bool was_busy = fastcgi_is_busy(&c->guard);

	if (!was_busy)
		c->since_ns = clock_boot_ns();
	for (;;) {
		switch (feed(c, bytes)) {
		case FASTCGI_MORE:
			return true;
		case FASTCGI_REQUEST:
			open_request(c);
			break;
		case FASTCGI_BODY_FULL:
			if (!stream_is_deaf(&c->stream))
				return true;
			break;
		case FASTCGI_BODY_END:
			body_ended(c);
			break;
		case FASTCGI_NEXT:
			return true;
		case FASTCGI_ABORTED:
			end_of_input(c);
			break;
		case FASTCGI_BROKEN:
			log_warn("a connection from a web server is closed: %s",
			    c->guard.reason);
			end_of_input(c);
			break;
		}
		if (c->phase == CLOSED)
			return false;
	}
}

/* Whether bytes from the web server are of use now. */
static bool
wants_input(const struct connection *c)
{
	if (!buf_is_empty(&c->rest))
		return false;
	if (c->phase != RUNNING)
		return true;
	if (c->guard.stage == FASTCGI_COMPLETE)
		return c->guard.keep;
	return stream_wants_body(&c->stream);
}

/* Room in the upload, so that no bytes are left over; headers besides. */
static size_t
receive_len(const struct connection *c)
{
	size_t room;

	if (c->phase != RUNNING || stream_is_deaf(&c->stream))
		return SCRATCH;
	room = stream_room(&c->stream) + 4 * FASTCGI_HEADER_LEN;
	return room < SCRATCH ? room : SCRATCH;
}

/* False: the connection was closed. */
static bool
receive(struct connection *c)
{
	struct str bytes;
	ssize_t n;

	for (int i = 0; i < RECEIVES && wants_input(c); i++) {
		n = recv(c->fd, c->all->scratch, receive_len(c), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		c->has_more = n > 0;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			end_of_input(c);
			return false;
		}
		bytes = (struct str){ c->all->scratch, (size_t)n };
		if (!take(c, &bytes))
			return false;
		if (buf_append(&c->rest, bytes)) {
			shut(c);
			return false;
		}
		if (c->guard.stage == FASTCGI_COMPLETE) {
			c->has_more = false;
			return true;
		}
	}
	return true;
}

/* False: the connection was closed. */
static bool
take_rest(struct connection *c)
{
	struct str bytes = buf_bytes(&c->rest);
	size_t len = bytes.len;

	if (len == 0)
		return true;
	if (!take(c, &bytes))
		return false;
	buf_consume(&c->rest, len - bytes.len);
	if (buf_is_empty(&c->rest))
		buf_free(&c->rest);
	return true;
}

/* ---- moving ---- */

/* Sends answers of the guard that no stream carries along. */
static bool
send_replies(struct connection *c)
{
	struct buf none;

	if (c->out.record_left ||
	    (buf_is_empty(&c->guard.reply) && buf_is_empty(&c->out.head)))
		return true;
	buf_init(&none, 0);
	if (c->phase != RUNNING)
		c->out.ended = false;
	if (output_send(&c->out, c->fd, &none, OUTPUT_OPEN, &c->guard.reply) !=
	    ERR_CLOSED)
		return true;
	end_of_input(c);
	return false;
}

static uint32_t
wanted_events(const struct connection *c)
{
	uint32_t events = EPOLLRDHUP;

	if (wants_input(c))
		events |= EPOLLIN;
	if (!buf_is_empty(&c->out.head) || (c->stream.x && c->stream.blocked))
		events |= EPOLLOUT;
	return events;
}

static void
join_fresh(struct connection *c)
{
	struct connections *all = c->all;

	if (c->is_fresh)
		return;
	c->is_fresh = true;
	TAILQ_INSERT_TAIL(&all->fresh, c, fresh_link);
	if (!all->fresh_timer.slot)
		timer_set(all->front->loop, &all->fresh_timer, FRESH_NS,
		    watch_fresh, all);
}

static void
watch_now(struct connection *c)
{
	struct loop *loop = c->all->front->loop;
	uint32_t events = wanted_events(c);
	enum err err;

	leave_fresh(c);
	if (c->watch.active)
		err = watch_change(loop, &c->watch, events);
	else
		err = watch_start(loop, &c->watch, c->fd, events, on_event, c);
	if (!err)
		return;
	log_error("epoll refuses a connection: error %d", errno);
	end_of_input(c);
}

static void
update_watch(struct connection *c)
{
	if (c->watch.active || wanted_events(c) != EPOLLRDHUP)
		watch_now(c);
	else
		join_fresh(c);
}

/* Registers requests that have been under way for a while. */
static void
watch_fresh(void *arg)
{
	struct connections *all = arg;
	struct connection *c;
	int64_t left;

	while ((c = TAILQ_FIRST(&all->fresh))) {
		left = c->since_ns + FRESH_NS - clock_boot_ns();
		if (left > 0) {
			timer_set(all->front->loop, &all->fresh_timer, left,
			    watch_fresh, all);
			return;
		}
		watch_now(c);
	}
}

/* The request is answered and its body read: what becomes of the connection. */
static void
finish(struct connection *c)
{
	if (!c->guard.keep || c->all->drains) {
		shut(c);
		return;
	}
	fastcgi_next(&c->guard);
	c->was_kept = true;
	output_free(&c->out);
	enter(c, READING);
}

static void
answered(struct connection *c)
{
	stream_close(&c->stream);
	if (c->guard.stage == FASTCGI_COMPLETE)
		finish(c);
	else
		enter(c, DRAINING);
}

/* Moves the request; true when something is left to do at once. */
static bool
run(struct connection *c)
{
	struct stream *s = &c->stream;

	if (!s->started && stream_can_start(s))
		stream_start(s);
	switch (stream_pump(s, &c->guard.reply)) {
	case STREAM_RUNNING:
		return false;
	case STREAM_DONE:
		answered(c);
		return true;
	case STREAM_BROKEN:
		shut(c);
		return false;
	}
	return false;
}

/* Whether what is left over can be walked now. */
static bool
can_take_rest(const struct connection *c)
{
	if (buf_is_empty(&c->rest))
		return false;
	return c->phase != RUNNING || (c->guard.stage != FASTCGI_COMPLETE &&
					  stream_wants_body(&c->stream));
}

/* Everything that can be done without waiting. */
static void
advance(void *arg)
{
	struct connection *c = arg;
	bool again = true;

	if (c->has_more && !receive(c))
		return;
	while (again && c->phase != CLOSED) {
		again = can_take_rest(c);
		if (again && !take_rest(c))
			return;
		if (!send_replies(c))
			return;
		if (c->phase == RUNNING)
			again = run(c) || can_take_rest(c);
		else if (c->phase == DRAINING &&
			 c->guard.stage == FASTCGI_COMPLETE)
			finish(c);
	}
	if (c->phase != CLOSED)
		update_watch(c);
}

static void
on_event(void *arg, uint32_t events)
{
	struct connection *c = arg;

	if (events & EPOLLIN) {
		if (!receive(c))
			return;
	} else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		end_of_input(c);
		return;
	}
	advance(c);
}

void
connections_add(struct connections *all, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->all = all;
	c->fd = fd;
	fastcgi_init(&c->guard);
	buf_init(&c->rest, REST_MAX);
	output_init(&c->out, OUTPUT_RECORDS, 0);
	stream_init(&c->stream, all->front, &c->out, fd, advance, c);
	enter(c, READING);
	LIST_INSERT_HEAD(&all->open, c, link);
	if (all->n++ == 0 && !all->sweep.slot)
		timer_set(all->front->loop, &all->sweep, SWEEP_NS, sweep, all);
	if (receive(c))
		advance(c);
}

/* ---- time limits ---- */

static void
check_reading(struct connection *c, int64_t age)
{
	bool is_busy = fastcgi_is_busy(&c->guard);
	int64_t limit = c->was_kept && !is_busy
			    ? c->all->drains ? RETIRE_NS : INT64_MAX
			    : PARAMS_NS;

	if (age < limit)
		return;
	if (is_busy)
		log_warn("a web server stalled in the middle of the "
			 "parameters; the request is dropped");
	shut(c);
}

static void
check_running(struct connection *c, int64_t age)
{
	struct stream *s = &c->stream;

	if (!s->started && age >= NO_BODY_NS)
		stream_start(s);
	else if (!stream_check(s))
		return;
	advance(c);
}

static void
sweep(void *arg)
{
	struct connections *all = arg;
	struct connection *c, *next;
	int64_t age;

	for (c = LIST_FIRST(&all->open); c; c = next) {
		next = LIST_NEXT(c, link);
		age = clock_boot_ns() - c->since_ns;
		if (c->phase == READING)
			check_reading(c, age);
		else if (c->phase == RUNNING)
			check_running(c, age);
		else if (age >= DRAIN_NS)
			shut(c);
	}
	if (all->n)
		timer_set(all->front->loop, &all->sweep, SWEEP_NS, sweep, all);
}

void
connections_retire(struct connections *all, void (*empty)(void *arg), void *arg)
{
	all->drains = true;
	all->empty = empty;
	all->empty_arg = arg;
	task_defer(all->front->loop, &all->bury, bury, all);
}

void
connections_drain(struct connections *all, void (*empty)(void *arg), void *arg)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&all->open); c; c = next) {
		next = LIST_NEXT(c, link);
		if (c->phase == READING && c->was_kept &&
		    !fastcgi_is_busy(&c->guard))
			shut(c);
	}
	connections_retire(all, empty, arg);
}
