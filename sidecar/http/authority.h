/* The host a request is for, as Host has it: "name", "name:port", "[v6]:port". */
#ifndef SALLYPORT_HTTP_AUTHORITY_H
#define SALLYPORT_HTTP_AUTHORITY_H

#include "base/arena.h"

/* Whether it has only characters of RFC 3986 section 3.2, userinfo included. */
bool authority_is_valid(struct str);

/* Without ":" and what follows it; a bracketed IPv6 literal stays whole. */
struct str authority_host(struct str);

/* What follows the ":" that authority_host cuts off, or absent. */
struct str authority_port(struct str);

/* Without the dot at the end of the name, which may stand before a port. */
struct str authority_without_dot(struct arena *, struct str);

#endif
