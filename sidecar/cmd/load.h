/*
 * From a configuration file to what requests run on. What is wrong with the
 * file is printed on stderr, all of it at once.
 */
#ifndef SALLYPORT_CMD_LOAD_H
#define SALLYPORT_CMD_LOAD_H

#include "base/arena.h"
#include "config/model.h"
#include "observe/access_log.h"
#include "upstream/router.h"

struct loaded {
	struct arena *arena;
	struct tree *tree; /* what was read; load_build forgets most of it */
	struct diag *diag;
	struct str said; /* what load_read and load_build printed */
	const struct conf_bootstrap *bootstrap;
	struct gateway *gateway;
	struct clusters *clusters;
	struct access_log *log;
};

/* LOAD_LENIENT: fields that Envoy does not know are no errors. */
enum load_mode { LOAD_STRICT, LOAD_LENIENT };

/* Reads the file. ERR_CONFIG after errors, which are printed. */
enum err load_read(
    const char *file, enum load_mode, struct loaded *out) CHECKED;

/*
 * Reads the file and builds everything, without a state file and printing
 * nothing: out->diag has the errors and warnings.
 */
enum err load_check(
    const char *file, enum load_mode, struct loaded *out) CHECKED;

/* The same for one process's own use, with its private state. */
enum err load_quietly(
    const char *file, struct state *, struct loaded *out) CHECKED;

/*
 * Builds the rest. state may be NULL for a check; log, if not NULL, is where
 * access logs go instead. Prints warnings and errors.
 */
enum err load_build(struct loaded *, struct state *, const char *log) CHECKED;

/* Fine in every stage. */
void load_free(struct loaded *);

#endif
