/* Gauges: a word for each process. */
#include "config.h"

#include "state/gauge.h"
#include "state/layout.h"

int
gauge_find(struct state *s, struct str name)
{
	return tag_find(
	    s->image->gauge_tags, GAUGES, s->image->header.seed, name);
}

void
gauge_add(struct state *s, int id, int64_t by)
{
	if (id >= 0 && id < GAUGES && s->process)
		(void)atomic_fetch_add_explicit(
		    &s->image->gauges[id][s->process - 1], by,
		    memory_order_relaxed);
}

int64_t
gauge_get(struct state *s, int id)
{
	int64_t sum = 0;

	if (id < 0 || id >= GAUGES)
		return 0;
	for (size_t i = 0; i < PROCESSES; i++)
		if (atomic_load_explicit(
			&s->image->processes[i].who, memory_order_relaxed))
			sum += atomic_load_explicit(
			    &s->image->gauges[id][i], memory_order_relaxed);
	return sum;
}

void
gauge_each(struct state *s,
    void (*each)(void *arg, struct str name, uint64_t value), void *arg)
{
	char text[TAG_NAME_MAX + 1];

	for (int i = 0; i < GAUGES; i++) {
		struct str name = tag_name(&s->image->gauge_tags[i], text);
		int64_t value = gauge_get(s, i);

		if (name.ptr)
			each(arg, name, value > 0 ? (uint64_t)value : 0);
	}
}
