/*
 * Several processes at once, for tests of what they share. All begin at the
 * same moment, as near as that can be had.
 */
#ifndef SALLYPORT_TESTS_UNIT_STATE_CROWD_H
#define SALLYPORT_TESTS_UNIT_STATE_CROWD_H

#include <sys/mman.h>
#include <sys/wait.h>

#include <check.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

enum { CROWD_MAX = 64 };

struct crowd {
	pid_t pids[CROWD_MAX];
	int n;
	_Atomic int *waiting;
};

/* Zeroed memory that the children of fork share with their parent. */
static inline void *
crowd_memory(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(at, MAP_FAILED);
	return at;
}

static inline void
crowd_start(struct crowd *crowd, int n, void (*fn)(void *arg, int i), void *arg)
{
	crowd->n = n;
	crowd->waiting = crowd_memory(sizeof(*crowd->waiting));
	atomic_store(crowd->waiting, n);
	for (int i = 0; i < n; i++) {
		crowd->pids[i] = fork();
		ck_assert_int_ge(crowd->pids[i], 0);
		if (crowd->pids[i])
			continue;
		(void)atomic_fetch_sub(crowd->waiting, 1);
		while (atomic_load(crowd->waiting) > 0)
			(void)sched_yield();
		fn(arg, i);
		_exit(0);
	}
}

/* Waits for all and returns how many ended as they should. */
static inline int
crowd_wait(struct crowd *crowd)
{
	int well = 0, status;

	for (int i = 0; i < crowd->n; i++) {
		ck_assert_int_eq(
		    waitpid(crowd->pids[i], &status, 0), crowd->pids[i]);
		well += WIFEXITED(status) && !WEXITSTATUS(status);
	}
	return well;
}

static inline void
crowd_run(int n, void (*fn)(void *arg, int i), void *arg)
{
	struct crowd crowd;

	crowd_start(&crowd, n, fn, arg);
	ck_assert_int_eq(crowd_wait(&crowd), n);
}

#endif
