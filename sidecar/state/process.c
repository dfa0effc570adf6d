/*
 * The list of live processes. An entry is one word, pid and start time of
 * the process, so that a pid that was given out again is not taken for its
 * predecessor.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/layout.h"

/* The text behind the program's name in /proc/pid/stat, which has anything in it. */
static const char *
stat_fields(pid_t pid, char *text, size_t size)
{
	char path[64];
	char *name_end;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, text, size - 1);
	(void)close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	name_end = strrchr(text, ')');
	return name_end && name_end[1] == ' ' ? name_end + 2 : NULL;
}

/* pid and start time (field 22, in ticks since boot); 0 if it does not live. */
static uint64_t
identify(pid_t pid)
{
	char text[1024];
	const char *at = stat_fields(pid, text, sizeof(text));

	if (!at || *at == 'Z' || *at == 'X')
		return 0;
	for (int field = 3; field < 22; field++) {
		at = strchr(at, ' ');
		if (!at)
			return 0;
		at++;
	}
	return (uint64_t)(uint32_t)pid << 32 | (uint32_t)strtoull(at, NULL, 10);
}

pid_t
process_pid(uint64_t who)
{
	return (pid_t)(who >> 32);
}

bool
process_lives(uint64_t who)
{
	return who && identify(process_pid(who)) == who;
}

uint64_t
process_self(void)
{
	return identify(getpid());
}

/* What the one before at this place has left. */
static void
clean_place(struct state *s, size_t i)
{
	quota_forget(s, i);
	for (size_t gauge = 0; gauge < GAUGES; gauge++)
		atomic_store(&s->image->gauges[gauge][i], 0);
}

/*
 * Takes a place for a moment or for good: until it is clean nobody else
 * gets it. False if somebody else was faster.
 */
static bool
claim_place(struct state *s, size_t i, uint64_t seen, uint64_t me)
{
	if (!atomic_compare_exchange_strong(
		&s->image->processes[i].who, &seen, me))
		return false;
	clean_place(s, i);
	return true;
}

static bool
reap_place(struct state *s, size_t i, uint64_t me)
{
	uint64_t seen = atomic_load(&s->image->processes[i].who);

	if (!seen || process_lives(seen) || !claim_place(s, i, seen, me))
		return false;
	atomic_store(&s->image->processes[i].who, 0);
	return true;
}

bool
state_reap(struct state *s)
{
	uint64_t me = process_self();
	bool found = false;

	for (size_t i = 0; me && i < PROCESSES; i++)
		if (i + 1 != s->process)
			found |= reap_place(s, i, me);
	return found;
}

static bool
take_place(struct state *s, size_t i, uint64_t me)
{
	uint64_t seen = atomic_load(&s->image->processes[i].who);

	if (process_lives(seen) || !claim_place(s, i, seen, me))
		return false;
	atomic_store(&s->image->processes[i].joined_ns, clock_boot_now_ns());
	s->process = i + 1;
	return true;
}

void
state_join(struct state *s)
{
	uint64_t me = process_self();

	if (!me)
		return;
	state_leave(s);
	for (size_t i = 0; i < PROCESSES && !s->process; i++)
		(void)take_place(s, i, me);
	(void)state_reap(s);
}

void
state_leave(struct state *s)
{
	uint64_t me = process_self();

	for (size_t i = 0; me && i < PROCESSES; i++) {
		uint64_t seen = me;

		if (atomic_load(&s->image->processes[i].who) != me)
			continue;
		clean_place(s, i);
		(void)atomic_compare_exchange_strong(
		    &s->image->processes[i].who, &seen, 0);
	}
	s->process = 0;
}

void
state_processes(struct state *s,
    void (*each)(void *arg, pid_t pid, int64_t joined_ns), void *arg)
{
	for (size_t i = 0; i < PROCESSES; i++) {
		struct process *p = &s->image->processes[i];
		uint64_t who = atomic_load(&p->who);

		if (process_lives(who))
			each(arg, process_pid(who), atomic_load(&p->joined_ns));
	}
}

static void
keep_earliest(void *arg, pid_t pid, int64_t joined_ns)
{
	int64_t *earliest = arg;

	(void)pid;
	if (!*earliest || joined_ns < *earliest)
		*earliest = joined_ns;
}

int64_t
state_started_ns(struct state *s)
{
	int64_t earliest = 0;

	state_processes(s, keep_earliest, &earliest);
	return earliest ? earliest : clock_boot_now_ns();
}
