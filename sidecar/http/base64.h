/* Base64 (RFC 4648): strict, so that one value has one spelling. */
#ifndef SALLYPORT_HTTP_BASE64_H
#define SALLYPORT_HTTP_BASE64_H

#include "base/arena.h"
#include "base/err.h"

/*
 * Decodes base64url without padding (RFC 7515 section 2). ERR_BAD for
 * padding, blanks, other alphabets, and trailing bits that are not zero.
 */
enum err base64url_decode(
    struct arena *, struct str text, struct str *out) CHECKED;
struct str base64url_encode(struct arena *, struct str bytes);

/* The standard alphabet with padding. */
enum err base64_decode(
    struct arena *, struct str text, struct str *out) CHECKED;
struct str base64_encode(struct arena *, struct str bytes);

#endif
