/* epoll, a heap of timers, a list of deferred tasks. */
#include "config.h"

#include <sys/epoll.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

enum {
	BATCH = 128,
	ROUNDS = 16, /* of tasks that tasks have deferred, in a turn */
};

struct loop {
	int epoll_fd;
	bool stopped;
	struct epoll_event batch[BATCH];
	int batch_n;
	int batch_at;
	struct timer **heap; /* from slot 1 */
	size_t heap_n;
	size_t heap_cap;
	struct task *tasks;
	struct task **tasks_end;
	struct task round; /* stands behind the tasks of the round */
};

struct loop *
loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0) {
		free(l);
		return NULL;
	}
	l->tasks_end = &l->tasks;
	clock_update();
	return l;
}

void
loop_free(struct loop *l)
{
	if (!l)
		return;
	(void)close(l->epoll_fd);
	free(l->heap);
	free(l);
}

void
loop_stop(struct loop *l)
{
	l->stopped = true;
}

static enum err
control(struct loop *l, int op, struct watch *w)
{
	struct epoll_event event = { .events = w->events, .data.ptr = w };

	return epoll_ctl(l->epoll_fd, op, w->fd, &event) ? ERR_SYSTEM : ERR_OK;
}

enum err
watch_start(struct loop *l, struct watch *w, int fd, uint32_t events,
    void (*fn)(void *, uint32_t), void *arg)
{
	enum err err;

	*w = (struct watch){ .fd = fd, .events = events, .fn = fn, .arg = arg };
	err = control(l, EPOLL_CTL_ADD, w);
	w->active = !err;
	return err;
}

enum err
watch_change(struct loop *l, struct watch *w, uint32_t events)
{
	if (events == w->events)
		return ERR_OK;
	w->events = events;
	return control(l, EPOLL_CTL_MOD, w);
}

void
watch_stop(struct loop *l, struct watch *w)
{
	if (!w->active)
		return;
	w->active = false;
	(void)control(l, EPOLL_CTL_DEL, w);
	for (int i = l->batch_at; i < l->batch_n; i++)
		if (l->batch[i].data.ptr == w)
			l->batch[i].data.ptr = NULL;
}

static void
heap_put(struct loop *l, struct timer *t, size_t slot)
{
	l->heap[slot] = t;
	t->slot = slot;
}

static void
heap_up(struct loop *l, struct timer *t, size_t slot)
{
	while (slot > 1 && l->heap[slot / 2]->at_ns > t->at_ns) {
		heap_put(l, l->heap[slot / 2], slot);
		slot /= 2;
	}
	heap_put(l, t, slot);
}

static void
heap_down(struct loop *l, struct timer *t, size_t slot)
{
	size_t child;

	while ((child = slot * 2) <= l->heap_n) {
		if (child < l->heap_n &&
		    l->heap[child + 1]->at_ns < l->heap[child]->at_ns)
			child++;
		if (l->heap[child]->at_ns >= t->at_ns)
			break;
		heap_put(l, l->heap[child], slot);
		slot = child;
	}
	heap_put(l, t, slot);
}

void
timer_clear(struct loop *l, struct timer *t)
{
	struct timer *last;
	size_t slot = t->slot;

	if (!slot)
		return;
	t->slot = 0;
	last = l->heap[l->heap_n--];
	if (last == t)
		return;
	if (slot > 1 && l->heap[slot / 2]->at_ns > last->at_ns)
		heap_up(l, last, slot);
	else
		heap_down(l, last, slot);
}

void
timer_set(struct loop *l, struct timer *t, int64_t delay_ns, void (*fn)(void *),
    void *arg)
{
	struct timer **bigger;

	timer_clear(l, t);
	if (l->heap_n + 2 > l->heap_cap) {
		l->heap_cap = l->heap_cap ? l->heap_cap * 2 : 64;
		bigger = realloc(l->heap, l->heap_cap * sizeof(struct timer *));
		if (!bigger)
			abort();
		l->heap = bigger;
	}
	t->at_ns = clock_boot_ns() + (delay_ns > 0 ? delay_ns : 0);
	t->fn = fn;
	t->arg = arg;
	heap_up(l, t, ++l->heap_n);
}

void
task_defer(struct loop *l, struct task *t, void (*fn)(void *), void *arg)
{
	t->fn = fn;
	t->arg = arg;
	if (t->prev)
		return;
	t->next = NULL;
	t->prev = l->tasks_end;
	*l->tasks_end = t;
	l->tasks_end = &t->next;
}

void
task_clear(struct loop *l, struct task *t)
{
	if (!t->prev)
		return;
	*t->prev = t->next;
	if (t->next)
		t->next->prev = t->prev;
	else
		l->tasks_end = t->prev;
	t->prev = NULL;
}

static int
wait_ms(const struct loop *l)
{
	int64_t left;

	if (l->tasks)
		return 0;
	if (!l->heap_n)
		return -1;
	left = l->heap[1]->at_ns - clock_boot_now_ns();
	if (left <= 0)
		return 0;
	left = (left + NS_PER_MS - 1) / NS_PER_MS;
	return left > 60000 ? 60000 : (int)left;
}

static void
run_events(struct loop *l)
{
	struct watch *w;

	for (l->batch_at = 0; l->batch_at < l->batch_n;) {
		struct epoll_event *event = &l->batch[l->batch_at++];
		w = event->data.ptr;
		if (w)
			w->fn(w->arg, event->events);
	}
	l->batch_n = 0;
}

static void
run_timers(struct loop *l)
{
	int64_t now = clock_boot_ns();

	while (l->heap_n && l->heap[1]->at_ns <= now) {
		struct timer *t = l->heap[1];
		timer_clear(l, t);
		t->fn(t->arg);
	}
}

static void
run_round(struct loop *l)
{
	struct task *t;

	task_defer(l, &l->round, NULL, NULL);
	while ((t = l->tasks) != &l->round) {
		task_clear(l, t);
		t->fn(t->arg);
	}
	task_clear(l, &l->round);
}

/*
 * Where both ends of a stream keep up with it, its tasks defer each other for
 * as long as it flows: everybody else is to have a turn meanwhile.
 */
static void
run_tasks(struct loop *l)
{
	for (int i = 0; i < ROUNDS && l->tasks; i++)
		run_round(l);
}

void
loop_run(struct loop *l)
{
	int n;

	l->stopped = false;
	while (!l->stopped) {
		n = epoll_wait(l->epoll_fd, l->batch, BATCH, wait_ms(l));
		if (n < 0 && errno != EINTR) {
			log_error("epoll_wait: error %d", errno);
			return;
		}
		l->batch_n = n < 0 ? 0 : n;
		clock_update();
		run_events(l);
		run_timers(l);
		run_tasks(l);
	}
}
