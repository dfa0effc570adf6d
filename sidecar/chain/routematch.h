/*
 * RouteMatch messages, compiled: the path and everything else a route or a
 * rule of a filter asks of a request.
 */
#ifndef SALLYPORT_CHAIN_ROUTEMATCH_H
#define SALLYPORT_CHAIN_ROUTEMATCH_H

#include "chain/match.h"
#include "chain/pathindex.h"

struct exchange;
struct route_match;

/* Compiles; NULL when an error was added. */
const struct route_match *route_match_build(
    struct arena *, const struct conf_route_match *, struct diag *);

/* A request as many matches look at it, worked out once. */
struct route_subject {
	const struct headers *headers;
	struct str target; /* :path */
	struct str path; /* the part of it that paths are compared with */
	uint64_t random; /* one number per request, for runtime_fraction */
	/* NULL: what is not in the headers is not looked at */
	const struct exchange *exchange;
};

bool route_match_holds(
    const struct route_match *, const struct route_subject *);

/* The same for a filter, by the headers alone. */
bool route_match_request(
    const struct route_match *, const struct headers *, uint64_t random);

/* Under which key of a pathindex the match belongs. */
struct path_key route_match_key(const struct route_match *);

/*
 * How much of path prefix, path or path_separated_prefix stand for: what
 * prefix_rewrite replaces. All of it for other kinds.
 */
size_t route_match_len(const struct route_match *, struct str path);

/* The compiled URI template of path_match_policy, or NULL. */
const struct template *route_match_template(const struct route_match *);

#endif
