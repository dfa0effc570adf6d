/*
 * Parameters parsed by libfcgi. It reads them from a file in memory, as
 * records made anew from bytes that fastcgi.c has walked, and only complete.
 * So it never sees a connection, never blocks, writes nothing, and holds no
 * memory once a request is under way.
 */
#ifndef SALLYPORT_FRONT_ENVP_H
#define SALLYPORT_FRONT_ENVP_H

#include "front/fastcgi.h"
#include "http/cgi.h"

struct envp;

/* NULL with the reason logged when there can be no such file. */
struct envp *envp_new(void);
void envp_free(struct envp *);

/*
 * Parses name-value pairs into *out, n of them, in the arena. ERR_FULL: more
 * bytes than FASTCGI_PARAMS_MAX. ERR_BAD: libfcgi refused them.
 */
enum err envp_read(struct envp *, struct arena *, struct str pairs,
    struct cgi_param **out, size_t *n) CHECKED;

/* Strings of the form "NAME=value", ended by NULL, in the arena. */
struct cgi_param *envp_split(struct arena *, char *const *strings, size_t *n);

#endif
