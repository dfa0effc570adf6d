/*
 * Masters in the state file: who they are, and how their last reload went, so
 * that whoever asks for one is told. An entry is written by its master alone.
 */
#ifndef SALLYPORT_STATE_MASTER_H
#define SALLYPORT_STATE_MASTER_H

#include "state/file.h"

enum {
	MASTER_CONFIG_MAX = 512, /* bytes of the file's name, NUL included */
	MASTER_TEXT_MAX = 8192, /* of what is said of a reload */
};

enum master_outcome {
	MASTER_STARTED, /* no reload yet */
	MASTER_RELOADED,
	MASTER_REFUSED, /* the old configuration goes on */
};

/* A copy of an entry. */
struct master_report {
	pid_t pid;
	int64_t joined_ns; /* boot clock */
	unsigned workers;
	uint64_t reloads; /* asked for and decided */
	enum master_outcome outcome; /* of the last one */
	char config[MASTER_CONFIG_MAX];
	char text[MASTER_TEXT_MAX]; /* what was wrong, or warnings */
};

/*
 * Puts this process on the list; the name of its configuration is cut at
 * MASTER_CONFIG_MAX. Returns an id for the functions below, or -1 if there is
 * no room.
 */
int master_join(struct state *, const char *config, unsigned workers);
void master_leave(struct state *, int id);

/* Notes how a reload ended; text is cut at MASTER_TEXT_MAX. */
void master_note(struct state *, int id, enum master_outcome, struct str text);

/* Number of living masters; *found is the one of that pid (0: any). */
size_t masters(struct state *, pid_t pid, struct master_report *found);

/* Calls each(arg, report) for every living master; the report lives during the call. */
void masters_each(struct state *,
    void (*each)(void *arg, const struct master_report *), void *arg);

#endif
