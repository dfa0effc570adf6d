/*
 * Envoy's matchers, compiled: strings (envoy.type.matcher.v3.StringMatcher),
 * header fields and query parameters. They look at what they are given only,
 * so filters can use them as well as routes.
 */
#ifndef SALLYPORT_CHAIN_MATCH_H
#define SALLYPORT_CHAIN_MATCH_H

#include "config/model.h"
#include "http/headers.h"

struct string_match;
struct header_match;
struct query_match;

/* These compile; NULL when an error was added. */
const struct string_match *string_match_build(
    struct arena *, const struct conf_string_matcher *, struct diag *);
const struct header_match *header_match_build(
    struct arena *, const struct conf_header_matcher *, struct diag *);
const struct query_match *query_match_build(
    struct arena *, const struct conf_query_matcher *, struct diag *);

bool string_match_holds(const struct string_match *, struct str value);

/*
 * A missing field never holds, not even inverted, unless present_match asks
 * or treat_missing_header_as_empty is set.
 */
bool header_match_holds(const struct header_match *, const struct headers *);

/* Looks at the first parameter of that name in the target, as it is written. */
bool query_match_holds(const struct query_match *, struct str target);

/* The regular expression of conf; NULL with the error added. */
struct regex;
const struct regex *match_regex(
    struct arena *, const struct conf_regex *, struct diag *);

/* A whole number as Envoy reads it in a header: with a sign, between blanks. */
bool match_number(struct str, uint64_t *out);

/* First value of a query parameter in target, undecoded; absent if none. */
struct str match_query_value(struct str target, struct str name);

/* numerator out of denominator, as a fraction of random. NULL conf: fallback. */
bool match_fraction(
    const struct conf_runtime_fraction *, uint64_t random, bool fallback);

#endif
