/*
 * Envoy's matchers, compiled: strings (envoy.type.matcher.v3.StringMatcher),
 * header fields, query parameters and whole RouteMatch messages. They look
 * at headers only, so filters can use them as well as routes.
 */
#ifndef SALLYPORT_CHAIN_MATCH_H
#define SALLYPORT_CHAIN_MATCH_H

#include "config/model.h"
#include "http/headers.h"

struct string_match;
struct header_match;
struct route_match;

/* These compile; NULL (for a NULL conf, too) when an error was added. */
const struct string_match *string_match_build(
    struct arena *, const struct conf_string_matcher *, struct diag *);
const struct header_match *header_match_build(
    struct arena *, const struct conf_header_matcher *, struct diag *);
const struct route_match *route_match_build(
    struct arena *, const struct conf_route_match *, struct diag *);

bool string_match_holds(const struct string_match *, struct str value);

/*
 * A missing field never holds, not even inverted, unless present_match asks
 * or treat_missing_header_as_empty is set.
 */
bool header_match_holds(const struct header_match *, const struct headers *);

/* random is one number per request, for runtime_fraction. */
bool route_match_holds(
    const struct route_match *, const struct headers *, uint64_t random);

/* The part of path that prefix, path or path_separated_prefix matched; all of it for regexes. */
size_t route_match_len(const struct route_match *, struct str path);

/* The regular expression of conf; NULL with the error added. */
struct regex;
const struct regex *match_regex(
    struct arena *, const struct conf_regex *, struct diag *);

/* First value of a query parameter in target, undecoded; absent if none. */
struct str match_query_value(struct str target, struct str name);

/* numerator out of denominator, as a fraction of random. NULL conf: fallback. */
bool match_fraction(
    const struct conf_runtime_fraction *, uint64_t random, bool fallback);

#endif
