/* Claims of a token as others want them: header values, metadata. */
#ifndef SALLYPORT_HTTP_CLAIMS_H
#define SALLYPORT_HTTP_CLAIMS_H

#include "http/jose.h"

/*
 * A claim as a header value the way Envoy prints it: strings and booleans as
 * they are, whole numbers without and others with six decimals, lists and
 * objects as base64 of their JSON. path names it: a claim, a claim within
 * that, and so on. Absent for what is missing, null or empty.
 */
struct str claims_header(struct arena *, const struct cJSON *claims,
    const struct str *path, size_t n);

/*
 * The claims as JSON text, with those named in split turned from text
 * separated by blanks ("scope", RFC 8693 section 4.2) into lists.
 */
struct str claims_json_with_lists(struct arena *, const struct cJSON *claims,
    const struct str *split, size_t n);

#endif
