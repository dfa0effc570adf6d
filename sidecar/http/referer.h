/* Which values of the Referer field go on. */
#ifndef SALLYPORT_HTTP_REFERER_H
#define SALLYPORT_HTTP_REFERER_H

#include "base/str.h"

/*
 * Whether Envoy lets it pass: an absolute URL with a host and neither
 * userinfo nor fragment (RFC 9110 section 10.1.3), or a relative reference of
 * URI characters. "about:blank" is neither.
 */
bool referer_is_valid(struct str);

#endif
