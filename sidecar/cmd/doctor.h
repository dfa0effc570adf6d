/* What the parts of `sallyport doctor` share. */
#ifndef SALLYPORT_CMD_DOCTOR_H
#define SALLYPORT_CMD_DOCTOR_H

#include "cmd/probe.h"
#include "cmd/remedy.h"
#include "state/mark.h"

/* A NOTE is worth knowing and asks for nothing. */
enum severity { DOCTOR_FINE, DOCTOR_NOTE, DOCTOR_PROBLEM };

struct finding {
	enum ailment ailment;
	enum severity severity;
	char text[512]; /* printable ASCII */
};

enum { FINDINGS_MAX = 64, TARGET_MAX = 4096 };

struct doctor {
	struct state *state;
	struct probe_site site;
	char mark[MARK_LEN + 1];
	char path[TARGET_MAX]; /* of the URL; ends with "/" */
	int64_t body_len; /* that is to pass */
	enum server_kind server;
	char software[128]; /* as it calls itself, printable */
	int64_t pid; /* of the process that answered first */
	bool is_reached; /* a gateway has answered */
	struct finding findings[FINDINGS_MAX];
	size_t n;
};

/* Adds what was found of an ailment; what is fine is added without a text. */
void doctor_say(struct doctor *, enum ailment, enum severity,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* text cut to size with a NUL; what is not printable ASCII becomes "?". */
void doctor_copy(char *out, size_t size, struct str text);

/* Whether the gateway is reached at all; sets server, software and pid. */
bool doctor_reach(struct doctor *);

/* Everything else. */
void doctor_examine(struct doctor *);

#endif
