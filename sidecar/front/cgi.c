/*
 * The same stream as for FastCGI over two descriptors. Web servers hand over
 * pipes, sockets or, for a spooled body, a file, which epoll refuses and
 * which is always ready.
 */
#include "config.h"

#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/cgi.h"
#include "front/envp.h"

enum { REQUEST_MEMORY = 8192 };
#define SWEEP_NS (1 * NS_PER_S)

struct cgi {
	struct front front;
	struct stream stream;
	struct output out;
	struct watch in_watch, out_watch;
	struct timer sweep;
	bool input_is_file;
	bool is_broken;
};

static void advance(void *arg);

static void
end(struct cgi *c)
{
	watch_stop(c->front.loop, &c->in_watch);
	watch_stop(c->front.loop, &c->out_watch);
	stream_close(&c->stream);
	loop_stop(c->front.loop);
}

/* The body came to an end; it may have been too early. */
static void
end_input(struct cgi *c)
{
	if (!stream_end_body(&c->stream))
		return;
	stream_note_gone(&c->stream);
	c->is_broken = true;
}

/* Takes what is there of the body, up to the room for it. */
static void
take_input(struct cgi *c)
{
	struct stream *s = &c->stream;
	size_t room;
	ssize_t n;
	char *at;

	while (!stream_is_deaf(s) && !s->body_over && !c->is_broken) {
		room = stream_room(s);
		if (room == 0 || buf_reserve(&s->x->upload, room, &at))
			return;
		n = read(STDIN_FILENO, at, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			end_input(c);
			return;
		}
		buf_commit(&s->x->upload, (size_t)n);
		stream_took(s, (size_t)n);
	}
}

static void
on_event(void *arg, uint32_t events)
{
	(void)events;
	advance(arg);
}

static void
wait_for(struct cgi *c, struct watch *w, int fd, uint32_t events, bool wanted)
{
	if (!wanted) {
		watch_stop(c->front.loop, w);
		return;
	}
	if (!w->active &&
	    watch_start(c->front.loop, w, fd, events, on_event, c) &&
	    fd == STDIN_FILENO)
		c->input_is_file = true;
}

static bool
wants_input(const struct cgi *c)
{
	const struct stream *s = &c->stream;

	return !stream_is_deaf(s) && !s->body_over && stream_room(s) > 0 &&
	       !c->input_is_file;
}

static void
advance(void *arg)
{
	struct cgi *c = arg;
	struct stream *s = &c->stream;

	take_input(c);
	if (!c->is_broken && !s->started && stream_can_start(s))
		stream_start(s);
	switch (c->is_broken ? STREAM_BROKEN : stream_pump(s, NULL)) {
	case STREAM_RUNNING:
		wait_for(
		    c, &c->in_watch, STDIN_FILENO, EPOLLIN, wants_input(c));
		wait_for(c, &c->out_watch, STDOUT_FILENO, EPOLLOUT, s->blocked);
		break;
	case STREAM_DONE:
		end(c);
		break;
	case STREAM_BROKEN:
		c->is_broken = true;
		end(c);
		break;
	}
}

static void
sweep(void *arg)
{
	struct cgi *c = arg;

	timer_set(c->front.loop, &c->sweep, SWEEP_NS, sweep, c);
	if (c->stream.started && stream_check(&c->stream))
		advance(c);
}

static void
prepare_descriptors(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)!fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	(void)!fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
}

int
cgi_run(const struct worker *w)
{
	struct arena *arena = arena_new(REQUEST_MEMORY);
	struct cgi c = { .is_broken = false };
	struct cgi_param *params;
	size_t n;

	prepare_descriptors();
	if (worker_open(w, &c.front)) {
		arena_free(arena);
		return EXIT_FAILURE;
	}
	output_init(&c.out, OUTPUT_BARE, 0);
	stream_init(&c.stream, &c.front, &c.out, STDOUT_FILENO, advance, &c);
	params = envp_split(arena, environ, &n);
	stream_open(&c.stream, arena, params, n);
	timer_set(c.front.loop, &c.sweep, SWEEP_NS, sweep, &c);
	task_defer(c.front.loop, &c.stream.task, advance, &c);
	loop_run(c.front.loop);
	timer_clear(c.front.loop, &c.sweep);
	output_free(&c.out);
	worker_close(w, &c.front);
	return c.is_broken ? EXIT_FAILURE : EXIT_SUCCESS;
}
