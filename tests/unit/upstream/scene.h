/*
 * A router with clusters of one backend, for tests of all that forwards: the
 * chain is a fake, the calls are real.
 */
#ifndef SALLYPORT_TESTS_UNIT_UPSTREAM_SCENE_H
#define SALLYPORT_TESTS_UNIT_UPSTREAM_SCENE_H

#include "tests/unit/upstream/backend.h"
#include "tests/unit/upstream/fake_chain.h"
#include "upstream/router.h"

enum { SCENE_PATIENCE_S = 20, SCENE_HOSTS = 3 };

/* The clusters are "one" and "two", each with SCENE_HOSTS hosts. */
struct scene {
	struct backend backend;
	struct loop *loop;
	struct arena *arena;
	struct timer deadline;
	struct state *state;
	struct conf_cluster *confs;
	struct cluster *one, *two;
	struct router *router;
	struct fake_front front; /* of the latest request */
};

extern struct scene scene;

/* For a checked fixture. */
void scene_begin(void);
void scene_finish(void);

/* A request that goes to "one". */
struct exchange *scene_request(const char *method, const char *path);

/* Forwards it, and waits until it is over. */
void scene_run(struct exchange *);
void scene_wait(struct exchange *);
bool scene_is_over(const struct exchange *);

/* Runs the loop until that is so. */
void scene_until(bool (*is_so)(void));

/* Lets it go: it may be under way. */
void scene_end(struct exchange *);

/* The value of a counter of cluster "one". */
uint64_t scene_count(const char *name);

void scene_assert_text(struct str got, const char *expected);

/* The latest request got this reply of the gateway's own. */
void scene_assert_reply(struct exchange *, unsigned status, const char *body,
    const char *details, const char *flag);

/* Or this answer of the backend. */
void scene_assert_answer(
    struct exchange *, const char *status, const char *body);

#endif
