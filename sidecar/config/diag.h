/*
 * Collects everything that is wrong with a configuration, so that one run
 * reports all of it, in file order.
 */
#ifndef SALLYPORT_CONFIG_DIAG_H
#define SALLYPORT_CONFIG_DIAG_H

#include <stdio.h>

#include "config/node.h"

struct diag;

/* What is said is kept in the arena, which must outlive it. */
struct diag *diag_new(struct arena *);

/*
 * Adds an error at a place. path is the dotted path of the value
 * ("static_resources.listeners[0].name"), or NULL.
 */
void diag_error(struct diag *, struct place, const char *path,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for what is accepted but deserves a word. */
void diag_warn(struct diag *, struct place, const char *path,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * The same for a field that Envoy does not know: an error, or a warning once
 * diag_allow_unknown was called.
 */
void diag_unknown(struct diag *, struct place, const char *path,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void diag_allow_unknown(struct diag *);

/*
 * The runtime keys of the configuration, for whoever decodes parts of it
 * (runtime.h); NULL until set.
 */
struct runtime;
void diag_set_runtime(struct diag *, const struct runtime *);
const struct runtime *diag_runtime(const struct diag *);

/* Adds a hint to the entry added last: what to write instead. */
void diag_hint(struct diag *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The error added last leaves the rest sound: another setting would have
 * allowed what it refuses. Errors of diag_unknown are such by themselves.
 */
void diag_go_on(struct diag *);

/* What was decoded is not sound for a reason that has no entry of its own. */
void diag_stop(struct diag *);

/* Number of errors so far (warnings not counted), and of unknown fields. */
size_t diag_errors(const struct diag *);
size_t diag_unknowns(const struct diag *);

/*
 * Whether all errors so far leave the rest sound: what was decoded may be
 * compiled, to tell what else is wrong with it.
 */
bool diag_is_sound(const struct diag *);

/*
 * Prints all entries in file order, each as
 *   file:line:column: error: path: text
 *       the source line
 *            ^
 *     hint: ...
 * Of several warnings with the same words the first is printed, and how many
 * there are.
 */
void diag_print(const struct diag *, FILE *);

/*
 * Prints all entries in file order as a JSON array of {file, line, column,
 * path, severity, message, hint}; what an entry does not have is null.
 */
void diag_print_json(const struct diag *, FILE *);

/* Text of entry i's message (for tests), or NULL. */
const char *diag_message(const struct diag *, size_t i);

#endif
