/* Writing JSON for tools, member by member; the first failure is kept. */
#ifndef SALLYPORT_BASE_JSONPAGE_H
#define SALLYPORT_BASE_JSONPAGE_H

#include "base/buf.h"

struct jsonpage {
	struct buf *out;
	enum err err; /* the first one; nothing is written after it */
	bool begun; /* a member or an item stands before */
};

/*
 * A value under a name, or with NULL an item of a list. An absent text is
 * null.
 */
void json_put_string(struct jsonpage *, const char *name, struct str);
void json_put_number(struct jsonpage *, const char *name, double);
void json_put_bool(struct jsonpage *, const char *name, bool);

/* A parsed text (cJSON). */
struct cJSON;
void json_put_value(struct jsonpage *, const char *name, const struct cJSON *);

void json_open_map(struct jsonpage *, const char *name);
void json_close_map(struct jsonpage *);
void json_open_list(struct jsonpage *, const char *name);
void json_close_list(struct jsonpage *);

/* A line's end behind the whole. */
void json_end(struct jsonpage *);

#endif
