/*
 * Routes that no request reaches, because an earlier one takes all that they
 * match. Only what is certain is said: an unreachable route may go unseen, a
 * reachable one is never taken for one that is not.
 */
#ifndef SALLYPORT_CMD_SHADOW_H
#define SALLYPORT_CMD_SHADOW_H

#include "chain/routematch.h"

/* A match made ready for comparing. */
struct shadow_match {
	const struct conf_route_match *conf;
	struct path_key key;
	const struct regex *regex; /* of safe_regex, or NULL */
};

struct shadow_match shadow_match(struct arena *,
    const struct conf_route_match *, const struct route_match *compiled);

/*
 * Whether every request that matches later matches earlier, of one virtual
 * host. It is certain of
 *  - whole paths, prefixes and whole segments, by what they are; regular
 *    expressions and templates as the later one by how they begin, and as the
 *    earlier one of an equal one; an expression of a whole path, too;
 *  - whatever else a route asks for, if the later one asks for the same, or
 *    for a field with values that the earlier one takes (methods).
 * Several earlier routes that only together take everything are not seen.
 */
bool shadow_covers(struct arena *, const struct conf_route_config *,
    const struct shadow_match *earlier, const struct shadow_match *later);

/*
 * The values that a matcher of a field takes, if they are a few that are
 * written out ("GET", or the expression "GET|POST"); else 0. Longer lists
 * are cut off at max, which never looks like few.
 */
size_t shadow_values(
    const struct conf_header_matcher *, struct str *values, size_t max);

#endif
