/*
 * The path of a request target: RFC 3986 section 5.2.4 and 6.2.2 as Envoy's
 * HttpConnectionManager applies them (normalize_path, merge_slashes,
 * path_with_escaped_slashes_action). Only the path is touched, never the query.
 */
#ifndef SALLYPORT_HTTP_TARGET_H
#define SALLYPORT_HTTP_TARGET_H

#include "base/arena.h"
#include "base/err.h"

enum target_slashes {
	TARGET_SLASHES_KEEP,
	TARGET_SLASHES_REJECT,
	TARGET_SLASHES_REDIRECT,
	TARGET_SLASHES_FORWARD,
};

struct target_rules {
	bool normalize;
	bool merge_slashes;
	enum target_slashes escaped_slashes;
};

/* The part before "?" or "#". */
struct str target_path(struct str target);
/* From "?" on (included), or empty. */
struct str target_query(struct str target);

/*
 * From what a front sends as REQUEST_URI to origin-form: an absolute-form
 * "http://host/p" loses scheme and authority, the latter goes to *authority
 * (else left alone). ERR_BAD for what is neither that nor starts with "/".
 */
enum err target_origin(
    struct str raw, struct str *target, struct str *authority) CHECKED;

/*
 * Applies the rules. *out is the target to route and forward (raw itself
 * when nothing changed). ERR_BAD: answer 400, *out is how far it got; also
 * for what then still has a blank or a control byte, in the query perhaps.
 * ERR_DENIED: redirect (307) to *out.
 */
enum err target_normalize(struct arena *, struct str raw,
    const struct target_rules *, struct str *out) CHECKED;

/* Whether path is prefix, or begins with prefix and "/" (whole segments). */
bool target_has_segment_prefix(struct str path, struct str prefix);

#endif
