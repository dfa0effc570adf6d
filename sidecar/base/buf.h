/*
 * Bytes whose number a peer decides. No buf exists without a maximum:
 * appending beyond it fails with ERR_FULL and changes nothing. Bytes are
 * added at the end and consumed from the front.
 */
#ifndef SALLYPORT_BASE_BUF_H
#define SALLYPORT_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

struct buf {
	char *ptr; /* the whole allocation, or NULL */
	size_t from; /* offset of the first unread byte */
	size_t to; /* offset behind the last byte */
	size_t cap;
	size_t max; /* bytes it may hold at once */
};

void buf_init(struct buf *, size_t max);
void buf_free(struct buf *);

/* The unread bytes; valid until the next call that changes the buf. */
struct str buf_bytes(const struct buf *);
size_t buf_len(const struct buf *);
/* How many more bytes may be appended. */
size_t buf_room(const struct buf *);
bool buf_is_empty(const struct buf *);

enum err buf_append(struct buf *, struct str bytes) CHECKED;
enum err buf_append_byte(struct buf *, char byte) CHECKED;
enum err buf_printf(struct buf *, const char *format, ...) CHECKED
    __attribute__((format(printf, 2, 3)));

/*
 * Makes room for n bytes behind the end and points *at there; what was
 * written is added with buf_commit. Fails with ERR_FULL.
 */
enum err buf_reserve(struct buf *, size_t n, char **at) CHECKED;
void buf_commit(struct buf *, size_t n);

/* Drops n bytes from the front. */
void buf_consume(struct buf *, size_t n);
void buf_clear(struct buf *);

/* Drops n bytes from the end. */
void buf_cut(struct buf *, size_t n);

#endif
