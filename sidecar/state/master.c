/* The list of masters. */
#include "config.h"

#include "base/clock.h"
#include "state/layout.h"

static void
store_text(_Atomic char *at, size_t size, struct str text)
{
	size_t n = text.len < size - 1 ? text.len : size - 1;

	for (size_t i = 0; i < n; i++)
		atomic_store_explicit(
		    &at[i], text.ptr[i], memory_order_relaxed);
	atomic_store_explicit(&at[n], 0, memory_order_relaxed);
}

static void
load_text(char *out, const _Atomic char *at, size_t size)
{
	size_t i = 0;

	for (; i < size - 1; i++) {
		out[i] = atomic_load_explicit(&at[i], memory_order_relaxed);
		if (!out[i])
			return;
	}
	out[i] = '\0';
}

static void
write_entry(
    struct master_entry *m, enum master_outcome outcome, struct str text)
{
	(void)atomic_fetch_add(&m->said, 1);
	atomic_thread_fence(memory_order_release);
	atomic_store(&m->outcome, (uint32_t)outcome);
	store_text(m->text, sizeof(m->text), text);
	(void)atomic_fetch_add(&m->said, 1);
}

int
master_join(struct state *s, const char *config, unsigned workers)
{
	uint64_t me = process_self();

	for (int i = 0; me && i < MASTERS; i++) {
		struct master_entry *m = &s->image->masters[i];
		uint64_t seen = atomic_load(&m->who);

		if (process_lives(seen) ||
		    !atomic_compare_exchange_strong(&m->who, &seen, me))
			continue;
		/* Whoever had it may have been killed while writing. */
		if (atomic_load(&m->said) % 2)
			(void)atomic_fetch_add(&m->said, 1);
		atomic_store(&m->joined_ns, clock_boot_now_ns());
		atomic_store(&m->reloads, 0);
		atomic_store(&m->workers, workers);
		store_text(m->config, sizeof(m->config), str_of(config));
		write_entry(m, MASTER_STARTED, STR(""));
		return i;
	}
	return -1;
}

void
master_leave(struct state *s, int id)
{
	if (id >= 0 && id < MASTERS)
		atomic_store(&s->image->masters[id].who, 0);
}

void
master_note(
    struct state *s, int id, enum master_outcome outcome, struct str text)
{
	struct master_entry *m;

	if (id < 0 || id >= MASTERS)
		return;
	m = &s->image->masters[id];
	write_entry(m, outcome, text);
	(void)atomic_fetch_add(&m->reloads, 1);
}

/* Again while it is being written, but not for ever: its writer may die. */
static void
read_entry(const struct master_entry *m, struct master_report *out)
{
	enum { TRIES = 1000 };
	uint32_t outcome;
	uint64_t said;

	for (int i = 0; i < TRIES; i++) {
		said = atomic_load(&m->said);
		out->joined_ns = atomic_load(&m->joined_ns);
		out->workers = atomic_load(&m->workers);
		out->reloads = atomic_load(&m->reloads);
		outcome = atomic_load(&m->outcome);
		load_text(out->config, m->config, sizeof(out->config));
		load_text(out->text, m->text, sizeof(out->text));
		atomic_thread_fence(memory_order_acquire);
		out->outcome = outcome <= MASTER_REFUSED
				   ? (enum master_outcome)outcome
				   : MASTER_STARTED;
		if (said % 2 == 0 && said == atomic_load(&m->said))
			return;
	}
}

size_t
masters(struct state *s, pid_t pid, struct master_report *found)
{
	size_t n = 0;

	*found = (struct master_report){ 0 };
	for (size_t i = 0; i < MASTERS; i++) {
		const struct master_entry *m = &s->image->masters[i];
		uint64_t who = atomic_load(&m->who);

		if (!process_lives(who))
			continue;
		n++;
		if (found->pid || (pid && pid != process_pid(who)))
			continue;
		read_entry(m, found);
		found->pid = process_pid(who);
	}
	return n;
}

void
masters_each(struct state *s,
    void (*each)(void *arg, const struct master_report *), void *arg)
{
	struct master_report report;

	for (size_t i = 0; i < MASTERS; i++) {
		const struct master_entry *m = &s->image->masters[i];
		uint64_t who = atomic_load(&m->who);

		if (!process_lives(who))
			continue;
		read_entry(m, &report);
		report.pid = process_pid(who);
		each(arg, &report);
	}
}
