/* Slots that are given out again with another generation. */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "chain/wake.h"

enum { SLOTS_AT_FIRST = 64 };

/* Allocated one by one: the loop points at the timers and tasks. */
struct sleeper {
	uint32_t generation;
	uint32_t next_free; /* slot + 1, 0: none */
	void (*fn)(void *arg); /* NULL: free */
	void *arg;
	struct task task;
	struct timer timer;
};

struct wakes {
	struct loop *loop;
	struct sleeper **slots;
	uint32_t n, cap;
	uint32_t free; /* slot + 1, 0: none */
};

static void *
need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct wakes *
wakes_new(struct loop *loop)
{
	struct wakes *w = need(calloc(1, sizeof(*w)));

	w->loop = loop;
	return w;
}

static void
quiet(struct wakes *w, struct sleeper *s)
{
	timer_clear(w->loop, &s->timer);
	task_clear(w->loop, &s->task);
	s->fn = NULL;
}

void
wakes_free(struct wakes *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->n; i++) {
		quiet(w, w->slots[i]);
		free(w->slots[i]);
	}
	free(w->slots);
	free(w);
}

static uint32_t
new_slot(struct wakes *w)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : SLOTS_AT_FIRST;
		w->slots =
		    need(reallocarray(w->slots, w->cap, sizeof(w->slots[0])));
	}
	w->slots[w->n] = need(calloc(1, sizeof(struct sleeper)));
	return w->n++;
}

struct wake
wakes_join(struct wakes *w, void (*fn)(void *arg), void *arg)
{
	uint32_t slot;
	struct sleeper *s;

	if (w->free) {
		slot = w->free - 1;
		w->free = w->slots[slot]->next_free;
	} else {
		slot = new_slot(w);
	}
	s = w->slots[slot];
	s->fn = fn;
	s->arg = arg;
	if (++s->generation == 0)
		s->generation = 1;
	return (struct wake){ slot, s->generation };
}

/* The sleeper of that name, unless it has left. */
static struct sleeper *
find(struct wakes *w, struct wake name)
{
	struct sleeper *s = name.slot < w->n ? w->slots[name.slot] : NULL;

	return s && s->fn && s->generation == name.generation ? s : NULL;
}

void
wakes_leave(struct wakes *w, struct wake name)
{
	struct sleeper *s = find(w, name);

	if (!s)
		return;
	quiet(w, s);
	s->next_free = w->free;
	w->free = name.slot + 1;
}

static void
run(void *arg)
{
	struct sleeper *s = arg;

	s->fn(s->arg);
}

void
wakes_post(struct wakes *w, struct wake name)
{
	struct sleeper *s = find(w, name);

	if (s)
		task_defer(w->loop, &s->task, run, s);
}

void
wakes_at(struct wakes *w, struct wake name, int64_t boot_ns)
{
	struct sleeper *s = find(w, name);
	int64_t delay = boot_ns - clock_boot_ns();

	if (s)
		timer_set(w->loop, &s->timer, delay > 0 ? delay : 0, run, s);
}
