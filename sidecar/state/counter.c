/* Counters: one word each, added to by everybody. */
#include "config.h"

#include "state/counter.h"
#include "state/layout.h"

int
counter_find(struct state *s, struct str name)
{
	return tag_find(
	    s->image->counter_tags, COUNTERS, s->image->header.seed, name);
}

void
counter_add(struct state *s, int id, uint64_t by)
{
	if (id >= 0 && id < COUNTERS)
		(void)atomic_fetch_add_explicit(
		    &s->image->counters[id], by, memory_order_relaxed);
}

uint64_t
counter_get(struct state *s, int id)
{
	if (id < 0 || id >= COUNTERS)
		return 0;
	return atomic_load(&s->image->counters[id]);
}

void
counter_each(struct state *s,
    void (*each)(void *arg, struct str name, uint64_t value), void *arg)
{
	char text[TAG_NAME_MAX + 1];

	for (int i = 0; i < COUNTERS; i++) {
		struct str name = tag_name(&s->image->counter_tags[i], text);

		if (name.ptr)
			each(arg, name, counter_get(s, i));
	}
}
