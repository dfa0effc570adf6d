/* Named values that clients send along: in the query and in cookies. */
#ifndef SALLYPORT_HTTP_PARAMS_H
#define SALLYPORT_HTTP_PARAMS_H

#include "base/arena.h"

/* s with %XX decoded; s itself when it has none. */
struct str params_decoded(struct arena *, struct str s);

/*
 * The first value of a query parameter of target, with escapes decoded in
 * names and value; absent if there is none.
 */
struct str params_query_get(struct arena *, struct str target, struct str name);

/* target without any parameter of that name; all else stays as written. */
struct str params_query_without(
    struct arena *, struct str target, struct str name);

/*
 * The first cookie of that name in a Cookie field (RFC 6265 section 4.2),
 * without quotes around it; absent if there is none.
 */
struct str params_cookie_get(struct str field, struct str name);

#endif
